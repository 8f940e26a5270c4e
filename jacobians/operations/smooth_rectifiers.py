"""Softplus, GELU and SiLU: rectifiers without a corner, which are exact on the left tail too."""

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
from jacobians.operations.activations import Sigmoid, logistic_slope
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import Elementwise
from jacobians.symbols.named_functions import Function

__all__ = ["GELU", "SiLU", "Softplus", "gelu", "silu", "softplus"]


BOUND = 40.0
"""Beyond this every result underflows, also in float64."""


# SciPy's erfcx has errors of 5 to 8 units in the last place between -3 and 0, this interpolant of 3.
# With a = -n, (1 + ¾a)·m is smooth in t = (5a/4 - 5)/(a + 5), which maps [0, 40] to [-1, 1]. Its Chebyshev interpolant
# in t was computed with 300 bits, cut after degree 10 and 22, and written in powers of t, highest first. Method:
# Shepherd & Laframboise (1981), Chebyshev approximation of (1 + 2x) exp(x²) erfc(x) in 0 ≤ x < ∞, Math. Comp. 36.
_SINGLE = (
    *(4.078924698117437e-05, -5.642445003548228e-05, -0.000444039455593814, 0.002363763061512529),
    *(-0.006362366162046808, 0.011005684638181976, -0.010436162268016275, -0.005204943511845374),
    *(0.04405290880390488, -0.1036143805497591, 0.37764256661529727),
)
_DOUBLE = (
    *(3.632196134145378e-11, 1.352972410523707e-10, -4.146988577603012e-10, -1.902729044310579e-09),
    *(3.0375521531555956e-09, 1.7727129408404968e-08, -2.3826578598164063e-08, -1.5035694772190283e-07),
    *(2.5915136667951447e-07, 1.2094692720147195e-06, -3.594996319417144e-06, -7.153179691175141e-06),
    *(5.027810402029373e-05, -4.17254176108199e-05, -0.0004542586392900805, 0.0023505807048855424),
    *(-0.006357181074291028, 0.011011137529587382, -0.010437361922957768, -0.005205884746715075),
    *(0.04405301075566922, -0.10361433454380745, 0.37764256520787576),
)


def scaled_tail(n: Array) -> Array:
    r"""Return :math:`m(n) = \exp(n^2/2)\,\Phi(n)` within 3 units in the last place, for -`BOUND` ≤ n ≤ 0.

    Parameters
    ----------
    n : ndarray of float32 or float64, any shape

    Returns
    -------
    ndarray, shape and dtype of `n`

    Examples
    --------
    >>> scaled_tail(np.array([0.0, -1.0]))
    array([0.5       , 0.26157829])
    """
    first, *rest = _SINGLE if n.dtype.itemsize == 4 else _DOUBLE
    t = np.multiply(n, -1.25, out=np.empty_like(n))
    t -= 5
    m = np.subtract(5, n, out=np.empty_like(n))
    t /= m
    np.multiply(t, first, out=m)
    for coefficient in rest[:-1]:
        m += coefficient
        m *= t
    m += rest[-1]
    np.multiply(n, -0.75, out=t)
    t += 1
    return np.divide(m, t, out=m)


def half_gaussian(n: Array) -> Array:
    r"""Return :math:`h = \exp(-n^2/4)`, so that h² is the normal density's exponential; \|n\| ≤ `BOUND`.

    The rounding error δ of :math:`q \approx n^2` is found by Dekker's product and put back to first order,
    :math:`\exp(-(q+\delta)/4) = \exp(-q/4)\,(1 - \delta/4)`. Source: Dekker (1971), A floating-point technique
    for extending the available precision, Numerische Mathematik 18.

    Parameters
    ----------
    n : ndarray of float32 or float64, any shape

    Returns
    -------
    ndarray, shape and dtype of `n`

    Examples
    --------
    >>> half_gaussian(np.array([0.0, 2.0]))
    array([1.        , 0.36787944])
    """
    splitter = 4097.0 if n.dtype.itemsize == 4 else 134217729.0  # half of the significand's bits
    head = np.multiply(n, splitter, out=np.empty_like(n))
    rest = np.subtract(head, n, out=np.empty_like(n))
    head -= rest
    np.subtract(n, head, out=rest)
    h = np.add(n, head, out=np.empty_like(n))
    rest *= h
    np.multiply(n, n, out=h)
    head *= head
    head -= h
    rest += head
    h *= -0.25
    np.exp(h, out=h)
    rest *= h
    rest *= 0.25
    return np.subtract(h, rest, out=h)


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
    >>> A, J = Softplus()([0.0, 40.0])
    >>> A, J.diagonal()
    (array([ 0.69314718, 40.        ]), array([0.5, 1. ]))
    """

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.logaddexp(0, Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return Sigmoid.textbook(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return Sigmoid.textbook_prime(Z)

    def _tail(self, n: Array) -> tuple[Array, Callable[[], Array]]:
        e = np.exp(n, out=n)

        def slope() -> Array:
            g = np.add(e, 1, out=np.empty_like(e))
            return np.divide(e, g, out=g)

        return np.log1p(e, out=np.empty_like(e)), slope

    def _curvature(self, z: Array) -> Array:
        """σ′(z)."""
        return logistic_slope(z)


def normal_cdf(Z: Array) -> Array:
    from scipy.special import ndtr

    return ndtr(Z)


NORMAL_CDF = Function("normal_cdf", "Φ", normal_cdf)


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
    >>> A, J = GELU()([-1.0, 1.0])
    >>> A, J.diagonal()
    (array([-0.15865525,  0.84134475]), array([-0.08331547,  1.08331547]))
    """

    @staticmethod
    def textbook(Z: Array) -> Array:
        return Z * normal_cdf(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return normal_cdf(Z) + Z * np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return (2 - Z**2) * np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)

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

    def _curvature(self, z: Array) -> Array:
        """f″(z) = (2 − z²) φ(z)."""
        with np.errstate(under="ignore"):
            n = np.clip(z, -BOUND, BOUND)
            h = half_gaussian(n)
            n *= n
            n = np.subtract(2, n, out=n)
            n *= h
            n *= h
            n *= 1 / math.sqrt(2 * math.pi)
        return n


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
    >>> A, J = SiLU()([-1.0, 1.0])
    >>> A, J.diagonal()
    (array([-0.26894142,  0.73105858]), array([0.07232949, 0.92767051]))
    """

    @staticmethod
    def textbook(Z: Array) -> Array:
        return Z * Sigmoid.textbook(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return Sigmoid.textbook(Z) * (1 + Z * Sigmoid.textbook(-Z))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return 2 * Sigmoid.textbook_prime(Z) + Z * Sigmoid.textbook_second(Z)

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

    def _curvature(self, z: Array) -> Array:
        """f″(z) = (2 − z tanh(z/2)) σ′(z)."""
        with np.errstate(under="ignore"):
            n = np.clip(z, -1e5, 1e5)  # no ∞·0
            bend = np.multiply(n, np.tanh(n / 2))
            bend = np.subtract(2, bend, out=bend)
            bend *= logistic_slope(n)
        return bend


def _floor(n: Array, bound: float) -> Array:
    """max(n, bound) in place, so that no tail computes ∞·0; the usual batch is spared the pass."""
    if not n.min(initial=0) >= bound:
        np.maximum(n, bound, out=n)
    return n


@of_one
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
    return Softplus()(Z)


@of_one
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
    return SiLU()(Z)


@of_one
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
    return GELU()(Z)
