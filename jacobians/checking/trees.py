"""Arrays in dicts, tuples and lists: packed into one vector of float64, and back in their own shapes and dtypes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_float, leaves_of, rebuilt, size_of
from jacobians.errors import DTypeError


@dataclass(frozen=True, eq=False)
class Tree:
    """The structure of an argument: one array, or arrays in dicts, tuples and lists.

    Attributes
    ----------
    names : tuple of str
        The leaves' names; of a single array, ``x``.
    shapes, dtypes : tuple
    offsets : tuple of int
        Where each leaf starts in the packed vector, and at the end its length.
    """

    like: Any
    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    dtypes: tuple[DType, ...]
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, x: Any, operation: str) -> Tree:
        """Return the structure of `x`.

        Raises
        ------
        DTypeError
            If a leaf does not hold real numbers, or `x` is a list of plain numbers.

        Examples
        --------
        >>> Tree.of({"W": np.ones((2, 3)), "b": np.ones(3)}, "check").offsets
        (0, 6, 9)
        """
        found = list(leaves_of(x))
        if isinstance(x, (list, tuple)) and any(isinstance(leaf, (bool, int, float)) for _, leaf in found):
            raise DTypeError(f"{operation}: x is a {type(x).__name__} of numbers; pass an array, np.array(x)")
        arrays = [as_float(leaf, name or "x", operation) for name, leaf in found]
        offsets = np.cumsum([0, *(a.size for a in arrays)])
        return cls(
            x,
            tuple(name or "x" for name, _ in found),
            tuple(a.shape for a in arrays),
            tuple(a.dtype for a in arrays),
            tuple(int(o) for o in offsets),
        )

    @property
    def size(self) -> int:
        """The number of entries of all leaves together."""
        return self.offsets[-1]

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where each leaf starts and ends in the packed vector."""
        return tuple(pairwise(self.offsets))

    @property
    def single(self) -> bool:
        """Whether the argument is one array."""
        return not isinstance(self.like, (dict, list, tuple))

    @property
    def resolution(self) -> float:
        """The coarsest unit of rounding of the leaves, and of the packed vector."""
        return max(float(np.finfo(d).eps) for d in (np.dtype(np.float64), *self.dtypes))

    def pack(self, leaves: list[Any]) -> Array:
        """Return the leaves' entries, in C order, as one new vector of float64."""
        parts = [np.asarray(leaf, dtype=np.float64).ravel() for leaf in leaves]
        return np.concatenate(parts) if parts else np.zeros(0)

    def arrays(self, flat: Array) -> list[Array]:
        """Return the packed vector's entries as new arrays of the leaves' shapes and dtypes."""
        leaves = zip(self.spans, self.shapes, self.dtypes, strict=True)
        return [flat[a:b].astype(dtype).reshape(shape) for (a, b), shape, dtype in leaves]

    def rebuild(self, leaves: list[Array]) -> Any:
        """Return the leaves in the argument's own structure."""
        return rebuilt(self.like, iter(leaves))

    def unpack(self, flat: Array) -> Any:
        """Return the packed vector's entries in the argument's own structure."""
        return self.rebuild(self.arrays(flat))

    def leaf_of(self, entry: int) -> int:
        """Return which leaf an entry of the packed vector lies in."""
        return bisect_right(self.offsets, entry) - 1

    def mismatch(self, value: Any) -> str:
        """Return in words how the structure of `value` differs from this one, or ""."""
        if self.single:
            if isinstance(value, dict) or (isinstance(value, tuple) and value and isinstance(value[0], np.ndarray)):
                return f"is a {type(value).__name__} where x is an array"
            return ""
        names = [name for name, _ in leaves_of(value)]
        lists = [name for name, leaf in leaves_of(self.like) if size_of(np.shape(leaf)) and name not in names]
        extra = [name for name in names if name not in self.names]
        if lists or extra or len(names) != len(self.names):
            lacking = f"lacks {', '.join(lists)}" if lists else ""
            more = f"has {', '.join(extra) or f'{len(names)} arrays'}, which x has not" if extra else ""
            return " and ".join(t for t in (lacking, more) if t) or f"has {len(names)} arrays, x {len(self.names)}"
        return ""


def place_of(entry: int, shape: Shape) -> tuple[int, ...]:
    """Return the index of an entry of an array, counted in C order; () for a scalar."""
    return tuple(int(i) for i in np.unravel_index(entry, shape)) if shape else ()
