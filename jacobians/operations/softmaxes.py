"""Softmax and log-softmax over the classes of each example."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import ShapeError
from jacobians.layout import Layout
from jacobians.linops import DiagonalMinusOuter, Jacobian, Sum
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import UNNAMED, Naming, Operation, Unary
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Add, Call, Expr, Hadamard, Number, Ones, Quotient, SumOver
from jacobians.symbols.named_functions import Function

__all__ = ["LogSoftmax", "Softmax", "log_softmax", "softmax"]


def exponentials(Z: Array, axis: int) -> tuple[Array, Array, Array]:
    """Return e^s, its sums along an axis, and s itself: Z less its largest entry there.

    The largest entry is subtracted first, so nothing overflows (Blanchard, Higham & Higham 2021, IMA JNA 41).
    Infinite entries count as the limit of equal ones: those that are +∞ share the probability.
    """
    top = Z.max(axis=axis, keepdims=True)
    if np.isinf(top).any():
        shifted = np.subtract(Z, top, out=np.zeros_like(Z), where=top != Z)  # ∞ − ∞ is nan
    else:
        shifted = Z - top
    with np.errstate(under="ignore"):
        weights = np.exp(shifted)
    return weights, weights.sum(axis=axis, keepdims=True), shifted


def probabilities(weights: Array, sums: Array) -> Array:
    """Return e^s / Σ eˢ: the softmax, as a new array."""
    with np.errstate(under="ignore"):
        return np.divide(weights, sums)


def softmax_rows(Z: Array) -> Array:
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def softmax_columns(Z: Array) -> Array:
    return softmax_rows(Z.T).T


def log_softmax_rows(Z: Array) -> Array:
    return np.log(softmax_rows(Z))


def log_softmax_columns(Z: Array) -> Array:
    return np.log(softmax_columns(Z))


SOFTMAX, LOG_SOFTMAX = (
    {lines: Function(f.__name__, shown, f) for lines, f in forms.items()}
    for shown, forms in (
        ("softmax", {"rows": softmax_rows, "columns": softmax_columns}),
        ("log softmax", {"rows": log_softmax_rows, "columns": log_softmax_columns}),
    )
)
"""The textbook forms, by where one example lies."""


class _OverClasses(Unary):
    """A function of the classes of each example."""

    per_example = True

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout: Layout = find_layout(layout)

    def moved_to(self, layout: AnyLayout) -> Operation:
        return type(self)(layout)

    def _exponentials(self, Z: Array) -> tuple[Array, Array, Array]:
        """Those of each example; see `exponentials`."""
        if Z.ndim < 1 or Z.shape[self.layout.feature_axis] == 0:
            raise ShapeError(
                f"{self.name}: Z has shape {Z.shape}; expected at least one class for each example ({self.layout})"
            )
        return exponentials(Z, self.layout.feature_axis)


class Softmax(_OverClasses):
    """p = eᶻ / Σ eᶻ over the classes of each example; the Jacobian is diag(p) − p pᵀ for each.

    Examples
    --------
    >>> Softmax()([[0.0, 0.0]])[0]
    array([[0.5, 0.5]])
    """

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        weights, sums, _ = self._exponentials(*arrays)
        p = probabilities(weights, sums)
        # the Jacobian keeps p, so the caller gets a copy that may be written to
        return p.copy(), {"X": lambda: DiagonalMinusOuter(p, p, p, self.layout.feature_axis)}

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """diag(q) − q pᵀ − p qᵀ for each example, with q = p∘(ḡ − ⟨p, ḡ⟩)."""
        axis = self.layout.feature_axis
        weights, sums, _ = self._exponentials(*arrays)
        p = probabilities(weights, sums)
        q = p * (cotangent - np.sum(p * cotangent, axis=axis, keepdims=True))
        halves = DiagonalMinusOuter(q / 2, q, p, axis), DiagonalMinusOuter(q / 2, p, q, axis)
        return {("X", "X"): Sum(halves)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return softmax(Z), and the maker of diag(p) − p pᵀ for each example."""
        value = Call(SOFTMAX[self.layout.batch], inputs)
        p = cast(Array, name(value))
        return value, {"X": lambda: DiagonalMinusOuter(p, p, p, self.layout.feature_axis)}

    def second_in_symbols(self, cotangent: Expr, *inputs: Expr) -> Second:
        """Return diag(q) − q pᵀ − p qᵀ for each example, with q = p∘ḡ − (Σ p∘ḡ) p."""
        axis, P = self.layout.feature_axis, Call(SOFTMAX[self.layout.batch], inputs)
        weighted = Hadamard(P, cotangent)
        q: Any = Add(weighted, Hadamard(SumOver(weighted, axis % 2), P), minus=True)
        p, half = cast(Array, P), cast(Array, Quotient(q, Number(2)))
        return {("X", "X"): Sum((DiagonalMinusOuter(half, q, p, axis), DiagonalMinusOuter(half, p, q, axis)))}


class LogSoftmax(_OverClasses):
    """log p = z − log Σ eᶻ over the classes of each example; the Jacobian is I − 1 pᵀ for each.

    Examples
    --------
    >>> LogSoftmax()([[0.0, 1000.0]])[0]
    array([[-1000.,     0.]])
    """

    name = "log_softmax"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        weights, sums, shifted = self._exponentials(*arrays)
        shifted -= np.log(sums)

        def by_input() -> Jacobian:
            p = probabilities(weights, sums)
            ones = np.ones_like(p)
            return DiagonalMinusOuter(ones, ones, p, self.layout.feature_axis)

        return shifted, {"X": by_input}

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """−(Σḡ) (diag p − p pᵀ) for each example."""
        axis = self.layout.feature_axis
        weights, sums, _ = self._exponentials(*arrays)
        p = probabilities(weights, sums)
        weighted = -cotangent.sum(axis=axis, keepdims=True) * p
        return {("X", "X"): DiagonalMinusOuter(weighted, weighted, p, axis)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return log softmax(Z), and the maker of I − 1 pᵀ for each example."""
        p, ones = cast(Array, Call(SOFTMAX[self.layout.batch], inputs)), cast(Array, Ones(inputs[0].shape))
        value = Call(LOG_SOFTMAX[self.layout.batch], inputs)
        return value, {"X": lambda: DiagonalMinusOuter(ones, ones, p, self.layout.feature_axis)}

    def second_in_symbols(self, cotangent: Expr, *inputs: Expr) -> Second:
        """Return −(Σḡ) (diag p − p pᵀ) for each example."""
        axis, P = self.layout.feature_axis, Call(SOFTMAX[self.layout.batch], inputs)
        weighted: Any = Hadamard(Hadamard(Number(-1), SumOver(cotangent, axis % 2)), P)
        return {("X", "X"): DiagonalMinusOuter(weighted, weighted, cast(Array, P), axis)}


@of_one
def softmax(Z: npt.ArrayLike, layout: AnyLayout | None = None, *, axis: int | None = None) -> tuple[Array, Jacobian]:
    """Return the class probabilities of each example, and the Jacobian diag(p) − p pᵀ.

    Parameters
    ----------
    Z : array_like, shape (N, …, K), or (K, …, N) with the batch in columns
    layout : Layout, Convention or str, optional
        Classes lie along the axis of one example's features.
    axis : None
        Other libraries have it. Here the layout says the same, and the error says which layout.

    Raises
    ------
    ShapeError
        If there is no class.

    Examples
    --------
    >>> p, J = softmax([[0.0, 0.0]])
    >>> p, J
    (array([[0.5, 0.5]]), DiagonalMinusOuter(1 of 2×2): 2×2 float64, (1, 2) → (1, 2), 16 B)
    """
    _refuse(axis, "softmax")
    return Softmax(layout)(Z)


@of_one
def log_softmax(
    Z: npt.ArrayLike, layout: AnyLayout | None = None, *, axis: int | None = None
) -> tuple[Array, Jacobian]:
    """Return the log-probabilities of each example's classes, and the Jacobian I − 1 pᵀ.

    Parameters
    ----------
    Z : array_like, shape (N, …, K), or (K, …, N) with the batch in columns
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> value, J = log_softmax([[0.0, 1000.0]])
    >>> value
    array([[-1000.,     0.]])
    """
    _refuse(axis, "log_softmax")
    return LogSoftmax(layout)(Z)


def _refuse(axis: int | None, function: str) -> None:
    """TypeError where an axis is given, with the layout that means the same."""
    if axis is not None:
        lines = "columns" if axis in (0, -2) else "rows"
        raise TypeError(
            f"{function}: the layout says where classes lie; for axis={axis} write "
            f"{function}(Z, Layout(batch={lines!r}))"
        )
