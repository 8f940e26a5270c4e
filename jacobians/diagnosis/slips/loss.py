"""Wrong derivatives of the loss: the softmax along the wrong axis, its Jacobian cut short, labels off by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Mutation, Setting

__all__ = ["loss"]


_HARD, _SOFTLY = "soft targets are treated as one-hot (argmax)", "Subtract the targets themselves."


def loss(setting: Setting) -> Iterator[Mutation]:
    """Other rows for ∂loss/∂output: they reach every layer."""
    out, targets, axis = setting.output, setting.targets, setting.layout.feature_axis
    own = setting.network.loss
    if own.residual is None:
        if own.takes == "labels":
            yield from _hinge(setting)
        return
    if own.prediction == "softmax":
        yield from _softmax(setting, out, targets, axis)
    elif own.prediction == "sigmoid":
        p = _sigmoid(out)
        yield from _residual(setting, p, targets, "sigmoid")
        yield _delta(
            setting,
            "softmax-for-sigmoid",
            _softmax_of(out, axis) - targets,
            "a softmax stands where each output has its own sigmoid",
            "Use σ(z) − y.",
        )
        if setting.classes > 1 and not _is_one_hot(targets, axis):
            hard = _argmax(targets, axis)
            yield _delta(setting, "soft-labels-as-one-hot", p - hard, _HARD, _SOFTLY)
        if not np.isin(targets, (0, 1)).all():
            title = "soft targets are rounded to 0 or 1"
            yield _delta(setting, "soft-labels-rounded", p - (targets > 0.5), title, _SOFTLY)
    else:
        yield from _broadcast(setting, out, targets)
        yield _delta(
            setting, "targets-missing", own.residual * out, "the targets are not subtracted", "Use output − target."
        )
    yield from _labels(setting, axis)


def _softmax(setting: Setting, z: Array, y: Array, axis: int) -> Iterator[Mutation]:
    p = _softmax_of(z, axis)
    total = y.sum(axis=axis, keepdims=True)
    other = 0 if axis == -1 else -1
    yield from _residual(setting, p, y, "softmax")
    yield _delta(
        setting,
        "softmax-axis",
        total * _softmax_of(z, other) - y,
        "the softmax runs over the examples, not over the classes",
        f"Normalise along axis {axis % 2}.",
    )
    yield _delta(
        setting,
        "softmax-all",
        total * np.exp(z - z.max()) / np.exp(z - z.max()).sum() - y,
        "the softmax is normalised over the whole batch at once",
        f"Normalise along axis {axis % 2}, keeping it.",
    )
    yield _delta(
        setting,
        "softmax-diagonal",
        -y * (1 - p),
        "only the diagonal p(1 − p) of the softmax's Jacobian is used",
        "The Jacobian is diag(p) − p pᵀ; with the cross-entropy, p − y.",
    )
    with np.errstate(all="ignore"):
        yield _delta(setting, "softmax-skipped", -y / p, "the softmax's Jacobian is missing: δ is −y/p", "Use p − y.")
        yield _delta(
            setting,
            "softmax-twice",
            _through(p, p - y, axis),
            "the softmax's Jacobian is applied to p − y",
            "p − y contains it.",
        )
        yield _delta(setting, "softmax-unnormalised", np.exp(z) - y, "eᶻ is not divided by its sum", "Divide by Σ eᶻ.")
        yield _delta(setting, "logits-for-probabilities", z - y, "δ is z − y: no softmax", "Use softmax(z) − y.")
    yield _delta(
        setting,
        "sigmoid-for-softmax",
        total * _sigmoid(z) - y,
        "a sigmoid stands for the softmax",
        "Normalise over the classes.",
    )
    if not _is_one_hot(y, axis):
        hard = _argmax(y, axis)
        yield _delta(
            setting,
            "soft-labels-as-one-hot",
            p - hard,
            _HARD,
            _SOFTLY,
        )
        yield _delta(
            setting,
            "soft-labels-sum",
            p - y,
            "the targets of an example do not sum to 1, and p − y assumes it",
            "Use (Σy)·p − y.",
        )


def _residual(setting: Setting, p: Array, y: Array, function: str) -> Iterator[Mutation]:
    """Slips in p − y, whatever p is."""
    yield from _broadcast(setting, p, y)
    yield _delta(setting, "targets-missing", p, "the targets are not subtracted: δ is p", "Use p − y.")
    yield _delta(
        setting,
        "extra-output-derivative",
        (p - y) * p * (1 - p),
        f"p − y is multiplied by {function}'s p(1 − p) once more",
        "p − y is ∂loss/∂z already: drop the factor.",
    )
    yield _delta(
        setting, "rounded-prediction", np.round(p) - y, "the prediction is rounded to 0 or 1", "Use the probability.", 1
    )


def _broadcast(setting: Setting, out: Array, y: Array) -> Iterator[Mutation]:
    """(N, 1) − (N,) gives N×N; what is then summed or averaged over one axis looks like a gradient."""
    if setting.classes != 1 or setting.count < 2:
        return
    N = setting.count
    factor = setting.network.loss.residual or 1.0
    mend = "Give both one shape: y.reshape(out.shape)."
    for how, c in (("summed", N), ("averaged", 1)):
        title = f"(N, 1) − (N,) was broadcast to N×N and {how}"
        yield _delta(setting, "broadcast-targets", factor * c * (out - y.mean()), title, mend)
        other = factor * c * (out.mean() - y)
        yield _delta(setting, "broadcast-targets", other, f"{title} over the other axis", mend, 1)


def _labels(setting: Setting, axis: int) -> Iterator[Mutation]:
    """Labels that are off: every one by one, in another order, or lost."""
    y = setting.targets
    if (y != 0).any() and np.isin(y, np.arange(256)).all():
        title = "δ = p − y with −y in uint8, which wraps to 256 − y"
        yield _retarget(setting, "uint8-wraps", y - 256.0 * (y > 0), title, "Convert the targets to float first.")
    if setting.classes < 2 or not _is_one_hot(y, axis):
        return
    hint = "Labels count from 0: subtract 1 where a file counts from 1."
    for step in (1, -1):
        text = f"every class is off by {'+' if step > 0 else '−'}1"
        yield _retarget(
            setting, "class-off-by-one", np.roll(y, step, axis=axis), f"{text}, the last wrapping round", hint
        )
        yield _retarget(
            setting, "class-off-by-one", _shifted(y, step, axis, keep=True), f"{text}, clipped at the end", hint
        )
        lost = _shifted(y, step, axis, keep=False)
        yield _retarget(setting, "class-off-by-one", lost, f"{text}, the last one lost (as uint8 labels wrap)", hint)
    rows = np.moveaxis(y, axis, -1)
    for k in range(min(setting.classes, 50)):
        cleared = rows.copy()
        cleared[..., k] = 0
        title = f"the examples of class {k} have no target"
        yield _retarget(
            setting, "class-lost", np.moveaxis(cleared, -1, axis), title, "Check how labels become one-hot.", 1
        )
    yield _retarget(
        setting, "classes-reversed", np.flip(y, axis=axis), "the classes are in reverse order", "Keep their order.", 1
    )


def _hinge(setting: Setting) -> Iterator[Mutation]:
    labels = setting.targets.argmax(axis=setting.layout.feature_axis)
    for step in (1, -1):
        wrong = setting.elsewhere(Y=(labels + step) % setting.classes).delta
        title = f"every class is off by {'+' if step > 0 else '−'}1, the last wrapping round"
        yield _delta(setting, "class-off-by-one", wrong / setting.weight, title, "Labels count from 0.")
    own = setting.targets * setting.right.delta / setting.weight
    others = (1 - setting.targets) * setting.right.delta / setting.weight
    yield _delta(setting, "true-class-missing", others, "the true class's own row −(count) is missing", "Subtract it.")
    once = others + setting.targets * np.sign(own)
    yield _delta(
        setting, "true-class-once", once, "the true class counts once, not once for each margin", "Count them."
    )


def _retarget(setting: Setting, name: str, y: Array, title: str, mend: str, rank: int = 0) -> Mutation:
    """Another one-hot in p − y; the loss itself computes δ where it takes such targets."""
    wrong = setting.right.delta + setting.weight * (setting.network.loss.residual or 1.0) * (setting.targets - y)
    return Mutation(name, "loss", title, mend, lambda right: right.with_delta(wrong), scope=title, rank=rank)


def _delta(setting: Setting, name: str, delta: Array, title: str, mend: str, rank: int = 0) -> Mutation:
    scaled = setting.weight * delta
    return Mutation(name, "loss", title, mend, lambda right: right.with_delta(scaled), scope=title, rank=rank)


def _softmax_of(z: Array, axis: int) -> Array:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _sigmoid(z: Array) -> Array:
    return np.exp(-np.logaddexp(0, -z))


def _through(p: Array, c: Array, axis: int) -> Array:
    return p * (c - (p * c).sum(axis=axis, keepdims=True))


def _is_one_hot(y: Array, axis: int) -> bool:
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=axis) == 1).all())


def _argmax(y: Array, axis: int) -> Array:
    hard = np.zeros_like(y)
    np.put_along_axis(hard, np.expand_dims(y.argmax(axis=axis), axis), 1.0, axis)
    return hard


def _shifted(y: Array, step: int, axis: int, *, keep: bool) -> Array:
    """One-hot targets one class further; what falls off the end stays there, or is lost."""
    rows = np.moveaxis(y, axis, -1)
    moved = np.zeros_like(rows)
    if step > 0:
        moved[..., 1:] = rows[..., :-1]
        moved[..., -1] += rows[..., -1] * keep
    else:
        moved[..., :-1] = rows[..., 1:]
        moved[..., 0] += rows[..., 0] * keep
    return np.moveaxis(moved, -1, axis)
