"""What a check can see: no parameter passes where zero, twice or minus its gradient would pass too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.by_direction import DirectionsCheck
from jacobians.checking.derivatives import GivenDerivative
from jacobians.checking.numerical import SAFETY, Probe, bands
from jacobians.checking.report import Verdict
from jacobians.checking.verdict import Findings

_TRUE_ZERO = 1e-6
"""A derivative below this share of the others, or of the function's own slope, is zero to them (float32: 1.2e-4)."""

_RESOLVED = 0.1
"""The coarsest tolerance that is allowed in a parameter, as a share of its largest derivative."""

_FARTHEST = 16.0
_FAR = (1e2, 1e4, 1e8, 1e12)
"""How far a function is followed that does not seem to change, in what counts as a change of one."""


@dataclass(frozen=True, eq=False)
class Sight:
    """The smallest visible error of one parameter, and the size of its derivative, both times the scale of the entries.

    Along directions both are norms, else they are the largest of all entries'. Each output has its own, shape (m,).
    """

    smallest: Array
    derivative: Array
    resolved: Array

    @classmethod
    def by_entry(cls, found: Findings) -> Sight:
        """Return what the comparison of entries can see: each has its own tolerance."""
        resolved = (found.coarsest <= _RESOLVED) | (found.smallest <= _RESOLVED * found.size)
        change = np.broadcast_to(found.change, found.size.shape)
        return cls(change, found.weight, (found.size > 0.0) & resolved)

    @classmethod
    def by_direction(
        cls,
        along: DirectionsCheck,
        given: GivenDerivative,
        probe: Probe,
        span: tuple[int, int],
        rng: np.random.Generator,
    ) -> Sight:
        """Return what directions can see: an error of the derivative's own norm makes it 0, or twice as large."""
        a, b = span
        sizes, every = given.sizes(), np.ones(probe.value.shape)
        if sizes is not None:
            norm = float(np.linalg.norm(sizes[a:b] * probe.scale[a:b]))
        else:
            squares = [float(np.square(given.apply(_within(probe, span, rng))).max(initial=0.0)) for _ in range(4)]
            norm = math.sqrt(float(np.mean(squares)))
        return cls(along.smallest * every, norm * every, every * along.smallest <= norm)


def verdict_of(
    probe: Probe, found: Findings, sight: Sight, whole: Array, span: tuple[int, int], rng: np.random.Generator
) -> Verdict:
    """Return the verdict on one parameter: it passes if its derivative is seen in every output, or is truly 0.

    It is truly 0 where it is below a millionth of the output's largest derivative, or of its own slope up to the first
    visible change: a minimum, a dead unit. An output that is the same wherever it is followed has the derivative 0. The
    size of the function itself says nothing: beside a constant of 10¹⁶ every derivative is small.

    Parameters
    ----------
    probe, found
        The function and what its entries showed.
    sight : Sight
        Of this parameter.
    whole : ndarray, shape (m,)
        The largest derivative of all parameters, as that of `sight`.
    span : tuple of int
        Where the parameter lies in the packed vector.
    rng : Generator
        For a direction.
    """
    if found.wrong:
        return "fail"
    if found.unseen:
        return "inconclusive"
    share = max(_TRUE_ZERO, 1e3 * probe.eps)
    open_ = ~sight.resolved & (sight.smallest > share * whole)
    if not open_.any() or span[0] == span[1]:
        return "pass"
    slopes = _own_slopes(probe, span, rng, open_)
    zero = np.where(np.isnan(slopes), sight.derivative == 0.0, sight.smallest <= share * slopes)
    return "pass" if zero[open_].all() else "inconclusive"


def _own_slopes(probe: Probe, span: tuple[int, int], rng: np.random.Generator, of: Array) -> Array:
    """The slopes of some outputs to the nearest point where each differs visibly; NaN where one never does."""
    direction = _within(probe, span, rng)
    # no entry stays where it is: a dead unit may depend on it alone
    direction += np.copysign(probe.scale, direction) * (direction != 0.0)
    line, length = probe.towards(direction), float(np.linalg.norm(direction / probe.scale))
    rounding = SAFETY * probe.eps * np.abs(probe.value)
    visible = np.maximum(SAFETY * probe.noise, rounding)
    slopes, seen, constant, t = np.zeros(of.shape), np.where(of, 0, 2), of.copy(), bands(probe.eps)[-1]
    while t < _FARTHEST and (seen < 2).any():
        values = [probe.along(line, sign * t)[0] for sign in (1.0, -1.0)]
        change = _change(probe, values)
        finite = np.isfinite(change)
        # float32 inside: it differs by a tread or so, and what lies below that is not seen
        treads = change <= 16.0 * np.finfo(np.float32).eps * np.abs(probe.value)
        narrow = treads & (change > visible) & _in_float32([probe.value, *values])
        seen = np.where(narrow & (seen == 0), 2, seen)
        # the next step as well, for a unit that has only just come alive
        counts = (seen < 2) & ((finite & (change > visible)) | (seen > 0))
        slopes = np.where(counts, np.maximum(slopes, np.where(finite, change, 0.0) / (t * length)), slopes)
        seen, constant = seen + counts, constant & (change <= rounding)
        t *= 2.0
    if constant.any():
        far = _change(probe, [probe.along(line, sign * t)[0] for t in _FAR for sign in (1.0, -1.0)])
        slopes[constant & (far <= rounding)] = np.nan
    return slopes


def _within(probe: Probe, span: tuple[int, int], rng: np.random.Generator) -> Array:
    """A Gaussian direction within one parameter."""
    a, b = span
    direction = np.zeros(probe.x.size)
    direction[a:b] = rng.normal(size=b - a) * probe.scale[a:b]
    return direction


def _in_float32(values: list[Array]) -> Array:
    """Whether all values of each output are float32 numbers."""
    with np.errstate(over="ignore"):
        return np.asarray((np.stack(values) == np.stack(values).astype(np.float32)).all(axis=0))


def _change(probe: Probe, values: list[Array]) -> Array:
    """How much every output differs from its value at x, at most; infinite where it is not finite."""
    changes = np.abs(np.stack(values) - probe.value)
    return np.asarray(np.where(np.isfinite(changes), changes, np.inf).max(axis=0, initial=0.0))


def why_unseen(probe: Probe, found: Findings, smallest: float) -> str:
    """Return why a parameter is inconclusive, and what would help, in words."""
    trouble = "the function is too noisy, jumps, or is not defined on both sides of x"
    if found.unseen:
        return f"{found.unseen} of {found.checked} entries have no reference: {trouble}"
    size, value = float(found.size.max(initial=0.0)), float(np.abs(probe.value).max(initial=0.0))
    text = f"only an error above {smallest:.1g} can be seen here, but no derivative that was given exceeds {size:.1g}"
    if size <= smallest:
        text += ". So a gradient of 0 would pass too"
    if (probe.noise > 4.0 * probe.eps * np.abs(probe.value)).any():
        return f"{text}. Perhaps {trouble}"
    wider = ", compute in float64" if probe.eps > 1e-10 else ""
    return (
        f"{text}. The rounding of fun's value, {value:.3g}, hides smaller errors. Subtract its constant part{wider}, "
        "or give check_jacobian the terms that it adds up"
    )
