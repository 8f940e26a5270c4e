import numpy as np


class LinearSVM:
    """Multiclass SVM, biases in the last row of W."""

    def __init__(self, reg=1e-3, delta=1.0):
        self.W = None
        self.reg = reg
        self.delta = delta

    def loss(self, X_batch, y_batch):
        num = X_batch.shape[0]
        scores = X_batch.dot(self.W)
        correct = scores[np.arange(num), y_batch].reshape(num, 1)
        margins = np.maximum(0, scores - correct + self.delta)
        margins[np.arange(num), y_batch] = 0
        loss = margins.sum() / num + self.reg * np.sum(self.W[:-1] ** 2)

        binary = (margins > 0).astype(float)
        binary[np.arange(num), y_batch] = -binary.sum(axis=1)
        grad = X_batch.T.dot(binary) / num
        grad[:-1] += 2 * self.reg * self.W[:-1]
        return loss, grad

    def train(self, X, y, learning_rate=1e-3, num_iters=100, batch_size=5):
        num_train, dim = X.shape
        num_classes = np.max(y) + 1
        if self.W is None:
            self.W = 0.001 * np.random.randn(dim, num_classes)
        loss_history = []
        for it in range(num_iters):
            idx = np.random.choice(num_train, batch_size, replace=True)
            loss, grad = self.loss(X[idx], y[idx])
            loss_history.append(loss)
            self.W -= learning_rate * grad
        return loss_history
