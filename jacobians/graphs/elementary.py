"""Elementary functions entry by entry, as NumPy names them: trigonometric, hyperbolic and inverse, and three of two.

Source: NIST Digital Library of Mathematical Functions, 4.20, 4.24, 4.34, 4.37 and 4.38.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.errors import DomainError
from jacobians.operations import Elementwise
from jacobians.operations.broadcasting import Curvatures, OfTwo, Slopes


class Elementary(Elementwise):
    """V ↦ f(V); a subclass states f, f′ and f″ as NumPy writes them, and where they are defined.

    Attributes
    ----------
    domain : pair of float
        The open interval in which f has a derivative.

    Raises
    ------
    DomainError
        If an entry lies outside. NaN is let through.
    """

    domain: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    textbook: ClassVar[Callable[..., Array]]
    textbook_prime: ClassVar[Callable[..., Array]]
    textbook_second: ClassVar[Callable[..., Array]]

    def _curvature(self, z: Array) -> Array:
        return as_array(type(self).textbook_second(z))

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        low, high = self.domain
        outside = z[((z <= low) | (z >= high)) & np.isfinite(z)]
        if outside.size:
            raise DomainError(
                f"{self.name}: X has the entry {outside[0]:g}; a derivative exists only between {low:g} and {high:g}"
            )
        return as_array(type(self).textbook(z)), lambda: as_array(type(self).textbook_prime(z))


class Sin(Elementary):
    """V ↦ sin V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.sin(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.cos(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -np.sin(Z)


class Cos(Elementary):
    """V ↦ cos V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.cos(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return -np.sin(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -np.cos(Z)


class Tan(Elementary):
    """V ↦ tan V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.tan(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / np.cos(Z) ** 2

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return 2 * np.tan(Z) / np.cos(Z) ** 2


class Arcsin(Elementary):
    """V ↦ arcsin V."""

    domain = (-1.0, 1.0)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.arcsin(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / np.sqrt((1 - Z) * (1 + Z))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return Z / np.sqrt((1 - Z) * (1 + Z)) ** 3


class Arccos(Elementary):
    """V ↦ arccos V."""

    domain = (-1.0, 1.0)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.arccos(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return -1 / np.sqrt((1 - Z) * (1 + Z))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -Z / np.sqrt((1 - Z) * (1 + Z)) ** 3


class Arctan(Elementary):
    """V ↦ arctan V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.arctan(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / np.hypot(1, Z) ** 2

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -2 * Z / np.hypot(1, Z) ** 4


class Sinh(Elementary):
    """V ↦ sinh V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.sinh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.cosh(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return np.sinh(Z)


class Cosh(Elementary):
    """V ↦ cosh V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.cosh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.sinh(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return np.cosh(Z)


class Arcsinh(Elementary):
    """V ↦ arcsinh V."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.arcsinh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / np.hypot(1, Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -Z / np.hypot(1, Z) ** 3


class Arccosh(Elementary):
    """V ↦ arccosh V."""

    domain = (1.0, np.inf)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.arccosh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / (np.sqrt(Z - 1) * np.sqrt(Z + 1))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -Z / (np.sqrt(Z - 1) * np.sqrt(Z + 1)) ** 3


class Arctanh(Elementary):
    """V ↦ arctanh V."""

    domain = (-1.0, 1.0)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.arctanh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / ((1 - Z) * (1 + Z))

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return 2 * Z / ((1 - Z) * (1 + Z)) ** 2


class Abs(Elementary):
    """V ↦ |V|; at 0 its derivative is taken as 0."""

    kinks = (0.0,)
    piecewise_linear = True

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.abs(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.sign(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return 0 * Z


class Sign(Elementary):
    """V ↦ sign V. At 0 there is no derivative, and 0 is taken."""

    kinks = (0.0,)
    piecewise_linear = True

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.sign(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 0 * Z

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return 0 * Z


@dataclass(frozen=True)
class Exponential(Elementwise):
    """V ↦ c^V, entry by entry.

    Parameters
    ----------
    base : float
        c, a positive number.
    """

    base: float

    def __post_init__(self) -> None:
        if not self.base > 0:
            raise DomainError(f"exponential: the base is {self.base:g}; with any exponent it is positive")

    @staticmethod
    def textbook(Z: Array, c: float) -> Array:
        return c**Z

    @staticmethod
    def textbook_prime(Z: Array, c: float) -> Array:
        return np.log(c) * c**Z

    @staticmethod
    def textbook_second(Z: Array, c: float) -> Array:
        return np.log(c) ** 2 * c**Z

    def _curvature(self, z: Array) -> Array:
        return as_array(np.log(self.base) ** 2 * self.base**z)

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        value = as_array(self.base**z)
        return value, lambda: as_array(np.log(self.base) * value)


class Expm1(Elementary):
    """V ↦ exp V − 1."""

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.expm1(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return np.exp(Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return np.exp(Z)


class Log1p(Elementary):
    """V ↦ log(1 + V)."""

    domain = (-1.0, np.inf)

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.log1p(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / (1 + Z)

    @staticmethod
    def textbook_second(Z: Array) -> Array:
        return -1 / (1 + Z) ** 2


# --- of two --------------------------------------------------------------------------------------------


class LogAddExp(OfTwo):
    """(A, B) ↦ log(exp A + exp B); the slopes are the softmax of the two."""

    name = "logaddexp"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        joint = np.logaddexp(A, B)
        # the caller may overwrite the value before asking for a slope
        return joint.copy(), (lambda: np.exp(A - joint), lambda: np.exp(B - joint))

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        joint = np.logaddexp(A, B)
        both = np.exp((A - joint) + (B - joint))
        return {"AA": both, "AB": -both, "BB": both}


class Hypot(OfTwo):
    """(A, B) ↦ √(A² + B²), which is not differentiable where both are 0."""

    name = "hypot"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        length = _length(A, B, self.name)
        return length.copy(), (lambda: A / length, lambda: B / length)

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        length = _length(A, B, self.name)
        a, b = A / length, B / length
        return {"AA": b * b / length, "AB": -a * b / length, "BB": a * a / length}


class Arctan2(OfTwo):
    """(A, B) ↦ the angle of the point with abscissa B and ordinate A; there is none where both are 0."""

    name = "arctan2"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        length = _length(A, B, self.name)
        return np.arctan2(A, B), (lambda: B / length / length, lambda: -A / length / length)

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        length = _length(A, B, self.name)
        a, b = A / length / length, B / length / length
        return {"AA": -2 * a * b, "AB": (a - b) * (a + b), "BB": 2 * a * b}


def _length(A: Array, B: Array, name: str) -> Array:
    length = np.hypot(A, B)
    if not np.all(length != 0):
        raise DomainError(f"{name}: both are 0 in an entry, where no derivative exists; add an epsilon to one")
    return length
