"""Losses beside those of `jac` itself: Huber's, Poisson's, Kullback and Leibler's, and the softmax loss over time."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_array, as_float, size_of
from jacobians.errors import DomainError, LayoutError, ShapeError
from jacobians.layout import Layout, Reduction
from jacobians.linops import Diagonal, DiagonalMinusOuter, Jacobian
from jacobians.operations import Loss
from jacobians.operations.losses import Examples, same_shape_targets
from jacobians.operations.on_values import of_targets
from jacobians.presets import AnyLayout

__all__ = [
    "Huber",
    "KLDivergence",
    "Poisson",
    "TemporalSoftmax",
    "huber",
    "kl_divergence",
    "poisson",
    "temporal_softmax",
]


def _of_each(entries: Array, layout: Layout) -> Array:
    """The sums over each example's entries."""
    axis = layout.batch_axis % entries.ndim
    return as_array(entries.sum(axis=tuple(i for i in range(entries.ndim) if i != axis)))


@final
class Huber(Loss):
    r"""Σ of :math:`r^2/2` where :math:`|r| \le d`, and :math:`d\,(|r| - d/2)` beyond, with r = x − y (Huber 1964).

    Parameters
    ----------
    delta : float
        d, from which on the loss grows as a line.
    reduction, layout, factor
        As in every loss.

    Examples
    --------
    >>> Huber(reduction="sum")([[0.5], [3.0]], [[0.0], [0.0]])[1].gradient
    array([[0.5],
           [1. ]])
    """

    def __init__(
        self, delta: float = 1.0, reduction: Reduction = "mean", layout: AnyLayout | None = None, *, factor: float = 1.0
    ) -> None:
        super().__init__(reduction, layout, factor=factor)
        if not 0 < delta < np.inf:
            raise DomainError(f"huber: delta={delta}; it must be a positive number, such as 1")
        self.delta = float(delta)

    def _residual(self, X: Array, Y: Array) -> Array:
        return as_array(X - same_shape_targets(Y, X, self.name, self.layout))

    def _examples(self, X: Array, Y: Array) -> Examples:
        r, d = self._residual(X, Y), X.dtype.type(self.delta)

        def losses() -> Array:
            near = np.minimum(np.abs(r), d)
            return _of_each(as_array(near * (np.abs(r) - near / 2)), self.layout)

        return losses, lambda: np.clip(r, -d, d)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        return Diagonal((np.abs(self._residual(X, Y)) <= self.delta).astype(X.dtype))


@final
class Poisson(Loss):
    """Σ over an example's outputs of exp(x) − y·x: minus the log-likelihood of counts y with rates exp(x), up to y!.

    Examples
    --------
    >>> Poisson()([[0.0]], [[2.0]])[1].gradient
    array([[-1.]])
    """

    def _examples(self, X: Array, Y: Array) -> Examples:
        Y = same_shape_targets(Y, X, self.name, self.layout)
        if Y.size and Y.min() < 0:
            raise DomainError(f"poisson: Y holds {Y.min():g}; counts are not negative")
        rates = np.exp(X)
        return lambda: _of_each(as_array(rates - Y * X), self.layout), lambda: as_array(rates - Y)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        return Diagonal(np.exp(X))


@final
class KLDivergence(Loss):
    """Σ over an example's outputs of y·(log y − x), with x the logarithms of probabilities and y the targets' own.

    Examples
    --------
    >>> KLDivergence()(np.log([[0.5, 0.5]]), [[0.25, 0.75]])[1].gradient
    array([[-0.25, -0.75]])
    """

    name = "kl_divergence"

    def _examples(self, X: Array, Y: Array) -> Examples:
        Y = same_shape_targets(Y, X, self.name, self.layout)
        if Y.size and Y.min() < 0:
            raise DomainError(f"kl_divergence: Y holds {Y.min():g}; probabilities are not negative")
        entropy = Y * np.log(np.where(Y > 0, Y, 1))
        return lambda: _of_each(as_array(entropy - Y * X), self.layout), lambda: as_array(-Y)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        return Diagonal(np.zeros_like(X))


@final
class TemporalSoftmax(Loss):
    """Σ over an example's places of weight · cross-entropy, each place with its own class: of a caption, of a picture.

    With ŷ = softmax of a place's outputs and t its target, δ = weight · (ŷ − t).

    Parameters
    ----------
    mask : array_like, shape of the labels, optional
        Weights of the places; False or 0 leaves one out.
    class_weights : array_like, shape (C,), optional
        Of the places of each class.
    ignore : int, optional
        A label that leaves its place out.
    smoothing : float
        The target is (1 − s)·one-hot + s/C (Szegedy et al. 2016, arXiv:1512.00567).
    axis : int
        Of the classes in X: −1 for (N, T, C), 1 for images (N, C, H, W).
    reduction, layout, factor
        As in every loss. "mean" divides by the examples, as CS231n's temporal_softmax_loss.

    Examples
    --------
    >>> loss = TemporalSoftmax(ignore=-1, reduction="sum")
    >>> loss(np.zeros((1, 2, 2)), [[0, -1]])[1].gradient
    array([[[-0.5,  0.5],
            [-0. ,  0. ]]])
    """

    name = "temporal_softmax"
    takes: ClassVar[Any] = "labels"

    def __init__(
        self,
        mask: npt.ArrayLike | None = None,
        class_weights: npt.ArrayLike | None = None,
        ignore: int | None = None,
        smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "mean",
        layout: AnyLayout | None = None,
        *,
        factor: float = 1.0,
    ) -> None:
        super().__init__(reduction, layout, factor=factor)
        self.mask = None if mask is None else as_float(mask, "mask", self.name)
        self.class_weights = None if class_weights is None else as_float(class_weights, "class_weights", self.name)
        self.ignore, self.axis = ignore, axis
        if self.layout.batch != "rows":
            raise LayoutError("temporal_softmax: the examples lie along the first axis; move them there")
        if not 0 <= smoothing < 1:
            raise DomainError(f"temporal_softmax: smoothing={smoothing}; expected a share of the target, 0 ≤ s < 1")
        self.smoothing = float(smoothing)

    def _weights(self, labels: Array, X: Array) -> tuple[Array, Array]:
        """The labels with 0 for those ignored, and a weight for each place."""
        places = X.shape[:-1]
        if labels.shape != places:
            raise ShapeError(
                f"temporal_softmax: labels have shape {labels.shape}, X with its classes along axis {self.axis} "
                f"expects {places}"
            )
        kept = np.ones(places, bool) if self.ignore is None else labels != self.ignore
        labels = np.where(kept, labels, 0).astype(np.intp)
        if labels.size and not 0 <= labels.min() <= labels.max() < X.shape[-1]:
            raise DomainError(
                f"temporal_softmax: labels lie in [{labels.min()}, {labels.max()}], X has {X.shape[-1]} classes; is "
                "one the padding? Give it as ignore="
            )
        weights = kept.astype(X.dtype)
        if self.mask is not None:
            if self.mask.shape != places:
                raise ShapeError(f"temporal_softmax: the mask has shape {self.mask.shape}, the labels {places}")
            weights = weights * self.mask.astype(X.dtype)
        if self.class_weights is not None:
            if self.class_weights.shape != X.shape[-1:]:
                raise ShapeError(
                    f"temporal_softmax: class_weights has shape {self.class_weights.shape}, X has {X.shape[-1]} classes"
                )
            weights = weights * self.class_weights.astype(X.dtype)[labels]
        return labels, as_array(weights)

    @staticmethod
    def _logs(x: Array) -> Array:
        """The logarithms of the softmax over the last axis."""
        away = x - x.max(axis=-1, keepdims=True)
        return as_array(away - np.log(np.exp(away).sum(axis=-1, keepdims=True)))

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        x = np.moveaxis(X, self.axis, -1)
        _, weights = self._weights(Y, x)
        probabilities = np.exp(self._logs(x))
        p, d = (np.moveaxis(a, -1, self.axis) for a in (probabilities, weights[..., None] * probabilities))
        return DiagonalMinusOuter(d, d, p, self.axis)

    def _examples(self, X: Array, Y: Array) -> Examples:
        x = np.moveaxis(X, self.axis, -1)
        labels, weights = self._weights(Y, x)
        logs = self._logs(x)
        classes, s = x.shape[-1], X.dtype.type(self.smoothing)

        def losses() -> Array:
            own = np.take_along_axis(logs, labels[..., None], -1)[..., 0]
            mixed = own if not s else (1 - s) * own + s * logs.mean(axis=-1)
            return as_array((-weights * mixed).reshape(len(x), size_of(x.shape[1:-1])).sum(axis=1))

        def delta() -> Array:
            found = np.exp(logs) - s / classes
            own = np.take_along_axis(found, labels[..., None], -1)
            np.put_along_axis(found, labels[..., None], own - (1 - s), -1)
            return np.ascontiguousarray(np.moveaxis(found * weights[..., None], -1, self.axis))

        return losses, delta


@of_targets
def huber(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    delta: float = 1.0,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    *,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return Huber's loss of real targets, and its Jacobian with respect to X; see `Huber`.

    Huber (1964), *Robust estimation of a location parameter*, Ann. Math. Statist. 35.

    Examples
    --------
    >>> L, J = huber([[0.5], [3.0]], [[0.0], [0.0]], reduction="sum")
    >>> L, J.gradient.ravel()
    (array(2.625), array([0.5, 1. ]))
    """
    return Huber(delta, reduction, layout, factor=factor)(X, Y)


@of_targets
def poisson(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    *,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return the Poisson loss of counts by the logarithms of their rates, and its Jacobian; see `Poisson`.

    McCullagh & Nelder (1989), *Generalized linear models*, 2nd ed., ch. 6.

    Examples
    --------
    >>> L, J = poisson([[0.0]], [[2.0]])
    >>> L, J.gradient
    (array(1.), array([[-1.]]))
    """
    return Poisson(reduction, layout, factor=factor)(X, Y)


@of_targets
def kl_divergence(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    *,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return Σ y (log y − x), with x the logarithms of probabilities, and its Jacobian; see `KLDivergence`.

    Kullback & Leibler (1951), *On information and sufficiency*, Ann. Math. Statist. 22.

    Examples
    --------
    >>> L, J = kl_divergence(np.log([[0.5, 0.5]]), [[0.25, 0.75]])
    >>> round(float(L), 4), J.gradient
    (0.1308, array([[-0.25, -0.75]]))
    """
    return KLDivergence(reduction, layout, factor=factor)(X, Y)


@of_targets
def temporal_softmax(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    *,
    class_weights: npt.ArrayLike | None = None,
    ignore: int | None = None,
    smoothing: float = 0.0,
    axis: int = -1,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return the cross-entropy summed over the places of each example, and its Jacobian; see `TemporalSoftmax`.

    Parameters
    ----------
    X : array_like, shape (N, T, C), or with the classes along another axis
    Y : array_like of int, shape (N, T)
    mask, class_weights, ignore, smoothing, axis, reduction, layout, factor
        See `TemporalSoftmax`.

    Raises
    ------
    ShapeError
        If labels, mask or weights do not fit X.
    DomainError
        If a label is no class.

    References
    ----------
    Stanford CS231n, assignment 3, temporal_softmax_loss.

    Examples
    --------
    >>> L, J = temporal_softmax(np.zeros((2, 3, 4)), [[0, 1, 2], [3, 0, 0]], [[1, 1, 1], [1, 0, 0]], reduction="none")
    >>> L / np.log(4)
    array([3., 1.])
    """
    loss = TemporalSoftmax(mask, class_weights, ignore, smoothing, axis, reduction, layout, factor=factor)
    return loss(X, Y)
