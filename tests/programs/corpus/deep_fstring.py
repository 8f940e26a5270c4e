import numpy as np


class DeepNet:
    def __init__(self, layer_dims, reg=0.0):
        self.L = len(layer_dims) - 1
        self.reg = reg
        self.params = {}
        for l in range(1, self.L + 1):
            self.params[f"W{l}"] = np.random.randn(layer_dims[l - 1], layer_dims[l]) * 0.1
            self.params[f"b{l}"] = np.zeros(layer_dims[l])

    def loss(self, X, y):
        caches = {}
        a = X
        for l in range(1, self.L):
            caches[f"a{l - 1}"] = a
            z = a @ self.params[f"W{l}"] + self.params[f"b{l}"]
            caches[f"z{l}"] = z
            a = np.maximum(0, z)
        caches[f"a{self.L - 1}"] = a
        scores = a @ self.params[f"W{self.L}"] + self.params[f"b{self.L}"]

        N = X.shape[0]
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
        loss = -np.sum(np.log(probs[np.arange(N), y])) / N
        for l in range(1, self.L + 1):
            loss += 0.5 * self.reg * np.sum(self.params[f"W{l}"] ** 2)

        grads = {}
        dout = probs.copy()
        dout[np.arange(N), y] -= 1
        dout /= N
        for l in range(self.L, 0, -1):
            grads[f"W{l}"] = caches[f"a{l - 1}"].T @ dout + self.reg * self.params[f"W{l}"]
            grads[f"b{l}"] = np.sum(dout, axis=0)
            dout = dout @ self.params[f"W{l}"].T
            if l > 1:
                dout *= caches[f"z{l - 1}"] > 0
        return loss, grads
