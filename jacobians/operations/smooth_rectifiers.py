r"""Softplus, SiLU and GELU: rectifiers without a kink.

One identity serves all three: :math:`f(z) - f(-z) = z`, hence :math:`f'(z) + f'(-z) = 1` and

.. math::

    f(z) = \max(z, 0) + f(-|z|), \qquad f'(z) = \begin{cases} f'(-|z|) & z < 0 \\ 1 - f'(-|z|) & z \ge 0. \end{cases}

So an operation states only its left tail, where nothing overflows and everything is a multiple of one exponential.
That exponential is kept as the square of :math:`h`: multiplied in twice, with the other factors between, it reaches
the smallest results without first losing its digits to underflow.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_array
from jacobians.errors import DTypeError
from jacobians.linops import Jacobian
from jacobians.operations.base import Elementwise
from jacobians.operations.normal_tail import BOUND, half_gaussian, scaled_tail

__all__ = ["GELU", "SiLU", "Softplus", "gelu", "silu", "softplus"]


class _SmoothRectifier(Elementwise):
    """A function with f(z) - f(-z) = z; a subclass states f and f′ on the left half-line."""

    @abstractmethod
    def _tail(self, n: Array) -> tuple[Array, Callable[[], Array]]:
        """f(n), and a function that returns f′(n), for n ≤ 0; `n` is the callee's to overwrite and keep."""

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        with np.errstate(under="ignore"):
            n = np.abs(z, out=np.empty_like(z))
            tail, slope = self._tail(np.negative(n, out=n))
            value = np.add(z, tail, out=np.empty_like(z))
            np.maximum(tail, value, out=value)

        def derivative() -> Array:
            with np.errstate(under="ignore"):
                g = slope()
                d = as_array(z >= 0).astype(z.dtype)
                d *= 2
                d -= 1
                d -= g
                np.maximum(d, g, out=d)  # -1 - g < g on the left, 1 - g ≥ g on the right
                return d

        return value, derivative


@final
class Softplus(_SmoothRectifier):
    r"""V ↦ log(1 + exp(V)).

    .. math::

        f(z) = \log(1 + \exp z) = \max(z, 0) + \log(1 + e), \qquad f'(z) = \sigma(z), \quad e = \exp(-|z|).

    Source: Dugas, Bengio, Bélisle, Nadeau & Garcia (2001), Incorporating Second-Order Functional Knowledge, NeurIPS.

    Examples
    --------
    >>> A, J = Softplus().apply([0.0, 40.0])
    >>> A, J.diagonal()
    (array([ 0.69314718, 40.        ]), array([0.5, 1. ]))
    """

    def _tail(self, n: Array) -> tuple[Array, Callable[[], Array]]:
        e = np.exp(n, out=n)

        def slope() -> Array:
            g = np.add(e, 1, out=np.empty_like(e))
            return np.divide(e, g, out=g)

        return np.log1p(e, out=np.empty_like(e)), slope


@final
class SiLU(_SmoothRectifier):
    r"""V ↦ V σ(V), also called swish.

    .. math::

        f(z) = z\,\sigma(z), \qquad f'(z) = \sigma(z) + z\,\sigma'(z).

    The derivative has a root near z = -1.278, where its two terms cancel: its error is a few units in the last place
    of the larger term, here and everywhere.

    Source: Elfwing, Uchibe & Doya (2018), Sigmoid-Weighted Linear Units, Neural Networks 107.

    Examples
    --------
    >>> A, J = SiLU().apply([-1.0, 1.0])
    >>> A, J.diagonal()
    (array([-0.26894142,  0.73105858]), array([0.07232949, 0.92767051]))
    """

    def _tail(self, n: Array) -> tuple[Array, Callable[[], Array]]:
        tail = _floor(n, -1e5)
        h = np.multiply(n, 0.5, out=np.empty_like(n))
        np.exp(h, out=h)
        tail *= h
        tail *= h
        e = np.multiply(h, h, out=h)
        tail /= np.add(e, 1, out=np.empty_like(e))

        def slope() -> Array:
            s = np.add(e, 1, out=np.empty_like(e))
            g = np.add(e, tail, out=np.empty_like(e))
            return np.divide(g, s, out=g)  # σ + n σ′ = (e + n σ)/s with s = 1 + e

        return tail, slope


@final
class GELU(_SmoothRectifier):
    r"""V ↦ V Φ(V), with the exact normal distribution function Φ (not the tanh approximation).

    .. math::

        f(z) = z\,\Phi(z), \qquad f'(z) = \Phi(z) + z\,\varphi(z), \qquad
        \varphi(z) = \exp(-z^2/2)/\sqrt{2\pi}.

    The derivative has a root near z = -0.752, where its two terms cancel: its error is a few units in the last place
    of the larger term, here and everywhere.

    Raises
    ------
    DTypeError
        If the input has extended precision.

    Notes
    -----
    Source: Hendrycks & Gimpel (2016), Gaussian Error Linear Units, arXiv:1606.08415.

    Examples
    --------
    >>> A, J = GELU().apply([-1.0, 1.0])
    >>> A, J.diagonal()
    (array([-0.15865525,  0.84134475]), array([-0.08331547,  1.08331547]))
    """

    def _tail(self, n: Array) -> tuple[Array, Callable[[], Array]]:
        if n.dtype.itemsize > 8:
            raise DTypeError(f"gelu: X has dtype {n.dtype}, its tables end at float64; pass X.astype(np.float64)")
        n = _floor(n, -BOUND)
        h, m = half_gaussian(n), scaled_tail(n)
        tail = np.multiply(n, h, out=np.empty_like(n))
        tail *= m
        tail *= h

        def slope() -> Array:
            g = np.multiply(n, 1 / math.sqrt(2 * math.pi), out=np.empty_like(n))
            g += m
            g *= h
            return np.multiply(g, h, out=g)

        return tail, slope


def _floor(n: Array, bound: float) -> Array:
    """max(n, bound) in place, so that no tail computes ∞·0; the usual batch is spared the pass."""
    if not n.min(initial=0) >= bound:
        np.maximum(n, bound, out=n)
    return n


def softplus(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`\log(1 + \exp Z)` and its diagonal Jacobian; see `Softplus`.

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
    >>> A, J = softplus([0.0, 1.0])
    >>> J.diagonal()
    array([0.5       , 0.73105858])
    """
    return Softplus().apply(Z)


def silu(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`Z \circ \sigma(Z)` and its diagonal Jacobian; see `SiLU`.

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
    >>> A, J = silu([0.0, 1.0])
    >>> J.vjp(np.array([2.0, 0.0]))
    array([1., 0.])
    """
    return SiLU().apply(Z)


def gelu(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`Z \circ \Phi(Z)` and its diagonal Jacobian; see `GELU`.

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
        If `Z` is not real, or has extended precision.

    Examples
    --------
    >>> A, J = gelu([0.0, 3.0])
    >>> J.diagonal()
    array([0.5       , 1.01194565])
    """
    return GELU().apply(Z)
