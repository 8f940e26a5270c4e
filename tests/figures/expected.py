"""What a diagnosis may rightly call each bug of the catalogue.

More than one name where two descriptions are one computation at every shape (a transposed matrix packed in C order is
one raveled in F order), or where a general name is as exact (a bias of one example, with N = 1).
"""

from __future__ import annotations

__all__ = ["EXPECTED", "FITTED", "UNSEEN"]

_TURNED = ("transposed", "reshape-for-transpose", "f-order-unpack", "packing-vec-order")

EXPECTED: dict[str, tuple[str, ...]] = {
    "sign": ("sign",),
    "mean-missing": ("missing-1/N",),
    "mean-twice": ("double-1/N",),
    "n-minus-1": ("N-1-for-N", "not-finite"),  # at N = 1 it divides by 0
    "n-plus-1": ("N+1-for-N",),
    "mean-over-outputs-too": ("extra-1/K",),
    "times-2": ("factor-2",),
    "times-half": ("factor-half",),
    "times-1.0001": ("constant-ratio",),
    "times-1.000001": ("constant-ratio",),
    "all-zero": ("zero",),
    "clipped": ("clipped",),
    "slope-missing": ("missing-activation-derivative",),
    "slope-from-z": ("derivative-formula-at-z",),
    "slope-of-a": ("derivative-at-a",),
    "slope-of-another": ("other-derivative", "other-derivative-at-a"),
    "slope-clipped": ("derivative-clipped", "other-derivative"),  # ReLU's, clipped from below, is leaky ReLU's
    "relu-mask-from-gradient": ("mask-from-gradient",),
    "softmax-wrong-axis": ("softmax-axis",),
    "softmax-diagonal-only": ("softmax-diagonal",),
    "class-off-by-one": ("class-off-by-one",),
    "one-wrong-label": ("one-wrong-label", "one-wrong-delta"),
    "soft-as-one-hot": ("soft-labels-as-one-hot",),
    "class-weights-unnormalised": ("constant-ratio", "class-weights", "soft-labels-sum"),
    "transposed-weight-gradient": _TURNED,
    "reshape-for-transpose": _TURNED,
    "rows-swapped": ("lines-permuted",),
    "blocks-in-wrong-order": ("block-order",),
    "unpack-other-order": ("unpack-vec-order",),
    "ravel-other-order": ("packing-vec-order", "f-order-unpack", "reshape-for-transpose"),
    # where Z = X Wᵀ, (I ⊗ X) gives the gradient with respect to Wᵀ, stacked as if it were W's
    "kronecker-other-order": ("kronecker-order", "data-reshaped", "delta-reshaped", *_TURNED),
    "chain-order": ("weight-not-transposed", "chain-order"),
    "square-hides-transpose": ("weight-not-transposed", "forward-weight-transposed"),
    "broadcast-n-by-n": ("broadcast-targets",),
    "db-averaged": ("bias-averaged",),
    "db-one-example": ("bias-of-one-example",),
    "db-all-axes": ("bias-over-all-axes",),
    "bias-row-kept": ("delta-0-kept",),
    "ones-at-wrong-end": ("ones-at-wrong-end",),
    "penalty-missing": ("regulariser-missing",),
    "penalty-twice": ("regulariser-doubled",),
    "penalty-over-n": ("regulariser-over-N", "regulariser-times-N"),
    "penalty-in-one-layer": ("regulariser-one-layer", "regulariser-missing"),  # of two layers, missing in the other
    "penalty-sign": ("regulariser-sign",),
    "bias-regularised": ("bias-regularised",),
    "penalty-l1": ("l1-for-l2",),
    "inputs-reversed": ("data-reversed",),
    "inputs-to-int": ("data-truncated",),
    "inputs-float32": ("data-float32",),
    "last-example-dropped": ("example-dropped", "examples-dropped"),
    "one-entry-zero": ("entries-zero",),
    "squeezed": ("bias-over-all-axes",),
    "uint8-wraps": ("uint8-wraps",),
    "weight-used-after-update": ("updated-weight",),
    "result-float32": ("result-float32",),
    "result-float16": ("result-float16",),
    "one-nan": ("not-finite",),
    "log-0": ("log-zero",),
    "exp-overflow": ("exp-overflow",),
    "relu-at-zero": ("kink",),
    "float32-sum-stalls": ("float32-sum", "result-float32"),
}

UNSEEN = frozenset({"shared-buffer", "accumulates", "overwrites-input", "not-deterministic"})
"""What the values of one gradient cannot show."""

FITTED = frozenset(
    {
        "class-weights",
        "clipped",
        "constant-ratio",
        "entries-wrong",
        "example-weights",
        "labels-smoothed",
        "one-wrong-delta",
        "parameters-for-gradient",
        "regulariser-coefficient",
        "temperature",
        "updated-weight",
    }
)
"""Causes with numbers in them that are fitted to the gradient: they fit by their numbers, if there are enough."""
