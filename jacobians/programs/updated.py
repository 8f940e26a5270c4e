"""Weights that a backward pass reads after their own update."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jacobians.programs.recording import Event
from jacobians.programs.study import Study


@dataclass(frozen=True)
class Stale:
    """A gradient that reads an updated weight.

    Attributes
    ----------
    place : int
        The gradient's.
    weight : str
    line, moved : int
        Where it is read, and where it was moved.
    """

    place: int
    weight: str
    line: int
    moved: int


def stale(study: Study) -> Iterator[Stale]:
    """Yield gradients that read a weight after its update: they change where the update is made."""
    updates = [e for e in study.run.events if e.node is not None]
    last = max((claim.event.index for claim in study.claims), default=0)
    if not any(e.index < last for e in updates):
        return
    found: set[int] = set()
    for update in {id(e.node): e for e in reversed(updates)}.values():
        run, _ = study.subject.run(study.base, moving=frozenset([id(update.node)]))
        for place, claim in enumerate(study.claims):
            if place not in found and update.index < claim.event.index and _differs(study, run.events, place):
                found.add(place)
                yield Stale(place, update.shown, _reader(study, update.key, claim.line, update.line), update.line)


def _differs(study: Study, events: list[Event], place: int) -> bool:
    """Whether a gradient's first value, for its own layer, is another one in a run with an update."""
    claim = study.claims[place]
    at = (claim.event.key, claim.event.line, claim.event.kind)
    same = [e.index for e in study.run.events if (e.key, e.line, e.kind) == at]
    own = [one for one in study.claims if (one.event.key, one.event.line, one.event.kind) == at]
    # one line of a layer's class is run for each layer; of a loop over examples, the first time counts
    first = claim.event.index if len(own) == len(same) else same[0]
    if first >= len(events) or events[first].key != claim.event.key:
        return False
    one, other = np.asarray(events[first].copy), np.asarray(study.run.events[first].copy)
    if one.shape != other.shape or one.dtype.kind not in "fiu":
        return False
    size = float(np.abs(other).max(initial=0.0))
    return float(np.abs(one - other).max(initial=0.0)) > 1e-9 * size + 1e-14


def _reader(study: Study, key: str, claim_line: int, update_line: int) -> int:
    """The first line after an update that reads what was updated."""
    lines = study.subject.source.lines
    pattern = re.compile(rf"(?<![\w]){re.escape(key)}(?!\w)")
    for number in range(update_line + 1, claim_line + 1):
        text = lines[number - 1].split("#")[0]
        if pattern.search(text.partition("=")[2] or text):
            return number
    return claim_line
