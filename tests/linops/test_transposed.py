"""Transposed."""

from __future__ import annotations

from jacobians.linops import Diagonal, Kronecker, Selection, Transposed
from tests.linops.tools import draw


def test_it_gives_back_what_it_turned() -> None:
    kept = Selection((slice(2),), (3,))
    assert kept.T.T is kept
    assert kept.ordered("F").T.T.to_dense().shape == (2, 3)


def test_structure() -> None:
    k, d = Kronecker(4, draw(3, 3)), Diagonal(draw(4, 3))
    assert Transposed(k).structure == "Kronecker(I₄, 3×3)ᵀ"
    assert Transposed(k @ d).structure == "(Kronecker(I₄, 3×3) @ Diagonal(4×3))ᵀ"
    assert Transposed(k + d).structure == "(Kronecker(I₄, 3×3) + Diagonal(4×3))ᵀ"
    assert Transposed(k).flops == k.flops
