"""Whether the check rejects right gradients: smooth ones, and ones with kinks at 10⁻¹ … 10⁻¹² and exactly at x.

Goals: no alarm; at most 0.1 % of the entries without a kink near are called inconclusive. The check gives its verdict
by parameter, so every entry of an inconclusive parameter is counted: an upper bound.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from tests.figures.kinks import Correct, networks, piecewise
from tests.figures.tables import percent, table

UNSEEN = 1e-3
_ENTRIES = 100_000


def measure(quick: bool = False, seed: int = 0) -> dict[str, Any]:
    """Entries checked, alarms, and entries that could not be judged, by what kind of kink is near."""
    counts: dict[str, Counter[str]] = {}
    alarms: list[str] = []
    if quick:
        chosen = itertools.chain(piecewise(14, seed), itertools.islice(networks(10_000, seed), 0, 72, 8))
    else:
        chosen = itertools.chain(piecewise(700, seed), piecewise(3500, seed + 1), networks(10_000, seed))
    checked = 0
    for correct in chosen:
        _check(correct, counts, alarms)
        checked += sum(p.size for p in correct.x.values())
        if not quick and checked >= _ENTRIES:
            break
    smooth = counts["no kink near"]
    return {
        "counts": counts,
        "alarms": alarms,
        "entries": checked,
        "smooth": smooth["entries"],
        "unseen": smooth["inconclusive"],
    }


def _check(correct: Correct, counts: dict[str, Counter[str]], alarms: list[str]) -> None:
    from jacobians.checking import check_gradient

    found = check_gradient(correct.fun, correct.grad, correct.x)
    verdicts = {p.name: p for p in found.parameters}
    accused = False
    for name, array in correct.x.items():
        count, one = counts.setdefault(correct.label(name), Counter()), verdicts.get(name)
        verdict = one.verdict if one else str(found.verdict)
        count["entries"] += array.size
        count["at a kink"] += one.kinks if one else 0
        count["inconclusive"] += array.size if verdict == "inconclusive" else 0
        count["alarms"] += (one.wrong if one else array.size) if verdict == "fail" else 0
        accused |= verdict == "fail"
    if found.verdict == "fail" or accused:
        alarms.append(f"{correct.name}: {'; '.join(found.reasons)}")


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [
        [label, c["entries"], c["alarms"], c["at a kink"], c["inconclusive"], percent(c["inconclusive"], c["entries"])]
        for label, c in sorted(result["counts"].items())
    ]
    header = ("kink", "entries", "alarms", "found at a kink", "inconclusive", "share")
    total = f"{result['entries']} entries, {len(result['alarms'])} alarms"
    return "\n\n".join([table(header, rows), total, *result["alarms"]])
