r"""Sigmoid and tanh, which saturate at both ends, and the rectifiers with a corner.

The derivatives of the first two are written in :math:`e = \exp(-|z|)`, which cannot overflow. The textbook forms
:math:`a(1-a)` and :math:`1-a^2` lose every digit once `a` rounds to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_number
from jacobians.errors import DomainError
from jacobians.linops import Jacobian
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import Elementwise

__all__ = ["LeakyReLU", "ReLU", "Sigmoid", "Tanh", "leaky_relu", "relu", "sigmoid", "tanh"]


@final
class Sigmoid(Elementwise):
    r"""V ↦ σ(V), the logistic function.

    .. math::

        \sigma(z) = \frac{1}{1+\exp(-z)}, \qquad
        \sigma'(z) = \sigma(z)\,\sigma(-z) = \frac{e}{(1+e)^2}, \quad e = \exp(-|z|).

    Source: Goodfellow, Bengio & Courville (2016), Deep Learning, section 3.10.

    Examples
    --------
    >>> A, J = Sigmoid()([0.0, 40.0])
    >>> J.diagonal()
    array([2.50000000e-01, 4.24835426e-18])
    """

    shown = "σ"
    in_value = ("a(1 − a)", lambda a: a * (1 - a))

    @staticmethod
    def textbook(Z: Array) -> Array:
        return 1 / (1 + np.exp(-Z))

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return Sigmoid.textbook(Z) * Sigmoid.textbook(-Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return Sigmoid.textbook_prime(Z) * (1 - 2 * Sigmoid.textbook(Z))

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        with np.errstate(under="ignore"):
            w = np.abs(z, out=np.empty_like(z))
            np.exp(np.negative(w, out=w), out=w)
            value = np.add(w, 1, out=np.empty_like(z))
            w /= value  # σ(-|z|), kept because 1 - w is exact to the last place and 1 - σ(z) is not
            # 1 - w where z ≥ 0, else w
            np.abs(np.subtract(z >= 0, w, out=value), out=value)

        def derivative() -> Array:
            with np.errstate(under="ignore"):
                d = np.subtract(1, w, out=np.empty_like(w))
                return np.multiply(d, w, out=d)

        return value, derivative

    def _curvature(self, z: Array) -> Array:
        """σ″(z) = −tanh(z/2) σ′(z)."""
        return _odd(z, logistic_slope(z))


@final
class Tanh(Elementwise):
    r"""V ↦ tanh(V).

    .. math::

        \tanh'(z) = \operatorname{sech}^2(z) = \frac{4e}{(1+e)^2}, \quad e = \exp(-2|z|).

    Source: NIST Digital Library of Mathematical Functions, 4.34.8 and 4.28.

    Examples
    --------
    >>> A, J = Tanh()([0.0, 20.0])
    >>> J.diagonal()
    array([1.0000000e+00, 1.6993417e-17])
    """

    in_value = ("1 − a²", lambda a: 1 - a * a)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.tanh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / np.cosh(Z) ** 2

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -2 * np.tanh(Z) / np.cosh(Z) ** 2

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        with np.errstate(under="ignore"):
            value = np.tanh(z, out=np.empty_like(z))

        def derivative() -> Array:
            with np.errstate(under="ignore", over="ignore"):
                e = np.abs(z, out=np.empty_like(z))
                np.exp(np.multiply(e, -2, out=e), out=e)
                d = np.add(e, 1, out=np.empty_like(z))
                d *= d
                e *= 4
                return np.divide(e, d, out=d)

        return value, derivative

    def _curvature(self, z: Array) -> Array:
        """tanh″ = −2 tanh tanh′."""
        value, derivative = self._rule(z)
        value *= -2
        return np.multiply(value, derivative(), out=value)


def logistic_slope(z: Array) -> Array:
    """Return σ(z) σ(−z) = e/(1 + e)², e = exp(−|z|): the sigmoid's derivative, and Softplus' second."""
    return Sigmoid()._rule(z)[1]()


def _odd(z: Array, slope: Array) -> Array:
    """−tanh(z/2) times the given array, in place: 1 − 2σ(z) = −tanh(z/2), without a subtraction."""
    with np.errstate(under="ignore"):
        half = np.multiply(z, 0.5, out=np.empty_like(z))
        np.tanh(half, out=half)
        slope *= half
    return np.negative(slope, out=slope)


@of_one
def sigmoid(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`\sigma(Z)` and its diagonal Jacobian; see `Sigmoid`.

    Parameters
    ----------
    Z : array_like, any shape

    Returns
    -------
    A : ndarray, shape of `Z`
    J : Jacobian, diagonal

    Raises
    ------
    DTypeError
        If `Z` is not real.

    Examples
    --------
    >>> A, J = sigmoid([[0.0, -1000.0]])
    >>> A
    array([[0.5, 0. ]])
    """
    return Sigmoid()(Z)


@of_one
def tanh(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`\tanh(Z)` and its diagonal Jacobian; see `Tanh`.

    Parameters
    ----------
    Z : array_like, any shape

    Returns
    -------
    A : ndarray, shape of `Z`
    J : Jacobian, diagonal

    Raises
    ------
    DTypeError
        If `Z` is not real.

    Examples
    --------
    >>> A, J = tanh([0.0, 1.0])
    >>> J.diagonal()
    array([1.        , 0.41997434])
    """
    return Tanh()(Z)


@final
class ReLU(Elementwise):
    r"""V ↦ max(V, 0).

    .. math::

        f(z) = \max(z, 0), \qquad f'(z) = [z > 0].

    At the kink the derivative is taken as 0, one of the subgradients, as frameworks do. Where z is NaN the value is NaN
    and the comparison, so the derivative, 0.

    Source: Glorot, Bordes & Bengio (2011), Deep Sparse Rectifier Neural Networks, AISTATS.

    Examples
    --------
    >>> A, J = ReLU()([-1.0, 0.0, 2.0])
    >>> A, J.diagonal()
    (array([0., 0., 2.]), array([0., 0., 1.]))
    """

    kinks = (0.0,)
    piecewise_linear = True

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.maximum(Z, 0)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return (Z > 0) * 1.0

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        # Against an array of zeros NumPy's maximum is vectorised; against the scalar 0 it is not: 2.7 × in float32.
        value = np.empty_like(z)
        value.fill(0)
        np.maximum(z, value, out=value)
        return value, lambda: _positive(z)


@final
@dataclass(frozen=True, eq=False)
class LeakyReLU(Elementwise):
    r"""V ↦ V where positive, slope·V elsewhere.

    .. math::

        f(z) = z\,[z > 0] + s\,z\,[z \le 0], \qquad f'(z) = [z > 0] + s\,[z \le 0].

    The derivative at 0 is the slope. Where z is NaN the value is NaN and the derivative the slope.

    Parameters
    ----------
    slope : float
        Any finite number; 0 gives ReLU, -1 the absolute value.

    Raises
    ------
    DomainError
        If the slope is infinite or NaN.

    Notes
    -----
    Source: Maas, Hannun & Ng (2013), Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML.

    Examples
    --------
    >>> A, J = LeakyReLU(0.1)([-1.0, 0.0, 2.0])
    >>> A, J.diagonal()
    (array([-0.1,  0. ,  2. ]), array([0.1, 0.1, 1. ]))
    """

    name = "leaky_relu"
    kinks = (0.0,)
    piecewise_linear = True
    slope: float = 0.01

    def __post_init__(self) -> None:
        if not math.isfinite(a_number(self.slope, "slope", self.name)):
            raise DomainError(f"leaky_relu: slope={self.slope} is not finite; take a number such as 0.01")

    @staticmethod
    def textbook(Z: Array, slope: float) -> Array:
        return np.where(Z > 0, Z, slope * Z)

    @staticmethod
    def textbook_prime(Z: Array, slope: float) -> Array:
        return np.where(Z > 0, 1.0, slope)

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        slope = float(self.slope)
        if slope == 0:  # inf times 0 would be NaN
            return ReLU()._rule(z)
        with np.errstate(under="ignore", over="ignore"):
            value = np.multiply(z, slope, out=np.empty_like(z))
        (np.maximum if slope <= 1 else np.minimum)(z, value, out=value)

        def derivative() -> Array:
            # As a sum of two masked terms each branch is exact; mask·(1 - slope) + slope rounds.
            d = _positive(z)
            rest = np.subtract(1, d, out=np.empty_like(d))
            rest *= slope
            return np.add(d, rest, out=d)

        return value, derivative


def _positive(z: Array) -> Array:
    return np.greater(z, 0, out=np.empty_like(z))


@of_one
def relu(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`\max(Z, 0)` and its diagonal Jacobian, 0 at the kink; see `ReLU`.

    Parameters
    ----------
    Z : array_like, any shape

    Returns
    -------
    A : ndarray, shape of `Z`
        A new array, also where nothing is clipped.
    J : Jacobian, diagonal

    Raises
    ------
    DTypeError
        If `Z` is not real.

    Examples
    --------
    >>> A, J = relu([[-3.0, 4.0]])
    >>> J.vjp(np.array([[5.0, 6.0]]))
    array([[0., 6.]])
    """
    return ReLU()(Z)


@of_one
def leaky_relu(Z: npt.ArrayLike, slope: float = 0.01) -> tuple[Array, Jacobian]:
    r"""Return Z where positive and slope·Z elsewhere, and its diagonal Jacobian; see `LeakyReLU`.

    Parameters
    ----------
    Z : array_like, any shape
    slope : float
        Any finite number.

    Returns
    -------
    A : ndarray, shape of `Z`
    J : Jacobian, diagonal

    Raises
    ------
    DTypeError
        If `Z` is not real.
    DomainError
        If the slope is infinite or NaN.

    Examples
    --------
    >>> A, J = leaky_relu([[-3.0, 4.0]], slope=0.5)
    >>> J.vjp(np.array([[5.0, 6.0]]))
    array([[2.5, 6. ]])
    """
    return LeakyReLU(slope)(Z)
