"""Stanford CS231n, assignment 1, two_layer_net.ipynb of 2018–2020: the toy network's scores and loss.

np.random.seed(0) before the weights, np.random.seed(1) before the data; the regulariser is reg·ΣW², without ½.
"""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network, convention
from tests.central_differences import central

FIRST_SCORES = [-0.81233741, -1.27654624, -0.70335995]
LOSS = 1.30378789133
Y = np.array([0, 1, 2, 2, 1])


def toy() -> tuple[dict[str, np.ndarray], np.ndarray]:
    weights, data = np.random.RandomState(0), np.random.RandomState(1)
    params = {"W1": 0.1 * weights.randn(4, 10), "b1": np.zeros(10), "W2": 0.1 * weights.randn(10, 3), "b2": np.zeros(3)}
    return params, 10 * data.randn(5, 4)


def network(name: str = "cs231n-2018-toy", l2: float = 0.05) -> Network:
    return Network.dense((4, 10, 3), activation="relu", convention=name, l2=l2)


def test_scores_and_loss() -> None:
    params, X = toy()
    np.testing.assert_allclose(network().output(params, X)[0], FIRST_SCORES, rtol=0, atol=5.01e-9)
    assert network().value(params, X, Y) == pytest.approx(LOSS, rel=0, abs=5.01e-12)


def test_half_of_the_later_years_is_another_loss() -> None:
    """With ½·reg·ΣW² the published loss needs twice the strength."""
    params, X = toy()
    assert abs(network("cs231n").value(params, X, Y) - LOSS) > 1e-3
    assert network("cs231n", l2=0.1).value(params, X, Y) == pytest.approx(LOSS, rel=0, abs=5.01e-12)
    assert convention("cs231n-2018-toy").l2 == "one"


def test_gradients() -> None:
    """The notebook asks for relative errors below 1e-8 against numerical gradients."""
    params, X = toy()
    net = network()
    for name, analytic in net.gradient(params, X, Y).items():
        numeric = central(lambda array, name=name: net.value(params | {name: array}, X, Y), params[name])
        error = np.abs(numeric - analytic) / np.maximum(1e-8, np.abs(numeric) + np.abs(analytic))
        assert error.max() < 1e-8, name
