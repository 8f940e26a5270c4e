"""`Term`: a formula as it was written, before any shape is known; `Builder` checks shapes and gives the expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal, TypeAlias, TypeVar

from jacobians.arrays import Shape, show_shape, size_of
from jacobians.auditing.formula_text import Span
from jacobians.errors import ShapeError
from jacobians.symbols.expressions import (
    Add,
    Call,
    Einsum,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Ones,
    Part,
    Placed,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    SumOver,
    Transposed,
    WithOnes,
)
from jacobians.symbols.named_functions import Function
from jacobians.symbols.simplify import transposed

Kind: TypeAlias = Literal[
    "leaf",  # detail: an expression, such as a symbol
    "ones",  # the textbook's 1: its length follows from its neighbour
    "transpose",
    "product",  # of matrices, or by a scalar: what stands side by side in a text
    "matmul",  # of matrices and vectors: NumPy's @
    "star",  # entry by entry, with NumPy's broadcasting
    "hadamard",  # entry by entry, of equal shapes: ∘
    "plus",
    "minus",
    "divide",
    "left_divide",  # A \\ b, which is inv(A) b
    "right_divide",  # A / B as Octave means it, which is A inv(B), or A over a number
    "negative",
    "power",  # entry by entry; detail: the exponent
    "raised",  # to an exponent that is an expression; detail: whether entry by entry
    "kron",  # A ⊗ B
    "matrix_power",  # what a book's ^ writes, of a number or of a square matrix; detail: the exponent
    "part",  # detail: slices
    "sum",  # detail: (axis or None, whether the axis is kept)
    "mean",  # detail: as of a sum
    "with_ones",  # detail: (axis, whether the ones come first)
    "placed",  # detail: zeros before and after, for each axis
    "reshape",  # detail: a shape
    "call",  # detail: a function's name
    "outer",  # of two vectors, however each lies
    "entries",  # detail: one slice, along the only axis that is longer than 1
    "assigned",  # an array of which a part is replaced; detail: the part's slices
    "einsum",  # detail: what numpy.einsum calls the subscripts
    "example",  # one example, within "examples"; detail: (axis, whether it is kept)
    "examples",  # the sum over the examples, each taken alone
    "before",  # detail: the name of an array whose value before the text is not known
]

Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One operation of a formula.

    Attributes
    ----------
    kind : str
    parts : tuple of Term
    detail : object
        What the kind's comment says.
    span : (int, int)
        Where it stands in the formula.
    """

    kind: Kind
    parts: tuple[Term, ...] = ()
    detail: Any = None
    span: Span = (0, 0)


def leaf(expr: Expr, span: Span = (0, 0)) -> Term:
    """Return a term that is an expression."""
    return Term("leaf", (), expr, span)


def number(value: float, span: Span = (0, 0)) -> Term:
    """Return a term that is a number."""
    return leaf(Number(float(value)), span)


def call(function: str, arguments: tuple[Term, ...], span: Span = (0, 0)) -> Term:
    """Return f(A, …)."""
    return Term("call", arguments, function, span)


_Side = TypeVar("_Side")


def mask_of(
    sign: str,
    left: _Side,
    right: _Side,
    term: Callable[[_Side], Term],
    is_zero: Callable[[_Side], bool],
    span: Span,
) -> Term | None:
    """Return 1 where a comparison with 0 holds and 0 elsewhere, or None for a comparison of two arrays."""
    if is_zero(left):
        left, right, sign = right, left, {">": "<", "<": ">", ">=": "<=", "<=": ">="}[sign]
    if not is_zero(right):
        return None
    of = term(left)
    if sign in (">", "<="):
        positive = call("relu_prime", (of,), span)
    else:
        positive = call("relu_prime", (Term("negative", (of,), None, of.span),), span)
    if sign in (">", "<"):
        return positive
    return Term("minus", (number(1.0), positive), None, span)


def positions(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    """Yield every place of a term with what stands there, the whole first."""
    yield path, term
    for i, part in enumerate(term.parts):
        yield from positions(part, (*path, i))


def replaced(term: Term, path: Path, by: Term) -> Term:
    """Return a term with another one at a place."""
    if not path:
        return by
    i, *rest = path
    return replace(term, parts=(*term.parts[:i], replaced(term.parts[i], tuple(rest), by), *term.parts[i + 1 :]))


def replaced_everywhere(term: Term, old: Term, by: Term) -> Term:
    """Return a term in which another one replaces every occurrence of this object: a defined name may be used twice."""
    if term is old:
        return by
    parts = tuple(replaced_everywhere(part, old, by) for part in term.parts)
    return term if all(a is b for a, b in zip(parts, term.parts, strict=True)) else replace(term, parts=parts)


# --- shapes --------------------------------------------------------------------------------------


class ClashError(Exception):
    """A term that has no value, since shapes do not fit."""

    def __init__(self, term: Term, message: str) -> None:
        super().__init__(message)
        self.term = term
        self.message = message


@dataclass
class Builder:
    """Builds expressions, and notes the shape of every term on the way.

    Attributes
    ----------
    examples : int
        The length of a vector of ones that nothing else fixes.
    functions : mapping of str to Function
        By the names that calls have.
    shapes : list of (Term, Shape)
        In the order of evaluation.
    example : int
        The number of the example that a loop is at.
    shape_only : bool
        Whether one example of a loop will do, since only the shape is asked for.
    made : dict of int to (Term, Expr), optional
        What terms, by their identity, were built as before; of these no shapes are noted. Only where one example will
        do: else what a term is depends on the example that a loop is at.
    """

    examples: int
    functions: Mapping[str, Function]
    shapes: list[tuple[Term, Shape]] = field(default_factory=list)
    example: int = 0
    shape_only: bool = False
    made: dict[int, tuple[Term, Expr]] | None = None

    def build(self, term: Term) -> Expr:
        """Return the expression of a term.

        Raises
        ------
        ClashError
            At the first term whose parts do not fit.
        """
        if self.made is not None and id(term) in self.made:
            return self.made[id(term)][1]
        expr = self._with_vector_of_ones(term) if term.kind in ("product", "matmul") else None
        if term.kind == "examples":
            expr = self._over_examples(term.parts[0])
        if expr is None:
            parts = [self.build(part) for part in term.parts]
            try:
                expr = self._node(term, parts)
                _ = expr.shape
            except ShapeError as error:
                raise ClashError(term, str(error)) from None
        shape = expr.shape
        if term.kind not in ("leaf", "ones") or shape:
            self.shapes.append((term, shape))
        if self.made is not None:
            self.made[id(term)] = (term, expr)
        return expr

    def _node(self, term: Term, parts: list[Expr]) -> Expr:
        match term.kind, parts:
            case "leaf", _:
                return term.detail
            case "ones", _:
                return Ones((self.examples, 1))
            case "transpose", [a]:
                return transposed(a)
            case "product", [a, b]:
                return Hadamard(a, b) if () in (a.shape, b.shape) else MatMul(_column(a), _column(b))
            case "matmul", [a, b]:
                return _numpy_product(a, b)
            case "hadamard", [a, b]:
                if () not in (a.shape, b.shape) and a.shape != b.shape:
                    raise ShapeError(f"elementwise product: {show_shape(a.shape)} and {show_shape(b.shape)} do not fit")
                return Hadamard(a, b)
            case "star", [a, b]:
                return Hadamard(*_spread(a, b, "elementwise product"))
            case (("plus" | "minus"), [a, b]):
                what = "sum" if term.kind == "plus" else "difference"
                return Add(*_spread(a, b, what), minus=term.kind == "minus")
            case "divide", [a, b]:
                return Quotient(*_spread(a, b, "quotient"))
            case "negative", [a]:
                return Number(-a.value) if isinstance(a, Number) else Hadamard(Number(-1), a)
            case (("power" | "matrix_power"), [a]):
                return Power(a, term.detail)
            case "outer", [a, b]:
                return MatMul(Reshaped(a, (size_of(a.shape), 1)), Reshaped(b, (1, size_of(b.shape))))
            case "entries", [a]:
                return _entries(a, term.detail)
            case "assigned", [a, b]:
                return _assigned(a, b, term.detail)
            case "einsum", _:
                return _einsum(term.detail, parts)
            case "example", [a]:
                return self._example(a, *term.detail)
            case "part", [a]:
                if len(term.detail) > len(a.shape):
                    raise ShapeError(f"slice: {len(term.detail)} slices of a {show_shape(a.shape)} array")
                rest = ((None, None),) * (len(a.shape) - len(term.detail))
                return Part(a, (*term.detail, *rest))
            case "sum", [a]:
                return _sum(a, *term.detail)
            case "mean", [a]:
                total = _sum(a, *term.detail)
                return Quotient(total, Number(size_of(a.shape) // max(1, size_of(total.shape))))
            case "with_ones", [a] if len(a.shape) == 1:
                ends = WithOnes(Reshaped(a, (1, a.shape[0])), 1, term.detail[1])
                return Reshaped(ends, (a.shape[0] + 1,))
            case "with_ones", [a]:
                if len(a.shape) != 2:
                    raise ShapeError(f"an entry of ones is added to a matrix, not to a {show_shape(a.shape)} array")
                return WithOnes(a, *term.detail)
            case "placed", [a]:
                if len(term.detail) != len(a.shape):
                    raise ShapeError(f"zeros around a {show_shape(a.shape)} array need {len(a.shape)} pairs of widths")
                dims = tuple(n + before + after for n, (before, after) in zip(a.shape, term.detail, strict=True))
                key = tuple((before or None, -after or None) for before, after in term.detail)
                return Placed(a, key, dims)
            case "reshape", [a] if -1 in term.detail:
                known = -size_of(term.detail)
                if size_of(a.shape) % max(known, 1):
                    raise ShapeError(f"reshape: {show_shape(a.shape)} is not divided by {known}")
                return Reshaped(a, tuple(size_of(a.shape) // known if n == -1 else n for n in term.detail))
            case "reshape", [a]:
                if size_of(term.detail) != size_of(a.shape):
                    before, after = show_shape(a.shape), show_shape(term.detail)
                    raise ShapeError(f"reshape: {before} has not as many entries as {after}")
                return Reshaped(a, term.detail)
            case "call", _:
                arrays = self.functions[term.detail].arrays
                if any(extra.shape not in ((), parts[0].shape) for extra in parts[1:]) or any(
                    extra.shape != parts[0].shape for extra in parts[1:arrays]
                ):
                    raise ShapeError(f"{term.detail}: the arguments' shapes do not fit")
                if parts[0].shape == () or len(parts[0].shape) == 2 or not term.detail.endswith(("_rows", "_columns")):
                    return Call(self.functions[term.detail], tuple(parts))
                raise ShapeError(f"{term.detail} is taken of a matrix, not of a {show_shape(parts[0].shape)} array")
        raise TypeError(f"no rule builds {term.kind} of {len(parts)} parts")

    def _over_examples(self, body: Term) -> Expr:
        """The sum of the values that one term has for every example."""
        outside, found = self.example, []
        for example in range(1 if self.shape_only else self.examples):
            self.example, shown = example, len(self.shapes)
            found.append(self.build(body))
            if example:
                del self.shapes[shown:]
        self.example = outside
        return reduce(Add, found)

    def _example(self, of: Expr, axis: int, keep: bool) -> Expr:
        if axis >= len(of.shape) or of.shape[axis] != self.examples:
            raise ShapeError(f"one example: a {show_shape(of.shape)} array has no {self.examples} examples there")
        key = tuple((self.example, self.example + 1) if k == axis else (None, None) for k in range(len(of.shape)))
        part = Part(of, key)
        return part if keep else Reshaped(part, tuple(n for k, n in enumerate(of.shape) if k != axis))

    def _with_vector_of_ones(self, term: Term) -> Expr | None:
        """1ᵀA, A1, 1bᵀ and b1ᵀ, where the textbook's 1 takes its length from its neighbour."""
        left, right = term.parts
        row, column = _is_row_of_ones(left), right.kind == "ones"
        down, across = left.kind == "ones", _is_row_of_ones(right)
        summed = row != column  # 1ᵀ1 is a product of two vectors
        if not (summed or down or across):
            return None
        on_right = row if summed else down
        of = self.build(right if on_right else left)
        if of.shape == ():
            return None
        matrix = _column(of)
        if summed:
            return SumOver(matrix, 0 if on_right else 1)
        if matrix.shape[0 if down else 1] != 1:
            raise ClashError(term, f"matrix product: a vector of ones and {show_shape(of.shape)} are not conformable")
        if across and not down:
            return Repeated(matrix, (matrix.shape[0], self.examples))
        vector = of.of if isinstance(of, Transposed) else of
        return Repeated(matrix if len(of.shape) == 2 else vector, (self.examples, matrix.shape[1]))


def build(term: Term, examples: int, functions: Mapping[str, Function]) -> Expr:
    """Return the expression of a term, or raise `ClashError`."""
    return Builder(examples, functions).build(term)


def _is_row_of_ones(term: Term) -> bool:
    return term.kind == "transpose" and term.parts[0].kind == "ones"


def _entries(of: Expr, key: tuple[int | None, int | None]) -> Expr:
    """Octave's a(2:end): along the axis on which the entries of a vector lie."""
    if len(of.shape) == 2 and min(of.shape) > 1:
        raise ShapeError(f"slice: the entries of a {show_shape(of.shape)} array need two slices, as in (:, 2:end)")
    axis = 1 if len(of.shape) == 2 and of.shape[0] == 1 else 0
    return Part(of, tuple(key if k == axis else (None, None) for k in range(len(of.shape))))


def _assigned(of: Expr, value: Expr, key: tuple[tuple[int | None, int | None], ...]) -> Expr:
    if len(key) > len(of.shape):
        raise ShapeError(f"slice: {len(key)} slices of a {show_shape(of.shape)} array")
    if len(key) == 1 and len(of.shape) == 2 and of.shape[0] == 1:
        key = ((None, None), *key)
    key = (*key, *((None, None),) * (len(of.shape) - len(key)))
    part = Part(of, key)
    rest = Add(of, Placed(part, key, of.shape), minus=True)
    if value == Number(0.0):
        return rest
    if value.shape != part.shape:
        raise ShapeError(f"a part of shape {show_shape(part.shape)} is replaced by {show_shape(value.shape)}")
    return Add(rest, Placed(value, key, of.shape))


def _einsum(spec: str, parts: list[Expr]) -> Expr:
    inputs, arrow, output = spec.replace(" ", "").partition("->")
    if not arrow:
        letters = inputs.replace(",", "")
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    each, sizes = inputs.split(","), dict[str, int]()
    if len(each) != len(parts):
        raise ShapeError(f"einsum: {spec!r} is for {len(each)} arrays, not for {len(parts)}")
    for letters, part in zip(each, parts, strict=True):
        if len(letters) != len(part.shape):
            raise ShapeError(f"einsum: {letters!r} is no index of a {show_shape(part.shape)} array")
        for letter, size in zip(letters, part.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ShapeError(f"einsum: {letter!r} is {sizes[letter]} in one array and {size} in another")
    if not set(output) <= set(sizes):
        raise ShapeError(f"einsum: {spec!r} has a result index that no array has")
    return Einsum(f"{inputs}->{output}", tuple(parts))


def _column(of: Expr) -> Expr:
    """A vector as a textbook means it: one column, or one row where it is transposed."""
    if len(of.shape) != 1:
        return of
    if isinstance(of, Transposed):
        return Reshaped(of.of, (1, of.shape[0]))
    return Reshaped(of, (of.shape[0], 1))


def _numpy_product(a: Expr, b: Expr) -> Expr:
    """NumPy's @: a vector on the left is a row, on the right a column, and its axis disappears."""
    if () in (a.shape, b.shape):
        both = f"{show_shape(a.shape)} times {show_shape(b.shape)}"
        raise ShapeError(f"matrix product: {both}; a scalar is multiplied by *")
    product = MatMul(
        Reshaped(a, (1, *a.shape)) if len(a.shape) == 1 else a, Reshaped(b, (*b.shape, 1)) if len(b.shape) == 1 else b
    )
    kept = (product.shape[0],) * (len(a.shape) == 2) + (product.shape[1],) * (len(b.shape) == 2)
    return product if len(kept) == 2 else Reshaped(product, kept)


def _spread(a: Expr, b: Expr, what: str) -> tuple[Expr, Expr]:
    """A vector beside a matrix is repeated for every row, as NumPy does."""
    for one, other in ((a, b), (b, a)):
        if len(one.shape) == 1 and len(other.shape) == 2:
            if one.shape[0] != other.shape[1]:
                raise ShapeError(f"{what}: {show_shape(a.shape)} and {show_shape(b.shape)} do not fit")
            spread = Repeated(one, other.shape)
            return (spread, b) if one is a else (a, spread)
    return a, b


def _sum(of: Expr, axis: int | None, keep: bool) -> Expr:
    if axis is None:
        while of.shape:
            of = SumOver(of, 0, keep=False)
        return of
    if axis >= len(of.shape):
        raise ShapeError(f"sum: a {show_shape(of.shape)} array has no axis {axis}")
    return SumOver(of, axis, keep)
