"""Right gradients pass, wrong ones do not, at any scale and beside any kink."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Network, tanh
from jacobians.checking import check_gradient
from jacobians.errors import ArgumentError, DomainError, DTypeError, LayoutError
from tests.checking import gradient_cases as cases


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", cases.RIGHT)
def test_right_gradients_pass_at_every_scale(name, scale):
    fun, grad = cases.RIGHT[name]
    for seed in range(2):
        x = np.random.default_rng(seed).normal(size=5)
        check = check_gradient(lambda v: scale * fun(v), lambda v: scale * grad(v), x, seed=seed)
        assert check, str(check)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("name", [n for n in cases.RIGHT if n not in ("constant", "float32 inside", "cancelling")])
def test_slightly_wrong_gradients_fail_at_every_scale(name, scale):
    fun, grad = cases.RIGHT[name]
    x = np.random.default_rng(3).normal(size=5)
    for change in cases.WRONG.values():
        check = check_gradient(lambda v: scale * fun(v), lambda v, c=change: scale * c(grad(v)), x, protocol=False)
        assert check.verdict == "fail", str(check)


def test_tolerances_are_what_can_be_resolved():
    """A tolerance that is loose would pass everything above: here it is held to what smooth functions allow."""
    fun, grad = cases.RIGHT["tanh"]
    x = np.random.default_rng(0).normal(size=5)
    for scale in (1e-6, 1.0, 1e6):
        found = check_gradient(lambda v, s=scale: s * fun(v), lambda v, s=scale: s * grad(v), x).parameters[0]
        assert found.smallest < 1e-7 * scale * np.abs(grad(x)).max()
        assert found.difference < found.tolerance / 4


def test_a_missing_regulariser_of_one_millionth_is_seen():
    fun, grad = cases.RIGHT["log-sum-exp"]
    x = np.random.default_rng(1).normal(size=5)
    for scale in (1e-6, 1.0, 1e6):
        check = check_gradient(lambda v, s=scale: s * (fun(v) + 5e-7 * v @ v), lambda v, s=scale: s * grad(v), x)
        assert check.verdict == "fail"


@pytest.mark.parametrize("distance", [0.0, *(10.0**-k for k in range(1, 13))])
@pytest.mark.parametrize("side", [-1, 1])
def test_kinks_at_every_distance(distance, side):
    for kink in (0.0, 1.0):
        for scale in (1e-6, 1.0, 1e6):
            x = np.array([kink + side * distance, 0.7])

            def fun(v, kink=kink, scale=scale):
                return scale * (3 * max(v[0] - kink, 0.0) + np.sin(v[0]) + v[1] ** 2)

            def grad(v, slope=0.0, kink=kink, scale=scale):
                return scale * np.array([3 * (v[0] > kink) + np.cos(v[0]) + slope, 2 * v[1]])

            assert check_gradient(fun, grad, x, protocol=False)
            for slope in (-3.01, 3.01):  # beyond either side's slope
                assert check_gradient(fun, lambda v, s=slope: grad(v, s), x, protocol=False).verdict == "fail"


@pytest.mark.parametrize("distance", [1e-2, 1e-5, 1e-8, 1e-11])
def test_beside_a_kink_the_other_side_is_wrong(distance):
    x = np.array([distance, 2.0])
    assert check_gradient(lambda v: np.abs(v).sum(), np.sign, x)
    other = check_gradient(lambda v: np.abs(v).sum(), lambda v: np.array([-1.0, 1.0]), x, protocol=False)
    assert other.verdict == "fail"


def test_everything_between_the_slopes_of_a_kink_is_right():
    for slope in (-1.0, -0.3, 0.0, 1.0):
        check = check_gradient(lambda v: np.abs(v).sum(), lambda v, s=slope: np.array([s, 1.0]), np.array([0.0, 2.0]),
                               protocol=False)  # fmt: skip
        assert check
        assert check.parameters[0].kinks == (slope != 0.0)  # the central difference itself confirms 0
    text = "kink: 1 entry lies at a kink of the function; any value between the one-sided slopes is right"
    assert text in check.notes
    outside = check_gradient(lambda v: abs(v[0]), lambda v: np.array([1.01]), np.zeros(1), protocol=False)
    assert "x[0] is 1.01, the reference 1 (the nearest slope at a kink)" in outside.reasons[0]


@given(
    seed=st.integers(0, 10_000),
    name=st.sampled_from(list(cases.RIGHT)),
    exponent=st.integers(-12, 12),
    size=st.sampled_from([1e-3, 1.0, 30.0]),
)
@settings(max_examples=60, deadline=None)
def test_no_false_alarms(seed, name, exponent, size):
    fun, grad = cases.RIGHT[name]
    x = np.random.default_rng(seed).normal(size=5) * (size if name not in ("power 20", "fast", "log-sum-exp") else 1.0)
    scale = 10.0**exponent
    assert check_gradient(lambda v: scale * fun(v), lambda v: scale * grad(v), x, seed=seed).verdict != "fail"


@given(seed=st.integers(0, 10_000), exponent=st.integers(-7, -1))
@settings(max_examples=40, deadline=None)
def test_an_error_above_what_is_stated_is_never_missed(seed, exponent):
    rng = np.random.default_rng(seed)
    fun, grad = cases.RIGHT[rng.choice(["quadratic", "tanh", "relu", "fast", "float32 inside"])]
    x, error = rng.normal(size=5), np.zeros(5)
    error[rng.integers(5)] = 10.0**exponent * np.abs(grad(x)).max()
    check = check_gradient(fun, lambda v: grad(v) + error, x, protocol=False)
    assert check.verdict == "fail" or check.parameters[0].smallest > np.abs(error).max() / 2.5


def test_float32_functions_are_judged_by_their_own_resolution():
    factors = np.arange(1, 6, dtype=np.float32)
    x = np.linspace(-1, 1, 5, dtype=np.float32)

    def fun(v):
        return (np.sin(v) * factors).sum()

    check = check_gradient(fun, lambda v: np.cos(v) * factors, x)
    assert check, str(check)
    assert check.parameters[0].smallest < 5e-3 * np.abs(np.cos(x) * factors).max()
    assert check_gradient(fun, lambda v: np.float32(1.01) * np.cos(v) * factors, x).verdict == "fail"


def test_a_gradient_below_the_noise_is_inconclusive_and_false():
    check = check_gradient(lambda v: 1e6 + 1e-7 * v[0], lambda v: np.full(1, 1e-7), np.ones(1))
    assert check.verdict == "inconclusive"
    noisy = check_gradient(
        lambda v: v[0] + 1e-3 * np.sin(1e12 * v[0]), lambda v: np.ones(1), np.ones(1), complex_step=False
    )
    assert noisy.verdict == "inconclusive"
    assert not noisy
    assert noisy.reasons[0].endswith(": the function is too noisy, jumps, or is not defined on both sides of x")


def test_trees_of_arrays():
    x = {"W": np.arange(6.0).reshape(2, 3) / 7, "layers": [(np.array([0.2, -0.1]), np.array(1.5))]}

    def fun(p):
        return float(p["layers"][0][1] * np.tanh(p["W"] @ np.ones(3) + p["layers"][0][0]).sum())

    def grad(p):
        (_, s), a = p["layers"][0], np.tanh(p["W"] @ np.ones(3) + p["layers"][0][0])
        delta = s * (1 - a**2)
        return {"W": np.outer(delta, np.ones(3)), "layers": [(delta, a.sum())]}

    check = check_gradient(fun, grad, x)
    assert check, str(check)
    assert [p.name for p in check.parameters] == ["W", "layers[0][0]", "layers[0][1]"]
    wrong = check_gradient(fun, lambda p: {**grad(p), "W": 2 * grad(p)["W"]}, x)
    assert [p.verdict for p in wrong.parameters] == ["fail", "pass", "pass"]
    assert wrong.worst.name == "W"
    assert "entries differ" in wrong.reasons[0]


@pytest.mark.parametrize("grad", [None, True])
def test_fun_may_return_both(grad):
    assert check_gradient(lambda x: (float(x @ x), 2 * x), grad, np.arange(3.0))
    check = check_gradient(lambda x: float(x @ x), grad, np.arange(3.0))
    text = "fun returned a float; without grad it returns (value, gradient), or a value of a graph"
    assert check.reasons == (f"fun raised TypeError: {text}",)


@pytest.mark.parametrize("x", [np.array(3.0), 3.0, np.arange(3), np.zeros(0), np.ones((2, 0, 3)), {}])
def test_scalars_integers_and_nothing(x):
    total = (lambda v: float(np.sum(v**2))) if not isinstance(x, dict) else (lambda v: 1.0)
    assert check_gradient(total, (lambda v: 2 * v) if not isinstance(x, dict) else (lambda v: {}), x)


def test_bad_requests_are_refused():
    with pytest.raises(DTypeError, match=r"check_gradient: x is a list of numbers; pass an array, np.array\(x\)"):
        check_gradient(sum, lambda x: x, [1.0, 2.0])
    with pytest.raises(DTypeError, match="x has dtype complex128"):
        check_gradient(sum, lambda x: x, np.ones(2, complex))
    with pytest.raises(DomainError, match="failure_probability=0 must lie between 0 and 1"):
        check_gradient(sum, lambda x: x, np.ones(2), failure_probability=0)
    with pytest.raises(DomainError, match="directions=0 must be at least 1"):
        check_gradient(sum, lambda x: x, np.ones(2), directions=0)


def test_a_network_entry_by_entry():
    rng = np.random.default_rng(0)
    network = Network.dense((12, 9, 4), activation="relu")
    params, X, labels = network.init(rng), rng.normal(size=(20, 12)), rng.integers(0, 4, 20)
    start = time.process_time()
    check = check_gradient(lambda p: network.value(p, X, labels), lambda p: network.gradient(p, X, labels), params)
    assert check, str(check)
    assert time.process_time() - start < 20
    assert sum(p.checked for p in check.parameters) == 157
    assert check.evaluations < 2000

    def transposed(p):
        found = network.gradient(p, X, labels)
        return {**found, "W1": found["W1"].T.copy().reshape(found["W1"].shape)}

    wrong = check_gradient(lambda p: network.value(p, X, labels), transposed, params)
    assert [p.verdict for p in wrong.parameters] == ["fail", "pass", "pass", "pass"]
    assert wrong.parameters[0].suspects > 0
    assert wrong.along is not None
    assert not wrong.along.passed
    json.dumps(wrong.to_dict())


def test_a_function_that_rounds_its_changes_away_is_not_called_wrong():
    """Σ tanh in float32, saturated: it is constant to the bit, and its true slopes of 10⁻⁶ cannot be seen."""
    x = np.array([8.0, -7.5])
    check = check_gradient(lambda v: float(np.tanh(v.astype(np.float32)).sum()), lambda v: 1 - np.tanh(v) ** 2, x)
    assert check.verdict != "fail"
    dead = check_gradient(lambda v: np.sin(v[0]), lambda v: np.array([np.cos(v[0]), 1e-7]), np.ones(2))
    assert dead.verdict == "fail"  # a parameter without effect in a function that does change


@pytest.mark.parametrize("seed", [0, 1, 4, 5])
def test_float32_networks_with_kinks_within_their_steps_are_not_called_wrong(seed):
    rng = np.random.default_rng(seed)
    network = Network.dense((12, 9, 4), activation="relu")
    params, labels = network.init(rng, np.float32), rng.integers(0, 4, 30)
    X = rng.normal(size=(30, 12)).astype(np.float32)
    check = check_gradient(lambda p: network.value(p, X, labels), lambda p: network.gradient(p, X, labels), params)
    assert check.verdict != "fail", str(check)
    wrong = check_gradient(
        lambda p: network.value(p, X, labels),
        lambda p: {name: np.float32(1.1) * g for name, g in network.gradient(p, X, labels).items()},
        params,
    )
    assert wrong.verdict == "fail"


def test_a_network_checks_its_own_gradient():
    assert check_gradient(Network.dense((4, 3, 2), convention="ng-ml-2011", l2=0.5))
    X, Y = np.random.default_rng(0).normal(size=(2, 5, 2))
    net = Network(lambda X, W: tanh(X @ W) @ W.T, "squared_error", "cs231n", shapes={"W": (2, 2)}, l2=0.1)
    assert check_gradient(net, data=(X, Y))
    at = {"W": np.full((2, 2), 0.3)}
    assert check_gradient(net, lambda p: net.gradient(p, X, Y), at, data=(X, Y))
    wrong = check_gradient(net, lambda p: {"W": 2 * net.gradient(p, X, Y)["W"]}, at, data=(X, Y))
    assert wrong.verdict == "fail"


def test_what_a_check_of_a_network_needs():
    net = Network(lambda X, W: X @ W, "squared_error", "cs231n", shapes={"W": (4, 3)})
    with pytest.raises(LayoutError, match=r"is a function of values, .*; pass data=\(X, Y\)"):
        check_gradient(net)
    with pytest.raises(ArgumentError, match=r"check_gradient: x is missing: the order is fun, grad, x"):
        check_gradient(np.sum)
    with pytest.raises(ArgumentError, match=r"check_gradient: data are of a network"):
        check_gradient(np.sum, np.ones_like, np.ones(3), data=(1, 2))
