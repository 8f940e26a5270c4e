"""Octave's functions that move entries: reshape, permute, flips, diagonals, triangles, and joining."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.matrices import Array, matrix
from jacobians.programs.octave.rules import Rule, axis_of, shape_of
from jacobians.programs.values import Budget, ProgramError, UnreadError


def _reshape(budget: Budget, of: Any, *arguments: Any) -> Any:
    if isinstance(of, (str, list)):
        raise UnreadError("reshape of what is no matrix")
    held = matrix(of)
    if len(arguments) > 1 and any(matrix(a).size == 0 for a in arguments):
        known = [None if matrix(a).size == 0 else om.whole(a) for a in arguments]
        rest = om.volume([n for n in known if n is not None])
        if known.count(None) != 1 or rest < 1 or held.size % rest:
            raise ProgramError(f"reshape: {held.size} entries do not fit")
        arguments = tuple(float(held.size // int(rest)) if n is None else float(n) for n in known)
    shape = shape_of(budget, arguments)
    if om.volume(shape) != held.size:
        raise ProgramError(f"reshape: a matrix of {om.dims(held.shape)} cannot become {om.dims(shape)}")
    return held.reshape(shape, order="F")


def _permute(budget: Budget, of: Any, order: Any) -> Array:
    held = matrix(of)
    axes = [om.whole(n) - 1 for n in om.entries(matrix(order))]
    if sorted(axes) != list(range(len(axes))) or len(axes) < held.ndim or len(axes) > 8:
        raise ProgramError("permute: every axis is named once")
    budget.size(held.size)
    found = np.transpose(held.reshape(om._folded(held.shape, len(axes)), order="F"), axes)
    return found.reshape(om.trimmed(found.shape), order="F")


def _squeeze(budget: Budget, of: Any) -> Array:
    held = matrix(of)
    if held.ndim == 2:
        return held
    return held.reshape(om.trimmed([n for n in held.shape if n != 1]), order="F")


def _column(budget: Budget, of: Any) -> Array:
    return om.entries(matrix(of))[:, None]


def _flipped(budget: Budget, of: Any, axis: Any = None) -> Array:
    held = matrix(of)
    along = axis_of(held, axis)
    return held if along >= held.ndim else np.flip(held, along)


def _circshift(budget: Budget, of: Any, by: Any, axis: Any = None) -> Array:
    held = matrix(of)
    shifts = [om.whole(n) for n in om.entries(matrix(by))]
    budget.size(held.size)
    if len(shifts) > 1:
        return np.roll(held, shifts, tuple(range(len(shifts))))
    along = axis_of(held, axis)
    return held if along >= held.ndim else np.roll(held, shifts[0], along)


def _diagonal(budget: Budget, of: Any, by: Any = 0.0) -> Array:
    held, k = matrix(of), om.whole(by)
    if held.ndim > 2:
        raise ProgramError("diag: a matrix has two axes")
    if 1 in held.shape:
        budget.size((held.size + float(abs(k))) ** 2)
        return np.diag(om.entries(held), k)
    return np.diag(held, k)[:, None].copy() if held.size else om.empty()


def _triangle(rule: Callable[..., Array]) -> Rule:
    def cut(budget: Budget, of: Any, by: Any = 0.0) -> Array:
        held = matrix(of)
        budget.size(held.size)
        return rule(held, om.whole(by))

    return cut


def _cat(budget: Budget, axis: Any, *parts: Any) -> Any:
    along = om.whole(axis) - 1
    if not 0 <= along < 4:
        raise ProgramError("cat: the axis is out of range")
    return om.joined(budget, along, parts)


def _cells_joined(budget: Budget, of: Any) -> Any:
    """cell2mat."""
    return om.joined(budget, 1, of if isinstance(of, list) else [of])


REARRANGING: Mapping[str, Rule] = {
    "reshape": _reshape, "permute": _permute, "squeeze": _squeeze, "vec": _column, "flip": _flipped,
    "flipud": lambda budget, of: _flipped(budget, of, 1.0), "fliplr": lambda budget, of: _flipped(budget, of, 2.0),
    "circshift": _circshift, "diag": _diagonal, "tril": _triangle(np.tril), "triu": _triangle(np.triu), "cat": _cat,
    "horzcat": lambda budget, *parts: om.joined(budget, 1, parts),
    "vertcat": lambda budget, *parts: om.joined(budget, 0, parts),
    "cell2mat": _cells_joined, **dict.fromkeys(("transpose", "ctranspose"), om.transpose),
}  # fmt: skip
"""By name."""
