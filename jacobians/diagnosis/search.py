"""The search: which slip, or which two, turn the right gradient into the given one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.fitting import fitted
from jacobians.diagnosis.slip import Gradients, Setting, Slip
from jacobians.diagnosis.slips import catalogue
from jacobians.errors import JacobiansError

_FITTED = 2
"""The rank from which on a slip was fitted; it says nothing new beside one that fits without."""

_NEAR = 0.7
"""The residual from which on a cause is not worth naming."""

_PAIR_WORK = 4e8
"""Multiplications that the search for pairs of slips may take, which bounds its time to about a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One slip, or two together, and how near it comes.

    Attributes
    ----------
    slips : tuple of Slip
    distances : dict of float
        What is left, by parameter.
    residual : float
        What is left of the difference: 0 explains all of it, 1 nothing.
    exact : bool
        Whether rounding explains what is left.
    """

    slips: tuple[Slip, ...]
    distances: Mapping[str, float]
    residual: float
    exact: bool

    @property
    def is_usual(self) -> bool:
        """Whether no number in it was fitted to the given gradient."""
        return all(slip.rank < _FITTED for slip in self.slips)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the search found.

    Attributes
    ----------
    explanations : list of Explanation
        Those that fit exactly, the most plausible first; if none does, the nearest ones.
    tried : int
    """

    explanations: list[Explanation]
    tried: int


def search(setting: Setting, distances: Distances) -> Found:
    """Return the explanations of a wrong gradient."""
    known = catalogue(setting)
    singles, hidden = _tried(setting, distances, known)
    exact = _usual(singles)
    if not exact:
        singles += _tried(setting, distances, fitted(setting, distances))[0]
        exact = _usual(singles)
    tried = len(singles) + hidden
    if exact:
        return Found(exact, tried)
    pairs = _pairs(setting, distances, singles)
    # a fit with many numbers in it comes near to anything
    nearest = [e for e in singles if e.slips[0].family != "data" or e.slips[0].rank < _FITTED]
    nearest = [e for e in sorted(nearest, key=lambda e: e.residual) if e.residual < _NEAR][:3]
    return Found(pairs or nearest, tried)


def wrong_gradient(setting: Setting, *slips: Slip) -> Gradients | None:
    """Return the gradient of the right pass after these slips, or None where they make no sense."""
    backward = setting.right
    try:
        with np.errstate(all="ignore"):
            for slip in slips:
                backward = slip.edit(backward)
            return backward.gradient()
    except (JacobiansError, np.linalg.LinAlgError):
        return None


def changes_nothing(setting: Setting, gradient: Gradients | None) -> bool:
    """Whether a slip's gradient is the right one here, so that no comparison of values can see the slip."""
    return gradient is not None and all(np.array_equal(gradient[n], g) for n, g in setting.gradient.items())


def _tried(setting: Setting, distances: Distances, slips: Iterable[Slip]) -> tuple[list[Explanation], int]:
    """How near each slip comes; and how many change nothing here."""
    found, hidden = [], 0
    for slip in slips:
        wrong = wrong_gradient(setting, slip)
        if changes_nothing(setting, wrong):
            hidden += 1
        elif wrong is not None:
            found.append(_explanation(distances, wrong, slip))
    return found, hidden


def _explanation(distances: Distances, gradient: Gradients, *slips: Slip) -> Explanation:
    left = distances.to(gradient)
    return Explanation(slips, left, distances.residual(left), distances.explains(left))


def _usual(explanations: list[Explanation]) -> list[Explanation]:
    """The exact ones by rank; fitted ones only where nothing else fits."""
    exact = sorted((e for e in explanations if e.exact), key=lambda e: e.slips[0].rank)
    if not exact:
        return []
    best = exact[0].slips[0].rank
    return [e for e in exact if e.slips[0].rank < _FITTED or e.slips[0].rank == best]


def _pairs(setting: Setting, distances: Distances, singles: list[Explanation]) -> list[Explanation]:
    """Two slips together: one that explains some parameters, and one that mends the others."""
    enough = 10 * distances.tolerance
    wrong = [n for n in distances.start if not distances.is_right(n)]
    firsts = [(sum(e.distances[n] <= enough for n in wrong), e.slips[0].rank, e.slips[0]) for e in singles]
    firsts = [first for first in firsts if first[0] and first[1] <= _FITTED]
    firsts.sort(key=lambda first: (first[1] >= _FITTED, -first[0], first[1]))
    size = sum(g.size for g in setting.gradient.values()) * max(setting.count, 1)
    budget = int(min(1500, _PAIR_WORK / max(size, 1)))
    found: list[Explanation] = []
    seconds = sorted((e.slips[0] for e in singles if e.slips[0].rank < _FITTED), key=lambda slip: slip.rank)
    for *_, first in firsts[:12]:
        for second in seconds:
            budget -= 1
            if budget < 0:
                return found
            gradient = wrong_gradient(setting, first, second)
            if gradient is not None:
                both = _explanation(distances, gradient, first, second)
                found += [both] if both.exact else []
        if found:
            return sorted(found, key=lambda e: sum(s.rank for s in e.slips))[:5]
    return found
