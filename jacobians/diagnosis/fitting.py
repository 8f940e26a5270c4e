"""Slips with numbers in them that are fitted to the given gradient: a ratio, a threshold, a learning rate, weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.slip import (
    Backward,
    Edit,
    Entries,
    Gradients,
    Layer,
    Setting,
    Slip,
    all_entries,
    entries_of_parameters,
    entries_of_weights,
    times,
)

_MOST_LINES = 400
"""Rows or columns beyond which no permutation of them is sought: it compares each with each."""

LARGEST_STACK = 20_000_000
"""Numbers in the largest array of per-example derivatives; beyond it the analysis is left out, and that is said."""


def fitted(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Return what fits best of each kind; each is a candidate that may still miss."""
    for fit in (_ratios, _clipped, _penalty, _parameters, _updated, _permuted, _float32_sums):
        yield from fit(setting, distances)
    for fit in (_class_weights, _example_weights, _one_delta, _single_entries):
        yield from fit(setting, distances)


def too_large(setting: Setting) -> bool:
    """Whether the batch is too large for an analysis by example."""
    size = max(sum(g.size for g in setting.gradient.values()), setting.output.size)
    return setting.count * size > LARGEST_STACK


def _constant(gradients: Gradients) -> Edit:
    """The edit that leads to these gradients, whatever it is applied to."""
    return lambda right: right.then(lambda _: {name: g.copy() for name, g in gradients.items()})


def _slope(y: Array, x: Array) -> float:
    """The c that makes c·x nearest to y."""
    length = float(x @ x)
    return float(x @ y) / length if length and np.isfinite(length) else 0.0


# --- one number ----------------------------------------------------------------------------------


def _ratios(setting: Setting, distances: Distances) -> Iterator[Slip]:
    right, given = setting.right, distances.given
    mend = "Look for a factor of this size: a count, a step, a scale that is applied twice."

    def ratio(part: Entries, c: float, edit: Edit, but: str = "") -> Slip:
        of = f"the gradient with respect to {part.label}" if part is not everything else part.label
        title, evidence = f"{of} is {c:.10g} times what is right{but}", f"ratio {c:.12g} in every entry"
        return Slip("constant-ratio", "scale", title, mend, edit, part.layer, part.label, 2, evidence)

    everything = all_entries(setting.params, "everything")
    for part in [everything, *entries_of_parameters(setting), *entries_of_weights(setting)]:
        a, b, share = (
            np.concatenate([view.ravel() for view in part.views(arrays)])
            for arrays in (setting.gradient, given, right.penalty)
        )
        if a.size < 2:
            continue  # one number explains any other
        c = _slope(b, a)
        if c not in (0.0, 1.0):
            yield ratio(part, c, part.changed(times(c)))
        norm = float(np.sqrt(sum(np.vdot(g, g) for g in given.values()))) if part is everything else 0.0
        if c and norm and abs(norm - float(f"{norm:.2g}")) < 1e-9 * norm:
            title, mended = f"the gradient was rescaled to norm {norm:.2g}", "Clip after the check, not before."
            edit = _constant({n: c * g for n, g in setting.gradient.items()})
            yield Slip(
                "norm-clipped", "scale", title, mended, edit, rank=1, evidence=f"norm of the gradient {norm:.12g}"
            )
        if share.any():
            c = _slope(b - share, a - share)
            yield ratio(part, c, part.data_scaled(c), ", but for the regulariser's part")


def _clipped(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Entries beyond a threshold, cut: the threshold is the largest entry that is left."""
    for part in [all_entries(setting.params, "everything"), *(all_entries([n], n) for n in setting.params)]:
        bound = max(float(np.abs(g).max(initial=0.0)) for g in part.views(distances.given))
        cut = sum(int((np.abs(g) > bound).sum()) for g in part.views(setting.gradient))
        if bound == 0 or not cut:
            continue
        what = "every entry" if part.label == "everything" else f"the gradient with respect to {part.label}"
        title, mend = f"{what} is clipped to ±{bound:.6g}", "Clip after the check, not before."
        edit = part.changed(partial(np.clip, a_min=-bound, a_max=bound))
        evidence = f"{cut} entries of the right gradient lie beyond ±{bound:.6g}"
        yield Slip("clipped", "scale", title, mend, edit, scope=part.label, rank=1, evidence=evidence)


def _penalty(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """What is left over is proportional to the weights."""
    right = setting.right
    slope = 2 * setting.network.convention.l2_scale(setting.network.l2, setting.count) if setting.penalised else 0.0
    mend = f"Its derivative is {slope:.6g}·W here." if slope else "Drop it, or give the network its strength l2."
    scopes = [("", setting.layers), *((f" of {la.weight}", (la,)) for la in setting.layers if len(setting.layers) > 1)]
    for text, layers in scopes:
        rows = {la.weight: right.penalty[la.weight] / slope if slope else _unregularised(setting, la) for la in layers}
        left = [distances.given[n] - (setting.gradient[n] - right.penalty[n]) for n in rows]
        c = _slope(*(np.concatenate([a.ravel() for a in arrays]) for arrays in (left, rows.values())))
        if abs(c) < 1e-14 or sum(map(np.count_nonzero, rows.values())) < 2:
            continue  # one number explains any other
        title = f"there is a regulariser{text}, and the network has none"
        if slope:
            title = f"the regulariser's part{text} has another coefficient"
        edit = partial(Backward.with_penalty, penalty={n: c * r for n, r in rows.items()})
        evidence = f"what is left over is {c:.8g}·W, where {slope:.8g}·W is right"
        yield Slip("regulariser-coefficient", "regulariser", title, mend, edit, None, text, 2, evidence)


def _unregularised(setting: Setting, layer: Layer) -> Array:
    """The weights that the convention would regularise."""
    rows = setting.params[layer.weight].copy()
    if layer.layout.absorbs_bias and not setting.network.convention.l2_bias:
        layer.bias_of({layer.weight: rows})[...] = 0
    return rows


def _parameters(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """The parameters, or what a step leaves of them, where their gradient belongs."""
    params, share = setting.params, setting.right.penalty
    loss = {name: g - share[name] for name, g in setting.gradient.items()}
    stages = [("", setting.gradient), (" (without the regulariser)", loss)]
    for text, step in stages[: 1 + setting.penalised]:
        moved, own = (
            np.concatenate([a.ravel() for a in arrays])
            for arrays in ([distances.given[n] - p for n, p in params.items()], [step[n] for n in params])
        )
        rate = -_slope(moved, own)
        still = abs(rate) < 1e-12 * float(np.linalg.norm(np.concatenate([p.ravel() for p in params.values()])) or 1.0)
        title = "the parameters stand where their gradient belongs"
        title += "" if still else f", after a step of {rate:.6g} times the gradient{text}"
        edit = _constant({name: p - (0 if still else rate) * step[name] for name, p in params.items()})
        mend, evidence = "Save the gradient, and before any parameter changes.", f"a step of {rate:.8g} explains it"
        yield Slip("parameters-for-gradient", "state", title, mend, edit, None, text, 1, evidence)


def _updated(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Weights already updated when δ flows back through them; the step is read from the layer before the last."""
    layers, given, share = setting.layers, distances.given, setting.right.penalty
    if len(layers) < 2:
        return
    last, name = layers[-1], layers[-2].weight
    mend = "Compute all gradients before any parameter changes."
    title = f"δ flows back through {' and '.join(layer.weight for layer in layers[1:])} after the update"
    stages = [("", given), (" (without the regulariser)", {n: given[n] - p for n, p in share.items()})]
    for text, steps in stages[: 1 + setting.penalised]:
        moved = setting.right.with_flow({last.position: setting.pullback(last, "X", W=steps[last.weight])})
        step = moved.gradient()[name] - share[name]
        rate = -_slope((given[name] - setting.gradient[name]).ravel(), step.ravel())
        if not rate:
            continue

        def edit(right: Backward, steps: Gradients = steps, rate: float = rate) -> Backward:
            weights = {layer: setting.params[layer.weight] - rate * steps[layer.weight] for layer in layers[1:]}
            return right.with_flow({la.position: setting.pullback(la, "X", W=W) for la, W in weights.items()})

        evidence = f"a learning rate of {rate:.8g} explains it"
        yield Slip("updated-weight", "state", title + text, mend, edit, last.number, text, 2, evidence)


def _permuted(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """A weight's rows or columns in another order: each wrong line equals another right one."""
    share, mend = setting.right.penalty, "Check the indices of the loop that fills it."
    stages = [("", distances.given, setting.gradient)]
    if setting.penalised:
        given, right = ({n: g - share[n] for n, g in grads.items()} for grads in stages[0][1:])
        stages.append((", before the regulariser was added", given, right))
    lines = enumerate(("rows", "columns"))
    for part, (axis, line), (early, given, right) in itertools.product(entries_of_weights(setting), lines, stages):
        if part.layer is None:
            continue
        a, b = (np.moveaxis(part.views(grads)[0], axis, 0) for grads in (given, right))
        if len(a) > _MOST_LINES or np.array_equal(a, b):
            continue
        places = np.array([np.abs(b - g).max(axis=1, initial=0.0) for g in a]).argmin(axis=1)
        if len(set(places.tolist())) < len(places):
            continue
        moved = [f"{p} to {i}" for i, p in enumerate(places) if i != p]
        title = f"the {line} of the gradient with respect to {part.label} are in another order{early}"
        edit = part.changed(partial(np.take, indices=places, axis=axis), data=bool(early))
        scope, evidence = f"{part.label} {line}{early}", f"{len(moved)} {line} moved: {', '.join(moved[:4])}"
        yield Slip("lines-permuted", "layout", title, mend, edit, part.layer, scope, 1, evidence)


def _float32_sums(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Biases off by what adding up in float32 may round, whatever the order; every sum is a float32 number."""
    deltas, found, worst = setting.right.cotangents(), {n: g.copy() for n, g in setting.gradient.items()}, 0.0
    for layer in setting.layers if setting.count > 1 else ():
        if not layer.has_bias:
            continue
        place, share = layer.bias_of(found), layer.bias_of(setting.right.penalty)
        given = layer.bias_of(distances.given) - share
        gap, size = np.abs(given + share - place), np.abs(deltas[layer.position]).sum(axis=setting.layout.batch_axis)
        size = size.reshape(place.shape)
        unit = float(np.finfo(np.float32).eps) * size
        single = np.array_equal(given, given.astype(np.float32)) and not share.any()
        # a number that was merely stored in float32 is off by half a unit of itself
        if single and (gap > 1e-12 * size).any() and (gap <= np.sqrt(setting.count) * unit).all():
            worst = max(worst, float((gap / np.maximum(np.abs(place), 1e-300)).max()))
            place[...] = given
    if worst:
        title, mend = (
            "the biases were added up in float32",
            "Add up in float64: a float32 sum loses what is small beside it.",
        )
        evidence = f"only biases differ, by up to {worst:.1e} of themselves, and they are float32 numbers"
        yield Slip("float32-sum", "bias", title, mend, _constant(found), rank=2, evidence=evidence)


# --- classes, examples and entries: least squares on per-example gradients -----------------------


def _class_weights(setting: Setting, distances: Distances) -> Iterator[Slip]:
    axis, K = setting.layout.feature_axis, setting.classes
    try:
        y = setting.targets
    except ValueError:
        return
    if K < 2 or K > 50 or not ((y == 0) | (y == 1)).all() or not (y.sum(axis=axis) == 1).all():
        return
    rows = np.moveaxis(y, axis, -1)
    present = [k for k in range(K) if rows[..., k].any()]
    masks = np.stack([np.broadcast_to(np.expand_dims(rows[..., k], axis), y.shape) for k in present])
    weights = _weights(setting, distances, masks)
    if weights is None or np.allclose(weights, weights[0], rtol=1e-6):
        return
    text = ", ".join(f"class {k}: {w:.6g}" for k, w in zip(present, weights, strict=True) if abs(w - 1) > 1e-6)
    title = "the examples are weighted by their class, and the weights are not normalised"
    mend = "The network's loss has no class weights: divide them out, or drop them."
    edit, evidence = _weighted(setting, weights, masks), f"weights, where 1 is right: {text[:160]}"
    yield Slip("class-weights", "loss", title, mend, edit, rank=1, evidence=evidence)


def _example_weights(setting: Setting, distances: Distances) -> Iterator[Slip]:
    N = setting.count
    size = sum(g.size for g in setting.gradient.values())
    if N < 2 or size < 2 * N or too_large(setting):
        return
    masks = np.zeros((N, *setting.output.shape))
    np.moveaxis(masks, setting.layout.batch_axis % 2 + 1, 1)[np.arange(N), np.arange(N)] = 1
    weights = _weights(setting, distances, masks)
    if weights is None:
        return
    values, counts = np.unique(np.round(weights, 6), return_counts=True)
    usual = float(values[counts.argmax()])
    odd = [n for n in range(N) if abs(weights[n] - usual) > 1e-5]
    if not odd:
        return
    shown = ", ".join(f"example {n} has weight {np.round(weights[n], 7):.6g}" for n in odd[:5])
    more = f", and {len(odd) - 5} more" if len(odd) > 5 else ""
    gone = all(abs(weights[n]) < 1e-6 for n in odd)
    count = "an example is" if len(odd) == 1 else f"{len(odd)} examples are"
    name, how = ("examples-dropped", "left out") if gone else ("example-weights", "weighted wrongly")
    edit, evidence = _weighted(setting, weights, masks), f"{shown}{more}; the others have {usual:.6g}"
    yield Slip(name, "data", f"{count} {how}", _SLICES, edit, rank=2, evidence=evidence)


_SLICES = "Check the slices and masks over the batch."


def _weights(setting: Setting, distances: Distances, masks: Array) -> Array | None:
    """Weights of the masked parts of δ that make the gradient nearest to the given one; None if not determined."""
    names = tuple(setting.params)
    parts = _stacked(setting, masks * setting.right.delta, distances, names)
    wanted = {n: distances.given[n] - setting.right.penalty[n] for n in names}
    weights, _, rank, _ = np.linalg.lstsq(parts.T, _flat(wanted, distances, names), rcond=1e-11)
    return weights if rank == len(masks) else None


def _weighted(setting: Setting, weights: Array, masks: Array) -> Edit:
    delta = np.tensordot(weights, masks, axes=1) * setting.right.delta
    return _constant(setting.right.with_delta(delta).gradient())


def _stacked(setting: Setting, deltas: Array, distances: Distances, names: tuple[str, ...]) -> Array:
    """The gradients of several δ, each a row, every parameter on its own scale."""
    zero = {n: np.zeros_like(p) for n, p in setting.right.penalty.items()}
    grads = setting.right.with_delta(deltas).with_penalty(zero).gradient()
    return np.concatenate([grads[n].reshape(len(deltas), -1) / distances.scales[n] for n in names], axis=1)


def _flat(grads: Gradients, distances: Distances, names: tuple[str, ...]) -> Array:
    return np.concatenate([grads[n].ravel() / distances.scales[n] for n in names])


def _one_delta(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """One example's δ at the output is wrong; if it differs by one class for another, its label is."""
    N, K = setting.count, setting.classes
    last = setting.right.owner[next(reversed(setting.params))]
    names = tuple(n for n, p in setting.right.owner.items() if p == last)
    size = sum(setting.params[n].size for n in names)
    if N * K * max(setting.output.size, size) > LARGEST_STACK or size <= K or setting.output.ndim != 2:
        return
    units = np.zeros((N, K, *setting.output.shape))
    n, k = np.meshgrid(np.arange(N), np.arange(K), indexing="ij")
    units[(n, k, n, k) if setting.layout.batch == "rows" else (n, k, k, n)] = 1
    parts = _stacked(setting, units.reshape(N * K, *setting.output.shape), distances, names).reshape(N, K, -1)
    left = _flat({n: distances.given[n] - setting.gradient[n] for n in names}, distances, names)
    # the projection of what is left on each example's K directions
    grams = np.einsum("nkp,njp->nkj", parts, parts)
    slopes = np.einsum("nkp,p->nk", parts, left)
    shares = np.einsum("nkj,nj->nk", np.linalg.pinv(grams, rcond=1e-11, hermitian=True), slopes)
    best = int(np.einsum("nk,nk->n", shares, slopes).argmax())
    change, delta = shares[best], setting.right.delta.copy()
    own = setting.by_example(delta)[best]
    gone = np.allclose(change, -own, rtol=1e-5)
    own += change
    unit = change / setting.weight
    wrong, right = int(np.argmin(unit)), int(np.argmax(unit))
    expected = np.zeros(K)
    expected[right] += 1
    expected[wrong] -= 1
    edit = _constant(setting.right.with_delta(delta).gradient())
    if K > 1 and np.allclose(unit / max(abs(unit).max(), 1e-300), expected, atol=1e-5):
        title = f"example {best} has the label {wrong}, where {right} is right"
        evidence = f"what is left over is example {best}'s gradient for class {wrong} less that for {right}"
        mend = "Check how the labels are read and shuffled."
        yield Slip("one-wrong-label", "loss", title, mend, edit, rank=1, evidence=evidence)
    elif gone:
        evidence = f"example {best} has weight 0; the others have 1"
        yield Slip("examples-dropped", "data", "an example is left out", _SLICES, edit, rank=2, evidence=evidence)
    else:
        title = f"the derivative of the loss of example {best} alone is wrong"
        shown = ", ".join(f"{u:.4g}" for u in unit[:6]) + ", …" * (K > 6)
        evidence = f"δ of example {best} differs by ({shown}) times the loss's weight"
        mend = "Look at this example's target and output."
        yield Slip("one-wrong-delta", "loss", title, mend, edit, rank=3, evidence=evidence)


def _single_entries(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """A few entries differ, and all others are right."""
    wrong: list[tuple[str, tuple[int, ...]]] = []
    for name, right in setting.gradient.items():
        gap = np.abs(distances.given[name] - right)
        bad = gap > 10 * distances.tolerance * max(float(np.abs(right).max(initial=0.0)), 1e-300)
        wrong += [(name, tuple(int(i) for i in place)) for place in np.argwhere(bad)]
    if not wrong or len(wrong) > max(1, min(20, sum(g.size for g in setting.gradient.values()) // 50)):
        return
    zero = all(distances.given[n][place] == 0 for n, place in wrong)
    shown = ", ".join(f"{n}[{', '.join(map(str, place))}] = {distances.given[n][place]:.4g}" for n, place in wrong[:4])
    found = {n: g.copy() for n, g in setting.gradient.items()}
    for n, place in wrong:
        found[n][place] = distances.given[n][place]
    count = f"{len(wrong)} entries are" if len(wrong) > 1 else "one entry is"
    name, how = ("entries-zero", "zero") if zero else ("entries-wrong", "wrong")
    title, mend = f"{count} {how}, all others right", "Check the bounds of the loop that fills the gradient."
    evidence = shown + ", …" * (len(wrong) > 4)
    yield Slip(name, "data", title, mend, _constant(found), rank=3, evidence=evidence)
