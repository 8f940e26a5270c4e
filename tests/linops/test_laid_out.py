"""A long structure is laid out in lines that fit, and loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

import jacobians as jac
from jacobians import Network
from jacobians.linops.laid_out import laid_out


def _joined(text: str) -> str:
    return "".join(text.split())


def test_a_structure_that_fits_stays_on_its_line() -> None:
    assert laid_out("Diagonal(3) @ Kronecker(I₆, 3×4)") == "Diagonal(3) @ Kronecker(I₆, 3×4)"


def test_sums_stand_above_products() -> None:
    assert laid_out("Dense(2×3) @ Dense(3×3) + Dense(2×3)", 24) == "Dense(2×3) @ Dense(3×3)\n+ Dense(2×3)"


def test_a_part_that_fits_nowhere_is_left_whole() -> None:
    assert laid_out("DiagonalMinusOuter", 4) == "DiagonalMinusOuter"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_nothing_is_lost_and_lines_fit(width: int) -> None:
    net = Network.dense((3, 4, 2))
    J = jac.gauss_newton(net.run(net.init(0), np.eye(3), [0, 1, 0]))
    found = laid_out(J.structure, width)
    assert _joined(found) == _joined(J.structure)
    assert width < 40 or max(map(len, found.splitlines())) <= width


def test_a_long_jacobian_is_shown_in_lines() -> None:
    net = Network.dense((3, 4, 2))
    J = jac.gauss_newton(net.run(net.init(0), np.eye(3), [0, 1, 0]))
    assert max(map(len, repr(J).splitlines())) <= 84
    assert repr(jac.relu(np.eye(2))[1]).count("\n") == 0
