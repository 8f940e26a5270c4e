"""A case and its contenders: their results are compared, and only then are they timed, in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tests.benchmarks.timing import Clock, Timing, interleaved

Arrays = dict[str, np.ndarray]
Read = Callable[[Any], Mapping[str, np.ndarray]]
"""From a contender's result to named arrays."""
Kind = Literal["floor", "ours", "by hand", "peer", "products", "skipped"]
"""A floor is what no contender can do without; products are a peer's own bare matrix products."""

KINDS_COMPARED = ("ours", "by hand", "peer")


@dataclass(frozen=True)
class Contender:
    """One way to compute a case's result.

    Attributes
    ----------
    name : str
    kind : Kind
    call : callable
        What is timed.
    read : callable, optional
        Its result as named arrays, for the comparison; the floors have no result.
    facts : mapping
        What is counted and not timed, such as operations and bytes.
    """

    name: str
    kind: Kind
    call: Callable[[], Any]
    read: Read = dict
    facts: Mapping[str, float | str] = field(default_factory=dict)


def skipped(name: str, reason: str) -> Contender:
    """A contender that cannot take part, with the reason for the table."""
    return Contender(name, "skipped", lambda: None, facts={"note": f"skipped: {reason}"})


@dataclass(frozen=True)
class Case:
    """Contenders for one result; the first that takes part is the floor.

    Attributes
    ----------
    name : str
    contenders : tuple of Contender
    examples : int
        Of the batch; if not 0, the time for each is shown.
    beyond : str
        A contender whose time is taken off the others' in a column of its own.
    """

    name: str
    contenders: tuple[Contender, ...]
    examples: int = 0
    beyond: str = ""


class WrongResultError(AssertionError):
    """A contender computes something else; its time would mean nothing."""


SLOW = 20.0
"""Seconds of a contender's first call above which it is not called again."""


def compare(case: Case) -> dict[str, Timing]:
    """Compare all results with our first one; return the times of those that took too long to be repeated."""
    able = [c for c in case.contenders if c.kind in KINDS_COMPARED]
    able.sort(key=lambda c: c.kind != "ours")
    expected: Mapping[str, np.ndarray] = {}
    slow = {}
    for contender in able:
        start = time.perf_counter()
        result = contender.call()
        seconds = time.perf_counter() - start
        if seconds > SLOW:
            slow[contender.name] = Timing(np.array([seconds]))
        found = contender.read(result)
        # a copy, for whoever is called next may write into the same array
        expected = expected or {name: np.array(array) for name, array in found.items()}
        for name, want in expected.items():
            if name not in found:
                raise WrongResultError(f"{case.name}: {contender.name}: has no {name}, only {', '.join(found)}")
            _compare_arrays(f"{case.name}: {contender.name}: {name}", np.asarray(found[name]), np.asarray(want))
    return slow


def _compare_arrays(where: str, found: np.ndarray, want: np.ndarray) -> None:
    if found.shape != want.shape or found.dtype != want.dtype:
        raise WrongResultError(f"{where} is {found.shape} {found.dtype}, ours is {want.shape} {want.dtype}")
    if found.size == 0 or found.dtype.kind != "f":
        if not np.array_equal(found, want):
            raise WrongResultError(f"{where} differs from ours")
        return
    # float32 gradients of ten layers agree to some 1e-5 of their largest entry
    allowed = 1e4 * np.finfo(want.dtype).eps * max(float(np.abs(want).max()), np.finfo(want.dtype).tiny)
    distance = float(np.abs(found - want).max())
    if not distance <= allowed:
        raise WrongResultError(
            f"{where} differs from ours by {distance:.2g}, over the {allowed:.2g} that rounding explains"
        )


def rows(case: Case, seconds: float, clock: Clock = time.perf_counter) -> list[dict[str, Any]]:
    """Compare, time, and return one row for each contender."""
    slow = compare(case)
    able = {c.name: c for c in case.contenders if c.kind != "skipped"}
    times = interleaved({name: c.call for name, c in able.items() if name not in slow}, seconds, clock=clock) | slow
    bases = {"÷ floor": next(iter(times))}
    for kind, column in (("by hand", "÷ by hand"), ("peer", "÷ peer"), ("products", "÷ peer's products")):
        members = [name for name, c in able.items() if c.kind == kind]
        if members:
            bases[column] = min(members, key=lambda name: times[name].median)
    return [_row(case, contender, times, bases) for contender in case.contenders]


def _row(case: Case, contender: Contender, times: Mapping[str, Timing], bases: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {"case": case.name, "contender": contender.name, "kind": contender.kind}
    if contender.name in times:
        timing = times[contender.name]
        row["ms"] = timing.median * 1e3
        if case.examples:
            row["µs / example"] = timing.median * 1e6 / case.examples
        if case.beyond:
            row[f"ms beyond {case.beyond}"] = timing.beyond(times[case.beyond]) * 1e3
        row |= {column: timing.ratio(times[base]) for column, base in bases.items()}
        row["rounds"] = timing.rounds.size
    return row | contender.facts


def measure(cases: Iterable[Case], seconds: float, clock: Clock = time.perf_counter) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of one case after another, each built when its turn comes."""
    for case in cases:
        yield rows(case, seconds, clock)
