"""Sums, differences, products, quotients, powers and choices of two arrays, entry by entry, broadcast as NumPy does.

The Jacobian with respect to an operand is diag(slope) S, where S repeats the operand's entries or is the identity.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, StandIn, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.linops import Diagonal, Jacobian
from jacobians.linops.broadcast import spread
from jacobians.operations.operation import UNNAMED, Naming, Primitive
from jacobians.operations.record import Makers, Second
from jacobians.symbols.expressions import Expr

Slopes: TypeAlias = tuple[Callable[[], Array | float], Callable[[], Array | float]]
"""Functions that return the derivative by either operand at each entry, or one number for all."""

Curvatures: TypeAlias = dict[str, Array | float]
"""The second derivatives at each entry that are not 0: by A twice, "AA"; by A and B, "AB"; by B twice, "BB"."""


class OfTwo(Primitive):
    """(A, B) ↦ f(A, B) entry by entry, both broadcast to one shape.

    A subclass states `_of(A, B)`: the value, which the caller owns, and the slopes by A and by B. For second
    derivatives it states `_curvatures(A, B)`, or that it is `piecewise_linear`.
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "B")

    @abstractmethod
    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]: ...

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        raise DomainError(
            f"{self.name}: the operation states no second derivatives, which a Hessian needs; define "
            "_curvatures(A, B), or set piecewise_linear = True"
        )

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """Sᵀ diag(ḡ∘f″) S for each pair, where S repeats an operand's entries."""
        if self.piecewise_linear:
            return {}
        found: Second = {}
        own = dict(zip("AB", arrays, strict=True))
        for pair, bend in self._curvatures(*arrays).items():
            middle = Diagonal(as_array(cotangent * bend))
            left, right = (spread(own[name].shape, middle.domain, middle.values) for name in pair)
            found[pair[0], pair[1]] = left.T @ middle @ right
        return found

    def _shape(self, A: Array, B: Array) -> Shape:
        return np.broadcast_shapes(A.shape, B.shape)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        A, B = arrays
        try:
            shape = self._shape(A, B)
        except ValueError:
            raise ShapeError(self._misfit(A.shape, B.shape)) from None
        value, slopes = self._of(A, B)
        like = np.empty(0, np.result_type(A, B))
        by_a, by_b = (lambda o=o, s=s: _edge(s(), o.shape, shape, like) for o, s in zip(arrays, slopes, strict=True))
        return as_array(value), {"A": by_a, "B": by_b}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the formula with operands repeated to one shape, as their Jacobians do; numbers are not repeated."""
        operands: Any = inputs
        shape = self._shape(*operands)
        A, B = (o if o.shape == () else spread(o.shape, shape, o)._jvp(o) for o in operands)
        value, slopes = self._of_symbols(A, B, name)
        by_a, by_b = (lambda o=o, s=s: _edge(s(), o.shape, shape, o) for o, s in zip(operands, slopes, strict=True))
        return cast(Expr, value), {"A": by_a, "B": by_b}

    def _of_symbols(self, A: Array, B: Array, name: Naming) -> tuple[Array, Slopes]:
        return self._of(A, B)

    def _misfit(self, left: Shape, right: Shape) -> str:
        hint = ""
        if len(right) == 1 and left and left[0] == right[0]:
            hint = f"; one entry for each row would fit as a column: reshape it to {(*right, 1)}"
        elif len(left) == 1 and right and left[0] == right[0]:
            hint = f"; one entry for each row would fit as a column: reshape it to {(*left, 1)}"
        elif _fit(left[::-1], right):
            hint = "; the transpose of one would fit: is one batch in columns?"
        return f"{self.name}: A has shape {left}, B has {right}; they do not broadcast to one shape{hint}"


def _fit(left: Shape, right: Shape) -> bool:
    try:
        np.broadcast_shapes(left, right)
    except ValueError:
        return False
    return True


def _edge(slope: Array | float, own: Shape, shape: Shape, like: Array) -> Jacobian:
    """diag(slope) S, where S repeats an operand of shape `own`; a number times S where the slope is one."""
    if np.ndim(slope) == 0 and not isinstance(slope, StandIn):
        return float(slope) * spread(own, shape, like)
    slope = as_array(slope)
    return Diagonal(np.broadcast_to(slope, shape)) @ spread(own, shape, slope)


class Plus(OfTwo):
    """(A, B) ↦ A + B."""

    name = "+"
    piecewise_linear = True

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        return A + B, (lambda: 1.0, lambda: 1.0)


class Minus(OfTwo):
    """(A, B) ↦ A − B."""

    name = "-"
    piecewise_linear = True

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        return A - B, (lambda: 1.0, lambda: -1.0)


class Times(OfTwo):
    """(A, B) ↦ A∘B."""

    name = "*"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        return A * B, (lambda: B, lambda: A)

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        return {"AB": 1.0}


class Divided(OfTwo):
    """(A, B) ↦ A/B; the slopes are 1/B and −A/B²."""

    name = "/"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        return A / B, (lambda: 1.0 / B, lambda: -(A / B) / B)

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        return {"AB": -1.0 / B / B, "BB": 2.0 * (A / B) / B / B}


class Raised(OfTwo):
    """(A, B) ↦ A to the power B; the slopes are B·A^(B − 1) and A^B·log A.

    Raises
    ------
    DomainError
        If an entry of A is negative and the exponent is no integer, or A is varied to a power that varies below 0.
    """

    name = "**"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        if bool(np.any((A < 0) & (np.floor(B) != B))):
            raise DomainError(
                f"**: A has the entry {A.min():g}, and a power of a negative number that is no integer is undefined; "
                "keep A at 0 or above, for example with abs or np.maximum"
            )

        def by_exponent() -> Array:
            if bool(np.any(A < 0)):
                raise DomainError(
                    f"**: A has the entry {A.min():g}; a power has no derivative with respect to its exponent where "
                    "A is negative"
                )
            return as_array(A**B * np.log(np.where(A > 0, A, 1)))

        # without 0⁻¹ where B is 0
        return A**B, (lambda: as_array(B * A ** np.where(B == 0, 1, B - 1).astype(B.dtype)), by_exponent)

    def _curvatures(self, A: Array, B: Array) -> Curvatures:
        if bool(np.any(A <= 0)):
            raise DomainError(
                f"**: A has the entry {A.min():g}; a power whose exponent varies has second derivatives where A is "
                "above 0; a constant exponent is written as a number, A**3"
            )
        power, log = A**B, np.log(A)
        return {"AA": B * (B - 1) * power / A / A, "AB": (1 + B * log) * power / A, "BB": power * log * log}


class Choice(OfTwo):
    """(A, B) ↦ A where a mask holds, else B; the mask is constant.

    Parameters
    ----------
    mask : array_like of bool
    """

    name = "where"
    piecewise_linear = True

    def __init__(self, mask: npt.ArrayLike) -> None:
        self.mask = as_array(mask).astype(bool, copy=False)

    def _shape(self, A: Array, B: Array) -> Shape:
        return np.broadcast_shapes(self.mask.shape, A.shape, B.shape)

    def _misfit(self, left: Shape, right: Shape) -> str:
        return f"where: the mask has shape {self.mask.shape}, A {left}, B {right}; they do not broadcast to one shape"

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        dtype = np.result_type(A, B)
        return np.where(self.mask, A, B), (lambda: self.mask.astype(dtype), lambda: (~self.mask).astype(dtype))

    def _of_symbols(self, A: Array, B: Array, name: Naming) -> tuple[Array, Slopes]:
        """M ∘ A + (1 − M) ∘ B, M the mask as ones and zeros."""
        mask = np.broadcast_to(self.mask, np.broadcast_shapes(self.mask.shape, A.shape, B.shape)).astype(float)
        M: Any = name.constant("M", mask)
        return as_array(M * A + (1 - M) * B), (lambda: M, lambda: 1 - M)
