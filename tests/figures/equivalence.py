"""Where a bug changes nothing: measured, and the reason stated.

A reason is the claim; `changes_nothing` is the measurement. Neither alone makes a bug equivalent.
"""

from __future__ import annotations

import numpy as np

from tests.figures.backprop import Problem
from tests.figures.backward import CLIP, gradient

CLASSES = ("cross_entropy",)
HOT = ("cross_entropy", "binary_cross_entropy")
NETWORK_LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error")

_ONE_EXAMPLE = {
    "mean-missing": "N = 1: nothing to divide by",
    "mean-twice": "N = 1: nothing to divide by",
    "db-averaged": "N = 1: the mean is the sum",
    "db-one-example": "N = 1: the one example is all",
    "inputs-reversed": "N = 1: one row reversed is itself",
    "penalty-over-n": "N = 1: λ/N is λ",
}
_RELU = {
    "slope-from-z": "ReLU: a > 0 exactly where z > 0",
    "slope-of-a": "ReLU: relu ∘ relu is relu",
}


def changes_nothing(problem: Problem, slip: str, layer: int) -> bool:
    """Whether the bug's gradient is the right one, up to the rounding of the last place."""
    with np.errstate(all="ignore"):
        right, wrong = gradient(problem, problem.theta), gradient(problem, problem.theta, slip, layer)
    return bool(np.abs(wrong - right).max() <= 4 * np.finfo(float).eps * np.abs(right).max())


def reason(problem: Problem, slip: str, layer: int) -> str:
    """Why the bug changes nothing here, or "" if there is no reason to think so."""
    if slip == "relu-at-zero":
        return "a kink: every slope between the one-sided derivatives is right"
    if problem.count == 1 and slip in _ONE_EXAMPLE:
        return _ONE_EXAMPLE[slip]
    if problem.activation == "relu" and slip in _RELU:
        return _RELU[slip]
    if slip == "mean-over-outputs-too" and problem.sizes[-1] == 1:
        return "K = 1: nothing to divide by"
    if slip == "clipped" and np.abs(gradient(problem, problem.theta)).max() <= CLIP * (1 + 1e-12):
        return "no entry reaches the clip"
    if slip == "exp-overflow":
        return "no output exceeds 709, where exp overflows"
    if slip in (
        "rows-swapped",
        "slope-clipped",
        "slope-missing",
        "slope-of-another",
        "relu-mask-from-gradient",
        "chain-order",
    ):
        return "the units whose slope or mask differs pass nothing back here"
    return ""
