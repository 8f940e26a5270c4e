"""Lists of gradients that a function returns, and the lists of parameters that they belong to, by their places."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.recording import Event, scalar

_NO_GRADIENT = re.compile(r"(?i)loss|cost|err|hist|acc|pred|out|score|^[JLEyh]_?\w?$")
_BACKWARD = re.compile(r"(?i)back|grad|bprop")


def of_lists(events: list[Event]) -> dict[int, tuple[str, Event | None]]:
    """Return, by the identity of each array in a list of gradients, its list's name and its parameter.

    A list is one of gradients where it is returned with a loss, or by a backward pass. It belongs to the first list of
    parameters with arrays of the same shapes, or else to the only one that has as many.
    """
    found: dict[int, tuple[str, Event | None]] = {}
    for event in events:
        if event.kind != "return":
            continue
        lists = list(_returned(event))
        groups = _groups(events, event.index)
        pairs: dict[str, str] = {}
        for shapes in (True, False):
            for name, held in lists:
                left = [g for g in groups if g not in pairs.values() and len(groups[g]) == len(held)]
                alike = [g for g in left if not shapes or _shapes(groups[g]) == [np.shape(part) for part in held]]
                named = [g for g in alike if g.rpartition(".")[2] in naming.parameters_of(name)]
                if name not in pairs and alike and (shapes or len(alike) == 1):
                    pairs[name] = (named or alike)[0]
        for name, held in lists:
            own: list[Any] = groups[pairs[name]] if name in pairs else [None] * len(held)
            found.update({id(part): (name, parameter) for part, parameter in zip(held, own, strict=True)})
    return found


def unmatched(events: list[Event], judged: Container[int] = ()) -> list[str]:
    """Return the names of the lists of arrays that are returned, and belong to no list of parameters.

    Lists that hold one of the gradients that were judged, by their identities, are not among them.
    """
    found: dict[str, bool] = {}
    for part, (name, parameter) in of_lists(events).items():
        found[name] = found.get(name, True) and parameter is None and part not in judged
    return [name for name, left in found.items() if left]


def of_no_parameter(lists: list[str]) -> str:
    """Return why such lists are not judged, and what says whose gradients they hold."""
    named = " and ".join(lists[:3])
    example = f", such as --wrt {lists[0]}[0]=W[0]" if lists[0].isidentifier() else ""
    return f"{named} may be a list of gradients, and fits no list of parameters; say of which each is{example}"


def _returned(event: Event) -> Iterator[tuple[str, list[Any]]]:
    """The lists of gradients that a function returns, and their names."""
    parts = event.value if isinstance(event.value, tuple) else (event.value,)
    names = event.shown.split(", ") if ", " in event.shown else [event.shown] * len(parts)
    if len(names) != len(parts) or not (
        any(scalar(part) is not None for part in parts) or _BACKWARD.search(event.function)
    ):
        return
    for place, (name, part) in enumerate(zip(names, parts, strict=True)):
        held = list(part) if isinstance(part, (list, tuple)) else []
        if _NO_GRADIENT.search(name) and not any(np.ndim(one) for one in held):
            continue
        if 0 < len(held) <= 60 and all(_is_real(one) for one in held):
            yield name or f"part {place + 1} of what it returns", held


def _groups(events: list[Event], before: int) -> dict[str, list[Event]]:
    """The lists of parameters that were handed over: their parts, by how the list is written."""
    found: dict[str, dict[int, Event]] = {}
    for event in events:
        place = re.fullmatch(r"(.+)\[(\d+)\]", event.shown)
        given = event.kind in ("argument", "input") and event.index < before and _is_real(event.value)
        if place and given and not naming.is_gradient(event.key):
            found.setdefault(place.group(1), {})[int(place.group(2))] = event
    return {name: [held[n] for n in sorted(held)] for name, held in found.items()}


def _shapes(group: list[Event]) -> list[tuple[int, ...]]:
    return [np.shape(event.value) for event in group]


def _is_real(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")
