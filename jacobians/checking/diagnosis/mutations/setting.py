"""The problem a wrong gradient belongs to: the network at its parameters and batch, in float64, ready to be altered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.checking.diagnosis.mutations.backward import Backward, Gradients, Pullback
from jacobians.network import Network
from jacobians.operations import Affine, Elementwise, Operation
from jacobians.operations.targets import class_labels, one_hot

__all__ = ["Layer", "Setting"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One affine layer: where its weights and its bias are found among the gradients.

    Attributes
    ----------
    number, position : int
        The layer, counted from 1, and the place of its operation in the chain.
    weight : str
        The weight's name.
    bias : str or None
        The bias's name, where it is separate.
    end : {0, -1} or None
        Where an absorbed bias lies among one node's weights.
    axis : int
        The axis along which one node's weights lie.
    """

    number: int
    position: int
    weight: str
    bias: str | None
    end: int | None
    axis: int

    @property
    def has_bias(self) -> bool:
        """Whether the layer has a bias at all."""
        return self.bias is not None or self.end is not None

    @property
    def bias_holder(self) -> str:
        """The name of the parameter that holds the bias."""
        return self.weight if self.bias is None else self.bias

    def bias_of(self, gradients: Mapping[str, Array]) -> Array:
        """Return a view of the bias's entries; only where `has_bias`."""
        if self.bias is not None:
            return gradients[self.bias]
        W = gradients[self.weight]
        return W[:, self.end] if self.axis == 1 else W[self.end]

    def weights_of(self, gradients: Mapping[str, Array]) -> Array:
        """Return a view of the weights, without an absorbed bias."""
        W = gradients[self.weight]
        if self.end is None:
            return W
        kept = slice(1, None) if self.end == 0 else slice(0, -1)
        return W[:, kept] if self.axis == 1 else W[kept]


class Setting:
    """A network evaluated at its parameters and batch, and its right backward pass.

    Parameters
    ----------
    network : Network
    params : mapping of str to array_like
    X, Y : array_like
    """

    def __init__(
        self, network: Network, params: Mapping[str, npt.ArrayLike], X: npt.ArrayLike, Y: npt.ArrayLike
    ) -> None:
        run = network.run(params, X, Y)  # checks names, shapes and dtypes, with its own error texts
        self.network = network
        self.layout = network.layout
        self.params: dict[str, Array] = {name: array.astype(np.float64) for name, array in run.params.items()}
        self.X: Array = run.X.astype(np.float64)
        self.Y = run.Y
        self.given_X = np.asarray(X)
        named = {own: self.params[name] for name, own in network.names.items()}
        self._steps = network.chain.run(self.X, named)
        self.run = network.run(self.params, self.X, self.Y)

    # --- sizes and values ------------------------------------------------------------------------

    @property
    def parts(self) -> tuple[Operation, ...]:
        """The network's operations."""
        return self.network.chain.parts

    @property
    def output(self) -> Array:
        """The last operation's output, from which the loss is taken."""
        return self._steps[-1][0]

    @property
    def count(self) -> int:
        """N, the number of examples."""
        return self.X.shape[self.layout.batch_axis]

    @property
    def classes(self) -> int:
        """K, the number of outputs of one example."""
        return self.output.size // max(self.count, 1)

    def input_of(self, position: int) -> Array:
        """Return what flows into an operation."""
        return self._steps[position - 1][0] if position else self.X

    def output_of(self, position: int) -> Array:
        """Return an operation's output."""
        return self._steps[position][0]

    @cached_property
    def weight(self) -> float:
        """The reduction's factor for each example: 1, 1/N or 1/(N·K)."""
        return self.network.loss.weight(self.output)

    @cached_property
    def targets(self) -> Array:
        """The targets in the output's shape; labels as one-hot."""
        if self.Y.shape == self.output.shape:
            return self.Y.astype(np.float64)
        labels = class_labels(self.Y, self.count, self.classes, self.network.loss.name)
        return one_hot(labels, self.output, self.layout)

    @property
    def penalised(self) -> bool:
        """Whether there is a regulariser."""
        return self.network.l2 != 0

    # --- the right gradient, and its parts -------------------------------------------------------

    @cached_property
    def right(self) -> Backward:
        """The right backward pass."""
        flow = tuple(step[1].numerator(part.names[0]).vjp for step, part in zip(self._steps, self.parts, strict=True))
        owners = {name: self.network.chain.owner(own) for name, own in self.network.names.items()}
        return Backward(
            delta=self.network.loss.reduced(self.output, self.Y)[1].gradient,
            flow=flow,
            local={name: self._steps[position][1].numerator(own).vjp for name, (position, own) in owners.items()},
            owner={name: position for name, (position, _) in owners.items()},
            penalty={name: self.run.penalty(name).gradient for name in owners},
        ).remembered()

    @cached_property
    def gradient(self) -> Gradients:
        """The right gradient."""
        return self.right.gradient()

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The affine layers, in order."""
        found: list[Layer] = []
        end = {"first": 0, "last": -1}.get(self.layout.bias)
        for name, own in self.network.names.items():
            position, local = self.network.chain.owner(own)
            part = self.parts[position]
            if isinstance(part, Affine) and local == "W":
                bias = next((n for n in self.network.names if self.right.owner[n] == position and n != name), None)
                axis = 1 if self.layout.weights == "rows" else 0
                found.append(Layer(len(found) + 1, position, name, bias, end, axis))
        return tuple(found)

    @cached_property
    def activations(self) -> tuple[tuple[int, int, Elementwise], ...]:
        """Each elementwise operation: the layer it closes, its position, and itself."""
        found: list[tuple[int, int, Elementwise]] = []
        for position, part in enumerate(self.parts):
            if isinstance(part, Elementwise):
                layer = sum(layer.position < position for layer in self.layers)
                found.append((layer, position, part))
        return tuple(found)

    # --- alterations -----------------------------------------------------------------------------

    def pullback(self, layer: Layer, of: str, X: Array | None = None, W: Array | None = None) -> Pullback:
        """Return an affine layer's pullback to "X", "W" or "b" as it would be at another input or weight."""
        part = self.parts[layer.position]
        arrays = [self.input_of(layer.position) if X is None else X, self.params[layer.weight] if W is None else W]
        arrays += [self.params[layer.bias]] if layer.bias is not None else []
        return part(*arrays)[1].numerator(of).vjp

    def elsewhere(
        self, X: Array | None = None, Y: Array | None = None, params: Mapping[str, Array] | None = None
    ) -> Backward:
        """Return the right backward pass at other data or parameters; ones with as many entries as these."""
        other = Setting(
            self.network,
            self.params if params is None else params,
            self.X if X is None else X,
            self.Y if Y is None else Y,
        )
        return other.right
