"""Operations that take, move and join entries: indexing, axes in another order, the largest entries, concatenation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, cast

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_array, size_of
from jacobians.errors import DomainError, ShapeError
from jacobians.linops import Diagonal, Jacobian, PermutedAxes, Reshape, Selection
from jacobians.operations import Primitive, Unary
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers
from jacobians.symbols.expressions import Expr


class Indexed(Unary):
    """X ↦ X[key], with a key as NumPy takes it."""

    name = "index"
    piecewise_linear = True

    def __init__(self, key: Any) -> None:
        self.key = key

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        try:
            value = as_array(X[self.key])
        except IndexError as error:
            raise ShapeError(f"index: X has shape {X.shape}; {error}") from None
        return value.copy(), {"X": partial(_selection, self.key, X.shape, value.shape, X.dtype)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the entries that the Jacobian selects."""
        (X,) = inputs
        places = np.arange(X.size).reshape(X.shape)[self.key]
        kept = _selection(self.key, X.shape, places.shape, X.dtype)
        if any(isinstance(part, slice) and part.step not in (None, 1) for part in _parts(self.key)):
            kept = Selection(places, X.shape)
        return cast(Expr, kept._jvp(cast(Array, X))), {"X": lambda: kept}


def _selection(key: Any, shape: Shape, found: Shape, dtype: DType) -> Jacobian:
    """One slice per axis where the key has only integers, slices, Ellipsis and None; else the places of the entries."""
    parts = _parts(key)
    if not all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts):
        return Selection(np.arange(size_of(shape)).reshape(shape)[key], shape, dtype)
    parts = tuple(part for part in parts if part is not None)
    before = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    after = parts[before + 1 :]
    parts = (*parts[:before], *(slice(None),) * (len(shape) - before - len(after)), *after)
    slices = tuple(part if isinstance(part, slice) else _only(part, n) for part, n in zip(parts, shape, strict=True))
    kept = Selection(slices, shape, dtype)
    return kept if kept.codomain == found else Reshape(found, kept.codomain, dtype) @ kept


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _only(place: int, count: int) -> slice:
    place %= count
    return slice(place, place + 1)


class Permuted(Unary):
    """X ↦ X with its axes in another order.

    Parameters
    ----------
    axes : sequence of int
    """

    name = "transpose"
    piecewise_linear = True

    def __init__(self, axes: Sequence[int]) -> None:
        self.axes = tuple(axes)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        return X.transpose(self.axes).copy(), {"X": lambda: PermutedAxes(self.axes, X.shape, X.dtype)}


class Moved(Unary):
    """X ↦ f(X), where f moves entries, repeats them or adds zeros, whatever the numbers are.

    What f makes of the entries' places says where each comes from.

    Parameters
    ----------
    move : callable
        A function of an array.
    called : str
        What it is called in messages.
    """

    piecewise_linear = True

    def __init__(self, move: Callable[[Array], Array], called: str) -> None:
        self.move = move
        self.called = called

    @property
    def name(self) -> str:
        return self.called

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        try:
            value = as_array(self.move(X))
        except (ValueError, IndexError) as error:
            raise ShapeError(f"{self.name}: X has shape {X.shape}; {error}") from None
        return value.copy(), {"X": lambda: self._from_places(X.shape, X.dtype)}

    def _from_places(self, shape: Shape, dtype: DType) -> Jacobian:
        every = np.arange(1, size_of(shape) + 1).reshape(shape)
        places = as_array(self.move(every))
        kept = places > 0
        if places.shape == shape and np.array_equal(places[kept], every[kept]):
            return Diagonal(kept.astype(dtype))
        taken = Selection(np.maximum(places - 1, 0), shape, dtype)
        return taken if kept.all() else Diagonal(kept.astype(dtype)) @ taken


class Extreme(Unary):
    """X ↦ its largest or smallest entries along an axis, or over all; of equal ones, the first.

    Parameters
    ----------
    which : {"max", "min"}
    axis : int, optional
    """

    piecewise_linear = True

    def __init__(self, which: Literal["max", "min"], axis: int | None = None) -> None:
        self.which = which
        self.axis = axis

    @property
    def name(self) -> str:
        return self.which

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        if self.axis is not None and not -X.ndim <= self.axis < X.ndim:
            raise ShapeError(f"{self.name}: X has shape {X.shape}, which has no axis {self.axis}")
        if (X.size if self.axis is None else X.shape[self.axis]) == 0:
            raise DomainError(f"{self.name}: X has shape {X.shape}; of no entries none is the largest or smallest")
        find = np.argmax if self.which == "max" else np.argmin
        places = np.arange(X.size).reshape(X.shape)
        own = as_array(find(X, axis=self.axis))
        if self.axis is not None:
            own = np.take_along_axis(places, np.expand_dims(own, self.axis), self.axis).squeeze(self.axis)
        return as_array(X.ravel()[own]), {"X": lambda: Selection(own, X.shape, X.dtype)}


class Joined(Primitive):
    """(A₀, A₁, …) ↦ their concatenation along an axis. Each Jacobian places one array's entries among zeros.

    Parameters
    ----------
    count : int
        Of the arrays.
    axis : int
    """

    name = "concatenate"
    piecewise_linear = True

    def __init__(self, count: int, axis: int = 0) -> None:
        self.count = count
        self.axis = axis

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"A{i}" for i in range(self.count))

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        try:
            joined = np.concatenate(arrays, axis=self.axis)
        except ValueError:
            raise ShapeError(
                f"concatenate: the arrays have shapes {', '.join(str(a.shape) for a in arrays)}; they "
                f"must have an axis {self.axis}, and the same lengths along all other axes"
            ) from None
        stops = np.cumsum([a.shape[self.axis] for a in arrays]).tolist()
        makers: Makers = {}
        for name, array, stop in zip(self.names, arrays, stops, strict=True):
            key = [slice(None)] * joined.ndim
            key[self.axis] = slice(stop - array.shape[self.axis], stop)
            makers[name] = partial(_placed, tuple(key), joined.shape, joined.dtype)
        return joined, makers


def _placed(key: tuple[slice, ...], shape: Shape, dtype: DType) -> Jacobian:
    return Selection(key, shape, dtype).T
