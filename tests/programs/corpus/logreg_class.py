import numpy as np


class LogisticRegression:

    def __init__(self, lr=0.1, n_iters=1000, lambda_=0.1):
        self.lr = lr
        self.n_iters = n_iters
        self.lambda_ = lambda_
        self.weights = None
        self.bias = None
        self.losses = []

    def _sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def compute_loss(self, y_true, y_pred):
        n = len(y_true)
        ce = -np.mean(y_true * np.log(y_pred + 1e-9) + (1 - y_true) * np.log(1 - y_pred + 1e-9))
        return ce + self.lambda_ / (2 * n) * np.sum(self.weights ** 2)

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = np.zeros(1)

        for _ in range(self.n_iters):
            linear = np.dot(X, self.weights) + self.bias
            y_pred = self._sigmoid(linear)
            self.losses.append(self.compute_loss(y, y_pred))

            dw = (1 / n_samples) * np.dot(X.T, (y_pred - y)) + (self.lambda_ / n_samples) * self.weights
            db = (1 / n_samples) * np.sum(y_pred - y)

            self.weights -= self.lr * dw
            self.bias -= self.lr * db

    def predict(self, X):
        return (self._sigmoid(np.dot(X, self.weights) + self.bias) > 0.5).astype(int)
