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


def test_names_of_the_caller_that_the_program_does_not_have_are_said():
    text = LINEAR.format("dW = X.T @ d\n    return loss, dW")
    found = audit_program(text, "named.py", wrt={"dWW": "W"})
    assert (found.verdict, found.failures[0].entry) == ("right", "dWW=W")
    assert found.failures[0].why == "the program has no gradient that is called dWW"


@pytest.mark.parametrize(("text", "why"), [("", "it holds no code"), ("print('hello')", "it computes no gradient")])
def test_a_program_without_gradients_says_so(text, why):
    found = audit_program(text, "empty.py")
    assert found.failures[0].why.startswith(why)
    assert (found.verdict, found.check) == ("not judged", "")


CONSTANT_INDEX = """
def f(theta, X, y):
    h = X @ theta - y
    loss = 0.5 * np.sum(h ** 2)
    grad = np.zeros(theta.shape)
    unused = 2.0 * h
    for j in range(len(theta)):
        grad[j] = np.sum(h * X[:, 0])
    return loss, grad
"""


@pytest.mark.slow
def test_a_number_stands_where_a_loops_variable_belongs():
    (fault,) = audit_program(CONSTANT_INDEX, "index.py").faults
    assert (fault.should_be, fault.slip) == ("grad[j] = np.sum(h * X[:, j])", "wrong-array")


UNUSED = """
def f(W, V, X, Y):
    H = np.tanh(X @ W)
    E = H @ V - Y
    loss = 0.5 * np.sum(E ** 2) + 0.5 * np.sum(H ** 2)
    own = H
    dH = E @ V.T
    dW = X.T @ (dH * (1 - H ** 2))
    return loss, dW
"""


@pytest.mark.slow
def test_what_is_computed_and_used_nowhere_may_be_the_term_that_is_missing():
    (fault,) = audit_program(UNUSED, "unused.py").faults
    assert (fault.should_be, fault.words) == ("dH = E @ V.T + H", "the term + H is missing")


NETWORK = """
class Network:
    def __init__(self, sizes):
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = sigmoid(w @ a + b)
        return a

    def total_cost(self, data):
        cost = 0.0
        for x, y in data:
            a = self.feedforward(x)
            cost += np.sum(-y * np.log(a) - (1 - y) * np.log(1 - a))
        return cost

    def update_mini_batch(self, mini_batch, eta):
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            self.weights = [w - eta * nw for w, nw in zip(self.weights, nabla_w)]
            self.biases = [b - eta * nb for b, nb in zip(self.biases, nabla_b)]

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activations = [x]
        for b, w in zip(self.biases, self.weights):
            activation = sigmoid(w @ activations[-1] + b)
            activations.append(activation)
        delta = activations[-1] - y
        for l in range(1, len(self.weights) + 1):
            if l > 1:
                delta = self.weights[-l + 1].T @ delta * activations[-l] * (1 - activations[-l])
            nabla_b[-l] = delta
            nabla_w[-l] = delta @ activations[-l - 1].T
        return nabla_b, nabla_w
"""


@pytest.mark.slow
def test_a_loss_of_other_data_than_the_backward_pass_takes_is_not_its_loss():
    found = audit_program(NETWORK, "network.py")
    assert found.verdict != "wrong", str(found)
    assert "backprop takes x, and the loss is not of it" in str(found)


WITH_DROPOUT = """
from reg_utils import relu, sigmoid, initialize_parameters, update_parameters

def compute_cost_with_regularization(A2, Y, parameters, lambd):
    return np.sum((A2 - Y) ** 2) + lambd * np.sum(parameters["W1"] ** 2)

def forward_with_dropout(X, parameters, keep_prob=0.5):
    A1 = parameters["W1"] @ X
    D1 = np.random.rand(*A1.shape) < keep_prob
    A1 = A1 * D1 / keep_prob
    A2 = sigmoid(parameters["W2"] @ A1)
    return A2, (A1, D1, A2, parameters["W2"])

def backward_with_dropout(X, Y, cache, keep_prob=0.5):
    m = X.shape[1]
    A1, D1, A2, W2 = cache
    dZ2 = A2 - Y
    dW1 = (W2.T @ dZ2 * D1 / keep_prob) @ X.T / m
    return {"dW2": dZ2 @ A1.T / m, "dW1": dW1}

def model(X, Y, num_iterations=30000):
    parameters = initialize_parameters([X.shape[0], 5, 1])
    for i in range(num_iterations):
        A2, cache = forward_with_dropout(X, parameters)
        grads = backward_with_dropout(X, Y, cache)
        parameters = update_parameters(parameters, grads, 0.1)
"""


@pytest.mark.slow
def test_a_loss_and_a_backward_pass_of_different_manners_do_not_belong_together():
    found = audit_program(WITH_DROPOUT, "dropout.py")
    assert (found.verdict, found.entries[0].loss_inferred) == ("right", True), str(found)


NEURON = """
from numpy import array, dot, exp, random

class Neuron:
    def __init__(self):
        self.synaptic_weights = 2 * random.random((3, 1)) - 1

    def think(self, inputs):
        return 1 / (1 + exp(-dot(inputs, self.synaptic_weights)))

    def train(self, inputs, train_outputs, rounds):
        for i in range(rounds):
            out = self.think(inputs)
            miss = train_outputs - out
            change = dot(inputs.T, miss * out * (1 - out))
            self.synaptic_weights += change

net = Neuron()
net.train(array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]), array([[0, 1, 1, 0]]).T, 1000)
"""


def test_a_program_without_a_loss_may_be_given_a_usual_one():
    """What a weight is moved along is its gradient, whatever it is called, if it is a product with a transpose."""
    found = audit_program(NEURON, "neuron.py")
    assert (found.verdict, found.gradients[0].name) == ("right", "change")
    assert "half the squared error of out and train_outputs" in found.entries[0].loss
    slipped = NEURON.replace("(1 - out)", "(1 + out)")
    found = audit_program(slipped, "neuron.py")
    assert found.verdict == "not judged"
    assert "--loss-name followed by 'half squared error', 'squared error'" in found.failures[0].why
    found = audit_program(slipped, "neuron.py", loss="half squared error")
    assert (found.verdict, found.first_wrong_line, found.faults[0].slip) == ("wrong", 15, "sign")


FACTOR = """
import numpy as np

def one_hot(Y):
    hot = np.zeros((Y.size, 3))
    hot[np.arange(Y.size), Y] = 1
    return hot.T

def backward_prop(W, b, X, Y):
    Z = W.dot(X) + b
    A = np.exp(Z) / sum(np.exp(Z))
    one_hot_Y = one_hot(Y)
    dZ = A - one_hot_Y
    dW = 1 / m * dZ.dot(X.T)
    db = 1 / m * np.sum(dZ)
    return dW, db

m = 40
"""


def test_a_factor_that_the_gradients_share_is_that_of_a_loss_which_is_not_computed():
    right = FACTOR.replace("np.sum(dZ)", "np.sum(dZ, 1).reshape(-1, 1)")
    found = audit_program(right, "factor.py")
    assert (found.verdict, found.entries[0].loss) == (
        "right",
        "the loss, 1/40 times the cross-entropy of A and one_hot_Y",
    )


LAYERS = """
import numpy as np

class Dense:
    def __init__(self, n, m):
        self.weights, self.bias = np.random.randn(m, n), np.random.randn(m, 1)

    def forward(self, x):
        self.input = x
        return self.weights @ x + self.bias

    def backward(self, grad, rate):
        weights_gradient = grad @ self.input.T
        back = self.weights.T @ grad
        self.weights -= rate * weights_gradient
        self.bias -= rate * grad
        return back

X = np.reshape([[0, 0], [0, 1], [1, 1]], (3, 2, 1))
Y = np.reshape([[0], [1], [0]], (3, 1, 1))
network = [Dense(2, 3), Dense(3, 1)]
for epoch in range(1000):
    for x, y in zip(X, Y):
        out = x
        for layer in network:
            out = layer.forward(out)
        error = np.mean((out - y) ** 2)
        grad = 2 * (out - y) / y.size
        for layer in reversed(network):
            grad = layer.backward(grad, 0.1)
"""


def test_a_first_example_of_zeros_hides_no_gradient_and_layers_are_told_apart_by_shapes():
    found = audit_program(LAYERS, "layers.py")
    assert (found.verdict, [g.verdict for g in found.gradients]) == ("right", ["right"] * 4)
    assert "✓ weights_gradient (3, 2)" in str(found)
    assert max(map(len, str(found).splitlines())) <= 80
    found = audit_program(LAYERS.replace("= grad @ self", "= 2 * grad @ self"), "layers.py")
    assert (found.first_wrong_line, [g.verdict for g in found.gradients]) == (13, ["wrong", "right"] * 2)
    found = audit_program(
        LAYERS.replace("back = self.weights.T @ grad", "back = 2 * self.weights.T @ grad"), "layers.py"
    )
    assert (found.first_wrong_line, found.faults[0].should_be) == (14, "back = self.weights.T @ grad")


LONE = """
import numpy as np

def batchnorm_backward(dout, cache):
    x, gamma, xhat, std = cache
    N = x.shape[0]
    dgamma, dbeta = (dout * xhat).sum(0), dout.sum(0)
    dh = dout * gamma
    dx = (N * dh - dh.sum(0) - xhat * (dh * xhat).sum(0)) / N / std
    return dx, dgamma, dbeta
"""


def test_a_backward_function_whose_cache_nothing_makes_is_not_judged_and_no_line_is_blamed():
    found = audit_program(LONE, "bn.py")
    (failure,) = found.failures
    assert (found.verdict, failure.line) == ("not judged", 0)
    assert failure.why == (
        "nothing in the file makes its cache, so that it is not known what it holds; put batchnorm_forward into the "
        "same file"
    )
    assert found.check.startswith("put a function of arrays that returns loss and gradients into bn, and give it to")


def test_what_is_said_to_check_a_method_can_be_done():
    text = "class Net:\n    def loss(self, X, y):\n        match 1:\n            case _:\n"
    text += "                e = X @ self.W - y\n"
    found = audit_program(text + "        dW = X.T @ e\n        return e @ e / 2, dW\n", "net.py")
    assert found.check == (
        "put a function of arrays that calls Net.loss and returns loss and gradients into net, and give it to "
        "jacobians check net:ITS_NAME (this runs your code)"
    )


def test_one_hidden_unit_hides_no_sum_over_the_wrong_axis():
    text = """
def loss_and_grads(p, X, y):
    # y has shape (n, 1)
    H = np.tanh(X @ p['W'] + p['b'])
    diff = H @ p['v'] - y
    g = {}
    g['v'] = H.T @ diff
    dZ = diff @ p['v'].T * (1 - H ** 2)
    g['W'] = X.T @ dZ
    g['b'] = dZ.sum()
    return np.sum(diff ** 2) / 2, g
"""
    assert {g.name: g.verdict for g in audit_program(text).gradients}["g['b']"] == "wrong"


def test_a_weight_that_is_read_after_its_update_is_found_in_every_layer():
    stale = LAYERS.replace("        back = self.weights.T @ grad\n", "").replace(
        "        return back", "        return self.weights.T @ grad"
    )
    found = audit_program(stale, "layers.py")
    assert found.verdict == "wrong"
    assert {fault.slip for fault in found.entries[0].faults} == {"updated-weights"}


def test_a_program_that_trains_once_for_each_step_size_is_judged_once():
    text = """
X, y = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]), np.array([[0], [1], [1], [0]])
for alpha in [0.1, 1, 10]:
    W = 2 * np.random.random((3, 1)) - 1
    for j in range(1000):
        out = 1 / (1 + np.exp(-X @ W))
        delta = (out - y) * out * (1 - out)
        W -= alpha * X.T.dot(delta)
"""
    assert audit_program(text, "alphas.py").summary == "alphas.py: right (1 of 1 gradients right)"


def test_a_loss_that_is_an_object_is_the_number_in_it():
    text = """
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.back = data, 0.0, parents, lambda: None
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.back = back
        return out
    def backward(self):
        self.grad = 1.0
        queue = [self]
        for v in queue:
            v.back()
            queue += v.parents

class Model:
    def __init__(self): self.w = [Value(0.7), Value(-1.2)]
    def __call__(self, x): return x * self.w[0] * self.w[1]
    def parameters(self): return self.w

model = Model()
for step in range(20):
    out = model(Value(1.5))
    loss = out * out
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
"""
    # out has two uses; as its parents are queued twice, they get their part twice over
    assert audit_program(text, "graph.py").verdict == "wrong"
    right = text.replace("loss = out * out", "loss = out")
    assert audit_program(right, "graph.py").summary == "graph.py: right (2 of 2 gradients right)"


STEPS = """
import numpy as np
X, y = np.random.randn(60, 3), np.random.randn(60)
w, b = np.zeros(3), 0.0
for i in range(1000):
    residual = X @ w + b - y
    cost = np.mean(residual ** 2)
    change = 0.01 * X.T @ residual * 2 / len(y)
    shift = 0.01 * np.sum(residual) * 2 / len(y)
    b -= shift
    w -= change
"""


def test_a_step_with_a_name_is_a_step_size_times_a_gradient():
    """The updates stand in another order than the steps."""
    found = audit_program(STEPS, "steps.py")
    assert [(g.parameter, g.line, g.verdict) for g in found.gradients] == [("w", 8, "right"), ("b", 9, "right")]
    found = audit_program(STEPS.replace("np.sum(residual) * 2", "np.sum(residual)"), "steps.py")
    assert (found.verdict, found.first_wrong_line, found.faults[0].slip) == ("wrong", 9, "scale-half")
    octave = "function [theta] = descend(X, y, theta, alpha)\nm = length(y);\nJ = sum((X*theta - y).^2) / (2*m);\n"
    octave += "change = alpha * (1/m) * (X' * (X*theta - y));\ntheta = theta - change;\nend\n"
    assert audit_program(octave, "descend.m").verdict == "right"


MOONS = """
import numpy as np
from sklearn.datasets import make_moons
X, y = make_moons(200)
W = np.random.randn(2, 2)

def loss(W):
    p = np.exp(X @ W)
    p = p / p.sum(axis=1, keepdims=True)
    return {}np.sum(-np.log(p[range(len(X)), y]))

for i in range(100):
    p = np.exp(X @ W)
    delta = p / p.sum(axis=1, keepdims=True)
    delta[range(len(X)), y] -= 1
    dW = X.T @ delta
    W += -0.1 * dW
    if i % 10 == 0:
        print("loss", loss(W))
"""


def test_labels_have_no_more_classes_than_the_program_has_outputs():
    """With one class too many no guess of several examples runs; with one example a missing 1/N is not seen."""
    assert audit_program(MOONS.format(""), "moons.py").verdict == "right"
    found = audit_program(MOONS.format("1 / len(X) * "), "moons.py")
    assert (found.verdict, found.faults[0].slip) == ("wrong", "scale-n")


BY_KEYS = """
import numpy as np

def forward(p, X):
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    return a1 @ p["W2"] + p["b2"], (X, a1)

def cost(out, Y):
    return 0.5 * np.sum((out - Y) ** 2) / len(Y)

def backward(p, cache, out, Y):
    X, a1 = cache
    dz2 = (out - Y) / len(Y)
    dz1 = dz2 @ p["W2"].T * (1 - a1 ** 2)
    return {"dW1": X.T @ dz1, "db1": dz1.sum(axis=0), "dW2": a1.T @ dz2, "db2": dz2.sum(axis=0)}
"""
TRAINED = """
X, Y = np.random.randn(20, 4), np.random.randn(20, 3)
p = dict(W1=np.random.randn(4, 5), b1=np.zeros(5), W2=np.random.randn(5, 3), b2=np.zeros(3))
for i in range(3):
    out, cache = forward(p, X)
    J = cost(out, Y)
    g = backward(p, cache, out, Y)
    for k in p:
        {}
"""


@pytest.mark.parametrize(
    "update",
    [
        'p[k] -= 0.5 * g["d" + k]',
        'p[k] = p[k] - 0.5 * g[f"d{k}"]',
        # it is not read as an update: the first round of the loop is judged
        'p[k] = np.add(p[k], np.multiply(-0.5, g["d" + k]))',
    ],
)
def test_parameters_that_are_changed_in_a_loop_over_their_keys_are_judged_in_the_first_round(update):
    text = BY_KEYS + TRAINED.replace("{}", update)
    found = audit_program(text, "by_keys.py")
    assert (found.verdict, [g.verdict for g in found.gradients]) == ("right", ["right"] * 4)
    found = audit_program(text.replace("(1 - a1 ** 2)", "(1 - a1)"), "by_keys.py")
    assert [g.name.split("[")[-1].strip("]'") for g in found.gradients if g.verdict == "wrong"] == ["dW1", "db1"]


def test_a_cache_is_what_the_forward_pass_returned_though_the_loss_came_between():
    found = audit_program(BY_KEYS, "by_keys.py")
    assert (found.verdict, len(found.gradients), found.entries[0].name) == ("right", 4, "forward → cost → backward")
