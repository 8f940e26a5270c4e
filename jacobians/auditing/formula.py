"""`Formula`: a formula cut at its equals sign; `checked` reads it in a setting and gives its claim, term and value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from jacobians.auditing.building import Builder, ClashError
from jacobians.auditing.claims import Claim, LeftSide, claim_of, left_side
from jacobians.auditing.latex_reader import parse_latex
from jacobians.auditing.names import Scope
from jacobians.auditing.octave_reader import parse_octave
from jacobians.auditing.python_reader import parse_numpy
from jacobians.auditing.reading import Reading
from jacobians.auditing.setting import Setting
from jacobians.auditing.source import Source, Span
from jacobians.auditing.terms import Term
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Symbol

__all__ = ["NOTATIONS", "Checked", "Formula", "Notation", "checked"]


Notation: TypeAlias = Literal["numpy", "latex", "octave"]
NOTATIONS: tuple[Notation, ...] = ("numpy", "latex", "octave")

_PARSERS = {"numpy": parse_numpy, "latex": parse_latex, "octave": parse_octave}
_EQUALS = re.compile(r"(?<![=<>!:])=(?!=)")


@dataclass(frozen=True)
class Formula:
    """A formula in one of the notations.

    Attributes
    ----------
    source : Source
    notation : {"numpy", "latex", "octave"}
    left : LeftSide
    right : (int, int)
        Where its right side stands.
    """

    source: Source
    notation: Notation
    left: LeftSide
    right: Span

    @classmethod
    def of(cls, text: str, notation: Notation | None = None) -> Formula:
        """Return the formula of a text; its notation is told from backslashes, transposing quotes and dotted operators.

        Raises
        ------
        FormulaError
            If it has no equals sign, or two, or its left side is no name and no derivative.
        """
        source = Source.of(text)
        found = notation or _notation_of(source.text)
        depth, equals = 0, []
        for match in re.finditer(rf"{_EQUALS.pattern}|[()\[\]{{}}]", source.text):
            if match.group() == "=":
                equals += [match.start()] * (depth == 0)
            else:
                depth += 1 if match.group() in "([{" else -1
        end = len(source.text)
        if not equals:
            raise source.error("a formula has two sides, as in dW1 = X.T @ dZ1", (0, end))
        if len(equals) > 1:
            raise source.error("a formula has one equals sign", (equals[1], equals[1] + 1))
        left = left_side(source, (0, equals[0]), latex=found == "latex")
        return cls(source, found, left, (equals[0] + 1, end))

    def term(self, reading: Reading) -> Term:
        """Return the right side."""
        return _PARSERS[self.notation](self.source, self.right, reading)


@dataclass(frozen=True, eq=False)
class Checked:
    """A formula in one setting.

    Attributes
    ----------
    scope : Scope
    claim : Claim
    term : Term
    builder : Builder
        With the shapes that were found.
    expr : Expr or None
        None where the shapes of the right side do not fit.
    clash : ClashError or None
    """

    scope: Scope
    claim: Claim
    term: Term
    builder: Builder
    expr: Expr | None
    clash: ClashError | None


def checked(formula: Formula, setting: Setting, where: Mapping[str, str]) -> Checked:
    """Read a formula in a setting.

    Parameters
    ----------
    formula : Formula
    setting : Setting
        Its draws learn the values of the names in `where`.
    where : mapping of str to str
        Names of the caller's own, and the right sides that define them.

    Raises
    ------
    FormulaError
        If a name is unknown, or something is not of the notation.
    """
    scope = Scope.of(setting)
    for name, text in where.items():
        _define(name, text, scope)
    claim = claim_of(formula.left, scope, formula.source)
    term = formula.term(Reading(scope, claim.name))
    builder = Builder(setting.examples, scope.known)
    try:
        return Checked(scope, claim, term, builder, builder.build(term), None)
    except ClashError as clash:
        return Checked(scope, claim, term, builder, None, clash)


def _define(name: str, text: str, scope: Scope) -> None:
    """Add one name of the caller's own, in every draw."""
    source = Source.of(f"{name} = {text}")
    if name in scope.symbols or not re.fullmatch(r"[^\W\d]\w*", name):
        what = "already has a meaning" if name in scope.symbols else "is no name"
        raise source.error(f"{name!r} {what}", (0, len(name)))
    notation = _notation_of(text)
    term = _PARSERS[notation](source, (len(name) + 3, len(source.text)), Reading(scope))
    try:
        expr = Builder(scope.setting.examples, scope.known).build(term)
    except ClashError as clash:
        raise source.error(clash.message, clash.term.span) from None
    scope.own[name] = Symbol(name, expr.shape)
    scope.definitions[name] = expr
    for draw in scope.setting.draws:
        with np.errstate(all="ignore"):
            draw.values[name] = np.asarray(evaluate(expr, draw.values))


_LATEX = re.compile(r"\\|[_^]\{")
_NUMPY = re.compile(
    r"""(?<![\w)\]])['"]|\b[a-z]'\{|"|keepdims|axis=|\*\*|\b(?:np|if|and|or|for|in|is|not|lambda)\b[ .]"""
)
_OCTAVE = re.compile(r"'|\.[*/^]|:\s*end|(?<!\.)\b(?:sum|ones|zeros)\(")
_SIDE_BY_SIDE = re.compile(r"\^\w|[\w)]\s+[^\W\d]")


def _notation_of(text: str) -> Notation:
    """What only one of the notations has; the strings and keywords of Python are for its parser to refuse."""
    if _LATEX.search(text):
        return "latex"
    if _NUMPY.search(text):
        return "numpy"
    if _OCTAVE.search(text):
        return "octave"
    return "latex" if _SIDE_BY_SIDE.search(text) else "numpy"
