"""Scaled."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.linops import Diagonal, Identity, Kronecker, Scaled
from tests.linops.tools import draw


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


def test_structure() -> None:
    assert Scaled(1 / 3, Identity((2,))).structure == "0.333333·Identity(2)"
    assert Scaled(-2.0, Identity((2,)) + Diagonal(draw(2))).structure == "-2·(Identity(2) + Diagonal(2))"
