"""From structured Jacobians to symbols: which named array is each factor made of?

An operation's Jacobian keeps the arrays that it was given, transposed or with a column of ones, so they are found by
where they lie in memory, or by their values. What is not found gets a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians.arrays import Array
from jacobians.layout import Order
from jacobians.linops import (
    Commutation,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    Kronecker,
    Product,
    Reshape,
    Scaled,
    Selection,
    Sum,
    Transposed,
)
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Eye, Ones, Slices, Symbol, WithOnes
from jacobians.symbols.maps import Commute, Diag, Kron, Map, MinusOuter, Opaque, Place, Reshaping, Select, Summed, Unit
from jacobians.symbols.simplify import transposed

__all__ = ["Known", "maps_of", "same_values"]


class Known:
    """Named arrays, and the expressions that stand for them.

    Parameters
    ----------
    order : {"C", "F"}
        In which opaque matrices are shown.
    """

    def __init__(self, order: Order) -> None:
        self.order: Order = order
        self.entries: list[tuple[Expr, Array]] = []
        self.arrays: dict[str, Array] = {}
        """The values of all symbols."""

    def add(self, expr: Expr, array: Array) -> Expr:
        """Note what an expression stands for; return it."""
        self.entries.append((expr, array))
        if isinstance(expr, Symbol):
            self.arrays[expr.name] = array
        return expr

    def expr(self, array: Array) -> Expr | None:
        """Return the expression whose value is this array, or None."""
        for expr, value in self.entries:
            if _is_view(array, value):
                return expr
            if value.ndim == 2 and _is_view(array, value.T):
                return transposed(expr)
        if array.size and (array == 1).all():
            return Ones(array.shape)
        for same in (_equal, _with_ones):
            for expr, value in self.entries:
                found = same(expr, value, array)
                if found is None and array.ndim == 2:
                    found = same(expr, value, array.T)
                    found = None if found is None else transposed(found)
                if found is not None:
                    return found
        return None


def maps_of(jacobian: Jacobian, known: Known, label: str, derivative: Callable[[], Expr | None]) -> tuple[Map, ...]:
    """Return the symbols of a Jacobian in numerator layout, from the outermost to the innermost.

    Parameters
    ----------
    jacobian : Jacobian
    known : Known
        Told of the names given here.
    label : str
        What an array that is not known is called.
    derivative : callable
        Returns the expression that a diagonal should equal, or None.
    """
    factors = jacobian.factors if isinstance(jacobian, Product) else (jacobian,)
    return tuple(
        _map_of(f, known, label if len(factors) == 1 else f"{label}_{i}", derivative) for i, f in enumerate(factors, 1)
    )


def same_values(expr: Expr, known: Known, array: Array) -> bool:
    """Whether an expression's value is this array, up to the rounding of a textbook form."""
    value = evaluate(expr, known.arrays)
    eps = float(np.finfo(array.dtype).eps)
    return value.shape == array.shape and bool(np.allclose(value, array, rtol=1e4 * eps, atol=1e4 * eps))


def _map_of(jacobian: Jacobian, known: Known, label: str, derivative: Callable[[], Expr | None]) -> Map:
    match jacobian:
        case Kronecker(left=left, right=right):
            return Kron(_factor(left, known, f"{label}_left"), _factor(right, known, f"{label}_right"))
        case Commutation(domain=(rows, columns)):
            return Commute(rows, columns)
        case Identity(domain=domain):
            return Unit(domain)
        case Reshape(codomain=codomain, domain=domain):
            return Reshaping(codomain, domain)
        case Selection(key=tuple(key), domain=domain):
            return Select(_slices(key), domain)
        case Transposed(inner=Selection(key=tuple(key), domain=domain)):
            return Place(_slices(key), domain)
        case Diagonal(values=d):
            return Diag(_diagonal(d, known, label, derivative))
        case DiagonalMinusOuter(d=d, u=u, v=v, axis=axis) if d.ndim == 2:
            d_, u_, v_ = (_named(a, known, f"{label}_{n}") for a, n in ((d, "d"), (u, "u"), (v, "v")))
            return MinusOuter(d_, u_, v_, axis % 2)
        case Scaled(inner=inner, factor=factor):
            known.arrays[f"{label}_c"] = np.asarray(factor)
            return Diag(Symbol(f"{label}_c", ())) if inner.domain == () else _opaque(jacobian, known, label)
        case Sum(terms=terms):
            return Summed(tuple(maps_of(t, known, f"{label}_{i}", derivative) for i, t in enumerate(terms, 1)))
    return _opaque(jacobian, known, label)


def _opaque(jacobian: Jacobian, known: Known, label: str) -> Map:
    own, shown = f"J_{label}", f"J_{label}" + ("_F" if known.order == "F" else "")
    known.arrays[own] = jacobian.to_dense("C")
    known.arrays[shown] = jacobian.to_dense(known.order)
    return Opaque(Symbol(own, jacobian.shape), Symbol(shown, jacobian.shape), jacobian.codomain, jacobian.domain)


def _factor(factor: Array | int, known: Known, label: str) -> Expr:
    return Eye(factor) if isinstance(factor, int) else _named(factor, known, label)


def _named(array: Array, known: Known, label: str) -> Expr:
    found = known.expr(array)
    return known.add(Symbol(label, array.shape), array) if found is None else found


def _diagonal(array: Array, known: Known, label: str, derivative: Callable[[], Expr | None]) -> Expr:
    expected = derivative()
    if expected is not None and same_values(expected, known, array):
        return expected
    return _named(array, known, f"d_{label}")


def _slices(key: tuple[slice, ...]) -> Slices:
    return tuple((part.start, part.stop) for part in key)


def _is_view(array: Array, value: Array) -> bool:
    same = array.ctypes.data == value.ctypes.data and array.shape == value.shape
    return same and array.strides == value.strides and array.size > 0


def _equal(expr: Expr, value: Array, array: Array) -> Expr | None:
    return expr if array.shape == value.shape and np.array_equal(array, value) else None


def _with_ones(expr: Expr, value: Array, array: Array) -> Expr | None:
    if value.ndim != 2 or array.ndim != 2:
        return None
    for axis in (0, 1):
        if array.shape[axis] == value.shape[axis] + 1 and array.shape[1 - axis] == value.shape[1 - axis]:
            for first in (True, False):
                candidate = WithOnes(expr, axis, first)
                lines = array.T if axis == 1 else array
                own = value.T if axis == 1 else value
                ones, rest = (lines[0], lines[1:]) if first else (lines[-1], lines[:-1])
                if (ones == 1).all() and np.array_equal(rest, own):
                    return candidate
    return None
