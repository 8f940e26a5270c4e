"""Octave's functions along an axis: sums, means, the largest entries, sorting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.matrices import Array, matrix, number
from jacobians.programs.octave.rules import Rule, axis_of, numbers_of
from jacobians.programs.values import Budget, ProgramError, UnreadError


def reduced(rule: Callable[..., Array]) -> Rule:
    """Return a function that reduces each column to one entry. Of [] it is its value for no entry."""

    def reduce(budget: Budget, of: Any, axis: Any = None, *_: Any) -> Array:
        held = number(of)
        if isinstance(axis, str):
            axis = None
        if held.shape == (0, 0) and (axis is None or om.whole(axis) == 1):
            held = held.reshape(0, 1)
        along = axis_of(held, axis)
        if along >= held.ndim:
            held = held[..., *[None] * (along + 1 - held.ndim)]
        budget.size(held.size)
        found = rule(held, axis=along, keepdims=True)
        return found.reshape(om.trimmed(found.shape), order="F")

    return reduce


def _mean(of: Array, axis: int, keepdims: bool) -> Array:
    return np.sum(of, axis=axis, keepdims=keepdims) / of.shape[axis]


def _median(of: Array, axis: int, keepdims: bool) -> Array:
    if of.shape[axis] == 0:
        raise ProgramError("median of an empty matrix")
    return np.median(of, axis=axis, keepdims=keepdims)


def _any(of: Array, axis: int, keepdims: bool) -> Array:
    return np.any(of != 0, axis=axis, keepdims=keepdims)


def _all(of: Array, axis: int, keepdims: bool) -> Array:
    return np.all(of != 0, axis=axis, keepdims=keepdims)


def _sum_of_squares(of: Array, axis: int, keepdims: bool) -> Array:
    return np.sum(of * of, axis=axis, keepdims=keepdims)


def _running(rule: Callable[..., Array]) -> Rule:
    def run(budget: Budget, of: Any, axis: Any = None) -> Array:
        held = number(of)
        along = axis_of(held, axis)
        budget.size(held.size)
        return held if along >= held.ndim else rule(held, axis=along)

    return run


def _variance(budget: Budget, of: Any, kind: Any = 0.0, axis: Any = None) -> Array:
    held = number(of)
    along = axis_of(held, axis)
    if isinstance(kind, np.ndarray) and kind.size == 0:
        kind = 0.0
    budget.size(held.size)
    if held.shape == (0, 0):
        return matrix(np.nan)
    if along >= held.ndim or held.shape[along] == 0:
        return np.zeros(held.shape)
    less = 0 if om.whole(kind) else 1
    n = held.shape[along]
    away = held - np.mean(held, axis=along, keepdims=True)
    return np.sum(away * away, axis=along, keepdims=True) / max(n - less, 1)


def _deviation(budget: Budget, of: Any, kind: Any = 0.0, axis: Any = None) -> Array:
    return np.sqrt(_variance(budget, of, kind, axis))


def _differences(budget: Budget, of: Any, times: Any = 1.0, axis: Any = None) -> Array:
    held = number(of)
    n = om.whole(times)
    along = axis_of(held, axis)
    if not 0 <= n <= 64 or along >= held.ndim:
        raise UnreadError("diff of this order")
    budget.size(held.size * (n + 1.0))
    if held.size <= 1 and n:
        return om.empty()
    return np.diff(held, n, axis=along)


def _extreme(largest: bool) -> Rule:
    def extreme(budget: Budget, of: Any, other: Any = None, axis: Any = None) -> Any:
        if other is not None and axis is None:
            return (np.fmax if largest else np.fmin)(*om.broadcast(budget, of, other))
        return _extremes(budget, largest, of, axis)[0]

    return extreme


def _extreme_outputs(largest: bool) -> Rule:
    def extreme(budget: Budget, count: Any, of: Any, other: Any = None, axis: Any = None) -> tuple[Array, ...]:
        if other is not None and matrix(other).size:
            raise ProgramError("max and min of two matrices give no index")
        return om.outputs(om.whole(count), _extremes(budget, largest, of, axis))

    return extreme


def _extremes(budget: Budget, largest: bool, of: Any, axis: Any) -> tuple[Array, Array]:
    """The largest entries, and the first index of each; what is NaN counts for nothing."""
    held = matrix(of)
    along = axis_of(held, axis)
    budget.size(held.size)
    if held.shape == (0, 0) and axis is None:
        return held, held
    if along >= held.ndim:
        return held, np.ones(held.shape)
    if held.shape[along] == 0:
        shape = tuple(0 if k == along else n for k, n in enumerate(held.shape))
        return np.zeros(shape), np.zeros(shape)
    sure = held if held.dtype.kind == "b" else np.where(np.isnan(held), -np.inf if largest else np.inf, held)
    at = (np.argmax if largest else np.argmin)(sure, axis=along, keepdims=True)
    best = np.take_along_axis(held, at, along)  # NaN where all are
    return best.reshape(om.trimmed(best.shape)), (at + 1.0).reshape(om.trimmed(best.shape))


def _sorted(budget: Budget, of: Any, *how: Any) -> Array:
    return _sorted_outputs(budget, 1.0, of, *how)[0]


def _sorted_outputs(budget: Budget, count: Any, of: Any, *how: Any) -> tuple[Array, ...]:
    if isinstance(of, list):
        raise UnreadError("sort of a cell array")
    held = matrix(of)
    falling = any(isinstance(h, str) and h.lower() == "descend" for h in how)
    along = axis_of(held, next(iter(numbers_of(how)), None))
    budget.size(8.0 * held.size)
    if along >= held.ndim:
        return om.outputs(om.whole(count), (held, np.ones(held.shape)))
    if falling:
        key = np.where(np.isnan(held), -np.inf, -number(held))
        at = np.argsort(key, axis=along, kind="stable")
    else:
        at = np.argsort(held, axis=along, kind="stable")
    return om.outputs(om.whole(count), (np.take_along_axis(held, at, along), at + 1.0))


def _unique(budget: Budget, of: Any, *how: Any) -> Array:
    return _unique_outputs(budget, 1.0, of, *how)[0]


def _unique_outputs(budget: Budget, count: Any, of: Any, *how: Any) -> tuple[Array, ...]:
    if isinstance(of, list):
        raise UnreadError("unique of a cell array")
    if not set(how) <= {"rows", "first", "last"}:
        raise UnreadError("this way of unique")
    held = matrix(of)
    budget.size(8.0 * held.size)
    if held.size == 0:
        return om.outputs(om.whole(count), (held, om.empty(), om.empty()))
    if "rows" in how:
        found, first, where = np.unique(held, axis=0, return_index=True, return_inverse=True)
        flat = where.reshape(-1)
    else:
        found, first, where = np.unique(om.entries(held), return_index=True, return_inverse=True)
        flat = where.reshape(-1)
        found = found[None] if held.shape[0] == 1 and held.ndim == 2 and held.size > 1 else found[:, None]
    if "last" in how:
        first[flat] = np.arange(flat.size)
    return om.outputs(om.whole(count), (found, first[:, None] + 1.0, flat[:, None] + 1.0))


ALONG_AXES: Mapping[str, Rule] = {
    "sum": reduced(np.sum), "prod": reduced(np.prod), "mean": reduced(_mean), "median": reduced(_median),
    "any": reduced(_any), "all": reduced(_all), "sumsq": reduced(_sum_of_squares), "cumsum": _running(np.cumsum),
    "cumprod": _running(np.cumprod), "var": _variance, "std": _deviation, "diff": _differences,
    "max": _extreme(True), "min": _extreme(False), "sort": _sorted, "unique": _unique,
    "max outputs": _extreme_outputs(True), "min outputs": _extreme_outputs(False), "sort outputs": _sorted_outputs,
    "unique outputs": _unique_outputs, "nnz": lambda budget, of: float(np.count_nonzero(matrix(of))),
}  # fmt: skip
"""By name; a name with "outputs" is what it gives where several are asked for."""
