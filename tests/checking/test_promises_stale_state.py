"""What a gradient keeps from an earlier call, and data that it changes behind the objective's back."""

import numpy as np
import pytest

from jacobians import Network
from jacobians.checking import check_gradient, check_jacobian

A = np.array([0.3, -0.7, 1.1])
KEPT = (
    "the derivative is right at x and wrong at another point, called after x: it keeps something from an earlier "
    "call, or is right at x by chance"
)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_cached_activations_with_the_weights_of_this_call(scale):
    cache = {}

    def fun(t):
        return scale * float(np.tanh(t[0] * A) @ A * t[1])

    def grad(t):
        h = cache.setdefault("h", np.tanh(t[0] * A))
        return scale * np.array([t[1] * ((1 - h**2) * A) @ A, h @ A])

    check = check_gradient(fun, grad, np.array([1.0, 2.0]))
    assert check.verdict == "fail"
    assert check.reasons == (KEPT,)


def test_a_jacobian_that_keeps_something():
    cache = {}
    check = check_jacobian(lambda v: v * v.sum(), lambda v: np.eye(3) * cache.setdefault("s", v.sum()) + v[:, None], A)
    assert check.reasons == (KEPT,)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_network_with_the_inputs_cache_of_its_first_call(activation):
    rng = np.random.default_rng(0)
    network = Network.dense((12, 30, 4), activation=activation)
    params, X, labels = network.init(rng), rng.normal(size=(100, 12)), rng.integers(0, 4, 100)
    first = []

    def grad(p):
        first.append(p["W1"])
        return network.gradient({**p, "W1": first[0]}, X, labels)

    check = check_gradient(lambda p: network.value(p, X, labels), grad, params)
    assert check.reasons == (KEPT,), str(check)
    assert check_gradient(lambda p: network.value(p, X, labels), lambda p: network.gradient(p, X, labels), params)


def test_a_gradient_that_is_right_at_zero_by_chance():
    check = check_gradient(lambda x: float(x @ x), lambda x: 0 * x, np.zeros(3))
    assert check.verdict == "fail"


def test_a_wrong_gradient_is_not_said_to_keep_anything():
    check = check_gradient(lambda x: float(np.sin(x).sum()), np.sin, A)
    assert [r for r in check.reasons if "call" in r] == []


def test_another_point_outside_the_domain_is_no_fault():
    at = np.full(3, 1e-3)

    def fun(x):
        if np.abs(x - at).max() > 1e-5:
            raise ValueError("outside")
        return float(x @ x)

    assert check_gradient(fun, lambda x: 2 * x, at).verdict != "fail"


def test_a_gradient_that_centres_the_data_in_place():
    data = np.array([1.0, 2.0, 6.0])

    def fun(t):
        return float(np.sum((t[0] * (data - data.mean()) + t[1] - data) ** 2))

    def grad(t):
        np.subtract(data, data.mean(), out=data)
        r = 2 * (t[0] * (data - data.mean()) + t[1] - data)
        return np.array([r @ (data - data.mean()), r.sum()])

    check = check_gradient(fun, grad, np.array([0.5, 1.0]))
    assert check.verdict == "fail"
    assert check.reasons[0].startswith("grad changes data that fun reads: at the same x fun was ")
    assert check.reasons[0].endswith(", after grad was called")


def test_an_objective_that_changes_its_own_data():
    data = np.array([1.0, 2.0, 6.0])

    def fun(t):
        value = float(np.sum((t[0] - data) ** 2))
        np.subtract(data, data.mean(), out=data)
        return value

    check = check_gradient(fun, lambda t: np.array([np.sum(2 * (t[0] - data))]), np.ones(1))
    assert check.reasons[0].startswith("fun changes data that it reads itself: at the same x fun was ")
