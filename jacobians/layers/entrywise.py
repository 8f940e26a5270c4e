"""Functions entry by entry: sine and cosine, and those with a kink or a domain: |x|, √x, the larger of two."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_number, as_array
from jacobians.errors import DomainError
from jacobians.graphs.elementary import Abs, Cos, Elementary, Sin
from jacobians.layers.activations import AsWritten
from jacobians.linops import Jacobian
from jacobians.operations import Jacobians
from jacobians.operations.broadcasting import OfTwo, Slopes
from jacobians.operations.on_values import of_one, of_two

__all__ = [
    "Absolute",
    "Clip",
    "Maximum",
    "Minimum",
    "Sqrt",
    "absolute",
    "clip",
    "cos",
    "maximum",
    "minimum",
    "sin",
    "sqrt",
]


@final
class Absolute(Abs):
    """V ↦ ``|V|``. The slope at 0 is 0.

    Examples
    --------
    >>> Absolute()([-2.0, 3.0])[1].diagonal()
    array([-1.,  1.])
    """

    name = "absolute"


@final
class Sqrt(Elementary):
    """V ↦ √V, of positive entries. At 0 there is no derivative.

    Examples
    --------
    >>> Sqrt()([4.0])[1].diagonal()
    array([0.25])
    """

    domain = (0.0, np.inf)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.sqrt(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 0.5 / np.sqrt(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -0.25 / Z**1.5

    def _curvature(self, z: Array) -> Array:
        return as_array(-0.25 / (z * np.sqrt(z)))


@final
class Clip(AsWritten):
    """V ↦ V between two numbers, else the nearer of the two. The slope is 0 outside and at the ends.

    Parameters
    ----------
    low, high : float

    Examples
    --------
    >>> Clip(0.0, 1.0)([-2.0, 0.5, 2.0])[1].diagonal()
    array([0., 1., 0.])
    """

    piecewise_linear = True

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = a_number(low, "low", self.name), a_number(high, "high", self.name)
        if not self.low < self.high:
            raise DomainError(f"clip: low={low} and high={high}; low must be below high")
        self.kinks = (self.low, self.high)  # type: ignore[misc]

    def _numbers(self) -> tuple[float, ...]:
        return self.low, self.high

    @staticmethod
    def textbook(Z: Array, low: float, high: float) -> Array:
        return np.clip(Z, low, high)

    @staticmethod
    def textbook_prime(Z: Array, low: float, high: float) -> Array:
        return np.where((low < Z) & (high > Z), 1.0, 0.0)


class _Chosen(OfTwo):
    """The larger or the smaller of two. Where they are equal, each takes half of the derivative, as in torch."""

    larger: ClassVar[bool]
    piecewise_linear = True

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        sign = 1 if self.larger else -1
        dtype = np.result_type(A, B)

        def by(first: Array, second: Array) -> Array:
            return as_array(np.heaviside(sign * (first - second), 0.5)).astype(dtype, copy=False)

        value = np.maximum(A, B) if self.larger else np.minimum(A, B)
        return value, (lambda: by(A, B), lambda: by(B, A))


@final
class Maximum(_Chosen):
    """(A, B) ↦ the larger of both, entry by entry.

    Examples
    --------
    >>> Maximum()([1.0, 2.0], [0.0, 3.0])[1].A.diagonal()
    array([1., 0.])
    """

    name = "maximum"
    larger = True


@final
class Minimum(_Chosen):
    """(A, B) ↦ the smaller of both, entry by entry.

    Examples
    --------
    >>> Minimum()([1.0, 2.0], [0.0, 3.0])[1].A.diagonal()
    array([0., 1.])
    """

    name = "minimum"
    larger = False


@of_one
def sin(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return sin X, and the Jacobian.

    Examples
    --------
    >>> sin([0.0])[1].diagonal()
    array([1.])
    """
    return Sin()(X)


@of_one
def cos(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return cos X, and the Jacobian.

    Examples
    --------
    >>> cos([0.0])[0]
    array([1.])
    """
    return Cos()(X)


@of_one
def sqrt(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return √X of positive entries, and the Jacobian.

    Raises
    ------
    DomainError
        If an entry is not positive.

    Examples
    --------
    >>> sqrt([4.0])[1].diagonal()
    array([0.25])
    """
    return Sqrt()(X)


@of_one
def absolute(X: npt.ArrayLike) -> tuple[Array, Jacobian]:
    """Return the absolute values, and the Jacobian, whose slope at 0 is 0.

    Examples
    --------
    >>> absolute([-2.0, 0.0])[1].diagonal()
    array([-1.,  0.])
    """
    return Absolute()(X)


@of_one
def clip(X: npt.ArrayLike, low: float, high: float) -> tuple[Array, Jacobian]:
    """Return X clipped to two numbers, and the Jacobian.

    Raises
    ------
    DomainError
        If `low` is not below `high`.

    Examples
    --------
    >>> clip([-2.0, 0.5, 2.0], 0.0, 1.0)[1].diagonal()
    array([0., 1., 0.])
    """
    return Clip(low, high)(X)


@of_two
def maximum(A: npt.ArrayLike, B: npt.ArrayLike) -> tuple[Array, Jacobians]:
    """Return the larger of two arrays, entry by entry, and the Jacobians. Equal entries take half each.

    Examples
    --------
    >>> Z, J = maximum([1.0, 2.0], [0.0, 2.0])
    >>> J.A.diagonal()
    array([1. , 0.5])
    """
    return Maximum()(A, B)


@of_two
def minimum(A: npt.ArrayLike, B: npt.ArrayLike) -> tuple[Array, Jacobians]:
    """Return the smaller of two arrays, entry by entry, and the Jacobians. Equal entries take half each.

    Examples
    --------
    >>> Z, J = minimum([1.0, 2.0], [0.0, 2.0])
    >>> J.A.diagonal()
    array([0. , 0.5])
    """
    return Minimum()(A, B)
