"""Which values of a run are gradients, and of which parameters; where a parameter's memory first holds its value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.lists import of_lists
from jacobians.programs.plan import Plan
from jacobians.programs.recording import Event, Run, owner, reals, scalar


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a parameter can be changed, before anything reads it.

    Attributes
    ----------
    index : int
        The event.
    shape : tuple of int
    value : object
        The parameter's value there.
    places : ndarray or None
        Where each entry lies in the memory of the event's value; None for a number.
    """

    index: int
    shape: tuple[int, ...]
    value: Any
    places: Any

    @property
    def key(self) -> tuple[int, int | None, int]:
        """What is equal for two origins of the same numbers."""
        return self.index, None if self.places is None else int(self.places.ravel()[0]), int(np.size(self.value))

    def setter(self, new: Any) -> Callable[[Any], Any]:
        """Return the change that puts other numbers in the parameter's place."""
        if self.places is None:
            return lambda value: float(np.asarray(new).ravel()[0])

        def change(value: Any) -> Any:
            whole = owner(value)
            if not isinstance(whole, np.ndarray):
                return value
            if not whole.flags.writeable:
                return np.asarray(new).reshape(np.shape(value)).copy()
            entries = whole.reshape(-1, order="F" if whole.flags.f_contiguous else "C")
            if self.places.size and entries.size > self.places.max() and np.shares_memory(entries, whole):
                entries[self.places.ravel()] = np.asarray(new, dtype=float).ravel()
            return value

        return change


class Memory:
    """Which events hold which memory, so that they are found without looking at every event."""

    def __init__(self, events: list[Event]) -> None:
        self._of_array: dict[int, list[Event]] = {}
        self._of_number: dict[int, list[Event]] = {}
        for event in events:
            value = event.value
            if isinstance(value, np.ndarray):
                self._of_array.setdefault(id(owner(value)), []).append(event)
            else:
                self._of_number.setdefault(id(value), []).append(event)

    def of(self, value: Any) -> list[Event]:
        """Return the events whose value is a number itself, or lies in the memory of an array."""
        found = self._of_array if isinstance(value, np.ndarray) else self._of_number
        return found.get(id(owner(value)), [])


def origin_of(memory: Memory, event: Event) -> Origin | None:
    """Return where the memory of a parameter first holds its value."""
    value = event.value
    if not isinstance(value, np.ndarray):
        held = memory.of(value)
        if isinstance(value, int):
            # Python has one object for all that hold 0
            named = [e for e in held if naming.stem(e.key) == naming.stem(event.key)]
            alike = [e for e in named if e.index <= event.index and e.node is None]
            held = [e for e in alike if e.kind == "assign"][-1:] or alike
        earliest = next(iter(held), event)
        return Origin(earliest.index, (), value, None)
    whole = owner(value)
    if not isinstance(whole, np.ndarray) or whole.dtype != np.float64:
        return None
    if not (whole.flags.c_contiguous or whole.flags.f_contiguous):
        return None
    first: Event | None = None
    written: Event | None = None
    for other in memory.of(value):
        if other.index > event.index:
            break
        first = other if first is None else first
        if other.kind == "write" and other.node is None:
            written = other
    place = written if written is not None else first if first is not None else event
    offset = value.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    places = np.full(value.shape, offset // 8)
    for axis, (size, stride) in enumerate(zip(value.shape, value.strides, strict=True)):
        along = [1] * value.ndim
        along[axis] = size
        places = places + (np.arange(size) * (stride // 8)).reshape(along)
    return None if value.size == 0 else Origin(place.index, value.shape, np.array(event.copy), places)


@dataclass(eq=False)
class Claim:
    """What a program says a gradient is.

    Attributes
    ----------
    name : str
        As the program calls it, such as ``grads['W1']``.
    parameter : str
    event : Event
        Where the gradient has its last value.
    origin : Origin
    sign : float
        −1 where the program goes up along it.
    value : ndarray
    line : int
    other : Claim or None
        The gradient that an update takes a multiple of: ``W -= lr * dW / batch_size``. Its factor is one of the step.
    """

    name: str
    parameter: str
    event: Event
    origin: Origin
    sign: float
    value: Any
    line: int
    other: Claim | None = None


def claims_of(run: Run, plan: Plan, wrt: Mapping[str, str], returned: frozenset[int]) -> list[Claim]:
    """Return a run's gradients, one for each parameter, in the order in which they are computed.

    Parameters
    ----------
    run : Run
    plan : Plan
    wrt : mapping of str to str
        Of a gradient's name to its parameter's, where the caller says so.
    returned : frozenset of int
        Identities of the values that the entered function returned.
    """
    events = list(reals(run.events))
    by_key: dict[str, list[Event]] = {}
    for event in events:
        if not _kept_by_optimiser(event, run.events):
            by_key.setdefault(event.key, []).append(event)
    memory, listed = Memory(run.events), of_lists(run.events)
    found: dict[Any, Claim] = {}
    exact: set[Any] = set()
    for event in events:
        pair = _pair_of(event, run.events, plan, wrt, by_key, returned, listed)
        if pair is None:
            continue
        parameter, sign, generic = pair
        origin = origin_of(memory, parameter)
        if origin is None or origin.index >= event.index:
            continue
        first = _computed(memory, event)
        origin = _read_before(memory, events, event if first is None else first, parameter, origin)
        if origin is None:
            continue
        start = run.events[origin.index]
        given = start.kind in ("argument", "input") or (start.key in _FACTORS and start.shown.startswith("self."))
        if not given and event.kind != "update" and not naming.is_parameter(parameter.key):
            continue
        claim = Claim(_written(event, run.events), parameter.shown, event, origin, sign, event.copy, event.line)
        if first is not None:
            claim.line = first.line
            if event.kind == "update" and first.kind != "return":
                claim.name = first.shown
        if generic and origin.key in exact:
            continue  # what is handed on is called "grad" as well
        if not generic:
            exact.add(origin.key)
        old = found.get(origin.key)
        if (
            old is not None and event.kind != "update"
            and id(old.event.value) in returned and id(event.value) not in returned
        ):  # fmt: skip
            continue  # what is returned is the gradient, not a changed copy of it
        found.pop(origin.key, None)
        if old is not None and event.kind != "update" and np.array_equal(old.value, claim.value):
            claim.line, claim.sign, claim.name = old.line, old.sign, old.name
        if old is not None and old.sign < 0 and event.kind != "update":
            claim.sign = old.sign
        if old is not None and event.kind == "update" and _multiple(claim, old):
            claim.other = old
        found[origin.key] = claim
    return sorted(found.values(), key=lambda c: c.event.index)


def _multiple(one: Claim, other: Claim) -> bool:
    """Whether a gradient is a positive multiple of another one, and not the same."""
    a, b = np.ravel(one.value) * one.sign, np.ravel(other.value) * other.sign
    if a.size != b.size or not np.any(b) or np.array_equal(a, b):
        return False
    factor = float(a @ b) / float(b @ b)
    return factor > 0 and bool(np.allclose(a, factor * b, rtol=1e-9, atol=1e-12 * float(np.abs(a).max())))


def _read_before(
    memory: Memory, events: list[Event], gradient: Event, parameter: Event, origin: Origin
) -> Origin | None:
    """Where what the gradient was computed from has its memory: an update may move a copy that was made after it."""
    if origin.index < gradient.index:
        return origin
    for event in reversed(events):
        same = event.index < gradient.index and naming.stem(event.key) == naming.stem(parameter.key)
        if same and event.node is None and np.array_equal(event.copy, parameter.copy):
            return origin_of(memory, event)
    return None


def _holder(event: Event, events: list[Event]) -> Event | None:
    """The dict that an entry of a display lies in: what it is assigned to, or returned by."""
    if event.shown != repr(event.key):
        return None
    for later in events[event.index + 1 :]:
        parts = later.value if isinstance(later.value, tuple) else (later.copy,)
        if any(isinstance(part, dict) and part.get(event.key) is event.value for part in parts):
            return later
    return None


def _kept_by_optimiser(event: Event, events: list[Event]) -> bool:
    """Whether it lies in a display of what an optimiser keeps for each parameter: ``m = {'W': np.zeros(…)}``."""
    holder = _holder(event, events)
    return holder is not None and naming.is_state(holder.key)


def _written(event: Event, events: list[Event]) -> str:
    """How the program writes a gradient; an entry of a dict's display is written with the dict's name."""
    holder = _holder(event, events)
    if holder is None:
        return event.shown
    return event.key if holder.kind == "return" else f"{holder.shown}[{event.key!r}]"


def _of_returned_gradients(holder: Event) -> bool:
    """Whether a dict that is returned holds gradients by its parameters' names: with a loss, or of a backward pass."""
    if holder.kind != "return":
        return naming.is_gradient(holder.key)
    parts = holder.value if isinstance(holder.value, tuple) else tuple(holder.value.values())
    return any(scalar(part) is not None for part in parts) or re.search(r"(?i)back|grad", holder.function) is not None


def _computed(memory: Memory, event: Event) -> Event | None:
    """Where a gradient was computed that is only handed on: the first store of it with these numbers, by its own name.

    Of a sum that is added up in parts, it is the last part's.
    """
    stores = [e for e in memory.of(event.value) if e.index < event.index and e.kind in ("assign", "write")]
    same = [e for e in stores if e.value is event.value and np.array_equal(e.copy, event.copy)]
    own = [e for e in same if e.key == event.key or event.key in naming.parameters_of(e.key)]
    given = [e for e in memory.of(event.value) if e.kind == "return" and e.value is event.value]
    if isinstance(event.value, np.ndarray) and given and given[0].index < (same or [event])[0].index:
        return given[0]  # a function's expression, ``return X.T @ d / n``
    if same:
        written = [e for e in same if e.kind == "write"]
        return (own or written or same)[0]
    if event.kind == "write" and stores and stores[-1].kind == "assign" and stores[-1].value is event.value:
        return None  # what was made empty is filled here at once: ``np.add.at(dW, x, dout)``
    if not stores and event.kind == "assign" and event.key.endswith("]"):
        # put into a list, ``grads.insert(0, X.T @ d)``, and named where the list is returned
        return next((e for e in memory.of(event.value) if e.kind == "inner" and e.value is event.value), None)
    return stores[-1] if stores and isinstance(event.value, np.ndarray) else None


def _alike(gradient: Event, by_key: Mapping[str, list[Event]]) -> Event | None:
    """The argument whose name has the words of the gradient's: ``outsideVectors`` of ``gradOutsideVecs``."""
    words = [w for w in _words(gradient.key) if w not in ("grad", "gradient", "d", "of")]
    other: Event | None = None
    for key, events in by_key.items():
        own = _words(key)
        if len(words) > 1 and all(any(w[:3] == o[:3] for o in own) for w in words):
            parameter = _last([e for e in events if e.kind == "argument"], gradient)
            if parameter is not None and np.shape(parameter.copy) == np.shape(gradient.copy):
                return parameter
            other = other or parameter
    return other


def _words(name: str) -> list[str]:
    return [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


_FACTORS = ("P", "Q")
"""Factors of a matrix: parameters where they are handed over, and else often probabilities."""


def _pair_of(
    event: Event,
    events: list[Event],
    plan: Plan,
    wrt: Mapping[str, str],
    by_key: Mapping[str, list[Event]],
    returned: frozenset[int],
    listed: Mapping[int, tuple[str, Event | None]],
) -> tuple[Event, float, bool] | None:
    """The parameter whose gradient an event may be, the sign, and whether its name is that of any gradient."""
    if event.kind == "update":
        moved = [e for e in events[event.index + 1 :] if e.node is not None]
        # where the step has a name, ``change = alpha * G``, another parameter may be moved before its own
        stored = next((e for e in moved if _on_line(plan, e, event.line)), next(iter(moved), None))
        update = plan.updates.get(id(stored.node)) if stored is not None else None
        if stored is None or update is None or np.size(stored.value) != np.size(event.copy):
            return None
        return stored, update.sign, False
    if event.kind in ("argument", "input"):
        return None
    if event.key in wrt or event.shown in wrt:
        name = wrt.get(event.key, wrt.get(event.shown, ""))
        parameter = _last(by_key.get(name, []), event)
        return None if parameter is None else (parameter, 1.0, False)
    names, generic = _names(event, plan)
    if event.key.endswith("]") and id(event.value) in listed and (own := listed[id(event.value)][1]) is not None:
        return own, 1.0, False
    if not names and not generic:
        holder = _holder(event, events)
        if holder is None or not _of_returned_gradients(holder):
            return None
        names = [event.key]
    for name in names:
        if not naming.is_parameter(name) and id(event.value) not in returned and name not in _FACTORS:
            continue
        parameter = _last(by_key.get(name, []), event)
        if parameter is not None and parameter.value is not event.value:
            return parameter, 1.0, False
    if names and id(event.value) in returned:
        parameter = _alike(event, by_key)
        if parameter is not None:
            return parameter, 1.0, False
    if generic and event.shown != event.key:
        # a tuple of expressions: they are of the arguments in their order, or each of the one of its shape
        given = [e for e in events if e.kind == "argument" and e.frame == event.frame and naming.is_parameter(e.key)]
        alike = [e for e in given if isinstance(e.copy, (np.ndarray, float))]
        beside = [e for e in events if (e.key, e.frame, e.line) == (event.key, event.frame, event.line)]
        if len(beside) == len(alike):
            return alike[beside.index(event)], 1.0, False
        shaped = [e for e in alike if np.shape(e.copy) == np.shape(event.copy)]
        if len(shaped) == 1:
            return shaped[0], 1.0, False
    if generic:
        for fits in (True, False):
            for name in naming.GENERIC:
                parameter = _last(by_key.get(name, []), event)
                if parameter is None or name == "X" or (np.size(parameter.copy) == np.size(event.copy)) != fits:
                    continue
                if fits or id(event.value) in returned:
                    return parameter, 1.0, True
    return None


def _on_line(plan: Plan, moved: Event, line: int) -> bool:
    """Whether a parameter is moved along a gradient that stands on a line."""
    update = plan.updates.get(id(moved.node))
    return update is not None and update.gradient is not None and line in (update.gradient.lineno, update.node.lineno)


def _names(event: Event, plan: Plan) -> tuple[list[str], bool]:
    container = _container(event.shown)
    if event.kind == "return":
        return [], naming.is_gradient(event.key, plan.names) or "grad" in event.key.lower()
    # f and g are how minimisers call a loss and its gradient
    named = naming.is_gradient(event.key, plan.names) or (event.key == "g" and "f" in plan.names)
    held = (
        container != event.key
        and (container == "g" or naming.is_gradient(container, plan.names))
        and not event.key.startswith(container)
    )
    if held and not named:
        return [event.key], False
    if not named:
        return [], False
    generic = event.key in (
        "grad",
        "gradient",
        "grads",
        "gradients",
        "g",
        "dL",
        "dJ",
        "gradient_vector",
        "grad_vec",
        "full_grad",
    )
    return list(naming.parameters_of(event.key)), generic


def _container(shown: str) -> str:
    """What a part lies in: ``grads`` of ``self.grads['W1']``, of ``grads.W1`` and of ``grads{2}.W``."""
    return re.split(r"[\[.{]", shown.replace("self.", ""), maxsplit=1)[0]


def _of_gradients(event: Event) -> bool:
    """Whether it lies in a dict or a list of gradients, or of what an optimiser keeps for each: ``self.m['W1']``."""
    container = _container(event.shown)
    if container == event.key or event.shown == container:
        return False
    return naming.is_gradient(container) or (naming.is_state(container) and "[" in event.shown)


def _last(events: list[Event], gradient: Event) -> Event | None:
    """The parameter's version: the last one before the gradient, of its size, in its function if there is one."""
    before = [
        e for e in events
        if e.index < gradient.index and e.kind not in ("return", "update", "inner") and e.node is None
        and not _of_gradients(e)
    ]  # fmt: skip
    if not before:
        return None
    if gradient.of:
        # of several layers, the parameter is that of the same
        before = [e for e in before if e.of == gradient.of] or before
    # a gradient of the wrong shape still is the gradient of its name
    before = [e for e in before if np.size(e.copy) == np.size(gradient.copy)] or before
    # theta = reshape(theta, …): the gradient is that of the version in its own shape
    before = [e for e in before if np.shape(e.copy) == np.shape(gradient.copy)] or before
    own = [e for e in before if e.frame == gradient.frame]
    return (own or before)[-1]


def flat(value: Any, depth: int = 4) -> Iterator[Any]:
    """Yield what a returned value holds: itself, and the parts of tuples, lists and dicts, but not deep ones."""
    yield value
    if not depth:
        return
    if isinstance(value, dict):
        for part in value.values():
            yield from flat(part, depth - 1)
    elif isinstance(value, (tuple, list)) and len(value) < 100:
        for part in value:
            yield from flat(part, depth - 1)
