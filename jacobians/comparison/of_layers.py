"""The same layers in several conventions: images, kernels and matrices as each keeps them, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.comparison.comparison import Difference
from jacobians.comparison.graphs import GraphComparison, GraphSide
from jacobians.errors import LayoutError, ShapeError
from jacobians.graphs import Value, values
from jacobians.layers import Convolution, Flattened
from jacobians.moved_networks import WRITTEN, WrittenLayers
from jacobians.network import Network
from jacobians.operations import Affine, Chain, Operation, find_activation
from jacobians.translate import translate_batch

__all__ = ["LayersOnce", "compare_layers", "convolutional_net"]


@dataclass(frozen=True, eq=False)
class LayersOnce(WrittenLayers):
    """Layers written once, with numbers for their parameters.

    Attributes
    ----------
    chain, before
        As of `WrittenLayers`.
    parameters : dict of ndarray
        By the chain's names.
    outputs : int
        Of one example.
    """

    parameters: dict[str, Array]
    outputs: int

    @classmethod
    def drawn(cls, operations: Sequence[Operation | str], X: Array, seed: int) -> LayersOnce:
        """Return the layers with random parameters, none of them 0.

        Raises
        ------
        ShapeError
            If a layer does not know its sizes, or the outputs are no matrix.
        """
        parts = [find_activation(part) if isinstance(part, str) else part for part in operations]
        chain = Chain(*(part.moved_to(WRITTEN) for part in parts))
        shapes = chain.parameter_shapes()
        missing = [name for name in chain.names[1:] if name not in shapes]
        if missing:
            raise ShapeError(
                f"compare: {', '.join(missing)}: the operations do not fix their sizes, as Convolution(sizes=…), "
                "BatchNorm(features=…) and Affine(layout, (in, out)) do"
            )
        rng = np.random.default_rng(seed)
        parameters = {name: 0.5 * rng.normal(size=shapes[name]) for name in chain.names[1:]}
        results = [value for value, _ in chain.run(X, parameters)]
        if results[-1].ndim != 2:
            raise ShapeError(
                f"compare: the outputs have shape {results[-1].shape}; expected a matrix: let Flattened() and an "
                "affine layer come last"
            )
        return cls(chain, (X.shape, *(r.shape for r in results[:-1])), parameters, results[-1].shape[1])

    def side(self, network: Network, X: Array, Y: Array) -> GraphSide:
        """Return the layers in a network's convention, with its loss, on examples as they are written."""
        convention = network.convention
        written = convention.replace(name="written", layout=WRITTEN)
        own = self.moved(self.parameters, convention)
        x, *given = values(X=translate_batch(X, written, convention), **own)
        left = iter(given)
        output: Value = x
        for part in (part.moved_to(convention.layout) for part in self.chain.parts):
            output = part(output, *(next(left) for _ in part.names[1:]))
        for part in network.chain.parts[1:]:  # the output activation, where the loss does not contain it
            output = part(output)
        targets = translate_batch(Y, written, convention) if Y.ndim == 2 else Y
        weight = network.loss.factor * network.loss.scale(output.array)
        return GraphSide(
            convention, network.loss(output, targets), dict(zip(own, given, strict=True)), x, output, weight
        )


def convolutional_net(kernels: int, side: int, outputs: int) -> list[Operation | str]:
    """Return a net of 3×3 kernels with stride 2 over square images, a ReLU and an affine layer."""
    features = kernels * ((side + 1) // 2) ** 2
    first = Convolution(stride=2, pad=1, sizes=(kernels, 1, 3, 3))
    return [first, "relu", Flattened(), Affine(sizes=(features, outputs))]


def compare_layers(
    once: LayersOnce, networks: Sequence[Network], ratios: Sequence[float], X: Array, Y: Array
) -> GraphComparison:
    """Return the comparison of layers in the conventions of some networks, which give the losses.

    Raises
    ------
    LayoutError
        If a convention has no bias, or an affine layer gets images.
    """
    without = [net.convention.name for net in networks if net.convention.layout.bias == "none"]
    if without:
        raise LayoutError(f"compare: {', '.join(without)} has no bias, and the layers have some; leave it out")
    sides = tuple(once.side(network, X, Y) for network in networks)
    first = sides[0]
    bounds = first.allowance()
    found = []
    for side, ratio in zip(sides[1:], ratios[1:], strict=True):
        theirs = once.moved(once.back(side.gradient, side.convention), first.convention)
        rows = []
        for name, own in first.gradient.items():
            largest = float(np.abs(own - theirs[name] * ratio).max(initial=0.0))
            unit = float(np.spacing(max(np.abs(own).max(initial=0.0), np.finfo(own.dtype).tiny)))
            gradient = first.convention.names.gradient_of(name)
            rows.append(Difference(name, gradient, first.convention.name, largest, largest / unit, bounds[name] / unit))
        found.append(tuple(rows))
    return GraphComparison(sides, tuple(found), tuple(ratios))
