"""Composites are made of Jacobians in numerator layout, which carry one order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.errors import ArgumentError, JacobiansError, LayoutError, ShapeError
from jacobians.linops import Commutation, Denominator, Dense, Identity
from jacobians.linops.parts import a_jacobian, all_jacobians, joint_order


def test_joint_order() -> None:
    free, c, f = Identity((2, 2)), Identity((2, 2)).ordered("C"), Commutation(2, 2).ordered("F")
    assert joint_order(free, free) is None
    assert joint_order(free, c, free, c) == "C"
    assert joint_order(f, free) == "F"
    message = (
        r"Identity\(2×2\) is unrolled in order 'C', Commutation\(2, 2\) in order 'F'; give every operation the same"
    )
    with pytest.raises(LayoutError, match=message):
        joint_order(free, c, f)


def test_parts_are_returned_as_they_are() -> None:
    J, K = Identity((2, 2)), Dense(np.ones((2, 4)))
    assert a_jacobian(J, "Sum", "part") is J
    assert all_jacobians(iter([J, K]), "Sum") == (J, K)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ([], ShapeError, r"^Sum: nothing was given; expected one Jacobian or several$"),
        (Identity((2,)), ArgumentError, r"^Sum: got Identity\(2\) alone; expected a list of Jacobians$"),
        ([Identity((2,)), 3.0], ArgumentError, r"^Sum: number 1 is .*float.*; expected a Jacobian, such as Dense"),
        ([Denominator(Identity((2,)))], LayoutError, r"^Sum: number 0 is in denominator layout; take Denominator\(Sum"),
    ],
)
def test_what_is_no_list_of_parts(given: Any, error: type[JacobiansError], text: str) -> None:
    with pytest.raises(error, match=text):
        all_jacobians(given, "Sum")
