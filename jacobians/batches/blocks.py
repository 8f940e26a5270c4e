"""A batch as a row of blocks: the protocol, and blocks of anything that has a length and slices."""

from __future__ import annotations

import mmap
import operator
import os
from collections.abc import Iterator
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from jacobians.arrays import Array, as_array, counted, kind_of
from jacobians.errors import ArgumentError, DataError, ShapeError
from jacobians.first_tries import written

__all__ = ["Batches", "Blocks", "in_blocks"]


@runtime_checkable
class Batches(Protocol):
    """A batch as a row of blocks. Any class with these three serves; there is nothing to inherit.

    The same index gives the same block in every call, and in every process that a pickled copy reaches.
    """

    @property
    def count(self) -> int:
        """The number of examples in all blocks."""

    def __len__(self) -> int:
        """Return the number of blocks."""

    def __getitem__(self, index: int, /) -> tuple[Any, ...]:
        """Return one block's X and Y, and the weights of its examples where they have any."""


def is_batches(given: Any) -> bool:
    """Return whether something is a batch as a row of blocks; lists and tuples, whose `count` is a method, are not."""
    return isinstance(given, Batches) and not callable(given.count)


@written("in_blocks(X, Y, block=4096)")
def in_blocks(
    X: Any, Y: Any, block: int = 4096, *, weights: Any = None, batch: Literal["rows", "columns"] = "rows"
) -> Blocks:
    """Return a batch in blocks of so many examples; the last may be shorter.

    Parameters
    ----------
    X, Y : array, np.memmap, h5py.Dataset, zarr.Array, dask array, or a path
        Anything that has a `shape` and gives slices. A path is a ``.npy`` file, which is mapped, not read.
    block : int
    weights : as X and Y, optional
        By which the examples' losses are multiplied, (N,); see `jacobians.operations.Weighted`. For weights by class,
        ``class_weights[labels]``.
    batch : {"rows", "columns"}
        Where one example lies in X.

    Raises
    ------
    ShapeError
        If X and Y hold unequal numbers of examples, or `block` is not a positive integer.
    ArgumentError
        If one of them has no shape or no slices.
    DataError
        If a file cannot be mapped.

    Examples
    --------
    >>> import numpy as np
    >>> batches = in_blocks(np.zeros((10, 3)), np.zeros(10, int), block=4)
    >>> len(batches), batches.count, batches[2][0].shape
    (3, 10, (2, 3))
    """
    return Blocks(X, Y, block, batch, weights)


class Blocks:
    """Blocks of arrays; see `in_blocks`.

    Arrays in a file travel to another process as the file's name, and arrays in memory block by block. A file that
    changes while it is in use is refused.
    """

    def __init__(
        self, X: Any, Y: Any, block: int, batch: Literal["rows", "columns"] = "rows", weights: Any = None
    ) -> None:
        self.block = positive(block, "in_blocks: block")
        self.axis = 0 if batch == "rows" else -1
        self._X, self._Y = _Source(X, "X"), _Source(Y, "Y")
        self._count = self._X.shape[self.axis]
        self._target_axis = target_axis(self._Y.shape, self._count, self.axis)
        targets = self._Y.shape[self._target_axis]
        if targets != self._count:
            other = self._X.shape[-1 - self.axis]
            turned = f"; are examples in {'columns' if batch == 'rows' else 'rows'}?" if targets == other else ""
            raise ShapeError(
                f"in_blocks: X {self._X.shape} holds {counted(self._count, 'example')} in {batch}, Y "
                f"{self._Y.shape} holds "
                f"{targets}{turned}"
            )
        self._weights = None if weights is None else _Source(weights, "weights")
        if self._weights is not None and self._weights.shape != (self._count,):
            raise ShapeError(
                f"in_blocks: weights has shape {self._weights.shape}; expected one for each example, ({self._count},)"
            )

    @property
    def count(self) -> int:
        """The number of examples in all blocks."""
        return self._count

    @property
    def in_memory(self) -> bool:
        """Whether a pickled copy holds numbers, and not names of files."""
        return any(source.in_memory for source in (self._X, self._Y, self._weights) if source is not None)

    def __len__(self) -> int:
        return -(-self._count // self.block)

    def __getitem__(self, index: int) -> tuple[Array, ...]:
        part = self.part(index)
        block = self._X.read(part, self.axis), self._Y.read(part, self._target_axis)
        return block if self._weights is None else (*block, self._weights.read(part, 0))

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        return (self[index] for index in range(len(self)))

    def part(self, index: int) -> slice:
        """Return which examples a block holds.

        Raises
        ------
        IndexError
            If there is no such block.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"in_blocks: there is no block {index}; there are {len(self)}")
        return slice(index * self.block, min((index + 1) * self.block, self._count))

    def __repr__(self) -> str:
        return f"Blocks({counted(self._count, 'example')} in {len(self)} blocks of {self.block})"


class _Source:
    """An array that can be sliced. If it lies in a file, its pickled copy opens the file again."""

    def __init__(self, given: Any, name: str) -> None:
        self.name = name
        self._given: Any = _mapped(given, name) if isinstance(given, (str, os.PathLike)) else given
        if not hasattr(self._given, "shape"):
            self._given = as_array(self._given, name, "in_blocks")
        if not self._given.shape or not hasattr(self._given, "__getitem__"):
            raise ArgumentError(
                f"in_blocks: {name} is {kind_of(self._given)} of shape {self._given.shape}; expected something with "
                "examples along an axis, and slices"
            )
        self.shape = tuple(self._given.shape)
        self._file = _file_of(self._given)
        self._stamp = stamp(self._file)

    @property
    def in_memory(self) -> bool:
        return isinstance(self._given, np.ndarray) and self._file is None

    def read(self, part: slice, axis: int) -> Array:
        if stamp(self._file) != self._stamp:
            raise DataError(f"in_blocks: {self._file}, which holds {self.name}, changed while it was in use")
        block = np.asarray(along(self._given, part, axis))
        wanted = part.stop - part.start
        if block.shape[axis] != wanted:
            raise DataError(
                f"in_blocks: {self.name} gave {counted(block.shape[axis], 'example')} for {part.start} to "
                f"{part.stop - 1}; "
                f"expected {wanted}"
            )
        return block

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        given = self._given
        if self._file is None:
            return state
        if isinstance(given, np.memmap):
            fortran = given.flags.f_contiguous and not given.flags.c_contiguous
            state["_given"] = ("map", self._file, given.offset, given.dtype, self.shape, "F" if fortran else "C")
        else:
            state["_given"] = ("hdf5", self._file, self._given.name)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        match self._given:
            case ("map", file, offset, dtype, shape, order):
                self._given = np.memmap(file, dtype, "r", offset, shape, order)
            case ("hdf5", file, name):
                import h5py

                self._given = h5py.File(file, "r")[name]


def _mapped(path: str | os.PathLike[str], name: str) -> Array:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"in_blocks: {name}: {os.fspath(path)} is no .npy file that can be mapped: {error}") from None
    if not isinstance(found, np.ndarray):
        raise DataError(f"in_blocks: {name}: {os.fspath(path)} holds several arrays; map a .npy file of one")
    return found


def _file_of(given: Any) -> str | None:
    """The file at whose beginning an array starts; None for an array in memory, and for a view of one in a file."""
    if isinstance(given, np.memmap):
        base: Any = given.base  # a view's is another array
        return str(given.filename) if given.filename and isinstance(base, mmap.mmap) else None
    if type(given).__module__.split(".")[0] == "h5py":
        return str(given.file.filename)
    return None


def stamp(file: str | None) -> tuple[int, int] | None:
    """Return a file's size and the time of its last change, to notice changes; None without a file.

    Raises
    ------
    DataError
        If it is not there any more.
    """
    if file is None:
        return None
    try:
        found = os.stat(file)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from None
    return found.st_size, found.st_mtime_ns


# --- where the examples of a batch lie ---------------------------------------------------------------


def positive(number: Any, what: str, of: str = "examples, such as 1024") -> int:
    """Return a number of examples, or of something else.

    Raises
    ------
    ShapeError
        If it is no positive integer.
    """
    try:
        size = operator.index(number)
    except TypeError:
        size = 0
    if size < 1:
        raise ShapeError(f"{what}={number!r}; expected a positive number of {of}")
    return size


def along(array: Any, part: Any, axis: int) -> Any:
    """Return the entries of a part of the examples, which lie along the first or the last axis."""
    return array[part] if axis == 0 else array[..., part]


def target_axis(shape: tuple[int, ...], count: int, axis: int) -> int:
    """Return the axis of the targets along which examples lie; labels may also be one row or column of any layout.

    Parameters
    ----------
    shape : tuple of int
        The targets'.
    count : int
        How many examples there are.
    axis : {0, -1}
        Along which the examples of X lie.
    """
    return -1 - axis if shape and shape[axis] != count and shape[-1 - axis] == count else axis
