"""`explanation_of`: the fewest slips that explain a wrong formula, found by trial; `Judge` compares values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from jacobians.arrays import Array, size_of
from jacobians.auditing.claims import Claim
from jacobians.auditing.names import Scope
from jacobians.auditing.slips import Slip, scalings, slips
from jacobians.auditing.terms import Builder, ClashError, Term, build
from jacobians.diagnosis import diagnose
from jacobians.errors import JacobiansError
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr
from jacobians.symbols.simplify import scaled, transposed

_TOLERANCE = 1e-9
"""Of the largest entry: rounding in a textbook form, a thousand times over."""
_BUDGET = 3000
_WORK = 150_000
"""In terms of all the formulas that are built: seconds, however long the formula is."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What was wrong.

    Attributes
    ----------
    slips : tuple of Slip
    mended : Expr
        The given formula without them.
    """

    slips: tuple[Slip, ...]
    mended: Expr

    @property
    def cost(self) -> tuple[int, int]:
        """The fewer and the more usual the slips, the smaller."""
        return len(self.slips), sum(slip.rank for slip in self.slips)


@dataclass(frozen=True, eq=False)
class Judge:
    """Compares the value of an expression with the truth.

    Attributes
    ----------
    claim : Claim
    scope : Scope
    vectors : bool
        Whether one row or one column may stand for a vector, as in a textbook.
    """

    claim: Claim
    scope: Scope
    vectors: bool

    def value(self, expr: Expr, draw: int) -> Array:
        """Return an expression's value in one draw, in the shape of the truth where both shapes mean the same."""
        with np.errstate(all="ignore"):
            found = np.asarray(evaluate(expr, self.scope.values(draw)))
        true = self.claim.truths[draw]
        if found.size == true.size == 1:
            return found.reshape(true.shape)
        if true.ndim == 1 and found.shape == (1, true.size):  # NumPy repeats one row as it repeats a vector
            return found.reshape(true.shape)
        if self.vectors and true.ndim == 1 and found.size == true.size and max(found.shape, default=1) == found.size:
            return found.reshape(true.shape)
        return found

    def difference(self, expr: Expr) -> float | None:
        """Return the largest difference, divided by the true value's largest entry; None where the shapes differ."""
        found = [*self._differences(expr)]
        return None if None in found else max(d for d in found if d is not None)

    def right(self, expr: Expr) -> bool:
        """Whether the values are the same in every draw, but for rounding."""
        return all(d is not None and d <= _TOLERANCE for d in self._differences(expr))

    def _differences(self, expr: Expr) -> Iterator[float | None]:
        for draw, true in enumerate(self.claim.truths):
            found = self.value(expr, draw)
            yield _relative(found, true) if found.shape == true.shape else None

    def reach(self, expr: Expr) -> Iterator[Explanation]:
        """Yield the corrections of an expression that a transpose of the whole and a factor make right."""
        true = self.claim.truths[0]
        found = self.value(expr, 0)
        turned = found.ndim == 2 and found.T.shape == true.shape
        for turn in (False, True)[: 1 + turned]:
            candidate = transposed(expr) if turn else expr
            value = found.T if turn else found
            if value.shape != true.shape:
                continue
            before = (self._turned(),) if turn else ()
            for factor, slips_ in self._factors(value, true):
                mended = scaled(factor, candidate)
                if self.right(mended):
                    yield Explanation((*before, *slips_), mended)

    def _turned(self) -> Slip:
        if self.claim.jacobian:
            layout = self.scope.setting.network.layout.derivative
            other = "denominator" if layout == "numerator" else "numerator"
            return Slip("other-derivative-layout", f"it is written in {other} layout, the convention's is {layout}", 0)
        return Slip("transposed-result", "the result must be transposed", 1)

    def _factors(self, value: Array, true: Array) -> Iterator[tuple[Expr | None, tuple[Slip, ...]]]:
        size = float(np.vdot(true, true))
        if size == 0 or not np.isfinite(value).all():
            return
        ratio = float(np.vdot(true, value)) / size
        if ratio == 0 or _relative(value, ratio * true) > _TOLERANCE * abs(ratio):
            return
        if abs(ratio - 1) <= _TOLERANCE:
            yield None, ()
            return
        for scaling in scalings(self.scope):
            if abs(ratio / scaling.value - 1) <= _TOLERANCE:
                yield scaling.mend, scaling.slips


def explanation_of(term: Term, judge: Judge, text: str) -> Explanation | None:
    """Return the best explanation with one slip or two, or None within the budget.

    Parameters
    ----------
    term : Term
        The formula that is not right.
    judge : Judge
    text : str
        As it was written.
    """
    trial = _Trial(judge, _size(term, 1), _size(term, judge.scope.setting.examples))
    found = trial.of(term)
    changed = sorted(slips(term, judge.scope, judge.claim, text), key=lambda change: change[1].rank)
    for by, slip in changed:
        if trial.spent:
            break
        found += [Explanation((slip, *e.slips), e.mended) for e in trial.of(by)]
    if any(len(e.slips) == 1 for e in found):
        return min(found, key=lambda e: e.cost)
    for by, slip in changed:
        if trial.spent:
            break
        trial.made.clear()  # what two changed formulas share is little, and there may be thousands
        second = sorted(slips(by, judge.scope, judge.claim, text), key=lambda change: change[1].rank)
        for twice, other in second:
            if slip.rank + other.rank > 5 or trial.spent:
                break
            found += [Explanation((slip, other), e.mended) for e in trial.of(twice) if not e.slips]
    return min(found, key=lambda e: e.cost, default=None)


def _size(term: Term, examples: int) -> int:
    """How many terms are built; those within a loop, once for every example."""
    inside = sum(_size(part, examples) for part in term.parts)
    return 1 + inside * (examples if term.kind == "examples" else 1)


def diagnosed(expr: Expr, judge: Judge) -> tuple[Slip, ...]:
    """Return the causes that explain a parameter's gradient exactly, or nothing."""
    parameter, setting = judge.claim.parameter, judge.scope.setting
    if parameter in (None, "X"):
        return ()
    run = setting.first.run
    gradient = {**run.gradient(), str(parameter): judge.value(expr, 0)}
    try:
        found = diagnose(gradient, setting.network, run.params, run.X, run.Y)
    except JacobiansError:
        return ()
    if found.verdict != "explained":
        return ()
    return tuple(Slip(cause.name, cause.title, 0) for cause in found.causes)


@dataclass
class _Trial:
    judge: Judge
    size: int
    unrolled: int
    evaluated: int = 0
    work: int = 0
    made: dict[int, tuple[Term, Expr]] = field(default_factory=dict)
    """What the terms were built as: formulas that differ at one place share all others."""

    @property
    def spent(self) -> bool:
        return self.evaluated >= _BUDGET or self.work >= _WORK

    def of(self, term: Term) -> list[Explanation]:
        """What makes a term right, if shapes alone do not say that nothing can."""
        self.work += self.size
        examples, functions = self.judge.scope.setting.examples, self.judge.scope.known
        try:
            expr = Builder(examples, functions, shape_only=True, made=self.made).build(term)
        except ClashError:
            return []
        if size_of(expr.shape) != self.judge.claim.truths[0].size:
            return []
        if self.unrolled > self.size:
            expr = build(term, examples, functions)
            self.work += self.unrolled
        self.evaluated += 1
        try:
            return list(self.judge.reach(expr))
        except ValueError:  # a loss of one's own refuses such targets
            return []


def _relative(found: Array, true: Array) -> float:
    if not true.size:
        return 0.0
    scale = float(np.abs(true).max())
    difference = float(np.abs(found - true).max())
    if not np.isfinite(difference):
        return float("inf")
    return difference / scale if scale else difference
