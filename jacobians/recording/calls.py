"""What a tape holds: calls, the memory that they read and write, and functions in the form in which they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.recording.recorded import Recorded

__all__ = [
    "Array",
    "Call",
    "Diverged",
    "Root",
    "buffered",
    "copy_into",
    "in_place",
    "masked",
    "roots_of",
    "take",
    "truth_of",
]

Array: TypeAlias = npt.NDArray[Any]

_KEYWORD_OUT = (np.maximum, np.minimum)
"""Ufuncs that do not take the array to write to by position."""

_SMALL = 4096
"""Entries up to which the bytes of an array of truths are looked through faster, 0.2 µs, than NumPy reduces it, 0.8."""


class Diverged(Exception):  # noqa: N818  no error: the numbers lead along another branch than the recorded one
    """A decision that the function took while it was recorded comes out otherwise on these numbers."""


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
    """

    function: Callable[..., object]
    operands: tuple[Any, ...]
    writes: Root | None
    reads: set[Root]

    @property
    def touches(self) -> set[Root]:
        """What is read or written."""
        return self.reads if self.writes is None else self.reads | {self.writes}


def roots_of(values: Iterable[Any]) -> set[Root]:
    """The memory that recorded arrays among these values lie in."""
    return {v.root for v in values if isinstance(v, Recorded)}


def in_place(ufunc: np.ufunc) -> Callable[..., Any]:
    """The ufunc with the array to write to as its last operand."""
    function: Callable[..., Any] = ufunc
    return (lambda *operands: function(*operands[:-1], out=operands[-1])) if ufunc in _KEYWORD_OUT else function


def masked(ufunc: np.ufunc) -> Callable[..., Any]:
    """The ufunc with the mask of what is written before its operands."""
    return lambda where, *operands: ufunc(*operands, where=where)


def buffered(function: Callable[..., Any], size: int) -> Callable[..., Any]:
    """The function under a buffer size of its own, which counts where rows of a kilobyte are multiplied."""

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
