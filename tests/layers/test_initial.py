"""Random weights to begin with: their spread, and the same layer in every layout."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import ArgumentError, ShapeError


@pytest.mark.parametrize(("rule", "spread"), [("glorot", 6 / (18 + 36) / 3), ("he", 2 / 18), ("torch", 1 / 18 / 3)])
def test_the_spread_of_a_kernel(rule: Any, spread: float) -> None:
    every = np.stack([layers.initial_weights((4, 2, 3, 3), seed, rule) for seed in range(200)])
    assert abs(every.mean()) < 0.01
    assert abs(every.var() / spread - 1) < 0.03
    if rule != "he":
        assert np.abs(every).max() <= np.sqrt(3 * spread)


def test_one_seed_gives_one_layer_in_every_layout() -> None:
    kernel = layers.initial_weights((4, 2, 3, 3), 1, layout="cs231n")
    there = layers.initial_weights((3, 3, 2, 4), 1, layout="keras")
    np.testing.assert_array_equal(jac.translate_kernel(kernel, "cs231n", "keras"), there)
    np.testing.assert_array_equal(
        layers.initial_weights((5, 3), 2, layout="pytorch").T, layers.initial_weights((3, 5), 2, layout="cs231n")
    )


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=re.escape("initial_weights: shape (3,); expected a matrix, or a kernel")):
        layers.initial_weights((3,), 0)
    with pytest.raises(ArgumentError, match=re.escape("initial_weights: rule='xavier'; choose glorot, he or torch")):
        layers.initial_weights((3, 2), 0, "xavier")  # type: ignore[arg-type]
