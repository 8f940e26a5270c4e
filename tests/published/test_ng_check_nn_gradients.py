"""A. Ng, Machine Learning, Coursera, 2011, programming exercise 4: the small network of checkNNGradients.m.

debugInitializeWeights(fan_out, fan_in) is reshape(sin(1:fan_out*(fan_in+1)), fan_out, fan_in+1)/10. The numbers are
[Theta1_grad(:); Theta2_grad(:)], which the exercise prints beside its numerical gradient for λ = 0.
"""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import (
    Network,
    affine,
    binary_cross_entropy,
    convention,
    sigmoid,
    translate_gradients,
    translate_parameters,
)
from tests.central_differences import central

NG = convention("ng-ml-2011")

FIRST = [-0.0092782524, 0.0088991196, -0.0083601076, 0.0076281355, -0.0067479837, -3.0498e-06, 1.42869e-05]
LAST = [0.1511275275, 0.0536967009, 0.0471456249, 0.1495683347, 0.0531542052, 0.0465597186]


def debug(fan_out: int, fan_in: int) -> np.ndarray:
    return np.sin(np.arange(1, fan_out * (fan_in + 1) + 1)).reshape((fan_out, fan_in + 1), order="F") / 10


THETA = {"Theta1": debug(5, 3), "Theta2": debug(3, 5)}
X = debug(5, 2)
Y = 1 + np.arange(1, 6) % 3


def network(l2: float = 0.0) -> Network:
    return Network.dense((3, 5, 3), convention=NG, l2=l2)


def assert_published(packed: np.ndarray) -> None:
    assert packed.shape == (38,)
    np.testing.assert_allclose(packed[:7], FIRST, rtol=0, atol=5.01e-11)  # half a unit of the tenth decimal
    np.testing.assert_allclose(packed[-6:], LAST, rtol=0, atol=5.01e-11)


def test_gradient() -> None:
    net = network()
    assert_published(net.pack(net.gradient(THETA, X, Y - 1)))
    assert net.shapes() == {"Theta1": (5, 4), "Theta2": (3, 6)}


def test_visible_chain() -> None:
    """The row of a scalar loss in F order is the packed vector as it stands."""
    layout = NG.layout
    Z1, J1 = affine(X, THETA["Theta1"], layout=layout)
    A1, J2 = sigmoid(Z1)
    Z2, J3 = affine(A1, THETA["Theta2"], layout=layout)
    _, J4 = binary_cross_entropy(Z2, Y - 1, layout=layout)
    dL_dTheta1 = J4 @ J3.X @ J2 @ J1.W
    dL_dTheta2 = J4 @ J3.W
    assert_published(np.concatenate([dL_dTheta1.to_dense()[0], dL_dTheta2.to_dense()[0]]))
    assert_published(NG.pack({"Theta1": dL_dTheta1.gradient, "Theta2": dL_dTheta2.gradient}))


@pytest.mark.parametrize("name", ["cs231n", "ng-dlai", "sklearn-mlp", "pytorch"])
def test_in_other_conventions(name: str) -> None:
    # PyTorch's binary cross-entropy divides by the number of outputs too
    net = Network.dense((3, 5, 3), activation="sigmoid", loss="binary_cross_entropy", reduction="mean", convention=name)
    batch = X if net.layout.batch == "rows" else X.T
    gradient = net.gradient(translate_parameters(THETA, NG, name), batch, Y - 1)
    assert_published(NG.pack(translate_gradients(gradient, name, NG)))


@pytest.mark.parametrize("l2", [0.0, 3.0])
def test_against_central_differences(l2: float) -> None:
    """As the exercise checks itself: 1e-9 between the two gradients, in the norm that it prints."""
    net = network(l2)
    packed = net.pack(THETA)
    analytic = net.fun_and_grad(X, Y - 1)(packed)[1]
    numeric = central(lambda theta: net.value(net.unpack(theta), X, Y - 1), packed, step=1e-4)
    assert np.linalg.norm(numeric - analytic) / np.linalg.norm(numeric + analytic) < 1e-9


def test_regulariser_leaves_the_first_column() -> None:
    plain, penalised = (network(l2).gradient(THETA, X, Y - 1) for l2 in (0.0, 3.0))
    for name, theta in THETA.items():
        np.testing.assert_array_equal(penalised[name][:, 0], plain[name][:, 0])
        np.testing.assert_allclose(penalised[name][:, 1:] - plain[name][:, 1:], 3 / 5 * theta[:, 1:], atol=1e-16)
