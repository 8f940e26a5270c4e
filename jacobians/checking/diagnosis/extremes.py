"""Entries that are NaN or infinite: which, and where in the network they may come from."""

from __future__ import annotations

import numpy as np

from jacobians.checking.diagnosis.mutations.backward import Gradients
from jacobians.checking.diagnosis.mutations.setting import Setting
from jacobians.checking.diagnosis.result import Cause
from jacobians.operations import BinaryCrossEntropy

__all__ = ["extremes"]

_LARGEST_EXPONENT = {"float64": 709.0, "float32": 88.0}
"""eᶻ overflows beyond."""


def extremes(setting: Setting, gradients: Gradients) -> tuple[Cause, ...]:
    """Return the causes that entries which are not finite may have; none where all are finite."""
    bad = {name: np.argwhere(~np.isfinite(g)) for name, g in gradients.items()}
    bad = {name: places for name, places in bad.items() if len(places)}
    if not bad:
        return ()
    counts = []
    for name, places in bad.items():
        size = gradients[name].size
        if len(places) == size:
            counts.append(f"all of {name}")
            continue
        shown = ", ".join(f"{name}[{', '.join(map(str, place))}]" for place in places[:3].tolist())
        counts.append(f"{shown}{', …' if len(places) > 3 else ''} ({len(places)} of {size})")
    wrong = "NaN" if any(np.isnan(g).any() for g in gradients.values()) else "infinite"
    return tuple(
        Cause(name, "extremes", f"entries are {wrong}{title}", None, "; ".join(counts), mend, 0.0, exact=True)
        for name, title, mend in _suspects(setting)
    )


def _suspects(setting: Setting) -> list[tuple[str, str, str]]:
    """What in the forward pass can have overflowed: a name, a clause, the mend; the more usual first."""
    found: list[tuple[str, str, str]] = []
    for position, part in enumerate(setting.parts):
        size = float(np.abs(setting.output_of(position)).max(initial=0.0))
        dtype = next((d for d, bound in _LARGEST_EXPONENT.items() if size > bound), None)
        if dtype and not found:
            where = f": operation {position + 1} ({part.name}) reaches {size:.3g}, where eᶻ overflows in {dtype}"
            mend = "Subtract the largest logit first, or use the library's stable forms."
            found.append(("exp-overflow", where, mend))
    z, axis = setting.output, setting.layout.feature_axis
    # softmax compares the outputs of one example; a sigmoid each with 0
    alone = isinstance(setting.network.loss, BinaryCrossEntropy)
    spread = float((np.abs(z) if alone else z.max(axis=axis) - z.min(axis=axis)).max(initial=0.0))
    if spread > 36:
        said = f"an output reaches ±{spread:.3g}" if alone else f"the outputs of one example span {spread:.3g}"
        text = f": {said}, so a probability rounds to 0 or 1 and its log or its inverse fails"
        found.append(("log-zero", text, "Compute the loss from logits, not from rounded probabilities."))
    nothing = ": nothing in the forward pass overflows"
    return found or [("not-finite", nothing, "Look for 0/0: an empty mean, a norm of 0, log(0).")]
