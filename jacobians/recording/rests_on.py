"""What a function rests on beside its arguments: the variables around it, which are looked at again in every call."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import partial
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from jacobians.errors import RecordingError

_MISSING = object()
_LIBRARIES = {"numpy", __name__.partition(".")[0]}


class RestsOn:
    """The variables that a function reads, and those that functions of its own read.

    It knows whether one has become another object; what changes within an object it does not see.

    Parameters
    ----------
    function : callable

    Raises
    ------
    RecordingError
        If the function asks for types or identities, which are not an array's while it is recorded.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._cells: list[tuple[CellType, Any]] = []
        self._globals: list[tuple[dict[str, Any], str, Any]] = []
        seen: set[int] = set()
        todo: list[Any] = [function]
        while todo:
            own = _plain_function(todo.pop())
            if own is None or id(own) in seen:
                continue
            seen.add(id(own))
            todo.extend(self._variables(own))

    def _variables(self, function: FunctionType) -> Iterator[Any]:
        """Note a function's variables; yield their values."""
        for cell in function.__closure__ or ():
            thing = _content(cell)
            self._cells.append((cell, thing))
            yield thing
        space = function.__globals__
        for name in sorted(_names(function.__code__)):
            thing = space.get(name, _MISSING)
            if thing is _MISSING and getattr(builtins, name, None) in (type, id):
                raise RecordingError(
                    f"replayed: {function.__qualname__} calls {name}(), which sees a stand-in where there is an array "
                    "otherwise; decide by shape, ndim or dtype"
                )
            if not isinstance(thing, (ModuleType, BuiltinFunctionType)):
                self._globals.append((space, name, thing))
                yield thing

    def same(self) -> bool:
        """Whether all variables hold the same objects as when the function was recorded."""
        for cell, thing in self._cells:
            if _content(cell) is not thing:
                return False
        return all(space.get(name, _MISSING) is thing for space, name, thing in self._globals)


def _plain_function(thing: Any) -> FunctionType | None:
    """The function of the user's own behind a method, a partial or another wrapper; None where there is none."""
    while not isinstance(thing, FunctionType):
        if isinstance(thing, MethodType):
            thing = thing.__func__
        elif isinstance(thing, partial):
            thing = thing.func
        elif not isinstance(thing, type) and "__wrapped__" in getattr(thing, "__dict__", {}):
            thing = thing.__wrapped__
        else:
            return None
    return None if thing.__module__ is not None and thing.__module__.partition(".")[0] in _LIBRARIES else thing


def _names(code: CodeType) -> set[str]:
    """The names that a function's text reads from its module or Python's own, those of functions within it included."""
    within = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return {step.argval for step in get_instructions(code) if step.opname == "LOAD_GLOBAL"}.union(*within)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet set
        return _MISSING
