"""Exp, Log, Square and Power. Source: NIST Digital Library of Mathematical Functions, 4.2(iv), 4.7 and 4.20."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, kind_of
from jacobians.errors import ArgumentError, DomainError
from jacobians.linops import Jacobian
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import Elementwise

__all__ = ["Exp", "Log", "Power", "Square", "exp", "log", "power", "square"]


@final
class Exp(Elementwise):
    r"""V ↦ exp(V), its own derivative: :math:`f'(z) = f(z) = \exp z`.

    Examples
    --------
    >>> A, J = Exp()([0.0, 1.0])
    >>> J.diagonal()
    array([1.        , 2.71828183])
    """

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.exp(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.exp(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return np.exp(Z)

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        with np.errstate(under="ignore"):
            value = np.exp(z, out=np.empty_like(z))
        kept = value.copy(order="K")  # the caller may overwrite the value before asking for the derivative
        return value, lambda: kept.copy(order="K")

    def _curvature(self, z: Array) -> Array:
        """exp z."""
        with np.errstate(under="ignore"):
            return np.exp(z, out=np.empty_like(z))


@final
class Log(Elementwise):
    r"""V ↦ log(V), the natural logarithm: :math:`f'(z) = 1/z`, for z > 0 only.

    Raises
    ------
    DomainError
        If an entry is zero or negative. NaN is let through.

    Examples
    --------
    >>> A, J = Log()([1.0, 4.0])
    >>> J.diagonal()
    array([1.  , 0.25])
    """

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.log(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / Z

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -1 / Z**2

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        _refuse(z, z <= 0, "log", "is outside the domain, entries > 0; add an epsilon, or clip")

        def derivative() -> Array:
            with np.errstate(under="ignore"):
                return np.divide(1, z, out=np.empty_like(z))

        return np.log(z, out=np.empty_like(z)), derivative

    def _curvature(self, z: Array) -> Array:
        """−1/z²."""
        with np.errstate(under="ignore"):
            return np.negative(np.power(z, -2, out=np.empty_like(z)))


@final
class Square(Elementwise):
    r"""V ↦ V∘V: :math:`f(z) = z^2`, :math:`f'(z) = 2z`.

    Examples
    --------
    >>> A, J = Square()([-3.0, 0.5])
    >>> A, J.diagonal()
    (array([9.  , 0.25]), array([-6.,  1.]))
    """

    @staticmethod
    def textbook(Z: Array) -> Array:
        return Z**2

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 2 * Z

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return np.full_like(Z, 2)

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        with np.errstate(under="ignore"):
            value = np.square(z, out=np.empty_like(z))
        return value, lambda: np.multiply(z, 2, out=np.empty_like(z))

    def _curvature(self, z: Array) -> Array:
        """2."""
        return np.full_like(z, 2)


@final
@dataclass(frozen=True, eq=False)
class Power(Elementwise):
    r"""V ↦ V raised to a constant exponent, entry by entry: :math:`f(z) = z^p`, :math:`f'(z) = p\,z^{p-1}`.

    For p = 0 and p = 1 the value and derivative are (1, 0) and (z, 1) everywhere, at 0 and at NaN too, as IEEE 754
    defines pow. Any other exponent lets NaN through.

    Parameters
    ----------
    exponent : float
        Any finite number.

    Raises
    ------
    DomainError
        If the exponent is infinite or NaN; if an entry is negative and the exponent is not an integer; if an entry
        is 0 and the derivative there is infinite, which is so for p < 1 other than p = 0.

    Examples
    --------
    >>> A, J = Power(3)([-2.0, 0.0])
    >>> A, J.diagonal()
    (array([-8.,  0.]), array([12.,  0.]))
    """

    exponent: float

    def __post_init__(self) -> None:
        if not isinstance(self.exponent, (int, float, np.integer, np.floating)):
            raise ArgumentError(
                f"power: the exponent is {kind_of(self.exponent)}; the order is Z, exponent: power(Z, 2)"
            )
        if not math.isfinite(self.exponent):
            raise DomainError(f"power: exponent={self.exponent} is not finite; take a number such as 2")

    @staticmethod
    def textbook(Z: Array, p: float) -> Array:
        return Z**p

    @staticmethod
    def textbook_prime(Z: Array, p: float) -> Array:
        return p * Z ** (p - 1)

    @staticmethod
    def textbook_second(Z: Array, p: float) -> Array:
        return p * (p - 1) * Z ** (p - 2)

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        p = float(self.exponent)
        if not p.is_integer():
            _refuse(z, z < 0, "power", f"has no real power {p}; take abs first, or an integer exponent")
        if p < 1 and p != 0:
            _refuse(z, z == 0, "power", f"has an infinite derivative at exponent {p}; add an epsilon, or clip")

        def derivative() -> Array:
            with np.errstate(under="ignore"):
                if p == 0:
                    return np.zeros_like(z)
                if p >= 0.5 or (p - 1) + 1 == p:
                    d = _raise(z, p - 1)
                    return np.multiply(d, p, out=d)
                # p - 1 is rounded, and that error would grow with |log z|: divide z^p by z, bounded since ∞/∞ is NaN.
                d = _raise(z, p)
                np.minimum(d, np.finfo(z.dtype).max, out=d)
                d *= p
                return np.divide(d, z, out=d)

        with np.errstate(under="ignore"):
            return _raise(z, p), derivative

    def _curvature(self, z: Array) -> Array:
        """p (p − 1) z^(p − 2); 0 for p = 0 and p = 1."""
        p = float(self.exponent)
        if p in (0, 1):
            return np.zeros_like(z)
        if p < 2:
            _refuse(z, z == 0, "power", f"has an infinite second derivative at exponent {p}; add an epsilon, or clip")
        with np.errstate(under="ignore"):
            if p == 2:
                return np.full_like(z, 2)
            bend = _raise(z, p - 2)
            return np.multiply(bend, p * (p - 1), out=bend)


def _raise(z: Array, p: float) -> Array:
    """z^p as a new array, with p as given: an exponent that float32 would round is applied in float64."""
    if p == 1:
        return z.copy(order="K")
    if p == 2:
        return np.square(z, out=np.empty_like(z))
    out = np.abs(z, out=np.empty_like(z))  # np.power of a negative base is 20 × slower
    wide = None if float(z.dtype.type(p)) == p else np.float64
    np.power(out, p, out=out, dtype=wide, casting="same_kind")
    return np.copysign(out, z, out=out) if p % 2 == 1 else out


def _refuse(z: Array, bad: npt.ArrayLike, operation: str, why: str) -> None:
    """Raise for the first entry in C order where `bad` is true."""
    if np.count_nonzero(bad):
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), z.shape))
        raise DomainError(f"{operation}: the entry {z[index]} at index {index} {why}")


@of_one
def exp(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`\exp Z`, entry by entry, and its diagonal Jacobian; see `Exp`.

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
    >>> A, J = exp([0.0, 1.0])
    >>> J.jvp(np.array([3.0, 0.0]))
    array([3., 0.])
    """
    return Exp()(Z)


@of_one
def log(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return the natural logarithm of Z, entry by entry, and its diagonal Jacobian; see `Log`.

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
    DomainError
        If an entry is zero or negative.

    Examples
    --------
    >>> A, J = log([[1.0, 2.0]])
    >>> J.vjp(np.array([[1.0, 1.0]]))
    array([[1. , 0.5]])
    """
    return Log()(Z)


@of_one
def square(Z: npt.ArrayLike) -> tuple[Array, Jacobian]:
    r"""Return :math:`Z \circ Z` and its diagonal Jacobian; see `Square`.

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
    >>> A, J = square([[1.0, -3.0]])
    >>> J.vjp(np.ones((1, 2)))
    array([[ 2., -6.]])
    """
    return Square()(Z)


@of_one
def power(Z: npt.ArrayLike, exponent: float) -> tuple[Array, Jacobian]:
    r"""Return Z to a constant exponent, entry by entry, and its diagonal Jacobian; see `Power`.

    Parameters
    ----------
    Z : array_like, any shape
    exponent : float
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
        If an entry lies where the power or its derivative is undefined, or the exponent is not finite.

    Examples
    --------
    >>> A, J = power([4.0, 9.0], 0.5)
    >>> A, J.diagonal()
    (array([2., 3.]), array([0.25      , 0.16666667]))
    """
    return Power(exponent)(Z)
