"""The nets of the gradient workload, with data, and the least that their gradients must multiply."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jacobians import Convention, Layout, Network

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Net:
    """One net: examples, widths, activation and dtype."""

    name: str
    examples: int
    widths: tuple[int, ...]
    activation: str
    dtype: type

    def network(self, layout: Layout) -> Network:
        convention = Convention("benchmark", layout, reduction="mean", l2="half")
        return Network.dense(self.widths, activation=self.activation, convention=convention)

    def data(self, layout: Layout) -> tuple[Arrays, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        params = {n: a.astype(self.dtype) for n, a in self.network(layout).init(rng).items()}
        X = rng.normal(size=(self.examples, self.widths[0])).astype(self.dtype)
        X = X if layout.batch == "rows" else np.ascontiguousarray(X.T)
        return params, X, rng.integers(0, self.widths[-1], self.examples)


NETS = (
    Net("a: 5000 × 400-25-10 sigmoid f64", 5000, (400, 25, 10), "sigmoid", np.float64),
    Net("b: 200 × 3072-100-10 relu f32", 200, (3072, 100, 10), "relu", np.float32),
    Net("b: 200 × 3072-100-10 relu f64", 200, (3072, 100, 10), "relu", np.float64),
    Net("c: 512 × 784-512-512-10 relu f32", 512, (784, 512, 512, 10), "relu", np.float32),
    Net("d: 5 × 4-10-3 sigmoid f64", 5, (4, 10, 3), "sigmoid", np.float64),
    Net("e: 64 × ten layers of 64 relu f32", 64, (64,) * 11, "relu", np.float32),
)


def floor(net: Net) -> Callable[[], object]:
    """Return the matrix products of forward and backward alone, into given arrays, in the faster orientation."""
    rng = np.random.default_rng(1)
    count = len(net.widths) - 1
    products = []
    for layer, (n, m) in enumerate(itertools.pairwise(net.widths)):
        N = net.examples
        A, W, D = (rng.normal(size=s).astype(net.dtype) for s in ((N, n), (n, m), (N, m)))
        products.append(_faster(A, W))
        products.append(_faster(A.T, D))
        if 0 < layer < count:
            products.append(_faster(D, W.T))

    def run() -> None:
        for left, right, out in products:
            np.matmul(left, right, out=out)

    return run


def _faster(A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The product, or the transposed one, with operands in either memory order: whichever runs fastest."""
    from tests.benchmarks.timing import interleaved

    found = {}
    for left, right in itertools.product("CF", repeat=2):
        a, b = np.array(A, order=left), np.array(B, order=right)
        for name, (x, y) in {"plain": (a, b), "transposed": (b.T, a.T)}.items():
            found[left + right + name] = (x, y, np.empty((x.shape[0], y.shape[1]), A.dtype))
    times = interleaved({k: lambda v=v: np.matmul(v[0], v[1], out=v[2]) for k, v in found.items()}, 0.02)
    return found[min(times, key=lambda k: times[k].median)]
