"""The derivative of a value of a graph as one expression: gradients from the backward sweep, differentials from the
forward sweep.

`derive_graph` names every value on the way. Here the names are replaced by their formulas, so only inputs remain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

from jacobians.derivation.derive_graph import GraphWalk
from jacobians.derivation.equations import Equation
from jacobians.errors import GraphError
from jacobians.graphs import Node, Value
from jacobians.symbols.expressions import Expr, Symbol, Zeros

Short = Callable[[Expr], Expr]


def closed_gradient(value: Value, wrt: Value, short: Short) -> Expr:
    """Return the gradient of a scalar as an expression of the inputs.

    Parameters
    ----------
    value : Value
    wrt : Value
    short : callable
        What makes an expression short: it is called with every line.

    Raises
    ------
    GraphError
        If an operation on the way states no formula.
    """
    walk = _walked(value, wrt)
    ((_, terms),) = walk._back()
    known = _definitions(walk, short)
    for line, own in walk.cotangents:
        known[line.symbol] = short(_sum(own).replaced(known))
    return short(_sum(terms).replaced(known))


def closed_differential(value: Value, wrt: Value, short: Short) -> Expr:
    """Return dY as an expression of the inputs and of dX, which is the symbol "dX" for an input X.

    Parameters and errors are those of `closed_gradient`.
    """
    walk = _walked(value, wrt)
    known = _definitions(walk, short)
    (source,) = walk.wrt
    tangents: dict[Node, Any] = {source: Symbol(f"d{source.name}", source.shape)}
    for node in walk.graph.nodes:
        moved: list[Any] = []
        for edge in walk.graph.into[node]:
            tangent = tangents.get(edge.parent)
            if tangent is None or isinstance(tangent, Zeros):
                continue
            for factor in reversed(walk.factors[node, edge.name]):
                tangent = factor._jvp(tangent)
            moved.append(tangent)
        if moved:
            tangents[node] = short(_sum(moved).replaced(known))
    return tangents.get(walk.output, Zeros(value.shape))


def _walked(value: Value, wrt: Value) -> GraphWalk:
    walk = GraphWalk(value, [wrt], "d{}".format, {})
    for node in walk.nodes:
        walk._forward(node)
    if walk.without:
        raise GraphError(f"a formula is not known of {', '.join(sorted({of.name for of in walk.without.values()}))}")
    return walk


def _definitions(walk: GraphWalk, short: Short) -> dict[Expr, Expr]:
    """By the symbol of every value that is no input, its expression."""
    known: dict[Expr, Expr] = {}
    for definition in walk.known.definitions:
        known[definition.symbol] = short(definition.value.replaced(known))
    return known


def _sum(terms: list[Expr]) -> Expr:
    return reduce(add, terms)


def names_in(expr: Expr) -> set[str]:
    """Return the names of the symbols in an expression."""
    names, open_ = set[str](), [expr]
    while open_:
        part = open_.pop()
        if isinstance(part, Symbol):
            names.add(part.name)
        open_ += part.parts
    return names


def differential_steps(value: Value, wrt: Value, short: Short) -> tuple[list[Equation], list[Equation]]:
    """Return the values on the way to a value, and the differential of each, one line for each.

    Parameters and errors are those of `closed_gradient`.
    """
    walk = _walked(value, wrt)
    forward = [Equation(definition.symbol, short(definition.value)) for definition in walk.known.definitions]
    (source,) = walk.wrt
    tangents: dict[Node, Any] = {source: Symbol(f"d{source.name}", source.shape)}
    found: list[Equation] = []
    for node in walk.graph.nodes:
        moved: list[Any] = []
        for edge in walk.graph.into[node]:
            tangent = tangents.get(edge.parent)
            if tangent is None or isinstance(tangent, Zeros):
                continue
            for factor in reversed(walk.factors[node, edge.name]):
                tangent = factor._jvp(tangent)
            moved.append(tangent)
        if not moved:
            continue
        right, symbol = short(short(_sum(moved))), walk.symbols[node]
        tangents[node] = right
        if isinstance(symbol, Symbol) and not isinstance(right, Zeros):
            tangents[node] = Symbol(f"d{symbol.name}", symbol.dims)
            found.append(Equation(tangents[node], right))
    return forward, found
