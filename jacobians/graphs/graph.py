"""The linearised graph between values: nodes are values, edges structured Jacobians; its paths, and one sweep back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import LayoutError
from jacobians.factors import Factor, Factors
from jacobians.graphs.graph_plan import End, GraphPlan, make_graph_plan
from jacobians.graphs.node import Edge, Node
from jacobians.layout import Layout, Order
from jacobians.linops import Dense, Identity, Jacobian
from jacobians.linops.algebra import compose_all
from jacobians.operations.record import in_layout
from jacobians.operations.sweep import Wiring
from jacobians.pictures.figure import plot_chain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A path through the graph, from an output back to an input, as the chain rule reads.

    Attributes
    ----------
    output : Node
    edges : tuple of Edge
        From the output to the input; none where they are one value.

    Examples
    --------
    >>> import numpy as np
    >>> import jacobians as jac
    >>> (X,) = jac.values(X=np.ones(3))
    >>> for path in (X + X**2).paths(X):
    ...     print(path)
    plus_2 ← X
    plus_2 ← power_1 ← X
    """

    output: Node
    edges: tuple[Edge, ...]

    @property
    def factors(self) -> Factors:
        """The Jacobians of the edges, each with the names of its two values, in their operations' layouts."""
        return Factors(Factor(e.child.name, e.parent.name, e.child.jacobians[e.name]) for e in self.edges)

    @property
    def jacobian(self) -> Jacobian:
        """Their product: what this path alone contributes, in numerator layout."""
        if not self.edges:
            return Identity(self.output.shape, self.output.dtype)
        return compose_all([edge.jacobian for edge in self.edges])

    def plot(self, *, order: Order | None = None) -> Figure:
        """Draw the path's factors side by side with matplotlib, as `jacobians.pictures.plot_chain` does.

        Parameters
        ----------
        order : {"C", "F"}, optional
            How arrays are unrolled; each Jacobian's own order unless given.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        ShapeError
            If the path has no edges.
        """
        return plot_chain(self.factors, order=order)

    def __len__(self) -> int:
        return len(self.edges)

    def __repr__(self) -> str:
        return f"Path({self})"

    def __str__(self) -> str:
        return " ← ".join([self.output.name, *(edge.parent.name for edge in self.edges)])

    def _repr_html_(self) -> str:
        return self.factors._repr_html_()


class Graph:
    """Every value on a path from some values to others, in order of computation.

    Parameters
    ----------
    outputs, inputs : sequence of Node

    Attributes
    ----------
    nodes : tuple of Node
        Each after those that it came from. An input that no output depends on is not among them.
    into : dict
        By node, its edges to those of `nodes` that it came from.

    Examples
    --------
    >>> import numpy as np
    >>> import jacobians as jac
    >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
    >>> Z = X @ W
    >>> graph = Graph(jac.tanh(Z) + Z, (W,))
    >>> len(graph.nodes)
    9
    """

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node]) -> None:
        self.outputs = tuple(outputs)
        self.inputs = tuple(inputs)
        first = min((node.number for node in inputs), default=0)
        ancestors: set[Node] = set()
        todo = list(outputs)
        while todo:
            node = todo.pop()
            if node.number >= first and node not in ancestors:
                ancestors.add(node)
                todo += [edge.parent for edge in node.edges()]
        starts = set(inputs)
        self.into: dict[Node, tuple[Edge, ...]] = {}
        for node in sorted(ancestors, key=lambda node: node.number):
            edges = tuple(edge for edge in node.edges() if edge.parent in self.into)
            if edges or node in starts:
                self.into[node] = edges

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self.into)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, those into a node before those into later nodes."""
        return tuple(edge for edges in self.into.values() for edge in edges)

    def layout(self) -> Layout | None:
        """Return the layout of the operations, where they state one.

        Raises
        ------
        LayoutError
            If they differ in vec order or derivative layout.
        """
        first: Node | None = None
        for node, edges in self.into.items():
            layout = node.operation.layout if edges and node.operation else None
            if layout is None:
                continue
            if first is None:
                first, found = node, layout
            elif (layout.vec, layout.derivative) != (found.vec, found.derivative):
                raise LayoutError(
                    f"jacobian: {first.name} is in vec order {found.vec!r} and {found.derivative} layout, {node.name} "
                    f"in vec order {layout.vec!r} and {layout.derivative} layout; give every operation the same layout"
                )
        return None if first is None else found

    # --- paths -----------------------------------------------------------------------------------

    def path_count(self, output: Node, wrt: Node) -> int:
        """Return the number of paths from one value to another; it may have thousands of digits."""
        counts = dict.fromkeys(self.into, 0)
        if wrt not in counts or output not in counts:
            return 0
        counts[wrt] = 1
        for node, edges in self.into.items():
            if node is not wrt:
                counts[node] = sum(counts[edge.parent] for edge in edges)
        return counts[output]

    def paths(self, output: Node, wrt: Node) -> Iterator[Path]:
        """Yield every path; none is written out before it is asked for."""
        if output is wrt:
            yield Path(output, ())
            return
        # the edges on a way to this input alone, so that no turn leads nowhere
        into = Graph((output,), (wrt,)).into
        way: list[Edge] = []
        turns = [iter(into.get(output, ()))]
        while turns:
            edge = next(turns[-1], None)
            if edge is None:
                turns.pop()
                if way:
                    way.pop()
            elif edge.parent is wrt:
                yield Path(output, (*way, edge))
            else:
                way.append(edge)
                turns.append(iter(into[edge.parent]))

    # --- the order of elimination ----------------------------------------------------------------

    def plan(self, *, limit: int | None = None) -> GraphPlan:
        """Return the cheapest order in which to eliminate the values between outputs and inputs.

        Parameters
        ----------
        limit : int, optional
            Bytes that the products may take at one time.

        Raises
        ------
        TooLargeError
            If no order that was found stays within the limit.

        Examples
        --------
        >>> import jacobians as jac
        >>> x, y = jac.values(x=2.0, y=3.0)
        >>> product = (x * y).named("xy")
        >>> plan = Graph([product * x, jac.exp(product)], [x, y]).plan()
        >>> print(plan)
        times_3, exp_4 with respect to x, y: 1 inner value, 5 edges
                 operations  multiplications  built  peak
        forward           5                4   32 B  40 B
        reverse           5                4   32 B  40 B
        best              5                4   32 B  40 B
        the best of all orders: xy
        >>> plan.dense()
        array([[ 12.        ,   4.        ],
               [1210.28638048, 806.85758699]])
        """
        nodes = tuple(dict.fromkeys((*self.into, *self.inputs, *self.outputs)))
        number = {node: place for place, node in enumerate(nodes)}
        return make_graph_plan(
            [(number[edge.child], number[edge.parent], edge.jacobian) for edge in self.edges],
            [End(number[node], node.name, node.shape) for node in self.outputs],
            [End(number[node], node.name, node.shape) for node in self.inputs],
            {place: node.name for node, place in number.items()},
            np.result_type(*(node.dtype for node in nodes)),
            limit,
        )

    # --- one sweep back --------------------------------------------------------------------------

    def pull(self, rows: Mapping[Node, Array]) -> dict[Node, Array]:
        """Return a scalar's rows at the inputs, given its rows at the outputs. Each edge is passed once.

        Parameters
        ----------
        rows : mapping
            By output, the derivative of the scalar by it.

        Returns
        -------
        dict
            New arrays by input, zeros where nothing depends on it.
        """
        passed = [node for node, edges in self.into.items() if edges]
        wiring = Wiring([(node, {e.name: e.parent for e in self.into[node]}) for node in passed], self.inputs)
        given = self._given(rows)
        found = wiring.sweep([node.jacobians for node in passed], given)
        held = set(map(id, given.values()))
        return {node: _own(found.get(node), node, held) for node in self.inputs}

    def _given(self, rows: Mapping[Node, Array]) -> dict[Node, Array]:
        """The rows to start from. A scalar's own row is 1, and the row of its operation is known."""
        (output, row), *others = rows.items()
        edges = self.into.get(output, ())
        if not others and len(edges) == 1 and output not in set(self.inputs):
            edge = edges[0]
            if row.shape == () and row == 1 and isinstance(edge.jacobian, Dense):
                return {edge.parent: edge.jacobian.array}
        return dict(rows)


def _own(array: Any, node: Node, held: set[int]) -> Array:
    """The sum that arrived at a node, as an array that nothing else holds; zeros where nothing arrived."""
    if array is None:
        return np.zeros(node.shape, node.dtype)
    if id(array) in held or array.base is not None or not array.flags.owndata:
        return array.copy(order="K")
    held.add(id(array))
    return array


def in_its_layout(jacobian: Jacobian, layout: Layout | None) -> Jacobian:
    """Return a Jacobian, given in numerator layout, in the layout if one is given."""
    return jacobian if layout is None else in_layout(jacobian, layout)
