"""The NumPy functions that a program may call, by their full names. Each checks its result's size first."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.evaluator.array_methods import METHODS, reduced
from jacobians.programs.evaluator.arrays import array, axis_of, shape_of
from jacobians.programs.evaluator.numpy_making import MAKING, type_of_numbers
from jacobians.programs.evaluator.numpy_products import PRODUCTS, only
from jacobians.programs.evaluator.numpy_random import random_functions
from jacobians.programs.evaluator.standard_library import standard_library
from jacobians.programs.values import Budget, BuiltIn, ProgramError, UnreadError, is_number

_ONE = (
    "exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "square", "abs", "absolute", "fabs", "sign", "tanh",
    "sinh", "cosh", "sin", "cos", "tan", "arctan", "arcsinh", "reciprocal", "negative", "floor", "ceil", "rint",
    "isnan", "isfinite", "isinf", "logical_not", "exp2", "deg2rad", "cbrt", "sinc",
)  # fmt: skip
_TWO = (
    "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "power", "maximum", "minimum", "fmax",
    "fmin", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or",
    "logical_xor", "mod", "remainder", "arctan2", "logaddexp", "hypot", "float_power", "heaviside",
)  # fmt: skip
_REDUCED = (
    "sum", "mean", "max", "min", "amax", "amin", "prod", "std", "var", "any", "all", "median", "nansum", "nanmean",
    "argmax", "argmin", "ptp", "average",
)  # fmt: skip
_OF_ARRAYS_ALONE = frozenset(["tolist", "item", "astype", "fill", "flatten", "todense", "toarray"])
"""Methods that are no functions of NumPy."""
_TYPES = {
    float: ("float", "float64", "float32", "float16", "double", "float_", "longdouble", "single"),
    int: ("int", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "int_", "intp"),
    bool: ("bool", "bool_"),
}
_MATH = ("exp", "log", "sqrt", "tanh", "pow", "floor", "ceil", "fabs", "sin", "cos", "log2", "log10", "log1p")


Caller = Callable[[Any, list[Any], dict[str, Any]], Any]
"""Calls a function of the file or of a table, with arguments and keywords."""


def numpy_table(budget: Budget, rng: np.random.Generator, call: Caller | None = None) -> Mapping[str, Any]:
    """Return the functions by their full names, such as ``numpy.linalg.norm``.

    Parameters
    ----------
    budget : Budget
        Of the run: every function asks it for the size of its result.
    rng : numpy.random.Generator
        Of ``numpy.random``; a seed that the program sets is not followed.
    call : callable, optional
        Of the evaluator, for functions that take a function of the file.
    """
    rules: dict[str, Callable[..., Any]] = {**_ENTRY_BY_ENTRY, **_REDUCING, **MAKING, **PRODUCTS, **_MOVING, **_OTHER}
    table: dict[str, Any] = {name: partial(rule, budget) for name, rule in rules.items()}
    for name in METHODS.keys() - _OF_ARRAYS_ALONE:
        table.setdefault(f"numpy.{name}", _method(budget, name))
    table |= dict(_types(budget))
    for name, value in {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}.items():
        table[f"numpy.{name}"] = table[f"math.{name}"] = value
    if call is not None:
        table["numpy.vectorize"] = lambda of, **_k: BuiltIn("vectorized", partial(_for_each, budget, call, of))
        table["numpy.apply_along_axis"] = partial(_along_axis, budget, call)
    return table | random_functions(budget, rng) | dict(standard_library())


def _for_each(budget: Budget, call: Caller, of: Any, *arrays: Any) -> Any:
    """A function of numbers at each entry of arrays."""
    entries = np.broadcast_arrays(*(array(x, budget) for x in arrays))
    budget.objects(entries[0].size)
    found = [array(call(of, [x[place] for x in entries], {}), budget) for place in np.ndindex(entries[0].shape)]
    if not found or any(x.ndim for x in found):
        raise UnreadError("vectorize of a function that gives no numbers")
    return np.array(found).reshape(entries[0].shape)


def _along_axis(budget: Budget, call: Caller, of: Any, axis: Any, x: Any, *more: Any) -> Any:
    """A function of a vector for each vector along an axis of an array."""
    x = np.moveaxis(array(x, budget), operator.index(axis), -1)
    budget.objects(x.size)
    found = [array(call(of, [x[place], *more], {}), budget) for place in np.ndindex(x.shape[:-1])]
    if not found or len({part.shape for part in found}) != 1:
        raise UnreadError("apply_along_axis of this function")
    made = np.array(found).reshape(*x.shape[:-1], *found[0].shape)
    return np.moveaxis(made, -1, operator.index(axis)) if found[0].ndim == 1 else made


def _method(budget: Budget, name: str) -> Callable[..., Any]:
    """A function of NumPy that is a method as well."""
    return lambda x, *a, **k: METHODS[name](budget, array(x, budget), *a, **k)


def _types(budget: Budget) -> Iterator[tuple[str, BuiltIn]]:
    for kind, names in _TYPES.items():
        for name in names:
            yield f"numpy.{name}", BuiltIn(f"numpy.{name}", partial(type_of_numbers(kind), budget), kind)
    yield "numpy.ndarray", BuiltIn("numpy.ndarray", _no_array)


def _no_array(*_a: Any) -> Any:
    raise UnreadError("the call of numpy.ndarray")


# --- entry by entry, and over axes -------------------------------------------------------------------


def _one(name: str) -> Callable[..., Any]:
    call: Any = getattr(np, name)

    def of(budget: Budget, x: Any) -> Any:
        x = array(x, budget)
        budget.size(x.size)
        return call(x)

    return of


def _two(name: str) -> Callable[..., Any]:
    call: Any = getattr(np, name)

    def of(budget: Budget, x: Any, y: Any, *, out: Any = None, **keywords: Any) -> Any:
        x, y = array(x, budget), array(y, budget)
        budget.shape(np.broadcast_shapes(x.shape, y.shape))
        made = call(x, y)
        if out is not None:
            out[...] = made
            return out
        return made

    return of


def _where(budget: Budget, condition: Any, *rest: Any) -> Any:
    arrays = [array(condition, budget), *(array(x, budget) for x in rest)]
    budget.shape(np.broadcast_shapes(*(x.shape for x in arrays)))
    return np.where(*arrays)


def _over_axes(name: str) -> Callable[..., Any]:
    return lambda budget, x, *a, **k: reduced(name, budget, array(x, budget), *a, **k)


def _scalar(name: str) -> Callable[..., Any]:
    call: Any = getattr(math, name)

    def of(budget: Budget, *args: Any) -> Any:
        values = [x.item() if isinstance(x, np.ndarray) else x for x in args]
        return call(*(float(v) for v in values))

    return of


def _expit(budget: Budget, x: Any) -> Any:
    x = array(x, budget)
    budget.size(x.size)
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _logsumexp(budget: Budget, x: Any, axis: Any = None, keepdims: bool = False, **_k: Any) -> Any:
    x = array(x, budget)
    most = np.max(x, axis=axis_of(axis), keepdims=True)
    made = most + np.log(np.sum(np.exp(x - most), axis=axis_of(axis), keepdims=True))
    return made if keepdims else np.squeeze(made, axis=axis_of(axis))


def _softmax(budget: Budget, x: Any, axis: Any = None) -> Any:
    return np.exp(array(x, budget) - _logsumexp(budget, x, axis, keepdims=True))


def _xlogy(budget: Budget, x: Any, y: Any) -> Any:
    return np.where(array(x, budget) == 0, 0.0, array(x, budget) * np.log(array(y, budget)))


_ENTRY_BY_ENTRY: dict[str, Callable[..., Any]] = {
    **{f"numpy.{name}": _one(name) for name in _ONE},
    **{f"numpy.{name}": _two(name) for name in _TWO},
    "numpy.where": _where,
    **{f"math.{name}": _scalar(name) for name in _MATH},
    "scipy.special.expit": _expit,
    "scipy.special.logsumexp": _logsumexp,
    "scipy.special.softmax": _softmax,
    "scipy.special.xlogy": _xlogy,
}
_REDUCING: dict[str, Callable[..., Any]] = {f"numpy.{name}": _over_axes(name) for name in _REDUCED}


# --- joined, cut and moved ---------------------------------------------------------------------------


def _joined(name: str) -> Callable[..., Any]:
    call: Any = getattr(np, name)

    def of(budget: Budget, parts: Any, *args: Any, **keywords: Any) -> Any:
        arrays = [array(x, budget) for x in parts]
        budget.size(sum(max(x.size, *x.shape, 1) for x in arrays))
        return call(arrays, *args, **only(keywords, "axis"))

    return of


def _append(budget: Budget, x: Any, more: Any, axis: Any = None) -> Any:
    x, more = array(x, budget), array(more, budget)
    budget.size(x.size + more.size)
    return np.append(x, more, axis)


def _tile(budget: Budget, x: Any, times: Any) -> Any:
    x = array(x, budget)
    often = shape_of(times)
    rank = max(x.ndim, len(often))
    shape = [1] * (rank - x.ndim) + list(x.shape)
    budget.shape([float(n) * m for n, m in zip(shape, [1] * (rank - len(often)) + list(often), strict=True)])
    return np.tile(x, often)


def _split(budget: Budget, x: Any, parts: Any, axis: int = 0) -> Any:
    places = operator.index(parts) if is_number(parts) else array(parts, budget).tolist()
    # an array in Python's terms takes more than a number does, and more time
    budget.objects(16.0 * (places if isinstance(places, int) else len(places)))
    return list(np.array_split(array(x, budget), places, operator.index(axis)))


def _pad(budget: Budget, x: Any, width: Any, mode: str = "constant", constant_values: Any = 0, **_k: Any) -> Any:
    x = array(x, budget)
    if mode != "constant":
        raise UnreadError("pad of this mode")
    widths = np.broadcast_to(array(width, budget), (x.ndim, 2))
    budget.shape([float(n) + a + b for n, (a, b) in zip(x.shape, widths.tolist(), strict=True)])
    return np.pad(x, widths.tolist(), constant_values=constant_values if is_number(constant_values) else 0)


def _insert(budget: Budget, x: Any, place: Any, values: Any, axis: Any = None) -> Any:
    x, values = array(x, budget), array(values, budget)
    budget.size(x.size + max(values.size, x.size))
    place = array(place, budget)
    budget.size(float(place.size) * max(x.size / max(x.shape[0], 1) if x.ndim else 1, 1))
    return np.insert(x, place, values, axis)


def _diag(budget: Budget, x: Any, k: int = 0) -> Any:
    x = array(x, budget)
    if x.ndim == 1:
        budget.size(float(x.size + abs(k)) ** 2)
    return np.diag(x, k)


def _sorted(budget: Budget, x: Any, axis: int = -1) -> Any:
    x = array(x, budget)
    budget.size(x.size)
    return np.sort(x, axis)


def _broadcast_to(budget: Budget, x: Any, shape: Any) -> Any:
    found = shape_of(shape)
    budget.shape(found)
    return np.broadcast_to(array(x, budget), found).copy()


def _as_it_is(name: str) -> Callable[..., Any]:
    """A function that moves entries and makes none."""
    call: Any = getattr(np, name)
    return lambda budget, x: call(array(x, budget))


_MOVING: dict[str, Callable[..., Any]] = {
    **{
        f"numpy.{name}": _joined(name)
        for name in ("concatenate", "hstack", "vstack", "column_stack", "stack", "dstack")
    },
    "numpy.append": _append, "numpy.tile": _tile, "numpy.split": _split, "numpy.array_split": _split,
    "numpy.hsplit": lambda budget, x, n: _split(budget, x, n, 1), "numpy.vsplit": _split, "numpy.pad": _pad,
    "numpy.insert": _insert,
    "numpy.delete": lambda budget, x, place, axis=None: np.delete(array(x, budget), array(place, budget), axis),
    "numpy.expand_dims": lambda budget, x, axis: np.expand_dims(array(x, budget), axis_of(axis)),
    "numpy.broadcast_to": _broadcast_to,
    **{f"numpy.{name}": _as_it_is(name) for name in ("flipud", "fliplr", "atleast_2d", "atleast_1d")},
    "numpy.flip": lambda budget, x, axis=None: np.flip(array(x, budget), axis_of(axis)),
    "numpy.sort": _sorted,
    "numpy.roll": lambda budget, x, by, axis=None: np.roll(
        array(x, budget), array(by, budget).tolist(), axis_of(axis)
    ),
    "numpy.rot90": lambda budget, x, k=1: np.rot90(array(x, budget), int(k) % 4),
    "numpy.rollaxis": lambda budget, x, axis, start=0: np.rollaxis(array(x, budget), axis, start),
    "numpy.moveaxis": lambda budget, x, a, b: np.moveaxis(array(x, budget), a, b),
    "numpy.diag": _diag, "numpy.diagflat": lambda budget, x: _diag(budget, array(x, budget).ravel()),
    "numpy.triu": lambda budget, x, k=0: np.triu(array(x, budget), k),
    "numpy.tril": lambda budget, x, k=0: np.tril(array(x, budget), k),
}  # fmt: skip


# --- the rest ----------------------------------------------------------------------------------------


def _unique(budget: Budget, x: Any, **keywords: Any) -> Any:
    if any(k not in ("return_inverse", "return_counts") for k in keywords):
        raise UnreadError("unique with this option")
    return np.unique(array(x, budget), **keywords)


def _add_at(sign: float) -> Callable[..., None]:
    def of(budget: Budget, x: Any, index: Any, values: Any) -> None:
        if not isinstance(x, np.ndarray):
            raise ProgramError("TypeError: add.at takes an array")
        parts = tuple(array(p, budget) for p in index) if isinstance(index, tuple) else array(index, budget)
        values = array(values, budget)
        budget.size(values.size)
        np.add.at(x, parts, sign * values)

    return of


def _copyto(budget: Budget, x: Any, values: Any, where: Any = True) -> None:
    np.copyto(x, array(values, budget), where=array(where, budget))


def _fill_diagonal(budget: Budget, x: Any, value: Any) -> None:
    np.fill_diagonal(x, array(value, budget))


def _put_along_axis(budget: Budget, x: Any, index: Any, values: Any, axis: Any) -> None:
    np.put_along_axis(x, array(index, budget), array(values, budget), axis_of(axis))


def _take_along_axis(budget: Budget, x: Any, index: Any, axis: Any) -> Any:
    x, index = array(x, budget), array(index, budget)
    budget.size(float(index.size) * max(x.shape, default=1))
    return np.take_along_axis(x, index, axis_of(axis))


def _meshgrid(budget: Budget, *axes: Any, indexing: Any = "xy", **_k: Any) -> list[Any]:
    arrays = [array(x, budget).ravel() for x in axes]
    budget.size(len(arrays) * math.prod(float(x.size) for x in arrays))
    return list(np.meshgrid(*arrays, indexing="ij" if indexing == "ij" else "xy"))


def _ix(budget: Budget, *axes: Any) -> tuple[Any, ...]:
    return np.ix_(*(array(x, budget) for x in axes))


def _nan_to_num(budget: Budget, x: Any, **_k: Any) -> Any:
    x = array(x, budget)
    budget.size(x.size)
    return np.nan_to_num(x)


def _bincount(budget: Budget, x: Any, weights: Any = None, minlength: int = 0) -> Any:
    x = array(x, budget)
    budget.size(int(np.max(x, initial=0)) + 1)
    budget.size(operator.index(minlength))
    return np.bincount(x, None if weights is None else array(weights, budget), minlength)


def _nothing(budget: Budget, *_a: Any, **_k: Any) -> None:
    return None


_OTHER: dict[str, Callable[..., Any]] = {
    "numpy.unique": _unique, "numpy.add.at": _add_at(1.0), "numpy.subtract.at": _add_at(-1.0),
    "numpy.bincount": _bincount, "numpy.isscalar": lambda budget, x: is_number(x),
    "numpy.count_nonzero": lambda budget, x: int(np.count_nonzero(array(x, budget))),
    "numpy.allclose": lambda budget, a, b, **_k: bool(np.allclose(array(a, budget), array(b, budget))),
    "numpy.array_equal": lambda budget, a, b: bool(np.array_equal(array(a, budget), array(b, budget))),
    "numpy.shape": lambda budget, x: np.shape(array(x, budget)),
    "numpy.size": lambda budget, x, axis=None: np.size(array(x, budget), axis),
    "numpy.ndim": lambda budget, x: array(x, budget).ndim,
    "numpy.copyto": _copyto, "numpy.fill_diagonal": _fill_diagonal, "numpy.put_along_axis": _put_along_axis,
    "numpy.take_along_axis": _take_along_axis, "numpy.meshgrid": _meshgrid, "numpy.ix_": _ix,
    "numpy.nan_to_num": _nan_to_num, "numpy.seterr": _nothing, "numpy.set_printoptions": _nothing,
}  # fmt: skip
