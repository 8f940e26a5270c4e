"""Elementwise operations against mpmath, and that the comparison can fail."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jacobians import operations as ops
from jacobians.operations.smooth_rectifiers import BOUND, half_gaussian, scaled_tail
from tests.operations.activation_and_power_cases import CASES, CONTEXT, check_accuracy, units

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@every_dtype
@pytest.mark.parametrize("name", CASES)
def test_value_and_derivative_are_exact_to_a_few_units_in_the_last_place(name: str, dtype: type) -> None:
    check_accuracy(CASES[name], dtype)


class TextbookSigmoid(ops.Elementwise):
    def _rule(self, z):
        a = ops.Sigmoid()._rule(z)[0]
        return a, lambda: a * (1 - a)


class TextbookTanh(ops.Elementwise):
    def _rule(self, z):
        a = np.tanh(z)
        return a, lambda: 1 - a * a


class TextbookSoftplus(ops.Elementwise):
    def _rule(self, z):
        return np.log(1 + np.exp(np.minimum(z, 80))) + np.maximum(z - 80, 0), lambda: ops.Sigmoid()._rule(z)[0]


class TextbookSiLU(ops.Elementwise):
    def _rule(self, z):
        a, slope = ops.Sigmoid()._rule(z)
        return z * a, lambda: a + z * slope()


class TextbookGELU(ops.Elementwise):
    def _rule(self, z):
        from scipy.special import ndtr

        z = np.clip(z, -1e4, 1e4)
        return z * ndtr(z), lambda: ndtr(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


class HalvedSquare(ops.Elementwise):
    def _rule(self, z):
        return z * z, lambda: z.copy()


@every_dtype
@pytest.mark.parametrize(
    ("wrong", "name", "what"),
    [
        (TextbookSigmoid(), "sigmoid", "derivative"),
        (TextbookTanh(), "tanh", "derivative"),
        (TextbookSoftplus(), "softplus", "value"),
        (TextbookSiLU(), "silu", "value"),
        (TextbookGELU(), "gelu", "value"),
        (HalvedSquare(), "square", "derivative"),
    ],
)
def test_the_check_catches_a_wrong_or_cancelling_rule(wrong, name: str, what: str, dtype: type) -> None:
    with pytest.raises(AssertionError, match=rf"{what} at .* ulp"):
        check_accuracy(CASES[name]._replace(operation=wrong), dtype, flags="ignore")


@every_dtype
def test_normal_tail(dtype: type) -> None:
    n = -np.concatenate([np.linspace(0, 1, 101), np.linspace(0, BOUND, 301)]).astype(dtype)
    points = [CONTEXT.mpf(entry) for entry in n.tolist()]
    scaled = [CONTEXT.exp(x * x / 2) * CONTEXT.erfc(-x / CONTEXT.sqrt(2)) / 2 for x in points]
    assert units(scaled_tail(n), scaled).max() <= 3
    assert units(half_gaussian(n), [CONTEXT.exp(-x * x / 4) for x in points]).max() <= 4
