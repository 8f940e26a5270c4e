"""Targets of losses: labels and arrays that are checked, labels as one-hot rows, and the entries that they choose."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_float, counted, first_not_finite
from jacobians.errors import DomainError, DTypeError, ShapeError
from jacobians.layout import Layout


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
        hint = (
            f"; X holds {counted(classes, 'class', 'classes')}: is the batch on the other axis?"
            if Y.shape == (classes,)
            else ""
        )
        raise ShapeError(
            f"{operation}: labels have shape {Y.shape}, X holds {counted(count, 'example')}; expected ({count},){hint}"
        )
    flat = Y.reshape(count)
    if flat.dtype.kind not in "iuf":
        raise DTypeError(f"{operation}: labels have dtype {Y.dtype}; expected integers 0 … {classes - 1}")
    # read as unsigned, a negative label is a large one: one pass where all is well
    if flat.dtype == np.intp and not (flat.view(np.uintp) >= classes).any():
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


def own_entries(matrix: Array, labels: npt.NDArray[np.intp], layout: Layout) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return a matrix as a vector, and where each example's entry of its own class lies in it.

    One index array into a vector takes a fifth of the time of two into a matrix.

    Parameters
    ----------
    matrix : ndarray
        With one entry for each class and example; the vector is a view of it where it is contiguous in either order.
    """
    numbers = np.arange(labels.size)
    order: Literal["C", "F"] = "C" if matrix.flags.c_contiguous else "F"
    if (order == "C") == (layout.batch == "rows"):  # an example's entries lie side by side
        return matrix.ravel(order), numbers * matrix.shape[layout.feature_axis] + labels
    return matrix.ravel(order), labels * labels.size + numbers


def one_hot(labels: npt.NDArray[np.intp], X: Array, layout: Layout) -> Array:
    """Return an array like X (a matrix) with 1 at each example's class, 0 elsewhere."""
    out = np.zeros_like(X)
    memory, own = own_entries(out, labels, layout)
    memory[own] = 1
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
        elif X.ndim == 2 and Y.size * X.shape[layout.feature_axis] == X.size and (np.floor(Y) == Y).all():
            turned = ".T" if layout.batch == "columns" else ""
            hint = f"; labels 0 … {X.shape[layout.feature_axis] - 1} are one-hot here: np.eye(K)[labels]{turned}"
        raise ShapeError(f"{operation}: Y has shape {Y.shape}, X has {X.shape} (batch in {layout.batch}){hint}")
    check_finite(Y, "Y", operation)
    return Y.astype(X.dtype, copy=False)


def check_finite(array: Array, name: str, operation: str) -> None:
    """Raise DomainError at the first entry that is NaN or infinite."""
    bad = first_not_finite(array)
    if bad is not None:
        place, _ = bad
        raise DomainError(f"{operation}: {name} holds {array[place]} at {place}; targets must be finite")
