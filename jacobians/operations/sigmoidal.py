r"""Sigmoid and Tanh: operations that saturate at both ends.

Both derivatives are written in :math:`e = \exp(-|z|)`, which cannot overflow. The textbook forms
:math:`a(1-a)` and :math:`1-a^2` lose every digit once `a` rounds to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.linops import Jacobian
from jacobians.operations.base import Elementwise

__all__ = ["Sigmoid", "Tanh", "sigmoid", "tanh"]


@final
class Sigmoid(Elementwise):
    r"""V ↦ σ(V), the logistic function.

    .. math::

        \sigma(z) = \frac{1}{1+\exp(-z)}, \qquad
        \sigma'(z) = \sigma(z)\,\sigma(-z) = \frac{e}{(1+e)^2}, \quad e = \exp(-|z|).

    Source: Goodfellow, Bengio & Courville (2016), Deep Learning, section 3.10.

    Examples
    --------
    >>> A, J = Sigmoid().apply([0.0, 40.0])
    >>> J.diagonal()
    array([2.50000000e-01, 4.24835426e-18])
    """

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


@final
class Tanh(Elementwise):
    r"""V ↦ tanh(V).

    .. math::

        \tanh'(z) = \operatorname{sech}^2(z) = \frac{4e}{(1+e)^2}, \quad e = \exp(-2|z|).

    Source: NIST Digital Library of Mathematical Functions, 4.34.8 and 4.28.

    Examples
    --------
    >>> A, J = Tanh().apply([0.0, 20.0])
    >>> J.diagonal()
    array([1.0000000e+00, 1.6993417e-17])
    """

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
    return Sigmoid().apply(Z)


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
    return Tanh().apply(Z)
