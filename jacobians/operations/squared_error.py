"""The squared error."""

from __future__ import annotations

import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.layout import Layout, Reduction
from jacobians.linops import Identity, Jacobian
from jacobians.operations.loss_base import Examples, Loss, sum_over_example
from jacobians.operations.targets import same_shape_targets

__all__ = ["SquaredError", "squared_error"]


class SquaredError(Loss):
    """c·Σₖ (xₖ − yₖ)² for each example; ∂/∂x = 2c (x − y).

    Parameters
    ----------
    factor : float
        c: 1, or ½ in the courses that want the 2 to cancel.
    reduction, layout
        See `Loss`.
    """

    def __init__(self, factor: float = 1.0, reduction: Reduction = "mean", layout: Layout | None = None) -> None:
        super().__init__(reduction, layout)
        self.factor = factor

    @property
    def name(self) -> str:
        return "squared_error"

    def _examples(self, X: Array, Y: Array) -> Examples:
        difference = X - same_shape_targets(Y, X, self.name, self.layout)
        return (
            lambda: self.factor * sum_over_example(difference * difference, self.layout),
            lambda: 2.0 * self.factor * difference,
        )

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """2c I."""
        return 2.0 * self.factor * Identity(X.shape, X.dtype)


def squared_error(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    factor: float = 1.0,
    reduction: Reduction = "mean",
    layout: Layout | None = None,
) -> tuple[Array, Jacobian]:
    """Return c·Σ(X − Y)², reduced over the batch, and its Jacobian.

    Parameters
    ----------
    X, Y : array_like, of one shape
    factor : float
        c: 1, or 0.5.
    reduction : {"mean", "sum", "mean-all", "none"}
        "mean-all" divides by N·K, as PyTorch's and Keras' mean squared errors do.
    layout : Layout, optional

    Raises
    ------
    ShapeError
        If the shapes differ; (N, 1) against (N,) is never broadcast.

    Examples
    --------
    >>> L, J = squared_error([[1.0, 2.0]], [[0.0, 0.0]], factor=0.5)
    >>> float(L), J.gradient
    (2.5, array([[1., 2.]]))
    """
    return SquaredError(factor, reduction, layout)(X, Y)
