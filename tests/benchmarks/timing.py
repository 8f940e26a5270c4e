"""Times of several contenders, taken in turn, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """One contender's result.

    Attributes
    ----------
    median : float
        Seconds of one call.
    ratio : float
        The median of the paired ratios to the first contender.
    samples : int
        How often it was timed.
    """

    median: float
    ratio: float
    samples: int


def interleaved(contenders: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, Timing]:
    """Call all contenders round after round until the time is up; each round starts with another one."""
    calls = {name: _calls_in(call, 2e-3) for name, call in contenders.items()}
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    end, start = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or len(times[names[0]]) < 5:
        for name in names[start:] + names[:start]:
            times[name].append(_time(contenders[name], calls[name]))
        start = (start + 1) % len(names)
    taken = {name: np.array(values) for name, values in times.items()}
    first = taken[names[0]]
    return {name: Timing(float(np.median(t)), float(np.median(t / first)), t.size) for name, t in taken.items()}


def _time(call: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def _calls_in(call: Callable[[], object], seconds: float) -> int:
    """So many calls make up a sample; the first call warms up."""
    call()
    return max(1, int(seconds / max(_time(call, 1), 1e-9)))
