"""Programs that fail of themselves: what does not fit, what is not judged because of it, and the mended line."""

from __future__ import annotations

import json

import pytest

from jacobians.programs import audit_program

NET = """
import numpy as np

def loss_and_grads(X, y, params):
    W1, W2 = params['W1'], params['W2']
    h = np.tanh(X.dot(W1))
    e = h.dot(W2) - y
    loss = 0.5 * np.sum(e ** 2)
    grads = {}
    grads['W2'] = h.T.dot(e)
    dh = e.dot(W2.T) * (1 - h ** 2)
    grads['W1'] = X.T.dot(dh)
    return loss, grads
"""
OWN_DATA = """
import numpy as np
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0, 1, 1, 0]]).T
w0, w1 = 2 * np.random.random((3, 4)) - 1, 2 * np.random.random((4, 1)) - 1
for i in range(10000):
    l1 = 1 / (1 + np.exp(-X.dot(w0)))
    l2 = 1 / (1 + np.exp(-l1.dot(w1)))
    d2 = (y - l2) * l2 * (1 - l2)
    d1 = d2.dot(w1) * l1 * (1 - l1)
    w1 += l1.T.dot(d2)
    w0 += X.T.dot(d1)
"""
OCTAVE = """
function [J, Theta1_grad] = cost(Theta1, Theta2, X, y)
  m = size(X, 1);
  a1 = [ones(m, 1) X];
  a2 = [ones(m, 1) tanh(a1 * Theta1')];
  d3 = a2 * Theta2' - y;
  J = sum(sum(d3 .^ 2)) / (2 * m);
  d2 = (d3 * Theta2) .* (1 - a2(:, 2:end) .^ 2);
  Theta1_grad = d2' * a1 / m;
end
"""


@pytest.mark.parametrize(
    ("text", "name", "line", "slip", "words", "mended"),
    [
        (
            NET.replace("e.dot(W2.T)", "e.dot(W2)"), "net.py", 11, "shapes-do-not-fit",
            "there is no product of e (7, 3) and W2 (5, 3): 3 columns on the left, 5 rows on the right",
            "dh = e.dot(W2.T) * (1 - h ** 2)",
        ),
        (
            OWN_DATA, "xor.py", 10, "shapes-do-not-fit",
            "there is no product of d2 (4, 1) and w1 (4, 1): 1 columns on the left, 4 rows on the right",
            "d1 = d2.dot(w1.T) * l1 * (1 - l1)",
        ),
        (
            OCTAVE, "cost.m", 8, "shapes-do-not-fit",
            "the shapes of d3 * Theta2 (7, 6) and 1 - a2(:, 2:end).^2 (7, 5) do not fit",
            "d2 = d3 * Theta2(:, 2:end) .* (1 - a2(:, 2:end).^2);",
        ),
    ],
    ids=["a transpose is missing", "on its own data", "the bias is to be left out"],
)  # fmt: skip
def test_a_line_that_fails_is_shown_as_it_should_be(
    text: str, name: str, line: int, slip: str, words: str, mended: str
) -> None:
    found = audit_program(text, name)
    assert found.verdict == "wrong"
    assert found.first_wrong_line == line
    (fault,) = found.faults
    assert (fault.slip, fault.should_be) == (slip, mended)
    assert fault.words.startswith(words)
    late = [g for g in found.gradients if g.name in fault.gradients]
    assert late
    assert {g.verdict for g in late} == {"not judged"}
    assert f"line {line} fails before; right where that is mended" in {g.why for g in late}


def test_what_is_computed_before_a_failure_is_judged_and_what_comes_after_is_not() -> None:
    found = audit_program(NET.replace("e.dot(W2.T)", "e.reshape(2, 2)"), "net.py")
    assert (found.verdict, bool(found)) == ("not judged", False)
    assert [(g.name, g.verdict) for g in found.gradients] == [("grads['W2']", "right")]
    (failure,) = found.failures
    assert (failure.line, failure.construct) == (11, "e.reshape(2, 2)")
    assert failure.shapes[0] == ("e", (7, 3))
    assert failure.gradients == ("grads['W1']",)
    shown = str(found)
    assert "  → dh = e.reshape(2, 2) * (1 - h ** 2)" in shown
    assert "not judged because of it: grads['W1']" in shown
    assert "jacobians check net:loss_and_grads (this runs your code)" in " ".join(shown.split())
    assert json.loads(json.dumps(found.to_dict()))["failures"][0]["shapes"][0] == ["e", [7, 3]]
    assert "dh = e.reshape(2, 2)" in found._repr_html_()


def test_a_forward_pass_that_fails_is_not_blamed_for_its_data() -> None:
    found = audit_program(NET.replace("X.dot(W1)", "X.reshape(6, 5).dot(W1)"), "net.py")
    assert found.verdict == "not judged"
    (failure,) = found.failures
    assert failure.why == "cannot reshape array of size 28 into shape (6,5), of X (7, 4)"
    assert "X (7, 4)" in failure.data


def test_a_key_that_is_missing() -> None:
    text = NET.replace("e.dot(W2.T)", "e.dot(params['W3'].T)").replace("X.dot(W1)", "X.dot(params['W1'])")
    found = audit_program(
        text.replace("params):", "params):\n    params = {k: params[k] for k in ('W1', 'W2')}"), "n.py"
    )
    assert [f.slip for f in found.faults] == ["missing-key"]
    assert found.faults[0].should_be == "dh = e.dot(params['W2'].T) * (1 - h ** 2)"


def test_a_part_that_is_not_read_leaves_the_whole_unjudged() -> None:
    text = """
def loss_and_gradient(W, b, X, y):
    e = X @ W + b - y
    loss = 0.5 * (e ** 2).sum()
    db = e.sum(axis=0)
    dW = X.T @ e
    dW[0] = unknown_library.of(e)
    return loss, dW, db
"""
    found = audit_program(text, "parts.py")
    assert {g.name: (g.verdict, g.why) for g in found.gradients} == {
        "db": ("right", ""),
        "dW": ("not judged", "line 7 is not read: unknown_library, which is never assigned"),
    }
    assert found.summary == "parts.py: right (1 of 2 gradients right, 1 not judged)"


@pytest.mark.slow
def test_a_program_that_fails_where_it_moves_its_parameters_is_not_right() -> None:
    text = """
import numpy as np
X, Y = np.random.randn(7, 4), np.random.randn(7, 3)
params = [np.random.randn(4, 5), np.random.randn(5, 3)]

def step(X, Y, params):
    W1, W2 = params
    H = X @ W1
    E = H @ W2 - Y
    loss = 0.5 * np.sum(E ** 2)
    dW2 = H.T @ E
    dW1 = X.T @ (E @ W2.T)
    return loss, (dW1, dW2)

for epoch in range(5):
    loss, grads = step(X, Y, params)
    params = [p - 0.01 * g for p, g in zip(params, grads)]
"""
    assert audit_program(text, "net.py").verdict == "right"
    found = audit_program(text.replace("(dW1, dW2)", "(dW2, dW1)"), "net.py")
    assert found.verdict == "not judged"
    assert [failure.line for failure in found.failures] == [17]


@pytest.mark.slow
def test_a_backward_pass_that_fails_in_a_layer_that_is_right_by_itself() -> None:
    text = """
import numpy as np

def tanh_forward(x, w):
    out = np.tanh(x @ w)
    return out, (x, w, out)

def tanh_backward(dout, cache):
    x, w, out = cache
    dz = dout * (1 - out ** 2)
    dx = dz @ w.T
    dw = x.T @ dz
    return dx, dw

def net_loss(X, Y, params):
    A, first = tanh_forward(X, params['W1'])
    B, second = tanh_forward(A, params['W2'])
    loss = 0.5 * np.sum((B - Y) ** 2)
    dA, dW2 = tanh_backward(B - Y, second)
    _, dW1 = tanh_backward(dA, first)
    return loss, {'W1': dW1, 'W2': dW2}
"""
    found = audit_program(text.replace("(B - Y, second)", "(B - Y, first)"), "net.py")
    assert found.verdict != "right"
    assert 10 in [failure.line for failure in found.failures]


BY_ITSELF = """
X, y = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]), np.array([[0], [1], [1], [0]])
V, W = np.random.random((3, 4)), np.random.random((4, 1))
for step in range(100):
    h = 1 / (1 + np.exp(-X @ V))
    out = 1 / (1 + np.exp(-h @ W))
    delta = (y - out) * h * (1 - h)
    V += X.T @ (delta @ W.T * h * (1 - h))
    W += h.T @ delta
"""


def test_a_program_that_fails_on_its_own_data_is_wrong() -> None:
    found = audit_program(BY_ITSELF, "own.py")
    assert (found.verdict, found.first_wrong_line) == ("wrong", 8)
    assert found.summary == (
        "own.py: wrong; line 8 fails: there is no product of delta (4, 4) and W.T (1, 4): "
        "4 columns on the left, 1 rows on the right"
    )
    assert "the lines outside of functions: fails by itself, on its own data" in str(found)
    unread = audit_program(BY_ITSELF.replace("for", "z = unknown_library.f()\nfor"), "own.py")
    assert unread.verdict == "not judged"
