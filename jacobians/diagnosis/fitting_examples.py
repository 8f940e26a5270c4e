"""Slips of single examples, fitted to the given gradient: weights, targets, a temperature, one δ.

A fit with as many numbers as there are data fits anything, and is no cause. With two classes, or a single output, there
is one number per example: every wrong δ then equals a weighting of the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.fitting_lines import PLAIN, plain, said
from jacobians.diagnosis.slip import Backward, Edit, Gradients, Layer, Pullback, Setting, Slip, constant, multiple
from jacobians.diagnosis.slips.loss import is_one_hot, sigmoid_of, softmax_of

LARGEST_STACK = 20_000_000
"""Numbers in the largest array of per-example derivatives; beyond it the analysis is left out, and that is said."""

_LABEL_WORK = 1e8
"""Multiplications that the search for wrong labels may take."""

_LABELS = 600
"""Labels that examples might have, beyond which wrong ones are not sought: the work grows with their square."""

_SLICES = "Check the slices and masks over the batch."


def examples(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Return the best fit of each kind. Each is a candidate, and may still be wrong."""
    for fit in (_class_weights, _one_example, _example_weights, labels, _smoothed, _temperature, _one_delta):
        yield from fit(setting, distances)


def too_large(setting: Setting) -> bool:
    """Whether the batch is too large for an analysis by example."""
    size = max(sum(g.size for g in setting.gradient.values()), setting.output.size)
    return setting.count * size > LARGEST_STACK


# --- weights -------------------------------------------------------------------------------------


def _class_weights(setting: Setting, distances: Distances) -> Iterator[Slip]:
    axis, K, N = setting.layout.feature_axis, setting.classes, setting.count
    y = _targets(setting)
    if y is None or K < 2 or K > 50 or not is_one_hot(y, axis):
        return
    rows = np.moveaxis(y, axis, -1)
    present = [k for k in range(K) if rows[..., k].any()]
    if _one_number_each(setting) and 2 * len(present) > N:
        return
    masks = np.stack([np.broadcast_to(np.expand_dims(rows[..., k], axis), y.shape) for k in present])
    weights = _weights(setting, distances, masks)
    if weights is None or np.allclose(weights, weights[0], rtol=1e-6):
        return
    # a class of one example would be that example
    odd = [k for k, w in zip(present, weights, strict=True) if abs(w - 1) > 1e-6]
    if all(rows[..., k].sum() < 2 for k in odd):
        return
    text = ", ".join(f"class {k}: {w:.6g}" for k, w in zip(present, weights, strict=True) if abs(w - 1) > 1e-6)
    mean = float(sum(w * rows[..., k].sum() for k, w in zip(present, weights, strict=True)) / N)
    title = "the examples are weighted by their class"
    if abs(mean - 1) > 1e-6:
        title += f", and the weights are not normalised: their mean over the batch is {mean:.6g}"
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
    # of two that are as frequent, the one that is nearer to what is right
    usual = float(min(values[counts == counts.max()], key=lambda weight: abs(weight - 1)))
    odd = [n for n in range(N) if abs(weights[n] - usual) > 1e-5]
    alike = len({round(float(weights[n]), 5) for n in odd}) == 1
    known = alike and (len(odd) > 1 or plain(float(weights[odd[0]]) / (usual or 1.0)) in PLAIN)
    if not odd or (_one_number_each(setting) and not (known and 2 * len(odd) < N)):
        return
    shown = ", ".join(f"example {n} has weight {np.round(weights[n], 7) + 0.0:.6g}" for n in odd[:5])
    more = f", and {len(odd) - 5} more" if len(odd) > 5 else ""
    gone = all(abs(weights[n]) < 1e-6 for n in odd)
    count = "an example is" if len(odd) == 1 else f"{len(odd)} examples are"
    name, how = ("examples-dropped", "left out") if gone else ("example-weights", "weighted wrongly")
    title, rest = f"{count} {how}", f"; the others have {usual:.6g}"
    if 2 * len(odd) >= N and not alike:
        title, rest = "the examples have weights of their own", ""
    edit, evidence = _weighted(setting, weights, masks), f"{shown}{more}{rest}"
    yield Slip(name, "data", title, _SLICES, edit, rank=2, evidence=evidence)


def _one_number_each(setting: Setting) -> bool:
    """Whether weights of the examples can give any δ: with one output, or the two of a softmax."""
    return setting.classes == 1 or (setting.classes == 2 and setting.network.loss.prediction != "sigmoid")


def _weights(setting: Setting, distances: Distances, masks: Array) -> Array | None:
    """Weights of the masked parts of δ that make the gradient nearest to the given one; None if not determined."""
    names = tuple(setting.params)
    parts = _stacked(setting, masks * setting.right.delta, distances, names)
    wanted = {n: distances.given[n] - setting.right.penalty[n] for n in names}
    if _data(setting, parts) <= len(masks):
        return None
    weights, _, rank, _ = np.linalg.lstsq(parts.T, _flat(wanted, distances, names), rcond=1e-11)
    return weights if rank == len(masks) else None


def _data(setting: Setting, parts: Array) -> float:
    """How many numbers of the gradient a fit can miss: those that are not always 0; of a softmax, all but one class."""
    K = setting.classes
    free = (K - 1) / K if setting.network.loss.prediction == "softmax" else 1.0
    return free * np.count_nonzero(np.abs(parts).max(axis=0, initial=0.0))


def _weighted(setting: Setting, weights: Array, masks: Array) -> Edit:
    delta = np.tensordot(weights, masks, axes=1) * setting.right.delta
    return constant(setting.right.with_delta(delta).gradient())


def _stacked(setting: Setting, deltas: Array, distances: Distances, names: tuple[str, ...]) -> Array:
    """The gradients of several δ, each a row, every parameter on its own scale."""
    grads = setting.right.with_delta(deltas).data_of(names)
    return np.concatenate([grads[n].reshape(len(deltas), -1) / distances.scales[n] for n in names], axis=1)


def _flat(grads: Gradients, distances: Distances, names: tuple[str, ...]) -> Array:
    return np.concatenate([grads[n].ravel() / distances.scales[n] for n in names])


def _left(setting: Setting, distances: Distances, names: tuple[str, ...]) -> Array:
    """What is left over: the given gradient less the right one."""
    return _flat({n: distances.given[n] - setting.gradient[n] for n in names}, distances, names)


def _last(setting: Setting) -> tuple[str, ...]:
    """The parameters nearest to the loss."""
    last = setting.right.owner[next(reversed(setting.params))]
    return tuple(n for n, p in setting.right.owner.items() if p == last)


# --- one example, in one layer or in all before it -----------------------------------------------


def _one_example(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """One example's share of a layer's sums is lost, doubled or negated: in that layer, or in all before it too."""
    deltas, mend = setting.right.cotangents(), "Check the loop over the examples."
    for layer in setting.layers if setting.count > 1 else ():
        found = _odd_example(setting, distances, layer, deltas[layer.position])
        if found is None:
            continue
        n, c = found
        axis, p = setting.layout.batch_axis, layer.position
        own = [name for name, position in setting.right.owner.items() if position == p]
        evidence = f"what is left over is {c - 1:.8g} times what example {n} brings to {layer.weight}"
        for names in [own[:1], own] if len(own) > 1 else [own]:
            pulls = {name: _with_example(setting.right.local[name], n, axis, c) for name in names}
            local = partial(_with_locals, pulls=pulls)
            title = f"example {n} is {_counted(c)} in the gradient with respect to {' and '.join(names)}"
            yield Slip("example-scaled", "data", title, mend, local, layer.number, " ".join(names), 1, evidence)
        title = f"example {n} is {_counted(c)} in δ of layer {layer.number}, and so in all that is before it"
        edit: Edit = partial(_with_delta_of, position=p, n=n, axis=axis, factor=c)
        name = "example-scaled"
        if p + 1 == len(setting.operations):
            title, name = f"example {n} is {_counted(c)}", "examples-dropped" if c == 0 else name
            evidence = f"example {n} has weight {c:g}; the others have 1"
        if p:
            yield Slip(name, "data", title, _SLICES, edit, layer.number, "before", 1, evidence)


def _with_locals(right: Backward, pulls: dict[str, Pullback]) -> Backward:
    for name, pull in pulls.items():
        right = right.with_local(name, pull)
    return right


def _counted(c: float) -> str:
    return {0.0: "left out", 2.0: "counted twice"}.get(c) or said(c)


def _odd_example(setting: Setting, distances: Distances, layer: Layer, delta: Array) -> tuple[int, float] | None:
    """The example whose share of a weight's gradient equals the rest, and the plain factor that it has there."""
    gap = {n: distances.given[n] - setting.gradient[n] for n in setting.params}
    d, a = setting.by_example(delta), setting.by_example(setting.input_of(layer.position))
    if d.ndim != 2 or a.ndim != 2:
        return None
    weights = layer.weights_of(gap)
    left = weights if setting.layout.node_axis == 1 else weights.T
    allowed = distances.enough * max(distances.scales[layer.weight], distances.scales[layer.bias_holder])
    ways = [(left, a)] if left.size > 1 else []
    if layer.has_bias:
        # the ones meet the bias; of a single weight, the bias is the second number
        ways.append((np.column_stack([left, layer.bias_of(gap).ravel()]), np.column_stack([a, np.ones(len(a))])))
    for left, met in ways:
        # ⟨left, dₙ aₙᵀ⟩ for every n, by one product
        inner = ((d @ left) * met).sum(axis=1)
        lengths = (d * d).sum(axis=1) * (met * met).sum(axis=1)
        shares = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0)
        n = int((inner * shares).argmax())
        c = plain(1 + float(shares[n]))
        if c in PLAIN and float(np.linalg.norm(left - (c - 1) * np.outer(d[n], met[n]))) <= allowed:
            return n, c
    return None


def _with_example(pull: Pullback, n: int, axis: int, factor: float) -> Pullback:
    return lambda cotangent: pull(_scaled_example(cotangent, n, axis, factor))


def _scaled_example(array: Array, n: int, axis: int, factor: float) -> Array:
    out = array.copy()
    np.moveaxis(out, axis, 0)[n] *= factor
    return out


def _with_delta_of(right: Backward, position: int, n: int, axis: int, factor: float) -> Backward:
    if position + 1 == len(right.flow):
        return right.with_delta(_scaled_example(right.delta, n, axis, factor))
    pull = right.flow[position + 1]
    return right.with_flow({position + 1: lambda cotangent: _scaled_example(pull(cotangent), n, axis, factor)})


# --- other targets, and a temperature ------------------------------------------------------------


def _targets(setting: Setting) -> Array | None:
    """The targets in the output's shape; None where they do not fit it."""
    try:
        return setting.targets
    except ValueError:
        return None


def labels(setting: Setting, distances: Distances, most: int | None = None) -> Iterator[Slip]:
    """Return other labels, at most so many: each example has one unknown per class, which must come out as 0 or 1."""
    y, axis, N, K = _targets(setting), setting.layout.feature_axis, setting.count, setting.classes
    residual, names = setting.network.loss.residual, tuple(setting.params)
    if y is None or not residual or y.ndim != 2 or N < 2:
        return
    rows = setting.by_example(y)
    binary = K == 1 and np.isin(rows, (0, 1)).all()
    if not (binary or (K > 1 and is_one_hot(y, axis))):
        return
    unknown = N * max(K - 1, 1)
    size = sum(g.size for g in setting.gradient.values())
    if unknown > _LABELS or size * unknown**2 > _LABEL_WORK:
        return
    steps, owner, label = np.zeros((unknown, N, K)), np.repeat(np.arange(N), max(K - 1, 1)), np.zeros(unknown, int)
    if binary:
        steps[np.arange(N), np.arange(N), 0] = 1 - 2 * rows[:, 0]
        label = (1 - rows[:, 0]).astype(int)
    else:
        label = np.nonzero(rows == 0)[1]
        steps[np.arange(unknown), owner] = np.eye(K)[label] - rows[owner]
    deltas = -residual * setting.weight * steps
    if setting.layout.batch == "columns":
        deltas = deltas.transpose(0, 2, 1)
    parts = _stacked(setting, deltas, distances, names)
    moved = _zeros_and_ones(parts, _left(setting, distances, names), owner)
    if not len(moved) or (most is not None and len(moved) > most):
        return
    changed = rows + steps[moved].sum(axis=0)
    own = rows[:, 0].astype(int) if binary else rows.argmax(axis=1)
    shown = ", ".join(f"example {owner[i]} has {label[i]}, where {own[owner[i]]} is right" for i in moved[:4])
    same = np.array_equal(np.sort(changed, axis=0), np.sort(rows, axis=0)) and len(moved) > 1
    title = "the labels are in another order than the examples" if same else f"{len(moved)} labels are wrong"
    name = "labels-permuted" if same else "wrong-labels"
    if len(moved) == 1:
        n = owner[moved[0]]
        name, title = "one-wrong-label", f"example {n} has the label {label[moved[0]]}, where {own[n]} is right"
    mend = "Shuffle X and Y together." if same else "Check how the labels are read and shuffled."
    evidence = shown + ", …" * (len(moved) > 4)
    edit = partial(Backward.with_delta, delta=setting.right.delta + deltas[moved].sum(axis=0))
    yield Slip(name, "loss", title, mend, edit, rank=1, evidence=evidence)


def _zeros_and_ones(parts: Array, left: Array, owner: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The rows that add up to the rest, at most one per owner; none if no such choice is found."""
    none = np.zeros(0, dtype=np.intp)
    if len(parts) <= parts.shape[1]:
        found, _, rank, _ = np.linalg.lstsq(parts.T, left, rcond=1e-11)
        near = np.round(found)
        if rank == len(parts) and np.abs(found - near).max() < 1e-3 and np.isin(near, (0, 1)).all():
            moved = np.flatnonzero(near)
            return moved if len(set(owner[moved].tolist())) == len(moved) else none
    return _best_two(parts, left, owner)


def _best_two(parts: Array, left: Array, owner: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The two rows of different owners that add up to the rest; none if there are no such rows."""
    grams, slopes = parts @ parts.T, parts @ left
    alone = np.diag(grams) - 2 * slopes
    pairs = alone[:, np.newaxis] + alone + 2 * grams
    pairs[owner[:, np.newaxis] == owner] = np.inf
    two = np.array(np.unravel_index(int(pairs.argmin()), pairs.shape), dtype=np.intp)
    gap = float(np.linalg.norm(left - parts[two].sum(axis=0)))
    return two if gap < 1e-3 * float(np.linalg.norm(left)) else np.zeros(0, dtype=np.intp)


def _smoothed(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Targets drawn towards the uniform ones: one number."""
    y, K, loss, names = _targets(setting), setting.classes, setting.network.loss, tuple(setting.params)
    if y is None or not loss.residual or loss.prediction not in ("softmax", "sigmoid"):
        return
    # with one label out of K, the total of an example's targets stays; outputs of their own are drawn to ½
    middle = 1 / K if loss.prediction == "softmax" else 0.5
    delta = loss.residual * setting.weight * (y - middle)
    direction = _stacked(setting, delta[np.newaxis], distances, names)[0]
    share = multiple(_left(setting, distances, names), direction)
    if not 1e-6 < share < 1 + 1e-6:
        return
    evidence = f"every target is {1 - share:.8g} of itself and {share * middle:.8g} more"
    if K > 1 and loss.prediction == "softmax":
        evidence += f": ε = {share:.6g} shared by all classes, or {share * (K - 1) / K:.6g} by the others"
    title, mend = f"the labels are smoothed (ε = {share:.6g})", "This loss takes the labels as they are."
    edit = partial(Backward.with_delta, delta=setting.right.delta + share * delta)
    yield Slip("labels-smoothed", "loss", title, mend, edit, rank=1, evidence=evidence)


def _temperature(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """The outputs divided by a number before the prediction: sought on the parameters nearest to the loss."""
    y, loss, names = _targets(setting), setting.network.loss, _last(setting)
    predictions: dict[str, Callable[[Array], Array]] = {
        "softmax": partial(softmax_of, axis=setting.layout.feature_axis),
        "sigmoid": sigmoid_of,
    }
    predict = predictions.get(loss.prediction)
    residual = loss.residual
    if y is None or not residual or predict is None or sum(setting.params[n].size for n in names) < 2:
        return
    total = y.sum(axis=setting.layout.feature_axis, keepdims=True) if loss.prediction == "softmax" else 1.0
    wanted = _flat({n: distances.given[n] - setting.right.penalty[n] for n in names}, distances, names)

    def delta(cold: float, divided: bool) -> Array:
        """δ for z·cold, where cold is 1/T; divided by T where the program differentiates by z."""
        return residual * setting.weight * (total * predict(setting.output * cold) - y) * (cold if divided else 1)

    def gap(log: float, divided: bool) -> Array:
        with np.errstate(all="ignore"):
            return _stacked(setting, delta(np.exp(log), divided)[np.newaxis], distances, names)[0] - wanted

    for divided, text in ((False, ""), (True, ", and δ too")):
        start = min(np.linspace(-3, 3, 13).tolist(), key=lambda log: float(np.linalg.norm(gap(log, divided))))
        for _ in range(8):
            here = gap(start, divided)
            step = multiple(here, (gap(start + 1e-6, divided) - here) / 1e-6)
            start -= float(np.clip(step, -0.5, 0.5))
        cold = float(np.exp(start))
        if not abs(start) > 1e-6:
            continue
        title = f"the outputs are divided by a temperature of {1 / cold:.6g} before the {loss.prediction}{text}"
        mend, evidence = "The network's loss has no temperature.", f"T = {1 / cold:.10g} explains it"
        edit = partial(Backward.with_delta, delta=delta(cold, divided))
        yield Slip("temperature", "loss", title, mend, edit, scope=text, rank=1, evidence=evidence)


# --- one example's δ at the output ---------------------------------------------------------------


def _one_delta(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """One example's δ at the output is wrong; if it differs by one class for another, its label is."""
    N, K = setting.count, setting.classes
    names = _last(setting)
    size = sum(setting.params[n].size for n in names)
    if N * K * max(setting.output.size, size) > LARGEST_STACK or size <= K or setting.output.ndim != 2:
        return
    units = np.zeros((N, K, *setting.output.shape))
    n, k = np.meshgrid(np.arange(N), np.arange(K), indexing="ij")
    units[(n, k, n, k) if setting.layout.batch == "rows" else (n, k, k, n)] = 1
    parts = _stacked(setting, units.reshape(N * K, *setting.output.shape), distances, names).reshape(N, K, -1)
    # the projection of what is left on each example's K directions
    grams = np.einsum("nkp,njp->nkj", parts, parts)
    slopes = np.einsum("nkp,p->nk", parts, _left(setting, distances, names))
    shares = np.einsum("nkj,nj->nk", np.linalg.pinv(grams, rcond=1e-11, hermitian=True), slopes)
    gains = np.einsum("nk,nk->n", shares, slopes)
    best = int(gains.argmax())
    change, delta = shares[best], setting.right.delta.copy()
    own = setting.by_example(delta)[best]
    own += change
    unit, residual = change / setting.weight, setting.network.loss.residual
    wrong, right = int(np.argmin(unit)), int(np.argmax(unit))
    # y − y′ where the loss's δ is p − y: 1 at the right label, −1 at the wrong one
    expected = (residual or np.nan) * (np.eye(K)[right] - np.eye(K)[wrong])
    y = _targets(setting)
    labelled = y is not None and np.array_equal(setting.by_example(y)[best], np.eye(K)[right])
    edit = partial(Backward.with_delta, delta=delta)
    if K > 1 and labelled and np.allclose(unit, expected, atol=1e-5):
        title = f"example {best} has the label {wrong}, where {right} is right"
        evidence = f"what is left over is example {best}'s gradient for class {wrong} less that for {right}"
        mend = "Check how the labels are read and shuffled."
        yield Slip("one-wrong-label", "loss", title, mend, edit, rank=1, evidence=evidence)
        return
    # nor where another example would do as well
    if _data(setting, parts[best]) <= K or (np.delete(gains, best) >= (1 - 1e-9) * gains[best]).any():
        return
    title = f"the derivative of the loss of example {best} alone is wrong"
    shown = ", ".join(f"{u:.4g}" for u in unit[:6]) + ", …" * (K > 6)
    evidence = f"δ of example {best} differs by ({shown}) times the loss's weight"
    mend = "Look at this example's target and output."
    yield Slip("one-wrong-delta", "loss", title, mend, edit, rank=3, evidence=evidence)
