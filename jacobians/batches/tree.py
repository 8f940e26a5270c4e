"""Sums over blocks as a binary tree, whose shape depends on the number of blocks alone: the same bits in any order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jacobians.arrays import Array

__all__ = ["TreeSum"]


class TreeSum:
    """A sum of as many records of arrays as there are blocks, carried in float64.

    Block i is added to its neighbour i ⊕ 1, each pair to the pair beside it, and so on, as in a binary counter. So the
    order of the additions is that of the tree, whichever block arrives first, and the error grows with log₂ of their
    number (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, section 4.2). Where blocks arrive in order,
    log₂ of their number of partial sums wait at a time.

    Parameters
    ----------
    count : int
        The number of blocks.

    Examples
    --------
    >>> total = TreeSum(3)
    >>> for index in (2, 0, 1):
    ...     total.put(index, {"W": np.full(2, 10.0**index)})
    >>> total.result()["W"]
    array([111., 111.])
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.done: set[int] = set()
        self._waiting: dict[tuple[int, int], dict[str, Array]] = {}  # by level and place

    def put(self, index: int, record: Mapping[str, Array]) -> None:
        """Add a block's record; its arrays are not written to."""
        self.done.add(index)
        own = {name: array.astype(np.promote_types(array.dtype, np.float64)) for name, array in record.items()}
        level, place = 0, index
        while -(-self.count >> level) > 1:
            beside = place ^ 1
            if beside < -(-self.count >> level):  # the last of an odd number goes up alone
                if (level, beside) not in self._waiting:
                    break
                other = self._waiting.pop((level, beside))
                for name, array in own.items():
                    array += other[name]
            level, place = level + 1, place >> 1
        self._waiting[level, place] = own

    def result(self) -> dict[str, Array]:
        """Return the sum; every block must have been put."""
        (total,) = self._waiting.values()
        return total

    # --- as arrays, for a checkpoint -------------------------------------------------------------

    def state(self) -> dict[str, Array]:
        """Return the partial sums and which blocks are in them, as arrays by name."""
        arrays = {
            f"{level}/{place}/{name}": array
            for (level, place), record in self._waiting.items()
            for name, array in record.items()
        }
        return {"done": np.array(sorted(self.done), dtype=np.int64), **arrays}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Take up a sum where `state` left it."""
        self.done = set(map(int, arrays["done"]))
        self._waiting = {}
        for key, array in arrays.items():
            if key != "done":
                level, place, name = key.split("/", 2)
                self._waiting.setdefault((int(level), int(place)), {})[name] = np.array(array)
