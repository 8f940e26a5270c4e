"""Octave's functions of functions: bsxfun, cellfun and arrayfun, feval, and an index that may be a call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.kinds import KINDS, own_shape
from jacobians.programs.octave.matrices import Call, matrix
from jacobians.programs.octave.rules import Rule
from jacobians.programs.values import Bound, Budget, BuiltIn, Function, ProgramError, UnreadError


def _function(budget: Budget, called: Any) -> Any:
    if isinstance(called, str):
        raise UnreadError("a function that is named by a text")
    if not isinstance(called, (BuiltIn, Function, Bound)):
        raise ProgramError("what is called is no function")
    return called


def _bsxfun(budget: Budget, call: Call, called: Any, left: Any, right: Any) -> Any:
    om.broadcast(budget, left, right)
    return om.first(call(_function(budget, called), [left, right], {}))


def _feval(budget: Budget, call: Call, called: Any, *arguments: Any) -> Any:
    return om.first(call(_function(budget, called), list(arguments), {}))


def _feval_outputs(budget: Budget, call: Call, count: Any, called: Any, *arguments: Any) -> Any:
    return om.outputs(om.whole(count), call(_function(budget, called), list(arguments), {}))


def _over_entries(cells: bool) -> Rule:
    """cellfun or arrayfun."""

    def apply(budget: Budget, call: Call, called: Any, *arguments: Any) -> Any:
        return _applied(budget, call, cells, 1, called, arguments)[0]

    return apply


def _over_entries_outputs(cells: bool) -> Rule:
    def apply(budget: Budget, call: Call, count: Any, called: Any, *arguments: Any) -> Any:
        return _applied(budget, call, cells, om.whole(count), called, arguments)

    return apply


def _applied(
    budget: Budget, call: Call, cells: bool, count: int, called: Any, arguments: tuple[Any, ...]
) -> tuple[Any, ...]:
    if cells and called in ("isempty", "length", "numel"):
        called = BuiltIn(called, partial(KINDS[called], budget))
    called = _function(budget, called)
    uniform, given = True, list(arguments)
    if len(given) > 1 and isinstance(given[-2], str) and given[-2].lower() == "uniformoutput":
        uniform, given = om.truth(given[-1]), given[:-2]
    if not given or any(isinstance(g, str) for g in given):
        raise UnreadError("this way of cellfun or arrayfun")
    if cells and not all(isinstance(g, list) for g in given):
        raise ProgramError("cellfun goes over cell arrays")
    shape = own_shape(given[0])
    items = [g if isinstance(g, list) else [matrix(v) for v in om.entries(matrix(g))] for g in given]
    if len({len(i) for i in items}) != 1:
        raise ProgramError("cellfun and arrayfun go over arguments of one size")
    budget.size(count * len(items[0]))
    found = [om.outputs(count, call(called, list(row), {})) for row in zip(*items, strict=True)]
    made: list[Any] = []
    for k in range(count):
        values = [row[k] for row in found]
        if not uniform:
            made.append(values)
            continue
        held = [matrix(v) for v in values]
        if any(h.size != 1 for h in held):
            raise ProgramError("cellfun and arrayfun: a result is no number; UniformOutput is true")
        kind = bool if held and all(h.dtype.kind == "b" for h in held) else float
        made.append(np.array([h.item() for h in held], kind).reshape(shape, order="F"))
    return tuple(made)


def _index_outputs(budget: Budget, call: Call, count: Any, of: Any, *places: Any) -> tuple[Any, ...]:
    if isinstance(of, (BuiltIn, Function, Bound)):
        return om.outputs(om.whole(count), call(of, list(places), {}))
    return om.outputs(om.whole(count), om.index(budget, call, of, *places))


CALLING: Mapping[str, Rule] = {
    "index": om.index,
    "index outputs": _index_outputs,
    "bsxfun": _bsxfun,
    "feval": _feval,
    "feval outputs": _feval_outputs,
    "cellfun": _over_entries(True),
    "cellfun outputs": _over_entries_outputs(True),
    "arrayfun": _over_entries(False),
    "arrayfun outputs": _over_entries_outputs(False),
}
"""By name; each takes what calls a function after the budget."""
