"""What a call with a missing, swapped or misspelt argument is told: how the call is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from jacobians.arrays import did_you_mean
from jacobians.errors import ArgumentError

__all__ = ["written"]

P = ParamSpec("P")
R = TypeVar("R")


def written(call: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function say how it is called where Python cannot match a call with its arguments.

    Parameters
    ----------
    call : str
        The call as it is written, such as ``net.run(params, X, Y)``.

    Examples
    --------
    >>> @written("scaled(X, factor=2)")
    ... def scaled(X, *, factor):
    ...     return factor * X
    >>> scaled(3, 2)
    Traceback (most recent call last):
    jacobians.errors.ArgumentError: scaled: too many positional arguments; write scaled(X, factor=2)
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def called(*args: P.args, **options: P.kwargs) -> R:
            try:
                return function(*args, **options)
            except TypeError as error:
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise  # from within the function
            name = call.partition("(")[0].rpartition(" ")[2]
            raise ArgumentError(f"{name}: {_misfit(function, args, options)}write {call}")

        return called

    return decorated


def _misfit(function: Callable[..., object], args: tuple[object, ...], options: dict[str, object]) -> str:
    """What does not fit, in Python's own words, and the name that a misspelt one is near to."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        unknown = next((name for name in options if name not in signature.parameters), "")
        near = did_you_mean(unknown, signature.parameters) if unknown else ""
        return f"{error}{near} Or " if near else f"{error}; "
    return ""
