"""`octave_functions`: the functions of Octave that programs call, by the names that `octave_tree` gives them.

Each is Octave's own: sums go over the first axis that is longer than 1, entries stand column by column, the first is 1.
Source: GNU Octave 7 Manual, https://docs.octave.org/v7.3.0/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from jacobians.programs import octave_matrices as om
from jacobians.programs.octave_matrices import Array, Call, Shape, matrix, number
from jacobians.programs.values import Bound, Budget, BuiltIn, Function, ProgramError, UnreadError

Rule: TypeAlias = Callable[..., Any]


def octave_functions(budget: Budget, rng: np.random.Generator, call: Call) -> dict[str, BuiltIn]:
    """Return everything that a tree of `octave_tree` calls, by name.

    Parameters
    ----------
    budget : Budget
        Asked for the size of every result before it is made.
    rng : numpy.random.Generator
        Of rand and its like.
    call : callable
        ``call(function, arguments, keywords)`` calls a function of the file or of a table.

    Examples
    --------
    >>> from jacobians.programs.octave_functions import octave_functions
    >>> from jacobians.programs.values import Budget, Limits
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = octave_functions(Budget(Limits()), rng, lambda called, arguments, keywords: called.call(*arguments))
    >>> table["octave sum"].call(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[4., 6.]])
    """
    rules: dict[str, Rule] = {**_LANGUAGE, **LIBRARY}
    made = {name: partial(rule, budget) for name, rule in rules.items()}
    made |= {name: partial(rule, budget, call) for name, rule in _CALLING.items()}
    made |= {name: partial(rule, budget, rng) for name, rule in _RANDOM.items()}
    return {f"octave {name}": BuiltIn(name, rule) for name, rule in made.items()}


# --- arguments -------------------------------------------------------------------------------------


def _axis(of: Array, axis: Any) -> int:
    """The axis from 0 that a function goes along: the one given, or the first that is longer than 1."""
    if axis is None or (isinstance(axis, np.ndarray) and axis.size == 0):
        return next((k for k, n in enumerate(of.shape) if n != 1), 0)
    found = om.whole(axis) - 1
    if found < 0:
        raise ProgramError("the first axis is 1")
    return found


def _numbers(arguments: Sequence[Any]) -> list[Any]:
    """Arguments without the names of types, such as "double" and "like"."""
    return [a for a in arguments if not isinstance(a, str)]


def _shape(budget: Budget, arguments: Sequence[Any]) -> Shape:
    """The shape that zeros(3), zeros(3, 4) and zeros([3 4]) have."""
    given = _numbers(arguments)
    if not given:
        return (1, 1)
    if len(given) == 1 and matrix(given[0]).size != 1:
        sizes = [om.whole(n) for n in om.entries(matrix(given[0]))]
        if len(sizes) < 2:
            raise ProgramError("a size has two numbers or more")
    else:
        sizes = [om.whole(n) for n in given]
        sizes = sizes * 2 if len(sizes) == 1 else sizes
    shape = om.trimmed([max(n, 0) for n in sizes])
    om.room(budget, shape)
    if len(shape) > 8:
        raise UnreadError("a matrix with more than eight axes")
    return shape


# --- making matrices -------------------------------------------------------------------------------


def _filled(value: float, kind: type = float) -> Rule:
    def fill(budget: Budget, *arguments: Any) -> Array:
        return np.full(_shape(budget, arguments), value, kind)

    return fill


def _eye(budget: Budget, *arguments: Any) -> Array:
    shape = _shape(budget, arguments)
    if len(shape) != 2:
        raise ProgramError("eye: a matrix has two axes")
    return np.eye(*shape)


def _uniform(budget: Budget, rng: np.random.Generator, *arguments: Any) -> Array:
    if any(isinstance(a, str) for a in arguments):
        return om.empty()
    return rng.random(_shape(budget, arguments))


def _normal(budget: Budget, rng: np.random.Generator, *arguments: Any) -> Array:
    if any(isinstance(a, str) for a in arguments):
        return om.empty()
    return rng.standard_normal(_shape(budget, arguments))


def _random_whole(budget: Budget, rng: np.random.Generator, bounds: Any, *arguments: Any) -> Array:
    held = om.entries(number(bounds))
    low, high = (1, om.whole(held[0])) if held.size == 1 else (om.whole(held[0]), om.whole(held[-1]))
    if high < low:
        raise ProgramError("randi: the largest number is smaller than the smallest")
    return rng.integers(low, high, _shape(budget, arguments), endpoint=True).astype(float)


def _permutation(budget: Budget, rng: np.random.Generator, count: Any, few: Any = None) -> Array:
    n = om.whole(count)
    budget.size(max(n, 0))
    return (rng.permutation(max(n, 0)) + 1.0)[None, : None if few is None else om.whole(few)]


def _linspace(budget: Budget, start: Any, stop: Any, count: Any = 100.0) -> Array:
    n = max(om.whole(count), 1)
    budget.size(n)
    return np.linspace(number(start).item(), number(stop).item(), n)[None]


def _logspace(budget: Budget, start: Any, stop: Any, count: Any = 50.0) -> Array:
    return 10.0 ** _linspace(budget, start, stop, count)


def _repmat(budget: Budget, of: Any, *arguments: Any) -> Any:
    if isinstance(of, (str, list, dict)):
        raise UnreadError("repmat of what is no matrix")
    held = matrix(of)
    given = [om.entries(matrix(a)) for a in _numbers(arguments)]
    times = [max(om.whole(n), 0) for a in given for n in a]
    times = times * 2 if len(times) == 1 else times
    if not times or len(times) > 6:
        raise ProgramError("repmat: how often is not said")
    rank = max(held.ndim, len(times))
    shape = om._folded(held.shape, rank)
    times = [*times, *[1] * (rank - len(times))]
    om.room(budget, [float(a) * b for a, b in zip(shape, times, strict=True)])
    found = np.tile(held.reshape(shape, order="F"), times)
    return found.reshape(om.trimmed(found.shape), order="F")


def _cell(budget: Budget, *arguments: Any) -> list[Any]:
    shape = _shape(budget, arguments)
    if not arguments or 0 in shape:
        return []
    if len(shape) != 2 or 1 not in shape:
        raise UnreadError("a cell array with rows and columns")
    return [om.empty() for _ in range(max(shape))]


def _struct(budget: Budget, *arguments: Any) -> dict[str, Any]:
    names, values = arguments[::2], arguments[1::2]
    if len(names) != len(values) or not all(isinstance(n, str) for n in names):
        raise ProgramError("struct: takes names and values in turn")
    if any(isinstance(v, list) for v in values):
        raise UnreadError("an array of structs")
    budget.size(len(names))
    return dict(zip(names, values, strict=True))


def _grids(budget: Budget, count: Any, *axes: Any) -> tuple[Array, ...]:
    held = [om.entries(number(a)) for a in axes]
    held = held * 2 if len(held) == 1 else held
    if len(held) != 2:
        raise UnreadError("a grid of three axes")
    budget.size(2 * om.volume([a.size for a in held]))
    return om.outputs(om.whole(count), tuple(np.meshgrid(*held)))


def _grids_by_index(budget: Budget, count: Any, *axes: Any) -> tuple[Array, ...]:
    return om.outputs(om.whole(count), tuple(g.T for g in _grids(budget, 2.0, *axes)))


# --- sizes and kinds -------------------------------------------------------------------------------


def _shape_of(of: Any) -> Shape:
    if isinstance(of, (str, list)):
        return (1 if len(of) or isinstance(of, list) else 0, len(of))
    if isinstance(of, (dict, BuiltIn, Function, Bound)):
        return (1, 1)
    return matrix(of).shape


def _size(budget: Budget, of: Any, *axes: Any) -> Array:
    shape = _shape_of(of)
    if not axes:
        return np.array([shape], float)
    asked = [om.whole(n) for a in axes for n in om.entries(matrix(a))]
    if min(asked, default=1) < 1:
        raise ProgramError("size: the first axis is 1")
    return np.array([[shape[k - 1] if k <= len(shape) else 1 for k in asked]], float)


def _sizes(budget: Budget, count: Any, of: Any, *axes: Any) -> tuple[float, ...]:
    n = om.whole(count)
    held = om.entries(_size(budget, of, *axes)) if axes else om._folded(_shape_of(of), n)
    return om.outputs(n, tuple(float(k) for k in held))


def _of_shape(rule: Callable[[Shape], Any]) -> Rule:
    def ask(budget: Budget, of: Any) -> Any:
        return rule(_shape_of(of))

    return ask


def _of_kind(*kinds: type) -> Rule:
    def ask(budget: Budget, of: Any) -> bool:
        return isinstance(of, kinds)

    return ask


def _is_logical(budget: Budget, of: Any) -> bool:
    return isinstance(of, (bool, np.bool_)) or (isinstance(of, np.ndarray) and of.dtype.kind == "b")


def _is_numeric(budget: Budget, of: Any) -> bool:
    return not isinstance(of, (str, list, dict, BuiltIn, Function, Bound)) and not _is_logical(budget, of)


def _is_field(budget: Budget, of: Any, name: Any) -> Any:
    if isinstance(name, list):
        return matrix(np.array([[isinstance(of, dict) and n in of for n in name if isinstance(n, str)]], bool))
    return isinstance(of, dict) and isinstance(name, str) and name in of


def _is_equal(budget: Budget, first: Any, *others: Any) -> bool:
    return all(_equal(budget, first, other) for other in others)


def _equal(budget: Budget, one: Any, other: Any) -> bool:
    budget.look()
    if isinstance(one, (str, dict, list)) or isinstance(other, (str, dict, list)):
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(_equal(budget, a, b) for a, b in zip(one, other, strict=True))
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(_equal(budget, one[k], other[k]) for k in one)
        return isinstance(one, str) and isinstance(other, str) and one == other
    return bool(np.array_equal(number(one), number(other)))


def _same_text(budget: Budget, one: Any, other: Any) -> Any:
    if isinstance(one, list) or isinstance(other, list):
        many, text = (one, other) if isinstance(one, list) else (other, one)
        return np.array([[isinstance(m, str) and isinstance(text, str) and m == text for m in many]], bool)
    return isinstance(one, str) and isinstance(other, str) and one == other


def _same_letters(budget: Budget, one: Any, other: Any) -> Any:
    lower = [v.lower() if isinstance(v, str) else v for v in (one, other)]
    return _same_text(budget, *lower)


def _text(budget: Budget, *arguments: Any) -> str:
    """A number as a text, which is shown and nothing else."""
    return "text that is not read"


def _double(budget: Budget, of: Any) -> Array:
    if isinstance(of, str):
        budget.size(len(of))
        return np.array([[float(ord(c)) for c in of]]).reshape(1 if of else 0, len(of))
    return number(of)


def _logical(budget: Budget, of: Any) -> Array:
    held = matrix(of)
    if np.any(np.isnan(held)):
        raise ProgramError("logical: NaN is neither true nor false")
    return held.astype(bool)


# --- entry by entry --------------------------------------------------------------------------------


def _entrywise(rule: Callable[[Array], Any]) -> Rule:
    def apply(budget: Budget, of: Any) -> Any:
        held = number(of)
        budget.size(held.size)
        return rule(held)

    return apply


def _real_on(rule: Callable[[Array], Array], low: float, high: float = np.inf) -> Rule:
    """A function that is complex outside an interval."""

    def apply(budget: Budget, of: Any) -> Array:
        held = number(of)
        budget.size(held.size)
        if np.any((held < low) | (held > high)):
            raise UnreadError("complex numbers")
        return rule(held)

    return apply


def _two(rule: Callable[[Array, Array], Array]) -> Rule:
    def apply(budget: Budget, left: Any, right: Any) -> Array:
        return rule(*om.broadcast(budget, left, right))

    return apply


def _many(rule: Callable[[Array, Array], Array]) -> Rule:
    """A function of two arguments or more, such as plus(a, b, c)."""

    def apply(budget: Budget, first: Any, second: Any, *others: Any) -> Array:
        found = rule(*om.broadcast(budget, first, second))
        for other in others:
            found = rule(*om.broadcast(budget, found, other))
        return found

    return apply


def _compared(rule: Callable[[Any, Any], Any]) -> Rule:
    def apply(budget: Budget, left: Any, right: Any) -> Any:
        if isinstance(left, str) or isinstance(right, str):
            left, right = (_double(budget, v) if isinstance(v, str) else v for v in (left, right))
        return rule(*om.broadcast(budget, left, right))

    return apply


def _mod(a: Array, b: Array) -> Array:
    return np.where(b == 0, a, np.mod(a, np.where(b == 0, 1, b)))


def _rem(a: Array, b: Array) -> Array:
    return np.where(b == 0, np.nan, np.fmod(a, np.where(b == 0, 1, b)))


def _round(of: Array) -> Array:
    return np.copysign(np.floor(np.abs(of) + 0.5), of)


def _error_function(of: Array) -> Array:
    from scipy.special import erf

    return erf(of)


def _chosen(budget: Budget, mask: Any, yes: Any, no: Any) -> Array:
    a, b = om.broadcast(budget, yes, no)
    held, _ = om.broadcast(budget, mask, np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape)))
    return np.where(held != 0, a, b)


# --- along an axis ---------------------------------------------------------------------------------


def _reduced(rule: Callable[..., Array]) -> Rule:
    """A function that leaves one entry of each column; of [] it is that of no entry."""

    def reduce(budget: Budget, of: Any, axis: Any = None, *_: Any) -> Array:
        held = number(of)
        if isinstance(axis, str):
            axis = None
        if held.shape == (0, 0) and axis is None:
            held = held.reshape(0, 1)
        along = _axis(held, axis)
        if along >= held.ndim:
            held = held[..., *[None] * (along + 1 - held.ndim)]
        budget.size(held.size)
        found = rule(held, axis=along, keepdims=True)
        return found.reshape(om.trimmed(found.shape), order="F")

    return reduce


def _mean(of: Array, axis: int, keepdims: bool) -> Array:
    return np.sum(of, axis=axis, keepdims=keepdims) / of.shape[axis]


def _median(of: Array, axis: int, keepdims: bool) -> Array:
    if of.shape[axis] == 0:
        raise ProgramError("median of an empty matrix")
    return np.median(of, axis=axis, keepdims=keepdims)


def _any(of: Array, axis: int, keepdims: bool) -> Array:
    return np.any(of != 0, axis=axis, keepdims=keepdims)


def _all(of: Array, axis: int, keepdims: bool) -> Array:
    return np.all(of != 0, axis=axis, keepdims=keepdims)


def _sum_of_squares(of: Array, axis: int, keepdims: bool) -> Array:
    return np.sum(of * of, axis=axis, keepdims=keepdims)


def _running(rule: Callable[..., Array]) -> Rule:
    def run(budget: Budget, of: Any, axis: Any = None) -> Array:
        held = number(of)
        along = _axis(held, axis)
        budget.size(held.size)
        return held if along >= held.ndim else rule(held, axis=along)

    return run


def _variance(budget: Budget, of: Any, kind: Any = 0.0, axis: Any = None) -> Array:
    held = number(of)
    along = _axis(held, axis)
    if isinstance(kind, np.ndarray) and kind.size == 0:
        kind = 0.0
    budget.size(held.size)
    if held.shape == (0, 0):
        return matrix(np.nan)
    if along >= held.ndim or held.shape[along] == 0:
        return np.zeros(held.shape)
    less = 0 if om.whole(kind) else 1
    n = held.shape[along]
    away = held - np.mean(held, axis=along, keepdims=True)
    return np.sum(away * away, axis=along, keepdims=True) / max(n - less, 1)


def _deviation(budget: Budget, of: Any, kind: Any = 0.0, axis: Any = None) -> Array:
    return np.sqrt(_variance(budget, of, kind, axis))


def _differences(budget: Budget, of: Any, times: Any = 1.0, axis: Any = None) -> Array:
    held = number(of)
    n = om.whole(times)
    along = _axis(held, axis)
    if not 0 <= n <= 64 or along >= held.ndim:
        raise UnreadError("diff of this order")
    budget.size(held.size * (n + 1.0))
    if held.size <= 1 and n:
        return om.empty()
    return np.diff(held, n, axis=along)


def _extreme(largest: bool) -> Rule:
    def extreme(budget: Budget, of: Any, other: Any = None, axis: Any = None) -> Any:
        if other is not None and axis is None:
            return (np.fmax if largest else np.fmin)(*om.broadcast(budget, of, other))
        return _extremes(budget, largest, of, axis)[0]

    return extreme


def _extreme_outputs(largest: bool) -> Rule:
    def extreme(budget: Budget, count: Any, of: Any, other: Any = None, axis: Any = None) -> tuple[Array, ...]:
        if other is not None and matrix(other).size:
            raise ProgramError("max and min of two matrices give no index")
        return om.outputs(om.whole(count), _extremes(budget, largest, of, axis))

    return extreme


def _extremes(budget: Budget, largest: bool, of: Any, axis: Any) -> tuple[Array, Array]:
    """The largest entries, and the first index of each; what is NaN counts for nothing."""
    held = matrix(of)
    along = _axis(held, axis)
    budget.size(held.size)
    if held.shape == (0, 0) and axis is None:
        return held, held
    if along >= held.ndim:
        return held, np.ones(held.shape)
    if held.shape[along] == 0:
        shape = tuple(0 if k == along else n for k, n in enumerate(held.shape))
        return np.zeros(shape), np.zeros(shape)
    sure = held if held.dtype.kind == "b" else np.where(np.isnan(held), -np.inf if largest else np.inf, held)
    at = (np.argmax if largest else np.argmin)(sure, axis=along, keepdims=True)
    best = np.take_along_axis(held, at, along)  # NaN where all are
    return best.reshape(om.trimmed(best.shape)), (at + 1.0).reshape(om.trimmed(best.shape))


def _sorted(budget: Budget, of: Any, *how: Any) -> Array:
    return _sorted_outputs(budget, 1.0, of, *how)[0]


def _sorted_outputs(budget: Budget, count: Any, of: Any, *how: Any) -> tuple[Array, ...]:
    if isinstance(of, list):
        raise UnreadError("sort of a cell array")
    held = matrix(of)
    falling = any(isinstance(h, str) and h.lower() == "descend" for h in how)
    along = _axis(held, next(iter(_numbers(how)), None))
    budget.size(8.0 * held.size)
    if along >= held.ndim:
        return om.outputs(om.whole(count), (held, np.ones(held.shape)))
    if falling:
        key = np.where(np.isnan(held), -np.inf, -number(held))
        at = np.argsort(key, axis=along, kind="stable")
    else:
        at = np.argsort(held, axis=along, kind="stable")
    return om.outputs(om.whole(count), (np.take_along_axis(held, at, along), at + 1.0))


def _unique(budget: Budget, of: Any, *how: Any) -> Array:
    return _unique_outputs(budget, 1.0, of, *how)[0]


def _unique_outputs(budget: Budget, count: Any, of: Any, *how: Any) -> tuple[Array, ...]:
    if isinstance(of, list):
        raise UnreadError("unique of a cell array")
    if not set(how) <= {"rows", "first", "last"}:
        raise UnreadError("this way of unique")
    held = matrix(of)
    budget.size(8.0 * held.size)
    if held.size == 0:
        return om.outputs(om.whole(count), (held, om.empty(), om.empty()))
    if "rows" in how:
        found, first, where = np.unique(held, axis=0, return_index=True, return_inverse=True)
        flat = where.reshape(-1)
    else:
        found, first, where = np.unique(om.entries(held), return_index=True, return_inverse=True)
        flat = where.reshape(-1)
        found = found[None] if held.shape[0] == 1 and held.ndim == 2 and held.size > 1 else found[:, None]
    if "last" in how:
        first[flat] = np.arange(flat.size)
    return om.outputs(om.whole(count), (found, first[:, None] + 1.0, flat[:, None] + 1.0))


# --- searching -------------------------------------------------------------------------------------


def _find(budget: Budget, of: Any, most: Any = None, *_: Any) -> Array:
    held = matrix(of)
    budget.size(held.size)
    found = np.flatnonzero(om.entries(held)) + 1.0
    if most is not None:
        found = found[: om.whole(most)]
    if held.shape == (0, 0):
        return om.empty()
    if held.shape[0] == 1 and held.ndim == 2 and held.shape[1] != 1:
        return found[None]
    return found[:, None] if held.size != 1 else found.reshape(found.size, found.size)


def _find_outputs(budget: Budget, count: Any, of: Any, *most: Any) -> tuple[Array, ...]:
    held = matrix(of)
    places = _find(budget, held, *most)
    rows = max(held.shape[0], 1)
    values = om.entries(held)[om.entries(places).astype(int) - 1].reshape(places.shape, order="F")
    return om.outputs(om.whole(count), ((places - 1) % rows + 1, np.floor((places - 1) / rows) + 1, values))


def _is_member(budget: Budget, of: Any, among: Any) -> Any:
    if isinstance(of, str) and isinstance(among, list):
        return any(isinstance(item, str) and item == of for item in among)
    held, others = number(of), om.entries(number(among))
    budget.size(8.0 * (held.size + others.size))
    return np.isin(held, others)


def _to_linear(budget: Budget, sizes: Any, *subscripts: Any) -> Array:
    """sub2ind([rows columns], i, j)."""
    shape = [om.whole(n) for n in om.entries(matrix(sizes))]
    each = [matrix(s) for s in subscripts]
    if any(s.dtype.kind == "b" for s in each):
        raise UnreadError("a mask as an index of sub2ind")
    if not each or len(each) > len(shape) or len({s.shape for s in each}) != 1:
        raise ProgramError("sub2ind: an index for each axis, all of one size")
    found, step = np.ones(each[0].shape), 1.0
    budget.size(found.size)
    for held, n in zip(each, shape, strict=False):
        if held.size and (np.min(held) < 1 or np.max(held) > n or np.any(held != np.floor(held))):
            raise ProgramError("sub2ind: an index is out of range")
        found = found + (held - 1) * step
        step *= n
    return found


def _from_linear(budget: Budget, count: Any, sizes: Any, places: Any) -> tuple[Array, ...]:
    shape = om._folded(tuple(om.whole(n) for n in om.entries(matrix(sizes))), om.whole(count))
    held = matrix(places)
    if held.dtype.kind == "b":
        raise UnreadError("a mask as an index of ind2sub")
    budget.size(held.size * len(shape))
    if held.size and (np.min(held) < 1 or np.max(held) > om.volume(shape)):
        raise ProgramError("ind2sub: an index is out of range")
    found, left = [], held - 1
    for n in shape:
        found.append(left % max(n, 1) + 1)
        left = np.floor(left / max(n, 1))
    return tuple(found)


def _accumulated(budget: Budget, places: Any, values: Any, sizes: Any = None, *more: Any) -> Array:
    """accumarray: the sums of values that have the same place."""
    if more:
        raise UnreadError("accumarray with a function")
    where, what = number(places), number(values)
    if where.size and (np.min(where) < 1 or np.any(where != np.floor(where))):
        raise ProgramError("accumarray: a place is no whole number from 1")
    if where.shape[0] == 1 and what.size > 1:
        where = where.reshape(-1, 1)
    axes = where.shape[1]
    if what.size not in (1, where.shape[0]) or axes > 4:
        raise ProgramError("accumarray: a place for each value")
    given = [] if sizes is None else [om.whole(n) for n in om.entries(matrix(sizes))]
    need = [int(n) for n in np.max(where, axis=0, initial=1)]
    shape = tuple(max(n, g) for n, g in zip(need, given or need, strict=False)) if axes > 1 else (max(need + given), 1)
    om.room(budget, shape)
    made = np.zeros(shape)
    at = tuple((where[:, k] - 1).astype(int) for k in range(axes))
    np.add.at(
        made, at if axes > 1 else (at[0], np.zeros(len(at[0]), int)), om.entries(what) if what.size > 1 else what.item()
    )
    return made


# --- rearranging -----------------------------------------------------------------------------------


def _reshape(budget: Budget, of: Any, *arguments: Any) -> Any:
    if isinstance(of, (str, list)):
        raise UnreadError("reshape of what is no matrix")
    held = matrix(of)
    if len(arguments) > 1 and any(matrix(a).size == 0 for a in arguments):
        known = [None if matrix(a).size == 0 else om.whole(a) for a in arguments]
        rest = om.volume([n for n in known if n is not None])
        if known.count(None) != 1 or rest < 1 or held.size % rest:
            raise ProgramError(f"reshape: {held.size} entries do not fit")
        arguments = tuple(float(held.size // int(rest)) if n is None else float(n) for n in known)
    shape = _shape(budget, arguments)
    if om.volume(shape) != held.size:
        raise ProgramError(f"reshape: a matrix of {om.dims(held.shape)} cannot become {om.dims(shape)}")
    return held.reshape(shape, order="F")


def _permute(budget: Budget, of: Any, order: Any) -> Array:
    held = matrix(of)
    axes = [om.whole(n) - 1 for n in om.entries(matrix(order))]
    if sorted(axes) != list(range(len(axes))) or len(axes) < held.ndim or len(axes) > 8:
        raise ProgramError("permute: every axis is named once")
    budget.size(held.size)
    found = np.transpose(held.reshape(om._folded(held.shape, len(axes)), order="F"), axes)
    return found.reshape(om.trimmed(found.shape), order="F")


def _squeeze(budget: Budget, of: Any) -> Array:
    held = matrix(of)
    if held.ndim == 2:
        return held
    return held.reshape(om.trimmed([n for n in held.shape if n != 1]), order="F")


def _column(budget: Budget, of: Any) -> Array:
    return om.entries(matrix(of))[:, None]


def _flipped(budget: Budget, of: Any, axis: Any = None) -> Array:
    held = matrix(of)
    along = _axis(held, axis)
    return held if along >= held.ndim else np.flip(held, along)


def _circshift(budget: Budget, of: Any, by: Any, axis: Any = None) -> Array:
    held = matrix(of)
    shifts = [om.whole(n) for n in om.entries(matrix(by))]
    budget.size(held.size)
    if len(shifts) > 1:
        return np.roll(held, shifts, tuple(range(len(shifts))))
    along = _axis(held, axis)
    return held if along >= held.ndim else np.roll(held, shifts[0], along)


def _diagonal(budget: Budget, of: Any, by: Any = 0.0) -> Array:
    held, k = matrix(of), om.whole(by)
    if held.ndim > 2:
        raise ProgramError("diag: a matrix has two axes")
    if 1 in held.shape:
        budget.size((held.size + float(abs(k))) ** 2)
        return np.diag(om.entries(held), k)
    return np.diag(held, k)[:, None].copy() if held.size else om.empty()


def _triangle(rule: Callable[..., Array]) -> Rule:
    def cut(budget: Budget, of: Any, by: Any = 0.0) -> Array:
        held = matrix(of)
        budget.size(held.size)
        return rule(held, om.whole(by))

    return cut


def _cat(budget: Budget, axis: Any, *parts: Any) -> Any:
    along = om.whole(axis) - 1
    if not 0 <= along < 4:
        raise ProgramError("cat: the axis is out of range")
    return om.joined(budget, along, parts)


def _cells_joined(budget: Budget, of: Any) -> Any:
    """cell2mat."""
    return om.joined(budget, 1, of if isinstance(of, list) else [of])


# --- linear algebra --------------------------------------------------------------------------------


def _square(of: Any, name: str) -> Array:
    held = number(of)
    if held.ndim != 2 or held.shape[0] != held.shape[1]:
        raise ProgramError(f"{name}: a square matrix belongs here, not one of {om.dims(held.shape)}")
    return held


def _inverse(budget: Budget, of: Any) -> Array:
    held = _square(of, "inv")
    om.work(budget, 20.0 * held.shape[0] ** 3)
    try:
        return np.linalg.inv(held)
    except np.linalg.LinAlgError:
        return np.full(held.shape, np.inf)


def _pseudo_inverse(budget: Budget, of: Any) -> Array:
    held = number(of)
    om.work(budget, 60.0 * max(held.shape) * min(held.shape) ** 2)
    return np.linalg.pinv(held) if held.size else om.empty()


def _determinant(budget: Budget, of: Any) -> float:
    held = _square(of, "det")
    om.work(budget, 10.0 * held.shape[0] ** 3)
    return float(np.linalg.det(held))


def _trace(budget: Budget, of: Any) -> float:
    return float(np.trace(_square(of, "trace")))


def _norm(budget: Budget, of: Any, kind: Any = 2.0) -> float:
    held = number(of)
    if held.size == 0:
        return 0.0
    if isinstance(kind, str):
        if kind.lower() not in ("fro", "inf"):
            raise UnreadError("this norm")
        order: Any = "fro" if kind.lower() == "fro" else np.inf
    else:
        order = number(kind).item()
    if 1 in held.shape or order == "fro":
        return float(np.linalg.norm(om.entries(held), None if order == "fro" else order))
    if order not in (1, 2, np.inf) or held.ndim > 2:
        raise UnreadError("this norm of a matrix")
    om.work(budget, 40.0 * max(held.shape) * min(held.shape) ** 2)
    return float(np.linalg.norm(held, order))


def _kronecker(budget: Budget, left: Any, right: Any) -> Array:
    a, b = number(left), number(right)
    if a.ndim > 2 or b.ndim > 2:
        raise ProgramError("kron: matrices have two axes")
    om.room(budget, [float(m) * n for m, n in zip(a.shape, b.shape, strict=True)])
    return np.kron(a, b)


def _dot(budget: Budget, left: Any, right: Any, axis: Any = None) -> Array:
    a, b = number(left), number(right)
    if axis is None and om.is_vector(a.shape) and om.is_vector(b.shape) and a.size == b.size:
        return matrix(float(om.entries(a) @ om.entries(b)))
    if a.shape != b.shape:
        raise ProgramError(f"dot: matrices of {om.dims(a.shape)} and {om.dims(b.shape)}")
    return _reduced(np.sum)(budget, a * b, axis)


def _convolved(budget: Budget, of: Any, kernel: Any, shape: Any = "full") -> Array:
    """conv2: the kernel is turned by half a turn."""
    a, k = number(of), number(kernel)
    if shape not in ("full", "same", "valid") or a.ndim > 2 or k.ndim > 2:
        raise UnreadError("conv2 of this shape")
    (m, n), (p, q) = a.shape, k.shape
    if 0 in (m, n, p, q):
        raise ProgramError("conv2 of an empty matrix")
    om.work(budget, 4.0 * k.size * (m + p) * (n + q))
    if k.size > 10_000:
        raise UnreadError("conv2 with a kernel this large")
    whole = np.zeros((m + p - 1, n + q - 1))
    for i in range(p):
        for j in range(q):
            whole[i : i + m, j : j + n] += k[i, j] * a
    if shape == "full":
        return whole
    if shape == "valid":
        return whole[p - 1 : m, q - 1 : n]
    i, j = p // 2, q // 2
    return whole[i : i + m, j : j + n]


# --- functions of functions ------------------------------------------------------------------------


def _function(budget: Budget, called: Any) -> Any:
    if isinstance(called, str):
        raise UnreadError("a function that is named by a text")
    if not isinstance(called, (BuiltIn, Function, Bound)):
        raise ProgramError("what is called is no function")
    return called


def _bsxfun(budget: Budget, call: Call, called: Any, left: Any, right: Any) -> Any:
    om.broadcast(budget, left, right)
    return om.first(call(_function(budget, called), [left, right], {}))


def _feval(budget: Budget, call: Call, called: Any, *arguments: Any) -> Any:
    return om.first(call(_function(budget, called), list(arguments), {}))


def _feval_outputs(budget: Budget, call: Call, count: Any, called: Any, *arguments: Any) -> Any:
    return om.outputs(om.whole(count), call(_function(budget, called), list(arguments), {}))


def _over_entries(cells: bool) -> Rule:
    """cellfun or arrayfun."""

    def apply(budget: Budget, call: Call, called: Any, *arguments: Any) -> Any:
        return _applied(budget, call, cells, 1, called, arguments)[0]

    return apply


def _over_entries_outputs(cells: bool) -> Rule:
    def apply(budget: Budget, call: Call, count: Any, called: Any, *arguments: Any) -> Any:
        return _applied(budget, call, cells, om.whole(count), called, arguments)

    return apply


def _applied(
    budget: Budget, call: Call, cells: bool, count: int, called: Any, arguments: tuple[Any, ...]
) -> tuple[Any, ...]:
    if cells and called in ("isempty", "length", "numel"):
        called = BuiltIn(called, partial(LIBRARY[called], budget))
    called = _function(budget, called)
    uniform, given = True, list(arguments)
    if len(given) > 1 and isinstance(given[-2], str) and given[-2].lower() == "uniformoutput":
        uniform, given = om.truth(given[-1]), given[:-2]
    if not given or any(isinstance(g, str) for g in given):
        raise UnreadError("this way of cellfun or arrayfun")
    if cells and not all(isinstance(g, list) for g in given):
        raise ProgramError("cellfun goes over cell arrays")
    shape = _shape_of(given[0])
    items = [g if isinstance(g, list) else [matrix(v) for v in om.entries(matrix(g))] for g in given]
    if len({len(i) for i in items}) != 1:
        raise ProgramError("cellfun and arrayfun go over arguments of one size")
    budget.size(count * len(items[0]))
    found = [om.outputs(count, call(called, list(row), {})) for row in zip(*items, strict=True)]
    made: list[Any] = []
    for k in range(count):
        values = [row[k] for row in found]
        if not uniform:
            made.append(values)
            continue
        held = [matrix(v) for v in values]
        if any(h.size != 1 for h in held):
            raise ProgramError("cellfun and arrayfun: a result is no number; UniformOutput is true")
        kind = bool if held and all(h.dtype.kind == "b" for h in held) else float
        made.append(np.array([h.item() for h in held], kind).reshape(shape, order="F"))
    return tuple(made)


# --- what the tree calls ---------------------------------------------------------------------------


def _unread(budget: Budget, construct: str) -> Any:
    raise UnreadError(construct)


def _error(budget: Budget, *_: Any) -> Any:
    raise ProgramError("the program raises an error of its own")


def _case(budget: Budget, value: Any, labels: Any) -> bool:
    """Whether a case of a switch is meant."""
    for label in labels if isinstance(labels, list) else [labels]:
        if isinstance(label, str) or isinstance(value, str):
            if isinstance(label, str) and isinstance(value, str) and label == value:
                return True
        elif matrix(value).size == 1 and matrix(label).size == 1 and number(value).item() == number(label).item():
            return True
    return False


def _logic(rule: Callable[[Array, Array], Array]) -> Rule:
    def apply(budget: Budget, left: Any, right: Any, *others: Any) -> Array:
        a, b = om.broadcast(budget, left, right)
        if np.any(np.isnan(a)) or np.any(np.isnan(b)):
            raise ProgramError("NaN is neither true nor false")
        found = rule(a != 0, b != 0)
        return apply(budget, found, *others) if others else found

    return apply


def _not(budget: Budget, of: Any) -> Array:
    held = matrix(of)
    budget.size(held.size)
    return held == 0


def _plain(rule: Rule) -> Rule:
    """A rule that makes nothing large."""
    return lambda budget, *arguments: rule(*arguments)


_LANGUAGE: Mapping[str, Rule] = {
    "number": _plain(number),
    "truth": _plain(om.truth),
    "first": _plain(om.first),
    "outputs": lambda budget, count, value: om.outputs(om.whole(count), value),
    "end": _plain(om.last),
    "store": om.store,
    "delete": om.delete,
    "cell entry": om.cell_entry,
    "old cell": om.old_cell,
    "store cell": om.store_cell,
    "field": _plain(om.field),
    "old field": _plain(om.old_field),
    "store field": om.store_field,
    "matrix": _plain(om.empty),
    "range": om.span,
    "columns of": om.columns_of,
    "product": om.product,
    "left divide": om.left_divide,
    "right divide": om.right_divide,
    "matrix power": om.matrix_power,
    "is given": _plain(lambda value: value is not None),
    "count given": _plain(lambda *values: float(sum(v is not None for v in values))),
    "case": _case,
    "unread": _unread,
    "error": _error,
    "size outputs": _sizes,
    "max outputs": _extreme_outputs(True),
    "min outputs": _extreme_outputs(False),
    "sort outputs": _sorted_outputs,
    "unique outputs": _unique_outputs,
    "find outputs": _find_outputs,
    "ind2sub outputs": _from_linear,
    "meshgrid outputs": _grids,
    "ndgrid outputs": _grids_by_index,
    "deal outputs": lambda budget, count, *values: om.outputs(
        om.whole(count), values * om.whole(count) if len(values) == 1 and om.whole(count) < 64 else values
    ),
}
"""What Octave's own syntax becomes; a file cannot name these."""


def _index_outputs(budget: Budget, call: Call, count: Any, of: Any, *places: Any) -> tuple[Any, ...]:
    if isinstance(of, (BuiltIn, Function, Bound)):
        return om.outputs(om.whole(count), call(of, list(places), {}))
    return om.outputs(om.whole(count), om.index(budget, call, of, *places))


_CALLING: Mapping[str, Rule] = {
    "index": om.index,
    "index outputs": _index_outputs,
    "bsxfun": _bsxfun,
    "feval": _feval,
    "feval outputs": _feval_outputs,
    "cellfun": _over_entries(True),
    "cellfun outputs": _over_entries_outputs(True),
    "arrayfun": _over_entries(False),
    "arrayfun outputs": _over_entries_outputs(False),
}
_RANDOM: Mapping[str, Rule] = {"rand": _uniform, "randn": _normal, "randi": _random_whole, "randperm": _permutation}

LIBRARY: Mapping[str, Rule] = {
    # making
    "zeros": _filled(0.0), "ones": _filled(1.0), "eye": _eye, "true": _filled(True, bool),
    "false": _filled(False, bool),
    "pi": _filled(np.pi), "e": _filled(np.e), "eps": _filled(float(np.finfo(float).eps)),
    "realmin": _filled(float(np.finfo(float).tiny)), "realmax": _filled(float(np.finfo(float).max)),
    **dict.fromkeys(("Inf", "inf"), _filled(np.inf)), **dict.fromkeys(("NaN", "nan", "NA"), _filled(np.nan)),
    "linspace": _linspace, "logspace": _logspace, "colon": om.span, "repmat": _repmat, "cell": _cell,
    "struct": _struct,
    # sizes and kinds
    "size": _size, "numel": _of_shape(lambda s: om.volume(s)),
    "length": _of_shape(lambda s: 0.0 if 0 in s else float(max(s))),
    "rows": _of_shape(lambda s: float(s[0])), "columns": _of_shape(lambda s: float(s[1])),
    "ndims": _of_shape(lambda s: float(len(s))), "isempty": _of_shape(lambda s: 0 in s),
    "isscalar": _of_shape(lambda s: om.volume(s) == 1),
    "isvector": _of_shape(lambda s: len(s) == 2 and 1 in s and max(s) > 0),
    "isrow": _of_shape(lambda s: len(s) == 2 and s[0] == 1),
    "iscolumn": _of_shape(lambda s: len(s) == 2 and s[1] == 1),
    "ismatrix": _of_shape(lambda s: True), "issquare": _of_shape(lambda s: len(s) == 2 and s[0] == s[1]),
    "isnumeric": _is_numeric, "isreal": _is_numeric, "islogical": _is_logical, "ischar": _of_kind(str),
    "iscell": _of_kind(list), "isstruct": _of_kind(dict), "is_function_handle": _of_kind(BuiltIn, Function, Bound),
    "isfield": _is_field, "isequal": _is_equal, "strcmp": _same_text, "strcmpi": _same_letters,
    **dict.fromkeys(("num2str", "sprintf", "mat2str", "int2str", "datestr"), _text),
    **dict.fromkeys(("double", "single", "full", "real"), _double), "logical": _logical,
    # entry by entry
    "floor": _entrywise(np.floor), "ceil": _entrywise(np.ceil), "fix": _entrywise(np.trunc),
    "round": _entrywise(_round),
    "abs": _entrywise(np.abs), "sign": _entrywise(np.sign), "exp": _entrywise(np.exp), "expm1": _entrywise(np.expm1),
    "log": _real_on(np.log, 0), "log2": _real_on(np.log2, 0), "log10": _real_on(np.log10, 0),
    "log1p": _real_on(np.log1p, -1),
    "sqrt": _real_on(np.sqrt, 0), "sin": _entrywise(np.sin), "cos": _entrywise(np.cos), "tan": _entrywise(np.tan),
    "asin": _real_on(np.arcsin, -1, 1), "acos": _real_on(np.arccos, -1, 1), "atan": _entrywise(np.arctan),
    "sinh": _entrywise(np.sinh), "cosh": _entrywise(np.cosh), "tanh": _entrywise(np.tanh),
    "asinh": _entrywise(np.arcsinh),
    "sech": _entrywise(lambda x: 1 / np.cosh(x)), "erf": _entrywise(_error_function),
    "isnan": _entrywise(np.isnan), "isinf": _entrywise(np.isinf), "isfinite": _entrywise(np.isfinite),
    "uminus": _entrywise(np.negative), "uplus": _entrywise(np.positive), "not": _not,
    "plus": _many(np.add), "minus": _two(np.subtract), "times": _many(np.multiply), "rdivide": _two(np.divide),
    "ldivide": _two(lambda a, b: b / a), "power": om.power, "mod": _two(_mod), "rem": _two(_rem),
    "atan2": _two(np.arctan2),
    "hypot": _two(np.hypot), "eq": _compared(np.equal), "ne": _compared(np.not_equal), "lt": _compared(np.less),
    "le": _compared(np.less_equal), "gt": _compared(np.greater), "ge": _compared(np.greater_equal),
    "and": _logic(np.logical_and), "or": _logic(np.logical_or), "xor": _logic(np.logical_xor),
    **dict.fromkeys(("merge", "ifelse"), _chosen),
    # along an axis
    "sum": _reduced(np.sum), "prod": _reduced(np.prod), "mean": _reduced(_mean), "median": _reduced(_median),
    "any": _reduced(_any), "all": _reduced(_all), "sumsq": _reduced(_sum_of_squares), "cumsum": _running(np.cumsum),
    "cumprod": _running(np.cumprod), "var": _variance, "std": _deviation, "diff": _differences,
    "max": _extreme(True), "min": _extreme(False), "sort": _sorted, "unique": _unique,
    "nnz": lambda budget, of: float(np.count_nonzero(matrix(of))),
    # searching
    "find": _find, "ismember": _is_member, "sub2ind": _to_linear, "accumarray": _accumulated,
    "ind2sub": lambda budget, sizes, places: _from_linear(budget, 1.0, sizes, places)[0],
    "meshgrid": lambda budget, *axes: _grids(budget, 1.0, *axes)[0],
    "ndgrid": lambda budget, *axes: _grids_by_index(budget, 1.0, *axes)[0],
    "deal": lambda budget, value: value,
    # rearranging
    "reshape": _reshape, "permute": _permute, "squeeze": _squeeze, "vec": _column, "flip": _flipped,
    "flipud": lambda budget, of: _flipped(budget, of, 1.0), "fliplr": lambda budget, of: _flipped(budget, of, 2.0),
    "circshift": _circshift, "diag": _diagonal, "tril": _triangle(np.tril), "triu": _triangle(np.triu), "cat": _cat,
    "horzcat": lambda budget, *parts: om.joined(budget, 1, parts),
    "vertcat": lambda budget, *parts: om.joined(budget, 0, parts),
    "cell2mat": _cells_joined, **dict.fromkeys(("transpose", "ctranspose"), om.transpose),
    # linear algebra
    "mtimes": om.product, "mrdivide": om.right_divide, "mldivide": om.left_divide, "mpower": om.matrix_power,
    **dict.fromkeys(("inv", "inverse"), _inverse), "pinv": _pseudo_inverse, "det": _determinant, "trace": _trace,
    "norm": _norm, "kron": _kronecker, "dot": _dot, "conv2": _convolved,
}  # fmt: skip
"""What a file may call by its name."""

FUNCTIONS = (
    frozenset(LIBRARY)
    | frozenset(name for name in _CALLING if name != "index" and " " not in name)
    | frozenset(_RANDOM)
)
"""The names of all functions that a file may call; those of `octave_tree`."""
