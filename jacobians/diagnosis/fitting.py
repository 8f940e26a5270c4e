"""Slips with a number that is fitted to the given gradient: a ratio, a threshold, a learning rate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array, counted
from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.fitting_examples import examples
from jacobians.diagnosis.fitting_lines import lines
from jacobians.diagnosis.slip import (
    Backward,
    Edit,
    Entries,
    Gradients,
    Layer,
    Setting,
    Slip,
    all_entries,
    constant,
    entries_of_parameters,
    entries_of_weights,
    multiple,
    times,
)


def fitted(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Return the best fit of each kind. Each is a candidate, and may still be wrong."""
    for fit in (_ratios, _clipped, _penalty, _parameters, _updated, _float32_sums, lines, examples):
        yield from fit(setting, distances)


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
        c = multiple(b, a)
        if c not in (0.0, 1.0):
            yield ratio(part, c, part.changed(times(c)))
        norm = float(np.sqrt(sum(np.vdot(g, g) for g in given.values()))) if part is everything else 0.0
        if c and norm and abs(norm - float(f"{norm:.2g}")) < 1e-9 * norm:
            title, mended = f"the gradient was rescaled to norm {norm:.2g}", "Clip after the check, not before."
            edit = constant({n: c * g for n, g in setting.gradient.items()})
            yield Slip(
                "norm-clipped", "scale", title, mended, edit, rank=1, evidence=f"norm of the gradient {norm:.12g}"
            )
        if share.any():
            c = multiple(b - share, a - share)
            yield ratio(part, c, part.data_scaled(c), ", but for the regulariser's part")


def _clipped(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Entries beyond a threshold, cut: the threshold is the largest entry that is left."""
    for part in [all_entries(setting.params, "everything"), *(all_entries([n], n) for n in setting.params)]:
        bound = max(float(np.abs(g).max(initial=0.0)) for g in part.views(distances.given))
        sizes = np.abs(np.concatenate([g.ravel() for g in part.views(setting.gradient)]))
        cut = int((sizes > bound).sum())
        # where all entries are cut, and are of one size, the threshold is a factor
        if bound == 0 or not cut or (cut == sizes.size and np.ptp(sizes) <= 1e-9 * bound):
            continue
        what = "every entry" if part.label == "everything" else f"the gradient with respect to {part.label}"
        title, mend = f"{what} is clipped to ±{bound:.6g}", "Clip after the check, not before."
        edit = part.changed(partial(np.clip, a_min=-bound, a_max=bound))
        lie = counted(cut, "entry of the right gradient lies", "entries of the right gradient lie")
        evidence = f"{lie} beyond ±{bound:.6g}"
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
        c = multiple(*(np.concatenate([a.ravel() for a in arrays]) for arrays in (left, rows.values())))
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
        rate = -multiple(moved, own)
        still = abs(rate) < 1e-12 * float(np.linalg.norm(np.concatenate([p.ravel() for p in params.values()])) or 1.0)
        title = "the parameters stand where their gradient belongs"
        title += "" if still else f", after a step of {rate:.6g} times the gradient{text}"
        edit = constant({name: p - (0 if still else rate) * step[name] for name, p in params.items()})
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
        rate = -multiple((given[name] - setting.gradient[name]).ravel(), step.ravel())
        if not rate:
            continue

        def edit(right: Backward, steps: Gradients = steps, rate: float = rate) -> Backward:
            weights = {layer: setting.params[layer.weight] - rate * steps[layer.weight] for layer in layers[1:]}
            return right.with_flow({la.position: setting.pullback(la, "X", W=W) for la, W in weights.items()})

        evidence = f"a learning rate of {rate:.8g} explains it"
        yield Slip("updated-weight", "state", title + text, mend, edit, last.number, text, 2, evidence)


def _float32_sums(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Biases that differ by what summing in float32 may round, in any order; every sum is a float32 number."""
    deltas, found, sums = setting.right.cotangents(), {n: g.copy() for n, g in setting.gradient.items()}, []
    for layer in setting.layers if setting.count > 1 else ():
        if not layer.has_bias:
            continue
        place, share = layer.bias_of(found), layer.bias_of(setting.right.penalty)
        given = layer.bias_of(distances.given) - share
        gap, size = np.abs(given + share - place), np.abs(deltas[layer.position]).sum(axis=setting.layout.batch_axis)
        unit = float(np.finfo(np.float32).eps) * size.reshape(place.shape)
        single = np.array_equal(given, given.astype(np.float32)) and not share.any()
        if gap.any() and single and (gap <= np.sqrt(setting.count) * unit).all():
            sums.append(f"b of layer {layer.number}")
            place[...] = given
    if sums:
        title, mend = (
            "the biases were added up in float32",
            "Add up in float64: a float32 sum loses what is small beside it.",
        )
        evidence = f"{' and '.join(sums)} differ by no more than such a sum rounds, and are float32 numbers"
        yield Slip("float32-sum", "bias", title, mend, constant(found), rank=2, evidence=evidence)
