"""What a plan prices is what is then computed: multiplications, additions, and bytes, counted and not timed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from jacobians.layout import Order
from jacobians.linops import (
    BlockRow,
    Dense,
    DiagonalMinusOuter,
    Kronecker,
    Product,
    Reshape,
)
from jacobians.linops.planning import Bracketing, fill, patterns_of
from tests.linops.all_bracketings import Factors
from tests.linops.comparing import draw
from tests.linops.conftest import Count
from tests.linops.test_planning import autoencoder, dense

SLABS = 8 << 20


def net(examples: int, *widths: int, end: str) -> Factors:
    """∂Z/∂W₁ or ∂Z/∂X of a net with a softmax at its end."""
    factors = autoencoder(examples, widths)[1:]
    p = draw(examples, widths[-1])
    factors = (DiagonalMinusOuter(p, p, p, -1), *factors)
    return factors if end == "X" else (*factors[:-1], Kronecker(draw(examples, widths[0]), widths[1]))


CHAINS = {
    "dense waist": (dense(90, 70), dense(70, 6), dense(6, 80), dense(80, 60)),
    "dense, reverse": (dense(10, 70), dense(70, 60), dense(60, 80)),
    "by the inputs": net(16, 24, 12, 20, 9, end="X"),
    "by the first weights": net(16, 24, 12, 20, 9, end="W"),
    "autoencoder": autoencoder(12, (60, 25, 4, 25, 60))[1:],
    "linear layers": tuple(Kronecker(30, draw(a, b)) for a, b in [(40, 8), (8, 30), (30, 8), (8, 40)]),
    "one layer's weights": (Kronecker(18, draw(5, 6)), Kronecker(draw(18, 4), 6)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_what_is_priced_is_computed(name: str, count: Count) -> None:
    product = Product(CHAINS[name])
    plan = product.plan()
    product.to_dense()
    assert abs(count.operations - plan.operations) <= 0.1 * plan.operations, f"{count.operations:,} done; {plan}"


@pytest.mark.parametrize("name", CHAINS)
def test_a_worse_bracket_is_seen(name: str, count: Count) -> None:
    """The forward mode of the same chains computes what it is said to, which is not what the best one does."""
    product = Product(CHAINS[name])
    (way,) = Bracketing(patterns_of(product.factors), "forward").ways(0, len(product.factors) - 1)
    fill(product.factors, way.bracket, np.empty(product.codomain + product.domain))
    assert abs(count.operations - way.operations) <= 0.1 * way.operations
    assert way.operations == product.plan().forward


def peak_of(call: Callable[[], object]) -> int:
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "factors",
    [
        (dense(1500, 1400), dense(1400, 20), dense(20, 1400), dense(1400, 1500)),
        (Kronecker(40, draw(30, 20)), Dense(draw(40, 20, 1500), (40, 20)), dense(1500, 1400)),
        autoencoder(20, (60, 50, 4, 50, 60))[1:],
    ],
    ids=["dense", "columns", "examples"],
)
def test_no_more_is_held_than_the_plan_says(factors: Factors, order: Order) -> None:
    product = Product(factors)
    held = peak_of(lambda: product.to_dense(order))
    assert held <= product.plan().peak_bytes + SLABS
    out = np.empty(product.shape)
    assert peak_of(lambda: product.to_dense(order, out=out)) <= product.plan().peak_bytes - out.nbytes + SLABS


@pytest.mark.parametrize("packing", ["C", "F"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_all_parameters_are_written_side_by_side_without_a_copy(packing: Order, order: Order) -> None:
    """∂Z/∂[W₁ b₁ W₂ b₂] of 32 × 200-100-10: 51 MiB, beside which there are the blocks of 0.2 MiB and slabs."""
    examples, widths = 32, (200, 100, 10)
    ahead = net(examples, *widths, end="X")[1:-1]
    hidden, ones = draw(examples, 100), np.ones((examples, 1))
    row = BlockRow(
        (
            Product((*ahead, Kronecker(draw(examples, 200), 100))),
            Product((*ahead, Kronecker(ones, 100), Reshape((1, 100), (100,)))),
            Kronecker(hidden, 10),
            Product((Kronecker(ones, 10), Reshape((1, 10), (10,)))),
        ),
        packing,
    )
    out = np.empty(row.shape)
    assert out.nbytes > 50 << 20
    assert peak_of(lambda: row.to_dense(order, out=out)) < 4 << 20


def test_the_blocks_of_a_net_are_no_matrix() -> None:
    """∂Z/∂X of 500 examples: blocks of 0.8 MiB where the matrix has 381."""
    product = Product(net(500, 20, 15, 10, end="X"))
    assert peak_of(product.block_diagonal) < 8 << 20
    apart = product.block_diagonal()
    assert np.shares_memory(apart.blocks, apart.block_diagonal().blocks)
    assert peak_of(apart.to_sparse) < 16 << 20
