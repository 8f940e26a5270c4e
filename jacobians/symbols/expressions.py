"""Matrix expressions as a textbook writes them: each node knows its shape, and none knows a number of the data.

An expression has an array's methods, so an operation's own code runs on it, and what comes out is the formula. The
methods keep it short: products drop ones and identities, transposes stand at the symbols, a reshape of a reshape is
one. SymPy's matrix expressions have no vec, no slices of products and no MathML for them, so these nodes are our own.
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
        return transposed(self)

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return True

    def __add__(self, other: Any) -> Expr:
        return _sum(self, other)

    def __radd__(self, other: Any) -> Expr:
        return _sum(other, self)

    def __sub__(self, other: Any) -> Expr:
        return _difference(self, other)

    def __rsub__(self, other: Any) -> Expr:
        return _difference(other, self)

    def __mul__(self, other: Any) -> Expr:
        return product(self, _expr(other))

    def __rmul__(self, other: Any) -> Expr:
        return product(_expr(other), self)

    def __truediv__(self, other: Any) -> Expr:
        return Quotient(self, _expr(other))

    def __rtruediv__(self, other: Any) -> Expr:
        return Quotient(_expr(other), self)

    def __neg__(self) -> Expr:
        return Hadamard(Number(-1), self)

    def __matmul__(self, other: Any) -> Expr:
        return _matmul(self, _expr(other))

    def __rmatmul__(self, other: Any) -> Expr:
        return _matmul(_expr(other), self)

    def __getitem__(self, key: Any) -> Expr:
        return _item(self, key if isinstance(key, tuple) else (key,))

    def reshape(self, *shape: Any) -> Expr:
        """Return the same entries, in C order, in another shape."""
        return _reshaped(self, tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple) else shape)

    def transpose(self, *axes: Any) -> Expr:
        """Return the expression with its axes in another order."""
        named = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], tuple) else axes
        return _with_axes(self, named or tuple(range(self.ndim))[::-1])

    def swapaxes(self, first: int, second: int) -> Expr:
        """Return the expression with two axes exchanged."""
        axes = list(range(self.ndim))
        axes[first], axes[second] = axes[second], axes[first]
        return _with_axes(self, tuple(axes))

    def sum(self, axis: Any = None, *, keepdims: bool = False, dtype: Any = None) -> Expr:
        """Return the sums along an axis, several, or all."""
        return _summed(
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
            return transposed(WithOnes(self.of, 1 - axis, first))
        return WithOnes(self, axis, first)

    def placed(self, key: Sequence[slice], shape: Shape) -> Expr:
        """Return zeros of a shape with the expression at `key`."""
        return self if self.shape == shape else Placed(self, _bounds(key, shape), shape)

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
        own = _FUNCTIONS.get(function.__name__)
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
    """The member of a sequence of arrays at a step: H₃, or Hₜ₋₁ in what is said of every step t.

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
    """A[3]: one entry along the first axis, or A[t − 1] in what is said of every step t.

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
    """Return what takes one entry along the first axis as `Entry`; None where it takes something else."""
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


# --- what keeps a formula short ------------------------------------------------------------------------


def transposed(of: Expr) -> Expr:
    """Return Aᵀ with the transposes at the symbols: (A B)ᵀ = Bᵀ Aᵀ, (Aᵀ)ᵀ = A."""
    match of:
        case Transposed(inner):
            return inner
        case MatMul(left, right):
            return MatMul(transposed(right), transposed(left))
        case Quotient(left, right) if right.shape == ():
            return Quotient(transposed(left), right)
        case Hadamard(left, right) if () in (left.shape, right.shape):
            return Hadamard(transposed(left), transposed(right))
        case Call(function) if function == DIAG:
            return of
        case Eye() | Number():
            return of
        case Ones(dims):
            return Ones(dims[::-1])
        case Zeros(dims):
            return Zeros(dims[::-1])
        case _ if of.shape == ():
            return of
        case _:
            return Transposed(of)


def scaled(factor: Expr | None, of: Expr) -> Expr:
    """Return c A, as A / N where c is 1/N; without c, A."""
    match factor:
        case None:
            return of
        case Quotient(Number(value), by) if value == 1:
            return Quotient(of, by)
        case _:
            return Hadamard(factor, of)


def times(left: Expr, right: Expr) -> Expr:
    """Return A B; identities drop out, and a vector of ones makes a sum or repeats."""
    if isinstance(left, Eye):
        return right
    if isinstance(right, Eye):
        return left
    match left, right:
        case (Hadamard(factor, Ones() as rest), _) if factor.shape == ():
            return scaled(factor, times(rest, right))
        case (_, Hadamard(factor, Ones() as rest)) if factor.shape == ():
            return scaled(factor, times(left, rest))
    if isinstance(left, Ones) and left.shape[0] == 1:
        return SumOver(right, 0)
    if isinstance(right, Ones) and right.shape[1] == 1:
        return SumOver(left, 1)
    if isinstance(left, Ones) and left.shape[1] == 1:
        return Repeated(
            right.of if isinstance(right, Reshaped) and right.of.ndim == 1 else right, (left.shape[0], right.shape[1])
        )
    if isinstance(right, Ones) and right.shape[0] == 1:
        return Repeated(left, (left.shape[0], right.shape[1]))
    return MatMul(left, right)


def product(left: Expr, right: Expr) -> Expr:
    """Return A ∘ B in the order of the code; ones drop out, and a scalar stands in front."""
    for one, other in ((left, right), (right, left)):
        match one:
            case Number(value) if value == 1:
                return other
            case Ones(dims) if _repeats(dims, other.shape):
                return other
            case Hadamard(factor, Ones(dims)) if factor.shape == () and _repeats(dims, other.shape):
                return scaled(factor, other)
            case Quotient(Ones(dims), by) if by.shape == () and _repeats(dims, other.shape):
                return Quotient(other, by)
            case Quotient(Number(1), by) if by.shape == other.shape != ():
                return Quotient(other, by)
    if right.shape == () and (left.shape != () or isinstance(right, Number)):
        left, right = right, left
    return scaled(left, right) if left.shape == () else Hadamard(left, right)


def _repeats(dims: Shape, over: Shape) -> bool:
    """Whether an array of shape `dims` is repeated over one of shape `over`."""
    fits = all(n in (1, whole) for n, whole in zip(reversed(dims), reversed(over), strict=False))
    return over != () and len(dims) <= len(over) and fits


def _sum(left: Any, right: Any) -> Expr:
    left, right = _expr(left), _expr(right)
    if isinstance(right, Zeros):
        return left
    if isinstance(left, Zeros):
        return right
    match right:
        case Hadamard(Number(-1), of):  # A + (−B) = A − B
            return _difference(left, of)
    return Add(left, _repeated_alone(right, left.shape))


def _difference(left: Any, right: Any) -> Expr:
    left, right = _expr(left), _expr(right)
    return left if isinstance(right, Zeros) else Add(left, _repeated_alone(right, left.shape), minus=True)


def _repeated_alone(addend: Expr, shape: Shape) -> Expr:
    """What is added to an array of a shape is repeated anyhow, so ones that repeat it drop."""
    match addend:
        case Hadamard(of, Ones(dims)) if dims == shape and _repeats(of.shape, shape):
            return of
    return addend


def _reshaped(of: Expr, shape: Shape) -> Expr:
    if shape == of.shape:
        return of
    if of.shape == ():
        return product(of, Ones(shape))
    match of:
        case Reshaped(inner):
            return inner.reshape(shape)
        case Ones():
            return Ones(shape)
        case Zeros():
            return Zeros(shape)
        case Transposed(inner) if inner.shape == shape and 1 in shape:
            return inner
        case Hadamard(factor, inner) if factor.shape == ():
            return Hadamard(factor, inner.reshape(shape))
        case Quotient(inner, by) if by.shape == ():
            return Quotient(inner.reshape(shape), by)
        case SumOver(inner, axis) if len(shape) == 1:
            return SumOver(inner, axis, keep=False)
    return Reshaped(of, shape)


def _with_axes(of: Expr, axes: tuple[int, ...]) -> Expr:
    """Axes of one entry only reshape; two longer ones are a matrix, which is transposed."""
    shape = tuple(of.shape[a] for a in axes)
    if of.ndim == 2:
        if axes == (0, 1):
            return of
        return of.reshape(shape) if isinstance(of, Reshaped) and 1 in of.shape else transposed(of)
    long = [a for a in axes if of.shape[a] != 1]
    if long == sorted(long):
        return of.reshape(shape)
    if len(long) == 2:
        return transposed(of.reshape(tuple(of.shape[a] for a in sorted(long)))).reshape(shape)
    indices = "abcdefgh"[: of.ndim]
    return Einsum(f"{indices}->{''.join(indices[a] for a in axes)}", (of,))


def _item(of: Expr, key: tuple[Any, ...]) -> Expr:
    if len(key) > 1 and key[0] is ... and isinstance(key[1], np.ndarray) and of.ndim == 1:
        return Gathered(of, tuple(int(i) for i in key[1].ravel()), key[1].shape)
    if any(k is ... for k in key):
        at = next(i for i, k in enumerate(key) if k is ...)
        whole = of.ndim - sum(k is not None for k in key) + 1
        key = (*key[:at], *(slice(None),) * whole, *key[at + 1 :])
    shape: list[int] = []
    kept: list[slice] = []
    for part in key:
        if part is None:
            shape.append(1)
            continue
        count = of.shape[len(kept)]
        if isinstance(part, slice):
            kept.append(part)
            shape.append(len(range(*part.indices(count))))
        elif isinstance(part, (int, np.integer)) and -count <= part < count:
            place = int(part) % count
            kept.append(slice(place, place + 1))
        else:
            raise TypeError(f"no expression is known for the entries at {part!r}")
    rest = of.shape[len(kept) :]
    bounds = _bounds((*kept, *(slice(None),) * len(rest)), of.shape)
    part_of = of if all(b == (None, None) for b in bounds) else Part(of, bounds)
    return part_of.reshape((*shape, *rest))


def _bounds(key: Sequence[slice], shape: Shape) -> Slices:
    """Slices as they are written; those that keep a whole axis as (None, None)."""
    found: list[tuple[int | None, int | None]] = []
    for part, count in zip(key, shape, strict=True):
        if part.step not in (None, 1):
            raise TypeError("no expression is known for slices with a step")
        whole = range(*part.indices(count)) == range(count)
        found.append((None, None) if whole else (part.start, part.stop))
    return tuple(found)


def _summed(of: Expr, axes: Any, keep: bool) -> Expr:
    along = sorted(a % of.ndim for a in axes)
    if len(along) == 1 and of.ndim <= 2:
        return SumOver(of, along[0], keep=keep)
    indices = "abcdefgh"[: of.ndim]
    sums = Einsum(f"{indices}->{''.join(i for k, i in enumerate(indices) if k not in along)}", (of,))
    return sums.reshape(tuple(1 if k in along else n for k, n in enumerate(of.shape))) if keep else sums


def _matmul(left: Expr, right: Expr) -> Expr:
    if left.ndim == right.ndim == 2:
        return times(left, right)
    if left.ndim > 2 and right.ndim == 2:
        rows = left.reshape(size_of(left.shape[:-1]), left.shape[-1])
        return times(rows, right).reshape(*left.shape[:-1], right.shape[-1])
    if left.ndim == right.ndim == 3 and right.shape[2] == 1:
        columns = right.reshape(right.shape[:2])
        return Einsum("npq,nq->np", (left, columns)).reshape(*left.shape[:2], 1)
    if left.ndim == right.ndim == 3:
        return Einsum("npq,nqr->npr", (left, right))
    raise TypeError(f"no product is known of {show_shape(left.shape)} and {show_shape(right.shape)}")


def _einsum(spec: str, *of: Expr) -> Expr:
    spec = spec.replace("...", "")
    inputs, _, output = spec.partition("->")
    first, *others = inputs.split(",")
    if others == [first] and len(first) == 2 and len(output) == 1:
        both, axis = of[1] * of[0], 1 - first.index(output)
        return both.reshape(both.shape[1 - axis]) if both.shape[axis] == 1 else both.sum(axis=axis)
    if len(of) == 1:
        return Einsum(spec, of)
    as_given = [_before_moving(part, own) for part, own in zip(of, inputs.split(","), strict=True)]
    return Einsum(f"{','.join(own for _, own in as_given)}->{output}", tuple(part for part, _ in as_given))


def _before_moving(part: Expr, own: str) -> tuple[Expr, str]:
    """An array whose axes were moved as it was before, with its indices in its own order."""
    if isinstance(part, Einsum) and only_moves(part.spec):
        here, _, there = part.spec.partition("->")
        return part.of[0], "".join(own[there.index(letter)] for letter in here)
    return part, own


def only_moves(spec: str) -> bool:
    """Return whether a sum over indices sums nothing: it has the axes of one array in another order."""
    inputs, _, output = spec.partition("->")
    return sorted(inputs) == sorted(output)


def _broadcast(of: Expr, shape: Shape) -> Expr:
    if of.shape == shape:
        return of
    return product(of, Ones(shape)) if of.shape == () else Repeated(of, shape)


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


def _kron(A: Any, B: Any) -> Any:
    return np.kron(A, B)


KRONECKER = Function("kron", "kron", _kron)
"""What formulas call A ⊗ B."""


def _diag(x: Any) -> Any:
    return np.diag(x.ravel())


DIAG = Function("diag", "diag", _diag)
"""The matrix with a column on its diagonal."""

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "kron": lambda A, B: Call(KRONECKER, (A, B), (A.shape[0] * B.shape[0], A.shape[1] * B.shape[1])),
    "sum": lambda a, axis=None, dtype=None, out=None, keepdims=False: a.sum(axis=axis, keepdims=keepdims),
    "einsum": _einsum,
    "concatenate": lambda arrays, axis=0: Joined(tuple(arrays), axis % arrays[0].ndim),
    "broadcast_to": lambda a, shape, subok=False: _broadcast(a, tuple(shape)),
    "result_type": lambda *a: Expr.dtype,
    "shape": lambda a: a.shape,
    "ndim": lambda a: a.ndim,
    "ones_like": lambda a, dtype=None, order="K", subok=True, shape=None: Ones(a.shape if shape is None else shape),
    "zeros_like": lambda a, dtype=None, order="K", subok=True, shape=None: Zeros(a.shape if shape is None else shape),
    "full_like": lambda a, value, dtype=None, order="K", subok=True, shape=None: product(
        Number(float(value)), Ones(a.shape if shape is None else shape)
    ),
}
"""The functions of NumPy that the library's structures call on arrays."""
