"""Octave's own ways with matrices: numbers and truths, indices, storing with growth, joining, cells and structs.

A matrix is an array with two axes or more, of floats, or of truths where it is a mask; a number has one entry. A cell
array is a list, a struct a dict, what a function gives with several outputs a tuple. Nothing is changed in place.
Source: GNU Octave 7 Manual, sections 8.1 (index expressions) and 4.1 (rules for combining matrices).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from jacobians.programs.values import (
    Bound,
    Budget,
    BuiltIn,
    Function,
    LimitError,
    ProgramError,
    Unread,
    UnreadError,
    is_number,
)

Array: TypeAlias = "np.ndarray[Any, Any]"
Shape: TypeAlias = tuple[int, ...]
Call: TypeAlias = Callable[[Any, list[Any], dict[str, Any]], Any]
"""Calls a function of the file or of a table, with arguments and keywords."""


def matrix(value: Any) -> Array:
    """Return a number or an array with two axes or more; a vector without a second axis is a column."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fb":
            value = _as_floats(value)
        if value.ndim < 2:
            return value.reshape(-1, 1)
        return value
    if isinstance(value, (bool, np.bool_)):
        return np.array([[value]], bool)
    if is_number(value):
        if isinstance(value, (complex, np.complexfloating)):
            raise UnreadError("complex numbers")
        return np.array([[float(value)]])
    if isinstance(value, Unread):
        raise UnreadError(value.construct, value.line)
    if isinstance(value, tuple):
        return matrix(first(value))
    raise ProgramError(f"{kind_of(value)} stands where a matrix belongs")


def _as_floats(value: Array) -> Array:
    if value.dtype.kind in "iu":
        return value.astype(np.float64)
    raise UnreadError("an array that holds no real numbers")


def number(value: Any) -> Array:
    """Return a matrix of floats; a mask becomes 0 and 1."""
    found = matrix(value)
    return found.astype(np.float64) if found.dtype.kind == "b" else found


def kind_of(value: Any) -> str:
    """Say what a value is, for errors."""
    if value is None:
        return "what was never set"
    words = ((str, "a text"), (list, "a cell array"), (dict, "a struct"), (tuple, "several outputs"))
    functions = (BuiltIn, Function, Bound)
    kinds: tuple[tuple[Any, str], ...] = (*words, (functions, "a function"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "what is no number")


def truth(value: Any) -> bool:
    """Return whether a condition holds: all entries differ from zero, and there is one."""
    if isinstance(value, (bool, float, int)):
        return bool(value)
    if isinstance(value, str):
        return bool(value)
    found = matrix(value)
    return bool(found.size) and bool(np.all(found))


def whole(value: Any) -> int:
    """Return one whole number, such as a size."""
    found = matrix(value)
    if found.size != 1:
        raise ProgramError(f"one number belongs here, not a matrix of {dims(found.shape)}")
    held = float(found.item())
    if not abs(held) < 2**53 or held != int(held):
        raise ProgramError(f"a whole number belongs here, not {held:g}")
    return int(held)


def dims(shape: Shape) -> str:
    """Write a shape as Octave does: 3x4."""
    return "x".join(map(str, shape))


def volume(shape: Sequence[float]) -> float:
    """Return how many entries a shape has, however many."""
    return float(np.prod(np.asarray(shape, dtype=float)))


def room(budget: Budget, shape: Sequence[float]) -> None:
    """Check a shape before an array of it is made. Each axis is checked too, even where the array has no entry."""
    budget.shape(shape)


def trimmed(shape: Sequence[int]) -> Shape:
    """Return a shape without trailing axes of length 1, but with two axes."""
    found = list(shape)
    while len(found) > 2 and found[-1] == 1:
        found.pop()
    return (*found, *[1] * (2 - len(found)))


def is_vector(shape: Shape) -> bool:
    """Return whether exactly one axis has a length other than 1."""
    return sum(n != 1 for n in shape) == 1


def entries(value: Array) -> Array:
    """Return the entries column by column."""
    return value.reshape(-1, order="F")


# --- several outputs -------------------------------------------------------------------------------


def first(value: Any) -> Any:
    """Return the first of several outputs."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    return value


def outputs(count: int, value: Any) -> tuple[Any, ...]:
    """Return the first outputs of a call, as many as are asked for."""
    held = value if isinstance(value, tuple) else (value,)
    if len(held) < count:
        raise ProgramError(f"a function gives {len(held)} outputs, {count} are asked for")
    return held[:count]


# --- indices ---------------------------------------------------------------------------------------


def index(budget: Budget, call: Call, of: Any, *places: Any) -> Any:
    """Return a part of a matrix, cell array or text, or the value of a function, whichever stands there."""
    if isinstance(of, (BuiltIn, Function, Bound)):
        return first(call(of, list(places), {}))
    if isinstance(of, list):
        found, _ = _linear(budget, (1, len(of)), _one(places))
        return [of[k] for k in found]
    if isinstance(of, str):
        found, _ = _linear(budget, (1, len(of)), _one(places))
        return "".join(of[k] for k in found)
    if isinstance(of, dict):
        raise UnreadError("an array of structs")
    return part_of(budget, matrix(of), places)


def _one(places: tuple[Any, ...]) -> Any:
    """The only index of a row: (1, k) is k."""
    if len(places) == 2 and _is_single(places[0]) and whole(places[0]) == 1:
        return places[1]
    if len(places) != 1:
        raise UnreadError("a cell array or text with rows and columns")
    return places[0]


def part_of(budget: Budget, of: Array, places: tuple[Any, ...]) -> Array:
    """Return the entries of a matrix at one index for all its axes, or at one for each."""
    if not places:
        return of
    plain = _plain_part(budget, of, places)
    if plain is not None:
        return plain
    if len(places) == 1:
        found, shape = _linear(budget, of.shape, places[0])
        return entries(of)[found].reshape(shape, order="F")
    folded = _folded(of.shape, len(places))
    each = [_along(budget, p, n) for p, n in zip(places, folded, strict=True)]
    room(budget, [len(p) for p in each])
    for axis, (p, n) in enumerate(zip(each, folded, strict=True)):
        if p.size and p.max() >= n:
            raise ProgramError(f"index {p.max() + 1} of axis {axis + 1} is out of a matrix of {dims(of.shape)}")
    found = of.reshape(folded, order="F")[np.ix_(*each)]
    return found.reshape(trimmed(found.shape), order="F")


def _plain_part(budget: Budget, of: Array, places: tuple[Any, ...]) -> Array | None:
    """The usual part of a matrix, ``A(i, j)`` and ``A(i, :)``, without further questions; None for any other."""
    if of.ndim != 2 or len(places) != 2:
        return None
    rows, columns = (_one_place(place, n) for place, n in zip(places, of.shape, strict=True))
    if rows is None or columns is None:
        return None
    found: Array = of[rows, columns]
    budget.size(found.size)
    return found


def _one_place(place: Any, size: int) -> slice | None:
    """One entry along an axis, or all of them; None for any other index, and for one that is out of the matrix."""
    if type(place) is str:
        return slice(None) if place == ":" else None
    if type(place) is np.ndarray:
        if place.size != 1 or place.dtype.kind != "f":
            return None
        place = place.item()
    if type(place) is not float or not 1.0 <= place <= size or place != int(place):
        return None
    return slice(int(place) - 1, int(place))


def _linear(budget: Budget, shape: Shape, place: Any) -> tuple[Array, Shape]:
    """The entries at one index, and the shape of the part."""
    size = int(volume(shape))
    found = _along(budget, place, size)
    if found.size and found.max() >= size:
        raise ProgramError(f"index {found.max() + 1} is out of a matrix of {dims(shape)}")
    own = _shape_of(place, found.size)
    if size != 1 and is_vector(shape) and found.size != 1 and is_vector(own) and not _is_colon(place):
        own = tuple(found.size if n != 1 else 1 for n in shape)
    return found, own


def _is_colon(place: Any) -> bool:
    return isinstance(place, str) and place == ":"


def _shape_of(place: Any, count: int) -> Shape:
    """The shape of an index: a mask is what it finds, in a row if it is one."""
    if _is_colon(place):
        return (count, 1)
    held = matrix(place)
    if held.dtype.kind != "b":
        return held.shape
    if held.size == 1:
        return (count, count)
    return tuple(count if n != 1 else 1 for n in held.shape) if is_vector(held.shape) else (count, 1)


def _along(budget: Budget, place: Any, size: int) -> Array:
    """An index of an axis as whole numbers from 0."""
    if _is_colon(place):
        budget.size(size)
        return np.arange(size)
    if type(place) is float and 1.0 <= place < 2.0**52 and place == int(place):
        return np.array([int(place) - 1])
    held = matrix(place)
    budget.size(held.size)
    if held.dtype.kind == "b":
        return np.flatnonzero(entries(held))
    found = entries(held)
    if not np.all(np.isfinite(found)) or np.any(found != np.floor(found)) or np.any(np.abs(found) > 2**52):
        raise ProgramError("an index is no whole number")
    if found.size and found.min() < 1:
        raise ProgramError(f"index ({found.min():g}): the first entry is 1")
    return found.astype(np.int64) - 1


def _folded(shape: Shape, count: int) -> Shape:
    """A shape with a given number of axes: the last takes all that follow."""
    if count >= len(shape):
        return (*shape, *[1] * (count - len(shape)))
    return (*shape[: count - 1], int(volume(shape[count - 1 :])))


def last(of: Any, place: float, count: float) -> float:
    """Return what end is: the last index of an axis, or of all entries."""
    if isinstance(of, (list, str)):
        shape: Shape = (1, len(of))
    else:
        shape = (0, 0) if of is None else matrix(of).shape
    return float(_folded(shape, int(count))[int(place)])


# --- storing ---------------------------------------------------------------------------------------


def empty() -> Array:
    """Return []."""
    return np.zeros((0, 0))


def store(budget: Budget, old: Any, value: Any, *places: Any) -> Any:
    """Return a matrix with a part of it replaced; it grows where the part lies beyond it, and is zero in between."""
    if isinstance(old, list) and isinstance(value, list) and len(value) == 1:
        return store_cell(budget, old, value[0], *places)
    if isinstance(value, list) and value == [] and old is None:
        return []
    if isinstance(old, (str, dict)) or isinstance(value, (str, dict)):
        raise UnreadError("a part of a text or struct that is set")
    given = matrix(value)
    of = given[:0, :0] if old is None else matrix(old)
    given = given.astype(of.dtype)  # a mask stays one
    if len(places) == 1:
        return _store_linear(budget, of, given, places[0])
    return _store_parts(budget, of, given, places)


def _store_linear(budget: Budget, of: Array, value: Array, place: Any) -> Array:
    found = _along(budget, place, of.size)
    if value.size not in (1, found.size):
        raise ProgramError(f"A(I) = X: X has {value.size} entries, and {found.size} are set")
    if _is_colon(place) and of.size == 0 and value.size != 1:
        raise ProgramError("A(:) = X: A is empty")
    count = int(found.max()) + 1 if found.size else 0
    if count > of.size:
        shape = of.shape
        if len(shape) > 2 or (shape[0] not in (0, 1) and shape[1] != 1):
            raise ProgramError(f"index {count} is out of a matrix of {dims(shape)}")
        of = grown(budget, of, (1, count) if shape[0] in (0, 1) else (count, 1))
    budget.size(of.size)
    made = entries(of).copy()
    made[found] = entries(value) if value.size != 1 else value.item()
    return made.reshape(of.shape, order="F")


def _store_parts(budget: Budget, of: Array, value: Array, places: tuple[Any, ...]) -> Array:
    if all(n == 0 for n in of.shape):
        places = _colons_of_value(value, places)
    folded = _folded(of.shape, len(places))
    each = [_along(budget, p, n) for p, n in zip(places, folded, strict=True)]
    counts = [len(p) for p in each]
    budget.size(volume(counts))
    if value.size == 0 and 0 in counts:
        return of
    if value.size != 1 and [n for n in counts if n != 1] != [n for n in value.shape if n != 1]:
        raise ProgramError(f"A(I,J) = X: X is {dims(value.shape)}, and {dims(tuple(counts))} is set")
    if min(counts) == 0:
        # into [], nothing is stored, and : is as long as the value nevertheless
        return of if any(of.shape) else np.zeros(counts, of.dtype)
    need = tuple(max(n, int(p.max()) + 1) for n, p in zip(folded, each, strict=True))
    if need != folded:
        if len(folded) < of.ndim:
            raise ProgramError(f"an index is out of a matrix of {dims(of.shape)}")
        of, folded = grown(budget, of.reshape(folded, order="F"), need), need
    budget.size(of.size)
    shape = of.shape
    made = of.reshape(folded, order="F").copy()
    made[np.ix_(*each)] = value.item() if value.size == 1 else value.reshape(counts, order="F")
    return made.reshape(trimmed(shape), order="F")


def _colons_of_value(value: Array, places: tuple[Any, ...]) -> tuple[Any, ...]:
    """Into an empty matrix, : is as long as what is stored."""
    shape: list[int] = list(value.shape)
    if not all(map(_is_colon, places)) and (len(shape) != len(places) or any(_is_single(p) for p in places)):
        left = [n for n in shape if n != 1]
        shape = []
        for p in places:
            counted = _is_colon(p) or not _is_single(p)
            shape.append(left.pop(0) if counted and left else 1)
    shape += [1] * len(places)
    return tuple(np.arange(1.0, n + 1)[None] if _is_colon(p) else p for p, n in zip(places, shape, strict=False))


def _is_single(place: Any) -> bool:
    return not _is_colon(place) and matrix(place).size == 1


def grown(budget: Budget, of: Array, shape: Shape) -> Array:
    """Return a matrix with zeros after it."""
    room(budget, shape)
    made = np.zeros(shape, of.dtype)
    made[tuple(slice(n) for n in of.shape)] = of
    return made


def delete(budget: Budget, old: Any, *places: Any) -> Any:
    """Return a matrix without some of its rows, columns or entries: A(:, 2) = []."""
    if isinstance(old, list):
        gone, _ = _linear(budget, (1, len(old)), _one(places))
        return [item for k, item in enumerate(old) if k not in set(gone.tolist())]
    of = matrix(old)
    if len(places) == 1:
        found, _ = _linear(budget, of.shape, places[0])
        if _is_colon(places[0]):
            return empty()
        if not is_vector(of.shape) and of.size != 1:
            raise ProgramError("only entries of a vector are deleted by one index")
        left = np.delete(entries(of), found)
        return left.reshape((-1, 1) if of.shape[1] == 1 and of.size != 1 else (1, -1))
    every = [_is_colon(p) or set(_along(budget, p, n)) >= set(range(n)) for p, n in zip(places, of.shape, strict=False)]
    axes = [axis for axis, whole_axis in enumerate(every) if not whole_axis]
    if len(places) != of.ndim or len(axes) > 1:
        raise ProgramError("rows or columns are deleted, not a part of them")
    axis = axes[0] if axes else next((k for k, p in enumerate(places) if not _is_colon(p)), 0)
    gone = _along(budget, places[axis], of.shape[axis])
    if gone.size and gone.max() >= of.shape[axis]:
        raise ProgramError(f"index {gone.max() + 1} is out of a matrix of {dims(of.shape)}")
    return np.delete(of, gone, axis)


# --- cells and structs -----------------------------------------------------------------------------


def cell_entry(budget: Budget, of: Any, *places: Any) -> Any:
    """Return an entry of a cell array, or the list of all: c{2}, c{:}."""
    if not isinstance(of, list):
        raise ProgramError(f"{{}} takes an entry of a cell array, not of {kind_of(of) if of is None else 'a matrix'}")
    found, _ = _linear(budget, (1, len(of)), _one(places))
    if _is_colon(places[-1]):
        return tuple(of)
    if found.size != 1:
        raise UnreadError("several entries of a cell array at once")
    return of[int(found[0])]


def old_cell(budget: Budget, of: Any, *places: Any) -> Any:
    """Return an entry of a cell array that is about to be changed; None where there is none yet."""
    if of is None or (isinstance(of, np.ndarray) and of.size == 0):
        return None
    k = whole(_one(places)) - 1
    return of[k] if isinstance(of, list) and 0 <= k < len(of) else None


def store_cell(budget: Budget, old: Any, value: Any, *places: Any) -> list[Any]:
    """Return a cell array with one entry replaced; it grows where it is too short."""
    if old is None or (isinstance(old, np.ndarray) and old.size == 0):
        old = []
    if not isinstance(old, list):
        raise ProgramError("{} sets an entry of a cell array, not of a matrix")
    k = whole(_one(places)) - 1
    if k < 0:
        raise ProgramError("the first entry of a cell array is 1")
    budget.size(max(k + 1, len(old)))
    made = [*old, *(empty() for _ in range(k + 1 - len(old)))]
    made[k] = value
    return made


def field(of: Any, name: str) -> Any:
    """Return a field of a struct; of an array of structs, of the one that an index has taken."""
    if isinstance(of, list) and len(of) == 1:
        of = of[0]
    if not isinstance(of, dict):
        raise ProgramError(f"a field .{name} is one of a struct, not of {kind_of(of)}")
    if name not in of:
        raise ProgramError(f"the struct has no field {name}")
    return of[name]


def old_field(of: Any, name: str) -> Any:
    """Return a field that is about to be changed; None where there is none yet."""
    return of.get(name) if isinstance(of, dict) else None


def store_field(budget: Budget, old: Any, name: str, value: Any) -> dict[str, Any]:
    """Return a struct with one field replaced."""
    if old is None or (isinstance(old, np.ndarray) and old.size == 0):
        old = {}
    if not isinstance(old, dict):
        raise ProgramError(f"a field .{name} is set in {kind_of(old)}")
    budget.size(len(old) + 1)
    return {**old, name: value}


# --- joining ---------------------------------------------------------------------------------------


def joined(budget: Budget, axis: int, parts: Sequence[Any]) -> Any:
    """Return [a, b] or [a; b]; what has no entry counts for nothing."""
    if any(isinstance(p, str) for p in parts):
        if axis == 1 and all(isinstance(p, str) for p in parts):
            budget.size(sum(map(len, parts)))
            return "".join(parts)
        raise UnreadError("texts that are joined with numbers or in rows")
    if any(isinstance(p, list) for p in parts):
        budget.size(sum(len(p) if isinstance(p, list) else 1 for p in parts))
        return [item for p in parts for item in (p if isinstance(p, list) else [] if np.size(p) == 0 else [p])]
    if any(isinstance(p, dict) for p in parts):
        raise UnreadError("an array of structs")
    arrays = [matrix(p) for p in parts]
    if any(a.dtype.kind != "b" for a in arrays):
        arrays = [number(a) for a in arrays]
    kept = [a for a in arrays if a.shape != (0, 0)]
    if len({_across(a.shape, axis) for a in kept}) > 1:
        kept = [a for a in kept if sum(a.shape) != 1]
    if not kept:
        return arrays[0] if len(arrays) == 1 else empty() if not arrays else arrays[-1]
    rank = max(axis + 1, *(a.ndim for a in kept))
    kept = [a.reshape(_folded(a.shape, rank), order="F") for a in kept]
    if len({_across(a.shape, axis) for a in kept}) > 1:
        shapes = " and ".join(dict.fromkeys(dims(a.shape) for a in kept))
        way = ("one above the other", "side by side")[axis] if axis < 2 else f"along axis {axis + 1}"
        raise ProgramError(f"matrices of {shapes} do not go {way}")
    room(budget, [sum(a.shape[axis] for a in kept) if k == axis else n for k, n in enumerate(kept[0].shape)])
    return np.concatenate(kept, axis)


def _across(shape: Shape, axis: int) -> Shape:
    return tuple(n for k, n in enumerate(shape) if k != axis)


def span(budget: Budget, begin: Any, end: Any, step: Any = 1.0) -> Array:
    """Return begin:step:end as a row. Source: GNU Octave 7 Manual, section 4.2."""
    if matrix(begin).size == 0 or matrix(end).size == 0 or matrix(step).size == 0:
        return np.zeros((1, 0))
    start, stop, by = (float(entries(number(v))[0]) for v in (begin, end, step))
    if not np.all(np.isfinite([start, stop, by])):
        raise ProgramError("a range has no end")
    if by == 0 or (stop - start) * np.sign(by) < 0:
        return np.zeros((1, 0))
    count = np.floor((stop - start) / by * (1 + np.finfo(float).eps)) + 1
    budget.size(count)
    return (start + by * np.arange(int(count)))[None]


def columns_of(budget: Budget, over: Any) -> list[Any]:
    """Return what a loop goes over: the columns of a matrix, each entry of a cell array as a cell array."""
    if isinstance(over, list):
        return [[item] for item in over]
    if isinstance(over, str):
        return list(over)
    if isinstance(over, dict):
        raise UnreadError("a loop over a struct")
    found = matrix(over)
    if found.size == 0:
        return []
    flat = found.reshape(found.shape[0], -1, order="F")
    budget.size(found.size)
    return [flat[:, k : k + 1] for k in range(flat.shape[1])]


# --- products --------------------------------------------------------------------------------------


def broadcast(budget: Budget, left: Any, right: Any) -> tuple[Array, Array]:
    """Return two matrices of floats that broadcast, if the result is small enough."""
    a, b = number(left), number(right)
    try:
        shape = np.broadcast_shapes(*_same_rank(a.shape, b.shape))
    except ValueError:
        raise ProgramError(f"matrices of {dims(a.shape)} and {dims(b.shape)} do not fit entry by entry") from None
    room(budget, shape)
    one, other = _same_rank(a.shape, b.shape)
    return a.reshape(one), b.reshape(other)


def _same_rank(one: Shape, other: Shape) -> tuple[Shape, Shape]:
    rank = max(len(one), len(other))
    return _folded(one, rank), _folded(other, rank)


def product(budget: Budget, left: Any, right: Any) -> Array:
    """Return A * B: of matrices, or entry by entry where one is a number."""
    a, b = number(left), number(right)
    if a.size == 1 or b.size == 1:
        a, b = broadcast(budget, a, b)
        return a * b
    if a.ndim > 2 or b.ndim > 2 or a.shape[1] != b.shape[0]:
        raise ProgramError(f"operator *: matrices of {dims(a.shape)} and {dims(b.shape)} have no product")
    work(budget, a.shape[0] * a.shape[1] * float(b.shape[1]))
    room(budget, (a.shape[0], b.shape[1]))
    return a @ b


LARGEST_WORK = 3e7
"""Multiplications of one call."""


def work(budget: Budget, flops: float) -> None:
    """Refuse work that would take too long, before it begins."""
    if flops > LARGEST_WORK:
        raise LimitError("a product or an inverse of matrices that is too large")
    budget.size(flops / 256)


def left_divide(budget: Budget, left: Any, right: Any) -> Array:
    r"""Return A \ B: the solution X of A X = B, of least squares where A is not square."""
    a, b = number(left), number(right)
    if a.size == 1:
        return b / a.item()
    if a.ndim > 2 or b.ndim > 2 or a.shape[0] != b.shape[0]:
        raise ProgramError(f"operator \\: matrices of {dims(a.shape)} and {dims(b.shape)} do not fit")
    work(budget, 20.0 * max(a.shape) ** 2 * max(min(a.shape), b.shape[1], 1))
    if a.shape[0] == a.shape[1]:
        return np.linalg.solve(a, b)
    return np.linalg.lstsq(a, b, rcond=None)[0]


def right_divide(budget: Budget, left: Any, right: Any) -> Array:
    """Return A / B: the solution X of X B = A."""
    a, b = number(left), number(right)
    if b.size == 1:
        return a / b.item() if a.ndim else a
    if a.ndim > 2 or b.ndim > 2:
        raise ProgramError("operator /: matrices have two axes")
    return left_divide(budget, b.T, a.T).T


def power(budget: Budget, base: Any, exponent: Any) -> Array:
    """Return A .^ B."""
    a, b = broadcast(budget, base, exponent)
    if np.any(a < 0) and np.any(b != np.floor(b)):
        raise UnreadError("complex numbers")
    return a**b


def matrix_power(budget: Budget, base: Any, exponent: Any) -> Array:
    """Return A ^ B, of numbers or of a square matrix and a whole number."""
    a, b = number(base), number(exponent)
    if a.size == 1 and b.size == 1:
        return power(budget, a, b)
    if b.size != 1 or a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ProgramError("operator ^: for a power entry by entry write .^")
    if b.item() != np.floor(b.item()) or abs(b.item()) > 64:
        raise UnreadError("this power of a matrix")
    work(budget, 14.0 * a.shape[0] ** 3)
    return np.linalg.matrix_power(a, int(b.item()))


def transpose(budget: Budget, of: Any) -> Any:
    """Return A'."""
    if isinstance(of, list):
        return of
    if isinstance(of, str):
        raise UnreadError("a text that is transposed")
    found = matrix(of)
    if found.ndim > 2:
        raise ProgramError("transpose: a matrix has two axes")
    budget.size(found.size)
    return found.T
