"""Arguments and results of a recording: dicts, lists and tuples of arrays, and constants."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from jacobians.arrays import OfGraph, kind_of, leaves_of, rebuilt, refuse_masked
from jacobians.errors import RecordingError
from jacobians.recording.calls import Array
from jacobians.recording.tape import Recorded

_CONSTANTS = (int, float, complex, bool, str, bytes, type(None), np.dtype, type)
"""What is the same in every call of one recording: a call with another number is another recording."""

_OURS = __name__.partition(".")[0]

_CLOSE = {4: 1e-3, 8: 1e-7}
"""How far a replay may lie from the function itself, by the dtype's bytes, for the largest entry: rounding, no more."""

Collector: TypeAlias = Callable[[Any, list[Any]], None]

_kind = attrgetter("__class__", "shape", "dtype", "strides")


class _UnlikeError(Exception):
    """A value is not built like the recorded one."""


class Arguments:
    """What arguments must be like for a recording to serve them.

    That is: containers of the same types with the same keys in the same order, arrays of the same shape, dtype and
    strides, the same array where it was the same, and equal numbers and texts.

    Parameters
    ----------
    given : tuple
        Arguments by position and by name.

    Raises
    ------
    RecordingError
        If one is of another kind.
    DTypeError
        If one is a masked array.
    """

    def __init__(self, given: tuple[Any, Any]) -> None:
        self._collect = _collector(given)
        found: list[Any] = []
        if self._collect is not None:
            self._collect(given, found)
        self._expected = [*map(_kind, found)]
        self._scalars = any(isinstance(leaf, np.generic) for leaf in found)
        self._places = _places(found)
        self._distinct = len(set(self._places)) == len(found)

    def found(self, given: Any) -> list[Array] | None:
        """The arguments' arrays, or None where they are not like the recorded ones."""
        found: list[Any] = []
        try:
            if self._collect is not None:
                self._collect(given, found)
            if [*map(_kind, found)] != self._expected:
                return None
        except (AttributeError, _UnlikeError):
            return None
        if self._distinct:
            if len({*map(id, found)}) != len(found):
                return None
        elif _places(found) != self._places:
            return None
        return [*map(np.asarray, found)] if self._scalars else found

    def stand_ins(self, given: tuple[Any, Any], make: Callable[[Array], Recorded]) -> tuple[list[Recorded], Any]:
        """Stand-ins for the arrays, one for each array even if it is given twice; and the arguments with them."""
        arrays = self.found(given) or []
        made = {place: make(arrays[place]) for place in dict.fromkeys(self._places)}
        stand_ins = [made[place] for place in self._places]
        rest = iter(stand_ins)
        items = [next(rest) if _is_array(leaf) else leaf for _, leaf in leaves_of(given)]
        return stand_ins, rebuilt(given, iter(items))


def _places(found: list[Any]) -> list[int]:
    """For every array the place at which it stands first."""
    names = [*map(id, found)]
    return [names.index(name) for name in names]


def _is_array(leaf: Any) -> bool:
    return type(leaf) is np.ndarray or isinstance(leaf, np.generic)


def _is_container(value: Any) -> bool:
    return type(value) in (dict, OrderedDict, list, tuple) or (isinstance(value, tuple) and hasattr(value, "_fields"))


def _collector(like: Any) -> Collector | None:
    """A function that appends the arrays of a value built like `like`, or raises; None for an array.

    `leaves_of` does the same with names. This takes a quarter of the time, in every call.
    """
    if _is_array(like):
        if like.dtype.hasobject:
            raise _unknown(like)
        return None
    if not _is_container(like):
        return _constant(like)
    kind, size = type(like), len(like)
    if isinstance(like, dict):
        keys = [*like]
        parts = [_collector(item) for item in like.values()]

        def items_of(value: Any) -> Any:
            if [*value] != keys:
                raise _UnlikeError
            return value.values()
    else:
        parts = [*map(_collector, like)]

        def items_of(value: Any) -> Any:
            return value

    flat = not any(parts)

    def collect(value: Any, into: list[Any]) -> None:
        if type(value) is not kind or len(value) != size:
            raise _UnlikeError
        if flat:
            into += items_of(value)
            return
        for item, part in zip(items_of(value), parts, strict=True):
            if part is None:
                into.append(item)
            else:
                part(item, into)

    return collect


def _constant(like: Any) -> Collector:
    """A function that raises for a value that is not this one."""
    kind, text = type(like), repr(like)  # of numbers: -0.0 is 0.0, and NaN is not NaN

    def check(value: Any, _: list[Any]) -> None:
        if value is not like and not (type(value) is kind and kind in _CONSTANTS and repr(value) == text):
            raise _UnlikeError

    if isinstance(like, _CONSTANTS) or (
        type(like).__module__.partition(".")[0] == _OURS and not isinstance(like, OfGraph)
    ):
        return check
    raise _unknown(like)


def _unknown(leaf: Any) -> Exception:
    refuse_masked(leaf, "an argument", "replayed")
    kind, mend = kind_of(leaf), "; of a method of your own, make self.fast = replayed(self.method)"
    if isinstance(leaf, np.ndarray):
        mend = "; pass numpy.asarray(…) of it"
        kind = f"{kind_of(leaf)} ({type(leaf).__name__})"
    return RecordingError(
        f"replayed: an argument is {kind}; "
        f"expected arrays, numbers and texts, and dicts, lists and tuples of them{mend}"
    )


class Results:
    """How what a function returned is put together from a replay's arrays.

    Parameters
    ----------
    result
        What it returned on stand-ins.
    leaves : list
        Those of `result_leaves`; they are not kept.
    plain
        What it returned on arrays: which of the leaves are scalars of NumPy's or Python's numbers.
    """

    def __init__(self, result: Any, leaves: list[Any], plain: Any) -> None:
        self._build = _builder(result)
        self._converted: list[tuple[int, Callable[[Any], Any]]] = []
        for place, (leaf, (_, shown)) in enumerate(zip(leaves, leaves_of(plain), strict=False)):
            if isinstance(leaf, Recorded) and isinstance(shown, np.generic):
                self._converted.append((place, lambda array: array[()]))
            elif isinstance(leaf, Recorded) and type(shown) in (bool, int, float):
                self._converted.append((place, type(shown)))

    def of(self, items: list[Any]) -> Any:
        """Return a replay's results as the function returns them."""
        for place, convert in self._converted:
            items[place] = convert(items[place])
        return self._build(items)


def result_leaves(result: Any) -> list[Any]:
    """Return the stand-ins in a function's results, and the results that are the same in every call.

    Raises
    ------
    RecordingError
        If something else is returned, such as a Jacobian: it would hold stand-ins.
    """
    if isinstance(result, OfGraph):
        raise RecordingError(f"replayed: the function returns {result!r}; return its .array, or its gradients")
    if isinstance(result, Recorded) or _is_array(result) or type(result) in _CONSTANTS:
        return [result.copy() if type(result) is np.ndarray else result]
    if not _is_container(result):
        raise RecordingError(
            f"replayed: the function returns {kind_of(result)}, which would keep the numbers of one run; return arrays "
            "instead, such as to_dense() or a gradient"
        )
    return [leaf for item in (result.values() if isinstance(result, dict) else result) for leaf in result_leaves(item)]


def _builder(like: Any) -> Callable[[list[Any]], Any]:
    """A function that puts a list of leaves into the structure of `like`."""
    if type(like) is dict and not any(map(_is_container, like.values())):
        names = list(like)  # what nearly every gradient is: a third of the time that any structure takes
        return lambda items: dict(zip(names, items, strict=True))
    structure = rebuilt(like, iter([None for _ in leaves_of(like)]))
    return lambda items: rebuilt(structure, iter(items))


def difference(found: Any, plain: Any, name: str = "") -> str | None:
    """Return the name of a result in which a replay differs from the function beyond rounding; None if none does."""
    if type(found) is not type(plain):
        return name
    if _is_container(found):
        if len(found) != len(plain) or (isinstance(found, dict) and [*found] != [*plain]):
            return name
        for key in found if isinstance(found, dict) else range(len(found)):
            differs = difference(found[key], plain[key], f"{name}[{key!r}]")
            if differs is not None:
                return differs
        return None
    if not isinstance(found, (np.ndarray, np.generic, float, complex)):
        return None if found == plain else name
    one, other = np.asarray(found), np.asarray(plain)
    if one.shape != other.shape or one.dtype != other.dtype:
        return name
    if one.dtype.kind not in "fc":
        return None if np.array_equal(one, other) else name
    finite = np.abs(other[np.isfinite(other)])
    close = _CLOSE.get(one.real.itemsize, _CLOSE[8]) * finite.max(initial=0.0)
    return None if np.allclose(one, other, rtol=0.0, atol=close, equal_nan=True) else name


def in_new_arrays(result: Any) -> Any:
    """Return a function's own results in new arrays, as a replay does."""
    if not _is_container(result):
        return result.copy(order="K") if type(result) is np.ndarray else result
    items = (leaf.copy(order="K") if type(leaf) is np.ndarray else leaf for _, leaf in leaves_of(result))
    return rebuilt(result, items)
