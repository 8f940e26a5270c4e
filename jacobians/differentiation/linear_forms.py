"""A differential as a matrix: dY = L dX R is vec Y's Jacobian L ⊗ Rᵀ, in structures of expressions.

What is multiplied by a number that moves, as in dY = tr(G dX) A, is an outer product, vec A (vec Gᵀ)ᵀ. Source: Magnus &
Neudecker 2019, ch. 2 and 9: first the differential, then vec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeAlias

from jacobians.arrays import Shape, size_of
from jacobians.derivation.closed_form import names_in
from jacobians.differentiation.short_forms import (
    DIAGONAL,
    ENTRY,
    TRACE,
    VEC,
    Addend,
    addends,
    factors_of,
    one_product,
    shortened,
)
from jacobians.layout import Order
from jacobians.linops import Commutation, Diagonal, Identity, Jacobian, Kronecker, Reshape
from jacobians.matrix.functions_in_symbols import SYLVESTER
from jacobians.matrix.inverses import INVERSE
from jacobians.symbols.expressions import (
    Add,
    Call,
    Einsum,
    Expr,
    Eye,
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
)
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.simplify import DIAG, KRONECKER, product, transposed


class NoMatrixError(Exception):
    """A differential of which no matrix is written here."""


@dataclass(frozen=True, eq=False)
class LinearForm:
    """A sum of numbers times chains of structured Jacobians, in numerator layout.

    Attributes
    ----------
    terms : tuple of (Addend, tuple of Jacobian or Outer)
    """

    terms: tuple[tuple[Addend, tuple[Factor, ...]], ...]

    @property
    def expressions(self) -> Iterator[Expr]:
        """What the numbers and the outer products are written from."""
        for addend, chain in self.terms:
            yield addend.expression()
            for factor in chain:
                if isinstance(factor, Outer):
                    yield from (factor.of, factor.by)
                elif isinstance(factor, KroneckerWith):
                    yield factor.by
                elif isinstance(factor, InEachOrder):
                    yield factor.by_rows

    def chains(self, order: Order, *, transpose: bool = False) -> list[tuple[Addend, list[Written]]]:
        """Return the numbers and the factors of the matrix, or of its transpose; what is subtracted comes last."""
        return [
            (addend, _without_vec([j.T for j in reversed(chain)] if transpose else list(chain), order))
            for addend, chain in sorted(self.terms, key=lambda term: term[0].number < 0)
        ]

    def written(self, notation: Notation, order: Order, *, transpose: bool = False) -> str:
        """Return the matrix, or its transpose, in a notation."""
        text = ""
        for addend, chain in self.chains(order, transpose=transpose):
            product = notation.join([in_notation(j, notation, order) for j in chain])
            product = _scaled(addend, product, notation)
            negative = addend.number < 0
            if text:
                text = notation.form("minus" if negative else "plus", text, product)
            else:
                text = notation.form("negative", product) if negative else product
        return text or notation.number(0)


@dataclass(frozen=True, eq=False)
class Outer:
    """The map V ↦ ⟨G, V⟩ A, whose matrix is vec A (vec G)ᵀ.

    Attributes
    ----------
    of : Expr
        A.
    by : Expr
        G.
    """

    of: Expr
    by: Expr

    @property
    def T(self) -> Outer:
        """V ↦ ⟨A, V⟩ G."""
        return Outer(self.by, self.of)

    def written(self, notation: Notation, order: Order) -> str:
        """Return its matrix; of columns it is A Gᵀ."""
        if self.of.shape[1] == self.by.shape[1] == 1:
            whole = MatMul(self.of, transposed(self.by))
            return notation.expr(whole if isinstance(self.of, Ones) else shortened(whole))
        column, row = notation.vec(notation.expr(self.of), order), notation.row(notation.expr(self.by), order)
        return f"np.outer({column}, {row})" if isinstance(notation, NumpyNotation) else notation.join([column, row])


@dataclass(frozen=True, eq=False)
class KroneckerWith:
    """The map V ↦ A ⊗ V, or V ↦ V ⊗ A.

    Its matrix is a permutation times vec A ⊗ I, or I ⊗ vec A (Magnus & Neudecker 2019, theorem 3.10).

    Attributes
    ----------
    by : Expr
        A.
    domain : tuple of int
        The shape of V.
    first : bool
        Whether A stands first.
    transpose : bool
        Whether it is the transpose.
    """

    by: Expr
    domain: Shape
    first: bool
    transpose: bool = False

    @property
    def T(self) -> KroneckerWith:
        """The transpose."""
        return replace(self, transpose=not self.transpose)

    def written(self, notation: Notation, order: Order) -> str:
        """Return its matrix: vec(A ⊗ V) = (I ⊗ K ⊗ I)(vec A ⊗ vec V)."""
        text, size = notation.expr(self.by), notation.eye(size_of(self.domain))
        code = isinstance(notation, NumpyNotation)
        if self.transpose:
            vector = f"{notation.vec(text, order)}.reshape(1, -1)" if code else notation.row(text, order)
        else:
            vector = f"{notation.vec(text, order)}.reshape(-1, 1)" if code else notation.vec(text, order)
        (m, n), (p, q) = (self.by.shape, self.domain) if self.first else (self.domain, self.by.shape)
        outside, turned, inside = (m, (n, p), q) if order == "C" else (n, (q, m), p)
        middle = notation.commutation(*(turned[::-1] if self.transpose else turned), order)
        around = [notation.eye(outside)] * (outside > 1), [notation.eye(inside)] * (inside > 1)
        factors = [notation.kron(*around[0], middle, *around[1])] if 1 not in turned else []
        factors.append(notation.kron(*((vector, size) if self.first else (size, vector))))
        return notation.join(factors[::-1] if self.transpose else factors)


@dataclass(frozen=True, eq=False)
class InEachOrder:
    """A map whose matrix is an expression: one for arrays by rows, one for arrays by columns.

    Attributes
    ----------
    by_rows, by_columns : Expr
    domain : tuple of int
    """

    by_rows: Expr
    by_columns: Expr
    domain: Shape

    @classmethod
    def sylvester(cls, A: Expr, B: Expr) -> InEachOrder:
        """Return C ↦ the X with A X + X B = C, the inverse of A ⊗ I + I ⊗ Bᵀ by rows, and of I ⊗ A + Bᵀ ⊗ I."""
        m, n = A.shape[0], B.shape[0]

        def inverse(*pairs: tuple[Expr, Expr]) -> Expr:
            one, other = (Call(KRONECKER, pair, (m * n, m * n)) for pair in pairs)
            return Call(INVERSE, (Add(one, other),))

        by_rows = inverse((A, Eye(n)), (Eye(m), transposed(B)))
        return cls(by_rows, inverse((Eye(n), A), (transposed(B), Eye(m))), (m, n))

    @property
    def T(self) -> InEachOrder:
        """The transpose."""
        return InEachOrder(transposed(self.by_rows), transposed(self.by_columns), self.domain)

    def written(self, notation: Notation, order: Order) -> str:
        """Return its matrix."""
        return notation.operand(self.by_rows if order == "C" else self.by_columns)


@dataclass(frozen=True, eq=False)
class Vec:
    """X ↦ vec X, by columns: the identity where the entries of X are taken by columns, else a commutation.

    Attributes
    ----------
    commutation : Commutation
        X ↦ Xᵀ, or its transpose.
    """

    commutation: Jacobian

    @property
    def T(self) -> Vec:
        """The transpose."""
        return Vec(self.commutation.T)

    @property
    def domain(self) -> Shape:
        """The shape of X."""
        return self.commutation.domain


def _without_vec(chain: list[Factor], order: Order) -> list[Written]:
    """A chain in which vec is what its order makes of it; two commutations in a row cancel."""
    kept: list[Written] = []
    for factor in chain:
        if isinstance(factor, Vec) and order == "F":
            continue
        one = factor.commutation if isinstance(factor, Vec) else factor
        if kept and isinstance(one, Commutation) and isinstance(kept[-1], Commutation):
            kept.pop()
        else:
            kept.append(one)
    last = chain[-1]
    return kept or [Identity(() if isinstance(last, Outer) else last.domain)]


def _scaled(addend: Addend, product: str, notation: Notation) -> str:
    """A number times a product of matrices: over a bar what can stand there."""
    above, below = replace(addend, below=()).expression(), replace(addend, number=1, above=()).expression()
    if isinstance(below, Quotient):
        if notation.bars:
            return notation.scale(notation.form("fraction", notation.expr(above), notation.expr(below.right)), product)
        whole = product if above == Number(1) else notation.scale(notation._at(above, 3, Hadamard), product)
        return notation.form("fraction", whole, notation._at(below.right, 3))
    return product if above == Number(1) else notation.scale(notation._at(above, 3, Hadamard), product)


Written: TypeAlias = Jacobian | Outer | KroneckerWith | InEachOrder
Factor: TypeAlias = Written | Vec


def linear_form(differential: Expr, tangent: Symbol) -> LinearForm:
    """Return the matrix of a differential.

    Raises
    ------
    NoMatrixError
        If it is not a sum of products that this file knows.
    """
    return LinearForm(tuple(_terms(differential, tangent)))


def in_notation(jacobian: Written, notation: Notation, order: Order) -> str:
    """Return the matrix of one factor; a Kronecker product with an identity of size 1 is its other factor."""
    if isinstance(jacobian, Outer | KroneckerWith | InEachOrder):
        return jacobian.written(notation, order)
    if isinstance(jacobian, Kronecker):
        if jacobian._right == 1:
            return notation.operand(jacobian._left)  # type: ignore[arg-type]
        if jacobian._left == 1:
            return notation.operand(jacobian._right)  # type: ignore[arg-type]
    return notation.matrix(jacobian, order)


def _terms(expr: Expr, tangent: Symbol) -> Iterator[tuple[Addend, tuple[Factor, ...]]]:
    for addend in addends(expr):
        moving = [part for part in addend.above if _has(part, tangent)]
        if addend.core is None or any(_has(part, tangent) for part in addend.below) or len(moving) > 1:
            raise NoMatrixError
        if moving:
            if _has(addend.core, tangent):
                raise NoMatrixError
            rest = list(addend.above)
            rest.remove(moving[0])
            by = one_product(_sum(list(_pulled(moving[0], Number(1), tangent))))
            assert by.core is not None
            yield replace(addend, above=tuple(rest), core=None).times(by.scalar, None), (Outer(addend.core, by.core),)
            continue
        for inner, chain in _chains(addend.core, tangent):
            yield addend.scalar.times(inner, None), chain


def _chains(core: Expr, tangent: Symbol) -> Iterator[tuple[Addend, tuple[Factor, ...]]]:
    outer: Any
    match core:
        case Symbol() if core == tangent:
            yield Addend(1), (Identity(core.shape),)
            return
        case Add(left, right) if left.shape == right.shape:
            yield from _terms(core, tangent)
            return
        case MatMul():
            factors = factors_of(core)
            places = [i for i, factor in enumerate(factors) if _has(factor, tangent)]
            if len(places) != 1:
                raise NoMatrixError
            before, of, after = factors[: places[0]], factors[places[0]], factors[places[0] + 1 :]
            first: Any = reduce(MatMul, before) if before else of.shape[0]
            last: Any = transposed(reduce(MatMul, after)) if after else of.shape[1]
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
        case Call(function, (of,)) if function == DIAG:
            yield from _chains(Hadamard(Eye(of.shape[0]), MatMul(of, Ones((1, of.shape[0])))), tangent)
            return
        case Call(function, (of,)) if function == DIAGONAL:
            yield from _chains(MatMul(Hadamard(Eye(of.shape[0]), of), Ones((of.shape[0], 1))), tangent)
            return
        case Call(function, (of,)) if function == VEC:
            rows, columns = of.shape
            outer = Vec(Commutation(rows, columns))
        case Call(function, (first, second)) if function == KRONECKER and _has(first, tangent) != _has(second, tangent):
            of, by = (first, second) if _has(first, tangent) else (second, first)
            outer = KroneckerWith(by, of.shape, first=by is first)
        case Call(function, (A, B, of)) if function == SYLVESTER and not (_has(A, tangent) or _has(B, tangent)):
            outer = InEachOrder.sylvester(A, B)
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


def _pulled(expr: Expr, by: Expr, tangent: Symbol) -> Iterator[Expr]:
    """The terms of the gradient of ⟨by, expr⟩ with respect to the tangent, in which the expression is linear."""
    if not _has(expr, tangent):
        return
    match expr:
        case Symbol():
            yield by
        case Add(left, right, minus) if left.shape == right.shape:
            yield from _pulled(left, by, tangent)
            yield from _pulled(right, Hadamard(Number(-1), by) if minus else by, tangent)
        case MatMul(left, right):
            yield from _pulled(left, MatMul(by, transposed(right)), tangent)
            yield from _pulled(right, MatMul(transposed(left), by), tangent)
        case Hadamard(left, right):
            of, other = (left, right) if _has(left, tangent) else (right, left)
            if of.shape == () and other.shape != ():
                yield from _pulled(of, Call(TRACE, (MatMul(transposed(by), other),), ()), tangent)
            else:
                yield from _pulled(of, product(other, by), tangent)
        case Quotient(of, below) if not _has(below, tangent) and of.shape == expr.shape:
            yield from _pulled(of, Quotient(by, below), tangent)
        case Transposed(of):
            yield from _pulled(of, transposed(by), tangent)
        case Call(function, (of,)) if function == DIAG:
            yield from _pulled(of, Call(DIAGONAL, (by,), of.shape), tangent)
        case Call(function, (of,)) if function == DIAGONAL:
            yield from _pulled(of, Call(DIAG, (by,), of.shape), tangent)
        case Call(function, (of,)) if function == VEC:
            yield from _pulled(of, Transposed(Reshaped(by, of.shape[::-1])), tangent)
        case Call(function, (of,)) if function == TRACE:
            yield from _pulled(of, product(by, Eye(of.shape[0])), tangent)
        case Call(function, (of,)) if function == ENTRY:
            yield from _pulled(of, product(by, Ones((1, 1))), tangent)
        case Einsum("ab->", (of,)):
            yield from _pulled(of, product(by, Ones(of.shape)), tangent)
        case _:
            raise NoMatrixError


def _sum(terms: list[Expr]) -> Expr:
    return reduce(Add, terms)


def _has(expr: Expr, tangent: Symbol) -> bool:
    return tangent.name in names_in(expr)
