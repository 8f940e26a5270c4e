import numpy as np


class Dense:

    def __init__(self, in_features, out_features):
        self.W = np.random.randn(in_features, out_features) * 0.1
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


class ReLU:

    def forward(self, x):
        self.mask = (x <= 0)
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, grad):
        grad = grad.copy()
        grad[self.mask] = 0
        return grad


class Sigmoid:

    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, grad):
        return grad * self.out * (1 - self.out)


class SoftmaxWithLoss:

    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        self.loss = -np.sum(self.t * np.log(self.y + 1e-12)) / x.shape[0]
        return self.loss

    def backward(self, grad=1.0):
        batch_size = self.t.shape[0]
        return grad * (self.y - self.t) / batch_size


class Model:

    def __init__(self, sizes):
        self.layers = [Dense(sizes[0], sizes[1]), ReLU(), Dense(sizes[1], sizes[2]), Sigmoid(), Dense(sizes[2], sizes[3])]
        self.last = SoftmaxWithLoss()

    def loss(self, x, t):
        for layer in self.layers:
            x = layer.forward(x)
        return self.last.forward(x, t)

    def gradient(self, x, t):
        loss = self.loss(x, t)
        grad = self.last.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        grads = {}
        for i, layer in enumerate([l for l in self.layers if isinstance(l, Dense)]):
            grads['W' + str(i + 1)] = layer.dW
            grads['b' + str(i + 1)] = layer.db
        return loss, grads
