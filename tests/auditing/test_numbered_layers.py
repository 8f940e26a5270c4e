"""The audit's network has as many layers as a formula numbers, and one example where the formula says so."""

from __future__ import annotations

import pytest

from jacobians.auditing import audit
from jacobians.errors import FormulaError

THREE_LAYERS = """
dZ3 = A3 - Y
dW3 = 1./m * np.dot(dZ3, A2.T)
dA2 = np.dot(W3.T, dZ3)
dZ2 = np.multiply(dA2, np.int64(A2 > 0))
db2 = 1./m * np.sum(dZ2, axis=1, keepdims=True)
"""
TORCH = """
h = x.dot(w1)
h_relu = np.maximum(h, 0)
grad_y_pred = 2.0 * (h_relu.dot(w2) - y)
grad_w2 = h_relu.T.dot(grad_y_pred)
grad_h = grad_y_pred.dot(w2.T).copy()
grad_h[h < 0] = 0
grad_w1 = x.T.dot(grad_h)
"""


@pytest.mark.parametrize(
    ("formula", "convention", "layers"),
    [
        ("dZ3 = A3 - Y", "ng-dlai", 3),
        (THREE_LAYERS, "ng-dlai", 3),
        # A2 is an output of two layers and hidden in three
        ("dZ2 = np.multiply(dA2, np.int64(A2 > 0))", "ng-dlai", 3),
        (r"dZ^{[4]} = A^{[4]} - Y", "ng-dlai", 4),
        ("Theta3_grad = Delta3 / m", "ng-ml-2011", 3),
        ("delta3 = (delta4 * Theta3(:, 2:end)) .* sigmoidGradient(z3)", "ng-ml-2011", 3),
        ("delta3 = a3 - y_matrix", "ng-ml-2011", 2),
        ("dW3 = h2.T.dot(dscores)", "cs231n", 3),
    ],
)
def test_right(formula: str, convention: str, layers: int) -> None:
    found = audit(formula, convention)
    assert found
    assert (f"for {layers} layers" in found.reading) is (layers > 2)


@pytest.mark.parametrize(
    ("formula", "convention", "slip"),
    [
        ("dW3 = 1./m * np.dot(dZ3, A1.T)", "ng-dlai", "wrong-layer"),
        (r"\delta^{(3)} = (\Theta^{(3)})^T \delta^{(4)} .* g'(z^{(3)})", "ng-ml-2011", "bias-entry-kept"),
        ("dW2 = A1.T @ dZ3", "cs231n", "wrong-layer"),
        (THREE_LAYERS.replace("1./m", "1."), "ng-dlai", "missing-1/m"),
    ],
)
def test_slipped(formula: str, convention: str, slip: str) -> None:
    assert audit(formula, convention).slip == slip


def test_sizes_that_are_given_and_large_numbers() -> None:
    for formula, sizes in (("dZ3 = A3 - Y", (7, 5, 3)), ("dZ5 = A5 - Y", None)):
        with pytest.raises(FormulaError, match=r"'dZ\d' is unknown"):
            audit(formula, "ng-dlai", sizes=sizes)


@pytest.mark.parametrize(
    ("formula", "convention"),
    [
        (r"\nabla_{W^{(l)}} J(W,b;x,y) = \delta^{(l+1)} (a^{(l)})^T", "ng-ufldl"),
        (r"\nabla_{b^{(l)}} J(W,b; x^{(i)}, y^{(i)}) = \delta^{(l+1)}", "ng-ufldl"),
        (r"\frac{\partial C_x}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j", "nielsen"),
    ],
)
def test_the_cost_of_one_example(formula: str, convention: str) -> None:
    assert audit(formula, convention)


def test_the_cost_of_all_examples() -> None:
    assert audit(r"\nabla_{W^{(l)}} J(W,b) = \delta^{(l+1)} (a^{(l)})^T", "ng-ufldl").slip == "missing-1/m"


def test_programs_of_pytorch() -> None:
    choices = {"loss": "squared_error", "reduction": "sum"}
    assert audit(TORCH, "vecderivs-rows", **choices)
    assert audit(TORCH.replace("2.0 * ", ""), "vecderivs-rows", **choices).slip == "missing-2"
    assert audit("grad_y_pred = 2.0 * (y_pred - y)", "cs231n", **choices)
    assert audit("grad_input = grad_output.mm(weight)\ngrad_weight = grad_output.t().mm(input)", "pytorch")
    assert not audit("grad_weight = input.t().mm(grad_output)", "pytorch")
