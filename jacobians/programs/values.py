"""Other values that a program's names may hold, limits of a run, and the errors that end it."""

from __future__ import annotations

import ast
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class ProgramError(Exception):
    """A program fails, as Python would let it fail: shapes that do not fit, a missing key.

    Attributes
    ----------
    message : str
    line : int
    function : str
        The file's function in which it fails.
    raised : str
        The name of the error, where the program raises it itself.
    node : ast.AST or None
        The part of the line that fails: a call, an operation, or a store.
    operands : tuple
        What it was done to: the parts of the text, each with its shape; None for what is no number or array.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.function, self.raised = message, line, "", ""
        self.node: ast.AST | None = None
        self.operands: tuple[tuple[ast.AST, tuple[int, ...] | None], ...] = ()


class UnreadError(Exception):
    """A construct is outside the list; what depends on it is not read."""

    def __init__(self, construct: str, line: int = 0) -> None:
        super().__init__(construct)
        self.construct, self.line = construct, line


class LimitError(Exception):
    """A program needs more steps, memory, depth or time than is allowed; its reading ends."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    Attributes
    ----------
    steps : int
        Nodes of the tree that are evaluated.
    entries : int
        Entries of one array, list or text.
    total : int
        Entries of all arrays together that a run makes.
    depth : int
        Calls of functions within each other.
    bits : int
        Of a whole number.
    seconds : float
    """

    steps: int = 400_000
    entries: int = 1_000_000
    total: int = 12_000_000
    depth: int = 40
    bits: int = 2048
    seconds: float = 1.5


class Budget:
    """What of the limits is left in one run."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.restart()

    def restart(self) -> None:
        """Begin a further run."""
        self.steps, self.entries, self.calls = 0, 0, 0
        self.end = time.thread_time() + self.limits.seconds
        self.soonest = time.perf_counter() + self.limits.seconds

    def step(self, line: int) -> None:
        """Count one step."""
        self.steps += 1
        if self.steps > self.limits.steps or not self.steps & 63:
            self.over(line)

    def over(self, line: int) -> None:
        """Refuse to go on after the last step or the last second."""
        if self.steps > self.limits.steps:
            raise LimitError(f"more than {self.limits.steps} steps", line)
        self.look(line)

    def look(self, line: int = 0) -> None:
        """Refuse to go on after the last second."""
        now = time.perf_counter()
        if now < self.soonest:
            return  # a thread takes no more of the processor than time has gone by, and that is quicker to ask for
        left = self.end - time.thread_time()
        if left < 0.0:
            raise LimitError(f"more than {self.limits.seconds} seconds", line)
        self.soonest = now + left

    def size(self, entries: float) -> None:
        """Refuse an array that would be too large, before it is allocated. Check the time before a large one."""
        if entries > 2000:
            self.look()
        if entries > self.limits.entries:
            raise LimitError(f"an array or list of {int(entries):.3g} entries is over {self.limits.entries}")
        self.entries += int(entries)
        if self.entries > self.limits.total:
            raise LimitError(f"more than {self.limits.total} entries in all arrays together")

    def shape(self, shape: Sequence[float]) -> None:
        """Refuse an array that is too large, or too long along one axis: a sum over an empty one has that many."""
        self.size(max(math.prod(map(float, shape)), *map(float, shape), 1.0))

    def objects(self, count: float) -> None:
        """Refuse too many objects of Python, each of which takes as much as eight entries of an array."""
        self.size(count)
        self.size(min(7.0 * count, self.limits.entries))
        self.entries += int(max(7.0 * count - self.limits.entries, 0.0))


@dataclass(frozen=True, eq=False)
class BuiltIn:
    """A function of a table; `dtype` where it is also the name of a type of numbers.

    Of a method of an array, `receiver` is the array, and `of` is the function of an array and the arguments.
    """

    name: str
    call: Callable[..., Any]
    dtype: type | None = None
    receiver: Any = None
    of: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Namespace:
    """A module, by its full name."""

    name: str


@dataclass(frozen=True, eq=False)
class Unread:
    """What a name holds whose assignment was not read."""

    construct: str
    line: int


@dataclass(frozen=True, eq=False)
class Lost:
    """A name that has no value, since what it would be set to is not read.

    Attributes
    ----------
    key, shown : str
        The name, and how the program writes it.
    line : int
        Where it would be set.
    function : str
    construct : str
        What is not read.
    because : int
        The line of that.
    index : int
        How many events there were before.
    """

    key: str
    shown: str
    line: int
    function: str
    construct: str
    because: int
    index: int


@dataclass(eq=False)
class Frame:
    """The names of one call, or of the module."""

    number: int
    function: str
    names: dict[str, Any] = field(default_factory=dict)
    outer: Frame | None = None
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    owner: UserClass | None = None
    comprehension: bool = False


@dataclass(frozen=True, eq=False)
class Function:
    """A function or lambda of the file."""

    name: str
    node: ast.FunctionDef | ast.Lambda
    frame: Frame
    defaults: tuple[Any, ...] = ()
    keyword_defaults: tuple[Any, ...] = ()
    owner: UserClass | None = None
    kind: str = "function"
    yields: bool = False


@dataclass(eq=False)
class UserClass:
    """A class of the file; the fields of a dataclass are what it is made with."""

    name: str
    names: dict[str, Any]
    bases: tuple[UserClass, ...] = ()
    fields: tuple[str, ...] = ()

    def find(self, name: str) -> Any:
        """Return an attribute of the class or of what it inherits from; None if there is none."""
        if name in self.names:
            return self.names[name]
        for base in self.bases:
            found = base.find(name)
            if found is not None:
                return found
        return None

    def line(self) -> Iterator[UserClass]:
        """Yield the class and what it inherits from."""
        yield self
        for base in self.bases:
            yield from base.line()


@dataclass(eq=False)
class Instance:
    """An object of a class of the file."""

    of: UserClass
    names: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Bound:
    """A method of an object of the file."""

    function: Function
    receiver: Any


@dataclass(frozen=True, eq=False)
class Super:
    """What ``super()`` gives."""

    bases: tuple[UserClass, ...]
    receiver: Any


@dataclass(frozen=True, eq=False)
class Field:
    """A dataclass's field whose default a function makes: ``field(default_factory=list)``."""

    factory: Any


class Generated(list[Any]):
    """What a generator of the file yields, all of it."""


class Distinct:
    """A set: what it holds, in the order in which it came in."""

    __slots__ = ("held",)

    def __init__(self, items: Iterable[Any] = ()) -> None:
        items = list(items)
        simple(items, "a set")
        self.held: dict[Any, None] = dict.fromkeys(items)

    def __len__(self) -> int:
        return len(self.held)


NUMBERS = (int, float, complex, bool, np.number, np.bool_)


def is_number(value: Any) -> bool:
    """Return whether a value is one number, a whole one included."""
    return isinstance(value, NUMBERS)


def is_real(value: Any) -> bool:
    """Return whether a value is an array of floating-point numbers, or one such number."""
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def leaves(value: Any, limit: int) -> int:
    """Return how many numbers nested lists and dicts hold; a number over the limit where they hold each other."""
    count, left = 1, [value]
    while left and count <= limit:
        item = left.pop()
        if isinstance(item, Distinct):
            item = list(item.held)
        if isinstance(item, (list, tuple, dict)):
            count += len(item)
            if count <= limit:
                left += item.values() if isinstance(item, dict) else item
        elif isinstance(item, np.ndarray):
            count += item.size
        elif isinstance(item, range):
            count += min(len_of(item), limit + 1)
    return count


def len_of(of: range) -> int:
    """Return a range's length, however long."""
    return max(0, -((of.start - of.stop) // of.step))


def simple(value: Any, what: str) -> None:
    """Refuse to compare, sort or look up lists that hold each other, since that would not end.

    Raises
    ------
    LimitError
        If they hold more than 10,000 things.
    """
    if isinstance(value, (list, tuple, dict, Distinct)) and leaves(value, 10_000) > 10_000:
        raise LimitError(f"{what} of lists within lists that are too many")
