"""A network's gradient, derived: the cotangent is walked through the symbols of the run's own Jacobians."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from jacobians.derivation.forward import Forward, forward_pass
from jacobians.derivation.names import Names
from jacobians.derivation.recognise import same_values
from jacobians.derivation.result import (
    ChainOfMaps,
    Definition,
    Derivation,
    Equation,
    ParameterDerivation,
    Partial,
    Step,
)
from jacobians.derivation.rules import passed, rule_of
from jacobians.derivation.statements import delta_of
from jacobians.network import Run
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Add, Expr, Hadamard, Number, Part, Placed, Quotient, Symbol
from jacobians.symbols.maps import Map, PerExample, Uniform
from jacobians.symbols.simplify import scaled

__all__ = ["derive"]


_LOSS = Symbol("L", ())
_OBJECTIVE = Symbol("J", ())


def derive(run: Run) -> Derivation:
    """Return the derivation of a run's gradient by every parameter and by the inputs.

    Parameters
    ----------
    run : Run
        One evaluation of a network; its Jacobians are what is walked.
    """
    names = Names(run.network.convention)
    forward = forward_pass(run, names)
    walk = _Walk(run, names, forward)
    walk.loss()
    walk.cotangents()
    parameters = {name: walk.parameter(name) for name in (*run.params, "X")}
    return Derivation(
        run.network.convention, tuple(forward.definitions), tuple(walk.definitions), parameters, forward.known.arrays
    )


@dataclass
class _Trail:
    """What has been passed on the way from the loss to a stop."""

    maps: tuple[Map, ...] = ()
    steps: tuple[tuple[Map, Expr | None, Expr, Expr], ...] = ()
    """For each map passed: the cotangent before, the one after, and what that one is called."""
    row: Expr | None = None


@dataclass
class _Walk:
    run: Run
    names: Names
    forward: Forward
    definitions: list[Definition] = field(default_factory=list)
    trails: dict[str, _Trail] = field(default_factory=dict)
    factor: Expr | None = None
    """The reduction's weight, where it is written at the gradients and not in the cotangents."""

    def loss(self) -> None:
        """From the loss to the output: where the reduction's weight enters."""
        run, known = self.run, self.forward.known
        last = run.outputs[-1]
        (row,) = run.chain(last, of="losses")
        count = run.losses.shape[0]
        delta = np.asarray(row.jacobian.vjp(np.ones(count, run.losses.dtype)))
        expr = delta_of(
            run.network.loss,
            self.forward.stops[last],
            self.forward.prediction,
            Symbol("Y", delta.shape),
            known.arrays["Y"],
        )
        if expr is None or not same_values(expr, known, delta):
            expr = known.add(Symbol("D", delta.shape), delta)
        weight = self.names.weight()
        reduction = Uniform(weight, count)
        examples = PerExample(expr, run.network.layout.batch_axis % 2)
        ones = reduction.pull(Number(1))
        trail = _Trail((reduction, examples), ((reduction, None, ones, ones),))
        if self.names.words.late and weight is not None:
            self.factor = weight
            self._define(last, expr, trail, examples, ones)
        else:
            self._define(last, scaled(weight, expr), trail, examples, ones)

    def cotangents(self) -> None:
        """From each stop to the one before it, naming every cotangent."""
        stops = ["X", *self.run.outputs]
        for before, after in reversed(list(itertools.pairwise(stops))):
            trail = self._through(self.trails[after], self.forward.maps[after, before])
            inline = before not in self.forward.stops or not isinstance(self.forward.stops[before], Symbol)
            if inline or before == "X":
                self.trails[before] = trail
                continue
            *steps, (map_, row, expr, _) = trail.steps
            self._define(before, expr, _Trail(trail.maps, tuple(steps)), map_, row)

    def parameter(self, name: str) -> ParameterDerivation:
        """From the stop that a parameter enters to the parameter."""
        run, layout = self.run, self.run.network.layout
        array = run.X if name == "X" else run.params[name]
        wrt = Symbol(self.names.of(name), array.shape)
        left = Partial(_LOSS, wrt)
        if name == "X":
            trail = self.trails["X"]
        else:
            position = run.network.chain.owner(run.network.names[name])[0]
            output = run.outputs[position]
            trail = self._through(self.trails[output], self.forward.maps[output, name])
        steps = []
        for done, (map_, before, after, called) in enumerate(trail.steps, 1):
            rule, reason = rule_of(map_, before, after, layout)
            if done == 1 and self.factor is not None:
                reason = reason.removesuffix(".") + "; here it is kept in front until the gradient."
            factor = self.factor if done > 1 else None
            rest = ChainOfMaps(
                factor,
                called if done > 1 else None,
                trail.maps[done if done > 1 else 0 :],
                layout.vec,
                layout.derivative,
            )
            steps.append(Step(rule, reason, Equation(left, rest)))
        value = scaled(self.factor, trail.row or Number(0))
        if self.factor is not None:
            steps.append(
                Step(
                    "the weight of an example",
                    "The factor that was kept in front is multiplied in.",
                    Equation(left, ChainOfMaps(None, value, (), layout.vec, layout.derivative)),
                )
            )
        penalty = None if name == "X" else self._penalty(name, wrt)
        if penalty is not None:
            value = Add(value, penalty)
            steps.append(
                Step(
                    "regulariser",
                    "The regulariser's own gradient is added.",
                    Equation(Partial(_OBJECTIVE, wrt), ChainOfMaps(None, value, (), layout.vec, layout.derivative)),
                )
            )
        gradient = Symbol(f"d{wrt.name}", array.shape)
        self.forward.known.arrays[gradient.name] = evaluate(value, self.forward.known.arrays)
        chain = Equation(left, ChainOfMaps(None, None, trail.maps, layout.vec, layout.derivative))
        return ParameterDerivation(name, chain, tuple(steps), Equation(gradient, value))

    # --- parts of the walk -----------------------------------------------------------------------

    def _define(self, stop: str, value: Expr, trail: _Trail, map_: Map, before: Expr | None) -> None:
        """Name the cotangent of a stop, the last map of its trail being `map_`."""
        shown = self.names.cotangent(stop)
        symbol = self.forward.known.add(Symbol(shown, value.shape), evaluate(value, self.forward.known.arrays))
        self.definitions.append(Definition(f"d{stop}", Equation(symbol, value)))
        self.trails[stop] = _Trail(trail.maps, (*trail.steps, (map_, before, value, symbol)), symbol)

    def _through(self, trail: _Trail, maps: tuple[Map, ...]) -> _Trail:
        row, steps = trail.row, list(trail.steps)
        for map_, before, after in passed(maps, row or Number(1)):
            steps.append((map_, before, after, after))
            row = after
        return _Trail((*trail.maps, *(s[0] for s in steps[len(trail.steps) :])), tuple(steps), row)

    def _penalty(self, name: str, wrt: Symbol) -> Expr | None:
        network, known = self.run.network, self.forward.known
        if not network.is_penalised(name):
            return None
        strength: Expr = Symbol(self.names.words.strength, ())
        known.arrays[self.names.words.strength] = np.asarray(network.l2)
        count = Symbol(self.names.words.count, ())
        factor = {"half-over-n": Quotient(strength, count), "half": strength, "one": Hadamard(Number(2), strength)}[
            network.convention.l2 or "half"
        ]
        layout = network.layout
        if not layout.absorbs_bias or network.convention.l2_bias:
            return Hadamard(factor, wrt)
        kept = (1, None) if layout.bias == "first" else (0, -1)
        key = ((None, None), kept) if layout.weights == "rows" else (kept, (None, None))
        return Hadamard(factor, Placed(Part(wrt, key), key, wrt.shape))
