"""The derivative of a program's own loss with respect to a parameter, by running it again on other numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from jacobians.checking.numerical import Calls, Estimate, Probe, band, bands, best_of
from jacobians.checking.trees import Tree
from jacobians.programs.gradients import Origin
from jacobians.programs.loss import Loss
from jacobians.programs.subject import Subject

Changes = Mapping[int, Callable[[Any], Any]]
_MOST = 48
"""Entries of one parameter that are looked at, where it has more; they are drawn at random."""


@dataclass(frozen=True, eq=False)
class Derivative:
    """A derivative of the loss, entry by entry.

    Attributes
    ----------
    value : ndarray
        NaN at entries that were not looked at.
    tolerance : ndarray
        The largest difference that the reference's own error may explain.
    """

    value: Any
    tolerance: Any


def both(first: Changes, second: Changes) -> dict[int, Callable[[Any], Any]]:
    """Return both changes as one: the second are made after the first."""
    made = dict(first)
    for index, change in second.items():
        before = made.get(index)
        made[index] = change if before is None else partial(_after, before, change)
    return made


def _after(first: Callable[[Any], Any], second: Callable[[Any], Any], value: Any) -> Any:
    return second(first(value))


def loss_at(subject: Subject, loss: Loss, changes: Changes) -> float:
    """Return the loss of a run with changes; NaN where the run fails before it is reached."""
    _, recording = subject.run(changes, keep=False, stop=loss.index)
    try:
        return loss.value(recording.last)
    except (StopIteration, TypeError, ValueError):
        return float("nan")


def derivative(
    subject: Subject, loss: Loss, origin: Origin, base: Changes, values: Mapping[Any, Any], most: int = _MOST
) -> Derivative:
    """Return the derivative of the loss with respect to a parameter, error-controlled."""
    start = np.asarray(values[origin.key], dtype=float)

    def at(flat: Any) -> float:
        return loss_at(subject, loss, both(base, {origin.index: origin.setter(np.asarray(flat).reshape(start.shape))}))

    size = start.size
    entries: Sequence[int] = range(size)
    if size > most:
        entries = np.random.default_rng(size).choice(size, most, replace=False).tolist()
    tree = Tree.of(start.ravel(), "audit_program")
    probe = Probe(Calls(at, "the program's loss"), tree, start.ravel().copy())
    value, tolerance = np.full(size, np.nan), np.full(size, np.nan)
    usual, small, smaller, _ = bands(probe.eps)
    for entry in entries:
        line = probe.coordinate(entry)
        found = band(probe, line, small)
        if not found.error[0] <= 1e-7 * max(abs(float(found.value[0])), 1e-3):
            found = _more(found, [band(probe, line, first) for first in (smaller, usual)])
        value[entry], tolerance[entry] = found.value[0], found.tolerance[0]
    return Derivative(value.reshape(start.shape), tolerance.reshape(start.shape))


_DIRECTIONS = 2
"""Along which a gradient that seems right is compared with the loss's slopes."""
_FIRST = (3e-5, 3e-4)
"""First steps along a direction: the longer one where the loss is rounded too coarsely for the shorter one."""
_CLOSE = 1.5e-6
"""Of the largest entry: by no more may a slope along a direction be off, its own error included."""


def agreed(
    subject: Subject, loss: Loss, origin: Origin, base: Changes, values: Mapping[Any, Any], given: Any
) -> Derivative | None:
    """Return the derivative of the loss where the slopes along random directions say that a gradient is right.

    Every entry moves by half to three halves of a unit, so that a difference in one entry is seen at half of its size
    or more. The derivative that is returned is the one next to the gradient that has these slopes; None where one of
    them is off, or not known well enough: then each entry is to be looked at.
    """
    found = agreed_together(subject, loss, [origin], base, values, [given])
    return None if found is None else found[0]


def agreed_together(
    subject: Subject,
    loss: Loss,
    origins: Sequence[Origin],
    base: Changes,
    values: Mapping[Any, Any],
    given: Sequence[Any],
) -> list[Derivative] | None:
    """Return the same of several parameters, all of which move at once; None where it is not said of every one.

    The slopes may be off by no more than would be seen in the parameter whose part in them is the least.
    """
    starts = [np.asarray(values[origin.key], dtype=float) for origin in origins]
    said = [np.asarray(one, dtype=float) for one in given]
    sizes = [float(np.abs(one).max(initial=0.0)) if np.isfinite(one).all() else 0.0 for one in said]
    if not all(sizes) or any(one.shape != start.shape for one, start in zip(said, starts, strict=True)):
        return None
    rng = np.random.default_rng(sum(start.size for start in starts))
    units = [max(float(np.sqrt(np.mean(start * start))), 1e-3) for start in starts]
    least = min(unit * size for unit, size in zip(units, sizes, strict=True))
    exact, tolerance = [one.copy() for one in said], 0.0
    for _ in range(_DIRECTIONS):
        ways = [
            unit * rng.uniform(0.5, 1.5, start.shape) * rng.choice([-1.0, 1.0], start.shape)
            for unit, start in zip(units, starts, strict=True)
        ]

        def at(t: Any, ways: Sequence[Any] = ways) -> float:
            changes = base
            for origin, start, way in zip(origins, starts, ways, strict=True):
                changes = both(changes, {origin.index: origin.setter(start + float(np.ravel(t)[0]) * way)})
            return loss_at(subject, loss, changes)

        probe = Probe(Calls(at, "the program's loss"), Tree.of(np.zeros(1), "audit_program"), np.zeros(1))
        slope = float(sum(np.sum(one * way) for one, way in zip(said, ways, strict=True)))
        for first in _FIRST:
            found = band(probe, probe.coordinate(0), first)
            off = float(found.value[0]) - slope
            doubt = float(found.tolerance[0])
            if abs(off) + doubt <= _CLOSE * least or not abs(off) <= doubt:
                break
        if not abs(off) + doubt <= _CLOSE * least:
            return None
        whole = float(sum(np.sum(way * way) for way in ways))
        for one, way in zip(exact, ways, strict=True):
            one += off * way / whole
        tolerance = max(tolerance, 2.0 * doubt)
    return [
        Derivative(one, np.full(start.shape, tolerance / unit))
        for one, start, unit in zip(exact, starts, units, strict=True)
    ]


def _more(found: Estimate, others: list[Estimate]) -> Estimate:
    return best_of([others[0], found, others[1]])
