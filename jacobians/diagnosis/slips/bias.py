"""Wrong biases: averaged, of one example, summed too far or in float32, δ₀ kept, the ones at the wrong end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Edit, Gradients, Layer, Pullback, Setting, Slip, slope_of
from jacobians.operations import Elementwise


def bias(setting: Setting) -> Iterator[Slip]:
    """Every layer's bias alone, and all together."""
    layers = tuple(layer for layer in setting.layers if layer.has_bias)
    for layer in layers:
        yield from _sums(setting, (layer,), f"of layer {layer.number}", layer.number)
        if setting.layout.absorbs_bias:
            yield from _wrong_end(setting, (layer,), f"of layer {layer.number}", layer.number)
            if layer.position:
                yield from _kept(setting, layer)
    if len(layers) > 1:
        yield from _sums(setting, layers, "of every layer", None)
        if setting.layout.absorbs_bias:
            yield from _wrong_end(setting, layers, "of every layer", None)


def _sums(setting: Setting, layers: tuple[Layer, ...], which: str, number: int | None) -> Iterator[Slip]:
    """Other numbers in place of the bias's gradient, made from its layer's δ."""
    for name, of, title, mend, rank in _SUMS:
        if of is _over_nodes and any(layer.bias_of(setting.params).size != setting.count for layer in layers):
            continue

        def edit(right: Backward, of: Callable[[Array], Array] = of) -> Backward:
            deltas = right.cotangents()

            def change(grads: Gradients) -> Gradients:
                for layer in layers:
                    place = layer.bias_of(grads)
                    found = of(setting.by_example(deltas[layer.position]))
                    place[...] = found.reshape(place.shape) + layer.bias_of(right.penalty)
                return grads

            return right.then(change)

        yield Slip(name, "bias", f"the bias {which} is {title}", mend, edit, number, f"{which}: {title}", rank)


def _over_nodes(delta: Array) -> Array:
    return delta.sum(axis=1)


def _running(delta: Array, count: int) -> Array:
    """δ·count added up in float32, one example after the other: small ones are lost beside a large sum."""
    return np.cumsum((delta * count).astype(np.float32), axis=0)[-1].astype(np.float64) / count


_DIVIDED = "1/N is in δ: sum."
_WIDE = "Add up in float64: a float32 sum loses what is small beside it."
_SUM = "Sum δ over the examples, and over nothing else."

# what stands for the sum of δ (N, nodes) over the examples: name, formula, what is wrong, the mend, the rank
_SUMS: tuple[tuple[str, Callable[[Array], Array], str, str, int], ...] = (
    ("bias-averaged", lambda d: d.sum(axis=0) / len(d), "averaged over the examples, not summed", _DIVIDED, 0),
    ("bias-not-averaged", lambda d: d.sum(axis=0) * len(d), "N times too large", "Divide by N as in the weights.", 0),
    ("bias-zero", lambda d: 0 * d[0], "zero", _SUM, 0),
    ("bias-of-one-example", lambda d: d[0], "of the first example only", _SUM, 0),
    ("bias-of-one-example", lambda d: d[-1], "of the last example only", _SUM, 0),
    ("bias-of-one-example", lambda d: d[0] * len(d), "of the first example only, without 1/N", _SUM, 1),
    ("bias-of-one-example", lambda d: d[-1] * len(d), "of the last example only, without 1/N", _SUM, 1),
    ("bias-over-all-axes", lambda d: np.full(d.shape[1], d.sum()), "one number: δ summed over all axes", _SUM, 0),
    ("bias-over-all-axes", lambda d: np.full(d.shape[1], d.mean()), "one number: δ averaged over all axes", _SUM, 1),
    ("float32-sum", lambda d: _running(d, 1), "a running sum in float32", _WIDE, 1),
    ("float32-sum", lambda d: _running(d, len(d)), "a running sum in float32, divided by N afterwards", _WIDE, 1),
    ("float32-sum", lambda d: d.astype(np.float32).sum(axis=0), "summed in float32", _WIDE, 1),
    ("bias-over-nodes", _over_nodes, "δ summed over the nodes, not over the examples", _SUM, 0),
)


def _wrong_end(setting: Setting, layers: tuple[Layer, ...], which: str, number: int | None) -> Iterator[Slip]:
    """The entry of ones appended at the other end of the data: in the weight's gradient alone, or in the pass."""
    layout, end = setting.layout, _other_end(setting)
    step = 1 if end == "last" else -1
    mend = f"Put the ones {layout.bias}, where the bias lies."

    def rolled(arrays: Gradients, by: int) -> Gradients:
        moved = {layer.weight for layer in layers}
        return {n: np.roll(a, by * step, layout.node_axis) if n in moved else a for n, a in arrays.items()}

    back = partial(rolled, by=-1)
    only_gradient = partial(Backward.then, change=back)

    def whole(_: Backward) -> Backward:
        return only_gradient(setting.elsewhere(params=rolled(setting.params, 1)).right)

    def matching(right: Backward) -> Backward:
        there = setting.elsewhere(params=rolled(setting.params, 1)).right.with_penalty(right.penalty)
        return there.then(back, data=True)

    def forward(right: Backward) -> Backward:
        return matching(right).with_flow({layer.position: right.flow[layer.position] for layer in layers})

    own = f"the ones stand {end} where the gradient's own pass meets the weight {which}"
    there = f"the ones stand {end} in the gradient with respect to the weight {which}, so every entry moved by one"
    edits: list[tuple[str, str, Edit]] = [
        ("", there, only_gradient),
        (", own", f"{own}, forward and in its gradient", forward),
    ]
    if setting.penalised:
        early = partial(Backward.then, change=back, data=True)
        edits.append((", data", f"{there}, before the regulariser was added", early))
    if any(layer.position for layer in layers):
        edits.append((", both", f"{own}, and δ drops the entry that matches", matching))
    if setting.penalised and number is None:
        edits.append((", all", "the whole network, its regulariser included, has its ones " + end, whole))
    for scope, title, edit in edits:
        yield Slip("ones-at-wrong-end", "bias", title, mend, edit, number, which + scope)


def _other_end(setting: Setting) -> str:
    return "last" if setting.layout.bias == "first" else "first"


def _kept(setting: Setting, layer: Layer) -> Iterator[Slip]:
    """δ₀, the derivative with respect to the constant 1, is kept on the way back, and another entry dropped instead."""
    W = setting.params[layer.weight]
    nodes = W if setting.layout.node_axis == 1 else W.T
    p = layer.position - 1
    before, z = setting.operations[p], setting.input_of(p)
    wrong_slice = setting.layout.replace(bias=_other_end(setting)).without_bias

    def dropping(slope: Array | float) -> Pullback:
        """δ by the input and its ones, times a slope, without the wrong entry."""
        return lambda c: setting.by_example((setting.by_example(c) @ nodes * slope)[:, wrong_slice])

    what = (
        f"δ₀, the derivative with respect to the ones that layer {layer.number} meets, is kept, and another δ dropped"
    )
    mend = "Drop the entry of the ones from δ before going on."
    plain = partial(Backward.with_flow, pulls={layer.position: dropping(1.0)})
    yield Slip("delta-0-kept", "bias", what, mend, plain, layer.number, "before")
    if not isinstance(before, Elementwise):
        return
    slope = setting.by_example(slope_of(before, z))
    ones = np.ones((len(slope), 1))
    at_one = slope_of(before, ones)
    entries = [
        (", after the product with the activation's derivative at 1", at_one),
        (", after the product with a derivative of 0 for the ones", 0 * ones),
        (", after the product with a derivative of 1 for the ones", ones),
    ]
    # an activation whose derivative at 1 is 1 makes the first of the three the last
    for text, entry in entries[int(np.array_equal(at_one, ones)) :]:
        full = setting.layout.joined(entry, slope, axis=1)
        edit = partial(Backward.with_flow, pulls={layer.position: dropping(full), p: lambda c: c})
        yield Slip("delta-0-kept", "bias", what + text, mend, edit, layer.number, text, 1)
