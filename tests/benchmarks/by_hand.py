"""The same gradients in NumPy as a careful programmer writes them, in place and with masks, batch in rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.benchmarks.nets import Arrays, Net


def gradient(net: Net, params: Arrays, X: np.ndarray, y: np.ndarray) -> Callable[[], Arrays]:
    """Return a function that computes the gradient of the mean softmax cross-entropy."""
    layers = len(net.widths) - 1
    weights = [params[f"W{k}"] for k in range(1, layers + 1)]
    biases = [params[f"b{k}"] for k in range(1, layers + 1)]
    count, scale = X.shape[0], net.dtype(1.0 / X.shape[0])
    ones, places = np.ones(count, net.dtype), np.arange(count)
    sigmoid = net.activation == "sigmoid"

    def run() -> Arrays:
        A, kept = X, [X]
        for k in range(layers - 1):
            Z = A.dot(weights[k])
            Z += biases[k]
            if sigmoid:
                np.negative(Z, out=Z)
                np.exp(Z, out=Z)
                Z += 1
                np.reciprocal(Z, out=Z)
            else:
                np.maximum(Z, 0, out=Z)
            A = Z
            kept.append(A)
        D = A.dot(weights[-1])
        D += biases[-1]
        D -= D.max(axis=1, keepdims=True)
        np.exp(D, out=D)
        D /= D.sum(axis=1, keepdims=True)
        D[places, y] -= 1
        D *= scale
        grads = {}
        for k in range(layers, 0, -1):
            grads[f"W{k}"], grads[f"b{k}"] = kept[k - 1].T.dot(D), ones.dot(D)
            if k > 1:
                D = D.dot(weights[k - 1].T)
                A = kept[k - 1]
                if sigmoid:
                    D *= A
                    np.subtract(1, A, out=A)
                    D *= A
                else:
                    D *= A > 0
        return grads

    return run
