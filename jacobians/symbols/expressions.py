"""Matrix expressions as a textbook writes them: each node knows its shape, and none knows a number of the data.

An expression has an array's methods, so an operation's own code runs on it, and the result is the formula. They are
stated in `simplify`. SymPy's matrix expressions have no vec, no slices of products and no MathML for them: these are
our own nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import numpy as np

from jacobians.arrays import DType, Shape, Symbolic, show_shape, size_of
from jacobians.errors import ShapeError
from jacobians.symbols.named_functions import Function

Slices: TypeAlias = tuple[tuple[int | None, int | None], ...]
"""One (start, stop) an axis: a slice that can be compared and printed."""


class Expr(Symbolic):
    """A scalar, vector or matrix expression; `shape` is () for a scalar."""

    __array_ufunc__ = None
    __iter__ = None
    dtype: ClassVar[DType] = np.dtype(np.float64)

    # hung on the class in symbols/__init__.py: what keeps a formula short knows every node
    _transposed: ClassVar[Callable[[Expr], Expr]]
    _sum: ClassVar[Callable[[Expr, Expr], Expr]]
    _difference: ClassVar[Callable[[Expr, Expr], Expr]]
    _product: ClassVar[Callable[[Expr, Expr], Expr]]
    _matmul: ClassVar[Callable[[Expr, Expr], Expr]]
    _item: ClassVar[Callable[[Expr, tuple[Any, ...]], Expr]]
    _reshaped: ClassVar[Callable[[Expr, Shape], Expr]]
    _with_axes: ClassVar[Callable[[Expr, tuple[int, ...]], Expr]]
    _summed: ClassVar[Callable[[Expr, Any, bool], Expr]]
    _functions: ClassVar[Mapping[str, Callable[..., Any]]]

    @property
    def shape(self) -> Shape:
        """The shape of the array that the expression stands for."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Expr, ...]:
        """The expressions that it is made of."""
        return ()

    # --- an array's methods ----------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return size_of(self.shape)

    @property
    def T(self) -> Expr:
        """The transpose."""
        return Expr._transposed(self)

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return True

    def __add__(self, other: Any) -> Expr:
        return Expr._sum(self, _expr(other))

    def __radd__(self, other: Any) -> Expr:
        return Expr._sum(_expr(other), self)

    def __sub__(self, other: Any) -> Expr:
        return Expr._difference(self, _expr(other))

    def __rsub__(self, other: Any) -> Expr:
        return Expr._difference(_expr(other), self)

    def __mul__(self, other: Any) -> Expr:
        return Expr._product(self, _expr(other))

    def __rmul__(self, other: Any) -> Expr:
        return Expr._product(_expr(other), self)

    def __truediv__(self, other: Any) -> Expr:
        return Quotient(self, _expr(other))

    def __rtruediv__(self, other: Any) -> Expr:
        return Quotient(_expr(other), self)

    def __neg__(self) -> Expr:
        return Hadamard(Number(-1), self)

    def __matmul__(self, other: Any) -> Expr:
        return Expr._matmul(self, _expr(other))

    def __rmatmul__(self, other: Any) -> Expr:
        return Expr._matmul(_expr(other), self)

    def __getitem__(self, key: Any) -> Expr:
        return Expr._item(self, key if isinstance(key, tuple) else (key,))

    def reshape(self, *shape: Any) -> Expr:
        """Return the same entries, in C order, in another shape."""
        return Expr._reshaped(self, tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple) else shape)

    def transpose(self, *axes: Any) -> Expr:
        """Return the expression with its axes in another order."""
        named = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], tuple) else axes
        return Expr._with_axes(self, named or tuple(range(self.ndim))[::-1])

    def swapaxes(self, first: int, second: int) -> Expr:
        """Return the expression with two axes exchanged."""
        axes = list(range(self.ndim))
        axes[first], axes[second] = axes[second], axes[first]
        return Expr._with_axes(self, tuple(axes))

    def sum(self, axis: Any = None, *, keepdims: bool = False, dtype: Any = None) -> Expr:
        """Return the sums along an axis, several, or all."""
        return Expr._summed(
            self, range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,), keepdims
        )

    def astype(self, dtype: Any, order: str = "K", *, copy: bool = True) -> Expr:
        """Return the expression: it has no numbers that a dtype would round."""
        return self

    def copy(self, order: str = "C") -> Expr:
        """Return the expression: nothing can write to it."""
        return self

    def with_ones(self, *, first: bool, axis: int) -> Expr:
        """Return [1 A] or [A 1] (axis 1), or the same with a row of ones; a transpose stands outside: [1; A]ᵀ."""
        if isinstance(self, Transposed):
            return Expr._transposed(WithOnes(self.of, 1 - axis, first))
        return WithOnes(self, axis, first)

    def placed(self, key: Sequence[slice], shape: Shape) -> Expr:
        """Return zeros of a shape with the expression at `key`."""
        return self if self.shape == shape else Placed(self, bounds(key, shape), shape)

    def scattered(self, index: Any, shape: Shape) -> Expr:
        """Return zeros of a shape with each entry added at its flat place."""
        return Scattered(self, tuple(int(i) for i in np.ravel(index)), shape)

    def replaced(self, by: Mapping[Expr, Expr]) -> Expr:
        """Return the expression with each part that is equal to a key of a table replaced."""
        if self in by:
            return by[self]
        return _rebuilt(self, by) if self.parts else self

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        own = Expr._functions.get(function.__name__)
        return NotImplemented if own is None else own(*args, **kwargs)


# --- nodes -------------------------------------------------------------------------------------------


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
class AtStep(_Given):
    """The member of a sequence of arrays at a step: H₃, or Hₜ₋₁ in lines for every step t.

    Attributes
    ----------
    name : str
        Of the sequence; its member at step 3 has the value of the symbol H3.
    dims : tuple of int
        The shape of every member.
    at : int
        The step, or how far after t it lies.
    moving : bool
        Whether it is said of every step t.
    """

    name: str
    dims: Shape
    at: int
    moving: bool = True


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

    rows: int

    @property
    def shape(self) -> Shape:
        return (self.rows, self.rows)


@dataclass(frozen=True)
class Ones(_Given):
    """An array of ones."""

    dims: Shape


@dataclass(frozen=True)
class Zeros(_Given):
    """An array of zeros."""

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

    @cached_property
    def shape(self) -> Shape:
        return self.of.shape[::-1]


@dataclass(frozen=True)
class MatMul(_Two):
    """A B, the matrix product."""

    def __post_init__(self) -> None:
        a, b = self.left.shape, self.right.shape
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            raise ShapeError(f"matrix product: {show_shape(a)} times {show_shape(b)} is not conformable")

    @cached_property
    def shape(self) -> Shape:
        return (self.left.shape[0], self.right.shape[1])


@dataclass(frozen=True)
class Hadamard(_Two):
    """A ∘ B, entry by entry."""

    @cached_property
    def shape(self) -> Shape:
        return _same("elementwise product", self.left.shape, self.right.shape)


@dataclass(frozen=True)
class Add(_Two):
    """A + B, or A − B; a scalar is added to every entry."""

    minus: bool = False

    @cached_property
    def shape(self) -> Shape:
        return _same("difference" if self.minus else "sum", self.left.shape, self.right.shape)


@dataclass(frozen=True)
class Quotient(_Two):
    """A / B, entry by entry; B is usually a scalar such as N."""

    @cached_property
    def shape(self) -> Shape:
        return _same("quotient", self.left.shape, self.right.shape)


@dataclass(frozen=True)
class Power(_One):
    """A to a small whole power, entry by entry."""

    exponent: int

    @cached_property
    def shape(self) -> Shape:
        return self.of.shape


@dataclass(frozen=True)
class Part(_One):
    """A[key]: the entries that slices keep."""

    key: Slices

    @cached_property
    def shape(self) -> Shape:
        return tuple(len(range(*slice(*k).indices(n))) for k, n in zip(self.key, self.of.shape, strict=True))


@dataclass(frozen=True)
class Placed(_Given, _One):
    """Zeros of a shape, with A at `key`: the transpose of `Part`."""

    key: Slices
    dims: Shape


@dataclass(frozen=True)
class Gathered(_Given, _One):
    """The entries of A at flat places, in C order."""

    index: tuple[int, ...]
    dims: Shape


@dataclass(frozen=True)
class Scattered(_Given, _One):
    """Zeros of a shape, with each entry of A added at its flat place: the transpose of `Gathered`."""

    index: tuple[int, ...]
    dims: Shape


@dataclass(frozen=True)
class WithOnes(_One):
    """[1 A] or [A 1] (axis 1), or the same with a row of ones (axis 0)."""

    axis: int
    first: bool

    @cached_property
    def shape(self) -> Shape:
        rows, columns = self.of.shape
        return (rows, columns + 1) if self.axis == 1 else (rows + 1, columns)


@dataclass(frozen=True)
class Joined(Expr):
    """[A B …]: arrays joined along an axis."""

    of: tuple[Expr, ...]
    axis: int

    @cached_property
    def shape(self) -> Shape:
        dims = list(self.of[0].shape)
        others = [[n for k, n in enumerate(part.shape) if k != self.axis] for part in self.of]
        if any(rest != others[0] for rest in others):
            raise ValueError(f"joined: {', '.join(show_shape(part.shape) for part in self.of)} do not fit")
        dims[self.axis] = sum(part.shape[self.axis] for part in self.of)
        return tuple(dims)

    @property
    def parts(self) -> tuple[Expr, ...]:
        return self.of


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

    @cached_property
    def shape(self) -> Shape:
        rest = list(self.of.shape)
        rest[self.axis : self.axis + 1] = [1] if self.keep else []
        return tuple(rest)


@dataclass(frozen=True)
class Entry(_One):
    """A[3]: one entry along the first axis, or A[t − 1] in lines for every step t.

    Attributes
    ----------
    of : Expr
    at : int
        The place, or how far after t it lies.
    moving : bool
        Whether it is said of every step t.
    """

    at: int
    moving: bool = False

    @property
    def shape(self) -> Shape:
        return self.of.shape[1:]


def as_entry(expr: Expr) -> Entry | None:
    """Return an index of one entry along the first axis as an `Entry`; None for any other index."""
    match expr:
        case Reshaped(Part(of, ((start, stop), *rest))) if stop is not None and stop - (start or 0) == 1:
            if set(rest) <= {(None, None)} and expr.shape == of.shape[1:]:
                return Entry(of, start or 0)
    return None


@dataclass(frozen=True)
class SumOverSteps(_One):
    """Σₜ A, where A is said of every step t from `first` to `last`."""

    first: int
    last: int

    @property
    def shape(self) -> Shape:
        return self.of.shape


@dataclass(frozen=True)
class Einsum(Expr):
    """Σ over the indices that the result does not have, of the product of arrays: what `numpy.einsum` computes."""

    spec: str
    of: tuple[Expr, ...]

    @cached_property
    def shape(self) -> Shape:
        inputs, _, output = self.spec.partition("->")
        sizes: dict[str, int] = {}
        for indices, part in zip(inputs.split(","), self.of, strict=True):
            sizes |= {i: n for i, n in zip(indices, part.shape, strict=True) if n != 1 or i not in sizes}
        return tuple(sizes[i] for i in output)

    @property
    def only_moves(self) -> bool:
        """Whether it sums nothing: it has the axes of one array in another order."""
        inputs, _, output = self.spec.partition("->")
        return sorted(inputs) == sorted(output)

    @property
    def parts(self) -> tuple[Expr, ...]:
        return self.of


@dataclass(frozen=True)
class Call(Expr):
    """f(A, …); the result has the first argument's shape, unless another is given."""

    function: Function
    arguments: tuple[Expr, ...]
    dims: Shape | None = None

    @cached_property
    def shape(self) -> Shape:
        return self.arguments[0].shape if self.dims is None else self.dims

    @property
    def parts(self) -> tuple[Expr, ...]:
        return self.arguments


def _same(what: str, left: Shape, right: Shape) -> Shape:
    if () in (left, right):
        return left or right
    if left == right:
        return left
    if len(left) == len(right) and all(a == b or 1 in (a, b) for a, b in zip(left, right, strict=True)):
        return tuple(max(a, b) if 0 not in (a, b) else 0 for a, b in zip(left, right, strict=True))
    raise ShapeError(f"{what}: {show_shape(left)} and {show_shape(right)} do not fit")


def bounds(key: Sequence[slice], shape: Shape) -> Slices:
    """Return slices as they are written; those that keep a whole axis are (None, None)."""
    found: list[tuple[int | None, int | None]] = []
    for part, count in zip(key, shape, strict=True):
        if part.step not in (None, 1):
            raise TypeError("no expression is known for slices with a step")
        whole = range(*part.indices(count)) == range(count)
        found.append((None, None) if whole else (part.start, part.stop))
    return tuple(found)


def at_step(expr: Expr, step: int) -> Expr:
    """Return what an expression says of one step, with t a number."""
    parts = list(parts_of(expr))
    moving = {part for part in parts if isinstance(part, (AtStep, Entry)) and part.moving}
    table: dict[Expr, Expr] = {part: replace(part, at=step + part.at, moving=False) for part in moving}
    table |= {part: part for part in parts if isinstance(part, SumOverSteps)}  # it has a t of its own
    return expr.replaced(table)


def parts_of(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and everything that it is made of, from left to right."""
    todo = [expr]
    while todo:
        part = todo.pop()
        yield part
        todo += reversed(part.parts)


def _rebuilt(node: Any, by: Mapping[Expr, Expr]) -> Any:
    """A node of replaced parts."""
    if isinstance(node, tuple):
        return tuple(part.replaced(by) if isinstance(part, Expr) else part for part in node)
    held = {f.name: getattr(node, f.name) for f in fields(node)}
    own = {n: v.replaced(by) if isinstance(v, Expr) else _rebuilt(v, by) for n, v in held.items() if _is_part(v)}
    return replace(node, **own)


def _is_part(value: Any) -> bool:
    return isinstance(value, Expr) or (isinstance(value, tuple) and any(isinstance(v, Expr) for v in value))


def _expr(value: Any) -> Expr:
    if isinstance(value, Expr):
        return value
    if isinstance(value, Real):
        return Number(float(value))
    raise TypeError(f"no expression is known for {type(value).__name__}")
