import numpy as np


class LinearSVM:
    """Two classes, y in {-1, 1}: 1/2 |w|^2 + C sum of hinge losses."""

    def __init__(self, C=1.0):
        self.C = C

    def objective(self, X, y):
        margin = y * (X.dot(self.w) + self.b)
        hinge = np.maximum(0, 1 - margin)
        return 0.5 * self.w.dot(self.w) + self.C * hinge.sum()

    def subgradient(self, X, y):
        margin = y * (X.dot(self.w) + self.b)
        violated = np.where(margin < 1)[0]
        d_w = self.w - self.C * y[violated].dot(X[violated])
        d_b = -self.C * np.sum(y[violated])
        return d_w, d_b

    def fit(self, X, y, lr=1e-3, epochs=500):
        n, d = X.shape
        self.w = np.random.randn(d)
        self.b = 0
        losses = []
        for _ in range(epochs):
            losses.append(self.objective(X, y))
            d_w, d_b = self.subgradient(X, y)
            self.w = self.w - lr * d_w
            self.b = self.b - lr * d_b
        return losses
