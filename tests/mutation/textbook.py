"""Every operation's value as a textbook has it: NumPy's own functions, one example or one entry at a time.

The laws compare a Jacobian with its operation's value; what the value ought to be, they cannot know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

Array = np.ndarray


def textbook(operation: Any, *arrays: Array) -> Array:
    """The value of an operation at its inputs."""
    kind = type(operation).__name__
    if kind in ENTRIES:
        return np.vectorize(lambda z: ENTRIES[kind](operation, float(z)), otypes=[float])(arrays[0])
    if kind in LOSSES:
        return _loss(operation, *arrays)
    return OTHERS[kind](operation, *(np.asarray(a, dtype=np.float64) for a in arrays))


def _phi(z: float) -> float:
    return 0.5 * (1 + float(erf(z / math.sqrt(2))))


ENTRIES: dict[str, Callable[[Any, float], float]] = {
    "Sigmoid": lambda o, z: 1 / (1 + math.exp(-z)),
    "Tanh": lambda o, z: math.tanh(z),
    "ReLU": lambda o, z: max(z, 0.0),
    "LeakyReLU": lambda o, z: z if z > 0 else o.slope * z,
    "Softplus": lambda o, z: math.log(1 + math.exp(z)),
    "SiLU": lambda o, z: z / (1 + math.exp(-z)),
    "GELU": lambda o, z: z * _phi(z),
    "Exp": lambda o, z: math.exp(z),
    "Log": lambda o, z: math.log(z),
    "Square": lambda o, z: z * z,
    "Power": lambda o, z: float(z**o.exponent),
}


def by_rows(layout: Any, batch: Array) -> Array:
    """One example a row."""
    return batch if layout.batch == "rows" else batch.T


def _affine(operation: Any, X: Array, W: Array, b: Array | None = None) -> Array:
    layout = operation.layout
    nodes = W if layout.weights == "rows" else W.T
    rows = []
    for x in by_rows(layout, X):
        given = {"first": [1.0, *x], "last": [*x, 1.0]}.get(layout.bias, list(x))
        rows.append([sum(w * v for w, v in zip(node, given, strict=True)) for node in nodes])
    Z = np.array(rows) + (0.0 if b is None else b.ravel())
    return by_rows(layout, Z)


def _add_ones(operation: Any, X: Array) -> Array:
    layout = operation.layout
    rows = [[1.0, *x] if layout.bias == "first" else [*x, 1.0] for x in by_rows(layout, X)]
    return by_rows(layout, np.array(rows))


def _softmax(operation: Any, Z: Array) -> Array:
    axis = -1 if operation.layout.batch == "rows" else 0
    return np.apply_along_axis(lambda z: np.array([math.exp(v) for v in z]) / math.fsum(map(math.exp, z)), axis, Z)


def _chain(operation: Any, X: Array, *parameters: Array) -> Array:
    left = list(parameters)
    for part in operation.parts:
        count = len(part.names) - 1
        X = textbook(part, X, *left[:count])
        left = left[count:]
    return X


def _parallel(operation: Any, X: Array, *parameters: Array) -> Array:
    left, values = list(parameters), []
    for part in operation.parts:
        count = len(part.names) - 1
        values.append(textbook(part, X, *left[:count]))
        left = left[count:]
    return np.hstack(values) if operation.layout.batch == "rows" else np.vstack(values)


def _l2(operation: Any, W: Array) -> Array:
    nodes = W if operation.layout.weights == "rows" else W.T
    if not operation.include_bias:
        nodes = {"first": nodes[:, 1:], "last": nodes[:, :-1]}.get(operation.layout.bias, nodes)
    return np.asarray(operation.scale * math.fsum(w * w for w in nodes.ravel()))


OTHERS: dict[str, Callable[..., Array]] = {
    "Affine": _affine,
    "AddOnes": _add_ones,
    "Softmax": _softmax,
    "LogSoftmax": lambda o, Z: np.log(_softmax(o, Z)),
    "Transpose": lambda o, X: np.array([[row[j] for row in X] for j in range(X.shape[1])]),
    "Reshaping": lambda o, X: np.array(X.ravel().tolist()).reshape(o.shape),
    "Total": lambda o, X: np.add.reduce(X, axis=None if o.axis is None else o.axis),
    "Mean": lambda o, X: np.mean(X, axis=o.axis),
    "MatMul": lambda o, A, B: np.einsum("ij,jk->ik", A, B),
    "Hadamard": lambda o, A, B: A * B,
    "Add": lambda o, A, B: A + B,
    "Chain": _chain,
    "Residual": lambda o, X, *rest: X + textbook(o.parts[0], X, *rest),
    "Parallel": _parallel,
    "L2": _l2,
}


def _cross_entropy(loss: Any, x: Array, y: Array) -> float:
    p = [math.exp(v) / math.fsum(map(math.exp, x)) for v in x]
    return -math.fsum(t * math.log(q) for t, q in zip(y, p, strict=True))


def _binary(p: list[float], y: Array) -> float:
    return -math.fsum(t * math.log(q) + (1 - t) * math.log(1 - q) for t, q in zip(y, p, strict=True))


def _hinge(loss: Any, x: Array, y: Array) -> float:
    true = int(np.argmax(y))
    return math.fsum(max(0.0, v - x[true] + loss.margin) for k, v in enumerate(x) if k != true)


LOSSES: dict[str, Callable[[Any, Array, Array], float]] = {
    "SquaredError": lambda o, x, y: o.factor * math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)),
    "CrossEntropy": _cross_entropy,
    "BinaryCrossEntropy": lambda o, x, y: _binary([1 / (1 + math.exp(-v)) for v in x], y),
    "ProbabilityCrossEntropy": lambda o, x, y: _binary(list(x), y),
    "Logistic": lambda o, x, y: math.fsum(math.log(1 + math.exp(-t * v)) for t, v in zip(y, x, strict=True)),
    "MulticlassHinge": _hinge,
}


def _loss(loss: Any, X: Array, Y: Array) -> Array:
    rows = by_rows(loss.layout, np.asarray(X, dtype=np.float64)) if X.ndim == 2 else X[:, None]
    if Y.ndim == 1 and X.ndim == 2:
        targets = np.eye(rows.shape[1])[Y]
    else:
        targets = by_rows(loss.layout, Y) if Y.ndim == 2 else Y[:, None]
    losses = [LOSSES[type(loss).__name__](loss, x, y) for x, y in zip(rows, targets, strict=True)]
    size = {"mean": len(losses), "mean-all": rows.size}.get(loss.reduction, 1)
    return np.array(losses) if loss.reduction == "none" else np.asarray(math.fsum(losses) / size)
