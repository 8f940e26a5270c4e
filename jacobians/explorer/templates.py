"""`templates_record`: the derivation of a net of two layers in pieces, from which the page puts together any net.

A layer's part of a derivation differs from layer to layer only in names and sizes. So the library derives one net of
two layers in every layout, with widths that no other number of a formula has, an activation φ and a loss ℓ of its own.
The page repeats the pieces of a layer, and replaces these sizes, φ and ℓ by the reader's. What they are written as is
the library's too. Numbers come from the same formulas, as trees that the page's runtime walks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from jacobians.array_names import ArrayNames
from jacobians.arrays import Array
from jacobians.comparison.differences import ways
from jacobians.comparison.shared_names import SharedNames
from jacobians.conventions import Convention
from jacobians.derivation import Definition, Derivation, Equation, derive
from jacobians.errors import LayoutError
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import PLAIN
from jacobians.explorer.formulas import keep_equation, keep_mathml, roles_of
from jacobians.explorer.forward_steps import START
from jacobians.explorer.names import Spelling, letter, shown_name
from jacobians.explorer.numbers import arrays_of, own_name
from jacobians.explorer.panes import objective_in_words
from jacobians.explorer.stage_steps import operands, stops_in_pieces
from jacobians.factors import Factor
from jacobians.layout import Layout
from jacobians.network import Network, Run
from jacobians.operations import Elementwise, Loss, Operation, find_loss
from jacobians.operations.losses import Examples
from jacobians.operations.operation import Naming
from jacobians.symbols.expressions import Call, Expr, Hadamard, Number, Quotient, SumOver, Symbol, parts_of
from jacobians.symbols.javascript import program_trees, tree
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.named_functions import Function, numbers_of, source_of
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation

LAYERS = 5
"""The most that a net of the reader's own has."""
COUNT, SIZES = 23, (31, 37, 41)
"""Neither the number of examples, nor a width, nor a width and one is any other number of a formula."""
_GIVEN = "# given, with shapes:\n"
_WRT = ("W1", "b1", "W2", "b2", "X")


class Phi(Elementwise):
    """The stand-in for an activation."""

    shown = "φ"

    @staticmethod
    def textbook(Z: Array) -> Array:
        return np.tanh(Z)

    @staticmethod
    def textbook_prime(Z: Array) -> Array:
        return 1 / np.cosh(Z) ** 2

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        return np.tanh(z), lambda: 1 / np.cosh(z) ** 2


class Ell(Loss):
    """The stand-in for a loss."""

    name = "ell"

    def _examples(self, X: Array, Y: Array) -> Examples:
        return lambda: ((X - Y) ** 2).sum(axis=self.layout.feature_axis), lambda: 2 * (X - Y)


LOSS_VALUES: dict[str, str] = {
    "cross_entropy": "np.log(np.exp(Z - Z.max(axis=1, keepdims=True)).sum(axis=1)) "
    "+ Z.max(axis=1) - (Y * Z).sum(axis=1)",
    "binary_cross_entropy": "(np.logaddexp(0, Z) - Y * Z).sum(axis=1)",
    "multiclass_hinge": "((1 - Y) * np.maximum(0, Z - (Z * Y).sum(axis=1, keepdims=True) + 1)).sum(axis=1)",
    "squared_error": "((Z - Y) ** 2).sum(axis=1)",
}
"""The losses of the examples, which lie in rows, of the outputs Z and of labels as rows of 0 and 1."""


def templates_record(
    layouts: Sequence[Layout],
    manners: Sequence[ArrayNames],
    activations: Mapping[str, Operation],
    distinct: DistinctValues,
) -> dict[str, Any]:
    """Return what the page needs to derive a net of up to five layers.

    Parameters
    ----------
    layouts, manners
        Those in which it can be shown.
    activations : dict
        Those that it can have, by name.
    distinct : DistinctValues
        Where formulas are kept.
    """
    indexed = [f"{name}{layer}" for name in ("Z", "A", "W", "b", "dZ", "dA", "dW", "db") for layer in range(LAYERS + 1)]
    return {
        "count": COUNT,
        "sizes": SIZES,
        "symbols": {name: keep_mathml(MathmlNotation().symbol(name), distinct) for name in indexed},
        "start": START,
        "between": keep_mathml(MathmlNotation.between["chain"], distinct),
        "activations": {name: _activation(operation, distinct) for name, operation in activations.items()},
        "losses": {name: _loss(name, distinct) for name in LOSS_VALUES},
        "sources": _sources(activations),
        "functions": _functions(activations),
        "sides": [_side(Convention("", layout, reduction="mean"), manners, distinct) for layout in layouts],
    }


# --- the net with its stand-ins ------------------------------------------------------------------------


def _run(convention: Convention) -> Run:
    network = Network.dense(
        SIZES, convention=convention, activation=Phi(), output="linear", loss=Ell(), factor=1.0, reduction="mean"
    )
    rng, layout = np.random.default_rng(0), network.layout
    shapes = [layout.batch_shape(COUNT, width) for width in (SIZES[0], SIZES[-1])]
    return network.run(network.init(rng), *(rng.normal(size=shape) for shape in shapes))


def _side(convention: Convention, manners: Sequence[ArrayNames], distinct: DistinctValues) -> dict[str, Any]:
    plain = _run(convention)
    own = {wrt: own_name(wrt, convention) for wrt in _WRT}
    chains = {name: plain.chain(name) for name in own.values() if name}
    structures = {f"{f.of}/{f.wrt}": f.jacobian.structure for chain in chains.values() for f in chain}
    arrays = arrays_of(plain)
    return {
        "own": distinct.keep(own),
        "arrays": distinct.keep([[_piece(n), n, letter(n), list(array.shape)] for n, array in arrays.items()]),
        "structures": distinct.keep(structures),
        "manners": [
            distinct.keep(_derived(_run(convention.replace(names=manner)), chains, [*arrays], distinct))
            for manner in manners
        ],
    }


def _derived(
    run: Run, chains: Mapping[str, Sequence[Factor]], arrays: Sequence[str], distinct: DistinctValues
) -> dict[str, Any]:
    """What one layout and manner says."""
    found, layout, spelled = derive(run), run.network.layout, Spelling(run, Phi())
    return {
        "shown": distinct.keep({name: spelled.array(name) for name in arrays}),
        "forward": distinct.keep(_definitions(found.forward, distinct)),
        "cotangents": distinct.keep(_definitions(found.cotangents, distinct)),
        "shapes": distinct.keep(_shapes(run, found)),
        "left": distinct.keep({name: keep_mathml(_left(found, name), distinct) for name in chains}),
        "formulas": distinct.keep({name: keep_equation(found[name].formula, distinct) for name in chains}),
        "lines": distinct.keep(_lines(found, distinct)),
        "ways": distinct.keep({about: [*said] for about, said in ways(SharedNames(run, found)).items()}),
        "stops": distinct.keep(
            {name: stops_in_pieces(found, name, chain, layout, distinct) for name, chain in chains.items()}
        ),
    }


def _definitions(definitions: Sequence[Definition], distinct: DistinctValues) -> list[list[Any]]:
    return [[_piece(found.name), found.name, keep_equation(found.equation, distinct)] for found in definitions]


def _piece(name: str) -> str:
    """The part that an array of the two-layer net belongs to: the first layer, any other, the middle, or the loss."""
    plain = name.removeprefix("d").removesuffix("_ones")
    if name in {"dZ2", "losses", "loss"} or plain in {"Y", "N"}:
        return "loss"
    if plain == "A1" or name == "dZ1":
        return "between"
    return "layer" if plain.endswith("2") else "first"


def _left(derivation: Derivation, name: str) -> str:
    left = derivation[name].chain.left
    if isinstance(left, Expr):
        raise TypeError(f"the chain of {name} has no derivative on its left")
    return left.written(MathmlNotation())


def _shapes(run: Run, derivation: Derivation) -> list[list[Any]]:
    roles = roles_of(run, derivation)
    return [
        [_piece(name), roles.get(name, name), shown_name(name), list(array.shape)]
        for name, array in derivation.values.items()
        if array.ndim
    ]


def _lines(derivation: Derivation, distinct: DistinctValues) -> list[int]:
    """The program's lines, what is given first: the piece, the name, the text, and a tree where one computes."""
    _, _, text = derivation.to_numpy(functions=False).partition(_GIVEN)  # the stand-ins' definitions are not shown
    lines = []
    for line in text.strip().splitlines():
        name = re.findall(r"\w+", line)[0] if line else ""
        computes = line and not line.startswith("#")
        trees = program_trees(line)[0] if computes else []
        lines.append(distinct.keep([_piece(name) if line else "first", name, line, trees[0][1] if computes else None]))
    return lines


# --- what stands in the place of φ and ℓ ---------------------------------------------------------------

_BATCHES = (Layout(batch="rows"), Layout(batch="columns"))


def _functions(activations: Mapping[str, Operation]) -> dict[str, Any]:
    """Every function that an activation or a loss calls: its arguments, and its lines as trees."""
    calls = [call for operation in activations.values() for call in _activation_calls(operation)]
    calls += [call for name in LOSS_VALUES for layout in _BATCHES for call in _loss_calls(name, layout)]
    return program_trees(source_of(calls))[1]


def _sources(activations: Mapping[str, Operation]) -> dict[str, dict[str, list[str]]]:
    """The definitions at the head of a program: by activation, "" for none, by loss, and by batch."""
    calls = {"": [], **{name: _activation_calls(operation) for name, operation in activations.items()}}
    return {
        activation: {
            loss: [source_of([*called, *_loss_calls(loss, layout)]) for layout in _BATCHES] for loss in LOSS_VALUES
        }
        for activation, called in calls.items()
    }


def _activation_calls(operation: Operation) -> list[Function]:
    return [_elementwise(operation).function(prime=prime) for prime in (False, True)]


def _elementwise(operation: Operation) -> Elementwise:
    if not isinstance(operation, Elementwise):
        raise LayoutError(f"explorer: {operation.name} does not act entry by entry, as an activation of the page does")
    if operation.textbook is None or operation.textbook_prime is None:
        raise LayoutError(
            f"explorer: {operation.name} states no textbook form, and the page computes with it; give its class "
            "`textbook` and `textbook_prime`"
        )
    return operation


def _loss_calls(name: str, layout: Layout) -> list[Function]:
    expressions = [expr for expr in _delta(name, layout) if expr is not None]
    return [part.function for expr in expressions for part in parts_of(expr) if isinstance(part, Call)]


_Write = Callable[[Notation, Expr], str]


def _expr(write: Notation, expr: Expr) -> str:
    return write.expr(expr)


def _diagonal(write: Notation, expr: Expr) -> str:
    return write.diag(write.expr(expr), "C")


def _row(write: Notation, expr: Expr) -> str:
    return write.row(write.expr(expr), "C")


def _changed(write: Notation, expr: Expr, axis: int) -> str:
    """The change of the losses, as the pushforward of their Jacobian writes it."""
    change: Expr = Symbol("tZ2", expr.shape)
    pair = (expr, change) if axis == 1 else (expr.T, change.T)
    return write.expr(SumOver(Hadamard(pair[1], pair[0]), 1))


def _over_count(write: Notation, expr: Expr) -> str:
    return write.expr(Quotient(expr, Symbol("N", ())))


def _of_examples(write: Notation, expr: Expr, axis: int, *, column: bool) -> str:
    return write.of_examples(expr, axis, "C", column)


def _math(pair: Sequence[Expr], ways: Sequence[_Write], distinct: DistinctValues) -> list[list[int]]:
    return [[keep_mathml(way(MathmlNotation(), expr), distinct) for expr in pair] for way in ways]


def _text(pair: Sequence[Expr], ways: Sequence[_Write], write: Notation) -> list[list[str]]:
    return [[way(write, expr) for expr in pair] for way in ways]


def _activation(operation: Operation, distinct: DistinctValues) -> dict[str, Any]:
    """What φ(Z₁) and φ′(Z₁) are written as, and their trees."""
    numbers = [*map(Number, numbers_of(operation).values())]
    Z = Symbol("Z1", (COUNT, SIZES[1]))
    record: dict[str, Any] = {"math": [], "text": [], "code": [], "functions": {}}
    for prime in (True, False):
        stand_in, own = Phi().function(prime=prime), _elementwise(operation).function(prime=prime)
        pair = Call(stand_in, (Z,)), Call(own, (Z, *numbers))
        record["functions"][stand_in.name] = [["Z1"], [["", tree(NumpyNotation().expr(pair[1]))]]]
        record["math"] += _math(pair, [_expr], distinct)
        record["text"] += _text(pair, [_diagonal, _expr], TextNotation())
        record["code"] += _text(pair, [_expr], NumpyNotation())
    return record | {"shown": [Phi.shown, _elementwise(operation).function().shown]}


class _Predictions(Naming):
    """Calls what the loss makes of the outputs P, and keeps its formula."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.found: Expr | None = None

    def __call__(self, value: Expr) -> Expr:
        self.found = value
        return self.symbol


def _delta(name: str, layout: Layout) -> tuple[Expr, Expr | None]:
    """δ as a formula of Z, Y and what the loss makes of Z, and that formula if there is one."""
    shape = layout.batch_shape(COUNT, SIZES[2])
    predictions = _Predictions(Symbol("P", shape))
    loss = (Ell() if name == Ell.name else find_loss(name)).replace(layout=layout)
    declared = loss.declared_for(np.zeros(COUNT, int), np.zeros(shape))
    delta = declared.delta_in_symbols(Symbol("Z2", shape), Symbol("Y", shape), predictions)
    return delta, predictions.found


def _loss(name: str, distinct: DistinctValues) -> dict[str, Any]:
    """What ℓ′(Z, Y) is written as in a net of each depth, where examples lie in rows and where in columns."""
    return {
        "objective": objective_in_words(PLAIN.task_for(loss=name)),
        "value": tree(LOSS_VALUES[name]),
        "written": [_loss_in(name, layout, distinct) for layout in _BATCHES],
    }


def _loss_in(name: str, layout: Layout, distinct: DistinctValues) -> dict[str, Any]:
    own, prediction = _delta(name, layout)
    pair = _delta(Ell.name, layout)[0], own
    blocks = [partial(_of_examples, axis=layout.batch_axis, column=column) for column in (False, True)]
    sign, parts = operands(own)
    P = None
    if prediction is not None:
        line = Equation(Symbol("P", prediction.shape), prediction)
        written = NumpyNotation().expr(prediction)
        P = {"math": keep_equation(line, distinct), "code": f"P = {written}", "tree": tree(written)}
    return {
        "math": _math(pair, [_over_count, *blocks, partial(_changed, axis=1 - layout.batch_axis), _expr], distinct),
        "text": _text(pair, [_over_count, *blocks, _row, _expr], TextNotation()),
        "code": _text(pair, [_over_count, _expr], NumpyNotation()),
        "delta": tree(NumpyNotation().expr(own)),
        "prediction": P,
        "sign": sign,
        "parts": [
            {
                "math": keep_mathml(MathmlNotation().expr(part), distinct),
                "shape": list(part.shape),
                "tree": tree(NumpyNotation().expr(part)),
                "moved": None,
            }
            for part in parts
        ],
    }
