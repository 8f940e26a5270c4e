"""Functions of arrays that are run once and replayed from then on."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from pathlib import Path
from traceback import extract_tb
from typing import Any, Generic, ParamSpec, TypeVar, cast

import numpy as np

from jacobians.arrays import OfGraph, leaves_of, rebuilt, refuse_masked
from jacobians.errors import RecordingError
from jacobians.recording.replay import Replay
from jacobians.recording.tape import Array, Diverged, Tape

P = ParamSpec("P")
R = TypeVar("R")

_KEPT = 4
"""Recordings that one function keeps. Each holds the memory of all that lies between arguments and results: some 32 MiB
for a net of 784-512-512-10. Training needs two, for whole batches and for what is left of the last one."""

_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, Warning)
"""What functions of arrays raise over stand-ins or bad numbers. The function itself is run then: its text is right."""


class Replayed(Generic[P, R]):
    """A function that is recorded once for each set of shapes and dtypes, of which it keeps four; see `replayed`.

    Attributes
    ----------
    function : callable
        The function itself.
    runs : int
        How often it was run as it stands: to record it, where a decision came out otherwise, and where it cannot be
        replayed.
    ended : str
        Why a function of values could not be recorded, with the line; it runs as it stands then. "" where all was.

    Notes
    -----
    A fifth recording takes the place of the one that was used least recently.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self.runs = 0
        self.ended = ""
        self._known: list[_Recording] = []  # the last used first

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns."""
        given = (args, kwargs)
        for place, recording in enumerate(self._known):
            arrays = recording.arrays(given)
            if arrays is not None:
                if place:
                    self._known.insert(0, self._known.pop(place))
                if recording.ended:
                    break
                try:
                    return cast(R, recording.results(arrays))
                except (Diverged, *_ERRORS):
                    self.runs += 1
                    return self.function(*args, **kwargs)
        else:
            self.runs += 1
            recording, result = _Recording.of(cast(Any, self.function), given)
            self._known = [recording, *self._known[: _KEPT - 1]]
            self.ended = recording.ended or self.ended
            return cast(R, result)
        self.runs += 1
        return self.function(*args, **kwargs)


class _Recording:
    """One recording: of arguments with certain shapes and dtypes.

    Attributes
    ----------
    ended : str
        Why there is nothing to replay; else "".
    """

    def __init__(self, given: Any, arrays: list[Array], replay: Replay | None, result: Any, ended: str = "") -> None:
        self._collect = cast(Callable[[Any, list[Any]], None], _collector(rebuilt(given, iter([None] * len(arrays)))))
        self._expected = [*map(_kind, arrays)]
        self._replay = replay
        self._build = _builder(result)
        self.ended = ended

    @classmethod
    def of(cls, function: Callable[..., Any], given: tuple[Any, Any]) -> tuple[_Recording, Any]:
        """Run the function on stand-ins for its arguments' arrays; return the recording and the results."""
        arrays = [_plain(leaf) for _, leaf in leaves_of(given)]
        tape = Tape()
        arguments = [tape.argument(a) for a in arrays]
        args, kwargs = rebuilt(given, iter(arguments))
        try:
            result = function(*args, **kwargs)
            _refuse_values(result)
        except _ERRORS as error:
            args, kwargs = rebuilt(given, iter(arrays))
            # an error that has nothing to do with the recording is raised from here
            plain = function(*args, **kwargs)
            if tape.of_values:
                return cls(given, arrays, None, None, f"{_line_of(error)}{error}"), plain
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(f"replayed: the function takes no stand-ins for arrays: {error}") from error
        replay = Replay(tape, arguments, [leaf for _, leaf in leaves_of(result)])
        recording = cls(given, arrays, replay, result)
        return recording, recording.results(arrays)

    def arrays(self, given: Any) -> list[Array] | None:
        """The arguments' arrays, or None where they are not like the recorded ones."""
        found: list[Any] = []
        try:
            self._collect(given, found)
            if [*map(_kind, found)] == self._expected:
                return found
        except _UnlikeError:
            return None
        except AttributeError:  # a number, or another array-like
            pass
        if any(isinstance(leaf, (dict, list, tuple)) for leaf in found):
            return None
        found = [_plain(leaf) for leaf in found]
        return found if [*map(_kind, found)] == self._expected else None

    def results(self, arrays: list[Array]) -> Any:
        """The results in the function's own structure."""
        assert self._replay is not None
        return self._build(self._replay(arrays))


def _refuse_values(result: Any) -> None:
    """Raise if a value of a graph is returned: it would hold the numbers of this run in every replay."""
    for _, leaf in leaves_of(result):
        if isinstance(leaf, OfGraph):
            raise RecordingError(f"replayed: the function returns {leaf!r}; return its .array, or its gradients")


def _line_of(error: BaseException) -> str:
    """The line of the user's own code at which an error was raised."""
    package = str(Path(__file__).parents[1])
    lines = [line for line in extract_tb(error.__traceback__) if not line.filename.startswith(package)]
    own = [line for line in lines if Path(line.filename).parent.name not in ("_core", "lib")]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}, {own[-1].line}: " if own else ""


def _plain(leaf: Any) -> Array:
    refuse_masked(leaf, "an argument", "replayed")
    return np.asarray(leaf)


_kind = attrgetter("__class__", "shape", "dtype")


class _UnlikeError(Exception):
    """A value is not built like the recorded one."""


def _collector(like: Any) -> Callable[[Any, list[Any]], None] | None:
    """A function that appends the leaves of a value built like `like`, or raises; None for a leaf.

    `leaves_of` does the same with names; this way takes a quarter of the time, which counts in every call.
    """
    if not isinstance(like, (dict, list, tuple)):
        return None
    kind, size = type(like), len(like)
    keys = list(like) if isinstance(like, dict) else range(size)
    parts = [(key, _collector(like[key])) for key in keys]
    flat = itemgetter(*keys) if size > 1 and not any(part for _, part in parts) else None

    def collect(value: Any, into: list[Any]) -> None:
        if type(value) is not kind or len(value) != size:
            raise _UnlikeError
        try:
            if flat:
                into += flat(value)
                return
            for key, part in parts:
                if part is None:
                    into.append(value[key])
                else:
                    part(value[key], into)
        except KeyError:
            raise _UnlikeError from None

    return collect


def _builder(like: Any) -> Callable[[list[Any]], Any]:
    """A function that puts a list of leaves into the structure of `like`."""
    if isinstance(like, dict) and not any(isinstance(value, (dict, list, tuple)) for value in like.values()):
        names = list(like)  # what nearly every gradient is: a third of the time that any structure takes
        return lambda items: dict(zip(names, items, strict=True))
    structure = rebuilt(like, iter([None for _ in leaves_of(like)]))
    return lambda items: rebuilt(structure, iter(items))


def replayed(function: Callable[P, R]) -> Replayed[P, R]:
    """Return a function that does the same in fewer steps: the NumPy calls of its first run, on memory that is kept.

    On small batches most of the time goes into Python, not into NumPy: into checks, and into objects for every
    Jacobian. The first call for arguments of certain shapes and dtypes runs `function` and writes down the calls
    that it makes; later calls make only those that the results need. It serves a chain of Jacobians that is written
    out as well as `Network.gradient`, and any function of arrays that keeps to NumPy's functions. Where a function that
    makes values of its arrays, see `jacobians.values`, cannot be recorded, it runs as it stands, and `Replayed.ended`
    names the line.

    Parameters
    ----------
    function : callable
        Of arrays, or dicts, lists and tuples of them, with results of the same kinds. It must depend on nothing else
        that changes, and its arguments are never written. A list is one of arrays, not an array.

    Returns
    -------
    Replayed
        A callable. Results are new arrays in every call; everything between is written again in place, so one such
        function must not be called by two threads at a time.

    Raises
    ------
    RecordingError
        On the first call, if a function that makes no values leaves NumPy: turns an array into plain numbers, or calls
        what is not known.

    Notes
    -----
    What a recording keeps is as large as all that lies between arguments and results, so only the four that were used
    last stay: a function that is called with many batch sizes in turn is recorded again and again.

    Where the function decides by the numbers (an ``if`` on an array), the decision is taken again in every call; comes
    it out otherwise, the function itself is run. So it is where the numbers are bad: the error is the function's own.

    The idea is that of tracing compilers (Frostig, Johnson & Leary 2018, Compiling machine learning programs via
    high-level tracing), without the compiler.

    Examples
    --------
    >>> from jacobians import affine, sigmoid, squared_error
    >>> def gradient(X, W, b, Y):
    ...     Z, J1 = affine(X, W, b)
    ...     A, J2 = sigmoid(Z)
    ...     L, J3 = squared_error(A, Y)
    ...     return (J3 @ J2 @ J1.W).gradient
    >>> fast = replayed(gradient)
    >>> X, W, b, Y = np.eye(3), np.ones((3, 2)), np.zeros(2), np.zeros((3, 2))
    >>> bool((fast(X, W, b, Y) == gradient(X, W, b, Y)).all())
    True
    >>> bool((fast(2 * X, -W, b, Y) == gradient(2 * X, -W, b, Y)).all()), fast.runs
    (True, 1)
    """
    return Replayed(function)
