import numpy as np


def dropout_forward(x, dropout_param):
    p, mode = dropout_param['p'], dropout_param['mode']
    if 'seed' in dropout_param:
        np.random.seed(dropout_param['seed'])
    mask = None
    out = None
    if mode == 'train':
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    elif mode == 'test':
        out = x
    cache = (dropout_param, mask)
    return out, cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param['mode']
    dx = None
    if mode == 'train':
        dx = dout * mask
    elif mode == 'test':
        dx = dout
    return dx


def loss_with_dropout(X, y, params, keep):
    W1, b1, W2, b2 = params['W1'], params['b1'], params['W2'], params['b2']
    N = len(X)
    a1 = X.dot(W1) + b1
    h1 = np.maximum(a1, 0)
    d1, cache = dropout_forward(h1, {'p': keep, 'mode': 'train', 'seed': 3})
    scores = d1.dot(W2) + b2

    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(N), y]))

    grads = {}
    ds = p.copy()
    ds[np.arange(N), y] -= 1
    ds /= N
    grads['W2'] = d1.T.dot(ds)
    grads['b2'] = ds.sum(axis=0)
    dd1 = ds.dot(W2.T)
    dh1 = dropout_backward(dd1, cache)
    da1 = dh1 * (a1 > 0)
    grads['W1'] = X.T.dot(da1)
    grads['b1'] = da1.sum(axis=0)
    return loss, grads
