import numpy as np


def two_layer_loss(X, y, model, reg=0.0):
    """
    Fully connected net: affine - relu - affine - softmax.
    X: (N, D), y: (N,) labels, model: dict of W1, b1, W2, b2.
    """
    W1, b1 = model['W1'], model['b1']
    W2, b2 = model['W2'], model['b2']
    N, D = X.shape

    # forward
    z1 = X.dot(W1) + b1
    h1 = np.maximum(0, z1)
    scores = h1.dot(W2) + b2

    scores -= np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(N), y])
    data_loss = np.sum(correct_logprobs) / N
    reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    loss = data_loss + reg_loss

    # backward
    grads = {}
    dscores = probs
    dscores[range(N), y] -= 1
    dscores /= N

    grads['W2'] = np.dot(h1.T, dscores)
    grads['b2'] = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2.T)
    dhidden[h1 <= 0] = 0
    grads['W1'] = np.dot(X.T, dhidden)
    grads['b1'] = np.sum(dhidden, axis=0)

    grads['W2'] += reg * W2
    grads['W1'] += reg * W1
    return loss, grads
