"""What every notation must say of expressions and of structured Jacobians, and the parts of a name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jacobians.arrays import Shape
from jacobians.layout import Order
from jacobians.symbols.expressions import (
    Add,
    Call,
    Einsum,
    Expr,
    Eye,
    Gathered,
    Hadamard,
    Joined,
    MatMul,
    Number,
    Ones,
    Part,
    Placed,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    Scattered,
    Slices,
    SumOver,
    Symbol,
    Transposed,
    WithOnes,
    Zeros,
)
from jacobians.symbols.functions import Function

__all__ = ["GREEK", "Name", "Notation", "split_name"]


GREEK = {
    "Theta": "Θ",
    "theta": "θ",
    "delta": "δ",
    "Delta": "Δ",
    "lam": "λ",
    "lambda": "λ",
    "alpha": "α",
    "sigma": "σ",
}


@dataclass(frozen=True)
class Name:
    """A name's parts: whether a d comes first, its letters, and its index or nothing."""

    differential: bool
    letters: str
    index: str


def split_name(name: str) -> Name:
    """Return the parts of a name.

    Examples
    --------
    >>> split_name("dTheta2")
    Name(differential=True, letters='Theta', index='2')
    >>> split_name("delta3"), split_name("db1").differential
    (Name(differential=False, letters='delta', index='3'), True)
    """
    differential = bool(re.match(r"d([A-Z]|b\d*$)", name))
    found = re.fullmatch(r"(.*?)_?(\d*)", name[differential:], re.DOTALL)
    letters, index = found.groups() if found else (name, "")
    return Name(differential, letters, index)


_SUM, _PRODUCT, _POSTFIX = 1, 2, 3


class Structure(Protocol):
    """What writes its own matrix: a structured Jacobian."""

    def _written(self, write: Any, order: Order) -> str | None: ...


class Notation(ABC):
    """A way to write expressions and chains; a subclass states how each node is written, its parts being given.

    Where a fraction has a bar, nothing in it needs brackets.
    """

    bars = False

    # --- expressions -----------------------------------------------------------------------------

    def expr(self, expr: Expr) -> str:
        """Return an expression as it stands alone."""
        return self._node(expr)[0]

    def _at(self, expr: Expr, least: int, *also: type[Expr]) -> str:
        """An expression as a part of another: in brackets unless it binds closely enough, or is one of `also`."""
        text, binds = self._node(expr)
        return text if binds >= least or isinstance(expr, also) else self.bracket(text)

    def _node(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Symbol(name):
                return self.symbol(name), _POSTFIX
            case Number(value):
                return self.number(value), _POSTFIX if value >= 0 else _SUM
            case Eye(rows):
                return self.eye(rows), _POSTFIX
            case Ones(dims):
                return self.ones(dims), _POSTFIX
            case Zeros(dims):
                return self.zeros(dims), _POSTFIX
            case Transposed(of):
                return self.transpose(self._at(of, _POSTFIX)), _POSTFIX
            case MatMul(left, right):
                return self.matmul(self._at(left, _POSTFIX, MatMul), self._at(right, _POSTFIX, MatMul)), _PRODUCT
            case Hadamard(Number(value), right) if value == -1:
                return self.negative(self._at(right, _PRODUCT)), _SUM
            case Hadamard(left, right) if left.shape == ():
                factor = self._at(left, _POSTFIX, Quotient, Hadamard)
                return self.scale(factor, self._at(right, _POSTFIX, *((MatMul,) if self.bars else ()))), _PRODUCT
            case Hadamard(left, right):
                return self.hadamard(self._at(left, _POSTFIX, Hadamard), self._at(right, _POSTFIX)), _PRODUCT
            case Add(left, right, minus):
                left, right = self._addend(left), self._addend(right)
                return self.add(self.expr(left), self._at(right, _PRODUCT), minus), _SUM
            case Quotient(left, right) if self.bars and right.shape == () and left.shape != ():
                one = self.fraction(self.number(1), self.expr(right))
                return self.scale(one, self._at(left, _POSTFIX, MatMul)), _PRODUCT
            case Quotient(left, right) if self.bars:
                return self.fraction(self.expr(left), self.expr(right)), _PRODUCT
            case Quotient(left, right):
                return self.fraction(self._at(left, _PRODUCT), self._at(right, _POSTFIX)), _PRODUCT
            case Power(of, exponent):
                return self.power(self._at(of, _POSTFIX), exponent), _POSTFIX
            case Part(of, key):
                return self.part(self._at(of, _POSTFIX), key), _POSTFIX
            case Placed(of):
                return self.placed(expr, self.expr(of)), _POSTFIX
            case Gathered(of, index, dims):
                return self.gathered(self._at(of, _POSTFIX), index, dims), _POSTFIX
            case Scattered(of, index, dims):
                return self.scattered(self._at(of, _POSTFIX), index, dims), _POSTFIX
            case Einsum(spec, of):
                return self.einsum(spec, [self._at(part, _POSTFIX) for part in of]), _PRODUCT
            case WithOnes(of):
                return self.with_ones(expr, self.expr(of)), _POSTFIX
            case Joined(of, axis):
                return self.joined([self.expr(part) for part in of], axis), _POSTFIX
            case Reshaped(of, dims):
                return self.reshaped(self._at(of, _POSTFIX), dims), _POSTFIX
            case Repeated(of):
                return self.repeated(self._at(of, _POSTFIX), expr.shape, of.shape), _PRODUCT
            case SumOver(of, axis, keep):
                return self.sum_over(self._at(of, _POSTFIX), axis, keep), _POSTFIX
            case Call(function, arguments):
                return self.call(function, [self.expr(a) for a in arguments]), _POSTFIX
        raise TypeError(f"no notation for {type(expr).__name__}")

    def _addend(self, expr: Expr) -> Expr:
        return expr

    def placed(self, expr: Placed, text: str) -> str:
        """Return [0 A 0] with as many blocks of zeros as there are."""
        for axis, ((start, stop), n) in enumerate(zip(expr.key, expr.dims, strict=True)):
            a, b, _ = slice(start, stop).indices(n)
            if (a, b) != (0, n):
                return self.joined([self.number(0)] * (a > 0) + [text] + [self.number(0)] * (b < n), axis)
        return self.joined([text], -1)

    def block_of_ones(self, axis: int) -> str:
        """Return the ones in [1 A]."""
        return self.ones((1, 1) if axis == 0 else (1,))

    def with_ones(self, expr: WithOnes, text: str) -> str:
        """Return [1 A] or [A 1]."""
        parts = [self.block_of_ones(expr.axis), text]
        return self.joined(parts if expr.first else parts[::-1], expr.axis)

    # --- chains ----------------------------------------------------------------------------------

    def matrix(self, jacobian: Structure, order: Order) -> str:
        """Return a structured Jacobian of expressions as a matrix, for arrays unrolled in this order."""
        text = jacobian._written(self, order)
        if text is None:
            raise TypeError(f"no notation for {type(jacobian).__name__}")
        return text

    def operand(self, factor: Expr | int) -> str:
        """Return a factor of a product: an expression, in brackets if need be, or an identity of some size."""
        return self._at(Eye(factor) if isinstance(factor, int) else factor, _POSTFIX)

    def weights(self, row: Expr, column: bool, order: Order) -> str:
        """Return a scalar's Jacobian, or by a scalar: of equal entries as a multiple of ones, else as a vec."""
        match row:
            case Ones():
                return self.uniform(None, row.size, column)
            case Hadamard(factor, Ones()) if factor.shape == ():
                return self.uniform(self._at(factor, _POSTFIX, Quotient), row.size, column)
        return self.vec(self.expr(row), order) if column else self.row(self.expr(row), order)

    def of_examples(self, delta: Expr, axis: int, order: Order, column: bool) -> str:
        """Return the matrix whose row n, or column n, is the n-th example's part of δ, among zeros."""
        return self.per_example(self._at(delta, _POSTFIX), axis, order, column)

    def is_ones(self, factor: Expr | int) -> bool:
        """Whether a factor is an array of ones."""
        return isinstance(factor, Ones)

    # --- what a notation states ------------------------------------------------------------------

    @abstractmethod
    def symbol(self, name: str) -> str: ...
    @abstractmethod
    def number(self, value: float) -> str: ...
    @abstractmethod
    def eye(self, size: int) -> str: ...
    @abstractmethod
    def ones(self, dims: Sequence[int]) -> str: ...
    @abstractmethod
    def zeros(self, dims: Sequence[int]) -> str: ...
    @abstractmethod
    def gathered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str: ...
    @abstractmethod
    def scattered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str: ...
    @abstractmethod
    def einsum(self, spec: str, parts: Sequence[str]) -> str: ...
    @abstractmethod
    def bracket(self, text: str) -> str: ...
    @abstractmethod
    def transpose(self, text: str) -> str: ...
    @abstractmethod
    def matmul(self, left: str, right: str) -> str: ...
    @abstractmethod
    def hadamard(self, left: str, right: str) -> str: ...
    @abstractmethod
    def scale(self, factor: str, text: str) -> str: ...
    @abstractmethod
    def add(self, left: str, right: str, minus: bool) -> str: ...
    @abstractmethod
    def negative(self, text: str) -> str: ...
    @abstractmethod
    def fraction(self, above: str, below: str) -> str: ...
    @abstractmethod
    def power(self, text: str, exponent: int) -> str: ...
    @abstractmethod
    def part(self, text: str, key: Slices) -> str: ...
    @abstractmethod
    def joined(self, parts: Sequence[str], axis: int) -> str: ...
    @abstractmethod
    def reshaped(self, text: str, dims: Sequence[int]) -> str: ...
    @abstractmethod
    def repeated(self, text: str, dims: Sequence[int], own: Sequence[int]) -> str: ...
    @abstractmethod
    def sum_over(self, text: str, axis: int, keep: bool) -> str: ...
    @abstractmethod
    def call(self, function: Function, arguments: Sequence[str]) -> str: ...
    @abstractmethod
    def kron(self, left: str, right: str) -> str: ...
    @abstractmethod
    def commutation(self, rows: int, columns: int, order: Order) -> str: ...
    @abstractmethod
    def diag(self, text: str, order: Order) -> str: ...
    @abstractmethod
    def selection(self, key: Slices, dims: Sequence[int], order: Order) -> str: ...
    @abstractmethod
    def reshaping(self, before: Shape, after: Shape, order: Order) -> str: ...
    @abstractmethod
    def minus_outer(self, d: Expr, u: Expr, v: Expr, axis: int, order: Order) -> str: ...
    @abstractmethod
    def per_example(self, delta: str, axis: int, order: Order, column: bool) -> str: ...
    @abstractmethod
    def uniform(self, factor: str | None, count: int, column: bool) -> str: ...
    @abstractmethod
    def vec(self, text: str, order: Order) -> str: ...
    @abstractmethod
    def row(self, text: str, order: Order) -> str: ...
    @abstractmethod
    def join(self, factors: Sequence[str]) -> str: ...
    @abstractmethod
    def plus(self, terms: Sequence[str]) -> str: ...
    @abstractmethod
    def partial(self, of: str, wrt: str, vector: bool) -> str: ...
    @abstractmethod
    def equation(self, left: str, right: str) -> str: ...
