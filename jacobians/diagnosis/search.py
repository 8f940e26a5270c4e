"""The search: which slip, or which two, turn the right gradient into the given one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.fitting import fitted
from jacobians.diagnosis.fitting_examples import labels
from jacobians.diagnosis.slip import Gradients, Setting, Slip, all_entries, multiple, times
from jacobians.diagnosis.slips import catalogue
from jacobians.errors import JacobiansError

_FITTED = 2
"""The rank from which on a slip was fitted; it says nothing new beside one that fits without."""

_OF_ONE_NUMBER = ("scale", "regulariser", "state")
"""Families whose fitted slips have one number in them."""

_OF_LABELS = {"data-reversed", "data-rolled", "class-off-by-one", "classes-reversed"}
"""Slips that come to other labels."""

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
        """Whether it has no number that was fitted to the given gradient."""
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
    tried = _tried(setting, distances, known)
    exact = _usual(tried.singles)
    if not exact or not exact[0].is_usual:
        more = _tried(setting, distances, fitted(setting, distances))
        tried = Tried(tried.singles + more.singles, tried.multiples + more.multiples, tried.hidden)
        exact = _usual(tried.singles)
    singles, count = tried.singles, len(tried.singles) + tried.hidden
    if exact:
        if {e.slips[0].name for e in exact} <= _OF_LABELS:
            # where few labels differ, they may as well be wrong by themselves
            exact += [e for e in _tried(setting, distances, labels(setting, distances, most=2)).singles if e.exact]
        return Found(exact, count)
    pairs = _with_factor(setting, distances, known, tried.multiples) or _pairs(setting, distances, singles)
    nearest = [e for e in singles if _says_something(e.slips[0])]
    nearest = [e for e in sorted(nearest, key=lambda e: e.residual) if e.residual < _NEAR][:3]
    return Found(pairs or nearest, count)


def _says_something(slip: Slip) -> bool:
    """Whether it has at most one fitted number; a fit of many numbers matches anything."""
    return slip.name != "class-weights" and (slip.rank < _FITTED or slip.family in _OF_ONE_NUMBER)


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


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What trying some slips showed.

    Attributes
    ----------
    singles : list of Explanation
        How near each slip comes.
    multiples : list of (Slip, float, bool)
        Slips whose gradient is the given one times a number; whether that leaves the regulariser's part alone.
    hidden : int
        Slips that change nothing here.
    """

    singles: list[Explanation]
    multiples: list[tuple[Slip, float, bool]]
    hidden: int


def _tried(setting: Setting, distances: Distances, slips: Iterable[Slip]) -> Tried:
    tried = Tried([], [], 0)
    hidden = 0
    for slip in slips:
        wrong = wrong_gradient(setting, slip)
        if changes_nothing(setting, wrong):
            hidden += 1
        elif wrong is not None:
            tried.singles.append(_explanation(distances, wrong, slip))
            if slip.rank < _FITTED and not _is_of_all(slip):
                tried.multiples.extend((slip, c, data) for c, data in _factors(setting, distances, wrong))
    return replace(tried, hidden=hidden)


def _is_of_all(slip: Slip) -> bool:
    """Whether it is a factor of everything: two of those are one."""
    return slip.family == "scale" and slip.layer is None and slip.scope in ("", "all")


def _factors(setting: Setting, distances: Distances, gradient: Gradients) -> Iterator[tuple[float, bool]]:
    """The numbers by which all of a gradient, or the data's part of it, equals the given one."""
    for data in (False, True)[: 1 + setting.penalised]:
        shares = {name: setting.right.penalty[name] if data else np.zeros(()) for name in gradient}
        # the parameter that says most about the number decides it
        largest = max(gradient, key=lambda n: float(np.linalg.norm(gradient[n] - shares[n])) / distances.scales[n])
        c = multiple(*((g[largest] - shares[largest]).ravel() for g in (distances.given, gradient)))
        if c not in (0.0, 1.0) and all(
            float(np.linalg.norm(distances.given[n] - share - c * (gradient[n] - share)))
            <= distances.enough * distances.scales[n]
            for n, share in shares.items()
        ):
            yield c, data


def _with_factor(
    setting: Setting, distances: Distances, known: Sequence[Slip], multiples: list[tuple[Slip, float, bool]]
) -> list[Explanation]:
    """A slip, and a factor of everything: one that programs make, or else the number."""
    found: list[Explanation] = []
    mend = "Look for a factor of this size: a count, a step, a scale that is applied twice."
    for slip, c, data in multiples:
        part = all_entries(setting.params)
        title = f"everything is {c:.10g} times what is right{', but for the regulariser' * data}"
        edit = part.data_scaled(c) if data else part.changed(times(c))
        number = Slip("constant-ratio", "scale", title, mend, edit, rank=_FITTED, evidence=f"ratio {c:.12g}")
        for factor in [*filter(_is_of_all, known), number]:
            gradient = wrong_gradient(setting, slip, factor)
            if gradient is not None and (both := _explanation(distances, gradient, factor, slip)).exact:
                found.append(both)
                break
    return _pairs_by_rank(found)


def _pairs_by_rank(found: list[Explanation]) -> list[Explanation]:
    """The most usual first, and each once; those with fitted numbers only where no other fits."""
    usual = [e for e in found if e.is_usual] or found
    pairs: dict[frozenset[tuple[str, int | None, str]], Explanation] = {}
    for e in usual:
        pairs.setdefault(frozenset(s.key for s in e.slips), e)
    return sorted(pairs.values(), key=lambda e: sum(s.rank for s in e.slips))[:5]


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
    enough = distances.enough
    wrong = [n for n in distances.start if not distances.is_right(n)]
    mended = [(e, [n for n in wrong if e.distances[n] <= enough]) for e in singles]
    firsts = [(e, names) for e, names in mended if names and e.slips[0].rank <= _FITTED]
    right = [n for n in distances.start if n not in wrong]

    def promise(first: tuple[Explanation, list[str]]) -> tuple[bool, int, int]:
        """The order of trials: usual slips first, then by how many more parameters become right than wrong."""
        e, names = first
        spoiled = sum(e.distances[n] > enough for n in right)
        return not e.is_usual, spoiled - len(names), e.slips[0].rank

    firsts.sort(key=promise)
    best: tuple[bool, int] | None = None
    size = sum(g.size for g in setting.gradient.values()) * max(setting.count, 1)
    budget = int(min(1500, _PAIR_WORK / max(size, 1)))
    found: list[Explanation] = []
    usual = [e for e in singles if e.slips[0].rank < _FITTED or e.slips[0].name in ("entries-zero", "entries-wrong")]
    for mending, explained in firsts[:12]:
        first = mending.slips[0]
        if best is not None and promise((mending, explained))[:2] > best:
            break
        rest = [n for n in wrong if n not in explained]
        # one that explains the rest of the parameters comes first
        order = sorted(usual, key=lambda e: (any(e.distances[n] > enough for n in rest), e.slips[0].rank))
        for second in (e.slips[0] for e in order):
            budget -= 1
            if budget < 0:
                return _pairs_by_rank(found)
            gradient = wrong_gradient(setting, first, second)
            if gradient is not None:
                both = _explanation(distances, gradient, first, second)
                found += [both] if both.exact else []
        if found and best is None:
            best = promise((mending, explained))[:2]
    return _pairs_by_rank(found)
