"""What happens in a run: every store is an event, and a further run can change some of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.plan import Plan, Update
from jacobians.programs.values import Frame, Instance, Lost, Unread, is_number


class ReachedError(Exception):
    """A further run has come to the event at which it is to end."""


@dataclass(eq=False)
class Event:
    """A value that was stored.

    Attributes
    ----------
    index : int
        Its place among all events of the run; the same in every run of the program.
    kind : {"assign", "write", "argument", "input", "return", "update", "inner"}
    key, shown : str
        The name, and how the program writes it, such as ``W1`` and ``params['W1']``.
    line : int
    frame : int
    function : str
    value : object
        What was stored, itself.
    copy : object
        Of an array, its entries at that time; of a list or a small dict, what it held.
    node : ast.AST or None
        For an update, the statement.
    of : int
        Of an attribute ``self.W``, the identity of the object; else 0.
    """

    index: int
    kind: str
    key: str
    shown: str
    line: int
    frame: int
    function: str
    value: Any
    copy: Any
    node: Any = None
    of: int = 0


class Recording:
    """Notes the events of a run, and makes changes at some of them.

    Parameters
    ----------
    plan : Plan
    changes : mapping of int to callable, optional
        By an event's index: from its value to what is stored in its place.
    freeze : bool
        Whether updates leave the parameters as they are.
    keep : bool
        Whether events are kept; a further run only counts them.
    stop : int, optional
        The event at which the run ends.
    only : frozenset of int, optional
        The events that are kept, where not all are.
    moving : frozenset of int
        Identities of updates that are made nevertheless.
    """

    def __init__(
        self,
        plan: Plan,
        changes: Mapping[int, Callable[[Any], Any]] | None = None,
        *,
        freeze: bool = False,
        keep: bool = True,
        stop: int | None = None,
        only: frozenset[int] | None = None,
        moving: frozenset[int] = frozenset(),
    ) -> None:
        self.plan, self.changes, self.freeze, self.keep = plan, changes or {}, freeze, keep
        self.only, self.moving = only, moving
        self.looked_at = plan.looked_at
        self.stop = -1 if stop is None else stop
        self.events: list[Event] = []
        self.count, self.last = 0, None
        self.trained = False
        self.left: int | None = None
        self.left_part: int | None = None
        self.all_lost: list[Lost] = []
        self._update: Update | None = None

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        value = self._stored(kind, key, shown, line, frame, value)
        if kind in ("argument", "input"):
            self._parts(kind, key, shown, line, frame, value, 0)
        return value

    def _parts(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any, depth: int) -> None:
        """Note the arrays that are handed over in a dict, a list or an object."""
        held = value.names if isinstance(value, Instance) else value
        if depth > 2 or not isinstance(held, (dict, list)) or len(held) > 60:
            return
        for place, part in list(held.items() if isinstance(held, dict) else enumerate(held)):
            text = isinstance(place, str)
            name = place if text else f"{key}[{place}]"
            called = f"{shown}.{place}" if held is not value else f"{shown}[{place!r}]"
            if isinstance(part, (float, np.ndarray)):
                again = self._stored(kind, name, called, line, frame, part)
                if again is not part:
                    held[place] = again
            elif isinstance(part, (dict, list)):
                self._parts(kind, name, called, line, frame, part, depth + 1)

    def _stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        index = self.count
        self.count = index + 1
        if index in self.changes:
            value = self.changes[index](value)
        if self.keep and (self.only is None or index in self.only):
            node = None
            if self._update is not None and kind in ("assign", "write"):
                node, self._update = self._update.node, None
            held = value.copy() if isinstance(value, np.ndarray) else value
            if isinstance(value, list):
                held = list(value)
            elif isinstance(value, dict) and len(value) <= 60:
                held = dict(value)
            of = id(frame.names.get("self")) if shown.startswith("self.") else 0
            self.events.append(
                Event(index, kind, key, shown, line, frame.number, frame.function, value, held, node, of)
            )
        if index == self.stop:
            self.last = value
            raise ReachedError
        return value

    def lost(self, key: str, shown: str, line: int, frame: Frame, reason: Unread) -> None:
        self.all_lost.append(Lost(key, shown, line, frame.function, reason.construct, reason.line, self.count))

    def keeps_old(self, node: ast.stmt) -> bool:
        update = self.plan.updates.get(id(node))
        if update is None:
            return False
        self._update = update
        return self.freeze and id(node) not in self.moving

    def in_update(self) -> bool:
        return self._update is not None

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        update = self.plan.gradients.get(id(node))
        if update is None:
            history = self.plan.histories.get(id(node))
            if history is not None and scalar(value) is not None:
                return self._stored("assign", history, history, node.lineno, frame, value)
            if id(node) in self.plan.inner and isinstance(value, np.ndarray):
                return self._stored("inner", "", "", node.lineno, frame, value)
            return value
        name = update.named or "update"
        return self.stored("update", name, name, node.lineno, frame, value)

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        if id(node) in self.plan.training or (id(node) in self.plan.long and (length or 0) >= 20):
            return 1
        return None

    def left_loop(self, node: ast.stmt) -> None:
        self.trained = True
        self.left = self.count if self.left is None else self.left
        if id(node) in self.plan.parts and self.left_part is None:
            self.left_part = self.count


def owner(value: Any) -> Any:
    """Return the array whose memory an array lies in."""
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    return value


def reals(events: list[Event]) -> Iterator[Event]:
    """Yield the events that store an array of floating-point numbers, or one such number."""
    for event in events:
        value = event.copy
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f" and value.size:
                yield event
        elif isinstance(value, (float, np.floating)) and not isinstance(value, bool):
            yield event


def scalar(value: Any) -> float | None:
    """Return a real number, given as such, as an array of one entry, or in an object's ``data``; else None."""
    if isinstance(value, Instance):
        value = next((value.names[name] for name in ("data", "value") if name in value.names), None)
    if isinstance(value, np.ndarray):
        return float(value.ravel()[0]) if value.size == 1 and value.dtype.kind in "fiu" else None
    if is_number(value) and not isinstance(value, (bool, complex, np.bool_, np.complexfloating)):
        return float(value)
    return None


def _holds_nothing(value: Any) -> bool:
    return isinstance(value, (list, dict)) and not value


@dataclass(eq=False)
class Run:
    """What one run gave.

    Attributes
    ----------
    events : list of Event
    error : Exception or None
        Why it ended early.
    trained : bool
        Whether a loop of training was left before.
    results : dict
        What the entry's functions returned, by name.
    unread : list of (int, str)
        Lines with constructs outside the list.
    meanings : dict
        The built-in meanings that were assumed, by name.
    lost : list of Lost
        Names without a value, since what they would be set to is not read.
    unsettled : bool
        Whether it ended since what a value is was not known.
    left : int or None
        The event at which the innermost loop of training was left.
    left_part : int or None
        The same of a loop that takes one example or one batch after another.
    """

    events: list[Event]
    error: Exception | None
    trained: bool
    results: dict[str, Any] = field(default_factory=dict)
    unread: list[tuple[int, str]] = field(default_factory=list)
    meanings: dict[str, str] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    unsettled: bool = False
    left: int | None = None
    left_part: int | None = None

    def has_loss(self) -> bool:
        """Return whether a loss, by its name, has its value; a list that is to hold losses is none."""
        return any(
            naming.is_loss(e.key) and e.kind in ("assign", "write", "return") and not _holds_nothing(e.copy)
            for e in self.events
        )

    def keeps(self, event: Event) -> bool:
        """Return whether what an event stored is still there in the end, and not lost to a line that is not read."""
        return not any(
            one.index > event.index and one.shown == event.shown and one.function == event.function for one in self.lost
        )
