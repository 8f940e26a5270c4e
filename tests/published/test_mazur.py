"""M. Mazur, A Step by Step Backpropagation Example, 2015: two inputs, two hidden and two output neurons, sigmoid.

Neurons share a bias, .35 in the hidden layer and .60 in the output layer, which is not trained. w1 and w2 lead to h1,
w3 and w4 to h2, so W holds one node a row; the error is ½Σ(target − output)².
"""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network, affine, convention, sigmoid, squared_error

LAYOUT = convention("mazur").layout
X, Y = np.array([[0.05], [0.10]]), np.array([[0.01], [0.99]])
PARAMS = {
    "W1": np.array([[0.15, 0.20], [0.25, 0.30]]),
    "b1": np.array([[0.35], [0.35]]),
    "W2": np.array([[0.40, 0.45], [0.50, 0.55]]),
    "b2": np.array([[0.60], [0.60]]),
}
RATE = 0.5


def network() -> Network:
    return Network.dense((2, 2, 2), convention="mazur")


def step(gradient: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One step of gradient descent on the weights; the biases stay."""
    return {name: array - RATE * gradient[name] * name.startswith("W") for name, array in PARAMS.items()}


def test_forward() -> None:
    net = network()
    assert net.output(PARAMS, X)[0, 0] == pytest.approx(0.75136507, rel=0, abs=5.01e-9)
    assert net.value(PARAMS, X, Y) == pytest.approx(0.298371109, rel=0, abs=5.01e-10)


def test_gradients() -> None:
    gradient = network().gradient(PARAMS, X, Y)
    assert gradient["W2"][0, 0] == pytest.approx(0.082167041, rel=0, abs=5.01e-10)  # ∂E/∂w5
    assert gradient["W1"][0, 0] == pytest.approx(0.000438568, rel=0, abs=5.01e-10)  # ∂E/∂w1


def test_one_step() -> None:
    moved = step(network().gradient(PARAMS, X, Y))
    assert moved["W1"][0, 0] == pytest.approx(0.149780716, rel=0, abs=5.01e-10)  # w1
    assert moved["W2"][0, 0] == pytest.approx(0.35891648, rel=0, abs=5.01e-9)  # w5
    assert moved["W2"][1, 1] == pytest.approx(0.561370121, rel=0, abs=5.01e-10)  # w8


def test_error_after_the_first_round() -> None:
    """0.291027774; the page prints 0.291027924, which needs hidden gradients through the *updated* output weights."""
    net = network()
    gradient = net.gradient(PARAMS, X, Y)
    assert net.value(step(gradient), X, Y) == pytest.approx(0.291027774, rel=0, abs=5.01e-10)

    updated = step(gradient)["W2"]
    Z1, J1 = affine(X, PARAMS["W1"], PARAMS["b1"], LAYOUT)
    A1, J2 = sigmoid(Z1)
    Z2, J3 = affine(A1, PARAMS["W2"], PARAMS["b2"], LAYOUT)
    A2, J4 = sigmoid(Z2)
    _, J5 = squared_error(A2, Y, factor=0.5, reduction="sum", layout=LAYOUT)
    np.testing.assert_allclose((J5 @ J4 @ J3.X @ J2 @ J1.W).gradient, gradient["W1"], rtol=1e-14)

    _, too_late = affine(A1, updated, PARAMS["b2"], LAYOUT)
    mixed = (J5 @ J4 @ too_late.X @ J2 @ J1.W).gradient
    assert net.value(step(gradient | {"W1": mixed}), X, Y) == pytest.approx(0.291027924, rel=0, abs=5.01e-10)
