"""A net by hand, with one slip in its backward pass, and how each course and library saves it: no library in here."""

from __future__ import annotations

import itertools

import numpy as np

Arrays = dict[str, np.ndarray]
Layers = list[tuple[np.ndarray, np.ndarray]]

SLOPES = {"sigmoid": lambda a: a * (1 - a), "relu": lambda a: (a > 0) * 1.0}
OF_THE_REGULARISER = {"reg forgotten": 0.0, "reg twice": 2.0, "reg sign": -1.0}
OF_THE_LOSS = {"sign": -1.0, "half": 0.5}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def output_delta(z, T, loss, slip):
    """∂loss/∂z of the sum over the examples."""
    if loss == "hinge":
        own = (z * T).sum(axis=1, keepdims=True)
        over = ((z - own + 1 > 0) & (T == 0)) * 1.0
        return over - T * (1 if slip == "true class once" else over.sum(axis=1, keepdims=True))
    if loss == "softmax":
        return softmax(z, 0 if slip == "softmax axis" else 1) - T
    p = z if loss == "squared" or slip == "sigmoid forgotten" else sigmoid(z)
    exchanged = 1 - T if slip == "exchanged" else T
    return (p - exchanged) * (p * (1 - p) if loss == "squared sigmoid" else 1)


def gradient(X, T, layers: Layers, *, loss, weight, hidden="relu", reg=0.0, reg_bias=False, slip="") -> Layers:
    """The gradient by each (W, b); W is (in, out), `weight` stands before the loss and `reg` before each W."""
    A = [X]
    for W, b in layers:
        Z = A[-1] @ W + b
        A.append(sigmoid(Z) if hidden == "sigmoid" else np.maximum(0, Z))
    weight = weight * OF_THE_LOSS.get(slip, 1.0) * (len(X) if slip == "no 1/m" else 1)
    D = (weight * output_delta(Z, T, loss, slip)).astype(X.dtype)
    reg = X.dtype.type(reg * OF_THE_REGULARISER.get(slip, 1.0))
    grads: Layers = []
    for k in reversed(range(len(layers))):
        W, b = layers[k]
        db = {"db mean": D.mean(axis=0), "db1 = 99": D[0] * 0 + 99}.get(slip, D.sum(axis=0))
        grads.insert(0, (A[k].T @ D + reg * W, db + (reg * b if reg_bias or slip == "bias regularised" else 0)))
        D = D @ W.T
        if slip != "slope forgotten":
            D = D * SLOPES[hidden](A[k]).astype(X.dtype)
    if slip == "after the step":
        return [(W - 0.1 * dW, b - 0.1 * db) for (W, b), (dW, db) in zip(layers, grads, strict=True)]
    return [(dW.astype(X.dtype), db.astype(X.dtype)) for dW, db in grads]


# --- how it is saved -----------------------------------------------------------------------------


def ng(X, y, layers, grads, *, how) -> Arrays:
    """Octave: the bias is the first column of Theta; with ones in X where there is one theta."""
    Thetas, slopes = ([np.c_[b[:, None], W.T] for W, b in pairs] for pairs in (layers, grads))
    file = {"X": np.c_[np.ones((len(X), 1), X.dtype), X] if how == "theta" else X, "y": y.reshape(len(X), -1)}
    if how == "named":
        named = {f"Theta{k}": T for k, T in enumerate(Thetas, 1)}
        return file | named | {f"Theta{k}_grad": T for k, T in enumerate(slopes, 1)}
    packed = (np.concatenate([T.ravel("F") for T in matrices])[:, None] for matrices in (Thetas, slopes))
    return file | dict(zip(("theta" if how == "theta" else "nn_params", "grad"), packed, strict=True))


def named(X, y, layers, grads, *, weight, bias, weight_grad, bias_grad, turned=False, column=False, first=1) -> Arrays:
    """Arrays by name; `turned` for W as (out, in), `column` for b as (out, 1)."""
    file = {"X": X, "y": y}
    for pairs, W_name, b_name in ((layers, weight, bias), (grads, weight_grad, bias_grad)):
        for k, (W, b) in enumerate(pairs, start=first):
            file |= {W_name.format(k): W.T if turned else W, b_name.format(k): b[:, None] if column else b}
    return file


W_AND_B = {"weight": "W{}", "bias": "b{}", "weight_grad": "dW{}", "bias_grad": "db{}"}
SUBSCRIPTS = {
    "weight": 'params["W{}"]',
    "bias": 'params["b{}"]',
    "weight_grad": 'grads["W{}"]',
    "bias_grad": "grads['db{}']",
}
LISTS = {
    "weight": "coefs_[{}]",
    "bias": "intercepts_[{}]",
    "weight_grad": "coef_grads_[{}]",
    "bias_grad": "intercept_grads_[{}]",
}
NIELSEN = {"weight": "weights_{}", "bias": "biases_{}", "weight_grad": "nabla_w_{}", "bias_grad": "nabla_b_{}"}
MODULES = {
    "weight": "fc{}.weight",
    "bias": "fc{}.bias",
    "weight_grad": "fc{}.weight.grad",
    "bias_grad": "fc{}.bias.grad",
}


# --- exercises -----------------------------------------------------------------------------------


def problem(widths, dtype, *, targets="classes", N=5):
    """X, the targets as labels and as rows, and the layers."""
    rng = np.random.default_rng(N)
    X, K = rng.normal(size=(N, widths[0])).astype(dtype), widths[-1]
    y = np.arange(N) % max(K, 2)
    T = rng.normal(size=(N, K)) if targets == "reals" else y[:, None] if K == 1 else np.eye(K)[y]
    layers = [
        (rng.normal(size=(i, o)).astype(dtype), rng.normal(size=o).astype(dtype)) for i, o in itertools.pairwise(widths)
    ]
    return X, y, T.astype(dtype), layers


def exercise(name, slip="", dtype=np.float64, N=5) -> tuple[str, Arrays]:
    """The convention of an exercise, and its file."""
    course, _, kind = name.partition(" ")
    if course in ("ex1", "ex2", "ex3", "ex4", "ex5"):
        widths = {"ex1": (2, 1), "ex2": (4, 1), "ex3": (4, 3), "ex4": (4, 5, 3), "ex5": (1, 1)}[course]
        lam = {"ex1": 0.0, "ex2": float(kind == "reg"), "ex3": 0.1}.get(course, 1.0)
        X, y, T, layers = problem(widths, dtype, targets="reals" if course in ("ex1", "ex5") else "classes", N=N)
        loss = "squared" if course in ("ex1", "ex5") else "sigmoid"
        grads = gradient(X, T, layers, loss=loss, weight=1 / N, hidden="sigmoid", reg=lam / N, slip=slip)
        saved = {"ex3": "named", "ex4": "packed"}.get(course, "theta")
        file = ng(X, T if widths[-1] == 1 else y + 1, layers, grads, how=saved)
        return "ng-ml-2011", file | ({"lambda": np.array([[lam]])} if lam else {})
    if course == "cs231n" and kind in ("softmax", "hinge"):
        X, y, T, layers = problem((4, 3), dtype, N=N)
        ((dW, db),) = gradient(X, T, layers, loss=kind, weight=1 / N, reg=0.5, reg_bias=True, slip=slip)
        ((W, b),) = layers
        ones = np.ones((N, 1), dtype)
        return "cs231n-bias-trick", {
            "X": np.c_[X, ones],
            "y": y,
            "W": np.r_[W, [b]],
            "dW": np.r_[dW, [db]],
            "reg": np.array(0.25),
        }
    if course == "cs231n":
        X, y, T, layers = problem((4, 6, 3), dtype, N=N)
        grads = gradient(X, T, layers, loss="softmax", weight=1 / N, reg=0.1, slip=slip)
        return "cs231n", named(X, y, layers, grads, **(SUBSCRIPTS if kind == "dicts" else W_AND_B)) | {
            "reg": np.array(0.1)
        }
    if course == "dlai":
        X, y, T, layers = problem((4, 5, 3) if kind == "classes" else (4, 5, 4, 1), dtype, N=N)
        loss = "softmax" if kind == "classes" else "sigmoid"
        grads = gradient(X, T, layers, loss=loss, weight=1 / N, reg=0.7 / N, slip=slip)
        file = named(X.T, 0, layers, grads, **W_AND_B, turned=True, column=True)
        return "ng-dlai", file | {"y": T.T.astype(int), "lambd": np.array(0.7)}
    if course == "sklearn":
        X, y, T, layers = problem((4, 5, 3), dtype, targets="reals" if kind == "reals" else "classes", N=N)
        loss = "squared" if kind == "reals" else "softmax"
        grads = gradient(X, T, layers, loss=loss, weight=1 / N, reg=0.01 / N, slip=slip)
        return "sklearn-mlp", named(X, T if kind == "reals" else y, layers, grads, **LISTS, first=0) | {
            "alpha": np.array(0.01)
        }
    if course == "nielsen":
        X, _, T, layers = problem((4, 5, 3), dtype, N=N)
        grads = gradient(X, T, layers, loss="squared sigmoid", weight=1 / N, hidden="sigmoid", reg=2 / N, slip=slip)
        file = named(X.T, T.T, layers, grads, **NIELSEN, turned=True, column=True, first=0)
        return "nielsen", file | {"lmbda": np.array(2.0)}
    X, y, T, layers = problem((4, 5, 3), dtype, targets="reals" if kind == "reals" else "classes", N=N)
    loss, weight = ("squared", 2 / (N * 3)) if kind == "reals" else ("softmax", 1 / N)
    grads = gradient(X, T, layers, loss=loss, weight=weight, hidden="sigmoid", slip=slip)
    return "pytorch", named(X, T if kind == "reals" else y, layers, grads, **MODULES, turned=True)
