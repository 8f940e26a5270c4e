"""Lines of the backward pass as courses, books and libraries print them, each with its verdict.

A line is quoted as its source prints it, without what is no part of the formula (comments, ``[batch_idx]``). `Source`
says how sure the text is: "read" in the named file or page, or from "memory". Every verdict is what is right in the
setting, and `test_course_lines` compares those that can be evaluated with central differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Line:
    """One line, or a few that belong together.

    Attributes
    ----------
    text : str
        As it is printed.
    setting : str
        One of `SETTINGS` in `course_settings`.
    slip : str or None
        None for a right line; for a wrong one the slip that is to be named first, or "" where several say the same.
    code : str
        The line in NumPy, by the names of `plain_networks`, where it is not NumPy already.
    where : mapping of str to str
        Names that only this source has.
    regularised : bool
        Whether the loss has its regulariser, strength 0.3.
    unread : str
        Why the audit does not read it; then it says so, and gives no verdict.
    """

    text: str
    setting: str
    slip: str | None = None
    code: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    regularised: bool = False
    unread: str = ""


@dataclass(frozen=True)
class Source:
    """Where lines are from.

    Attributes
    ----------
    name : str
    evidence : str
        "read" and where, or "memory".
    lines : tuple of Line
    """

    name: str
    evidence: str
    lines: tuple[Line, ...]


REG1 = "(lam/N) * np.hstack([np.zeros((5, 1)), W1[:, 1:]])"
REG2 = "(lam/N) * np.hstack([np.zeros((3, 1)), W2[:, 1:]])"
LOOP = """for i = 1:m
    a1 = [1 ; X(i,:)'];
    z2 = Theta1*a1;
    a2 = [1; sigmoid(z2)];
    a3 = sigmoid(Theta2*a2);
    delta3 = a3 - Y(i,:)';
    delta2 = (Theta2' * delta3)(2:end) .* sigmoidGradient(z2);
    Delta1 = Delta1 + delta2 * a1';
    Delta2 = Delta2 + delta3 * a2';
end
"""

NG_EX4 = Source(
    "Ng, Machine Learning (Coursera), exercise 4: solutions in Octave",
    "read in public solutions of nnCostFunction.m",
    (
        Line("delta3 = a3 - Y;", "ng", code="dZ2 = P - Y"),
        Line(
            "delta2 = (delta3 * Theta2(:,2:end)) .* sigmoidGradient(z2);",
            "ng",
            code="dZ1 = (dZ2 @ W2[:, 1:]) * A1 * (1 - A1)",
        ),
        Line(
            "d2 = (d3 * Theta2(:,2:end)) .* sigmoidGradient(z2)", "ng", code="dZ1 = (dZ2 @ W2[:, 1:]) * A1 * (1 - A1)"
        ),
        Line("Delta1 = d2' * a1", "ng", code="accum1 = dZ1.T @ X_ones"),
        Line("Delta2 = d3' * a2", "ng", code="accum2 = dZ2.T @ A1_ones"),
        Line("Delta2 = delta3' * a2", "ng", code="accum2 = dZ2.T @ A1_ones"),
        Line("Theta1_grad = Delta1 / m;", "ng", code="dW1 = accum1 / N"),
        Line("Theta2_grad = Delta2 / m;", "ng", code="dW2 = accum2 / N"),
        Line("Theta1_grad = (1/m) * (delta2' * a1);", "ng", code="dW1 = dZ1.T @ X_ones / N"),
        Line(
            "Theta1_grad = (delta2' * a1) ./ m + (lambda/m) * [zeros(size(Theta1,1),1) Theta1(:,2:end)];",
            "ng",
            code=f"dW1 = dZ1.T @ X_ones / N + {REG1}",
            regularised=True,
        ),
        Line(
            "Theta2_grad = 1 / m * Delta2 + lambda / m * [zeros(size(Theta2, 1), 1) Theta2(:,2 : end)];",
            "ng",
            code=f"dW2 = accum2 / N + {REG2}",
            regularised=True,
        ),
        Line(
            "Theta1_new = [zeros(size(Theta1, 1), 1) Theta1(:,2 : end)];\n"
            "Theta1_grad = 1 / m * Delta1 + lambda / m * Theta1_new;",
            "ng",
            code=f"dW1 = accum1 / N + {REG1}",
            regularised=True,
        ),
        Line(
            "Theta1_grad = 1/m * Delta1 + lambda/m * Theta1;\nTheta1_grad(:, 1) = 1/m * Delta1(:, 1);",
            "ng",
            code=f"dW1 = accum1 / N + {REG1}",
            regularised=True,
        ),
        Line(
            "reg2 = lambda * Theta2;\nreg2(:,1) = 0;\nTheta2_grad = (Delta2 + reg2) / m;",
            "ng",
            code=f"dW2 = accum2 / N + {REG2}",
            regularised=True,
        ),
        Line(
            "Theta2_grad(:,1) = Delta2(:,1)/m;\n"
            "Theta2_grad(:,2:end) = Delta2(:,2:end)/m + (lambda/m) * Theta2(:,2:end);",
            "ng",
            code=f"dW2 = accum2 / N + {REG2}",
            regularised=True,
        ),
        Line("a1 = [ones(m, 1) X];", "ng", code="X_ones = np.hstack([np.ones((9, 1)), X])"),
        Line("z2 = a1 * Theta1';", "ng", code="Z1 = X_ones @ W1.T"),
        Line("a2 = [ones(m, 1) sigmoid(z2)];", "ng", code="A1_ones = np.hstack([np.ones((9, 1)), sigmoid(Z1)])"),
        Line("z3 = a2 * Theta2';", "ng", code="Z2 = A1_ones @ W2.T"),
        Line("a3 = sigmoid(z3);", "ng", code="P = sigmoid(Z2)"),
        Line(LOOP + "Theta2_grad = Delta2 / m;", "ng", code="dW2 = (P - Y).T @ A1_ones / N"),
        Line(
            LOOP + "Theta1_grad = Delta1 / m;",
            "ng",
            code="dW1 = (((P - Y) @ W2[:, 1:]) * A1 * (1 - A1)).T @ X_ones / N",
        ),
        Line(
            "delta2 = (Theta2' * delta3)(2:end) .* sigmoidGradient(z2);",
            "ng-text",
            code="dZ1 = (W2.T @ dZ2)[1:] * A1 * (1 - A1)",
        ),
        Line(
            "delta2 = Theta2(:,2:end)' * delta3 .* sigmoidGradient(z2);",
            "ng-text",
            code="dZ1 = (W2[:, 1:].T @ dZ2) * A1 * (1 - A1)",
        ),
        Line(
            "delta2 = (Theta2' * delta3) .* [0 ; sigmoidGradient(z2)];\ndelta2 = delta2(2:end);",
            "ng-text",
            code="dZ1 = (W2.T @ dZ2)[1:] * A1 * (1 - A1)",
        ),
        Line(
            "delta2 = Theta2' * delta3 .* sigmoidGradient([1;z2]);\ndelta2 = delta2(2:end);",
            "ng-text",
            code="dZ1 = (W2.T @ dZ2)[1:] * A1 * (1 - A1)",
        ),
        Line(
            "delta2 = (Theta2' * delta3) .* a2 .* (1 - a2);\ndelta2 = delta2(2:end);",
            "ng-text",
            code="dZ1 = (W2.T @ dZ2)[1:] * A1 * (1 - A1)",
        ),
        Line("Delta2 = Delta2 + delta3 * a2';", "ng-text", code="accum2 = dZ2 @ A1_ones.T"),
        Line("Delta1 = Delta1 + delta2 * a1';", "ng-text", code="accum1 = dZ1 @ X_ones.T"),
    ),
)

NG_TEXTS = Source(
    "Ng, Machine Learning (Coursera), ex4.pdf and ex2.pdf",
    "memory; the slip of step 3 is read",
    (
        Line(r"\delta_k^{(3)} = (a_k^{(3)} - y_k)", "ng-text", code="dZ2 = P - Y"),
        Line(
            r"\delta^{(2)} = (\Theta^{(2)})^T \delta^{(3)} .* g'(z^{(2)})",
            "ng-text",
            "bias-entry-kept",
            code="dZ1 = (W2.T @ dZ2) * np.vstack([[[1.0]], A1 * (1 - A1)])",
        ),
        Line(r"\Delta^{(l)} = \Delta^{(l)} + \delta^{(l+1)} (a^{(l)})^T", "ng-text", code="accum2 = dZ2 @ A1_ones.T"),
        Line(r"\frac{\partial}{\partial \Theta_{ij}^{(l)}} J(\Theta) = \frac{1}{m} \Delta_{ij}^{(l)}", "ng"),
        Line(
            r"\frac{\partial J(\theta)}{\partial \theta_j} = \frac{1}{m} \sum_{i=1}^{m} "
            r"(h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)}",
            "ng-logistic",
            code="dW1 = X_ones.T @ (P - Y) / N",
            unread="a sum over an index i of examples",
        ),
    ),
)

NG_LINEAR = Source(
    "Ng, Machine Learning (Coursera), exercises 1, 2 and 5: solutions in Octave",
    "read in public solutions (costFunction.m, costFunctionReg.m); exercise 5 from memory",
    (
        Line("grad = (1/m) * X' * (sigmoid(X * theta) - y);", "ng-logistic", code="dW1 = X_ones.T @ (P - Y) / N"),
        Line("grad = X' * (sigmoid(X * theta) - y) / m;", "ng-logistic", code="dW1 = X_ones.T @ (P - Y) / N"),
        Line("h = sigmoid(X * theta);\ngrad = (X' * (h - y)) / m;", "ng-logistic", code="dW1 = X_ones.T @ (P - Y) / N"),
        Line(
            "temp_theta = theta;\ntemp_theta(1) = 0;\n"
            "grad = (X' * (sigmoid(X * theta) - y)) / m + temp_theta * lambda / m;",
            "ng-logistic",
            code="dW1 = X_ones.T @ (P - Y) / N + lam / N * np.vstack([[[0]], W1[1:]])",
            regularised=True,
        ),
        Line(
            "grad = (X' * (sigmoid(X * theta) - y)) / m + (lambda/m) * [0; theta(2:end)];",
            "ng-logistic",
            code="dW1 = X_ones.T @ (P - Y) / N + lam / N * np.vstack([[[0]], W1[1:]])",
            regularised=True,
        ),
        Line("grad = (1/m) * X' * (X * theta - y);", "ng-linear", code="dW1 = X_ones.T @ (P - Y) / N"),
        Line(
            "grad = (1/m) * (X' * (X * theta - y)) + (lambda/m) * [0; theta(2:end)];",
            "ng-linear",
            code="dW1 = X_ones.T @ (P - Y) / N + lam / N * np.vstack([[[0]], W1[1:]])",
            regularised=True,
        ),
        Line(
            "grad = (X' * (X * theta - y) + lambda * [0; theta(2:end)]) / m;",
            "ng-linear",
            code="dW1 = X_ones.T @ (P - Y) / N + lam / N * np.vstack([[[0]], W1[1:]])",
            regularised=True,
        ),
        Line(
            "theta = theta - (alpha/m) * X' * (X * theta - y);",
            "ng-linear",
            unread="a step of gradient descent, which claims no gradient",
        ),
    ),
)

DLAI = Source(
    "deeplearning.ai, Neural Networks and Deep Learning",
    "read in public solutions of the notebooks of weeks 2 to 4",
    (
        Line("A = sigmoid(np.dot(w.T, X) + b)", "dlai-logistic"),
        Line("dw = 1 / m * np.dot(X, (A - Y).T)", "dlai-logistic"),
        Line("db = 1 / m * np.sum(A - Y)", "dlai-logistic"),
        Line("dZ = A - Y", "dlai-logistic"),
        Line("Z1 = np.dot(W1, X) + b1", "dlai-planar"),
        Line("A1 = np.tanh(Z1)", "dlai-planar"),
        Line("A2 = sigmoid(Z2)", "dlai-planar"),
        Line("dZ2 = A2 - Y", "dlai-planar"),
        Line("dW2 = (1 / m) * np.dot(dZ2, A1.T)", "dlai-planar"),
        Line("db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)", "dlai-planar"),
        Line("dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))", "dlai-planar"),
        Line("dW1 = (1 / m) * np.dot(dZ1, X.T)", "dlai-planar"),
        Line("db1 = np.sum(dZ1, axis=1, keepdims = True) / m", "dlai-planar"),
        Line(r"dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}", "dlai-planar", code="dW2 = dZ2 @ A1.T / N"),
        Line(
            r"dZ^{[1]} = W^{[2]T} dZ^{[2]} * (1 - (A^{[1]})^2)",
            "dlai-planar",
            code="dZ1 = (W2.T @ dZ2) * (1 - A1**2)",
        ),
        Line("dW = 1. / m * np.dot(dZ, A_prev.T)", "dlai-sigmoid", code="dW2 = 1. / N * np.dot(dZ2, A1.T)"),
        Line(
            "db = 1. / m * np.sum(dZ, axis=1, keepdims=True)",
            "dlai-sigmoid",
            code="db2 = 1. / N * np.sum(dZ2, axis=1, keepdims=True)",
        ),
        Line("dA_prev = np.dot(W.T, dZ)", "dlai-sigmoid", code="dA1 = np.dot(W2.T, dZ2)"),
        Line("dW = np.dot(dZ, A_prev.T)/m", "dlai-sigmoid", code="dW1 = np.dot(dZ1, X.T) / N"),
        Line(
            "dAL = - (np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))",
            "dlai-layer",
            code="dP = -(np.divide(Y, P) - np.divide(1 - Y, 1 - P))",
        ),
        Line(
            "dZ = np.array(dA, copy=True)\ndZ[Z <= 0] = 0",
            "dlai-deep",
            code="dZ1 = np.where(Z1 <= 0, 0, dA1)",
        ),
        Line("s = 1/(1+np.exp(-Z))\ndZ = dA * s * (1-s)", "dlai-sigmoid", code="dZ1 = dA1 * A1 * (1 - A1)"),
        Line(r"dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l-1] T}", "dlai-sigmoid", code="dW2 = dZ2 @ A1.T / N"),
        Line(r"dA^{[l-1]} = W^{[l] T} dZ^{[l]}", "dlai-sigmoid", code="dA1 = W2.T @ dZ2"),
        Line(
            r"db^{[l]} = \frac{1}{m} \sum_{i = 1}^{m} dZ^{[l](i)}",
            "dlai-sigmoid",
            code="db2 = np.sum(dZ2, axis=1, keepdims=True) / N",
        ),
    ),
)

DLAI_2 = Source(
    "deeplearning.ai, Improving Deep Neural Networks, week 1",
    "read in public solutions of the notebooks Regularization and Gradient Checking",
    (
        Line("dZ3 = A3 - Y", "dlai-deep"),
        Line("dW3 = 1./m * np.dot(dZ3, A2.T) + lambd/m * W3", "dlai-deep", regularised=True),
        Line("dW3 = 1./m * np.dot(dZ3, A2.T) + (lambd * W3) / m", "dlai-deep", regularised=True),
        Line("db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)", "dlai-deep"),
        Line("dA2 = np.dot(W3.T, dZ3)", "dlai-deep"),
        Line("dZ2 = np.multiply(dA2, np.int64(A2 > 0))", "dlai-deep"),
        Line("dW2 = (1./m) * (np.dot(dZ2, A1.T) + lambd * W2)", "dlai-deep", regularised=True),
        Line("dA1 = np.dot(W2.T, dZ2)", "dlai-deep"),
        Line("dZ1 = np.multiply(dA1, np.int64(A1 > 0))", "dlai-deep"),
        Line("dW1 = 1/m * np.dot(dZ1, X.T)+ 1/m* lambd * W1", "dlai-deep", regularised=True),
        Line("dW2 = 1. / m * np.dot(dZ2, A1.T) * 2", "dlai-deep", "factor-2"),
        Line("db1 = 4. / m * np.sum(dZ1, axis=1, keepdims=True)", "dlai-deep", ""),
    ),
)

CS231N_CASE = Source(
    "CS231n, neural-networks-case-study.md",
    "read",
    (
        Line("scores = np.dot(X, W) + b", "cs231n-linear"),
        Line(
            "exp_scores = np.exp(scores)\nprobs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)",
            "cs231n-linear",
        ),
        Line(
            "dscores = probs\ndscores[range(num_examples),y] -= 1\ndscores /= num_examples",
            "cs231n-linear",
        ),
        Line("dW = np.dot(X.T, dscores)", "cs231n-linear"),
        Line("db = np.sum(dscores, axis=0, keepdims=True)", "cs231n-linear"),
        Line(
            "dW = np.dot(X.T, dscores)\ndW += reg*W # don't forget the regularization gradient",
            "cs231n-linear",
            regularised=True,
        ),
        Line("hidden_layer = np.maximum(0, np.dot(X, W) + b)", "cs231n-net"),
        Line("scores = np.dot(hidden_layer, W2) + b2", "cs231n-net"),
        Line("dW2 = np.dot(hidden_layer.T, dscores)", "cs231n-net"),
        Line("db2 = np.sum(dscores, axis=0, keepdims=True)", "cs231n-net"),
        Line("dhidden = np.dot(dscores, W2.T)", "cs231n-net"),
        Line(
            "dhidden = np.dot(dscores, W2.T)\ndhidden[hidden_layer <= 0] = 0\ndW = np.dot(X.T, dhidden)",
            "cs231n-net",
        ),
        Line(
            "dhidden[hidden_layer <= 0] = 0\ndb = np.sum(dhidden, axis=0, keepdims=True)",
            "cs231n-net",
        ),
        Line("dW2 = np.dot(hidden_layer.T, dscores)\ndW2 += reg * W2", "cs231n-net", regularised=True),
    ),
)

CS231N_ASSIGNMENTS = Source(
    "CS231n, assignments 1 and 2: solutions",
    "read in public solutions of layers.py and softmax.py; neural_net.py from memory",
    (
        Line("dw = x.reshape(N, -1).T.dot(dout)", "cs231n-linear", code="dW1 = X.T.dot(dZ1)"),
        Line("dx = dout.dot(w.T)", "cs231n-linear"),
        Line("db = dout.sum(axis = 0)", "cs231n-linear"),
        Line("db = np.sum(dout, axis=0)", "cs231n-linear"),
        Line("dx = dout*(x > 0)*1.0", "cs231n-net", where={"dx": "dZ1", "dout": "dA1", "x": "Z1"}),
        Line("dx = np.where(x > 0, dout, 0)", "cs231n-net", where={"dx": "dZ1", "dout": "dA1", "x": "Z1"}),
        Line("dx = dout * (x > 0).astype(float)", "cs231n-net", where={"dx": "dZ1", "dout": "dA1", "x": "Z1"}),
        Line("dW = X.T.dot(dscores) + 2*reg*W", "cs231n-trick", regularised=True),
        Line(
            "probs[np.arange(num_train), y] -= 1\ndW = X.T.dot(probs)\ndW /= num_train\ndW += 2 * reg * W",
            "cs231n-trick",
            regularised=True,
        ),
        Line("dW = X.T.dot(dscores) + reg*W", "cs231n-trick-half", regularised=True),
        Line("grads['W2'] = a1.T.dot(dscores) + 2 * reg * W2", "cs231n-toy", regularised=True),
        Line("grads['b2'] = np.sum(dscores, axis=0)", "cs231n-net"),
        Line('grads["W1"] = np.dot(X.T, dZ1) + reg * W1', "cs231n-net", regularised=True),
        Line("dhidden = dscores.dot(W2.T)\ndhidden[hidden <= 0] = 0\ngrads['W1'] = X.T.dot(dhidden)", "cs231n-net"),
        Line("dW2 = np.einsum('ni,nj->ij', hidden, dscores)", "cs231n-net"),
        Line("dhidden = np.einsum('nj,ij->ni', dscores, W2)", "cs231n-net"),
        Line("dW1 = np.outer(X, dZ1)", "one-example"),
    ),
)

CS231N_NOTES = Source(
    "CS231n, lecture notes, optimization-2.md",
    "read",
    (
        Line("D = W.dot(X)", "cs231n-notes"),
        Line("dW = dD.dot(X.T) #.T gives the transpose of the matrix", "cs231n-notes"),
        Line("dX = W.T.dot(dD)", "cs231n-notes"),
    ),
)

WILDML_NAMES = {"delta3": "dZ2", "delta2": "dZ1"}
WILDML = Source(
    "D. Britz, Implementing a Neural Network from Scratch (WildML), nn_from_scratch.py",
    "read",
    (
        Line("z1 = X.dot(W1) + b1", "wildml"),
        Line("a1 = np.tanh(z1)", "wildml"),
        Line("z2 = a1.dot(W2) + b2", "wildml"),
        Line("delta3 = probs\ndelta3[range(num_examples), y] -= 1", "wildml", where={"delta3": "dZ2"}),
        Line("dW2 = (a1.T).dot(delta3)", "wildml", where=WILDML_NAMES),
        Line("db2 = np.sum(delta3, axis=0, keepdims=True)", "wildml", where=WILDML_NAMES),
        Line("delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))", "wildml", where=WILDML_NAMES),
        Line("dW1 = np.dot(X.T, delta2)", "wildml", where=WILDML_NAMES),
        Line("db1 = np.sum(delta2, axis=0)", "wildml", where=WILDML_NAMES),
        Line(
            "dW2 = (a1.T).dot(delta3)\ndW2 += reg_lambda * W2",
            "wildml",
            where={**WILDML_NAMES, "reg_lambda": "lam"},
            regularised=True,
        ),
        # its loss is divided by num_examples, its gradient is not
        Line("dW2 = (a1.T).dot(probs - Y)", "wildml-printed", "missing-1/N"),
    ),
)

TORCH_NAMES = {
    **{"h": "Z1", "h_relu": "A1", "y_pred": "Z2", "x": "X", "y": "Y", "w1": "W1", "w2": "W2"},
    **{"grad_y_pred": "dZ2", "grad_h_relu": "dA1", "grad_h": "dZ1", "grad_w1": "dW1", "grad_w2": "dW2"},
}
TORCH = Source(
    "PyTorch tutorials, two_layer_net_numpy.py",
    "read",
    (
        Line("h = x.dot(w1)", "torch-numpy", where=TORCH_NAMES),
        Line("h_relu = np.maximum(h, 0)", "torch-numpy", where=TORCH_NAMES),
        Line("y_pred = h_relu.dot(w2)", "torch-numpy", where=TORCH_NAMES),
        Line("grad_y_pred = 2.0 * (y_pred - y)", "torch-numpy", where=TORCH_NAMES),
        Line("grad_w2 = h_relu.T.dot(grad_y_pred)", "torch-numpy", where=TORCH_NAMES),
        Line("grad_h_relu = grad_y_pred.dot(w2.T)", "torch-numpy", where=TORCH_NAMES),
        Line("grad_h = grad_h_relu.copy()\ngrad_h[h < 0] = 0", "torch-numpy", where=TORCH_NAMES),
        Line("grad_w1 = x.T.dot(grad_h)", "torch-numpy", where=TORCH_NAMES),
    ),
)

TRASK_NAMES = {
    **{"l1": "A1", "l2": "A2", "syn0": "W1", "syn1": "W2", "y": "Y"},
    **{"l2_delta": "-dZ2", "l1_delta": "-dZ1"},
}
TRASK = Source(
    "A. Trask, A Neural Network in 11 Lines of Python",
    "read; its deltas are descent directions, −∂L/∂Z",
    (
        Line("l1 = 1/(1+np.exp(-(np.dot(X,syn0))))", "trask", where=TRASK_NAMES),
        Line("l2 = 1/(1+np.exp(-(np.dot(l1,syn1))))", "trask", where=TRASK_NAMES),
        Line("l2_delta = (y - l2)*(l2*(1-l2))", "trask", where=TRASK_NAMES),
        Line("l1_delta = l2_delta.dot(syn1.T) * (l1 * (1-l1))", "trask", where=TRASK_NAMES),
        Line(
            "syn1 += l1.T.dot(l2_delta)",
            "trask",
            where=TRASK_NAMES,
            unread="a step of gradient descent, which claims no gradient",
        ),
    ),
)

RASCHKA_NAMES = {
    **{"a_out": "P", "a_h": "A1", "w_out": "W2", "w_h": "W1", "y_enc": "Y", "l2": "lam"},
    **{"sigma_out": "dZ2", "sigma_h": "dZ1", "delta_w_h": "dW1", "delta_w_out": "dW2"},
    **{"grad_w_h": "dW1", "grad_w_out": "dW2", "grad_b_h": "db1", "grad_b_out": "db2"},
}
RASCHKA = Source(
    "S. Raschka, Python Machine Learning, 2nd ed., neuralnet.py",
    "read",
    (
        Line("sigma_out = a_out - y_enc", "raschka", where=RASCHKA_NAMES),
        Line(
            "sigmoid_derivative_h = a_h * (1. - a_h)\nsigma_h = (np.dot(sigma_out, w_out.T) * sigmoid_derivative_h)",
            "raschka",
            where=RASCHKA_NAMES,
        ),
        Line("grad_w_h = np.dot(X.T, sigma_h)", "raschka", where=RASCHKA_NAMES),
        Line("grad_b_h = np.sum(sigma_h, axis=0)", "raschka", where=RASCHKA_NAMES),
        Line("grad_w_out = np.dot(a_h.T, sigma_out)", "raschka", where=RASCHKA_NAMES),
        Line("grad_b_out = np.sum(sigma_out, axis=0)", "raschka", where=RASCHKA_NAMES),
        # the cost has l2·ΣW², so that 2·l2·W belongs there
        Line(
            "delta_w_h = np.dot(X.T, sigma_h) + l2*w_h",
            "raschka",
            "regulariser-scale",
            where=RASCHKA_NAMES,
            regularised=True,
        ),
    ),
)

SAITOH = Source(
    "K. Saitoh, Deep Learning from Scratch, common/layers.py",
    "read",
    (
        Line("dx = np.dot(dout, self.W.T)", "saitoh"),
        Line("self.dW = np.dot(self.x.T, dout)", "saitoh"),
        Line("self.db = np.sum(dout, axis=0)", "saitoh"),
        Line("dx = (self.y - self.t) / batch_size", "saitoh-loss", where={"dx": "dZ1", "y": "P", "t": "Y"}),
        Line(
            "dx = dout * (1.0 - self.out) * self.out",
            "saitoh-sigmoid",
            where={"dx": "dZ1", "dout": "dA1", "out": "A1"},
        ),
        Line(
            "dout[self.mask] = 0\ndx = dout",
            "cs231n-net",
            where={"dx": "dZ1", "dout": "dA1", "mask": "Z1 <= 0"},
        ),
    ),
)

PONG = Source(
    "A. Karpathy, Deep Reinforcement Learning: Pong from Pixels, pg-pong.py",
    "memory",
    (
        Line("dh = np.outer(epdlogp, W2)", "pong", where={"dh": "dA1", "epdlogp": "dZ2"}),
        Line(
            "dh[eph <= 0] = 0\ndW1 = np.dot(dh.T, epx)",
            "pong",
            where={"dh": "dA1", "eph": "A1", "epx": "X"},
        ),
    ),
)

SKLEARN = Source(
    "scikit-learn, _multilayer_perceptron.py and its user guide",
    "read",
    (
        Line(
            "deltas[last] = activations[-1] - y",
            "sklearn",
            code="dZ2 = P - Y",
        ),
        Line(
            "coef_grads[layer] = safe_sparse_dot(activations[layer].T, deltas[layer])\n"
            "coef_grads[layer] += self.alpha * self.coefs_[layer]\ncoef_grads[layer] /= n_samples",
            "sklearn",
            code="dW2 = (A1.T @ dZ2 + lam * W2) / N",
            regularised=True,
        ),
        Line("intercept_grads[layer] = np.mean(deltas[layer], 0)", "sklearn", code="db2 = np.mean(dZ2, 0)"),
        Line("dW2 = (A1.T @ (Z2 - y)) / n_samples", "sklearn-regressor", code="dW2 = A1.T @ (Z2 - Y) / N"),
    ),
)

NIELSEN = Source(
    "M. Nielsen, Neural Networks and Deep Learning, chapter 2 and network.py",
    "read (network.py, and copies of BP1 to BP4)",
    (
        Line(r"\delta^L = \nabla_a C \odot \sigma'(z^L)", "nielsen", code="dZ2 = dA2 * P * (1 - P)"),
        Line(r"\delta^L = (a^L-y) \odot \sigma'(z^L)", "nielsen", code="dZ2 = (P - Y) * P * (1 - P)"),
        Line(
            r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)",
            "nielsen",
            code="dZ1 = (W2.T @ dZ2) * A1 * (1 - A1)",
        ),
        Line(r"\frac{\partial C}{\partial b^l_j} = \delta^l_j", "nielsen", code="db2 = dZ2"),
        Line(r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j", "nielsen", code="dW2 = dZ2 @ A1.T"),
        Line(r"\frac{\partial C}{\partial w^l} = \delta^l (a^{l-1})^T", "nielsen", code="dW2 = dZ2 @ A1.T"),
        Line(
            "delta = self.cost_derivative(activations[-1], y) * \\\n    sigmoid_prime(zs[-1])",
            "nielsen",
            code="dZ2 = (P - Y) * P * (1 - P)",
            unread="a method of the program, cost_derivative",
        ),
        Line(
            "nabla_w[-1] = np.dot(delta, activations[-2].transpose())",
            "nielsen",
            code="dW2 = np.dot(dZ2, A1.T)",
        ),
    ),
)

BLUE_BROWN = Source(
    "3Blue1Brown, Backpropagation calculus",
    "memory",
    (
        Line(
            r"\frac{\partial C_0}{\partial w^{(L)}} = a^{(L-1)} \sigma'(z^{(L)}) 2(a^{(L)} - y)",
            "3blue1brown",
            code="dW2 = A1 * P * (1 - P) * 2 * (P - Y)",
        ),
        Line(
            r"\frac{\partial C_0}{\partial b^{(L)}} = \sigma'(z^{(L)}) 2(a^{(L)} - y)",
            "3blue1brown",
            code="db2 = P * (1 - P) * 2 * (P - Y)",
        ),
        Line(
            r"\frac{\partial C_0}{\partial a^{(L-1)}} = w^{(L)} \sigma'(z^{(L)}) 2(a^{(L)} - y)",
            "3blue1brown",
            code="dA1 = W2 * P * (1 - P) * 2 * (P - Y)",
        ),
    ),
)

MAZUR_NAMES = {
    **{"out_o1": "A2[:, :1]", "out_o2": "A2[:, 1:2]", "target_o1": "Y[:, :1]", "target_o2": "Y[:, 1:2]"},
    **{"out_h1": "A1[:, :1]", "i1": "X[:, :1]", "w5": "W2[:1, :1]", "w7": "W2[1:2, :1]"},
    **{"delta_o1": "dZ2[:, :1]", "delta_o2": "dZ2[:, 1:2]"},
    **{"dE_dw5": "dW2[:1, :1]", "dE_dw1": "dW1[:1, :1]"},
}
MAZUR = Source(
    "M. Mazur, A Step by Step Backpropagation Example",
    "read; written in NumPy here",
    (
        Line("delta_o1 = -(target_o1 - out_o1) * out_o1 * (1 - out_o1)", "mazur", where=MAZUR_NAMES),
        Line(
            "dE_dw5 = -(target_o1 - out_o1) * out_o1 * (1 - out_o1) * out_h1",
            "mazur",
            where=MAZUR_NAMES,
        ),
        Line("dE_dw5 = delta_o1 * out_h1", "mazur", where=MAZUR_NAMES),
        Line(
            "dE_dw1 = (delta_o1 * w5 + delta_o2 * w7) * out_h1 * (1 - out_h1) * i1",
            "mazur",
            where=MAZUR_NAMES,
        ),
    ),
)

UFLDL = Source(
    "UFLDL tutorial: Backpropagation Algorithm, Neural Network Vectorization, Softmax Regression",
    "memory; the softmax exercise read in a public solution",
    (
        Line(
            r"\delta^{(3)} = - (y - a^{(3)}) \bullet f'(z^{(3)})",
            "ufldl",
            code="dZ2 = -(Y - P) * P * (1 - P)",
        ),
        Line(
            r"\delta^{(l)} = ((W^{(l)})^T \delta^{(l+1)}) \bullet f'(z^{(l)})",
            "ufldl",
            code="dZ1 = (W2.T @ dZ2) * A1 * (1 - A1)",
        ),
        Line(r"\nabla_{W^{(l)}} J(W,b;x,y) = \delta^{(l+1)} (a^{(l)})^T", "ufldl-one", code="dW2 = dZ2 @ A1.T"),
        Line(r"\nabla_{b^{(l)}} J(W,b;x,y) = \delta^{(l+1)}", "ufldl-one", code="db2 = dZ2"),
        Line("delta3 = -(y - a3) .* a3 .* (1 - a3);", "ufldl", code="dZ2 = -(Y - P) * P * (1 - P)"),
        Line("delta2 = (W2' * delta3) .* a2 .* (1 - a2);", "ufldl", code="dZ1 = (W2.T @ dZ2) * A1 * (1 - A1)"),
        Line(
            "W2grad = delta3 * a2' / m + lambda * W2;",
            "ufldl",
            code="dW2 = dZ2 @ A1.T / N + lam * W2",
            regularised=True,
        ),
        Line("b2grad = sum(delta3, 2) / m;", "ufldl", code="db2 = dZ2.sum(axis=1, keepdims=True) / N"),
        Line(
            "W1grad = (delta2 * data') ./ m + lambda .* W1;",
            "ufldl",
            code="dW1 = dZ1 @ X.T / N + lam * W1",
            regularised=True,
        ),
        Line(
            "thetagrad = -1/numCases * (groundTruth - p) * data' + lambda * theta;",
            "ufldl-softmax",
            code="dW1 = -1/N * (Y - P) @ X.T + lam * W1",
            where={"thetagrad": "dW1", "numCases": "N", "groundTruth": "Y", "p": "P", "data": "X", "theta": "W1"},
            regularised=True,
        ),
    ),
)

CS229 = Source(
    "CS229 lecture notes, Deep Learning",
    "memory; the slip of page 12 is read",
    (
        Line(
            r"\delta^{[k]} = ({W^{[k+1]}}^\top \delta^{[k+1]}) \odot \sigma'(z^{[k]})",
            "cs229",
            code="dZ1 = (W2.T @ dZ2) * A1 * (1 - A1)",
        ),
        Line(
            r"\frac{\partial J}{\partial W^{[k]}} = \delta^{[k]} {a^{[k-1]}}^\top",
            "cs229",
            code="dW2 = dZ2 @ A1.T",
        ),
        Line(r"\frac{\partial J}{\partial b^{[k]}} = \delta^{[k]}", "cs229", code="db2 = dZ2"),
        Line(
            r"\frac{\partial J}{\partial W^{[2]}} = (a^{[2]} - y) {a^{[1]}}^\top", "cs229", code="dW2 = (P - Y) @ A1.T"
        ),
        Line(
            r"dW^{[2]} = \left[(a^{[3]} - y) W^{[3]} \circ g'(z^{[2]})\right] a^{[1]\top}",
            "cs229-deep",
            "missing-transpose",
        ),
    ),
)

CS224N = Source(
    "CS224n, Computing Neural Network Gradients (K. Clark)",
    "memory of the text; δᵀx is read",
    (
        Line(r"\frac{\partial z}{\partial x} = W", "vecderivs", code=""),
        Line(r"\frac{\partial z}{\partial x} = W^T", "cs224n-rows", code=""),
        Line(r"\delta = \hat{y} - y", "cs224n-rows", code="dZ1 = P - Y"),
        Line(
            r"\frac{\partial J}{\partial W} = \delta^T x",
            "cs224n-rows",
            "transposed-result",
            code="dW1 = dZ1.T @ X",
        ),
        Line(r"\frac{\partial J}{\partial W} = x^T \delta", "cs224n-rows", code="dW1 = X.T @ dZ1"),
    ),
)

D2L_NAMES = {"o": "Z2", "h": "A1", "z": "Z1", "x": "X"}
D2L = Source(
    "Zhang et al., Dive into Deep Learning, backprop.md",
    "read",
    (
        Line(
            r"\frac{\partial J}{\partial \mathbf{W}^{(2)}} = \frac{\partial J}{\partial \mathbf{o}} \mathbf{h}^\top "
            r"+ \lambda \mathbf{W}^{(2)}",
            "d2l",
            code="dW2 = dZ2 @ A1.T + lam * W2",
            where=D2L_NAMES,
            regularised=True,
        ),
        Line(
            r"\frac{\partial J}{\partial \mathbf{h}} = {\mathbf{W}^{(2)}}^\top \frac{\partial J}{\partial \mathbf{o}}",
            "d2l",
            code="dA1 = W2.T @ dZ2",
            where=D2L_NAMES,
        ),
        Line(
            r"\frac{\partial J}{\partial \mathbf{z}} = \frac{\partial J}{\partial \mathbf{h}} \odot "
            r"\phi'\left(\mathbf{z}\right)",
            "d2l",
            code="dZ1 = dA1 * A1 * (1 - A1)",
            where=D2L_NAMES,
        ),
        Line(
            r"\frac{\partial J}{\partial \mathbf{W}^{(1)}} = \frac{\partial J}{\partial \mathbf{z}} \mathbf{x}^\top "
            r"+ \lambda \mathbf{W}^{(1)}",
            "d2l",
            code="dW1 = dZ1 @ X.T + lam * W1",
            where=D2L_NAMES,
            regularised=True,
        ),
    ),
)

GOODFELLOW = Source(
    "Goodfellow, Bengio, Courville, Deep Learning, algorithm 6.4",
    "memory; g is ∇ with respect to a⁽²⁾, their name for Z",
    (
        Line(r"\nabla_{b^{(2)}} J = g", "goodfellow", code="db2 = dZ2", where={"g": "dZ2"}),
        Line(
            r"\nabla_{W^{(2)}} J = g h^{(1)\top} + \lambda W^{(2)}",
            "goodfellow",
            code="dW2 = dZ2 @ A1.T + lam * W2",
            where={"g": "dZ2"},
            regularised=True,
        ),
        Line(r"\nabla_{h^{(1)}} J = W^{(2)\top} g", "goodfellow", code="dA1 = W2.T @ dZ2", where={"g": "dZ2"}),
    ),
)

BISHOP = Source(
    "C. Bishop, Pattern Recognition and Machine Learning, 5.3",
    "memory",
    (
        Line(r"\delta_k = y_k - t_k", "bishop", code="dZ2 = P - Y", where={"y": "Z2", "t": "Y", "delta": "dZ2"}),
        Line(
            r"\delta_j = (1 - z_j^2) \sum_{k=1}^K w_{kj} \delta_k",
            "bishop",
            code="dZ1 = (1 - A1**2) * (W2.T @ dZ2)",
            unread="a sum over an index k of units",
        ),
    ),
)

WIKIPEDIA = Source(
    "Wikipedia, Backpropagation: matrix multiplication",
    "memory",
    (
        Line(
            r"\delta^{l-1} := (f^{l-1})' \circ (W^l)^T \cdot \delta^l",
            "wikipedia",
            code="dZ1 = A1 * (1 - A1) * (W2.T @ dZ2)",
            unread="the activation of one layer, (f^{l-1})', without its argument",
        ),
        Line(r"\nabla_{W^l} C = \delta^l (a^{l-1})^T", "wikipedia", code="dW2 = dZ2 @ A1.T"),
    ),
)

GERON = Source(
    "A. Géron, Hands-On Machine Learning, chapter 4",
    "memory",
    (
        Line(
            "gradients = 2/m * X_b.T.dot(X_b.dot(theta) - y)",
            "geron",
            where={"gradients": "dW1", "X_b": "X_ones", "theta": "W1", "m": "N", "y": "Y"},
        ),
        Line(
            r"\nabla_\theta J = \frac{2}{m} X_b^T (X_b \theta - y)",
            "geron",
            code="dW1 = 2 / N * X_ones.T @ (X_ones @ W1 - Y)",
            where={"X_b": "X_ones"},
        ),
    ),
)

FRAMEWORKS = Source(
    "How layers of PyTorch and Keras compute: their documented forward pass, and its gradients as answers print them",
    "memory",
    (
        Line("Z1 = X @ W1.T + b1", "pytorch"),
        Line("dW1 = dZ1.T @ X", "pytorch"),
        Line("dA1 = dZ2 @ W2", "pytorch"),
        Line("db1 = dZ1.sum(0)", "pytorch"),
        Line("Z1 = np.dot(X, W1) + b1", "keras"),
        Line("dW2 = np.matmul(np.transpose(A1), dZ2)", "keras"),
        Line(
            r"\frac{\partial L}{\partial W_1} = X^\top \frac{\partial L}{\partial Z_1}",
            "keras",
            code="dW1 = X.T @ dZ1",
        ),
    ),
)

VECDERIVS = Source(
    "E. Learned-Miller, Vector, Matrix, and Tensor Derivatives",
    "read",
    (
        Line(r"\frac{d\vec{y}}{d\vec{x}} = W", "vecderivs"),
        Line(r"\frac{d\vec{y}}{d\vec{x}} = W", "vecderivs-rows"),
    ),
)

SOURCES = (
    *(NG_EX4, NG_TEXTS, NG_LINEAR, DLAI, DLAI_2, CS231N_CASE, CS231N_ASSIGNMENTS, CS231N_NOTES),
    *(WILDML, TORCH, TRASK, RASCHKA, SAITOH, PONG, SKLEARN),
    *(
        NIELSEN,
        BLUE_BROWN,
        MAZUR,
        UFLDL,
        CS229,
        CS224N,
        D2L,
        GOODFELLOW,
        BISHOP,
        WIKIPEDIA,
        GERON,
        FRAMEWORKS,
        VECDERIVS,
    ),
)
