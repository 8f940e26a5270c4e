"""W4: the Gauss–Newton matrix of the mean softmax cross-entropy: times a vector, times a block, its exact diagonal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.benchmarks import floors, nets, ours
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.hand_written.jacobians import ByHand
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W4: curvature"
COLUMNS = 16
"""Vectors in a block."""


def cases(net: Net = nets.MNIST) -> Iterator[Case]:
    yield product(net)
    yield block(net)
    yield diagonal(net)


def product(net: Net) -> Case:
    """Once the forward pass is done, for all that can keep it."""
    v = _vectors(net, 1)[:, 0].copy()
    G = ours.gauss_newton(net.network().run(*net.data()))
    return Case(
        f"{net.name}: G v",
        (
            floors.products(floors.curvature_products(net), net.dtype),
            *ours.also_replayed("(J.T @ H @ J) @ v", lambda v: G @ v, v, read=_product),
            Contender("NumPy", "by hand", ByHand(net, *net.data()).gauss_newton_product(v), _product),
            *contenders("gauss_newton_product", net, v),
        ),
    )


def block(net: Net) -> Case:
    """Several vectors at once against one after another."""
    V = _vectors(net, COLUMNS)
    G = ours.gauss_newton(net.network().run(*net.data()))
    hand = [ByHand(net, *net.data()).gauss_newton_product(np.ascontiguousarray(v)) for v in V.T]
    return Case(
        f"{net.name}: G V, {COLUMNS} vectors",
        (
            floors.products(floors.curvature_products(net), net.dtype, times=COLUMNS),
            *ours.also_replayed("(J.T @ H @ J) @ V", lambda V: G @ V, V, read=_product),
            Contender("NumPy, by columns", "by hand", lambda: np.stack([run() for run in hand], axis=1), _product),
        ),
    )


def diagonal(net: Net) -> Case:
    """From parameters and data, the forward pass included."""
    network, data = net.network(), net.data()
    return Case(
        f"{net.name}: exact diagonal",
        (
            floors.products(floors.gradient_products(net), net.dtype, "a gradient's products"),
            *ours.also_replayed(
                "exact diagonal", lambda *data: ours.gauss_newton_diagonal(network.run(*data)), *data, read=_diag
            ),
            Contender("NumPy", "by hand", lambda: ByHand(net, *data).gauss_newton_diagonal(), _diag),
            *contenders("gauss_newton_diagonal", net),
        ),
    )


def _vectors(net: Net, count: int) -> np.ndarray:
    size = sum((n + 1) * m for n, m in net.pairs())
    return np.random.default_rng(2).normal(size=(size, count)).astype(net.dtype)


def _product(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"product": found}


def _diag(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"diagonal": found}
