"""What no contender can do without: matrix products into given arrays, and writing an array of the result's size."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from tests.benchmarks.contest import Contender
from tests.benchmarks.nets import Net
from tests.benchmarks.timing import fastest

Product = tuple[tuple[int, int], tuple[int, int]]
"""The shapes of two matrices that are multiplied."""


def gradient_products(net: Net) -> list[Product]:
    """Of the forward and the backward pass."""
    N, found = net.examples, []
    for layer, (n, m) in enumerate(net.pairs()):
        found += [((N, n), (n, m)), ((n, N), (N, m))]
        if layer > 0:
            found.append(((N, m), (m, n)))
    return found


def curvature_products(net: Net) -> list[Product]:
    """Of one tangent forward and one cotangent back, the activations being known."""
    N, found = net.examples, []
    for layer, (n, m) in enumerate(net.pairs()):
        found += [((N, n), (n, m)), ((n, N), (N, m))]
        if layer > 0:
            found += [((N, n), (n, m)), ((N, m), (m, n))]
    return found


def block_products(net: Net) -> list[Product]:
    """Of the forward pass, and of the outputs' rows of every example carried back to the inputs."""
    rows = net.examples * net.widths[-1]
    back = [((rows, m), (m, n)) for n, m in net.pairs()[:-1]]
    return [((net.examples, n), (n, m)) for n, m in net.pairs()] + back


def products(shapes: Sequence[Product], dtype: type, name: str = "product floor", times: int = 1) -> Contender:
    """The products alone, each in the operand order, memory order and result order that a trial finds fastest."""
    rng = np.random.default_rng(1)
    chosen = times * [_fastest(*(rng.normal(size=s).astype(dtype) for s in pair)) for pair in shapes]

    def run() -> None:
        for left, right, out in chosen:
            np.matmul(left, right, out=out)

    return Contender(name, "floor", run)


def _fastest(A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = {}
    for left, right in itertools.product("CF", repeat=2):
        a, b = np.array(A, order=left), np.array(B, order=right)
        for name, (x, y) in {"plain": (a, b), "transposed": (b.T, a.T)}.items():
            found[left + right + name] = (x, y, np.empty((x.shape[0], y.shape[1]), A.dtype))
    return found[fastest({k: lambda v=v: np.matmul(v[0], v[1], out=v[2]) for k, v in found.items()})]


def fill(shape: tuple[int, ...], dtype: type) -> tuple[Contender, Contender]:
    """Writing a number to every entry: of a given array, which is the floor, and of a fresh one."""
    given = np.zeros(shape, dtype)

    def fresh() -> None:
        np.empty(shape, dtype).fill(1)

    return Contender("fill a given array", "floor", _filling(given)), Contender("fill a fresh array", "floor", fresh)


def _filling(array: np.ndarray) -> Callable[[], None]:
    return lambda: array.fill(1)
