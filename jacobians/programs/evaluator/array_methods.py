"""Methods of arrays. Each checks its result's size first; most are NumPy's functions of the same name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.programs.evaluator.arrays import array, axis_of, dtype_of, shape_of
from jacobians.programs.evaluator.numpy_products import check_product
from jacobians.programs.values import Budget, UnreadError


def reduced(
    name: str,
    budget: Budget,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    ddof: int = 0,
    **keywords: Any,
) -> Any:
    """Return a sum, a mean and the like over all axes, or over those that are given."""
    if out is not None or keywords:
        raise UnreadError(f"{name} with this option")
    call: Any = getattr(np, name)
    budget.size(max(x.size, *x.shape, 1))
    options: dict[str, Any] = {"keepdims": True} if keepdims else {}
    if name in ("std", "var"):
        options["ddof"] = ddof
    if name == "average" and options:
        raise UnreadError("average with this option")
    return call(x, axis=axis_of(axis), **options)


def _method(name: str) -> Callable[..., Any]:
    return lambda budget, x, *a, **k: reduced(name, budget, np.asarray(x), *a, **k)


def _reshape(budget: Budget, x: Any, *shape: Any, order: str = "C", **keywords: Any) -> Any:
    if "newshape" in keywords or "shape" in keywords:
        shape = (keywords.get("newshape", keywords.get("shape")),)
    sizes = shape[0] if len(shape) == 1 else shape
    if np.size(x) == 0:
        budget.size(
            max(
                map(float, shape_of(sizes) if not (len(shape) == 2 and isinstance(shape[1], str)) else (1.0,)),
                default=1.0,
            )
        )
    if len(shape) == 2 and isinstance(shape[0], (tuple, list)) and isinstance(shape[1], str):
        sizes, order = shape
    return np.reshape(x, shape_of(sizes), order="F" if order == "F" else "C")


def _ravel(budget: Budget, x: Any, order: str = "C") -> Any:
    return np.ravel(x, order="F" if order == "F" else "C")


def _flatten(budget: Budget, x: Any, order: str = "C") -> Any:
    budget.size(np.size(x))
    return np.asarray(x).flatten("F" if order == "F" else "C")


def _transpose(budget: Budget, x: Any, *axes: Any, **keywords: Any) -> Any:
    axes = (keywords["axes"],) if "axes" in keywords else axes
    if not axes or axes == (None,):
        return np.transpose(x)
    return np.transpose(x, shape_of(axes[0] if len(axes) == 1 else axes))


def _dot(budget: Budget, x: Any, y: Any) -> Any:
    x, y = np.asarray(x), array(y, budget)
    check_product("dot", x, y, budget)
    return np.dot(x, y)


def _astype(budget: Budget, x: Any, dtype: Any, **_k: Any) -> Any:
    budget.size(np.size(x))
    made: Any = np.asarray(x).astype(dtype_of(dtype))
    return made if made.ndim else made[()]


def _clip(budget: Budget, x: Any, low: Any = None, high: Any = None, out: Any = None, **keywords: Any) -> Any:
    low, high = keywords.get("a_min", keywords.get("min", low)), keywords.get("a_max", keywords.get("max", high))
    low, high = (None if v is None else array(v, budget) for v in (low, high))
    budget.shape(np.broadcast_shapes(np.shape(x), np.shape(low), np.shape(high)))
    made = np.clip(x, low, high)
    if isinstance(out, np.ndarray):
        out[...] = made
        return out
    return made


def _repeat(budget: Budget, x: Any, times: Any, axis: Any = None) -> Any:
    times = array(times, budget)
    budget.size(max(float(np.size(x)), *map(float, np.shape(x)), 1.0) * float(np.max(times, initial=0)))
    return np.repeat(x, times, axis_of(axis))


def _squeeze(budget: Budget, x: Any, axis: Any = None) -> Any:
    made = np.squeeze(x, axis_of(axis))
    return made


def _copy(budget: Budget, x: Any, **_k: Any) -> Any:
    budget.size(np.size(x))
    return np.array(x)


def _item(budget: Budget, x: Any, *index: Any) -> Any:
    return np.asarray(x).item(*index)


def _tolist(budget: Budget, x: Any) -> Any:
    budget.objects(np.size(x))
    return np.asarray(x).tolist()


def _fill(budget: Budget, x: Any, value: Any) -> None:
    x[...] = array(value, budget)


def _sort(budget: Budget, x: Any, axis: int = -1) -> None:
    budget.size(np.size(x))
    x.sort(axis)


def _argsort(budget: Budget, x: Any, axis: int = -1) -> Any:
    budget.size(np.size(x))
    return np.argsort(x, axis, kind="stable")


def _running(how: Any, budget: Budget, x: Any, axis: Any) -> Any:
    budget.size(np.size(x))
    return how(x, axis_of(axis))


def _rounded(budget: Budget, x: Any, decimals: Any) -> Any:
    if abs(operator.index(decimals)) > 400:
        raise UnreadError("round to this many digits")
    budget.size(np.size(x))
    return np.round(x, decimals)


def _take(budget: Budget, x: Any, index: Any, axis: Any = None) -> Any:
    index = array(index, budget)
    each = np.size(x) / max(np.shape(x)[axis], 1) if isinstance(axis, (int, np.integer)) else 1.0
    budget.size(float(index.size) * max(each, 1.0))
    return np.take(x, index, axis_of(axis))


METHODS: dict[str, Callable[..., Any]] = {
    **{
        name: _method(name)
        for name in ("sum", "mean", "max", "min", "prod", "std", "var", "any", "all", "argmax", "argmin", "ptp")
    },
    "reshape": _reshape,
    "ravel": _ravel,
    "flatten": _flatten,
    "transpose": _transpose,
    "dot": _dot,
    "astype": _astype,
    "clip": _clip,
    "repeat": _repeat,
    "squeeze": _squeeze,
    "copy": _copy,
    **dict.fromkeys(("todense", "toarray"), _copy),
    "item": _item,
    "tolist": _tolist,
    "fill": _fill,
    "sort": _sort,
    "argsort": _argsort,
    "take": _take,
    "cumsum": lambda budget, x, axis=None: _running(np.cumsum, budget, x, axis),
    "cumprod": lambda budget, x, axis=None: _running(np.cumprod, budget, x, axis),
    "round": lambda budget, x, decimals=0: _rounded(budget, x, decimals),
    "around": lambda budget, x, decimals=0: _rounded(budget, x, decimals),
    "conj": lambda budget, x: np.conj(x),
    "swapaxes": lambda budget, x, a, b: np.swapaxes(x, a, b),
    "nonzero": lambda budget, x: np.nonzero(np.atleast_1d(x)),
    "diagonal": lambda budget, x: np.diagonal(x).copy(),
    "trace": lambda budget, x: np.trace(x),
}
