import numpy as np


class MLP:
    def __init__(self, sizes):
        self.sizes = sizes
        self.weights = [np.random.randn(a, b) / np.sqrt(a) for a, b in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.zeros((1, b)) for b in sizes[1:]]

    def forward(self, X):
        activations = [X]
        zs = []
        for i, (W, b) in enumerate(zip(self.weights, self.biases)):
            z = activations[-1].dot(W) + b
            zs.append(z)
            if i == len(self.weights) - 1:
                e = np.exp(z - np.max(z, axis=1, keepdims=True))
                activations.append(e / e.sum(axis=1, keepdims=True))
            else:
                activations.append(np.maximum(0, z))
        return zs, activations

    def loss(self, X, Y):
        _, activations = self.forward(X)
        return -np.sum(Y * np.log(activations[-1])) / X.shape[0]

    def backward(self, X, Y):
        n = X.shape[0]
        zs, activations = self.forward(X)
        grads_W = [None] * len(self.weights)
        grads_b = [None] * len(self.biases)
        delta = (activations[-1] - Y) / n
        for l in range(len(self.weights) - 1, -1, -1):
            grads_W[l] = activations[l].T.dot(delta)
            grads_b[l] = np.sum(delta, axis=0, keepdims=True)
            if l > 0:
                delta = delta.dot(self.weights[l].T) * (zs[l - 1] > 0)
        return grads_W, grads_b

    def fit(self, X, Y, lr=0.1, epochs=100):
        for epoch in range(epochs):
            grads_W, grads_b = self.backward(X, Y)
            for l in range(len(self.weights)):
                self.weights[l] -= lr * grads_W[l]
                self.biases[l] -= lr * grads_b[l]
            if epoch % 10 == 0:
                print(epoch, self.loss(X, Y))
