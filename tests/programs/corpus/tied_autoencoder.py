import numpy as np


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def cost_and_grad(W, b, c, X, weight_decay):
    """Autoencoder with tied weights; X holds one example in each row."""
    m = X.shape[0]
    H = sigmoid(np.dot(X, W) + b)
    R = np.dot(H, W.T) + c
    err = R - X
    J = 0.5 * np.sum(err ** 2) / m + 0.5 * weight_decay * np.sum(W ** 2)

    delta_out = err / m
    delta_hid = np.dot(delta_out, W) * H * (1 - H)
    gW = np.dot(delta_out.T, H) + np.dot(X.T, delta_hid) + weight_decay * W
    gb = np.sum(delta_hid, axis=0)
    gc = np.sum(delta_out, axis=0)
    return J, gW, gb, gc
