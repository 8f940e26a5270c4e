"""Operators, indices and loops on objects of the file's own classes: the methods of the file that they call."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from jacobians.programs.evaluator.arithmetic import compare, truth
from jacobians.programs.evaluator.machine import Machine
from jacobians.programs.values import Distinct, Function, Instance, ProgramError, Unread, UnreadError, is_number

_BINARY: dict[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.MatMult: "matmul",
}  # fmt: skip
_UNARY: dict[type, str] = {ast.USub: "__neg__", ast.UAdd: "__pos__"}
_COMPARISONS: dict[type, tuple[str, str]] = {
    ast.Eq: ("__eq__", "__eq__"), ast.NotEq: ("__ne__", "__ne__"), ast.Lt: ("__lt__", "__gt__"),
    ast.LtE: ("__le__", "__ge__"), ast.Gt: ("__gt__", "__lt__"), ast.GtE: ("__ge__", "__le__"),
}  # fmt: skip
METHODS = frozenset(
    ["__init__", "__call__", "__post_init__", "__len__", "__bool__", "__getitem__", "__setitem__", "__contains__",
     "__iter__", "__abs__", *_UNARY.values(), *(name for pair in _COMPARISONS.values() for name in pair)]
    + [f"__{start}{name}__" for name in _BINARY.values() for start in ("", "r", "i")]
)  # fmt: skip
"""Methods with names of Python's own that a class of the file may have; they are called by operators alone."""
SHOWN = frozenset(["__str__", "__repr__", "__format__", "__hash__", "__enter__", "__exit__", "__del__"])
"""Methods that say nothing of a value: a class may have them, and they are never called."""


def method(value: Any, name: str) -> Function | None:
    """Return the method of an object of the file that an operator calls; None if it has none."""
    if type(value) is not Instance:
        return None
    found = value.of.find(name)
    if isinstance(found, Unread):
        raise UnreadError(found.construct, found.line)
    return found if isinstance(found, Function) else None


def operated(machine: Machine, op: ast.operator, left: Any, right: Any, *, in_place: bool = False) -> Any:
    """Return left op right, where one of them may be an object of the file."""
    if type(left) is not Instance and type(right) is not Instance:
        return machine.of_two(op, left, right)
    name = _BINARY.get(type(op))
    machine.budget.step(machine.line)
    if name is None:
        raise UnreadError(f"the operator {type(op).__name__} of an object")
    own = (method(left, f"__i{name}__") if in_place else None) or method(left, f"__{name}__")
    if own is not None:
        return machine.call_function(own, [left, right], {})
    if isinstance(left, np.ndarray):
        raise UnreadError("an array of what are no numbers")
    other = method(right, f"__r{name}__")
    if other is None:
        kinds = " and ".join(v.of.name if type(v) is Instance else type(v).__name__ for v in (left, right))
        raise ProgramError(f"TypeError: {kinds} have no {type(op).__name__}")
    return machine.call_function(other, [right, left], {})


def signed(machine: Machine, op: ast.unaryop, value: Any) -> Any:
    """Return op value."""
    if isinstance(op, ast.Not):
        return not holds(machine, value)
    own = method(value, _UNARY[type(op)]) if type(op) in _UNARY else None
    return machine.of_one(op, value) if own is None else machine.call_function(own, [value], {})


def compared(machine: Machine, op: ast.cmpop, left: Any, right: Any) -> Any:
    """Return whether left op right."""
    if isinstance(op, (ast.In, ast.NotIn)):
        own = method(right, "__contains__")
        if own is not None:
            return holds(machine, machine.call_function(own, [right, left], {})) == isinstance(op, ast.In)
        return compare(op, left, run_through(machine, right), machine.budget)
    name, turned = _COMPARISONS.get(type(op), ("", ""))
    own, other = method(left, name), method(right, turned)
    if own is not None:
        return machine.call_function(own, [left, right], {})
    if other is not None:
        return machine.call_function(other, [right, left], {})
    return compare(op, left, right, machine.budget)


def holds(machine: Machine, value: Any) -> bool:
    """Return whether a condition holds."""
    if type(value) is not Instance:
        return truth(value)
    own = method(value, "__bool__") or method(value, "__len__")
    return True if own is None else truth(machine.call_function(own, [value], {}))


def at_index(machine: Machine, receiver: Any, index: Any) -> Any:
    """Return what an index gives."""
    own = method(receiver, "__getitem__")
    return machine.entry(receiver, index) if own is None else machine.call_function(own, [receiver, index], {})


def put_at(machine: Machine, receiver: Any, index: Any, value: Any) -> None:
    """Put a value at an index."""
    own = method(receiver, "__setitem__")
    if own is None:
        machine.put(receiver, index, value)
    else:
        machine.call_function(own, [receiver, index, value], {})


def length_of(machine: Machine, value: Any) -> int:
    """Return how many parts a value has."""
    if isinstance(value, (np.ndarray, list, tuple, dict, str, range, Distinct)):
        return len(value)
    own = method(value, "__len__")
    length = None if own is None else machine.call_function(own, [value], {})
    if not isinstance(length, (int, np.integer)) or length < 0:
        raise ProgramError("TypeError: what has no length is asked for its length", machine.line)
    return int(length)


def run_through(machine: Machine, value: Any) -> Any:
    """Return what a loop over a value runs through; of an object, what its ``__iter__`` gives."""
    own = method(value, "__iter__")
    if own is None:
        return value
    given = machine.call_function(own, [value], {})
    if not isinstance(given, list):
        raise UnreadError("an iterator of a class of its own", machine.line)
    return given


def size_of(machine: Machine, value: Any) -> Any:
    """Return a value without its sign."""
    own = method(value, "__abs__")
    if own is not None:
        return machine.call_function(own, [value], {})
    if not isinstance(value, np.ndarray) and not is_number(value):
        raise ProgramError("TypeError: what has no sign is asked for its size", machine.line)
    return np.abs(value) if isinstance(value, np.ndarray) else abs(value)
