"""Functions of arrays that are run once and replayed from then on."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import update_wrapper
from threading import Lock
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, cast

import numpy as np

from jacobians.arrays import StandIn, kind_of, leaves_of
from jacobians.errors import ArgumentError, RecordingError
from jacobians.first_tries import written
from jacobians.recording.calls import Array
from jacobians.recording.lines import line_of
from jacobians.recording.replay import Replay
from jacobians.recording.rests_on import RestsOn
from jacobians.recording.structures import Arguments, Results, difference, in_new_arrays, result_leaves
from jacobians.recording.tape import Diverged, Tape

P = ParamSpec("P")
R = TypeVar("R")

_KEPT = 4
"""Recordings that one function keeps. Each holds the memory of all that lies between arguments and results: some 32 MiB
for a net of 784-512-512-10. Training needs two, for whole batches and for what is left of the last one."""

_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, Warning)
"""What functions of arrays raise over stand-ins or bad numbers. The function itself is run then: its text is right."""


class Replayed(Generic[P, R]):
    """A function that is recorded once for each set of shapes and dtypes; the last four recordings are kept. See
    `replayed`.

    Attributes
    ----------
    function : callable
        The function itself.
    runs : int
        Calls in which it was run as it stands: to record it, where a decision came out otherwise, and where it cannot
        be replayed.
    ended : str
        Why a function of values could not be recorded, with the line; it runs as it stands then. "" where all was.

    Notes
    -----
    A fifth recording takes the place of the one that was used least recently. A copy starts without recordings.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        if not callable(function):
            raise ArgumentError(f"replayed: got {kind_of(function)}; expected a function, as in replayed(net.gradient)")
        update_wrapper(self, function)
        self.function = function
        self.runs = 0
        self.ended = ""
        self._known: list[_Recording] = []  # the last used first
        self._lock = Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns, in new arrays."""
        given = (args, kwargs)
        with self._lock:  # the memory of a recording is one call's at a time
            for place, recording in enumerate(self._known):
                arrays = recording.arrays(given)
                if arrays is not None:
                    if place:
                        self._known.insert(0, self._known.pop(place))
                    if not recording.ended:
                        try:
                            return cast(R, recording.results(arrays))
                        except (Diverged, *_ERRORS):
                            pass
                    self.runs += 1
                    break
            else:
                recording = None
        if recording is not None:
            return cast(R, in_new_arrays(self.function(*args, **kwargs)))
        if any(isinstance(leaf, StandIn) for _, leaf in leaves_of(given)):  # within another function that is recorded
            return self.function(*args, **kwargs)
        recording, result = _Recording.of(cast(Any, self.function), given)
        with self._lock:
            self.runs += 1
            self._known = [recording, *self._known[: _KEPT - 1]]
            self.ended = recording.ended or self.ended
        return cast(R, result)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Be a method where a class has it, as a function is."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[type[Replayed[P, R]], tuple[Callable[P, R]]]:
        return type(self), (self.function,)

    def __repr__(self) -> str:
        return f"replayed({getattr(self.function, '__qualname__', repr(self.function))})"


class _Recording:
    """One recording: of arguments with certain shapes and dtypes.

    Attributes
    ----------
    ended : str
        Why there is nothing to replay; else "".
    """

    def __init__(
        self, arguments: Arguments, rests_on: RestsOn, replay: Replay | None, results: Results | None, ended: str = ""
    ) -> None:
        self._arguments = arguments
        self._rests_on = rests_on
        self._replay = replay
        self._results = results
        self.ended = ended

    @classmethod
    def of(cls, function: Callable[..., Any], given: tuple[Any, Any]) -> tuple[_Recording, Any]:
        """Run the function on stand-ins for its arguments' arrays, and on the arrays; return the recording and results.

        Raises
        ------
        RecordingError
            If it cannot be replayed, or the replay gives something else than the function.
        """
        rests_on, arguments, tape = RestsOn(function), Arguments(given), Tape()
        stand_ins, (args, kwargs) = arguments.stand_ins(given, tape.argument)
        try:
            with np.errstate(all="call", call=_unseen):
                try:
                    result = function(*args, **kwargs)
                finally:
                    tape.closed = True
            if not rests_on.same_objects():
                raise tape.refuse("the function changes what is around it, such as a counter or a list")
            if tape.refused:  # whatever the function made of the error
                raise RecordingError(tape.refused)
            leaves = result_leaves(result)
        except _ERRORS as error:
            reason = tape.refused or f"{error}{line_of(error.__traceback__)}"
            if tape.of_values and not tape.wrote:
                plain = in_new_arrays(function(*given[0], **given[1]))
                return cls(arguments, rests_on, None, None, reason), plain
            args, kwargs = deepcopy(given)
            function(*args, **kwargs)  # an error that has nothing to do with the recording is raised from here
            if not isinstance(error, RecordingError):
                reason = tape.refused or f"replayed: the function takes no stand-ins for arrays: {reason}"
            raise RecordingError(reason) from error
        plain = in_new_arrays(function(*given[0], **given[1]))
        recording = cls(arguments, rests_on, Replay(tape, stand_ins, leaves), Results(result, leaves, plain))
        with np.errstate(all="ignore"):
            again = recording.results(arguments.found(given) or [])
        differs = difference(again, plain)
        if differs is not None:
            raise RecordingError(
                f"replayed: {getattr(function, '__name__', 'the function')} gives something else when it is replayed"
                f"{differs and f', in result{differs}'}: does it draw random numbers, change what it rests on, or look "
                "at the types of its arrays?"
            )
        return recording, plain

    def arrays(self, given: Any) -> list[Array] | None:
        """The arguments' arrays, or None where they are not like the recorded ones."""
        return self._arguments.found(given) if self._rests_on.same() else None

    def results(self, arrays: list[Array]) -> Any:
        """The results in the function's own structure."""
        assert self._replay is not None
        assert self._results is not None
        return self._results.of(self._replay(arrays))


def _unseen(*_: Any) -> None:
    """Silence floating-point errors while a function is recorded: the run on the arrays shows them."""


@written
def replayed(function: Callable[P, R]) -> Replayed[P, R]:
    """Return a function that does the same in fewer steps: it makes the NumPy calls of the first run, on kept memory.

    On small batches most of the time goes into Python, not into NumPy: into checks, and into objects for every
    Jacobian. The first call with arguments of given shapes and dtypes runs `function` on stand-ins for its arrays and
    writes down its NumPy calls. Later calls make only those that the results need. It serves the library's own methods,
    such as `Network.gradient`, and functions of yours that are written with its operations, with `jacobians.values`,
    and with NumPy's functions that return new arrays.

    Parameters
    ----------
    function : callable
        Of arrays, numbers and texts, or dicts, lists and tuples of them, with results of the same kinds. It has no
        effects but its results. A number or text is part of a recording; pass one that changes often as an array.

    Returns
    -------
    Replayed
        A callable. Results are new arrays in every call, and arguments are never written. Threads take turns.

    Raises
    ------
    RecordingError
        On the first call, with the reason and the line, if the function does what is not followed: it writes into an
        array, turns one into plain numbers, selects entries by a condition, asks for types, calls what is not
        known here, or returns something else than arrays, such as a Jacobian. A function that makes values of its
        arrays, see `jacobians.values`, and cannot be followed, runs as it stands; `Replayed.ended` says why.
        Also if the replay, which is tried at once, gives another result than the function.

    Notes
    -----
    Every call compares the variables around the function, the attributes that it reads, and the numbers of arrays among
    them. If one has changed, the function is recorded again. The library's objects do not change. The arrays that they
    were made from must not change either.

    A recording holds all intermediate arrays, so only the last four are kept. A function that is called with many batch
    sizes in turn is recorded again and again.

    An ``if`` on an array is decided again in every call. If the decision differs from the recorded one, the function
    itself is run. It is also run where a number is not finite, so that the error is the function's own.

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
