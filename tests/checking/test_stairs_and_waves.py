"""Functions with rounding of their own: float32 inside, printed digits, waves beside a slope, outputs that drown."""

import numpy as np
import pytest

from jacobians.checking import check_gradient, check_jacobian
from jacobians.checking.numerical import Calls, Probe
from jacobians.checking.trees import Tree

FACTORS = (1, 0, 2, -1)


def verdicts(fun, grad, x, **options):
    """Of the right gradient, and of zero, twice and minus it."""
    return [check_gradient(fun, lambda v, k=k: k * grad(v), x, **options).verdict for k in FACTORS]


def drawn(seed, size=7):
    return np.random.default_rng(seed).uniform(0.4, 1.6, size)


def noise(fun, x):
    probe = Probe(Calls(fun, "fun"), Tree.of(x, "test"), x)
    probe.measure_noise(np.random.default_rng(0))
    return probe.noise


@pytest.mark.parametrize("constant", [0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e7])
def test_float32_inside_is_no_mistake_of_the_gradient(constant):
    def fun(v):
        return float((v.astype(np.float32) ** 2).sum() + np.float32(constant))

    for seed in range(3):
        right, *wrong = verdicts(fun, lambda v: 2 * v, drawn(seed))
        assert right == ("pass" if constant <= 100 else right)
        assert right != "fail"
        assert "pass" not in wrong
        assert constant > 1e3 or wrong == ["fail"] * 3


@pytest.mark.parametrize("digits", [4, 6, 8])
def test_a_value_that_was_rounded_to_decimals(digits):
    for seed in range(3):
        right, *wrong = verdicts(lambda v: round(float(np.sin(v).sum()), digits), np.cos, drawn(seed))
        assert right != "fail"
        assert "pass" not in wrong


def test_treads_are_seen_at_steps_of_whole_treads():
    """Of a linear staircase whose step is 13 treads, and whose Fibonacci parts of a step are whole treads nearly."""
    direction = np.random.default_rng(0).normal(size=1)
    tread = 128 * np.finfo(float).eps * 256**4 * abs(float(direction[0])) / 13
    for value in (0.0, 1e3):
        assert noise(lambda v, c=value: float(np.round(v[0] / tread) * tread + c), np.ones(1)) > 0.2 * tread


def test_dead_outputs_do_not_coarsen_the_others():
    x = np.array([0.3, -1.2, 0.7, 2.0])
    alone = noise(np.sin, x)
    beside = noise(lambda v: np.concatenate([np.sin(v), np.maximum(v - 9, 0), 0 * v + 3]), x)
    assert beside[:4] == pytest.approx(alone, rel=3)
    assert beside[:4].max() < 1e-14
    assert (beside[4:8] == np.finfo(float).tiny).all()


@pytest.mark.parametrize("size", [1e300, 1e160, 1e-160, 1e-280])
def test_values_whose_squares_are_no_numbers(size):
    assert verdicts(lambda v: float((size * v * v).sum()), lambda v: 2 * size * v, np.ones(3)) == [
        "pass",
        *["fail"] * 3,
    ]


@pytest.mark.parametrize("frequency", [1e2, 1e3, 1e5, 1e6, 1e9])
@pytest.mark.parametrize("place", [0, 1])
def test_a_wave_beside_a_slow_entry(frequency, place):
    """Who computes frequency · x rounds by as much of the value as x's own rounding makes; no value shows that."""
    for seed in range(2):
        x = np.random.default_rng(seed).uniform(0.3, 2, 2)
        w = np.ones(2)
        w[place] = frequency
        right, *wrong = verdicts(lambda v, w=w: float(np.sin(w * v).sum()), lambda v, w=w: w * np.cos(w * v), x)
        assert right == "pass"
        assert wrong == ["fail"] * 3


M = np.random.default_rng(0).normal(size=(4, 3))
X = np.array([0.5, 1.2, -0.7])


@pytest.mark.parametrize("factor", FACTORS)
def test_no_row_passes_where_zero_would(factor):
    """The row of one output drowns beside a constant; the other outputs are seen."""
    rows = np.array([1, factor, 1, 1])[:, None]
    hidden = check_jacobian(lambda v: M @ v + np.array([0, 1e16, 0, 0]), lambda v: rows * M, X)
    assert hidden.verdict == "inconclusive"
    seen = check_jacobian(lambda v: M @ v + np.array([0, 1e3, 0, 0]), lambda v: rows * M, X)
    assert seen.verdict == ("pass" if factor == 1 else "fail")
    small = np.array([1, 1e-13, 1, 1])
    seen = check_jacobian(lambda v: (M @ v) * small, lambda v: rows * M * small[:, None], X)
    assert seen.verdict == ("pass" if factor == 1 else "fail")


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def test_a_sum_that_is_constant_but_for_rounding():
    x = np.array([0.3, -1.2, 0.7, 2.0])
    for fun in (
        lambda v: softmax(v).sum(),
        lambda v: float(softmax(v).sum()),
        lambda v: float(np.linalg.norm(v / np.linalg.norm(v))),
    ):
        assert check_gradient(fun, np.zeros_like, x)
        assert check_gradient(fun, lambda v: 0 * v + 1e-3, x).verdict == "fail"


def test_zero_rows_of_outputs_that_are_constant_or_dead():
    x = np.array([0.3, -1.2, 0.7, 2.0])

    def fun(v):
        return np.concatenate([softmax(v), [softmax(v).sum(), 3.0], np.maximum(v - 5, 0)])

    def jac(v):
        p = softmax(v)
        return np.concatenate([np.diag(p) - np.outer(p, p), np.zeros((6, 4))])

    assert check_jacobian(fun, jac, x)
    for row in (1, 4, 5, 8):
        assert check_jacobian(fun, lambda v, i=row: jac(v) + 0.01 * (np.arange(10) == i)[:, None], x).verdict == "fail"


def test_a_jump_at_x_is_no_true_zero():
    assert check_gradient(lambda v: float((v > 0).sum()), np.zeros_like, np.array([0.0, -1.0])).verdict != "pass"
    assert check_gradient(lambda v: float((v > 0).sum()), np.zeros_like, np.array([0.5, -1.0]))
