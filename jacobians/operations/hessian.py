r"""The Hessian of a scalar as a structured Jacobian of its gradient: one term for each operation that bends.

With D the Jacobian of an operation's inputs with respect to the parameters, ḡ the scalar's derivative by its output,
and :math:`M(\bar g) = \sum_k \bar g_k \nabla^2 f_k` its second derivative,

.. math:: H = \sum_{\text{operations}} D^\top M(\bar g)\, D .

No term is multiplied out: a product with a vector is one sweep forward, which gives every D·v, and one sweep back,
which adds up the Dᵀ (Pearlmutter 1994, *Fast exact multiplication by the Hessian*, Neural Computation 6; Griewank &
Walther 2008, *Evaluating Derivatives*, ch. 5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_array, common_dtype, did_you_mean, size_of
from jacobians.errors import LayoutError
from jacobians.layout import Order
from jacobians.linops import BlockDiagonal, Commutation, Diagonal, Identity, Jacobian, Kronecker, Reshape, Selection
from jacobians.linops.by_example import common_axes, example_size, for_each, joined
from jacobians.linops.jacobian import Leaf
from jacobians.linops.kernels import empty, may_alias
from jacobians.linops.unrolling import c_index_of_f, slabs, unroll
from jacobians.operations.operation import Jacobians
from jacobians.operations.sweep import Wiring

__all__ = ["Evaluated", "Hessian", "Input", "Term", "hessian_of"]


Key: TypeAlias = Any
"""A node of a graph; hashable, and compared by ``==``."""

_TOGETHER = 1 << 18
"""Bytes of the widest node's tangents up to which those of a stack are taken together; more leave the cache."""

Part: TypeAlias = Literal["loss", "inner", "penalty"]
"""What an operation is to the scalar: a loss, an operation before it, or a regulariser."""


class Evaluated(NamedTuple):
    """An evaluated operation in a graph: its output's node, by its names of inputs their nodes, its Jacobians."""

    node: Key
    inputs: Mapping[str, Key]
    jacobians: Jacobians
    part: Part = "inner"


class Input(NamedTuple):
    """What the scalar is differentiated by: a node, what it is called, and its array's shape and dtype."""

    node: Key
    name: str
    shape: Shape
    dtype: DType


class Bend(NamedTuple):
    """A second derivative: from a tangent of `column` to the change of the cotangent of `row`; and its transpose."""

    row: Key
    column: Key
    jacobian: Jacobian
    alone: bool
    """Whether it is an input with itself: then it is symmetric, and its transpose is no second term."""


@dataclass(frozen=True, eq=False)
class Step:
    """A linearised operation: by its names of inputs, their nodes and its Jacobians; and its bends."""

    node: Key
    operation: str
    part: Part
    edges: Mapping[str, tuple[Key, Jacobian]]
    bends: tuple[Bend, ...]

    def pull(self, row: Array, names: Collection[str]) -> dict[str, Array]:
        """Return what goes back along the edges of these names."""
        return {name: self.edges[name][1]._vjp(row) for name in names}

    def leading(self, nodes: Collection[Key]) -> Step:
        """Return the step with what leads from some nodes alone."""
        edges = {name: edge for name, edge in self.edges.items() if edge[0] in nodes}
        bends = tuple(b for b in self.bends if b.row in nodes and b.column in nodes)
        return replace(self, edges=edges, bends=bends)

    def bends_of(self, node: Key) -> list[Jacobian]:
        """Return its second derivatives by one input alone."""
        return [bend.jacobian for bend in self.bends if bend.row == bend.column == node]

    def jacobians(self) -> list[Jacobian]:
        """Return the Jacobians of its edges and bends."""
        return [jacobian for _, jacobian in self.edges.values()] + [bend.jacobian for bend in self.bends]


@dataclass(frozen=True, eq=False)
class Term:
    """What one operation's second derivative adds to a Hessian: Dᵀ M D, or Dᵀ M E + Eᵀ Mᵀ D of two inputs.

    Attributes
    ----------
    operation : str
    part : {"loss", "inner", "penalty"}
    of : tuple of str
        What the operation's input is called, or its two inputs.
    middle : Jacobian
        M, in its structure.
    jacobian : Jacobian
        The term itself, which is a part of the Hessian.
    """

    operation: str
    part: Part
    of: tuple[str, ...]
    middle: Jacobian
    jacobian: Jacobian

    def __str__(self) -> str:
        middle = self.middle.structure
        if len(self.of) == 1:
            return f"{self.operation}: Dᵀ M D, D = ∂{self.of[0]}, M = {middle}"
        return f"{self.operation}: Dᵀ M E + Eᵀ Mᵀ D, D = ∂{self.of[0]}, E = ∂{self.of[1]}, M = {middle}"

    __repr__ = __str__


class Hessian(Jacobian):
    r"""The second derivative of a scalar, :math:`\partial^2 L/\partial\theta\,\partial\theta^\top`, or a cross block.

    It is the Jacobian of the gradient: `H @ v` is exact, and one sweep forward and one back. Made by
    `jacobians.hessian`, `Run.hessian` and `Value.hessian`.

    Parameters
    ----------
    steps : sequence of Step
        In the order of evaluation.
    rows, columns : tuple of Input
        Of the gradient, and what it is differentiated by.
    packed : (bool, bool)
        Whether the rows, and the columns, are one packed vector; else there is one, in its own shape.
    vec : {"C", "F"}
        How an input is unrolled inside a packed vector.
    names : mapping
        What nodes are called.

    Examples
    --------
    >>> import jacobians as jac
    >>> X, W = jac.values(X=np.eye(3), W=np.full((3, 2), 0.5))
    >>> H = jac.squared_error(jac.tanh(X @ W), np.zeros((3, 2))).hessian(W)
    >>> H
    Hessian(2 terms of ∂²/∂W²): 6×6 float64, (3, 2) → (3, 2), 216 B
    >>> for term in H.terms:
    ...     print(term)
    tanh: Dᵀ M D, D = ∂matmul_2, M = Diagonal(3×2)
    squared_error: Dᵀ M D, D = ∂tanh_3, M = 0.666667·Identity(3×2)
    """

    __slots__ = ("_columns", "_names", "_packed", "_rows", "_uses", "_wirings", "steps", "vec")
    _rule = ("second derivative", "Each operation that bends adds its share")

    def __init__(
        self,
        steps: Sequence[Step],
        rows: tuple[Input, ...],
        columns: tuple[Input, ...],
        packed: tuple[bool, bool] = (True, True),
        vec: Order = "C",
        names: Mapping[Key, str] | None = None,
    ) -> None:
        self._rows, self._columns, self._packed, self.vec = rows, columns, packed, vec
        self._names = names or {}
        self.steps = _led(steps, rows, columns)
        self._wirings: dict[tuple[Key, ...], Wiring[Key]] = {}
        self._uses: dict[Key, int] = {}
        for step in self.steps:
            for source in {source for source, _ in step.edges.values()}:
                self._uses[source] = self._uses.get(source, 0) + 1
        codomain, domain = (
            (sum(size_of(i.shape) for i in inputs),) if whole else inputs[0].shape
            for inputs, whole in ((rows, packed[0]), (columns, packed[1]))
        )
        dtypes = [i.dtype for i in (*rows, *columns)] + [j.dtype for step in self.steps for j in step.jacobians()]
        super().__init__(codomain, domain, common_dtype(*dtypes))

    # --- products --------------------------------------------------------------------------------

    def _jvp(self, tangent: Array) -> Array:
        return self._swept(tangent, self._columns, self._rows, self._packed[::-1])

    def _vjp(self, cotangent: Array) -> Array:
        return self._swept(cotangent, self._rows, self._columns, self._packed)

    def _swept(
        self, given: Array, start: tuple[Input, ...], end: tuple[Input, ...], packed: tuple[bool, bool]
    ) -> Array:
        """The change of the gradient by some inputs along tangents of others; both ways are one, by symmetry.

        Of a stack so many are taken together as stay in the cache, arrays of all nodes included.
        """
        into, out = (
            (sum(size_of(i.shape) for i in inputs),) if whole else inputs[0].shape
            for inputs, whole in zip((start, end), packed, strict=True)
        )
        stack = given.shape[: given.ndim - len(into)]
        if not stack:
            return self._once(given, start, end, packed)
        flat = given.reshape(size_of(stack), *into)
        if not flat.flags.c_contiguous:
            flat = flat.copy(order="C")
        widest = max((j.shape[0] for s in self.steps for _, j in s.edges.values()), default=0)
        images: list[Array] = []
        for part in slabs(len(flat), max(widest, size_of(into)) * self.dtype.itemsize, _TOGETHER):
            alone = part.stop == part.start + 1  # one goes without a stack: products of matrices are freer then
            image = self._once(flat[part.start] if alone else flat[part], start, end, packed)
            if not images:
                images.append(image if part.stop == len(flat) else empty((len(flat), *out), image.dtype, image))
            if image is not images[0]:
                images[0][part] = image
        return images[0].reshape(stack + out) if images else empty(stack + out, given.dtype, given)

    def _once(self, given: Array, start: tuple[Input, ...], end: tuple[Input, ...], packed: tuple[bool, bool]) -> Array:
        if packed[0]:
            tangents = {one.node: unroll(given[..., part], one.shape, self.vec) for one, part in _parts(start)}
        else:
            tangents = {start[0].node: given}
        stack = given.shape[: given.ndim - (1 if packed[0] else len(start[0].shape))]
        found = self._back(self._forward(tangents), tuple(i.node for i in end))
        if not packed[1]:
            one = end[0]
            return found[one.node] if one.node in found else np.zeros((*stack, *one.shape), given.dtype)
        out = empty((*stack, sum(size_of(i.shape) for i in end)), given.dtype, given, *found.values())
        for one, part in _parts(end):
            unroll(out[..., part], one.shape, self.vec)[...] = found.get(one.node, 0)
        return out

    def _forward(self, tangents: dict[Key, Array]) -> dict[Key, Array]:
        """What the bends make of the tangents of all nodes, by nodes; a tangent is kept until it was used last."""
        tangents, left = dict(tangents), dict(self._uses)
        given = _Sums({})
        for step in self.steps:
            for row, column, bend, alone in step.bends:
                if column in tangents:
                    given.add(row, bend._jvp(tangents[column]), (tangents[column], bend))
                if not alone and row in tangents:
                    given.add(column, bend._vjp(tangents[row]), (tangents[row], bend))
            if step.node in self._uses:  # a loss's own tangent is not asked for
                total = _Sums({step.node: tangents[step.node]} if step.node in tangents else {})
                for source, jacobian in step.edges.values():
                    if source in tangents:
                        total.add(step.node, jacobian._jvp(tangents[source]), (tangents[source], jacobian))
                tangents.update(total.found)
            for source in {source for source, _ in step.edges.values()}:
                left[source] -= 1
                if not left[source]:
                    tangents.pop(source, None)
        return given.found

    def _back(self, given: dict[Key, Array], wanted: tuple[Key, ...]) -> dict[Key, Array]:
        if wanted not in self._wirings:
            links = [(step.node, {name: source for name, (source, _) in step.edges.items()}) for step in self.steps]
            self._wirings[wanted] = Wiring(links, wanted)
        return self._wirings[wanted].sweep(self.steps, given)

    def _transpose(self) -> Jacobian:
        return Hessian(self.steps, self._columns, self._rows, self._packed[::-1], self.vec, self._names)

    def _is_symmetric(self) -> bool:
        return self._rows == self._columns

    def _packed_sizes(self) -> tuple[Sequence[int], Sequence[int]]:
        rows, columns = ([size_of(i.shape) for i in inputs] for inputs in (self._rows, self._columns))
        return rows if self._packed[0] else (), columns if self._packed[1] else ()

    def _with_leaves(self, leaf: Leaf, inner: Any) -> Jacobian:
        steps = []
        for step in self.steps:
            edges = {name: (source, inner(jacobian)) for name, (source, jacobian) in step.edges.items()}
            bends = tuple(bend._replace(jacobian=inner(bend.jacobian)) for bend in step.bends)
            steps.append(replace(step, edges=edges, bends=bends))
        return self._of(steps)

    def _of(self, steps: Sequence[Step]) -> Hessian:
        """The same view of other steps."""
        found = Hessian(steps, self._rows, self._columns, self._packed, self.vec, self._names)
        return found._with_order(self.order)

    # --- parts -----------------------------------------------------------------------------------

    @property
    def terms(self) -> tuple[Term, ...]:
        """One term for each second derivative, in the order of evaluation; together they are the Hessian."""
        found = []
        for place, step in enumerate(self.steps):
            for bend in step.bends:
                alone = [replace(s, bends=(bend,) if i == place else ()) for i, s in enumerate(self.steps)]
                of = dict.fromkeys(self._names.get(node, str(node)) for node in (bend.row, bend.column))
                found.append(Term(step.operation, step.part, tuple(of), bend.jacobian, self._of(alone)))
        return tuple(found)

    def _only(self, part: Part) -> Hessian:
        return self._of([s if s.part == part else replace(s, bends=()) for s in self.steps])

    @property
    def gauss_newton(self) -> Jacobian:
        r"""The part of the losses, :math:`J^\top H_L J`: the Gauss–Newton matrix. It is without the regulariser."""
        return self._only("loss")

    @property
    def residual(self) -> Jacobian:
        """The part of the operations before the losses, which Gauss–Newton leaves out; 0 between kinks of ReLU nets."""
        return self._only("inner")

    @property
    def penalty(self) -> Jacobian:
        """The part of the regulariser."""
        return self._only("penalty")

    # --- blocks ----------------------------------------------------------------------------------

    def block(self, rows: str, columns: str | None = None) -> Jacobian:
        """Return the block of one input, or of two, each in its own shape.

        The block of a layer's weight is, where the operations after it act on each example by itself, the product
        Jᵀ B J with one exact block of B for each example, from the recursion B ← Jᵀ B J + M (Mizutani & Dreyfus 2008,
        *Second-order stagewise backpropagation*, Neural Networks 21; Dangel, Harmeling & Hennig 2020, *Modular
        block-diagonal curvature approximations*, AISTATS).

        Parameters
        ----------
        rows : str
            An input's name.
        columns : str, optional
            Another's; the same unless given.

        Raises
        ------
        LayoutError
            If there is no such input.
        """
        row, column = self._named(self._rows, rows), self._named(self._columns, columns or rows)
        found = Hessian(self.steps, (row,), (column,), (False, False), self.vec, self._names)
        layer = layer_block(found) if row == column else None
        return (found if layer is None else layer).ordered(self.vec)

    def _named(self, inputs: tuple[Input, ...], name: str) -> Input:
        for one in inputs:
            if one.name == name:
                return one
        names = [one.name for one in inputs]
        raise LayoutError(f"block: {name!r} is unknown; choose from {', '.join(names)}{did_you_mean(name, names)}")

    def places(self) -> list[tuple[str, slice]]:
        """Return the inputs' names, and where each lies among the rows; among the columns of a square one too."""
        return [(one.name, part) for one, part in _parts(self._rows)]

    def in_other_order(self) -> Array:
        """Return for each entry of the packed inputs its place where each is unrolled in the other vec order."""
        found = []
        for one, part in _parts(self._rows):
            index = c_index_of_f(one.shape)
            found.append(part.start + (index if self.vec == "C" else np.argsort(index)))
        return np.concatenate(found)

    def blocks(self) -> dict[str, Jacobian]:
        """Return the blocks on the diagonal by the inputs' names; see `block`.

        Raises
        ------
        LayoutError
            If it is a cross block, which has none.
        """
        if self._rows != self._columns:
            raise LayoutError(f"blocks: {self.structure} is a cross block; take the whole Hessian's")
        return {one.name: self.block(one.name) for one in self._rows}

    def _diagonal(self) -> Array:
        if self._rows != self._columns:
            return super()._diagonal()
        found, by_example = [], ByExample(self.steps)
        for one in self._rows:
            diagonal = layer_diagonal(one, by_example)
            if diagonal is None:
                alone = Hessian(self.steps, (one,), (one,), (False, False), self.vec)
                block = layer_block(alone)
                diagonal = Jacobian._diagonal(alone) if block is None else block._diagonal()
            whole = self._packed[0] and self.vec == "F"
            found.append(diagonal[c_index_of_f(one.shape)] if whole else diagonal)
        return np.concatenate(found).astype(self.dtype, copy=False)

    def trace(self) -> float:
        """Return the sum of the diagonal's entries."""
        return float(self.diagonal().sum(dtype=np.float64))

    # --- where every example stays apart -----------------------------------------------------------

    def _keeps_examples(self, axis: int) -> bool:
        if self._packed != (False, False) or not self.codomain or not self.domain:
            return False
        within = (j for s in self.steps for _, j in s.edges.values() if s.node in self._uses)
        bends = (bend.jacobian for step in self.steps for bend in step.bends)
        return all(j._keeps_examples(axis) for j in (*within, *bends))

    def _blocks(self, axis: int) -> Array:
        if self._rows != self._columns:
            return super()._blocks(axis)
        return ByExample(self.steps).blocks(self._rows[0].node, axis, self.domain, self.dtype)

    # --- what it is ------------------------------------------------------------------------------

    @property
    def structure(self) -> str:
        count = sum(len(step.bends) for step in self.steps)
        rows, columns = (", ".join(i.name for i in inputs) for inputs in (self._rows, self._columns))
        by = f"∂²/∂{rows}²" if len(self._rows) == 1 else f"∂²/∂({rows})²"
        if rows != columns:
            by = f"∂²/∂{rows} ∂{columns}"
        return f"Hessian({count} term{'s' * (count != 1)} of {by})"

    @property
    def flops(self) -> int:
        edges = sum(j.flops for s in self.steps for _, j in s.edges.values() if s.node in self._uses)
        bends = sum(b.jacobian.flops * (1 if b.alone else 2) for step in self.steps for b in step.bends)
        return 2 * edges + bends

    @property
    def arrays(self) -> tuple[Array, ...]:
        found = (j for step in self.steps for j in step.jacobians())
        return tuple({id(a): a for j in found for a in j.arrays}.values())


class _Sums:
    """What has arrived at nodes; where nothing else holds a part, what comes after it is added in place."""

    def __init__(self, found: dict[Key, Array]) -> None:
        self.found = found
        self._own: set[Key] = set()

    def add(self, node: Key, part: Array, made_of: tuple[Array, Jacobian]) -> None:
        """Add what has arrived, an action of a Jacobian on an array, neither of which is written to."""
        if node not in self.found:
            self.found[node] = part
            if not may_alias(part, (made_of[0], *made_of[1].arrays)):
                self._own.add(node)
        elif node in self._own and self.found[node].dtype == np.result_type(self.found[node], part):
            self.found[node] += part
        else:
            self.found[node] = as_array(self.found[node] + part)
            self._own.add(node)


def _parts(inputs: Sequence[Input]) -> Iterator[tuple[Input, slice]]:
    """The inputs, and where each lies in the packed vector."""
    start = 0
    for one in inputs:
        stop = start + size_of(one.shape)
        yield one, slice(start, stop)
        start = stop


def _led(steps: Sequence[Step], rows: Sequence[Input], columns: Sequence[Input]) -> tuple[Step, ...]:
    """The steps that rows or columns lead to, and the bends with one of either at their ends."""
    by_row, by_column = {one.node for one in rows}, {one.node for one in columns}
    found = []
    for step in steps:
        step = step.leading(by_row | by_column)
        if not step.edges:
            continue
        for nodes in (by_row, by_column):
            if any(source in nodes for source, _ in step.edges.values()):
                nodes.add(step.node)
        bends = (
            bend
            for bend in step.bends
            if (bend.row in by_row and bend.column in by_column) or (bend.column in by_row and bend.row in by_column)
        )
        found.append(replace(step, bends=tuple(bends)))
    return tuple(found)


# --- from evaluated operations -------------------------------------------------------------------------


def hessian_of(
    operations: Sequence[Evaluated],
    given: Mapping[Key, Array],
    rows: tuple[Input, ...],
    columns: tuple[Input, ...],
    packed: tuple[bool, bool],
    *,
    vec: Order = "C",
    names: Mapping[Key, str] | None = None,
) -> Hessian:
    """Return the Hessian of a scalar from the operations that it came from, in the order of evaluation.

    Parameters
    ----------
    operations : sequence of Evaluated
        An operation made of operations is taken apart.
    given : mapping
        By node, the scalar's derivative by it: 1 for itself.
    rows, columns, packed, vec, names
        See `Hessian`.

    Raises
    ------
    DomainError
        If an operation states no second derivative, or has none where it was evaluated.
    """
    flat = list(_taken_apart(operations))
    leading: set[Key] = {i.node for i in (*rows, *columns)}
    led: list[Evaluated] = []
    for one in flat:
        inputs = {name: source for name, source in one.inputs.items() if source in leading}
        if inputs:
            leading.add(one.node)
            led.append(one._replace(inputs=inputs))
    # what a sum is the sum of, a scalar too, is reached by one sweep; nothing is asked by the inputs themselves
    nodes = [one.node for one in led]
    wiring = Wiring([(one.node, one.inputs) for one in led], nodes)
    rows_of = wiring.sweep([one.jacobians for one in led], {n: g for n, g in given.items() if n in leading})
    steps = []
    for one in led:
        edges = {name: (source, one.jacobians.numerator(name)) for name, source in one.inputs.items()}
        bends = []
        if one.node in rows_of:
            for (a, b), jacobian in one.jacobians.second(rows_of[one.node]).items():
                if a in one.inputs and b in one.inputs:
                    bends.append(Bend(one.inputs[a], one.inputs[b], jacobian, a == b))
        steps.append(Step(one.node, one.jacobians.operation, one.part, edges, tuple(bends)))
    return Hessian(steps, rows, columns, packed, vec, names)


def _taken_apart(operations: Sequence[Evaluated]) -> Iterator[Evaluated]:
    """The operations that others are made of, whose inner nodes are named after the outer."""
    for one in operations:
        inside = one.jacobians.inside
        if inside is None:
            yield one
            continue
        links, steps = inside
        last = links[-1][0]
        made = {place for place, _ in links}

        def node_of(place: Key, one: Evaluated = one, last: Key = last, made: set[Key] = made) -> Key:
            if place == last:
                return one.node
            return (one.node, place) if place in made else one.inputs.get(str(place), (one.node, place))

        parts = [
            Evaluated(node_of(place), {name: node_of(source) for name, source in inputs.items()}, step, one.part)
            for (place, inputs), step in zip(links, steps, strict=True)
        ]
        yield from _taken_apart(parts)


# --- exact blocks of layers ----------------------------------------------------------------------------


class ByExample:
    """The second derivatives by nodes where the operations after them act on each example by itself, by a recursion.

    With J the Jacobian of the one operation that takes a node, and M its second derivative, B ← Jᵀ B J + M. What
    several operations take is asked of the Hessian itself: one product for each entry of an example.

    Parameters
    ----------
    steps : sequence of Step
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._users: dict[Key, list[Step]] = {}
        for step in steps:
            for source in {source for source, _ in step.edges.values()}:
                self._users.setdefault(source, []).append(step)
        self._known: dict[tuple[Key, int], Array] = {}

    def layer(self, one: Input) -> tuple[Jacobian, Key, tuple[int, ...], list[Jacobian]] | None:
        """Return the Jacobian of the one operation that takes an input on its way, and its node; None if they are more.

        Beside them the axes along which examples stay apart from there on, and the second derivatives of regularisers.
        """
        users = self._users.get(one.node, [])
        own = [bend.jacobian for step in users if step.node not in self._users for bend in step.bends]
        on_the_way = [step for step in users if step.node in self._users]
        if len(on_the_way) != 1:
            return None
        (step,) = on_the_way
        edges = [jacobian for source, jacobian in step.edges.values() if source == one.node]
        if len(edges) != 1 or step.bends_of(one.node):
            return None
        axes = common_axes(self._from(step.node, edges[0].codomain, edges[0].dtype))
        return (edges[0], step.node, axes, own) if axes else None

    def _from(self, node: Key, shape: Shape, dtype: DType) -> Hessian:
        output = Input(node, "", shape, dtype)
        return Hessian(self._steps, (output,), (output,), (False, False))

    def blocks(self, node: Key, axis: int, shape: Shape, dtype: DType) -> Array:
        """Return the blocks (N, p, p) by a node, which are kept."""
        if (node, axis) not in self._known:
            alone = self._alone(node)
            if alone is None:
                found = Jacobian._blocks(self._from(node, shape, dtype), axis)
            else:
                found = self._passed(node, *alone, axis, shape, dtype)
            self._known[node, axis] = found
        return self._known[node, axis]

    def _alone(self, node: Key) -> tuple[Step, Jacobian] | None:
        """The one step that takes a node, and its Jacobian; None where there are several."""
        users = self._users.get(node, [])
        edges = [(step, jacobian) for step in users for source, jacobian in step.edges.values() if source == node]
        return edges[0] if len(edges) == 1 else None

    def _passed(self, node: Key, step: Step, J: Jacobian, axis: int, shape: Shape, dtype: DType) -> Array:
        """Jᵀ B J + M, with B the blocks by what the step makes of the node."""
        count, size = shape[axis], example_size(shape, axis)
        if step.node not in self._users:  # a loss: what comes after it is linear
            found = np.zeros((count, size, size), dtype)
        else:
            later = self.blocks(step.node, axis, J.codomain, J.dtype)
            if isinstance(J, Diagonal):
                d = J._by_example(axis)
                found = later * d[:, :, None]
                found *= d[:, None, :]
            else:  # B is symmetric: (B J)ᵀ J
                found = J._blocks_times(J._blocks_times(later, axis).transpose(0, 2, 1), axis)
        for bend in step.bends_of(node):
            if isinstance(bend, Diagonal):
                places = np.arange(size)
                found[:, places, places] += bend._by_example(axis)
            else:
                found += bend._blocks(axis)
        return found

    def diagonals(self, node: Key, axis: int, shape: Shape, dtype: DType) -> Array:
        """Return the diagonals (N, p) of the blocks by a node; its own blocks are not formed."""
        alone = self._alone(node)
        if alone is None or (node, axis) in self._known:
            return np.einsum("nii->ni", self.blocks(node, axis, shape, dtype))
        step, J = alone
        if step.node not in self._users:
            found = np.zeros((shape[axis], example_size(shape, axis)), dtype)
        elif isinstance(J, Diagonal):
            d = J._by_example(axis)
            found = self.diagonals(step.node, axis, J.codomain, J.dtype) * d
            found *= d
        else:
            later, own = self.blocks(step.node, axis, J.codomain, J.dtype), J._blocks(axis)
            found = np.einsum(
                "nkp,nkp->np", J._blocks_times(later, axis), np.broadcast_to(own, (len(later), *own.shape[1:]))
            )
        for bend in step.bends_of(node):
            if isinstance(bend, Diagonal):
                found += bend._by_example(axis)
            else:
                found += np.einsum("nii->ni", bend._blocks(axis))
        return found


def layer_block(hessian: Hessian) -> Jacobian | None:
    """Return the Hessian by one input as Jᵀ B J, J the Jacobian of the one operation that takes the input on its way.

    B is one block for each example, where the operations after it act on each example by itself; None elsewhere. A
    regulariser of the input is added.
    """
    by_example = ByExample(hessian.steps)
    if (found := by_example.layer(hessian._rows[0])) is None:
        return None
    J, node, axes, own = found
    blocks = by_example.blocks(node, axes[0], J.codomain, J.dtype)
    block: Jacobian = J.T @ BlockDiagonal(for_each(blocks, J.codomain[axes[0]]), J.codomain, J.codomain, axes[0]) @ J
    for bend in own:
        block = block + bend
    return block


def layer_diagonal(one: Input, by_example: ByExample) -> Array | None:
    """Return the diagonal by one input in C order, from the diagonals of the examples' blocks where these are enough.

    They are where a column of J has one entry for each example, X ⊗ I: then diag(Jᵀ B J) = (J∘J)ᵀ diag B.
    """
    if (found := by_example.layer(one)) is None:
        return None
    J, node, (axis, *_), own = found
    first, *moves = J._factors()
    if not isinstance(first, Kronecker) or not isinstance(first.right if axis == 0 else first.left, int):
        return None
    if not all(isinstance(move, (Commutation, Reshape, Identity, Selection)) for move in moves):
        return None
    each = by_example.diagonals(node, axis, J.codomain, J.dtype)
    diagonal = J.positive(np.square)._vjp(joined(each[None], J.codomain, axis)[0]).ravel()
    return as_array(sum((bend._diagonal() for bend in own), diagonal))
