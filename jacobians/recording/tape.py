"""The NumPy calls of one run of a function, in order, and the stand-ins for arrays that write them down."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacobians.arrays import OfGraph, StandIn, all_finite, of_graph
from jacobians.errors import RecordingError
from jacobians.recording.calls import (
    Array,
    Call,
    Path,
    Root,
    along,
    buffered,
    choose,
    copy_into,
    in_place,
    masked,
    take,
    truth_of,
)
from jacobians.recording.lines import by_library, called_by_library, line_on_stack

_POWERS: dict[float, np.ufunc] = {1: np.positive, 2: np.square, -1: np.reciprocal, 0.5: np.sqrt}
"""What NumPy's operator computes for these exponents, and before version 2.3 ``np.power`` does not, to the last bit."""


class Diverged(Exception):  # noqa: N818  no error: the numbers lead along another branch than the recorded one
    """A decision in the recorded function is different on these numbers."""


def roots_of(values: Iterable[Any]) -> set[Root]:
    """The memory that recorded arrays among these values lie in."""
    return {v.root for v in values if isinstance(v, Recorded)}


class Recorded(StandIn, NDArrayOperatorsMixin):
    """A stand-in for an array while a function is recorded: it holds the array, and writes down what is done to it.

    What it does not know raises `RecordingError`; nothing silently becomes a constant. It is no ``ndarray``, and
    ``np.asarray`` of it is refused: what is done to that array would not be recorded. Only the library writes into it.
    NumPy's scalars are immutable and its arrays are not, and a stand-in cannot be both.

    Parameters
    ----------
    array : ndarray
        The numbers of this run.
    root : Root
        The memory that the array lies in.
    tape : Tape
    path : tuple of callables
        The views that lead from the memory's own array to this one.

    Attributes
    ----------
    number : bool
        Whether it stands for one of Python's numbers, such as a network's value: beside an array it has its dtype.
    """

    __slots__ = ("array", "number", "path", "root", "tape")

    def __init__(self, array: npt.NDArray[Any], root: Root, tape: Tape, path: Path = ()) -> None:
        self.array = array
        self.root = root
        self.tape = tape
        self.path = path
        self.number = False

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
        return self.array.strides

    @property
    def flags(self) -> Any:
        self.tape.for_library("flags")
        return self.array.flags

    @property
    def base(self) -> object:
        """The memory, for a view; equal for two views exactly where they lie in the same."""
        self.tape.for_library("base")
        return self.root if self.path else None

    @property  # type: ignore[misc]  # it is only read
    def __class__(self) -> type:
        """Hidden from code outside the library: it is neither an array nor a number."""
        if not called_by_library(1):
            raise self.tape.refuse("the function asks for an array's type, as isinstance does; it gets a stand-in")
        return type(self)

    def __getattr__(self, name: str) -> NoReturn:
        if not name.startswith("__") and any(hasattr(kind, name) for kind in (np.ndarray, np.float64, np.int64)):
            raise self.tape.refuse(f"numpy.ndarray.{name} is not known here")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __len__(self) -> int:
        return len(self.array)

    def becomes_a_value(self) -> None:
        self.tape.of_values = True

    def all_finite(self, arrays: Collection[Any]) -> bool:
        return self.tape.decide_finite(arrays)

    def as_number(self) -> Recorded:
        found = self.astype(np.float64)
        found.number = True
        return found

    def written_by(self, function: Callable[..., None], *operands: Any) -> None:
        self.tape.write(function, (*operands, self), self)

    # --- NumPy's functions --------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if of_graph(inputs) is not None:  # a constant beside a value: the value's own rules apply
            return NotImplemented
        if not any(isinstance(i, Recorded) and i.number for i in inputs):
            return self.tape.ufunc(ufunc, method, inputs, options)
        if method != "__call__" or not all(map(_is_number, inputs)):
            return self.tape.ufunc(ufunc, method, _beside_arrays(inputs), options)
        found = self.tape.ufunc(ufunc, method, inputs, options)
        if ufunc in _UNSAFE and not self.tape.decide_finite((found,)):  # where NumPy has inf or NaN, Python may raise
            raise self.tape.refuse(f"numpy.{ufunc.__name__} of Python's numbers is not finite")
        found.number = ufunc in _ARITHMETIC or ufunc in _UNSAFE
        return found

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

    def __copy__(self) -> Recorded:
        return self.copy(order="K")

    def __deepcopy__(self, _: Any) -> Recorded:
        return self.copy(order="K")

    # --- where the function would look at the numbers ------------------------------------------------------

    def __bool__(self) -> bool:
        return self.tape.decide(self)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.tape.refuse(
            f"the function turns an array of shape {self.shape} into plain numbers, which would stay the "
            "same in every replay; keep to NumPy's functions on arrays (no np.asarray, float() or item())"
        )

    __array__ = __float__ = __int__ = __index__ = __complex__ = item = tolist = tobytes = _refuse
    __round__ = __str__ = __format__ = __hash__ = __reduce_ex__ = _refuse

    def __repr__(self) -> str:
        return f"<stands in for an array of shape {self.shape}>"


_ARITHMETIC = (np.add, np.subtract, np.multiply, np.negative, np.positive, np.absolute)
"""Of Python's numbers these are Python's numbers."""
_UNSAFE = (np.true_divide, np.floor_divide, np.remainder, np.power, np.square, np.reciprocal, np.sqrt)
"""So are these, as operators, where they do not raise: ``1 / x``, ``x**-1``, ``x**0.5``."""


def _is_number(value: Any) -> bool:
    """Whether it is one of Python's numbers, or stands for one."""
    return value.number if isinstance(value, Recorded) else isinstance(value, (int, float))


def _beside_arrays(operands: Sequence[Any]) -> tuple[Any, ...]:
    """The operands, with Python's numbers in the dtype that they get beside the others."""
    others = [np.asarray(_real(i)).dtype for i in operands if not _is_number(i)]
    dtype = np.result_type(*others, 1.0)
    return tuple(i.astype(dtype) if isinstance(i, Recorded) and i.number else i for i in operands)


_VIEWS: tuple[Callable[..., Any], ...] = (
    np.broadcast_to,
    np.diagonal,
    np.expand_dims,
    np.flip,
    np.fliplr,
    np.flipud,
    np.lib.stride_tricks.sliding_window_view,
    np.moveaxis,
    np.ravel,
    np.reshape,
    np.rot90,
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
    refused : str
        Why the function cannot be replayed, with the line, also where it caught the error itself.
    closed : bool
        Whether the run is over; stand-ins that the function kept are refused from then on.
    of_values : bool
        Whether an argument became a value of a graph.
    wrote : bool
        Whether the function itself, not the library, wanted to write into an array.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.refused = ""
        self.closed = False
        self.of_values = False
        self.wrote = False
        self._buffer = np.getbufsize()
        self._full: dict[Root, Array] = {}
        self._constants: dict[Any, Array] = {}
        self._copies: dict[int, tuple[Array, Array]] = {}

    def refuse(self, reason: str) -> RecordingError:
        """Return the error of a function that cannot be replayed."""
        text = f"replayed: {reason}{line_on_stack()}"
        self.refused = self.refused or text
        return RecordingError(text)

    def for_library(self, what: str) -> None:
        """Refuse what only the library's own code may ask of a stand-in, or do to one."""
        if not by_library():
            raise self.refuse(f"the function asks for an array's {what}, which a replay does not ask for again")

    def argument(self, array: Array) -> Recorded:
        """Return a stand-in for an argument."""
        return Recorded(array, Root(array, argument=True), self)

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Recorded:
        """Call a ufunc or its reduction, and write it down."""
        if method == "reduce":
            return self.reduction(ufunc, *inputs, **{"axis": 0, **options})
        out, where = options.pop("out", None), options.pop("where", True)
        if method != "__call__" or options or ufunc.nout != 1 or (out is None and where is not True):
            raise self.refuse(f"numpy.{ufunc.__name__} ({method}, {', '.join(options)}) is not known here")
        function: Callable[..., Any] = in_place(ufunc)
        if np.getbufsize() != self._buffer:
            function = buffered(function, np.getbufsize())
        inputs = operands = tuple(map(self._constant, _with_arrays_for_numbers(tuple(map(_no_list, inputs)))))
        if where is not True:
            function, operands = masked(ufunc), (where, *inputs)
        if out is not None:
            return self.write(function, (*operands, out[0]), out[0], read=operands if where is True else None)
        result = np.asarray(ufunc(*(_real(i) for i in inputs)))
        return self._new(function, operands, result)

    def _dot(self, left: Any, right: Any) -> Recorded:
        result = _real(left).dot(_real(right))
        if result.ndim != 2:
            raise self.refuse("dot is known for two matrices here; use @")
        return self._new(np.ndarray.dot, (left, right), result)

    def reduction(
        self, ufunc: np.ufunc, array: Recorded, axis: Any = None, dtype: Any = None, **options: Any
    ) -> Recorded:
        """Reduce an array along axes, all of them unless given."""
        if unknown := options.keys() - {"keepdims", "initial"}:
            raise self.refuse(f"numpy.{ufunc.__name__}.reduce with {', '.join(unknown)} is not known here")
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
            rest, named = copy.deepcopy((args[1:], options))
            return self.view(args[0], lambda a: function(a, *rest, **named))
        if function is np.concatenate:
            return self._concatenated(*args, **options)
        if function is np.where and len(args) == 3 and not options:
            args = (args[0], *_beside_arrays(args[1:]))
            return self._new(choose, args, np.where(*map(_real, args)))
        if function is np.einsum:
            return self._einsum(args, **options)
        raise self.refuse(f"numpy.{function.__name__} of an array is not known here")

    def _filled(self, array: Array, value: float | None) -> Recorded:
        made = Recorded(array, Root(array), self)
        if value is not None:
            array.fill(value)
            self._filled_with(made, value)
        return made

    def fill(self, array: Recorded, value: Any) -> None:
        """Write one number to all entries. Until they are written again, they read as a constant."""
        self._may_write(array)
        array.array.fill(_real(value))
        self._filled_with(array, value)

    def _filled_with(self, array: Recorded, value: Any) -> None:
        self._written(np.ndarray.fill, (array, value), array, (value,))
        if not array.path and not isinstance(value, Recorded):
            like = array.shape, array.dtype, array.array.strides, repr(value)
            constant = self._constants.setdefault(like, array.array.copy(order="K"))
            constant.flags.writeable = False
            self._full[array.root] = constant

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
        """Another view of the same memory, or a new array where NumPy must copy."""
        result = np.asarray(look(array.array))
        # an empty view shares no byte, and may be one that cannot be written
        if np.may_share_memory(result, array.array) or not result.size:
            return Recorded(result, array.root, self, (*array.path, look))
        return self._new(lambda a, out: operator.setitem(out, ..., look(a)), (array,), result)

    def getitem(self, array: Recorded, key: Any) -> Recorded:
        """Take entries: a view for slices, a new array for an index array."""
        _refuse_masks(self, key)
        if isinstance(key, Recorded):
            return self._new(take, (array, key), array.array[key.array])
        if not _several(key):
            key = copy.deepcopy(key)
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
        self._may_write(target)
        function(*(_real(o) for o in operands))
        self._written(function, operands, target, read)
        return target

    def _may_write(self, target: Any) -> None:
        if not by_library():
            self.wrote = True
            raise self.refuse(
                "the function writes into an array (+=, out= or a[…] = …), which a replay cannot follow under "
                "the array's other names; make a new one, as in total = total + row"
            )
        if not isinstance(target, Recorded) or target.root.argument:
            raise self.refuse(
                "the library writes into an argument, or into an array that no argument gave (np.zeros); "
                "make it with np.zeros_like or np.empty_like of an argument"
            )

    def _written(
        self, function: Callable[..., Any], operands: tuple[Any, ...], target: Recorded, read: Sequence[Any] | None
    ) -> None:
        self._full.pop(target.root, None)
        reads = roots_of((target, *operands) if read is None or target.path else read)
        self._add(function, operands, target.root, reads)

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

        self._add(check, (array,), None, {array.root})
        return outcome

    def decide_finite(self, arrays: Iterable[Any]) -> bool:
        """Whether no entry of these arrays is NaN or infinite, decided as `decide` does, by one look at all of them."""
        operands = tuple(arrays)
        outcome = all_finite([*map(_real, operands)])

        def check(*given: Array) -> None:
            if all_finite(given) is not outcome:
                raise Diverged

        self._add(check, operands, None, roots_of(operands))
        return outcome

    def _new(self, function: Callable[..., Any], operands: tuple[Any, ...], result: Array, *rest: Any) -> Recorded:
        """`function(*operands, result, *rest)` as a call whose result is memory of its own."""
        root = Root(result)
        made = Recorded(result, root, self)
        self._add(function, (*operands, made, *rest), root, roots_of(operands))
        return made

    def _add(
        self, function: Callable[..., object], operands: tuple[Any, ...], writes: Root | None, reads: set[Root]
    ) -> None:
        if self.closed or any(isinstance(o, Recorded) and o.tape is not self for o in operands):
            raise self.refuse("the function kept an array of an earlier run, in which nothing stays")
        errors = {error: handling for error, handling in np.geterr().items() if handling != "call"}
        self.calls.append(Call(function, tuple(map(self._kept, operands)), writes, reads, errors))

    def _kept(self, operand: Any) -> Any:
        """A constant as it is now, whatever the function writes into it later."""
        if not isinstance(operand, np.ndarray) or not operand.flags.writeable:
            return operand
        original, kept = self._copies.get(id(operand), (None, None))
        if original is not operand or kept is None or not np.array_equal(operand, kept):
            kept = operand.copy(order="K")
            kept.flags.writeable = False
            self._copies[id(operand)] = operand, kept
        return kept


def _with_arrays_for_numbers(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Python's numbers as arrays, in the dtype that they get beside the others: NumPy is twice as fast with these."""
    dtypes = {i.dtype for i in inputs if not isinstance(i, (int, float))}
    if len(dtypes) != 1 or next(iter(dtypes)).kind not in ("f" if any(isinstance(i, float) for i in inputs) else "fiu"):
        return inputs
    return tuple(np.asarray(i, *dtypes) if isinstance(i, (int, float)) else i for i in inputs)


def _no_list(value: Any) -> Any:
    """An array of what a list holds now."""
    return np.array(value) if isinstance(value, (list, tuple)) else value


def _real(value: Any) -> Any:
    return value.array if isinstance(value, Recorded) else value


def _several(key: Any) -> bool:
    """Whether it indexes along several axes, along one at least by a recorded array."""
    return isinstance(key, tuple) and any(isinstance(k, Recorded) for k in key)


def _refuse_masks(tape: Tape, key: Any) -> None:
    """Refuse to select entries by an array of booleans: their number differs from call to call."""
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, Recorded) and part.dtype == bool:
            raise tape.refuse(
                "the function selects entries by a condition, and their number differs from call to call; "
                "take np.where(condition, a, 0)"
            )
