"""The walk through a graph: each value's line, and its cotangent as the sum of those of its uses.

Every operation runs on symbols, and each edge's own `_vjp` writes the formula that it computes with numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from jacobians.arrays import Array, show_shape
from jacobians.derivation.alike_steps import addends, find_sequences
from jacobians.derivation.derive import passed
from jacobians.derivation.equations import Definition, Equation
from jacobians.derivation.names import symbol_name
from jacobians.derivation.operation_on_symbols import Evaluated, Named
from jacobians.derivation.result import GraphDerivation
from jacobians.errors import GraphError
from jacobians.graphs import Graph, Node, Value
from jacobians.graphs.rearranging import Indexed, Permuted
from jacobians.graphs.targets import WithTargets
from jacobians.layout import Order
from jacobians.linops import Identity, Jacobian, Scaled
from jacobians.operations import Elementwise, Operation, Reshaping, Transpose
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Number, Symbol, Zeros

_DEEPEST = 50
"""Operations that are written inside one another, at most."""


def derive_graph(
    value: Value,
    wrt: Sequence[Value | str],
    called: Callable[[str], str] = "d{}".format,
    words: Mapping[str, str] = MappingProxyType({}),
) -> GraphDerivation:
    """Return the derivation of a scalar's gradients with respect to other values of its graph.

    Parameters
    ----------
    value : Value
    wrt : sequence of Value or str
        All inputs that it depends on, unless given.
    called : callable, optional
        From what a value is called to what its cotangent is; "dW" unless given.
    words : mapping, optional
        Other names for N, the number of examples, and P, the prediction.

    Raises
    ------
    GraphError
        If the value is no scalar, or comes from no operation.
    """
    refuse_arrays(value)
    return GraphWalk(value, value.find(wrt, "explain"), called, words).found()


def refuse_arrays(value: Value) -> None:
    """Refuse a value that is no scalar, or comes from no operation."""
    if value.shape != () or value.operation is None:
        what = f"has shape {show_shape(value.shape)}" if value.shape else "is an input"
        raise GraphError(
            f"explain: {value!r} {what}; a gradient is that of one number, such as a loss: take (Y * Y).sum(), or "
            "explain the operation that Y comes from"
        )


@dataclass(eq=False, kw_only=True)
class _Known(Named):
    """Named arrays; which names were made up, each with its letter; and replacements for some letters."""

    made_up: dict[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def free_name(self, letter: str) -> str:
        word = self.words.get(letter, "")
        name = super().free_name(letter) if word in ("", *self.arrays, *self.reserved) else word
        self.made_up[name] = letter
        return name

    def _first_number(self, letter: str) -> int:
        """Higher than the user's own numbers: beside Z2 and Z3, a Z1 would look like the first layer's."""
        numbers = (name[len(letter) :] for name in self.reserved if name.startswith(letter))
        return 1 + max((int(number) for number in numbers if number.isdecimal()), default=0)


class GraphWalk:
    """A graph's operations run on symbols, each with the factors of its Jacobians.

    Parameters
    ----------
    output : Value
    wrt : sequence of Node
    called, words
        See `derive_graph`.
    order : {"C", "F"}, optional
        Where every factor must write its matrix, in which order those are shown that have a name alone.
    """

    def __init__(
        self,
        output: Value,
        wrt: Sequence[Node],
        called: Callable[[str], str],
        words: Mapping[str, str],
        order: Order | None = None,
    ) -> None:
        self.output, self.order = output, order
        self.nodes = output.ancestors()
        self.uses = Counter(edge.parent for node in self.nodes for edge in node.edges())
        inputs = [node for node in self.nodes if node.operation is None]
        # arrays that a layer made values of have no names, and nobody asks for their gradients
        self.wrt = tuple(wrt) or tuple([node for node in inputs if node.is_named] or inputs)
        self.asked = set(self.wrt)
        self.graph = Graph((output,), self.wrt)
        self.called = called
        named = {symbol_name(node.name) for node in (*self.nodes, *self.wrt) if node.is_named}
        self.known = _Known(reserved=named | {self.called(name) for name in named}, words=words)
        self.output_name = symbol_name(output.name) if output.is_named else self.known.free_name("L")
        self.known.reserved.add(self.output_name)
        self.inside: set[Node] = set()
        self.without: dict[str, Operation] = {}
        self.entries = _entries(self.nodes)
        self.symbols: dict[Node, Expr] = {}
        self.factors: dict[tuple[Node, str], tuple[Jacobian, ...]] = {}
        self.depth: dict[Node, int] = {}
        self.consumer = {edge.parent: edge for node in self.nodes for edge in node.edges()}
        self.cotangents: list[tuple[Definition, list[Expr]]] = []
        self.shared: dict[Expr, Symbol] = {}
        self.operands: dict[Node, list[Expr]] = {}
        self.rows: dict[Node, Expr] = {}

    def found(self) -> GraphDerivation:
        """Return the derivation."""
        return self._folded(self.walked())

    def walked(self) -> list[tuple[Definition, list[Expr]]]:
        """Go through the graph and back; return the gradients that are asked for, each with its terms."""
        for node in self.nodes:
            self._forward(node)
        return self._back()

    # --- the forward pass ------------------------------------------------------------------------

    def _forward(self, node: Node) -> None:
        """Run a value's operation on symbols, and name its value unless it is written inside its only use."""
        known = self.known
        if node.operation is None:
            self.symbols[node] = known.add(self._named(node), node.array)
            return
        operands = [self.symbols[o] if isinstance(o, Node) else self._constant(o) for o in node.operands]
        inside = self._is_written_inside(node)
        shown = "" if inside else self._named(node)

        def name(value: Expr | None) -> Expr:
            if value is not None and inside:
                self.inside.add(node)
                return value
            own = shown or self._named(node)
            if value is None and node.operation is not None:
                self.without[own] = node.operation
            return known.add(own, node.array) if value is None else known.define(own, own, value, node.array)

        def named(value: Expr | None) -> Expr:
            self.symbols[node] = name(value)
            return self.symbols[node]

        self.operands[node] = operands
        own = dict(zip(node.operation.names, operands, strict=True))
        edges = [edge.name for edge in self.graph.into.get(node, ())]
        labels = {edge: f"{shown or symbol_name(node.name)}_{edge}" for edge in edges}
        evaluated = Evaluated(node.operation, dict.fromkeys(edges, node.array), node.array, node.jacobians.numerator)
        layout = node.operation.layout
        order = self.order or (layout.vec if layout else "C")
        factors = evaluated.in_symbols(own, labels, named, known, order, with_matrices=self.order is not None)
        self.factors |= {(node, edge): found for edge, found in factors.items()}

    def _named(self, node: Node) -> str:
        if node is self.output:
            return self.output_name
        return symbol_name(node.name) if node.is_named else self.known.free_name(_letter(node))

    def _constant(self, array: Array) -> Expr:
        return Number(float(array)) if array.ndim == 0 else self.known.constant("C", array)

    def _is_written_inside(self, node: Node) -> bool:
        """Whether a value gets no name: it is used once, and is only moved or scaled."""
        if node.is_named or node is self.output or isinstance(node.operation, WithTargets):
            return False
        if self.uses[node] != 1 or node in self.asked:
            return False
        self.depth[node] = depth = 1 + max((self.depth.get(edge.parent, 0) for edge in node.edges()), default=0)
        if depth > _DEEPEST:
            del self.depth[node]
            return False
        moved = isinstance(node.operation, (Transpose, Permuted, Reshaping, Indexed)) and node not in self.entries
        if not moved:
            into = self.consumer[node].jacobian
            moved = isinstance(into.inner if isinstance(into, Scaled) else into, Identity)
        if not moved:
            self.depth.pop(node)
        return moved

    # --- the way back ----------------------------------------------------------------------------

    def _back(self) -> list[tuple[Definition, list[Expr]]]:
        """Name every cotangent, from the output on; return the gradients that are asked for."""
        terms: dict[Node, list[Expr]] = {self.output: [Number(1)]}
        uses: dict[Node, list[Expr]] = {}
        found: dict[Node, tuple[Definition, list[Expr]]] = {}
        for node in reversed(self.graph.nodes):
            # the uses in the order of the forward pass
            own = [term for term in terms.pop(node, [])[::-1] if not isinstance(term, Zeros)] or [Zeros(node.shape)]
            row: Any = own[0]
            symbol = self.symbols[node]
            # a cotangent that is the number 1 gets no name
            alone = own == [Number(1)] and node not in self.asked
            if node not in self.inside and node is not self.output and not alone:
                assert isinstance(symbol, Symbol)
                row = self._define(symbol, own, tuple(uses.get(node, ())[::-1]))
                if node in self.asked:
                    found[node] = self.cotangents[-1]
                    if node.operation is None:
                        self.cotangents.pop()
            self.rows[node] = row
            for edge in self.graph.into[node]:
                after: Any = row
                for _, _, after in passed(self.factors[node, edge.name], row, self._share):
                    pass
                terms.setdefault(edge.parent, []).append(after)
                uses.setdefault(edge.parent, []).append(self._reader(node))
        for node in self.wrt:
            if node not in found:
                symbol = self.symbols.get(node) or self.known.add(symbol_name(node.name), node.array)
                assert isinstance(symbol, Symbol)
                zero: list[Expr] = [Number(1) if node is self.output else Zeros(node.shape)]
                self._define(symbol, zero, ())
                found[node] = self.cotangents.pop()
        return [found[node] for node in self.wrt]

    def _define(self, symbol: Symbol, terms: list[Expr], uses: tuple[Expr, ...]) -> Symbol:
        """Name a value's cotangent, the sum of its terms."""
        arrays = self.known.arrays
        number = np.asarray(sum(evaluate(term, arrays) for term in terms))
        cotangent = self.known.add(self.called(symbol.name), number)
        line = Definition(f"d{symbol.name}", Equation(cotangent, terms[0]), uses if len(uses) > 1 else ())
        self.cotangents.append((line, terms))
        return cotangent

    def _reader(self, node: Node) -> Symbol:
        """The symbol of the value in whose line a value is written."""
        while node in self.inside:
            node = self.consumer[node].child
        symbol = self.symbols[node]
        assert isinstance(symbol, Symbol)
        return symbol

    def _share(self, row: Expr, value: Expr | None = None) -> Expr:
        """Name a cotangent that several paths inside an operation share, or that of a value inside it."""
        if not isinstance(row, (Symbol, Number)) and row not in self.shared:
            shown = self.called(value.name) if isinstance(value, Symbol) else self.known.free_name("G")
            self.shared[row] = self.known.add(shown, evaluate(row, self.known.arrays))
            self.cotangents.append((Definition(shown, Equation(self.shared[row], row)), [row]))
        return self.shared.get(row, row)

    # --- alike steps -----------------------------------------------------------------------------

    def _folded(self, gradients: Sequence[tuple[Definition, list[Expr]]]) -> GraphDerivation:
        forward = self.known.definitions
        sequences = find_sequences(forward, self.known.made_up)
        sequences.add_cotangents({name: self.called(name) for name in self.known.arrays})
        said = sequences.said

        def line(definition: Definition, terms: Sequence[Expr]) -> Definition:
            left, right = said(definition.symbol), sequences.total([said(term) for term in terms])
            uses = tuple(said(use) for use in definition.uses)
            return Definition(sequences.renamed(definition.name), Equation(left, right), uses)

        return GraphDerivation(
            self._reader(self.output).name,
            tuple(sequences.folded([line(d, addends(d.value)) for d in forward])),
            tuple(sequences.folded([line(d, terms) for d, terms in self.cotangents])),
            {node.name: line(*gradient) for node, gradient in zip(self.wrt, gradients, strict=True)},
            {sequences.renamed(name): array for name, array in self.known.arrays.items()},
            {sequences.renamed(name): own for name, own in sequences.members.items()},
            {sequences.renamed(name): f"{of.name} {of.no_formula}" for name, of in self.without.items()},
        )


def _entries(nodes: Sequence[Node]) -> set[Node]:
    """The values that are taken one after another from one array, as a loop takes them."""
    found: dict[Node, list[Node]] = {}
    for node in nodes:
        if isinstance(node.operation, Indexed) and isinstance(node.operation.key, int):
            found.setdefault(node.operands[0], []).append(node)
    return {node for taken in found.values() if len(taken) > 2 for node in taken}


def _letter(node: Node) -> str:
    if node.operation is None:
        return "C"
    if isinstance(node.operation, Indexed):
        return next(node.edges()).parent.name[0].lower()
    if isinstance(node.operation, WithTargets):
        return "L"
    return "A" if isinstance(node.operation, Elementwise) else "Z"
