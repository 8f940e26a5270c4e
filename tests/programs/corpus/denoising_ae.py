import numpy as np


class DenoisingAutoencoder:

    def __init__(self, n_visible, n_hidden, lr=0.1, momentum=0.9, weight_decay=1e-4, corruption=0.3, seed=123):
        self.rng = np.random.RandomState(seed)
        bound = np.sqrt(6.0 / (n_visible + n_hidden))
        self.W = self.rng.uniform(-bound, bound, size=(n_visible, n_hidden))
        self.c = np.zeros(n_hidden)
        self.b = np.zeros(n_visible)
        self.vW = np.zeros_like(self.W)
        self.vb = np.zeros_like(self.b)
        self.vc = np.zeros_like(self.c)
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.corruption = corruption

    @staticmethod
    def _sigmoid(a):
        return 1.0 / (1.0 + np.exp(-a))

    def corrupt(self, X):
        return X * self.rng.binomial(1, 1 - self.corruption, X.shape)

    def encode(self, X):
        return self._sigmoid(np.dot(X, self.W) + self.c)

    def decode(self, H):
        return self._sigmoid(np.dot(H, self.W.T) + self.b)

    def step(self, X):
        n = X.shape[0]
        X_tilde = self.corrupt(X)
        H = self.encode(X_tilde)
        Z = self.decode(H)

        cost = -np.sum(X * np.log(Z) + (1 - X) * np.log(1 - Z)) / n
        cost += 0.5 * self.weight_decay * np.sum(self.W ** 2)

        # tied weights: two contributions
        delta_out = (Z - X) / n
        delta_hid = np.dot(delta_out, self.W) * H * (1 - H)
        grad_W = np.dot(X_tilde.T, delta_hid) + np.dot(delta_out.T, H)
        grad_W += self.weight_decay * self.W
        grad_b = delta_out.sum(axis=0)
        grad_c = delta_hid.sum(axis=0)

        self.vW = self.momentum * self.vW - self.lr * grad_W
        self.vb = self.momentum * self.vb - self.lr * grad_b
        self.vc = self.momentum * self.vc - self.lr * grad_c
        self.W += self.vW
        self.b += self.vb
        self.c += self.vc
        return cost

    def fit(self, X, n_epochs=10, batch_size=20):
        for epoch in range(n_epochs):
            perm = self.rng.permutation(len(X))
            costs = []
            for i in range(0, len(X), batch_size):
                costs.append(self.step(X[perm[i:i + batch_size]]))
            print('epoch', epoch, 'cost', np.mean(costs))


if __name__ == '__main__':
    data = np.random.RandomState(0).rand(50, 12)
    da = DenoisingAutoencoder(12, 6)
    da.fit(data)
