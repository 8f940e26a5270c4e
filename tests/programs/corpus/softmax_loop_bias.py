import numpy as np


def softmax_loss_loop(W, b, X, y, reg):
    loss = 0.0
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape)
    num_train, num_classes = X.shape[0], W.shape[1]

    for i in range(num_train):
        f = X[i].dot(W) + b
        f -= np.max(f)
        denom = np.sum(np.exp(f))
        loss += -f[y[i]] + np.log(denom)
        for c in range(num_classes):
            p = np.exp(f[c]) / denom
            ind = 1.0 if c == y[i] else 0.0
            dW[:, c] += (p - ind) * X[i]
            db[c] += p - ind

    loss /= num_train
    dW /= num_train
    db /= num_train
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    return loss, dW, db
