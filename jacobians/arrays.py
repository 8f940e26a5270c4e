"""Arrays at the library's border: one way to accept them, one way to size them, and dicts and lists of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from jacobians.errors import DTypeError

__all__ = [
    "Array",
    "DType",
    "OfGraph",
    "Shape",
    "StandIn",
    "Symbolic",
    "as_array",
    "as_float",
    "common_dtype",
    "format_bytes",
    "full",
    "leaves_of",
    "of_graph",
    "ones",
    "rebuilt",
    "show_shape",
    "size_of",
]


Array: TypeAlias = npt.NDArray[Any]
DType: TypeAlias = np.dtype[Any]
Shape: TypeAlias = tuple[int, ...]

_NATIVE = (np.dtype(np.float32), np.dtype(np.float64))


class StandIn:
    """What stands in for an array: it has an array's methods, and is handed on as it is."""

    __slots__ = ()


class Symbolic(StandIn):
    """What stands for an array without numbers: an expression, whose own methods write the formula."""

    __slots__ = ()


class OfGraph:
    """A value of a graph: what an operation makes of it is a value of the graph too."""

    __slots__ = ()

    array: Array
    """Its numbers."""

    def _apply(self, operation: Any, operands: tuple[Any, ...]) -> Any:
        """What an operation or a loss makes of operands, this one among them."""
        raise NotImplementedError


def of_graph(operands: Iterable[Any]) -> OfGraph | None:
    """Return the first operand that is a value of a graph; None where all are arrays."""
    for operand in operands:
        if isinstance(operand, OfGraph):
            return operand
    return None


def as_array(value: Any) -> Array:
    """Return `value` as an array; one that stands in for an array while a function is recorded stays what it is."""
    return cast(Array, value) if isinstance(value, StandIn) else np.asarray(value)


def full(shape: Shape, value: float, like: Array) -> Array:
    """Return a new array of one number in an array's dtype; in symbols where `like` is an expression."""
    if isinstance(like, Symbolic):
        return np.full_like(cast(Array, like), value, shape=shape)
    return np.full(shape, value, like.dtype)


def ones(shape: Shape, like: Array) -> Array:
    """Return a new array of ones in an array's dtype; in symbols where `like` is an expression."""
    if isinstance(like, Symbolic):
        return np.ones_like(cast(Array, like), shape=shape)
    return np.ones(shape, like.dtype)


def as_float(value: npt.ArrayLike, name: str, operation: str) -> Array:
    """Return `value` as a float32 or float64 array, without a copy where it is one already.

    Integers and booleans become float64, float16 becomes float32, extended precision is kept.

    Parameters
    ----------
    value : array_like
        Never written.
    name, operation : str
        Named in the error.

    Raises
    ------
    DTypeError
        If the entries are complex, strings or objects.
    """
    if type(value) is np.ndarray and value.dtype in _NATIVE:
        return value
    array = as_array(value)  # np.matrix too becomes an array: its * is another product
    if array.dtype in _NATIVE:
        return array
    kind = array.dtype.kind
    if kind in "bui":
        return array.astype(np.float64)
    if kind == "f":
        if array.dtype.itemsize == 2:
            return array.astype(np.float32)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    raise DTypeError(
        f"{operation}: {name} has dtype {array.dtype}; expected real numbers (float32, float64 or integers)"
    )


size_of: Callable[[Shape], int] = math.prod
"""The number of entries of an array of this shape (1 for a scalar)."""


def show_shape(shape: Shape) -> str:
    """Return a shape as text: 3×4, or scalar."""
    return "×".join(map(str, shape)) or "scalar"


def format_bytes(count: int) -> str:
    """Return a byte count as a person reads it.

    Examples
    --------
    >>> format_bytes(800), format_bytes(3 << 20)
    ('800 B', '3.0 MiB')
    """
    if count < 1024:
        return f"{count} B"
    scaled = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        scaled /= 1024
        if scaled < 1024:
            break
    return f"{scaled:.1f} {unit}"


def common_dtype(*dtypes: DType) -> DType:
    """Return the dtype that holds the entries of all of them; at once where they are the same."""
    different = set(dtypes)
    return different.pop() if len(different) == 1 else np.result_type(*different)


def leaves_of(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of every leaf, in order: ``W1``, ``[0]``, ``layers[1].b``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves_of(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from leaves_of(item, f"{name}[{i}]")
    else:
        yield name, value


def rebuilt(like: Any, items: Iterator[Any]) -> Any:
    """Return `items`, leaf by leaf, in the dicts, lists and tuples of `like`."""
    if isinstance(like, dict):
        return {name: rebuilt(item, items) for name, item in like.items()}
    if isinstance(like, (list, tuple)):
        found = [rebuilt(item, items) for item in like]
        if hasattr(like, "_fields"):  # a named tuple takes its fields one by one
            return type(like)(*found)
        return tuple(found) if isinstance(like, tuple) else found
    return next(items)
