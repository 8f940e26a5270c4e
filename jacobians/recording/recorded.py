"""An array whose NumPy calls are written on a tape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacobians.errors import RecordingError

if TYPE_CHECKING:
    from jacobians.recording.calls import Root
    from jacobians.recording.tape import Tape

__all__ = ["Path", "Recorded", "along"]

Path: TypeAlias = tuple[Callable[[Any], Any], ...]
"""The views that lead from the memory's own array to one of its views."""


def along(path: Path, array: Any) -> Any:
    """Return the view of the memory's own array to which a path leads."""
    for look in path:
        array = look(array)
    return array


class Recorded(NDArrayOperatorsMixin):
    """A stand-in for an array while a function is recorded: it holds the array, and writes down what is done to it.

    What it does not know raises `RecordingError`; nothing silently becomes a constant. In particular it is no
    ``ndarray``, and ``np.asarray`` of it is refused: the array that it gave would no longer be followed.

    Parameters
    ----------
    array : ndarray
        The numbers of this run.
    root : Root
        The memory that the array lies in.
    tape : Tape
    path : tuple of callables
        The views that lead from the memory's own array to this one.
    """

    __slots__ = ("array", "path", "root", "tape")

    def __init__(self, array: npt.NDArray[Any], root: Root, tape: Tape, path: Path = ()) -> None:
        self.array = array
        self.root = root
        self.tape = tape
        self.path = path

    # --- what is the same in every run with these shapes --------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def size(self) -> int:
        return self.array.size

    @property
    def itemsize(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    @property
    def strides(self) -> tuple[int, ...]:
        if self.root.argument:
            raise RecordingError("replayed: the function asks for an argument's strides, which other calls may change")
        return self.array.strides

    @property
    def flags(self) -> Any:
        return self.array.flags

    @property
    def base(self) -> object:
        """The memory, for a view; equal for two views exactly where they lie in the same."""
        return self.root if self.path else None

    def __len__(self) -> int:
        return len(self.array)

    # --- NumPy's functions --------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Recorded:
        return self.tape.ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        return self.tape.function(function, args, options)

    # --- views --------------------------------------------------------------------------------------------

    @property
    def T(self) -> Recorded:
        return self.tape.view(self, lambda a: a.T)

    def transpose(self, *axes: Any) -> Recorded:
        return self.tape.view(self, lambda a: a.transpose(*axes))

    def swapaxes(self, first: int, second: int) -> Recorded:
        return self.tape.view(self, lambda a: a.swapaxes(first, second))

    def reshape(self, *shape: Any, **options: Any) -> Recorded:
        return self.tape.view(self, lambda a: a.reshape(*shape, **options))

    def ravel(self, order: Any = "C") -> Recorded:
        return self.tape.view(self, lambda a: a.ravel(order))

    def flatten(self, order: Any = "C") -> Recorded:
        return self.tape.view(self, lambda a: a.flatten(order))

    def view(self, dtype: npt.DTypeLike) -> Recorded:
        return self.tape.view(self, lambda a: a.view(dtype))

    def __getitem__(self, key: Any) -> Recorded:
        return self.tape.getitem(self, key)

    def __iter__(self) -> Iterator[Recorded]:
        return (self[i] for i in range(len(self)))

    # --- new arrays, and writing --------------------------------------------------------------------------

    def copy(self, order: str = "C") -> Recorded:
        return self.tape.copied(self, self.dtype, order)

    def astype(self, dtype: npt.DTypeLike, order: str = "K", *, copy: bool = True) -> Recorded:
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return self.tape.copied(self, np.dtype(dtype), order)

    def fill(self, value: float) -> None:
        self.tape.fill(self, value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tape.setitem(self, key, value)

    # --- reductions ---------------------------------------------------------------------------------------

    def sum(self, axis: Any = None, dtype: Any = None, **options: Any) -> Recorded:
        return self.tape.reduction(np.add, self, axis, dtype, **options)

    def max(self, axis: Any = None, **options: Any) -> Recorded:
        return self.tape.reduction(np.maximum, self, axis, **options)

    def min(self, axis: Any = None, **options: Any) -> Recorded:
        return self.tape.reduction(np.minimum, self, axis, **options)

    def any(self, axis: Any = None, **options: Any) -> Recorded:
        return self.tape.reduction(np.logical_or, self, axis, **options)

    def all(self, axis: Any = None, **options: Any) -> Recorded:
        return self.tape.reduction(np.logical_and, self, axis, **options)

    # --- where the function would look at the numbers ------------------------------------------------------

    def __bool__(self) -> bool:
        return self.tape.decide(self)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise RecordingError(
            f"replayed: the function turns an array of shape {self.shape} into plain numbers, which would stay the "
            "same in every replay; keep to NumPy's functions on arrays (no np.asarray, float() or item())"
        )

    __array__ = __float__ = __int__ = __index__ = __complex__ = item = tolist = _refuse
