"""`Formula`: a text cut at its equals sign, with its notation and its left side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.names import LOSS_NAMES, Scope
from jacobians.auditing.python_reader import read_numpy
from jacobians.auditing.terms import Term
from jacobians.auditing.text_reader import LatexNames, read_latex, read_octave

Notation: TypeAlias = Literal["numpy", "latex", "octave"]
NOTATIONS: tuple[Notation, ...] = ("numpy", "latex", "octave")

_EQUALS_OR_BRACKET = re.compile(r"(?<![=<>!:])=(?!=)|[()\[\]{}]")


@dataclass(frozen=True)
class LeftSide:
    """A left side as it was written.

    Attributes
    ----------
    of : str or None
        What is differentiated, in ∂of/∂wrt; None where one name stands there.
    wrt : str
        The name, or what is differentiated by.
    span : (int, int)
    """

    of: str | None
    wrt: str
    span: Span

    @property
    def is_jacobian(self) -> bool:
        """Whether it is the derivative of something else than the loss."""
        return self.of is not None and self.of not in LOSS_NAMES


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
        found = notation or notation_of(source.text)
        depth, equals = 0, []
        for match in _EQUALS_OR_BRACKET.finditer(source.text):
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

    def term(self, scope: Scope) -> Term:
        """Return the right side."""
        return read(self.notation, self.source, self.right, scope)


def read(notation: Notation, source: Source, span: Span, scope: Scope) -> Term:
    """Return the term of what stands in a span of a source.

    Raises
    ------
    FormulaError
        If a name is unknown, or something is not of the notation.
    """
    readers = {"numpy": read_numpy, "latex": read_latex, "octave": read_octave}
    return readers[notation](source, span, scope)


def left_side(source: Source, span: Span, *, latex: bool) -> LeftSide:
    """Return what stands left of the equals sign.

    Raises
    ------
    FormulaError
        If it is no name and no derivative.
    """
    if latex:
        return _latex(source, span)
    text = source.part(span)
    start = span[0] + len(text) - len(text.lstrip())
    place = (start, start + max(1, len(text.strip())))
    name = r"[^\W\d]\w*"
    if re.fullmatch(name, text.strip()):
        return LeftSide(None, text.strip(), place)
    found = re.fullmatch(rf"(?:d|∂|partial_?)?({name})\s*/\s*(?:d|∂|partial_?)({name})", text.strip())
    if found:
        return LeftSide(found[1], found[2], place)
    raise source.error("the left side is a name such as dW1, or a derivative such as dL/dW1 or dZ1/dX", place)


def _latex(source: Source, span: Span) -> LeftSide:
    r"""A name, \frac{\partial L}{\partial W_1}, \partial L / \partial W_1, or \nabla_{W_1} L."""
    reader = LatexNames.of(source, span)
    tokens = reader.tokens
    place = (tokens.next.span[0], max(tokens.next.span[0] + 1, span[1]))

    def name() -> str:
        found = "vec"
        while found == "vec":
            tokens.accept("\\partial")
            braced = tokens.accept("{")
            base = reader.base()
            if base is None:
                raise tokens.error("a name is wanted here, as in \\frac{\\partial L}{\\partial W_1}")
            found = base[0]
        scripts = reader.scripts()
        if braced:
            tokens.expect("}")
        if any(kind not in ("index", "power") for kind, _, _ in scripts):
            raise tokens.error("a left side is not transposed, sliced or primed", tokens.peek(-1))
        return found + "".join(str(value) for _, value, _ in scripts)

    of = None
    if tokens.accept("\\frac"):
        tokens.expect("{")
        of = name().removeprefix("d")
        tokens.expect("}")
        tokens.expect("{")
        wrt = name()
        wrt = wrt[1:] if wrt[0] == "d" and len(wrt) > 1 else wrt
        tokens.expect("}")
    elif tokens.accept("\\nabla"):
        tokens.expect("_")
        tokens.expect("{")
        wrt = name()
        tokens.expect("}")
        of = name() if tokens.next.kind != "end" else "L"
    else:
        wrt = name()
        if tokens.accept("/"):
            of, wrt = wrt, name()
    if tokens.next.kind != "end":
        raise tokens.error("the left side is a name, or a derivative such as \\frac{\\partial L}{\\partial W_1}")
    return LeftSide(of, wrt, place)


_LATEX = re.compile(r"\\|[_^]\{")
_NUMPY = re.compile(
    r"""(?<![\w)\]])['"]|\b[a-z]'\{|"|keepdims|axis=|\*\*|\b(?:np|if|and|or|for|in|is|not|lambda)\b[ .]"""
)
_OCTAVE = re.compile(r"'|\.[*/^]|:\s*end|(?<!\.)\b(?:sum|ones|zeros)\(")
_SIDE_BY_SIDE = re.compile(r"\^\w|[\w)]\s+[^\W\d]")


def notation_of(text: str) -> Notation:
    """What only one of the notations has; the strings and keywords of Python are for its parser to refuse."""
    if _LATEX.search(text):
        return "latex"
    if _NUMPY.search(text):
        return "numpy"
    if _OCTAVE.search(text):
        return "octave"
    return "latex" if _SIDE_BY_SIDE.search(text) else "numpy"
