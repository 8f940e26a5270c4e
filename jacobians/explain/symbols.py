"""The parts of a name: dTheta2 is d, Θ and 2."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["FUNCTION_NAMES", "GREEK", "Name", "split_name"]

GREEK = {
    "Theta": "Θ",
    "theta": "θ",
    "delta": "δ",
    "Delta": "Δ",
    "lam": "λ",
    "lambda": "λ",
    "alpha": "α",
    "sigma": "σ",
}

FUNCTION_NAMES = {
    "sigmoid": "σ",
    "softmax_rows": "softmax",
    "softmax_columns": "softmax",
    "log_softmax_rows": "log softmax",
    "log_softmax_columns": "log softmax",
    "hinge_rows": "hinge",
    "hinge_columns": "hinge",
    "normal_cdf": "Φ",
    "leaky_relu": "leaky relu",
}
"""What a function is called in formulas, where it is not its name in NumPy."""


@dataclass(frozen=True)
class Name:
    """A name's parts: whether a d comes first, its letters, and its index or nothing."""

    differential: bool
    letters: str
    index: str


def split_name(name: str) -> Name:
    """Return the parts of a name.

    Examples
    --------
    >>> split_name("dTheta2")
    Name(differential=True, letters='Theta', index='2')
    >>> split_name("delta3"), split_name("db1").differential
    (Name(differential=False, letters='delta', index='3'), True)
    """
    differential = bool(re.match(r"d([A-Z]|b\d*$)", name))
    found = re.fullmatch(r"(.*?)_?(\d*)", name[differential:], re.DOTALL)
    letters, index = found.groups() if found else (name, "")
    return Name(differential, letters, index)
