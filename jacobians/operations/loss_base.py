"""What a loss is: a number and a row for each example, and a reduction that is data.

The reduction's weights are the left end of every chain: 1/N, 1/(N·K) or 1 for each example. Nothing else in the
library knows of them, so per-example gradients, curvature and shards of unequal size keep them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_array, as_float, size_of
from jacobians.errors import DomainError, LayoutError, ShapeError
from jacobians.layout import Layout, Reduction
from jacobians.linops import BlockDiagonal, Dense, Jacobian
from jacobians.operations.base import in_layout
from jacobians.operations.sigmoidal import Sigmoid

__all__ = [
    "Examples",
    "Loss",
    "logistic_density",
    "sum_over_example",
]

Examples: TypeAlias = tuple[Callable[[], Array], Callable[[], Array]]
"""Functions that return the losses (N,) of the examples, and δ, which the caller owns."""

_LONG = 1 << 16
"""Entries of one example above which float32 losses are added in float64."""


class Loss(ABC):
    """A loss of a mini-batch: per-example losses, and their sum or mean.

    A subclass states `_examples(X, Y)`: a function that returns the losses (N,), and one that returns δ, the array of
    ∂(loss of n)/∂X, shaped like X and owned by the caller. Who reads only one of them does not pay for the other.
    For curvature it states `_hessian(X, Y)` too: the second derivative of the sum of the losses by X, as a Jacobian.

    Parameters
    ----------
    reduction : {"mean", "sum", "mean-all", "none"}
        Mean over the N examples, sum, mean over all N·K entries of X, or the losses themselves.
    layout : Layout, optional

    Raises
    ------
    LayoutError
        If the reduction is unknown.
    """

    def __init__(self, reduction: Reduction = "mean", layout: Layout | None = None) -> None:
        if reduction not in get_args(Reduction):
            raise LayoutError(
                f"{type(self).__name__}: reduction={reduction!r} is unknown; choose one of {get_args(Reduction)}"
            )
        self.reduction: Reduction = reduction
        self.layout = layout or Layout()

    @property
    def name(self) -> str:
        """The loss's name in messages and tables."""
        return type(self).__name__.lower()

    @abstractmethod
    def _examples(self, X: Array, Y: Array) -> Examples: ...

    def weight(self, X: Array, whole: int | None = None) -> float:
        """Return the factor of every example's loss in the total: 1, 1/N or 1/(N·K).

        Parameters
        ----------
        X : ndarray
        whole : int, optional
            N, where X holds only a part of the batch.

        Raises
        ------
        DomainError
            If the mean is over nothing.
        """
        if self.reduction in ("sum", "none"):
            return 1.0
        examples = X.shape[self.layout.batch_axis]
        count = examples if self.reduction == "mean" else X.size
        if whole is not None and examples:
            count = count // examples * whole
        if count == 0:
            raise DomainError(
                f"{self.name}: X has shape {X.shape}; the mean over no examples is undefined (a sum is 0)"
            )
        return 1.0 / count

    def __call__(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Jacobian]:
        """Return the loss and its Jacobian by X, in the layout."""
        if self.reduction == "none":
            losses, jacobian = self.per_example(X, Y)
        else:
            losses, jacobian = self.reduced(X, Y)
        return losses, in_layout(jacobian, self.layout)

    def per_example(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Jacobian]:
        """Return the losses (N,) and their Jacobian in numerator layout: one row for each example."""
        X = self._accept(X)
        losses, delta = self._examples(X, as_array(Y))
        return losses(), _rows(delta(), X.shape[self.layout.batch_axis], self.layout)

    def reduced(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Jacobian]:
        """Return the weighted total and its Jacobian, a row, in numerator layout."""
        value, row = self.total(X, Y)
        return value(), row()

    def total(
        self, X: npt.ArrayLike, Y: npt.ArrayLike, whole: int | None = None
    ) -> tuple[Callable[[], Array], Callable[[], Jacobian]]:
        """Return functions that return the weighted total and its Jacobian, a row, in numerator layout.

        Parameters
        ----------
        X, Y : array_like
        whole : int, optional
            N, where X and Y hold only a part of the batch.
        """
        X = self._accept(X)
        losses, delta = self._examples(X, as_array(Y))
        weight = self.weight(X, whole)

        def value() -> Array:
            examples = losses()
            # float64 inside: the sum of a long float32 batch would stall
            wide = np.promote_types(examples.dtype, np.float64)
            return as_array(examples.sum(dtype=wide) * weight).astype(examples.dtype)

        def row() -> Jacobian:
            array = delta()
            if weight != 1.0:
                array *= weight
            return Dense(array)

        return value, row

    def hessian(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> Jacobian:
        r"""Return the second derivative of the weighted total by X, :math:`\partial^2 L/\partial X^2`, in the layout.

        It is the Jacobian of the gradient by X: symmetric, and one block for each example. With `reduction="none"` it
        is that of the sum.

        Parameters
        ----------
        X, Y : array_like
            As the loss takes them.

        Returns
        -------
        Jacobian
            From arrays shaped like X to arrays shaped like X.

        Raises
        ------
        DomainError
            If the loss states no second derivative.

        Examples
        --------
        >>> from jacobians.operations import CrossEntropy, SquaredError
        >>> SquaredError(0.5).hessian([[1.0], [2.0]], [[0.0], [0.0]]).to_dense()
        array([[0.5, 0. ],
               [0. , 0.5]])
        >>> CrossEntropy().hessian([[0.0, 0.0]], [1]).to_dense()
        array([[ 0.25, -0.25],
               [-0.25,  0.25]])
        """
        X, Y = self._accept(X), as_array(Y)
        self._examples(X, Y)  # refuses what the loss refuses
        return in_layout(self.weight(X) * self._hessian(X, Y), self.layout)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """∂²(Σ losses)/∂X² in numerator layout; a loss states it to take part in curvature."""
        raise DomainError(
            f"{self.name}: the loss states no second derivative, which Gauss–Newton and Fisher matrices need; "
            "define _hessian(X, Y), which returns that of the sum of the losses by X as a Jacobian"
        )

    def _accept(self, X: npt.ArrayLike) -> Array:
        X = as_float(X, "X", self.name)
        if X.ndim < 1:
            raise ShapeError(f"{self.name}: X is a scalar; expected a batch of examples ({self.layout})")
        return X


def _rows(delta: Array, count: int, layout: Layout) -> Jacobian:
    """δ as one row for each example."""
    if layout.batch == "rows":
        inner = size_of(delta.shape[1:])
        blocks = delta.reshape(count, 1, inner)
    else:
        inner = size_of(delta.shape[:-1])
        blocks = delta.reshape(inner, count).T[:, None, :]
    return BlockDiagonal(blocks, (count,), delta.shape, layout.batch_axis)


def sum_over_example(values: Array, layout: Layout) -> Array:
    """Return one sum for each example: (N,), over all axes but the batch's; new even where nothing is summed."""
    axes: Any = tuple(range(1, values.ndim)) if layout.batch == "rows" else tuple(range(values.ndim - 1))
    # NumPy adds the rows of a batch in columns one after another: many of them would stall in float32
    long = values.dtype == np.float32 and values.size > _LONG * values.shape[layout.batch_axis]
    return as_array(values.sum(axis=axes, dtype=np.float64 if long else None)).astype(values.dtype, copy=False)


def logistic_density(X: Array) -> Array:
    """Return σ(x) σ(−x), the sigmoid's own derivative: the second derivative of log(1 + eˣ)."""
    return Sigmoid()._rule(X)[1]()
