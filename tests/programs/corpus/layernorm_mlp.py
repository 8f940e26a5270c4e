import numpy as np


def layernorm_forward(x, gamma, beta, eps=1e-5):
    mu = np.mean(x, axis=1, keepdims=True)
    xc = x - mu
    ivar = 1.0 / np.sqrt(np.mean(xc ** 2, axis=1, keepdims=True) + eps)
    xhat = xc * ivar
    return gamma * xhat + beta, (xhat, ivar, gamma)


def layernorm_backward(dout, cache):
    xhat, ivar, gamma = cache
    D = dout.shape[1]
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dx = ivar / D * (D * dxhat - dxhat.sum(axis=1, keepdims=True)
                     - xhat * np.sum(dxhat * xhat, axis=1, keepdims=True))
    return dx, dgamma, dbeta


def loss_and_grads(params, X, T):
    h_in = X @ params['W1'] + params['b1']
    normed, cache = layernorm_forward(h_in, params['g'], params['be'])
    h = np.tanh(normed)
    Y = h @ params['W2'] + params['b2']
    loss = np.mean(np.sum((Y - T) ** 2, axis=1))

    grads = {}
    dY = 2 * (Y - T) / X.shape[0]
    grads['W2'] = h.T @ dY
    grads['b2'] = dY.sum(axis=0)
    dh = dY @ params['W2'].T
    dnormed = dh * (1 - h * h)
    dh_in, grads['g'], grads['be'] = layernorm_backward(dnormed, cache)
    grads['W1'] = X.T @ dh_in
    grads['b1'] = dh_in.sum(axis=0)
    return loss, grads
