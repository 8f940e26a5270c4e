"""What NumPy's functions do with values: they follow a rule, give a constant array, or are refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.arrays import as_array, of_graph
from jacobians.errors import GraphError, ShapeError
from jacobians.graphs.broadcasting import Choice, Divided, Minus, Plus, Raised, Times
from jacobians.graphs.node import Node
from jacobians.graphs.rearranging import Joined
from jacobians.operations import Exp, Log, Operation, Power, Square, Tanh


def numbers(argument: Any) -> Any:
    """Return an argument with arrays in the place of values, in lists and tuples too."""
    if isinstance(argument, Node):
        return argument.array
    if isinstance(argument, (list, tuple)):
        return type(argument)(map(numbers, argument))
    return argument


def _applied(operation: Operation, *operands: Any) -> Any:
    """What an operation makes of operands; a number takes on the dtype of the value beside it."""
    value = of_graph(operands)
    assert isinstance(value, Node)
    fitted = (np.asarray(o, value.dtype) if type(o) in (int, float, bool) else o for o in operands)
    return value._apply(operation, tuple(fitted))


# --- entry by entry ------------------------------------------------------------------------------------


def _larger(A: Any, B: Any) -> Any:
    return _picked(np.greater, A, B)


def _smaller(A: Any, B: Any) -> Any:
    return _picked(np.less, A, B)


def _picked(before: np.ufunc, A: Any, B: Any) -> Any:
    """The one that comes before; where both are equal, a constant, so that np.maximum(Z, 0) is relu, or else A."""
    a, b = numbers(A), numbers(B)
    return _applied(Choice(~before(b, a) if isinstance(B, Node) else before(a, b)), A, B)


_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: lambda A, B: _applied(Plus(), A, B),
    np.subtract: lambda A, B: _applied(Minus(), A, B),
    np.multiply: lambda A, B: _applied(Times(), A, B),
    np.divide: lambda A, B: _applied(Divided(), A, B),
    np.power: lambda A, B: A**B if isinstance(A, Node) else _applied(Raised(), A, B),
    np.float_power: lambda A, B: A**B if isinstance(A, Node) else _applied(Raised(), A, B),
    np.matmul: lambda A, B: A @ B if isinstance(A, Node) else B.__rmatmul__(A),
    np.maximum: _larger,
    np.minimum: _smaller,
    np.negative: lambda A: -A,
    np.positive: lambda A: A,
    np.absolute: abs,
    np.exp: lambda A: _applied(Exp(), A),
    np.log: lambda A: _applied(Log(), A),
    np.square: lambda A: _applied(Square(), A),
    np.sqrt: lambda A: _applied(Power(0.5), A),
    np.reciprocal: lambda A: _applied(Power(-1.0), A),
    np.tanh: lambda A: _applied(Tanh(), A),
}

_CONSTANT = {
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.isnan, np.isfinite, np.isinf,
    np.sign, np.signbit, np.floor, np.ceil, np.rint, np.trunc, np.logical_and, np.logical_or, np.logical_not,
    np.allclose, np.isclose, np.array_equal, np.argmax, np.argmin, np.argsort, np.shape, np.ndim, np.size, np.any,
    np.all, np.count_nonzero, np.nonzero, np.flatnonzero, np.zeros_like, np.ones_like, np.full_like, np.empty_like,
    np.result_type, np.array_repr, np.array_str, np.array2string, np.searchsorted, np.may_share_memory,
    np.shares_memory,
}  # fmt: skip
"""Functions whose results do not vary with small changes: they run on the arrays."""


def ufunc(called: np.ufunc, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return what a universal function makes of operands, one of which is a value.

    Raises
    ------
    GraphError
        If no rule is known for it.
    """
    if called in _CONSTANT and method == "__call__":
        return called(*map(numbers, inputs), **options)
    if method != "__call__" or called not in _UFUNCS or options:
        raise _unknown(f"np.{called.__name__}" + ("" if method == "__call__" else f".{method}"), options)
    return _UFUNCS[called](*inputs)


# --- arrays as a whole ---------------------------------------------------------------------------------


def _concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    parts: list[Any] = list(arrays)
    if axis is None:
        parts, axis = [_reshaped(part, (-1,)) for part in parts], 0
    return _applied(Joined(len(parts), axis), *parts)


def _stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    parts: list[Any] = list(arrays)
    shapes = {np.shape(numbers(part)) for part in parts}
    if len(shapes) > 1:
        listed = ", ".join(str(np.shape(numbers(part))) for part in parts)
        raise ShapeError(f"stack: the arrays have shapes {listed}; all must have the same")
    (shape,) = shapes
    if not -len(shape) - 1 <= axis <= len(shape):
        raise ShapeError(f"stack: arrays of shape {shape} have no place for a new axis {axis}")
    place = axis % (len(shape) + 1)
    widened = (*shape[:place], 1, *shape[place:])
    return _concatenate([_reshaped(part, widened) for part in parts], place)


def _reshaped(part: Any, shape: tuple[int, ...]) -> Any:
    array: Any = part if isinstance(part, Node) else as_array(part)
    return array.reshape(shape)


def _where(condition: Any, A: Any, B: Any) -> Any:
    if not isinstance(A, Node) and not isinstance(B, Node):
        return np.where(numbers(condition), A, B)
    return _applied(Choice(numbers(condition)), A, B)


def _moved(v: Any, source: int, destination: int) -> Any:
    order = list(range(v.ndim))
    order.insert(destination % v.ndim, order.pop(source % v.ndim))
    return v.transpose(order)


def _expanded(v: Any, axis: int) -> Any:
    place = axis % (v.ndim + 1)
    return v.reshape((*v.shape[:place], 1, *v.shape[place:]))


def _squeezed(v: Any, axis: int | None = None) -> Any:
    return v.reshape(v.array.squeeze(axis).shape)


def _split(v: Any, parts: Any, axis: int = 0) -> list[Any]:
    length, place = v.shape[axis], axis % v.ndim
    if isinstance(parts, (int, np.integer)):
        if length % parts:
            raise ShapeError(f"split: axis {axis} of {v!r} has length {length}, which {parts} does not divide")
        parts = range(length // parts, length, length // parts)
    stops = [0, *parts, length]
    return [v[(slice(None),) * place + (slice(*ends),)] for ends in itertools.pairwise(stops)]


def _side_by_side(arrays: Sequence[Any]) -> Any:
    parts = list(arrays)
    return _concatenate(parts, min(np.ndim(numbers(parts[0])), 2) - 1)


def _one_above_another(arrays: Sequence[Any]) -> Any:
    return _concatenate([part if np.ndim(numbers(part)) > 1 else _reshaped(part, (1, -1)) for part in arrays])


def _columns(arrays: Sequence[Any]) -> Any:
    return _concatenate([part if np.ndim(numbers(part)) > 1 else _reshaped(part, (-1, 1)) for part in arrays], 1)


def _dot(A: Any, B: Any) -> Any:
    return A * B if 0 in (np.ndim(numbers(A)), np.ndim(numbers(B))) else np.matmul(A, B)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.hstack: _side_by_side,
    np.vstack: _one_above_another,
    np.column_stack: _columns,
    np.split: _split,
    np.where: _where,
    np.sum: lambda v, axis=None, keepdims=False: v.sum(axis, keepdims),
    np.mean: lambda v, axis=None, keepdims=False: v.mean(axis, keepdims),
    np.var: lambda v, axis=None, keepdims=False: v.var(axis, keepdims),
    np.std: lambda v, axis=None, keepdims=False: v.var(axis, keepdims) ** 0.5,
    np.max: lambda v, axis=None, keepdims=False: v.max(axis, keepdims),
    np.min: lambda v, axis=None, keepdims=False: v.min(axis, keepdims),
    np.reshape: lambda v, shape: v.reshape(shape),
    np.ravel: lambda v: v.ravel(),
    np.transpose: lambda v, axes=None: v.transpose(*([] if axes is None else [axes])),
    np.swapaxes: lambda v, first, second: v.swapaxes(first, second),
    np.moveaxis: _moved,
    np.expand_dims: _expanded,
    np.squeeze: _squeezed,
    np.dot: _dot,
    np.clip: lambda v, low, high: np.minimum(np.maximum(v, low), high),
    np.broadcast_to: lambda v, shape: v + np.zeros(shape, v.dtype),
}


def function(called: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return what one of NumPy's functions makes of arguments, one of which is a value or holds one.

    Raises
    ------
    GraphError
        If no rule is known for it.
    """
    if called in _CONSTANT:
        return called(*map(numbers, args), **{name: numbers(given) for name, given in options.items()})
    rule = _FUNCTIONS.get(called)
    if rule is None:
        raise _unknown(_own_name(called), {})
    try:
        return rule(*args, **options)
    except TypeError as error:
        if "keyword argument" not in str(error):
            raise
        raise _unknown(_own_name(called), options) from None


def _own_name(called: Any) -> str:
    return f"{called.__module__.replace('numpy', 'np', 1)}.{called.__name__}"


def _unknown(name: str, options: Mapping[str, Any]) -> GraphError:
    given = f" with {', '.join(f'{option}=' for option in options)}" if options else ""
    return GraphError(
        f"{name}{given}: no rule is known for its derivative. Use the library's operations (jac.exp, jac.softmax, …), "
        f"write one as an Operation of your own, or take the .array of each value, which makes the result constant"
    )
