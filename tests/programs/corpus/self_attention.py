import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention_loss(X, Y, Wq, Wk, Wv, Wo):
    """One head of self-attention over a sequence X of shape (T, D), squared error at the output."""
    d_k = Wq.shape[1]
    Q = X @ Wq
    K = X @ Wk
    V = X @ Wv
    scores = Q @ K.T / np.sqrt(d_k)
    A = softmax(scores)
    H = A @ V
    out = H @ Wo
    loss = 0.5 * np.sum((out - Y) ** 2)

    dout = out - Y
    dWo = H.T @ dout
    dH = dout @ Wo.T
    dA = dH @ V.T
    dV = A.T @ dH
    dscores = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))
    dscores = dscores / np.sqrt(d_k)
    dQ = dscores @ K
    dK = dscores.T @ Q
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    return loss, dWq, dWk, dWv, dWo
