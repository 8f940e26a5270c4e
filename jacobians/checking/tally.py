"""What was found so far of one parameter's derivative: counts, the worst entry, and what could not be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.judgement import Judgement

__all__ = ["Tally", "Worst"]


@dataclass(frozen=True)
class Worst:
    """The entry whose difference is largest against its tolerance."""

    entry: int
    output: int
    given: float
    value: float
    tolerance: float
    kink: bool

    @property
    def ratio(self) -> float:
        """The difference over the tolerance."""
        difference = abs(self.given - self.value)
        if not math.isfinite(self.tolerance) or math.isnan(difference):
            return 0.0
        return difference / self.tolerance if self.tolerance else (math.inf if difference else 0.0)


@dataclass
class Tally:
    """One parameter's findings.

    Attributes
    ----------
    size : ndarray, shape (m,)
        The largest derivative of every output by this parameter, given or found.
    """

    size: Array
    checked: int = 0
    wrong: int = 0
    suspects: int = 0
    kinks: int = 0
    unseen: int = 0
    smallest: float = 0.0
    coarsest: float = 0.0
    worst: Worst | None = None
    entries: set[int] = field(default_factory=set)

    def add(self, entry: int, given: Array, found: Judgement) -> None:
        """Count one entry's judgement."""
        self.entries.add(entry)
        self.checked += 1
        self.wrong += bool(found.wrong.any())
        self.kinks += bool(found.kink.any())
        self.unseen += not bool(np.isfinite(found.tolerance).all())
        self.see(found.tolerance)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(given - found.value) / found.tolerance
        output = int(np.argmax(np.where(np.isnan(ratio), -1.0, ratio))) if ratio.size else 0
        if ratio.size:
            self.offer(
                Worst(
                    entry,
                    output,
                    float(given[output]),
                    float(found.value[output]),
                    float(found.tolerance[output]),
                    bool(found.kink[output]),
                )
            )

    def see(self, tolerance: Array) -> None:
        """Remember the coarsest tolerance, absolute and against the parameter's largest derivative."""
        finite = np.where(np.isfinite(tolerance), tolerance, 0.0)
        self.smallest = max(self.smallest, float(finite.max(initial=0.0)))
        size = np.broadcast_to(self.size, finite.shape)
        relative = np.divide(finite, size, out=np.zeros_like(finite), where=size > 0)
        self.coarsest = max(self.coarsest, float(relative.max(initial=0.0)))

    def offer(self, other: Worst) -> None:
        """Keep the worse of the worst so far and another entry."""
        if self.worst is None or other.ratio > self.worst.ratio:
            self.worst = other
