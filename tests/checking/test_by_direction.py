"""Random directions: the stated probability holds, and a failure is traced to its entry."""

import math

import numpy as np
import pytest

from jacobians.checking import check_gradient
from jacobians.checking.by_direction import direction_count, largest_missed


def fun(x):
    return float(np.tanh(x).sum())


def grad(x):
    return 1 - np.tanh(x) ** 2


def test_many_parameters_are_checked_along_directions():
    x = np.random.default_rng(0).normal(size=20_000)
    check = check_gradient(fun, grad, x)
    assert check, str(check)
    assert check.along.directions == 9
    assert check.along.failure_probability == 1e-9
    assert check.evaluations < 200
    assert check.parameters[0].smallest > check.along.smallest


@pytest.mark.parametrize("entry", [0, 12_345, 19_999])
def test_one_wrong_entry_is_found(entry):
    x = np.random.default_rng(1).normal(size=20_000)

    def wrong(v):
        found = grad(v)
        found[entry] += 1e-3
        return found

    check = check_gradient(fun, wrong, x)
    assert check.verdict == "fail"
    assert check.parameters[0].index == (entry,)
    assert check.reasons[-1].startswith("along 9 random directions it is off by ")


def test_a_wrong_parameter_is_named():
    x = {"W": np.random.default_rng(2).normal(size=(100, 80)), "b": np.linspace(0, 1, 80)}

    def loss(p):
        return fun(p["W"]) + fun(p["b"])

    check = check_gradient(loss, lambda p: {"W": grad(p["W"]), "b": grad(p["b"]) / 2}, x)
    assert [p.verdict for p in check.parameters] == ["pass", "fail"]


def test_directions_on_request_and_the_number_that_a_probability_needs():
    x = np.linspace(-1, 1, 30)
    check = check_gradient(fun, grad, x, directions=4, failure_probability=1e-4)
    assert check
    assert check.along.directions == 4
    assert [direction_count(p) for p in (0.5, 1e-3, 1e-9, 1e-12)] == [2, 3, 9, 12]


@pytest.mark.parametrize("directions", [1, 2, 3])
def test_the_stated_probability_holds(directions):
    """Errors of the stated norm, reference error included, are missed less often than stated."""
    probability, trials = 0.05, 20_000
    norm = largest_missed(directions, probability) / 2  # in tolerances, of an exact reference
    draws = np.random.default_rng(0).normal(size=(trials, directions))
    missed = (np.abs(norm * draws) < 1.0).all(axis=1).mean()
    assert missed <= probability * 1.1
    assert norm == pytest.approx(math.sqrt(2 / math.pi) * probability ** (-1 / directions))


def test_structured_errors_that_cancel_along_ones_are_seen():
    x = np.random.default_rng(3).normal(size=200)
    error = np.where(np.arange(200) % 2, 1e-6, -1e-6)
    assert check_gradient(fun, lambda v: grad(v) + error, x, directions=9).verdict == "fail"
    rolled = check_gradient(fun, lambda v: np.roll(grad(v), 1), x, directions=9)
    assert rolled.verdict == "fail"


def test_kinks_in_every_direction_leave_it_open():
    check = check_gradient(lambda v: np.abs(v).sum(), np.sign, np.zeros(40), directions=3)
    assert check.verdict == "inconclusive"
    assert "every random direction meets kinks or undefined values" in check.reasons[-1]
    assert "3 of 3 random directions meet kinks and say nothing" in check.notes


def piecewise(seed, size, scale=1.0):
    """Σ w·max(x − place, 0) + Σ b·sin(x), with kinks exactly at x and at 10⁻¹² … 10⁻¹ from it, and its gradient."""
    rng = np.random.default_rng(seed)
    distance = np.resize([0.0, *(10.0**-k for k in range(1, 13)), 1e3], size)
    x, weight, bend = rng.normal(size=(3, size))
    place = x - distance * rng.choice([-1.0, 1.0], size=size)

    def value(v):
        return scale * float(1 + weight @ np.maximum(v - place, 0) + bend @ np.sin(v))

    return value, lambda v: scale * (weight * (v > place) + bend * np.cos(v)), x


@pytest.mark.parametrize(("scale", "seed"), [(1e-6, 0), (1.0, 1), (1e6, 2)])
def test_directions_across_crowds_of_kinks_do_not_condemn(scale, seed):
    """Every entry is right, and no direction can tell: kinks lie within all its steps, small and large."""
    value, gradient, x = piecewise(seed, 350, scale)
    check = check_gradient(value, gradient, x, protocol=False)
    assert check.verdict != "fail", str(check)
    assert check.along.unresolved == 9
    along = check_gradient(value, gradient, x, directions=9)
    assert along.verdict != "fail", str(along)
    assert (along.along.unresolved, along.along.smallest) == (9, math.inf)


@pytest.mark.parametrize(("directions", "factor"), [(None, 3.0), (9, 300.0)])
def test_kinks_do_not_hide_a_wrong_gradient(directions, factor):
    value, gradient, x = piecewise(0, 350)
    check = check_gradient(value, lambda v: factor * gradient(v), x, directions=directions)
    assert check.verdict == "fail"
    if directions:
        assert check.along.error > check.along.resolved


def test_one_kink_far_below_the_error_does_not_hide_it():
    x = np.linspace(0.5, 1, 20)

    def bent(v):
        return fun(v) + 1e-4 * max(v[0] - x[0] - 1e-7, 0.0)

    def slopes(v):
        return grad(v) + 1e-4 * (v[0] > x[0] + 1e-7) * (np.arange(20) == 0)

    assert check_gradient(bent, slopes, x, directions=9)
    assert check_gradient(bent, lambda v: 1.01 * slopes(v), x, directions=9).verdict == "fail"


def test_the_chance_of_resolving_only_some_is_counted():
    """Of nine directions any three may be those in which an error does not show."""
    assert largest_missed(3, 1e-9, 9) == pytest.approx(largest_missed(3, 1e-9) * math.comb(9, 3) ** (1 / 3))
