r"""The Hessian of a scalar as a structured Jacobian of its gradient: one term for each non-linear operation.

With D the Jacobian of an operation's inputs with respect to the parameters, ḡ the scalar's derivative by its output,
and :math:`M(\bar g) = \sum_k \bar g_k \nabla^2 f_k` its second derivative,

.. math:: H = \sum_{\text{operations}} D^\top M(\bar g)\, D .

No term is multiplied out: a product with a vector is one sweep forward, which gives every D·v, and one sweep back,
which adds up the Dᵀ (Pearlmutter 1994, *Fast exact multiplication by the Hessian*, Neural Computation 6; Griewank &
Walther 2008, *Evaluating Derivatives*, ch. 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from jacobians.arrays import Array, Shape, as_array, chosen, common_dtype, size_of
from jacobians.errors import LayoutError
from jacobians.layout import Order
from jacobians.linops import BlockRow, Identity, Jacobian, Product, Sum, Zero
from jacobians.linops.batch import block_diagonal
from jacobians.linops.jacobian import Leaf
from jacobians.linops.kernels import empty, may_alias
from jacobians.linops.matrix_views import DENSE_LIMIT
from jacobians.linops.unrolling import c_index_of_f, slabs, unroll
from jacobians.operations.linearised_steps import (
    Bend,
    ByExample,
    Input,
    Key,
    Part,
    Step,
    layer_block,
    layer_diagonal,
    led,
)
from jacobians.operations.record import Jacobians
from jacobians.operations.sweep import Wiring

__all__ = ["Evaluated", "Hessian", "Input", "Part", "Term", "hessian_of"]


_TOGETHER = 1 << 18
"""Bytes of the widest node's tangents up to which those of a stack are taken together; more leave the cache."""


class Evaluated(NamedTuple):
    """An evaluated operation in a graph: the node of its output, the nodes of its inputs by name, its Jacobians."""

    node: Key
    inputs: Mapping[str, Key]
    jacobians: Jacobians
    part: Part = "inner"


@dataclass(frozen=True, eq=False)
class Term:
    """One operation's term of a Hessian: Dᵀ M D, or Dᵀ M E + Eᵀ Mᵀ D for two inputs.

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

    It is the Jacobian of the gradient: `H @ v` is exact, and takes one sweep forward and one back. Made by
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
        self.steps = led(steps, rows, columns)
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
        """The change of the gradient with respect to some inputs along tangents of others; by symmetry, both directions
        agree.

        A stack is cut into parts that stay in the cache together with the arrays of all nodes.
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
        """The second derivatives applied to all nodes' tangents, by node; a tangent is kept until its last use."""
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

    def _packed_parts(self) -> tuple[tuple[tuple[str, Shape, Order], ...], tuple[tuple[str, Shape, Order], ...]]:
        rows, columns = (
            tuple((one.name, one.shape, self.vec) for one in inputs) if whole else ()
            for inputs, whole in zip((self._rows, self._columns), self._packed, strict=True)
        )
        return rows, columns

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
        """The part from the operations before the losses, which Gauss–Newton leaves out."""
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
        layer = layer_block(row, found._by_example()) if row == column else None
        return (found if layer is None else layer).ordered(self.vec)

    def _named(self, inputs: tuple[Input, ...], name: str) -> Input:
        return chosen(name, {one.name: one for one in inputs}, "block")

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs of the rows; in a square Hessian those of the columns too."""
        return self._rows

    def places(self) -> list[tuple[str, slice]]:
        """Return the inputs' names, and where each lies among the rows, or the columns of a square Hessian."""
        return [(one.name, part) for one, part in _parts(self._rows)]

    def in_other_order(self) -> Array:
        """Return for each entry of the packed inputs its place in the other vec order."""
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

    def block_diagonal(self, axis: int | None = None, *, limit: int = DENSE_LIMIT) -> Jacobian:
        """Return the Hessian without its cross blocks, each block in its structure; of one input its own blocks.

        The block of one input has a block per example where it keeps the examples apart; see `Jacobian.block_diagonal`.

        Parameters
        ----------
        axis, limit
            Of one input's, as of any Jacobian.

        Raises
        ------
        LayoutError
            If it is a packed cross block, or one input's, whose examples are not kept apart.

        Examples
        --------
        >>> import jacobians as jac
        >>> x, y = jac.values(x=2.0, y=3.0)
        >>> (x * x * y).hessian(x, y).block_diagonal().to_dense()
        array([[6., 0.],
               [0., 0.]])
        """
        if self._packed != (True, True) or axis is not None:
            return block_diagonal(self, axis, limit=limit)
        terms: list[Jacobian] = []
        for one, block in zip(self._rows, self.blocks().values(), strict=True):
            parts = (Identity(i.shape, i.dtype) if i is one else Zero(one.shape, i.shape, i.dtype) for i in self._rows)
            place = BlockRow(parts, self.vec)
            terms.append(Product((place.T, block._with_order(None), place)))
        return Sum(tuple(terms))._with_order(self.order)

    def _by_example(self) -> ByExample:
        return ByExample(self.steps, lambda one: Hessian(self.steps, (one,), (one,), (False, False)))

    def _diagonal(self) -> Array:
        if self._rows != self._columns:
            return super()._diagonal()
        found, by_example = [], self._by_example()
        for one in self._rows:
            diagonal = layer_diagonal(one, by_example)
            if diagonal is None:
                alone = Hessian(self.steps, (one,), (one,), (False, False), self.vec)
                block = layer_block(one, alone._by_example())
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
        return self._by_example().blocks(self._rows[0].node, axis, self.domain, self.dtype)

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
    """The sums at nodes; further parts are added in place where nothing else holds the array."""

    def __init__(self, found: dict[Key, Array]) -> None:
        self.found = found
        self._own: set[Key] = set()

    def add(self, node: Key, part: Array, made_of: tuple[Array, Jacobian]) -> None:
        """Add the product of a Jacobian and an array; neither is written to."""
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
    reached: list[Evaluated] = []
    for one in flat:
        inputs = {name: source for name, source in one.inputs.items() if source in leading}
        if inputs:
            leading.add(one.node)
            reached.append(one._replace(inputs=inputs))
    # what a sum is the sum of, a scalar too, is reached by one sweep; nothing is asked by the inputs themselves
    nodes = [one.node for one in reached]
    wiring = Wiring([(one.node, one.inputs) for one in reached], nodes)
    rows_of = wiring.sweep([one.jacobians for one in reached], {n: g for n, g in given.items() if n in leading})
    steps = []
    for one in reached:
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
