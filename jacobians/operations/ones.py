"""The entry of ones that absorbs a bias: adding it, and dropping it on the way back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Jacobian, Selection
from jacobians.operations.base import Makers, Unary

__all__ = ["AddOnes", "add_ones", "check_matrix", "placement", "with_ones"]


class AddOnes(Unary):
    """X ↦ [1 X] or [X 1]: one entry of ones for each example.

    Its Jacobian places entries, so its VJP is the selection that drops them: "remove δ₀" in Ng's exercise 4.

    Parameters
    ----------
    layout : Layout
        With bias "first" or "last".
    """

    per_example = True

    def __init__(self, layout: Layout) -> None:
        if not layout.absorbs_bias:
            raise LayoutError(f"add_ones: the layout keeps its bias {layout.bias!r}; choose bias='first' or 'last'")
        self.layout: Layout = layout

    @property
    def name(self) -> str:
        return "add_ones"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        check_matrix(X, "X", "add_ones", self.layout)
        return with_ones(X, self.layout), {"X": lambda: placement(X, self.layout)}


def add_ones(X: npt.ArrayLike, layout: Layout) -> tuple[Array, Jacobian]:
    """Return X with an entry of ones for each example, and the Jacobian.

    Parameters
    ----------
    X : array_like, shape (N, D) or (D, N)
    layout : Layout
        With bias "first" or "last".

    Raises
    ------
    LayoutError
        If the layout keeps its bias elsewhere.

    Examples
    --------
    >>> value, J = add_ones([[5.0, 6.0]], Layout(bias="first"))
    >>> value, J.vjp(np.array([[10.0, 20.0, 30.0]]))
    (array([[1., 5., 6.]]), array([[20., 30.]]))
    """
    return AddOnes(layout).apply(X)


def with_ones(X: Array, layout: Layout) -> Array:
    """Return a new array: X with an entry of ones for each example, first or last."""
    ones = np.ones(layout.batch_shape(X.shape[layout.batch_axis], 1), dtype=X.dtype)
    parts = (ones, X) if layout.bias == "first" else (X, ones)
    return np.concatenate(parts, axis=layout.feature_axis)


def placement(X: Array, layout: Layout) -> Jacobian:
    """Return the Jacobian of adding ones: the transpose of the selection that drops them."""
    features = X.shape[layout.feature_axis]
    kept = slice(1, None) if layout.bias == "first" else slice(0, features)
    key = (slice(None), kept) if layout.batch == "rows" else (kept, slice(None))
    shape = layout.batch_shape(X.shape[layout.batch_axis], features + 1)
    return Selection(key, shape, X.dtype).T


def check_matrix(array: Array, name: str, operation: str, layout: Layout) -> None:
    """Raise ShapeError unless the array is a matrix."""
    if array.ndim != 2:
        raise ShapeError(f"{operation}: {name} has shape {array.shape}; expected a matrix ({layout})")
