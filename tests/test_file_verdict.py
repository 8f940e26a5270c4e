"""The verdict on the gradient in a file: the sentence that it begins with, and what makes it true."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network
from jacobians.file_verdict import Objective, verdict_on
from jacobians.presets import convention


def regression(factor: float) -> dict[str, np.ndarray]:
    """Ng's exercise 1: the gradient Xᵀ(Xθ − y)/m, times a factor."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(6), rng.normal(size=(6, 2))])
    y, theta = rng.normal(size=(6, 1)), rng.normal(size=(3, 1))
    return {"X": X, "y": y, "theta": theta, "grad": factor * X.T @ (X @ theta - y) / 6}


def test_a_right_gradient_passes_as_the_convention_s_task() -> None:
    verdict = verdict_on(regression(1), convention("ng-ml-2011"))
    assert verdict
    assert str(verdict).startswith("PASS: the gradient is right, as ng-ml-2011's regression")


@pytest.mark.parametrize("factor", [2.0, 0.5, -1.0])
def test_a_wrong_factor_fails(factor: float) -> None:
    verdict = verdict_on(regression(factor), convention("ng-ml-2011"))
    assert not verdict
    assert verdict.to_dict()["verdict"] == "fail"


def test_what_is_asked_for_is_checked() -> None:
    """Without its ½ the squared error has twice the gradient."""
    asked = Objective(loss="squared_error", factor=1.0)
    assert verdict_on(regression(2), convention("ng-ml-2011"), asked)
    assert not verdict_on(regression(1), convention("ng-ml-2011"), asked)


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_a_regularised_bias_is_said_to_be_hidden_where_every_bias_is_zero(shift: float) -> None:
    net = Network.dense((4, 3, 2), convention="ng-ml-2011", l2=0.5)
    theta = {name: array + shift for name, array in net.init(0).items()}
    X, y = np.random.default_rng(0).normal(size=(6, 4)), np.array([1, 2, 1, 1, 2, 2])
    slopes = {f"{name}_grad": array for name, array in net.gradient(theta, X, y - 1).items()}
    verdict = verdict_on(
        {"X": X, "y": y[:, None], "lambda": np.array(0.5), **theta, **slopes}, convention("ng-ml-2011")
    )
    assert verdict
    assert any("every bias is 0" in note for note in verdict.notes) == (shift == 0)


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (lambda grad: grad[:, 1:], "the first column, which holds the bias, is missing"),
        (lambda grad: grad[:1], "expected (3, 5)"),
    ],
)
def test_a_gradient_of_another_shape_is_wrong_and_named_as_the_gradient(cut, said: str) -> None:
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    theta, X, y = net.init(0), np.random.default_rng(0).normal(size=(6, 4)), np.array([1, 2, 1, 1, 2, 2])
    slopes = {f"{name}_grad": array for name, array in net.gradient(theta, X, y - 1).items()}
    slopes["Theta1_grad"] = cut(slopes["Theta1_grad"])
    verdict = verdict_on({"X": X, "y": y[:, None], **theta, **slopes}, convention("ng-ml-2011"))
    assert verdict.verdict == "fail"
    assert f"the gradient of Theta1 has shape {slopes['Theta1_grad'].shape}" in verdict.headline
    assert said in verdict.headline


def test_a_packed_gradient_of_another_length_is_wrong() -> None:
    verdict = verdict_on(regression(1) | {"grad": np.ones((2, 1))}, convention("ng-ml-2011"))
    assert verdict.verdict == "fail"
    assert "the gradient has shape (2,)" in verdict.headline
