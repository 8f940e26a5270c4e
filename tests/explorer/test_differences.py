"""How far two sides' gradients are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.explorer.example_nets import EXAMPLES, PLAIN
from tests.explorer.oracle import forward


def gradient_by_x(bias: str) -> np.ndarray:
    """By hand: back through the layers of the middle net."""
    example = EXAMPLES[1]
    arrays = forward(example, bias)
    delta = (arrays["P"] - np.eye(2)[example.labels]) / len(example.labels)
    A = arrays["A1"]
    return ((delta @ example.params["W2"].T) * A * (1 - A)) @ example.params["W1"].T


def test_sides_with_a_bias_have_one_gradient(page_data: dict[str, Any]) -> None:
    for net in page_data["nets"]:
        kinds = {
            side["layout"]["bias"] == "none": record["kind"]
            for side, record in zip(page_data["layouts"], net["sides"], strict=True)
        }
        assert set(kinds) == {True, False}
        groups: dict[bool, set[int]] = {True: set(), False: set()}
        for side, record in zip(page_data["layouts"], net["sides"], strict=True):
            groups[side["layout"]["bias"] == "none"].add(record["kind"])
        assert not groups[True] & groups[False]
        for table in net["differences"].values():
            for same in groups.values():
                found = [table[i][j] for i in same for j in same]
                assert all(place is None or page_data["numbers"][place] < 1e-14 for place in found)


def test_without_a_bias_the_gradient_is_another(page_data: dict[str, Any]) -> None:
    net = page_data["nets"][1]
    kinds = {
        ".".join(side["layout"].values()): record["kind"]
        for side, record in zip(page_data["layouts"], net["sides"], strict=True)
    }
    one, other = kinds["rows.columns.separate.C.numerator"], kinds["columns.rows.none.F.denominator"]
    expected = np.abs(gradient_by_x("separate") - gradient_by_x("none")).max()
    for i, j in ((one, other), (other, one)):
        assert page_data["numbers"][net["differences"]["X"][i][j]] == pytest.approx(expected, rel=1e-10)
        assert net["differences"]["b1"][i][j] is None


def test_the_oracle_agrees_with_the_library_on_one_gradient() -> None:
    found = EXAMPLES[1].run(PLAIN).gradient(inputs=True)["X"]
    np.testing.assert_allclose(found, gradient_by_x("separate"), rtol=1e-12)
