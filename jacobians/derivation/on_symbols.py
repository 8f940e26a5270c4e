"""An operation run on symbols: its value as a formula, its Jacobians as structures of expressions.

The operation's own code runs on expressions in place of arrays, so no number is looked at and nothing is searched for.
What comes out is then held against the numbers; what does not agree, and what cannot run on symbols, gets a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, StandIn
from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.operations import Operation
from jacobians.operations.operation import Makers
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, MatMul, Reshaped, Symbol
from jacobians.symbols.text import TextNotation

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["NOT_IN_SYMBOLS", "Evaluated", "NamedMatrix", "same_values"]


NOT_IN_SYMBOLS = (TypeError, AttributeError, ValueError, LookupError, ArithmeticError, NotImplementedError)
"""What code raises that asks an expression for what only an array has."""


class NamedMatrix(Jacobian):
    """A Jacobian that no formula is known for: a matrix with a name.

    Parameters
    ----------
    matrix : Expr
        Its entries with rows and columns unrolled in C order.
    shown : Expr
        The same in the order of the layout, in which it is printed.
    codomain, domain : tuple of int
    """

    __slots__ = ("matrix", "shown")

    def __init__(self, matrix: Expr, shown: Expr, codomain: tuple[int, ...], domain: tuple[int, ...]) -> None:
        super().__init__(codomain, domain, Expr.dtype)
        self.matrix, self.shown = matrix, shown

    def _vjp(self, cotangent: Any) -> Any:
        row = Reshaped(cotangent, (1, 1)) if cotangent.shape == () else cotangent.reshape(1, self.shape[0])
        return MatMul(row, self.matrix).reshape(self.domain)

    def _jvp(self, tangent: Any) -> Any:
        return self._transpose()._vjp(tangent)

    def _transpose(self) -> NamedMatrix:
        return NamedMatrix(self.matrix.T, self.shown.T, self.domain, self.codomain)

    def _written(self, write: Any, order: Order) -> str:
        return str(write.expr(self.shown))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        rule, sentence = self._rule
        return rule, f"{sentence}: {row} {self._written(write, order)}."

    def _sparse(self) -> csr_array:
        raise TypeError(f"{self.structure} has no numbers")

    @property
    def structure(self) -> str:
        return TextNotation().expr(self.shown)

    @property
    def flops(self) -> int:
        return 2 * self.matrix.size

    @property
    def arrays(self) -> Any:
        return (self.shown,)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """One evaluation of an operation, in numbers.

    Attributes
    ----------
    operation : Operation
    inputs : dict
        By the operation's own names.
    value : ndarray
    jacobian : callable
        From the name of an input to the Jacobian in numerator layout.
    """

    operation: Operation
    inputs: Mapping[str, Array]
    value: Array
    jacobian: Callable[[str], Jacobian]

    def in_symbols(
        self,
        symbols: Mapping[str, Expr],
        labels: Mapping[str, str],
        name: Callable[[Expr | None], Expr],
        arrays: dict[str, Array],
        order: Order,
    ) -> dict[str, tuple[Jacobian, ...]]:
        """Return the factors of the Jacobians by every input.

        Parameters
        ----------
        symbols : dict
            Of the inputs.
        labels : dict
            What an array that has no name of its own is called after, by input.
        name : callable
            Called with the value's formula, or None where there is none; returns what stands for the value.
        arrays : dict
            The values of all symbols; told of the names given here.
        order : {"C", "F"}
            In which named matrices are shown.
        """
        named: list[Expr] = []

        def once(value: Expr | None) -> Expr:
            if not named:
                named.append(name(value))
            return named[0]

        value: object = None
        makers: Makers = {}
        with suppress(*NOT_IN_SYMBOLS):  # the Jacobians of numbers, with names, are left then
            value, makers = self.operation.in_symbols(*symbols.values(), name=once)
        own = once(value if isinstance(value, Expr) else None)
        found = {}
        for wrt in self.inputs:
            number = self.jacobian(wrt)
            factors = _made(makers.get(wrt), number, arrays)
            if factors is None:
                places = [(self.value, own), *((self.inputs[n], symbols[n]) for n in self.inputs)]
                factors = tuple(_named(number, labels[wrt], places, arrays, order))
            found[wrt] = factors
        return found


def _made(
    maker: Callable[[], Jacobian] | None, number: Jacobian, arrays: Mapping[str, Array]
) -> tuple[Jacobian, ...] | None:
    """The factors of a Jacobian in symbols; None unless it can be written and equals the numbers."""
    if maker is None:
        return None
    try:
        jacobian = maker()
        if (jacobian.codomain, jacobian.domain) != (number.codomain, number.domain) or not _is_written(jacobian):
            return None
        cotangent = np.random.default_rng(0).normal(size=number.codomain).astype(number.dtype)
        row: Any = Symbol("", number.codomain)
        pulled: Any = jacobian._vjp(row)
        right = same_values(pulled, {**arrays, "": cotangent}, number._vjp(cotangent))
    except NOT_IN_SYMBOLS:
        return None
    return jacobian._factors() if right else None


def _is_written(jacobian: Jacobian) -> bool:
    """Whether a structure can be written: it is made of expressions, and knows its matrix."""
    write = TextNotation()
    known = all(isinstance(array, StandIn) or array.dtype.kind in "iu" for array in jacobian.arrays)
    return known and all(factor._written(write, "C") is not None for factor in jacobian._factors())


def _named(
    jacobian: Jacobian, label: str, places: list[tuple[Array, Expr]], arrays: dict[str, Array], order: Order
) -> Iterator[Jacobian]:
    """The factors of numbers in symbols: named arrays are known by where they lie, others get a name of their own."""
    factors = jacobian._factors()
    for number, factor in enumerate(factors, 1):
        own = label if len(factors) == 1 else f"{label}_{number}"
        new: dict[str, Array] = {}

        def leaf(array: Array, new: dict[str, Array] = new, own: str = own) -> Any:
            for value, expr in places:
                if _is_view(array, value):
                    return expr
                if value.ndim == 2 and _is_view(array, value.T):
                    return expr.T
            name = f"d_{own}" + (f"_{len(new) + 1}" if new else "")
            new[name] = np.asarray(array)
            return Symbol(name, array.shape)

        def inner(part: Jacobian, leaf: Callable[[Array], Any] = leaf) -> Jacobian:
            return part._with_leaves(leaf, lambda j: inner(j, leaf))

        try:
            found: Jacobian | None = inner(factor)
        except NOT_IN_SYMBOLS:
            found = None
        if found is not None and _is_written(found):
            arrays |= new
            yield found
        else:
            yield _matrix(factor, own, arrays, order)


def _matrix(jacobian: Jacobian, label: str, arrays: dict[str, Array], order: Order) -> NamedMatrix:
    own, shown = f"J_{label}", f"J_{label}" + "_F" * (order == "F")
    arrays[own] = jacobian.to_dense("C")
    arrays[shown] = jacobian.to_dense(order)
    return NamedMatrix(Symbol(own, jacobian.shape), Symbol(shown, jacobian.shape), jacobian.codomain, jacobian.domain)


def _is_view(array: Array, value: Array) -> bool:
    same = array.ctypes.data == value.ctypes.data and array.shape == value.shape
    return same and array.strides == value.strides and array.size > 0


def same_values(expr: Expr, arrays: Mapping[str, Array], number: Array) -> bool:
    """Whether an expression's value is this array, up to the rounding of a textbook form."""
    with np.errstate(all="ignore"):
        value = evaluate(expr, arrays)
    if value.shape != number.shape:
        return False
    allowed = 1e4 * float(np.finfo(number.dtype).eps)
    largest = np.abs(number[np.isfinite(number)]).max(initial=1.0)
    return bool(np.allclose(value, number, rtol=allowed, atol=allowed * largest, equal_nan=True))
