r"""Orders in which the inner values of a graph are eliminated, priced by structure, and the order of least cost.

To eliminate an inner value v is to multiply each edge that leaves it by each edge that enters it, and to add the
product to what joins the two ends already:

.. math:: E_{ij} \mathrel{+}= E_{iv} E_{vj}.

When every inner value is gone, the edges that are left are the Jacobians of the outputs with respect to the inputs.
Forward mode eliminates from the inputs on, reverse mode from the outputs on (Griewank & Walther 2008, ch. 9).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple, TypeAlias

from jacobians.arrays import Shape, format_bytes
from jacobians.errors import TooLargeError
from jacobians.linops import Commutation, Diagonal, Identity, Jacobian, Kronecker, Product, Reshape, Scaled, Selection
from jacobians.linops.by_example import common_axes

__all__ = ["EXACT", "EdgePattern", "EliminationPlan", "pattern_of", "plan_elimination"]

EXACT = 12
"""Inner values up to which the order of least cost is found among all of them."""

_BEAM = 4
"""States that are followed at a time where there are more inner values."""

_BEAM_NODES = 100
"""Inner values up to which a beam is followed, and not one state alone."""

Edge: TypeAlias = tuple[int, int]
"""(the value, the value that it depends on)."""


@dataclass(frozen=True, slots=True)
class EdgePattern:
    """What the price of an edge depends on: where its Jacobian can have entries, and which of them are stored.

    A product's pattern has what both factors have, and a sum's what both terms have. So what is left when a set of
    values is eliminated does not depend on the order.

    Parameters
    ----------
    rows, columns : int
    item : int
        Bytes of an entry.
    counts : tuple of (axis, int)
        The axes, of 0 and -1, along which the examples stay apart, each with the number of examples.
    shared : bool
        Whether all examples have the same block.
    diagonal : bool
        Whether it multiplies entry by entry.
    unit : bool
        Whether it only moves, copies or adds up entries, or changes their signs: a product with it multiplies nothing.
    factors : pair of Shape or None
        The shapes of A and B in a Kronecker product A ⊗ B, which is never multiplied out.
    built : bool
        Whether it is a product or a sum, which takes memory.
    """

    rows: int
    columns: int
    item: int = 8
    counts: tuple[tuple[int, int], ...] = ()
    shared: bool = False
    diagonal: bool = False
    unit: bool = False
    factors: tuple[Shape, Shape] | None = None
    built: bool = False

    @property
    def entries(self) -> int:
        """How many entries are stored."""
        if self.unit or self.diagonal:
            return self.rows
        if self.factors is not None:
            (a, b), (c, d) = self.factors
            return a * b + c * d
        return min(
            (self._copies(n) * (self.rows // n) * (self.columns // n) for _, n in self.counts),
            default=self.rows * self.columns,
        )

    @property
    def bytes_held(self) -> int:
        """Bytes that it takes, beside what the graph holds."""
        return self.entries * self.item if self.built else 0

    def _copies(self, count: int) -> int:
        return 1 if self.shared else count

    def __matmul__(self, other: EdgePattern) -> EdgePattern:
        factors = None
        if self.factors is not None and other.factors is not None:
            # (A ⊗ B)(C ⊗ D) = AC ⊗ BD
            (a, c), (b, d) = self.factors, other.factors
            factors = (a[0], b[1]), (c[0], d[1])
        return self._met(other, self.rows, other.columns, unit=self.unit and other.unit, factors=factors)

    def __add__(self, other: EdgePattern) -> EdgePattern:
        return self._met(other, self.rows, self.columns, unit=False, factors=None)

    def _met(
        self, other: EdgePattern, rows: int, columns: int, *, unit: bool, factors: tuple[Shape, Shape] | None
    ) -> EdgePattern:
        return EdgePattern(
            rows,
            columns,
            max(self.item, other.item),
            tuple(count for count in self.counts if count in other.counts),
            self.shared and other.shared,
            self.diagonal and other.diagonal,
            unit,
            factors,
            built=True,
        )

    def multiplications(self, other: EdgePattern) -> int:
        """Return the multiplications of the product self @ other."""
        if self.unit or other.unit:
            return 0
        if self.diagonal or other.diagonal:
            return (self @ other).entries
        if self.factors is not None and other.factors is not None:
            return sum(m * k * n for (m, k), (_, n) in zip(self.factors, other.factors, strict=True))
        common = [n for axis, n in self.counts if (axis, n) in other.counts]
        m, k, n = self.rows, self.columns, other.columns
        if common:
            copies = 1 if self.shared and other.shared else None
            return min((copies or c) * (m // c) * (k // c) * (n // c) for c in common)
        apart = [c for _, c in (*self.counts, *other.counts)]
        return m * k * n // max(apart, default=1)


def pattern_of(jacobian: Jacobian) -> EdgePattern:
    """Return the pattern of a structured Jacobian; a product's is that of its factors."""
    if isinstance(jacobian, Product):
        product = reduce(EdgePattern.__matmul__, map(pattern_of, jacobian.factors))
        return replace(product, built=False)
    counts = tuple((axis, jacobian.codomain[axis]) for axis in common_axes(jacobian) if jacobian.codomain[axis])
    factors = None
    if isinstance(jacobian, Kronecker) and not isinstance(jacobian.left, int) and not isinstance(jacobian.right, int):
        factors = (jacobian.left.shape, jacobian.right.shape)
    return EdgePattern(
        *jacobian.shape,
        jacobian.dtype.itemsize,
        counts,
        jacobian._shares_block,
        isinstance(jacobian, Diagonal | Identity),
        _is_unit(jacobian),
        factors,
    )


def _is_unit(jacobian: Jacobian) -> bool:
    if isinstance(jacobian, Scaled):
        return abs(jacobian.factor) == 1 and _is_unit(jacobian.inner)
    return isinstance(jacobian, Identity | Commutation | Reshape | Selection)


# --- elimination -------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """What was spent; the cheaper of two is the smaller."""

    multiplications: int = 0
    additions: int = 0
    peak: int = 0

    def then(self, step: Cost) -> Cost:
        """Return what is spent when a step follows."""
        return Cost(
            self.multiplications + step.multiplications, self.additions + step.additions, max(self.peak, step.peak)
        )


class State:
    """The edges that are left, by both of their ends."""

    def __init__(self, edges: Mapping[Edge, EdgePattern]) -> None:
        self.before: dict[int, dict[int, EdgePattern]] = {}
        self.after: dict[int, dict[int, EdgePattern]] = {}
        self.held = 0
        for (value, source), pattern in edges.items():
            self._put(value, source, pattern)

    def _put(self, value: int, source: int, pattern: EdgePattern) -> None:
        self.before.setdefault(value, {})[source] = pattern
        self.after.setdefault(source, {})[value] = pattern
        self.held += pattern.bytes_held

    def copy(self) -> State:
        """Return a state that changes by itself."""
        other = State({})
        other.before = {v: dict(edges) for v, edges in self.before.items()}
        other.after = {v: dict(edges) for v, edges in self.after.items()}
        other.held = self.held
        return other

    def price(self, v: int) -> Cost:
        """Return what it costs to eliminate v."""
        multiplications = additions = new = 0
        for source, right in self.before.get(v, {}).items():
            for value, left in self.after.get(v, {}).items():
                multiplications += left.multiplications(right)
                joined = left @ right
                known = self.before[value].get(source)
                if known is not None:
                    joined = joined + known
                    additions += joined.entries
                new += joined.bytes_held
        return Cost(multiplications, additions, self.held + new)

    def eliminate(self, v: int) -> None:
        """Multiply the edges through v out."""
        sources, values = self.before.pop(v, {}), self.after.pop(v, {})
        for value, left in values.items():
            self.held -= left.bytes_held
            del self.before[value][v]
        for source, right in sources.items():
            self.held -= right.bytes_held
            del self.after[source][v]
            for value, left in values.items():
                known = self.before[value].get(source)
                self.held -= known.bytes_held if known is not None else 0
                self._put(value, source, left @ right if known is None else left @ right + known)

    def neighbours(self, v: int) -> set[int]:
        """The values that an elimination of v changes the price of."""
        return {*self.before.get(v, {}), *self.after.get(v, {})}


@dataclass(frozen=True, slots=True)
class EliminationPlan:
    """An order in which the inner values of a graph are eliminated, and what it costs.

    Attributes
    ----------
    order : tuple of int
        The inner values by number, the first to be eliminated first.
    multiplications, additions : int
        Of the products and sums of edges; a multiplication by an entry that is always ±1 is none. An addition within a
        product is not counted apart from its multiplication.
    peak_bytes : int
        The most that the edges which are built take at one time.
    forward, reverse : int
        Multiplications from the inputs on, and from the outputs on.
    exact : bool
        Whether no order takes fewer multiplications.
    names : tuple of str
        What the values are called, by number.
    """

    order: tuple[int, ...]
    multiplications: int
    additions: int
    peak_bytes: int
    forward: int
    reverse: int
    exact: bool
    names: tuple[str, ...] = ()

    @property
    def operations(self) -> int:
        """Multiplications and the additions between products."""
        return self.multiplications + self.additions

    def __str__(self) -> str:
        order = ", ".join(self.names[v] if self.names else str(v) for v in self.order) or "nothing to eliminate"
        return (
            f"{order}: {self.multiplications:,} multiplications, {self.additions:,} additions, peak "
            f"{format_bytes(self.peak_bytes)} (forward {self.forward:,}, reverse {self.reverse:,})"
            + ("" if self.exact else ", by a heuristic")
        )


def plan_elimination(
    edges: Mapping[Edge, EdgePattern], inner: Sequence[int], limit: int | None = None, names: Sequence[str] = ()
) -> EliminationPlan:
    """Return the order of least multiplications, of those that stay within the limit.

    Up to `EXACT` inner values the best of all orders is found, by dynamic programming over the sets of values that are
    eliminated already. Beyond, the best of forward, reverse and a beam of the orders that take the value of lowest
    relative Markowitz cost first: the multiplications of its elimination, less those of the products of its ends.

    Parameters
    ----------
    edges : mapping of (int, int) to EdgePattern
        By (value, the value that it depends on).
    inner : sequence of int
        The values to eliminate, each after those that it depends on.
    limit : int, optional
        Bytes that the edges which are built must not exceed.
    names : sequence of str, optional
        What the values are called, by number.

    Raises
    ------
    TooLargeError
        If no order that was found stays within the limit.

    Examples
    --------
    A chain of three edges, 9 by 2, 2 by 9 and 9 by 2, in which the last product is taken first:

    >>> wide, narrow = EdgePattern(9, 2), EdgePattern(2, 9)
    >>> print(plan_elimination({(3, 2): wide, (2, 1): narrow, (1, 0): wide}, [1, 2]))
    1, 2: 72 multiplications, 0 additions, peak 176 B (forward 72, reverse 324)
    """
    start = State(edges)
    forward, reverse = _spent(start, inner), _spent(start, inner[::-1])
    exact = len(inner) <= EXACT
    if exact:
        found = _best_of_all(start, inner, limit)
    else:
        known = [(forward, tuple(inner)), (reverse, tuple(inner[::-1])), _beam(start, inner)]
        found = min((k for k in known if limit is None or k[0].peak <= limit), default=None)
    if found is None:
        least = min(forward.peak, reverse.peak)
        raise TooLargeError(
            f"plan: no order of elimination that was found stays within {format_bytes(limit or 0)}; "
            f"{'forward' if forward.peak == least else 'reverse'} takes {format_bytes(least)}: pass limit={least}, or "
            "use jvp or vjp"
        )
    cost, order = found
    return EliminationPlan(
        order,
        cost.multiplications,
        cost.additions,
        cost.peak,
        forward.multiplications,
        reverse.multiplications,
        exact,
        tuple(names),
    )


def _spent(start: State, order: Iterable[int]) -> Cost:
    state, cost = start.copy(), Cost()
    for v in order:
        cost = cost.then(state.price(v))
        state.eliminate(v)
    return cost


Found: TypeAlias = tuple[Cost, tuple[int, ...]]


def _best_of_all(start: State, inner: Sequence[int], limit: int | None) -> Found | None:
    """Sets of eliminated values, the smaller first: each is reached at least cost from one that lacks one value."""
    layer: dict[frozenset[int], tuple[Found, State]] = {frozenset(): ((Cost(), ()), start)}
    for _ in inner:
        best: dict[frozenset[int], tuple[Found, State, int]] = {}
        for gone, ((cost, order), state) in layer.items():
            for v in inner:
                if v in gone:
                    continue
                step = state.price(v)
                if limit is not None and step.peak > limit:
                    continue
                found = cost.then(step), (*order, v)
                key = gone | {v}
                if key not in best or found < best[key][0]:
                    best[key] = found, state, v
        layer = {key: (found, _without(state, v)) for key, (found, state, v) in best.items()}
    return min((found for found, _ in layer.values()), default=None)


def _without(state: State, v: int) -> State:
    other = state.copy()
    other.eliminate(v)
    return other


def _beam(start: State, inner: Sequence[int]) -> Found:
    """A few orders at a time, or one for large graphs, each led on by the values of lowest relative Markowitz cost."""
    ends = _ends(start, inner)
    if len(inner) > _BEAM_NODES:
        return _greedy(start, inner, ends)
    states: list[tuple[Found, State]] = [((Cost(), ()), start)]
    for _ in inner:
        found: dict[frozenset[int], tuple[Found, State, int]] = {}
        for (cost, order), state in states:
            gone = set(order)
            left = [v for v in inner if v not in gone]
            for v in heapq.nsmallest(_BEAM, left, key=lambda v: _relative(state, v, ends)):
                reached = cost.then(state.price(v)), (*order, v)
                key = frozenset(reached[1])
                if key not in found or reached < found[key][0]:
                    found[key] = reached, state, v
        kept = heapq.nsmallest(_BEAM, found.values(), key=lambda reached: reached[0])
        states = [(reached, _without(state, v)) for reached, state, v in kept]
    return min(found for found, _ in states)


def _greedy(start: State, inner: Sequence[int], ends: Mapping[int, int]) -> Found:
    """One order; only the neighbours of what was eliminated are priced again."""
    state, cost, order, left = start.copy(), Cost(), [], set(inner)
    queue = [(_relative(state, v, ends), v) for v in inner]
    heapq.heapify(queue)
    current = {v: price for price, v in queue}
    while queue:
        price, v = heapq.heappop(queue)
        if v not in left or price != current[v]:
            continue
        left.discard(v)
        cost = cost.then(state.price(v))
        order.append(v)
        around = state.neighbours(v) & left
        state.eliminate(v)
        for u in around:
            current[u] = _relative(state, u, ends)
            heapq.heappush(queue, (current[u], u))
    return cost, tuple(order)


def _relative(state: State, v: int, ends: Mapping[int, int]) -> int:
    return state.price(v).multiplications - ends[v]


def _ends(start: State, inner: Collection[int]) -> dict[int, int]:
    """For each inner value the entries of its inputs times those of its outputs, which any order has to reach."""
    order = list(inner)
    sources: dict[int, frozenset[int]] = {}
    values: dict[int, frozenset[int]] = {}
    known, among = {}, set(order)
    for source, after in start.after.items():
        known[source] = next(iter(after.values())).columns
    for value, before in start.before.items():
        known[value] = next(iter(before.values())).rows
    for v in order:
        sources[v] = frozenset().union(*(sources[s] if s in among else {s} for s in start.before.get(v, {})))
    for v in reversed(order):
        values[v] = frozenset().union(*(values[s] if s in among else {s} for s in start.after.get(v, {})))
    return {v: sum(known[s] for s in sources[v]) * sum(known[s] for s in values[v]) for v in order}
