"""Beside a dense net's gradients stand the library's formulas, in the convention that gives the same numbers."""

from __future__ import annotations

from jacobians.programs import audit_program

NET = """
import numpy as np

def cost_and_gradients(W1, b1, W2, b2, X, Y):
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return cost, dW1, db1, dW2, db2
"""


def test_a_dense_net_in_a_known_convention_has_its_derivation_beside_it() -> None:
    found = audit_program(NET, "net.py")
    (entry,) = found.entries
    assert entry.convention == "ng-dlai"
    assert dict(entry.derivation)["dW1"] == "dW₁ = dZ₁ Xᵀ / m"
    assert "  derived by the library, in the convention ng-dlai:\n" in str(found)
    assert "dZ₁ Xᵀ / m" in found._repr_html_()
    assert found.to_dict()["entries"][0]["convention"] == "ng-dlai"


def test_another_loss_has_none() -> None:
    found = audit_program(NET.replace("-np.sum", "-3 * np.sum").replace("= A2 - Y", "= 3 * (A2 - Y)"), "net.py")
    assert found.verdict == "right"
    assert found.entries[0].convention == ""
    assert "derived by the library" not in str(found)
