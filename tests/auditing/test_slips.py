"""Each slip has its name: a formula that holds it, what is said, and the right formula."""

from __future__ import annotations

import pytest

from jacobians import Network, convention
from jacobians.auditing import audit, search

NAMED = [
    ("cs231n", "dW2 = A1.T @ (P - Y)", "missing-1/N"),
    ("cs231n", "dW2 = A1.T @ dZ2 / N", "superfluous-1/N"),
    ("cs231n", "dZ2 = (Y - P) / N", "sign"),
    ("cs231n", "dZ2 = 2 * (P - Y) / N", "factor-2"),
    ("cs231n", "dZ2 = (P - Y) / (2 * N)", "missing-2"),
    ("cs231n", "dW1 = X @ dZ1", "missing-transpose"),
    ("cs231n", "dW1 = dZ1 @ X.T", "product-order"),
    ("cs231n", "dW1 = dZ1.T @ X", "transposed-result"),
    ("cs231n", "dA1 = W2.T @ dZ2", "product-order"),
    ("cs231n", "dZ1 = dZ2 @ W2.T", "missing-activation-derivative"),
    ("cs231n", "dZ1 = dA1 * sigmoid(Z1)", "activation-for-derivative"),
    ("cs231n", "dZ1 = dA1 * sigmoid_prime(A1)", "derivative-at-wrong-argument"),
    ("cs231n", "dZ1 = dA1 * sigmoid_prime(sigmoid(Z1))", "derivative-at-wrong-argument"),
    ("cs231n", "dZ1 = dA1 * relu_prime(Z1)", "wrong-activation"),
    ("cs231n", "dZ1 = dA1 * (1 - A1**2)", "wrong-activation"),
    ("cs231n", "dA1 = dZ2 @ W2.T * sigmoid_prime(Z1)", "superfluous-activation-derivative"),
    ("cs231n", "dW2 = A1.T * dZ2", "elementwise-for-matrix-product"),
    ("cs231n", "dZ1 = dA1 @ sigmoid_prime(Z1)", "matrix-product-for-elementwise"),
    ("cs231n", "db1 = dZ1", "missing-sum"),
    ("cs231n", "db1 = dZ1.sum(axis=1)", "wrong-axis"),
    ("ng-dlai", "db1 = dZ1.sum(axis=1) / m", "keepdims"),
    ("cs231n", "db1 = dZ1.mean(axis=0)", "superfluous-1/N"),
    ("cs231n", "dX = dZ1 @ W1", "missing-transpose"),
    ("cs231n", "Z2 = A1 @ W2 - b2", "sign"),
    ("cs231n", "dW1 = X.T @ dZ1 + 2 * reg * W1", "regulariser-scale"),
    ("cs231n", "dW1 = X.T @ dZ1 + reg * W1 / N", "regulariser-scale"),
    ("cs231n", "db1 = dZ1.sum(axis=0) + reg * b1", "superfluous-regulariser"),
    ("ng-ml-2011", "dTheta1 = delta2.T @ A1 / m + lam * Theta1 / m", "regulariser-on-bias"),
    ("ng-ml-2011", "delta2 = (delta3 @ Theta2) * sigmoid_prime(Z2)", "bias-entry-kept"),
    ("ng-ml-2011", "Z2 = X @ Theta1.T", "missing-ones"),
    ("ng-ml-2011", "dTheta1 = delta2.T @ X / m", "missing-ones"),
    ("sklearn-mlp", "db1 = dZ1.sum(axis=0)", "missing-1/n"),
]


@pytest.mark.parametrize(("name", "formula", "slip"), NAMED, ids=[f"{n}: {f}" for n, f, _ in NAMED])
def test_one_slip(name: str, formula: str, slip: str) -> None:
    found = audit(formula, name, activation="sigmoid")
    assert found.verdict != "right"
    assert found.slip == slip
    assert found.mended is not None
    assert audit(found.nearest.numpy, name, activation="sigmoid", notation="numpy")
    assert audit(found.mended.numpy, name, notation="numpy", examples=9), "the mended formula is right"


@pytest.mark.parametrize("derivative", ["A1 * (1 - A1)", "(A1 * (1 - A1))", "(1 - A1**2)"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "leaky_relu"])
def test_a_derivative_that_is_written_out(derivative: str, activation: str) -> None:
    """By the activation's value; each is right for one activation."""
    found = audit(f"dZ1 = dA1 * {derivative}", activation=activation)
    right = activation == ("tanh" if "2" in derivative else "sigmoid")
    assert (bool(found), found.slip) == (right, None if right else "wrong-activation")


def test_the_missing_regulariser() -> None:
    found = audit("dW1 = X.T @ dZ1", l2=0.1)
    assert found.slip == "missing-regulariser"
    assert found.nearest.numpy == "dW1 = X.T @ dZ1 + reg * W1"


def test_two_slips() -> None:
    found = audit("dW2 = A1 @ (P - Y)")
    assert found.slip == "missing-transpose and missing-1/N"
    found = audit("delta2 = (delta3 @ Theta2.T)[:, 1:] * sigmoid_prime(A2)", "ng-ml-2011", notation="numpy")
    assert len(found.slips) == 2


def test_fewest_slips_are_named() -> None:
    """(Y − P)/N·(−1)… one sign, not two."""
    assert len(audit("dZ2 = -(P - Y) / N").slips) == 1


def test_the_wrong_layer() -> None:
    net = Network.dense((7, 5, 4, 3), activation="sigmoid")
    found = audit("dZ1 = dA1 * sigmoid_prime(Z1) + 0 * dZ1x", net, where={"dZ1x": "Z1"})
    assert found
    square = Network.dense((7, 4, 4, 3), activation="sigmoid")
    found = audit("dZ2 = dA2 * sigmoid_prime(Z1)", square)
    assert found.slip == "derivative-at-wrong-argument"
    found = audit("dW3 = A1.T @ dZ3", square)
    assert found.slip == "wrong-layer"
    assert found.explanation == "`A1` stands where `A2` belongs."


def test_where_else_it_is_right() -> None:
    assert "cs231n" in audit("dW1 = X.T @ dZ1", "pytorch").elsewhere
    assert audit("dZ1 = dA1 * (Z1 > 0)", activation="sigmoid").elsewhere[0] == "cs231n with activation='relu'"
    assert "ng-ml-2011 with loss='cross_entropy'" in audit("A3 = softmax(Z3)", "ng-ml-2011").elsewhere
    assert audit("dW1 = X.T @ dZ1", "cs231n").elsewhere == ()


def test_what_the_catalogue_does_not_know() -> None:
    found = audit("dW1 = X.T @ (sigmoid(dZ1) * Z1**2)")
    assert (found.verdict, found.slip, found.mended) == ("wrong", None, None)
    assert found.explanation.startswith("The shapes fit, but the values differ, by up to ")
    assert found.explanation.endswith("; no slip of the catalogue explains it.")


@pytest.mark.parametrize("limit", ["_WORK", "_BUDGET"])
def test_the_search_ends_where_its_budget_does(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit("dW1 = X @ dZ1").slip == "missing-transpose"
    monkeypatch.setattr(search, limit, 0)
    assert audit("dW1 = X @ dZ1").slip is None
    assert audit("dW1 = X @ dZ1").nearest.numpy == "dW1 = X.T @ dZ1"


def test_a_factor_of_no_name() -> None:
    found = audit("dW1 = X.T @ dZ1 * 1.37")
    assert found.slip == "superfluous-factor"
    assert found.difference == pytest.approx(0.37)


def test_a_regulariser_that_the_convention_has_not() -> None:
    assert convention("pytorch").l2 is None
    with pytest.raises(ValueError, match="'lam' is unknown"):
        audit("dW1 = dZ1.T @ X + lam * W1", "pytorch")
