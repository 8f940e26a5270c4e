"""The functions of Python itself that a program may call: range, len, zip, sum and their like."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.programs.evaluator.arithmetic import binary
from jacobians.programs.evaluator.containers import iterated, listed
from jacobians.programs.evaluator.machine import Machine
from jacobians.programs.evaluator.operators import holds, length_of, operated, run_through, size_of
from jacobians.programs.values import (
    Bound,
    BuiltIn,
    Distinct,
    Function,
    Generated,
    Instance,
    ProgramError,
    UnreadError,
    UserClass,
    is_number,
    simple,
)


def _range(machine: Machine, *bounds: Any) -> range:
    return range(*(operator.index(b) for b in bounds))


def _listed(machine: Machine, value: Any = ()) -> list[Any]:
    return listed(machine.budget, run_through(machine, value))


def _distinct(machine: Machine, value: Any = ()) -> Distinct:
    return Distinct(_listed(machine, value))


def _all_of(name: str) -> Callable[..., Any]:
    call: Any = {"sum": sum, "min": min, "max": max, "any": any, "all": all, "sorted": sorted, "tuple": tuple}[name]

    def of(machine: Machine, *args: Any, **keywords: Any) -> Any:
        if "key" in keywords:
            raise UnreadError(f"{name} with a key", machine.line)
        if len(args) == 1 or name in ("sum", "sorted", "tuple"):
            args = (_listed(machine, *args[:1]), *args[1:])
        if name == "sum":
            return _sum(machine, *args, **keywords)
        if name in ("any", "all"):
            return call(holds(machine, item) for item in args[0])
        if name in ("min", "max", "sorted"):
            simple(list(args), name)
        return call(*args, **keywords)

    return of


def _sum(machine: Machine, items: list[Any], start: Any = 0) -> Any:
    for item in items:
        machine.budget.step(machine.line)
        start = operated(machine, ast.Add(), start, item)
    return start


def _zip(machine: Machine, *args: Any) -> list[Any]:
    columns = [_listed(machine, a) for a in args]
    machine.budget.objects(2 * min(map(len, columns), default=0))
    return list(zip(*columns, strict=False))


def _enumerate(machine: Machine, of: Any, start: int = 0) -> list[Any]:
    items = _listed(machine, of)
    machine.budget.objects(2 * len(items))
    return list(enumerate(items, start))


def _reversed(machine: Machine, of: Any) -> list[Any]:
    return _listed(machine, of)[::-1]


def _map(machine: Machine, function: Any, *args: Any) -> list[Any]:
    rows = _zip(machine, *args)
    return [machine.call(function, list(row), {}) for row in rows]


def _pow(machine: Machine, base: Any, exponent: Any) -> Any:
    return operated(machine, ast.Pow(), base, exponent)


def _next(machine: Machine, of: Any, *default: Any) -> Any:
    if not isinstance(of, Generated):
        raise UnreadError("next of what is no generator", machine.line)
    if of:
        return of.pop(0)
    if default:
        return default[0]
    raise ProgramError("StopIteration: the generator has come to its end", machine.line)


def _iter(machine: Machine, of: Any) -> Generated:
    return of if isinstance(of, Generated) else Generated(_listed(machine, of))


def _filter(machine: Machine, function: Any, of: Any) -> list[Any]:
    def kept(item: Any) -> bool:
        return holds(machine, item if function is None else machine.call(function, [item], {}))

    return [item for item in _listed(machine, of) if kept(item)]


def _divmod(machine: Machine, one: Any, other: Any) -> tuple[Any, Any]:
    budget = machine.budget
    return binary(ast.FloorDiv(), one, other, budget, whole=False), binary(ast.Mod(), one, other, budget, whole=False)


def _callable(machine: Machine, value: Any) -> bool:
    return isinstance(value, (Function, Bound, BuiltIn, UserClass))


def _dict_of(machine: Machine, *args: Any, **keywords: Any) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    if args:
        of = args[0]
        pairs = of.items() if isinstance(of, dict) else [tuple(iterated(p)) for p in iterated(of)]
        machine.budget.objects(2 * len(pairs))
        for pair in pairs:
            simple(pair[0], "a key")
        made.update(pairs)
    made.update(keywords)
    if not all(isinstance(k, (str, int, float, tuple)) for k in made):
        raise UnreadError("a key that is no text or number", machine.line)
    return made


def _str(value: Any) -> str:
    if type(value) in (str, int, float, bool) or isinstance(value, (np.integer, np.floating)):
        return str(value)[:100]
    return "text that is not read"


def _has(machine: Machine, value: Any, name: Any) -> bool:
    """Whether an object of the file has an attribute."""
    if not isinstance(value, Instance) or not isinstance(name, str) or name.startswith("__"):
        raise UnreadError("hasattr of this", machine.line)
    return name in value.names or value.of.find(name) is not None


def _isinstance(machine: Machine, value: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return any(_isinstance(machine, value, one) for one in kind[:20])
    kinds = {
        "int": (int, np.integer),
        "float": (float, np.floating),
        "list": list,
        "dict": dict,
        "tuple": tuple,
        "str": str,
        "set": Distinct,
        "bool": (bool, np.bool_),
    }
    if isinstance(kind, UserClass):
        return isinstance(value, Instance) and kind in value.of.line()
    if isinstance(kind, BuiltIn) and kind.name in kinds:
        return isinstance(value, kinds[kind.name])  # type: ignore[arg-type]
    if isinstance(kind, BuiltIn) and kind.name == "numpy.ndarray":
        return isinstance(value, np.ndarray)
    raise UnreadError("isinstance of this", machine.line)


_WITH_BUDGET: dict[str, Callable[..., Any]] = {
    "range": _range, "xrange": _range, "list": _listed, "zip": _zip, "enumerate": _enumerate, "reversed": _reversed,
    "set": _distinct, "map": _map, "pow": _pow, "len": length_of,
    "abs": size_of, "bool": holds, "hasattr": _has, "dict": _dict_of, "isinstance": _isinstance,
    "next": _next, "iter": _iter, "filter": _filter, "divmod": _divmod, "callable": _callable,
    **{name: _all_of(name) for name in ("sum", "min", "max", "any", "all", "sorted", "tuple")},
}  # fmt: skip


def _int(value: Any = 0) -> int:
    if isinstance(value, str):
        if len(value) > 20:
            raise UnreadError("a number as a text")
    elif not is_number(value) and not (isinstance(value, np.ndarray) and value.size == 1):
        raise TypeError("int of what is no number")
    return int(value.item() if isinstance(value, np.ndarray) else value)


def _float(value: Any = 0.0) -> float:
    if isinstance(value, np.ndarray):
        return float(value.item())
    if not is_number(value) and not (isinstance(value, str) and len(value) < 30):
        raise TypeError("float of what is no number")
    return float(value)


def _round(value: Any, digits: int | None = None) -> Any:
    if digits is not None and abs(operator.index(digits)) > 400:
        raise UnreadError("round to this many digits")
    return np.round(value, digits or 0) if isinstance(value, np.ndarray) else round(value, digits)


PYTHON: dict[str, Callable[..., Any]] = {
    **_WITH_BUDGET, "int": _int, "float": _float, "round": _round, "str": _str,
}  # fmt: skip
"""By name; those that count what they make ask the machine's budget."""


def python_function(machine: Machine, name: str) -> BuiltIn:
    """Return one of them, as the evaluator calls it."""
    kind = {"int": int, "float": float, "bool": bool}.get(name)
    if name in _WITH_BUDGET:
        return BuiltIn(name, lambda *a, **k: _WITH_BUDGET[name](machine, *a, **k), kind)
    return BuiltIn(name, PYTHON[name], kind)
