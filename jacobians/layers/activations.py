"""Activations of the frameworks beside those of `jac` itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_number, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.layers.normalisation import channel_axis
from jacobians.layout import DEFAULT_LAYOUT
from jacobians.linops import Diagonal, Jacobian, Reshape
from jacobians.linops.broadcast import spread
from jacobians.operations import Elementwise, Jacobians, Primitive
from jacobians.operations.on_values import of_one
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout

__all__ = [
    "ELU",
    "SELU",
    "HardSwish",
    "HardTanh",
    "Mish",
    "PReLU",
    "SoftSign",
    "elu",
    "hard_swish",
    "hard_tanh",
    "mish",
    "prelu",
    "selu",
    "soft_sign",
]


class AsWritten(Elementwise):
    """f and f′ are what the textbook form says, which is accurate as it stands."""

    textbook: ClassVar[Callable[..., Array]]
    textbook_prime: ClassVar[Callable[..., Array]]

    def _numbers(self) -> tuple[float, ...]:
        return ()

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        kind, numbers = type(self), self._numbers()
        value = as_array(kind.textbook(z, *numbers)).astype(z.dtype, copy=False)
        return value, lambda: as_array(kind.textbook_prime(z, *numbers)).astype(z.dtype, copy=False)


@final
class ELU(AsWritten):
    """V ↦ V where it is positive, else α(exp V − 1). Unless α is 1, it has a kink at 0, where its slope is α.

    Parameters
    ----------
    alpha : float

    Examples
    --------
    >>> ELU()([0.0, 2.0])[0]
    array([0., 2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = a_number(alpha, "alpha", self.name)
        if not np.isfinite(self.alpha):
            raise DomainError(f"elu: alpha={alpha} is not finite; take a number such as 1")
        self.kinks = () if alpha == 1 else (0.0,)  # type: ignore[misc]

    def _numbers(self) -> tuple[float, ...]:
        return (self.alpha,)

    @staticmethod
    def textbook(Z: Array, alpha: float) -> Array:
        return np.where(Z > 0, Z, alpha * np.expm1(np.minimum(Z, 0)))

    @staticmethod
    def textbook_prime(Z: Array, alpha: float) -> Array:
        return np.where(Z > 0, 1.0, alpha * np.exp(np.minimum(Z, 0)))

    @staticmethod
    def textbook_second(Z: Array, alpha: float) -> Array:
        return np.where(Z > 0, 0.0, alpha * np.exp(np.minimum(Z, 0)))

    def _curvature(self, z: Array) -> Array:
        return as_array(np.where(z > 0, z.dtype.type(0), z.dtype.type(self.alpha) * np.exp(np.minimum(z, 0))))


@final
class SELU(AsWritten):
    """V ↦ λ·ELU(V). Its α and λ keep mean 0 and variance 1 (Klambauer et al. 2017, eq. 14).

    Examples
    --------
    >>> SELU()([0.0])[0]
    array([0.])
    """

    kinks = (0.0,)

    @staticmethod
    def textbook(Z: Array) -> Array:
        alpha, scale = 1.6732632423543772, 1.0507009873554805
        return scale * np.where(Z > 0, Z, alpha * np.expm1(np.minimum(Z, 0)))

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        alpha, scale = 1.6732632423543772, 1.0507009873554805
        return scale * np.where(Z > 0, 1.0, alpha * np.exp(np.minimum(Z, 0)))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        alpha, scale = 1.6732632423543772, 1.0507009873554805
        return scale * np.where(Z > 0, 0.0, alpha * np.exp(np.minimum(Z, 0)))

    def _curvature(self, z: Array) -> Array:
        return as_array(np.where(z > 0, z.dtype.type(0), self._rule(np.minimum(z, 0))[1]()))


@final
class HardTanh(AsWritten):
    """V ↦ V between −1 and 1, else the nearer of the two. The slope is 0 outside and at the ends.

    Examples
    --------
    >>> HardTanh()([-3.0, 0.5])[0]
    array([-1. ,  0.5])
    """

    name = "hard_tanh"
    piecewise_linear = True
    kinks = (-1.0, 1.0)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.clip(Z, -1, 1)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.where(np.abs(Z) < 1, 1.0, 0.0)


@final
class SoftSign(AsWritten):
    r"""V ↦ :math:`V / (1 + |V|)`.

    Examples
    --------
    >>> SoftSign()([-1.0, 3.0])[0]
    array([-0.5 ,  0.75])
    """

    name = "soft_sign"

    @staticmethod
    def textbook(Z: Array) -> Array:
        return Z / (1 + np.abs(Z))

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / (1 + np.abs(Z)) ** 2

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -2 * np.sign(Z) / (1 + np.abs(Z)) ** 3

    def _curvature(self, z: Array) -> Array:
        return as_array(-2 * np.sign(z) / (1 + np.abs(z)) ** 3)


@final
class HardSwish(AsWritten):
    """V ↦ V·min(max(V + 3, 0), 6)/6. The slope is 0 at −3, and 1 at 3.

    Examples
    --------
    >>> HardSwish()([-4.0, 0.0, 4.0])[0]
    array([-0.,  0.,  4.])
    """

    name = "hard_swish"
    kinks = (-3.0, 3.0)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return Z * (np.clip(Z + 3, 0, 6) / 6)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.where(np.abs(Z) < 3, Z / 3 + 0.5, np.where(Z < 0, 0.0, 1.0))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return np.where(np.abs(Z) < 3, 1 / 3, 0.0)

    def _curvature(self, z: Array) -> Array:
        return (np.abs(z) < 3).astype(z.dtype) / 3


@final
class Mish(Elementwise):
    """V ↦ V·tanh(log(1 + exp V)), without overflow.

    Examples
    --------
    >>> Mish()([0.0])[0]
    array([0.])
    """

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        u = np.exp(-np.abs(z))
        # tanh(log(1 + eᶻ)) = n/(n + d) with n = eᶻ(eᶻ + 2) and d = 2, both times e⁻²ᶻ where z is positive
        n = np.where(z > 0, 1 + 2 * u, u * (u + 2))
        d = np.where(z > 0, 2 * u * u, 2.0)
        t = n / (n + d)

        def derivative() -> Array:
            # 1 − t² = d(2n + d)/(n + d)², and σ(z) is 1/(1 + u) or u/(1 + u)
            sigma = np.where(z > 0, 1.0, u) / (1 + u)
            return as_array(t + z * sigma * d * (2 * n + d) / (n + d) ** 2).astype(z.dtype, copy=False)

        return as_array(z * t).astype(z.dtype, copy=False), derivative

    def _curvature(self, z: Array) -> Array:
        """(2 + z (1 − σ − 2 t σ)) σ (1 − t²), with t = tanh(log(1 + eᶻ)) and σ = σ(z)."""
        u = np.exp(-np.abs(z))
        n, d = np.where(z > 0, 1 + 2 * u, u * (u + 2)), np.where(z > 0, 2 * u * u, 2.0)
        t, sigma = n / (n + d), np.where(z > 0, 1.0, u) / (1 + u)
        slope = sigma * d * (2 * n + d) / (n + d) ** 2
        return as_array(slope * (2 + z * (1 - sigma - 2 * t * sigma))).astype(z.dtype, copy=False)


@final
class PReLU(Primitive):
    """(X, a) ↦ X where it is positive, else a·X. There is one slope a for all, or one per feature or channel.

    Parameters
    ----------
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> PReLU()([[-1.0, 2.0], [-2.0, 3.0]], 0.5)[0]
    array([[-0.5,  2. ],
           [-1. ,  3. ]])
    """

    name = "prelu"
    inputs: ClassVar[tuple[str, ...]] = ("X", "a")
    per_example = True

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, a = arrays
        beside = a.shape
        if a.shape:
            axis = channel_axis(X.shape, self.layout or DEFAULT_LAYOUT) if X.ndim > 1 else 0
            beside = tuple(n if i == axis % X.ndim else 1 for i, n in enumerate(X.shape))
            if a.shape != (X.shape[axis],):
                raise ShapeError(f"prelu: a has shape {a.shape}, X {X.shape}; expected () or ({X.shape[axis]},)")
        slopes = np.where(X > 0, X.dtype.type(1), a.reshape(beside))

        def by_a() -> Jacobian:
            below = np.minimum(X, 0).astype(slopes.dtype)
            by = Diagonal(below) @ spread(beside, X.shape, below)
            return by if beside == a.shape else by @ Reshape(beside, a.shape, below.dtype)

        return as_array(X * slopes), {"X": lambda: Diagonal(slopes), "a": by_a}

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """The slope by X is a itself where X is negative."""
        X, a = arrays
        makers = self._linearize(np.where(X > 0, X, cotangent.dtype.type(-1)), a)[1]
        return {("X", "a"): -Diagonal(cotangent) @ makers["a"]()}


@of_one
def elu(X: npt.ArrayLike, alpha: float = 1.0) -> tuple[Array, Jacobian]:
    """Return X where it is positive, else α(exp X − 1), and the Jacobian (Clevert et al. 2016, arXiv:1511.07289).

    Examples
    --------
    >>> elu([-1.0, 2.0])[0]
    array([-0.63212056,  2.        ])
    """
    return ELU(alpha)(X)


@of_one
def selu(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return λ·elu(X, α), and the Jacobian (Klambauer et al. 2017, arXiv:1706.02515).

    Examples
    --------
    >>> selu([-1.0, 2.0])[0]
    array([-1.11133074,  2.10140197])
    """
    return SELU()(X)


@of_one
def hard_tanh(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return X clipped to [−1, 1], and the Jacobian (Collobert 2004, *Large scale machine learning*).

    Examples
    --------
    >>> hard_tanh([-3.0, 0.5])[0]
    array([-1. ,  0.5])
    """
    return HardTanh()(X)


@of_one
def soft_sign(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`X / (1 + |X|)`, and the Jacobian (Glorot & Bengio 2010, AISTATS).

    Examples
    --------
    >>> soft_sign([-1.0, 3.0])[0]
    array([-0.5 ,  0.75])
    """
    return SoftSign()(X)


@of_one
def mish(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return X·tanh(log(1 + exp X)), and the Jacobian (Misra 2020, arXiv:1908.08681).

    Examples
    --------
    >>> mish([0.0, 1.0])[0]
    array([0.        , 0.86509839])
    """
    return Mish()(X)


@of_one
def hard_swish(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return X·min(max(X + 3, 0), 6)/6, and the Jacobian (Howard et al. 2019, arXiv:1905.02244).

    Examples
    --------
    >>> hard_swish([-4.0, 0.0, 4.0])[0]
    array([-0.,  0.,  4.])
    """
    return HardSwish()(X)


@written
def prelu(X: Any, a: Any, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    """Return X where it is positive, else a·X, and both Jacobians (He et al. 2015, arXiv:1502.01852).

    Parameters
    ----------
    X : array_like
    a : array_like, shape (), or one for each feature of a matrix, or each channel of images
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If `a` does not fit X.

    Examples
    --------
    >>> Z, J = prelu([[-1.0, 2.0], [-2.0, 3.0]], 0.5)
    >>> Z, J.a.gradient if J.a.codomain == () else J.a.vjp(np.ones((2, 2)))
    (array([[-0.5,  2. ],
           [-1. ,  3. ]]), array(-3.))
    """
    return PReLU(layout)(X, a)
