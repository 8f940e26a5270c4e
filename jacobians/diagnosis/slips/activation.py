"""Wrong activation derivatives, layer by layer: missing, taken at the wrong place, of another function, clipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Pullback, Setting, Slip, slope_of, times
from jacobians.operations import ACTIVATIONS, Elementwise

_Wrong: TypeAlias = tuple[str, str, str, int, Pullback | Array]
"""A name, what is wrong, the mend, the rank, and the wrong pullback, or the factor that stands for the derivative."""

_CLIPS = (1e-3, 1e-2, 0.1, 0.2, 0.25, 0.5, 1.0, 5.0)


def activation(setting: Setting) -> Iterator[Slip]:
    """Every elementwise operation with another derivative; each alone, and all together."""
    places = setting.activations
    tables: list[dict[str, _Wrong]] = []
    for layer, p, op in places:
        z, a = setting.input_of(p), setting.output_of(p)
        right = slope_of(op, z)
        table = [*_of_itself(op, z, a, right), *_of_others(op, z, a), *_masks(op, z, right), *_clips(op, right)]
        tables.append({wrong[1]: wrong for wrong in table})
        for name, title, mend, rank, _ in table:
            edit = _replaced({p: tables[-1][title]})
            yield Slip(name, "activation", f"{title} in layer {layer}", mend, edit, layer, f"{p}: {title}", rank)
    if len(places) > 1 and len({type(op) for _, _, op in places}) == 1:
        for title, (name, _, mend, rank, _) in tables[0].items():
            if all(title in table for table in tables):
                edit = _replaced({p: table[title] for (_, p, _), table in zip(places, tables, strict=True)})
                yield Slip(name, "activation", f"{title} in every layer", mend, edit, scope=title, rank=rank)


def _replaced(wrong: dict[int, _Wrong]) -> Callable[[Backward], Backward]:
    pulls = {p: times(pull) if isinstance(pull, np.ndarray) else pull for p, (*_, pull) in wrong.items()}
    return partial(Backward.with_flow, pulls=pulls)


def _of_itself(op: Elementwise, z: Array, a: Array, right: Array) -> Iterator[_Wrong]:
    """The activation's own derivative, missing or taken wrongly; z is its input, a its output."""
    name = op.name
    here, missing = f"the derivative of {name}", f"Multiply by {name}′(z)."
    at_a, mend = f"{here} is evaluated at a = {name}(z), not at z", f"Pass z to {name}′, or write the derivative in a."
    inverse = np.divide(1.0, right, out=np.zeros_like(right), where=right != 0)
    yield "missing-activation-derivative", f"{here} is missing", missing, 0, lambda c: c
    yield "derivative-at-a", at_a, mend, 0, slope_of(op, a)
    yield "activation-for-derivative", f"{name}(z) stands where its derivative belongs", f"{name}′(z).", 1, a
    yield "derivative-twice", f"{here} is applied twice", "Multiply by it once.", 1, right * right
    yield "derivative-sign", f"{here} has the wrong sign", "Drop the minus.", 1, -right
    yield "activation-bypassed", f"{here} is divided by, not multiplied", "Multiply.", 1, inverse
    in_value = op.in_value
    if in_value is not None:
        formula, of = in_value
        mend = f"In {formula}, a is the output of {name}, not its input."
        yield "derivative-formula-at-z", f"{formula} is evaluated at z, not at a", mend, 0, of(z)
        if formula == "a(1 − a)":
            yield "derivative-half", "only 1 − a of a(1 − a) is there", "Multiply by a too.", 1, 1 - a


def _of_others(op: Elementwise, z: Array, a: Array) -> Iterator[_Wrong]:
    """Another activation's derivative."""
    name = op.name
    mend = f"Use {name}′ there."
    for other, make in ACTIVATIONS.items():
        wrong = make()
        if type(wrong) is type(op):
            continue
        yield "other-derivative", f"{other}′(z) stands for {name}′(z)", mend, 0, slope_of(wrong, z)
        in_value = wrong.in_value
        if in_value is not None:
            formula, of = in_value
            yield "other-derivative-at-a", f"{other}′ as {formula} of {name}'s a stands for {name}′", mend, 0, of(a)
            title = f"{other}'s {formula}, taken at z, stands for {name}′"
            yield "other-derivative-formula-at-z", title, mend, 1, of(z)


def _masks(op: Elementwise, z: Array, right: Array) -> Iterator[_Wrong]:
    """The derivative as a mask, taken from something else; another slope at a kink."""
    name = op.name
    title = f"the mask of {name} is taken from the gradient (δ > 0), not from z"
    mend = "Mask where z > 0: remember z from the forward pass."
    yield "mask-from-gradient", title, mend, 0, lambda c: c * (c > 0)
    title = f"negative derivatives are dropped at {name} too (guided backpropagation)"
    yield "mask-from-both", title, "Mask by z alone.", 1, lambda c: c * (c > 0) * right
    yield "mask-inverted", f"the mask of {name} is inverted: z ≤ 0 passes", "Let z > 0 pass.", 1, (z <= 0) * 1.0
    for kink in op.kinks:
        if not (z == kink).any():
            continue
        behind, ahead = slope_of(op, kink + np.array([-1e-12, 1e-12])).tolist()
        mend = f"{kink:g} is a kink, where every slope from {behind:g} to {ahead:g} is right; take the one that the "
        mend += "loss's program takes."
        for slope in (ahead, (behind + ahead) / 2):
            shown = "½" if slope == 0.5 else f"{slope:g}"
            title = f"{name}′({kink:g}) is {shown}, and z = {kink:g} occurs"
            yield "kink", title, mend, 1, np.where(z == kink, slope, right)


def _clips(op: Elementwise, right: Array) -> Iterator[_Wrong]:
    """The derivative, or δ beside it, clipped."""
    name, mend = op.name, "Leave it as it is; clip finished gradients, if at all."
    binary = np.isin(right, (0, 1)).all()
    for bound in _CLIPS:
        # where all entries or none are clipped, another slip says it better
        if np.any(right < bound) and np.any(right > bound):
            for side, clip in (("below", np.maximum), ("above", np.minimum)):
                title = f"{name}′ is clipped from {side} at {bound:g}"
                yield "derivative-clipped", title, mend, 1, clip(right, bound)
        at = f"at {name}" if binary else f"before {name}′"
        before = partial(_clipped_before, right, bound)
        yield "delta-clipped", f"δ is clipped to ±{bound:g} {at}", mend, 1, before
        if not binary:
            after = partial(_clipped_after, right, bound)
            yield "delta-clipped", f"δ is clipped to ±{bound:g} after {name}′", mend, 1, after


def _clipped_before(d: Array, bound: float, cotangent: Array) -> Array:
    return np.clip(cotangent, -bound, bound) * d


def _clipped_after(d: Array, bound: float, cotangent: Array) -> Array:
    return np.clip(cotangent * d, -bound, bound)
