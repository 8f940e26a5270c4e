"""Where entries are: find, subscripts and linear indices, sums by place, sparse matrices as full ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.matrices import Array, matrix, number
from jacobians.programs.octave.rules import Rule
from jacobians.programs.values import Budget, ProgramError, UnreadError


def _find(budget: Budget, of: Any, most: Any = None, *_: Any) -> Array:
    held = matrix(of)
    budget.size(held.size)
    found = np.flatnonzero(om.entries(held)) + 1.0
    if most is not None:
        found = found[: om.whole(most)]
    if held.shape == (0, 0):
        return om.empty()
    if held.shape[0] == 1 and held.ndim == 2 and held.shape[1] != 1:
        return found[None]
    return found[:, None] if held.size != 1 else found.reshape(found.size, found.size)


def _find_outputs(budget: Budget, count: Any, of: Any, *most: Any) -> tuple[Array, ...]:
    held = matrix(of)
    places = _find(budget, held, *most)
    rows = max(held.shape[0], 1)
    values = om.entries(held)[om.entries(places).astype(int) - 1].reshape(places.shape, order="F")
    return om.outputs(om.whole(count), ((places - 1) % rows + 1, np.floor((places - 1) / rows) + 1, values))


def _is_member(budget: Budget, of: Any, among: Any) -> Any:
    if isinstance(of, str) and isinstance(among, list):
        return any(isinstance(item, str) and item == of for item in among)
    held, others = number(of), om.entries(number(among))
    budget.size(8.0 * (held.size + others.size))
    return np.isin(held, others)


def _to_linear(budget: Budget, sizes: Any, *subscripts: Any) -> Array:
    """sub2ind([rows columns], i, j)."""
    shape = [om.whole(n) for n in om.entries(matrix(sizes))]
    each = [matrix(s) for s in subscripts]
    if any(s.dtype.kind == "b" for s in each):
        raise UnreadError("a mask as an index of sub2ind")
    if not each or len(each) > len(shape) or len({s.shape for s in each}) != 1:
        raise ProgramError("sub2ind: an index for each axis, all of one size")
    found, step = np.ones(each[0].shape), 1.0
    budget.size(found.size)
    for held, n in zip(each, shape, strict=False):
        if held.size and (np.min(held) < 1 or np.max(held) > n or np.any(held != np.floor(held))):
            raise ProgramError("sub2ind: an index is out of range")
        found = found + (held - 1) * step
        step *= n
    return found


def _from_linear(budget: Budget, count: Any, sizes: Any, places: Any) -> tuple[Array, ...]:
    shape = om._folded(tuple(om.whole(n) for n in om.entries(matrix(sizes))), om.whole(count))
    held = matrix(places)
    if held.dtype.kind == "b":
        raise UnreadError("a mask as an index of ind2sub")
    budget.size(held.size * len(shape))
    if held.size and (np.min(held) < 1 or np.max(held) > om.volume(shape)):
        raise ProgramError("ind2sub: an index is out of range")
    found, left = [], held - 1
    for n in shape:
        found.append(left % max(n, 1) + 1)
        left = np.floor(left / max(n, 1))
    return tuple(found)


def _accumulated(budget: Budget, places: Any, values: Any, sizes: Any = None, *more: Any) -> Array:
    """accumarray: the sums of values that have the same place."""
    if more:
        raise UnreadError("accumarray with a function")
    where, what = number(places), number(values)
    if where.size and (np.min(where) < 1 or np.any(where != np.floor(where))):
        raise ProgramError("accumarray: a place is no whole number from 1")
    if where.shape[0] == 1 and what.size > 1:
        where = where.reshape(-1, 1)
    axes = where.shape[1]
    if what.size not in (1, where.shape[0]) or axes > 4:
        raise ProgramError("accumarray: a place for each value")
    given = [] if sizes is None else [om.whole(n) for n in om.entries(matrix(sizes))]
    need = [int(n) for n in np.max(where, axis=0, initial=1)]
    shape = tuple(max(n, g) for n, g in zip(need, given or need, strict=False)) if axes > 1 else (max(need + given), 1)
    om.room(budget, shape)
    made = np.zeros(shape)
    at = tuple((where[:, k] - 1).astype(int) for k in range(axes))
    np.add.at(
        made, at if axes > 1 else (at[0], np.zeros(len(at[0]), int)), om.entries(what) if what.size > 1 else what.item()
    )
    return made


def _sparse(budget: Budget, *given: Any) -> Any:
    """sparse(i, j, values, m, n), as a full matrix."""
    if len(given) == 1:
        return given[0]
    if len(given) == 2:
        sizes = tuple(om.whole(n) for n in given)
        om.room(budget, sizes)
        return np.zeros(sizes)
    rows, columns, values = (np.atleast_1d(om.entries(number(part))) for part in given[:3])
    count = max(rows.size, columns.size)
    if {rows.size, columns.size} - {1, count}:
        raise ProgramError("sparse: a row and a column for each value")
    places = np.column_stack([np.broadcast_to(rows, count), np.broadcast_to(columns, count)])
    sizes_given = [np.array([[float(om.whole(n)) for n in given[3:5]]])] if len(given) >= 5 else []
    return _accumulated(budget, places, values.reshape(-1, 1), *sizes_given)


SEARCHING: Mapping[str, Rule] = {
    "find": _find, "find outputs": _find_outputs, "ismember": _is_member, "sub2ind": _to_linear,
    "ind2sub": lambda budget, sizes, places: _from_linear(budget, 1.0, sizes, places)[0],
    "ind2sub outputs": _from_linear, "accumarray": _accumulated, "sparse": _sparse,
}  # fmt: skip
"""By name; a name with "outputs" is what it gives where several are asked for."""
