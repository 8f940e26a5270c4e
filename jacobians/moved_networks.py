"""A network's layers and their parameters from one convention to another: kernels, matrices, and flattened images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array, Shape, as_float, inverse_axes, size_of
from jacobians.conventions import Convention
from jacobians.errors import LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.layers import Convolution, Flattened, TransposedConvolution
from jacobians.layers.composed import Composed
from jacobians.layout import Layout
from jacobians.network import Network, Parameters, Run
from jacobians.operations import Affine, Chain
from jacobians.operations.shaping import flat_examples
from jacobians.presets import convention

__all__ = ["WRITTEN", "WrittenLayers", "translate_network"]

WRITTEN = Layout()
"""How layers and their arrays are written once: a batch in rows, images CHW, kernels OIHW, weights in columns."""


@dataclass(frozen=True, eq=False)
class WrittenLayers:
    """Layers as they are written once, from which their arrays go to any convention and back.

    Attributes
    ----------
    chain : Chain
        In the layout `WRITTEN`.
    before : tuple of tuple of int
        The shape of what each layer gets.
    """

    chain: Chain
    before: tuple[Shape, ...]

    def orders(self, layout: Layout) -> list[Array | None]:
        """Return the order of the features for each affine layer that follows a flattening.

        Raises
        ------
        LayoutError
            If an affine layer gets images, which some conventions flatten and others do not.
        """
        found: list[Array | None] = []
        order = None
        for part, shape in zip(self.chain.parts, self.before, strict=True):
            if isinstance(part, Flattened) and len(shape) == 4:
                numbers = np.arange(size_of(shape[1:])).reshape(1, *shape[1:])
                there = numbers.transpose(inverse_axes(layout.image_axes()))
                order = flat_examples(there.shape, layout)._jvp(there).ravel()
            if isinstance(part, Affine) and (len(shape) > 3 or (len(shape) == 3 and layout.features == "all-axes")):
                raise LayoutError(
                    "translate_network: an affine layer flattens images, or sequences, in some conventions alone: put "
                    "Flattened() before it"
                )
            found.append(order if isinstance(part, Affine) else None)
            order = None if isinstance(part, Affine) else order
        return found

    def moved(self, arrays: Mapping[str, Array], convention: Convention) -> dict[str, Array]:
        """Return parameters or gradients in the convention, given those of the layers as written."""
        layout, orders = convention.layout, self.orders(convention.layout)
        found: dict[str, Array] = {}
        for position, own in self._by_part().items():
            part, order = self.chain.parts[position], orders[position]
            names = {short: convention.names.parameter(name) for short, name in own.items()}
            kept = {short: arrays[name] for short, name in own.items()}
            if isinstance(part, Affine):
                nodes = kept["W"].T if order is None else kept["W"].T[:, order]
                stored = convention.store_layers([(nodes, kept["b"])])
                kept = dict(zip(("W", "b"), stored.values(), strict=False))
            elif isinstance(part, (Convolution, TransposedConvolution)):
                kept["W"] = kept["W"].transpose(inverse_axes(layout.kernel_axes(part.places)))
            elif isinstance(part, Composed):
                kept = {short: array.T if _turned(short, layout) else array for short, array in kept.items()}
            found |= {names[short]: np.ascontiguousarray(array) for short, array in kept.items()}
        return found

    def back(self, arrays: Mapping[str, Array], convention: Convention) -> dict[str, Array]:
        """Return parameters or gradients of the layers as written, given those in a convention."""
        layout, orders = convention.layout, self.orders(convention.layout)
        found: dict[str, Array] = {}
        for position, own in self._by_part().items():
            part, order = self.chain.parts[position], orders[position]
            given = {short: arrays.get(convention.names.parameter(name)) for short, name in own.items()}
            kept = {short: array for short, array in given.items() if array is not None}
            if isinstance(part, Affine):
                stored = {convention.weight(1): kept["W"]} | ({convention.bias(1): kept["b"]} if "b" in kept else {})
                ((nodes, bias),) = convention.take_layers(stored)
                kept = {"W": (nodes if order is None else nodes[:, np.argsort(order)]).T}
                kept |= {} if bias is None else {"b": bias.reshape(-1)}
            elif isinstance(part, (Convolution, TransposedConvolution)):
                kept["W"] = kept["W"].transpose(layout.kernel_axes(part.places))
            elif isinstance(part, Composed):
                kept = {short: array.T if _turned(short, layout) else array for short, array in kept.items()}
            found |= {own[short]: np.ascontiguousarray(array) for short, array in kept.items()}
        return found

    def _by_part(self) -> dict[int, dict[str, str]]:
        """For each layer with parameters, by its own names, the chain's."""
        found: dict[int, dict[str, str]] = {}
        for name in self.chain.names[1:]:
            position, own = self.chain.owner(name)
            found.setdefault(position, {})[own] = name
        return found


def _turned(name: str, layout: Layout) -> bool:
    """Whether a recurrence or an attention keeps an array as its transpose: weights in rows, states in columns."""
    if name in ("h", "c"):
        return layout.batch == "columns"
    return name.startswith("W") and layout.weights == "rows"


@written("translate_network(net, params, X, target)")
def translate_network(
    network: Network, params: Parameters, X: Array, target: str | Convention
) -> tuple[Network, dict[str, Array]]:
    """Return the same network in another convention, and its parameters there, as new arrays.

    Kernels go from OIHW to HWIO, weights from rows to columns, and the weights after a flattening get the order in
    which the target flattens its images.

    Parameters
    ----------
    network : Network
        A list of operations.
    params : dict of array_like
        Parameters, or gradients by the same names.
    X : array_like
        A batch, or one example, in the network's convention: the sizes of the images are read off it.
        `translate_batch` moves it.
    target : str or Convention

    Returns
    -------
    Network
        Its loss has the target's reduction.
    dict of ndarray
        By the target's names. `Network.pack` packs them.

    Raises
    ------
    LayoutError
        If the network is a function of values, a part is known in its own layout only, the target has no bias and the
        network has some, or an affine layer gets images.
    ShapeError
        If parameters or X do not fit.

    Examples
    --------
    >>> from jacobians.layers import Convolution, Flattened
    >>> parts = [Convolution(sizes=(2, 1, 3, 3)), "relu", Flattened(), Affine("cs231n", (8, 3))]
    >>> net = Network(parts, "cross_entropy", "cs231n")
    >>> X, params = np.ones((5, 1, 4, 4)), net.init(0)
    >>> there, moved = translate_network(net, params, X, "keras")
    >>> moved["W1"].shape
    (3, 3, 1, 2)
    >>> from jacobians import translate_batch
    >>> bool(np.allclose(there(moved, translate_batch(X, "cs231n", "keras")), net(params, X)))
    True
    """
    source, target = network.convention, convention(target)
    X = as_float(X, "X", "translate_network")
    arrays = {name: as_float(array, name, "translate_network") for name, array in params.items()}
    run = Run(network, arrays, X, None)
    shapes = [X.shape, *(run.operation_value(place).shape for place in range(1, len(network.chain.parts)))]
    layers = WrittenLayers(
        Chain(*(part.moved_to(WRITTEN) for part in network.chain.parts)),
        tuple(_as_written(shape, source.layout) for shape in shapes),
    )
    if "none" in (source.layout.bias, target.layout.bias):
        own = source if source.layout.bias == "none" else target
        raise LayoutError(f"translate_network: {own.name} has no bias, and layers have some; choose another convention")
    moved = network.replace(
        operations=[part.moved_to(target.layout) for part in network.chain.parts],
        loss=network.loss.replace(layout=target.layout, reduction=target.effective_reduction),
        convention=target,
    )
    return moved, layers.moved(layers.back(arrays, source), target)


def _as_written(shape: Shape, layout: Layout) -> Shape:
    """The shape of a batch of matrices, sequences or images as it is written."""
    if len(shape) < 2:
        raise ShapeError(f"translate_network: a batch has shape {shape}; expected examples and their features")
    if len(shape) == 2:
        return shape if layout.batch == "rows" else shape[::-1]
    axes = layout.sequence_axes() if len(shape) == 3 else layout.image_axes(len(shape) - 2)
    return tuple(shape[axis] for axis in axes)
