"""Numerical derivatives: right where the function is smooth, honest where it is not."""

import numpy as np
import pytest

from jacobians.checking import directional_derivative
from jacobians.checking.kinks import one_sided
from jacobians.checking.numerical import Calls, Estimate, Probe, band, best_of
from jacobians.checking.trees import Tree


def probe_of(fun, x):
    tree = Tree.of(x, "test")
    return Probe(Calls(fun, "fun"), tree, tree.pack([x]))


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


@pytest.mark.parametrize("first", [6e-3, 2e-7, 4e-14])
@pytest.mark.parametrize("fun", [lambda t: 3.0 * max(0.0, t) ** 2, lambda t: t * abs(t), lambda t: max(0.0, t) ** 1.5])
def test_where_the_second_derivative_jumps_the_error_is_seen(fun, first):
    probe = probe_of(lambda x: float(fun(x[0])), np.zeros(1))  # the derivative is 0; the slopes settle as the step
    found = band(probe, probe.coordinate(0), first)
    assert abs(found.value[0]) <= found.tolerance[0]


def test_the_direction_need_not_be_a_unit_vector():
    long, _ = directional_derivative(lambda x: float(x @ x), np.ones(3), 1e5 * np.ones(3))
    assert long == pytest.approx(6e5, rel=1e-9)
    assert directional_derivative(lambda x: float(x @ x), np.ones(3), np.zeros(3)) == (0.0, 0.0)


def test_a_kink_beside_the_point_is_resolved_by_the_small_steps():
    x = np.array([2e-5, 1.0])
    x.setflags(write=False)
    found, error = directional_derivative(lambda v: float(abs(v[0]) + v[1]), x, np.ones(2))
    assert abs(found - 2.0) <= 8 * error
    assert error < 1e-6


def test_smaller_steps_have_the_first_word():
    def estimate(value, error, reach):
        return Estimate(np.array([value]), np.array([error]), np.array([reach]))

    near, far = estimate(1.0, 1e-8, 1e-5), estimate(0.5, 1e-14, 1e-2)
    assert best_of([near, far]).value == [1.0]
    assert best_of([near, far]).reach == [1e-5]
    agreeing = estimate(1.0 + 1e-9, 1e-12, 1e-2)
    assert best_of([near, agreeing]).error == [1e-12]
    assert best_of([near, agreeing]).reach == [1e-2]


def test_a_function_that_is_undefined_nearby_gives_no_estimate():
    probe = probe_of(lambda x: float(np.log(x[0])), np.array([1e-3]))
    with np.errstate(invalid="ignore", divide="ignore"):
        assert band(probe, probe.coordinate(0), 8.0).error == [np.inf]
    assert abs(band(probe, probe.coordinate(0), 1e-3).value[0] - 1e3) < 1e-6


def test_noise_is_measured():
    smooth = probe_of(lambda x: float(np.tanh(x).sum()), np.ones(3))
    single = probe_of(lambda x: float(np.tanh(x.astype(np.float32)).sum()), np.ones(3))
    for probe in (smooth, single):
        probe.measure_noise(np.random.default_rng(0))
    assert smooth.noise[0] < 1e-14
    assert 1e-9 < single.noise[0] < 1e-5


@pytest.mark.parametrize("distance", [0.0, 1e-13, 1e-10, 1e-6])
def test_one_sided_slopes(distance):
    # one small entry among many: its array's scale is its own
    point = np.concatenate([[distance], np.full(30, 0.3)])
    probe = probe_of(lambda x: float(np.maximum(2 * x[0], -x[0]) + np.sin(x[1])), point)
    sides = one_sided(probe, probe.coordinate(0), np.full(1, 6e-3))
    if distance > 1e-12:
        assert sides.beside.all()
        assert sides.low == pytest.approx(2.0, abs=0.1)
    else:
        assert sides.kink.all()
        assert [sides.low[0], sides.high[0]] == pytest.approx([-1.0, 2.0], abs=1e-4)
    smooth = one_sided(probe, probe.coordinate(1), np.full(1, 6e-3))
    assert not smooth.kink.any()
    assert not smooth.beside.any()
