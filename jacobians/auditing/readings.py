"""A formula in one setting: what each of its names may mean there, and the terms and values that follow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from jacobians.auditing.assignments import results_of
from jacobians.auditing.claims import Claim
from jacobians.auditing.course_words import ROLES_IN_WORDS
from jacobians.auditing.formula import Formula, notation_of, read
from jacobians.auditing.formula_text import Source
from jacobians.auditing.names import Scope
from jacobians.auditing.search import Judge
from jacobians.auditing.terms import Builder, ClashError, Term
from jacobians.errors import FormulaError
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Symbol

_READINGS = 48
"""Of one text in one network."""
_ABOUT_LAYERS = ("layer", "fixed", "output")
"""What a scope asks for beside the meanings of names."""


@dataclass(frozen=True, eq=False)
class Checked:
    """One array that a text computes, in one reading.

    Attributes
    ----------
    formula : Formula
    scope : Scope
    claim : Claim
    term : Term
    builder : Builder
        With the shapes that were found.
    expr : Expr or None
        None where the shapes of the right side do not fit.
    clash : ClashError or None
    """

    formula: Formula
    scope: Scope
    claim: Claim
    term: Term
    builder: Builder
    expr: Expr | None = None
    clash: ClashError | None = None

    @property
    def judge(self) -> Judge:
        """The judge of its value. Only NumPy tells a vector from one row or one column."""
        return Judge(self.claim, self.scope, self.formula.notation != "numpy")

    @cached_property
    def is_right(self) -> bool:
        """Whether its value is the true one."""
        return self.expr is not None and self.judge.right(self.expr)

    @property
    def is_scaled(self) -> bool:
        """Whether it is right up to a factor, a sign or a transpose of the whole."""
        try:
            return self.expr is not None and any(len(e.slips) == 1 for e in self.judge.reach(self.expr))
        except ValueError:  # a loss of one's own refuses such targets
            return False

    @cached_property
    def difference(self) -> float | None:
        """The largest difference, divided by the true value's largest entry; None where shapes do not fit."""
        return None if self.expr is None else self.judge.difference(self.expr)


def checked(formula: Formula, scope: Scope) -> list[Checked]:
    """Read a formula in one reading of its names, and return all that it computes.

    Raises
    ------
    FormulaError
        If a name is unknown, or something is not of the notation.
    """
    found = []
    for result in results_of(formula, scope):
        one = Checked(formula, scope, result.claim, result.term, Builder(scope.setting.examples, scope.known))
        try:
            found.append(replace(one, expr=one.builder.build(result.term)))
        except ClashError as clash:
            found.append(replace(one, clash=clash))
    return found


@dataclass(frozen=True, eq=False)
class Reading:
    """A text with one meaning for each of its names.

    Attributes
    ----------
    results : tuple of Checked
        What it computes; for names without a layer's number, in each layer.
    how : str
        What had to be chosen.
    """

    results: tuple[Checked, ...]
    how: str = ""

    @cached_property
    def is_right(self) -> bool:
        """Whether all that it computes is right."""
        return all(found.is_right for found in self.results)

    @property
    def judged(self) -> Checked:
        """The first result that is not right, or the last of all."""
        return next((found for found in self.results if not found.is_right), self.results[-1])

    @property
    def described(self) -> str:
        """What was chosen or assumed in this reading, in clauses."""
        notes = dict.fromkeys(note for found in self.results for note in found.scope.notes)
        return "; ".join(filter(None, (self.how, *notes)))


def readings(
    formula: Formula, scope: Scope, where: Mapping[str, str], how: str = ""
) -> Iterator[Reading | FormulaError]:
    """Yield a text in every reading of its names, the likeliest first, or the reason why there is none.

    Parameters
    ----------
    formula : Formula
    scope : Scope
        It does not learn the names in `where`.
    where : mapping of str to str
        Names of the caller's own, and the right sides that define them.
    how : str
        How the scope itself reads the text.

    Raises
    ------
    FormulaError
        If a name in `where` has a meaning already, or cannot be read.
    """
    scope = scope.apart() if where else scope
    for name, text in where.items():
        _define(name, text, scope)
    waiting: list[dict[str, str]] = [{}]
    done: list[dict[str, str]] = []
    while waiting and len(done) < _READINGS:
        choices = waiting.pop(0)
        done.append(choices)
        found, asked = _of_layers(formula, scope, choices)
        described = [
            f"{name.removesuffix(' =')} is {ROLES_IN_WORDS.get(meant, meant)}" for name, meant in choices.items()
        ]
        for one in found:
            said = "; ".join(filter(None, (how, *described, one.how))) if isinstance(one, Reading) else ""
            yield replace(one, how=said) if isinstance(one, Reading) else one
        for name, meanings in asked.items():
            for meant in meanings:
                other = {**choices, name: meant}
                first = name not in choices and meant == meanings[0]
                if not first and name not in choices and other not in done and other not in waiting:
                    waiting.append(other)


def _of_layers(
    formula: Formula, scope: Scope, choices: Mapping[str, str]
) -> tuple[list[Reading | FormulaError], dict[str, tuple[str, ...]]]:
    """The text with some choices made, for each layer where names have no number; and the choices that remain.

    It must be right in all layers, or in one layer if other names fix it.
    """
    alone = scope.reading(choices, None)
    found: list[Reading | FormulaError] = []
    try:
        found.append(Reading(tuple(checked(formula, alone))))
    except FormulaError as error:
        found.append(error)
    asked = dict(alone.asked)
    if "layer" not in asked:
        return found, {name: meanings for name, meanings in asked.items() if name not in _ABOUT_LAYERS}
    names, layers = scope.setting.network.convention.names, dict[int, list[Checked]]()
    count = sum(map(names.is_weight, scope.setting.first.run.params))
    for layer in range(1, count + names.first_units + 1):
        one = scope.reading(choices, layer)
        try:
            layers[layer] = checked(formula, one)
        except FormulaError as why:
            found[:] = [why] if layer == 1 and isinstance(found[0], FormulaError) else found
        asked |= one.asked
    if layers:
        numbers = " and ".join(map(str, layers))
        every = tuple(result for results in layers.values() for result in results)
        found = [one for one in found if isinstance(one, Reading)]
        found.append(Reading(every, f"for layer{'s' * (len(layers) > 1)} {numbers}"))
        if "output" in asked and len(layers) > 1 and "fixed" not in asked:
            *hidden, last = layers.values()
            found.append(Reading(tuple(r for results in hidden for r in results), "for the hidden layers"))
            found.append(Reading(tuple(last), "for the last layer"))
        if "fixed" in asked and len(layers) > 1:
            found += [Reading(tuple(results), f"for layer {layer}") for layer, results in layers.items()]
    return found, {name: meanings for name, meanings in asked.items() if name not in _ABOUT_LAYERS}


def _define(name: str, text: str, scope: Scope) -> None:
    """Add one name of the caller's own, in every draw."""
    source = Source.of(f"{name} = {text}")
    if name in scope.symbols or not re.fullmatch(r"[^\W\d]\w*", name):
        what = "already has a meaning" if name in scope.symbols else "is no name"
        raise source.error(f"{name!r} {what}", (0, len(name)))
    term = read(notation_of(text), source, (len(name) + 3, len(source.text)), scope)
    try:
        expr = Builder(scope.setting.examples, scope.known).build(term)
    except ClashError as clash:
        raise source.error(clash.message, clash.term.span) from None
    scope.own[name] = Symbol(name, expr.shape)
    scope.definitions[name] = expr
    for draw in scope.setting.draws:
        with np.errstate(all="ignore"):
            draw.values[name] = np.asarray(evaluate(expr, draw.values))
