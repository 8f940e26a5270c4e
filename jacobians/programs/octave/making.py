"""Matrices that Octave makes of sizes, bounds and random numbers; cells, structs and grids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.matrices import Array, matrix, number
from jacobians.programs.octave.rules import Rule, numbers_of, shape_of
from jacobians.programs.values import Budget, ProgramError, UnreadError


def _filled(value: float, kind: type = float) -> Rule:
    def fill(budget: Budget, *arguments: Any) -> Array:
        return np.full(shape_of(budget, arguments), value, kind)

    return fill


def _eye(budget: Budget, *arguments: Any) -> Array:
    shape = shape_of(budget, arguments)
    if len(shape) != 2:
        raise ProgramError("eye: a matrix has two axes")
    return np.eye(*shape)


def _uniform(budget: Budget, rng: np.random.Generator, *arguments: Any) -> Array:
    if any(isinstance(a, str) for a in arguments):
        return om.empty()
    return rng.random(shape_of(budget, arguments))


def _normal(budget: Budget, rng: np.random.Generator, *arguments: Any) -> Array:
    if any(isinstance(a, str) for a in arguments):
        return om.empty()
    return rng.standard_normal(shape_of(budget, arguments))


def _random_whole(budget: Budget, rng: np.random.Generator, bounds: Any, *arguments: Any) -> Array:
    held = om.entries(number(bounds))
    low, high = (1, om.whole(held[0])) if held.size == 1 else (om.whole(held[0]), om.whole(held[-1]))
    if high < low:
        raise ProgramError("randi: the largest number is smaller than the smallest")
    return rng.integers(low, high, shape_of(budget, arguments), endpoint=True).astype(float)


def _permutation(budget: Budget, rng: np.random.Generator, count: Any, few: Any = None) -> Array:
    n = om.whole(count)
    budget.size(max(n, 0))
    return (rng.permutation(max(n, 0)) + 1.0)[None, : None if few is None else om.whole(few)]


def _linspace(budget: Budget, start: Any, stop: Any, count: Any = 100.0) -> Array:
    n = max(om.whole(count), 1)
    budget.size(n)
    return np.linspace(number(start).item(), number(stop).item(), n)[None]


def _logspace(budget: Budget, start: Any, stop: Any, count: Any = 50.0) -> Array:
    return 10.0 ** _linspace(budget, start, stop, count)


def _repmat(budget: Budget, of: Any, *arguments: Any) -> Any:
    if isinstance(of, (str, list, dict)):
        raise UnreadError("repmat of what is no matrix")
    held = matrix(of)
    given = [om.entries(matrix(a)) for a in numbers_of(arguments)]
    times = [max(om.whole(n), 0) for a in given for n in a]
    times = times * 2 if len(times) == 1 else times
    if not times or len(times) > 6:
        raise ProgramError("repmat: how often is not said")
    rank = max(held.ndim, len(times))
    shape = om._folded(held.shape, rank)
    times = [*times, *[1] * (rank - len(times))]
    om.room(budget, [float(a) * b for a, b in zip(shape, times, strict=True)])
    found = np.tile(held.reshape(shape, order="F"), times)
    return found.reshape(om.trimmed(found.shape), order="F")


def _cell(budget: Budget, *arguments: Any) -> list[Any]:
    shape = shape_of(budget, arguments)
    if not arguments or 0 in shape:
        return []
    if len(shape) != 2 or 1 not in shape:
        raise UnreadError("a cell array with rows and columns")
    return [om.empty() for _ in range(max(shape))]


def _struct(budget: Budget, *arguments: Any) -> dict[str, Any]:
    names, values = arguments[::2], arguments[1::2]
    if len(names) != len(values) or not all(isinstance(n, str) for n in names):
        raise ProgramError("struct: takes names and values in turn")
    if any(isinstance(v, list) for v in values):
        raise UnreadError("an array of structs")
    budget.size(len(names))
    return dict(zip(names, values, strict=True))


def _grids(budget: Budget, count: Any, *axes: Any) -> tuple[Array, ...]:
    held = [om.entries(number(a)) for a in axes]
    held = held * 2 if len(held) == 1 else held
    if len(held) != 2:
        raise UnreadError("a grid of three axes")
    budget.size(2 * om.volume([a.size for a in held]))
    return om.outputs(om.whole(count), tuple(np.meshgrid(*held)))


def _grids_by_index(budget: Budget, count: Any, *axes: Any) -> tuple[Array, ...]:
    return om.outputs(om.whole(count), tuple(g.T for g in _grids(budget, 2.0, *axes)))


MAKING: Mapping[str, Rule] = {
    "zeros": _filled(0.0), "ones": _filled(1.0), "eye": _eye, "true": _filled(True, bool),
    "false": _filled(False, bool),
    "pi": _filled(np.pi), "e": _filled(np.e), "eps": _filled(float(np.finfo(float).eps)),
    "realmin": _filled(float(np.finfo(float).tiny)), "realmax": _filled(float(np.finfo(float).max)),
    **dict.fromkeys(("Inf", "inf"), _filled(np.inf)), **dict.fromkeys(("NaN", "nan", "NA"), _filled(np.nan)),
    "linspace": _linspace, "logspace": _logspace, "colon": om.span, "repmat": _repmat, "cell": _cell,
    "struct": _struct, "meshgrid outputs": _grids, "ndgrid outputs": _grids_by_index,
    "meshgrid": lambda budget, *axes: _grids(budget, 1.0, *axes)[0],
    "ndgrid": lambda budget, *axes: _grids_by_index(budget, 1.0, *axes)[0],
}  # fmt: skip
"""By name; a name with "outputs" is what it gives where several are asked for."""
RANDOM: Mapping[str, Rule] = {"rand": _uniform, "randn": _normal, "randi": _random_whole, "randperm": _permutation}
"""By name; each takes the generator after the budget."""
