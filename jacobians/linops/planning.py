"""The cost of every way to multiply out a chain, by structure; the cheapest way, and the product computed in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import NamedTuple, TypeAlias, TypeVar, cast

from jacobians.arrays import Array, DType, Shape, as_array, format_bytes, size_of
from jacobians.errors import TooLargeError
from jacobians.linops.batch import BlockDiagonal, blocks_times_inputs
from jacobians.linops.by_example import for_each
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul, on_rows
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.pattern import Pattern, pattern_of
from jacobians.linops.permutations import Commutation
from jacobians.linops.unrolling import exchanged, slabs
from jacobians.linops.wrappers import Scaled

Bracket: TypeAlias = "int | tuple[Bracket, Bracket, str] | tuple[Bracket, int]"
"""A factor's position; (left, right, action); or (inside, axis), which is multiplied out example by example."""


LONG = 64
"""Factors above which a chain is planned as a chain of shorter ones: a plan takes time cubic in the length."""

_PARTS = 32
"""How many shorter ones."""


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
    factors : sequence of Pattern
    mode : {"any", "forward", "reverse"}
        All brackets, or only the one that grows from the right, or from the left.
    thrifty : bool
        Keep the ways that hold less, also where they compute more.
    """

    def __init__(self, factors: Sequence[Pattern], mode: str = "any", *, thrifty: bool = False) -> None:
        self.factors, self.mode, self.thrifty = factors, mode, thrifty
        self.item = max(f.item for f in factors)
        self._axes = [tuple(axis for axis, _ in f.counts) for f in factors]
        self._known: dict[tuple[int, int, int | None], list[Way]] = {}

    def of(self, factors: Sequence[Pattern]) -> Bracketing:
        """Return the same for another chain. What both begin with is not priced again."""
        other = Bracketing(factors, self.mode, thrifty=self.thrifty)
        if other.item == self.item:
            pairs = zip(self.factors, factors, strict=False)
            alike = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(self.factors), len(factors)))
            other._known = {stretch: ways for stretch, ways in self._known.items() if stretch[1] < alike}
        return other

    def ways(self, first: int, last: int, axis: int | None = None) -> list[Way]:
        """Return the best ways to have factors first … last as a matrix, or as blocks along an axis of examples.

        The way with the fewest operations; if thrifty, all ways that no other beats in both operations and bytes.
        """
        key = first, last, axis
        known = self._known.get(key)
        if known is None:
            found = self._as_matrix(first, last) if axis is None else self._as_blocks(first, last, axis)
            known = self._known[key] = _front(found) if self.thrifty else [min(found, key=_price)]
        return known

    def _common(self, first: int, last: int) -> tuple[int, ...]:
        found = self._axes[first]
        for axes in self._axes[first + 1 : last + 1]:
            found = found if axes == found else tuple(axis for axis in found if axis in axes)
        return found

    # --- as a matrix -----------------------------------------------------------------------------

    def _as_matrix(self, first: int, last: int) -> list[Way]:
        head, tail = self.factors[first], self.factors[last]
        m, n = head.rows, tail.columns
        entries, size = m * n, m * n * self.item
        if first == last:
            return [
                Way(0, 0, 0, first) if head.stores_matrix else Way(head.written(None), head.dense_bytes, size, first)
            ]
        if tail.reorders and self.mode != "forward":
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
        least = entries + min(m, n) * min(f.columns for f in self.factors[first:last])
        if found and not self.thrifty and not head.reorders and min(found, key=_price).operations <= least:
            return found
        return found + self._as_product(first, last, entries, size)

    def _as_product(self, first: int, last: int, entries: int, size: int) -> list[Way]:
        head, tail = self.factors[first], self.factors[last]
        m, n = head.rows, tail.columns
        found: list[Way] = []
        if self.mode != "forward":
            work = max(tail.acting(m), entries)
            for left in self.ways(first, last - 1):
                found.append(_acted(left, work, size, (left.bracket, last, "rows")))
        if self.mode != "reverse":
            # only a single factor acts by its structure, and then it is never written out
            work = max(head.acting(n), entries)
            for right in self.ways(first + 1, last):
                found.append(_acted(right, work, size, (first, right.bracket, "columns")))
                if head.reorders:
                    found.append(_seen_through(right, size, entries, (first, right.bracket, "column view")))
        if self.mode == "any":
            for k in range(first + 1, last - 1):
                work = max(2 * m * self.factors[k].columns * n, entries)
                for left in self.ways(first, k):
                    for right in self.ways(k + 1, last):
                        peak = size + max(left.peak, left.size + right.peak)
                        spent = left.operations + right.operations + work
                        found.append(Way(spent, peak, size, (left.bracket, right.bracket, "gemm")))
        return found

    def _is_outer(self, first: int, last: int, axis: int) -> bool:
        """Whether blocks along `axis` meet X ⊗ I there, so that each entry is a single product."""
        sides = self.factors[last].sides
        if sides is None or self.factors[first].rank not in (1, 2):
            return False
        across, along = sides if axis == 0 else sides[::-1]
        return along[2] and not across[2]

    # --- as blocks -------------------------------------------------------------------------------

    def _as_blocks(self, first: int, last: int, axis: int) -> list[Way]:
        """Factors that are I ⊗ W or W ⊗ I alone have one block for all examples."""
        head, tail = self.factors[first], self.factors[last]
        count = head.count(axis)
        p, q = head.rows // count, tail.columns // count
        shared = all(f.shared for f in self.factors[first : last + 1])
        copies = 1 if shared else dict(head.counts)[axis]
        entries, size = copies * p * q, copies * p * q * self.item
        if first == last:
            if head.stores_blocks:
                return [Way(0, 0, 0, first)]
            return [Way(head.written(axis), size + copies * q * q * self.item, size, first)]

        def acted(inside: Way, work: int, bracket: Bracket) -> Way:
            # the examples' rows, moved together for the product, are a copy
            peak = max(inside.peak, 2 * inside.size + size)
            return Way(inside.operations + max(work * copies // count, entries), peak, size, bracket)

        found: list[Way] = []
        if self.mode != "reverse":
            for right in self.ways(first + 1, last, axis):
                found.append(acted(right, head.acting(q), (first, right.bracket, "columns")))
        if self.mode != "forward":
            for left in self.ways(first, last - 1, axis):
                found.append(acted(left, tail.acting(p), (left.bracket, last, "rows")))
        if self.mode == "any":
            for k in range(first + 1, last - 1):
                work = max(2 * entries * (self.factors[k].columns // count), entries)
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


def _price(way: Way) -> tuple[int, int]:
    return way.operations, way.peak


def _front(ways: Iterable[Way]) -> list[Way]:
    """The ways that no other beats in operations and in peak."""
    kept: list[Way] = []
    for way in sorted(ways, key=_price):
        if not kept or way.peak < kept[-1].peak:
            kept.append(way)
    return kept


@dataclass(frozen=True, slots=True)
class Plan:
    """How a chain will be multiplied out, and what it costs.

    A chain of more than 64 factors is planned as one of 32 shorter chains; the positions are theirs.

    Attributes
    ----------
    bracket : nested tuple
        Positions of factors, bracketed, each pair with its action: "columns" (the left factor acts on the
        columns of the right), "rows" (the right acts on the rows of the left), "gemm" (both are built), "outer" (a
        row of each block times the example's input), "row view" or "column view" (one only reorders the other's rows or
        columns). A pair (inside, axis) is multiplied out example by example, the examples lying along this axis.
    operations : int
        Multiplications and additions; a step that only moves entries counts one for each that it writes.
    peak_bytes : int
        The most that the arrays which are built, the matrix among them, take at one time, but for slabs of 2 MiB.
    forward, reverse : int
        Operations of the two pure modes, for comparison; by blocks too, where the examples stay apart.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Kronecker
    >>> chain = Kronecker(np.ones((9, 2)), 3) @ Kronecker(np.ones((2, 9)), 3) @ Kronecker(9, np.ones((4, 3)).T)
    >>> print(chain.plan())
    (0 1): 4,104 operations, peak 9.3 KiB (forward 4,104, reverse 5,346)
    """

    bracket: Bracket
    operations: int
    peak_bytes: int
    forward: int
    reverse: int

    def __str__(self) -> str:
        return (
            f"{_show(self.bracket)}: {self.operations:,} operations, peak {format_bytes(self.peak_bytes)} "
            f"(forward {self.forward:,}, reverse {self.reverse:,})"
        )


def make_plan(factors: tuple[Jacobian, ...], limit: int | None = None, best: Way | None = None) -> Plan:
    """Return the plan of least operations over all bracketings of `factors`, of those that stay within the limit.

    Parameters
    ----------
    factors : tuple of Jacobian
    limit : int, optional
        Bytes that `peak_bytes` must not exceed.
    best : Way, optional
        The way of least operations, where it is known.

    Raises
    ------
    TooLargeError
        If no bracketing stays within the limit.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Dense
    >>> wide, narrow = Dense(np.ones((9, 2)), (9,)), Dense(np.ones((2, 9)), (2,))
    >>> print(make_plan((wide, narrow, wide)))
    (0 (1 2)): 144 operations, peak 176 B (forward 144, reverse 648)
    """
    last, patterns = len(factors) - 1, patterns_of(factors)
    way = best or Bracketing(patterns).ways(0, last)[0]
    if limit is not None and way.peak > limit:
        way = within(factors, limit)
    pure = (Bracketing(patterns, mode).ways(0, last)[0].operations for mode in ("forward", "reverse"))
    return Plan(way.bracket, way.operations, way.peak, *pure)


def within(factors: tuple[Jacobian, ...], limit: int) -> Way:
    """Return the way with the fewest operations among those that hold at most `limit` bytes at a time.

    Raises
    ------
    TooLargeError
        If there is none.
    """
    ways = Bracketing(patterns_of(factors), thrifty=True).ways(0, len(factors) - 1)
    for way in ways:
        if way.peak <= limit:
            return way
    least = ways[-1].peak
    raise TooLargeError(
        f"plan: no bracketing of {_structures(factors)} stays within {format_bytes(limit)}; the "
        f"thriftiest takes {format_bytes(least)}: pass limit={least}, or use jvp, vjp or to_sparse()"
    )


def _structures(factors: Factors) -> str:
    shown = [factor.structure for factor in factors]
    return " @ ".join(shown if len(shown) <= 12 else [*shown[:3], f"… ({len(shown) - 6} more)", *shown[-3:]])


def ways_together(chains: Sequence[Factors]) -> list[Way]:
    """Return the way with the fewest operations for each chain. A common beginning is priced once."""
    found: dict[Factors, Way] = {}
    patterns: dict[Jacobian, Pattern] = {}
    priced: Bracketing | None = None
    for factors in sorted(chains, key=len):
        patterns |= {factor: pattern_of(factor) for factor in factors if factor not in patterns}
        own = [patterns[factor] for factor in factors]
        priced = priced.of(own) if priced else Bracketing(own)
        (found[factors],) = priced.ways(0, len(factors) - 1)
    return [found[factors] for factors in chains]


def least_bytes(factors: tuple[Jacobian, ...]) -> int:
    """Return the bytes that the thriftiest bracketing builds at a time."""
    return Bracketing(patterns_of(factors), thrifty=True).ways(0, len(factors) - 1)[-1].peak


def shorter(factors: Factors) -> list[Factors]:
    """Return a chain of more than `LONG` factors in `_PARTS` of about one length, each cut off where it is narrowest.

    A part acts factor by factor, like a sweep. Where its matrix is needed, it has its own plan.
    """
    if len(factors) <= LONG:
        return [(factor,) for factor in factors]
    length = -(-len(factors) // _PARTS)
    cuts = [
        min(range(start, min(start + length, len(factors))), key=lambda k: factors[k].shape[0])
        for start in range(length, len(factors), length)
    ]
    return [factors[a:b] for a, b in pairwise((0, *cuts, len(factors)))]


def patterns_of(factors: Sequence[Jacobian]) -> list[Pattern]:
    """Return what the price of each factor depends on."""
    return [pattern_of(factor) for factor in factors]


def _show(bracket: Bracket) -> str:
    if isinstance(bracket, int):
        return str(bracket)
    if len(bracket) == 2:
        inside = _show(bracket[0])
        return f"[{inside[1:-1]}]" if inside[0] == "(" else f"[{inside}]"
    return f"({_show(bracket[0])} {_show(bracket[1])})"


Factors = tuple["Jacobian", ...]


class Beginning:
    """The blocks with which the chain before began, for the next one that begins with the same factors.

    The chains of a deep net's parameters do. Together they cost one sweep, and not one each.
    """

    __slots__ = ("_axis", "_blocks", "_bracket", "_factors")

    def __init__(self) -> None:
        self._factors: Factors = ()

    def keep(self, factors: Factors, bracket: Bracket, axis: int, blocks: Array) -> None:
        """Remember blocks if the bracket begins the chain, and forget the blocks before."""
        if _first(bracket) == 0:
            self._factors = factors[: _last(bracket) + 1]
            self._bracket, self._axis, self._blocks = bracket, axis, blocks

    def known(self, factors: Factors, bracket: Bracket, axis: int) -> Array | None:
        """The bracket's blocks, if they are those that are remembered."""
        own = self._factors
        if not own or self._bracket != bracket or self._axis != axis:
            return None
        return self._blocks if all(a is b for a, b in zip(own, factors, strict=False)) else None


def _unscaled(factor: Jacobian) -> tuple[float, Kronecker]:
    """A number and the Kronecker product that it multiplies."""
    scale = 1.0
    while isinstance(factor, Scaled):
        scale, factor = scale * factor.factor, factor.inner
    return scale, cast(Kronecker, factor)


def fill(factors: Factors, bracket: Bracket, out: Array, begun: Beginning | None = None) -> None:
    """Write the product of the bracket's factors into an array of shape (*codomain, *domain), in its dtype throughout.

    Actions are computed one slab at a time and then written, so `out` may have any strides.
    """
    match bracket:
        case int():
            factors[bracket]._fill(out)
        case (inside, int(axis)):
            _block_diagonal(factors, inside, axis, out.dtype, begun)._fill(out)
        case (int(first), right, "column view"):
            fill(factors, right, _before(factors[first], out))
        case (left, int(last), "row view"):
            turned = exchanged(out, out.ndim - len(factors[last].domain))
            fill(factors, left, exchanged(_before(factors[last].T, turned), len(factors[last].codomain)), begun)
        case ((inside, int(axis)), int(last), "outer"):
            scale, inputs = _unscaled(factors[last])
            blocks = _block_diagonal(factors, inside, axis, out.dtype, begun)
            rows = cast(Array, inputs.left if axis == 0 else inputs.right)
            blocks_times_inputs(blocks, rows if scale == 1.0 else as_array(scale * rows))._fill(out)
        case (int(first), right, "columns"):
            factor = factors[first]
            columns = exchanged(_built(factors, right, out.dtype, by_columns=True), len(factor.domain))
            _write(factor._jvp, columns, exchanged(out, len(factor.codomain)), factor.domain)
        case (left, int(last), "rows"):
            factor = factors[last]
            _write(factor._vjp, _built(factors, left, out.dtype), out, factor.codomain)
        case (left, right, _):
            _write(_times(factors, right, out.dtype), _built(factors, left, out.dtype), out, _ends(factors, left)[1])


def _times(factors: Factors, right: Bracket, dtype: DType) -> Callable[[Array], Array]:
    """Stacks of arrays, as rows, times the bracket's matrix."""
    codomain, domain = _ends(factors, right)
    matrix = _built(factors, right, dtype).reshape(size_of(codomain), size_of(domain))
    return lambda rows: on_rows(lambda flat: matmul(flat, matrix), rows, codomain, domain)


def _write(act: Callable[[Array], Array], source: Array, out: Array, shape: Shape) -> None:
    """Write act(source) into `out`; `act` takes stacks of arrays of this shape, the trailing axes of `source`."""
    if source.ndim == len(shape):
        out[...] = act(source)
        return
    for part in slabs(len(source), (source[:1].size + out[:1].size) * out.itemsize):
        out[part] = act(source[part])


def _before(factor: Jacobian, out: Array) -> Array:
    """A view of `out`, a product that begins with this Commutation or Reshape, as the product of the rest."""
    if isinstance(factor, Commutation):
        return out.swapaxes(0, 1)
    return out.reshape(factor.domain + out.shape[len(factor.codomain) :])


def _ends(factors: Factors, bracket: Bracket) -> tuple[Shape, Shape]:
    """Codomain and domain of the bracket's product."""
    return factors[_first(bracket)].codomain, factors[_last(bracket)].domain


def _first(bracket: Bracket) -> int:
    """The position of the bracket's first factor."""
    while not isinstance(bracket, int):
        bracket = bracket[0]
    return bracket


def _last(bracket: Bracket) -> int:
    """The position of the bracket's last factor."""
    while not isinstance(bracket, int):
        bracket = bracket[0] if len(bracket) == 2 else bracket[1]
    return bracket


def _built(factors: Factors, bracket: Bracket, dtype: DType, *, by_columns: bool = False) -> Array:
    """The bracket's matrix as an array (*codomain, *domain); one that is stored is not copied."""
    codomain, domain = _ends(factors, bracket)
    if isinstance(bracket, int) and factors[bracket]._stores_matrix:
        return factors[bracket]._dense().astype(dtype, copy=False).reshape(codomain + domain)
    stored = (array for factor in factors for array in factor.arrays)
    room = empty(domain + codomain if by_columns else codomain + domain, dtype, *stored)
    out = exchanged(room, len(domain)) if by_columns else room
    fill(factors, bracket, out)
    return out


def _block_diagonal(
    factors: Factors, inside: Bracket, axis: int, dtype: DType, begun: Beginning | None = None
) -> BlockDiagonal:
    codomain, domain = _ends(factors, inside)
    blocks = multiplied_blocks(factors, inside, axis, dtype, begun)
    if begun is not None:
        begun.keep(factors, inside, axis, blocks)
    return BlockDiagonal(for_each(blocks, codomain[axis]), codomain, domain, axis)


def multiplied_blocks(
    factors: Factors, bracket: Bracket, axis: int, dtype: DType, begun: Beginning | None = None
) -> Array:
    """Return the bracket's blocks, (N, p, q), or (1, p, q) where all examples have the same one."""
    if begun is not None and (known := begun.known(factors, bracket, axis)) is not None:
        return known
    match bracket:
        case int():
            return factors[bracket]._blocks(axis).astype(dtype, copy=False)
        case (int(first), right, "columns"):
            return factors[first]._times_blocks(multiplied_blocks(factors, right, axis, dtype), axis)
        case (left, int(last), "rows"):
            return factors[last]._blocks_times(multiplied_blocks(factors, left, axis, dtype, begun), axis)
    return matmul(*(multiplied_blocks(factors, side, axis, dtype, begun) for side in bracket[:2]))


_T = TypeVar("_T")
Branch: TypeAlias = tuple[Sequence[Jacobian], _T]
"""The factors that are left to apply, and what the chain carries."""


def _by_first(branches: Sequence[Branch[_T]]) -> list[tuple[Jacobian | None, list[Branch[_T]]]]:
    """The branches grouped by their first factor, without that factor; None for branches without factors."""
    groups: dict[int, tuple[Jacobian | None, list[Branch[_T]]]] = {}
    for factors, carried in branches:
        first = factors[0] if factors else None
        groups.setdefault(id(first), (first, []))[1].append((factors[1:], carried))
    return list(groups.values())


def _tree(branches: Sequence[Branch[_T]]) -> list[tuple[int, Jacobian | None, list[_T]]]:
    """The factors of all branches as a tree: each follows the one before it, and branches share a common beginning.

    (place of the one before, or -1; the factor, or None at a branch's end; what is carried there).
    """
    found: list[tuple[int, Jacobian | None, list[_T]]] = []
    todo = [(-1, branches)]
    while todo:
        before, left = todo.pop()
        for first, inner in _by_first(left):
            if first is not None:
                todo.append((len(found), inner))
            found.append((before, first, [carried for _, carried in inner] if first is None else []))
    return found


def jvp_of_sum(branches: Sequence[Branch[Array]]) -> Array:
    """Σ F₁F₂…(t) over branches (factors, t)."""
    tree = _tree(branches)
    arrived: dict[int, Array] = {}
    for place in range(len(tree) - 1, -1, -1):
        before, factor, tangents = tree[place]
        image = as_array(reduce(add, tangents)) if factor is None else factor._jvp(arrived.pop(place))
        arrived[before] = as_array(arrived[before] + image) if before in arrived else image
    return arrived[-1]


def vjp_of_each(branches: Sequence[Branch[int]], cotangent: Array, out: list[Array]) -> None:
    """Write …F₂ᵀF₁ᵀ(cotangent) to out[place] for every branch (factors, place)."""
    todo: list[tuple[Jacobian | None, Sequence[Branch[int]], Array]] = [(None, branches, cotangent)]
    while todo:
        before, left, row = todo.pop()
        if before is not None:
            row = before._vjp(row)
        for first, inner in _by_first(left):
            if first is None:
                for _, place in inner:
                    out[place] = row
            else:
                todo.append((first, inner, row))


def flops_of_sum(branches: Sequence[Branch[None]], size: int) -> int:
    """Operations of `jvp_of_sum`, `size` entries in the sum."""
    tree = _tree(branches)
    terms = Counter[int]()
    for before, factor, ends in tree:
        terms[before] += len(ends) if factor is None else 1
    inside = sum(factor.flops for _, factor, _ in tree if factor is not None)
    sizes = {-1: size} | {place: factor.shape[1] for place, (_, factor, _) in enumerate(tree) if factor is not None}
    return inside + sum((count - 1) * sizes[before] for before, count in terms.items())
