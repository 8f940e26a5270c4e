"""Wrong biases: averaged, of one example, summed too far or in float32, δ₀ kept, the ones at the wrong end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Gradients, Layer, Mutation, Pullback, Setting
from jacobians.operations import Elementwise

__all__ = ["bias"]


def bias(setting: Setting) -> Iterator[Mutation]:
    """Every layer's bias alone, and all together."""
    layers = tuple(layer for layer in setting.layers if layer.has_bias)
    for layer in layers:
        yield from _entries(setting, (layer,), f"of layer {layer.number}", layer.number)
        if layer.end is not None:
            yield from _wrong_end(setting, (layer,), f"of layer {layer.number}", layer.number)
            if layer.position:
                yield from _kept(setting, layer)
    if len(layers) > 1:
        yield from _entries(setting, layers, "of every layer", None)
        if setting.layout.absorbs_bias:
            yield from _wrong_end(setting, layers, "of every layer", None)


def _entries(setting: Setting, layers: tuple[Layer, ...], which: str, number: int | None) -> Iterator[Mutation]:
    """Other numbers in the bias's place, made of the δ that arrives at its layer."""
    N = setting.count
    for name, of, title, mend, rank in _SUMS:
        if of is _over_nodes and any(layer.bias_of(setting.params).size != N for layer in layers):
            continue

        def edit(right: Backward, of: Callable[[Array], Array] = of) -> Backward:
            deltas = right.cotangents()

            def change(grads: Gradients) -> Gradients:
                for layer in layers:
                    delta = deltas[layer.position]
                    found = of(delta if setting.layout.batch == "rows" else delta.T)
                    place = layer.bias_of(grads)
                    place[...] = found.reshape(place.shape) + layer.bias_of(right.penalty)
                return grads

            return right.then(change)

        yield Mutation(name, "bias", f"the bias {which} is {title}", mend, edit, number, f"{which}: {title}", rank)


def _over_nodes(delta: Array) -> Array:
    return delta.sum(axis=1)


def _running(delta: Array, count: int) -> Array:
    """δ·count added up in float32, one example after the other: small ones are lost beside a large sum."""
    return np.cumsum((delta * count).astype(np.float32), axis=0)[-1].astype(np.float64) / count


_WIDE = "Add up in float64: a float32 sum loses what is small beside it."
_SUM = "Sum δ over the examples, and over nothing else."

# what stands for the sum of δ (N, nodes) over the examples: name, formula, what is wrong, the mend, the rank
_SUMS: tuple[tuple[str, Callable[[Array], Array], str, str, int], ...] = (
    (
        "bias-averaged",
        lambda d: d.sum(axis=0) / len(d),
        "averaged over the examples, not summed",
        "1/N is in δ: sum.",
        0,
    ),
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


def _wrong_end(setting: Setting, layers: tuple[Layer, ...], which: str, number: int | None) -> Iterator[Mutation]:
    """The entry of ones appended at the other end of the data: in the weight's gradient alone, or in the pass."""
    end = "last" if setting.layout.bias == "first" else "first"
    mend = f"Put the ones {setting.layout.bias}, where the bias lies."

    def rolled(arrays: Gradients, by: int) -> Gradients:
        moved = {layer.weight: (by if layer.end == 0 else -by, layer.axis) for layer in layers}
        return {name: np.roll(a, *moved[name]) if name in moved else a for name, a in arrays.items()}

    def back(grads: Gradients) -> Gradients:
        return rolled(grads, -1)

    def matching(right: Backward) -> Backward:
        there = setting.elsewhere(params=rolled(setting.params, 1)).with_penalty(right.penalty)
        return there.then(back, data=True)

    def first(right: Backward) -> Backward:
        wrong = matching(right)
        for layer in layers:
            wrong = wrong.with_flow(layer.position, right.flow[layer.position])
        return wrong

    def whole(_: Backward) -> Backward:
        return setting.elsewhere(params=rolled(setting.params, 1)).then(back)

    own = f"the ones stand {end} where the gradient's own pass meets the weight {which}"
    there = f"the ones stand {end} in the gradient by the weight {which}, so every entry moved by one"
    edits: list[tuple[str, str, Callable[[Backward], Backward]]] = [
        ("", there, lambda right: right.then(back)),
        (", own", f"{own}, forward and in its gradient", first),
    ]
    if setting.penalised:
        edits.append(
            (", data", f"{there}, before the regulariser was added", lambda right: right.then(back, data=True))
        )
    if any(layer.position for layer in layers):
        edits.append((", both", f"{own}, and δ drops the entry that matches", matching))
    if setting.penalised and number is None:
        edits.append((", all", "the whole network, its regulariser included, has its ones " + end, whole))
    for scope, title, edit in edits:
        yield Mutation("ones-at-wrong-end", "bias", title, mend, edit, number, which + scope)


def _kept(setting: Setting, layer: Layer) -> Iterator[Mutation]:
    """δ₀, the derivative by the constant 1, is kept on the way back, and another entry dropped instead."""
    W = setting.params[layer.weight]
    nodes = W if layer.axis == 1 else W.T
    before = setting.parts[layer.position - 1]
    rows = setting.layout.batch == "rows"
    wrong_slice = slice(0, -1) if layer.end == 0 else slice(1, None)

    def back(c: Array) -> Array:
        """δ by the input and its ones, ones included; one example a row."""
        return (c if rows else c.T) @ nodes

    def as_batch(c: Array) -> Array:
        return c if rows else c.T

    def plain(c: Array) -> Array:
        return as_batch(back(c)[:, wrong_slice])

    what = f"δ₀, the derivative by the ones that layer {layer.number} meets, is kept, and another δ dropped"
    mend = "Drop the entry of the ones from δ before going on."

    def mutation(scope: str, edit: Callable[[Backward], Backward], how: str = "") -> Mutation:
        return Mutation("delta-0-kept", "bias", what + how, mend, edit, layer.number, scope, int(bool(how)))

    yield mutation("before", lambda right: right.with_flow(layer.position, plain))
    if not isinstance(before, Elementwise):
        return
    p = layer.position - 1
    z = as_batch(setting.input_of(p))
    slope: Array = as_batch(before(setting.input_of(p))[1].vjp(np.ones_like(setting.input_of(p))))
    ones = np.ones((z.shape[0], 1))
    at_one = before(ones)[1].vjp(ones)
    for text, entry in (
        (", after the product with the activation's derivative at 1", at_one),
        (", after the product with a derivative of 0 for the ones", 0 * ones),
        (", after the product with a derivative of 1 for the ones", ones),
    ):
        if not before.in_value and entry is at_one:
            continue
        parts = [entry, slope] if layer.end == 0 else [slope, entry]
        full = np.concatenate(parts, axis=1)

        def pull(c: Array, full: Array = full) -> Array:
            return as_batch((back(c) * full)[:, wrong_slice])

        def edit(right: Backward, pull: Pullback = pull) -> Backward:
            return right.with_flow(layer.position, pull).with_flow(p, lambda c: c)

        yield mutation(text, edit, text)
