"""W8: a weight in two layers, as an autoencoder has it: its gradient, and the norms of per-example gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import jacobians as jac
from jacobians.graphs import Value
from tests.benchmarks import floors
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W8: a weight in two layers"
NETS = (
    Net("784-128-784 × 512 f64", 512, (784, 128, 784), "sigmoid", np.float64),
    Net("784-128-784 × 512 f32", 512, (784, 128, 784), "sigmoid", np.float32),
)
NAMES = ("W", "b", "c")


def cases(nets: tuple[Net, ...] = NETS) -> Iterator[Case]:
    for net in nets:
        yield gradient(net)
        yield norms(net)


def arrays(net: Net) -> dict[str, np.ndarray]:
    """A batch, the weight of both layers, and their biases."""
    rng, (n, m, _) = np.random.default_rng(0), net.widths
    shapes = {"X": (net.examples, n), "W": (n, m), "b": (m,), "c": (n,)}
    scale = {"X": 1.0, "W": n**-0.5, "b": 0.1, "c": 0.1}
    return {name: (scale[name] * rng.normal(size=shape)).astype(net.dtype) for name, shape in shapes.items()}


def losses(X: np.ndarray, W: Value, b: Value, c: Value, V: Value | None = None, reduction: str = "mean") -> Value:
    """The squared error of what comes back: through the transpose of W, or through another weight."""
    hidden = jac.sigmoid(X @ W + b)
    loss: Value = jac.squared_error(hidden @ (W.T if V is None else V) + c, X, reduction=reduction)
    return loss


def tied_gradient(X: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """Values, and one sweep back."""
    inputs = jac.values(W=W, b=b, c=c)
    return dict(zip(NAMES, losses(X, *inputs).gradients(*inputs), strict=True))


def untied_gradient(X: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same net with a weight of its own in the second layer."""
    inputs = jac.values(W=W, b=b, c=c, V=np.ascontiguousarray(W.T))
    return losses(X, *inputs).gradients(*inputs)


def squared_norms(X: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Of each example's gradient by all parameters, without writing one out."""
    inputs = jac.values(W=W, b=b, c=c)
    norms: np.ndarray = losses(X, *inputs, reduction="none").jacobian(*inputs).row_norms()
    return norms**2


def by_hand(X: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """Both terms of the weight's gradient, added up."""
    hidden = 1 / (1 + np.exp(-(X @ W + b)))
    out = (hidden @ W.T + c - X) * (2 / len(X))
    back = (out @ W) * hidden * (1 - hidden)
    return {"W": X.T @ back + out.T @ hidden, "b": back.sum(0), "c": out.sum(0)}


def gradient(net: Net) -> Case:
    given = arrays(net)
    return Case(
        f"{net.name}: gradient",
        (
            Contender("our untied gradient", "floor", lambda: untied_gradient(**given)),
            floors.products(floors.gradient_products(net), net.dtype),
            Contender("values", "ours", lambda: tied_gradient(**given)),
            Contender("NumPy", "by hand", lambda: by_hand(**given)),
            *contenders("tied_gradient", net),
        ),
    )


def norms(net: Net) -> Case:
    given = arrays(net)
    return Case(
        f"{net.name}: norms of per-example gradients",
        (
            Contender("our gradient", "floor", lambda: tied_gradient(**given)),
            Contender("row_norms of the Jacobian", "ours", lambda: squared_norms(**given), lambda n: {"norms": n}),
            *contenders("tied_norms", net),
        ),
    )
