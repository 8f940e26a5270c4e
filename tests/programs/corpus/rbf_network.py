import numpy as np

X = np.linspace(-2, 2, 30).reshape(-1, 1)
y = np.sin(2 * X)

n_centers = 6
centers = np.random.randn(n_centers, 1)
log_sigma = np.zeros(n_centers)
w = np.random.randn(n_centers, 1)
b = 0.0
eta = 0.01

for epoch in range(500):
    diff = X - centers.T
    sigma2 = np.exp(2 * log_sigma)
    phi = np.exp(-diff ** 2 / (2 * sigma2))
    yhat = phi.dot(w) + b
    error = yhat - y
    mse = np.mean(error ** 2)

    d_yhat = 2 * error / len(X)
    grad_w = phi.T.dot(d_yhat)
    grad_b = d_yhat.sum()
    d_phi = d_yhat.dot(w.T)
    d_exponent = d_phi * phi
    grad_centers = (d_exponent * diff / sigma2).sum(axis=0).reshape(-1, 1)
    grad_log_sigma = (d_exponent * diff ** 2 / sigma2).sum(axis=0)

    w -= eta * grad_w
    b -= eta * grad_b
    centers -= eta * grad_centers
    log_sigma -= eta * grad_log_sigma

    if epoch % 100 == 0:
        print('MSE:', mse)
