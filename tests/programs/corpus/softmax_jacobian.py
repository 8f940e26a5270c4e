import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / e.sum()


def softmax_jacobian(s):
    return np.diag(s) - np.outer(s, s)


def net_loss(X, Y, W1, b1, W2, b2):
    """Cross entropy of a softmax, with the softmax's Jacobian for each example."""
    n = X.shape[0]
    loss = 0
    dW1 = np.zeros_like(W1)
    db1 = np.zeros_like(b1)
    dW2 = np.zeros_like(W2)
    db2 = np.zeros_like(b2)
    for x, t in zip(X, Y):
        h = np.tanh(W1 @ x + b1)
        p = softmax(W2 @ h + b2)
        loss += -np.sum(t * np.log(p)) / n

        dp = -t / p / n
        dz = softmax_jacobian(p) @ dp
        dW2 += np.outer(dz, h)
        db2 += dz
        dh = W2.T @ dz
        da = dh * (1 - h * h)
        dW1 += np.outer(da, x)
        db1 += da
    return loss, dW1, db1, dW2, db2
