"""How many bugs of the catalogue the gradient check catches. Goal: all that change anything."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tests.figures.bugs import FAMILIES
from tests.figures.cases import Case, cases, one_of_each
from tests.figures.stateful import hand_written
from tests.figures.tables import percent, table

Check = Callable[[Callable[[np.ndarray], float], Callable[[np.ndarray], np.ndarray], np.ndarray], str]

OUTCOMES = ("caught", "missed", "inconclusive", "equivalent", "alarm")
"""An alarm is a failure reported where the bug changes nothing."""


def verdict_of_check(fun: Any, grad: Any, x: np.ndarray) -> str:
    """The library's verdict: pass, fail or inconclusive."""
    from jacobians.checking import check_gradient

    return str(check_gradient(fun, grad, x).verdict)


def outcome(case: Case, check: Check = verdict_of_check) -> tuple[str, str]:
    """What became of one run, and why the bug is equivalent where it is."""
    why = case.why_equivalent()
    problem = case.problem()
    verdict = check(*hand_written(problem, case.bug.slip, case.layer), problem.theta.copy())
    if why:
        return ("alarm" if verdict == "fail" else "equivalent"), why
    return {"fail": "caught", "pass": "missed"}.get(verdict, "inconclusive"), ""


def in_time(seconds: float, seed: int = 1) -> Iterator[Case]:
    """All cases in random order, until the time is up: the whole grid takes the better part of an hour."""
    every = list(cases())
    random.Random(seed).shuffle(every)
    end = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < end, every)


def measure(
    quick: bool = False,
    check: Check = verdict_of_check,
    chosen: Iterable[Case] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Every run's outcome, counted by family and by scale."""
    families = {f: Counter() for f in FAMILIES}
    scales: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    notable: list[str] = []
    if chosen is None:
        chosen = one_of_each() if quick else cases() if seconds is None else in_time(seconds)
    for case in chosen:
        found, why = outcome(case, check)
        families[case.bug.family][found] += 1
        label = f"loss × {case.scale:g}" if case.l2 != 1e-6 else "λ = 1e-6"
        scales.setdefault(label, Counter())[found] += 1
        if why:
            reasons[f"{case.bug.slip}: {why}"] += 1
        if found in ("missed", "inconclusive", "alarm"):
            notable.append(f"{found}: {case}")
    return {"families": families, "scales": scales, "equivalent": reasons, "notable": notable}


def report(result: dict[str, Any]) -> str:
    """The tables."""
    parts = []
    for title, counts in (("family", result["families"]), ("setting", result["scales"])):
        rows = [_row(name, c) for name, c in counts.items() if sum(c.values())]
        if title == "family":
            rows.append(_row("all", sum(map(Counter, counts.values()), Counter())))
        parts.append(table((title, "runs", *OUTCOMES, "caught of those that count"), rows))
    parts.append(table(("equivalent, and why", "runs"), sorted(result["equivalent"].items())))
    return "\n\n".join([*parts, *result["notable"]])


def _row(name: str, counts: Any) -> list[object]:
    counting = counts["caught"] + counts["missed"] + counts["inconclusive"]
    return [name, sum(counts.values()), *(counts[o] for o in OUTCOMES), percent(counts["caught"], counting)]
