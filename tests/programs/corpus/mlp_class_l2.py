import numpy as np


class NeuralNetMLP(object):
    """A multi-layer perceptron with one hidden layer of logistic units and one-hot labels."""

    def __init__(self, n_hidden=30, l2=0., eta=0.001, minibatch_size=1, seed=None):
        self.random = np.random.RandomState(seed)
        self.n_hidden = n_hidden
        self.l2 = l2
        self.eta = eta
        self.minibatch_size = minibatch_size

    def _onehot(self, y, n_classes):
        onehot = np.zeros((n_classes, y.shape[0]))
        for idx, val in enumerate(y.astype(int)):
            onehot[val, idx] = 1.
        return onehot.T

    def _sigmoid(self, z):
        return 1. / (1. + np.exp(-np.clip(z, -250, 250)))

    def _forward(self, X):
        z_h = np.dot(X, self.w_h) + self.b_h
        a_h = self._sigmoid(z_h)
        z_out = np.dot(a_h, self.w_out) + self.b_out
        a_out = self._sigmoid(z_out)
        return z_h, a_h, z_out, a_out

    def _compute_cost(self, y_enc, output):
        L2_term = self.l2 * (np.sum(self.w_h ** 2.) + np.sum(self.w_out ** 2.))
        term1 = -y_enc * (np.log(output))
        term2 = (1. - y_enc) * np.log(1. - output)
        cost = np.sum(term1 - term2) + L2_term
        return cost

    def _gradients(self, X, y_enc):
        z_h, a_h, z_out, a_out = self._forward(X)
        delta_out = a_out - y_enc
        sigmoid_derivative_h = a_h * (1. - a_h)
        delta_h = np.dot(delta_out, self.w_out.T) * sigmoid_derivative_h
        grad_w_h = np.dot(X.T, delta_h)
        grad_b_h = np.sum(delta_h, axis=0)
        grad_w_out = np.dot(a_h.T, delta_out)
        grad_b_out = np.sum(delta_out, axis=0)
        delta_w_h = grad_w_h + 2 * self.l2 * self.w_h
        delta_w_out = grad_w_out + 2 * self.l2 * self.w_out
        return delta_w_h, grad_b_h, delta_w_out, grad_b_out

    def partial_fit(self, X, y):
        y_enc = self._onehot(y, self.w_out.shape[1])
        delta_w_h, delta_b_h, delta_w_out, delta_b_out = self._gradients(X, y_enc)
        self.w_h -= self.eta * delta_w_h
        self.b_h -= self.eta * delta_b_h
        self.w_out -= self.eta * delta_w_out
        self.b_out -= self.eta * delta_b_out
        return self._compute_cost(y_enc, self._forward(X)[3])
