"""The nets of the workloads, with made-up data; every contender gets the same numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jacobians import Convention, Layout, Network

Arrays = dict[str, np.ndarray]

ROWS = Layout()
COLUMNS = Layout(batch="columns", weights="rows")


@dataclass(frozen=True)
class Net:
    """One net: examples, widths, activation and dtype; the mean of the softmax cross-entropies is its loss."""

    name: str
    examples: int
    widths: tuple[int, ...]
    activation: str
    dtype: type

    @property
    def layers(self) -> range:
        """The numbers of its affine layers, from 1."""
        return range(1, len(self.widths))

    def network(self, layout: Layout = ROWS) -> Network:
        convention = Convention("benchmark", layout, reduction="mean", l2="half")
        return Network.dense(self.widths, activation=self.activation, convention=convention)

    def data(self, layout: Layout = ROWS) -> tuple[Arrays, np.ndarray, np.ndarray]:
        """Parameters, X and labels; the same numbers in every layout, and not to be written to."""
        params, X, y = _made_up(self)
        if layout == ROWS:
            return params, X, y
        turned = {n: np.ascontiguousarray(params[n].T).reshape(s) for n, s in self.network(layout).shapes().items()}
        return turned, np.ascontiguousarray(X.T), y

    def pairs(self) -> list[tuple[int, int]]:
        """Widths in and out of every layer."""
        return list(itertools.pairwise(self.widths))


@lru_cache(maxsize=1)
def _made_up(net: Net) -> tuple[Arrays, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    params = net.network().init(rng, net.dtype)
    for k in net.layers:
        params[f"b{k}"] += rng.normal(scale=0.1, size=params[f"b{k}"].shape).astype(net.dtype)
    X = rng.normal(size=(net.examples, net.widths[0])).astype(net.dtype)
    near = np.arange(net.examples if net.activation == "relu" else 0)
    while near.size:
        # so near a kink, two libraries' roundings may fall on two sides of it, and both gradients are right
        near = near[_near_a_kink(net, params, X[near])]
        X[near] = rng.normal(size=(near.size, net.widths[0])).astype(net.dtype)
    y = rng.integers(0, net.widths[-1], net.examples)
    for array in (*params.values(), X, y):
        array.flags.writeable = False
    return params, X, y


def _near_a_kink(net: Net, params: Arrays, A: np.ndarray) -> np.ndarray:
    """For each example, whether a ReLU's input is 0 but for rounding."""
    near = np.zeros(len(A), bool)
    for k in net.layers[:-1]:
        Z = A @ params[f"W{k}"] + params[f"b{k}"]
        near |= (np.abs(Z) < 300 * np.finfo(net.dtype).eps * np.sqrt(np.mean(Z**2))).any(axis=1)
        A = np.maximum(Z, 0)
    return near


def weights_and_biases(net: Net, params: Arrays) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The parameters by layer."""
    return [params[f"W{k}"] for k in net.layers], [params[f"b{k}"] for k in net.layers]


def named(weights: list[np.ndarray], biases: list[np.ndarray]) -> Arrays:
    """W1, b1, W2, b2, … from lists by layer."""
    both = zip(weights, biases, strict=True)
    return {f"{letter}{k}": a for k, pair in enumerate(both, start=1) for letter, a in zip("Wb", pair, strict=True)}


GRADIENTS = (
    Net("a: 5000 × 400-25-10 sigmoid f64", 5000, (400, 25, 10), "sigmoid", np.float64),
    Net("b: 200 × 3072-100-10 relu f32", 200, (3072, 100, 10), "relu", np.float32),
    Net("b: 200 × 3072-100-10 relu f64", 200, (3072, 100, 10), "relu", np.float64),
    Net("c: 512 × 784-512-512-10 relu f32", 512, (784, 512, 512, 10), "relu", np.float32),
    Net("d: 5 × 4-10-3 sigmoid f64", 5, (4, 10, 3), "sigmoid", np.float64),
    Net("e: 64 × ten layers of 64 relu f32", 64, (64,) * 11, "relu", np.float32),
)


def _dense(examples: int, *widths: int) -> list[Net]:
    sizes = f"{examples} × {'-'.join(map(str, widths))} relu"
    return [Net(f"{sizes} f{8 * np.dtype(t).itemsize}", examples, widths, "relu", t) for t in (np.float32, np.float64)]


DENSE = (
    *_dense(64, 64, 64, 10),
    *_dense(32, 256, 128, 10),
    *_dense(16, 784, 128, 10),
    *_dense(128, 32, 32, 32, 4),
)
MNIST = Net("512 × 784-128-10 relu f32", 512, (784, 128, 10), "relu", np.float32)
