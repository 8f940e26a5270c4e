"""`audit_program` on programs of several styles, each right, and with a slip that it has to find on its line."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from jacobians.errors import DataError, FormulaError
from jacobians.programs import ProgramAudit, audit_program

FUNCTION = """
import numpy as np

def net_loss(X, y, params, reg=0.0):
    W1, b1 = params['W1'], params['b1']
    W2, b2 = params['W2'], params['b2']
    N = X.shape[0]
    h = np.maximum(0, X.dot(W1) + b1)
    scores = h.dot(W2) + b2
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= np.sum(p, axis=1, keepdims=True)
    loss = np.sum(-np.log(p[range(N), y])) / N
    loss += 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    grads = {}
    ds = p.copy()
    ds[range(N), y] -= 1
    ds /= N
    grads['W2'] = h.T.dot(ds) + reg * W2
    grads['b2'] = np.sum(ds, axis=0)
    dh = ds.dot(W2.T)
    dh[h <= 0] = 0
    grads['W1'] = X.T.dot(dh) + reg * W1
    grads['b1'] = np.sum(dh, axis=0)
    return loss, grads
"""

SCRIPT = """
X = np.random.randn(9, 4)
y = np.random.randn(9, 2)
W1 = np.random.randn(4, 5) * 0.01
W2 = np.random.randn(5, 2) * 0.01
lr = 0.1
for epoch in range(500):
    a1 = sigmoid(X @ W1)
    out = sigmoid(a1 @ W2)
    d2 = (out - y) * out * (1 - out)
    dW2 = a1.T @ d2
    d1 = d2 @ W2.T * a1 * (1 - a1)
    dW1 = X.T @ d1
    W2 -= lr * dW2
    W1 -= lr * dW1
    print('loss', np.sum((out - y) ** 2))
"""

CLASS = """
class Regression:
    def __init__(self, input_size, output_size):
        self.W = np.zeros((input_size, output_size))
        self.b = np.zeros(output_size)

    def forward(self, X):
        return X @ self.W + self.b

    def loss(self, X, y):
        self.E = self.forward(X) - y
        return 0.5 * np.mean(np.sum(self.E ** 2, axis=1))

    def backward(self, X):
        n = len(X)
        self.dW = X.T @ self.E / n
        self.db = self.E.sum(axis=0) / n
"""

LAYER = """
def tanh_layer_forward(x, w, b):
    out = np.tanh(x @ w + b)
    return out, (x, w, out)

def tanh_layer_backward(dout, cache):
    x, w, out = cache
    dz = dout * (1 - out ** 2)
    dx = dz @ w.T
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dx, dw, db
"""


@cache
def audited(text: str) -> ProgramAudit:
    return audit_program(text, "student.py")


@pytest.mark.parametrize(("text", "gradients"), [(FUNCTION, 4), (SCRIPT, 2), (CLASS, 2), (LAYER, 3)])
def test_right_programs_are_right(text: str, gradients: int) -> None:
    found = audited(text)
    assert found.verdict == "right"
    assert bool(found)
    assert [g.verdict for g in found.gradients] == ["right"] * gradients
    assert not found.faults
    assert found.first_wrong_line is None
    assert max(g.difference or 0.0 for g in found.gradients) < 3e-6


# the program, the line and what stands in its place, the gradients that it makes wrong, the slip, and the mended line
SLIPS = [
    (FUNCTION, "np.sum(ds, axis=0)", "np.sum(ds)", "b2", "bias-summed-over-all", "np.sum(ds, axis=0)"),
    (FUNCTION, "np.sum(dh, axis=0)", "np.mean(dh, axis=0)", "b1", "bias-averaged", "np.sum(dh, axis=0)"),
    (FUNCTION, "dh[h <= 0] = 0", "dh[h < -1] = 0", "W1 b1", "", ""),
    (FUNCTION, "h.T.dot(ds) + reg * W2", "h.T.dot(ds) + 2 * reg * W2", "W2", "regulariser", ""),
    (FUNCTION, "X.T.dot(dh) + reg * W1", "X.T.dot(dh)", "W1", "regulariser", ""),
    (FUNCTION, "ds.dot(W2.T)", "-ds.dot(W2.T)", "W1 b1", "sign", ""),
    (SCRIPT, "@ W2.T * a1 * (1 - a1)", "@ W2.T", "dW1", "derivative-missing", "d1 = d2 @ W2.T * (a1 * (1 - a1))"),
    (SCRIPT, "@ W2.T * a1 * (1 - a1)", "@ W2.T * (1 - a1 ** 2)", "dW1", "wrong-activation-derivative", ""),
    (CLASS, "X.T @ self.E / n", "X.T @ self.E", "self.dW", "scale-n", "self.dW = X.T @ self.E / n"),
    (CLASS, "X.T @ self.E / n", "self.E.T @ X / n", "self.dW", "transposed", ""),
    (LAYER, "dz = dout * (1 - out ** 2)", "dz = dout * (1 - out)", "dx dw db", None, ""),
    (LAYER, "x.T @ dz", "x.T @ dout", "dw", "wrong-array", "dw = x.T @ dz"),
]


FAST = (6, 10)
"""The slips that are tried every day."""


@pytest.mark.parametrize(
    ("text", "old", "new", "wrong", "slip", "mended"),
    [pytest.param(*s, marks=() if i in FAST else pytest.mark.slow) for i, s in enumerate(SLIPS)],
)
def test_slips_are_found_on_their_lines(
    text: str, old: str, new: str, wrong: str, slip: str | None, mended: str
) -> None:
    changed = text.replace(old, new)
    line = next(n for n, part in enumerate(changed.split("\n"), 1) if part not in text.split("\n"))
    found = audit_program(changed, "student.py")
    assert found.verdict == "wrong"
    assert not found
    assert {g.name for g in found.gradients if g.verdict == "wrong"} == {
        name if text is not FUNCTION else f"grads['{name}']" for name in wrong.split()
    }
    assert found.first_wrong_line == line
    fault = found.faults[0]
    if slip is not None:
        assert fault.slip == slip
    if mended:
        assert mended in fault.should_be
        again = audit_program(changed.replace(fault.text, fault.should_be), "student.py")
        assert again.verdict == "right"


def test_a_sentence_that_begins_with_a_name_keeps_its_small_letter() -> None:
    text = str(audited(SCRIPT.replace("X.T @ d1", "X.T @ a1")))
    assert "\n    a1 stands where d1 belongs" in text


def test_a_weight_that_is_read_after_its_update() -> None:
    changed = SCRIPT.replace("    W2 -= lr * dW2\n", "").replace("    d1 =", "    W2 -= lr * dW2\n    d1 =")
    found = audit_program(changed, "student.py")
    assert [(f.slip, f.line, f.gradients) for f in found.faults] == [("updated-weights", 13, ("dW1",))]
    assert "it reads W2 after line 12 has moved it" in found.faults[0].words


def test_a_bias_that_the_forward_pass_forgets() -> None:
    found = audit_program(FUNCTION.replace("scores = h.dot(W2) + b2", "scores = h.dot(W2)"), "student.py")
    assert [(f.slip, f.gradients) for f in found.faults] == [("not-used-in-the-forward-pass", ("grads['b2']",))]


def test_where_loss_and_gradient_disagree_neither_is_blamed_alone() -> None:
    found = audit_program(FUNCTION.replace("loss += 0.5 * reg", "loss += reg"), "student.py")
    (fault,) = found.faults
    assert fault.slip == "regulariser"
    assert set(fault.gradients) == {"grads['W1']", "grads['W2']"}
    assert fault.beside_text.startswith("loss += reg")
    assert "the loss's derivative has 2 λ times W2, the gradient has λ times W2" in fault.words


def test_a_line_in_a_helper_that_is_called_for_two_layers_is_named() -> None:
    text = """
import numpy as np

def relu_back(dA, Z):
    dZ = dA * (Z > 0)
    return dZ

def loss_and_grads(X, Y, W1, W2, W3):
    Z1 = X @ W1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2
    A2 = np.maximum(Z2, 0)
    E = A2 @ W3 - Y
    loss = 0.5 * np.sum(E ** 2)
    dW3 = A2.T @ E
    dZ2 = relu_back(E @ W3.T, Z2)
    dW2 = A1.T @ dZ2
    dZ1 = relu_back(dZ2 @ W2.T, Z1)
    dW1 = X.T @ dZ1
    return loss, dW1, dW2, dW3
"""
    (fault,) = audit_program(text.replace("dA * (Z > 0)", "dA"), "student.py").faults
    assert (fault.line, fault.slip, fault.should_be) == (5, "mask-missing", "dZ = dA * (Z > 0)")


def test_a_branch_at_a_strength_of_0_is_judged_too() -> None:
    changed = FUNCTION.replace("reg * W2\n    grads['b2']", "reg * W2 + (reg == 0)\n    grads['b2']")
    (fault,) = audit_program(changed, "student.py").faults
    assert fault.words == "it is wrong where the regulariser's strength is 0"
    assert fault.gradients == ("grads['W2']",)


def test_a_likelihood_that_is_gone_up_is_the_loss() -> None:
    text = """
import numpy as np

def log_likelihood(X, y, w):
    s = X @ w
    ll = np.sum(y * s - np.log(1 + np.exp(s)))
    return ll

def train(X, y, num_steps, lr):
    w = np.zeros(X.shape[1])
    for step in range(num_steps):
        error = y - 1 / (1 + np.exp(-X @ w))
        w += lr * (X.T @ error)
        print(log_likelihood(X, y, w))
    return w
"""
    (entry,) = audit_program(text, "ascent.py").entries
    assert (entry.loss, entry.loss_inferred, [g.verdict for g in entry.gradients]) == ("ll", False, ["right"])
    found = audit_program(text.replace("X.T @ error", "X.T @ error / len(y)"), "ascent.py")
    assert found.faults[0].slip == "scale-n"


def test_a_default_of_1_does_not_hide_a_factor() -> None:
    text = "def f(w, X, y, delta=1.0):\n    e = X @ w - y\n    loss = delta * np.sum(e ** 2) / 2\n"
    assert audit_program(text + "    dw = delta * X.T @ e\n    return loss, dw\n").verdict == "right"
    assert audit_program(text + "    dw = X.T @ e\n    return loss, dw\n").verdict == "wrong"


def test_ascent_counts_as_the_negated_gradient() -> None:
    up = SCRIPT.replace("(out - y) * out", "(y - out) * out").replace("-= lr", "+= lr")
    assert audit_program(up, "student.py").verdict == "right"


def test_an_inferred_loss_is_said() -> None:
    text = SCRIPT.replace("    print('loss', np.sum((out - y) ** 2))\n", "")
    (entry,) = audited(text).entries
    assert entry.loss_inferred
    assert entry.loss == "the loss, half the squared error of out and y"


def test_where_no_usual_loss_fits_nothing_is_judged() -> None:
    text = SCRIPT.replace("(out - y)", "(out ** 3 - y)").replace("    print('loss', np.sum((out ** 3 - y) ** 2))\n", "")
    found = audit_program(text, "student.py")
    assert found.verdict == "not judged"
    assert "its gradients are those of no usual loss" in found.failures[0].why


def test_the_loss_and_the_parameter_may_be_named() -> None:
    text = (
        "def f(w, X, y):\n    e = X @ w - y\n    other = (e ** 2).sum() / 2\n    up = X.T @ e\n    return other, up\n"
    )
    assert audit_program(text, loss="other", wrt={"up": "w"}).verdict == "right"


def test_what_is_assumed_is_listed() -> None:
    assert ("sigmoid", "1 / (1 + exp(-z))") in audited(SCRIPT).assumed
    assert "assumed: sigmoid is 1 / (1 + exp(-z))" in str(audited(SCRIPT))


def test_what_is_not_read_is_said_with_the_way_out() -> None:
    text = "def loss(w, X, y):\n    match 1:\n        case _:\n            e = X @ w - y\n"
    text += "    dw = X.T @ e\n    return e @ e / 2, dw\n"
    found = audit_program(text, "homework.py")
    assert found.verdict == "not judged"
    assert (2, "match") in found.unread
    assert found.check == "jacobians check homework:loss (this runs your code)"
    assert "line 2: not read: match" in str(found)


def test_it_is_plain_data_and_html_as_well() -> None:
    found = audit_program(CLASS.replace("self.E.sum(axis=0)", "self.E.sum()"), "a<b>.py")
    record = json.loads(json.dumps(found.to_dict()))
    assert record["verdict"] == "wrong"
    assert record["first_wrong_line"] == 17
    assert record["entries"][0]["faults"][0]["should_be"] == "self.db = self.E.sum(axis=0) / n"
    html = found._repr_html_()
    assert "a&lt;b&gt;.py: wrong (1 of 2 gradients right)" in html
    assert "<ins>self.db = self.E.sum(axis=0) / n</ins>" in html
    assert "<b>" not in re.sub(r"<b>a&lt;", "", html)


def test_every_size_differs() -> None:
    assert audited(FUNCTION).entries[0].data.startswith("X (7, 4), y (7,), params {'W1': 'f(4, 5)'")


def test_the_same_seed_says_the_same() -> None:
    once, again = (audit_program(CLASS, seed=3) for _ in range(2))
    assert [g.difference for g in once.gradients] == [g.difference for g in again.gradients]


def test_what_cannot_be_read_or_evaluated_is_an_error() -> None:
    with pytest.raises(FormulaError, match=r"a\.py, line 1: not Python"):
        audit_program("def f(:", "a.py")
    with pytest.raises(DataError, match=r"audit_program: a\.py, line 1: a whole number of more than 2048 bits"):
        audit_program("x = 9 ** 9 ** 9", "a.py")


def test_a_function_that_is_not_judged_beside_one_that_is_right_is_named():
    found = audit_program("""
def loss_right(W, X, y):
    E = X @ W - y
    dW = X.T @ E
    return 0.5 * (E ** 2).sum(), dW

def loss_of_matrices(W, X, y):
    E = np.matrix(X) * W - y
    dW = X.T * E
    return 0.5 * np.square(E).sum(), dW
""")
    assert found.summary == "program.py: right (1 of 1 gradients right, not judged: loss_of_matrices)"
    assert [failure.entry for failure in found.failures] == ["loss_of_matrices"]
    assert "loss_of_matrices: not judged: line 8 is not read: the call of numpy.matrix" in str(found)
    assert "jacobians check program:loss_of_matrices" in found.check
