"""Programs in several styles: each is judged right as it stands, and wrong with a slip."""

from __future__ import annotations

import pytest

from jacobians import audit_program

_ONE_EXAMPLE_AT_A_TIME = """
import numpy as np

def train(W, b, x_train, y_train, epochs, learning_rate):
    for e in range(epochs):
        error = 0
        for x, y in zip(x_train, y_train):
            a = np.tanh(np.dot(W, x) + b)
            error += np.mean(np.power(y - a, 2))
            grad = 2 * (a - y) / np.size(y)
            grad = grad * (1 - a ** 2)
            weights_gradient = np.outer(grad, x)
            W -= learning_rate * weights_gradient
            b -= learning_rate * grad
        error /= len(x_train)
    return W, b

train(np.random.randn(3, 4), np.random.randn(3), np.random.randn(7, 4), np.random.randn(7, 3), 10, 0.1)
"""

_KEPT_TO_ITSELF = """
import numpy as np

class LogisticRegression:
    def __init__(self, lr=0.01, num_iter=100):
        self.lr = lr
        self.num_iter = num_iter
        self.cost_ = []

    def __sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def fit(self, X, y):
        self.theta = np.zeros(X.shape[1])
        for i in range(self.num_iter):
            h = self.__sigmoid(np.dot(X, self.theta))
            self.cost_.append(-(y * np.log(h) + (1 - y) * np.log(1 - h)).mean())
            gradient = np.dot(X.T, (h - y)) / y.size
            self.theta -= self.lr * gradient
"""

_TWO_STATES = """
import numpy as np

def cell_forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    next_c = prev_c + np.tanh(a)
    next_h = np.sin(next_c)
    return next_h, next_c, (x, prev_h, Wx, Wh, a, next_c)

def cell_backward(dnext_h, dnext_c, cache):
    x, prev_h, Wx, Wh, a, next_c = cache
    dc = dnext_c + dnext_h * np.cos(next_c)
    da = dc * (1 - np.tanh(a) ** 2)
    dprev_c = dc
    return da.dot(Wx.T), da.dot(Wh.T), dprev_c, x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)
"""

_A_HISTORY = """
function [theta, J_history] = descend(X, y, theta, alpha, num_iters)
  m = length(y);
  J_history = zeros(num_iters, 1);
  for iter = 1:num_iters
    theta = theta - alpha/m * (X' * (X * theta - y));
    J_history(iter) = 1/(2*m) * sum((X * theta - y).^2);
  end
end
"""

_COUNTED_FROM_1 = """
function [cost, grad] = softmaxCost(theta, numClasses, inputSize, data, labels)
  theta = reshape(theta, numClasses, inputSize);
  m = size(data, 2);
  truth = full(sparse(labels, 1:m, 1));
  p = exp(theta * data);
  p = bsxfun(@rdivide, p, sum(p));
  cost = -1/m * truth(:)' * log(p(:));
  thetagrad = -1/m * (truth - p) * data';
  grad = thetagrad(:);
end
"""

_F_AND_G = """
function [f, g] = linear_regression(theta, X, y)
  m = size(X, 2);
  f = 0;
  g = zeros(size(theta));
  for i = 1:m
    f = f + 0.5 * (theta' * X(:, i) - y(i))^2;
    g = g + X(:, i) * (theta' * X(:, i) - y(i));
  end
end
"""

_STYLES = {
    "one example at a time": (_ONE_EXAMPLE_AT_A_TIME, "grad * (1 - a ** 2)", "grad * (1 - a)", "step.py"),
    "methods kept to the class": (_KEPT_TO_ITSELF, "(h - y))", "(h - y) * h)", "logistic.py"),
    "a cell of two states": (_TWO_STATES, "dnext_c + dnext_h", "dnext_c - dnext_h", "cell.py"),
    "a history of losses": (_A_HISTORY, "alpha/m * (X'", "alpha * (X'", "descend.m"),
    "a sparse truth": (_COUNTED_FROM_1, "(truth - p) * data'", "(p - truth) * data'", "softmaxCost.m"),
    "f and g": (_F_AND_G, "g = g + X(:, i)", "g = X(:, i)", "linear_regression.m"),
}


_EVERYDAY = ("one example at a time", "a history of losses", "a sparse truth")


@pytest.mark.parametrize("style", [pytest.param(s, marks=() if s in _EVERYDAY else pytest.mark.slow) for s in _STYLES])
def test_a_program_is_right_and_with_a_slip_wrong(style):
    text, old, new, name = _STYLES[style]
    assert text.count(old) == 1
    assert audit_program(text, name).verdict == "right"
    assert audit_program(text.replace(old, new), name).verdict == "wrong"


def test_a_loss_is_that_of_the_examples_that_were_run():
    (entry,) = audit_program(_ONE_EXAMPLE_AT_A_TIME, "step.py").entries
    assert entry.loss == "error"
    assert {g.parameter for g in entry.gradients} == {"W", "b"}


def test_names_of_python_itself_are_still_not_read():
    text = _KEPT_TO_ITSELF.replace("self.__sigmoid", "self.__class__")
    assert audit_program(text, "logistic.py").verdict == "not judged"


@pytest.mark.parametrize("fill", ["for i in range(30):\n        x = [x] * 9", "x.append(x)"], ids=["shared", "cyclic"])
def test_lists_that_hold_each_other_are_not_followed_to_their_end(fill):
    text = f"def f(W):\n    x = [0.5] * 9\n    {fill}\n    return x, W"
    assert audit_program(text, "lists.py").verdict == "not judged"
