"""The gradient of a file beside the right one: how near it is, in what precision, and with how many digits."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network, convention
from jacobians.array_roles import arrays_by_role
from jacobians.file_attempt import Attempt

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(9, 4)), RNG.integers(0, 2, 9)
NET = Network.dense((4, 3, 2), convention="cs231n", loss="cross_entropy")
PARAMS = NET.init(1)
RIGHT = NET.gradient(PARAMS, X, Y)


def attempt(gradient: dict[str, np.ndarray]) -> Attempt:
    arrays = {**PARAMS, "X": X, "y": Y, **{f"d{name}": array for name, array in gradient.items()}}
    read = arrays_by_role(arrays, convention("cs231n"))
    return Attempt("classification", NET, read, X, Y)


def test_the_right_gradient_is_near_and_no_other() -> None:
    assert attempt(RIGHT).is_near
    assert not attempt({name: 2 * array for name, array in RIGHT.items()}).is_near


def test_a_gradient_of_another_shape_has_no_names() -> None:
    turned = attempt({**RIGHT, "W1": RIGHT["W1"].T})
    assert turned.named is None
    assert turned.printed is None
    assert not turned.is_near


def test_rounding_in_float32_is_not_held_against_a_gradient() -> None:
    narrow = attempt({name: array.astype(np.float32) for name, array in RIGHT.items()})
    assert narrow.narrow == "float32"
    for name, array in narrow.named.items():
        np.testing.assert_array_equal(array, RIGHT[name])
    assert attempt(RIGHT).narrow is None
    wrong = {name: array.astype(np.float32) for name, array in RIGHT.items()}
    wrong["W1"] = wrong["W1"].copy()
    wrong["W1"][0, 0] *= np.float32(1.001)
    assert (attempt(wrong).named["W1"] != RIGHT["W1"]).sum() == 1


@pytest.mark.parametrize("digits", [5, 7])
def test_printed_digits_are_counted(digits: int) -> None:
    few = {name: np.vectorize(lambda x: float(f"{x:.{digits - 1}e}"))(array) for name, array in RIGHT.items()}
    assert attempt(few).printed.digits == digits
    assert attempt(RIGHT).printed is None
