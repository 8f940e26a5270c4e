"""Moving and adding entries: transpose, reshape, sum and mean."""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, counted, full, kind_of, size_of
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import (
    Commutation,
    Dense,
    Identity,
    Jacobian,
    Kronecker,
    PermutedAxes,
    Product,
    Reshape,
    Selection,
)
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import UNNAMED, Naming, Unary
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr, Reshaped
from jacobians.symbols.simplify import transposed

__all__ = ["Mean", "Reshaping", "Total", "Transpose", "mean", "reshape", "total", "transpose"]


def flat_examples(shape: Shape, layout: Layout, dtype: npt.DTypeLike = np.float64) -> Jacobian:
    """Return the map that makes each example of a batch one row, or one column, in the layout's vec order."""
    axes = layout.flat_axes(len(shape))
    moved = tuple(shape[axis] for axis in axes)
    flat = Reshape(layout.flat_shape(shape), moved, dtype)
    return flat if axes == tuple(range(len(shape))) else flat @ PermutedAxes(axes, shape, dtype)


class Transpose(Unary):
    """X ↦ Xᵀ for a matrix; the Jacobian is a commutation.

    Examples
    --------
    >>> Transpose()([[1.0, 2.0, 3.0]])[0].shape
    (3, 1)
    """

    piecewise_linear = True

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        if X.ndim != 2:
            raise ShapeError(f"transpose: X has shape {X.shape}; expected a matrix")
        return X.T.copy(), {"X": lambda: Commutation(X.shape[0], X.shape[1], X.dtype)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return Xᵀ, and the maker of the commutation."""
        (X,) = inputs
        return transposed(X), {"X": lambda: Commutation(X.shape[0], X.shape[1])}


class Reshaping(Unary):
    """X ↦ the same entries in C order, in another shape.

    Parameters
    ----------
    shape : tuple of int
        Of the result; one length may be -1, and is worked out from X.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Reshaping((-1, 2))([1.0, 2.0, 3.0, 4.0])[0]
    array([[1., 2.],
           [3., 4.]])
    """

    name = "reshape"
    piecewise_linear = True

    def __init__(self, shape: Shape, layout: AnyLayout | None = None) -> None:
        self.shape = _known_shape(shape)
        self.layout = None if layout is None else find_layout(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        shape = self._shape_for(X.size)
        if size_of(shape) != X.size or min(shape, default=0) < 0:
            mend = "; only one length may be -1" if self.shape.count(-1) > 1 else ""
            raise ShapeError(
                f"reshape: X has shape {X.shape}, {counted(X.size, 'entry', 'entries')}; {self.shape} does not "
                f"hold as many{mend}"
            )
        value = X.reshape(shape).copy()
        return value, {"X": lambda: Reshape(shape, X.shape, X.dtype)}

    def _shape_for(self, size: int) -> Shape:
        """The shape, with its -1 worked out for so many entries."""
        if self.shape.count(-1) != 1:
            return self.shape
        known = -size_of(self.shape)
        return tuple((size // known if known else 0) if length == -1 else length for length in self.shape)

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the input's entries in the other shape, and the maker of the reshaping."""
        (X,) = inputs
        shape = self._shape_for(size_of(X.shape))
        value = X.reshape(shape) if isinstance(X, Reshaped) else Reshaped(X, shape)
        return value, {"X": lambda: Reshape(shape, X.shape)}


def _known_shape(shape: Any) -> Shape:
    try:
        return tuple(map(operator.index, shape if isinstance(shape, (tuple, list)) else (shape,)))
    except TypeError:
        raise ArgumentError(
            f"reshape: shape is {kind_of(shape)}; expected a tuple, such as (5, 4). The order is X, shape"
        ) from None


Axis: TypeAlias = int | tuple[int, ...] | None
"""One axis, several, or all; counted from the last one where negative."""


class Total(Unary):
    """X ↦ Σ X over one axis, several or all.

    Parameters
    ----------
    axis : int or tuple of int, optional
        All axes unless given; the result is then a scalar.
    layout : Layout, Convention or str, optional
    keepdims : bool
        Keep the axes that are summed over, each of length 1.

    Raises
    ------
    ShapeError
        If `axis` is neither an integer nor several.

    Examples
    --------
    >>> Total(0)([[1.0, 2.0], [3.0, 4.0]])[0]
    array([4., 6.])
    """

    piecewise_linear = True

    def __init__(self, axis: Axis = None, layout: AnyLayout | None = None, *, keepdims: bool = False) -> None:
        self.axis = _known_axis(axis, self.name)
        self.keepdims = keepdims
        self.layout = None if layout is None else find_layout(layout)

    def _axes(self, X: Array) -> tuple[int, ...]:
        """The axes of X that are summed over, counted from the first."""
        if self.axis is None:
            return tuple(range(X.ndim))
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        for axis in given:
            if not -X.ndim <= axis < X.ndim:
                raise ShapeError(f"{self.name}: X has shape {X.shape}, which has no axis {axis}")
        axes = sorted({axis % X.ndim for axis in given})
        if len(axes) < len(given):
            raise ShapeError(f"{self.name}: X has shape {X.shape}; axis={given} names one axis twice: leave one out")
        return tuple(axes)

    def _weight(self, X: Array, axes: tuple[int, ...]) -> float:
        return 1.0

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        axes = self._axes(X)
        weight = self._weight(X, axes)
        # float64 inside: a float32 sum of many ones stops at 2**24
        value = as_array(X.sum(axis=self.axis, dtype=np.promote_types(X.dtype, np.float64)) * weight).astype(X.dtype)
        if not self.keepdims:
            return value, {"X": lambda: _ones(X, axes, weight)}
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(X.shape))
        return value.reshape(kept), {"X": lambda: Reshape(kept, value.shape, X.dtype) @ _ones(X, axes, weight)}


class Mean(Total):
    """X ↦ the mean over one axis, several or all; see `Total`.

    Examples
    --------
    >>> Mean(1)([[1.0, 2.0], [3.0, 4.0]])[0]
    array([1.5, 3.5])
    """

    def _weight(self, X: Array, axes: tuple[int, ...]) -> float:
        count = size_of(tuple(X.shape[axis] for axis in axes))
        if count == 0:
            raise DomainError(f"mean: X has shape {X.shape}; the mean of no entries is undefined")
        return 1.0 / count


def _known_axis(axis: Any, operation: str) -> Axis:
    try:
        if isinstance(axis, (tuple, list)):
            return tuple(map(operator.index, axis))
        return None if axis is None else operator.index(axis)
    except TypeError:
        raise ShapeError(
            f"{operation}: axis is {kind_of(axis)}; expected an integer, several in a tuple, such as (0, 2), or None"
        ) from None


def _ones(X: Array, axes: tuple[int, ...], weight: float) -> Jacobian:
    """Ones along the axes: 1ᵀ ⊗ I from the left, I ⊗ 1ᵀ from the right, a gathering's transpose elsewhere."""
    if len(axes) == X.ndim:
        return Dense(full(X.shape, weight, X))
    if not axes:
        return Identity(X.shape, X.dtype)
    out = tuple(size for axis, size in enumerate(X.shape) if axis not in axes)
    first, last = axes == tuple(range(len(axes))), axes == tuple(range(X.ndim - len(axes), X.ndim))
    if not first and not last:
        places = np.expand_dims(np.arange(size_of(out)).reshape(out), axes)
        spread = Selection(np.broadcast_to(places, X.shape), out, X.dtype)
        return spread.T if weight == 1.0 else weight * spread.T
    row = full((1, size_of(tuple(X.shape[axis] for axis in axes))), weight, X)
    kron = Kronecker(row, size_of(out)) if first else Kronecker(size_of(out), row)
    factors: list[Jacobian] = [Reshape(out, kron.codomain, X.dtype), kron]
    if kron.domain != X.shape:
        factors.append(Reshape(kron.domain, X.shape, X.dtype))
    return Product(tuple(factors))


@of_one
def transpose(X: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return Xᵀ as a new array, and the Jacobian: a commutation.

    Examples
    --------
    >>> value, J = transpose([[1.0, 2.0, 3.0]])
    >>> value.shape, J
    ((3, 1), Commutation(1, 3): 3×3 float64, (1, 3) → (3, 1), 0 B)
    """
    return Transpose(layout)(X)


@of_one
def reshape(X: npt.ArrayLike, shape: Shape, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return X's entries, in C order, in another shape, and the Jacobian.

    Raises
    ------
    ShapeError
        If the sizes differ.

    Examples
    --------
    >>> reshape(np.ones((2, 3, 4)), (-1, 4))[0].shape
    (6, 4)
    >>> reshape([[1.0, 2.0], [3.0, 4.0]], (4,))
    (array([1., 2., 3., 4.]), Reshape(2×2 to 4): 4×4 float64, (2, 2) → (4,), 0 B)
    """
    return Reshaping(shape, layout)(X)


@of_one
def total(
    X: npt.ArrayLike, axis: Axis = None, layout: AnyLayout | None = None, *, keepdims: bool = False
) -> tuple[Array, Jacobian]:
    """Return the sum over an axis, several or all, and the Jacobian: a vector of ones.

    Sums are carried in float64 and returned in X's dtype.

    Examples
    --------
    >>> total([[1.0, 2.0], [3.0, 4.0]], axis=0)[0]
    array([4., 6.])
    >>> total(np.ones((2, 3, 4)), axis=(0, -1))[0]
    array([8., 8., 8.])
    >>> total([[1.0, 2.0], [3.0, 4.0]], axis=1, keepdims=True)[0]
    array([[3.],
           [7.]])
    >>> total([[1.0, 2.0], [3.0, 4.0]])[1].gradient
    array([[1., 1.],
           [1., 1.]])
    """
    return Total(axis, layout, keepdims=keepdims)(X)


@of_one
def mean(
    X: npt.ArrayLike, axis: Axis = None, layout: AnyLayout | None = None, *, keepdims: bool = False
) -> tuple[Array, Jacobian]:
    """Return the mean over an axis, several or all, and the Jacobian.

    Raises
    ------
    DomainError
        If there is nothing to average.

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=1)[0]
    array([1.5, 3.5])
    """
    return Mean(axis, layout, keepdims=keepdims)(X)
