"""The shapes of the names in an expression: declared, or what products, sums and traces ask of each other.

What |X|, A / B and 2^X mean depends on them: a term is returned that says it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

from jacobians.arrays import Shape, show_shape
from jacobians.auditing.formula_text import Source
from jacobians.auditing.terms import Term, call, number
from jacobians.differentiation.words import BARS, is_scalar
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Number, Symbol

Size: TypeAlias = int
"""The number of an unknown, which may be known to equal others and a whole number."""
Sizes: TypeAlias = tuple[()] | tuple[Size, Size]

_SQUARE = ("trace", "inv", "det", "logdet", "expm", "logm", "sqrtm")
_MATRIX_POWER = "the exponent of a matrix is a whole number from -9 to 9, 1/2 or -1/2; entry by entry, write .^"
_POWER = "matrix power"
_SOFTMAXES = ("softmax_rows", "softmax_columns")
_TO_SCALAR = ("trace", "det", "logdet", "norm")


def with_shapes(
    term: Term, declared: Mapping[str, Shape], source: Source, *, falling: bool = False
) -> tuple[Term, dict[str, Shape]]:
    """Return what a term means, and the shape of every name in it, by the order in which they first stand.

    A size that nothing fixes gets a number of its own, so that no two sizes are equal by chance.

    Parameters
    ----------
    term : Term
    declared : mapping of str to tuple of int
        () of a number, (n, 1) of a vector.
    source : Source
        For errors, which mark the place.
    falling : bool
        Whether later sizes are smaller. Then XᵀX has an inverse where nothing fixes the sizes of X, and XXᵀ has none.

    Raises
    ------
    FormulaError
        If two shapes do not fit.
    """
    found = _Unknowns(declared, source)
    found.of(term)
    return _as_meant(term, found.meant), found.solved(falling=falling)


def _as_meant(term: Term, meant: Mapping[int, str]) -> Term:
    """A term in which every sign with several meanings is the function that it stands for."""
    parts, span = tuple(_as_meant(part, meant) for part in term.parts), term.span
    match meant.get(id(term)), parts:
        case "inverse on the right", [a, b]:
            return Term("product", (a, call("inv", (b,), b.span)), None, span)
        case "inverse on the left", [a, b]:
            return Term("product", (call("inv", (a,), a.span), b), None, span)
        case "left number", [a, b]:
            return Term("divide", (b, a), None, span)
        case "number", [a, b]:
            return Term("divide", (a, b), None, span)
        case "expm", [a, b]:
            base = a.detail.value if isinstance(a.detail, Number) else None
            factor = call("log", (a,), a.span) if base is None else number(math.log(base), a.span)
            return call("expm", (b if base == math.e else Term("product", (factor, b), None, span),), span)
        case "exp", [_, b]:
            return call("exp", (b,), span)
        case "sum of sizes", [a, _]:
            return Term("sum", (call("abs", (a,), span),), (None, False), span)
        case "inverse of the root", [a]:
            return call("inv", (call("sqrtm", (a,), span),), span)
        case "first", [a, _]:
            return call(str(term.detail), (a,), span)
        case str(function), [a]:
            return call(function, (a,), span)
    return Term(term.kind, parts, term.detail, span)


class _Unknowns:
    """Sizes as unknowns: `same` says that two are equal."""

    def __init__(self, declared: Mapping[str, Shape], source: Source) -> None:
        self.declared, self.source = declared, source
        self.above: list[Size] = []
        self.known: dict[Size, int] = {}
        self.names: dict[str, Sizes] = {}
        self.products: list[tuple[Size, Sizes, Term]] = []
        """Sizes that are products of two others, in the order in which the expression has them."""
        self.meant: dict[int, str] = {}
        """By the id of a term whose sign has several meanings, which it has."""

    def fresh(self, size: int | None = None) -> Size:
        self.above.append(len(self.above))
        if size is not None:
            self.known[len(self.above) - 1] = size
        return len(self.above) - 1

    def root(self, size: Size) -> Size:
        while self.above[size] != size:
            size = self.above[size]
        return size

    def number(self, size: Size) -> int | None:
        return self.known.get(self.root(size))

    def same(self, a: Size, b: Size, term: Term, what: str, shapes: tuple[Sizes, ...]) -> None:
        a, b = self.root(a), self.root(b)
        if a == b:
            return
        first, second = self.known.get(a), self.known.get(b)
        if first is not None and second is not None and first != second:
            shown = " and ".join(map(self.shown, shapes))
            raise self.error(f"{what}: {shown}{' do not fit' * (len(shapes) > 1)}", term)
        self.above[b] = a
        if second is not None:
            self.known[a] = second

    def shown(self, sizes: Sizes) -> str:
        if not sizes:
            return "a number"
        return "×".join("?" if (n := self.number(size)) is None else str(n) for size in sizes)

    def error(self, message: str, term: Term) -> FormulaError:
        return self.source.error(message, term.span)

    def solved(self, *, falling: bool) -> dict[str, Shape]:
        made = {self.root(size) for size, _, _ in self.products}
        roots = [self.root(size) for sizes in self.names.values() for size in sizes]
        free = dict.fromkeys(root for root in roots if root not in self.known and root not in made)
        taken = set(self.known.values())
        sizes = [n for n in range(3, 4 + len(free) + len(taken)) if n not in taken][: len(free)]
        own = {**self.known, **dict(zip(free, reversed(sizes) if falling else sizes, strict=True))}
        for size, factors, term in self.products:
            total = math.prod(own.get(self.root(factor), 0) for factor in factors)
            if not total or own.setdefault(self.root(size), total) != total:
                what = "a Kronecker product" if term.detail != "vec" else "vec"
                raise self.error(f"the sizes in {what} do not follow from the expression; declare them", term)
        return {name: tuple(own[self.root(size)] for size in sizes) for name, sizes in self.names.items()}

    def multiplied(self, factors: Sizes, term: Term) -> Size:
        """A size that is the product of two."""
        known = [self.number(factor) for factor in factors]
        if None not in known:
            return self.fresh(math.prod(n for n in known if n is not None))
        size = self.fresh()
        self.products.append((size, factors, term))
        return size

    # --- terms -----------------------------------------------------------------------------------

    def of(self, term: Term) -> Sizes:
        """The sizes of a term; a product of one entry is a number."""
        parts = [self.of(part) for part in term.parts]
        match term.kind, parts:
            case "leaf", _:
                return self._name(term.detail.name) if isinstance(term.detail, Symbol) else ()
            case "transpose", [()] if isinstance(term.parts[0].detail, Number):
                raise self.error("the transpose of a literal is not read; a sum over entries is sum(x)", term)
            case "transpose", [a]:
                return a[::-1]
            case (("product" | "matmul"), [a, b]):
                return self._product(term, a, b)
            case (("plus" | "minus" | "star" | "hadamard" | "divide"), [a, b]):
                return self._alike(term, a, b)
            case (("negative" | "power"), [a]):
                return a
            case "raised", [a, b]:
                return self._raised(term, a, b)
            case "right_divide", [a, b]:
                return self._divided(term, a, b)
            case "left_divide", [a, b]:
                return self._left_divided(term, a, b)
            case "matrix_power", [(_, _) as a] if term.detail in (0.5, -0.5):
                self.meant[id(term)] = "sqrtm" if term.detail > 0 else "inverse of the root"
                return self._square(term, a)
            case "matrix_power", [(_, _)] if not (float(term.detail).is_integer() and abs(term.detail) <= 9):
                raise self.error(_MATRIX_POWER, term)
            case "matrix_power", [a]:
                return self._square(term, a) if a else a
            case "outer", [a, b]:
                if not a or not b or self.number(a[1]) != 1 or self.number(b[1]) != 1:
                    raise self.error(f"outer takes two vectors, not {self.shown(a)} and {self.shown(b)}", term)
                return self._scalar((a[0], b[0]))
            case (("sum" | "mean"), [a]):
                axis, keep = term.detail
                if not a or axis is None:
                    return ()
                if not keep:
                    raise self.error(f"a {term.kind} along an axis keeps it here: write keepdims=True", term)
                return self._scalar((self.fresh(1), a[1]) if axis == 0 else (a[0], self.fresh(1)))
            case "call", [a] if term.detail in _SQUARE:
                self._square(term, a)
                return () if term.detail in _TO_SCALAR else a
            case "call", [()] if term.detail in ("pinv", "diag", "vec", "softmax", *_SOFTMAXES):
                what = "a column" if term.detail == "softmax" else "a matrix"
                raise self.error(f"{term.detail} is taken of {what}, not of a number", term)
            case "call", [a] if term.detail == "pinv":
                return a[::-1]
            case "call", [(rows, columns)] if term.detail == "diag":
                if self.number(columns) == 1:
                    return rows, rows
                self._square(term, (rows, columns))
                return rows, self.fresh(1)
            case "call", [a] if term.detail == "vec":
                return self.multiplied(a, term), self.fresh(1)
            case "call", [a] if term.detail == BARS:
                if not a or 1 in map(self.number, a):
                    self.meant[id(term)] = "abs"
                    return a
                self.meant[id(term)] = "det"
                self._square(term, a, "a determinant |X|")
                return ()
            case "call", [(rows, columns)] if term.detail == "softmax":
                if self.number(columns) != 1:
                    raise self.error(
                        f"softmax of a matrix {self.shown((rows, columns))} goes along an axis: "
                        "softmax(X, axis=1) makes every row add up to 1, axis=0 every column",
                        term,
                    )
                self.meant[id(term)] = "softmax_columns"
                return rows, columns
            case "call", [(_, _) as a, ()] if term.detail == "norm":
                return self._norm(term, a)
            case "call", [_] if term.detail == "slogdet":
                raise self.error("slogdet is a sign and a logarithm; write slogdet(X)[1], or logdet(X)", term)
            case "call", [a, b, c]:
                return self._sylvester(term, a, b, c)
            case (("kron" | "call"), [a, b]) if "kron" in (term.kind, term.detail):
                return self._kron(term, a, b)
            case "call", [()] if term.detail == "norm":
                raise self.error("norm is taken of a matrix or a vector, not of a number", term)
            case "call", [a]:
                return () if term.detail in _TO_SCALAR else a
        raise self.error(f"{term.kind.replace('_', ' ')} is not differentiated here", term)

    def _name(self, name: str) -> Sizes:
        if name not in self.names:
            shape = self.declared.get(name)
            if shape is not None:
                self.names[name] = tuple(self.fresh(n) for n in shape)  # type: ignore[assignment]
            elif is_scalar(name):
                self.names[name] = ()
            elif name == "I":
                size = self.fresh()
                self.names[name] = (size, size)
            else:
                self.names[name] = (self.fresh(), self.fresh(1) if name[0].islower() else self.fresh())
        return self.names[name]

    def _product(self, term: Term, a: Sizes, b: Sizes) -> Sizes:
        if not a or not b:
            return a or b
        if self.number(a[1]) == 1 != self.number(b[0]):
            raise self.error(
                f"matrix product: {self.shown(a)} and {self.shown(b)} do not fit; a vector is a column, and its "
                "transpose a row, as in x.T @ A @ x or x' A x",
                term,
            )
        self.same(a[1], b[0], term, "matrix product", (a, b))
        return self._scalar((a[0], b[1]))

    def _kron(self, term: Term, a: Sizes, b: Sizes) -> Sizes:
        if not a or not b:
            raise self.error("kron is taken of two matrices, not of a number", term)
        return self.multiplied((a[0], b[0]), term), self.multiplied((a[1], b[1]), term)

    def _scalar(self, sizes: Sizes) -> Sizes:
        return () if [self.number(size) for size in sizes] == [1, 1] else sizes

    def _alike(self, term: Term, a: Sizes, b: Sizes) -> Sizes:
        if not a or not b:
            return a or b
        what = {"plus": "sum", "minus": "difference", "divide": "quotient", "raised": "power"}.get(
            term.kind, "elementwise product"
        )
        for one, other in zip(a, b, strict=True):
            self.same(one, other, term, what, (a, b))
        return a

    def _raised(self, term: Term, a: Sizes, b: Sizes) -> Sizes:
        """cᴮ: of numbers or entry by entry, or with a square exponent the matrix exp(log(c) B)."""
        if not term.detail and a:
            raise self.error(_MATRIX_POWER, term)
        if not term.detail and b:
            if self.number(b[1]) == 1:
                raise self.error("a number to the power of a vector is taken entry by entry: write .^", term)
            self.meant[id(term)] = "expm"
            return self._square(term, b, "the exponent of a number")
        if term.parts[0].detail == Number(math.e):
            self.meant[id(term)] = "exp"
        return self._alike(term, a, b)

    def _divided(self, term: Term, a: Sizes, b: Sizes) -> Sizes:
        """A / B is A inv(B), as in Octave; over a number it is each entry over it."""
        if not b:
            self.meant[id(term)] = "number"
            return a
        if not a or 1 in map(self.number, b):
            raise self.error("A / B of matrices is A inv(B), with a square B; entry by entry, write ./", term)
        self.meant[id(term)] = "inverse on the right"
        self._square(term, b, "B in A / B, which is A inv(B)")
        self.same(a[1], b[0], term, "A / B, which is A inv(B)", (a, b))
        return self._scalar((a[0], b[0]))

    def _left_divided(self, term: Term, a: Sizes, b: Sizes) -> Sizes:
        """The same with the inverse on the left."""
        if not a:
            self.meant[id(term)] = "left number"
            return b
        self.meant[id(term)] = "inverse on the left"
        self._square(term, a, r"A in A \ B, which is inv(A) B")
        return self._product(term, a, b)

    def _norm(self, term: Term, a: Sizes) -> Sizes:
        """The norm of an order: of a vector 1 or 2."""
        held, vector = term.parts[1].detail, 1 in map(self.number, a)
        order = held.value if isinstance(held, Number) else 0.0
        if not vector or order not in (1, 2):
            what = "a vector" if vector else "a matrix"
            raise self.error(
                f"norm of {what} is not read with this order: norm(X) is Frobenius' norm; of a vector, norm(x), "
                "norm(x, 1) and norm(x, 2) are read",
                term,
            )
        self.meant[id(term)] = "sum of sizes" if order == 1 else "first"
        return ()

    def _square(self, term: Term, a: Sizes, what: str = "") -> Sizes:
        what = what or (_POWER if term.kind == "matrix_power" else str(term.detail))
        if a:
            self._factors_square(a)
            if {self.number(size) for size in a} == {None, 1}:
                column = "column" if self.number(a[1]) == 1 else "row"
                mend = "; entry by entry, write .^, and a number is declared by the shape ()" * (what == _POWER)
                raise self.error(f"{what} is taken of a square matrix, not of a {column}{mend}", term)
            self.same(a[0], a[1], term, f"{what} of a matrix that is not square", (a,))
            if self.number(a[0]) != 1:
                return a
        raise self.error(f"{what} is taken of a square matrix, not of a number", term)

    def _sylvester(self, term: Term, a: Sizes, b: Sizes, c: Sizes) -> Sizes:
        left, right = self._square(term, a), self._square(term, b)
        if not c:
            raise self.error("sylvester(A, B, C) is taken of three matrices, not of a number", term)
        for size, side in zip(c, (left, right), strict=True):
            self.same(size, next(iter(side)), term, "sylvester", (a, b, c))
        return c

    def _factors_square(self, sizes: Sizes) -> None:
        """Of a square Kronecker product whose sizes nothing fixes, both factors are square."""
        made = {self.root(size): factors for size, factors, _ in self.products}
        rows, columns = (made.get(self.root(size), ()) for size in sizes)
        if {self.number(size) for size in sizes} == {None}:
            for one, other in zip(rows, columns, strict=False):
                if None in (self.number(one), self.number(other)):
                    self.same(one, other, self.products[0][2], "", ())


def show_shapes(shapes: Mapping[str, Shape]) -> str:
    """Return shapes as a list: ``A 3×3, x 3×1, a number c``."""
    return ", ".join(f"{name} {show_shape(shape)}" if shape else f"{name} a number" for name, shape in shapes.items())
