"""Slips that one edit of a line mends: the line is named, with what it should be, in the program's own names."""

from __future__ import annotations

import pytest

from jacobians.programs import audit_program

SOFTMAX = """
def softmax_loss(W, X, y):
    N = X.shape[0]
    s = X @ W
    p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
    loss = -np.sum(np.log(p[np.arange(N), y])) / N
    ds = p.copy()
    ds[np.arange(N), y] -= 1
    dW = X.T @ ds / N
    return loss, dW
"""
SOFTMAX_OUTPUT = """
def fit(X, T, W):
    E = np.exp(X @ W)
    P = E / E.sum(axis=1, keepdims=True)
    loss = np.sum((P - T) ** 2)
    dP = 2 * (P - T)
    dZ = P * (dP - np.sum(dP * P, axis=1, keepdims=True))
    dW = X.T @ dZ
    return loss, dW
"""
TIED = """
def tied(W, X):
    H = X @ W
    R = H @ W.T
    E = R - X
    loss = 0.5 * np.sum(E ** 2)
    dH = E @ W
    dW = E.T @ H + X.T @ dH
    return loss, dW
"""
HINGE = """
def svm(W, X, y):
    n = X.shape[0]
    s = X @ W
    margins = np.maximum(0, s - s[np.arange(n), y].reshape(-1, 1) + 1)
    margins[np.arange(n), y] = 0
    loss = np.sum(margins) / n
    binary = (margins > 0) * 1.0
    binary[np.arange(n), y] = -np.sum(binary, axis=1)
    dW = X.T @ binary / n
    return loss, dW
"""
LOOPS = """
function [f, g] = least_squares(theta, X, y)
  m = size(X, 2);
  n = size(X, 1);
  f = 0;
  g = zeros(size(theta));
  for i = 1:m
    h = theta' * X(:, i);
    f = f + 0.5 * (h - y(i)) ^ 2;
    for j = 1:n
      g(j) = g(j) + X(j, i) * (h - y(i));
    end
  end
end
"""
COLUMNS = """
function [J, grad] = cost(theta, X, y)
  S = [X * theta, zeros(size(X, 1), 1)];
  E = S - 1;
  J = sum(sum(E .^ 2)) / 2;
  G = X' * E;
  grad = G(:, 1:end-1);
end
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "name", "line", "slipped", "slip", "mended"),
    [
        (SOFTMAX, "s.py", "    ds[np.arange(N), y] -= 1\n", "", "term-missing",
         "ds = p.copy() - np.eye(p.shape[1])[y]"),
        (SOFTMAX, "s.py", "dW = X.T @ ds / N", "dW = 1.0 / N * (X.T @ ds / N)", "scale-n", "dW = X.T @ ds / N"),
        (TIED, "t.py", "E.T @ H + X.T @ dH", "X.T @ dH", "term-missing", "dW = X.T @ dH + E.T @ H"),
        (HINGE, "h.py", "-np.sum(binary, axis=1)", "-1", "wrong-count",
         "binary[np.arange(n), y] = -binary.sum(axis=1)"),
        (HINGE, "h.py", "-np.sum(binary, axis=1)", "np.sum(binary, axis=1)", "sign",
         "binary[np.arange(n), y] = -np.sum(binary, axis=1)"),
        (LOOPS, "l.m", "g(j) = g(j) + X(j, i)", "g(j) = X(j, i)", "not-accumulated",
         "g(j) = g(j) + X(j, i) * (h - y(i));"),
        (COLUMNS, "c.m", "G(:, 1:end-1)", "G(:, 2:end)", "off-by-one", "grad = G(:, 1:end - 1);"),
    ],
)  # fmt: skip
def test_the_line_is_named_with_what_it_should_be(
    text: str, name: str, line: str, slipped: str, slip: str, mended: str
) -> None:
    assert text.count(line) == 1
    found = audit_program(text.replace(line, slipped), name)
    fault = found.faults[0]
    assert (found.verdict, fault.slip) == ("wrong", slip)
    assert fault.should_be == mended


def test_softmax_whose_jacobian_is_summed_before_it_is_multiplied_is_named() -> None:
    slipped = SOFTMAX_OUTPUT.replace("np.sum(dP * P,", "np.sum(dP,")
    (fault,) = audit_program(slipped, "fit.py").entries[0].faults
    assert (fault.line, fault.slip) == (7, "softmax-summed")
    assert fault.words == "dP is summed before it is multiplied by P"
