"""Arrays that NumPy makes of sizes, numbers and types, and copies of what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.evaluator.arrays import array, dtype_of, shape_of
from jacobians.programs.values import Budget, LimitError

_DEEPEST = 8
"""Lists within lists that a copy follows."""


def _sized(budget: Budget, shape: Any) -> tuple[int, ...]:
    found = shape_of(shape)
    budget.shape(found)
    return found


def _filled(value: float) -> Callable[..., Any]:
    def of(budget: Budget, shape: Any, dtype: Any = None, order: Any = "C", **_k: Any) -> Any:
        return np.full(_sized(budget, shape), value, float if dtype is None else dtype_of(dtype))

    return of


def _full(budget: Budget, shape: Any, value: Any, dtype: Any = None) -> Any:
    return np.full(_sized(budget, shape), array(value, budget) if dtype is None else dtype_of(dtype)(value))


def _like(value: float) -> Callable[..., Any]:
    def of(budget: Budget, x: Any, dtype: Any = None, **_k: Any) -> Any:
        return _full_like(budget, x, value, dtype)

    return of


def _full_like(budget: Budget, x: Any, fill: Any, dtype: Any = None) -> Any:
    x = array(x, budget)
    budget.size(x.size)
    return np.full(x.shape, array(fill, budget), dtype_of(x) if dtype is None else dtype_of(dtype))


def _eye(budget: Budget, n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Any:
    rows, columns = _sized(budget, (n, n if m is None else m))
    kind: Any = float if dtype is None else dtype_of(dtype)
    return np.eye(rows, columns, k, kind)


def _arange(budget: Budget, *bounds: Any, dtype: Any = None) -> Any:
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    budget.size(max(0.0, float((stop - start) / step)))
    made = np.arange(start, stop, step)
    return made if dtype is None else made.astype(dtype_of(dtype))


def _linspace(budget: Budget, start: Any, stop: Any, num: int = 50, **_k: Any) -> Any:
    _sized(budget, num)
    return np.linspace(float(start), float(stop), num)


def _array(budget: Budget, x: Any, dtype: Any = None, ndmin: int = 0, **_k: Any) -> Any:
    x = array(x, budget)
    budget.size(x.size)
    return np.array(x, dtype=None if dtype is None else dtype_of(dtype), ndmin=ndmin)


def _same(budget: Budget, x: Any, dtype: Any = None, **_k: Any) -> Any:
    return array(x, budget) if dtype is None else array(x, budget).astype(dtype_of(dtype))


def _sparse(budget: Budget, given: Any, shape: Any = None, **_k: Any) -> Any:
    """A sparse matrix, as a full one: of another, or of values with their rows and columns, or with the rows' ends."""
    if not isinstance(given, tuple):
        return _array(budget, given)
    if not given or not isinstance(given[0], (np.ndarray, list)):
        return np.zeros(_sized(budget, given))
    if len(given) == 2:
        values, (rows, columns) = array(given[0], budget), (array(x, budget) for x in given[1])
    else:
        values, columns, ends = (array(x, budget) for x in given)
        rows = np.repeat(np.arange(ends.size - 1), np.diff(ends))
    sizes = (int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1) if shape is None else shape
    made = np.zeros(_sized(budget, sizes))
    np.add.at(made, (rows, columns), values)
    return made


def type_of_numbers(kind: type) -> Callable[..., Any]:
    """Return the function that a type's name is when it is called, ``np.float32(x)``."""

    def of(budget: Budget, value: Any = 0) -> Any:
        made = array(value, budget).astype(kind)
        return made if made.ndim else made[()]

    return of


def _deep(budget: Budget, value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise LimitError("lists nested too deep")
    budget.objects(1)
    budget.look()
    if isinstance(value, np.ndarray):
        budget.size(value.size)
        return value.copy()
    if isinstance(value, list):
        budget.size(len(value))
        return [_deep(budget, v, depth + 1) for v in value]
    if isinstance(value, tuple):
        return tuple(_deep(budget, v, depth + 1) for v in value)
    if isinstance(value, dict):
        budget.size(len(value))
        return {k: _deep(budget, v, depth + 1) for k, v in value.items()}
    return value


MAKING: Mapping[str, Callable[..., Any]] = {
    "numpy.zeros": _filled(0), "numpy.ones": _filled(1), "numpy.empty": _filled(0), "numpy.full": _full,
    "numpy.zeros_like": _like(0), "numpy.ones_like": _like(1), "numpy.empty_like": _like(0),
    "numpy.full_like": _full_like, "numpy.eye": _eye, "numpy.identity": _eye, "numpy.arange": _arange,
    "numpy.linspace": _linspace, "numpy.array": _array, "numpy.asarray": _same, "numpy.ascontiguousarray": _same,
    "numpy.asfarray": lambda budget, x: array(x, budget).astype(float),
    "numpy.copy": lambda budget, x, **_k: _array(budget, x),
    **{f"scipy.sparse.{kind}_matrix": _sparse for kind in ("csr", "csc", "coo")},
    "copy.deepcopy": lambda budget, x: _deep(budget, x), "copy.copy": lambda budget, x: _deep(budget, x),
}  # fmt: skip
"""By full name; each takes the budget first."""
