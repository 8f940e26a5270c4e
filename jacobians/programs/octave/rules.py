"""What functions of Octave share: how a rule is called, and what an axis and a size are among its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.matrices import Array, Shape, matrix
from jacobians.programs.values import Budget, ProgramError, UnreadError

Rule: TypeAlias = Callable[..., Any]


def axis_of(of: Array, axis: Any) -> int:
    """The axis from 0 that a function goes along: the one given, or the first that is longer than 1."""
    if axis is None or (isinstance(axis, np.ndarray) and axis.size == 0):
        return next((k for k, n in enumerate(of.shape) if n != 1), 0)
    found = om.whole(axis) - 1
    if found < 0:
        raise ProgramError("the first axis is 1")
    return found


def numbers_of(arguments: Sequence[Any]) -> list[Any]:
    """Arguments without the names of types, such as "double" and "like"."""
    return [a for a in arguments if not isinstance(a, str)]


def shape_of(budget: Budget, arguments: Sequence[Any]) -> Shape:
    """The shape that zeros(3), zeros(3, 4) and zeros([3 4]) have."""
    given = numbers_of(arguments)
    if not given:
        return (1, 1)
    if len(given) == 1 and matrix(given[0]).size != 1:
        sizes = [om.whole(n) for n in om.entries(matrix(given[0]))]
        if len(sizes) < 2:
            raise ProgramError("a size has two numbers or more")
    else:
        sizes = [om.whole(n) for n in given]
        sizes = sizes * 2 if len(sizes) == 1 else sizes
    shape = om.trimmed([max(n, 0) for n in sizes])
    om.room(budget, shape)
    if len(shape) > 8:
        raise UnreadError("a matrix with more than eight axes")
    return shape
