"""Mutations with a number in them that is fitted to the given gradient: a ratio, a threshold, a learning rate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.slip import Backward, Gradients, Mutation, Part, Setting, parameter_parts, weight_parts

__all__ = ["constant", "fits"]


_MOST_LINES = 400
"""Rows or columns beyond which no permutation of them is sought: it compares each with each."""


def fits(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """All one-number fits; each is a candidate that may still miss."""
    yield from _ratios(setting, distances)
    yield from _clipped(setting, distances)
    yield from _penalty(setting, distances)
    yield from _updated(setting, distances)
    yield from _permuted(setting, distances)
    yield from _float32_sums(setting, distances)


def constant(gradients: Gradients) -> Callable[[Backward], Backward]:
    """Return the edit that leads to these gradients, whatever it is applied to."""
    return lambda right: right.then(lambda _: dict(gradients))


def _ratios(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    right, given = setting.right, distances.given
    mend = "Look for a factor of this size: a count, a step, a scale that is applied twice."
    everything = Part("everything", None, lambda arrays: [arrays[n] for n in setting.params])
    for part in [everything, *parameter_parts(setting), *weight_parts(setting)]:
        a, b = _flat(part, setting.gradient), _flat(part, given)
        share = _flat(part, dict(right.penalty))
        c = _slope(b, a)
        of = part.label if part is everything else f"the gradient by {part.label}"
        if c not in (0.0, 1.0):
            yield _ratio(part, f"{of} is {c:.10g} times what is right", c, part.changed(_multiply(c)), mend)
        if c and part is everything:
            yield from _norm_clipped({n: c * g for n, g in setting.gradient.items()}, given)
        if share.any():
            c = _slope(b - share, a - share)
            title = f"{of} is {c:.10g} times what is right, but for the regulariser's part"
            yield _ratio(part, title, c, part.data_scaled(c), mend)


def _ratio(part: Part, title: str, c: float, edit: Callable[[Backward], Backward], mend: str) -> Mutation:
    evidence = f"ratio {c:.12g} in every entry"
    return Mutation("constant-ratio", "scale", title, mend, edit, part.layer, part.label, 2, evidence)


def _flat(part: Part, arrays: Gradients) -> Array:
    return np.concatenate([view.ravel() for view in part.views(arrays)])


def _multiply(c: float) -> Callable[[Array], Array]:
    return lambda g: c * g


def _norm_clipped(wrong: Gradients, given: Gradients) -> Iterator[Mutation]:
    norm = float(np.sqrt(sum(np.vdot(g, g) for g in given.values())))
    if norm and abs(norm - float(f"{norm:.2g}")) < 1e-9 * norm:
        yield Mutation(
            "norm-clipped",
            "scale",
            f"the gradient was rescaled to norm {norm:.2g}",
            "Clip after the check, not before.",
            constant(wrong),
            rank=1,
            evidence=f"norm of the gradient {norm:.12g}",
        )


def _clipped(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """Entries beyond a threshold, cut: the threshold is the largest entry that is left."""
    top = max(float(np.abs(g).max(initial=0.0)) for g in distances.given.values())
    for name, bound in [
        ("everything", top),
        *((n, float(np.abs(g).max(initial=0.0))) for n, g in distances.given.items()),
    ]:
        chosen = tuple(setting.params) if name == "everything" else (name,)
        cut = sum(int((np.abs(setting.gradient[n]) > bound).sum()) for n in chosen)
        if bound == 0 or not cut:
            continue
        yield Mutation(
            "clipped",
            "scale",
            f"{'every entry' if name == 'everything' else f'the gradient by {name}'} is clipped to ±{bound:.6g}",
            "Clip after the check, not before.",
            partial(Backward.then_to, names=chosen, change=partial(np.clip, a_min=-bound, a_max=bound)),
            scope=name,
            rank=1,
            evidence=f"{cut} entries of the right gradient lie beyond ±{bound:.6g}",
        )


def _penalty(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """What is left over is proportional to the weights."""
    right = setting.right
    slope = 2 * setting.network.convention.l2_scale(setting.network.l2, setting.count) if setting.penalised else 0.0
    weights = [layer.weight for layer in setting.layers]
    scopes = [("", weights), *((f" of {w}", [w]) for w in weights if len(weights) > 1)]
    for text, of in scopes:
        rows = {n: right.penalty[n] / slope if slope else _unregularised(setting, n) for n in of}
        data = {n: setting.gradient[n] - right.penalty[n] for n in of}
        left = np.concatenate([(distances.given[n] - data[n]).ravel() for n in of])
        c = _slope(left, np.concatenate([rows[n].ravel() for n in of]))
        if abs(c) < 1e-14:
            continue
        yield Mutation(
            "regulariser-coefficient",
            "regulariser",
            f"the regulariser's part{text} has another coefficient"
            if slope
            else f"there is a regulariser{text}, and the network has none",
            f"Its derivative is {slope:.6g}·W here." if slope else "Drop it, or give the network its strength l2.",
            partial(Backward.with_penalty, penalty={n: c * r for n, r in rows.items()}),
            scope=text,
            rank=2,
            evidence=f"what is left over is {c:.8g}·W, where {slope:.8g}·W is right",
        )


def _unregularised(setting: Setting, name: str) -> Array:
    """The weights that the convention would regularise."""
    layer = next(layer for layer in setting.layers if layer.weight == name)
    rows = setting.params[name].copy()
    if layer.end is not None and not setting.network.convention.l2_bias:
        layer.bias_of({name: rows})[...] = 0
    return rows


def _updated(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """Weights already updated when δ flows back through them; the step is read from the layer before the last."""
    layers = setting.layers
    if len(layers) < 2:
        return
    for text, steps in (
        ("", distances.given),
        (" (without the regulariser)", {n: distances.given[n] - p for n, p in setting.right.penalty.items()}),
    )[: 1 + setting.penalised]:
        yield from _updated_by(setting, distances, steps, text)


def _updated_by(setting: Setting, distances: Distances, steps: Gradients, text: str) -> Iterator[Mutation]:
    layers = setting.layers
    last, name = layers[-1], layers[-2].weight
    moved = setting.right.with_flow(last.position, setting.pullback(last, "X", W=steps[last.weight]))
    a = moved.gradient()[name] - setting.right.penalty[name]
    rate = -_slope((distances.given[name] - setting.gradient[name]).ravel(), a.ravel())
    if not rate:
        return

    def edit(right: Backward) -> Backward:
        for layer in layers[1:]:
            W = setting.params[layer.weight] - rate * steps[layer.weight]
            right = right.with_flow(layer.position, setting.pullback(layer, "X", W=W))
        return right

    used = " and ".join(layer.weight for layer in layers[1:])
    yield Mutation(
        "updated-weight",
        "state",
        f"δ flows back through {used} after the update{text}",
        "Compute all gradients before any parameter changes.",
        edit,
        last.number,
        text,
        2,
        evidence=f"a learning rate of {rate:.8g} explains it",
    )


def _permuted(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """A weight's rows or columns in another order: each wrong line equals another right one."""
    stages = [(False, distances.given, setting.gradient)]
    if setting.penalised:
        share = setting.right.penalty
        given, right = ({n: g - share[n] for n, g in grads.items()} for _, *both in stages for grads in both)
        stages.append((True, given, right))
    lines = enumerate(("rows", "columns"))
    for part, (axis, line), (data, given, right) in itertools.product(weight_parts(setting), lines, stages):
        if part.layer is None:
            continue
        a, b = (np.moveaxis(part.views(grads)[0], axis, 0) for grads in (given, right))
        if len(a) > _MOST_LINES or np.array_equal(a, b):
            continue
        places = np.array([np.abs(b - g).max(axis=1, initial=0.0) for g in a]).argmin(axis=1)
        if len(set(places.tolist())) < len(places):
            continue
        moved = [i for i, p in enumerate(places) if i != p]
        early = ", before the regulariser was added" * data
        yield Mutation(
            "lines-permuted",
            "layout",
            f"the {line} of the gradient by {part.label} are in another order{early}",
            "Check the indices of the loop that fills it.",
            part.changed(partial(np.take, indices=places, axis=axis), data=data),
            part.layer,
            f"{part.label} {line}{early}",
            1,
            evidence=f"{len(moved)} {line} moved: " + ", ".join(f"{places[i]} to {i}" for i in moved[:4]),
        )


def _float32_sums(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """Biases off by what adding up in float32 may round, whatever the order; every sum is a float32 number."""
    deltas, found, worst = setting.right.cotangents(), {n: g.copy() for n, g in setting.gradient.items()}, 0.0
    for layer in setting.layers if setting.count > 1 else ():
        if not layer.has_bias:
            continue
        place, share = layer.bias_of(found), layer.bias_of(setting.right.penalty)
        given = layer.bias_of(distances.given) - share
        gap, size = np.abs(given + share - place), np.abs(deltas[layer.position]).sum(axis=setting.layout.batch_axis)
        unit = float(np.finfo(np.float32).eps) * size.reshape(place.shape)
        single = np.array_equal(given, given.astype(np.float32)) and not share.any()
        # a number that was merely stored in float32 is off by half a unit of itself
        if single and (gap > 1e-12 * size.reshape(place.shape)).any() and (gap <= np.sqrt(setting.count) * unit).all():
            worst = max(worst, float((gap / np.maximum(np.abs(place), 1e-300)).max()))
            place[...] = given
    if worst:
        yield Mutation(
            "float32-sum",
            "bias",
            "the biases were added up in float32",
            "Add up in float64: a float32 sum loses what is small beside it.",
            constant(found),
            rank=2,
            evidence=f"only biases differ, by up to {worst:.1e} of themselves, and they are float32 numbers",
        )


def _slope(y: Array, x: Array) -> float:
    """The c that makes c·x nearest to y."""
    length = float(x @ x)
    return float(x @ y) / length if length and np.isfinite(length) else 0.0
