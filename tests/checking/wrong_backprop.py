"""A backward pass written by hand, one example a row and one node a row, with slips that can be switched on.

It shares no code with the library's Jacobians and none with its catalogue of mutations: a diagnosis must recognise the
slip from the numbers alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
Layers = list[tuple[Array, Array | None]]

VALUES = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
}
SLOPES = {
    "sigmoid": lambda z: VALUES["sigmoid"](z) * (1 - VALUES["sigmoid"](z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0) * 1.0,
}


@dataclass
class Problem:
    """Weights (out, in), biases (out,), X (N, D), integer labels, soft targets or None."""

    weights: list[Array]
    biases: list[Array]
    X: Array
    labels: Array
    activation: str = "sigmoid"
    slope: float = 0.0  # the regulariser's gradient is slope·W
    penalise_bias: bool = False
    soft: Array | None = None
    options: dict[str, object] = field(default_factory=dict)

    @property
    def targets(self) -> Array:
        if self.soft is not None:
            return self.soft
        return np.eye(self.weights[-1].shape[0])[self.labels]


def backprop(p: Problem, bug: str = "", layer: int = 1) -> Layers:
    """Return (dW, db) by layer for the mean softmax cross-entropy; a slip is named, and where it is made."""
    X, T, N = p.X, p.targets, len(p.X)
    if bug == "X truncated":
        X = np.trunc(X)
    if bug == "X float32":
        X = X.astype(np.float32).astype(float)
    if bug == "X reversed":
        X = X[::-1]
    if bug == "labels off by one":
        T = np.roll(T, 1, axis=1)
    if bug == "one wrong label":
        T = T.copy()
        T[layer] = np.roll(T[layer], 1)
    if bug == "soft as one-hot":
        T = np.eye(T.shape[1])[T.argmax(axis=1)]
    if bug == "uint8 label lost":
        T = T * (p.labels != 0)[:, None]
    value, slope = VALUES[p.activation], SLOPES[p.activation]
    A, Z = [X], []
    for W, b in zip(p.weights, p.biases, strict=True):
        Z.append(A[-1] @ W.T + b)
        A.append(value(Z[-1]))
    e = np.exp(Z[-1] - Z[-1].max())
    P = e / e.sum(axis=1, keepdims=True)
    delta = (P - T) / N
    if bug == "softmax axis":
        delta = (e / e.sum(axis=0) - T) / N
    if bug == "softmax diagonal":
        delta = P * (1 - P) * (-T / P) / N
    if bug == "no targets":
        delta = P / N
    if bug == "sigmoid for softmax":
        delta = (VALUES["sigmoid"](Z[-1]) - T) / N
    if bug == "extra output slope":
        delta = delta * P * (1 - P)
    if bug == "class weights":
        delta = delta * (1 + p.labels)[:, None]
    if bug == "last dropped":
        delta[-1] = 0
    if bug == "one dropped":
        delta[3] = 0
    factor = {
        "sign": -1, "no 1/N": N, "1/N twice": 1 / N, "N-1": N / max(N - 1, 1),
        "N+1": N / (N + 1), "1/K": 1 / T.shape[1],
        "twice": 2, "half": 0.5, "ratio": 1.0001, "tiny ratio": 1.000001,
    }.get(bug, 1)  # fmt: skip
    delta = delta * factor
    grads: Layers = []
    for k in reversed(range(len(p.weights))):
        here = k + 1 == layer
        data = A[k]
        if bug == "data reshaped" and here:
            data = A[k].T.reshape(A[k].shape)
        if bug == "local X reversed" and k == 0:
            data = A[k][::-1]
        dW, db = delta.T @ data, delta.sum(axis=0)
        if here:
            db = {
                "db averaged": delta.mean(axis=0), "db of one": delta[0], "db all axes": np.full_like(db, delta.sum()),
                "db zero": 0 * db,
            }.get(bug, db)  # fmt: skip
        grads.append((dW, db))
        if k:
            W = p.weights[k]
            if bug == "updated W":
                W = W - 0.37 * (dW + p.slope * W)
            back = delta @ W
            if bug == "W not transposed" and here and W.shape[0] == W.shape[1]:
                back = delta @ W.T
            d = slope(Z[k - 1])
            if k == layer:  # the activation that closes layer k
                d = {
                    "no slope": np.ones_like(d),
                    "slope at a": slope(A[k]),
                    "slope formula at z": Z[k - 1] * (1 - Z[k - 1]),
                    "tanh slope": 1 - np.tanh(Z[k - 1]) ** 2,
                    "tanh slope of a": 1 - A[k] ** 2,
                    "slope clipped": np.clip(d, 0.2, None),
                    "mask from gradient": (back > 0) * 1.0,
                }.get(bug, d)  # fmt: skip
                if bug == "delta clipped":
                    back = np.clip(back, -1e-3, 1e-3)
            if bug == "no slope anywhere":
                d = np.ones_like(d)
            delta = back * d
    return _finished(p, grads[::-1], bug, layer)


def _finished(p: Problem, grads: Layers, bug: str, layer: int) -> Layers:
    """The regulariser, and what happens to finished gradients."""
    N = len(p.X)
    scale = {"no l2": 0.0, "l2 twice": 2.0, "l2 over N": 1 / N, "l2 sign": -1.0, "l2 odd": 1.7}.get(bug, 1.0) * p.slope
    out: Layers = []
    for k, ((dW, db), W, b) in enumerate(zip(grads, p.weights, p.biases, strict=True), start=1):
        here = k == layer
        own = 0.0 if bug == "no l2 in one layer" and here else scale
        dW = dW + (p.slope * np.sign(W) if bug == "l1" else own * W)
        share = p.slope * np.sign(b) if bug == "l1" else own * b
        db = db + (share if p.penalise_bias != (bug == "bias l2") else 0)
        if here and bug == "rows reversed":
            dW = dW[::-1]
        if here and bug == "rows swapped":
            dW = dW[[1, 0, *range(2, len(dW))]]
        if here and bug == "W only twice":
            dW, db = 2 * dW, db
        if here and bug == "layer odd":
            dW = 1.3 * dW
        if here and bug == "one entry zero":
            dW = dW.copy()
            dW[0, 1] = 0
        out.append((dW, db))
    if bug == "accumulated":
        out = [(3 * dW, 3 * db) for dW, db in out]
    if bug == "clipped":
        top = 0.5 * max(np.abs(dW).max() for dW, _ in out)
        out = [(np.clip(dW, -top, top), np.clip(db, -top, top)) for dW, db in out]
    if bug == "zero":
        out = [(0 * dW, 0 * db) for dW, db in out]
    return out
