"""Several lines, loops over the examples, masks in place: what a program leaves in its names is what is judged."""

from __future__ import annotations

import pytest

from jacobians.auditing import audit
from jacobians.errors import FormulaError

EX4_LOOP = """
for t = 1:m
    a1 = [1; X(t,:)'];  % one example, a column
    z2 = Theta1 * a1;
    a2 = [1; sigmoid(z2)];
    a3 = sigmoid(Theta2 * a2);
    yt = ([1:num_labels] == y(t))';
    delta3 = a3 - yt;
    delta2 = (Theta2' * delta3) .* [1; sigmoidGradient(z2)];
    delta2 = delta2(2:end);
    Theta1_grad = Theta1_grad + delta2 * a1';
    Theta2_grad = Theta2_grad + delta3 * a2';
end;
Theta1_grad = Theta1_grad ./ m;
Theta2_grad = Theta2_grad ./ m;
Theta1_grad(:, 2:end) = Theta1_grad(:, 2:end) + (lambda/m) * Theta1(:, 2:end);
Theta2_grad(:, 2:end) = Theta2_grad(:, 2:end) + (lambda/m) * Theta2(:, 2:end);
grad = [Theta1_grad(:); Theta2_grad(:)];
"""
EX4_BATCH = """
X = [ones(m, 1) X];
a1 = X; z2 = a1 * Theta1'; a2 = [ones(size(z2, 1), 1) sigmoid(z2)]; h = sigmoid(a2 * Theta2');
Y = eye(num_labels)(y, :);
J = sum(sum(-Y .* log(h) - (1 - Y) .* log(1 - h))) / m;
d3 = h - Y;
d2 = (d3 * Theta2(:, 2:end)) .* sigmoidGradient(z2);
Theta1_grad = (d2' * a1) / m;
Theta2_grad = (d3' * a2) / m;
"""
TWO_LAYERS = """
hidden = np.maximum(0, X.dot(W1) + b1)
scores = hidden.dot(W2) + b2
exp_scores = np.exp(scores - np.max(scores, axis=1, keepdims=True))
probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
dscores = probs.copy()
dscores[np.arange(N), y] -= 1
dscores /= N
grads = {}
grads['W2'] = hidden.T.dot(dscores) + reg * W2
grads['b2'] = dscores.sum(axis=0)
dhidden = dscores.dot(W2.T)
dhidden[hidden <= 0] = 0
grads['W1'] = X.T.dot(dhidden) + reg * W1
grads['b1'] = np.sum(dhidden, axis=0, keepdims=True)
"""
BACKWARD = """
A_prev, W, b = cache
m = A_prev.shape[1]
dW = 1./m * np.dot(dZ, A_prev.T)
db = 1./m * np.sum(dZ, axis=1, keepdims=True)
dA_prev = np.dot(W.T, dZ)
"""

RIGHT = [
    ("ng-ml-2011", EX4_LOOP),
    ("ng-ml-2011", EX4_BATCH),
    ("cs231n", TWO_LAYERS),
    ("ng-dlai", BACKWARD),
    ("ng-ml-2011", "for i = 1:m\n  Delta2 = Delta2 + delta3(i,:)' * a2(i,:);\nend"),
    ("ng-ml-2011", "for i=1:m, Theta2_grad += (1/m) * delta3(i,:)' * a2(i,:); end"),
    ("ng-ml-2011", "reg2 = lambda * Theta2;\nreg2(:,1) = 0;\nTheta2_grad = (Delta2 + reg2) / m;"),
    ("ng-ml-2011", "temp = theta; temp(1) = 0; grad = X' * (h - y) / m + (lambda/m) * temp;"),
    ("cs231n", "for i in range(N):\n    dW2 += np.outer(A1[i], dZ2[i])"),
    ("cs231n", "for i in range(N): dW2 += A1[i][:, None] * dZ2[i][None, :]"),
    ("cs231n", "for a, d in zip(A1, dZ2):\n    dW2 += np.outer(a, d)"),
    ("cs231n", "dW2 = sum(np.outer(A1[i], dZ2[i]) for i in range(N))"),
    ("cs231n", "dZ1 = dA1.copy()\ndZ1[Z1 < 0] = 0"),
    ("cs231n", "dhidden = np.dot(dscores, W2.T)\ndhidden *= (hidden_layer > 0)\ndW1 = X.T @ dhidden"),
    ("cs231n", "dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)"),
    ("cs231n-bias-trick", "dW = X.T.dot(dscores)\ndW += 2 * reg * W"),
    (
        "sklearn-mlp",
        "coef_grads[layer] = safe_sparse_dot(activations[layer].T, deltas[layer])\n"
        "coef_grads[layer] += alpha * coefs_[layer]\ncoef_grads[layer] /= n_samples",
    ),
]


@pytest.mark.parametrize(("name", "program"), RIGHT, ids=[f"{n}: {p.strip()[:50]}" for n, p in RIGHT])
def test_right_programs(name: str, program: str) -> None:
    found = audit(program, name)
    assert found, str(found)


WRONG = [
    ("ng-ml-2011", EX4_LOOP.replace("a3 - yt", "yt - a3"), "sign"),
    ("ng-ml-2011", EX4_BATCH.replace("(d2' * a1) / m", "d2' * a1"), "missing-1/m"),
    ("ng-ml-2011", EX4_BATCH.replace(" .* sigmoidGradient(z2)", ""), "missing-activation-derivative"),
    ("cs231n", TWO_LAYERS.replace("+ reg * W1", "+ 2 * reg * W1"), "regulariser-scale"),
    ("cs231n", TWO_LAYERS.replace("dhidden[hidden <= 0] = 0\n", ""), "missing-activation-derivative"),
    ("ng-dlai", BACKWARD.replace("axis=1", "axis=0"), "wrong-axis"),
    ("cs231n", "for i in range(N):\n    dW2 += np.outer(dZ2[i], A1[i])", "transposed-result"),
    ("ng-ml-2011", "for i=1:m\n Delta2 = Delta2 - delta3(i,:)' * a2(i,:);\nend\nTheta2_grad = Delta2/m;", "sign"),
    ("ng-ml-2011", "for i=1:m\n Delta2 = Delta2 + delta3(i,:)' * a2(i,:);\nend\nTheta2_grad = Delta2;", "missing-1/m"),
]


@pytest.mark.parametrize(("name", "program", "slip"), WRONG, ids=[f"{n}: {s}" for n, _, s in WRONG])
def test_wrong_programs(name: str, program: str, slip: str) -> None:
    found = audit(program, name)
    assert not found, str(found)
    assert found.slip == slip


def test_a_mask_that_keeps_the_wrong_units() -> None:
    program = "dhidden = np.dot(dscores, W2.T)\ndhidden[hidden_layer > 0] = 0\ndW1 = np.dot(X.T, dhidden)"
    assert audit(program, "cs231n").verdict == "wrong"


UNREAD = [
    ("cs231n", "if True:\n    dW1 = X", "'if' is not read: what it chooses is not known"),
    ("cs231n", "for i in range(N):\n    for j in range(3):\n        dW[:, j] += X[i] * dscores[i, j]", "a loop"),
    ("cs231n", "for i in range(5000):\n    dW1 += X", "a loop is read where it goes over the examples"),
    ("cs231n", "for i in range(N):\n    dW1 = np.outer(X[i], dZ1[i])", "is that of the last example"),
    ("cs231n", "mask = dropout(A1)\ndA1 = mask * dA1", "'dropout' is no function"),
    ("cs231n", "dscores /= N", "cannot use dscores itself; give the line that sets it first"),
    ("cs231n", "dscores[range(N), y] -= 1", "cannot use dscores itself; give the line that sets it first"),
    ("cs231n", "probs[range(N), y] -= 1", "what probs holds after this line has no name; go on to the line that"),
    ("cs231n", "probs -= Y", "what probs holds after this line has no name; go on to the line that"),
    ("cs231n", "W1 = W1 - 0.1 * dW1", "is given, not computed"),
    ("cs231n", "foo = 1\nbar = 2", "a formula may be for"),
]


@pytest.mark.parametrize(("name", "program", "message"), UNREAD, ids=[p[:40] for _, p, _ in UNREAD])
def test_what_is_not_read_has_no_verdict(name: str, program: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        audit(program, name)


# --- accumulators ------------------------------------------------------------------------------------------


def test_the_accumulator_is_not_the_cotangent() -> None:
    """Δ⁽²⁾ = δ⁽³⁾(a⁽²⁾)ᵀ of exercise 4: the sum over the examples before it is divided by m."""
    found = audit("Delta2 = delta3' * a2", "ng-ml-2011")
    assert found
    assert found.claim == (
        "Delta2: the sum over the examples of the gradients with respect to Theta2, before it is divided by m"
    )
    for line in ("Δ2 = δ3' * a2", "Delta2 = Delta2 + delta3' * a2", "Theta2_grad = Delta2 / m", "D2 = Delta2 ./ m"):
        assert audit(line, "ng-ml-2011"), line
    assert audit(r"\Delta^{(l)} := \Delta^{(l)} + \delta^{(l+1)} (a^{(l)})^T", "ng-ml-2011")
    assert audit("Delta2 = delta3' * a2 / m", "ng-ml-2011").slip == "superfluous-1/m"
    assert audit("Theta2_grad = Delta2", "ng-ml-2011").slip is not None


def test_a_loop_that_ends_before_the_division() -> None:
    """Whatever the sum is called, it is judged as a sum, and this is said."""
    found = audit("for i=1:m\n  Theta2_grad = Theta2_grad + delta3(i,:)' * a2(i,:);\nend", "ng-ml-2011")
    assert found
    assert found.reading == "Theta2_grad is Delta2"


def test_probabilities_that_become_the_cotangent_in_place() -> None:
    assert audit("probs[range(N), y] -= 1; dscores = probs/N", "cs231n")
    assert audit("dscores = probs; dscores[range(N), y] -= 1; dscores /= N", "cs231n")


EXERCISE_4 = """
for t = 1:m
    x_t = X(t, :);
    h_t = a2(t, :);
    e_t = a3(t, :) - Y(t, :);
    Theta2_grad = Theta2_grad + bsxfun(@times, h_t, transpose(e_t));
    b_t = sum(bsxfun(@times, Theta2, transpose(e_t)));
    d_t = (h_t .* (1 - h_t)) .* b_t;
    d_t = d_t(2:end);
    Theta1_grad = Theta1_grad + bsxfun(@times, x_t, transpose(d_t));
end
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("", ""),
        ("(1 - h_t)", "(1 + h_t)"),
        ("h_t .* (1", "(1"),
        ("a3(t, :) - Y", "Y(t, :) - a3"),
        ("times, Theta2", "times, 2*Theta2"),
        ("x_t, transpose(d_t)", "x_t, 2*transpose(d_t)"),
    ],
)
def test_a_loop_of_outer_products_written_with_bsxfun(right: str, wrong: str) -> None:
    found = audit(EXERCISE_4.replace(right, wrong), "ng-ml-2011")
    assert bool(found) is (right == wrong), str(found)


# --- readings ----------------------------------------------------------------------------------------------


def test_what_had_to_be_chosen_is_said() -> None:
    assert audit("dW1 = X.T @ dZ1").reading == ""
    assert audit("dW = X.T.dot(dscores)").reading == "for a single layer"
    assert audit("dW = A_prev.T @ dZ").reading == "for layers 1 and 2"
    assert audit("dW2 += reg * W2").reading == "dW2 holds the gradient without its regulariser before"
    assert audit("dx = np.where(x > 0, dout, 0)").reading == (
        "dx is dZ of the layer; x is Z of the layer; dout is dA of the layer; for layer 1"
    )
    found = audit("dW = X.T.dot(dscores) + 2*reg*W", "cs231n-bias-trick")
    assert found.reading == "for a single layer; X is X_ones"
    assert "read so: for a single layer; X is X_ones" in str(found)
    assert found.to_dict()["reading"] == found.reading


def test_a_layer_without_a_number_is_right_in_every_layer() -> None:
    assert audit(r"dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l-1]T}", "ng-dlai")
    assert audit('grads["dW" + str(l)] = cache["A" + str(l-1)].T @ grads["dZ" + str(l)]', "cs231n")
    assert audit(r"\delta^{(l)} = \delta^{(l+1)} \Theta^{(l)}_{[:, 1:]} .* g'(z^{(l)})", "ng-ml-2011")
    assert audit(r"dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l]T}", "ng-dlai").verdict != "right"


def test_the_text_of_exercise_4_keeps_one_example_in_a_column() -> None:
    found = audit("delta2 = Theta2(:,2:end)' * delta3 .* sigmoidGradient(z2)", "ng-ml-2011")
    assert found
    assert found.reading == "with one example a column, as in the source's text"
    assert "right in ng-ml-2011's text, with one example a column; its code keeps one a row" in str(found)
    assert not audit("delta2 = Theta2' * delta3 .* sigmoidGradient(z2)", "ng-ml-2011")


def test_the_tasks_of_a_source_are_tried_unless_one_is_given() -> None:
    line = "h = X * theta; grad = X' * (h - y) / m;"
    assert audit(line, "ng-ml-2011").reading == "for regression; for a single layer with one output; X is X_ones"
    assert not audit(line, "ng-ml-2011", task="yes/no", sizes=(7, 1))
    assert audit(line.replace("/ m", "/ (2*m)"), "ng-ml-2011").slip == "missing-2"


def test_entries() -> None:
    assert audit(r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j", "nielsen")
    assert audit(r"\frac{\partial C}{\partial b^l_j} = \delta^l_j", "nielsen")
    assert not audit(r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_j \delta^l_k", "nielsen")
    assert not audit(r"\frac{\partial C}{\partial w^l_{jk}} = a^l_k \delta^l_j", "nielsen")


def test_sums_over_the_examples_in_latex() -> None:
    assert audit(r"db^{[1]} = \frac{1}{m} \sum_{i=1}^{m} dZ^{[1](i)}", "ng-dlai")
    assert audit(r"db^{[1]} = \sum_{i=1}^{m} dZ^{[1](i)}", "ng-dlai").slip == "missing-1/m"


# --- NumPy's functions -------------------------------------------------------------------------------------

FUNCTIONS = [
    "dW1 = np.einsum('nd,nh->dh', X, dZ1)",
    "dW1 = np.matmul(np.transpose(X), dZ1)",
    "dW1 = np.add(X.T @ dZ1, reg * W1)",
    "dW1 = np.subtract(X.T @ dZ1, -reg * W1)",
    "dZ1 = np.where(Z1 > 0, dA1, 0)",
    "dZ1 = np.where(Z1 <= 0, 0, dA1)",
    "dZ1 = dA1 * (A1 > 0).astype(float)",
    "dZ1 = np.multiply(dA1, np.int64(A1 > 0))",
    "dZ1 = dA1 * np.heaviside(Z1, 0)",
    "dZ1 = dA1 * np.sign(A1)",
    "dZ1 = dA1 * (1 - np.power(A1, 2))",
    "dZ1 = dA1 / np.cosh(Z1)**2",
    "dZ1 = dA1 * np.exp(-Z1) / np.square(1 + np.exp(-Z1))",
    "dZ2 = np.divide(np.subtract(P, Y), float(N))",
    "dZ2 = 1./N * (P - Y)",
    "db2 = np.sum(dscores, axis=0, keepdims=True)",
    "db1 = dZ1.sum(0)",
    "db1 = np.ones((1, N)) @ dZ1",
    "db1 = np.einsum('nj->j', dZ1)",
    "dL/dW1 = X.T @ dL/dZ1",
]


@pytest.mark.parametrize("line", FUNCTIONS)
def test_functions_of_numpy(line: str) -> None:
    found = audit(line, "cs231n")
    assert found, str(found)


def test_dots_of_a_number_are_not_octaves() -> None:
    assert audit("dW2 = 1./m * dZ2 @ A1.T", "ng-dlai")
    assert audit("dW2 = (1./m) * np.dot(dZ2, A1.T) + (lambd/m) * W2", "ng-dlai")


def test_one_row_is_a_vector_and_one_column_is_not() -> None:
    assert audit("db2 = np.sum(dscores, axis=0, keepdims=True)", "cs231n"), "the case study's own line"
    assert audit("db1 = np.sum(dZ1, axis=1) / m", "ng-dlai").slip == "keepdims", "b + db would be a matrix there"
