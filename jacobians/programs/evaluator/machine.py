"""What every part of the evaluator works on: a run's names, tables and budget, and the recorder of its stores."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from jacobians.programs.evaluator.arithmetic import binary, unary
from jacobians.programs.evaluator.containers import item_of, iterated, set_item
from jacobians.programs.values import Budget, BuiltIn, Frame, Function, Limits, ProgramError, Unread, is_number

RAISED = (
    ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, AttributeError, OverflowError, RuntimeError,
    np.linalg.LinAlgError,
)  # fmt: skip
"""What NumPy and Python raise where a program is at fault."""


class Recorder(Protocol):
    """A recorder is told of every store, and may change what is stored.

    Attributes
    ----------
    looked_at : container of int
        Identities of the expressions whose values are `watched`.
    """

    @property
    def looked_at(self) -> Container[int]: ...

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        """Return what is stored: the value, or what the recorder puts in its place."""

    def lost(self, key: str, shown: str, line: int, frame: Frame, reason: Unread) -> None:
        """Note that a name has no value, since its right side is not read."""

    def keeps_old(self, node: ast.stmt) -> bool:
        """Return whether an update is to leave the old value where it is."""

    def in_update(self) -> bool:
        """Return whether the next store is that of an update."""

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        """Return the value of an expression that is looked at."""

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        """Return the number of iterations after which a loop is left; None where it runs to its end."""

    def left_loop(self, node: ast.stmt) -> None:
        """Note that a loop was left early."""


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
        self.found: dict[str, Any] = {}
        """What names mean in the tables; further runs with the same tables may share it."""
        self.used_meanings: dict[str, str] = {}
        self.unread: dict[tuple[int, str], None] = {}
        self.module = Frame(0, "")
        self.depth, self._frames, self._loops = 0, 0, 0
        self.line = 0
        self.receiver: Any = None
        self.yielded: list[Any] | None = None
        """What the generator that is being run has yielded so far; None in a function that is none."""
        self.operands: tuple[ast.AST, tuple[ast.AST, ...], tuple[Any, ...]] | None = None
        """What is being computed or stored, its parts and their values: where it fails, they are told."""

    @abstractmethod
    def evaluate(self, node: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression; a value that is not read ends it."""

    @abstractmethod
    def block(self, body: list[ast.stmt], frame: Frame) -> None:
        """Run statements. After one that is not read, the names that it sets are unknown."""

    @abstractmethod
    def call(self, called: Any, args: list[Any], keywords: dict[str, Any], node: ast.Call | None = None) -> Any:
        """Return what a function, class or method of the file or of a table gives."""

    @abstractmethod
    def call_function(self, function: Function, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Return what a function of the file gives."""

    # what is done with numbers, each in one place, so that an evaluator that follows them has it there

    def of_two(self, op: ast.operator, left: Any, right: Any) -> Any:
        return binary(op, left, right, self.budget, whole=self.whole_division)

    def of_one(self, op: ast.unaryop, value: Any) -> Any:
        return unary(op, value)

    def entry(self, receiver: Any, index: Any) -> Any:
        return item_of(self.budget, receiver, index)

    def put(self, receiver: Any, index: Any, value: Any) -> None:
        set_item(self.budget, receiver, index, value)

    def overwrite(self, held: Any, made: Any) -> None:
        held[...] = made

    def rows(self, value: Any) -> Any:
        return iterated(value)

    def built_in(self, called: BuiltIn, args: list[Any], keywords: dict[str, Any]) -> Any:
        return called.call(*args, **keywords)

    def _in_tables(self, name: str) -> BuiltIn | Any:
        if name in self.found:
            return self.found[name]
        held: Any = next((table[name] for table in self.tables if name in table), None)
        self.found[name] = BuiltIn(name, held) if callable(held) and not isinstance(held, BuiltIn) else held
        return self.found[name]

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

    def _failed(self, error: Exception, node: ast.AST) -> ProgramError:
        """Return why a program fails, with what failed and the shapes of what it was done to."""
        if not isinstance(error, ProgramError):
            message = " ".join(str(error).split())[:200]
            error = ProgramError(f"{type(error).__name__}: {message}", self.line)
        if error.node is None:
            error.node = node
            if self.operands is not None and self.operands[0] is node:
                error.operands = tuple(_shapes(*self.operands[1:]))
        return error

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


def _shapes(nodes: tuple[ast.AST, ...], values: tuple[Any, ...]) -> Iterator[tuple[ast.AST, tuple[int, ...] | None]]:
    for node, value in zip(nodes, values, strict=False):
        if isinstance(node, (ast.List, ast.Tuple)) and isinstance(value, (list, tuple)):
            yield from _shapes(tuple(node.elts), tuple(value))
        else:
            yield node, np.shape(value) if isinstance(value, np.ndarray) or is_number(value) else None


def construct_of(node: ast.AST) -> str:
    """Return what a node that is not read is called."""
    words = {
        "TryStar": "except*", "Await": "await", "AsyncFunctionDef": "async", "AsyncFor": "async", "AsyncWith": "async",
        "Match": "match", "TypeAlias": "type",
    }  # fmt: skip
    return words.get(type(node).__name__, type(node).__name__)
