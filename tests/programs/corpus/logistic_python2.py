# Logistic regression with regularization, Python 2
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost_and_grad(theta, X, y, lam):
    m, n = X.shape
    J = 0.0
    grad = np.zeros(n)
    for i in xrange(m):
        h = sigmoid(np.dot(X[i], theta))
        J -= y[i] * np.log(h) + (1 - y[i]) * np.log(1 - h)
        grad += (h - y[i]) * X[i]
    J /= m
    grad /= m
    J += lam * sum(theta[1:] ** 2) / 2 / m
    grad[1:] += lam * theta[1:] / m
    return J, grad


def train(X, y, lam=1.0, alpha=0.1, iters=400):
    theta = np.zeros(X.shape[1])
    for it in xrange(iters):
        J, grad = cost_and_grad(theta, X, y, lam)
        theta -= alpha * grad
        if it % 100 == 0:
            print "iter", it, "cost", J
    return theta
