"""What NumPy's functions do with values: they follow a rule, give a constant array, or are refused."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from jacobians.arrays import as_array, of_graph
from jacobians.errors import DomainError, FrozenError, GraphError, ShapeError
from jacobians.graphs.contractions import dot, einsum, inner, outer, tensordot, vdot
from jacobians.graphs.elementary import (
    Arccos,
    Arccosh,
    Arcsin,
    Arcsinh,
    Arctan,
    Arctan2,
    Arctanh,
    Cos,
    Cosh,
    Expm1,
    Hypot,
    Log1p,
    LogAddExp,
    Sin,
    Sinh,
    Tan,
)
from jacobians.graphs.node import Node
from jacobians.graphs.rearranging import Joined, Moved
from jacobians.operations import Exp, Log, Operation, Power, Square, Tanh
from jacobians.operations.broadcasting import Choice, Divided, Minus, Plus, Raised, Times


def numbers(argument: Any) -> Any:
    """Return an argument with arrays in the place of values, in lists and tuples too."""
    if isinstance(argument, Node):
        return argument.array
    if isinstance(argument, (list, tuple)):
        return type(argument)(map(numbers, argument))
    return argument


def _applied(operation: Operation, *operands: Any) -> Any:
    """The result of an operation on operands. A plain number gets the dtype of the value beside it."""
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
    """The larger or smaller operand. Where they are equal, the constant one counts: np.maximum(Z, 0) is relu."""
    a, b = numbers(A), numbers(B)
    return _applied(Choice(~before(b, a) if isinstance(B, Node) else before(a, b)), A, B)


_OPERATIONS: dict[np.ufunc, Operation] = {
    np.add: Plus(),
    np.subtract: Minus(),
    np.multiply: Times(),
    np.divide: Divided(),
    np.exp: Exp(),
    np.log: Log(),
    np.square: Square(),
    np.sqrt: Power(0.5),
    np.reciprocal: Power(-1.0),
    np.tanh: Tanh(),
    np.sin: Sin(),
    np.cos: Cos(),
    np.tan: Tan(),
    np.arcsin: Arcsin(),
    np.arccos: Arccos(),
    np.arctan: Arctan(),
    np.sinh: Sinh(),
    np.cosh: Cosh(),
    np.arcsinh: Arcsinh(),
    np.arccosh: Arccosh(),
    np.arctanh: Arctanh(),
    np.expm1: Expm1(),
    np.log1p: Log1p(),
    np.logaddexp: LogAddExp(),
    np.hypot: Hypot(),
    np.arctan2: Arctan2(),
}

_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.power: lambda A, B: A**B if isinstance(A, Node) else _applied(Raised(), A, B),
    np.float_power: lambda A, B: A**B if isinstance(A, Node) else _applied(Raised(), A, B),
    np.matmul: lambda A, B: A @ B if isinstance(A, Node) else B.__rmatmul__(A),
    np.maximum: _larger,
    np.minimum: _smaller,
    np.negative: lambda A: -A,
    np.positive: lambda A: A,
    np.absolute: abs,
    np.fabs: abs,
    np.exp2: lambda A: 2.0**A,
    np.log2: lambda A: np.log(A) / math.log(2.0),
    np.log10: lambda A: np.log(A) / math.log(10.0),
    **{ufunc: partial(_applied, operation) for ufunc, operation in _OPERATIONS.items()},
}

_CONSTANT = {
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.isnan, np.isfinite, np.isinf,
    np.sign, np.signbit, np.heaviside, np.floor, np.ceil, np.rint, np.trunc, np.logical_and, np.logical_or,
    np.logical_not, np.allclose, np.isclose, np.array_equal, np.argmax, np.argmin, np.argsort, np.shape, np.ndim,
    np.size, np.any,
    np.all, np.count_nonzero, np.nonzero, np.flatnonzero, np.zeros_like, np.ones_like, np.full_like, np.empty_like,
    np.result_type, np.array_repr, np.array_str, np.array2string, np.searchsorted, np.may_share_memory,
    np.shares_memory,
}  # fmt: skip
"""Functions whose results do not vary with small changes: they run on the arrays."""


def ufunc(called: np.ufunc, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return the result of a universal function, one of whose operands is a value.

    Raises
    ------
    GraphError
        If no rule is known for it.
    """
    name = f"np.{called.__name__}" if hasattr(np, called.__name__) else f"scipy.special.{called.__name__}"
    if method == "at":
        raise _in_place(f"{name}.at")
    if called in _CONSTANT and method == "__call__":
        return called(*map(numbers, inputs), **options)
    if method != "__call__" or called not in _UFUNCS or options:
        raise _unknown(name + ("" if method == "__call__" else f".{method}"), options)
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


def _where(condition: Any, x: Any, y: Any) -> Any:
    if not isinstance(x, Node) and not isinstance(y, Node):
        return np.where(numbers(condition), x, y)
    return _applied(Choice(numbers(condition)), x, y)


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    length, place, parts = ary.shape[axis], axis % ary.ndim, indices_or_sections
    if isinstance(parts, (int, np.integer)):
        if length % parts:
            raise ShapeError(f"split: axis {axis} of {ary!r} has length {length}, which {parts} does not divide")
        parts = range(length // parts, length, length // parts)
    stops = [0, *parts, length]
    return [ary[(slice(None),) * place + (slice(*ends),)] for ends in itertools.pairwise(stops)]


def _side_by_side(tup: Sequence[Any]) -> Any:
    parts = list(tup)
    return _concatenate(parts, min(np.ndim(numbers(parts[0])), 2) - 1)


def _one_above_another(tup: Sequence[Any]) -> Any:
    return _concatenate([part if np.ndim(numbers(part)) > 1 else _reshaped(part, (1, -1)) for part in tup])


def _columns(tup: Sequence[Any]) -> Any:
    return _concatenate([part if np.ndim(numbers(part)) > 1 else _reshaped(part, (-1, 1)) for part in tup], 1)


def _appended(arr: Any, values: Any, axis: int | None = None) -> Any:
    return _concatenate([arr, values], axis)


def _transposed(a: Any, axes: Any = None) -> Any:
    return a.transpose(*([] if axes is None else [axes]))


def _moved_axis(a: Any, source: Any, destination: Any) -> Any:
    # NumPy's own function on an array of these many axes, whose lengths say where each axis went
    return a.transpose([n - 1 for n in np.moveaxis(np.empty(range(1, a.ndim + 1)), source, destination).shape])


def _same_entries(called: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function that gives an array another shape, and leaves its entries in their order."""
    return lambda a, *args, **options: a.reshape(called(a.array, *args, **options).shape)


def _flipped(m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
    turned = {a % m.ndim for a in axes}
    return m[tuple(slice(None, None, -1 if i in turned else None) for i in range(m.ndim))]


def _running(join: Callable[[Any, Any], Any], a: Any, axis: int | None = None) -> Any:
    """Running sums or products, by doubling: after k steps each entry has joined the 2ᵏ up to it."""
    if axis is None:
        a, axis = a.ravel(), 0
    before = (slice(None),) * (axis % a.ndim)
    step = 1
    while step < a.shape[axis]:
        head, rest, shifted = ((*before, slice(*ends)) for ends in ((0, step), (step, None), (0, -step)))
        a = _concatenate([a[head], join(a[rest], a[shifted])], axis)
        step *= 2
    return a


def _product(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Products of halves, so that no entry is divided by: one may be 0."""
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
    gone = {own % a.ndim for own in axes}
    shape = tuple(1 if i in gone else n for i, n in enumerate(a.shape))
    for own in gone:
        before = (slice(None),) * own
        if a.shape[own] == 0:
            raise DomainError(f"prod: {a!r} has no entries along axis {own}; their product is the constant 1")
        while (count := a.shape[own]) > 1:
            half = count // 2
            both = a[(*before, slice(half))] * a[(*before, slice(half, 2 * half))]
            a = _concatenate([both, a[(*before, slice(2 * half, None))]], own) if count % 2 else both
    return a.reshape(shape if keepdims else tuple(n for i, n in enumerate(shape) if i not in gone))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Of vectors, and the Frobenius norm of matrices."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
    of_vectors = len(axes) == 1
    if ord is None or (ord == 2 and of_vectors) or (ord == "fro" and len(axes) == 2):
        squares = (x * x).sum(axis, keepdims)
        if (squares.array == 0).any():
            raise DomainError(
                "np.linalg.norm: a vector is 0, where its norm has no derivative; add an epsilon, as in "
                "((x * x).sum() + 1e-12) ** 0.5"
            )
        return squares**0.5
    if of_vectors and ord == 1:
        return abs(x).sum(axis, keepdims)
    if of_vectors and ord in (np.inf, -np.inf):
        return abs(x).max(axis, keepdims) if ord > 0 else abs(x).min(axis, keepdims)
    raise _unknown("np.linalg.norm", {"ord": ord})


def _average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    if weights is None:
        return np.mean(a, axis, keepdims=keepdims)
    shapes = np.shape(numbers(a)), np.shape(numbers(weights))
    if shapes[0] != shapes[1]:
        if not isinstance(axis, (int, np.integer)) or shapes[1] != (shapes[0][axis],):
            raise ShapeError(
                f"average: a has shape {shapes[0]}, the weights {shapes[1]}; they do not fit along {axis=}"
            )
        weights = _reshaped(weights, tuple(n if i == axis % len(shapes[0]) else 1 for i, n in enumerate(shapes[0])))
    total = np.sum(weights + np.zeros(shapes[0]), axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total


def _sorted(a: Any, axis: int | None = -1) -> Any:
    if axis is None:
        a, axis = a.ravel(), -1
    return np.take_along_axis(a, np.argsort(a.array, axis=axis, kind="stable"), axis)


_MOVING = (
    np.roll, np.rot90, np.tile, np.repeat, np.take, np.take_along_axis, np.diagonal, np.delete, np.diag, np.diagflat,
    np.tril, np.triu, np.broadcast_to, np.pad,
)  # fmt: skip
"""Functions that move entries, repeat them or put zeros beside them: an entry's place says all of them."""


def _by_places(called: Callable[..., Any]) -> Callable[..., Any]:
    def rule(a: Any, *args: Any, **options: Any) -> Any:
        if called is np.pad:
            _known_padding(*args, **options)
        if not isinstance(a, Node) or of_graph((*args, *options.values())) is not None:
            raise GraphError(
                f"{called.__name__}: where entries go is constant, so only the first argument may be a value; take the "
                ".array of the others"
            )
        return _applied(Moved(lambda array: called(array, *args, **options), called.__name__), a)

    return rule


def _known_padding(width: Any, mode: Any = "constant", **options: Any) -> None:
    if mode in ("constant", "edge", "reflect", "symmetric", "wrap") and not set(options) - {"pad_width"}:
        return
    raise _unknown("np.pad", {"mode": mode, **options})


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.hstack: _side_by_side,
    np.vstack: _one_above_another,
    np.column_stack: _columns,
    np.append: _appended,
    np.split: _split,
    np.where: _where,
    np.sum: lambda a, axis=None, keepdims=False: a.sum(axis, keepdims),
    np.mean: lambda a, axis=None, keepdims=False: a.mean(axis, keepdims),
    np.average: _average,
    np.var: lambda a, axis=None, ddof=0, keepdims=False: a.var(axis, keepdims, ddof),
    np.std: lambda a, axis=None, ddof=0, keepdims=False: a.var(axis, keepdims, ddof) ** 0.5,
    np.max: lambda a, axis=None, keepdims=False: a.max(axis, keepdims),
    np.min: lambda a, axis=None, keepdims=False: a.min(axis, keepdims),
    np.prod: _product,
    np.cumsum: partial(_running, np.add),
    np.cumprod: partial(_running, np.multiply),
    np.linalg.norm: _norm,
    np.sort: _sorted,
    np.reshape: lambda a, shape: a.reshape(shape),
    np.ravel: lambda a: a.ravel(),
    np.transpose: _transposed,
    np.swapaxes: lambda a, axis1, axis2: a.swapaxes(axis1, axis2),
    np.moveaxis: _moved_axis,
    np.expand_dims: _same_entries(np.expand_dims),
    np.squeeze: lambda a, axis=None: a.squeeze(axis),
    np.atleast_1d: _same_entries(np.atleast_1d),
    np.atleast_2d: _same_entries(np.atleast_2d),
    np.copy: lambda a: a,
    np.flip: _flipped,
    np.flipud: lambda m: _flipped(m, 0),
    np.fliplr: lambda m: _flipped(m, 1),
    np.trace: lambda a, offset=0, axis1=0, axis2=1: np.diagonal(a, offset, axis1, axis2).sum(axis=-1),
    np.diff: lambda a: a[..., 1:] - a[..., :-1],
    np.dot: dot,
    np.inner: inner,
    np.outer: outer,
    np.vdot: vdot,
    np.tensordot: tensordot,
    np.einsum: einsum,
    np.clip: lambda a, a_min, a_max: _clipped(a, a_min, a_max),
    **{called: _by_places(called) for called in _MOVING},
}

_WRITING = {np.copyto, np.put, np.put_along_axis, np.place, np.putmask, np.fill_diagonal}
"""Functions that write into an array."""

_IN_PLACE = {"byteswap", "fill", "partition", "resize", "setfield", "setflags"}
"""Methods that write into an array, beside those that are functions too."""


def _clipped(a: Any, low: Any, high: Any) -> Any:
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def function(called: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return the result of one of NumPy's functions, where an argument is a value or holds one.

    Raises
    ------
    GraphError
        If no rule is known for it.
    """
    if called in _CONSTANT:
        return called(*map(numbers, args), **{name: numbers(given) for name, given in options.items()})
    if called in _WRITING:
        raise _in_place(_own_name(called))
    rule = _FUNCTIONS.get(called)
    if rule is None:
        raise _unknown(_own_name(called), {})
    try:
        signature(rule).bind(*args, **options)
    except TypeError:
        raise _unknown(_own_name(called), options) from None
    return rule(*args, **options)


def no_such_method(value: Node, name: str) -> AttributeError:
    """Return the error for a method or an attribute that arrays have and values lack. It names the replacement."""
    called, shown = getattr(np, name, None), value.name if value.is_named else "v"
    given = f"{shown}.{name}"
    if called in _WRITING or name in _IN_PLACE:
        return _in_place(given)
    if name == "astype":
        mend = "its dtype is that of the inputs: jac.values(X=X.astype(…))"
    elif called in _FUNCTIONS or called in _CONSTANT:
        mend = f"write np.{name}({shown}, …)"
    else:
        mend = f"take {shown}.array.{name}, which is constant"
    return AttributeError(f"{given}: a value has no {name}; {mend}")


def _own_name(called: Any) -> str:
    return f"{called.__module__.replace('numpy', 'np', 1)}.{called.__name__}"


def _in_place(name: str) -> FrozenError:
    return FrozenError(
        f"{name}: a value does not change in place. Take np.where(mask, new, old), or put new parts "
        "together with np.concatenate or np.stack"
    )


_OF_SCIPY = {
    "expit": "jac.sigmoid(x)",
    "log_expit": "-jac.softplus(-x)",
    "xlogy": "x * np.log(y)",
    "xlog1py": "x * np.log1p(y)",
    "entr": "-x * np.log(x)",
    "logit": "np.log(x) - np.log1p(-x)",
}
"""Functions of scipy.special, and how they are written here."""


def _unknown(name: str, options: Mapping[str, Any]) -> GraphError:
    if (ours := _OF_SCIPY.get(name.removeprefix("scipy.special."))) and name.startswith("scipy."):
        return GraphError(f"{name}: no rule is known for its derivative; write {ours}")
    given = f" with {', '.join(f'{option}=' for option in options)}" if options else ""
    if name.startswith("np.linalg.") and not options:
        return GraphError(
            f"{name}: no rule is known for its derivative. The functions of matrices are in jac.matrix, such as "
            "jac.matrix.inverse(X); or take the .array of each value, which makes the result constant"
        )
    return GraphError(
        f"{name}{given}: no rule is known for its derivative. Use the library's operations (jac.exp, jac.softmax, …), "
        f"or write one as an Operation of your own. The .array of each value gives a result that is constant"
    )
