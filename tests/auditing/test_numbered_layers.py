"""What a formula is about: the layers that it numbers, one example where it or its source says so, PyTorch's names."""

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
        # these sources write for one example throughout
        (r"\delta^L = (a^L - y) \odot \sigma'(z^L)", "nielsen"),
        (r"\delta^L = a^L - y", "nielsen"),
        ("delta = (activations[-1] - y) * sigmoid_prime(zs[-1])", "nielsen"),
        (r"\delta = \hat{y} - y", "cs224n-columns"),
        ("dW1 = np.outer(X, dZ1)", "cs231n"),
        ("delta2 = (Theta2' * delta3)(2:end) .* sigmoidGradient(z2);", "ng-ml-2011"),  # within a loop
        (r"dW^{[2]} = (a^{[2]} - y) a^{[1]\top}", "cs229"),
    ],
)
def test_the_cost_of_one_example(formula: str, convention: str) -> None:
    assert audit(formula, convention)


def test_slips_of_one_example() -> None:
    assert audit(r"\delta^L = y - a^L", "nielsen").slip == "sign"


@pytest.mark.slow
def test_what_fits_one_example_alone_is_wrong() -> None:
    assert not audit("grad = X * (h - y) / m;", "ng-ml-2011")
    assert audit("dW1 = np.outer(dZ1, X)").slip == "transposed-result"


def test_a_line_alone_about_what_is_masked_in_place() -> None:
    for line in ("dW1 = np.dot(X.T, dhidden)", "db1 = np.sum(dhidden, axis=0, keepdims=True)"):
        assert audit(line).reading == "dhidden is dZ1"
    assert audit("dhidden = np.dot(dscores, W2.T)\ndW1 = np.dot(X.T, dhidden)").slip == "missing-activation-derivative"


def test_torch_sums_over_a_dim() -> None:
    assert audit("db1 = dZ1.sum(dim=0)", "pytorch")
    assert audit("db1 = torch.sum(dZ1, dim=0, keepdim=True)", "pytorch")
    assert audit("db1 = dZ1.sum(dim=1)", "pytorch").slip == "wrong-axis"


@pytest.mark.slow
def test_the_cost_of_all_examples() -> None:
    assert audit(r"\nabla_{W^{(l)}} J(W,b) = \delta^{(l+1)} (a^{(l)})^T", "ng-ufldl").slip == "missing-1/m"


def test_programs_of_pytorch() -> None:
    choices = {"loss": "squared_error", "reduction": "sum"}
    assert audit(TORCH, "vecderivs-rows", **choices)
    assert audit("grad_y_pred = y_pred - y", "cs231n", **choices).slip == "missing-2"
    assert audit("grad_y_pred = 2.0 * (y_pred - y)", "cs231n", **choices)
    assert audit("grad_input = grad_output.mm(weight)\ngrad_weight = grad_output.t().mm(input)", "pytorch")
