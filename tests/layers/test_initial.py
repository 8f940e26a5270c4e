"""Random weights to begin with: their spread, and the same layer in every layout."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import ArgumentError, ShapeError
from jacobians.layers import BatchNorm, Convolution, Flattened
from jacobians.operations import Affine


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


def test_a_network_begins_with_kernels_and_scales_of_its_layout() -> None:
    def made(layout: str) -> dict[str, np.ndarray]:
        conv = Convolution(pad=1, sizes=(4, 2, 3, 3), layout=layout)
        norm = BatchNorm(layout=layout, features=4)
        operations = [conv, norm, Flattened(layout), Affine(layout, (4, 3))]
        return jac.Network(operations, "cross_entropy", layout).init(0, rule="he")

    here, there = made("cs231n"), made("keras")
    assert {name: array.shape for name, array in here.items()} == {
        "W1": (4, 2, 3, 3), "b1": (4,), "gamma2": (4,), "beta2": (4,), "W3": (4, 3), "b3": (3,)
    }  # fmt: skip
    assert (here["gamma2"] == 1).all()
    np.testing.assert_array_equal(jac.translate_kernel(here["W1"], "cs231n", "keras"), there["W1"])
    assert 0.5 < here["W1"].std() / np.sqrt(2 / 18) < 1.5


def test_a_function_begins_with_kernels_and_scales() -> None:
    def net(X: Any, K: Any, gamma: Any, beta: Any) -> Any:
        return layers.flatten(layers.batch_norm(layers.conv2d(X, K, beta), gamma, beta))

    shapes = {"K": (2, 1, 3, 3), "gamma": (2,), "beta": (2,)}
    params = jac.Network(net, "cross_entropy", "cs231n", shapes=shapes).init(0)
    np.testing.assert_array_equal(params["K"], layers.initial_weights((2, 1, 3, 3), 0))
    assert (params["gamma"] == 1).all()
    assert (params["beta"] == 0).all()


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=re.escape("initial_weights: shape (3,); expected a matrix, or a kernel")):
        layers.initial_weights((3,), 0)
    with pytest.raises(ArgumentError, match=re.escape("initial_weights: rule='xavier'; choose glorot, he or torch")):
        layers.initial_weights((3, 2), 0, "xavier")  # type: ignore[arg-type]
