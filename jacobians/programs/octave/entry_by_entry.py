"""Octave's functions of each entry, of one matrix and of two that are broadcast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.kinds import double
from jacobians.programs.octave.matrices import Array, matrix, number
from jacobians.programs.octave.rules import Rule
from jacobians.programs.values import Budget, ProgramError, UnreadError


def _entrywise(rule: Callable[[Array], Any]) -> Rule:
    def apply(budget: Budget, of: Any) -> Any:
        held = number(of)
        budget.size(held.size)
        return rule(held)

    return apply


def _real_on(rule: Callable[[Array], Array], low: float, high: float = np.inf) -> Rule:
    """A function that is complex outside an interval."""

    def apply(budget: Budget, of: Any) -> Array:
        held = number(of)
        budget.size(held.size)
        if np.any((held < low) | (held > high)):
            raise UnreadError("complex numbers")
        return rule(held)

    return apply


def _two(rule: Callable[[Array, Array], Array]) -> Rule:
    def apply(budget: Budget, left: Any, right: Any) -> Array:
        return rule(*om.broadcast(budget, left, right))

    return apply


def _many(rule: Callable[[Array, Array], Array]) -> Rule:
    """A function of two arguments or more, such as plus(a, b, c)."""

    def apply(budget: Budget, first: Any, second: Any, *others: Any) -> Array:
        found = rule(*om.broadcast(budget, first, second))
        for other in others:
            found = rule(*om.broadcast(budget, found, other))
        return found

    return apply


def _compared(rule: Callable[[Any, Any], Any]) -> Rule:
    def apply(budget: Budget, left: Any, right: Any) -> Any:
        if isinstance(left, str) or isinstance(right, str):
            left, right = (double(budget, v) if isinstance(v, str) else v for v in (left, right))
        return rule(*om.broadcast(budget, left, right))

    return apply


def _mod(a: Array, b: Array) -> Array:
    return np.where(b == 0, a, np.mod(a, np.where(b == 0, 1, b)))


def _rem(a: Array, b: Array) -> Array:
    return np.where(b == 0, np.nan, np.fmod(a, np.where(b == 0, 1, b)))


def _round(of: Array) -> Array:
    return np.copysign(np.floor(np.abs(of) + 0.5), of)


def _error_function(of: Array) -> Array:
    from scipy.special import erf

    return erf(of)


def _chosen(budget: Budget, mask: Any, yes: Any, no: Any) -> Array:
    a, b = om.broadcast(budget, yes, no)
    held, _ = om.broadcast(budget, mask, np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape)))
    return np.where(held != 0, a, b)


def _logic(rule: Callable[[Array, Array], Array]) -> Rule:
    def apply(budget: Budget, left: Any, right: Any, *others: Any) -> Array:
        a, b = om.broadcast(budget, left, right)
        if np.any(np.isnan(a)) or np.any(np.isnan(b)):
            raise ProgramError("NaN is neither true nor false")
        found = rule(a != 0, b != 0)
        return apply(budget, found, *others) if others else found

    return apply


def _not(budget: Budget, of: Any) -> Array:
    held = matrix(of)
    budget.size(held.size)
    return held == 0


ENTRY_BY_ENTRY: Mapping[str, Rule] = {
    "floor": _entrywise(np.floor), "ceil": _entrywise(np.ceil), "fix": _entrywise(np.trunc),
    "round": _entrywise(_round),
    "abs": _entrywise(np.abs), "sign": _entrywise(np.sign), "exp": _entrywise(np.exp), "expm1": _entrywise(np.expm1),
    "log": _real_on(np.log, 0), "log2": _real_on(np.log2, 0), "log10": _real_on(np.log10, 0),
    "log1p": _real_on(np.log1p, -1),
    "sqrt": _real_on(np.sqrt, 0), "sin": _entrywise(np.sin), "cos": _entrywise(np.cos), "tan": _entrywise(np.tan),
    "asin": _real_on(np.arcsin, -1, 1), "acos": _real_on(np.arccos, -1, 1), "atan": _entrywise(np.arctan),
    "sinh": _entrywise(np.sinh), "cosh": _entrywise(np.cosh), "tanh": _entrywise(np.tanh),
    "asinh": _entrywise(np.arcsinh),
    "sech": _entrywise(lambda x: 1 / np.cosh(x)), "erf": _entrywise(_error_function),
    "isnan": _entrywise(np.isnan), "isinf": _entrywise(np.isinf), "isfinite": _entrywise(np.isfinite),
    "uminus": _entrywise(np.negative), "uplus": _entrywise(np.positive), "not": _not,
    "plus": _many(np.add), "minus": _two(np.subtract), "times": _many(np.multiply), "rdivide": _two(np.divide),
    "ldivide": _two(lambda a, b: b / a), "power": om.power, "mod": _two(_mod), "rem": _two(_rem),
    "atan2": _two(np.arctan2),
    "hypot": _two(np.hypot), "eq": _compared(np.equal), "ne": _compared(np.not_equal), "lt": _compared(np.less),
    "le": _compared(np.less_equal), "gt": _compared(np.greater), "ge": _compared(np.greater_equal),
    "and": _logic(np.logical_and), "or": _logic(np.logical_or), "xor": _logic(np.logical_xor),
    **dict.fromkeys(("merge", "ifelse"), _chosen),
}  # fmt: skip
"""By name."""
