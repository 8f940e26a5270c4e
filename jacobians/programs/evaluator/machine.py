"""What every part of the evaluator works on: a run's names, tables and budget, and who is told of every store."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from jacobians.programs.values import Budget, BuiltIn, Frame, Function, Limits


class Recorder(Protocol):
    """Who is told of every store, and may change what is stored."""

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        """Return what is to be stored: the value, unless something else is put in its place."""

    def keeps_old(self, node: ast.stmt) -> bool:
        """Return whether an update is to leave the old value where it is."""

    def in_update(self) -> bool:
        """Return whether the next store is that of an update."""

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        """Return the value of an expression that is looked at."""

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        """Return after how many iterations a loop is left; None for a loop that is run to its end."""

    def left_loop(self, node: ast.stmt) -> None:
        """Hear that a loop was left early."""


class Machine(ABC):
    """One run of a program.

    Parameters
    ----------
    tables : sequence of mappings
        Functions by their full names, such as ``numpy.dot``; the first table that has a name is meant.
    assumed : mapping
        Functions with a built-in meaning where the file does not define them; each use is noted in `used_meanings`.
    recorder : Recorder
    inputs : callable
        The value of a name that is never assigned; None if nobody knows.
    """

    def __init__(
        self,
        tables: Iterable[Mapping[str, Callable[..., Any]]],
        assumed: Mapping[str, tuple[str, Callable[..., Any]]],
        recorder: Recorder,
        inputs: Callable[[str], Any],
        *,
        budget: Budget | None = None,
        whole_division: bool = False,
        language: str = "Python",
    ) -> None:
        self.tables, self.assumed = tuple(tables), assumed
        self.recorder, self.inputs = recorder, inputs
        self.budget = budget or Budget(Limits())
        self.whole_division, self.language = whole_division, language
        self.used_meanings: dict[str, str] = {}
        self.unread: dict[tuple[int, str], None] = {}
        self.module = Frame(0, "")
        self.depth, self._frames, self._loops = 0, 0, 0
        self.line = 0

    @abstractmethod
    def evaluate(self, node: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression; a value that is not read ends it."""

    @abstractmethod
    def block(self, body: list[ast.stmt], frame: Frame) -> None:
        """Run statements; one that is outside the list leaves names that are not read."""

    @abstractmethod
    def call(self, called: Any, args: list[Any], keywords: dict[str, Any], node: ast.Call | None = None) -> Any:
        """Return what a function, class or method of the file or of a table gives."""

    @abstractmethod
    def call_function(self, function: Function, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Return what a function of the file gives."""

    def _in_tables(self, name: str) -> BuiltIn | Any:
        for table in self.tables:
            if name in table:
                held: Any = table[name]
                if isinstance(held, BuiltIn):
                    return held
                return BuiltIn(name, held) if callable(held) else held
        return None

    def _key(self, target: ast.expr, frame: Frame, index: Any = None) -> tuple[str, str]:
        """The name of what is stored, and how it is written."""
        if isinstance(target, ast.Name):
            return target.id, target.id
        if isinstance(target, ast.Attribute):
            whole = self._key(target.value, frame)[1] if isinstance(target.value, (ast.Name, ast.Attribute)) else "…"
            return target.attr, f"{whole}.{target.attr}"
        if isinstance(target, ast.Subscript):
            key, shown = self._key(target.value, frame)
            index = self.evaluate(target.slice, frame) if index is None else index
            if isinstance(index, str):
                return index, f"{shown}[{index!r}]"
            if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
                receiver = self.evaluate(target.value, frame)
                if index < 0 and isinstance(receiver, list):
                    index += len(receiver)
                return f"{key}[{index}]", f"{shown}[{index}]"
            return key, shown
        return "…", "…"

    def _known(self, name: str, frame: Frame) -> bool:
        place: Frame | None = frame
        while place is not None:
            if name in place.names:
                return True
            place = place.outer
        return False

    def _number(self) -> int:
        self._frames += 1
        return self._frames


def construct_of(node: ast.AST) -> str:
    """Return what a node that is not read is called."""
    words = {
        "Try": "try", "TryStar": "try", "Yield": "yield", "YieldFrom": "yield", "Await": "await", "NamedExpr": ":=",
        "AsyncFunctionDef": "async", "AsyncFor": "async", "AsyncWith": "async", "Match": "match", "SetComp": "a set",
        "TypeAlias": "type",
    }  # fmt: skip
    return words.get(type(node).__name__, type(node).__name__)
