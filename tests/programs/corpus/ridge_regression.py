# Ridge regression by gradient descent
import numpy as np

np.random.seed(42)
n_samples, n_features = 50, 5
X = np.random.randn(n_samples, n_features)
true_w = np.array([1.5, -2.0, 0.0, 0.7, 3.1])
y = X @ true_w + 0.5 + 0.1 * np.random.randn(n_samples)

w = np.random.randn(n_features)
b = 0.1
lam = 0.1
lr = 0.05
losses = []

for epoch in range(200):
    y_pred = X @ w + b
    error = y_pred - y
    loss = (error ** 2).mean() + lam * (w ** 2).sum()
    losses.append(loss)

    grad_w = 2 / n_samples * X.T @ error + 2 * lam * w
    grad_b = 2 * error.mean()

    w = w - lr * grad_w
    b = b - lr * grad_b

print(w, b)
