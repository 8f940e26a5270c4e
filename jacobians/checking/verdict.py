"""The verdict on a derivative along one line, and what was found so far of one parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.kinks import one_sided
from jacobians.checking.numerical import SAFETY, Estimate, Line, Probe, band, bands, best_of


@dataclass(frozen=True, eq=False)
class LineVerdict:
    """What was found along one line, for every output.

    Attributes
    ----------
    value : ndarray
        The reference derivative; at a kink, the nearest one that is right.
    tolerance : ndarray
        The largest difference that is not counted; infinite where there is no reference.
    wrong, kink : ndarray of bool
        Whether the difference exceeds the tolerance; whether x lies on a kink of the function.
    jump : ndarray
        What the slopes jump by at kinks within the steps, where the sides of x had to decide; else 0.
    """

    value: Array
    tolerance: Array
    wrong: Array
    kink: Array
    jump: Array


_ANOTHER = 0.7
"""The second reference's first step, against the first one's."""


def own_rounding(size: Array, eps: float) -> Array:
    """Return how far rounding may move a right derivative, relative to its parameter's largest entry."""
    return 16.0 * eps * size


def judge(
    probe: Probe,
    line: Line,
    given: Array,
    size: Array,
    arbiter: ComplexStep | None,
    eps: float,
    closely: bool = False,
) -> LineVerdict:
    """Return whether a given derivative along one line is right, as far as the function's rounding shows.

    Bands are tried from the usual steps on, until one resolves what is given and confirms it. Where none does, finer
    ones have the first word, and the one-sided derivatives decide: at a kink everything between them is right (a
    subgradient; Clarke 1990, §2.3), and beside one the smallest steps are. What is still doubtful is put to the
    complex step. What is left to be blamed on the given derivative is so only if a second reference, at other steps,
    agrees with the first and blames it too.

    Parameters
    ----------
    probe : Probe
    line : Line
    given : ndarray, shape (m,)
        The derivative of every output along the line, per unit of the entry or of the direction.
    size : ndarray, shape (m,)
        The largest derivative of the same parameter, against which its own rounding is measured.
    arbiter : ComplexStep or None
    eps : float
        The unit of rounding of what is given.
    closely : bool
        Whether to try every band even where an early one confirms what is given, and so see the smallest error.
    """
    size = np.maximum(size, np.abs(given))
    floor = own_rounding(size, max(eps, probe.eps))
    target = np.maximum(1e-6, 1e3 * probe.eps) * np.maximum(np.abs(given), 1e-3 * size)
    found: dict[float, Estimate] = {}

    def confirmed(estimate: Estimate) -> bool:
        agrees = np.abs(given - estimate.value) <= estimate.tolerance + floor
        return bool((agrees & (estimate.tolerance <= target)).all())

    usual, small, smaller, large = bands(probe.eps)
    none = np.zeros(given.shape)
    for first in (usual, small, smaller, large):
        found[first] = band(probe, line, first)
        # what a coarse band of small steps confirms, a precise one that agrees with it may still find wrong
        best = _best(found)
        if not (closely and first != large) and not probe.rough and confirmed(best):
            return LineVerdict(best.value, best.tolerance + floor, none > 0, none > 0, none)
    for first in probe.finer(line):
        found[first] = band(probe, line, first)
    best = _best(found)
    value, tolerance = best.value.copy(), best.tolerance + floor
    wrong = np.abs(given - value) > tolerance
    # a function that does not change at all may round away what the derivative says; a flat one to six digits, as %g
    finest = np.where(probe.flat, 1e-6, probe.eps)
    unchanged = np.abs(given) * line.unit * best.reach <= 16 * finest * np.maximum(np.abs(probe.value), 1)
    still = wrong & (value == 0) & unchanged
    wrong, tolerance = wrong & ~still, np.where(still, np.inf, tolerance)
    doubtful = wrong | (tolerance > 0.01 * size)
    if not doubtful.any() or not np.isfinite(probe.value).all():
        return LineVerdict(value, tolerance, wrong, none > 0, none)
    sides = one_sided(probe, line, best.reach)
    kink, jump = doubtful & sides.kink, np.where(doubtful, sides.jump, 0.0)
    decided = doubtful & ~still & (sides.kink | sides.beside)
    value = np.where(decided, np.clip(given, sides.low, sides.high), value)
    tolerance = np.where(decided, SAFETY * sides.error + floor, tolerance)
    wrong = np.where(decided, np.abs(given - value) > tolerance, wrong)
    if probe.rough:
        # within waves one side may settle by chance: it blames nobody where the finest steps are steeper by far
        coarse = np.abs(value) + np.nan_to_num(np.abs([found[usual].value, found[large].value])).max(axis=0)
        torn = wrong & decided & (np.abs(value - best.value) > best.tolerance + tolerance + 10.0 * coarse)
        wrong, tolerance = wrong & ~torn, np.where(torn, np.inf, tolerance)
    # a kink too faint to be placed may explain so small a difference: not right for sure, and not wrong
    faint = wrong & ~decided & (np.abs(given - value) <= sides.hidden)
    wrong, tolerance = wrong & ~faint, np.where(faint, np.inf, tolerance)
    doubtful = (wrong | (tolerance > 0.01 * size)) & ~kink
    taken = arbiter.derivative(line) if arbiter is not None and doubtful.any() else None
    if taken is not None:
        # of a sum that is constant, such as a softmax's, the parts round
        exact = (
            512.0 * probe.eps * np.maximum(size, np.abs(taken))
            + own_rounding(np.abs(probe.value), probe.eps) / line.unit
        )
        right = np.abs(given - taken) <= exact + floor
        # it may clear what the bands doubted; it condemns only where the bands could not tell, or doubted too
        trusted = doubtful & (right | wrong | (np.abs(taken - value) <= tolerance))
        value, wrong = np.where(trusted, taken, value), np.where(trusted, ~right, wrong)
        tolerance, jump = np.where(trusted, exact + floor, tolerance), np.where(trusted, 0.0, jump)
        decided |= trusted
    return _asked_again(
        probe, line, given, floor, best.reach, ~decided, LineVerdict(value, tolerance, wrong, kink, jump)
    )


def _best(found: dict[float, Estimate]) -> Estimate:
    return best_of([found[first] for first in sorted(found)])


def _asked_again(
    probe: Probe, line: Line, given: Array, floor: Array, reach: Array, open_: Array, first: LineVerdict
) -> LineVerdict:
    """Blame what is given only where a second band, whose steps are no halves of the first one's, does so too.

    Where the two references contradict each other, there is none. Where the second one explains what is given, it
    says how much it can see.
    """
    value, tolerance, wrong = first.value.copy(), first.tolerance.copy(), first.wrong.copy()
    for step in np.unique(reach[wrong & open_]):
        own = wrong & open_ & (reach == step)
        second = band(probe, line, _ANOTHER * float(step))
        same = np.abs(second.value - value) <= second.tolerance + tolerance
        explains = same & (np.abs(given - second.value) <= second.tolerance + floor)
        value = np.where(own & explains, second.value, value)
        tolerance = np.where(own & explains, second.tolerance + floor, np.where(own & ~same, np.inf, tolerance))
        wrong = wrong & ~(own & (explains | ~same))
    return LineVerdict(value, tolerance, wrong, first.kink, first.jump)


@dataclass(frozen=True)
class Worst:
    """The entry whose difference is largest against its tolerance."""

    entry: int
    output: int
    given: float
    value: float
    tolerance: float

    @property
    def ratio(self) -> float:
        """The difference over the tolerance."""
        difference = abs(self.given - self.value)
        if not math.isfinite(self.tolerance) or math.isnan(difference):
            return 0.0
        return difference / self.tolerance if self.tolerance else (math.inf if difference else 0.0)


@dataclass
class Findings:
    """What the entries of one parameter showed so far.

    Attributes
    ----------
    size, weight : ndarray, shape (m,)
        The largest derivative of every output with respect to this parameter, and the largest times its entry's scale.
    checked, wrong, suspects, kinks, unseen : int
        Entries compared; wrong; that differ at first sight and were not examined; at a kink; without a reference.
    smallest, change, coarsest : ndarray, shape (m,)
        The coarsest tolerance of every output: absolute, times its entry's scale, and relative to the largest
        derivative, either way.
    worst : Worst or None
    entries : set of int
        Those that were given the full reference.
    """

    size: Array
    weight: Array
    checked: int = 0
    wrong: int = 0
    suspects: int = 0
    kinks: int = 0
    unseen: int = 0
    smallest: Array = field(default_factory=lambda: np.zeros(()))
    change: Array = field(default_factory=lambda: np.zeros(()))
    coarsest: Array = field(default_factory=lambda: np.zeros(()))
    worst: Worst | None = None
    entries: set[int] = field(default_factory=set)

    def weigh(self, given: Array, unit: Array | float) -> None:
        """Remember the largest derivatives, of entries with these scales."""
        self.size = np.maximum(self.size, np.abs(given))
        self.weight = np.maximum(self.weight, np.abs(given) * unit)

    def size_for(self, unit: float) -> Array:
        """Return the largest derivative, in what counts as a change of an entry with this scale if that is far off."""
        return np.minimum(self.size, 1e3 * self.weight / unit)

    def add(self, entry: int, given: Array, unit: float, found: LineVerdict) -> None:
        """Count the verdict of one entry, whose scale is `unit`."""
        self.weigh(given, unit)
        self.entries.add(entry)
        self.checked += 1
        self.wrong += bool(found.wrong.any())
        self.kinks += bool(found.kink.any())
        self.unseen += not bool(np.isfinite(found.tolerance).all())
        self.see(found.tolerance, unit)
        self.offer(entry, given, found.value, found.tolerance)

    def see(self, tolerance: Array, unit: Array | float) -> None:
        """Remember the coarsest tolerance of entries with these scales."""
        finite = np.atleast_2d(np.where(np.isfinite(tolerance), tolerance, 0.0))
        self.smallest = np.maximum(self.smallest, finite.max(axis=0, initial=0.0))
        self.change = np.maximum(self.change, (finite * unit).max(axis=0, initial=0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.fmin(finite / self.size, finite * unit / self.weight)
        relative = np.where(self.size > 0, relative, 0.0)
        self.coarsest = np.maximum(self.coarsest, relative.max(axis=0, initial=0.0))

    def offer(self, entry: int, given: Array, value: Array, tolerance: Array) -> None:
        """Keep the worst of this entry's outputs, if it is worse than the worst so far."""
        if not given.size:
            return
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(given - value) / tolerance
        output = int(np.argmax(np.where(np.isnan(ratio), -1.0, ratio)))
        other = Worst(entry, output, float(given[output]), float(value[output]), float(tolerance[output]))
        if self.worst is None or other.ratio > self.worst.ratio:
            self.worst = other
