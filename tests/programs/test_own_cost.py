"""A program that asks its class of losses for a slope alone is judged by the loss of that class."""

from __future__ import annotations

from jacobians.programs.audit import audit_program

NETWORK = """
import numpy as np

class CrossEntropyCost:
    @staticmethod
    def fn(a, y):
        return np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a)))

    @staticmethod
    def delta(z, a, y):
        return a - y

class Network:
    def __init__(self, sizes, cost=CrossEntropyCost):
        self.weights = np.random.randn(sizes[-1], sizes[0])
        self.cost = cost

    def backprop(self, x, y):
        z = np.dot(self.weights, x)
        a = 1 / (1 + np.exp(-z))
        delta = self.cost.delta(z, a, y)
        nabla_weights = np.dot(delta, x.T)
        return nabla_weights
"""


def test_the_loss_is_that_of_the_class_whose_slope_is_taken() -> None:
    found = audit_program(NETWORK, "network.py")
    assert found.verdict == "right"
    assert found.entries[0].loss == "CrossEntropyCost.fn of a and y"
    # the slope of half the squared error, and no slope of this class's loss
    wrong = audit_program(NETWORK.replace("return a - y", "return (a - y) * a * (1 - a)"), "network.py")
    assert (wrong.verdict, wrong.first_wrong_line) == ("wrong", 11)
