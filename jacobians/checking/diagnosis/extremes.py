"""Entries that are NaN or infinite: which, and where in the network they may come from."""

from __future__ import annotations

import numpy as np

from jacobians.checking.diagnosis.mutations.backward import Gradients
from jacobians.checking.diagnosis.mutations.setting import Setting
from jacobians.checking.diagnosis.result import Cause

__all__ = ["extremes"]

_LARGEST_EXPONENT = {"float64": 709.0, "float32": 88.0}
"""eᶻ overflows beyond."""


def extremes(setting: Setting, gradients: Gradients) -> tuple[Cause, ...]:
    """Return a cause for entries that are not finite; none where all are."""
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
    name, title, mend = _suspect(setting)
    wrong = "NaN" if any(np.isnan(g).any() for g in gradients.values()) else "infinite"
    return (
        Cause(
            name,
            "extremes",
            f"entries are {wrong}{title}",
            None,
            "; ".join(counts),
            mend,
            0.0,
            exact=True,
        ),
    )


def _suspect(setting: Setting) -> tuple[str, str, str]:
    """What in the forward pass can have overflowed: a name, a clause, the mend."""
    for position, part in enumerate(setting.parts):
        size = float(np.abs(setting.output_of(position)).max(initial=0.0))
        for dtype, bound in _LARGEST_EXPONENT.items():
            if size > bound:
                where = f": operation {position + 1} ({part.name}) reaches {size:.3g}, where eᶻ overflows in {dtype}"
                return "exp-overflow", where, "Subtract the largest logit first, or use the library's stable forms."
    z = setting.output
    spread = float((z.max(axis=setting.layout.feature_axis) - z.min(axis=setting.layout.feature_axis)).max(initial=0.0))
    if spread > 36:
        text = f": the outputs of one example span {spread:.3g}, so a probability rounds to 0 or 1 and its log fails"
        return "log-zero", text, "Compute the loss from logits, not from rounded probabilities."
    return "not-finite", ": nothing in the forward pass overflows", "Look for 0/0: an empty mean, a norm of 0, log(0)."
