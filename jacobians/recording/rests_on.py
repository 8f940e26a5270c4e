"""What a function rests on beside its arguments: the variables around it, which are looked at again in every call."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import partial
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from jacobians.arrays import format_bytes
from jacobians.errors import RecordingError

_MISSING = object()
_LIBRARIES = {"numpy", __name__.partition(".")[0], *sys.stdlib_module_names}

_MOST = 1 << 24
"""Bytes of arrays around a function that are compared in every call, at some 5 GB/s."""


class RestsOn:
    """The variables that a function reads, and those that functions and methods of the user's read for it.

    Arrays, dicts and lists among them are looked into, and the attributes of objects that are named in the functions'
    text. What the library makes is immutable.

    Parameters
    ----------
    function : callable

    Raises
    ------
    RecordingError
        If the function asks for types or identities, which are not an array's while it is recorded, or an array around
        it is too large to be compared in every call.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._cells: list[tuple[CellType, Any]] = []
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._containers: list[tuple[Any, list[Any]]] = []
        self._arrays: list[tuple[np.ndarray[Any, Any], bytes]] = []
        seen: set[tuple[int, int]] = set()
        todo: list[tuple[Any, frozenset[str]]] = [(function, frozenset())]
        self._held: list[Any] = []  # so that no other object takes an identity that was seen
        while todo:
            thing, attributes = todo.pop()
            if (id(thing), hash(attributes)) not in seen:
                seen.add((id(thing), hash(attributes)))
                self._held.append(thing)
                todo.extend(self._within(thing, attributes))

    def _within(self, thing: Any, attributes: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        """Note what can change of a thing; yield what is in it, with the attributes that are asked of that."""
        if isinstance(thing, FunctionType):
            if not _of_a_library(thing):
                yield from self._variables(thing)
        elif isinstance(thing, MethodType):
            yield thing.__func__, attributes
            yield thing.__self__, _read(getattr(thing.__func__, "__code__", None), "LOAD_ATTR", "LOAD_METHOD")
        elif isinstance(thing, partial):
            for part in (thing.func, *thing.args, *thing.keywords.values()):
                yield part, attributes
        elif isinstance(thing, np.ndarray):
            self._note(thing)
        elif type(thing) in (dict, list, tuple):
            if not isinstance(thing, tuple):
                self._containers.append((thing, _parts(thing)))
            for part in _parts(thing):
                yield part, attributes
        elif not (isinstance(thing, (type, ModuleType, BuiltinFunctionType)) or _of_a_library(type(thing))):
            yield from self._attributes(thing, attributes)

    def _variables(self, function: FunctionType) -> Iterator[tuple[Any, frozenset[str]]]:
        code = function.__code__
        attributes = _read(code, "LOAD_ATTR", "LOAD_METHOD")
        for cell in function.__closure__ or ():
            thing = _content(cell)
            self._cells.append((cell, thing))
            yield thing, attributes
        for thing in (function.__defaults__, function.__kwdefaults__):
            yield thing, attributes
        space = function.__globals__
        for name in sorted(_read(code, "LOAD_GLOBAL")):
            thing = space.get(name, _MISSING)
            if thing is _MISSING and getattr(builtins, name, None) in (type, id):
                raise RecordingError(
                    f"replayed: {function.__qualname__} calls {name}(), which sees a stand-in where there is an array "
                    "otherwise; decide by shape, ndim or dtype"
                )
            self._names.append((space, name, thing))
            yield thing, attributes

    def _attributes(self, thing: Any, attributes: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        """Those of an object of the user's class that are named in the text, and its methods among them."""
        space = getattr(thing, "__dict__", {})
        for name in sorted(attributes | {"__call__", "__wrapped__"}):
            method = getattr(type(thing), name, None)
            if isinstance(method, FunctionType):
                yield MethodType(method, thing), frozenset()
            if isinstance(method, property) and method.fget is not None:
                yield MethodType(method.fget, thing), frozenset()
            self._names.append((space, name, space.get(name, _MISSING)))
            yield space.get(name, _MISSING), attributes

    def _note(self, array: np.ndarray[Any, Any]) -> None:
        if not array.flags.writeable:
            return
        if array.nbytes + sum(len(kept) for _, kept in self._arrays) > _MOST:
            raise RecordingError(
                f"replayed: the function reads an array {array.shape} of {format_bytes(array.nbytes)} from around it, "
                "which may change from call to call; pass it as an argument, or call its setflags(write=False)"
            )
        self._arrays.append((array, array.tobytes()))

    def same(self) -> bool:
        """Whether all variables hold the same objects as when the function was recorded, and these the same numbers."""
        for cell, thing in self._cells:
            if _content(cell) is not thing:
                return False
        for space, name, thing in self._names:
            if space.get(name, _MISSING) is not thing:
                return False
        for container, parts in self._containers:
            now = _parts(container)
            if len(now) != len(parts) or any(one is not other for one, other in zip(now, parts, strict=True)):
                return False
        return all(array.tobytes() == kept for array, kept in self._arrays)


def _parts(container: Any) -> list[Any]:
    return [part for item in container.items() for part in item] if isinstance(container, dict) else [*container]


def _of_a_library(thing: Any) -> bool:
    return str(thing.__module__).partition(".")[0] in _LIBRARIES


def _read(code: CodeType | None, *steps: str) -> frozenset[str]:
    """The names that such steps of a function's code read, those of functions within it included."""
    if code is None:
        return frozenset()
    within = (_read(constant, *steps) for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(step.argval for step in get_instructions(code) if step.opname in steps).union(*within)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet set
        return _MISSING
