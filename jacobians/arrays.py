"""Arrays at the library's border: one way to accept them, one way to size them, and dicts and lists of them."""

from __future__ import annotations

import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from numbers import Real
from operator import index
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from jacobians.errors import ArgumentError, DataError, DomainError, DTypeError, LayoutError, ShapeError

__all__ = [
    "SUBSCRIPTS",
    "Array",
    "ByName",
    "DType",
    "Derivative",
    "OfGraph",
    "Shape",
    "StandIn",
    "Symbolic",
    "a_number",
    "a_whole_number",
    "all_finite",
    "as_array",
    "as_float",
    "as_shape",
    "check_finite",
    "chosen",
    "common_dtype",
    "did_you_mean",
    "first_not_finite",
    "format_bytes",
    "full",
    "generator",
    "inverse_axes",
    "is_sparse",
    "kind_of",
    "leaves_of",
    "no_attribute",
    "number",
    "of_graph",
    "ones",
    "rebuilt",
    "refuse_masked",
    "refuse_not_finite",
    "show_shape",
    "size_of",
]


Array: TypeAlias = npt.NDArray[Any]
DType: TypeAlias = np.dtype[Any]
Shape: TypeAlias = tuple[int, ...]
T = TypeVar("T")

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
"""For ``str.translate``: digits as subscripts."""

_NATIVE = (np.dtype(np.float64), np.dtype(np.float32))


class StandIn:
    """What stands in for an array: it has an array's methods, and is handed on as it is."""

    __slots__ = ()

    def becomes_a_value(self) -> None:
        """Take note that it is now a value of a graph."""

    def all_finite(self, arrays: Collection[Any]) -> bool:
        """Whether no entry of these, it among them, is NaN or infinite; what has no numbers has none."""
        return True

    def as_number(self) -> Any:
        """What stands for one of Python's numbers, of an array with one entry."""
        return self

    def written_by(self, function: Callable[..., None], *operands: Any) -> None:
        """Call ``function(*operands, array)``, which writes into the array that this stands in for."""
        raise NotImplementedError


class Derivative:
    """A structured Jacobian, or a record of several: never taken for an array of numbers unasked."""

    __slots__ = ()


class Symbolic(StandIn):
    """What stands for an array without numbers: an expression, whose own methods write the formula."""

    __slots__ = ()


def as_array(value: Any, name: str = "the array", operation: str = "as_array") -> Array:
    """Return `value` as an array; one that stands in for an array while a function is recorded stays what it is.

    Raises
    ------
    DTypeError
        If it is a masked array, whose mask would be lost.
    """
    if type(value) is np.ndarray or isinstance(value, StandIn):
        return cast(Array, value)
    refuse_masked(value, name, operation)
    if not isinstance(value, np.ndarray):
        _refuse_other_kinds(value, name, operation)
    return np.asarray(value)


def refuse_masked(value: Any, name: str, operation: str) -> None:
    """Raise if `value` is a masked array, or a list with one in it: as a plain array it would show what it hides.

    Raises
    ------
    DTypeError
        With the number of masked entries, and what to pass instead.
    """
    # there is no masked array before their module has been loaded; another thread may be loading it now
    kind = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    if kind is None:
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            refuse_masked(item, name, operation)
    elif isinstance(value, kind):
        count = int(np.sum(np.ma.getmaskarray(value)))
        if count:
            number = f"{count} masked entr{'y' if count == 1 else 'ies'}"
            mend = "leave those examples out, or fill them as in filled(0): no loss and no gradient skips entries"
        else:
            number, mend = "no masked entry", "pass its data, as in numpy.asarray(…)"
        raise DTypeError(
            f"{operation}: {name} {value.shape} is a masked array with {number}; its mask would be lost: {mend}"
        )


def is_sparse(value: Any) -> bool:
    """Return whether it is one of SciPy's sparse arrays; before their module has been loaded, there is none."""
    known = getattr(sys.modules.get("scipy.sparse"), "issparse", None)  # None too while another thread loads it
    return known is not None and bool(known(value))


_FEW = 4096
"""Entries up to which their squares add up sooner than NumPy looks at each of them."""


def first_not_finite(array: Array) -> tuple[tuple[int, ...], int] | None:
    """Return the place of the first entry that is NaN or infinite, and how many there are; None where there is none."""
    finite = np.isfinite(array)
    if finite.all():
        return None
    places = np.argwhere(~finite)
    return tuple(map(int, places[0])), len(places)


def all_finite(arrays: Collection[Array]) -> bool:
    """Return whether no entry of these real arrays is NaN or infinite."""
    for array in arrays:
        if isinstance(array, StandIn):
            return array.all_finite(arrays)
        if not (array.size <= _FEW and math.isfinite(np.vdot(array, array))) and not np.isfinite(array).all():
            return False
    return True


def refuse_not_finite(given: Mapping[str, Any], operation: str) -> None:
    """Raise where an array that was given is not finite, as what was made of it is; of overflow NumPy warns itself.

    Raises
    ------
    DomainError
        With the first such entry.
    """
    for name, array in given.items():
        if (bad := first_not_finite(array)) is not None:
            place, count = bad
            raise DomainError(
                f"{operation}: {name} holds {array[place]} at {place} "
                f"({counted(count, 'entry is', 'entries are')} not finite); "
                "leave such examples out, or fill them in"
            )


class OfGraph:
    """A value of a graph: what an operation makes of it is a value of the graph too."""

    __slots__ = ()

    array: Array
    """Its numbers."""

    def _apply(self, operation: Any, operands: tuple[Any, ...]) -> Any:
        """What an operation or a loss makes of operands, this one among them."""
        raise NotImplementedError


def of_graph(operands: Iterable[Any]) -> OfGraph | None:
    """Return the first operand that is a value of a graph; None where all are arrays."""
    for operand in operands:
        if isinstance(operand, OfGraph):
            return operand
    return None


def full(shape: Shape, value: float, like: Array) -> Array:
    """Return a new array of one number in an array's dtype; in symbols where `like` is an expression."""
    if isinstance(like, Symbolic):
        return np.full_like(cast(Array, like), value, shape=shape)
    return np.full(shape, value, like.dtype)


def ones(shape: Shape, like: Array) -> Array:
    """Return a new array of ones in an array's dtype; in symbols where `like` is an expression."""
    if isinstance(like, Symbolic):
        return np.ones_like(cast(Array, like), shape=shape)
    array = np.empty(shape, like.dtype)
    array.fill(1)  # in one step, where np.ones takes several
    return array


def as_float(value: npt.ArrayLike, name: str, operation: str) -> Array:
    """Return `value` as a float32 or float64 array, without a copy where it is one already.

    Integers and booleans become float64, float16 becomes float32, extended precision is kept.

    Parameters
    ----------
    value : array_like
        Never written.
    name, operation : str
        Named in the error.

    Raises
    ------
    DTypeError
        If the entries are complex, strings or objects, the array is masked, or it is no array at all.
    ShapeError
        If its rows have different lengths.
    """
    if type(value) is np.ndarray and value.dtype in _NATIVE:
        return value
    array = as_array(value, name, operation)  # np.matrix too becomes an array: its * is another product
    if array.dtype in _NATIVE:
        return array
    kind = array.dtype.kind
    if kind in "bui":
        return array.astype(np.float64)
    if kind == "f":
        if array.dtype.itemsize == 2:
            return array.astype(np.float32)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    raise DTypeError(
        f"{operation}: {name} has dtype {array.dtype}; expected real numbers (float32, float64 or integers)"
    )


def _refuse_other_kinds(value: Any, name: str, operation: str) -> None:
    """Raise the error that says what was given instead of an array, and what was meant."""
    mend = ": is it meant for another argument, such as layout=…?"
    if isinstance(value, Derivative):
        mend = ": take the value, which an operation returns first, as in A, J = sigmoid(Z); J.to_dense() is a matrix"
    elif isinstance(value, (tuple, list)):
        if any(isinstance(item, Derivative) for item in value):
            mend = f": an operation returns both; take the value alone: Z, J = affine(X, W, b), then {operation} of Z"
        else:
            try:
                np.asarray(value)
            except ValueError:
                raise ShapeError(
                    f"{operation}: {name} is {kind_of(value)}, whose items have different shapes; expected one array"
                ) from None
            return
    elif is_sparse(value):
        mend = ": sparse arrays are not computed with; take its toarray()"
    elif isinstance(value, Mapping):
        mend = ": are two arguments in each other's place?"
        if name in ("tangent", "cotangent"):
            mend = ": put the arrays of all parameters into one vector, net.pack(arrays)"
    elif value is None:
        mend = ""
    elif np.asarray(value).dtype.kind not in "OUS":
        return
    raise DTypeError(f"{operation}: {name} is {kind_of(value)}; expected real numbers{mend}")


def kind_of(value: Any) -> str:
    """Return what an argument is, in a few words, for the text of an error.

    Examples
    --------
    >>> kind_of({"W1": 0, "b1": 0}), kind_of("relu"), kind_of(np.ones((2, 3)))
    ('a dict of W1, b1', "the text 'relu'", 'an array of shape (2, 3)')
    """
    kind = type(value).__name__
    if value is None:
        return "None"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) < 40 else "a text"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    a_kind = f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
    if isinstance(value, Mapping):
        return f"{a_kind} of {', '.join(map(str, value)) or 'nothing'}"
    if isinstance(value, (tuple, list)):
        if len(value) == 2 and isinstance(value[1], Derivative):
            return "a pair of a value and its Jacobian"
        return f"{a_kind} of {len(value)} items"
    return f"{a_kind}, a Jacobian" if isinstance(value, Derivative) else a_kind


def generator(rng: Any, operation: str) -> np.random.Generator:
    """Return a random generator, given that, or a seed: an integer, a SeedSequence, or what `default_rng` takes.

    Raises
    ------
    ArgumentError
        If it is neither; None too, since the same call is to draw the same numbers.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    try:
        if rng is not None:
            return np.random.default_rng(rng)
    except (TypeError, ValueError):
        pass
    negative = isinstance(rng, (int, np.integer)) and rng < 0
    what = f"{rng}, and a seed is not negative" if negative else kind_of(rng)
    raise ArgumentError(f"{operation}: rng is {what}; expected a seed, such as 0, or np.random.default_rng(0)")


def as_shape(shape: Any, name: str, operation: str) -> Shape:
    """Return the shape of an array as a tuple of sizes; one number is the shape of a vector.

    Raises
    ------
    ShapeError
        If a size is negative, or no whole number.

    Examples
    --------
    >>> as_shape(3, "domain", "Identity"), as_shape([2, 3], "domain", "Identity")
    ((3,), (2, 3))
    """
    if type(shape) is tuple:  # what is one already is looked at without a call: structures are made in every gradient
        for size in shape:
            if type(size) is not int or size < 0:
                break
        else:
            return shape
    try:
        sizes = tuple(map(index, shape if isinstance(shape, Iterable) else (shape,)))
    except TypeError:
        sizes = (-1,)
    if isinstance(shape, str) or any(n < 0 for n in sizes):
        raise ShapeError(
            f"{operation}: {name} is {shape!r}; expected an array's shape, whole numbers from 0 on, such as (5, 3)"
        )
    return sizes


size_of: Callable[[Shape], int] = math.prod
"""The number of entries of an array of this shape (1 for a scalar)."""


def show_shape(shape: Shape) -> str:
    """Return a shape as text: 3×4, or scalar."""
    return "×".join(map(str, shape)) or "scalar"


def format_bytes(count: int) -> str:
    """Return a byte count as a person reads it.

    Examples
    --------
    >>> format_bytes(800), format_bytes(3 << 20)
    ('800 B', '3.0 MiB')
    """
    if count < 1024:
        return f"{count} B"
    scaled = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        scaled /= 1024
        if scaled < 1024:
            break
    return f"{scaled:.1f} {unit}"


def check_finite(array: Array, name: str, operation: str) -> None:
    """Raise if an entry is NaN or infinite.

    Raises
    ------
    DataError
        Naming the first such entry by its (0-based) index, and how many there are.
    """
    bad = first_not_finite(array)
    if bad is None:
        return
    first, count = bad
    label = f"{name}[{', '.join(map(str, first))}]" if first else name
    others = f" ({count} entries are not finite)" if count > 1 else ""
    raise DataError(f"{operation}: {label} is {array[first]}{others}; remove or fill such entries first")


def a_number(value: Any, name: str, operation: str) -> float:
    """Return an argument that is one real number, as a float.

    Raises
    ------
    DTypeError
        If it is of another kind, such as a text.
    ShapeError
        If it is several numbers.

    Examples
    --------
    >>> a_number("1", "delta", "huber")
    Traceback (most recent call last):
    jacobians.errors.DTypeError: huber: delta is the text '1'; expected one number
    """
    if isinstance(value, (Real, np.number)):
        return float(value)
    if np.shape(value) == () and isinstance(value, np.ndarray):
        return float(as_float(value, name, operation))
    raise DTypeError(f"{operation}: {name} is {kind_of(value)}; expected one number")


def a_whole_number(value: Any, name: str, operation: str, least: int | None = None) -> int:
    """Return an argument that is one whole number.

    Raises
    ------
    ArgumentError
        If it is none, or below the least.

    Examples
    --------
    >>> a_whole_number("1", "axis", "sum")
    Traceback (most recent call last):
    jacobians.errors.ArgumentError: sum: axis is the text '1'; expected a whole number
    """
    try:
        found = index(value)
    except TypeError:
        found = None
    if found is None or (least is not None and found < least):
        given = kind_of(value) if found is None else str(found)
        from_on = "" if least is None else f" from {least} on"
        raise ArgumentError(f"{operation}: {name} is {given}; expected a whole number{from_on}")
    return found


def number(scalar: Any) -> float:
    """Return a scalar as a Python number, or as what stands in for one."""
    return cast(float, scalar.as_number()) if isinstance(scalar, StandIn) else float(scalar)


def common_dtype(*dtypes: DType) -> DType:
    """Return the dtype that holds the entries of all of them; at once where they are the same."""
    different = set(dtypes)
    return different.pop() if len(different) == 1 else np.result_type(*different)


class ByName(dict[str, T]):
    """A dict of arrays whose errors say which names there are, and how one is taken.

    Examples
    --------
    >>> ByName({"Z1": 3.0}, called="run.values")["Z2"]
    Traceback (most recent call last):
    KeyError: "run.values: 'Z2' is unknown; choose from Z1"
    """

    def __init__(self, items: Mapping[str, T], called: str) -> None:
        super().__init__(items)
        self.called = called

    def __missing__(self, name: object) -> T:
        near = did_you_mean(str(name), self)
        raise KeyError(f"{self.called}: {name!r} is unknown; choose from {', '.join(self)}{near}")

    def __call__(self, *names: object) -> NoReturn:
        name = repr(names[0] if names else next(iter(self)))
        raise ArgumentError(f"{self.called}: a dict is not called; write {self.called}[{name}]")

    def __reduce__(self) -> tuple[type[ByName[T]], tuple[dict[str, T], str]]:
        return ByName, (dict(self), self.called)


def leaves_of(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of every leaf, in order: ``W1``, ``[0]``, ``layers[1].b``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves_of(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from leaves_of(item, f"{name}[{i}]")
    else:
        yield name, value


def rebuilt(like: Any, items: Iterator[Any]) -> Any:
    """Return `items`, leaf by leaf, in the dicts, lists and tuples of `like`."""
    if isinstance(like, dict):
        made = {name: rebuilt(item, items) for name, item in like.items()}
        return OrderedDict(made) if isinstance(like, OrderedDict) else made
    if isinstance(like, (list, tuple)):
        found = [rebuilt(item, items) for item in like]
        if hasattr(like, "_fields"):  # a named tuple takes its fields one by one
            return type(like)(*found)
        return tuple(found) if isinstance(like, tuple) else found
    return next(items)


def inverse_axes(axes: Sequence[int]) -> tuple[int, ...]:
    """Return the order of axes that undoes another.

    Examples
    --------
    >>> inverse_axes((2, 0, 1))
    (1, 2, 0)
    """
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def chosen(name: str, known: Mapping[str, T], operation: str) -> T:
    """Return what is known by a name.

    Raises
    ------
    LayoutError
        If nothing is; it lists the names.

    Examples
    --------
    >>> chosen("W1", {"W1": 3}, "penalty")
    3
    """
    if name in known:
        return known[name]
    raise LayoutError(
        f"{operation}: {name!r} is unknown; choose from {', '.join(known)}{did_you_mean(str(name), known)}"
    )


def counted(count: int, one: str, several: str = "") -> str:
    """Return a number and what it counts, in the singular for one.

    Examples
    --------
    >>> counted(1, "evaluation"), counted(2, "evaluation"), counted(0, "entry", "entries")
    ('1 evaluation', '2 evaluations', '0 entries')
    """
    return f"{count} {one if count == 1 else several or one + 's'}"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest of those that there are, or nothing.

    Examples
    --------
    >>> did_you_mean("w1", ["W1", "W2"]), did_you_mean("hiden", ["X", "hidden"]), did_you_mean("V", ["X"])
    ("; did you mean 'W1'?", "; did you mean 'hidden'?", '')
    """
    known = list(names)
    by_case = [own for own in known if own.casefold() == name.casefold()]
    near = by_case or get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def no_attribute(owner: object, name: str, meant: str = "") -> AttributeError:
    """Return the error for a name that an object does not have: what is written instead, or the nearest name.

    Examples
    --------
    >>> no_attribute(1j, "imagg"), no_attribute(1j, "angle", "; write np.angle(z)")
    (AttributeError("a complex has no attribute 'imagg'; did you mean 'imag'?"), \
AttributeError("a complex has no attribute 'angle'; write np.angle(z)"))
    """
    near = ""
    if not meant and not name.startswith("_"):
        near = did_you_mean(name, (known for known in dir(type(owner)) if not known.startswith("_")))
    return AttributeError(f"a {type(owner).__name__} has no attribute {name!r}{meant or near}")
