"""What an array's methods make of expressions, as short as a textbook writes it.

Products drop ones and identities, transposes stand at the symbols, a reshape of a reshape is one.
`symbols/__init__` hangs these functions on the class `Expr`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.arrays import Shape, show_shape, size_of
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
    Quotient,
    Repeated,
    Reshaped,
    SumOver,
    Transposed,
    Zeros,
    bounds,
)
from jacobians.symbols.named_functions import Function


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


def plus(left: Expr, right: Expr) -> Expr:
    """Return A + B; zeros drop out, and A + (−B) is A − B."""
    if isinstance(right, Zeros):
        return left
    if isinstance(left, Zeros):
        return right
    match right:
        case Hadamard(Number(-1), of):  # A + (−B) = A − B
            return minus(left, of)
    return Add(left, _repeated_alone(right, left.shape))


def minus(left: Expr, right: Expr) -> Expr:
    """Return A − B; zeros drop out."""
    return left if isinstance(right, Zeros) else Add(left, _repeated_alone(right, left.shape), minus=True)


def _repeated_alone(addend: Expr, shape: Shape) -> Expr:
    """A term that is added to an array of a given shape is broadcast anyway, so ones that repeat it drop out."""
    match addend:
        case Hadamard(of, Ones(dims)) if dims == shape and _repeats(of.shape, shape):
            return of
    return addend


def reshaped(of: Expr, shape: Shape) -> Expr:
    """Return the same entries, in C order, in another shape; numbers stand in front."""
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


def with_axes(of: Expr, axes: tuple[int, ...]) -> Expr:
    """Return axes in another order; an axis of one entry only reshapes, two longer ones are a matrix, transposed."""
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


def item(of: Expr, key: tuple[Any, ...]) -> Expr:
    """Return the entries that NumPy takes by a key: slices, places, None and an ellipsis."""
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
    ends = bounds((*kept, *(slice(None),) * len(rest)), of.shape)
    part_of = of if all(end == (None, None) for end in ends) else Part(of, ends)
    return part_of.reshape((*shape, *rest))


def summed(of: Expr, axes: Any, keep: bool) -> Expr:
    """Return the sums along axes."""
    along = sorted(a % of.ndim for a in axes)
    if len(along) == 1 and of.ndim <= 2:
        return SumOver(of, along[0], keep=keep)
    indices = "abcdefgh"[: of.ndim]
    sums = Einsum(f"{indices}->{''.join(i for k, i in enumerate(indices) if k not in along)}", (of,))
    return sums.reshape(tuple(1 if k in along else n for k, n in enumerate(of.shape))) if keep else sums


def matmul(left: Expr, right: Expr) -> Expr:
    """Return A B of matrices, or of each example of a batch."""
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
    """The array before its axes were moved, with its indices in its own order."""
    if isinstance(part, Einsum) and part.only_moves:
        here, _, there = part.spec.partition("->")
        return part.of[0], "".join(own[there.index(letter)] for letter in here)
    return part, own


def _broadcast(of: Expr, shape: Shape) -> Expr:
    if of.shape == shape:
        return of
    if isinstance(of, Reshaped) and of.shape[:-1] == (1,) and of.of.ndim == 1:
        of = of.of
    return product(of, Ones(shape)) if of.shape == () else Repeated(of, shape)


def _kron(A: Any, B: Any) -> Any:
    return np.kron(A, B)


KRONECKER = Function("kron", "kron", _kron)
"""What formulas call A ⊗ B."""


def _diag(x: Any) -> Any:
    return np.diag(x.ravel())


DIAG = Function("diag", "diag", _diag)
"""The matrix with a column on its diagonal."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
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
