import numpy as np


def softplus(x):
    return np.log(1 + np.exp(x))


def d_softplus(x):
    return 1 / (1 + np.exp(-x))


def loss_and_grads(p, X, y):
    # y has shape (n, 1)
    n = X.shape[0]
    Z = X @ p['W'] + p['b']
    H = softplus(Z)
    out = H @ p['v'] + p['c']
    diff = out - y
    J = np.sum(diff ** 2) / (2 * n)

    g = {}
    d_out = diff / n
    g['v'] = H.T @ d_out
    g['c'] = d_out.sum()
    dH = d_out @ p['v'].T
    dZ = dH * d_softplus(Z)
    g['W'] = X.T @ dZ
    g['b'] = dZ.sum(0)
    return J, g
