"""Linearised operations, each with its second derivatives, and the exact blocks for single examples.

Where the operations after a node act on each example by itself, the second derivatives by that node are one block for
each example, which a recursion from the loss back gives (Mizutani & Dreyfus 2008, *Second-order stagewise
backpropagation*, Neural Networks 21; Dangel, Harmeling & Hennig 2020, *Modular block-diagonal curvature
approximations*, AISTATS).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_array
from jacobians.linops import BlockDiagonal, Commutation, Diagonal, Identity, Jacobian, Kronecker, Reshape, Selection
from jacobians.linops.by_example import common_axes, example_size, for_each, joined

__all__ = ["Bend", "ByExample", "Input", "Key", "Part", "Step", "layer_block", "layer_diagonal", "led"]


Key: TypeAlias = Any
"""A node of a graph; hashable, and compared by ``==``."""

Part: TypeAlias = Literal["loss", "inner", "penalty"]
"""What an operation is to the scalar: a loss, an operation before it, or a regulariser."""


class Input(NamedTuple):
    """An input of the differentiation: a node, its name, and its array's shape and dtype."""

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
    """A linearised operation: its inputs' nodes and its Jacobians by input's name, and its second derivatives."""

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


def led(steps: Sequence[Step], rows: Sequence[Input], columns: Sequence[Input]) -> tuple[Step, ...]:
    """Return the steps that rows or columns lead to, and the second derivatives between them."""
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


# --- exact blocks of layers ----------------------------------------------------------------------------


class ByExample:
    """The second derivatives by nodes where the operations after them act on each example by itself, by a recursion.

    With J the Jacobian of the one operation that takes a node, and M its second derivative, B ← Jᵀ B J + M. Where
    several operations take a node, the blocks come from products with the Hessian, one per entry of an example.

    Parameters
    ----------
    steps : sequence of Step
    whole : callable
        From a node as an input to the whole second derivative by it.
    """

    def __init__(self, steps: Sequence[Step], whole: Callable[[Input], Jacobian]) -> None:
        self._steps, self._whole = steps, whole
        self._users: dict[Key, list[Step]] = {}
        for step in steps:
            for source in {source for source, _ in step.edges.values()}:
                self._users.setdefault(source, []).append(step)
        self._known: dict[tuple[Key, int], Array] = {}

    def layer(self, one: Input) -> tuple[Jacobian, Key, tuple[int, ...], list[Jacobian]] | None:
        """Return the Jacobian of the only operation that takes an input, and its node; None if there are several.

        Also the axes along which examples stay apart from there on, and the second derivatives of regularisers.
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

    def _from(self, node: Key, shape: Shape, dtype: DType) -> Jacobian:
        return self._whole(Input(node, "", shape, dtype))

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


def layer_block(one: Input, by_example: ByExample) -> Jacobian | None:
    """Return the Hessian by one input as Jᵀ B J, J the Jacobian of the one operation that takes the input on its way.

    B is one block for each example, where the operations after it act on each example by itself; None elsewhere. A
    regulariser of the input is added.
    """
    if (found := by_example.layer(one)) is None:
        return None
    J, node, axes, own = found
    blocks = by_example.blocks(node, axes[0], J.codomain, J.dtype)
    block: Jacobian = J.T @ BlockDiagonal(for_each(blocks, J.codomain[axes[0]]), J.codomain, J.codomain, axes[0]) @ J
    for bend in own:
        block = block + bend
    return block


def layer_diagonal(one: Input, by_example: ByExample) -> Array | None:
    """Return the diagonal by one input in C order, from the diagonals of the examples' blocks where these are enough.

    They are enough where a column of J has one entry per example, X ⊗ I: then diag(Jᵀ B J) = (J∘J)ᵀ diag B.
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
