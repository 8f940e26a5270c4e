"""A slip: one way in which a hand-written backward pass goes wrong, as a change of the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.layout import Layout
from jacobians.network import Network
from jacobians.operations import Affine, Elementwise, Operation
from jacobians.operations.targets import class_labels, one_hot

Gradients: TypeAlias = dict[str, Array]
"""By a parameter's name, the gradient with respect to it."""

Pullback: TypeAlias = Callable[[Array], Array]
"""From the cotangent of an operation's output to that of one of its inputs."""


@dataclass(frozen=True, slots=True, eq=False)
class Backward:
    """One backward pass through a chain of operations.

    Attributes
    ----------
    delta : ndarray
        ∂loss/∂output, with the reduction's weight in it.
    flow : tuple of callable
        For each operation, the pullback to the input that flows through the chain.
    local : dict
        For each parameter, the pullback from its operation's output.
    owner : dict
        For each parameter, the position of its operation.
    penalty : dict
        For each parameter, the regulariser's gradient.
    after : tuple of callable
        What is done to the finished gradients, in order; each takes arrays that it may write to.
    before : tuple of callable
        The same, before the regulariser's rows are added.
    known : Computed, optional
        Another pass's results, taken over as far as the two passes are one.
    """

    delta: Array
    flow: tuple[Pullback, ...]
    local: Mapping[str, Pullback]
    owner: Mapping[str, int]
    penalty: Mapping[str, Array]
    after: tuple[Callable[[Gradients], Gradients], ...] = ()
    before: tuple[Callable[[Gradients], Gradients], ...] = ()
    known: Computed | None = None

    def gradient(self) -> Gradients:
        """Return the gradients with respect to every parameter, as new arrays."""
        found = self._computed().data
        if self.before:
            found = {name: g.copy() for name, g in found.items()}
        for change in self.before:
            found = change(found)
        gradients = {name: found[name] + self.penalty[name] for name in self.owner}
        for change in self.after:
            gradients = change(gradients)
        return gradients

    def cotangents(self) -> list[Array]:
        """Return ∂loss/∂(output of each operation), in the operations' order."""
        return list(self._computed().cotangents)

    def remembered(self) -> Backward:
        """Return this pass with its results kept, so that passes made from it compute only the differences."""
        return replace(self, known=self._computed())

    def data_of(self, names: Iterable[str]) -> Gradients:
        """Return the gradients of some parameters without the regulariser; nothing before them is computed."""
        return self._computed(frozenset(names)).data

    def _computed(self, names: frozenset[str] | None = None) -> Computed:
        data: Gradients = {}
        first = 0 if names is None else min(self.owner[name] for name in names)
        cotangents = [self.delta]
        # the other pass's results, as long as the cotangent that arrives is its own
        known = self.known if self.known is not None and self.delta is self.known.origin.delta else None
        for position in reversed(range(first, len(self.flow))):
            for name, owner in self.owner.items():
                if owner != position or (names is not None and name not in names):
                    continue
                if known is not None and self.local[name] is known.origin.local[name]:
                    data[name] = known.data[name]
                else:
                    data[name] = self.local[name](cotangents[-1])
            if position > first:
                pull = self.flow[position]
                known = known if known is not None and pull is known.origin.flow[position] else None
                cotangents.append(pull(cotangents[-1]) if known is None else known.cotangents[position - 1])
        return Computed(self, data, tuple(cotangents[::-1]))

    # --- one part replaced -----------------------------------------------------------------------

    def with_delta(self, delta: Array) -> Backward:
        """Return this pass with another derivative of the loss."""
        return replace(self, delta=delta)

    def with_flow(self, pulls: Mapping[int, Pullback]) -> Backward:
        """Return this pass with the factors of the chain at some positions replaced."""
        return replace(self, flow=tuple(pulls.get(i, pull) for i, pull in enumerate(self.flow)))

    def with_local(self, name: str, pull: Pullback) -> Backward:
        """Return this pass with one parameter's factor replaced."""
        return replace(self, local={**self.local, name: pull})

    def with_penalty(self, penalty: Mapping[str, Array]) -> Backward:
        """Return this pass with the regulariser's rows of some parameters replaced."""
        return replace(self, penalty={**self.penalty, **penalty})

    def then(self, change: Callable[[Gradients], Gradients], *, data: bool = False) -> Backward:
        """Return this pass with one more edit of the finished gradients, or of the data's part of them."""
        if data:
            return replace(self, before=(*self.before, change))
        return replace(self, after=(*self.after, change))


Edit: TypeAlias = Callable[[Backward], Backward]
"""From the right backward pass to a wrong one."""


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """A pass's results: the parameters' gradients without the regulariser, and the cotangents of all outputs.

    Attributes
    ----------
    origin : Backward
        Whose results they are.
    data : dict of ndarray
    cotangents : tuple of ndarray
        In the operations' order. Like `data`, not to be written to.
    """

    origin: Backward
    data: Gradients
    cotangents: tuple[Array, ...]


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
    layout : Layout
        Where an absorbed bias lies, and along which axis one node's weights.
    """

    number: int
    position: int
    weight: str
    bias: str | None
    layout: Layout

    @property
    def has_bias(self) -> bool:
        """Whether the layer has a bias at all."""
        return self.bias is not None or self.layout.absorbs_bias

    @property
    def bias_holder(self) -> str:
        """The name of the parameter that holds the bias."""
        return self.weight if self.bias is None else self.bias

    def bias_of(self, gradients: Mapping[str, Array]) -> Array:
        """Return a view of the bias's entries; only where `has_bias`."""
        return self.layout.bias_of(gradients[self.weight]) if self.bias is None else gradients[self.bias]

    def weights_of(self, gradients: Mapping[str, Array]) -> Array:
        """Return a view of the weights, without an absorbed bias."""
        return self.layout.weights_of(gradients[self.weight])


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
        named = {own: self.params[name] for name, own in network.names.items()}
        self._steps = network.chain.run(self.X, named)

    # --- sizes and values ------------------------------------------------------------------------

    @property
    def operations(self) -> tuple[Operation, ...]:
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

    def by_example(self, array: Array) -> Array:
        """Return an array of the batch with one example a row; and such an array as the layout keeps it."""
        return array if self.layout.batch == "rows" else array.T

    @cached_property
    def weight(self) -> float:
        """The factor of each example's loss: the loss's own factor times 1, 1/N or 1/(N·K)."""
        return self.network.loss.factor * self.network.loss.scale(self.output)

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
        flow = tuple(
            step[1].numerator(part.names[0]).vjp for step, part in zip(self._steps, self.operations, strict=True)
        )
        run = self.network.run(self.params, self.X, self.Y)
        owners = {name: self.network.chain.owner(own) for name, own in self.network.names.items()}
        return Backward(
            delta=self.network.loss.reduced(self.output, self.Y)[1].gradient,
            flow=flow,
            local={name: self._steps[position][1].numerator(own).vjp for name, (position, own) in owners.items()},
            owner={name: position for name, (position, _) in owners.items()},
            penalty={name: run.penalty(name).gradient for name in owners},
        ).remembered()

    @cached_property
    def gradient(self) -> Gradients:
        """The right gradient."""
        return self.right.gradient()

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The affine layers, in order."""
        found: list[Layer] = []
        for name, own in self.network.names.items():
            position, local = self.network.chain.owner(own)
            part = self.operations[position]
            if isinstance(part, Affine) and local == "W":
                bias = next((n for n in self.network.names if self.right.owner[n] == position and n != name), None)
                found.append(Layer(len(found) + 1, position, name, bias, self.layout))
        return tuple(found)

    @cached_property
    def activations(self) -> tuple[tuple[int, int, Elementwise], ...]:
        """Each elementwise operation: the layer it closes, its position, and itself."""
        found: list[tuple[int, int, Elementwise]] = []
        for position, part in enumerate(self.operations):
            if isinstance(part, Elementwise):
                layer = sum(layer.position < position for layer in self.layers)
                found.append((layer, position, part))
        return tuple(found)

    # --- alterations -----------------------------------------------------------------------------

    def pullback(self, layer: Layer, of: str, X: Array | None = None, W: Array | None = None) -> Pullback:
        """Return an affine layer's pullback to "X", "W" or "b", taken at another input or weight."""
        part = self.operations[layer.position]
        arrays = [self.input_of(layer.position) if X is None else X, self.params[layer.weight] if W is None else W]
        arrays += [self.params[layer.bias]] if layer.bias is not None else []
        return part.evaluate(*arrays)[1].numerator(of).vjp

    def elsewhere(self, **changed: Any) -> Setting:
        """Return the setting with another `network`, or other `params`, `X` or `Y`."""
        return Setting(**{"network": self.network, "params": self.params, "X": self.X, "Y": self.Y, **changed})


@dataclass(frozen=True, slots=True, eq=False)
class Slip:
    """One wrong backward pass.

    Attributes
    ----------
    name : str
        Stable and lower-case, such as ``missing-activation-derivative``.
    family : str
        Such as ``activation``.
    title : str
        What is wrong, as a clause.
    mend : str
        One sentence.
    edit : callable
        From the right backward pass to the wrong one.
    layer : int or None
        The layer, counted from 1, where it is one layer's.
    scope : str
        What else tells two slips of one name apart, such as a parameter's name.
    rank : int
        Among slips that fit equally well, the smaller is named first: 0 for the usual slips, 1 for rarer or more
        special ones, 2 for what was fitted to the gradient.
    evidence : str
        Numbers that were found while fitting.
    apart : str
        An input that would show the difference to its neighbours, where none is found by trying.
    """

    name: str
    family: str
    title: str
    mend: str
    edit: Edit
    layer: int | None = None
    scope: str = ""
    rank: int = 0
    evidence: str = ""
    apart: str = ""

    @property
    def key(self) -> tuple[str, int | None, str]:
        """What identifies the slip on other data."""
        return self.name, self.layer, self.scope


Family: TypeAlias = Callable[[Setting], Iterator[Slip]]
"""All slips of one family that make sense in a setting."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Some entries of a gradient.

    Attributes
    ----------
    label : str
        Such as ``W1``, or ``Theta1 without its bias``.
    layer : int or None
        Where they are one layer's.
    views : callable
        From a dict of arrays to views of the entries, one for each array that is touched.
    """

    label: str
    layer: int | None
    views: Callable[[Mapping[str, Array]], list[Array]]

    def changed(self, change: Callable[[Array], Array], *, data: bool = False) -> Edit:
        """Return the edit that replaces these entries of the finished gradient, or of the data's part of it."""

        def after(grads: Gradients) -> Gradients:
            for view in self.views(grads):
                view[...] = change(view)
            return grads

        return lambda right: right.then(after, data=data)

    def data_scaled(self, c: float) -> Edit:
        """Return the edit that multiplies these entries by c, but not the regulariser's share in them."""

        def edit(right: Backward) -> Backward:
            def after(grads: Gradients) -> Gradients:
                for view, share in zip(self.views(grads), self.views(right.penalty), strict=True):
                    view[...] = c * (view - share) + share
                return grads

            return right.then(after)

        return edit


def constant(gradients: Mapping[str, Array]) -> Edit:
    """Return the edit that leads to these gradients, whatever it is applied to."""
    return lambda right: right.then(lambda _: {name: g.copy() for name, g in gradients.items()})


def multiple(y: Array, x: Array) -> float:
    """Return the c that makes c·x nearest to y."""
    length = float(x @ x)
    return float(x @ y) / length if length and np.isfinite(length) else 0.0


def times(factor: float | Array) -> Callable[[Array], Array]:
    """Return the product with a number or an array, as a function."""
    return lambda array: factor * array


def slope_of(operation: Elementwise, z: Array) -> Array:
    """Return an elementwise operation's derivative at z."""
    return operation(z)[1].vjp(np.ones_like(z))


def all_entries(names: Iterable[str], label: str = "", layer: int | None = None) -> Entries:
    """Return all entries of these parameters."""
    chosen = tuple(names)
    return Entries(label, layer, lambda arrays: [arrays[n] for n in chosen])


def entries_of_parameters(setting: Setting) -> list[Entries]:
    """Return each parameter's entries, and those of weights that hold a bias without it."""
    owner = {layer.weight: layer.number for layer in setting.layers}
    owner |= {layer.bias: layer.number for layer in setting.layers if layer.bias is not None}
    found = [all_entries([n], n, owner.get(n)) for n in setting.params]
    return found + [_without_bias(layer) for layer in setting.layers if layer.layout.absorbs_bias]


def entries_of_weights(setting: Setting) -> list[Entries]:
    """Return the entries of all weights together, where there are several, and of each, also without its bias."""
    layers = setting.layers
    found: list[Entries] = []
    if len(layers) > 1:
        # of a network without separate biases, these are all parameters: that has its own name for a factor
        found.append(all_entries([layer.weight for layer in layers], "all weights"))
        if any(layer.layout.absorbs_bias for layer in layers):
            found.append(Entries("all weights without bias", None, lambda a: [layer.weights_of(a) for layer in layers]))
    for layer in layers:
        found.append(all_entries([layer.weight], layer.weight, layer.number))
        if layer.layout.absorbs_bias:
            found.append(_without_bias(layer))
    return found


def _without_bias(layer: Layer) -> Entries:
    return Entries(f"{layer.weight} without its bias", layer.number, lambda a: [layer.weights_of(a)])
