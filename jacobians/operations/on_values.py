"""Functions that return a value where they are given a value, and else an array and its Jacobian: types and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

import numpy.typing as npt

from jacobians.arrays import OfGraph
from jacobians.first_tries import written

__all__ = ["of_one", "of_targets", "of_two"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
V = TypeVar("V", bound=OfGraph)


class OfOne(Protocol[P, R_co]):
    """A function of one array or value, and of what is constant."""

    @overload
    def __call__(self, X: V, /, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, X: npt.ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class OfTwo(Protocol[P, R_co]):
    """A function of two arrays or values, and of what is constant."""

    @overload
    def __call__(self, A: V, B: V | npt.ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, A: npt.ArrayLike, B: V, /, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, A: npt.ArrayLike, B: npt.ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class OfTargets(Protocol[P, R_co]):
    """A function of outputs and targets."""

    @overload
    def __call__(self, X: V, Y: V | npt.ArrayLike, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, X: npt.ArrayLike, Y: npt.ArrayLike, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


def of_one(function: Callable[Concatenate[npt.ArrayLike, P], R]) -> OfOne[P, R]:
    """Return the function, typed as one of an array or a value; it says how it is called."""
    return cast(Any, written(function))


def of_two(function: Callable[Concatenate[npt.ArrayLike, npt.ArrayLike, P], R]) -> OfTwo[P, R]:
    """Return the function, typed as one of two arrays or values; it says how it is called."""
    return cast(Any, written(function))


def of_targets(function: Callable[Concatenate[npt.ArrayLike, npt.ArrayLike, P], R]) -> OfTargets[P, R]:
    """Return the function, typed as a loss of arrays or values; it says how it is called."""
    return cast(Any, written(function))
