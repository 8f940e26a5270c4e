"""The check entry by entry: a quick look at all, and the full reference where it does not confirm what is given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.derivatives import Given
from jacobians.checking.numerical import SAFETY, Probe, bands
from jacobians.checking.trees import Tree
from jacobians.checking.verdict import Tally, Worst, judge, own_rounding

__all__ = ["EntryCheck"]


_FEW = 100
"""At most so many entries are all given the full reference."""

_CLOSE = 3
"""So many of the largest entries of each parameter, and of those furthest off, are compared in every band of steps."""

_ENOUGH = 8
"""Confirmed wrong entries of one parameter after which its other suspects are counted, not examined."""


class EntryCheck:
    """Judges entries of one derivative and keeps a tally for each parameter.

    Parameters
    ----------
    probe, given, tree, arbiter
        The function, what is claimed of it, the argument's structure and the complex step.
    """

    def __init__(self, probe: Probe, given: Given, tree: Tree, arbiter: ComplexStep | None) -> None:
        self._probe, self._given, self._tree, self._arbiter = probe, given, tree, arbiter
        sizes = given.sizes()
        self.tallies = []
        for a, b in zip(tree.offsets[:-1], tree.offsets[1:], strict=True):
            largest = 0.0 if sizes is None else float(sizes[a:b].max(initial=0.0))
            self.tallies.append(Tally(np.full(probe.value.shape, largest)))

    def examine(self, entry: int, closely: bool = False) -> bool:
        """Give one entry the full reference, or closely that of every band; return whether it is wrong."""
        tally = self.tallies[self._tree.place(entry)[0]]
        if entry in tally.entries:
            return False
        given = self._given.column(entry)
        way = self._probe.coordinate(entry)
        found = judge(self._probe, way, given, tally.size, self._arbiter, self._given.eps, closely)
        tally.size = np.maximum(tally.size, np.abs(given))
        tally.add(entry, given, found)
        return bool(found.wrong.any())

    def all_entries(self, report: Callable[[int, int], None]) -> None:
        """Judge every entry."""
        n = self._tree.size
        if n <= _FEW:
            given = np.array([np.abs(self._given.column(entry)).max(initial=0.0) for entry in range(n)])
            for start, stop, tally in zip(self._tree.offsets[:-1], self._tree.offsets[1:], self.tallies, strict=True):
                for entry in range(start, stop):
                    tally.size = np.maximum(tally.size, np.abs(self._given.column(entry)))
                for entry in start + np.argsort(-given[start:stop])[:_CLOSE]:
                    self.examine(int(entry), closely=True)
            for entry in range(n):
                self.examine(entry)
                report(entry + 1, n)
            return
        for leaf in range(len(self._tree.shapes)):
            self._leaf(leaf, report)

    def _leaf(self, leaf: int, report: Callable[[int, int], None]) -> None:
        """Look at all entries of one array with one central difference; examine the suspects and the largest."""
        start, stop = self._tree.offsets[leaf : leaf + 2]
        probe, tally = self._probe, self.tallies[leaf]
        count = stop - start
        if count == 0:
            return
        first = bands(probe.eps)[1]
        slopes, noise = np.empty((count, probe.value.size)), np.empty((count, probe.value.size))
        given = np.stack([self._given.column(entry) for entry in range(start, stop)])
        for i in range(count):
            way = probe.coordinate(start + i)
            (ahead, forth), (behind, back) = probe.along(way, first), probe.along(way, -first)
            slopes[i] = (ahead - behind) / (forth - back)
            size = np.maximum(probe.noise, probe.eps * np.maximum(np.abs(ahead), np.abs(behind)))
            noise[i] = 2.0 * size / (forth - back)
            report(start + i + 1, self._tree.size)
        tally.size = np.maximum(tally.size, np.abs(given).max(axis=0))
        expected = np.maximum(np.abs(slopes), 0.1 * tally.size)
        tolerance = SAFETY * noise + first**2 * expected + own_rounding(tally.size, max(self._given.eps, probe.eps))
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
            if tally.wrong >= _ENOUGH:
                tally.suspects += len(suspects) - k - 1
                break
        tally.checked = count
        tally.see(tolerance[calm])
        if calm.size:
            worst = int(calm[np.argmax(ratio[calm])])
            output = int(np.argmax(np.abs(given[worst] - slopes[worst]) / tolerance[worst]))
            tally.offer(
                Worst(
                    start + worst,
                    output,
                    float(given[worst, output]),
                    float(slopes[worst, output]),
                    float(tolerance[worst, output]),
                    False,
                )
            )

    def spots(self, rng: np.random.Generator) -> None:
        """Examine a few entries of every parameter: the largest, and some at random."""
        sizes: Array | None = self._given.sizes()
        for start, stop in zip(self._tree.offsets[:-1], self._tree.offsets[1:], strict=True):
            chosen = set(rng.integers(start, stop, 2).tolist()) if stop > start else set()
            if sizes is not None and stop > start:
                chosen |= {start + int(i) for i in np.argsort(-sizes[start:stop])[:2]}
            for entry in sorted(chosen):
                self.examine(entry)
