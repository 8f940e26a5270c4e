"""Wrong derivatives of the loss: the softmax along the wrong axis, its Jacobian cut short, labels off by one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Setting, Slip

_Row: TypeAlias = tuple[str, Array, str, str, int]
"""A name, the wrong δ (or the wrong targets), what is wrong, the mend, the rank."""

_STEPS = ((1, "every class is off by +1"), (-1, "every class is off by −1"))


def loss(setting: Setting) -> Iterator[Slip]:
    """Other rows for ∂loss/∂output: they reach every layer."""
    kinds = {"softmax": _softmax, "sigmoid": _sigmoid, "": _plain} if setting.network.loss.residual else {"": _hinge}
    for name, delta, title, mend, rank in kinds[setting.network.loss.prediction](setting):
        edit = partial(Backward.with_delta, delta=setting.weight * delta)
        yield Slip(name, "loss", title, mend, edit, scope=title, rank=rank)
    c = setting.network.loss.residual or 0.0
    for name, y, title, mend, rank in _targets(setting) if c else ():
        edit = partial(Backward.with_delta, delta=setting.right.delta + setting.weight * c * (setting.targets - y))
        yield Slip(name, "loss", title, mend, edit, scope=title, rank=rank)


# --- δ of a loss that compares a prediction with the targets -------------------------------------


def _softmax(setting: Setting) -> Iterator[_Row]:
    z, y, axis = setting.output, setting.targets, setting.layout.feature_axis
    p, total = softmax_of(z, axis), y.sum(axis=axis, keepdims=True)
    along, e = f"Normalise along axis {axis % 2}", np.exp(z - z.max())
    yield from _residual(setting, p)
    title = "the softmax runs over the examples, not over the classes"
    yield "softmax-axis", total * softmax_of(z, -1 - axis) - y, title, f"{along}.", 0
    title = "the softmax is normalised over the whole batch at once"
    yield "softmax-all", total * e / e.sum() - y, title, f"{along}, keeping it.", 0
    title = "only the diagonal p(1 − p) of the softmax's Jacobian is used"
    yield "softmax-diagonal", -y * (1 - p), title, "The Jacobian is diag(p) − p pᵀ; with the cross-entropy, p − y.", 0
    with np.errstate(all="ignore"):
        skipped, unnormalised = -y / p, np.exp(z) - y
    yield "softmax-skipped", skipped, "the softmax's Jacobian is missing: δ is −y/p", "Use p − y.", 0
    twice = p * (p - y - (p * (p - y)).sum(axis=axis, keepdims=True))
    yield "softmax-twice", twice, "the softmax's Jacobian is applied to p − y", "p − y contains it.", 0
    yield "softmax-unnormalised", unnormalised, "eᶻ is not divided by its sum", "Divide by Σ eᶻ.", 0
    yield "logits-for-probabilities", z - y, "δ is z − y: no softmax", "Use softmax(z) − y.", 0
    if is_one_hot(y, axis):
        title = "the hinge's δ stands for the cross-entropy's"
        yield "hinge-for-cross-entropy", _hinge_of(z, y, axis, 1.0), title, "Use softmax(z) − y.", 0
    title = "a sigmoid stands for the softmax"
    yield "sigmoid-for-softmax", total * sigmoid_of(z) - y, title, "Normalise over the classes.", 0
    if not is_one_hot(y, axis):
        yield _hard(p, y, axis)
        title = "the targets of an example do not sum to 1, and p − y assumes it"
        yield "soft-labels-sum", p - y, title, "Use (Σy)·p − y.", 0


def _sigmoid(setting: Setting) -> Iterator[_Row]:
    z, y, axis = setting.output, setting.targets, setting.layout.feature_axis
    p = sigmoid_of(z)
    yield from _residual(setting, p)
    title = "a softmax stands where each output has its own sigmoid"
    yield "softmax-for-sigmoid", softmax_of(z, axis) - y, title, "Use σ(z) − y.", 0
    if setting.classes > 1 and not is_one_hot(y, axis):
        yield _hard(p, y, axis)
    if not np.isin(y, (0, 1)).all():
        yield "soft-labels-rounded", p - (y > 0.5), "soft targets are rounded to 0 or 1", _SOFTLY, 0


def _plain(setting: Setting) -> Iterator[_Row]:
    yield from _broadcast(setting, setting.output)
    missing = (setting.network.loss.residual or 1.0) * setting.output
    yield "targets-missing", missing, "the targets are not subtracted", "Use output − target.", 0


def _residual(setting: Setting, p: Array) -> Iterator[_Row]:
    """Slips in p − y, whatever p is."""
    difference = p - setting.targets
    yield from _broadcast(setting, p)
    yield "targets-missing", p, "the targets are not subtracted: δ is p", "Use p − y.", 0
    title, mend = (
        f"p − y is multiplied by {setting.network.loss.prediction}'s p(1 − p) once more",
        "p − y is ∂loss/∂z already: drop the factor.",
    )
    yield "extra-output-derivative", difference * p * (1 - p), title, mend, 0
    rounded = np.round(p) - setting.targets
    yield "rounded-prediction", rounded, "the prediction is rounded to 0 or 1", "Use the probability.", 1


def _broadcast(setting: Setting, out: Array) -> Iterator[_Row]:
    """(N, 1) − (N,) gives N×N; what is then summed or averaged over one axis looks like a gradient."""
    if setting.classes != 1 or setting.count < 2:
        return
    y, mend = setting.targets, "Give both one shape: y.reshape(out.shape)."
    for how, count in (("summed", setting.count), ("averaged", 1)):
        title, c = f"(N, 1) − (N,) was broadcast to N×N and {how}", (setting.network.loss.residual or 1.0) * count
        yield "broadcast-targets", c * (out - y.mean()), title, mend, 0
        yield "broadcast-targets", c * (out.mean() - y), f"{title} over the other axis", mend, 1


_SOFTLY = "Subtract the targets themselves."


def _hard(p: Array, y: Array, axis: int) -> _Row:
    hard = np.zeros_like(y)
    np.put_along_axis(hard, np.expand_dims(y.argmax(axis=axis), axis), 1.0, axis)
    return "soft-labels-as-one-hot", p - hard, "soft targets are treated as one-hot (argmax)", _SOFTLY, 0


def softmax_of(z: Array, axis: int) -> Array:
    """Return the softmax along an axis."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid_of(z: Array) -> Array:
    """Return 1/(1 + e⁻ᶻ)."""
    return np.exp(-np.logaddexp(0, -z))


def _hinge_of(z: Array, y: Array, axis: int, margin: float) -> Array:
    """The multiclass hinge's δ: 1 at each class of positive margin, less their number at the true class."""
    over = ((z - (z * y).sum(axis=axis, keepdims=True) + margin > 0) * (1 - y)).astype(np.float64)
    return over - y * over.sum(axis=axis, keepdims=True)


def is_one_hot(y: Array, axis: int) -> bool:
    """Return whether every example has one entry of 1, and 0 elsewhere."""
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=axis) == 1).all())


# --- targets that are off ------------------------------------------------------------------------


def _targets(setting: Setting) -> Iterator[_Row]:
    """Other targets: every one off by one, in another order, or lost; here the array is y, not δ."""
    y, axis = setting.targets, setting.layout.feature_axis
    if (y != 0).any() and np.isin(y, np.arange(256)).all():
        title, mend = "δ = p − y with −y in uint8, which wraps to 256 − y", "Convert the targets to float first."
        yield "uint8-wraps", y - 256.0 * (y > 0), title, mend, 0
    if setting.network.loss.takes == "zero-one" and setting.classes == 1:
        title, mend = "0 and 1 are exchanged in the targets", "Keep which of the two classes is 1."
        yield "classes-exchanged", 1 - y, title, mend, 0
    if setting.classes < 2 or not is_one_hot(y, axis):
        return
    mend = "Labels count from 0: subtract 1 where a file counts from 1."
    for step, text in _STEPS:
        yield "class-off-by-one", np.roll(y, step, axis=axis), f"{text}, the last wrapping round", mend, 0
        yield "class-off-by-one", _shifted(y, step, axis, keep=True), f"{text}, clipped at the end", mend, 0
        title = f"{text}, the last one lost (as uint8 labels wrap)"
        yield "class-off-by-one", _shifted(y, step, axis, keep=False), title, mend, 0
    for k in range(min(setting.classes, 50)):
        cleared = y.copy()
        np.moveaxis(cleared, axis, -1)[..., k] = 0
        yield "class-lost", cleared, f"the examples of class {k} have no target", "Check how labels become one-hot.", 1
    yield "classes-reversed", np.flip(y, axis=axis), "the classes are in reverse order", "Keep their order.", 1


def _shifted(y: Array, step: int, axis: int, *, keep: bool) -> Array:
    """One-hot targets one class further; the last class stays last, or is lost."""
    moved = np.roll(y, step, axis=axis)
    rows, end = np.moveaxis(moved, axis, -1), -1 if step > 0 else 0
    # what wrapped round
    fallen = rows[..., -1 - end].copy()
    rows[..., -1 - end] = 0
    rows[..., end] += fallen * keep
    return moved


# --- the hinge -----------------------------------------------------------------------------------


def _hinge(setting: Setting) -> Iterator[_Row]:
    if setting.network.loss.takes != "labels":
        return
    y = setting.targets
    labels, delta = y.argmax(axis=setting.layout.feature_axis), setting.right.delta
    for step, text in _STEPS:
        wrong = setting.elsewhere(Y=(labels + step) % setting.classes).right.delta / setting.weight
        yield "class-off-by-one", wrong, f"{text}, the last wrapping round", "Labels count from 0.", 0
    z, axis = setting.output, setting.layout.feature_axis
    margin, named = getattr(setting.network.loss, "margin", None), setting.network.loss.name
    if margin is not None:
        count = "Count a class where its margin is positive, with the Δ of the loss."
        for other in (0.0, 1.0):
            if other != margin:
                title = f"the margin Δ is {other:g}, where {margin:g} is right"
                yield "margin-forgotten", _hinge_of(z, y, axis, other), title, count, 0
        over = np.maximum(z - (z * y).sum(axis=axis, keepdims=True) + margin, 0) * (1 - y)
        whole = over - y * over.sum(axis=axis, keepdims=True)
        title = "the margins themselves stand for their indicators"
        yield "margins-for-indicators", whole, title, "Count 1 for each positive margin.", 0
        title += ", and the square's 2"
        yield "margins-for-indicators", 2 * whole, title, "Count 1 for each positive margin.", 0
        title = "the margins themselves stand for their indicators, but in the true class's row"
        yield "margins-for-indicators", over - y * (over > 0).sum(axis=axis, keepdims=True), title, count, 0
        title = f"the cross-entropy's δ stands for {named}'s"
        yield "cross-entropy-for-hinge", softmax_of(z, axis) - y, title, "Count the margins.", 0
    own, others = y * delta / setting.weight, (1 - y) * delta / setting.weight
    yield "true-class-missing", others, "the true class's own row −(count) is missing", "Subtract it.", 0
    title = "the true class counts once, not once for each margin"
    yield "true-class-once", others + y * np.sign(own), title, "Count them.", 0
    title = "the true class counts once in every example, whatever its margins"
    yield "true-class-once", others - y, title, "Count the margins: there may be none.", 0
