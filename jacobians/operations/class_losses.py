"""Losses of classes: cross-entropies of a softmax and of a sigmoid, the logistic loss, the multiclass hinge."""

from __future__ import annotations

from copy import copy
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_number
from jacobians.errors import DomainError, ShapeError
from jacobians.layout import Layout, Reduction
from jacobians.linops import Diagonal, DiagonalMinusOuter, Jacobian, Zero
from jacobians.operations.activations import Sigmoid, logistic_slope
from jacobians.operations.losses import Examples, Loss, sum_over_example
from jacobians.operations.on_values import of_targets
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.softmaxes import SOFTMAX, exponentials, probabilities
from jacobians.operations.targets import class_labels, one_hot, own_entries, same_shape_targets
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Add, Call, Expr, Hadamard, Number, Power, Quotient, SumOver
from jacobians.symbols.named_functions import Function

__all__ = [
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Logistic",
    "MulticlassHinge",
    "ProbabilityCrossEntropy",
    "binary_cross_entropy",
    "cross_entropy",
    "logistic_loss",
    "multiclass_hinge",
]


_SIGMA = Sigmoid().function()


def _bernoulli(P: Expr) -> Jacobian:
    """diag(P∘(1 − P)), the variances of zeros and ones."""
    return Diagonal(cast(Array, Hadamard(P, Add(Number(1), P, minus=True))))


class CrossEntropy(Loss):
    """−Σₖ yₖ log softmax(x)ₖ for each example; ∂/∂x = (Σy) p − y: the famous p − y.

    Targets are class labels (N,), or an array like X with one-hot or soft targets.

    Parameters
    ----------
    reduction, layout, factor
        See `Loss`.
    targets_sum_to_one : bool, optional
        Whether formulas may write p − y, since the targets of every example sum to 1. Unless it is said: labels do, and
        of an array like X nothing is known, so that formulas have (Σy) p − y. What is computed is always the latter.

    Examples
    --------
    >>> CrossEntropy("sum")([[0.0, 0.0]], [1])[1].gradient
    array([[ 0.5, -0.5]])
    """

    name = "cross_entropy"
    takes = "labels"
    prediction = "softmax"
    least_outputs = 2
    residual = 1.0

    def __init__(
        self,
        reduction: Reduction = "mean",
        layout: AnyLayout | None = None,
        *,
        factor: float = 1.0,
        targets_sum_to_one: bool | None = None,
    ) -> None:
        super().__init__(reduction, layout, factor=factor)
        self.targets_sum_to_one = targets_sum_to_one

    def _examples(self, X: Array, Y: Array) -> Examples:
        axis = self.layout.feature_axis
        if X.ndim != 2 or X.shape[axis] == 0:
            hint = "; of places with a class each, as in (N, T, C), take temporal_softmax" if X.ndim > 2 else ""
            raise ShapeError(f"cross_entropy: X has shape {X.shape}; expected a matrix of logits ({self.layout}){hint}")
        targets = _class_targets(Y, X, self.name, self.layout)
        weights, sums, shifted = exponentials(X, axis)

        def logarithms() -> Array:
            return np.subtract(shifted, np.log(sums))

        if targets.ndim == 1:

            def label_losses() -> Array:
                memory, own = own_entries(logarithms(), targets, self.layout)
                return -memory[own]

            def label_delta() -> Array:
                delta = probabilities(weights, sums)
                memory, own = own_entries(delta, targets, self.layout)
                memory[own] -= 1
                return delta

            return label_losses, label_delta

        def losses() -> Array:
            log_p = logarithms()
            if np.isneginf(log_p).any():
                # a target of 0 against log p = −∞ counts 0, as in the limit
                terms = np.multiply(targets, log_p, out=np.zeros_like(log_p), where=targets != 0)
            else:
                terms = targets * log_p
            return -sum_over_example(terms, self.layout)

        def delta() -> Array:
            return targets.sum(axis=axis, keepdims=True) * probabilities(weights, sums) - targets

        return losses, delta

    def declared_for(self, Y: npt.ArrayLike, X: Array) -> CrossEntropy:
        """Return this loss, told that targets sum to 1 if they are labels; the numbers are not read."""
        if self.targets_sum_to_one is not None:
            return self
        loss = copy(self)
        vars(loss).update(targets_sum_to_one=np.shape(Y) != X.shape)
        return loss

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return (Σy) P − Y; P − Y where the targets of every example are declared to sum to 1."""
        P = name(Call(SOFTMAX[self.layout.batch], (X,)))
        total = SumOver(Y, self.layout.feature_axis % 2)
        return Add(P if self.targets_sum_to_one else Hadamard(total, P), Y, minus=True)

    def second_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Jacobian:
        """Return (Σy)(diag p − p pᵀ) for each example; without Σy where the targets are declared to sum to 1."""
        P = name(Call(SOFTMAX[self.layout.batch], (X,)))
        total = SumOver(Y, self.layout.feature_axis % 2)
        weighted: Any = P if self.targets_sum_to_one else Hadamard(total, P)
        return DiagonalMinusOuter(weighted, weighted, cast(Array, P), self.layout.feature_axis)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """(Σy)(diag p − p pᵀ) for each example."""
        axis = self.layout.feature_axis
        weights, sums, _ = exponentials(X, axis)
        p = probabilities(weights, sums)
        targets = _class_targets(Y, X, self.name, self.layout)
        # labels: one for each example
        weighted = p if targets.ndim == 1 else targets.sum(axis=axis, keepdims=True) * p
        return DiagonalMinusOuter(weighted, weighted, p, axis)


def _class_targets(Y: Array, X: Array, operation: str, layout: Layout) -> Array:
    """Labels (N,), or nonnegative targets of X's shape."""
    count, classes = X.shape[layout.batch_axis], X.shape[layout.feature_axis]
    if classes == 1 and Y.dtype.kind in "iu":
        raise DomainError(
            f"{operation}: X has shape {X.shape}, one class; a softmax needs two or more: use the binary loss"
        )
    if Y.shape != X.shape:
        if Y.ndim == 2 and Y.size == X.size and Y.size != count:
            return same_shape_targets(Y, X, operation, layout)
        return class_labels(Y, count, classes, operation)
    targets = same_shape_targets(Y, X, operation, layout)
    if (targets < 0).any():
        raise DomainError(f"{operation}: a soft target is negative ({targets.min()}); targets are weights ≥ 0")
    return targets


class BinaryCrossEntropy(Loss):
    """Σₖ log(1 + eˣₖ) − yₖ xₖ for each example, from logits; ∂/∂x = σ(x) − y.

    Targets lie in [0, 1] in X's shape, or are class labels (N,) that mark one output each (Ng's exercise 4).

    Examples
    --------
    >>> BinaryCrossEntropy("sum")([[0.0]], [[1.0]])[1].gradient
    array([[-0.5]])
    """

    name = "binary_cross_entropy"
    takes = "zero-one"
    prediction = "sigmoid"
    residual = 1.0

    def _examples(self, X: Array, Y: Array) -> Examples:
        targets = _unit_targets(Y, X, self.name, self.layout)
        size = np.abs(X)
        with np.errstate(under="ignore"):
            e = np.exp(-size)

        def losses() -> Array:
            # max(x, 0) − y x is |x| times what the target leaves over; nothing over counts 0, also against ∞
            over = np.where(X > 0, 1 - targets, targets)
            linear = np.multiply(size, over, out=np.zeros_like(X), where=over != 0)
            return sum_over_example(linear + np.log1p(e), self.layout)

        def delta() -> Array:
            r = 1.0 / (1.0 + e)
            return r * np.maximum(e, X >= 0) - targets

        return losses, delta

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return P − Y with P = σ(X)."""
        return Add(name(Call(_SIGMA, (X,))), Y, minus=True)

    def second_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Jacobian:
        """Return diag(P∘(1 − P)) with P = σ(X)."""
        return _bernoulli(name(Call(_SIGMA, (X,))))

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """∂²/∂x² = σ(x) σ(−x), whatever the target."""
        return Diagonal(logistic_slope(X))


class ProbabilityCrossEntropy(Loss):
    """−Σₖ yₖ log xₖ + (1−yₖ) log(1−xₖ) for each example, from probabilities; ∂/∂x = (x − y)/(x(1−x)).

    Where a probability is exactly 0 or 1, only the same target has a finite loss; any other raises an error.

    Examples
    --------
    >>> ProbabilityCrossEntropy("sum")([[0.5]], [[1.0]])[1].gradient
    array([[-2.]])
    """

    name = "binary_cross_entropy"
    takes = "zero-one"
    threshold = 0.5
    of_outputs = False

    def _examples(self, X: Array, Y: Array) -> Examples:
        from scipy.special import xlog1py, xlogy

        if not ((X >= 0) & (X <= 1)).all():
            raise DomainError(
                f"binary_cross_entropy: probabilities must lie in [0, 1]; X spans [{X.min()}, {X.max()}]: "
                "are they logits? then pass from_logits=True"
            )
        targets = _unit_targets(Y, X, self.name, self.layout)
        if (((X == 0) & (targets > 0)) | ((X == 1) & (targets < 1))).any():
            raise DomainError(
                "binary_cross_entropy: a probability is exactly 0 or 1 against its target, so the loss is infinite; "
                "compute it from logits"
            )

        def losses() -> Array:
            return -sum_over_example(xlogy(targets, X) + xlog1py(1 - targets, -X), self.layout)

        def delta() -> Array:
            # 0/0 at an agreeing 0 or 1 counts 0: the one-sided derivative of the term that is there
            return (1 - targets) / np.where(X == 1, 1, 1 - X) - targets / np.where(X == 0, 1, X)

        return losses, delta

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return (X − Y) / (X ∘ (1 − X))."""
        return Quotient(Add(X, Y, minus=True), Hadamard(X, Add(Number(1), X, minus=True)))

    def second_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Jacobian:
        """Return diag(Y / X² + (1 − Y) / (1 − X)²)."""
        rest, one = Add(Number(1), X, minus=True), Quotient(Y, Power(X, 2))
        return Diagonal(cast(Array, Add(one, Quotient(Add(Number(1), Y, minus=True), Power(rest, 2)))))

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """∂²/∂x² = y/x² + (1−y)/(1−x)²; at an exact 0 or 1 only the remaining term counts."""
        targets = _unit_targets(Y, X, self.name, self.layout)
        return Diagonal(targets / np.where(X == 0, 1, X) ** 2 + (1 - targets) / np.where(X == 1, 1, 1 - X) ** 2)


def _unit_targets(Y: Array, X: Array, operation: str, layout: Layout) -> Array:
    count, classes = (X.shape[layout.batch_axis], X.shape[layout.feature_axis]) if X.ndim == 2 else (0, 0)
    if classes > 1 and Y.shape != X.shape and (Y.ndim == 1 or Y.shape in ((count, 1), (1, count))):
        return one_hot(class_labels(Y, count, classes, operation), X, layout)
    targets = same_shape_targets(Y, X, operation, layout)
    if ((targets < 0) | (targets > 1)).any():
        hint = "; labels −1 and 1: use logistic_loss" if (np.abs(targets) == 1).all() else ""
        raise DomainError(f"{operation}: targets must lie in [0, 1]; Y spans [{targets.min()}, {targets.max()}]{hint}")
    return targets


@of_targets
def cross_entropy(
    X: npt.ArrayLike, Y: npt.ArrayLike, *, reduction: Reduction = "mean", layout: AnyLayout | None = None
) -> tuple[Array, Jacobian]:
    """Return the softmax cross-entropy from logits, reduced over the batch, and its Jacobian.

    Parameters
    ----------
    X : array_like, shape (N, K), or (K, N) with the batch in columns
        Logits.
    Y : array_like
        Labels 0 … K−1 of shape (N,), or one-hot or soft targets of X's shape.
    reduction : {"mean", "sum", "mean-all", "none"}
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If a label is out of range, or a soft target negative.
    ShapeError
        If X and Y do not fit.

    Examples
    --------
    >>> L, J = cross_entropy([[0.0, 0.0], [0.0, 0.0]], [0, 1])
    >>> J
    Row(2×2): 1×4 float64, (2, 2) → (), 32 B
    >>> J.gradient
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    return CrossEntropy(reduction, layout)(X, Y)


@of_targets
def binary_cross_entropy(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    from_logits: bool = True,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobian]:
    """Return the binary cross-entropy, summed over outputs and reduced over the batch, and its Jacobian.

    Parameters
    ----------
    X : array_like
        Logits, or probabilities.
    Y : array_like
        Targets in [0, 1] of X's shape, or labels (N,) that mark one output each.
    from_logits : bool
        Logits are the accurate way: no probability is ever rounded to 0 or 1.
    reduction : {"mean", "sum", "mean-all", "none"}
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If a probability or a target lies outside [0, 1].

    Examples
    --------
    >>> L, J = binary_cross_entropy([[0.0]], [[1.0]])
    >>> round(float(L), 6), J.gradient
    (0.693147, array([[-0.5]]))
    """
    if from_logits:
        return BinaryCrossEntropy(reduction, layout)(X, Y)
    return ProbabilityCrossEntropy(reduction, layout)(X, Y)


class Logistic(Loss):
    """Σ log(1 + e^(−y x)) for each example with labels y = ±1; ∂/∂x = −y σ(−y x).

    Examples
    --------
    >>> Logistic("sum")([0.0, 0.0], [1, -1])[1].gradient
    array([-0.5,  0.5])
    """

    name = "logistic_loss"
    takes = "signs"

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

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return −Y ∘ σ(−Y ∘ X)."""
        against = Call(_SIGMA, (Hadamard(Number(-1), Hadamard(Y, X)),))
        return Hadamard(Number(-1), Hadamard(Y, against))

    def second_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Jacobian:
        """Return diag(σ(X)∘(1 − σ(X)))."""
        return _bernoulli(Call(_SIGMA, (X,)))

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """∂²/∂x² = σ(x) σ(−x), whatever the label: y² = 1."""
        return Diagonal(logistic_slope(X))


def hinge_rows(Z: Array, Y: Array, margin: float) -> Array:
    over = (Z - (Z * Y).sum(axis=1, keepdims=True) + margin > 0) * (1.0 - Y)
    return over - Y * over.sum(axis=1, keepdims=True)


def hinge_columns(Z: Array, Y: Array, margin: float) -> Array:
    return hinge_rows(Z.T, Y.T, margin).T


HINGE = {
    "rows": Function("hinge_rows", "hinge", hinge_rows),
    "columns": Function("hinge_columns", "hinge", hinge_columns),
}
"""The textbook forms of a multiclass hinge's δ, by where one example lies."""


class MulticlassHinge(Loss):
    """Σ_{k≠y} max(0, xₖ − x_y + Δ) for each example: CS231n's multiclass SVM.

    At a kink (an argument exactly 0) the subgradient 0 is taken.

    Parameters
    ----------
    margin : float
        Δ.
    reduction, layout, factor
        See `Loss`.

    Examples
    --------
    >>> MulticlassHinge(1.0)([[3.0, 2.5, 0.0]], [0])[1].gradient
    array([[-1.,  1.,  0.]])
    """

    name = "multiclass_hinge"
    takes = "labels"

    def __init__(
        self,
        margin: float = 1.0,
        reduction: Reduction = "mean",
        layout: AnyLayout | None = None,
        *,
        factor: float = 1.0,
    ) -> None:
        super().__init__(reduction, layout, factor=factor)
        self.margin = a_number(margin, "margin", "multiclass_hinge")

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

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return hinge(X, Y, Δ): the places of active margins, and their counts at the true classes."""
        return Call(HINGE[self.layout.batch], (X, Y, Number(self.margin)))

    def second_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Jacobian:
        """Return 0, which it is but at a corner."""
        return Zero(X.shape, X.shape, X.dtype)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """0, but at a corner: the loss is piecewise linear."""
        count, classes = X.shape[self.layout.batch_axis], X.shape[self.layout.feature_axis]
        labels = class_labels(Y, count, classes, self.name)
        scores, places = own_entries(X, labels, self.layout)
        own = np.expand_dims(scores[places], self.layout.feature_axis)
        corner = (X - own + X.dtype.type(self.margin) == 0) & (one_hot(labels, X, self.layout) == 0)
        if corner.any():
            place = tuple(int(i) for i in np.argwhere(corner)[0])
            raise DomainError(
                f"multiclass_hinge: the margin of the score at {place} is exactly met, a corner of the loss, where it "
                "has no second derivative; move the parameters a little"
            )
        return Zero(X.shape, X.shape, X.dtype)


@of_targets
def logistic_loss(
    X: npt.ArrayLike, Y: npt.ArrayLike, *, reduction: Reduction = "mean", layout: AnyLayout | None = None
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


@of_targets
def multiclass_hinge(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    margin: float = 1.0,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
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
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> L, J = multiclass_hinge([[3.0, 2.5, 0.0]], [0])
    >>> float(L), J.gradient
    (0.5, array([[-1.,  1.,  0.]]))
    """
    return MulticlassHinge(margin, reduction, layout)(X, Y)
