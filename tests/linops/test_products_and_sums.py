"""Product and Sum."""

from __future__ import annotations

import pytest

from jacobians.linops import BlockDiagonal, Diagonal, Identity, Kronecker, Product, Sum
from tests.linops.comparing import draw, same


def test_sums_stand_in_brackets() -> None:
    d, k = Diagonal(draw(4, 3)), Kronecker(4, draw(3, 3))
    assert ((d + k) @ k).structure == "(Diagonal(4×3) + Kronecker(I₄, 3×3)) @ Kronecker(I₄, 3×3)"


def test_its_transpose_is_a_product_of_transposes() -> None:
    chain = Diagonal(draw(4, 3)) @ Kronecker(4, draw(3, 2))
    assert chain.T.structure == "Kronecker(I₄, 2×3) @ Diagonal(4×3)"
    assert isinstance(chain.T, Product)


def test_one_factor_acts_after_the_other() -> None:
    d, k, t = Diagonal(draw(4, 3)), Kronecker(4, draw(3, 2)), draw(4, 2)
    same((d @ k).jvp(t), d.jvp(k.jvp(t)))
    assert (d @ k).flops == d.flops + k.flops


def test_it_is_flat_in_the_order_written() -> None:
    i, d, k = Identity((4, 3)), Diagonal(draw(4, 3)), Kronecker(4, draw(3, 3))
    total = (i + k) + (d + i)
    assert total.structure == "Identity(4×3) + Kronecker(I₄, 3×3) + Diagonal(4×3) + Identity(4×3)"
    assert isinstance(total.T, Sum)
    assert total.flops == k.flops + d.flops + 3 * 12


def test_a_residual_branch() -> None:
    branch = Kronecker(4, draw(3, 3))
    x = draw(4, 3)
    same((Identity((4, 3)) + branch).jvp(x), x + branch.jvp(x))


@pytest.mark.parametrize("axes", [(0, 0), (-1, -1), (0, -1)])
def test_blocks_add_up(axes: tuple[int, int]) -> None:
    """Residual branches of per-example gradients: one array of blocks, unless they count examples along other axes."""
    shape = (3, 3)
    one, other = (BlockDiagonal(draw(3, 3, 3, seed=i), shape, shape, axis) for i, axis in enumerate(axes))
    total = one + other
    assert isinstance(total, BlockDiagonal if axes[0] == axes[1] else Sum)
    same(total.to_dense(), one.to_dense() + other.to_dense())
