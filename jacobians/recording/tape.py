"""The NumPy calls of one run of a function, in order, and the stand-ins for arrays that write them down."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacobians.arrays import OfGraph, StandIn, of_graph
from jacobians.errors import RecordingError

Array: TypeAlias = npt.NDArray[Any]

_KEYWORD_OUT = (np.maximum, np.minimum)
"""Ufuncs that do not take the array to write to by position."""

_POWERS: dict[float, np.ufunc] = {1: np.positive, 2: np.square, -1: np.reciprocal, 0.5: np.sqrt}
"""What NumPy's operator computes for these exponents, and before version 2.3 ``np.power`` does not, to the last bit."""

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


class Recorded(StandIn, NDArrayOperatorsMixin):
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

    def becomes_a_value(self) -> None:
        self.tape.of_values = True

    # --- NumPy's functions --------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if of_graph(inputs) is not None:  # a constant beside a value: the value's own rules apply
            return NotImplemented
        return self.tape.ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if any(issubclass(kind, OfGraph) for kind in types):
            return NotImplemented
        return self.tape.function(function, args, options)

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, int | float) and exponent in _POWERS and self.dtype.kind in "fc":
            return _POWERS[exponent](self)
        return super().__pow__(exponent)

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


_VIEWS: tuple[Callable[..., Any], ...] = (
    np.broadcast_to,
    np.diagonal,
    np.expand_dims,
    np.moveaxis,
    np.ravel,
    np.reshape,
    np.squeeze,
    np.swapaxes,
    np.transpose,
)
"""Functions that return a view of their first argument, or a copy where there is none."""
_FACTS = (np.shape, np.ndim, np.size, np.result_type, np.may_share_memory)
"""Functions whose answers do not depend on the numbers."""
_FILLED: dict[Callable[..., Any], float | None] = {np.empty_like: None, np.zeros_like: 0, np.ones_like: 1}
_REDUCTIONS: dict[Callable[..., Any], str] = {f: f.__name__ for f in (np.sum, np.max, np.min, np.any, np.all)}


class Tape:
    """What a function did, call by call; made by running it on `Recorded` arrays.

    Attributes
    ----------
    calls : list of Call
    ignored : set of str
        The floating-point errors that a call ignored and that are not ignored around the run.
    of_values : bool
        Whether an argument became a value of a graph.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.ignored: set[str] = set()
        self.of_values = False
        self._around = _ignored_now()
        self._buffer = np.getbufsize()
        self._full: dict[Root, Array] = {}
        self._constants: dict[Any, Array] = {}

    def argument(self, array: Array) -> Recorded:
        """Return a stand-in for an argument."""
        return Recorded(array, Root(array, argument=True), self)

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Recorded:
        """Call a ufunc or its reduction, and write it down."""
        if method == "reduce":
            return self.reduction(ufunc, *inputs, **{"axis": 0, **options})
        out, where = options.pop("out", None), options.pop("where", True)
        if method != "__call__" or options or ufunc.nout != 1 or (out is None and where is not True):
            raise RecordingError(f"replayed: numpy.{ufunc.__name__} ({method}, {', '.join(options)}) is not known here")
        function: Callable[..., Any] = in_place(ufunc)
        if np.getbufsize() != self._buffer:
            function = buffered(function, np.getbufsize())
        inputs = operands = tuple(map(self._constant, _with_arrays_for_numbers(inputs)))
        if where is not True:
            function, operands = masked(ufunc), (where, *inputs)
        if out is not None:
            return self.write(function, (*operands, out[0]), out[0], read=operands if where is True else None)
        result = np.asarray(ufunc(*(_real(i) for i in inputs)))
        return self._new(function, operands, result)

    def _dot(self, left: Any, right: Any) -> Recorded:
        result = _real(left).dot(_real(right))
        if result.ndim != 2:
            raise RecordingError("replayed: dot is known for two matrices here; use @")
        return self._new(np.ndarray.dot, (left, right), result)

    def reduction(
        self, ufunc: np.ufunc, array: Recorded, axis: Any = None, dtype: Any = None, **options: Any
    ) -> Recorded:
        """Reduce an array along axes, all of them unless given."""
        if unknown := options.keys() - {"keepdims", "initial"}:
            raise RecordingError(f"replayed: numpy.{ufunc.__name__}.reduce with {', '.join(unknown)} is not known here")
        result = np.asarray(ufunc.reduce(array.array, axis=axis, dtype=dtype, **options))
        # by position: the array to write to, keepdims, initial
        rest = (options.get("keepdims", False), *([options["initial"]] if "initial" in options else []))
        return self._new(ufunc.reduce, (array, axis, dtype), result, *rest)

    def function(self, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call another of NumPy's functions, and write it down where it computes."""
        if function in _FACTS:
            return function(*(_real(a) for a in args), **options)
        if function in _REDUCTIONS:
            return getattr(args[0], _REDUCTIONS[function])(*args[1:], **options)
        if function is np.dot:
            return self._dot(*args)
        if function in _FILLED:
            return self._filled(np.empty_like(_real(args[0]), *args[1:], **options), _FILLED[function])
        if function in _VIEWS:
            return self.view(args[0], lambda a: function(a, *args[1:], **options))
        if function is np.concatenate:
            return self._concatenated(*args, **options)
        if function is np.where and len(args) == 3 and not options:
            return self._new(choose, args, np.where(*map(_real, args)))
        if function is np.einsum:
            return self._einsum(args, **options)
        raise RecordingError(f"replayed: numpy.{function.__name__} of an array is not known here")

    def _filled(self, array: Array, value: float | None) -> Recorded:
        made = Recorded(array, Root(array), self)
        if value is not None:
            self.fill(made, value)
        return made

    def fill(self, array: Recorded, value: Any) -> None:
        """Write one number to all entries; what reads them before they are written again reads a constant."""
        self.write(np.ndarray.fill, (array, value), array, read=(value,))
        if not array.path and not isinstance(value, Recorded):
            like = array.shape, array.dtype, array.array.strides, repr(value)
            self._full[array.root] = self._constants.setdefault(like, array.array.copy(order="K"))

    def _constant(self, value: Any) -> Any:
        """The array itself, or one that is never written where this one holds one number."""
        if not isinstance(value, Recorded) or value.root not in self._full:
            return value
        return along(value.path, self._full[value.root])

    def _concatenated(self, parts: Iterable[Any], axis: int = 0) -> Recorded:
        parts = tuple(parts)
        result = np.concatenate([_real(p) for p in parts], axis=axis)
        return self._new(lambda *a: np.concatenate(a[:-1], axis=axis, out=a[-1]), parts, result)

    def _einsum(self, args: tuple[Any, ...], out: Any = None, **options: Any) -> Recorded:
        def einsum(*operands: Any) -> None:
            np.einsum(*operands[:-1], out=operands[-1], **options)

        if out is not None:
            return self.write(einsum, (*args, out), out, read=args)
        result = np.einsum(*(_real(a) for a in args), **options)
        found = [i for i, a in enumerate(args) if isinstance(a, Recorded)]
        if len(found) == 1 and np.may_share_memory(result, args[found[0]].array):
            before, after = args[: found[0]], args[found[0] + 1 :]
            return self.view(args[found[0]], lambda a: np.einsum(*before, a, *after, **options))
        return self._new(einsum, args, np.asarray(result))

    def view(self, array: Recorded, look: Callable[[Any], Any]) -> Recorded:
        """Look at the same memory otherwise; where NumPy must copy for it, a new array."""
        result = np.asarray(look(array.array))
        # an empty view shares no byte, and may be one that cannot be written
        if np.may_share_memory(result, array.array) or not result.size:
            return Recorded(result, array.root, self, (*array.path, look))
        return self._new(lambda a, out: operator.setitem(out, ..., look(a)), (array,), result)

    def getitem(self, array: Recorded, key: Any) -> Recorded:
        """Take entries: a view for slices, a new array for an index array."""
        if isinstance(key, Recorded):
            return self._new(take, (array, key), array.array[key.array])
        if not _several(key):
            return self.view(array, lambda a: a[key])
        result = np.asarray(array.array[tuple(_real(k) for k in key)])

        def take_at(given: Array, *rest: Any) -> None:
            rest[-1][...] = given[rest[:-1]]

        return self._new(take_at, (array, *key), result)

    def setitem(self, array: Recorded, key: Any, value: Any) -> None:
        """Write entries."""
        if _several(key):
            self.write(lambda v, *k: operator.setitem(k[-1], k[:-1], v), (value, *key, array), array)
        else:
            self.write(operator.setitem, (array, key, value), array)

    def copied(self, array: Recorded, dtype: np.dtype[Any], order: Any) -> Recorded:
        """A new array with the same entries."""
        result = array.array.astype(dtype, order=order)
        return self._new(copy_into, (array,), result)

    def write(
        self, function: Callable[..., Any], operands: tuple[Any, ...], target: Any, read: Sequence[Any] | None = None
    ) -> Recorded:
        """Call what writes into `target`, and write it down.

        All operands' entries are read, and the target's, of which some may stay, unless `read` says which are.
        """
        if not isinstance(target, Recorded) or target.root.argument:
            raise RecordingError(
                "replayed: the function writes into an argument, or into an array that it made of none (np.zeros); "
                "make it with np.zeros_like or np.empty_like of an argument"
            )
        function(*(_real(o) for o in operands))
        self._full.pop(target.root, None)
        reads = roots_of((target, *operands) if read is None or target.path else read)
        self._add(Call(function, operands, target.root, reads))
        return target

    def decide(self, array: Recorded) -> bool:
        """The truth of an array with one entry; a replay goes on only while it stays the same."""
        outcome = bool(array.array)
        truth: Callable[[Array], bool] = bool
        last = self.calls[-1] if self.calls else None
        if last and last.writes is array.root and (quicker := truth_of(last)):
            array, truth = last.operands[0], quicker

        def check(given: Array) -> None:
            if truth(given) is not outcome:
                raise Diverged

        self._add(Call(check, (array,), None, {array.root}))
        return outcome

    def _new(self, function: Callable[..., Any], operands: tuple[Any, ...], result: Array, *rest: Any) -> Recorded:
        """`function(*operands, result, *rest)` as a call whose result is memory of its own."""
        root = Root(result)
        made = Recorded(result, root, self)
        self._add(Call(function, (*operands, made, *rest), root, roots_of(operands)))
        return made

    def _add(self, call: Call) -> None:
        self.calls.append(call)
        self.ignored |= _ignored_now() - self._around


def _with_arrays_for_numbers(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Python's numbers as arrays of the dtype that they take on beside the others: NumPy is twice as fast with them."""
    dtypes = {i.dtype for i in inputs if not isinstance(i, (int, float))}
    if len(dtypes) != 1 or next(iter(dtypes)).kind not in ("f" if any(isinstance(i, float) for i in inputs) else "fiu"):
        return inputs
    return tuple(np.asarray(i, *dtypes) if isinstance(i, (int, float)) else i for i in inputs)


def _ignored_now() -> set[str]:
    return {error for error, handling in np.geterr().items() if handling == "ignore"}


def _real(value: Any) -> Any:
    return value.array if isinstance(value, Recorded) else value


def _several(key: Any) -> bool:
    """Whether it indexes along several axes, along one at least by a recorded array."""
    return isinstance(key, tuple) and any(isinstance(k, Recorded) for k in key)
