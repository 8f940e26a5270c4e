"""How to multiply out the Jacobians between a graph's outputs and inputs: the order, its cost, and the computation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array, DType, Shape, format_bytes
from jacobians.errors import GraphError
from jacobians.graphs.built_edges import added
from jacobians.graphs.elimination import Edge, Elimination, eliminated, plan_elimination
from jacobians.layout import Order
from jacobians.linops import Identity, Jacobian, Zero
from jacobians.linops.pattern import Pattern, pattern_of

_SHOWN = 12
"""Values of an order that are printed."""


@dataclass(frozen=True, slots=True)
class End:
    """An output or an input of a plan: its number among the graph's values, its name and its shape."""

    number: int
    name: str
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class GraphPlan:
    """Orders in which a graph's inner values are eliminated: forward, reverse, and the one with the fewest operations.

    Made by `Value.plan`, `Graph.plan` and `GraphJacobian.plan`; ``print`` shows all three.

    Attributes
    ----------
    best, forward, reverse : Elimination
        Each with its `order`, `operations`, `multiplications`, `bytes_built` and `peak_bytes`.
    exact : bool
        Whether no order takes fewer operations than the best.
    names : mapping of int to str
        What the inner values are called, by number.
    outputs, inputs : tuple of End
    dtype : dtype
        Of a Jacobian that is zero.
    edges : mapping of (int, int) to Jacobian
        By (value, the value that it depends on).

    Examples
    --------
    >>> import numpy as np
    >>> import jacobians as jac
    >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
    >>> print((jac.tanh(X @ W) ** 2).mean().plan(W))
    mean_5 with respect to W: 3 inner values, 4 edges
             operations  multiplications    built   peak
    forward         240              180  1.0 KiB  960 B
    reverse         150               90    336 B  240 B
    best            150               90    336 B  240 B
    the best of all orders: tanh_3, power_4, matmul_2
    """

    best: Elimination
    forward: Elimination
    reverse: Elimination
    exact: bool
    names: Mapping[int, str]
    outputs: tuple[End, ...]
    inputs: tuple[End, ...]
    dtype: DType
    edges: Mapping[Edge, Jacobian]

    @property
    def order(self) -> tuple[str, ...]:
        """The inner values in the best order, the first to be eliminated first."""
        return tuple(self.names[v] for v in self.best.order)

    @property
    def operations(self) -> int:
        """Operations of the best order."""
        return self.best.operations

    @property
    def multiplications(self) -> int:
        """Multiplications of the best order."""
        return self.best.multiplications

    @property
    def peak_bytes(self) -> int:
        """The most that the best order's products take at one time."""
        return self.best.peak_bytes

    def jacobians(self, order: Iterable[int] | None = None) -> list[list[Jacobian]]:
        """Return each output's Jacobian with respect to each input, multiplied out in the best order, or in another.

        Parameters
        ----------
        order : iterable of int, optional
            All inner values by number, such as ``plan.reverse.order``.

        Raises
        ------
        GraphError
            If the order does not name each inner value once.
        """
        order = self.best.order if order is None else tuple(order)
        if sorted(order) != sorted(self.names):
            raise GraphError(
                f"plan: the order {order} does not name each inner value once; they are {tuple(sorted(self.names))}"
            )
        found = eliminated(self.edges, order)
        return [
            [found.get((of.number, by.number)) or Zero(of.shape, by.shape, self.dtype) for by in self.inputs]
            for of in self.outputs
        ]

    def dense(self, order: Order = "C") -> Array:
        """Return the matrix in numerator layout: outputs below each other, inputs side by side, unrolled in this order.

        Examples
        --------
        >>> import jacobians as jac
        >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
        >>> Y = jac.tanh(X @ W) @ W.T
        >>> bool(np.allclose(Y.plan(W).dense(), Y.jacobian(W).to_dense()))
        True
        """
        return np.block([[jacobian.to_dense(order) for jacobian in row] for row in self.jacobians()])

    def __str__(self) -> str:
        of, by = (", ".join(end.name for end in ends) for ends in (self.outputs, self.inputs))
        rows = [("", "operations", "multiplications", "built", "peak")]
        for name in ("forward", "reverse", "best"):
            own: Elimination = getattr(self, name)
            sizes = format_bytes(own.bytes_built), format_bytes(own.peak_bytes)
            rows.append((name, f"{own.operations:,}", f"{own.multiplications:,}", *sizes))
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        count, edges = len(self.names), len(self.edges)
        order = [*self.order[:_SHOWN], *([f"… ({count - _SHOWN} more)"] if count > _SHOWN else [])]
        least = "the best of all orders" if self.exact else "the best found"
        return "\n".join(
            [
                f"{of} with respect to {by}: {count} inner value{'s' * (count != 1)}, {edges} edge{'s' * (edges != 1)}",
                *lines,
                f"{least}: {', '.join(order)}" if order else "nothing to eliminate",
            ]
        )

    def __repr__(self) -> str:
        return (
            f"GraphPlan({len(self.names)} inner values: {self.operations:,} operations, peak "
            f"{format_bytes(self.peak_bytes)}; forward {self.forward.operations:,}, reverse "
            f"{self.reverse.operations:,})"
        )


def make_graph_plan(
    steps: Iterable[tuple[int, int, Jacobian]],
    outputs: Sequence[End],
    inputs: Sequence[End],
    names: Mapping[int, str],
    dtype: DType,
    limit: int | None = None,
    *,
    exact: bool = True,
) -> GraphPlan:
    """Return the plan of a graph whose values are numbered. A value has a higher number than those that it depends on.

    Where an output is used by further values, or an input comes from other values, an identity edge leads it out or in.

    Parameters
    ----------
    steps : iterable of (child, parent, Jacobian)
    outputs, inputs : sequence of End
    names : mapping of int to str
        By number.
    dtype : dtype
        Of a Jacobian that is zero.
    limit : int, optional
        Bytes that the products may take at one time.
    exact : bool
        Whether to look through all orders, where there are few enough.
    """
    steps, called = list(steps), dict(names)
    children, parents = {child for child, _, _ in steps}, {parent for _, parent, _ in steps}
    place: dict[int, float] = {}
    fresh = max([*called, *(end.number for end in (*outputs, *inputs))], default=0) + 1

    def led(end: End, *, out: bool) -> End:
        nonlocal fresh
        number = fresh
        fresh += 1
        ends = (number, end.number) if out else (end.number, number)
        steps.append((*ends, Identity(end.shape, dtype)))
        return End(number, end.name, end.shape)

    sources = {end.number for end in inputs}
    ins = tuple(led(end, out=False) if end.number in children else end for end in inputs)
    outs = tuple(led(end, out=True) if end.number in parents | sources else end for end in outputs)
    edges: dict[Edge, Jacobian] = {}
    patterns: dict[Edge, Pattern] = {}
    for child, parent, jacobian in steps:
        pattern, known = pattern_of(jacobian), patterns.get((child, parent))
        if known is not None and (known + pattern).kind == "diagonal":
            jacobian = added(edges[child, parent], jacobian)
            pattern = pattern_of(jacobian)
        elif known is not None:
            # a value used twice in one operation: by another edge, so that the sum is taken where it is cheapest
            copy = Identity(jacobian.domain, jacobian.dtype)
            edges[fresh, parent], patterns[fresh, parent] = copy, pattern_of(copy)
            called[fresh], place[fresh] = f"{called[parent]}′", parent + 0.5
            parent, fresh = fresh, fresh + 1
        edges[child, parent], patterns[child, parent] = jacobian, pattern
    ends = {end.number for end in (*ins, *outs)}
    inner = sorted({v for edge in edges for v in edge} - ends, key=lambda v: place.get(v, v))
    orders = plan_elimination(patterns, inner, limit, exact=exact)
    return GraphPlan(*orders, {v: called[v] for v in inner}, outs, ins, dtype, edges)
