"""ReLU and LeakyReLU: operations with a kink at zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import DomainError
from jacobians.linops import Jacobian
from jacobians.operations.base import Elementwise

__all__ = ["LeakyReLU", "ReLU", "leaky_relu", "relu"]


@final
class ReLU(Elementwise):
    r"""V ↦ max(V, 0).

    .. math::

        f(z) = \max(z, 0), \qquad f'(z) = [z > 0].

    At the kink the derivative is taken as 0, one of the subgradients; so frameworks do. Where z is NaN the
    value is NaN and the comparison, so the derivative, 0.

    Source: Glorot, Bordes & Bengio (2011), Deep Sparse Rectifier Neural Networks, AISTATS.

    Examples
    --------
    >>> A, J = ReLU().apply([-1.0, 0.0, 2.0])
    >>> A, J.diagonal()
    (array([0., 0., 2.]), array([0., 0., 1.]))
    """

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
    >>> A, J = LeakyReLU(0.1).apply([-1.0, 0.0, 2.0])
    >>> A, J.diagonal()
    (array([-0.1,  0. ,  2. ]), array([0.1, 0.1, 1. ]))
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        if not math.isfinite(self.slope):
            raise DomainError(f"leaky_relu: slope={self.slope} is not finite; take a number such as 0.01")

    @property
    def name(self) -> str:
        """The operation's name in messages and tables."""
        return "leaky_relu"

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
    return ReLU().apply(Z)


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
    return LeakyReLU(slope).apply(Z)
