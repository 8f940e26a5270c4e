"""Which examples, classes or entries a wrong gradient treats differently: least squares on per-example gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.fitting import constant
from jacobians.diagnosis.slip import Gradients, Mutation, Setting

__all__ = ["LARGEST_STACK", "examples", "too_large"]


LARGEST_STACK = 20_000_000
"""Numbers in the largest array of per-example derivatives; beyond it the analysis is left out, and that is said."""


def examples(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """Weights of classes and of examples, one example's wrong δ or label, single wrong entries."""
    yield from _class_weights(setting, distances)
    yield from _example_weights(setting, distances)
    yield from _one_delta(setting, distances)
    yield from _entries(setting, distances)


def too_large(setting: Setting) -> bool:
    """Whether the batch is too large for an analysis by example."""
    size = max(sum(g.size for g in setting.gradient.values()), setting.output.size)
    return setting.count * size > LARGEST_STACK


def _stacked(setting: Setting, deltas: Array, distances: Distances, names: tuple[str, ...]) -> Array:
    """The gradients of several δ, each a row, every parameter on its own scale."""
    zero = {n: np.zeros_like(p) for n, p in setting.right.penalty.items()}
    grads = setting.right.with_delta(deltas).with_penalty(zero).gradient()
    return np.concatenate([grads[n].reshape(len(deltas), -1) / distances.scales[n] for n in names], axis=1)


def _flat(grads: Gradients, distances: Distances, names: tuple[str, ...]) -> Array:
    return np.concatenate([grads[n].ravel() / distances.scales[n] for n in names])


def _weighted(setting: Setting, weights: Array, masks: Array) -> Gradients:
    delta = np.tensordot(weights, masks, axes=1) * setting.right.delta
    return setting.right.with_delta(delta).gradient()


def _class_weights(setting: Setting, distances: Distances) -> Iterator[Mutation]:
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
    weights = _fit(setting, distances, masks)
    if weights is None or np.allclose(weights, weights[0], rtol=1e-6):
        return
    text = ", ".join(f"class {k}: {w:.6g}" for k, w in zip(present, weights, strict=True) if abs(w - 1) > 1e-6)
    yield Mutation(
        "class-weights",
        "loss",
        "the examples are weighted by their class, and the weights are not normalised",
        "The network's loss has no class weights: divide them out, or drop them.",
        constant(_weighted(setting, weights, masks)),
        rank=1,
        evidence=f"weights, where 1 is right: {text[:160]}",
    )


def _example_weights(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    N = setting.count
    size = sum(g.size for g in setting.gradient.values())
    if N < 2 or size < 2 * N or too_large(setting):
        return
    masks = np.zeros((N, *setting.output.shape))
    np.moveaxis(masks, setting.layout.batch_axis % 2 + 1, 1)[np.arange(N), np.arange(N)] = 1
    weights = _fit(setting, distances, masks)
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
    yield Mutation(
        "examples-dropped" if gone else "example-weights",
        "data",
        f"{count} {'left out' if gone else 'weighted wrongly'}",
        "Check the slices and masks over the batch.",
        constant(_weighted(setting, weights, masks)),
        rank=2,
        evidence=f"{shown}{more}; the others have {usual:.6g}",
    )


def _fit(setting: Setting, distances: Distances, masks: Array) -> Array | None:
    """Weights of the masked parts of δ that make the gradient nearest to the given one; None if not determined."""
    names = tuple(setting.params)
    parts = _stacked(setting, masks * setting.right.delta, distances, names)
    wanted = {n: distances.given[n] - setting.right.penalty[n] for n in names}
    weights, _, rank, _ = np.linalg.lstsq(parts.T, _flat(wanted, distances, names), rcond=1e-11)
    return weights if rank == len(masks) else None


def _one_delta(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """One example's δ at the output is wrong; if it differs by one class for another, its label is."""
    N, K = setting.count, setting.classes
    last = setting.right.owner[next(reversed(setting.params))]
    names = tuple(n for n, p in setting.right.owner.items() if p == last)
    size = sum(setting.params[n].size for n in names)
    if N * K * max(setting.output.size, size) > LARGEST_STACK or size <= K or setting.output.ndim != 2:
        return
    units = np.zeros((N, K, *setting.output.shape))
    n, k = np.meshgrid(np.arange(N), np.arange(K), indexing="ij")
    rows = setting.layout.batch == "rows"
    units[(n, k, n, k) if rows else (n, k, k, n)] = 1
    parts = _stacked(setting, units.reshape(N * K, *setting.output.shape), distances, names).reshape(N, K, -1)
    left = _flat({n: distances.given[n] - setting.gradient[n] for n in names}, distances, names)
    # the projection of what is left on each example's K directions
    grams = np.einsum("nkp,njp->nkj", parts, parts)
    slopes = np.einsum("nkp,p->nk", parts, left)
    shares = np.einsum("nkj,nj->nk", np.linalg.pinv(grams, rcond=1e-11, hermitian=True), slopes)
    explained = np.einsum("nk,nk->n", shares, slopes)
    best = int(explained.argmax())
    change = shares[best]
    delta = setting.right.delta.copy()
    (delta if rows else delta.T)[best] += change
    unit = change / setting.weight
    wrong = setting.right.with_delta(delta).gradient()
    labels = [int(np.argmin(unit)), int(np.argmax(unit))]
    expected = np.zeros(K)
    expected[labels[1]] += 1
    expected[labels[0]] -= 1
    if K > 1 and np.allclose(unit / max(abs(unit).max(), 1e-300), expected, atol=1e-5):
        yield Mutation(
            "one-wrong-label",
            "loss",
            f"example {best} has the label {labels[0]}, where {labels[1]} is right",
            "Check how the labels are read and shuffled.",
            constant(wrong),
            rank=1,
            evidence=f"what is left over is example {best}'s gradient for class {labels[0]} less that for {labels[1]}",
        )
    elif np.allclose(change, -(setting.right.delta if rows else setting.right.delta.T)[best], rtol=1e-5):
        yield Mutation(
            "examples-dropped",
            "data",
            "an example is left out",
            "Check the slices and masks over the batch.",
            constant(wrong),
            rank=2,
            evidence=f"example {best} has weight 0; the others have 1",
        )
    else:
        shown = ", ".join(f"{u:.4g}" for u in unit[:6])
        yield Mutation(
            "one-wrong-delta",
            "loss",
            f"the derivative of the loss of example {best} alone is wrong",
            "Look at this example's target and output.",
            constant(wrong),
            rank=3,
            evidence=f"δ of example {best} differs by ({shown}{', …' if K > 6 else ''}) times the loss's weight",
        )


def _entries(setting: Setting, distances: Distances) -> Iterator[Mutation]:
    """A few entries differ, and all others are right."""
    wrong: list[tuple[str, tuple[int, ...]]] = []
    total = 0
    for name, right in setting.gradient.items():
        gap = np.abs(distances.given[name] - right)
        bad = gap > 10 * distances.tolerance * max(float(np.abs(right).max(initial=0.0)), 1e-300)
        total += right.size
        wrong += [(name, tuple(int(i) for i in place)) for place in np.argwhere(bad)]
    if not wrong or len(wrong) > max(1, min(20, total // 50)):
        return
    zero = all(distances.given[n][place] == 0 for n, place in wrong)
    shown = ", ".join(f"{n}[{', '.join(map(str, place))}] = {distances.given[n][place]:.4g}" for n, place in wrong[:4])
    found = {n: g.copy() for n, g in setting.gradient.items()}
    for n, place in wrong:
        found[n][place] = distances.given[n][place]
    count = f"{len(wrong)} entries are" if len(wrong) > 1 else "one entry is"
    yield Mutation(
        "entries-zero" if zero else "entries-wrong",
        "data",
        f"{count} {'zero' if zero else 'wrong'}, all others right",
        "Check the bounds of the loop that fills the gradient.",
        constant(found),
        rank=3,
        evidence=shown + (", …" if len(wrong) > 4 else ""),
    )
