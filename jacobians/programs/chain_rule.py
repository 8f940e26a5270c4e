"""The loss's derivatives with respect to all arrays of a run at once, by the chain rule: a guess that slopes confirm.

The evaluator notes each operation with what goes in and what comes out. From the last to the first, the derivative with
respect to what comes out gives those with respect to what goes in. Arrays share memory, so that derivatives lie in
memory of the same layout. Whatever is not followed, such as an array that is changed by a function, makes the guess
wrong; it is used only where the loss's own slopes agree with it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.evaluator import Evaluator
from jacobians.programs.evaluator.arithmetic import as_index
from jacobians.programs.evaluator.calls import IN_PLACE
from jacobians.programs.local_slopes import Back, is_smooth, of_function, of_operator
from jacobians.programs.plan import Plan
from jacobians.programs.recording import Recording, owner
from jacobians.programs.values import Bound, BuiltIn, Frame, Function

_MOST_STEPS = 60_000
_MOST_ENTRIES = 4_000_000
"""Of a tape: operations, and entries of all arrays that they keep."""


class Adjoints:
    """Derivatives of the loss, in memory of the same layout as the arrays that they belong to."""

    def __init__(self) -> None:
        self._arrays: dict[int, Any] = {}
        self._numbers: dict[int, float] = {}

    def of(self, value: Any) -> Any:
        """Return the derivative with respect to a value: of an array, a view that can be changed."""
        if not isinstance(value, np.ndarray):
            return self._numbers.get(id(value), 0.0)
        whole = owner(value)
        if whole.dtype != np.float64 or value.dtype != np.float64:
            return np.zeros(value.shape)
        flat = self._arrays.get(id(whole))
        if flat is None:
            flat = self._arrays[id(whole)] = np.zeros(whole.size)
        if not value.size:
            return np.zeros(value.shape)
        offset = value.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        return np.ndarray(value.shape, float, flat.data, offset, value.strides)

    def known(self, value: Any) -> bool:
        """Return whether anything depends on a value."""
        return id(owner(value)) in self._arrays if isinstance(value, np.ndarray) else id(value) in self._numbers

    def memory_of(self, value: Any) -> Any:
        """Return the derivatives with respect to the memory in which a value lies, as it lies there."""
        if not isinstance(value, np.ndarray):
            return np.array([self.of(value)])
        return self._arrays[id(owner(value))].copy()

    def add(self, value: Any, slope: Any) -> None:
        """Add to the derivative with respect to a value; axes along which it was repeated are summed over."""
        slope = np.nan_to_num(np.asarray(slope, dtype=float))
        if not isinstance(value, np.ndarray):
            self._numbers[id(value)] = self._numbers.get(id(value), 0.0) + float(np.sum(slope))
            return
        held = self.of(value)
        if slope.ndim > value.ndim:
            slope = slope.sum(axis=tuple(range(slope.ndim - value.ndim)))
        repeated = tuple(k for k in range(slope.ndim) if held.shape[k - slope.ndim] == 1 < slope.shape[k])
        held += slope.sum(axis=repeated, keepdims=True) if repeated else slope


class Tape:
    """What was done in a run, in order.

    Attributes
    ----------
    marks, memory : dict
        By event: the derivative with respect to what was stored, and that with respect to all of the memory in which
        it lies. Both are empty before `back`.
    """

    def __init__(self) -> None:
        self.steps: list[Callable[[Adjoints], None]] = []
        self.marks: dict[int, Any] = {}
        self.memory: dict[int, Any] = {}
        self.kept: list[Any] = []
        self.entries = 0
        self.on = True

    def note(self, step: Callable[[Adjoints], None], *values: Any) -> None:
        """Note a step; the values are kept, so that no other value has their place in memory."""
        self.steps.append(step)
        self.kept.extend(values)
        self.entries += sum(np.size(value) for value in values)
        self.on = self.on and len(self.steps) < _MOST_STEPS and self.entries < _MOST_ENTRIES

    def operation(self, made: Any, leaves: list[Any], back: Back) -> None:
        """Note that a new array or number was made of others."""

        def step(adjoints: Adjoints) -> None:
            if not adjoints.known(made):
                return
            g = np.array(adjoints.of(made))
            if g.any():
                for leaf, slope in zip(leaves, back(g), strict=True):
                    if is_smooth(leaf):
                        adjoints.add(leaf, slope)

        self.note(step, made, *leaves)

    def stored(self, receiver: Any, index: Any, value: Any) -> None:
        """Note that a value was put in a part of an array."""

        def step(adjoints: Adjoints) -> None:
            held = adjoints.of(receiver)
            g = np.array(held[index])
            held[index] = 0.0
            if is_smooth(value):
                adjoints.add(value, g)

        self.note(step, receiver, value)

    def marked(self, index: int, value: Any) -> None:
        """Note that an event stored a value."""

        def step(adjoints: Adjoints) -> None:
            if adjoints.known(value):
                self.marks[index] = np.array(adjoints.of(value))
                self.memory[index] = adjoints.memory_of(value)

        self.note(step, value)

    def back(self, last: Any, slope: Any, restart: Callable[[], None]) -> None:
        """Find all derivatives, from that with respect to the last value; `restart` lets functions be called again."""
        self.on = False
        adjoints = Adjoints()
        adjoints.add(last, slope)
        with np.errstate(all="ignore"):
            for count, step in enumerate(reversed(self.steps)):
                if not count & 15:
                    restart()
                step(adjoints)


class Marking(Recording):
    """Marks on a tape what each event stores."""

    def __init__(self, plan: Plan, changes: Mapping[int, Callable[[Any], Any]], tape: Tape, stop: int) -> None:
        super().__init__(plan, changes, freeze=True, keep=False, stop=stop)
        self.tape = tape

    def _stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        index = self.count
        value = super()._stored(kind, key, shown, line, frame, value)
        if self.tape.on and is_smooth(value):
            self.tape.marked(index, value)
        return value


class Following(Evaluator):
    """An evaluator that notes on a tape what it does with numbers."""

    tape: Tape

    def of_two(self, op: ast.operator, left: Any, right: Any) -> Any:
        made = super().of_two(op, left, right)
        if self.tape.on and is_smooth(made) and (is_smooth(left) or is_smooth(right)):
            back = of_operator(op, left, right)
            if back is not None:
                self.tape.operation(made, [left, right], back)
        return made

    def of_one(self, op: ast.unaryop, value: Any) -> Any:
        made = super().of_one(op, value)
        if self.tape.on and is_smooth(made) and is_smooth(value):
            sign = -1.0 if isinstance(op, ast.USub) else 1.0
            self.tape.operation(made, [value], lambda g: [sign * g])
        return made

    def entry(self, receiver: Any, index: Any) -> Any:
        made = super().entry(receiver, index)
        if self.tape.on and isinstance(receiver, np.ndarray) and is_smooth(made) and is_smooth(receiver):
            self._taken(receiver, as_index(index, receiver.shape, self.budget), made)
        return made

    def _taken(self, receiver: Any, index: Any, made: Any) -> None:
        """Note an entry, or a copy of entries: a view needs no note."""
        if isinstance(made, np.ndarray) and owner(made) is owner(receiver):
            return

        def back(g: Any) -> list[Any]:
            slope = np.zeros(receiver.shape)
            np.add.at(slope, index, g)
            return [slope]

        self.tape.operation(made, [receiver], back)

    def put(self, receiver: Any, index: Any, value: Any) -> None:
        super().put(receiver, index, value)
        if self.tape.on and isinstance(receiver, np.ndarray) and is_smooth(receiver):
            self.tape.stored(receiver, as_index(index, receiver.shape, self.budget), value)

    def overwrite(self, held: Any, made: Any) -> None:
        super().overwrite(held, made)
        if self.tape.on and is_smooth(held):
            self.tape.stored(held, Ellipsis, made)

    def rows(self, value: Any) -> Any:
        items = super().rows(value)
        if self.tape.on and isinstance(items, np.ndarray) and items.ndim == 1 and is_smooth(items):
            return list(self._entries(items))
        return items

    def _entries(self, items: Any) -> Iterator[Any]:
        for place, made in enumerate(items):
            self._taken(items, place, made)
            yield made

    def built_in(self, called: BuiltIn, args: list[Any], keywords: dict[str, Any]) -> Any:
        calls = any(isinstance(arg, (Function, Bound, BuiltIn)) for arg in args)  # what it calls is followed itself
        if not self.tape.on or calls or called.name in IN_PLACE or "random" in called.name:
            return super().built_in(called, args, keywords)
        given, call = args, called.call
        if called.of is not None:
            given, call = [called.receiver, *args], called.of
        leaves, back = of_function(called.name, call, given, keywords)
        self.tape.on = False  # what it calls is a part of it
        try:
            made = super().built_in(called, args, keywords)
        finally:
            self.tape.on = True
        values = [leaf.value for leaf in leaves]
        if isinstance(made, tuple):
            for place, part in enumerate(made):  # ``A, cache = sigmoid(Z)``
                if _is_fresh(part, values):
                    leaves, back = of_function(called.name, partial(_part_of, place, call), given, keywords)
                    self.tape.operation(part, values, back)
        elif _is_fresh(made, values):
            self.tape.operation(made, values, back)
        return made


def _part_of(place: int, call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    return call(*args, **keywords)[place]


def _is_fresh(made: Any, values: list[Any]) -> bool:
    """Whether numbers were computed of others, and are not these themselves or a view of them."""
    given = any(made is value or (isinstance(made, np.ndarray) and owner(made) is owner(value)) for value in values)
    return bool(values) and is_smooth(made) and not given
