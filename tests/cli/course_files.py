"""Solutions of course exercises as their courses save them, written as their courses write them: no library in here."""

from __future__ import annotations

import numpy as np

Arrays = dict[str, np.ndarray]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def ng_linear(strength=0.0, *, factor=1.0, count_twice=False, regularise_bias=False) -> Arrays:
    """Exercises 1 and 5: linearRegCostFunction, ones in X, theta a column."""
    rng = np.random.default_rng(1)
    m = 12
    X = np.c_[np.ones(m), rng.uniform(-50, 40, size=(m, 1))]
    y = 10 + 0.4 * X[:, 1:] + rng.normal(size=(m, 1))
    theta = np.ones((2, 1))
    grad = factor * X.T @ (X @ theta - y) / (m * m if count_twice else m)
    kept = theta if regularise_bias else np.r_[[[0.0]], theta[1:]]
    grad = grad + strength / m * kept
    J = ((X @ theta - y) ** 2).sum() / (2 * m) + strength / (2 * m) * (theta[1:] ** 2).sum()
    return {"X": X, "y": y, "theta": theta, "grad": grad, "J": np.array([[J]])}


def ng_logistic(strength=0.0, *, missing=False, bias=False) -> Arrays:
    """Exercises 2 and 3: costFunctionReg and lrCostFunction, one classifier with y in 0, 1."""
    rng = np.random.default_rng(2)
    m = 30
    X = np.c_[np.ones(m), rng.normal(size=(m, 4))]
    y = (rng.random((m, 1)) < 0.5) * 1.0
    theta = rng.normal(size=(5, 1))
    grad = X.T @ (sigmoid(X @ theta) - y) / m
    temp = theta.copy()
    if not bias:
        temp[0] = 0
    if not missing:
        grad = grad + strength / m * temp
    found = {"X": X, "y": y, "theta": theta, "grad": grad}
    return found | ({"lambda": np.array([[strength]])} if strength else {})


def ng_network(strength=1.0, *, slip="", labels=None) -> Arrays:
    """Exercise 4: nnCostFunction, labels 1 … K, Theta1_grad and Theta2_grad."""
    rng = np.random.default_rng(3)
    m, n, h, K = 16, 5, 4, 3
    X = rng.normal(size=(m, n))
    y = np.arange(m)[:, None] % K + 1.0 if labels is None else labels
    Theta1, Theta2 = rng.normal(size=(h, n + 1)), rng.normal(size=(K, h + 1))
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ Theta1.T)]
    a3 = sigmoid(a2 @ Theta2.T)
    d3 = a3 - one_hot(y[:, 0].astype(int) - (0 if slip == "labels" else 1), K + (slip == "labels"))[:, :K]
    derivative = a2[:, 1:] * (1 - a2[:, 1:])
    d2 = d3 @ Theta2[:, 1:] * (1 if slip == "derivative" else derivative)
    g1, g2 = d2.T @ a1, d3.T @ a2
    if slip != "count":
        g1, g2 = g1 / m, g2 / m
    for grad, Theta in ((g1, Theta1), (g2, Theta2)):
        if slip == "bias":
            grad += strength / m * Theta
        elif slip != "strength":
            grad[:, 1:] += strength / m * Theta[:, 1:]
    if slip == "sign":
        g1, g2 = -g1, -g2
    found = {"X": X, "y": y, "Theta1": Theta1, "Theta2": Theta2, "Theta1_grad": g1, "Theta2_grad": g2}
    return found | {"lambda": np.array([[strength]])}


def octave_packed(found: Arrays) -> Arrays:
    """[Theta1(:); Theta2(:)], as nn_params and grad."""

    def packed(*names):
        return np.concatenate([found[name].ravel(order="F") for name in names])[:, None]

    rest = {name: array for name, array in found.items() if not name.startswith("Theta")}
    return rest | {"nn_params": packed("Theta1", "Theta2"), "grad": packed("Theta1_grad", "Theta2_grad")}


def cs231n_two_layer(strength=0.1, *, slip="", activation="relu") -> Arrays:
    """Assignment 1's TwoLayerNet: half reg ΣW², softmax, ReLU."""
    rng = np.random.default_rng(4)
    N, D, H, C = 14, 6, 7, 3
    X, y = rng.normal(size=(N, D)), np.arange(N) % C
    W1, b1 = rng.normal(size=(D, H)), rng.normal(size=H)
    W2, b2 = rng.normal(size=(H, C)), rng.normal(size=C)
    hidden = np.maximum(0, X @ W1 + b1) if activation == "relu" else np.tanh(X @ W1 + b1)
    scores = hidden @ W2 + b2
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    if slip != "count":
        dscores /= N
    dhidden = dscores @ W2.T
    if activation == "tanh":
        dhidden *= 1 - hidden**2
    elif slip != "relu":
        dhidden[hidden <= 0] = 0
    weight = {"double": 2.0, "strength": 0.0}.get(slip, 1.0) * strength
    dW1, dW2 = X.T @ dhidden + weight * W1, hidden.T @ dscores + weight * W2
    grads = {"dW1": dW1, "db1": dhidden.sum(axis=0), "dW2": dW2, "db2": dscores.sum(axis=0)}
    return {"X": X, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2, **grads, "reg": np.array(strength)}


def cs231n_classifier(kind, strength=0.25, *, half=False) -> Arrays:
    """Assignment 1's softmax_loss_vectorized and svm_loss_vectorized: ones in X, reg ΣW²."""
    rng = np.random.default_rng(5)
    N, D, C = 11, 5, 4
    X, y = np.c_[rng.normal(size=(N, D)), np.ones(N)], np.arange(N) % C
    W = 0.3 * rng.normal(size=(D + 1, C))
    scores = X @ W
    if kind == "softmax":
        d = np.exp(scores)
        d /= d.sum(axis=1, keepdims=True)
        d[range(N), y] -= 1
    else:
        margins = np.maximum(0, scores - scores[range(N), y][:, None] + 1)
        margins[range(N), y] = 0
        d = (margins > 0) * 1.0
        d[range(N), y] = -d.sum(axis=1)
    dW = X.T @ d / N + (1 if half else 2) * strength * W
    return {"X": X, "y": y, "W": W, "dW": dW, "reg": np.array(strength)}


def dlai_deep(*, slip="") -> Arrays:
    """Course 1's L_layer_model: columns, ReLU and a last sigmoid, Y (1, m)."""
    rng = np.random.default_rng(6)
    widths, m = (6, 5, 4, 1), 13
    X, Y = rng.normal(size=(widths[0], m)), (np.arange(m)[None] % 2).astype(int)
    parameters, A, caches = {}, X, []
    for layer in (1, 2, 3):
        W, b = rng.normal(size=(widths[layer], widths[layer - 1])), rng.normal(size=(widths[layer], 1))
        Z = W @ A + b
        caches.append((A, W, Z))
        parameters |= {f"W{layer}": W, f"b{layer}": b}
        A = np.maximum(0, Z) if layer < 3 else sigmoid(Z)
    grads, dZ = {}, A - Y
    for layer in (3, 2, 1):
        A_prev, W, _ = caches[layer - 1]
        grads[f"dW{layer}"] = dZ @ A_prev.T / (1 if slip == "count" else m)
        grads[f"db{layer}"] = (
            dZ.mean() * np.ones((widths[layer], 1)) if slip == "mean" else dZ.sum(axis=1, keepdims=True) / m
        )
        if layer > 1:
            dZ = W.T @ dZ * (caches[layer - 2][2] > 0)
    return {"X": X, "Y": Y, **parameters, **grads}
