import numpy as np


class RNN:
    """Many-to-one recurrent net for regression."""

    def __init__(self, input_size, hidden_size, output_size):
        self.Wx = np.random.randn(hidden_size, input_size) * 0.5
        self.Wh = np.random.randn(hidden_size, hidden_size) * 0.5
        self.Wy = np.random.randn(output_size, hidden_size) * 0.5
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((output_size, 1))

    def forward(self, inputs):
        h = np.zeros((self.Wh.shape[0], 1))
        self.inputs = inputs
        self.hs = {-1: h}
        for t, x in enumerate(inputs):
            h = np.tanh(self.Wx @ x + self.Wh @ h + self.bh)
            self.hs[t] = h
        return self.Wy @ h + self.by

    def backward(self, dy):
        T = len(self.inputs)
        dWy = dy @ self.hs[T - 1].T
        dby = dy
        dWx, dWh, dbh = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.bh)
        dh = self.Wy.T @ dy
        for t in reversed(range(T)):
            da = (1 - self.hs[t] ** 2) * dh
            dbh += da
            dWh += da @ self.hs[t - 1].T
            dWx += da @ self.inputs[t].T
            dh = self.Wh.T @ da
        return dWx, dWh, dWy, dbh, dby


def train():
    rnn = RNN(3, 5, 2)
    seq = [np.random.randn(3, 1) for _ in range(6)]
    target = np.random.randn(2, 1)
    lr = 1e-2
    for it in range(200):
        out = rnn.forward(seq)
        loss = 0.5 * np.sum((out - target) ** 2)
        dWx, dWh, dWy, dbh, dby = rnn.backward(out - target)
        rnn.Wx -= lr * dWx
        rnn.Wh -= lr * dWh
        rnn.Wy -= lr * dWy
        rnn.bh -= lr * dbh
        rnn.by -= lr * dby
        if it % 50 == 0:
            print(it, loss)


train()
