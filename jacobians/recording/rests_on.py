"""What a function depends on beside its arguments: the variables around it, which every call compares again."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator, Mapping
from dis import get_instructions
from functools import partial
from types import CellType, CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

from jacobians.arrays import format_bytes
from jacobians.errors import RecordingError

_MISSING = object()
_LIBRARIES = {"numpy", __name__.partition(".")[0], *sys.stdlib_module_names}

_OF_THE_USER = ("_function", "function")
"""Attributes under which the library keeps a function of the user's."""

_MOST = 1 << 24
"""Bytes of arrays around a function that are compared in every call, at some 5 GB/s."""


class RestsOn:
    """The variables that a function reads, and those that functions and methods of the user's read for it.

    Arrays, dicts and lists are compared entry by entry, and so are those attributes of objects that the functions name.
    What the library makes is immutable.

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
        self._names: list[tuple[Mapping[str, Any], str, Any]] = []
        self._slots: list[tuple[MemberDescriptorType, Any, Any]] = []
        self._containers: list[tuple[Any, list[Any]]] = []
        self._arrays: list[tuple[np.ndarray[Any, Any], bytes]] = []
        seen: set[tuple[int, int]] = set()
        todo: list[tuple[Any, frozenset[str]]] = [(function, frozenset())]
        held: list[Any] = []  # so that no other object takes an identity that was seen
        while todo:
            thing, attributes = todo.pop()
            if (id(thing), hash(attributes)) not in seen:
                seen.add((id(thing), hash(attributes)))
                held.append(thing)
                todo.extend(self._within(thing, attributes))

    def _within(self, thing: Any, attributes: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        """Note which parts of an object can change; yield its parts, with the attributes that the code reads."""
        if isinstance(thing, FunctionType):
            if not _of_a_library(thing):
                yield from self._variables(thing)
            for cell in thing.__closure__ or ():  # the library's own hold what the user gave
                yield _content(cell), frozenset()
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
        elif not _of_a_library(thing if isinstance(thing, (type, ModuleType)) else type(thing)):
            yield from self._attributes(thing, attributes)
        else:  # a network of a function of values
            for name in _OF_THE_USER:
                yield getattr(thing, "__dict__", {}).get(name), frozenset()

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
                    f"replayed: {function.__qualname__} calls {name}(), which sees a stand-in here and an array "
                    "in other runs; decide by shape, ndim or dtype"
                )
            self._names.append((space, name, thing))
            yield thing, attributes

    def _attributes(self, thing: Any, attributes: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        """Those of a module, class or object of the user's that are named in the text, and its methods among them."""
        kinds = [
            kind for kind in (thing if isinstance(thing, type) else type(thing)).__mro__ if not _of_a_library(kind)
        ]
        spaces = [space for own in (thing, *kinds) if isinstance(space := getattr(own, "__dict__", None), Mapping)]
        for name in sorted(attributes | {"__call__", "__wrapped__"}):
            for space in spaces:
                found = space.get(name, _MISSING)
                self._names.append((space, name, found))
                method = found.fget if isinstance(found, property) else found
                if isinstance(method, FunctionType):
                    yield MethodType(method, thing), frozenset()
                elif isinstance(method, MemberDescriptorType):
                    self._slots.append((method, thing, _in_slot(method, thing)))
                    yield _in_slot(method, thing), attributes
                else:
                    yield found, attributes

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
        return self.same_objects() and all(array.tobytes() == kept for array, kept in self._arrays)

    def same_objects(self) -> bool:
        """Whether all variables hold the same objects, whatever the numbers in arrays."""
        for cell, thing in self._cells:
            if _content(cell) is not thing:
                return False
        for space, name, thing in self._names:
            if space.get(name, _MISSING) is not thing:
                return False
        for slot, owner, thing in self._slots:
            if _in_slot(slot, owner) is not thing:
                return False
        for container, parts in self._containers:
            now = _parts(container)
            if len(now) != len(parts) or any(one is not other for one, other in zip(now, parts, strict=True)):
                return False
        return True


def _parts(container: Any) -> list[Any]:
    return [part for item in container.items() for part in item] if isinstance(container, dict) else [*container]


def _of_a_library(thing: Any) -> bool:
    name = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
    return str(name).partition(".")[0] in _LIBRARIES


def _read(code: CodeType | None, *steps: str) -> frozenset[str]:
    """The names that such steps of a function's code read, those of functions within it included."""
    if code is None:
        return frozenset()
    within = (_read(constant, *steps) for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(step.argval for step in get_instructions(code) if step.opname in steps).union(*within)


def _in_slot(slot: MemberDescriptorType, owner: Any) -> Any:
    try:
        return slot.__get__(owner, type(owner))
    except AttributeError:  # not yet set
        return _MISSING


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet set
        return _MISSING
