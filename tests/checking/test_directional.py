"""Numerical directional derivatives: right where the function is smooth, honest where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.checking import check_directions, directional_derivative


@pytest.mark.parametrize(
    ("fun", "slope"),
    [
        (
            lambda x: float(np.sin(x[0]) * np.exp(x[1])),
            lambda x: [np.cos(x[0]) * np.exp(x[1]), np.sin(x[0]) * np.exp(x[1])],
        ),
        (lambda x: float(x[0] ** 3 - x[0] * x[1]), lambda x: [3 * x[0] ** 2 - x[1], -x[0]]),
        (lambda x: float(1e6 + 1e-6 * x[0]), lambda x: [1e-6, 0.0]),
    ],
)
def test_error_stays_within_its_estimate(fun, slope):
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, direction = rng.normal(size=2), rng.normal(size=2)
        found, error = directional_derivative(fun, x, direction)
        assert abs(found - np.dot(slope(x), direction)) <= error


def test_smooth_functions_are_resolved_to_ten_digits():
    found, error = directional_derivative(lambda x: float(np.exp(x[0])), np.ones(1), np.ones(1))
    assert abs(found - np.e) < 1e-10
    assert error < 1e-9


def test_the_direction_need_not_be_a_unit_vector():
    long, _ = directional_derivative(lambda x: float(x @ x), np.ones(3), 1e5 * np.ones(3))
    assert long == pytest.approx(6e5, rel=1e-9)


def test_a_kink_beside_the_point_is_resolved_by_the_small_steps():
    x = np.array([2e-5, 1.0])
    found, error = directional_derivative(lambda v: float(abs(v[0]) + v[1]), x, np.ones(2))
    assert abs(found - 2.0) <= 10 * error
    assert error < 1e-6


@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1.0, 1e6]))
def test_right_gradients_pass_and_slightly_wrong_ones_do_not(seed, scale):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(5, 5))
    x = rng.normal(size=5)

    def fun(v):
        return float(scale * np.sum(np.tanh(A @ v)))

    gradient = scale * (A.T @ (1 / np.cosh(A @ x) ** 2))
    assert check_directions(fun, gradient, x).passed
    assert not check_directions(fun, gradient * (1 + 1e-5), x).passed
    swapped = gradient.copy()
    swapped[[0, 1]] = gradient[[1, 0]]
    assert not check_directions(fun, swapped, x).passed


def test_the_argument_is_not_written():
    x = np.arange(3.0)
    x.setflags(write=False)
    result = check_directions(lambda v: float(v @ v), 2 * x, x, directions=3)
    assert result.directions == 3
    assert result.passed


def test_a_function_without_parameters_passes():
    assert check_directions(lambda v: 1.0, np.zeros(0), np.zeros(0)).passed
