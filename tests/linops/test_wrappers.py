"""Scaled, Transposed and Denominator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians.errors import ArgumentError, DomainError, LayoutError
from jacobians.linops import (
    BlockRow,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    Kronecker,
    Product,
    Scaled,
    Selection,
    Sum,
    Transposed,
)
from tests.linops.comparing import draw, same


def test_a_scalar_image_is_an_array() -> None:
    assert type(Scaled(2.0, Identity(())).jvp(np.ones(()))) is np.ndarray


@pytest.mark.parametrize("factor", [2, np.float32(2), np.float64(2), True])
def test_the_factor_does_not_widen(factor: float) -> None:
    assert (factor * Kronecker(2, draw(3, 2, dtype=np.float32))).dtype == np.float32


@pytest.mark.parametrize("multiply", [lambda J: 2 * J, lambda J: J / -2, lambda J: -J, lambda J: -2 * (-0.5 * J)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("operator", [Scaled(-0.5, Identity((2, 3))), Kronecker(2, 3), Diagonal(draw(2, 3))])
def test_multiples_keep_the_order(operator: Scaled, order: str, multiply: object) -> None:
    assert multiply(operator.ordered(order)).order == order  # type: ignore[operator]


def test_structure_of_scaled() -> None:
    assert Scaled(1 / 3, Identity((2,))).structure == "0.333333·Identity(2)"
    assert Scaled(-2.0, Identity((2,)) + Diagonal(draw(2))).structure == "-2·(Identity(2) + Diagonal(2))"


SQUARE = Denominator(Dense(draw(3, 2), (3,)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Scaled(np.nan, Identity(2)), DomainError, r"Scaled: the factor nan of Identity\(2\) is not finite"),
        (lambda: 1e200 * (1e200 * Identity(2)), DomainError, r"Scaled: the factor inf of Identity\(2\) is not finite"),
        (lambda: Scaled(2.0, draw(2)), ArgumentError, r"Scaled: what is scaled is an array of shape \(2,\); expected"),
        (
            lambda: Scaled(2.0, SQUARE),
            LayoutError,
            r"Scaled: what is scaled is in denominator layout; take Denominator",
        ),
        (lambda: Transposed(draw(2)), ArgumentError, "Transposed: what is transposed is an array"),
        (
            lambda: Transposed(SQUARE),
            LayoutError,
            r"Transposed: .* take Denominator\(Transposed\(…\)\) of its numerator",
        ),
        (lambda: Denominator(draw(2)), ArgumentError, "Denominator: the numerator is an array"),
        (lambda: Sum([SQUARE, SQUARE]), LayoutError, "Sum: number 0 is in denominator layout"),
        (lambda: Product([Identity(2), Denominator(Identity(2))]), LayoutError, "Product: number 1 is in denominator"),
        (lambda: Sum(Identity(2)), ArgumentError, r"Sum: got Identity\(2\) alone; expected a list of Jacobians"),
        (
            lambda: Product(Identity(2)),
            ArgumentError,
            r"Product: got Identity\(2\) alone; expected a list of Jacobians",
        ),
        (lambda: BlockRow(Identity(2)), ArgumentError, r"BlockRow: got Identity\(2\) alone; expected a list"),
    ],
)
def test_what_a_composite_is_not_made_of(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        make()


def test_it_gives_back_what_it_turned() -> None:
    kept = Selection((slice(2),), (3,))
    assert kept.T.T is kept
    assert kept.ordered("F").T.T.to_dense().shape == (2, 3)


def test_structure_of_transposed() -> None:
    k, d = Kronecker(4, draw(3, 3)), Diagonal(draw(4, 3))
    assert Transposed(k).structure == "Kronecker(I₄, 3×3)ᵀ"
    assert Transposed(k @ d).structure == "(Kronecker(I₄, 3×3) @ Diagonal(4×3))ᵀ"
    assert Transposed(k + d).structure == "(Kronecker(I₄, 3×3) + Diagonal(4×3))ᵀ"
    assert Transposed(k).flops == k.flops


J = Kronecker(4, draw(3, 2))


def test_the_map_stays_and_the_matrix_turns() -> None:
    D = Denominator(J)
    assert (D.shape, D.domain, D.codomain) == ((8, 12), J.domain, J.codomain)
    same(D.jvp(draw(4, 2)), J.jvp(draw(4, 2)))
    same(D @ draw(12), J.T @ draw(12))
    same(D.to_sparse().toarray(), J.to_dense().T)
    assert D.T.shape == (12, 8)


def test_orders_pass_through() -> None:
    assert Denominator(J.ordered("F")).order == "F"
    assert Denominator(J).ordered("F").numerator.order == "F"
    assert Denominator(J).order is None
    same(Denominator(J).ordered("F").to_dense(), J.to_dense("F").T)
    assert (Denominator(J.ordered("F")) @ Denominator(Diagonal(draw(4, 3)))).order == "F"


def test_the_chain_reads_from_the_input_to_the_output() -> None:
    f, g, loss = Denominator(J), Denominator(Diagonal(draw(4, 3))), Denominator(Dense(draw(4, 3)))
    chain = f @ g @ loss
    assert chain.shape == (8, 1)
    same(chain.gradient, (loss.numerator @ g.numerator @ J).gradient)
    same((2 * chain).to_dense(), 2 * (f.to_dense() @ g.to_dense() @ loss.to_dense()))
    same((f @ g + f).to_dense(), f.to_dense() @ g.to_dense() + f.to_dense())


def test_not_twice() -> None:
    with pytest.raises(
        LayoutError, match=r"^Denominator: Denominator\[Identity\(2\)\] is in denominator layout already$"
    ):
        Denominator(Denominator(Identity((2,))))


@pytest.mark.parametrize(
    ("operator", "symmetric"),
    [
        (Identity((2, 3)), True),
        (Diagonal(draw(2, 3)), True),
        (Scaled(2.0, Diagonal(draw(2))), True),
        (Scaled(2.0, J), False),
        (Commutation(2, 2), False),
        (DiagonalMinusOuter(draw(3), draw(3), draw(3), 0), False),
    ],
)
def test_symmetric_by_structure(operator: Identity, symmetric: bool) -> None:
    assert operator._is_symmetric() is symmetric


@pytest.mark.parametrize(
    "symmetric", [Diagonal(draw(3)), 2.0 * Identity((3,)), Identity((3,)), Scaled(2.0, Diagonal(draw(3)))]
)
def test_symmetric_structures_join_either_layout(symmetric: Jacobian) -> None:
    other = Dense(draw(3, 3), (3,))
    assert isinstance(symmetric @ Denominator(other), Denominator)
    assert isinstance(Denominator(other) + symmetric, Denominator)
    same((symmetric @ Denominator(other)).to_dense(), symmetric.to_dense() @ other.to_dense().T)
    for refused in (other, Scaled(2.0, other)):
        with pytest.raises(LayoutError):
            refused @ Denominator(other)
