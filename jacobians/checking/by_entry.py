"""The check entry by entry: a quick reference for all, and the full one where the quick one does not agree.

A long one shows its progress: by the caller's function, or on a terminal's standard error after two seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.derivatives import GivenDerivative
from jacobians.checking.numerical import SAFETY, Probe, bands
from jacobians.checking.trees import Tree
from jacobians.checking.verdict import Findings, judge, own_rounding

Progress: TypeAlias = Callable[[int, int], None] | bool

FEW = 100
"""At most so many entries are all given the full reference, and no directions beside them."""

_CLOSE = 3
"""So many of the largest entries of each parameter, and of those furthest off, are compared in every band of steps."""

_ENOUGH = 8
"""Confirmed wrong entries of one parameter after which its other suspects are counted, not examined."""


class EntryCheck:
    """Judges entries of one derivative and keeps the findings of each parameter.

    Parameters
    ----------
    probe, given, tree, arbiter
        The function, what is claimed of it, the argument's structure and the complex step.
    """

    def __init__(self, probe: Probe, given: GivenDerivative, tree: Tree, arbiter: ComplexStep | None) -> None:
        self._probe, self._given, self._tree, self._arbiter = probe, given, tree, arbiter
        sizes, none = given.sizes(), np.zeros(probe.value.shape)
        self.findings = [Findings(none, none) for _ in tree.spans]
        for (a, b), own in zip(tree.spans, self.findings, strict=True):
            if sizes is not None and a < b:
                own.size, own.weight = none + sizes[a:b].max(), none + (sizes[a:b] * probe.scale[a:b]).max()

    def examine(self, entry: int, closely: bool = False) -> bool:
        """Judge one entry by the full reference, with every band of steps if `closely`; return whether it is wrong."""
        own = self.findings[self._tree.leaf_of(entry)]
        if entry in own.entries:
            return False
        given, line = self._given.column(entry), self._probe.coordinate(entry)
        size = own.size_for(line.unit)
        found = judge(self._probe, line, given, size, self._arbiter, self._given.eps, closely)
        own.add(entry, given, line.unit, found)
        return bool(found.wrong.any())

    def all_entries(self, report: Callable[[int, int], None]) -> None:
        """Judge every entry."""
        n = self._tree.size
        if n > FEW:
            for (start, stop), own in zip(self._tree.spans, self.findings, strict=True):
                if start < stop:
                    self._leaf(start, stop, own, report)
            return
        for (start, stop), own in zip(self._tree.spans, self.findings, strict=True):
            columns = [self._given.column(entry) for entry in range(start, stop)]
            for column, unit in zip(columns, self._probe.scale[start:stop].tolist(), strict=True):
                own.weigh(column, unit)
            largest = np.argsort([-np.abs(column).max(initial=0.0) for column in columns])
            for entry in largest[:_CLOSE]:
                self.examine(start + int(entry), closely=True)
        for entry in range(n):
            self.examine(entry)
            report(entry + 1, n)

    def _leaf(self, start: int, stop: int, own: Findings, report: Callable[[int, int], None]) -> None:
        """Look at all entries of one array with one central difference; examine the suspects and the largest."""
        probe, count = self._probe, stop - start
        first = bands(probe.eps)[1]
        slopes, noise = np.empty((count, probe.value.size)), np.empty((count, probe.value.size))
        given = np.stack([self._given.column(entry) for entry in range(start, stop)])
        for i in range(count):
            line = probe.coordinate(start + i)
            (ahead, forth), (behind, back) = probe.along(line, first), probe.along(line, -first)
            slopes[i] = (ahead - behind) / (forth - back)
            size = np.maximum(probe.noise, probe.eps * np.maximum(np.abs(ahead), np.abs(behind)))
            noise[i] = 2.0 * size / (forth - back)
            report(start + i + 1, self._tree.size)
        units = probe.scale[start:stop, None]
        own.size = np.maximum(own.size, np.abs(given).max(axis=0))
        own.weight = np.maximum(own.weight, (np.abs(given) * units).max(axis=0))
        sizes = np.stack([own.size_for(unit) for unit in units.ravel().tolist()])
        expected = np.maximum(np.abs(slopes), 0.1 * sizes)
        tolerance = SAFETY * noise + first**2 * expected + own_rounding(sizes, max(self._given.eps, probe.eps))
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.abs(given - slopes) / tolerance
            ratio = np.where(np.isnan(ratio), np.where(np.isnan(slopes), np.inf, 0.0), ratio).max(axis=1)
        suspects = np.flatnonzero(ratio > 1.0)
        calm = np.flatnonzero(ratio <= 1.0)
        largest, furthest = np.argsort(-np.abs(given).max(axis=1)), calm[np.argsort(-ratio[calm])]
        for entry in (*largest[:_CLOSE], *furthest[:_CLOSE]):
            self.examine(start + int(entry), closely=True)
        for k, entry in enumerate(suspects[np.argsort(-ratio[suspects])]):
            self.examine(start + int(entry))
            if own.wrong >= _ENOUGH:
                rest = suspects[np.argsort(-ratio[suspects])][k + 1 :] + start
                own.suspects += len(set(rest.tolist()) - own.entries)
                break
        own.checked = count
        own.see(tolerance[calm], units[calm])
        if calm.size:
            worst = int(calm[np.argmax(ratio[calm])])
            own.offer(start + worst, given[worst], slopes[worst], tolerance[worst])

    def spots(self, rng: np.random.Generator) -> None:
        """Examine a few entries of every parameter: the largest, and some at random."""
        sizes: Array | None = self._given.sizes()
        for start, stop in self._tree.spans:
            chosen = set(rng.integers(start, stop, 2).tolist()) if stop > start else set()
            if sizes is not None and stop > start:
                chosen |= {start + int(i) for i in np.argsort(-sizes[start:stop])[:2]}
            for entry in sorted(chosen):
                self.examine(entry)


_QUIET = 2.0
_EVERY = 0.2


class Reporter:
    """Called with entries done and entries in all.

    Parameters
    ----------
    progress : callable or bool
        The caller's own function, True for the line on a terminal, False for silence.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._start = self._last = time.monotonic()
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Report, if there is anyone to report to."""
        if callable(self._progress):
            self._progress(done, total)
        elif self._progress:
            now = time.monotonic()
            if now - self._start > _QUIET and now - self._last > _EVERY and sys.stderr.isatty():
                sys.stderr.write(f"\rgradient check: {done} of {total} entries")
                sys.stderr.flush()
                self._last, self._shown = now, True

    def close(self) -> None:
        """Clear the line, if one was written."""
        if self._shown:
            sys.stderr.write("\r" + " " * 60 + "\r")
            sys.stderr.flush()
