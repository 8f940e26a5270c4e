"""The Hessian of a scalar value of a graph, from its operations as they were evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jacobians.graphs.graph import Graph
from jacobians.graphs.node import Node
from jacobians.graphs.targets import WithTargets
from jacobians.layout import Order
from jacobians.operations import L2, Operation
from jacobians.operations.hessian import Evaluated, Hessian, Input, Part, hessian_of

__all__ = ["hessian_between", "part_of"]


def hessian_between(
    of: Node,
    rows: Sequence[Node],
    columns: Sequence[Node],
    packed: tuple[bool, bool],
    vec: Order,
    names: Mapping[Node, str] | None = None,
) -> Hessian:
    """Return the Hessian of a scalar value with respect to others, or a cross block of it.

    Parameters
    ----------
    of : Node
    rows, columns : sequence of Node
    packed : (bool, bool)
        Whether the rows, and the columns, are one packed vector; else there is one.
    vec : {"C", "F"}
    names : mapping, optional
        What the rows and columns are called, where it is not their own name.
    """
    graph = Graph((of,), tuple(dict.fromkeys((*rows, *columns))))
    # by their numbers: a value compares its entries
    called = {node.number: node.name for node in graph.nodes}
    called |= {node.number: name for node, name in (names or {}).items()}
    operations = [
        Evaluated(node.number, {e.name: e.parent.number for e in edges}, node.jacobians, part_of(node.operation))
        for node, edges in graph.into.items()
        if edges
    ]
    by_row, by_column = (
        tuple(Input(n.number, called.get(n.number, n.name), n.shape, n.dtype) for n in nodes)
        for nodes in (rows, columns)
    )
    one = {of.number: np.ones((), of.dtype)}
    return hessian_of(operations, one, by_row, by_column, packed, vec=vec, names=called)


def part_of(operation: Operation | None) -> Part:
    """Return the part of a Hessian that comes from one operation's second derivative."""
    if isinstance(operation, WithTargets):
        return "loss"
    return "penalty" if isinstance(operation, L2) else "inner"
