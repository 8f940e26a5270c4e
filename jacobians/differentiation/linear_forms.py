"""A differential as a matrix: dY = L dX R is vec Y's Jacobian L ⊗ Rᵀ, in structures of expressions.

Source: Magnus & Neudecker 2019, ch. 2 and 9: first the differential, then vec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from jacobians.derivation.closed_form import names_in
from jacobians.differentiation.short_forms import Addend, addends, factors_of
from jacobians.layout import Order
from jacobians.linops import Commutation, Diagonal, Identity, Jacobian, Kronecker, Reshape
from jacobians.symbols.expressions import (
    Add,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Ones,
    Quotient,
    Repeated,
    Reshaped,
    SumOver,
    Symbol,
    Transposed,
    transposed,
)
from jacobians.symbols.notation import Notation


class NoMatrixError(Exception):
    """A differential of which no matrix is written here."""


@dataclass(frozen=True, eq=False)
class LinearForm:
    """A sum of numbers times chains of structured Jacobians, in numerator layout.

    Attributes
    ----------
    terms : tuple of (Addend, tuple of Jacobian)
    """

    terms: tuple[tuple[Addend, tuple[Jacobian, ...]], ...]

    def written(self, notation: Notation, order: Order, *, transpose: bool = False) -> str:
        """Return the matrix, or its transpose, in a notation."""
        text = ""
        for addend, chain in sorted(self.terms, key=lambda term: term[0].number < 0):
            own = [j.T for j in reversed(chain)] if transpose else chain
            product = notation.join([_factor(j, notation, order) for j in own])
            scalar = addend.expression()
            if scalar != Number(1):
                product = notation.scale(notation._at(scalar, 3), product)
            negative = addend.number < 0
            if text:
                text = notation.form("minus" if negative else "plus", text, product)
            else:
                text = notation.form("negative", product) if negative else product
        return text or notation.number(0)


def linear_form(differential: Expr, tangent: Symbol) -> LinearForm:
    """Return the matrix of a differential.

    Raises
    ------
    NoMatrixError
        If it is not a sum of products that this file knows.
    """
    return LinearForm(tuple(_terms(differential, tangent)))


def _factor(jacobian: Jacobian, notation: Notation, order: Order) -> str:
    """A Kronecker product with an identity of size 1 is its other factor."""
    if isinstance(jacobian, Kronecker):
        if jacobian._right == 1:
            return notation.operand(jacobian._left)  # type: ignore[arg-type]
        if jacobian._left == 1:
            return notation.operand(jacobian._right)  # type: ignore[arg-type]
    return notation.matrix(jacobian, order)


def _terms(expr: Expr, tangent: Symbol) -> Iterator[tuple[Addend, tuple[Jacobian, ...]]]:
    for addend in addends(expr):
        if addend.core is None or any(_has(part, tangent) for part in (*addend.above, *addend.below)):
            raise NoMatrixError
        for inner, chain in _chains(addend.core, tangent):
            yield addend.scalar.times(inner, None), chain


def _chains(core: Expr, tangent: Symbol) -> Iterator[tuple[Addend, tuple[Jacobian, ...]]]:
    outer: Any
    match core:
        case Symbol() if core == tangent:
            yield Addend(1), (Identity(core.shape),)
            return
        case Add():
            yield from _terms(core, tangent)
            return
        case MatMul():
            factors = factors_of(core)
            places = [i for i, factor in enumerate(factors) if _has(factor, tangent)]
            if len(places) != 1:
                raise NoMatrixError
            left, of, right = factors[: places[0]], factors[places[0]], factors[places[0] + 1 :]
            first: Any = reduce(MatMul, left) if left else of.shape[0]
            last: Any = transposed(reduce(MatMul, right)) if right else of.shape[1]
            outer = Kronecker(first, last)
        case Hadamard(first, second):
            of, by = (first, second) if _has(first, tangent) else (second, first)
            if of.shape != core.shape:
                raise NoMatrixError
            outer = _diagonal(by, core, tangent)
        case Quotient(of, below):
            outer = _diagonal(Quotient(Number(1), below), core, tangent)
        case Transposed(of):
            rows, columns = of.shape
            outer = Commutation(rows, columns)
        case Reshaped(of):
            outer = Reshape(core.shape, of.shape)
        case SumOver(of, axis, True):
            rows, columns = of.shape
            ones: Any = Ones((1, of.shape[axis]))
            outer = Kronecker(ones, columns) if axis == 0 else Kronecker(rows, ones)
        case Repeated(of, (rows, columns)) if of.ndim == 2:
            down: Any = Ones((rows, 1)) if of.shape[0] != rows else rows
            across: Any = Ones((columns, 1)) if of.shape[1] != columns else columns
            outer = Kronecker(down, across)
        case _:
            raise NoMatrixError
    for addend, chain in _terms(of, tangent):
        yield addend, ((outer,) if isinstance(chain[0], Identity) else (outer, *chain))


def _diagonal(by: Expr, core: Expr, tangent: Symbol) -> Diagonal:
    values: Any = by
    if by.shape != core.shape or _has(by, tangent):
        raise NoMatrixError
    return Diagonal(values)


def _has(expr: Expr, tangent: Symbol) -> bool:
    return tangent.name in names_in(expr)
