"""The loss's derivatives with respect to the arrays of the forward pass: by the chain rule, confirmed by slopes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.gradients import Origin
from jacobians.programs.local_slopes import of_function
from jacobians.programs.loss import Loss
from jacobians.programs.recording import Event, owner, scalar
from jacobians.programs.reference import Changes, both, loss_at
from jacobians.programs.subject import Subject

LARGEST_ADJOINT = 200
"""Entries of an array whose derivative is found entry by entry."""
_STEPS = (1e-5, 1e-6)
_MOST_CHECKS = 8
"""Slopes with which many arrays are looked at together; then each is looked at when it is asked for."""
_CLOSE = 5e-7
"""Of a derivative's part in a slope: by no more may the slope be off."""


@dataclass(eq=False)
class Chain:
    """What the chain rule gave, by events, and of which of it slopes have said that it is right.

    Attributes
    ----------
    marks, memory : dict
        As in `Tape`.
    trusted : dict of int to bool
    """

    marks: dict[int, Any] = field(default_factory=dict)
    memory: dict[int, Any] = field(default_factory=dict)
    trusted: dict[int, bool] = field(default_factory=dict)


def chain_of(subject: Subject, loss: Loss, base: Changes, events: Sequence[Event]) -> Chain:
    """Follow a run up to its loss, and back. One slope along all arrays at once confirms what was found.

    An array whose part in that slope is too small to be seen is not confirmed by it.
    """
    tape, last = subject.followed(base, loss.index)
    seed = _seed(loss, last)
    if not tape.on or seed is None:
        return Chain()
    try:
        tape.back(*seed, subject.restart)
    except (ValueError, TypeError, IndexError, ArithmeticError, KeyError):
        return Chain()
    made = Chain(tape.marks, tape.memory)
    kept = [
        event for event in events[: loss.index]
        if event.kind in ("assign", "write", "inner") and _is_continuous(event.copy)
        and np.any(made.marks.get(event.index, 0.0)) and np.isfinite(made.marks[event.index]).all()
    ]  # fmt: skip
    given = {id(owner(event.value)) for event in events if event.kind in ("argument", "input")}
    kept = [event for event in kept if id(owner(event.value)) not in given]
    left, checks = [_without_other_names(made, kept)], 0
    while left and checks < _MOST_CHECKS:
        some, checks = left.pop(), checks + 1
        found = list(confirmed(subject, loss, base, made, some))
        made.trusted |= {event.index: True for event, right in found if right}
        rest = [event for event, right in found if not right]
        if rest and len(rest) < len(some):
            left.append(rest)  # their parts are too small beside the others'
        elif len(rest) > 3:
            left += [rest[len(rest) // 2 :], rest[: len(rest) // 2]]
    return made


def _is_continuous(value: Any) -> bool:
    """Whether what is stored is no count: an array that is not too large, or a number that is not whole."""
    if isinstance(value, np.ndarray):
        return value.dtype == np.float64 and 0 < value.size <= LARGEST_ADJOINT and _no_count(value)
    return isinstance(value, (float, np.floating)) and _no_count(value)


def _no_count(value: Any) -> bool:
    return np.size(value) > 1 or float(np.ravel(value)[0]) % 1.0 != 0.0


def _without_other_names(chain: Chain, events: Sequence[Event]) -> list[Event]:
    """Events but those that give memory another name, through which less of it may be read than through the first."""
    first: dict[int, Any] = {}
    kept = []
    for event in events:
        mark = chain.marks[event.index]
        before = first.setdefault(id(owner(event.value)), mark)
        if event.kind == "write" or before is mark or np.array_equal(before, mark):
            kept.append(event)
    return kept


def _seed(loss: Loss, last: Any) -> tuple[Any, Any] | None:
    """What the loss is a function of, and its slope there."""
    if loss.of is not None:
        outputs = np.asarray(last, dtype=float) if last is not None else None
        if outputs is None or not isinstance(last, np.ndarray):
            return None
        _, back = of_function("loss", loss.of, [outputs], {})
        return last, back(np.array(1.0))[0]
    parts = last if isinstance(last, tuple) else (last,)
    held = next((part for part in parts if scalar(part) is not None), None)
    return None if held is None else (held, loss.sign * np.ones(np.shape(held)))


def confirmed(
    subject: Subject, loss: Loss, base: Changes, chain: Chain, events: Sequence[Event]
) -> Iterator[tuple[Event, bool]]:
    """Yield events, and whether a slope along all of their arrays at once says that their derivatives are right."""
    if not events:
        return
    rng = np.random.default_rng(len(events))
    ways = {}
    for event in events:
        value = np.asarray(event.copy, dtype=float)
        size = np.abs(value) + 0.1 * max(float(np.sqrt(np.mean(value * value))), 0.1)
        ways[event.index] = size * rng.normal(size=value.shape)
    parts = {index: chain.marks.get(index, np.zeros(np.shape(way))) * way for index, way in ways.items()}
    said = float(sum(np.sum(part) for part in parts.values()))
    off = np.inf
    for step in _STEPS:
        ends = [
            loss_at(subject, loss, both(base, {n: partial(_moved, sign * step * way) for n, way in ways.items()}))
            for sign in (1.0, -1.0)
        ]
        slope = (ends[0] - ends[1]) / (2.0 * step)
        off = min(off, abs(slope - said)) if np.isfinite(slope) else off
        if off <= _CLOSE * max(float(np.linalg.norm(part)) for part in parts.values()):
            break
    for event in events:
        yield event, off <= _CLOSE * float(np.linalg.norm(parts[event.index]))


def _moved(by: Any, value: Any) -> Any:
    return value + by


def slope_of(subject: Subject, loss: Loss, base: Changes, chain: Chain, event: Event) -> Any:
    """Return the loss's derivative with respect to what was stored; None where the loss does not depend on it."""
    mark = chain.marks.get(event.index)
    if mark is not None and np.shape(mark) == np.shape(event.copy) and mark.any():
        if event.index not in chain.trusted and np.size(mark) > 1:
            chain.trusted[event.index] = next(right for _, right in confirmed(subject, loss, base, chain, [event]))
        if chain.trusted.get(event.index, False):
            return np.array(mark, dtype=float).ravel()
    elif np.size(event.copy) > 1 and _is_unused(subject, loss, base, event):
        return None
    return _by_entries(subject, loss, base, event)


def _is_unused(subject: Subject, loss: Loss, base: Changes, event: Event) -> bool:
    """Whether the loss is the same, to the bit, where all entries of what was stored are others."""
    way = np.random.default_rng(1).uniform(0.5, 1.5, np.shape(event.copy)) * 1e-5
    ends = [loss_at(subject, loss, both(base, {event.index: partial(_moved, sign * way)})) for sign in (1.0, -1.0)]
    return ends[0] == ends[1]


def _by_entries(subject: Subject, loss: Loss, base: Changes, event: Event) -> Any:
    start = np.array(event.copy, dtype=float)
    slope = np.zeros(start.size)
    step = 1e-5
    for entry in range(start.size):
        ends = []
        for sign in (1.0, -1.0):
            by = np.zeros(start.size)
            by[entry] = sign * step
            moved = (start.ravel() + by).reshape(start.shape)
            ends.append(loss_at(subject, loss, both(base, put({event.index: moved}))))
        slope[entry] = (ends[0] - ends[1]) / (2.0 * step)
        if entry == min(7, start.size - 1) and not slope.any():
            return None
    # differences at one step are good to about seven digits, enough to compare directions
    return slope if np.isfinite(slope).all() and slope.any() else None


def gradient_of(chain: Chain, origin: Origin) -> Any:
    """Return what the chain rule gave with respect to a parameter, not confirmed; None where it gave nothing."""
    memory = chain.memory.get(origin.index)
    if memory is None:
        return None
    if origin.places is None:
        return np.reshape(memory, origin.shape) if memory.size == 1 else None
    return memory[origin.places] if origin.places.max(initial=0) < memory.size else None


def put(values: dict[int, Any]) -> dict[int, Any]:
    """Return changes that put values in the place of what is stored."""
    return {index: partial(_instead, np.asarray(value, dtype=float)) for index, value in values.items()}


def _instead(new: Any, _old: Any) -> Any:
    return new.copy() if new.ndim else float(new)
