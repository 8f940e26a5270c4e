"""Normalisation in formulas: x̂ of a matrix, one row for each place, and CS231n's one line back through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from jacobians.arrays import Array, Shape, inverse_axes, size_of
from jacobians.layers.axes import is_in_order
from jacobians.layers.columns import AxesMoved
from jacobians.linops import Broadcast, Diagonal, DiagonalMinusOuter, Jacobian, Product, Reshape
from jacobians.linops.standardised import Standardised
from jacobians.operations.operation import Naming
from jacobians.operations.record import Makers
from jacobians.symbols.expressions import Call, Expr, Ones
from jacobians.symbols.named_functions import Function

__all__ = ["normalised_in_symbols"]


def sqrt(Z: Array) -> Array:
    return np.sqrt(Z)


_SQRT = Function("sqrt", "sqrt", sqrt)


def normalised_in_symbols(
    X: Expr,
    scales: Sequence[Expr],
    features: int,
    along: int,
    eps: float,
    name: Naming,
    *,
    centred: bool = True,
    statistics: tuple[Array, Array] | None = None,
) -> tuple[Expr, Makers]:
    """Return γ ∘ x̂ + β, and the makers of the Jacobians in symbols.

    Parameters
    ----------
    X : Expr
    scales : sequence of Expr
        γ, and β where there is one.
    features : int
        The axis of X along which they lie.
    along : {0, 1}
        Which axis of the matrix, of places × features, is normalised: the places of a feature, or the features of a
        place.
    eps : float
    name : Naming
    centred : bool
        Whether the mean is subtracted.
    statistics : pair of ndarray, optional
        Constants in place of the mean and the variance.
    """
    axes = (*(axis for axis in range(X.ndim) if axis != features % X.ndim), features % X.ndim)
    last = AxesMoved("abcdefgh"[: X.ndim], axes, X.shape)
    shape = (size_of(last.codomain[:-1]), last.codomain[-1])
    in_order, flat = is_in_order(axes), last.codomain == shape
    into: list[Jacobian] = ([] if flat else [Reshape(shape, last.codomain)]) + ([] if in_order else [last])
    rows = (X if in_order else X.transpose(axes)).reshape(*shape)
    gamma, *beta = (scale.reshape(shape[1]) for scale in scales)
    m = shape[along]
    over = np.broadcast_to(cast(Array, gamma), shape)
    if statistics is None:
        known, by_rows = _standardised(rows, gamma, over, m, along, eps, name, centred=centred)
    else:
        mean, spread = (name.constant(letter, array) for letter, array in _constants(statistics, eps))
        known = name.inside("Xhat")((rows - np.broadcast_to(mean, shape)) / np.broadcast_to(spread, shape))  # type: ignore[call-overload]
        by_rows = (Diagonal(np.broadcast_to(cast(Array, gamma / spread), shape)),)
    value = over * known
    if beta:
        value = value + np.broadcast_to(cast(Array, beta[0]), shape)
    back = AxesMoved("abcdefgh"[: X.ndim], inverse_axes(axes), last.codomain)
    out: list[Jacobian] = ([] if in_order else [back]) + ([] if flat else [Reshape(last.codomain, shape)])
    value = value.reshape(*last.codomain)
    value = value if in_order else value.transpose(inverse_axes(axes))

    def by_scale(own: Shape, *first: Jacobian) -> Jacobian:
        tail = [] if own == shape[1:] else [Reshape(shape[1:], own)]
        return Product((*out, *first, Broadcast(shape, shape[1:]), *tail))

    makers: Makers = {
        "X": lambda: Product((*out, *by_rows, *into)),
        "gamma": lambda: by_scale(scales[0].shape, Diagonal(cast(Array, known))),
    }
    if beta:
        makers["beta"] = lambda: by_scale(scales[1].shape)
    return cast(Expr, value), makers


def _standardised(
    rows: Expr, gamma: Expr, over: Array, m: int, along: int, eps: float, name: Naming, *, centred: bool
) -> tuple[Expr, tuple[Jacobian, ...]]:
    """x̂, and the factors of the value's Jacobian with respect to the rows."""
    shape = rows.shape
    away = name.inside("D")(rows - rows.sum(axis=along, keepdims=True) / m) if centred else rows
    spread = name.inside("S")(Call(_SQRT, ((away * away).sum(axis=along, keepdims=along == 1) / m + eps,)))
    hat = name.inside("Xhat")(away / np.broadcast_to(cast(Array, spread), shape))
    known = cast(Array, hat)
    if along == 0:
        return hat, (Standardised(known, 0), Diagonal(np.broadcast_to(cast(Array, gamma / (m * spread)), shape)))
    if not centred:
        ones = cast(Array, Ones(shape))
        inner: Jacobian = DiagonalMinusOuter(ones, known, known / m, 1)
        return hat, (Diagonal(over), inner, Diagonal(np.broadcast_to(cast(Array, 1 / spread), shape)))
    slopes = np.broadcast_to(cast(Array, 1 / (m * spread)), shape)
    return hat, (Diagonal(over), Standardised(known, 1), Diagonal(slopes))


def _constants(statistics: tuple[Array, Array], eps: float) -> tuple[tuple[str, Array], tuple[str, Array]]:
    mean, variance = (np.asarray(array, np.float64).reshape(-1) for array in statistics)
    return ("M", mean), ("S", np.sqrt(variance + eps))
