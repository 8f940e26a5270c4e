"""What the evaluator takes as an array, a type of numbers, a shape and an axis. Python's objects are refused."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jacobians.programs.values import Budget, BuiltIn, ProgramError, UnreadError, is_number, leaves, len_of


def dtype_of(value: Any) -> type:
    """Return which of three types of numbers is meant. All floating-point types are computed in double precision."""
    if isinstance(value, BuiltIn) and value.dtype is not None:
        return value.dtype
    if isinstance(value, str) and value:
        kind = {"f": float, "d": float, "i": int, "u": int, "b": bool, "l": int}.get(value.lstrip("<>=")[:1])
        if kind is not None:
            return kind
    if isinstance(value, (np.ndarray, np.generic)):
        return {"f": float, "i": int, "u": int, "b": bool}.get(value.dtype.kind, float)
    raise UnreadError("this type of numbers")


def array(value: Any, budget: Budget) -> Any:
    """Return a number, an array, or nested lists of numbers as an array."""
    if isinstance(value, np.ndarray):
        return value
    if is_number(value):
        return _numeric(np.asarray(value))
    if isinstance(value, (list, tuple, range)):
        if isinstance(value, range):
            budget.objects(len_of(value))
        else:
            budget.size(leaves(value, budget.limits.entries))
            _check_leaves(value)
        return _numeric(np.asarray(value))
    if value is None:
        raise ProgramError("TypeError: None where an array is expected")
    raise UnreadError("a NumPy function of what is no array")


def _numeric(made: Any) -> Any:
    if made.dtype.kind not in "fiubc":
        raise UnreadError("an array of what are no numbers")
    return made


def _check_leaves(value: Any) -> None:
    """Refuse lists of texts, objects and the like, which NumPy would make something of."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, (list, tuple)):
            left += item
        elif not (isinstance(item, (np.ndarray, range)) or is_number(item)):
            raise UnreadError("an array of what are no numbers")


def shape_of(given: Any) -> tuple[int, ...]:
    """Return a shape that is given as a whole number, a tuple, a list or an array."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, (list, tuple)):
        return tuple(operator.index(n) for n in given)
    return (operator.index(given),)


def axis_of(axis: Any) -> Any:
    """Return an axis, or a tuple of axes; None means all."""
    if axis is None or isinstance(axis, (int, np.integer)):
        return axis
    if isinstance(axis, (tuple, list)):
        return tuple(operator.index(a) for a in axis)
    raise ProgramError("TypeError: an axis that is no whole number")
