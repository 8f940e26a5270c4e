"""A right formula with the wrong array: another layer's input, δ, slope or weight, of the same shape."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Layer, Setting, Slip, slope_of, times
from jacobians.operations import Elementwise

_APART = "layers of different widths, so that the shapes differ"


def cache(setting: Setting) -> Iterator[Slip]:
    """Each array that a layer's backward pass reads, in the place of each other one that fits."""
    for layer in setting.layers:
        yield from _inputs(setting, layer)
        yield from _deltas(setting, layer)
        yield from _weights(setting, layer)
    yield from _slopes(setting)


def _inputs(setting: Setting, layer: Layer) -> Iterator[Slip]:
    """The layer's input, in the gradient with respect to its weight."""
    p, right = layer.position, setting.input_of(layer.position)
    before = setting.operations[p - 1] if p else None
    arrays = [("X", setting.X, "cache-for-input")]
    arrays += [(f"operation {i + 1}'s output", setting.output_of(i), "cache-for-input") for i in range(p - 1)]
    arrays += [(f"layer {layer.number}'s own output", setting.output_of(p), "cache-for-input")]
    if isinstance(before, Elementwise):
        arrays[-2 if p > 1 else -1] = (f"Z{layer.number - 1}", setting.input_of(p - 1), "preactivation-for-input")
        arrays.append((f"{before.name}(A{layer.number - 1})", before(right)[0], "activated-twice"))
    mend = f"Layer {layer.number} met A{layer.number - 1} in the forward pass: remember that."
    if layer.number == 1:
        mend = "The first layer met X in the forward pass: use it."
    seen = [right]
    for text, array, name in arrays:
        if array.shape != right.shape or any(np.array_equal(array, other) for other in seen):
            continue
        seen.append(array)
        title = f"{text} stands for layer {layer.number}'s input in the gradient with respect to {layer.weight}"
        edit = partial(Backward.with_local, name=layer.weight, pull=setting.pullback(layer, "W", X=array))
        yield Slip(name, "cache", title, mend, edit, layer.number, text, 1, apart=_APART)


def _deltas(setting: Setting, layer: Layer) -> Iterator[Slip]:
    """The δ that arrives at the layer, in the gradient with respect to its weight or its bias alone."""
    own = [n for n, position in setting.right.owner.items() if position == layer.position]
    shape = setting.output_of(layer.position).shape
    after = layer.position + 1
    for i in range(len(setting.operations)):
        early = i == after and isinstance(setting.operations[i], Elementwise)
        if i == layer.position or setting.output_of(i).shape != shape:
            continue
        # of a first layer with one parameter, nothing else meets δ: there the derivative is missing altogether
        for name in own if not early or layer.position or len(own) > 1 else ():
            mend = f"{name}'s gradient is made of ∂loss/∂Z{layer.number}."
            if early:
                what = setting.operations[i].name
                title = f"the gradient with respect to {name} is made of δ before its product with {what}′"
                kind = "delta-before-derivative"
            else:
                where = f"the output of operation {i + 1} ({setting.operations[i].name})"
                title = f"the gradient with respect to {name} is made of the δ at {where}"
                kind = "delta-of-another-layer"
            edit = partial(_with_delta_at, name=name, position=i)
            yield Slip(kind, "cache", title, mend, edit, layer.number, f"{name} {i}", 1, apart=_APART)


def _with_delta_at(right: Backward, name: str, position: int) -> Backward:
    pull, delta = right.local[name], right.cotangents()[position]
    return right.with_local(name, lambda _: pull(delta))


def _weights(setting: Setting, layer: Layer) -> Iterator[Slip]:
    """Another layer's weight, on the way back."""
    W = setting.params[layer.weight]
    for other in setting.layers if layer.position else ():
        V = setting.params[other.weight]
        for turned, text in ((V, other.weight), (V.T, f"{other.weight}'s transpose")):
            if other.number == layer.number or turned.shape != W.shape:
                continue
            title = f"{text} stands for {layer.weight} on the way back through layer {layer.number}"
            mend = f"δ flows back through {layer.weight}, which the forward pass met."
            edit = partial(Backward.with_flow, pulls={layer.position: setting.pullback(layer, "X", W=turned)})
            yield Slip("weight-of-another-layer", "cache", title, mend, edit, layer.number, text, 1, apart=_APART)


def _slopes(setting: Setting) -> Iterator[Slip]:
    """An activation's derivative, taken where another layer is."""
    places = setting.activations
    for layer, p, op in places:
        for other, q, _ in places:
            z: Array = setting.input_of(q)
            if p == q or z.shape != setting.input_of(p).shape:
                continue
            title = f"{op.name}′ is taken at Z{other}, in layer {layer}"
            mend = f"Take it at Z{layer}."
            edit = partial(Backward.with_flow, pulls={p: times(slope_of(op, z))})
            yield Slip("derivative-of-another-layer", "cache", title, mend, edit, layer, f"{p} {q}", 1, apart=_APART)
