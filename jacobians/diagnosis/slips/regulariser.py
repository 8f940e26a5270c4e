"""A wrong regulariser: missing, of another size or sign, on one layer only, on the bias, L1 for L2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Gradients, Layer, Mutation, Setting

__all__ = ["regulariser"]


def regulariser(setting: Setting) -> Iterator[Mutation]:
    """Other rows for the regulariser; nothing where the network has none."""
    if not setting.penalised:
        return
    right = setting.right
    N = setting.count
    slope = 2 * setting.network.convention.l2_scale(setting.network.l2, N)
    weights = tuple(layer.weight for layer in setting.layers)
    for name, c, title, mend in (
        ("regulariser-missing", 0.0, "missing", "Add its derivative to the weights' gradients."),
        ("regulariser-doubled", 2.0, "twice what it should be", f"Its derivative is {slope:.4g}·W here."),
        ("regulariser-halved", 0.5, "half of what it should be", f"Its derivative is {slope:.4g}·W here."),
        ("regulariser-over-N", 1 / N, f"divided by N = {N} once too often", f"Its derivative is {slope:.4g}·W here."),
        ("regulariser-times-N", N, f"N = {N} times too large", f"Its derivative is {slope:.4g}·W here."),
        ("regulariser-sign", -1.0, "subtracted, not added", "Add it: the objective grows with the weights."),
    ):
        if c == 1.0:
            continue
        yield _penalty(name, title, mend, {n: c * right.penalty[n] for n in weights}, "all")
        for layer in setting.layers if len(weights) > 1 else ():
            only = f"{title} in layer {layer.number}"
            yield _penalty(
                name, only, mend, {layer.weight: c * right.penalty[layer.weight]}, layer.weight, layer.number
            )
    for layer in setting.layers if len(weights) > 2 else ():
        rest = {n: np.zeros_like(right.penalty[n]) for n in weights if n != layer.weight}
        title = f"there for layer {layer.number} only"
        yield _penalty("regulariser-one-layer", title, "Regularise every weight.", rest, layer.weight, layer.number)
    yield from _bias(setting, slope)
    for text, c in (("λ·sign(W)", 1.0), ("½λ·sign(W)", 0.5)):
        signs = {n: c * slope * np.sign(right.penalty[n]) for n in weights}
        title = f"an L1 regulariser's: {text} stands for λ·W"
        yield _penalty("l1-for-l2", title, f"The derivative of the square is {slope:.4g}·W.", signs, text)
    yield _penalty(
        "regulariser-of-square",
        "the square of the weights, not its derivative",
        "Differentiate it.",
        {n: slope / 2 * setting.params[n] * setting.params[n] * (right.penalty[n] != 0) for n in weights},
        "square",
    )


def _bias(setting: Setting, slope: float) -> Iterator[Mutation]:
    """The bias regularised where the convention leaves it out, or left out where it does not."""
    layers = [layer for layer in setting.layers if layer.has_bias]
    if not layers:
        return
    included = setting.network.convention.l2_bias
    for scope, chosen in [("all", layers), *((layer.bias_holder, [layer]) for layer in layers)]:
        if scope != "all" and len(layers) == 1:
            continue

        def change(grads: Gradients, chosen: list[Layer] = chosen) -> Gradients:
            for layer in chosen:
                layer.bias_of(grads)[...] += (-slope if included else slope) * layer.bias_of(setting.params)
            return grads

        where = "" if scope == "all" else f" in layer {chosen[0].number}"
        title = f"the bias is {'not ' if included else ''}regularised{where}"
        mend = f"{setting.network.convention.name} {'regularises the bias too' if included else 'leaves the bias out'}."
        yield Mutation(
            "bias-not-regularised" if included else "bias-regularised",
            "regulariser",
            title,
            mend,
            partial(_then, change=change),
            chosen[0].number if where else None,
            scope,
            apart="biases that are not zero",
        )


def _then(right: Backward, change: Callable[[Gradients], Gradients]) -> Backward:
    return right.then(change)


def _penalty(
    name: str, title: str, mend: str, rows: dict[str, Array], scope: str, layer: int | None = None
) -> Mutation:
    title = title if title.startswith("the ") else f"the regulariser is {title}"
    return Mutation(name, "regulariser", title, mend, lambda right: right.with_penalty(rows), layer, scope)
