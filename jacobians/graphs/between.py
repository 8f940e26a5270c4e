"""The Jacobian of one value of a graph with respect to another, in its most specific structure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from jacobians.graphs.graph import Graph
from jacobians.graphs.graph_block_row import GraphBlockRow
from jacobians.graphs.graph_jacobian import GraphJacobian, Step, rows_by_example
from jacobians.graphs.node import Node
from jacobians.layout import Order
from jacobians.linops import BlockRow, Dense, Diagonal, Identity, Jacobian, Scaled, Zero
from jacobians.linops.algebra import compose_all

_LONG_PATH = 64
"""Edges above which one path is swept too: a chain's plan for its matrix takes time cubic in its length."""


def jacobians_between(of: Node, inputs: Sequence[Node]) -> tuple[list[Jacobian], Graph]:
    """Return the Jacobians of a value with respect to others, in numerator layout, and the graph that they come from.

    With respect to a value that it does not depend on, it is a `Zero`. A scalar has rows, from one sweep for all. Along
    one path it is the product of the edges. Entrywise operations give a diagonal. One number per example, with respect
    to a weight, gives a row-wise Kronecker product with one term per use. Everything else gives a `GraphJacobian`.
    """
    graph = Graph((of,), inputs)
    if of.shape == () and of not in set(inputs) and of in graph.into:
        rows = graph.pull({of: np.ones((), of.dtype)})
        return [Dense(rows[wrt]) if wrt in graph.into else _zero(of, wrt) for wrt in inputs], graph
    swept = _RowsOfAll(of, graph)
    return [_between(of, wrt, swept) for wrt in inputs], graph


def row_between(of: Node, inputs: Sequence[Node], vec: Order) -> BlockRow:
    """Return the Jacobians with respect to several values side by side. One sweep serves two sums or more."""
    blocks, graph = jacobians_between(of, inputs)
    swept = sum(isinstance(block, GraphJacobian) for block in blocks)
    every = set(inputs)
    if swept > 1 and len(every) == len(inputs) and of not in every and every <= graph.into.keys():
        return GraphBlockRow(graph, blocks, vec)
    return BlockRow(tuple(blocks), vec)


def _zero(of: Node, wrt: Node) -> Jacobian:
    return Zero(of.shape, wrt.shape, np.result_type(of.dtype, wrt.dtype))


class _RowsOfAll:
    """The Jacobians of one number per example with respect to all inputs of a graph; one sweep, made when it is asked
    for.

    Parameters
    ----------
    of : Node
    graph : Graph
    """

    def __init__(self, of: Node, graph: Graph) -> None:
        self._of, self._graph = of, graph

    @cached_property
    def _found(self) -> dict[Node, Jacobian]:
        graph, edges = self._graph, self._graph.edges
        inputs = [wrt for wrt in dict.fromkeys(graph.inputs) if wrt in graph.into]
        dtype, *others = {edge.jacobian.dtype for edge in edges}
        if len(inputs) < 2 or others:
            return {}
        number = {node: place for place, node in enumerate(graph.into)}
        steps = [Step(number[edge.child], number[edge.parent], edge.jacobian) for edge in edges]
        found = rows_by_example(steps, 0, np.ones(self._of.shape, dtype), [number[wrt] for wrt in inputs])
        return {wrt: rows for wrt, rows in zip(inputs, found, strict=True) if rows is not None}

    def get(self, wrt: Node) -> Jacobian | None:
        """Return the one with respect to an input; None where it has no such structure."""
        return self._found.get(wrt)


def _between(of: Node, wrt: Node, swept: _RowsOfAll) -> Jacobian:
    if of is wrt:
        return Identity(of.shape, of.dtype)
    graph = Graph((of,), (wrt,))
    if of not in graph.into:
        return _zero(of, wrt)
    edges = graph.edges
    alone = len(edges) == len(graph.into) - 1  # every node but the first has one way in
    product: Jacobian | None = None
    if alone and len(edges) <= _LONG_PATH:
        product = compose_all([edge.jacobian for edge in reversed(edges)])
        inner = product.inner if isinstance(product, Scaled) else product
        if len(of.shape) != 1 or len(inner._factors()) == 1:
            return product
    number = {node: place for place, node in enumerate(graph.into)}
    steps = [Step(number[edge.child], number[edge.parent], edge.jacobian) for edge in edges]
    if wrt.shape == ():
        whole = GraphJacobian(steps)
        return Dense(whole._jvp(np.ones((), whole.dtype)).copy(), of.shape)
    if all(_is_diagonal(step.jacobian) for step in steps):
        whole = GraphJacobian(steps)
        return Diagonal(whole._vjp(np.ones(of.shape, whole.dtype)))
    if len(of.shape) == 1:
        together = swept.get(wrt)
        if together is not None:
            return together
        dtype = np.result_type(*(step.jacobian.dtype for step in steps))
        for axis in (0, -1):
            (rows,) = rows_by_example(steps, axis, np.ones(of.shape, dtype))
            if rows is not None:
                return rows
    return GraphJacobian(steps) if product is None else product


def _is_diagonal(jacobian: Jacobian) -> bool:
    return isinstance(jacobian.inner if isinstance(jacobian, Scaled) else jacobian, (Diagonal, Identity))
