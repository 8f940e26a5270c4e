"""A pass is impossible where zero, twice or minus the gradient would pass too; true zeros pass all the same."""

import numpy as np
import pytest

from jacobians.checking import check_gradient, check_jacobian

X = np.ones(3)
NARROW = np.linspace(0.5, 1.5, 4, dtype=np.float32)
Y = np.linspace(0.3, 2.0, 5)
FACTORS = (0, 1, 2, -1)


def squares(x):
    return (x**2).sum()


def verdicts(fun, grad, x, **options):
    """The verdicts on zero, the right gradient, twice that and minus that."""
    return [check_gradient(fun, lambda v, k=k: x.dtype.type(k) * grad(v), x, **options).verdict for k in FACTORS]


def wave(x):
    return (x * np.sin(x)).sum()


def wave_slopes(x):
    return np.sin(x) + x * np.cos(x)


HIDDEN = {
    "a sum of squares beside 1e16": (squares, 1e16, lambda x: 2 * x, X),
    "the same, negative": (squares, -1e16, lambda x: 2 * x, X),
    "a smaller one": (lambda x: 1e-8 * squares(x), 1e8, lambda x: 2e-8 * x, X),
    "x sin x beside 1e14": (wave, 1e14, wave_slopes, Y),
    "float32 beside 1e7": (squares, np.float32(1e7), lambda x: 2 * x, NARROW),
    "many entries": (squares, 1e16, lambda x: 2 * x, np.linspace(0.5, 1.5, 120)),
}


def beside(name):
    """The function beside its constant, the gradient, and where."""
    fun, constant, grad, x = HIDDEN[name]
    return lambda v: fun(v) + constant, grad, x


@pytest.mark.parametrize("name", HIDDEN)
def test_no_gradient_passes_where_zero_would(name):
    assert verdicts(*beside(name)) == ["inconclusive"] * 4


@pytest.mark.parametrize("name", HIDDEN)
def test_without_the_constant_the_right_one_passes(name):
    fun, _, grad, x = HIDDEN[name]
    assert verdicts(fun, grad, x.astype(np.float64)) == ["fail", "pass", "fail", "fail"]


def test_it_is_said_what_would_help():
    (reason,) = check_gradient(*beside("float32 beside 1e7")).reasons
    assert reason == (
        "x: only an error above 2e+02 can be seen here, but no derivative that was given exceeds 3. So a "
        "gradient of 0 would pass "
        "too. The rounding of fun's value, 1e+07, hides smaller errors. Subtract its constant part, compute in "
        "float64, or give check_jacobian the terms that it adds up"
    )
    (reason,) = check_gradient(*beside("x sin x beside 1e14")).reasons
    assert "float64" not in reason
    assert check_jacobian(lambda v: v * np.sin(v), lambda v: np.diag(wave_slopes(v)), Y)


def test_a_long_float32_sum_is_seen_along_directions():
    """One entry of many drowns in the sum's rounding; the norm of the gradient does not."""
    x = np.random.default_rng(0).normal(size=6000).astype(np.float32)
    assert verdicts(squares, lambda v: 2 * v, x) == ["fail", "pass", "fail", "fail"]
    assert verdicts(lambda v: squares(v) + np.float32(1e8), lambda v: 2 * v, x) == ["inconclusive"] * 4


def test_a_parameter_that_hides_is_named():
    x = {"a": Y, "b": Y.copy()}

    def fun(p):
        return float(np.sin(p["a"]).sum() + 1e-13 * np.cos(p["b"]).sum() * (1 + p["a"][0]))

    def grad(p):
        e = np.arange(5) == 0
        return {
            "a": np.cos(p["a"]) + e * 1e-13 * np.cos(p["b"]).sum(),
            "b": -1e-13 * np.sin(p["b"]) * (1 + p["a"][0]),
        }

    check = check_gradient(fun, grad, x)
    # less than a millionth of the largest derivative: what is zero to it
    assert [p.verdict for p in check.parameters] == ["pass", "pass"]
    loud = check_gradient(lambda p: 1e9 * fun(p), lambda p: {k: 1e9 * g for k, g in grad(p).items()}, x)
    assert [p.verdict for p in loud.parameters] == ["pass", "pass"]
    hidden = check_gradient(lambda p: fun(p) + 1e9, grad, x)
    assert [p.verdict for p in hidden.parameters] == ["pass", "inconclusive"]
    assert hidden.reasons[0].startswith("b: only an error above ")


TRUE_ZEROS = {
    "a constant": (lambda x: 1.0, lambda x: 0 * x, X),
    "a large constant": (lambda x: 1e16, lambda x: 0 * x, X),
    "nothing": (lambda x: 0.0, lambda x: 0 * x, X),
    "a constant in float32": (lambda x: np.float32(7), lambda x: 0 * x, NARROW),
    "a minimum": (lambda x: float(((x - 1) ** 2).sum()), lambda x: 2 * (x - 1), X),
    "a minimum beside a constant": (lambda x: float(((x - 1) ** 2).sum()) + 5, lambda x: 2 * (x - 1), X),
    "a minimum in float32": (
        lambda x: ((x - NARROW) ** 2).sum() + np.float32(1),
        lambda x: 2 * (x - NARROW),
        NARROW,
    ),
    "a minimum at 0": (lambda x: float(squares(x)), lambda x: 2 * x, np.zeros(3)),
    "a flat minimum": (lambda x: float((x**4).sum()) + 1, lambda x: 4 * x**3, np.zeros(3)),
    "a dead unit": (lambda x: 1 + float(np.maximum(x, 0).sum()), lambda x: (x > 0) * 1.0, -X),
    "a dead unit alone": (lambda x: float(np.maximum(x, 0).sum()), lambda x: (x > 0) * 1.0, -X),
    "dead entries": (lambda x: float(np.sin(x[0]) + 5), lambda x: np.cos(x[0]) * (np.arange(3) == 0), X),
    "many dead entries": (
        lambda x: float(np.sin(x[0]) + 5),
        lambda x: np.cos(x[0]) * (np.arange(200) == 0),
        np.ones(200),
    ),
    "many that are constant": (lambda x: 3.0, lambda x: 0 * x, np.ones(200)),
}


@pytest.mark.parametrize("name", TRUE_ZEROS)
def test_true_zeros_pass(name):
    fun, grad, x = TRUE_ZEROS[name]
    check = check_gradient(fun, grad, x)
    assert check, str(check)


def test_a_constant_is_constant_along_directions_too():
    assert check_gradient(lambda x: 3.0, lambda x: 0 * x, np.ones(300), directions=9)
    assert check_gradient(lambda x: 3.0, lambda x: 1e-17 + 0 * x, np.ones(300), directions=9).verdict == "inconclusive"


def test_a_dead_parameter_passes_beside_a_live_one():
    check = check_gradient(
        lambda p: float(np.sin(p["a"]).sum() + 5), lambda p: {"a": np.cos(p["a"]), "b": 0 * p["b"]}, {"a": Y, "b": X}
    )
    assert [p.verdict for p in check.parameters] == ["pass", "pass"]


def test_what_is_not_zero_of_a_constant_does_not_pass():
    """A function that stays the same wherever it is followed has the derivative 0, and no other."""
    small = check_gradient(lambda x: 1e16 + float(np.sin(x).sum()), lambda x: np.cos(x), X)
    assert small.verdict == "inconclusive"
    assert check_gradient(lambda x: 1.0, lambda x: 0 * x + 1, X).verdict == "fail"


@pytest.mark.parametrize("directions", [None, 9])
@pytest.mark.parametrize("steepness", [5.0, 50.0])
def test_a_function_that_grows_fast_further_away_does_not_make_a_zero_true(steepness, directions):
    x = np.full(3, 0.1)
    found = verdicts(
        lambda v: float(np.exp(steepness * v).sum()) + 1e17,
        lambda v: steepness * np.exp(steepness * v),
        x,
        directions=directions,
    )
    assert "pass" not in (found[0], found[2], found[3])


def test_a_jacobian_is_judged_by_the_same_rule():
    matrix = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 1.0]])
    found = [check_jacobian(lambda v: matrix @ v + 1e17, lambda v, k=k: k * matrix, X).verdict for k in FACTORS]
    assert found == ["inconclusive"] * 4
    found = [check_jacobian(lambda v: matrix @ v, lambda v, k=k: k * matrix, X).verdict for k in FACTORS]
    assert found == ["fail", "pass", "fail", "fail"]
    assert check_jacobian(lambda v: 0 * (matrix @ v), lambda v: 0 * matrix, X)
