"""Functions with a built-in meaning where a file does not define them: activations and their derivatives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.values import BuiltIn, Instance, UserClass

Function = Callable[..., Any]


def _sigmoid(z: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(z, dtype=float)))


def _relu(z: Any) -> Any:
    return np.maximum(np.asarray(z, dtype=float), 0.0)


def _softmax(axis: int) -> Function:
    def of(z: Any, *_a: Any, **_k: Any) -> Any:
        z = np.asarray(z, dtype=float)
        along = axis if z.ndim > 1 else -1
        powers = np.exp(z - z.max(axis=along, keepdims=True))
        return powers / powers.sum(axis=along, keepdims=True)

    return of


def _d_sigmoid(z: Any) -> Any:
    s = _sigmoid(z)
    return s * (1.0 - s)


def _d_relu(z: Any) -> Any:
    return (np.asarray(z) > 0) * 1.0


def _d_tanh(z: Any) -> Any:
    return 1.0 - np.tanh(z) ** 2


def assumed_meanings(text: str, *, columns: bool) -> Mapping[str, tuple[str, Function]]:
    """Return what each function means, in words, and what computes it.

    Parameters
    ----------
    text : str
        The program's: where it unpacks ``A, cache = sigmoid(Z)``, the function gives Z as well.
    columns : bool
        Whether an example is a column, so that softmax goes down the rows.
    """
    found: dict[str, tuple[str, Function]] = {}
    if _LETTERS.search(text):
        found["open"] = ("a file that holds a text; none is opened", lambda *_a, **_k: Instance(_FILE))
    for name, value, derivative in (
        ("sigmoid", _sigmoid, _d_sigmoid),
        ("relu", _relu, _d_relu),
        ("tanh", np.tanh, _d_tanh),
    ):
        twice = re.search(rf",\s*\w+\s*=\s*{name}\(", text) is not None
        words = {"sigmoid": "1 / (1 + exp(-z))", "relu": "max(z, 0)", "tanh": "tanh(z)"}[name]
        slopes = {"sigmoid": "sigmoid(z) * (1 - sigmoid(z))", "relu": "1 where z > 0", "tanh": "1 - tanh(z)**2"}[name]
        found[name] = (f"{words}, and z" if twice else words, _twice(value) if twice else value)
        for ending in ("_prime", "_derivative", "_gradient", "Gradient", "_grad", "_deriv", "Prime", "_der"):
            found[name + ending] = (f"{slopes}, of z", derivative)
        found[f"d_{name}"] = found[f"d{name}"] = (f"{slopes}, of z", derivative)
        found[f"{name}_backward"] = (f"dA * ({slopes}), of z", _backward(derivative))
    found["expit"] = ("1 / (1 + exp(-z))", _sigmoid)
    axis = 0 if columns else -1
    found["softmax"] = (f"exp(z) by its sum over {'each column' if columns else 'each row'}", _softmax(axis))
    return found


_LETTERS = re.compile(r"\bset\(|\bchars\b|char_to_i")
"""What a program has that asks for a text letter by letter."""
_TEXT = "the quick brown fox jumps over the lazy dog; a gradient is what the loss says, and pack my box with jugs. " * 3
_FILE = UserClass(
    "a file",
    {
        "read": BuiltIn("read", lambda *_a: _TEXT),
        "close": BuiltIn("close", lambda: None),
        "readlines": BuiltIn("readlines", lambda: [_TEXT]),
    },
)


def _twice(value: Function) -> Function:
    return lambda z: (value(z), z)


def _backward(derivative: Function) -> Function:
    return lambda dA, cache: np.asarray(dA) * derivative(cache[0] if isinstance(cache, tuple) else cache)
