import numpy as np


def elu(z):
    return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)


def elu_grad(z):
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))


def three_layers(X, Y, W1, b1, W2, b2, W3, b3, reg=0.0):
    m = X.shape[0]
    z1 = X.dot(W1) + b1
    a1 = elu(z1)
    z2 = a1.dot(W2) + b2
    a2 = elu(z2)
    yhat = a2.dot(W3) + b3

    cost = 0.5 * np.sum((yhat - Y) ** 2) / m
    for W in (W1, W2, W3):
        cost += 0.5 * reg / m * np.sum(W ** 2)

    d3 = (yhat - Y) / m
    d2 = d3.dot(W3.T) * elu_grad(z2)
    d1 = d2.dot(W2.T) * elu_grad(z1)

    dW3, db3 = a2.T.dot(d3), d3.sum(axis=0)
    dW2, db2 = a1.T.dot(d2), d2.sum(axis=0)
    dW1, db1 = X.T.dot(d1), d1.sum(axis=0)
    for dW, W in ((dW1, W1), (dW2, W2), (dW3, W3)):
        dW += reg / m * W
    return cost, {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2, 'W3': dW3, 'b3': db3}
