"""What a call with a missing, swapped or misspelt argument is told: how the call is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

from jacobians.arrays import did_you_mean
from jacobians.errors import ArgumentError

__all__ = ["says_how_it_is_made", "written"]

_LONGEST = 200
"""Of a call that is shown, in letters."""

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


@overload
def written(call: str, /) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
@overload
def written(function: Callable[P, R], /) -> Callable[P, R]: ...
def written(call: str | Callable[..., Any]) -> Any:
    """Make a function say how it is called where Python cannot match a call with its arguments.

    Parameters
    ----------
    call : str or callable
        The call as it is written, such as ``net.run(params, X, Y)``; or the function alone, whose call is then written
        from its signature.

    Examples
    --------
    >>> @written("scaled(X, factor=2)")
    ... def scaled(X, *, factor):
    ...     return factor * X
    >>> scaled(3, 2)
    Traceback (most recent call last):
    jacobians.errors.ArgumentError: scaled: too many positional arguments; write scaled(X, factor=2)
    >>> @written
    ... def half(X, layout=None, *, steps=1):
    ...     return X / 2
    >>> half()
    Traceback (most recent call last):
    jacobians.errors.ArgumentError: half: missing a required argument: 'X'; write half(X, layout=…, steps=1)
    """
    return _decorated(call, None) if callable(call) else partial(_decorated, call=call)


def says_how_it_is_made(cls: type[C]) -> type[C]:
    """Make a class's own constructor say how it is called where the arguments do not fit; return the class.

    Examples
    --------
    >>> @says_how_it_is_made
    ... class Scale:
    ...     def __init__(self, factor=1.0):
    ...         self.factor = factor
    >>> Scale(factr=2.0)
    Traceback (most recent call last):
    jacobians.errors.ArgumentError: Scale: got an unexpected keyword argument 'factr'; did you mean 'factor'? \
Or write Scale(factor=1.0)
    """
    if "__init__" in vars(cls):
        type.__setattr__(cls, "__init__", written(vars(cls)["__init__"]))
    return cls


def _decorated(function: Callable[P, R], call: str | None) -> Callable[P, R]:
    @wraps(function)
    def called(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from within the function
        how = _call_of(function, args) if call is None else call
        name = how.partition("(")[0].rpartition(" ")[2]
        raise ArgumentError(f"{name}: {_misfit(function, args, options)}write {how}")

    return called


def _call_of(function: Callable[..., object], args: tuple[object, ...]) -> str:
    """A call of a function, or of the class whose constructor it is, with every argument and its default."""
    name = function.__name__
    is_constructor = name == "__init__"
    if is_constructor:
        name = type(args[0]).__name__  # which may have the constructor from the class that it is made of
    arguments = []
    for parameter in list(inspect.signature(function).parameters.values())[is_constructor:]:
        default = parameter.default
        if default is parameter.empty:
            required = parameter.kind is not parameter.KEYWORD_ONLY
            arguments.append(parameter.name if required else f"{parameter.name}=…")
        else:
            arguments.append(f"{parameter.name}={default!r}" if _is_short(default) else f"{parameter.name}=…")
    shown: list[str] = []
    length = len(name)
    for argument in arguments:  # a call is read at a glance: of a long one the first arguments
        length += len(argument) + 2
        if length > _LONGEST and len(shown) < len(arguments) - 1:
            shown.append("…")
            break
        shown.append(argument)
    return f"{name}({', '.join(shown)})"


def _is_short(default: object) -> bool:
    return isinstance(default, (str, int, float, tuple))


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
