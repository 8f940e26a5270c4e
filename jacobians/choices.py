"""The activations and losses that a network, and the command line, know by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from jacobians.errors import LayoutError
from jacobians.operations import (
    GELU,
    BinaryCrossEntropy,
    CrossEntropy,
    LeakyReLU,
    Logistic,
    Loss,
    MulticlassHinge,
    Operation,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    SquaredError,
    Tanh,
)

__all__ = ["ACTIVATIONS", "LOSSES", "choice"]

_T = TypeVar("_T")

ACTIVATIONS: dict[str, Callable[[], Operation]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "softplus": Softplus,
    "gelu": GELU,
    "silu": SiLU,
}

LOSSES: dict[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "binary": BinaryCrossEntropy,
    "squared": SquaredError,
    "hinge": MulticlassHinge,
    "logistic": Logistic,
}


def choice(choices: Mapping[str, _T], name: str, what: str) -> _T:
    """Return what is called `name`, or raise LayoutError with the names there are."""
    if name not in choices:
        raise LayoutError(f"Network: {what} {name!r} is unknown; choose one of {', '.join(choices)}")
    return choices[name]
