r"""The check along random directions: few evaluations for any number of parameters, and a stated chance to miss an
error.

For a Gaussian u, :math:`\langle e, u\rangle` is normal with standard deviation ‖e‖, so one direction sees less than
t of an error e with probability :math:`P(|\langle e, u\rangle| < t) \le \sqrt{2/\pi}\, t/\|e\|`, and k of them with
its k-th power. Directions of ±1 can cancel structured errors exactly, and non-negative directions cancel errors that
sum to zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.derivatives import GivenDerivative
from jacobians.checking.numerical import SAFETY, Probe, band, bands
from jacobians.checking.verdict import LineVerdict, judge, own_rounding


@dataclass(frozen=True)
class DirectionsCheck:
    """What a derivative's comparison with the reference along Gaussian directions gave.

    Attributes
    ----------
    directions : int
    error : float
        The difference that is largest against its tolerance, relative to the largest derivative along them.
    resolved : float
        That tolerance, on the same scale.
    passed : bool
        Whether no difference exceeds its tolerance, nor most exceed whatever the kinks in reach explain.
    unresolved : int
        Directions along which kinks lie within the steps or the function has no value; a pass rests on the others.
    smallest : float
        The smallest norm of an error, each entry in its own scale, that is seen but for `failure_probability`.
    failure_probability : float
    """

    directions: int
    error: float
    resolved: float
    passed: bool
    unresolved: int
    smallest: float
    failure_probability: float


def direction_count(failure_probability: float) -> int:
    """Return how many directions see an error of ten tolerances, except with this probability.

    Examples
    --------
    >>> direction_count(1e-9), direction_count(1e-3)
    (9, 3)
    """
    return max(2, math.ceil(-math.log10(failure_probability) - 1e-9))


def largest_missed(directions: int, failure_probability: float, drawn: int | None = None) -> float:
    r"""Return the norm of an error, in tolerances, that all directions miss with this probability at most.

    :math:`2\sqrt{2/\pi}\,p^{-1/k}`: the 2 is for the reference, which may err by the tolerance too. Where only some of
    those drawn were resolved, chance may have chosen them: p is divided by the number of ways.

    Examples
    --------
    >>> round(largest_missed(9, 1e-9), 1)
    16.0
    """
    ways = math.comb(drawn or directions, directions)
    return 2.0 * math.sqrt(2.0 / math.pi) * (failure_probability / ways) ** (-1.0 / directions)


def _judged(
    probe: Probe, given: GivenDerivative, direction: Array, arbiter: ComplexStep | None
) -> tuple[Array, LineVerdict]:
    claimed = given.apply(direction)
    # the product's own rounding grows like the root of its length
    eps = max(given.eps, probe.eps * math.sqrt(max(1.0, np.count_nonzero(direction) / 256.0)))
    return claimed, judge(probe, probe.towards(direction), claimed, np.abs(claimed), arbiter, eps)


@dataclass
class _Largest:
    """The difference that is largest against what is allowed."""

    difference: float = 0.0
    allowed: float = math.inf

    def offer(self, difference: Array, allowed: Array, counts: Array) -> None:
        """Keep the worst of those that count and the one kept so far."""
        for one, limit in zip(difference[counts].tolist(), allowed[counts].tolist(), strict=True):
            # crosswise, since a limit may be 0
            if self.allowed == math.inf or one * self.allowed >= self.difference * limit:
                self.difference, self.allowed = one, limit


def along_directions(
    probe: Probe,
    given: GivenDerivative,
    count: int,
    failure_probability: float,
    rng: np.random.Generator,
    arbiter: ComplexStep | None,
    *,
    alone: bool = True,
) -> DirectionsCheck:
    """Return how the given derivative compares with the reference along Gaussian directions over all entries.

    Several kinks may lie within one direction's steps. Then neither the bands nor the one-sided slopes give a bound.
    Such a direction does not count if every entry is compared too. If directions are all there is (`alone`), a failure
    needs most of them to be off by more than every jump that was seen, times a safety factor.
    """
    tolerances: list[float] = []
    scale, passed, unresolved, beyond = 0.0, True, 0, 0
    calm, rough = _Largest(), _Largest()
    for _ in range(count):
        direction = rng.normal(size=probe.x.size) * probe.scale
        claimed, found = _judged(probe, given, direction, arbiter)
        kinked, undefined = found.jump > 0.0, ~np.isfinite(found.tolerance)
        mute = kinked | undefined
        unresolved += bool(mute.any())
        passed &= not bool((found.wrong & ~mute).any())
        difference, explained = np.abs(claimed - found.value), found.tolerance + SAFETY * found.jump
        if alone:
            beyond += bool((kinked & ~undefined & (difference > explained)).any())
            rough.offer(difference, explained, kinked & ~undefined)
        scale = max(scale, float(np.nan_to_num(np.abs(found.value)).max(initial=0.0)))
        if not mute.all():
            calm.offer(difference, found.tolerance, ~mute)
            tolerances.append(float(found.tolerance[~mute].max()))
    scale = scale or 1.0
    # the probabilities of the directions multiply, so their tolerances count by the geometric mean
    mean = math.exp(np.mean(np.log(np.maximum(tolerances, 1e-300)))) if tolerances else math.inf
    condemned = 2 * beyond > count
    shown = rough if passed and condemned else calm
    return DirectionsCheck(
        directions=count,
        error=shown.difference / scale,
        resolved=shown.allowed / scale,
        passed=passed and not condemned,
        unresolved=unresolved,
        smallest=largest_missed(max(1, len(tolerances)), failure_probability, count) * mean,
        failure_probability=failure_probability,
    )


def localise(probe: Probe, given: GivenDerivative, start: int, stop: int, rng: np.random.Generator) -> int | None:
    """Find an entry with an error between two places, by bisection along directions; None if none is seen.

    Each half gets one band of small steps: this only searches, and the full reference judges what it finds.
    """

    def excess(a: int, b: int) -> float:
        direction = np.zeros(probe.x.size)
        direction[a:b] = rng.normal(size=b - a) * probe.scale[a:b]
        claimed = given.apply(direction)
        found = band(probe, probe.towards(direction), bands(probe.eps)[1])
        allowed = found.tolerance + own_rounding(np.abs(claimed), max(given.eps, probe.eps))
        ratio = np.abs(claimed - found.value) / np.maximum(allowed, 1e-300)
        return float(np.nan_to_num(ratio, nan=0.0, posinf=0.0).max(initial=0.0))

    if max(excess(start, stop), excess(start, stop)) <= 1.0:
        return None
    while stop - start > 1:
        middle = (start + stop) // 2
        for _ in range(3):  # a direction may pass close by the error: look again before giving up
            halves = excess(start, middle), excess(middle, stop)
            if max(halves) > 1.0:
                break
        else:
            return None
        start, stop = (start, middle) if halves[0] >= halves[1] else (middle, stop)
    return start
