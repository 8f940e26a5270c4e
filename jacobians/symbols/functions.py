"""The functions that formulas name, as a reader would write them in NumPy: their source is printed with a formula.

They are the textbook forms. The operations compute the same values in forms that lose no digits at the ends.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "source_of"]


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def sigmoid_prime(Z):
    return sigmoid(Z) * sigmoid(-Z)


def tanh(Z):
    return np.tanh(Z)


def tanh_prime(Z):
    return 1 / np.cosh(Z) ** 2


def relu(Z):
    return np.maximum(Z, 0)


def relu_prime(Z):
    return (Z > 0) * 1.0


def leaky_relu(Z, slope):
    return np.where(Z > 0, Z, slope * Z)


def leaky_relu_prime(Z, slope):
    return np.where(Z > 0, 1.0, slope)


def softplus(Z):
    return np.logaddexp(0, Z)


def softplus_prime(Z):
    return sigmoid(Z)


def silu(Z):
    return Z * sigmoid(Z)


def silu_prime(Z):
    return sigmoid(Z) * (1 + Z * sigmoid(-Z))


def normal_cdf(Z):
    from scipy.special import ndtr

    return ndtr(Z)


def gelu(Z):
    return Z * normal_cdf(Z)


def gelu_prime(Z):
    return normal_cdf(Z) + Z * np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)


def exp(Z):
    return np.exp(Z)


def exp_prime(Z):
    return np.exp(Z)


def log(Z):
    return np.log(Z)


def log_prime(Z):
    return 1 / Z


def square(Z):
    return Z**2


def square_prime(Z):
    return 2 * Z


def power(Z, p):
    return Z**p


def power_prime(Z, p):
    return p * Z ** (p - 1)


def softmax_rows(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def softmax_columns(Z):
    return softmax_rows(Z.T).T


def log_softmax_rows(Z):
    return np.log(softmax_rows(Z))


def log_softmax_columns(Z):
    return np.log(softmax_columns(Z))


def hinge_rows(Z, Y, margin):
    over = (Z - (Z * Y).sum(axis=1, keepdims=True) + margin > 0) * (1.0 - Y)
    return over - Y * over.sum(axis=1, keepdims=True)


def hinge_columns(Z, Y, margin):
    return hinge_rows(Z.T, Y.T, margin).T


FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        *(sigmoid, sigmoid_prime, tanh, tanh_prime, relu, relu_prime, leaky_relu, leaky_relu_prime),
        *(softplus, softplus_prime, silu, silu_prime, normal_cdf, gelu, gelu_prime, exp, exp_prime, log, log_prime),
        *(square, square_prime, power, power_prime, softmax_rows, softmax_columns),
        *(log_softmax_rows, log_softmax_columns, hinge_rows, hinge_columns),
    )
}
"""By the name that a `Call` has."""


def source_of(names: set[str]) -> str:
    """Return the definitions of some functions, and of those that they call, as Python text.

    Examples
    --------
    >>> print(source_of({"softplus_prime"}))
    def sigmoid(Z):
        return 1 / (1 + np.exp(-Z))
    <BLANKLINE>
    <BLANKLINE>
    def softplus_prime(Z):
        return sigmoid(Z)
    """
    texts = {n: inspect.getsource(f) for n, f in FUNCTIONS.items()}
    wanted, open_ = set(names), list(names)
    while open_:
        called = set(re.findall(r"(?<![\w.])(\w+)\(", texts[open_.pop()])) & set(FUNCTIONS) - wanted
        wanted |= called
        open_ += called
    return "\n\n".join(text for name, text in texts.items() if name in wanted).rstrip("\n")
