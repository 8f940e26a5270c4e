import numpy as np


def tanh(x):
    return np.tanh(x)


def tanh_deriv(x):
    return 1.0 - np.tanh(x) ** 2


class NeuralNet:
    """A net for XOR with momentum; examples are rows, the last column is the bias unit."""

    def __init__(self, n_in, n_hidden, n_out):
        self.W1 = np.random.uniform(-1, 1, (n_in + 1, n_hidden))
        self.W2 = np.random.uniform(-1, 1, (n_hidden + 1, n_out))
        self.v1 = np.zeros_like(self.W1)
        self.v2 = np.zeros_like(self.W2)

    def add_bias(self, A):
        return np.hstack((A, np.ones((A.shape[0], 1))))

    def train_step(self, X, T, lr=0.1, momentum=0.9):
        X1 = self.add_bias(X)
        net1 = np.dot(X1, self.W1)
        H = tanh(net1)
        H1 = self.add_bias(H)
        net2 = np.dot(H1, self.W2)
        O = tanh(net2)
        error = T - O
        loss = 0.5 * np.sum(error ** 2)

        delta2 = error * tanh_deriv(net2)
        delta1 = np.dot(delta2, self.W2[:-1].T) * tanh_deriv(net1)
        grad_W2 = -np.dot(H1.T, delta2)
        grad_W1 = -np.dot(X1.T, delta1)

        self.v2 = momentum * self.v2 - lr * grad_W2
        self.v1 = momentum * self.v1 - lr * grad_W1
        self.W2 += self.v2
        self.W1 += self.v1
        return loss, grad_W1, grad_W2
