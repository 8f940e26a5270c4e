"""`RandomBatches`: a network on several random batches; a formula is compared with its derivatives there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jacobians.arrays import Array
from jacobians.derivation.derive import derive
from jacobians.derivation.names import Names, symbol_name
from jacobians.derivation.result import Derivation
from jacobians.errors import LayoutError
from jacobians.network import Network, Run
from jacobians.operations import Affine
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Add, Expr, Hadamard, Number, Quotient, Symbol

_TRIES = 100


@dataclass(frozen=True, eq=False)
class Draw:
    """One random batch with random parameters.

    Attributes
    ----------
    run : Run
    derivation : Derivation
    values : dict
        The arrays behind the names of the convention's source.
    """

    run: Run
    derivation: Derivation
    values: dict[str, Array]

    @cached_property
    def cotangents(self) -> Mapping[str, Array]:
        """The convention's cotangents from the chain of Jacobians, by the names of symbols."""
        return {symbol_name(name): array for name, array in self.run.cotangents.items()}

    @cached_property
    def forward(self) -> Mapping[str, Array]:
        """The arrays of the forward pass from the run itself, by the names of symbols."""
        return {symbol_name(name): array for name, array in self.run.values.items()}


@dataclass(frozen=True, eq=False)
class RandomBatches:
    """A network and some draws of the same shapes.

    Attributes
    ----------
    network : Network
    examples : int
    draws : tuple of Draw
    """

    network: Network
    examples: int
    draws: tuple[Draw, ...]

    @classmethod
    def of(cls, network: Network, examples: int, seed: int, count: int) -> RandomBatches:
        """Return a setting with `count` random draws.

        Raises
        ------
        LayoutError
            If the network's sizes are not fixed, or its gradient is 0 everywhere.
        """
        rng = np.random.default_rng(seed)
        found = cls(network, examples, tuple(_draw(network, examples, rng) for _ in range(count)))
        for draw in found.draws:
            for name, (_, formula) in found.accumulators.items():
                draw.values.setdefault(name, evaluate(formula, draw.values))
            for name, formula in found.at_the_output.items():
                draw.values.setdefault(name, evaluate(formula, draw.values))
        return found

    @property
    def count_name(self) -> str:
        """What the convention calls the number of examples."""
        return self.network.convention.names.count

    def gradient_name(self, name: str) -> str:
        """Return the convention's name for the gradient with respect to a parameter, or to the inputs."""
        return self.network.convention.names.gradient_of(name)

    @cached_property
    def accumulators(self) -> Mapping[str, tuple[str, Expr]]:
        """The parameter and the formula of every accumulator: the sum over the examples, before 1/N and λ."""
        names = self.network.convention.names
        found = {}
        weights = [n for n in self.first.run.params if names.is_weight(n)]
        for layer, name in enumerate(weights if names.accumulator else (), start=1):
            data = self.summed(self.data_gradient(name))
            found[names.of("accumulator", layer)] = (name, data)
        return found

    @cached_property
    def at_the_output(self) -> Mapping[str, Expr]:
        """∂L/∂A of the last layer, where the sigmoid is part of the loss: ∂L/∂Z divided by the sigmoid's derivative."""
        names, words = Names(self.first.run), self.network.convention.names
        last, prediction = names.outputs[-1], names.prediction
        if (
            self.network.loss.name != "binary_cross_entropy"
            or not last.startswith("Z")
            or prediction not in self.first.values
        ):
            return {}
        P = Symbol(prediction, self.first.values[prediction].shape)
        delta = Symbol(names.cotangent(last), P.shape)
        if words.post_cotangent is None:
            return {}
        own = words.of("post-cotangent", int(last[1:]))
        return {own: Quotient(delta, Hadamard(P, Add(Number(1), P, minus=True)))}

    def summed(self, mean: Expr) -> Expr:
        """Return N times a formula that begins with 1/N."""
        match mean:
            case Quotient(of, Symbol(by)) if by == self.count_name:
                return of
            case Hadamard(Quotient(Number(1), Symbol(by)), of) if by == self.count_name:
                return of
        return mean if self.network.loss.reduction == "sum" else Hadamard(Symbol(self.count_name, ()), mean)

    def data_gradient(self, name: str) -> Expr:
        """Return the formula of the gradient with respect to a parameter, without the regulariser's term."""
        right = self.first.derivation.parameters[name].formula.right
        assert isinstance(right, Expr)
        return right.left if isinstance(right, Add) and self.network.is_penalised(name) else right

    @property
    def first(self) -> Draw:
        """The draw that fixes the shapes."""
        return self.draws[0]


def examples_apart(sizes: Sequence[int]) -> int:
    """Return a number of examples that is no layer's width, with its entry of ones or without."""
    taken = {width + ones for width in sizes for ones in (0, 1)}
    return next(n for n in range(5, 10**9) if n not in taken)


def _draw(network: Network, examples: int, rng: np.random.Generator) -> Draw:
    """A draw in which every layer has positive and negative inputs to its activation, so that a kink shows."""
    for _ in range(_TRIES):
        params = {name: rng.normal(size=s) / np.sqrt(max(s)) for name, s in network.shapes().items()}
        X = rng.normal(size=network.layout.batch_shape(examples, _inputs(network)))
        outputs = network.output(params, X)
        if outputs.shape[network.layout.feature_axis] < network.loss.least_outputs:
            raise LayoutError("audit: the cross-entropy of one output is constant; choose loss='binary_cross_entropy'")
        run = network.run(params, X, network.loss.sample_targets(outputs.shape, rng))
        layers = [run.operation_value(stop.done) for stop in run.stops[:-1] if stop.shared.startswith("Z")]
        if all(Z.size == 1 or Z.min() < 0 < Z.max() for Z in layers):
            break
    derivation = derive(run)
    values = dict(derivation.values)
    values.setdefault("K", np.asarray(float(outputs.size // examples)))
    return Draw(run, derivation, values)


def _inputs(network: Network) -> int:
    for part in network.chain.parts:
        if isinstance(part, Affine) and part.sizes is not None:
            return part.sizes[0]
    raise LayoutError("audit: the network's first layer does not fix its sizes; give Affine(layout, (n_in, n_out))")
