"""Unknown values. The first use of one in the program says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from jacobians.programs import naming

Use: TypeAlias = Literal[
    "left", "right", "beside", "array", "size", "index", "indices", "slice", "vector", "number", "axes"
]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What stands for a name until it is used.

    Attributes
    ----------
    name : str
    flipped : bool
        Whether it is the transpose of what the name holds.
    """

    name: str
    flipped: bool = False


class WantedError(Exception):
    """A value is used that is not known yet; what is done with it says what it is.

    Parameters
    ----------
    wanted : Wanted
    use : str
        Left or right of a matrix product with an array of `shape`, beside such an array, or as what it is used else.
    shape : tuple of int
    """

    def __init__(self, wanted: Wanted, use: Use, shape: tuple[int, ...] = ()) -> None:
        super().__init__(wanted.name)
        self.wanted, self.use, self.shape = wanted, use, shape


_PRODUCTS = ("dot", "matmul", "numpy.dot", "numpy.matmul", "numpy.ndarray.dot")
_SIZES = (
    "range", "numpy.zeros", "numpy.ones", "numpy.empty", "numpy.eye", "numpy.random.randn", "numpy.random.rand",
    "numpy.full",
    "numpy.arange", "numpy.identity", "numpy.random.random", "numpy.random.uniform", "numpy.random.normal",
    "numpy.reshape", "numpy.ndarray.reshape", "xrange",
)  # fmt: skip
_THROUGH = ("numpy.copy", "numpy.array", "numpy.asarray", "numpy.atleast_2d", "float", "numpy.ndarray.copy")


def wanted_in(values: Iterable[Any], depth: int = 2) -> Wanted | None:
    """Return the first value that is not known, in tuples and lists too, but not deep: lists may hold each other."""
    for value in values:
        if isinstance(value, Wanted):
            return value
        if depth and isinstance(value, (tuple, list)) and len(value) < 20:
            found = wanted_in(value, depth - 1)
            if found is not None:
                return found
    return None


def called_with(name: str, args: Sequence[Any]) -> Any:
    """Return what a function gives of values that are not known; None where it has to know them.

    Raises
    ------
    WantedError
        If the function says what they are.
    """
    found = wanted_in(args)
    if found is None:
        return None
    if name in _THROUGH:
        return args[0]
    if name in _SIZES:
        raise WantedError(found, "size")
    if name in _PRODUCTS and len(args) > 1:
        raise product(args[0], args[1])
    if name == "numpy.einsum" and isinstance(args[0], str):
        raise _in_einsum(found, args[0], args[1:])
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    if name == "numpy.outer":
        raise WantedError(found, "vector")
    if arrays and len(args) > 1:
        raise WantedError(found, "beside", arrays[0].shape)
    if name in ("list", "enumerate", "sorted", "set"):
        raise WantedError(found, "indices")
    raise WantedError(found, "array")


def _in_einsum(found: Wanted, pattern: str, operands: Sequence[Any]) -> WantedError:
    """What the letters of an einsum say: the sizes that other operands give them, 0 for one that none gives."""
    letters = pattern.replace(" ", "").partition("->")[0].split(",")
    sizes: dict[str, int] = {}
    for own, operand in zip(letters, operands, strict=False):
        if isinstance(operand, np.ndarray):
            sizes.update(zip(own, operand.shape, strict=False))
    asked = next((own for own, operand in zip(letters, operands, strict=False) if operand is found), "")
    return WantedError(found, "axes", tuple(sizes.get(letter, 0) for letter in asked))


def product(left: Any, right: Any) -> WantedError:
    """Return what a matrix product says of a factor that is not known."""
    if isinstance(left, Wanted) and isinstance(right, Wanted):
        first = left if re.match(r"(?i)w|u|v|theta|\w*vectors", left.name) else right
        return WantedError(first, "left" if first is left else "right", ())
    if isinstance(left, Wanted):
        return WantedError(left, "left", np.shape(right))
    return WantedError(right, "right", np.shape(left))


def beside(left: Any, right: Any) -> WantedError:
    """Return what an operation entry by entry says of a side that is not known."""
    found, other = (left, right) if isinstance(left, Wanted) else (right, left)
    if isinstance(other, Wanted):
        return WantedError(other if re.match(r"(?i)b|c\b", found.name) else found, "number")
    return WantedError(found, "beside", np.shape(other))


_POOL = (8, 9, 10, 11, 12, 13, 14, 15)
_BIAS = re.compile(r"(?i)(b|c|b_?\w{0,4}|bias\w*|\w*_b|intercept\w*|beta\w*|gamma\w*|g|g\d|scale|shift)$")
_STATE = re.compile(r"(?i)(h\d?|h_?prev\w*|prev_?h\w*|hidden\w*|s_?prev\w*|c_?prev\w*|h_?init\w*|a_?prev\w*)$")
_VECTOR = re.compile(r"(\w*[vV]ec(tor)?|w|theta|v|coef\w*|weights?)$")


@dataclass(eq=False)
class Decisions:
    """The decisions about unknown values in one run of a program.

    Attributes
    ----------
    made : dict
        By name: what it is, and its shape.
    same : dict of int to int
        A size that turned out to be another one. All sizes differ, so a size says which axis is meant.
    fresh : int
        How many sizes of the pool are taken.
    symbols : dict
        The size of each symbol that docstrings have for an axis.
    """

    made: dict[str, tuple[Use, tuple[int, ...]]] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict)
    fresh: int = 0
    symbols: dict[str, int] = field(default_factory=dict)

    def size(self) -> int:
        """Return a size that nothing else has."""
        self.fresh += 1
        return _POOL[(self.fresh - 1) % len(_POOL)]

    def fitted(self, shape: Iterable[int]) -> tuple[int, ...]:
        """Return a shape with its sizes corrected by the decisions."""
        return tuple(self.same.get(n, n) for n in shape)

    def decide(
        self,
        error: WantedError,
        *,
        bias: str,
        vector: str,
        outputs: int,
        examples: int,
        columns: bool,
        axes: tuple[int, ...] = (),
    ) -> None:
        """Note what a first use says of a value, under a guess of how the program lays out its arrays.

        `axes` are the sizes of its axes as far as einsums tell them, 0 for one that is not known.
        """
        name, use, shape = error.wanted.name, error.use, error.shape
        made: tuple[int, ...] = ()
        if use == "left" and shape:
            made = (examples, shape[0]) if _STATE.match(name) else (self.size(), shape[0])
        elif use == "right" and shape:
            made = self._right(name, shape[-1], vector=vector, outputs=outputs)
        elif use in ("left", "right"):
            made = self._matrix(name)
        elif use == "beside":
            if not shape or (shape == (examples,) and (naming.is_parameter(name) or len(name) < 3)):
                use = "number"  # no parameter has an entry for each example
            elif _BIAS.match(name):
                made = {"flat": shape[-1:], "row": (1, shape[-1]), "column": (shape[0], 1)}[bias]
            else:
                made = shape
        elif use in ("array", "axes") and axes and len(axes) == len(shape or axes):
            known = shape or axes
            made = tuple(one or other or self.size() for one, other in zip(known, axes, strict=True))
        elif use == "array" and len(shape) > 2:
            made = tuple(self.size() for _ in shape)
        elif use == "array":
            made = (self.size(),) if re.match(r"(?i)\w*vec$", name) else (examples, self.size())
            if naming.is_parameter(name):
                made = (self.size(), self.size())
        elif use == "size":
            made = (self.size(),)
        elif use == "index":
            made = shape[:1]
        elif use == "vector":
            made = (self.size(),)
        elif use == "slice":
            made = (1,)
        elif use == "axes":
            made = tuple(n or self.size() for n in shape)
        self.made[name] = (use, made[::-1] if error.wanted.flipped else made)

    def _right(self, name: str, rows: int, *, vector: str, outputs: int) -> tuple[int, ...]:
        if _STATE.match(name):
            return (rows, 1)
        if re.match(r"(?i)\w*vec$", name):
            return (rows,)
        if outputs == 1 and _VECTOR.match(name):
            return {"column": (rows, 1), "flat": (rows,), "row": (1, rows)}[vector]
        return (rows, self.size())

    def _matrix(self, name: str) -> tuple[int, int]:
        n = self.size()
        return (n, n) if re.match(r"(?i)\w?_?hh|wh$|u$", name) else (n, self.size())

    def mended(
        self, message: str, free: Iterable[int], fixed: frozenset[int], widths: frozenset[int], apart: int
    ) -> bool:
        """Merge sizes that a program's failure shows to be equal. Return whether there were any.

        Parameters
        ----------
        message : str
            NumPy's, with the shapes that do not fit.
        free : iterable of int
            Sizes beside those of the pool that may turn out to be those of `fixed`.
        fixed : frozenset of int
            Sizes that the program writes as numbers.
        widths : frozenset of int
            Sizes of which two may turn out to be the same.
        apart : int
            The number of examples, which is no width.
        """
        may = {*_POOL[: self.fresh]}
        for one, other in _mismatches(message):
            one, other = self.same.get(one, one), self.same.get(other, other)
            if apart in (one, other):
                continue
            if self._longer(one, other, message):
                return True
            for size, needed in ((one, other), (other, one)):
                own = size in may or (size in free and needed in fixed) or {size, needed} <= widths
                if own and size not in self.same and size != needed:
                    self._put(size, needed)
                    return True
        return False

    def _put(self, size: int, other: int) -> None:
        self.same = {a: other if b == size else b for a, b in self.same.items()}
        self.same[size] = other

    def _longer(self, one: int, other: int, message: str) -> bool:
        """Let a vector that is cut into pieces grow until the pieces fit."""
        cut = [name for name, (use, _) in self.made.items() if use == "slice"]
        if len(cut) != 1:
            return False
        ((length,),) = (self.made[cut[0]][1],)
        if "reshape" in message and one < other:
            self.made[cut[0]] = ("slice", (length + other - one,))
            return True
        for less in (1, 2, 0):
            for given, needed in ((other, one), (one, other)):
                if given == max(length - less, 0) and needed != given and needed < 8:
                    self.made[cut[0]] = ("slice", (needed + less,))
                    return True
        return False


def _mismatches(message: str) -> Iterable[tuple[int, int]]:
    """Yield pairs of sizes that a message of NumPy's says should be equal."""
    for pattern in (r"(\d+) \(dim \d\) != (\d+) \(dim \d\)", r"size (\d+) is different from (\d+)"):
        for one, other in re.findall(pattern, message):
            yield int(one), int(other)
    for index, size in re.findall(r"index (\d+) is out of bounds for axis [01] with size (\d+)", message):
        yield int(index) + 1, int(size)  # a label of a class beyond the outputs
    found = re.search(r"cannot reshape array of size (\d+) into shape \(([\d, ]+)\)", message)
    if found:
        yield int(found.group(1)), int(np.prod([int(n) for n in found.group(2).replace(",", " ").split()]))
        return
    if "not aligned" in message or "different from" in message:
        return
    shapes = [tuple(int(n) for n in s.replace(",", " ").split()) for s in re.findall(r"\((\d[\d, ]*)\)", message)]
    if len(shapes) >= 2:
        for one, other in zip(reversed(shapes[0]), reversed(shapes[1]), strict=False):
            if one != other and 1 not in (one, other):
                yield one, other
