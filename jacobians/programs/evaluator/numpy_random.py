"""Random arrays: NumPy's functions of ``numpy.random``, and those of Python's ``random``, from the audit's own seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from jacobians.programs.evaluator.arrays import array, shape_of
from jacobians.programs.values import Budget, Namespace, UnreadError

Generator: TypeAlias = np.random.Generator


def _sized(budget: Budget, size: Any) -> tuple[int, ...] | None:
    """A shape after its size was asked for; None for one number."""
    if size is None:
        return None
    found = shape_of(size)
    budget.shape(found)
    return found


def _normals(budget: Budget, rng: Generator, *shape: Any) -> Any:
    return rng.normal(size=_sized(budget, shape or None))


def _uniforms(budget: Budget, rng: Generator, *shape: Any) -> Any:
    return rng.random(_sized(budget, shape or None))


def _normal(budget: Budget, rng: Generator, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    return rng.normal(size=_sized(budget, size)) * array(scale, budget) + array(loc, budget)


def _uniform(budget: Budget, rng: Generator, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    low, high = array(low, budget), array(high, budget)
    return low + (high - low) * rng.random(_sized(budget, size))


def _integers(budget: Budget, rng: Generator, low: Any, high: Any = None, size: Any = None, **_k: Any) -> Any:
    low, high = (0, low) if high is None else (low, high)
    low, high = array(low, budget).item(), array(high, budget).item()
    shape = _sized(budget, size)
    if shape is None:
        return int(rng.integers(low, high))
    count = math.prod(shape)
    # every number comes at least once where there is room, so that every class is present
    made = np.concatenate([np.arange(low, min(high, low + count)), rng.integers(low, high, max(0, count))])[:count]
    return rng.permutation(made).reshape(shape)


def _permutation(budget: Budget, rng: Generator, x: Any) -> Any:
    if isinstance(x, (int, np.integer)):
        (count,) = _sized(budget, x) or (0,)
        return rng.permutation(count)
    return rng.permutation(array(x, budget))


def _choice(budget: Budget, rng: Generator, x: Any, size: Any = None, replace: bool = True, p: Any = None) -> Any:
    items = np.arange((_sized(budget, x) or (0,))[0]) if isinstance(x, (int, np.integer)) else array(x, budget)
    return rng.choice(items, _sized(budget, size), replace=bool(replace), p=None if p is None else array(p, budget))


def _shuffle(budget: Budget, rng: Generator, x: Any) -> None:
    if not isinstance(x, (np.ndarray, list)):
        raise UnreadError("shuffle of this")
    rng.shuffle(x)


def _binomial(budget: Budget, rng: Generator, n: Any, p: Any, size: Any = None) -> Any:
    return rng.binomial(n, p, _sized(budget, size))


def _of_size(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda budget, rng, size=None: rule(budget, rng, size=size)


_OF_NUMPY: dict[str, Callable[..., Any]] = {
    "randn": _normals, "rand": _uniforms, "normal": _normal, "standard_normal": _of_size(_normal),
    "uniform": _uniform, **dict.fromkeys(("random", "random_sample", "ranf"), _of_size(_uniform)),
    "randint": _integers, "integers": _integers, "permutation": _permutation, "choice": _choice, "shuffle": _shuffle,
    "binomial": _binomial,
}  # fmt: skip


def random_functions(budget: Budget, rng: Generator) -> dict[str, Any]:
    """Return the functions by their full names; a generator object of NumPy is the module itself.

    Parameters
    ----------
    budget : Budget
    rng : numpy.random.Generator
        Where the numbers come from; a seed that the program sets is not followed.
    """
    made: dict[str, Any] = {f"numpy.random.{name}": partial(rule, budget, rng) for name, rule in _OF_NUMPY.items()}
    for name in ("RandomState", "default_rng"):
        # a generator is the module itself: only its functions are known by their names
        made[f"numpy.random.{name}"] = lambda *_a, **_k: Namespace("numpy.random")
    for name in ("shuffle", "uniform", "randint", "choice"):
        made[f"random.{name}"] = made[f"numpy.random.{name}"]
    made["random.gauss"] = made["numpy.random.normal"]
    made["random.random"] = lambda: float(rng.random())
    for name in ("numpy.random.seed", "numpy.random.RandomState.seed", "random.seed"):
        made[name] = lambda *_a, **_k: None
    return made
