"""Normalisation, each by its own groups of entries: diagonals, and diagonals minus outer products."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, a_number, as_array, as_float, inverse_axes, kind_of
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.graphs.second_by_values import second_by_values
from jacobians.layers.axes import as_steps, given_back, is_in_order, is_whole, moved, moved_copy
from jacobians.layers.normalisation_formulas import normalised_in_symbols
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import Diagonal, DiagonalMinusOuter, Jacobian, Reshape
from jacobians.linops.broadcast import spread
from jacobians.linops.kernels import total
from jacobians.operations import Jacobians, Operation, Primitive
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr

__all__ = [
    "BatchNorm",
    "GroupNorm",
    "LayerNorm",
    "RMSNorm",
    "batch_norm",
    "group_norm",
    "layer_norm",
    "rms_norm",
    "running_statistics",
]

Statistics = tuple[npt.ArrayLike, npt.ArrayLike]
"""A mean and a variance for each feature, or channel."""


class _Normalised(Primitive):
    r"""(X, γ, β) ↦ γ ∘ x̂ + β, with x̂ = (x − μ)/√(σ² + ε) within each of several groups of m entries.

    By X it is :math:`\operatorname{diag}(\gamma / s) (I - \hat x \hat x^\top / m)(I - 1 1^\top / m)` in each group: the
    first bracket is the path through the variance, the second the path through the mean.
    """

    inputs: ClassVar[tuple[str, ...]] = ("X", "gamma", "beta")
    centred: ClassVar[bool] = True

    def __init__(self, eps: float = 1e-5, layout: AnyLayout | None = None, *, features: int | None = None) -> None:
        self.eps = a_number(eps, "eps", self.name)
        self.features = None if features is None else as_steps(features, 1, "features", self.name)[0]
        if not 0 <= self.eps < math.inf:
            raise DomainError(f"{self.name}: eps={eps!r}; it is added to a variance, so it is a small number ≥ 0")
        self.layout = None if layout is None else find_layout(layout)

    @property
    def _own_layout(self) -> Layout:
        return self.layout or DEFAULT_LAYOUT

    def parameter_shapes(self) -> Mapping[str, Shape]:
        """Shapes of γ and β, where the number of features is known."""
        return {} if self.features is None else dict.fromkeys(self.names[1:], (self.features,))

    def moved_to(self, layout: AnyLayout) -> Operation:
        return moved_copy(self, layout)

    @abstractmethod
    def _groups(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        """The order of axes in which a group's entries are contiguous, and how many groups there are."""

    @abstractmethod
    def _feature_axis(self, shape: Shape) -> int:
        """The axis along which γ and β lie."""

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, *scales = arrays
        if X.ndim < 2:
            raise ShapeError(f"{self.name}: X has shape {X.shape}; expected a batch ({self._own_layout})")
        axis = self._feature_axis(X.shape)
        beside = tuple(n if i == axis % X.ndim else 1 for i, n in enumerate(X.shape))
        for name, scale in zip(self.names[1:], scales, strict=True):
            if scale.shape not in ((X.shape[axis],), beside):
                raise ShapeError(
                    f"{self.name}: {name} has shape {scale.shape}, X {X.shape} with its features along axis {axis} "
                    f"expects ({X.shape[axis]},)"
                )
        axes, groups = self._groups(X.shape)
        m = X.size // groups if groups else 1
        if not m and not self.per_example:
            raise DomainError(f"{self.name}: X has shape {X.shape}; a mean needs one or more entries")
        dtype = np.result_type(*arrays)
        ordered = X.transpose(axes)
        rows = ordered.reshape(groups, m).astype(dtype, copy=False)
        hat, scale = self._standardised(rows)
        own = self._in_own_order(hat, axes, ordered.shape)
        gamma = scales[0].reshape(beside)
        value = gamma * own
        if len(scales) > 1:
            value = value + scales[1].reshape(beside)
        makers: Makers = {
            "X": partial(self._by_input, X.shape, axes, hat, scale, gamma),
            "gamma": lambda: self._by_scale(Diagonal(own), scales[0].shape, beside, X.shape, own),
        }
        if len(scales) > 1:
            makers["beta"] = lambda: self._by_scale(None, scales[1].shape, beside, X.shape, own)
        return as_array(value).astype(dtype, copy=False), makers

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """That of γ ∘ x̂ as a function of values; β is only added."""
        return second_by_values(self._in_values, self.names[:2], arrays[:2], cotangent)

    def _in_values(self, X: Value, gamma: Value) -> Value:
        axes, groups = self._groups(X.shape)
        ordered = X.transpose(axes)
        own = self._hat(ordered.reshape(groups, X.size // groups)).reshape(ordered.shape).transpose(inverse_axes(axes))
        axis = self._feature_axis(X.shape) % X.ndim
        return own * gamma.reshape(tuple(n if i == axis else 1 for i, n in enumerate(X.shape)))

    def _hat(self, rows: Value) -> Value:
        """x̂ by rows."""
        away = rows - rows.mean(axis=1, keepdims=True) if self.centred else rows
        return away * ((away * away).mean(axis=1, keepdims=True) + self.eps) ** -0.5

    def _standardised(self, rows: Array) -> tuple[Array, Array]:
        """x̂ by rows, and 1/√(σ² + ε) of each."""
        m = rows.shape[1]
        away = rows - total(rows, (1,)) / m if self.centred else rows
        variance = total(away * away, (1,)) / m
        if self.eps == 0 and np.count_nonzero(variance) < variance.size:
            raise DomainError(f"{self.name}: the entries of a group are all equal, and eps is 0; take a small eps > 0")
        scale = 1 / np.sqrt(variance + rows.dtype.type(self.eps))
        return as_array(away * scale), as_array(scale)

    @staticmethod
    def _in_own_order(rows: Array, axes: tuple[int, ...], ordered: Shape) -> Array:
        return rows.reshape(ordered).transpose(inverse_axes(axes))

    def _by_input(self, shape: Shape, axes: tuple[int, ...], hat: Array, scale: Array, gamma: Array) -> Jacobian:
        m = hat.shape[1]
        d = np.broadcast_to(scale, hat.shape)
        inner: Jacobian = DiagonalMinusOuter(d, as_array(scale * hat), as_array(hat / m), -1)
        if self.centred:
            ones = np.broadcast_to(hat.dtype.type(1), hat.shape)
            inner = inner @ DiagonalMinusOuter(ones, ones, np.broadcast_to(hat.dtype.type(1 / m), hat.shape), -1)
        ordered = tuple(shape[a] for a in axes)
        if ordered != hat.shape:
            inner = Reshape(ordered, hat.shape, hat.dtype) @ inner @ Reshape(hat.shape, ordered, hat.dtype)
        inner = moved(axes, inner, shape)
        inner = inner if is_in_order(axes) else given_back(axes, inner)
        return Diagonal(np.broadcast_to(gamma, shape).astype(hat.dtype)) @ inner

    @staticmethod
    def _by_scale(outer: Jacobian | None, given: Shape, beside: Shape, shape: Shape, like: Array) -> Jacobian:
        by = spread(beside, shape, like)
        by = by if outer is None else outer @ by
        return by if given == beside else by @ Reshape(beside, given, like.dtype)


@final
class BatchNorm(_Normalised):
    """(X, γ, β) ↦ γ ∘ x̂ + β. It normalises each feature over the examples, or each channel over examples and places.

    Parameters
    ----------
    eps : float
    statistics : (mean, variance), optional
        Of each feature, such as running ones. With them nothing is computed from the batch, and each example is
        treated alone.
    layout : Layout, Convention or str, optional
    features : int, optional
        How many entries γ has. `Network.init` needs it before there is an X.

    Examples
    --------
    >>> BatchNorm(eps=0.0)([[1.0, 2.0], [3.0, 6.0]], np.ones(2), np.zeros(2))[0]
    array([[-1., -1.],
           [ 1.,  1.]])
    """

    name = "batch_norm"

    def __init__(
        self,
        eps: float = 1e-5,
        statistics: Statistics | None = None,
        layout: AnyLayout | None = None,
        *,
        features: int | None = None,
    ) -> None:
        super().__init__(eps, layout, features=features)
        self.statistics = None if statistics is None else _statistics(statistics, self.name)
        self.per_example = statistics is not None

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return γ ∘ x̂ + β, and the makers: by X the one line of CS231n's assignment, or a diagonal in evaluation."""
        X, *scales = inputs
        axis = self._feature_axis(X.shape)
        return normalised_in_symbols(X, scales, axis, 0, self.eps, name, statistics=self.statistics)

    def _feature_axis(self, shape: Shape) -> int:
        return channel_axis(shape, self._own_layout)

    def _groups(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        axis = self._feature_axis(shape) % len(shape)
        return (axis, *(i for i in range(len(shape)) if i != axis)), shape[axis]

    def _standardised(self, rows: Array) -> tuple[Array, Array]:
        if self.statistics is None:
            return super()._standardised(rows)
        mean, variance = (s.reshape(-1, 1).astype(rows.dtype, copy=False) for s in self.statistics)
        if not len(mean) == len(variance) == len(rows):
            raise ShapeError(
                f"batch_norm: the statistics are of {len(mean)} and {len(variance)} features, X has {len(rows)}"
            )
        if (variance < 0).any():
            raise DomainError(
                f"batch_norm: the statistics hold the variance {variance.min():g}; a variance is not negative. They "
                "are (mean, variance), in this order"
            )
        scale = 1 / np.sqrt(variance + rows.dtype.type(self.eps))
        return as_array((rows - mean) * scale), as_array(scale)

    def _hat(self, rows: Value) -> Value:
        if self.statistics is None:
            return super()._hat(rows)
        mean, variance = (s.reshape(-1, 1).astype(rows.dtype, copy=False) for s in self.statistics)
        return (rows - mean) * (1 / np.sqrt(variance + rows.dtype.type(self.eps)))

    def _by_input(self, shape: Shape, axes: tuple[int, ...], hat: Array, scale: Array, gamma: Array) -> Jacobian:
        if self.statistics is None:
            return super()._by_input(shape, axes, hat, scale, gamma)
        ordered = tuple(shape[a] for a in axes)
        slopes = self._in_own_order(np.broadcast_to(scale, hat.shape), axes, ordered)
        return Diagonal(as_array(gamma * slopes).astype(hat.dtype, copy=False))


def _statistics(given: Any, operation: str) -> tuple[Array, Array]:
    """The mean and the variance of a pair of them, copied."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ArgumentError(
            f"{operation}: the statistics are {kind_of(given)}; expected a pair (mean, variance), as "
            "running_statistics returns it"
        )
    mean, variance = (as_float(s, n, operation).copy() for s, n in zip(given, ("mean", "variance"), strict=True))
    return mean, variance


def channel_axis(shape: Shape, layout: Layout) -> int:
    """Return the axis of the features of a matrix, or of the channels of a batch of images."""
    return layout.feature_axis if len(shape) == 2 else layout.image_axes(len(shape) - 2)[1]


@final
class LayerNorm(_Normalised):
    """(X, γ, β) ↦ γ ∘ x̂ + β. It normalises the features of each example, or of each step of a sequence.

    Parameters
    ----------
    eps : float
    layout : Layout, Convention or str, optional
    features : int, optional
        How many entries γ has. `Network.init` needs it before there is an X.

    Examples
    --------
    >>> LayerNorm(eps=0.0)([[1.0, 3.0], [2.0, 6.0]], np.ones(2), np.zeros(2))[0]
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    name = "layer_norm"
    per_example = True

    def _feature_axis(self, shape: Shape) -> int:
        return self._own_layout.feature_axis

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value, one row for each example or place, and the makers."""
        X, *scales = inputs
        axis = self._feature_axis(X.shape)
        return normalised_in_symbols(X, scales, axis, 1, self.eps, name, centred=self.centred)

    def _groups(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        return features_last(shape, self._own_layout)


def features_last(shape: Shape, layout: Layout) -> tuple[tuple[int, ...], int]:
    """Return the order of axes with the features last, and how many vectors of features there are."""
    axis = layout.feature_axis % len(shape)
    others = tuple(i for i in range(len(shape)) if i != axis)
    return (*others, axis), math.prod(shape[i] for i in others)


@final
class RMSNorm(_Normalised):
    """(X, γ) ↦ γ ∘ x/√(mean x² + ε), over the features of each example. It does not subtract the mean.

    Parameters
    ----------
    eps : float
    layout : Layout, Convention or str, optional
    features : int, optional
        How many entries γ has. `Network.init` needs it before there is an X.

    Examples
    --------
    >>> RMSNorm(eps=0.0)([[1.0, 1.0]], np.ones(2))[0]
    array([[1., 1.]])
    """

    name = "rms_norm"
    inputs: ClassVar[tuple[str, ...]] = ("X", "gamma")
    per_example = True
    centred = False

    def _feature_axis(self, shape: Shape) -> int:
        return self._own_layout.feature_axis

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value, one row for each example or place, and the makers."""
        X, *scales = inputs
        axis = self._feature_axis(X.shape)
        return normalised_in_symbols(X, scales, axis, 1, self.eps, name, centred=self.centred)

    def _groups(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        return features_last(shape, self._own_layout)


@final
class GroupNorm(_Normalised):
    """(X, γ, β) ↦ γ ∘ x̂ + β. It normalises groups of channels of each image. One channel a group is instance norm.

    Parameters
    ----------
    groups : int
    eps : float
    layout : Layout, Convention or str, optional
    features : int, optional
        How many entries γ has. `Network.init` needs it before there is an X.

    Examples
    --------
    >>> GroupNorm(2)(np.arange(8.0).reshape(1, 4, 2, 1), np.ones(4), np.zeros(4))[0].shape
    (1, 4, 2, 1)
    """

    name = "group_norm"
    per_example = True

    def __init__(
        self, groups: int, eps: float = 1e-5, layout: AnyLayout | None = None, *, features: int | None = None
    ) -> None:
        super().__init__(eps, layout, features=features)
        self.groups = groups

    def _feature_axis(self, shape: Shape) -> int:
        return channel_axis(shape, self._own_layout)

    def _groups(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        axes = self._own_layout.image_axes(len(shape) - 2)
        channels = shape[axes[1]]
        if not is_whole(self.groups) or self.groups < 1 or channels % self.groups:
            raise ShapeError(
                f"group_norm: X has shape {shape} with {channels} channels, groups={self.groups!r}; expected a divisor "
                f"of {channels}"
            )
        return axes, shape[axes[0]] * self.groups


@written
def batch_norm(
    X: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    *,
    eps: float = 1e-5,
    statistics: Statistics | None = None,
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobians]:
    r"""Return the batch-normalised X, and its Jacobians with respect to X, γ and β.

    In training, x̂ and 1/s of each feature are taken over the m examples. The Jacobian is
    :math:`J_X = \operatorname{diag}(\gamma / s)(I - \hat x \hat x^\top / m)(I - 1 1^\top / m)`. CS231n's one line
    follows from it: dx = γ/(m s) · (m·dout − Σ dout − x̂ · Σ (dout ∘ x̂)).

    Parameters
    ----------
    X : array_like, shape (N, D), or a batch of images
        Each channel of images is normalised over examples and places.
    gamma, beta : array_like, shape (D,)
    eps : float
    statistics : (mean, variance), optional
        For evaluation: used in place of the batch's; see `running_statistics`.
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If the arrays do not fit each other.
    DomainError
        If there are no examples, or a feature is constant and eps is 0.

    References
    ----------
    Ioffe & Szegedy (2015), *Batch Normalization*, arXiv:1502.03167; Stanford CS231n, assignment 2.

    Examples
    --------
    >>> Z, J = batch_norm([[1.0, 2.0], [3.0, 6.0]], np.ones(2), np.zeros(2), eps=0.0)
    >>> Z
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> running = np.zeros(2), np.ones(2)
    >>> batch_norm([[1.0, 2.0], [3.0, 6.0]], np.ones(2), np.zeros(2), statistics=running)[1].X.structure
    'Diagonal(2×2)'
    """
    return BatchNorm(eps, statistics, layout)(X, gamma, beta)


@written
def running_statistics(
    X: npt.ArrayLike,
    before: Statistics | None = None,
    *,
    momentum: float = 0.9,
    unbiased: bool = False,
    layout: AnyLayout | None = None,
) -> tuple[Array, Array]:
    """Return a batch's mean and variance of each feature, mixed with those from before.

    Nothing is kept inside a layer. They are constant in the derivative of a layer that uses them.

    Parameters
    ----------
    X : array_like
        As in `batch_norm`.
    before : (mean, variance), optional
        They get the weight `momentum`, and the batch's get 1 − momentum. This is as in CS231n and Keras; torch's
        momentum is 1 − this one.
    momentum : float
    unbiased : bool
        Whether the batch's variance is divided by m − 1. torch does so for running statistics, and not in the layer.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> mean, variance = running_statistics([[1.0, 2.0], [3.0, 6.0]], (np.zeros(2), np.ones(2)))
    >>> np.allclose(mean, [0.2, 0.4]), np.allclose(variance, [1.0, 1.3])
    (True, True)
    """
    array = as_float(X, "X", "running_statistics")
    if array.ndim < 2 or not array.size:
        raise ShapeError(f"running_statistics: X has shape {array.shape}; expected a batch of at least one example")
    axis = channel_axis(array.shape, find_layout(layout)) % array.ndim
    others = tuple(i for i in range(array.ndim) if i != axis)
    if unbiased and array.size == array.shape[axis]:
        raise DomainError(
            f"running_statistics: X has shape {array.shape}, one entry of each feature; an unbiased variance needs two"
        )
    found = array.mean(axis=others), array.var(axis=others, ddof=int(unbiased))
    if isinstance(momentum, bool) or not 0 <= momentum <= 1:
        raise DomainError(
            f"running_statistics: momentum={momentum!r}; expected the share of the old statistics, from 0 to 1. "
            "torch's momentum is that of the new ones: pass 1 − momentum"
        )
    if before is None:
        return as_array(found[0]), as_array(found[1])
    old_ones = _statistics(before, "running_statistics")
    if any(old.shape != found[0].shape for old in old_ones):
        shapes = " and ".join(str(old.shape) for old in old_ones)
        raise ShapeError(f"running_statistics: those from before have shapes {shapes}, the batch's {found[0].shape}")
    mean, variance = (as_array(momentum * old + (1 - momentum) * new) for old, new in zip(old_ones, found, strict=True))
    return mean, variance


@written
def layer_norm(
    X: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    *,
    eps: float = 1e-5,
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobians]:
    """Return X with each example's features normalised, and the Jacobians (Ba et al. 2016, arXiv:1607.06450).

    Parameters
    ----------
    X : array_like, shape (N, D), (N, T, D) and so on; with the batch in columns the features lie along the first axis
    gamma, beta : array_like, shape (D,)
    eps : float
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> layer_norm([[1.0, 3.0], [2.0, 6.0]], np.ones(2), np.zeros(2), eps=0.0)[0]
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    return LayerNorm(eps, layout)(X, gamma, beta)


@written
def group_norm(
    X: npt.ArrayLike,
    gamma: npt.ArrayLike,
    beta: npt.ArrayLike,
    groups: int,
    *,
    eps: float = 1e-5,
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobians]:
    """Return images whose channels are normalised in groups, and the Jacobians (Wu & He 2018, arXiv:1803.08494).

    Parameters
    ----------
    X : array_like, shape (N, C, *places), or as the layout has images
    gamma, beta : array_like, shape (C,)
    groups : int
        A divisor of C.
    eps : float
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If the channels are no multiple of the groups.

    Examples
    --------
    >>> Z, J = group_norm(np.arange(8.0).reshape(1, 4, 2, 1), np.ones(4), np.zeros(4), groups=2)
    >>> np.allclose(Z[0, :2].mean(), 0), np.allclose(Z[0, 2:].mean(), 0)
    (True, True)
    """
    return GroupNorm(groups, eps, layout)(X, gamma, beta)


@written
def rms_norm(
    X: npt.ArrayLike, gamma: npt.ArrayLike, *, eps: float = 1e-5, layout: AnyLayout | None = None
) -> tuple[Array, Jacobians]:
    """Return X with each example divided by the root of its mean square (Zhang & Sennrich 2019, arXiv:1910.07467).

    Examples
    --------
    >>> rms_norm([[3.0, 4.0]], np.ones(2), eps=0.0)[0] * np.sqrt(12.5)
    array([[3., 4.]])
    """
    return RMSNorm(eps, layout)(X, gamma)
