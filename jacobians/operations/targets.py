"""Targets of a loss: labels as class indices, and real targets of the inputs' own shape, checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_float
from jacobians.errors import DomainError, DTypeError, ShapeError
from jacobians.layout import Layout

__all__ = ["check_finite", "class_labels", "in_rows", "one_hot", "same_shape_targets"]


def class_labels(Y: Array, count: int, classes: int, operation: str) -> npt.NDArray[np.intp]:
    """Return labels as checked class indices 0 … K−1.

    Raises
    ------
    ShapeError
        If there is not one for each example.
    DomainError
        If one is not an integer, or out of range.
    """
    if Y.shape not in ((count,), (count, 1), (1, count)):
        hint = f"; X holds {classes} classes: is the batch on the other axis?" if Y.shape == (classes,) else ""
        raise ShapeError(
            f"{operation}: labels have shape {Y.shape}, X holds {count} examples; expected ({count},){hint}"
        )
    flat = Y.reshape(count)
    if flat.dtype.kind not in "iuf":
        raise DTypeError(f"{operation}: labels have dtype {Y.dtype}; expected integers 0 … {classes - 1}")
    # read as unsigned, a negative label is a large one: one pass where all is well
    if flat.dtype == np.intp and count and flat.view(np.uintp).max() < classes:
        return flat.astype(np.intp)
    wrong = ~((flat >= 0) & (flat < classes) & (flat == np.floor(flat)))
    if wrong.any():
        place = int(np.argmax(wrong))
        hint = ""
        if flat.dtype.kind != "f" or np.isfinite(flat).all():
            hint = "; labels 1 … K: subtract 1" if flat.min() == 1 and flat.max() == classes else ""
        raise DomainError(
            f"{operation}: label {flat[place]} at position {place} is not an integer in 0 … {classes - 1} "
            f"({classes} classes){hint}"
        )
    return flat.astype(np.intp)


def in_rows(matrix: Array, layout: Layout) -> Array:
    """Return a view of a matrix of the layout with one example a row."""
    return matrix if layout.batch == "rows" else matrix.T


def one_hot(labels: npt.NDArray[np.intp], X: Array, layout: Layout) -> Array:
    """Return an array like X (a matrix) with 1 at each example's class, 0 elsewhere."""
    out = np.zeros_like(X)
    in_rows(out, layout)[np.arange(labels.size), labels] = 1
    return out


def same_shape_targets(Y: Array, X: Array, operation: str, layout: Layout) -> Array:
    """Return real targets of X's own shape, in X's dtype; nothing is broadcast.

    Raises
    ------
    ShapeError
        If the shapes differ: (N, 1) against (N,) would otherwise broadcast to N×N.
    DomainError
        If a target is NaN or infinite.
    """
    Y = as_float(Y, "Y", operation)
    if Y.shape != X.shape:
        hint = ""
        if Y.shape == X.shape[::-1]:
            hint = f"; its transpose would fit: is the batch in {'columns' if layout.batch == 'rows' else 'rows'}?"
        elif Y.size == X.size:
            hint = f"; reshape it to {X.shape}"
        raise ShapeError(f"{operation}: Y has shape {Y.shape}, X has {X.shape} (batch in {layout.batch}){hint}")
    check_finite(Y, "Y", operation)
    return Y.astype(X.dtype, copy=False)


def check_finite(array: Array, name: str, operation: str) -> None:
    """Raise DomainError at the first entry that is NaN or infinite."""
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), array.shape))
        raise DomainError(f"{operation}: {name} holds {array[place]} at {place}; targets must be finite")
