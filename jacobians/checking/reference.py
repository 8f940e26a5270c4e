r"""Reference derivatives by Richardson extrapolation over several bands of steps, with what they can resolve.

A central difference :math:`D(h) = (f(x + hu) - f(x - hu))/2h` errs in even powers of h, so three at halved steps
extrapolate to :math:`O(h^6)` (Richardson 1911; Ridders 1982, Adv. Eng. Softw. 4), and their spread estimates what
truncation is left. Round-off is the function's noise over the step. Each band is one such triple; a band of large
steps resolves most, a band of small steps looks past a kink nearby. Bands that disagree show a kink.

SciPy's `differentiate.derivative` needs functions of arrays of points and gives up at noise without saying where it
lies; `optimize.check_grad` and `approx_derivative` use one step and no error estimate, so their tolerance is a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.calls import Calls
from jacobians.checking.probe import Probe, Way
from jacobians.checking.trees import Tree

__all__ = ["SAFETY", "Estimate", "band", "bands", "best_of", "directional_derivative"]

_FINE = 1e-10
"""Units of rounding below this leave bands of small steps."""

SAFETY = 8.0
"""A difference counts when it exceeds the estimated error so many times."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A derivative of every output along one line, and the estimated error; NaN and infinity where there is none.

    `reach` is the largest step that it rests on, in the way's units.
    """

    value: Array
    error: Array
    reach: Array

    @property
    def tolerance(self) -> Array:
        """The largest difference that the error may explain."""
        return SAFETY * self.error


def bands(eps: float) -> tuple[float, float, float, float]:
    """Return the first step of each band, from the usual one to smaller ones, and last a larger one.

    Examples
    --------
    >>> [f"{h:.0e}" for h in bands(2.2e-16)], [f"{h:.0e}" for h in bands(1.2e-7)]
    (['6e-03', '3e-05', '2e-07', '8e-02'], ['1e-01', '1e-02', '1e-03', '3e-01'])
    """
    return eps ** (1 / 7), eps ** (2 / 7), eps ** (3 / 7), eps ** (1 / 14)


def band(probe: Probe, way: Way, first: float) -> Estimate:
    """Return the extrapolation of three central differences at halved steps from `first` on."""
    slopes, size, step = [], np.zeros_like(probe.value), 1.0
    for k in range(3):
        (ahead, forth), (behind, back) = probe.along(way, first / 2**k), probe.along(way, -first / 2**k)
        step = forth - back
        slopes.append((ahead - behind) / step if step else np.full_like(ahead, np.nan))
        size = np.maximum(size, np.maximum(np.abs(ahead), np.abs(behind)))
    coarse, fine = (4.0 * slopes[1] - slopes[0]) / 3.0, (4.0 * slopes[2] - slopes[1]) / 3.0
    value = (16.0 * fine - coarse) / 15.0
    noise = np.maximum(probe.noise, probe.eps * size)
    # 3.4 noise/step bounds the extrapolated round-off of two ends; the slopes' own rounding comes on top
    error = np.abs(value - fine) + 3.4 * noise / step + 4.0 * probe.eps * np.abs(value)
    if probe.eps > _FINE:
        # float32 leaves no band of small steps to look past kinks, where the extrapolations may agree by accident
        error = error + np.abs(slopes[2] - slopes[1])
    good = np.isfinite(value) & np.isfinite(error)
    return Estimate(np.where(good, value, np.nan), np.where(good, error, np.inf), np.full(value.shape, first))


def best_of(found: list[Estimate]) -> Estimate:
    """Return, from bands of rising steps, the most precise that agrees with all bands of smaller steps.

    A kink between two bands makes the larger one precise and wrong, so the smaller steps have the first word.
    """
    best = found[0]
    value, error, reach, open_ = best.value, best.error, best.reach, np.ones(best.value.shape, bool)
    for other in found[1:]:
        near = np.abs(other.value - value) <= SAFETY * (other.error + error)
        open_ &= near | ~np.isfinite(error) | ~np.isfinite(other.error)
        better = open_ & (other.error < error)
        value, error = np.where(better, other.value, value), np.where(better, other.error, error)
        reach = np.where(better, other.reach, reach)
    return Estimate(value, error, reach)


def directional_derivative(fun: Callable[[Array], float], x: Array, direction: Array) -> tuple[float, float]:
    """Return the derivative of `fun` at x along a direction, and an estimate of its error.

    Parameters
    ----------
    fun : callable
    x, direction : ndarray, of one shape
        Never written; the direction need not have unit length.

    Examples
    --------
    >>> slope, error = directional_derivative(lambda x: float(np.sin(x[0])), np.zeros(1), np.ones(1))
    >>> bool(abs(slope - 1) < 1e-9), bool(error < 1e-9)
    (True, True)
    """
    tree = Tree.of(x, "directional_derivative")
    probe = Probe(Calls(fun, "fun"), tree, tree.pack([x]))
    flat = np.asarray(direction, dtype=np.float64).ravel()
    reach = float(np.abs(flat / probe.scale).max(initial=0.0))
    if reach == 0.0:
        return 0.0, 0.0
    probe.measure_noise(np.random.default_rng(0))
    usual, small, smaller, large = bands(probe.eps)
    way = probe.towards(flat / reach)
    found = best_of([band(probe, way, first) for first in (smaller, small, usual, large)])
    return float(found.value[0] * reach), float(found.error[0] * reach)
