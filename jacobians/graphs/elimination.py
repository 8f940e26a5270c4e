r"""Orders in which the inner values of a graph are eliminated: their costs by structure, and the cheapest order.

To eliminate an inner value v, multiply each edge that leaves it by each edge that enters it, and add the product to the
edge that joins the two ends already:

.. math:: E_{ij} \mathrel{+}= E_{iv} E_{vj}.

After the last inner value, the remaining edges are the Jacobians of the outputs with respect to the inputs. Forward
mode eliminates from the inputs on, reverse mode from the outputs on (Griewank & Walther 2008, ch. 9). A chain is a
graph with one path: the price of each product is that of a chain of two (`jacobians.linops.planning`).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from jacobians.arrays import format_bytes
from jacobians.errors import TooLargeError
from jacobians.graphs.built_edges import added, multiplied
from jacobians.linops import Jacobian
from jacobians.linops.pattern import Pattern
from jacobians.linops.planning import Bracket, Bracketing

EXACT = 12
"""Inner values up to which the order of least cost is found among all of them."""

_BEAM = 4
"""States that are followed at a time where there are more inner values."""

_BEAM_NODES = 100
"""Inner values up to which a beam is followed, and not one state alone."""

_WINDOW = 6
"""Values that an order takes one after the other, of which all orders are tried."""

Edge: TypeAlias = tuple[int, int]
"""(the value, the value that it depends on)."""


class Cost(NamedTuple):
    """What an order spends; the cheaper of two is the smaller.

    Attributes
    ----------
    operations : int
        Multiplications and additions; a step that only moves entries counts one for each that it writes.
    multiplications : int
        Those among them; one by ±1 is none.
    built : int
        Bytes of all products and sums that are built.
    peak : int
        The most that they take at one time.
    """

    operations: int = 0
    multiplications: int = 0
    built: int = 0
    peak: int = 0

    def then(self, step: Cost) -> Cost:
        """Return what is spent when a step follows."""
        return Cost(
            self.operations + step.operations,
            self.multiplications + step.multiplications,
            self.built + step.built,
            max(self.peak, step.peak),
        )


class Priced(NamedTuple):
    """The product of two edges: its pattern, its cost, and the bytes that are held at the same time."""

    product: Pattern
    operations: int
    multiplications: int
    beside: int


def price_of(left: Pattern, right: Pattern) -> Priced:
    """Return the cost of the product of two edges: that of their chain, unless the algebra merges them into one
    structure.

    Examples
    --------
    Two dense matrices, 9 by 2 and 2 by 4:

    >>> from jacobians.linops import Dense
    >>> from jacobians.linops.pattern import pattern_of
    >>> import numpy as np
    >>> wide, narrow = Dense(np.ones((9, 2)), (9,)), Dense(np.ones((2, 4)), (2,))
    >>> price_of(pattern_of(wide), pattern_of(narrow))[1:]
    (144, 72, 0)
    """
    product = left @ right
    if "identity" in (left.kind, right.kind) or product.kind == "moves":
        return Priced(product, 0, 0, 0)
    if product.kind == "diagonal":
        return Priced(product, product.rows, product.rows, 0)
    if left.sides is not None and right.sides is not None:
        pairs = zip(left.sides, right.sides, strict=True)
        count = sum(m * k * n for (m, k, one), (_, n, two) in pairs if not one and not two)
        return Priced(product, 2 * count, count, 0)
    (way,) = Bracketing((left, right)).ways(0, 1, product.axis)
    count = _multiplications(left, right, way.bracket, product.axis)
    return Priced(product, way.operations, count, way.peak - way.size)


def _multiplications(left: Pattern, right: Pattern, bracket: Bracket, axis: int | None) -> int:
    """Multiplications of the product of two, in the way that was found."""
    assert not isinstance(bracket, int)
    if len(bracket) == 2:
        return _multiplications(left, right, bracket[0], bracket[1])
    if bracket[2] == "outer":
        return left.rows * right.columns
    if bracket[2] not in ("rows", "columns"):
        return 0
    acts, vectors = (left, right.columns) if bracket[2] == "columns" else (right, left.rows)
    if axis is not None:
        vectors //= left.count(axis)
    return acts.multiplications(acts.acting(vectors))


class Prices:
    """Products and sums of patterns, each found once; patterns go by number."""

    def __init__(self) -> None:
        self.patterns: list[Pattern] = []
        self.entries: list[int] = []
        self.held: list[int] = []
        self._numbers: dict[Pattern, int] = {}
        self._products: dict[tuple[int, int], tuple[int, Priced]] = {}
        self._sums: dict[tuple[int, int], int] = {}

    def number(self, pattern: Pattern) -> int:
        """The number of a pattern."""
        known = self._numbers.setdefault(pattern, len(self.patterns))
        if known == len(self.patterns):
            self.patterns.append(pattern)
            self.entries.append(pattern.entries)
            self.held.append(pattern.bytes_held)
        return known

    def product(self, left: int, right: int) -> tuple[int, Priced]:
        """The product's number, and what it costs."""
        if (left, right) not in self._products:
            priced = price_of(self.patterns[left], self.patterns[right])
            self._products[left, right] = self.number(priced.product), priced
        return self._products[left, right]

    def sum(self, one: int, other: int) -> int:
        """The sum's number."""
        if (one, other) not in self._sums:
            self._sums[one, other] = self.number(self.patterns[one] + self.patterns[other])
        return self._sums[one, other]


class State:
    """The remaining edges: by their two ends, the number of their pattern."""

    def __init__(self, edges: Mapping[Edge, Pattern]) -> None:
        self.before: dict[int, dict[int, int]] = {}
        self.after: dict[int, dict[int, int]] = {}
        self.held = 0
        self.prices = Prices()
        for (value, source), pattern in edges.items():
            self._put(value, source, self.prices.number(pattern))

    def _put(self, value: int, source: int, pattern: int) -> None:
        self.before.setdefault(value, {})[source] = pattern
        self.after.setdefault(source, {})[value] = pattern
        self.held += self.prices.held[pattern]

    def copy(self) -> State:
        """Return a state that changes by itself."""
        other = State({})
        other.before = {v: dict(edges) for v, edges in self.before.items()}
        other.after = {v: dict(edges) for v, edges in self.after.items()}
        other.held, other.prices = self.held, self.prices
        return other

    def edges(self) -> dict[Edge, Pattern]:
        """Return the edges that are left."""
        patterns = self.prices.patterns
        return {(value, source): patterns[p] for value, sources in self.before.items() for source, p in sources.items()}

    def price(self, v: int) -> Cost:
        """Return what it costs to eliminate v."""
        operations = multiplications = new = beside = 0
        prices, values = self.prices, self.after.get(v, {})
        for source, right in self.before.get(v, {}).items():
            for value, left in values.items():
                joined, step = prices.product(left, right)
                operations += step.operations
                multiplications += step.multiplications
                also, known = step.beside, self.before[value].get(source)
                if known is not None:
                    also = max(also, prices.held[joined])
                    joined = prices.sum(joined, known)
                    operations += prices.entries[joined]
                new += prices.held[joined]
                beside = max(beside, also)
        return Cost(operations, multiplications, new, self.held + new + beside)

    def eliminate(self, v: int) -> None:
        """Multiply the edges through v out."""
        prices, sources, values = self.prices, self.before.pop(v, {}), self.after.pop(v, {})
        for value, left in values.items():
            self.held -= prices.held[left]
            del self.before[value][v]
        for source, right in sources.items():
            self.held -= prices.held[right]
            del self.after[source][v]
            for value, left in values.items():
                product, _ = prices.product(left, right)
                known = self.before[value].get(source)
                if known is not None:
                    self.held -= prices.held[known]
                    product = prices.sum(product, known)
                self._put(value, source, product)

    def neighbours(self, v: int) -> set[int]:
        """The values that an elimination of v changes the price of."""
        return {*self.before.get(v, {}), *self.after.get(v, {})}


def eliminated(edges: Mapping[Edge, Jacobian], order: Iterable[int]) -> dict[Edge, Jacobian]:
    """Return the edges that are left when values are eliminated in this order, multiplied out.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Dense, Identity
    >>> twice, ones = Dense(2 * np.ones((2, 2)), (2,)), Dense(np.ones((2, 2)), (2,))
    >>> eliminated({(1, 0): twice, (2, 1): ones, (2, 0): Identity((2,))}, [1])[2, 0].to_dense()
    array([[5., 4.],
           [4., 5.]])
    """
    before: dict[int, dict[int, Jacobian]] = {}
    after: dict[int, set[int]] = {}
    for (value, source), jacobian in edges.items():
        before.setdefault(value, {})[source] = jacobian
        after.setdefault(source, set()).add(value)
    for v in order:
        sources = before.pop(v, {})
        for source in sources:
            after[source].discard(v)
        for value in after.pop(v, set()):
            row = before[value]
            left = row.pop(v)
            for source, right in sources.items():
                product = multiplied(left, right)
                row[source] = added(product, row[source]) if source in row else product
                after[source].add(value)
    return {(value, source): jacobian for value, row in before.items() for source, jacobian in row.items()}


@dataclass(frozen=True, slots=True)
class Elimination:
    """An order of elimination, and what it costs.

    Attributes
    ----------
    order : tuple of int
        The inner values by number, the first to be eliminated first.
    operations : int
        Multiplications and additions; a step that only moves entries counts one for each that it writes.
    multiplications : int
        Those among them; one by ±1 is none.
    bytes_built : int
        Of all products and sums that are built.
    peak_bytes : int
        The most that these take at one time.
    """

    order: tuple[int, ...]
    operations: int
    multiplications: int
    bytes_built: int
    peak_bytes: int


class Orders(NamedTuple):
    """The best order found, the two modes, and whether the best order is known to be the best of all."""

    best: Elimination
    forward: Elimination
    reverse: Elimination
    exact: bool


def plan_elimination(
    edges: Mapping[Edge, Pattern], inner: Sequence[int], limit: int | None = None, *, exact: bool = True
) -> Orders:
    """Return the order with the fewest operations among those within the limit.

    Up to `EXACT` inner values the best of all orders is found, by dynamic programming over sets of eliminated values:
    what remains after a set does not depend on its order. Beyond that, the best of forward mode, reverse mode and a
    beam search is taken. The beam eliminates the value of lowest relative Markowitz cost first: the operations of its
    elimination, less the entries of the Jacobians of its outputs with respect to its inputs, which every order must
    reach (Griewank & Walther 2008, ch. 9). Up to 100 values, the found orders are then improved: each short run of
    values is put into its best order, until no run gets better.

    Parameters
    ----------
    edges : mapping of (int, int) to Pattern
        By (value, the value that it depends on).
    inner : sequence of int
        The values to eliminate, each after those that it depends on.
    limit : int, optional
        Bytes that the edges which are built must not exceed.
    exact : bool
        Whether to look through all orders, where there are few enough, or else through those of a few values.

    Raises
    ------
    TooLargeError
        If no order that was found stays within the limit.

    Examples
    --------
    A chain of three dense edges, 9 by 2, 2 by 9 and 9 by 2, in which the last product is taken first:

    >>> import numpy as np
    >>> from jacobians.linops import Dense
    >>> from jacobians.linops.pattern import pattern_of
    >>> wide, narrow = pattern_of(Dense(np.ones((9, 2)), (9,))), pattern_of(Dense(np.ones((2, 9)), (2,)))
    >>> best, forward, reverse, exact = plan_elimination({(3, 2): wide, (2, 1): narrow, (1, 0): wide}, [1, 2])
    >>> best.order, best.operations, reverse.operations
    ((1, 2), 144, 648)
    """
    start = State(edges)
    modes = [(_spent(start, order), tuple(order)) for order in (inner, inner[::-1])]
    known = [*modes, _beam(start, inner)]
    within = [k for k in known if limit is None or k[0].peak <= limit]
    whole = exact and len(inner) <= EXACT
    if exact and not whole and len(inner) <= _BEAM_NODES:
        within = [_bettered(start, k, limit) for k in within]
    found = min(within, default=None)
    if whole:
        found = _best_of_all(start, inner, limit, found)
    forward, reverse = (_elimination(mode) for mode in modes)
    if found is None:
        least = min(forward.peak_bytes, reverse.peak_bytes)
        raise TooLargeError(
            f"plan: no order of elimination that was found stays within {format_bytes(limit or 0)}; "
            f"{'forward' if forward.peak_bytes == least else 'reverse'} takes {format_bytes(least)}: pass "
            f"limit={least}, or use jvp or vjp"
        )
    return Orders(_elimination(found), forward, reverse, whole)


def _elimination(found: Found) -> Elimination:
    cost, order = found
    return Elimination(order, *cost)


def _spent(start: State, order: Iterable[int]) -> Cost:
    state, cost = start.copy(), Cost()
    for v in order:
        cost = cost.then(state.price(v))
        state.eliminate(v)
    return cost


Found: TypeAlias = tuple[Cost, tuple[int, ...]]


def _best_of_all(start: State, inner: Sequence[int], limit: int | None, known: Found | None) -> Found | None:
    """Dynamic programming over sets of eliminated values: the best way to a set goes through one with a value less.

    What costs more than an order that is known already leads nowhere.
    """
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
                if known is not None and found[0] > known[0]:
                    continue
                key = gone | {v}
                if key not in best or found < best[key][0]:
                    best[key] = found, state, v
        layer = {key: (found, _without(state, v)) for key, (found, state, v) in best.items()}
    return min((found for found, _ in layer.values()), default=known)


def _bettered(start: State, found: Found, limit: int | None) -> Found:
    """The improved order: every window of `_WINDOW` values is put into its best order.

    The cost of a window depends on the set that was eliminated before, not on its order. So no window is tried twice.
    """
    _, order = found
    seen: set[tuple[frozenset[int], frozenset[int]]] = set()
    better = True
    while better:
        better, state = False, start.copy()
        for place in range(len(order)):
            window = order[place : place + _WINDOW]
            sets = frozenset(order[:place]), frozenset(window)
            if place % (_WINDOW // 2) == 0 and sets not in seen:
                seen.add(sets)
                own = _spent(state, window), window
                best = _best_of_all(state, window, limit, own)
                if best is not None and best[0] < own[0]:
                    order, better = (*order[:place], *best[1], *order[place + _WINDOW :]), True
            state.eliminate(order[place])
    return _spent(start, order), order


def _without(state: State, v: int) -> State:
    other = state.copy()
    other.eliminate(v)
    return other


def _beam(start: State, inner: Sequence[int]) -> Found:
    """Beam search: a few orders at a time, one for large graphs, extended by values of low Markowitz cost."""
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
    return state.price(v).operations - ends[v]


def _ends(start: State, inner: Collection[int]) -> dict[int, int]:
    """For each inner value, the entries of its inputs times those of its outputs: every order must reach these."""
    order = list(inner)
    sources: dict[int, frozenset[int]] = {}
    values: dict[int, frozenset[int]] = {}
    known, among = {}, set(order)
    for source, after in start.after.items():
        known[source] = start.prices.patterns[next(iter(after.values()))].columns
    for value, before in start.before.items():
        known[value] = start.prices.patterns[next(iter(before.values()))].rows
    for v in order:
        sources[v] = frozenset().union(*(sources[s] if s in among else {s} for s in start.before.get(v, {})))
    for v in reversed(order):
        values[v] = frozenset().union(*(values[s] if s in among else {s} for s in start.after.get(v, {})))
    return {v: sum(known[s] for s in sources[v]) * sum(known[s] for s in values[v]) for v in order}
