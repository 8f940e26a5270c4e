"""Wrong activation derivatives, layer by layer: missing, taken at the wrong place, of another function, clipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Mutation, Pullback, Setting
from jacobians.operations import ACTIVATIONS, Elementwise

__all__ = ["activation"]


_Wrong: TypeAlias = tuple[str, str, str, int, Pullback]
"""A name, what is wrong, the mend, the rank, and the wrong pullback."""

_CLIPS = (1e-3, 1e-2, 0.1, 0.2, 0.25, 0.5, 1.0, 5.0)


def activation(setting: Setting) -> Iterator[Mutation]:
    """Every elementwise operation with another derivative; each alone, and all together."""
    places = setting.activations
    tables = [_wrong(op, setting.input_of(p), setting.output_of(p)) for _, p, op in places]
    for (layer, position, op), wrong in zip(places, tables, strict=True):
        for name, title, mend, rank, pull in wrong:
            text = f"{title} in layer {layer}"
            yield Mutation(
                name, "activation", text, mend, _replaced({position: pull}), layer, f"{position}: {title}", rank
            )
    if len(places) > 1 and len({type(op) for _, _, op in places}) == 1:
        by_title = [{wrong[1]: wrong for wrong in table} for table in tables]
        for name, title, mend, rank, _ in tables[0]:
            if not all(title in table for table in by_title):
                continue
            pulls = {p: table[title][4] for (_, p, _), table in zip(places, by_title, strict=True)}
            yield Mutation(
                name, "activation", f"{title} in every layer", mend, _replaced(pulls), scope=title, rank=rank
            )


def _wrong(op: Elementwise, z: Array, a: Array) -> list[_Wrong]:
    """All wrong pullbacks of one activation with input z and output a."""
    name = op.name
    right: Array = op(z)[1].vjp(np.ones_like(z))

    def times(d: Array) -> Pullback:
        return lambda cotangent: cotangent * d

    here = f"the derivative of {name}"
    found: list[_Wrong] = [
        ("missing-activation-derivative", f"{here} is missing", f"Multiply by {name}′(z).", 0, lambda c: c),
        (
            "derivative-at-a",
            f"{here} is evaluated at a = {name}(z), not at z",
            f"Pass z to {name}′, or write the derivative in a.",
            0,
            times(op(a)[1].vjp(np.ones_like(a))),
        ),
        ("activation-for-derivative", f"{name}(z) stands where its derivative belongs", f"{name}′(z).", 1, times(a)),
        ("derivative-twice", f"{here} is applied twice", "Multiply by it once.", 1, times(right * right)),
        ("derivative-sign", f"{here} has the wrong sign", "Drop the minus.", 1, times(-right)),
        ("activation-bypassed", f"{here} is divided by, not multiplied", "Multiply.", 1, times(_inverse(right))),
    ]
    if op.in_value:
        formula, of = op.in_value
        mend = f"In {formula}, a is the output of {name}, not its input."
        found.append(("derivative-formula-at-z", f"{formula} is evaluated at z, not at a", mend, 0, times(of(z))))
        if formula == "a(1 − a)":
            found.append(("derivative-half", "only 1 − a of a(1 − a) is there", "Multiply by a too.", 1, times(1 - a)))
    for other, make in ACTIVATIONS.items():
        wrong = make()
        if type(wrong) is type(op):
            continue
        mend = f"Use {name}′ there."
        at_z: Array = wrong(z)[1].vjp(np.ones_like(z))
        found.append(("other-derivative", f"{other}′(z) stands for {name}′(z)", mend, 0, times(at_z)))
        if wrong.in_value:
            formula, of = wrong.in_value
            title = f"{other}′ as {formula} of {name}'s a stands for {name}′"
            found.append(("other-derivative-at-a", title, mend, 0, times(of(a))))
            title = f"{other}'s {formula}, taken at z, stands for {name}′"
            found.append(("other-derivative-formula-at-z", title, mend, 1, times(of(z))))
    found += [
        (
            "mask-from-gradient",
            f"the mask of {name} is taken from the gradient (δ > 0), not from z",
            "Mask where z > 0: remember z from the forward pass.",
            0,
            lambda c: c * (c > 0),
        ),
        (
            "mask-from-both",
            f"negative derivatives are dropped at {name} too (guided backpropagation)",
            "Mask by z alone.",
            1,
            lambda c: c * (c > 0) * right,
        ),
        ("mask-inverted", f"the mask of {name} is inverted: z ≤ 0 passes", "Let z > 0 pass.", 1, times((z <= 0) * 1.0)),
    ]
    if 0.0 in op.kinks and (z == 0).any() and (right[z == 0] == 0).all():
        mend = "0 is a kink, where every slope from 0 to 1 is right; take the one that the loss's program takes."
        found.append(("kink", f"{name}′(0) is 1, and z = 0 occurs", mend, 1, times((z >= 0) * 1.0)))
        found.append(("kink", f"{name}′(0) is ½, and z = 0 occurs", mend, 1, times(right + 0.5 * (z == 0))))
    mend = "Leave it as it is; clip finished gradients, if at all."
    for c in _CLIPS:
        # where all entries or none are clipped, another mutation says it better
        if np.any(right < c) and np.any(right > c):
            title = f"{name}′ is clipped from below at {c:g}"
            found.append(("derivative-clipped", title, mend, 1, times(np.maximum(right, c))))
            title = f"{name}′ is clipped from above at {c:g}"
            found.append(("derivative-clipped", title, mend, 1, times(np.minimum(right, c))))
        before, after = _clipped_before(right, c), _clipped_after(right, c)
        if np.isin(right, (0, 1)).all():
            found.append(("delta-clipped", f"δ is clipped to ±{c:g} at {name}", mend, 1, before))
        else:
            found.append(("delta-clipped", f"δ is clipped to ±{c:g} before {name}′", mend, 1, before))
            found.append(("delta-clipped", f"δ is clipped to ±{c:g} after {name}′", mend, 1, after))
    return found


def _inverse(d: Array) -> Array:
    return np.divide(1.0, d, out=np.zeros_like(d), where=d != 0)


def _clipped_before(d: Array, bound: float) -> Pullback:
    return lambda c: np.clip(c, -bound, bound) * d


def _clipped_after(d: Array, bound: float) -> Pullback:
    return lambda c: np.clip(c * d, -bound, bound)


def _replaced(pulls: dict[int, Pullback]) -> Callable[[Backward], Backward]:
    def edit(right: Backward) -> Backward:
        for position, pull in pulls.items():
            right = right.with_flow(position, pull)
        return right

    return edit
