"""The Jacobians of one value of a graph with respect to several others, side by side: one sweep for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from jacobians.arrays import Array, size_of
from jacobians.graphs.graph import Graph
from jacobians.graphs.graph_jacobian import EachStep, Step, backward, forward, wired
from jacobians.graphs.node import Node
from jacobians.layout import Order
from jacobians.linops import BlockRow, Jacobian
from jacobians.linops.kernels import empty
from jacobians.linops.unrolling import unroll
from jacobians.operations.sweep import Wiring


class GraphBlockRow(BlockRow):
    """[J₁ J₂ …] between values of a graph, whose domain is the packed vector of all inputs.

    A vjp is one sweep back for all inputs, a jvp one sweep forward. Rows and matrices are those of the blocks.

    Parameters
    ----------
    graph : Graph
        Of one output, which depends on every input, and of the inputs.
    blocks : sequence of Jacobian
        The Jacobians of the output with respect to the inputs.
    vec : {"C", "F"}

    Examples
    --------
    >>> import numpy as np
    >>> import jacobians as jac
    >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
    >>> J = (jac.tanh(X @ W) @ W.T + X).jacobian(W, X)    # both are used twice
    >>> type(J).__name__, J.shape
    ('GraphBlockRow', (20, 32))
    """

    __slots__ = ("_inputs", "_last", "_links", "_wirings")

    def __init__(self, graph: Graph, blocks: Sequence[Jacobian], vec: Order = "C") -> None:
        super().__init__(tuple(blocks), vec)
        number: dict[Node, int] = {node: place for place, node in enumerate(graph.into)}
        self._links = tuple(Step(number[e.child], number[e.parent], e.jacobian) for e in graph.edges)
        self._inputs = tuple(number[node] for node in graph.inputs)
        self._last = number[graph.outputs[0]]
        self._wirings: dict[bool, Wiring[int]] = {}

    def _swept(self, given: dict[int, Array], *, back: bool) -> dict[int, Array]:
        """What arrives at the inputs, or at the output."""
        if back not in self._wirings:
            self._wirings[back] = wired(self._links, self._inputs if back else (self._last,), back=back)
        passes = [EachStep(self._links, backward if back else forward)] * len(self._links)
        return self._wirings[back].sweep(passes, given)

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[:-1]
        flat = tangent.reshape(size_of(stack), self.domain[0])
        given = {}
        for place, (block, part) in zip(self._inputs, self._parts(), strict=True):
            array = unroll(flat[:, part], block.domain, self.vec)
            given[place] = array if stack else array[0]
        return self._swept(given, back=False)[self._last].reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        flat = cotangent.reshape(size_of(stack), *self.codomain)
        out = empty((flat.shape[0], self.domain[0]), cotangent.dtype, cotangent)
        found = self._swept({self._last: flat if stack else flat[0]}, back=True)
        for place, (block, part) in zip(self._inputs, self._parts(), strict=True):
            unroll(out[:, part], block.domain, self.vec)[...] = found[place]
        return out.reshape(stack + self.domain)
