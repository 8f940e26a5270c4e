import numpy as np


def train_step(X, y, params, reg):
    W1, gamma, beta = params['W1'], params['gamma'], params['beta']
    W2, b2 = params['W2'], params['b2']
    N = len(y)
    eps = 1e-5

    # forward
    z = X @ W1
    mu = z.mean(axis=0)
    var = z.var(axis=0)
    std = np.sqrt(var + eps)
    zhat = (z - mu) / std
    bn = gamma * zhat + beta
    h = np.maximum(bn, 0)
    logits = h @ W2 + b2
    logits = logits - logits.max(axis=1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(N), y].mean()
    loss += 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))

    # backward
    dlogits = np.exp(logp)
    dlogits[np.arange(N), y] -= 1
    dlogits /= N
    grads = {}
    grads['W2'] = h.T @ dlogits + reg * W2
    grads['b2'] = dlogits.sum(0)
    dh = dlogits @ W2.T
    dbn = dh * (bn > 0)
    grads['gamma'] = np.sum(dbn * zhat, axis=0)
    grads['beta'] = np.sum(dbn, axis=0)
    dzhat = dbn * gamma
    dz = (dzhat - dzhat.mean(axis=0) - zhat * np.mean(dzhat * zhat, axis=0)) / std
    grads['W1'] = X.T @ dz + reg * W1
    return loss, grads
