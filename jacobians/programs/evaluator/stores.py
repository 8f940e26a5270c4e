"""Stores: a value goes under a name, an attribute, an index or a key, and the recorder is told of it."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from jacobians.programs.evaluator.calls import Calls, reserved
from jacobians.programs.evaluator.containers import listed
from jacobians.programs.evaluator.machine import construct_of
from jacobians.programs.evaluator.operators import put_at, run_through
from jacobians.programs.values import Frame, Instance, ProgramError, Unread, UnreadError, UserClass


class Stores(Calls):
    """The part of the evaluator that puts values where a target says."""

    def _store(self, target: ast.expr, value: Any, frame: Frame) -> None:
        if isinstance(target, ast.Name):
            key = target.id
            value = self._told(target, value, frame)
            self._bind(key, value, frame)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, frame)
        elif isinstance(target, ast.Attribute):
            receiver = self.evaluate(target.value, frame)
            if not isinstance(receiver, (Instance, UserClass)):
                if isinstance(receiver, np.ndarray) and target.attr == "shape":
                    self._store(target.value, receiver.reshape(value), frame)
                    return
                raise UnreadError(f"an attribute that is set, .{target.attr}", target.lineno)
            _own(target.attr, target.lineno)
            receiver.names[target.attr] = self._told(target, value, frame)
        elif isinstance(target, ast.Subscript):
            receiver, index = self.evaluate(target.value, frame), self.evaluate(target.slice, frame)
            if isinstance(receiver, np.ndarray):
                put_at(self, receiver, index, value)
                self._written(target.value, frame, receiver)
            else:
                put_at(self, receiver, index, self._told(target, value, frame, index))
        else:
            raise UnreadError(construct_of(target), target.lineno)

    def _unpack(self, target: ast.Tuple | ast.List, value: Any, frame: Frame) -> None:
        if isinstance(value, Unread):
            raise UnreadError(value.construct, value.line)
        items, parts = listed(self.budget, run_through(self, value)), target.elts
        star = next((i for i, part in enumerate(parts) if isinstance(part, ast.Starred)), None)
        if star is not None:
            after = len(parts) - star - 1
            middle = items[star : len(items) - after]
            items = [*items[:star], middle, *items[len(items) - after :]]
        if len(items) != len(parts):
            raise ProgramError(f"{len(items)} values are unpacked into {len(parts)} names", target.lineno)
        for part, item in zip(parts, items, strict=True):
            self._store(part.value if isinstance(part, ast.Starred) else part, item, frame)

    def _bind(self, name: str, value: Any, frame: Frame) -> None:
        if name in frame.globals:
            self.module.names[name] = value
        elif name in frame.nonlocals:
            outer = frame.outer
            while outer is not None and name not in outer.names:
                outer = outer.outer
            (outer or self.module).names[name] = value
        else:
            frame.names[name] = value

    def _told(self, target: ast.expr, value: Any, frame: Frame, index: Any = None) -> Any:
        key, shown = self._key(target, frame, index)
        return self.recorder.stored("assign", key, shown, target.lineno, frame, value)

    def _written(self, whole: ast.expr, frame: Frame, value: Any, part: Any = None) -> None:
        key, shown = self._key(whole, frame)
        if part is not None and self.recorder.in_update():
            # an update moves its part of a parameter along the gradient of that part
            value = part
        again = self.recorder.stored("write", key, shown, whole.lineno, frame, value)
        if again is not value:
            value[...] = again


def _own(name: str, line: int) -> None:
    if reserved(name):
        raise UnreadError(f"the attribute {name}", line)
