import numpy as np


def predict(X, W1, b1, W2, b2):
    a1 = np.tanh(X.dot(W1) + b1)
    return a1, a1.dot(W2) + b2


def mse_and_grads(X, y, W1, b1, W2, b2):
    n = len(y)
    y = y.reshape(-1, 1)
    a1, y_hat = predict(X, W1, b1, W2, b2)
    err = y_hat - y
    mse = np.mean(err ** 2)
    dy = 2 * err / n
    dW2 = a1.T.dot(dy)
    db2 = dy.sum(axis=0)
    da1 = dy.dot(W2.T)
    dz1 = da1 * (1 - a1 ** 2)
    dW1 = X.T.dot(dz1)
    db1 = dz1.sum(axis=0)
    return mse, dW1, db1, dW2, db2
