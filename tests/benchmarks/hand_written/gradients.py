"""The gradients in NumPy as a careful programmer writes them, in the ways that are fastest for one net or another.

All are in place, with one exponential for an activation and its derivative, and the bias's gradient as a product with
ones. They differ in the orientation of what they keep, in blocks of examples, and in how few calls they make.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.benchmarks.nets import Arrays, Net, named, weights_and_biases
from tests.benchmarks.timing import fastest

Gradient = Callable[[], Arrays]


def in_rows(net: Net, params: Arrays, X: np.ndarray, y: np.ndarray) -> Gradient:
    """Batch in rows and weights (in, out), as most people write it."""
    weights, biases = weights_and_biases(net, params)
    scale, ones, places = net.dtype(1 / len(X)), np.ones(len(X), net.dtype), np.arange(len(X))
    activate, backward = _exponential if net.activation == "sigmoid" else _relu

    def run() -> Arrays:
        A, kept = X, [X]
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            A = A.dot(W)
            A += b
            activate(A)
            kept.append(A)
        D = A.dot(weights[-1])
        D += biases[-1]
        D -= D.max(axis=1, keepdims=True)
        np.exp(D, out=D)
        D /= D.sum(axis=1, keepdims=True)
        D[places, y] -= 1
        D *= scale
        dW, db = [], []
        for W, A in zip(reversed(weights), reversed(kept), strict=True):
            dW.append(A.T.dot(D))
            db.append(ones.dot(D))
            if A is not X:
                D = D.dot(W.T)
                backward(D, A)
        return named(dW[::-1], db[::-1])

    return run


def in_columns(net: Net, params: Arrays, X: np.ndarray, y: np.ndarray, block: int = 0, kept: bool = False) -> Gradient:
    """Batch in columns and weights (out, in): long arrays lie along the examples.

    In blocks of examples if `block` is not 0; and into the same intermediate arrays at every call if `kept`.
    """
    weights, biases = weights_and_biases(net, params)
    biases = [b.reshape(-1, 1) for b in biases]
    count = X.shape[1]
    scale = net.dtype(1 / count)
    parts = [slice(i, i + (block or count)) for i in range(0, count, block or count)]
    data = [(np.ascontiguousarray(X[:, part]), y[part]) for part in parts]
    ones, places = np.ones(count, net.dtype), np.arange(count)
    activate, backward = _half_tanh if net.activation == "sigmoid" else _relu
    outer = [_outer(W.shape, data[0][0].shape[1], net.dtype) for W in weights]
    buffers: dict[tuple[str, int], np.ndarray] = {}

    def product(place: tuple[str, int], left: np.ndarray, right: np.ndarray) -> np.ndarray:
        if not kept or right.shape[1] != data[0][0].shape[1]:
            return left.dot(right)
        buffers[place] = left.dot(right, buffers.get(place))
        return buffers[place]

    def of_block(X: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        A, inputs = X, [X]
        for k, (W, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            A = product(("A", k), W, A)
            A += b
            activate(A)
            inputs.append(A)
        D = product(("Z", 0), weights[-1], A)
        D += biases[-1]
        D -= D.max(axis=0)
        np.exp(D, out=D)
        D /= D.sum(axis=0)
        D[y, places[: y.size]] -= 1
        D *= scale
        dW, db = [], []
        for k in reversed(range(len(weights))):
            dW.append(outer[k](D, inputs[k]))
            db.append(D.dot(ones[: y.size]))
            if k:
                D = product(("D", k), weights[k].T, D)
                backward(D, inputs[k])
        return dW[::-1], db[::-1]

    def run() -> Arrays:
        dW, db = of_block(*data[0])
        for part in data[1:]:
            for total, more in zip([*dW, *db], [a for both in of_block(*part) for a in both], strict=True):
                total += more
        return named(dW, db)

    return run


def in_fewest_calls(net: Net, params: Arrays, X: np.ndarray, y: np.ndarray) -> Gradient:
    """Batch in rows, biases as a last row of the weights against a kept column of ones, the targets ready as 0 and 1.

    Each call costs a microsecond or more, and for small nets nothing else does. Parameters and gradients of a layer
    are views of one array, as a program that is written around this would keep them.
    """
    count = len(X)
    weights = [np.vstack([W, b]) for W, b in zip(*weights_and_biases(net, params), strict=True)]
    inner = [W[:-1].T for W in weights]
    inputs = [np.ones((count, len(W)), net.dtype) for W in weights]
    flat = [A[:, :-1] for A in inputs]
    flat[0][...] = X
    turned = [A.T for A in inputs]
    sums = np.empty((count, 1), net.dtype)
    targets = np.zeros((count, net.widths[-1]), net.dtype)
    scale = net.dtype(1 / count)
    targets[np.arange(count), y] = scale
    sigmoid = net.activation == "sigmoid"
    last = len(weights) - 1
    half = net.dtype(0.5)

    def run() -> Arrays:
        for k in range(last):
            Z = inputs[k].dot(weights[k])
            if sigmoid:
                np.multiply(Z, half, Z)
                np.tanh(Z, Z)
                np.multiply(Z, half, Z)
                np.add(Z, half, flat[k + 1])
            else:
                np.maximum(Z, 0, out=flat[k + 1])
        D = inputs[last].dot(weights[last])
        np.subtract(D, np.maximum.reduce(D, 1, None, None, True), D)
        np.exp(D, D)
        np.divide(scale, np.add.reduce(D, 1, None, sums, True), sums)
        np.multiply(D, sums, D)
        np.subtract(D, targets, D)
        grads = [turned[last].dot(D)]
        for k in range(last, 0, -1):
            D = D.dot(inner[k])
            if sigmoid:
                np.multiply(D, flat[k], D)
                np.multiply(D, np.subtract(1, flat[k]), D)
            else:
                np.multiply(D, np.greater(flat[k], 0), D)
            grads.append(turned[k - 1].dot(D))
        grads.reverse()
        return named([g[:-1] for g in grads], [g[-1] for g in grads])

    return run


def _outer(shape: tuple[int, int], count: int, dtype: type) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """D Aᵀ, or (A Dᵀ)ᵀ: on tall thin shapes one is up to twice as fast as the other."""
    D, A = np.ones((shape[0], count), dtype), np.ones((shape[1], count), dtype)
    ways = {"plain": lambda D, A: D.dot(A.T), "transposed": lambda D, A: A.dot(D.T).T}
    return ways[fastest({name: partial(way, D, A) for name, way in ways.items()})]


def _sigmoid_backward(D: np.ndarray, A: np.ndarray) -> None:
    D *= A
    np.subtract(1, A, out=A)
    D *= A


def _exponential_forward(Z: np.ndarray) -> None:
    np.negative(Z, out=Z)
    np.exp(Z, out=Z)
    Z += 1
    np.reciprocal(Z, out=Z)


def _half_tanh_forward(Z: np.ndarray) -> None:
    Z *= 0.5
    np.tanh(Z, out=Z)
    Z *= 0.5
    Z += 0.5


def _relu_backward(D: np.ndarray, A: np.ndarray) -> None:
    np.greater(A, 0, out=A)  # straight into the floats, of which no one needs more than the sign
    D *= A


_exponential = (_exponential_forward, _sigmoid_backward)
_half_tanh = (_half_tanh_forward, _sigmoid_backward)
_relu = (lambda Z: np.maximum(Z, 0, out=Z), _relu_backward)
