"""The L2 regulariser against loops, with the bias wherever a layout keeps it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jacobians import l2
from jacobians.errors import ShapeError
from jacobians.layout import Layout
from jacobians.linops import Denominator
from jacobians.operations import L2
from jacobians.testing import assert_dense_twin
from tests.operations.random_inputs import LAYOUTS, Numbers, short

G = Numbers(19)


def is_bias(layout: Layout, index: tuple[int, int], shape: tuple[int, int]) -> bool:
    place = index[1] if layout.weights == "rows" else index[0]
    last = (shape[1] if layout.weights == "rows" else shape[0]) - 1
    return (layout.bias == "first" and place == 0) or (layout.bias == "last" and place == last)


@pytest.mark.parametrize("layout", [t for t in LAYOUTS if t.batch == "rows"], ids=short)
@pytest.mark.parametrize("include_bias", [False, True])
def test_value_and_gradient_by_loops(layout: Layout, include_bias: bool) -> None:
    W = G(*layout.weight_shape(3, 2))
    value, J = l2(W, 0.7, layout, include_bias=include_bias)
    expected, gradient = 0.0, np.zeros_like(W)
    for index in np.ndindex(W.shape):
        if include_bias or not is_bias(layout, index, W.shape):
            expected += 0.7 * W[index] ** 2
            gradient[index] = 1.4 * W[index]
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_allclose(J.gradient, gradient, rtol=1e-14)
    row = gradient.reshape(1, -1)
    assert_dense_twin(J, row if layout.derivative == "numerator" else row.T)
    assert isinstance(J, Denominator) == (layout.derivative == "denominator")


def test_any_shape_where_no_bias_is_absorbed() -> None:
    for shape in ((), (4,), (2, 3, 2), (0, 3)):
        W = G(*shape)
        value, J = l2(W, 0.5)
        np.testing.assert_allclose(value, 0.5 * np.sum(W**2))
        assert J.gradient.shape == shape
        np.testing.assert_allclose(J.gradient, W)


def test_an_absorbed_bias_needs_a_matrix() -> None:
    layout = Layout(bias="first")
    message = f"l2: W has shape (3,); with an absorbed bias it must be a matrix ({layout})"
    with pytest.raises(ShapeError, match=re.escape(message) + "$"):
        l2(np.ones(3), 1.0, layout)
    assert l2(np.ones(3), 1.0, layout, include_bias=True)[0] == 3.0


def test_many_float32_entries_are_added_in_float64() -> None:
    W = np.ones((3000, 6000), dtype=np.float32)  # more than 2**24
    value, _ = l2(W, 1.0)
    assert value == 18_000_000
    assert value.dtype == np.float32


def test_name_and_input() -> None:
    assert L2(1.0).name == "l2"
    assert L2(1.0).names == ("W",)
    assert list(L2(1.0).evaluate(np.ones(2))[1]) == ["W"]
