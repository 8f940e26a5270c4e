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


def _more(found: Estimate, others: list[Estimate]) -> Estimate:
    return best_of([others[0], found, others[1]])
