"""A loss whose examples count by weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_float, counted
from jacobians.errors import DomainError, ShapeError
from jacobians.layout import Reduction
from jacobians.linops import Diagonal, Jacobian
from jacobians.operations.losses import Examples, Loss
from jacobians.presets import AnyLayout, find_layout

__all__ = ["Weighted"]


class Weighted(Loss):
    r"""Another loss, each example's times a weight:

    .. math:: L = c \sum_n w_n \ell_n, \qquad \delta_n = w_n \,\partial \ell_n / \partial x_n .

    Reductions are those of every loss: "mean" divides by the number of examples N, not by the sum of the weights. For
    the weighted mean, give w·N/Σw. For weights by class, give ``class_weights[labels]``.

    Parameters
    ----------
    loss : Loss
        Its reduction, layout and factor are taken.
    weights : array_like, (N,)
        Not negative; one for each example of the batches that the loss is used on.

    Raises
    ------
    ShapeError
        If the weights are no vector, or do not fit a batch.
    DomainError
        If a weight is negative, NaN or infinite.

    Examples
    --------
    >>> from jacobians.operations import SquaredError
    >>> L, J = Weighted(SquaredError(reduction="sum"), [1.0, 3.0])([[1.0], [2.0]], [[0.0], [0.0]])
    >>> float(L), J.gradient.tolist()
    (13.0, [[2.0], [12.0]])
    """

    name = "weighted"

    def __init__(self, loss: Loss, weights: npt.ArrayLike) -> None:
        super().__init__(loss.reduction, loss.layout, factor=loss.factor)
        self.loss = loss.replace(factor=1.0)
        self.weights = as_float(weights, "weights", self.name)
        if self.weights.ndim != 1:
            raise ShapeError(
                f"{self.name}: weights have shape {self.weights.shape}; expected one for each example, (N,)"
            )
        bad = ~(np.isfinite(self.weights) & (self.weights >= 0))
        if bad.any():
            place = int(np.argmax(bad))
            raise DomainError(
                f"{self.name}: the weight of example {place} is {self.weights[place]}; expected a finite number ≥ 0"
            )
        for said in ("takes", "threshold", "prediction", "least_outputs", "of_outputs"):
            vars(self)[said] = getattr(loss, said)

    def replace(
        self, *, reduction: Reduction | None = None, layout: AnyLayout | None = None, factor: float | None = None
    ) -> Weighted:
        """Return the same loss with another reduction, layout or factor."""
        other = super().replace(reduction=reduction, layout=layout, factor=factor)
        if layout is not None:
            vars(other)["loss"] = self.loss.replace(layout=find_layout(layout))
        return other

    def _of(self, X: Array) -> Array:
        """The weights, shaped to act on X by example."""
        axis = self.layout.examples_axis(X.ndim)
        count = X.shape[axis]
        if len(self.weights) != count:
            raise ShapeError(
                f"{self.name}: X {X.shape} holds {counted(count, 'example')}, the loss "
                f"{counted(len(self.weights), 'weight')} "
                f"({self.layout}); give one weight for each example of this batch, and to blocks "
                "in_blocks(X, Y, weights=w)"
            )
        shape: list[Any] = [1] * X.ndim
        shape[axis] = count
        return self.weights.astype(X.dtype).reshape(shape)

    def _examples(self, X: Array, Y: Array) -> Examples:
        weights = self._of(X)
        losses, delta = self.loss._functions(X, Y)

        def weighted() -> Array:
            array = delta()
            array *= weights
            return array

        return lambda: losses() * weights.ravel(), weighted

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        # an example's weight is one number, so the product with its block is symmetric
        return Diagonal(np.broadcast_to(self._of(X), X.shape)) @ self.loss._hessian(X, Y)
