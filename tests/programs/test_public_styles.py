"""What public programs write that gradients, updates and sizes are recognised by; a slip would be hidden else."""

from __future__ import annotations

import ast

import pytest

from jacobians.programs.audit import audit_program
from jacobians.programs.smaller import smaller
from jacobians.programs.source import read_source

LINEAR = """
def f(W, b, X, y, num_classes=3):
    d = X @ W + b - y
    loss = 0.5 * (d ** 2).sum()
    {}
"""


@pytest.mark.parametrize(
    "returned",
    [
        "return loss, {'W': X.T @ d, 'b': d.sum()}",
        "return loss, dict(W=X.T @ d, b=d.sum())",
        "return loss, (X.T @ d, d.sum())",
    ],
)
def test_gradients_that_are_returned_without_a_name_of_their_own(returned):
    found = audit_program(LINEAR.format(returned), "returned.py")
    assert [(g.parameter, g.verdict) for g in found.gradients] == [("W", "right"), ("b", "wrong")]
    assert found.faults[0].slip == "bias-summed-over-all"


UPDATES = """
for it in range(100):
    E = Y - X @ W
    cost = 0.5 * np.sum(E ** 2)
    W += 0.01 * X.T @ E
"""


def test_a_step_within_a_product_is_no_part_of_the_gradient():
    """``0.01 * X.T @ E`` is ``(0.01 * X.T) @ E``."""
    start = "import numpy as np\nX, Y, W = np.random.randn(7, 4), np.random.randn(7, 2), np.random.randn(4, 2)\n"
    assert audit_program(start + UPDATES, "step.py").verdict == "right"
    assert audit_program(start + UPDATES.replace("0.01 * X.T", "lr / 7 * X.T").replace("ost = 0.5", "ost = 0.5 / 7")
                         .replace("for it", "lr = 0.1\nfor it"), "step.py").verdict == "right"  # fmt: skip


def test_a_loss_that_the_program_does_not_set_is_said():
    found = audit_program(LINEAR.format("return loss, X.T @ d, d.sum(axis=0)"), "named.py", loss="cost")
    assert (found.verdict, found.failures[0].why) == ("not judged", "it sets no loss that is called cost")


def test_the_line_of_a_loss_without_the_regulariser_is_not_that_of_the_return():
    text = LINEAR.format("dW = X.T @ d + lam * W\n    return loss, dW").replace("num_classes", "lam, num_classes")
    (fault,) = audit_program(text, "regulariser.py").faults
    assert (fault.line, fault.beside) == (5, 4)


def test_sizes_that_the_program_writes_are_those_of_its_data():
    text = """
import numpy as np
def step(X, Y):
    W = np.random.randn(10, 784)
    Z = W.dot(X)
    P = np.exp(Z) / np.exp(Z).sum(axis=0)
    one_hot = np.eye(10)[Y].T
    loss = -np.log(P[Y, np.arange(Y.size)]).sum()
    dW = (P - one_hot).dot(X.T)
    return loss, dW
"""
    found = audit_program(text, "digits.py")
    assert (found.verdict, found.entries[0].data) == ("right", "X (11, 12), Y (12,)")
    assert ("the size 784", "taken as 11") in found.assumed


def test_large_sizes_are_taken_small_everywhere_alike():
    small = smaller(read_source("N = 200\nX = np.zeros((N, 60))\ny = X[:60] / 200 ** 2 + 39"))
    assert small is not None
    assert ast.unparse(small.tree) == "N = 13\nX = np.zeros((N, 11))\ny = X[:11] / 13 ** 2 + 39"
    assert small.written(small.tree.body[2]) == "y = X[:60] / 200 ** 2 + 39"
    assert smaller(read_source("epochs = 500\nX = np.zeros((7, 4))")) is None


def test_a_skip_connection_makes_two_widths_the_same():
    text = """
def f(W1, W2, W3, x, y):
    h = np.tanh(x @ W1)
    s = np.tanh(h @ W2) + h
    o = s @ W3
    loss = 0.5 * np.sum((o - y) ** 2)
    dW3 = s.T @ (o - y)
    return loss, dW3
"""
    assert audit_program(text, "skip.py").entries[0].data == "W1 (4, 5), W2 (5, 5), W3 (5, 3), x (7, 4), y (7, 3)"


def test_a_parameter_beside_one_number_for_each_example_is_a_number():
    text = """
def f(x, w, v, y):
    a = np.tanh(x @ w)
    loss = np.sum((a.sum(axis=1) * v - y) ** 2)
    dv = 2 * np.sum((a.sum(axis=1) * v - y) * a.sum(axis=1))
    return loss, dv
"""
    assert audit_program(text, "read_out.py").verdict == "right"


HINGE = """
def hinge_loss(w, b, x, y, C):
    loss = 0
    for i in range(len(x)):
        loss += max(0, 1 - y[i] * (x[i] @ w + b))
    return 0.5 * np.sum(w * w) + C * loss

def gradients(w, b, x, y, C):
    grad_w, grad_b = w.copy(), 0
    for i in range(len(x)):
        if y[i] * (x[i] @ w + b) < 1:
            grad_w -= C * y[i] * x[i]
            grad_b -= C * y[i]
    return grad_w, grad_b

def fit(X, y, C=1.0, lr=0.1, epochs=10):
    w = np.zeros(X.shape[1])
    b = 0
    for epoch in range(epochs):
        l = hinge_loss(w, b, X, y, C)
        grad_w, grad_b = gradients(w, b, X, y, C)
        w = w - lr * grad_w
        b = b - lr * grad_b
"""


def test_a_part_of_what_a_loss_function_returns_is_not_the_loss():
    found = audit_program(HINGE, "hinge.py")
    assert (found.verdict, len(found.gradients)) == ("right", 2)


STATES = """
W, gW1, vW = {'W': np.random.randn(4, 2)}, np.random.randn(2, 3), 0
m, v = {'W': np.zeros((4, 2))}, {'W': np.zeros((4, 2))}
def step(X, Y, batch_size=20):
    global gW1, vW
    for epoch in range(10):
        for j in range(len(X) // batch_size):
            H = np.tanh(X @ W['W'])
            E = H @ gW1 - Y
            epoch_loss = 0.0
            loss = 0.5 * np.sum(E ** 2)
            epoch_loss += loss * len(X)
            grad_W1 = H.T @ E
            grads = {'W': X.T @ (E @ gW1.T * (1 - H ** 2))}
            for k in grads:
                m[k] = 0.9 * m[k] + 0.1 * grads[k]
                v[k] = 0.9 * v[k] + 0.1 * grads[k] ** 2
                W[k] -= 0.1 * m[k] / (np.sqrt(v[k]) + 1e-8)
            gW1 -= lr * grad_W1
"""


def test_what_optimisers_keep_is_no_parameter_and_a_batch_is_no_larger_than_the_data():
    found = audit_program(STATES, "states.py")
    assert {g.parameter: g.verdict for g in found.gradients} == {"'W'": "right", "gW1": "right"}
