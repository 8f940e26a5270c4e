"""One-sided derivatives: is there a kink at x, or only one so near that the usual steps cross it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.numerical import Line, Probe

_CLEAR = 0.02
"""Noise relative to the jump of the slopes at which the two sides can still be told apart."""

_PRECISE = 0.05
"""Error relative to that jump at which the derivative beside a kink counts as known."""

_SETTLED = 0.25
"""Error relative to the slopes' difference above which there is no kink to be seen."""


@dataclass(frozen=True, eq=False)
class Sides:
    """What the two sides of x say of every output.

    Attributes
    ----------
    kink : ndarray of bool
        Whether the slopes differ at the smallest steps that resolve their difference.
    beside : ndarray of bool
        Whether they differ at larger steps only: x lies beside a kink, and the derivative exists.
    low, high : ndarray
        The smaller and the larger slope, or twice the derivative where it exists.
    error : ndarray
        Of both; infinite where they do not settle.
    jump : ndarray
        The largest difference of the slopes that lasts to smaller steps: what kinks in reach may explain.
    hidden : ndarray
        The largest difference of the slopes that is left when what falls with the step is taken off: a kink too faint
        to last above curvature and noise.
    """

    kink: Array
    beside: Array
    low: Array
    high: Array
    error: Array
    jump: Array
    hidden: Array


def one_sided(probe: Probe, line: Line, reach: Array) -> Sides:
    """Return the slopes on both sides of x at falling steps, down to the last usable step.

    `reach` is the largest step of the doubtful derivative: a faint kink beyond it explains nothing.

    The difference of the two slopes of a smooth function falls with the step; that at a kink does not.
    """
    # float32 leaves few steps between curvature and noise, so they lie closer there
    last_power = -np.log10(probe.eps) - 3.0
    steps = 10.0 ** -(np.arange(2.0, last_power) if last_power > 8.0 else np.arange(0.5, last_power + 0.5, 0.5))
    slopes, noises = [], []
    for step in steps:
        (ahead, forth), (behind, back) = probe.along(line, float(step)), probe.along(line, -float(step))
        if forth == 0.0 or back == 0.0:
            break
        slopes.append(((ahead - probe.value) / forth, (behind - probe.value) / back))
        noise = np.maximum(probe.noise, probe.eps * np.maximum(np.abs(ahead), np.abs(behind)))
        noises.append(2.0 * noise / min(forth, -back))
    ahead, behind = np.stack([s[0] for s in slopes]), np.stack([s[1] for s in slopes])
    noise = np.stack(noises)
    jump = np.abs(ahead - behind)
    with np.errstate(invalid="ignore"):
        lasting = (jump[1:] > 8.0 * noise[1:]) & (jump[1:] > 0.5 * jump[:-1])
    height = np.where(lasting, jump[1:], 0.0).max(axis=0, initial=0.0)
    clear = (noise <= _CLEAR * height) & np.isfinite(jump)
    # the smallest step at which the two slopes could be told apart; the first where there is no jump at all
    last = np.where(clear.any(axis=0), len(noise) - 1 - clear[::-1].argmax(axis=0), 0)
    usable = (np.arange(len(noise))[:, None] <= last) & np.isfinite(jump)
    joined = np.where(usable, noise + jump, np.inf)
    beside = (height > 0) & (_at(jump, last) <= 0.1 * height) & (joined.min(axis=0) <= _PRECISE * height)
    apart = (height > 0) & ~beside
    # on either side of a kink, what a slope still changes from step to step is curvature, or the kink's distance
    drift = np.maximum(np.abs(np.diff(ahead, axis=0)), np.abs(np.diff(behind, axis=0)))
    drift = np.minimum(np.concatenate([drift, drift[-1:]]), np.concatenate([drift[:1], drift]))
    single = np.where(usable & (jump >= 0.5 * height), noise + drift, np.inf)
    # the derivative beside a kink shows at steps that are too small to reach it, and not between larger ones
    rows = np.arange(len(jump))[:, None]
    reached = np.where(usable & (jump >= 0.5 * height), rows, -1).max(axis=0)
    within = np.where(rows > reached, joined, np.inf)
    within = np.where(np.isfinite(within).any(axis=0), within, joined)
    place = np.where(beside, within.argmin(axis=0), single.argmin(axis=0))
    sides = np.stack([_at(ahead, place), _at(behind, place)])
    middle = sides.mean(axis=0)
    low, high = np.where(apart, sides.min(axis=0), middle), np.where(apart, sides.max(axis=0), middle)
    error = np.where(beside, _at(within, place), _at(single, place))
    # slopes that still change by much of their difference are no two slopes: a wave within the steps makes such
    error = np.where(apart & (error > _SETTLED * (high - low)), np.inf, error)
    return Sides(apart, beside, low, high, error, height, _hidden(ahead - behind, noise, steps[: len(slopes)], reach))


def _hidden(difference: Array, noise: Array, steps: Array, reach: Array) -> Array:
    """The jump of the slopes above the noise, after the part that falls with the step is extrapolated away.

    For a smooth function the slopes differ by f″h + O(h³), so the extrapolation from two small steps gives 0.
    """
    ratio = (steps[1:] / steps[:-1])[:, None]
    jump = np.abs(difference[1:] - ratio * difference[:-1]) / (1.0 - ratio)
    doubt = (noise[1:] + ratio * noise[:-1]) / (1.0 - ratio)
    # the first step beyond the reach still counts, for a kink may lie between
    small = steps[:-1, None] < np.minimum(2e-3, 10.0 * reach)
    return np.asarray(np.where(small & (jump > 8.0 * doubt), jump, 0.0).max(axis=0, initial=0.0))


def _at(table: Array, rows: Array) -> Array:
    """The entry in the given row of every column."""
    return table[rows, np.arange(rows.size)]
