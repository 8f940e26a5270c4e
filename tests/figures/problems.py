"""Random networks and batches for `backprop`, of the kinds that bring the catalogue's bugs out."""

from __future__ import annotations

import itertools

import numpy as np

from tests.figures.backprop import Problem
from tests.figures.dialects import DIALECTS

KINDS = (
    "plain",  # no two dimensions alike
    "square",  # every layer as wide as the next
    "single",  # one output
    "one",  # one example
    "empty",  # no example
    "soft",  # targets that are no one-hot
    "weighted",  # classes of unequal weight
    "extreme",  # outputs of ±1000
    "at-zero",  # a unit's input exactly 0
    "stride-0",  # inputs centred within the network; one example repeated by stride 0
    "shared",  # inputs centred within the network; X and Y one array
    "long",  # thousands of examples
    "wide",  # hundreds of parameters: the check's quick look comes first
    "ties",  # the last layer's first two nodes alike
    "two-class",  # two outputs
    "one-hidden",  # hidden layers of one unit
)


def make_problem(
    convention: str,
    layers: int,
    activation: str,
    loss: str,
    *,
    kind: str = "plain",
    scale: float = 1.0,
    l2: float = 0.1,
    seed: int = 0,
) -> Problem:
    """A problem of this kind; the same seed gives the same network in every convention's layout."""
    rng = np.random.default_rng([seed, layers, KINDS.index(kind)])
    d = DIALECTS[convention]
    sizes = _sizes(layers, kind, rng)
    count = {"one": 1, "empty": 0, "long": 4096}.get(kind, int(rng.integers(6, 9)))
    X = rng.normal(size=(count, sizes[0])) + 0.3
    X += 0.2 * np.sign(X)  # no entry is near an integer by chance: |x| ≥ 0.2 and truncation shows
    if kind == "at-zero":
        X[0] = 0.0
    if kind == "stride-0":
        row = X[:1].copy()
        X = np.lib.stride_tricks.as_strided(row, (count, sizes[0]), (0, row.strides[1]))
    Y = _targets(loss, kind, count, sizes[-1], rng)
    theta = _theta(convention, sizes, kind, rng)
    weights = rng.uniform(0.2, 3.0, size=sizes[-1]) if kind == "weighted" else None
    if kind == "shared":
        Y = X
    if not d.rows:
        X, Y = X.T, (Y.T if kind == "shared" or Y.ndim == 2 else Y)
        X, Y = (X, X) if kind == "shared" else (X, Y)
    l2 = l2 if d.penalty else 0.0
    return Problem(convention, sizes, activation, loss, X, Y, theta, l2, scale, kind, weights)


def _sizes(layers: int, kind: str, rng: np.random.Generator) -> tuple[int, ...]:
    if kind == "square":
        return (4,) * (layers + 1)
    if kind == "wide":
        return (16, 12, 11, 10)[: layers + 1]
    widths = [int(w) for w in rng.permutation([3, 4, 5, 6])[: layers + 1]]
    if kind == "single":
        widths[-1] = 1
    if kind == "shared":
        widths[-1] = widths[0]
    if kind == "two-class":
        widths[-1] = 2
    if kind == "one-hidden":
        widths[1:-1] = [1] * (layers - 1)
    return tuple(widths)


def _targets(loss: str, kind: str, count: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    if loss == "squared_error":
        Y = rng.normal(size=(count, outputs))
        return Y[:, 0] if kind == "single" else Y
    if kind == "soft":
        Y = rng.uniform(0.1, 1.0, size=(count, outputs))
        return Y / Y.sum(axis=1, keepdims=True)
    if kind == "single":
        return np.resize([0.0, 1.0, 1.0], (count, 1))
    return rng.permutation(np.resize(np.arange(outputs), count))


def _theta(convention: str, sizes: tuple[int, ...], kind: str, rng: np.random.Generator) -> np.ndarray:
    d, parts = DIALECTS[convention], {}
    shapes = d.shapes(sizes)
    for k, (i, o) in enumerate(itertools.pairwise(sizes), start=1):
        W, b = rng.normal(size=(o, i)) * 1.2 / np.sqrt(i), 0.3 * rng.normal(size=o)
        if kind == "at-zero" and k == 1:
            b[0] = 0.0
        if kind == "extreme" and k == len(sizes) - 1:
            W, b = 1000 * W, 1000 * b
        if kind == "ties" and k == len(sizes) - 1:
            W[1], b[1] = W[0], b[0]
            W[2:] *= 0.1  # and mostly the largest
            b[:2] += 2.0
        name = f"{d.weight}{k}"
        if d.bias_in_weight:
            parts[name] = np.column_stack([b, W])
        else:
            parts[name] = W if shapes[name] == (o, i) and d.name != "cs231n" and d.name != "sklearn-mlp" else W.T
            parts[f"b{k}"] = b.reshape(shapes[f"b{k}"])
    return np.concatenate([parts[n].ravel(d.order) for n in d.packed_names(list(shapes))])
