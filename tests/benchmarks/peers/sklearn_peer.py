"""scikit-learn: the two passes inside its multilayer perceptron."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from tests.benchmarks.contest import Contender
from tests.benchmarks.nets import Net, named, weights_and_biases

ACTIVATIONS = {"sigmoid": "logistic", "relu": "relu"}


def gradient(net: Net) -> list[Contender]:
    params, X, y = net.data()
    model = MLPClassifier(net.widths[1:-1], activation=ACTIVATIONS[net.activation], alpha=0.0)
    model.coefs_, model.intercepts_ = weights_and_biases(net, params)
    model.n_layers_, model.n_outputs_, model.out_activation_ = len(net.widths), net.widths[-1], "softmax"
    targets = np.zeros((net.examples, net.widths[-1]), net.dtype)
    targets[np.arange(net.examples), y] = 1

    def run() -> tuple[list[np.ndarray], list[np.ndarray]]:
        activations = [X] + [None] * (model.n_layers_ - 1)
        deltas, dW, db = ([None] * (model.n_layers_ - 1) for _ in range(3))
        model._backprop(X, targets, None, activations, deltas, dW, db)
        return dW, db

    return [Contender("scikit-learn", "peer", run, lambda found: named(*found))]
