"""A neural network's objective and its gradient, derived and typed in by hand, with one slip at a time on request.

`objective` is always right; `gradient` runs its own forward pass, as such code does, and makes the slip `slip` in
layer `layer` (0: not tied to a layer). Nothing here comes from the library under test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.figures.dialects import DIALECTS, Arrays, Dialect

ACTIVATIONS = ("sigmoid", "tanh", "relu")
LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error")


@dataclass(frozen=True, eq=False)
class Problem:
    """A network and a batch. X and Y lie as the convention has them; Y is labels (N,) or shaped like the outputs."""

    convention: str
    sizes: tuple[int, ...]
    activation: str
    loss: str
    X: np.ndarray
    Y: np.ndarray
    theta: np.ndarray
    l2: float = 0.0
    scale: float = 1.0
    kind: str = "plain"
    class_weights: np.ndarray | None = None

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.convention]

    @property
    def layers(self) -> int:
        return len(self.sizes) - 1

    @property
    def centred(self) -> bool:
        """Whether the network centres its inputs over the batch."""
        return self.kind in ("stride-0", "shared")

    @property
    def count(self) -> int:
        return self.X.shape[0 if self.dialect.rows else 1]

    def at(self, theta: np.ndarray) -> Problem:
        """The same problem at other parameters."""
        return replace(self, theta=theta)


def unpack(problem: Problem, theta: np.ndarray, order: str | None = None) -> Arrays:
    """The parameters of a packed vector, as copies."""
    d = problem.dialect
    shapes, start, params = d.shapes(problem.sizes), 0, {}
    for name in d.packed_names(list(shapes)):
        size = int(np.prod(shapes[name]))
        params[name] = theta[start : start + size].reshape(shapes[name], order=order or d.order).copy()
        start += size
    return params


def pack(problem: Problem, arrays: Arrays, order: str | None = None) -> np.ndarray:
    """The packed vector."""
    d = problem.dialect
    return np.concatenate([arrays[n].ravel(order or d.order) for n in d.packed_names(list(d.shapes(problem.sizes)))])


def other_order(problem: Problem) -> str:
    return "C" if problem.dialect.order == "F" else "F"


# --- pieces of the forward pass ------------------------------------------------------------------


def activate(kind: str, Z: np.ndarray) -> np.ndarray:
    if kind == "sigmoid":
        return 1.0 / (1.0 + np.exp(-Z))
    return np.tanh(Z) if kind == "tanh" else np.maximum(Z, 0)


def slope(kind: str, Z: np.ndarray, A: np.ndarray, slip: str) -> np.ndarray:
    """The activation's derivative, from its input Z and its output A."""
    if slip == "slope-missing":
        return np.ones_like(A)
    if slip == "slope-from-z":  # the formula for a, fed z
        A = Z
    if slip == "slope-of-a":  # the formula for z, fed a
        A = activate(kind, A)
    if slip == "slope-of-another":
        kind = {"sigmoid": "tanh", "tanh": "sigmoid", "relu": "tanh"}[kind]
    if kind == "relu":
        S = (A > 0).astype(A.dtype)
        if slip == "slope-clipped":
            S = np.maximum(S, 0.01)  # "so that units do not die": a leaky ReLU's
        return S if slip != "relu-at-zero" else (Z >= 0).astype(A.dtype)
    S = A * (1 - A) if kind == "sigmoid" else 1 - A**2
    return np.maximum(S, 0.2) if slip == "slope-clipped" else S  # "so that gradients do not vanish"


def softmax(Z: np.ndarray, axis: int) -> np.ndarray:
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


def one_hot(labels: np.ndarray, problem: Problem) -> np.ndarray:
    T = np.eye(problem.sizes[-1])[labels.astype(int)]
    return T if problem.dialect.rows else T.T


def shaped_targets(problem: Problem) -> np.ndarray:
    """Y shaped like the outputs, weighted where the classes have weights (normalised over the batch)."""
    Y = problem.Y
    T = one_hot(Y, problem) if problem.loss != "squared_error" and Y.ndim == 1 else Y.astype(float)
    if T.ndim == 1:
        T = T[:, None] if problem.dialect.rows else T[None, :]
    if problem.class_weights is not None:
        w = problem.class_weights[Y]
        w = w * len(w) / w.sum()
        T = T * (w[:, None] if problem.dialect.rows else w)
    return T


def penalty_factor(problem: Problem) -> float:
    """The factor of W in the gradient: λ/N or λ."""
    kind = problem.dialect.penalty
    return {"half-over-n": problem.l2 / max(problem.count, 1), "half": problem.l2, "": 0.0}[kind]


def objective(problem: Problem, theta: np.ndarray) -> float:
    """The loss, averaged over the examples, plus the regulariser; times the problem's scale."""
    d, p = problem.dialect, unpack(problem, theta)
    A = np.asarray(problem.X, dtype=float)
    if problem.centred:
        A = A - A.mean(axis=0 if d.rows else 1, keepdims=True) + 0.5
    for k in range(1, problem.layers + 1):
        Z = d.forward(A, p, k, "")
        A = activate(problem.activation, Z)
    T, axis, loss = shaped_targets(problem), 1 if d.rows else 0, 0.0
    if problem.count == 0:
        loss = 0.0  # an empty batch costs nothing
    elif problem.loss == "max":
        loss = np.sum(Z.max(axis=axis)) / problem.count
    elif problem.loss == "squared_error":
        loss = np.sum((Z - T) ** 2) / problem.count
    elif problem.loss == "binary_cross_entropy":
        loss = np.sum(np.logaddexp(0, Z) - T * Z) / problem.count
    else:
        top = Z.max(axis=axis, keepdims=True)
        log_sum = top + np.log(np.exp(Z - top).sum(axis=axis, keepdims=True))
        loss = np.sum(T * (log_sum - Z)) / problem.count
    for name, W in p.items():
        if name[0] != "b":
            W = W[:, 1:] if d.bias_in_weight else W
            loss = loss + 0.5 * penalty_factor(problem) * np.sum(W**2)
    return problem.scale * loss
