"""A wrong regulariser: missing, of another size or sign, on one layer only, on the bias, L1 for L2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Gradients, Layer, Setting, Slip


def regulariser(setting: Setting) -> Iterator[Slip]:
    """Other rows for the regulariser; nothing where the network has none."""
    if not setting.penalised:
        return
    rows, N = setting.right.penalty, setting.count
    slope = 2 * setting.network.convention.l2_scale(setting.network.l2, N)
    size = f"Its derivative is {slope:.4g}·W here."
    weights = {layer.weight: layer.number for layer in setting.layers}
    for name, c, title, mend in (
        ("regulariser-missing", 0.0, "missing", "Add its derivative to the weights' gradients."),
        ("regulariser-doubled", 2.0, "twice what it should be", size),
        ("regulariser-halved", 0.5, "half of what it should be", size),
        ("regulariser-over-N", 1 / N, f"divided by N = {N} once too often", size),
        ("regulariser-times-N", N, f"N = {N} times too large", size),
        ("regulariser-sign", -1.0, "subtracted, not added", "Add it: the objective grows with the weights."),
    ):
        if c == 1.0:
            continue
        yield _penalty(name, title, mend, {n: c * rows[n] for n in weights}, "all")
        for weight, layer in weights.items() if len(weights) > 1 else ():
            yield _penalty(name, f"{title} in layer {layer}", mend, {weight: c * rows[weight]}, weight, layer)
    for weight, layer in weights.items() if len(weights) > 2 else ():
        rest = {n: np.zeros_like(rows[n]) for n in weights if n != weight}
        title = f"there for layer {layer} only"
        yield _penalty("regulariser-one-layer", title, "Regularise every weight.", rest, weight, layer)
    yield from _bias(setting, slope)
    for text, c in (("λ·sign(W)", 1.0), ("½λ·sign(W)", 0.5)):
        signs = {n: c * slope * np.sign(rows[n]) for n in weights}
        title = f"an L1 regulariser's: {text} stands for λ·W"
        yield _penalty("l1-for-l2", title, f"The derivative of the square is {slope:.4g}·W.", signs, text)
    squares = {n: slope / 2 * setting.params[n] * setting.params[n] * (rows[n] != 0) for n in weights}
    title = "the square of the weights, not its derivative"
    yield _penalty("regulariser-of-square", title, "Differentiate it.", squares, "square")


def _bias(setting: Setting, slope: float) -> Iterator[Slip]:
    """The bias regularised where the convention leaves it out, or left out where it does not."""
    layers = [layer for layer in setting.layers if layer.has_bias]
    convention = setting.network.convention
    included = convention.l2_bias
    groups = [("all", layers)] if layers else []
    groups += [(layer.bias_holder, [layer]) for layer in layers if len(layers) > 1]
    for scope, chosen in groups:

        def change(grads: Gradients, chosen: list[Layer] = chosen) -> Gradients:
            for layer in chosen:
                layer.bias_of(grads)[...] += (-slope if included else slope) * layer.bias_of(setting.params)
            return grads

        edit = partial(Backward.then, change=change)
        number = None if scope == "all" else chosen[0].number
        title = f"the bias is {'not ' if included else ''}regularised{f' in layer {number}' if number else ''}"
        mend = f"{convention.name} {'regularises the bias too' if included else 'leaves the bias out'}."
        name, apart = "bias-not-regularised" if included else "bias-regularised", "biases that are not zero"
        yield Slip(name, "regulariser", title, mend, edit, number, scope, apart=apart)


def _penalty(name: str, title: str, mend: str, rows: dict[str, Array], scope: str, layer: int | None = None) -> Slip:
    title = title if title.startswith("the ") else f"the regulariser is {title}"
    return Slip(name, "regulariser", title, mend, lambda right: right.with_penalty(rows), layer, scope)
