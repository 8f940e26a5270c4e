"""The NumPy calls of a recording: a function, its operands, and the memory that it reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

_KEYWORD_OUT = (np.maximum, np.minimum)
"""Ufuncs that do not take the array to write to by position."""
_SMALL = 4096
"""Entries up to which the bytes of an array of truths are looked through faster, 0.2 µs, than NumPy reduces it, 0.8."""


@dataclass(eq=False, slots=True)
class Root:
    """Memory that arrays lie in: an argument's, or what one call allocated.

    Attributes
    ----------
    array : ndarray
        All of it.
    argument : bool
    """

    array: Array
    argument: bool = False


@dataclass(eq=False, slots=True)
class Call:
    """One call: ``function(*operands)``.

    Attributes
    ----------
    function : callable
        NumPy's own where it takes the array to write to by position, otherwise a few words around it.
    operands : tuple
        Recorded arrays, and what is the same in every run.
    writes : Root or None
        None for a decision, which is always taken again.
    reads : set of Root
    errors : dict
        How floating-point errors are handled there, where the function says it.
    """

    function: Callable[..., object]
    operands: tuple[Any, ...]
    writes: Root | None
    reads: set[Root]
    errors: dict[str, Any]

    @property
    def touches(self) -> set[Root]:
        """What is read or written."""
        return self.reads if self.writes is None else self.reads | {self.writes}


def in_place(ufunc: np.ufunc) -> Callable[..., Any]:
    """The ufunc with the array to write to as its last operand."""
    function: Callable[..., Any] = ufunc
    return (lambda *operands: function(*operands[:-1], out=operands[-1])) if ufunc in _KEYWORD_OUT else function


def masked(ufunc: np.ufunc) -> Callable[..., Any]:
    """The ufunc with the mask of what is written before its operands."""
    return lambda where, *operands: ufunc(*operands, where=where)


def buffered(function: Callable[..., Any], size: int) -> Callable[..., Any]:
    """The function with its own buffer size, which matters where rows of a kilobyte are multiplied."""

    def call(*operands: Any) -> None:
        before = np.setbufsize(size)
        try:
            function(*operands)
        finally:
            np.setbufsize(before)

    return call


def copy_into(given: Array, out: Array) -> None:
    """Write an array's entries into another of whatever dtype."""
    np.copyto(out, given, casting="unsafe")


def take(given: Array, key: Array, out: Array) -> None:
    """Write the entries at an index array into another array."""
    out[...] = given[key]


def choose(mask: Array, one: Any, other: Any, out: Array) -> None:
    """Write the entries of one array where the mask is true, and of another elsewhere."""
    np.copyto(out, other)
    np.copyto(out, one, where=mask)


def truth_of(reduction: Call) -> Callable[[Array], bool] | None:
    """Whether any or all are true, of the array that this call reduces along all its axes; None for other calls."""
    array, axis = reduction.operands[:2]
    if axis is not None or array.dtype != bool or array.size > _SMALL:
        return None
    if reduction.function == np.logical_or.reduce:
        return lambda a: b"\1" in a.tobytes()
    if reduction.function == np.logical_and.reduce:
        return lambda a: b"\0" not in a.tobytes()
    return None


Path: TypeAlias = tuple[Callable[[Any], Any], ...]
"""The views that lead from the memory's own array to one of its views."""


def along(path: Path, array: Any) -> Any:
    """Return the view of the memory's own array to which a path leads."""
    for look in path:
        array = look(array)
    return array
