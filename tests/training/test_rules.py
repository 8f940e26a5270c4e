"""Update rules: the numbers that CS231n's assignment 2 prints, the identities between them, and what each refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jacobians.arrays import Array
from jacobians.errors import DomainError
from jacobians.training import RULES, SGD, Adam, Momentum, Nesterov, RMSProp, Rule, State

W = np.linspace(-0.4, 0.6, 20).reshape(4, 5)
G = np.linspace(-0.6, 0.4, 20).reshape(4, 5)


def one(rule: Rule, steps: int, *memory: Array) -> tuple[Array, tuple[Array, ...]]:
    params, state = rule.step({"w": W}, {"w": G}, State(steps, {"w": memory}))
    assert state.steps == steps + 1
    return params["w"], state.memory["w"]


def test_momentum_as_cs231n_prints_it() -> None:
    """FullyConnectedNets.ipynb of assignment 2: expected_next_w and expected_velocity of sgd_momentum."""
    w, (v,) = one(Momentum(1e-3), 0, np.linspace(0.6, 0.9, 20).reshape(4, 5))
    np.testing.assert_allclose(w[0], [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789], atol=1e-8)
    np.testing.assert_allclose(w[3], [1.14244211, 1.20923158, 1.27602105, 1.34281053, 1.4096], atol=1e-8)
    np.testing.assert_allclose(v[0], [0.5406, 0.55475789, 0.56891579, 0.58307368, 0.59723158], atol=1e-8)


def test_rmsprop_as_cs231n_prints_it() -> None:
    w, (c,) = one(RMSProp(1e-2), 0, np.linspace(0.6, 0.9, 20).reshape(4, 5))
    np.testing.assert_allclose(w[0], [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247], atol=1e-8)
    np.testing.assert_allclose(c[0], [0.5976, 0.6126277, 0.6277108, 0.64284931, 0.65804321], atol=1e-8)


def test_adam_as_cs231n_prints_it() -> None:
    """Its t is 5 before the step, which is the sixth."""
    m, v = np.linspace(0.6, 0.9, 20).reshape(4, 5), np.linspace(0.7, 0.5, 20).reshape(4, 5)
    w, (m, v) = one(Adam(1e-2), 5, m, v)
    np.testing.assert_allclose(w[0], [-0.40094747, -0.34836187, -0.29577703, -0.24319299, -0.19060977], atol=1e-8)
    np.testing.assert_allclose(m[0], [0.48, 0.49947368, 0.51894737, 0.53842105, 0.55789474], atol=1e-8)
    np.testing.assert_allclose(v[0], [0.69966, 0.68908382, 0.67851319, 0.66794809, 0.65738853], atol=1e-8)


def run(rule: Rule, steps: int) -> Array:
    """Steps on ½ Σ aᵢ wᵢ², whose gradient is a∘w."""
    a, params = np.array([1.0, 3.0]), {"w": np.array([1.0, -2.0])}
    state = rule.start(params)
    for _ in range(steps):
        params, state = rule.step(params, {"w": a * params["w"]}, state)
    return params["w"]


def test_without_momentum_both_are_gradient_descent() -> None:
    for rule in (Momentum(0.1, momentum=0.0), Nesterov(0.1, momentum=0.0)):
        np.testing.assert_allclose(run(rule, 7), run(SGD(0.1), 7), rtol=1e-14)


def test_nesterov_looks_ahead() -> None:
    """Sutskever et al. 2013, eq. 3 and 4: v′ = μv − η∇f(θ + μv), θ′ = θ + v′; here w is θ + μv."""
    a, theta, v, rate, mu = np.array([1.0, 3.0]), np.array([1.0, -2.0]), np.zeros(2), 0.1, 0.9
    for _ in range(7):
        v = mu * v - rate * a * (theta + mu * v)
        theta = theta + v
    np.testing.assert_allclose(run(Nesterov(rate, momentum=mu), 7), theta + mu * v, rtol=1e-13)
    assert not np.allclose(run(Momentum(rate, momentum=mu), 7), theta + mu * v)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_acts_on_every_entry_alone_and_writes_to_nothing(name: str) -> None:
    rule, rng = RULES[name](0.1, schedule=lambda step: 1 / (1 + step)), np.random.default_rng(0)
    params = {"w": rng.normal(size=(3, 2)).astype(np.float32)}
    turned = {"w": params["w"].T.copy()}
    state, other = rule.start(params), rule.start(turned)
    for _ in range(4):
        g = rng.normal(size=(3, 2)).astype(np.float32)
        given = (params["w"].copy(), g.copy(), [m.copy() for m in state.memory["w"]])
        new, after = rule.step(params, {"w": g}, state)
        assert (params["w"] == given[0]).all()
        assert (g == given[1]).all()
        assert all((m == before).all() for m, before in zip(state.memory["w"], given[2], strict=True))
        turned, other = rule.step(turned, {"w": g.T}, other)
        assert new["w"].dtype == np.float32
        np.testing.assert_array_equal(turned["w"].T, new["w"])
        params, state = new, after


def test_schedule_and_decay() -> None:
    assert run(SGD(0.1, schedule=lambda step: 0.0 if step else 1.0), 5).tolist() == run(SGD(0.1), 1).tolist()
    w, g = np.array([1.0, 2.0]), np.array([0.5, 0.5])
    for rule in (SGD(0.1, weight_decay=0.2), Adam(0.1, weight_decay=0.2)):
        plain, _ = RULES[type(rule).__name__.lower()](0.1).step({"w": w}, {"w": g}, rule.start({"w": w}))
        decayed, _ = rule.step({"w": w}, {"w": g}, rule.start({"w": w}), {"w": np.array([1.0, 0.0])})
        np.testing.assert_allclose(plain["w"] - decayed["w"], [0.1 * 0.2 * 1.0, 0], atol=1e-15)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SGD(0), "SGD: rate=0; expected a positive number"),
        (lambda: SGD(0.1, weight_decay=-1), "SGD: weight_decay=-1; expected a number that is not negative"),
        (lambda: Nesterov(momentum=1.0), "Nesterov: momentum=1.0; expected 0 ≤ μ < 1"),
        (lambda: RMSProp(decay=1), "RMSProp: decay=1; expected 0 ≤ d < 1"),
        (lambda: Adam(beta2=2), "Adam: beta2=2; expected 0 ≤ β < 1"),
    ],
)
def test_numbers_out_of_range(make: object, text: str) -> None:
    with pytest.raises(DomainError, match=re.escape(text)):
        make()  # type: ignore[operator]
