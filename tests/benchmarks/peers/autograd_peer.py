"""autograd, on NumPy."""

from __future__ import annotations

from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd import grad

from tests.benchmarks.contest import Arrays, Contender
from tests.benchmarks.nets import Net


def loss(net: Net, params: Arrays, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    for k in net.layers:
        X = anp.dot(X, params[f"W{k}"]) + params[f"b{k}"]
        if k < len(net.layers):
            X = 1 / (1 + anp.exp(-X)) if net.activation == "sigmoid" else anp.maximum(X, 0)
    X = X - anp.max(X, axis=1, keepdims=True)
    logs = X - anp.log(anp.sum(anp.exp(X), axis=1, keepdims=True))
    return -anp.mean(logs[np.arange(len(y)), y])


def gradient(net: Net) -> list[Contender]:
    params, X, y = net.data()

    def read(grads: Arrays) -> Arrays:
        # its float64 constants widen float32, which is its own affair
        return {name: np.asarray(g, net.dtype) for name, g in grads.items()}

    return [Contender("autograd", "peer", partial(grad(partial(loss, net)), params, X, y), read)]
