"""Every way to multiply out a chain, priced by structure: what it computes, and the most that it holds at a time.

Dynamic programming over all brackets (the matrix-chain problem: Cormen et al., 4th ed., §14.2). A stretch of the chain
whose factors keep the examples apart may be one block for each example, written out last, in place of a matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from jacobians.linops.block_diagonal import BlockDiagonal
from jacobians.linops.commutation import Commutation
from jacobians.linops.identity import Reshape
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense
from jacobians.linops.per_example import common_axes

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian

__all__ = ["Bracket", "Bracketing", "Way"]

Bracket: TypeAlias = "int | tuple[Bracket, Bracket, str] | tuple[Bracket, int]"
"""A factor's position; (left, right, action); or (inside, axis), which is multiplied out example by example."""


class Way(NamedTuple):
    """One way to have a stretch of the chain as one array.

    Attributes
    ----------
    operations : int
        Multiplications and additions; a step that only moves entries counts one for each that it writes.
    peak : int
        Bytes of the arrays that are built, the result among them, at the time when they are most.
    size : int
        Bytes of the result; 0 where a factor stores it.
    bracket : nested tuple
    """

    operations: int
    peak: int
    size: int
    bracket: Bracket


class Bracketing:
    """The ways to multiply out a chain.

    Parameters
    ----------
    factors : tuple of Jacobian
    mode : {"any", "forward", "reverse"}
        All brackets, or only the one that grows from the right, or from the left.
    thrifty : bool
        Keep the ways that hold less, also where they compute more.
    """

    def __init__(self, factors: tuple[Jacobian, ...], mode: str = "any", *, thrifty: bool = False) -> None:
        self.factors, self.mode, self.thrifty = factors, mode, thrifty
        self.item = max(f.dtype.itemsize for f in factors)
        self.rows = [f.shape[0] for f in factors]
        self.columns = [f.shape[1] for f in factors]
        self.flops = [f.flops for f in factors]
        self.axes = [common_axes(f) for f in factors]
        self._shared = [isinstance(f, Kronecker) for f in factors]
        self._stored = [isinstance(f, (Kronecker, BlockDiagonal)) for f in factors]
        self._reorders = [_only_reorders(f) for f in factors]
        self._known: dict[tuple[int, int, int | None], list[Way]] = {}

    def of(self, factors: tuple[Jacobian, ...]) -> Bracketing:
        """Return the same for another chain; stretches of what both begin with are not priced again."""
        other = Bracketing(factors, self.mode, thrifty=self.thrifty)
        if other.item == self.item:
            pairs = zip(self.factors, factors, strict=False)
            alike = next((i for i, (a, b) in enumerate(pairs) if a is not b), min(len(self.factors), len(factors)))
            other._known = {stretch: ways for stretch, ways in self._known.items() if stretch[1] < alike}
        return other

    def ways(self, first: int, last: int, axis: int | None = None) -> list[Way]:
        """Return the best ways to have factors first … last as a matrix, or as blocks along an axis of examples.

        One way, of least operations; if thrifty, all that no other beats in operations and in bytes.
        """
        key = first, last, axis
        known = self._known.get(key)
        if known is None:
            found = self._as_matrix(first, last) if axis is None else self._as_blocks(first, last, axis)
            known = self._known[key] = _front(found) if self.thrifty else [min(found, key=_price)]
        return known

    def _common(self, first: int, last: int) -> tuple[int, ...]:
        found = self.axes[first]
        for axes in self.axes[first + 1 : last + 1]:
            found = found if axes == found else tuple(axis for axis in found if axis in axes)
        return found

    # --- as a matrix -----------------------------------------------------------------------------

    def _as_matrix(self, first: int, last: int) -> list[Way]:
        m, n = self.rows[first], self.columns[last]
        entries, size = m * n, m * n * self.item
        if first == last:
            stored = isinstance(self.factors[first], Dense)
            return [Way(0, 0, 0, first) if stored else Way(entries, self.factors[first]._dense_bytes(), size, first)]
        if self._reorders[last] and self.mode != "forward":
            # nothing is computed or held for it, so no other bracket can be better
            return [
                _seen_through(left, size, entries, (left.bracket, last, "row view"))
                for left in self.ways(first, last - 1)
            ]
        found = [
            _acted(inside, entries, size, (inside.bracket, axis))
            for axis in self._common(first, last)
            for inside in self.ways(first, last, axis)
        ]
        if self.mode != "forward":
            for axis in self._common(first, last - 1):
                if self._is_outer(first, last, axis):
                    for left in self.ways(first, last - 1, axis):
                        found.append(_acted(left, entries, size, ((left.bracket, axis), last, "outer")))
        # any other bracket writes the matrix of a shorter stretch, and then the result
        least = entries + min(m, n) * min(self.columns[first:last])
        if found and not self.thrifty and not self._reorders[first] and min(found, key=_price).operations <= least:
            return found
        return found + self._as_product(first, last, entries, size)

    def _as_product(self, first: int, last: int, entries: int, size: int) -> list[Way]:
        m, n = self.rows[first], self.columns[last]
        found: list[Way] = []
        if self.mode != "forward":
            work = max(self.flops[last] * m, entries)
            for left in self.ways(first, last - 1):
                found.append(_acted(left, work, size, (left.bracket, last, "rows")))
        if self.mode != "reverse":
            # only a single factor acts by its structure, and then it is never written out
            work = max(self.flops[first] * n, entries)
            for right in self.ways(first + 1, last):
                found.append(_acted(right, work, size, (first, right.bracket, "columns")))
                if self._reorders[first]:
                    found.append(_seen_through(right, size, entries, (first, right.bracket, "column view")))
        if self.mode == "any":
            for k in range(first + 1, last - 1):
                work = max(2 * m * self.columns[k] * n, entries)
                for left in self.ways(first, k):
                    for right in self.ways(k + 1, last):
                        peak = size + max(left.peak, left.size + right.peak)
                        spent = left.operations + right.operations + work
                        found.append(Way(spent, peak, size, (left.bracket, right.bracket, "gemm")))
        return found

    def _is_outer(self, first: int, last: int, axis: int) -> bool:
        """Whether blocks along `axis` meet X ⊗ I there, which makes one product of each entry."""
        factor = self.factors[last]
        if not isinstance(factor, Kronecker) or len(self.factors[first].codomain) not in (1, 2):
            return False
        across, along = (factor.left, factor.right) if axis == 0 else (factor.right, factor.left)
        return isinstance(along, int) and not isinstance(across, int)

    # --- as blocks -------------------------------------------------------------------------------

    def _as_blocks(self, first: int, last: int, axis: int) -> list[Way]:
        """Factors that are I ⊗ W or W ⊗ I alone have one block for all examples."""
        count = self.factors[first].codomain[axis]
        p, q = self.rows[first] // max(count, 1), self.columns[last] // max(count, 1)
        shared = all(self._shared[first : last + 1])
        copies = 1 if shared else count
        entries, size = copies * p * q, copies * p * q * self.item
        if first == last:
            if self._stored[first]:
                return [Way(0, 0, 0, first)]
            return [Way(self.flops[first] * q + entries, size + copies * q * q * self.item, size, first)]

        def acted(inside: Way, work: int, bracket: Bracket) -> Way:
            # the examples' rows, moved together for the product, are a copy
            peak = max(inside.peak, 2 * inside.size + size)
            return Way(inside.operations + max(work * copies // max(count, 1), entries), peak, size, bracket)

        found: list[Way] = []
        if self.mode != "reverse":
            for right in self.ways(first + 1, last, axis):
                found.append(acted(right, self.flops[first] * q, (first, right.bracket, "columns")))
        if self.mode != "forward":
            for left in self.ways(first, last - 1, axis):
                found.append(acted(left, self.flops[last] * p, (left.bracket, last, "rows")))
        if self.mode == "any":
            for k in range(first + 1, last - 1):
                work = max(2 * entries * (self.columns[k] // max(count, 1)), entries)
                for left in self.ways(first, k, axis):
                    for right in self.ways(k + 1, last, axis):
                        peak = max(left.peak, left.size + right.peak, left.size + right.size + size)
                        spent = left.operations + right.operations + work
                        found.append(Way(spent, peak, size, (left.bracket, right.bracket, "gemm")))
        return found


def _acted(inside: Way, work: int, size: int, bracket: Bracket) -> Way:
    return Way(inside.operations + work, size + inside.peak, size, bracket)


def _seen_through(inside: Way, size: int, entries: int, bracket: Bracket) -> Way:
    moved = 0 if inside.size else entries
    return Way(inside.operations + moved, max(size, inside.peak), size, bracket)


def _only_reorders(factor: Jacobian) -> bool:
    """Whether the factor's neighbour can be written through a view of the result in the factor's place."""
    if isinstance(factor, Reshape):
        return [n for n in factor.codomain if n != 1] == [n for n in factor.domain if n != 1]
    return isinstance(factor, Commutation)


def _price(way: Way) -> tuple[int, int]:
    return way.operations, way.peak


def _front(ways: Iterable[Way]) -> list[Way]:
    """The ways that no other beats in operations and in peak."""
    kept: list[Way] = []
    for way in sorted(ways, key=_price):
        if not kept or way.peak < kept[-1].peak:
            kept.append(way)
    return kept
