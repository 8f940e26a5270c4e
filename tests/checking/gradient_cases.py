"""Functions with gradients that are known right, and ways of getting them slightly wrong."""

from __future__ import annotations

import numpy as np

_RNG = np.random.default_rng(7)
A, B, C = _RNG.normal(size=(6, 5)), _RNG.normal(size=(5, 5)), _RNG.normal(size=5)


def _softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


RIGHT = {
    "quadratic": (lambda x: x @ B @ x, lambda x: (B + B.T) @ x),
    "tanh": (lambda x: np.tanh(A @ x).sum(), lambda x: A.T @ (1 - np.tanh(A @ x) ** 2)),
    "log-sum-exp": (lambda x: np.log(np.exp(A @ x).sum()), lambda x: A.T @ _softmax(A @ x)),
    "norm": (lambda x: np.linalg.norm(A @ x - 1), lambda x: A.T @ (A @ x - 1) / np.linalg.norm(A @ x - 1)),
    "abs": (lambda x: np.abs(A @ x).sum(), lambda x: A.T @ np.sign(A @ x)),
    "relu": (lambda x: np.maximum(A @ x, 0).sum(), lambda x: A.T @ (A @ x > 0)),
    "relu²": (lambda x: (np.maximum(A @ x, 0) ** 2).sum(), lambda x: 2 * A.T @ np.maximum(A @ x, 0)),
    "max": (lambda x: (A @ x).max(), lambda x: A[np.argmax(A @ x)].copy()),
    "power 20": (lambda x: (x**20).sum(), lambda x: 20 * x**19),
    "fast": (lambda x: np.sin(50 * x).sum(), lambda x: 50 * np.cos(50 * x)),
    "log near 0": (lambda x: np.log(np.abs(x)).sum(), lambda x: 1 / x),
    "linear": (lambda x: (C * x).sum(), lambda x: C.copy()),
    "constant": (lambda x: 1.0, lambda x: 0 * x),
    "float32 inside": (
        lambda x: float(np.tanh((A @ x).astype(np.float32)).sum()),
        lambda x: A.T @ (1 - np.tanh(A @ x) ** 2),
    ),
    "cancelling": (lambda x: ((1e8 + x) - 1e8).sum(), lambda x: np.ones(5)),
}

WRONG = {
    "×1.000001": lambda g: g * 1.000001,
    "sign": lambda g: -g,
    "half": lambda g: g / 2,
    "zero": lambda g: 0 * g,
    "one entry": lambda g: np.where(np.arange(g.size) == np.argmax(np.abs(g)), 1.0001 * g, g),
    "rolled": lambda g: np.roll(g, 1),
}
