"""The gradient that belongs to `backprop.objective`, by hand, with the slips of the catalogue.

Each slip stands where the mistake is made: in the division by N, in δ of the output, in σ′, in the regulariser's
line, in the data the gradient reads, in the packing.
"""

from __future__ import annotations

import numpy as np

from tests.figures.backprop import (
    Problem,
    activate,
    objective,
    other_order,
    pack,
    penalty_factor,
    shaped_targets,
    slope,
    softmax,
    unpack,
)
from tests.figures.dialects import Arrays

__all__ = ["gradient", "gradients", "objective"]

CLIP = 0.02
FACTORS = {"times-2": 2.0, "times-half": 0.5}
AFTERWARDS = {"times-1.0001": 1.0001, "times-1.000001": 1.000001}


def gradient(
    problem: Problem, theta: np.ndarray, slip: str = "", layer: int = 0, cached: np.ndarray | None = None
) -> np.ndarray:
    """The packed gradient, right unless `slip` is given, or `cached`: the parameters of an older forward pass."""
    order = other_order(problem) if slip == "unpack-other-order" else None
    forward = None if cached is None else unpack(problem, cached)
    g = gradients(problem, unpack(problem, theta, order), slip, layer, forward)
    if slip == "blocks-in-wrong-order":  # the last layer's first, as backprop finds them
        names = problem.dialect.packed_names(list(g))
        return np.concatenate([g[n].ravel(problem.dialect.order) for n in reversed(names)])
    return pack(problem, g, other_order(problem) if slip == "ravel-other-order" else None)


def gradients(
    problem: Problem, params: Arrays, slip: str = "", layer: int = 0, forward: Arrays | None = None
) -> Arrays:
    """The gradients by name; `forward` are the parameters of the forward pass, if they are others."""
    if slip == "all-zero":
        return {n: np.zeros_like(a) for n, a in params.items()}  # allocated, never filled
    d, s = problem.dialect, slip
    here = lambda k: s if layer in (0, k) else ""  # noqa: E731
    X = _inputs(problem, s)
    inputs, Zs = [X], []
    for k in range(1, problem.layers + 1):
        Zs.append(d.forward(inputs[-1], forward or params, k, here(k)))
        inputs.append(activate(problem.activation, Zs[-1]))

    D = output_delta(problem, Zs[-1], s)
    if s == "last-example-dropped":  # for i in range(N - 1)
        D[-1 if d.rows else (slice(None), -1)] = 0
    p = params | {"step": 0.1 / problem.scale}
    grads: Arrays = {}
    for k in range(problem.layers, 0, -1):
        found, dA = d.backward(D, inputs[k - 1], p, k, here(k))
        grads |= found
        if k > 1:
            if here(k - 1) == "relu-mask-from-gradient":
                D = dA * (dA > 0)
            else:
                D = dA * slope(problem.activation, Zs[k - 2], inputs[k - 1], here(k - 1))
    grads = {n: np.array(grads[n], dtype=float) for n in params}
    if s == "empty-batch-nan":  # sums first, divides last
        grads = {n: g / problem.count for n, g in grads.items()}
    _regularise(problem, params, grads, s, layer)
    return _afterwards(grads, s, problem, layer)


def _inputs(problem: Problem, slip: str) -> np.ndarray:
    X, axis = problem.X, 0 if problem.dialect.rows else 1
    if slip == "centred-in-place":
        mean = X.mean(axis=axis)
        for n in range(problem.count):  # harmless a second time, on an array of its own; not on one row N times
            example = X[n] if axis == 0 else X[:, n]
            example -= mean
        return X + 0.5
    if problem.centred:
        X = X - X.mean(axis=axis, keepdims=True) + 0.5
    X = np.array(X, dtype=float)
    if slip == "inputs-reversed":
        X = np.flip(X, axis)
    elif slip == "inputs-to-int":
        X = X.astype(int).astype(float)
    elif slip == "inputs-float32":
        X = X.astype(np.float32).astype(float)
    return X


def output_delta(problem: Problem, Z: np.ndarray, slip: str) -> np.ndarray:
    """∂L/∂Z of the last layer: (p − y)/N."""
    d, N, K = problem.dialect, problem.count, problem.sizes[-1]
    axis = 1 if d.rows else 0
    T = _targets(problem, slip)
    if problem.loss == "max":
        top = Z.max(axis=axis, keepdims=True) == Z
        first = np.cumsum(top, axis=axis) == 1
        D = (top if slip == "ties-counted-twice" else top & first).astype(float)
    elif problem.loss == "squared_error":
        D = 2 * _difference(Z, T, slip, d.rows)
    elif problem.loss == "binary_cross_entropy":
        P = 1 / (1 + np.exp(-Z))
        if slip == "log-0":  # −y/p + (1−y)/(1−p), then p(1−p)
            D = (-T / P + (1 - T) / (1 - P)) * P * (1 - P)
        else:
            D = _difference(P, T, slip, d.rows)
    else:
        D = _softmax_delta(problem, Z, T, slip, axis)
    if slip == "sign":
        D = -D
    D = problem.scale * FACTORS.get(slip, 1.0) * D
    if slip in ("mean-missing", "empty-batch-nan") or N == 0:
        return D
    if slip == "n-minus-1":
        return D / (N - 1)
    if slip == "n-plus-1":
        return D / (N + 1)
    if slip == "mean-over-outputs-too":
        return D / (N * K)
    return D / N / (N if slip == "mean-twice" else 1)


def _softmax_delta(problem: Problem, Z: np.ndarray, T: np.ndarray, slip: str, axis: int) -> np.ndarray:
    if slip == "exp-overflow":
        E = np.exp(Z)  # not shifted
        P = E / E.sum(axis=axis, keepdims=True)
    else:
        P = softmax(Z, 1 - axis if slip == "softmax-wrong-axis" else axis)
    if slip == "softmax-diagonal-only":  # −y/p · p(1−p)
        return -T * (1 - P)
    if slip == "log-0":  # −y/p, then the whole Jacobian of the softmax
        G = -T / P
        return P * (G - (G * P).sum(axis=axis, keepdims=True))
    total = 1.0 if slip == "uint8-wraps" else T.sum(axis=axis, keepdims=True)
    return total * P - T


def _difference(P: np.ndarray, T: np.ndarray, slip: str, rows: bool) -> np.ndarray:
    if slip == "broadcast-n-by-n":  # (N, 1) − (N,), and a mean that makes the shape fit again
        if rows:
            return (P - T.ravel()).mean(axis=1, keepdims=True)
        return (P - T.ravel()[:, None]).mean(axis=0, keepdims=True)
    return P - T


def _targets(problem: Problem, slip: str) -> np.ndarray:
    T, Y, rows = shaped_targets(problem), problem.Y, problem.dialect.rows
    if slip == "class-off-by-one":  # labels of 1…K against an index of 0…K−1, or the reverse
        return np.roll(T, -1, axis=1 if rows else 0)
    if slip == "one-wrong-label":
        T = T.copy()
        first = T[0] if rows else T[:, 0]
        first[:] = np.roll(first, 1)
    if slip == "soft-as-one-hot":
        hard = T.argmax(axis=1 if rows else 0)
        T = np.eye(problem.sizes[-1])[hard]
        T = T if rows else T.T
    if slip == "class-weights-unnormalised" and problem.class_weights is not None:
        w = problem.class_weights[Y]
        T = T * w.sum() / len(w)
    if slip == "uint8-wraps":
        hot = T.astype(np.uint8)
        return -((-hot).astype(float))  # δ = −y + p, where −y is of y's type
    return T


def _regularise(problem: Problem, params: Arrays, grads: Arrays, slip: str, layer: int) -> None:
    d, N = problem.dialect, max(problem.count, 1)
    factor = problem.scale * penalty_factor(problem)
    if slip == "penalty-missing":
        return
    if slip == "penalty-twice":
        factor = 2 * factor  # λΣW² differentiated, where ½λΣW² is meant
    elif slip == "penalty-sign":
        factor = -factor
    elif slip == "penalty-over-n":
        factor = factor * N if d.penalty == "half-over-n" else factor / N
    for name, W in params.items():
        if slip == "penalty-in-one-layer" and name[-1] != str(layer or 1):
            continue
        if name[0] == "b":
            if slip == "bias-regularised":
                grads[name] += factor * W
            continue
        term = factor * (np.sign(W) if slip == "penalty-l1" else W)
        if d.bias_in_weight and slip != "bias-regularised":
            term[:, 0] = 0
        grads[name] += term


def _afterwards(grads: Arrays, slip: str, problem: Problem, layer: int) -> Arrays:
    name = f"{problem.dialect.weight}{layer or 1}"
    if slip in AFTERWARDS:
        return {n: AFTERWARDS[slip] * g for n, g in grads.items()}
    if slip == "clipped":
        return {n: np.clip(g, -CLIP, CLIP) for n, g in grads.items()}
    if slip == "transposed-weight-gradient":
        grads[name] = grads[name].T  # where W is not square, packing hides the shape
    if slip == "one-entry-zero":  # a loop that starts at 1
        grads[name].flat[0] = 0.0
    if slip == "one-nan":
        norms = np.ones_like(grads[name])
        norms.flat[-1] = 0.0
        grads[name] = grads[name] * norms / norms
    return grads
