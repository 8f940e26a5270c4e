"""Times of several contenders, taken in turn, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of one call of one contender, once for each round."""

    rounds: np.ndarray

    @property
    def median(self) -> float:
        return float(np.median(self.rounds))

    def ratio(self, other: Timing) -> float:
        """The median of the rounds' ratios: both were timed within one round, whatever else the machine did then."""
        if self.rounds.size != other.rounds.size:  # one was too slow to take turns
            return self.median / other.median
        return float(np.median(self.rounds / other.rounds))

    def beyond(self, other: Timing) -> float:
        """The median of the rounds' differences, in seconds."""
        return float(np.median(self.rounds - other.rounds))


Clock = Callable[[], float]
"""Seconds: of the wall, or of this process's own work, which does not count what else runs on the machine."""


def interleaved(
    contenders: Mapping[str, Callable[[], object]], seconds: float, rounds: int = 5, clock: Clock = time.perf_counter
) -> dict[str, Timing]:
    """Call all contenders round after round, at least so many, until the time is up; each starts with another one."""
    calls = {name: _calls_in(call, 2e-3, clock) for name, call in contenders.items()}
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    end, start = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or len(times[names[0]]) < rounds:
        for name in names[start:] + names[:start]:
            times[name].append(_time(contenders[name], calls[name], clock))
        start = (start + 1) % len(names)
    return {name: Timing(np.array(values)) for name, values in times.items()}


def fastest(contenders: Mapping[str, Callable[[], object]], seconds: float = 0.02) -> str:
    """The contender that a short trial finds fastest: by its best round, for what else the machine did only adds."""
    times = interleaved(contenders, seconds, rounds=9)
    return min(times, key=lambda name: times[name].rounds.min())


def _time(call: Callable[[], object], count: int, clock: Clock) -> float:
    start = clock()
    for _ in range(count):
        call()
    return (clock() - start) / count


def _calls_in(call: Callable[[], object], seconds: float, clock: Clock) -> int:
    """So many calls make up a sample; the first call warms up."""
    call()
    return max(1, int(seconds / max(_time(call, 1, clock), 1e-9)))
