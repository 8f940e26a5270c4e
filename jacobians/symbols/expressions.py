"""Matrix expressions as a textbook writes them: each node knows its shape, and none knows a number of the data.

They are what a symbolic Jacobian acts on, what is printed, and what a formula is parsed into. SymPy's matrix
expressions have no vec, no slices of products and no MathML for them, so these few nodes are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from jacobians.arrays import Shape
from jacobians.errors import ShapeError
from jacobians.symbols.functions import Function

__all__ = [
    "Add",
    "Call",
    "Expr",
    "Eye",
    "Hadamard",
    "MatMul",
    "Number",
    "Ones",
    "Part",
    "Placed",
    "Power",
    "Quotient",
    "Repeated",
    "Reshaped",
    "Slices",
    "SumOver",
    "Symbol",
    "Transposed",
    "WithOnes",
    "show",
]


Slices: TypeAlias = tuple[tuple[int | None, int | None], ...]
"""One (start, stop) an axis: a slice that can be compared and printed."""


class Expr:
    """A scalar, vector or matrix expression; `shape` is () for a scalar."""

    @property
    def shape(self) -> Shape:
        """The shape of the array that the expression stands for."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Expr, ...]:
        """The expressions that it is made of."""
        return ()


class _Given(Expr):
    """An expression that is told its shape."""

    dims: Shape

    @property
    def shape(self) -> Shape:
        return self.dims


@dataclass(frozen=True)
class Symbol(_Given):
    """A named array or, with shape (), a named number such as N."""

    name: str
    dims: Shape


@dataclass(frozen=True)
class Number(Expr):
    """A literal number."""

    value: float

    @property
    def shape(self) -> Shape:
        return ()


@dataclass(frozen=True)
class Eye(Expr):
    """The identity matrix."""

    size: int

    @property
    def shape(self) -> Shape:
        return (self.size, self.size)


@dataclass(frozen=True)
class Ones(_Given):
    """An array of ones."""

    dims: Shape


@dataclass(frozen=True)
class _One(Expr):
    of: Expr

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.of,)


@dataclass(frozen=True)
class _Two(Expr):
    left: Expr
    right: Expr

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class Transposed(_One):
    """Aᵀ; made by `transposed`, which pushes it down to the symbols."""

    @property
    def shape(self) -> Shape:
        return self.of.shape[::-1]


@dataclass(frozen=True)
class MatMul(_Two):
    """A B, the matrix product."""

    def __post_init__(self) -> None:
        a, b = self.left.shape, self.right.shape
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            raise ShapeError(f"matrix product: {show(a)} times {show(b)} is not conformable")

    @property
    def shape(self) -> Shape:
        return (self.left.shape[0], self.right.shape[1])


@dataclass(frozen=True)
class Hadamard(_Two):
    """A ∘ B, entry by entry."""

    @property
    def shape(self) -> Shape:
        return _same("elementwise product", self.left.shape, self.right.shape)


@dataclass(frozen=True)
class Add(_Two):
    """A + B, or A − B; a scalar is added to every entry."""

    minus: bool = False

    @property
    def shape(self) -> Shape:
        return _same("difference" if self.minus else "sum", self.left.shape, self.right.shape)


@dataclass(frozen=True)
class Quotient(_Two):
    """A / B, entry by entry; B is usually a scalar such as N."""

    @property
    def shape(self) -> Shape:
        return _same("quotient", self.left.shape, self.right.shape)


@dataclass(frozen=True)
class Power(_One):
    """A to a small whole power, entry by entry."""

    exponent: int

    @property
    def shape(self) -> Shape:
        return self.of.shape


@dataclass(frozen=True)
class Part(_One):
    """A[key]: the entries that slices keep."""

    key: Slices

    @property
    def shape(self) -> Shape:
        return tuple(len(range(*slice(*k).indices(n))) for k, n in zip(self.key, self.of.shape, strict=True))


@dataclass(frozen=True)
class Placed(_Given, _One):
    """Zeros of a shape, with A at `key`: the transpose of `Part`."""

    key: Slices
    dims: Shape


@dataclass(frozen=True)
class WithOnes(_One):
    """[1 A] or [A 1] (axis 1), or the same with a row of ones (axis 0)."""

    axis: int
    first: bool

    @property
    def shape(self) -> Shape:
        rows, columns = self.of.shape
        return (rows, columns + 1) if self.axis == 1 else (rows + 1, columns)


@dataclass(frozen=True)
class Reshaped(_Given, _One):
    """The same entries, in C order, in another shape."""

    dims: Shape


@dataclass(frozen=True)
class Repeated(_Given, _One):
    """1 bᵀ or b 1ᵀ: one vector for every example."""

    dims: Shape


@dataclass(frozen=True)
class SumOver(_One):
    """The sums along an axis of a matrix: a vector, or a matrix of one row or column."""

    axis: int
    keep: bool = True

    @property
    def shape(self) -> Shape:
        rest = list(self.of.shape)
        rest[self.axis : self.axis + 1] = [1] if self.keep else []
        return tuple(rest)


@dataclass(frozen=True)
class Call(Expr):
    """f(A, …); the result has the first argument's shape."""

    function: Function
    arguments: tuple[Expr, ...]

    @property
    def shape(self) -> Shape:
        return self.arguments[0].shape

    @property
    def parts(self) -> tuple[Expr, ...]:
        return self.arguments


def show(shape: Shape) -> str:
    """Return a shape as text: 3×4, or scalar."""
    return "×".join(map(str, shape)) or "scalar"


def _same(what: str, left: Shape, right: Shape) -> Shape:
    if () in (left, right):
        return left or right
    if left == right:
        return left
    if len(left) == len(right) and all(a == b or 1 in (a, b) for a, b in zip(left, right, strict=True)):
        return tuple(max(a, b) if 0 not in (a, b) else 0 for a, b in zip(left, right, strict=True))
    raise ShapeError(f"{what}: {show(left)} and {show(right)} do not fit")
