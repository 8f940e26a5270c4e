import numpy as np


def elastic_net_cost(theta, X, y, alpha, l1_ratio):
    n = len(y)
    r = X @ theta - y
    l1 = alpha * l1_ratio
    l2 = alpha * (1 - l1_ratio)
    cost = (r @ r) / (2 * n) + l1 * np.abs(theta[1:]).sum() + 0.5 * l2 * (theta[1:] ** 2).sum()
    grad = X.T @ r / n
    grad[1:] += l1 * np.sign(theta[1:])
    grad[1:] += l2 * theta[1:]
    return cost, grad
