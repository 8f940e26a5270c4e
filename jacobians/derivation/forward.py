"""The forward pass in symbols: an affine layer's formula is its own Jacobian applied to its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.derivation.names import Names
from jacobians.derivation.recognise import Known, maps_of, same_values
from jacobians.derivation.result import Definition, Equation
from jacobians.derivation.statements import derivative_of, prediction_of, targets_of, value_of
from jacobians.network import Run
from jacobians.operations import Affine, Operation
from jacobians.operations.affine_maps import with_ones
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Add, Expr, Symbol, WithOnes
from jacobians.symbols.maps import Map

__all__ = ["Forward", "affine_value", "forward_pass", "pushed"]


@dataclass(frozen=True, eq=False)
class Forward:
    """What the forward pass leaves behind.

    Attributes
    ----------
    known : Known
        The symbols and their values.
    definitions : list of Definition
    stops : dict
        The expression of every stop from X to the output.
    maps : dict
        The symbolic Jacobian of each factor by (output, input), in numerator layout.
    prediction : Expr or None
    """

    known: Known
    definitions: list[Definition]
    stops: dict[str, Expr]
    maps: dict[tuple[str, str], tuple[Map, ...]]
    prediction: Expr | None


def forward_pass(run: Run, names: Names) -> Forward:
    """Return the symbols of a run's forward pass, of its factors, and its definitions."""
    network, layout = run.network, run.network.layout
    known = Known(layout.vec)
    for name, array in {"X": run.X, **run.params}.items():
        known.add(Symbol(names.of(name), array.shape), array)
    forward = Forward(known, [], {"X": known.entries[0][0]}, {}, None)
    previous = "X"
    for position, (part, output) in enumerate(zip(network.chain.parts, run.outputs, strict=True)):
        inner = forward.stops[previous]
        if isinstance(part, Affine) and names.ones_in_activations:
            layer = int(run.outputs[position].strip("ZA′")) - 1
            augmented = WithOnes(inner, layout.feature_axis % 2, layout.bias == "first")
            value = with_ones(run.values[previous], layout)
            _define(forward, names.with_ones(layer), names.with_ones(layer), augmented, value)
        own = {parameter: name for parameter, name in network.names.items() if network.chain.owner(name)[0] == position}
        value = run.values[output]
        inline = names.ones_in_activations and output != run.outputs[-1]
        if isinstance(part, Affine):
            _factors(run, names, forward, part, output, (previous, *own), inner)
            _named(forward, names, output, _affine(forward, names, output, own), value)
        else:
            # its Jacobian may hold its value, so that is named first
            _named(forward, names, output, value_of(part, inner), value, inline=inline)
            _factors(run, names, forward, part, output, (previous, *own), inner)
        previous = output
    return _with_targets(run, forward, names, previous)


def pushed(maps: tuple[Map, ...], tangent: Expr) -> Expr:
    """Return the maps applied to an expression, the innermost first."""
    for map_ in reversed(maps):
        tangent = map_.push(tangent)
    return tangent


def affine_value(by_weights: Expr, by_bias: Expr | None) -> Expr:
    """Return Z: the Jacobian by W applied to W, for Z is linear in W, plus the bias."""
    return by_weights if by_bias is None else Add(by_weights, by_bias)


def _affine(forward: Forward, names: Names, output: str, own: Mapping[str, str]) -> Expr:
    arrays = forward.known.arrays
    terms = []
    for name in own:
        symbol = names.of(name)
        terms.append(pushed(forward.maps[output, name], Symbol(symbol, arrays[symbol].shape)))
    return affine_value(terms[0], terms[1] if len(terms) > 1 else None)


def _named(
    forward: Forward, names: Names, output: str, expr: Expr | None, value: Array, *, inline: bool = False
) -> None:
    """Give an output a symbol and its definition; without one, or inline, what it is known by."""
    known = forward.known
    if expr is None or not same_values(expr, known, value):
        forward.stops[output] = known.add(Symbol(names.of(output), value.shape), value)
    elif inline:
        forward.stops[output] = known.add(expr, value)
    else:
        forward.stops[output] = _define(forward, output, names.of(output), expr, value)


def _factors(
    run: Run, names: Names, forward: Forward, part: Operation, output: str, inputs: Sequence[str], inner: Expr
) -> None:
    """Read off the symbols of an operation's Jacobians."""
    for wrt in inputs:
        (factor,) = run.chain(wrt, of=output)
        label = f"{names.of(output)}_{names.of(wrt)}"
        forward.maps[output, wrt] = maps_of(
            factor.jacobian.numerator, forward.known, label, partial(derivative_of, part, inner)
        )


def _define(forward: Forward, name: str, shown: str, expr: Expr, value: Array | None = None) -> Expr:
    value = evaluate(expr, forward.known.arrays) if value is None else value
    symbol = forward.known.add(Symbol(shown, value.shape), value)
    forward.definitions.append(Definition(name, Equation(symbol, expr)))
    return symbol


def _with_targets(run: Run, forward: Forward, names: Names, last: str) -> Forward:
    known, loss = forward.known, run.network.loss
    output = run.values[last]
    targets = targets_of(loss, run.Y, output)
    known.add(Symbol("Y", targets.shape), targets)
    axis = run.network.layout.batch_axis
    known.arrays[names.words.count] = np.asarray(float(output.shape[axis]))
    if names.reduction == "mean-all":
        known.arrays["K"] = np.asarray(output.size / output.shape[axis])
    predicted = prediction_of(loss, forward.stops[last])
    if predicted is None:
        return forward
    prediction = _define(forward, names.prediction(last), names.prediction(last), predicted)
    return Forward(known, forward.definitions, forward.stops, forward.maps, prediction)
