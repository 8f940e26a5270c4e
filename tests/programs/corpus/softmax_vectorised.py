import numpy as np


def softmax_loss(W, X, y, reg):
    num_train = X.shape[0]
    scores = X @ W
    scores = scores - np.max(scores, axis=1)[:, np.newaxis]
    scores = np.exp(scores)
    scores = scores / scores.sum(axis=1)[:, np.newaxis]

    loss = -np.log(scores[np.arange(num_train), y]).sum() / num_train
    loss += 0.5 * reg * (W ** 2).sum()

    ind = np.zeros_like(scores)
    ind[np.arange(num_train), y] = 1
    dW = X.T @ (scores - ind) / num_train + reg * W
    return loss, dW
