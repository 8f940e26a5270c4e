"""Slips that return something else instead of the gradient: its signs, absolute values, squares, or the parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Gradients, Setting, Slip, all_entries, entries_of_parameters


def finished(setting: Setting) -> Iterator[Slip]:
    """Functions of the finished gradient's entries, for everything and for each parameter; each parameter itself."""
    parts = [all_entries(setting.params, "everything"), *entries_of_parameters(setting)]
    for part in parts[: 1 if len(setting.params) == 1 else None]:
        whole = part.label == "everything"
        of = "the gradient" if whole else f"the gradient with respect to {part.label}"
        for name, change, what, rank in _CHANGES:
            title, mend = f"{what} stands for {of}", f"Return {of} itself; an optimiser's step is made afterwards."
            yield Slip(name, "scale", title, mend, part.changed(change), part.layer, part.label, rank)
        if not whole and part.label in setting.params:
            title = f"{part.label} itself stands where its gradient belongs"
            edit = partial(Backward.then, change=partial(_parameter, setting, part.label))
            mend = "Return the gradient; an update that is done in place overwrites it."
            yield Slip("parameter-for-gradient", "state", title, mend, edit, part.layer, part.label, 1)


def _parameter(setting: Setting, name: str, gradients: Gradients) -> Gradients:
    return {**gradients, name: setting.params[name].copy()}


# what may stand for the gradient: name, function, what is said of it, rank; a row of one sign may be negated as well
_CHANGES: tuple[tuple[str, Callable[[Array], Array], str, int], ...] = (
    ("sign-of-gradient", np.sign, "the sign of every entry", 1),
    ("absolute-gradient", np.abs, "the absolute value of every entry", 3),
    ("squared-gradient", np.square, "the square of every entry", 1),
    ("root-of-gradient", lambda g: np.sqrt(np.abs(g)), "the root of every entry's absolute value", 1),
)
