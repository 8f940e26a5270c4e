"""Losses of a margin: logistic, and the multiclass hinge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import DomainError, ShapeError
from jacobians.layout import Layout, Reduction
from jacobians.linops import Diagonal, Jacobian, Zero
from jacobians.operations.loss_base import Examples, Loss, logistic_density, sum_over_example
from jacobians.operations.targets import class_labels, one_hot, own_entries, same_shape_targets

__all__ = ["Logistic", "MulticlassHinge", "logistic_loss", "multiclass_hinge"]


class Logistic(Loss):
    """Σ log(1 + e^(−y x)) for each example with labels y = ±1; ∂/∂x = −y σ(−y x)."""

    @property
    def name(self) -> str:
        return "logistic_loss"

    def _examples(self, X: Array, Y: Array) -> Examples:
        targets = same_shape_targets(Y, X, self.name, self.layout)
        if (np.abs(targets) != 1).any():
            raise DomainError("logistic_loss: labels must be −1 or 1; for 0 and 1 use binary_cross_entropy")
        margin = targets * X
        with np.errstate(under="ignore"):
            e = np.exp(-np.abs(margin))
        return (
            lambda: sum_over_example(np.maximum(-margin, 0) + np.log1p(e), self.layout),
            lambda: -targets * np.maximum(e, margin < 0) / (1.0 + e),
        )

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """∂²/∂x² = σ(x) σ(−x), whatever the label: y² = 1."""
        return Diagonal(logistic_density(X))


class MulticlassHinge(Loss):
    """Σ_{k≠y} max(0, xₖ − x_y + Δ) for each example: CS231n's multiclass SVM.

    At a kink (an argument exactly 0) the subgradient 0 is taken.

    Parameters
    ----------
    margin : float
        Δ.
    reduction, layout
        See `Loss`.
    """

    def __init__(self, margin: float = 1.0, reduction: Reduction = "mean", layout: Layout | None = None) -> None:
        super().__init__(reduction, layout)
        self.margin = margin

    @property
    def name(self) -> str:
        return "multiclass_hinge"

    def _examples(self, X: Array, Y: Array) -> Examples:
        if X.ndim != 2 or X.shape[self.layout.feature_axis] == 0:
            raise ShapeError(f"multiclass_hinge: X has shape {X.shape}; expected a matrix of scores ({self.layout})")
        count, classes = X.shape[self.layout.batch_axis], X.shape[self.layout.feature_axis]
        axis = self.layout.feature_axis
        labels = class_labels(Y, count, classes, self.name)
        truth = one_hot(labels, X, self.layout)
        # the true class's own score; a sum against the one-hot would turn an infinite other score into nan
        scores, places = own_entries(X, labels, self.layout)
        own = np.expand_dims(scores[places], axis)
        ahead = np.subtract(X, own, out=np.zeros_like(X), where=own != X)  # ∞ − ∞ is nan
        excess = np.maximum(ahead + X.dtype.type(self.margin), 0) * (1 - truth)

        def delta() -> Array:
            active = (excess > 0).astype(X.dtype)
            return active - truth * active.sum(axis=axis, keepdims=True)

        return lambda: sum_over_example(excess, self.layout), delta

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """0: the loss is piecewise linear."""
        return Zero(X.shape, X.shape, X.dtype)


def logistic_loss(
    X: npt.ArrayLike, Y: npt.ArrayLike, *, reduction: Reduction = "mean", layout: Layout | None = None
) -> tuple[Array, Jacobian]:
    """Return Σ log(1 + e^(−yx)) for labels ±1, reduced over the batch, and its Jacobian.

    Raises
    ------
    DomainError
        If a label is neither −1 nor 1.

    Examples
    --------
    >>> L, J = logistic_loss([0.0, 0.0], [1, -1])
    >>> J.gradient
    array([-0.25,  0.25])
    """
    return Logistic(reduction, layout)(X, Y)


def multiclass_hinge(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    margin: float = 1.0,
    reduction: Reduction = "mean",
    layout: Layout | None = None,
) -> tuple[Array, Jacobian]:
    """Return CS231n's multiclass SVM loss with margin Δ, reduced over the batch, and its Jacobian.

    Parameters
    ----------
    X : array_like, shape (N, K), or (K, N) with the batch in columns
        Scores.
    Y : array_like, shape (N,)
        Labels 0 … K−1.
    margin : float
    reduction : {"mean", "sum", "mean-all", "none"}
    layout : Layout, optional

    Examples
    --------
    >>> L, J = multiclass_hinge([[3.0, 2.5, 0.0]], [0])
    >>> float(L), J.gradient
    (0.5, array([[-1.,  1.,  0.]]))
    """
    return MulticlassHinge(margin, reduction, layout)(X, Y)
