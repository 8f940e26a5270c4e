"""The Hessian of a graph's scalar in symbols: one product of matrices for each non-linear operation.

Where several paths lead from a value back to a requested one, the sum of their products gets its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, reduce
from types import MappingProxyType

import numpy as np

from jacobians.conventions import Convention
from jacobians.derivation.derive_graph import GraphWalk, refuse_arrays
from jacobians.derivation.equations import Definition, Equation, SumOfChains
from jacobians.derivation.names import symbol_name
from jacobians.derivation.operation_on_symbols import NamedMatrix, Once, second_in_symbols
from jacobians.derivation.second_order import Bent, Chain, blocks_of, loss_in_symbols, product_of, times, titled
from jacobians.derivation.second_result import SecondDerivation
from jacobians.graphs import Graph, Node, Value
from jacobians.graphs.between import jacobians_between
from jacobians.graphs.second_order import part_of
from jacobians.graphs.targets import WithTargets
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import Identity, Jacobian
from jacobians.operations import L2
from jacobians.operations.linearised_steps import Key
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Add, Call, Expr, Hadamard, Number, Quotient, Symbol, Zeros, parts_of
from jacobians.symbols.text import TextNotation


def derive_second_of_graph(
    value: Value,
    wrt: Sequence[Value | str] = (),
    called: Callable[[str], str] = "d{}".format,
    words: Mapping[str, str] = MappingProxyType({}),
    convention: Convention | None = None,
) -> SecondDerivation:
    """Return the derivation of the blocks of a scalar's Hessian, by every two values of its graph.

    Parameters
    ----------
    value : Value
    wrt : sequence of Value or str
        All inputs that it depends on, unless given.
    called, words
        See `derive_graph`.
    convention : Convention, optional
        Of the network whose objective it is.

    Raises
    ------
    GraphError
        If the value is no scalar, or comes from no operation.
    DomainError
        If an operation states no second derivative, or has none here.
    """
    refuse_arrays(value)
    inputs = [node for node in value.ancestors() if node.operation is None]
    nodes = list(dict.fromkeys(value.find(wrt, "explain"))) or inputs
    own = convention.layout if convention else Graph((value,), nodes).layout()
    layout = (own or DEFAULT_LAYOUT).replace(derivative=convention.layout.derivative if convention else "numerator")
    walk = GraphWalk(value, nodes, called, words, layout.vec)
    walk.walked()
    names = {node.name: node for node in walk.wrt}
    symbols = {name: Symbol(_own_name(walk, node), node.shape) for name, node in names.items()}
    lines = [
        Definition(line.name, Equation(line.symbol, reduce(Add, terms)), line.uses) for line, terms in walk.cotangents
    ]
    ways = {}
    for name, node in names.items():
        ways[name], named = _ways(walk, node, layout)
        lines += named
    bent = [bend for node in walk.graph.nodes for bend in _of_node(walk, node, layout)]
    penalised = convention is not None and any(one.part == "penalty" for one in bent)
    blocks = blocks_of(bent, ways, symbols, layout, Symbol("J" if penalised else walk.output_name, ()))
    write = TextNotation().symbol
    title = f"{write(walk.output_name)} twice with respect to {', '.join(write(s.name) for s in symbols.values())}"
    return SecondDerivation(
        titled(convention) if convention else title,
        convention,
        tuple(walk.known.definitions),
        tuple(lines),
        blocks,
        walk.known.arrays,
    )


def _own_name(walk: GraphWalk, node: Node) -> str:
    found = walk.symbols.get(node)
    return found.name if isinstance(found, Symbol) else symbol_name(node.name)


# --- Jacobians with respect to one value -----------------------------------------------------------------


def _ways(walk: GraphWalk, wrt: Node, layout: Layout) -> tuple[dict[Key, Chain], list[Definition]]:
    """By the number of a value that depends on `wrt`, the factors of its Jacobian; and those that have a name."""
    found: dict[Key, Chain] = {wrt.number: ()}
    named = []
    for node in walk.graph.nodes:
        own = [edge for edge in walk.graph.into[node] if edge.parent.number in found]
        chains = [(*walk.factors[node, edge.name], *found[edge.parent.number]) for edge in own]
        if len(chains) == 1:
            found[node.number] = chains[0]
        elif chains and node is not walk.output:
            matrix = _named(walk, node, wrt)
            shown = matrix.shown
            assert isinstance(shown, Symbol)
            products = (product_of(None, chain, layout, "numerator") for chain in chains)
            named.append(Definition(shown.name, Equation(shown, SumOfChains(tuple(products), matrix.shape))))
            found[node.number] = (matrix,)
    return found, named


def _named(walk: GraphWalk, node: Node, wrt: Node) -> NamedMatrix:
    """The Jacobian of a value that depends on another in several ways, as a matrix with a name."""
    known, symbol = walk.known, walk.symbols[node]
    own = f"J_{symbol.name}_{_own_name(walk, wrt)}" if isinstance(symbol, Symbol) else known.free_name("J")
    (jacobian,), _ = jacobians_between(node, [wrt])
    entries = known.add(own, jacobian.to_dense("C"))
    shown = entries if walk.order == "C" else known.add(f"{own}_F", jacobian.to_dense("F"))
    return NamedMatrix(entries, shown, jacobian.codomain, jacobian.domain)


# --- what bends ------------------------------------------------------------------------------------------


def _of_node(walk: GraphWalk, node: Node, layout: Layout) -> Iterator[Bent]:
    """The second derivatives of a value's operation with respect to the operands that depend on a requested value."""
    row, operation = walk.rows.get(node), node.operation
    parents = {edge.name: edge.parent for edge in walk.graph.into[node]}
    if row is None or isinstance(row, Zeros) or operation is None or not parents:
        return
    cotangent = evaluate(row, walk.known.arrays)
    numbers = node.jacobians.second(cotangent) if np.any(cotangent) else {}
    label, factor = f"{symbol_name(node.name)}_second", None if row == Number(1) else row
    made: dict[tuple[str, str], Chain]
    if isinstance(operation, L2) and operation.include_bias and numbers:
        made = {("W", "W"): (Identity(node.operands[0].shape, node.dtype),)}
        factor = _product(Number(2 * operation.scale), factor)
    elif isinstance(operation, WithTargets) and operation.loss.reduction != "none" and numbers:
        made = {}
        for number, middle in _of_loss(walk, node, operation, (1 / float(cotangent)) * numbers["X", "X"], label):
            made["X", "X"], factor = middle, _product(number, factor)
    else:
        maker = partial(operation.second_in_symbols, row, *walk.operands[node])
        made, factor = second_in_symbols(maker, numbers, label, walk.known.arrays, layout.vec), None
    for (a, b), chain in made.items():
        if a in parents and b in parents:
            row_, column = parents[a], parents[b]
            of = tuple(dict.fromkeys(name for parent in (row_, column) for name in _names_in(walk.symbols[parent])))
            yield Bent(operation.name, part_of(operation), row_.number, column.number, of, chain, factor, alone=a == b)


def _of_loss(
    walk: GraphWalk, node: Node, operation: WithTargets, numbers: Jacobian, label: str
) -> Iterator[tuple[Expr | None, Chain]]:
    """A loss's second derivative: the number before it, and M's factors."""
    loss, known, (X,), (outputs,) = operation.loss, walk.known, walk.operands[node], node.operands
    value = next((d.value for d in known.definitions if d.symbol == walk.symbols[node]), None)

    def named(formula: Expr | None) -> Expr:
        """The prediction, by the name that the forward pass gave it."""
        return next(d.symbol for d in known.definitions if d.value == formula)

    def maker() -> Jacobian:
        if not isinstance(value, Call):
            raise LookupError("the loss has no formula")
        return loss.declared_for(operation.targets, outputs.array).second_in_symbols(X, value.arguments[1], Once(named))

    weight = None
    if loss.reduction != "sum":
        count = outputs.size if loss.reduction == "mean-all" else outputs.shape[loss.layout.batch_axis]
        weight = Quotient(Number(1), known.constant("N", np.asarray(float(count))))
    scale = loss.scale(outputs.array)
    for factor, middle in loss_in_symbols(loss, maker, numbers, scale, label, known.arrays, walk.order or "C"):
        yield times(factor, weight), middle


def _product(left: Expr | None, right: Expr | None) -> Expr | None:
    if left is None or right is None:
        return left or right
    return Hadamard(left, right)


def _names_in(expr: Expr) -> list[str]:
    """What an operand is called, or what it is written with."""
    return [part.name for part in parts_of(expr) if isinstance(part, Symbol)]
