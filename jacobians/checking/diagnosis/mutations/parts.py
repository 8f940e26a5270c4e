"""The parts of a gradient that a slip may touch alone: one parameter, the weights without an absorbed bias, all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jacobians.arrays import Array
from jacobians.checking.diagnosis.mutations.backward import Backward, Gradients
from jacobians.checking.diagnosis.mutations.setting import Layer, Setting

__all__ = ["Part", "parameter_parts", "weight_parts"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some entries of a gradient.

    Attributes
    ----------
    label : str
        Such as ``W1``, or ``Theta1 without its bias``.
    layer : int or None
        Where it is one layer's.
    views : callable
        From a dict of arrays to views of the entries, one for each array that is touched.
    """

    label: str
    layer: int | None
    views: Callable[[Mapping[str, Array]], list[Array]]

    def changed(self, change: Callable[[Array], Array], *, data: bool = False) -> Callable[[Backward], Backward]:
        """Return the edit that replaces these entries of the finished gradient, or of the data's part of it."""

        def after(grads: Gradients) -> Gradients:
            copies = {name: g.copy() for name, g in grads.items()}
            for view in self.views(copies):
                view[...] = change(view.copy())
            return copies

        return lambda right: right.then(after, data=data)

    def data_scaled(self, c: float) -> Callable[[Backward], Backward]:
        """Return the edit that multiplies these entries by c, but not the regulariser's share in them."""

        def edit(right: Backward) -> Backward:
            def after(grads: Gradients) -> Gradients:
                copies = {name: g.copy() for name, g in grads.items()}
                for view, share in zip(self.views(copies), self.views(right.penalty), strict=True):
                    view[...] = c * (view - share) + share
                return copies

            return right.then(after)

        return edit


def parameter_parts(setting: Setting) -> list[Part]:
    """Return one part for each parameter, and for weights that hold a bias one without it."""
    owner = {layer.weight: layer for layer in setting.layers} | {
        layer.bias: layer for layer in setting.layers if layer.bias is not None
    }
    found = [_whole(n, owner[n].number if n in owner else None) for n in setting.params]
    return found + [_without_bias(layer) for layer in setting.layers if layer.end is not None]


def weight_parts(setting: Setting) -> list[Part]:
    """Return all weights together where there are several, and each: whole, and without an absorbed bias."""
    layers = setting.layers
    found: list[Part] = []
    if len(layers) > 1:
        # of a network without separate biases, these are all parameters: that has its own name for a factor
        found.append(Part("all weights", None, lambda a: [a[layer.weight] for layer in layers]))
        if any(layer.end is not None for layer in layers):
            found.append(Part("all weights without bias", None, lambda a: [layer.weights_of(a) for layer in layers]))
    for layer in layers:
        found.append(_whole(layer.weight, layer.number))
        if layer.end is not None:
            found.append(_without_bias(layer))
    return found


def _whole(name: str, layer: int | None) -> Part:
    return Part(name, layer, lambda a: [a[name]])


def _without_bias(layer: Layer) -> Part:
    return Part(f"{layer.weight} without its bias", layer.number, lambda a: [layer.weights_of(a)])
