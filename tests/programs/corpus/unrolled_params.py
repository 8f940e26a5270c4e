import numpy as np


def sigmoid(x):
    return 1. / (1 + np.exp(-x))


def sigmoid_grad(s):
    return s * (1 - s)


def softmax(x):
    x = x - np.max(x, axis=1, keepdims=True)
    ex = np.exp(x)
    return ex / np.sum(ex, axis=1, keepdims=True)


def forward_backward_prop(data, labels, params, dimensions):
    """
    Forward and backward propagation for a two-layer sigmoidal network.
    data: M x Dx, labels: M x Dy (one-hot), params: all in one vector.
    """
    ofs = 0
    Dx, H, Dy = (dimensions[0], dimensions[1], dimensions[2])

    W1 = np.reshape(params[ofs:ofs + Dx * H], (Dx, H))
    ofs += Dx * H
    b1 = np.reshape(params[ofs:ofs + H], (1, H))
    ofs += H
    W2 = np.reshape(params[ofs:ofs + H * Dy], (H, Dy))
    ofs += H * Dy
    b2 = np.reshape(params[ofs:ofs + Dy], (1, Dy))

    h = sigmoid(np.dot(data, W1) + b1)
    yhat = softmax(np.dot(h, W2) + b2)
    cost = -np.sum(np.log(yhat[labels == 1]))

    d3 = yhat - labels
    gradW2 = np.dot(h.T, d3)
    gradb2 = np.sum(d3, 0)
    dh = np.dot(d3, W2.T)
    d2 = sigmoid_grad(h) * dh
    gradW1 = np.dot(data.T, d2)
    gradb1 = np.sum(d2, 0)

    grad = np.concatenate((gradW1.flatten(), gradb1.flatten(),
                           gradW2.flatten(), gradb2.flatten()))
    return cost, grad
