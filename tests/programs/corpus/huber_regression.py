import numpy as np


class HuberRegressor:

    def __init__(self, delta=1.0, learning_rate=0.01, n_iters=100):
        self.delta = delta
        self.lr = learning_rate
        self.n_iters = n_iters
        self.weights = None
        self.bias = None

    def loss(self, X, y):
        r = X.dot(self.weights) + self.bias - y
        small = np.abs(r) <= self.delta
        quadratic = 0.5 * r ** 2
        linear = self.delta * (np.abs(r) - 0.5 * self.delta)
        return np.where(small, quadratic, linear).mean()

    def gradients(self, X, y):
        n = X.shape[0]
        r = X.dot(self.weights) + self.bias - y
        psi = np.where(np.abs(r) <= self.delta, r, self.delta * np.sign(r))
        dw = X.T.dot(psi) / n
        db = psi.sum() / n
        return dw, db

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0
        for _ in range(self.n_iters):
            dw, db = self.gradients(X, y)
            self.weights -= self.lr * dw
            self.bias -= self.lr * db
        return self
