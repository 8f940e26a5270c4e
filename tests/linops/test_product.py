"""Product."""

from __future__ import annotations

from jacobians.linops import Diagonal, Kronecker, Product
from tests.linops.tools import draw, same


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
