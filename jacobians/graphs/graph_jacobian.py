"""The Jacobian between two values of a graph: the sum over paths of products of edges, without writing out a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jacobians.arrays import Array, DType, as_array, common_dtype, size_of
from jacobians.errors import TooLargeError
from jacobians.graphs.graph_plan import End, GraphPlan, make_graph_plan
from jacobians.linops import (
    BlockDiagonal,
    Broadcast,
    Commutation,
    Identity,
    Jacobian,
    KhatriRao,
    KhatriRaoSum,
    Reshape,
    Scaled,
    Selection,
    Transposed,
)
from jacobians.linops.algebra import compose, compose_all
from jacobians.linops.by_example import common_axes, example_basis, example_rows, example_size, split
from jacobians.linops.jacobian import Leaf
from jacobians.linops.khatri_rao_sum import summed
from jacobians.linops.nonzeros import Nonzeros
from jacobians.operations.sweep import Wiring

if TYPE_CHECKING:
    from scipy.sparse import csr_array


_PLANNED = 10**8
"""Operations of a matrix by sweeps above which a few orders of elimination are priced, which takes milliseconds."""

_SEARCHED = 10**10
"""Operations above which all orders are priced, where there are few enough."""

_BESIDE = 2
"""Times the matrix's bytes that products may take beside it: the last of them is written into it."""


class Step(NamedTuple):
    """An edge between numbered nodes. The input has number 0, and a child a higher number than its parent."""

    child: int
    parent: int
    jacobian: Jacobian


class GraphJacobian(Jacobian):
    r"""A value's derivative with respect to another, :math:`\sum_{\text{paths}} \prod_{\text{edges}} J`.

    A vjp is one sweep back through the graph, a jvp one sweep forward; each passes every edge once, however many paths
    there are (Griewank & Walther 2008, *Evaluating Derivatives*, ch. 3). Made by `Value.jacobian`.

    Parameters
    ----------
    steps : sequence of Step
        In the order of their children; the last child is the output.

    Examples
    --------
    >>> from jacobians.linops import Dense
    >>> first, second = Dense(np.ones((3, 2)), (3,)), Dense(np.ones((2, 3)), (2,))
    >>> J = GraphJacobian([Step(1, 0, first), Step(2, 0, Identity((2,))), Step(2, 1, second)])    # I + second @ first
    >>> J
    GraphJacobian(2 paths, 3 edges): 2×2 float64, (2,) → (2,), 96 B
    >>> J.to_dense()
    array([[4., 3.],
           [3., 4.]])
    """

    __slots__ = ("_axes", "_plans", "_wirings", "steps")
    _rule = ("sum of paths", "Each path passes its share")

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self._axes: dict[int, bool] = {}
        self._wirings: dict[int, Wiring[int]] = {}
        self._plans: list[GraphPlan | None] = []
        first, last = self.steps[0], self.steps[-1]
        dtype = common_dtype(*(step.jacobian.dtype for step in self.steps))
        super().__init__(last.jacobian.codomain, first.jacobian.domain, dtype)

    @property
    def _last(self) -> int:
        return self.steps[-1].child

    # --- the two sweeps --------------------------------------------------------------------------

    def _jvp(self, tangent: Array) -> Array:
        return self._swept(tangent, 0, self._last, forward)

    def _vjp(self, cotangent: Array) -> Array:
        return self._swept(cotangent, self._last, 0, backward)

    def _swept(self, given: Array, start: int, end: int, act: Callable[[Jacobian, Array], Array]) -> Array:
        """The array that arrives at one end when another starts at the other end."""
        if start not in self._wirings:
            self._wirings[start] = wired(self.steps, (end,), back=start > end)
        passes = [EachStep(self.steps, act)] * len(self.steps)
        return self._wirings[start].sweep(passes, {start: given})[end]

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        return GraphJacobian([step._replace(jacobian=inner(step.jacobian)) for step in self.steps])

    # --- the order of elimination ----------------------------------------------------------------

    def plan(self, *, limit: int | None = None) -> GraphPlan:
        """Return the order of least operations in which the values between are eliminated; see `Value.plan`.

        Parameters
        ----------
        limit : int, optional
            Bytes that the products may take at one time.

        Raises
        ------
        TooLargeError
            If no order that was found stays within the limit.
        """
        return self._plan(limit, exact=True)

    def _plan(self, limit: int | None, *, exact: bool) -> GraphPlan:
        ends = End(self._last, "output", self.codomain), End(0, "input", self.domain)
        names = {step.child: f"value {step.child}" for step in self.steps} | {0: "input"}
        return make_graph_plan(self.steps, ends[:1], ends[1:], names, self.dtype, limit, exact=exact)

    def _in_best_order(self, vectors: int) -> Jacobian | None:
        """The product in the best order, if it takes fewer operations than sweeps with that many vectors."""
        swept = self.flops * vectors
        if swept <= _PLANNED:
            return None
        if not self._plans:
            try:
                self._plans.append(self._plan(_BESIDE * super()._dense_bytes(), exact=swept > _SEARCHED))
            except TooLargeError:
                self._plans.append(None)
        (plan,) = self._plans
        return plan.jacobians()[0][0] if plan is not None and plan.operations < swept else None

    def _dense_bytes(self) -> int:
        planned = self.flops * min(self.shape) > _PLANNED
        return super()._dense_bytes() * (1 + _BESIDE * planned)

    def _least_bytes(self) -> int:
        return super()._dense_bytes()

    # --- where every example stays apart -----------------------------------------------------------

    def _keeps_examples(self, axis: int) -> bool:
        if axis not in self._axes:
            self._axes[axis] = all(step.jacobian._keeps_examples(axis) for step in self.steps)
        return self._axes[axis]

    def _blocks(self, axis: int) -> Array:
        p, q = example_size(self.codomain, axis), example_size(self.domain, axis)
        best = self._in_best_order(min(p, q))
        if best is not None and best._keeps_examples(axis):
            return best._blocks(axis)
        return super()._blocks(axis) if q <= p else example_rows((self,), axis, 0, p).transpose(1, 0, 2)

    def _by_blocks(self) -> BlockDiagonal | None:
        """The same map with one block for each example, where the structure keeps examples apart."""
        axes = common_axes(self)
        return self.block_diagonal(axes[0], limit=self._blocks_bytes(axes[0])) if axes else None

    # --- where examples meet in the input alone: a weight ------------------------------------------

    def _of_each_output(self) -> tuple[int, list[Jacobian]] | None:
        """The examples' axis, and for each output of one example the rows of all examples; None without structure."""
        for axis in (0, -1) if size_of(self.codomain) and self.codomain else ():
            found: list[Jacobian] = []
            for k in range(example_size(self.codomain, axis)):
                (rows,) = rows_by_example(self.steps, axis, example_basis(self.codomain, axis, k, k + 1, self.dtype)[0])
                if rows is None:
                    break
                found.append(rows)
            else:
                return axis, found
        return None

    def _row_norms(self) -> Array:
        if common_axes(self) or (found := self._of_each_output()) is None:
            return super()._row_norms()
        axis, rows = found
        each = np.stack([r._row_norms() for r in rows]).astype(self.dtype, copy=False)
        return (each.T if axis == 0 else each).reshape(self.codomain)

    def _gram(self) -> Array:
        if (blocks := self._by_blocks()) is not None:
            return blocks._gram()
        found = self._of_each_output()
        if found is None:
            return super()._gram()
        axis, rows = found
        sums = [summed((core,)) for core, _ in map(_split, rows) if core is not None]
        if len(sums) < len(rows):
            return super()._gram()
        place = 1 if axis == 0 else 0
        left = np.stack([s.left for s in sums], axis=place)
        right = np.stack([s.right for s in sums], axis=place)
        return KhatriRaoSum(left, right)._gram().astype(self.dtype, copy=False)

    def _fill(self, out: Array) -> None:
        self._write(out, planned=True)

    def _fill_within(self, out: Array, limit: int) -> None:
        self._write(out, planned=limit >= self._dense_bytes())

    def _write(self, out: Array, *, planned: bool) -> None:
        if (blocks := self._by_blocks()) is not None:
            blocks._fill(out)
            return
        found = None
        if self.codomain and size_of(self.codomain[1:]) < size_of(self.domain):
            found = self._of_each_output()
        best = self._in_best_order(min(self.shape) if found is None else len(found[1])) if planned else None
        if best is not None:
            best._fill(out)
            return
        if found is None:
            super()._fill(out)
            return
        axis, rows = found
        inner = self.codomain[1:] if axis == 0 else self.codomain[:-1]
        for place, own in zip(np.ndindex(inner), rows, strict=True):
            own._fill(out[(slice(None), *place)] if axis == 0 else out[(*place, slice(None))])

    def _sparse(self) -> csr_array:
        """Edges multiplied and added as sparse matrices, from the output back."""
        from scipy.sparse import csr_array, eye_array

        if (blocks := self._by_blocks()) is not None:
            return blocks._sparse()
        matrices: dict[int, Any] = {self._last: csr_array(eye_array(self.shape[0], dtype=self.dtype))}
        for step in reversed(self.steps):
            part = matrices[step.child] @ step.jacobian._sparse()
            matrices[step.parent] = matrices[step.parent] + part if step.parent in matrices else part
        return csr_array(matrices[0]).astype(self.dtype)

    def _nonzeros(self) -> Nonzeros:
        rows = self.shape[0]
        found = {self._last: Nonzeros.of(rows)}
        for step in reversed(self.steps):
            shape = rows, step.jacobian.shape[1]
            part = found[step.child].times(step.jacobian._nonzeros(), shape)
            found[step.parent] = found[step.parent].plus(part, shape) if step.parent in found else part
        bound = found[0]
        for axis in common_axes(self):
            bound = bound.within(Nonzeros.of_blocks(self.codomain[axis], self.shape))
        return bound

    def _sparse_bytes(self) -> int:
        rows, item = self.shape[0], self.dtype.itemsize
        own = self._nonzeros().nbytes(rows, item)
        axes = common_axes(self)
        if axes:
            return own + self._blocks_bytes(axes[0])
        return own + sum(step.jacobian._sparse_bytes() for step in self.steps)

    def _diagonal(self) -> Array:
        blocks = self._by_blocks()
        return super()._diagonal() if blocks is None else blocks._diagonal()

    # --- what it is ------------------------------------------------------------------------------

    def path_count(self) -> int:
        """Return the number of paths; it may have thousands of digits."""
        counts = {0: 1}
        for step in self.steps:
            counts[step.child] = counts.get(step.child, 0) + counts[step.parent]
        return counts[self._last]

    @property
    def structure(self) -> str:
        paths, edges = self.path_count(), len(self.steps)
        return f"GraphJacobian({_show_count(paths)} path{'s' * (paths > 1)}, {edges} edge{'s' * (edges > 1)})"

    @property
    def flops(self) -> int:
        meetings = Counter(step.child for step in self.steps)
        sums = {s.child: (meetings[s.child] - 1) * s.jacobian.shape[0] for s in self.steps}
        return sum(step.jacobian.flops for step in self.steps) + sum(sums.values())

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(array for step in self.steps for array in step.jacobian.arrays)


def wired(steps: Sequence[Step], ends: Collection[int], *, back: bool) -> Wiring[int]:
    """The order in which a sweep takes the steps, by their places: back to some inputs, or forward to the output."""
    ways = [(step.child, step.parent) if back else (step.parent, step.child) for step in steps]
    leaving: dict[int, dict[int, int]] = {}
    for place, (source, target) in enumerate(ways):
        leaving.setdefault(source, {})[place] = target
    # a wiring is passed from its end on
    links = sorted(leaving.items(), key=itemgetter(0), reverse=not back)
    return Wiring(links, ends)


class EachStep:
    """Passes stacks of arrays on along each step."""

    def __init__(self, steps: Sequence[Step], act: Callable[[Jacobian, Array], Array]) -> None:
        self._steps, self._act = steps, act

    def pull(self, row: Array, names: Collection[int]) -> dict[int, Array]:
        """Return what goes on, by the steps' places."""
        return {place: self._act(self._steps[place].jacobian, row) for place in names}


def forward(jacobian: Jacobian, tangent: Array) -> Array:
    """Return J t."""
    return jacobian._jvp(tangent)


def backward(jacobian: Jacobian, cotangent: Array) -> Array:
    """Return cᵀ J."""
    return jacobian._vjp(cotangent)


def _show_count(count: int) -> str:
    if count < 10**6:
        return f"{count:,}"
    return f"about 10^{int(count.bit_length() * 0.30103)}"


# --- one row for each example --------------------------------------------------------------------------


def rows_by_example(
    steps: Sequence[Step], axis: int, delta: Array, inputs: Sequence[int] = (0,)
) -> list[Jacobian | None]:
    """Return the Jacobians of one number per example, each as one structure, from one sweep; None where there is none.

    Where a step keeps examples apart, the rows of all examples go back together as one array: the number of example n
    depends on that example alone, so its row is zero elsewhere. Where the examples share an input, such as a weight,
    row n is the contribution of example n: a row of a row-wise Kronecker product, with one term per use. In between,
    the positions of a sequence may lie along the axis of the examples: (N, T, H) as (N·T, H), with one term per
    position.

    Parameters
    ----------
    steps : sequence of Step
    axis : {0, -1}
        Where examples lie.
    delta : ndarray
        At every example its number's derivative with respect to the example's part of the output.
    inputs : sequence of int
        The places of the inputs.
    """
    last = steps[-1].child
    passes = [_ByExample(steps, axis, delta.shape[axis])] * len(steps)
    try:
        found = wired(steps, inputs, back=True).sweep(passes, {last: _Examples(delta, ())})
    except _NoStructureError:
        return [None] * len(inputs)
    return [_structure_of(found[place], axis, delta.shape[axis]) for place in inputs]


def _structure_of(found: _Examples, axis: int, count: int) -> Jacobian | None:
    """The sum that arrived at an input, as one structure; None where there is no such structure."""
    if found.apart is None:
        return _as_one(found.met)
    alone = not found.met and found.apart.shape[axis] == count
    return _rows(found.apart, axis) if alone else None


class _NoStructureError(Exception):
    """Terms that no one structure is the sum of."""


@dataclass(frozen=True, slots=True)
class _Examples:
    """What has arrived at a node from one number for each example.

    Attributes
    ----------
    apart : ndarray or None
        The rows of all examples as one array, each in its example's own place.
    met : tuple of Jacobian
        The rows where examples have met, as terms.
    """

    apart: Array | None
    met: tuple[Jacobian, ...]

    @property
    def dtype(self) -> DType:
        return self.met[0].dtype if self.apart is None else self.apart.dtype

    def astype(self, dtype: DType, *, copy: bool = True) -> _Examples:
        return self if self.apart is None else replace(self, apart=self.apart.astype(dtype, copy=copy))

    def __add__(self, other: _Examples) -> _Examples:
        parts = [each.apart for each in (self, other) if each.apart is not None]
        return _Examples(reduce(add, parts) if parts else None, self.met + other.met)

    def together(self) -> Jacobian:
        """The sum of the terms as one structure: a row-wise Kronecker product, whose entries may be moved."""
        if (found := _as_one(self.met)) is None:
            raise _NoStructureError
        return found


class _ByExample:
    """Passes rows of examples on along each step."""

    def __init__(self, steps: Sequence[Step], axis: int, count: int) -> None:
        self._steps, self._axis, self._count = steps, axis, count

    def pull(self, row: _Examples, names: Collection[int]) -> dict[int, _Examples]:
        """Return what goes on, by the steps' places."""
        found = {place: _Examples(None, ()) for place in names}
        together = row.together() if row.met else None
        for place in names:
            jacobian = self._steps[place].jacobian
            if row.apart is not None:
                found[place] += self._along(row.apart, list(jacobian._factors()))
            if together is not None:
                found[place] += _Examples(None, (compose(together, jacobian),))
        return found

    def _along(self, own: Array, factors: list[Jacobian]) -> _Examples:
        """Rows of separate examples after one step: separate still, or one term where the examples meet."""
        axis = self._axis
        while factors and _keeps_apart(factors[0], axis, self._count):
            own = factors.pop(0)._vjp(own)
        if not factors:
            return _Examples(own, ())
        first = _spread(own, factors[0]) if axis == 0 else None
        rows = (_rows(own, axis), *factors) if first is None else (*first, *factors[1:])
        term = _of_examples(compose_all(rows), self._count)
        if term is None:
            raise _NoStructureError
        return _Examples(None, (term,))


def _keeps_apart(factor: Jacobian, axis: int, count: int) -> bool:
    """Whether every example's part of the output depends on its own part of the input alone."""
    if factor._keeps_examples(axis):
        return True
    # entries in C order: what lay in the first axis at one example stays together there, with its positions
    lengths = [shape[0] if shape else 0 for shape in (factor.codomain, factor.domain)]
    return isinstance(factor, Reshape) and axis == 0 and count > 0 and all(n and n % count == 0 for n in lengths)


def _spread(own: Array, factor: Jacobian) -> tuple[Jacobian, ...] | None:
    """Rows for a parameter that all examples and positions share: the parts of one example are summed."""
    if not isinstance(factor, Broadcast) or (len(factor.domain) == len(factor.codomain) and factor.domain[0] != 1):
        return None
    inner = factor.domain[1:] if len(factor.domain) == len(factor.codomain) else factor.domain
    shares = Broadcast(factor.codomain[1:], inner, factor.dtype)._vjp(own).reshape(len(own), size_of(inner))
    rows = KhatriRao(np.ones((len(own), 1), own.dtype), shares)
    return rows, Reshape(rows.domain, factor.domain, own.dtype)


def _of_examples(rows: Jacobian, count: int) -> Jacobian | None:
    """Rows of every position, summed over the positions of each example; None where they are no Kronecker products."""
    if rows.codomain == (count,):
        return rows
    core, moves = _split(rows)
    if not isinstance(core, KhatriRao):
        return None
    left, right = (np.broadcast_to(f, (*core.codomain, f.shape[-1])) for f in (core.left, core.right))
    positions = len(left) // count
    grouped = (f.reshape(count, positions, f.shape[-1]) for f in (left, right))
    return compose_all((KhatriRaoSum(*grouped), *moves))


def _rows(delta: Array, axis: int) -> BlockDiagonal:
    """One row for each example, its entries in the example's own place."""
    shape = delta.shape
    return BlockDiagonal(split(delta[None], shape, axis)[0][:, None, :], (shape[axis],), shape, axis)


def _as_one(terms: Sequence[Jacobian]) -> Jacobian | None:
    """One structure for a sum of row-wise Kronecker products, whose entries may be moved; None if there is none."""
    if len(terms) == 1:
        (term,) = terms
        inner = term.inner if isinstance(term, Scaled) else term
        return term if isinstance(inner._factors()[0], (KhatriRao, KhatriRaoSum)) else None
    cores: list[KhatriRao | KhatriRaoSum] = []
    moves: tuple[Jacobian, ...] | None = None
    parts = [_split(term) for term in terms]
    if any(not _same(parts[0][1], moved) for _, moved in parts):
        parts = [_among_zeros(core, moved) for core, moved in parts]
    for core, moved in parts:
        if core is None or (moves is not None and not _same(moves, moved)):
            return None
        cores.append(core)
        moves = moved
    return compose_all((summed(cores), *(moves or ())))


def _among_zeros(
    core: KhatriRao | KhatriRaoSum | None, moves: tuple[Jacobian, ...]
) -> tuple[KhatriRao | KhatriRaoSum | None, tuple[Jacobian, ...]]:
    """Rows l ⊗ r of a part of a weight, as rows of all of it: both factors are placed among zeros."""
    if core is None or not moves or not isinstance(moves[0], Selection) or len(moves[0].domain) != 2:
        return core, moves
    placed = []
    for factor, key, length in zip((core.left, core.right), moves[0].key, moves[0].domain, strict=True):
        wide = np.zeros((*factor.shape[:-1], length), factor.dtype)
        wide[..., key] = factor
        placed.append(wide)
    return type(core)(*placed), moves[1:]


def _split(term: Jacobian) -> tuple[KhatriRao | KhatriRaoSum | None, tuple[Jacobian, ...]]:
    """A row-wise Kronecker product, and what moves its columns."""
    if isinstance(term, Scaled):
        inner, moves = _split(term.inner)
        return None if inner is None else type(inner)(as_array(term.factor * inner.left), inner.right), moves
    core, *rest = term._factors()
    moved = all(_only_places(move) for move in rest)
    return (core if isinstance(core, (KhatriRao, KhatriRaoSum)) and moved else None), tuple(rest)


def _only_places(factor: Jacobian) -> bool:
    """Whether it only moves the entries of a row, perhaps among zeros, so that norms do not change."""
    if isinstance(factor, Selection):
        return isinstance(factor.key, tuple)
    return isinstance(factor, (Commutation, Identity, Reshape))


def _same(one: Iterable[Jacobian], other: Iterable[Jacobian]) -> bool:
    return [(m.structure, m.codomain, m.domain) for m in one] == [(m.structure, m.codomain, m.domain) for m in other]
