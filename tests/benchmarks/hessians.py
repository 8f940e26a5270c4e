"""W9: the exact Hessian: times a vector, times a block, its exact diagonal, and written out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import jacobians as jac
from tests.benchmarks import ours
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.nets import Arrays, Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W9: Hessians"
COLUMNS = 32
"""Vectors in a block."""

WIDE = Net("512 × 784-512-512-10 sigmoid f64", 512, (784, 512, 512, 10), "sigmoid", np.float64)
NARROW = Net("512 × 200-100-50-10 sigmoid f64", 512, (200, 100, 50, 10), "sigmoid", np.float64)
LAYERS = Net("256 × 784-128-64-10 sigmoid f64", 256, (784, 128, 64, 10), "sigmoid", np.float64)
SMALL = Net("9 × 7-6-5-4 sigmoid f64", 9, (7, 6, 5, 4), "sigmoid", np.float64)


def cases() -> Iterator[Case]:
    yield product(WIDE)
    yield product(NARROW)
    yield block(NARROW)
    yield diagonal(LAYERS)
    yield dense(SMALL)


def product(net: Net) -> Case:
    """Once the forward pass is done, beside one replayed gradient."""
    network, data = net.network(), net.data()
    H, v = jac.hessian(network.run(*data)), _vectors(net, 1)[0]
    return Case(
        f"{net.name}: H v",
        (
            _gradient(net),
            *ours.also_replayed("H v", lambda v: H.jvp(v), v, read=_product),
            *contenders("hessian_product", net, v),
        ),
    )


def block(net: Net) -> Case:
    """Several vectors at once, beside one."""
    H, V = jac.hessian(net.network().run(*net.data())), _vectors(net, COLUMNS)
    v = V[0].copy()
    return Case(
        f"{net.name}: {COLUMNS} products",
        (
            Contender("H v, one vector", "floor", lambda: H.jvp(v)),
            *ours.also_replayed("H.jvp(V)", lambda V: H.jvp(V), V, read=_product),
        ),
    )


def diagonal(net: Net) -> Case:
    """From parameters and data, the forward pass included."""
    network, data = net.network(), net.data()
    return Case(
        f"{net.name}: exact diagonal",
        (
            _gradient(net),
            Contender("exact diagonal", "ours", lambda: jac.hessian(network.run(*data)).diagonal(), _diag),
            *contenders("hessian_diagonal", net),
        ),
    )


def dense(net: Net) -> Case:
    """The matrix of all parameters, the forward pass included."""
    network, (params, X, y) = net.network(), net.data()

    def matrix(params: Arrays) -> np.ndarray:
        return jac.hessian(network.run(params, X, y)).to_dense()

    return Case(
        f"{net.name}: the matrix",
        (
            _gradient(net),
            *ours.also_replayed("hessian(run).to_dense()", matrix, params, read=_matrix),
            *contenders("hessian_matrix", net),
        ),
    )


def _gradient(net: Net) -> Contender:
    network, (params, X, y) = net.network(), net.data()
    again = jac.replayed(lambda params: network.gradient(params, X, y))
    return Contender("our gradient, replayed", "floor", lambda: again(params))


def _vectors(net: Net, count: int) -> np.ndarray:
    size = sum((n + 1) * m for n, m in net.pairs())
    return np.random.default_rng(2).normal(size=(count, size)).astype(net.dtype)


def _product(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"product": found}


def _diag(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"diagonal": found}


def _matrix(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"matrix": found}
