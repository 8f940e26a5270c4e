"""Rules for random weights: their bounds and spread, and rules that are unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians import Network, layers
from jacobians.errors import ArgumentError
from jacobians.initial import drawn_weights, is_scale


@pytest.mark.parametrize(("rule", "variance"), [("glorot", 6 / (30 + 50) / 3), ("he", 2 / 30), ("torch", 1 / 30 / 3)])
@pytest.mark.parametrize("shape", [(50, 30), (10, 6, 5)])
def test_the_variance_is_that_of_the_rule(rule: Any, variance: float, shape: tuple[int, ...]) -> None:
    drawn = np.stack([drawn_weights(shape, np.random.default_rng(seed), rule, "test") for seed in range(40)])
    assert abs(drawn.var() / variance - 1) < 0.05
    assert abs(drawn.mean()) < 0.05 * np.sqrt(variance)
    if rule != "he":
        assert np.abs(drawn).max() <= np.sqrt(3 * variance)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^test: rule='xavier'; choose glorot, he or torch$"):
        drawn_weights((2, 3), np.random.default_rng(0), "xavier", "test")  # type: ignore[arg-type]


def test_scales_by_four_usual_names_begin_at_one_and_a_shift_at_zero() -> None:
    def net(X: Any, W: Any, gamma: Any, scale2: Any, g3: Any, ln_weight: Any, beta: Any) -> Any:
        found = X @ W
        for factor in (gamma, scale2, g3, ln_weight):
            found = layers.layer_norm(found, factor, beta)
        return found

    scales = ("gamma", "scale2", "g3", "ln_weight")
    shapes = {"W": (4, 3), "beta": (3,), **dict.fromkeys(scales, (3,))}
    params = Network(net, "cross_entropy", "cs231n", shapes=shapes).init(0)
    for name in scales:
        assert params[name].tolist() == [1, 1, 1], name
    assert params["beta"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["b", "b_g", "ln_bias", "norm.shift", "bn_b", "beta", "w", "theta", "gate", "h0", ""])
def test_what_is_added_is_no_scale(name: str) -> None:
    assert not is_scale(name)
