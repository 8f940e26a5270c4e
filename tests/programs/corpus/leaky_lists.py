# A net with leaky ReLU: weights and biases in lists, one column per example
import numpy as np


def leaky_relu(z, alpha=0.1):
    return np.where(z > 0, z, alpha * z)


def leaky_relu_prime(z, alpha=0.1):
    dz = np.ones_like(z)
    dz[z < 0] = alpha
    return dz


def forward(weights, biases, X):
    zs, acts = [], [X]
    for k, (W, b) in enumerate(zip(weights, biases)):
        z = W @ acts[-1] + b
        zs.append(z)
        if k < len(weights) - 1:
            acts.append(leaky_relu(z))
        else:
            acts.append(z)
    return zs, acts


def mse(weights, biases, X, Y):
    _, acts = forward(weights, biases, X)
    return np.mean((acts[-1] - Y) ** 2)


def backprop(weights, biases, X, Y):
    zs, acts = forward(weights, biases, X)
    loss = np.mean((acts[-1] - Y) ** 2)
    grads_W = [None] * len(weights)
    grads_b = [None] * len(biases)
    delta = 2 * (acts[-1] - Y) / Y.size
    for k in range(len(weights) - 1, -1, -1):
        grads_W[k] = delta @ acts[k].T
        grads_b[k] = np.sum(delta, axis=1, keepdims=True)
        if k > 0:
            delta = (weights[k].T @ delta) * leaky_relu_prime(zs[k - 1])
    return loss, grads_W, grads_b
