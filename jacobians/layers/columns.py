"""The structures of convolutions and pools in formulas: a way back is a function by name, or a sum over indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np

from jacobians.arrays import Array, Shape, as_array, inverse_axes, show_shape
from jacobians.layers.image_functions import COL2IM, IM2COL, IM2ROW, MAXPICK, POOLS, ROW2IM, TURNED
from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.linops.wrappers import Transposed
from jacobians.symbols.expressions import Call, Expr, Number
from jacobians.symbols.named_functions import Function

__all__ = [
    "AxesMoved",
    "ByName",
    "Contracted",
    "FromColumns",
    "OfFormulas",
    "TurnedKernel",
    "Unfolding",
    "Unpooling",
    "written_numbers",
]


def written_numbers(numbers: Sequence[int], usual: Sequence[int], least: int) -> tuple[int, ...]:
    """Return the numbers that a formula shows: those at the end that are as usual are left out."""
    shown = [*numbers]
    while len(shown) > least and shown[-1] == usual[len(shown) - 1]:
        shown.pop()
    return tuple(shown)


class OfFormulas(Jacobian):
    """A structure that acts on formulas alone."""

    __slots__ = ()

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _written(self, write: Any, order: Order) -> str | None:
        return None

    @property
    def structure(self) -> str:
        return f"{type(self).__name__}({show_shape(self.domain)})"

    @property
    def flops(self) -> int:
        return 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        return ()


class ByName(OfFormulas):
    """A structure that is a function with a name, as its transpose is: of what comes, and of other arguments.

    Parameters
    ----------
    forward, back : Function
    of_forward, of_back : sequence of Expr or int
        Their other arguments.
    codomain, domain : tuple of int
    """

    __slots__ = ("back", "forward", "of_back", "of_forward")

    def __init__(
        self,
        forward: Function,
        of_forward: Sequence[Expr | int],
        back: Function,
        of_back: Sequence[Expr | int],
        codomain: Shape,
        domain: Shape,
    ) -> None:
        self.forward, self.back = forward, back
        self.of_forward, self.of_back = map(_expressions, (of_forward, of_back))
        super().__init__(codomain, domain, np.dtype(np.float64))

    def _jvp(self, tangent: Array) -> Array:
        return cast(Array, Call(self.forward, (cast(Expr, tangent), *self.of_forward), self.codomain))

    def _vjp(self, cotangent: Array) -> Array:
        return cast(Array, Call(self.back, (cast(Expr, cotangent), *self.of_back), self.domain))


def _expressions(given: Sequence[Expr | int]) -> tuple[Expr, ...]:
    return tuple(each if isinstance(each, Expr) else Number(each) for each in given)


class Unfolding(ByName):
    """X ↦ its columns, or its rows where the channels come last; the transpose is col2im, or row2im."""

    __slots__ = ()
    _rule = ("windows overlap", "Each entry gets the sum over the windows that it is in")

    def __init__(self, images: Shape, columns: Shape, steps: tuple[int, ...]) -> None:
        forward, back = (IM2COL, COL2IM) if len(columns) == 3 else (IM2ROW, ROW2IM)
        super().__init__(forward, steps, back, (*images[1:], *steps), columns, images)


class TurnedKernel(ByName):
    """W ↦ W turned by 180°, as its transpose does."""

    __slots__ = ()
    _rule = ("the kernel is turned", "A true convolution turns its kernel by 180°, on the way back too")

    def __init__(self, shape: Shape, where: tuple[int, ...]) -> None:
        super().__init__(TURNED, where, TURNED, where, shape, shape)


class Unpooling(ByName):
    """X ↦ its pooled windows; the transpose hands each back to its largest entry, or spreads it over its window."""

    __slots__ = ()
    _rule = ("pool", "Each window hands back what arrives at it")

    def __init__(self, which: Literal["max", "avg"], images: Expr, steps: tuple[int, ...], pooled: Shape) -> None:
        forward, back = MAXPICK if which == "max" else POOLS[which][0], POOLS[which][1]
        along: tuple[Expr | int, ...] = (images, *steps) if which == "max" else steps
        super().__init__(forward, along, back, (images, *steps), pooled, images.shape)


class AxesMoved(OfFormulas):
    """X ↦ X with its axes in another order; the transpose moves them back.

    Parameters
    ----------
    letters : str
        One for each axis, in the order that they get.
    axes : sequence of int
        Where each of these is in X.
    shape : tuple of int
        Of X.
    """

    __slots__ = ("here", "there")
    _rule = ("axes in another order", "Each entry goes back to its place")

    def __init__(self, letters: str, axes: Sequence[int], shape: Shape) -> None:
        self.here, self.there = "".join(letters[place] for place in inverse_axes(axes)), letters
        super().__init__(tuple(shape[a] for a in axes), shape, np.dtype(np.float64))

    def of(self, images: Expr) -> Expr:
        """Return the images with their axes moved."""
        return cast(Expr, self._jvp(cast(Array, images)))

    def _jvp(self, tangent: Array) -> Array:
        return tangent.T if len(self.there) == 2 else as_array(np.einsum(f"{self.here}->{self.there}", tangent))

    def _vjp(self, cotangent: Array) -> Array:
        return cotangent.T if len(self.there) == 2 else as_array(np.einsum(f"{self.there}->{self.here}", cotangent))


class Contracted(OfFormulas):
    """V ↦ a sum over indices of V and another array; the transpose is another such sum.

    Parameters
    ----------
    back : str
        The indices of the other array, of the cotangent and of V, as `numpy.einsum` has them.
    other : Expr
    codomain, domain : tuple of int
    """

    __slots__ = ("back", "other")
    _rule = ("a sum over indices", "Each entry gets the sum of what it was multiplied by")

    def __init__(self, back: str, other: Expr, codomain: Shape, domain: Shape) -> None:
        self.back, self.other = back, other
        super().__init__(codomain, domain, np.dtype(np.float64))

    def _jvp(self, tangent: Array) -> Array:
        given, own = self.back.split("->")
        other, found = given.split(",")
        return as_array(np.einsum(f"{other},{own}->{found}", cast(Array, self.other), tangent))

    def _vjp(self, cotangent: Array) -> Array:
        return as_array(np.einsum(self.back, cast(Array, self.other), cotangent))


class FromColumns(Contracted):
    """X_col ↦ W X_col, for each image, and for each of several groups."""

    __slots__ = ()
    _rule = ("one kernel for all places", "Each column of each image meets the same kernel")

    def __init__(self, weights: Expr, columns: Shape) -> None:
        count, *groups, _, p = columns
        spec = "gok,ngop->ngkp" if groups else "ok,nop->nkp"
        super().__init__(spec, weights, (count, *groups, weights.shape[-2], p), columns)
