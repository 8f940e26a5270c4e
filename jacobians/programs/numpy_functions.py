"""The NumPy functions that a program may call, each behind a question for its result's size; and methods of arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.values import (
    Budget,
    BuiltIn,
    LimitError,
    Namespace,
    ProgramError,
    UnreadError,
    is_number,
    leaves,
    len_of,
)

_ONE = [
    "exp",
    "log",
    "log2",
    "log10",
    "log1p",
    "expm1",
    "sqrt",
    "square",
    "abs",
    "absolute",
    "fabs",
    "sign",
    "tanh",
    "sinh",
    "cosh",
    "sin",
    "cos",
    "tan",
    "arctan",
    "arcsinh",
    "reciprocal",
    "negative",
    "floor",
    "ceil",
    "rint",
    "isnan",
    "isfinite",
    "isinf",
    "logical_not",
    "heaviside",
    "exp2",
    "deg2rad",
    "cbrt",
    "sinc",
]
_TWO = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "true_divide",
    "floor_divide",
    "power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "mod",
    "remainder",
    "arctan2",
    "logaddexp",
    "hypot",
    "float_power",
    "heaviside",
]
_REDUCED = [
    "sum",
    "mean",
    "max",
    "min",
    "amax",
    "amin",
    "prod",
    "std",
    "var",
    "any",
    "all",
    "median",
    "nansum",
    "nanmean",
    "argmax",
    "argmin",
    "ptp",
    "average",
]
_REAL_TYPES = ["float", "float64", "float32", "float16", "double", "float_", "longdouble", "single"]
_WHOLE_TYPES = ["int", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "int_", "intp"]


def dtype_of(value: Any) -> type:
    """Return which of three types of numbers are meant: all floating-point ones are computed in double precision."""
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


def _shape(given: Any) -> tuple[int, ...]:
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, (list, tuple)):
        return tuple(operator.index(n) for n in given)
    return (operator.index(given),)


def _axis(axis: Any) -> Any:
    if axis is None or isinstance(axis, (int, np.integer)):
        return axis
    if isinstance(axis, (tuple, list)):
        return tuple(operator.index(a) for a in axis)
    raise ProgramError("TypeError: an axis that is no whole number")


def numpy_table(budget: Budget, rng: np.random.Generator) -> Mapping[str, Any]:
    """Return the functions by their full names, such as ``numpy.linalg.norm``.

    Parameters
    ----------
    budget : Budget
        Of the run: every function asks it for the size of its result.
    rng : numpy.random.Generator
        Of ``numpy.random``; a seed that the program sets is not followed.
    """
    table: dict[str, Any] = {}

    def arr(value: Any) -> Any:
        return array(value, budget)

    def sized(shape: Any) -> tuple[int, ...]:
        found = _shape(shape)
        budget.shape(found)
        return found

    def one(name: str) -> Callable[..., Any]:
        call: Any = getattr(np, name)

        def of(x: Any) -> Any:
            x = arr(x)
            budget.size(x.size)
            return call(x)

        return of

    def two(name: str) -> Callable[..., Any]:
        call: Any = getattr(np, name)

        def of(x: Any, y: Any, *, out: Any = None, **keywords: Any) -> Any:
            x, y = arr(x), arr(y)
            budget.shape(np.broadcast_shapes(x.shape, y.shape))
            made = call(x, y)
            if out is not None:
                out[...] = made
                return out
            return made

        return of

    for name in _ONE:
        if hasattr(np, name) and name not in _TWO:
            table[name] = one(name)
    for name in _TWO:
        table[name] = two(name)

    def reduced(name: str) -> Callable[..., Any]:
        return lambda x, *a, **k: _reduced(name, budget, arr(x), *a, **k)

    for name in _REDUCED:
        table[name] = reduced(name)
    for name in METHODS:
        if name not in table and name not in ("tolist", "item", "astype", "fill", "sort", "flatten", "dot"):
            table[name] = (lambda how: lambda x, *a, **k: how(budget, arr(x), *a, **k))(METHODS[name])

    def filled(value: float) -> Callable[..., Any]:
        return lambda shape, dtype=None, order="C", **_k: np.full(
            sized(shape), value, float if dtype is None else dtype_of(dtype)
        )

    table["zeros"], table["ones"], table["empty"] = filled(0), filled(1), filled(0)
    table["full"] = lambda shape, value, dtype=None: np.full(
        sized(shape), arr(value) if dtype is None else dtype_of(dtype)(value)
    )

    def like(value: float | None) -> Callable[..., Any]:
        def of(x: Any, fill: Any = value, dtype: Any = None, **_k: Any) -> Any:
            x = arr(x)
            budget.size(x.size)
            return np.full(x.shape, arr(fill), dtype_of(x) if dtype is None else dtype_of(dtype))

        return of

    table["zeros_like"] = lambda x, dtype=None, **_k: like(0)(x, 0, dtype)
    table["ones_like"] = lambda x, dtype=None, **_k: like(1)(x, 1, dtype)
    table["empty_like"] = table["zeros_like"]
    table["full_like"] = lambda x, fill, dtype=None: like(None)(x, fill, dtype)

    def eye(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Any:
        rows, columns = sized((n, n if m is None else m))
        kind: Any = float if dtype is None else dtype_of(dtype)
        return np.eye(rows, columns, k, kind)

    def arange(*bounds: Any, dtype: Any = None) -> Any:
        start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        budget.size(max(0.0, float((stop - start) / step)))
        made = np.arange(start, stop, step)
        return made if dtype is None else made.astype(dtype_of(dtype))

    def linspace(start: Any, stop: Any, num: int = 50, **_k: Any) -> Any:
        sized(num)
        return np.linspace(float(start), float(stop), num)

    def made(x: Any, dtype: Any = None, ndmin: int = 0, **_k: Any) -> Any:
        x = arr(x)
        budget.size(x.size)
        return np.array(x, dtype=None if dtype is None else dtype_of(dtype), ndmin=ndmin)

    def same(x: Any, dtype: Any = None, **_k: Any) -> Any:
        return arr(x) if dtype is None else arr(x).astype(dtype_of(dtype))

    table.update(
        eye=eye, identity=eye, arange=arange, linspace=linspace, array=made, asarray=same, ascontiguousarray=same,
        asfarray=lambda x: arr(x).astype(float), copy=lambda x, **_k: made(x),
        shape=lambda x: np.shape(arr(x)), size=lambda x, axis=None: np.size(arr(x), axis), ndim=lambda x: arr(x).ndim,
    )  # fmt: skip

    def product(name: str) -> Callable[..., Any]:
        call: Any = getattr(np, name)

        def of(a: Any, b: Any, **keywords: Any) -> Any:
            a, b = arr(a), arr(b)
            _check_product(name, a, b, budget)
            return call(a, b, **_only(keywords, "axes"))

        return of

    for name in ("dot", "matmul", "outer", "inner", "vdot", "kron"):
        table[name] = product(name)

    def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
        a, b = arr(a), arr(b)
        along = range(a.ndim - axes, a.ndim) if isinstance(axes, int) else np.atleast_1d(_axes_of(axes[0]))
        shared = math.prod(float(a.shape[k]) for k in along)
        if float(a.size) * b.size > 3e7 * max(shared, 1.0):
            raise LimitError("a product of arrays that is too large")
        budget.size(float(a.size) * b.size / max(shared, 1.0) ** 2)
        return np.tensordot(a, b, axes if isinstance(axes, int) else (_axes_of(axes[0]), _axes_of(axes[1])))

    def einsum(pattern: Any, *operands: Any, **_k: Any) -> Any:
        if not isinstance(pattern, str):
            raise UnreadError("einsum without a pattern")
        arrays = [arr(x) for x in operands]
        sizes: dict[str, int] = {}
        for letters, x in zip(pattern.replace(" ", "").split("->")[0].split(","), arrays, strict=False):
            sizes.update(zip(letters.replace(".", ""), x.shape, strict=False))
        every = math.prod(float(max(n, 1)) for n in sizes.values())
        if every > 3e7:
            raise LimitError("an einsum that is too large")
        kept = set(pattern.partition("->")[2]) if "->" in pattern and "." not in pattern else set(sizes)
        budget.shape([float(n) for letter, n in sizes.items() if letter in kept])
        return np.einsum(pattern, *arrays)

    def joined(name: str) -> Callable[..., Any]:
        call: Any = getattr(np, name)

        def of(parts: Any, *args: Any, **keywords: Any) -> Any:
            arrays = [arr(x) for x in parts]
            budget.size(sum(max(x.size, *x.shape, 1) for x in arrays))
            return call(arrays, *args, **_only(keywords, "axis"))

        return of

    for name in ("concatenate", "hstack", "vstack", "column_stack", "stack", "dstack"):
        table[name] = joined(name)

    def append(x: Any, more: Any, axis: Any = None) -> Any:
        x, more = arr(x), arr(more)
        budget.size(x.size + more.size)
        return np.append(x, more, axis)

    def tile(x: Any, times: Any) -> Any:
        x = arr(x)
        often = _shape(times)
        rank = max(x.ndim, len(often))
        shape = [1] * (rank - x.ndim) + list(x.shape)
        budget.shape([float(n) * m for n, m in zip(shape, [1] * (rank - len(often)) + list(often), strict=True)])
        return np.tile(x, often)

    def where(condition: Any, *rest: Any) -> Any:
        arrays = [arr(condition), *map(arr, rest)]
        budget.shape(np.broadcast_shapes(*(x.shape for x in arrays)))
        return np.where(*arrays)

    def split(x: Any, parts: Any, axis: int = 0) -> Any:
        places = operator.index(parts) if is_number(parts) else arr(parts).tolist()
        budget.objects(places if isinstance(places, int) else len(places))
        return list(np.array_split(arr(x), places, operator.index(axis)))

    def pad(x: Any, width: Any, mode: str = "constant", constant_values: Any = 0, **_k: Any) -> Any:
        x = arr(x)
        if mode != "constant":
            raise UnreadError("pad of this mode")
        widths = np.broadcast_to(arr(width), (x.ndim, 2))
        budget.shape([float(n) + a + b for n, (a, b) in zip(x.shape, widths.tolist(), strict=True)])
        return np.pad(x, widths.tolist(), constant_values=0 if is_number(constant_values) is False else constant_values)

    def insert(x: Any, place: Any, values: Any, axis: Any = None) -> Any:
        x, values = arr(x), arr(values)
        budget.size(x.size + max(values.size, x.size))
        place = arr(place)
        budget.size(float(place.size) * max(x.size / max(x.shape[0], 1) if x.ndim else 1, 1))
        return np.insert(x, place, values, axis)

    def delete(x: Any, place: Any, axis: Any = None) -> Any:
        return np.delete(arr(x), arr(place), axis)

    def unique(x: Any, **keywords: Any) -> Any:
        if any(k not in ("return_inverse", "return_counts") for k in keywords):
            raise UnreadError("unique with this option")
        return np.unique(arr(x), **keywords)

    def add_at(sign: float) -> Callable[..., None]:
        def of(x: Any, index: Any, values: Any) -> None:
            if not isinstance(x, np.ndarray):
                raise ProgramError("TypeError: add.at takes an array")
            parts = tuple(arr(p) for p in index) if isinstance(index, tuple) else arr(index)
            values = arr(values)
            budget.size(values.size)
            np.add.at(x, parts, sign * values)

        return of

    def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
        x = arr(x)
        sized(int(np.max(x, initial=0)) + 1)
        return np.bincount(x, None if weights is None else arr(weights), sized(minlength)[0])

    def expand(x: Any, axis: Any) -> Any:
        return np.expand_dims(arr(x), _axis(axis))

    def broadcast_to(x: Any, shape: Any) -> Any:
        return np.broadcast_to(arr(x), sized(shape)).copy()

    table.update(
        tensordot=tensordot, einsum=einsum, append=append, tile=tile, where=where, split=split, array_split=split,
        hsplit=lambda x, n: split(x, n, 1), vsplit=split, pad=pad, insert=insert, delete=delete, unique=unique,
        expand_dims=expand, broadcast_to=broadcast_to, linalg_norm=None,
        flip=lambda x, axis=None: np.flip(arr(x), axis), flipud=lambda x: np.flipud(arr(x)),
        fliplr=lambda x: np.fliplr(arr(x)),
        roll=lambda x, by, axis=None: np.roll(arr(x), arr(by).tolist(), _axis(axis)),
        rot90=lambda x, k=1: np.rot90(arr(x), int(k) % 4),
        atleast_2d=lambda x: np.atleast_2d(arr(x)), atleast_1d=lambda x: np.atleast_1d(arr(x)),
        rollaxis=lambda x, axis, start=0: np.rollaxis(arr(x), axis, start),
        moveaxis=lambda x, a, b: np.moveaxis(arr(x), a, b),
        diag=lambda x, k=0: _diag(arr(x), k, budget), diagflat=lambda x: _diag(arr(x).ravel(), 0, budget),
        triu=lambda x, k=0: np.triu(arr(x), k), tril=lambda x, k=0: np.tril(arr(x), k),
        allclose=lambda a, b, **_k: bool(np.allclose(arr(a), arr(b))),
        array_equal=lambda a, b: bool(np.array_equal(arr(a), arr(b))),
        isscalar=is_number, count_nonzero=lambda x: int(np.count_nonzero(arr(x))),
        bincount=bincount,
    )  # fmt: skip
    del table["linalg_norm"]
    table = {f"numpy.{name}": call for name, call in table.items()}
    table["numpy.add.at"], table["numpy.subtract.at"] = add_at(1.0), add_at(-1.0)
    table["numpy.multiply.outer"] = table["numpy.outer"]
    for name in ("inv", "pinv", "solve", "det", "norm", "matrix_rank"):
        table[f"numpy.linalg.{name}"] = _linear(name, budget)
    for name, value in {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None}.items():
        table[f"numpy.{name}"] = value
        table[f"math.{name}"] = value
    del table["numpy.newaxis"], table["math.newaxis"]
    for names, kind in ((_REAL_TYPES, float), (_WHOLE_TYPES, int), (["bool", "bool_"], bool)):
        for name in names:
            table[f"numpy.{name}"] = BuiltIn(f"numpy.{name}", _as_type(kind, budget), kind)
    table["numpy.ndarray"] = BuiltIn("numpy.ndarray", lambda *_a: _refuse("numpy.ndarray"))
    for name in ("seterr", "set_printoptions", "random.seed", "random.RandomState.seed"):
        table[f"numpy.{name}"] = lambda *_a, **_k: None
    for name in ("exp", "log", "sqrt", "tanh", "pow", "floor", "ceil", "fabs", "sin", "cos", "log2", "log10", "log1p"):
        table[f"math.{name}"] = _scalar(name)
    table["numpy.log"] = one("log")
    _random(table, rng, sized, arr)
    table.update(_scipy(table, arr, budget))
    table.update({"copy.deepcopy": lambda x: _deep(x, budget), "copy.copy": lambda x: _deep(x, budget)})
    return table


def _refuse(name: str) -> Any:
    raise UnreadError(f"the call of {name}")


def _only(keywords: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in keywords:
        if name not in names:
            raise UnreadError(f"the argument {name}=")
    return keywords


def _deep(value: Any, budget: Budget, depth: int = 0) -> Any:
    if depth > 8:
        raise LimitError("lists nested too deep")
    budget.objects(1)
    budget.look()
    if isinstance(value, np.ndarray):
        budget.size(value.size)
        return value.copy()
    if isinstance(value, list):
        budget.size(len(value))
        return [_deep(v, budget, depth + 1) for v in value]
    if isinstance(value, tuple):
        return tuple(_deep(v, budget, depth + 1) for v in value)
    if isinstance(value, dict):
        budget.size(len(value))
        return {k: _deep(v, budget, depth + 1) for k, v in value.items()}
    return value


def _reduced(
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
    if out is not None or keywords:
        raise UnreadError(f"{name} with this option")
    call: Any = getattr(np, name)
    budget.size(max(x.size, *x.shape, 1))
    options: dict[str, Any] = {"keepdims": True} if keepdims else {}
    if name in ("std", "var"):
        options["ddof"] = ddof
    if name == "average" and options:
        raise UnreadError("average with this option")
    return call(x, axis=_axis(axis), **options)


def _check_product(name: str, a: Any, b: Any, budget: Budget) -> None:
    if name in ("outer", "kron"):
        budget.size(float(max(a.size, *a.shape, 1)) * max(b.size, *b.shape, 1))
        return
    if a.ndim == 0 or b.ndim == 0:
        budget.size(max(a.size, b.size))
        return
    shared = a.shape[-1]
    entries = (
        math.prod(map(float, a.shape[:-1])) * math.prod(map(float, b.shape[:-2])) * (b.shape[-1] if b.ndim > 1 else 1)
    )
    if name == "inner":
        entries = math.prod(map(float, a.shape[:-1])) * math.prod(map(float, b.shape[:-1]))
    budget.size(entries)
    if entries * shared > 3e7:
        raise LimitError("a product of matrices that is too large")


def _other_norm(args: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    """Whether a norm of a matrix is another one than Frobenius' own."""
    order = args[0] if args else keywords.get("ord")
    return order is not None and order != "fro"


def _axes_of(axes: Any) -> Any:
    return operator.index(axes) if is_number(axes) else [operator.index(k) for k in axes]


def _diag(x: Any, k: int, budget: Budget) -> Any:
    if x.ndim == 1:
        budget.size(float(x.size + abs(k)) ** 2)
    return np.diag(x, k)


def _linear(name: str, budget: Budget) -> Callable[..., Any]:
    call: Any = getattr(np.linalg, name)

    def of(x: Any, *args: Any, **keywords: Any) -> Any:
        x = array(x, budget)
        if x.size > 40_000 and (name != "norm" or (_other_norm(args, keywords) and x.ndim > 1)):
            raise LimitError(f"{name} of a matrix that is too large")
        rest = [array(a, budget) if name == "solve" else a for a in args]
        if name == "norm" and rest and not (rest[0] is None or is_number(rest[0]) or rest[0] in ("fro", "nuc")):
            raise UnreadError("this norm")
        return call(x, *rest, **_only(keywords, "axis", "keepdims", "ord"))

    return of


def _as_type(kind: type, budget: Budget) -> Callable[..., Any]:
    def of(value: Any = 0) -> Any:
        made = array(value, budget).astype(kind)
        return made if made.ndim else made[()]

    return of


def _scalar(name: str) -> Callable[..., Any]:
    call: Any = getattr(math, name)

    def of(*args: Any) -> Any:
        values = [x.item() if isinstance(x, np.ndarray) else x for x in args]
        return call(*(float(v) for v in values))

    return of


def _random(table: dict[str, Any], rng: Any, sized: Any, arr: Any) -> None:
    """Random arrays; a generator object of NumPy is the module itself."""

    def dims(*shape: Any) -> Any:
        return sized(shape) if shape else None

    def normal(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return rng.normal(size=None if size is None else sized(size)) * arr(scale) + arr(loc)

    def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        low, high = arr(low), arr(high)
        return low + (high - low) * rng.random(None if size is None else sized(size))

    def integers(low: Any, high: Any = None, size: Any = None, **_k: Any) -> Any:
        low, high = (0, low) if high is None else (low, high)
        low, high = arr(low).item(), arr(high).item()
        shape = None if size is None else sized(size)
        if shape is None:
            return int(rng.integers(low, high))
        count = math.prod(shape)
        # every number comes at least once where there is room, so that every class is present
        made = np.concatenate([np.arange(low, min(high, low + count)), rng.integers(low, high, max(0, count))])[:count]
        return rng.permutation(made).reshape(shape)

    def permutation(x: Any) -> Any:
        if isinstance(x, (int, np.integer)):
            return rng.permutation(sized(x)[0])
        return rng.permutation(arr(x))

    def choice(x: Any, size: Any = None, replace: bool = True, p: Any = None) -> Any:
        items = np.arange(sized(x)[0]) if isinstance(x, (int, np.integer)) else arr(x)
        shape = None if size is None else sized(size)
        return rng.choice(items, shape, replace=bool(replace), p=None if p is None else arr(p))

    def shuffle(x: Any) -> None:
        if not isinstance(x, (np.ndarray, list)):
            raise UnreadError("shuffle of this")
        rng.shuffle(x)

    own: dict[str, Any] = {
        "randn": lambda *shape: rng.normal(size=dims(*shape)),
        "rand": lambda *shape: rng.random(dims(*shape)),
        "normal": normal,
        "standard_normal": lambda size=None: normal(size=size),
        "uniform": uniform,
        "random": lambda size=None: uniform(size=size),
        "random_sample": lambda size=None: uniform(size=size),
        "ranf": lambda size=None: uniform(size=size),
        "randint": integers,
        "integers": integers,
        "permutation": permutation,
        "choice": choice,
        "shuffle": shuffle,
        "binomial": lambda n, p, size=None: rng.binomial(n, p, None if size is None else sized(size)),
    }
    for name, call in own.items():
        table[f"numpy.random.{name}"] = call
    for name in ("RandomState", "default_rng"):
        # a generator is the module itself: only its functions are known by their names
        table[f"numpy.random.{name}"] = lambda *_a, **_k: Namespace("numpy.random")
    for name in ("shuffle", "uniform", "randint", "choice"):
        table[f"random.{name}"] = own[name]
    table["random.gauss"] = normal
    table["random.random"] = lambda: float(rng.random())
    table["random.seed"] = lambda *_a: None


def _scipy(table: dict[str, Any], arr: Any, budget: Budget) -> dict[str, Any]:
    def expit(x: Any) -> Any:
        x = arr(x)
        budget.size(x.size)
        return 0.5 * (1.0 + np.tanh(0.5 * x))

    def logsumexp(x: Any, axis: Any = None, keepdims: bool = False, **_k: Any) -> Any:
        x = arr(x)
        most = np.max(x, axis=_axis(axis), keepdims=True)
        made = most + np.log(np.sum(np.exp(x - most), axis=_axis(axis), keepdims=True))
        return made if keepdims else np.squeeze(made, axis=_axis(axis))

    def softmax(x: Any, axis: Any = None) -> Any:
        return np.exp(arr(x) - logsumexp(x, axis, keepdims=True))

    return {
        "scipy.special.expit": expit,
        "scipy.special.logsumexp": logsumexp,
        "scipy.special.softmax": softmax,
        "scipy.special.xlogy": lambda x, y: np.where(arr(x) == 0, 0.0, arr(x) * np.log(arr(y))),
    }


# --- methods of arrays, each with the budget first ---------------------------------------------------


def _method(name: str) -> Callable[..., Any]:
    return lambda budget, x, *a, **k: _reduced(name, budget, np.asarray(x), *a, **k)


def _reshape(budget: Budget, x: Any, *shape: Any, order: str = "C", **keywords: Any) -> Any:
    if "newshape" in keywords or "shape" in keywords:
        shape = (keywords.get("newshape", keywords.get("shape")),)
    sizes = shape[0] if len(shape) == 1 else shape
    if np.size(x) == 0:
        budget.size(
            max(
                map(float, _shape(sizes) if not (len(shape) == 2 and isinstance(shape[1], str)) else (1.0,)),
                default=1.0,
            )
        )
    if len(shape) == 2 and isinstance(shape[0], (tuple, list)) and isinstance(shape[1], str):
        sizes, order = shape
    return np.reshape(x, _shape(sizes), order="F" if order == "F" else "C")


def _ravel(budget: Budget, x: Any, order: str = "C") -> Any:
    return np.ravel(x, order="F" if order == "F" else "C")


def _flatten(budget: Budget, x: Any, order: str = "C") -> Any:
    budget.size(np.size(x))
    return np.asarray(x).flatten("F" if order == "F" else "C")


def _transpose(budget: Budget, x: Any, *axes: Any, **keywords: Any) -> Any:
    axes = (keywords["axes"],) if "axes" in keywords else axes
    if not axes or axes == (None,):
        return np.transpose(x)
    return np.transpose(x, _shape(axes[0] if len(axes) == 1 else axes))


def _dot(budget: Budget, x: Any, y: Any) -> Any:
    x, y = np.asarray(x), array(y, budget)
    _check_product("dot", x, y, budget)
    return np.dot(x, y)


def _astype(budget: Budget, x: Any, dtype: Any, **_k: Any) -> Any:
    budget.size(np.size(x))
    made: Any = np.asarray(x).astype(dtype_of(dtype))
    return made if made.ndim else made[()]


def _clip(budget: Budget, x: Any, low: Any = None, high: Any = None, **keywords: Any) -> Any:
    low, high = keywords.get("a_min", keywords.get("min", low)), keywords.get("a_max", keywords.get("max", high))
    low, high = (None if v is None else array(v, budget) for v in (low, high))
    budget.shape(np.broadcast_shapes(np.shape(x), np.shape(low), np.shape(high)))
    return np.clip(x, low, high)


def _repeat(budget: Budget, x: Any, times: Any, axis: Any = None) -> Any:
    times = array(times, budget)
    budget.size(max(float(np.size(x)), *map(float, np.shape(x)), 1.0) * float(np.max(times, initial=0)))
    return np.repeat(x, times, _axis(axis))


def _squeeze(budget: Budget, x: Any, axis: Any = None) -> Any:
    made = np.squeeze(x, _axis(axis))
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


def _sort(budget: Budget, x: Any, axis: int = -1) -> Any:
    budget.size(np.size(x))
    return np.sort(x, axis)


def _argsort(budget: Budget, x: Any, axis: int = -1) -> Any:
    budget.size(np.size(x))
    return np.argsort(x, axis, kind="stable")


def _running(how: Any, budget: Budget, x: Any, axis: Any) -> Any:
    budget.size(np.size(x))
    return how(x, _axis(axis))


def _rounded(budget: Budget, x: Any, decimals: Any) -> Any:
    if abs(operator.index(decimals)) > 400:
        raise UnreadError("round to this many digits")
    budget.size(np.size(x))
    return np.round(x, decimals)


def _take(budget: Budget, x: Any, index: Any, axis: Any = None) -> Any:
    index = array(index, budget)
    each = np.size(x) / max(np.shape(x)[axis], 1) if isinstance(axis, (int, np.integer)) else 1.0
    budget.size(float(index.size) * max(each, 1.0))
    return np.take(x, index, _axis(axis))


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
