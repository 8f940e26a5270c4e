import numpy as np


class FullyConnectedNet(object):
    """A net of any depth: {affine - relu} x (L - 1) - affine - softmax."""

    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, reg=0.0, weight_scale=1e-2, dtype=np.float64):
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}
        dims = [input_dim] + hidden_dims + [num_classes]
        for i in range(self.num_layers):
            self.params['W%d' % (i + 1)] = weight_scale * np.random.randn(dims[i], dims[i + 1])
            self.params['b%d' % (i + 1)] = np.zeros(dims[i + 1])

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        mode = 'test' if y is None else 'train'

        caches = []
        out = X
        for i in range(1, self.num_layers):
            W, b = self.params['W%d' % i], self.params['b%d' % i]
            a = out.dot(W) + b
            caches.append((out, W, a))
            out = np.maximum(0, a)
        W, b = self.params['W%d' % self.num_layers], self.params['b%d' % self.num_layers]
        scores = out.dot(W) + b
        caches.append((out, W, scores))

        if mode == 'test':
            return scores

        loss, grads = 0.0, {}
        loss, dout = softmax_loss(scores, y)
        for i in range(self.num_layers, 0, -1):
            x, W, a = caches[i - 1]
            if i != self.num_layers:
                dout = dout * (a > 0)
            loss += 0.5 * self.reg * np.sum(W ** 2)
            grads['W%d' % i] = x.T.dot(dout) + self.reg * W
            grads['b%d' % i] = dout.sum(axis=0)
            dout = dout.dot(W.T)
        return loss, grads


def softmax_loss(x, y):
    probs = np.exp(x - np.max(x, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    N = x.shape[0]
    loss = -np.sum(np.log(probs[np.arange(N), y])) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
