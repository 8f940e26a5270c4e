"""The softmax loss of places, each with its own class: of the words of a caption, the pixels of a picture."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_number, as_array, as_float
from jacobians.errors import DomainError, DTypeError, ShapeError
from jacobians.layout import Reduction
from jacobians.linops import DiagonalMinusOuter, Jacobian
from jacobians.operations.losses import Examples, Loss, sum_over_example
from jacobians.operations.on_values import of_targets
from jacobians.presets import AnyLayout

__all__ = ["TemporalSoftmax", "temporal_softmax"]


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
    axis : int, optional
        Of the classes in X: the layout's feature axis unless given, −1 for (N, T, C); 1 for images (N, C, H, W).
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
    takes = "labels"

    def __init__(
        self,
        mask: npt.ArrayLike | None = None,
        class_weights: npt.ArrayLike | None = None,
        ignore: int | None = None,
        smoothing: float = 0.0,
        axis: int | None = None,
        reduction: Reduction = "mean",
        layout: AnyLayout | None = None,
        *,
        factor: float = 1.0,
    ) -> None:
        super().__init__(reduction, layout, factor=factor)
        self.mask = _weights_of(mask, "mask")
        self.class_weights = _weights_of(class_weights, "class_weights")
        self.ignore, self.axis = ignore, axis
        self.smoothing = a_number(smoothing, "smoothing", self.name)
        if not 0 <= self.smoothing < 1:
            raise DomainError(f"temporal_softmax: smoothing={smoothing}; expected a share of the target, 0 ≤ s < 1")

    def _class_axis(self, X: Array) -> int:
        axis = self.layout.feature_axis if self.axis is None else self.axis
        if not -X.ndim <= axis < X.ndim or X.ndim < 2 or axis % X.ndim == self._count_axis(X):
            raise ShapeError(
                f"temporal_softmax: X has shape {X.shape}; expected examples along axis "
                f"{self.layout.examples_axis(X.ndim)}, and classes along axis {axis}"
            )
        return axis

    def _count_axis(self, X: Array) -> int:
        return self.layout.examples_axis(X.ndim) % max(1, X.ndim)

    def _weights(self, labels: Array, X: Array) -> tuple[Array, Array]:
        """The labels with 0 for those ignored, and a weight for each place."""
        places = X.shape[:-1]
        if labels.shape != places:
            raise ShapeError(
                f"temporal_softmax: labels have shape {labels.shape}, X with its classes along axis "
                f"{self.layout.feature_axis if self.axis is None else self.axis} expects {places}"
            )
        kept = np.ones(places, bool) if self.ignore is None else labels != self.ignore
        whole = np.where(kept, labels, 0).astype(np.intp)
        if labels.dtype.kind not in "iu" and (labels.dtype.kind != "f" or (whole != labels)[kept].any()):
            raise DTypeError(
                f"temporal_softmax: labels have dtype {labels.dtype}, and are not all whole; expected integers 0 … "
                f"{X.shape[-1] - 1}, the classes of the places"
            )
        labels = whole
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
        axis = self._class_axis(X)
        x = np.moveaxis(X, axis, -1)
        _, weights = self._weights(Y, x)
        probabilities = np.exp(self._logs(x))
        p, d = (np.moveaxis(a, -1, axis) for a in (probabilities, weights[..., None] * probabilities))
        return DiagonalMinusOuter(d, d, p, axis)

    def _examples(self, X: Array, Y: Array) -> Examples:
        axis = self._class_axis(X)
        x = np.moveaxis(X, axis, -1)
        labels, weights = self._weights(Y, x)
        logs = self._logs(x)
        classes, s = x.shape[-1], X.dtype.type(self.smoothing)

        def losses() -> Array:
            own = np.take_along_axis(logs, labels[..., None], -1)[..., 0]
            mixed = own if not s else (1 - s) * own + s * logs.mean(axis=-1)
            # without the axis of the classes
            count_axis = self._count_axis(X) - (axis % X.ndim < self._count_axis(X))
            return sum_over_example(as_array(-weights * mixed), self.layout, count_axis)

        def delta() -> Array:
            found = np.exp(logs) - s / classes
            own = np.take_along_axis(found, labels[..., None], -1)
            np.put_along_axis(found, labels[..., None], own - (1 - s), -1)
            return np.ascontiguousarray(np.moveaxis(found * weights[..., None], -1, axis))

        return losses, delta


def _weights_of(given: npt.ArrayLike | None, name: str) -> Array | None:
    if given is None:
        return None
    weights = as_float(given, name, "temporal_softmax")
    bad = weights[~(np.isfinite(weights) & (weights >= 0))]
    if bad.size:
        raise DomainError(f"temporal_softmax: {name} has the entry {bad[0]:g}; expected finite numbers ≥ 0")
    return weights


@of_targets
def temporal_softmax(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    *,
    class_weights: npt.ArrayLike | None = None,
    ignore: int | None = None,
    smoothing: float = 0.0,
    axis: int | None = None,
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
