"""Heteroscedastic regression: a small net predicts the mean and the log variance of each target."""
import numpy as np


def init(n_in, n_hidden, rng):
    return {
        "W": rng.standard_normal((n_in, n_hidden)) / np.sqrt(n_in),
        "b": np.zeros(n_hidden),
        "w_mu": rng.standard_normal(n_hidden) / np.sqrt(n_hidden),
        "b_mu": 0.0,
        "w_s": rng.standard_normal(n_hidden) / np.sqrt(n_hidden),
        "b_s": 0.0,
    }


def nll(params, x, t):
    h = np.tanh(x @ params["W"] + params["b"])
    mu = h @ params["w_mu"] + params["b_mu"]
    s = h @ params["w_s"] + params["b_s"]
    r = t - mu
    loss = np.mean(0.5 * s + 0.5 * r ** 2 * np.exp(-s) + 0.5 * np.log(2 * np.pi))
    return loss, (h, r, s)


def grad_nll(params, x, t):
    loss, (h, r, s) = nll(params, x, t)
    n = len(t)
    d_mu = -r * np.exp(-s) / n
    d_s = 0.5 * (1 - r ** 2 * np.exp(-s)) / n
    d_h = np.outer(d_mu, params["w_mu"]) + np.outer(d_s, params["w_s"])
    d_a = d_h * (1 - h ** 2)
    grads = {
        "W": x.T @ d_a,
        "b": d_a.sum(axis=0),
        "w_mu": h.T @ d_mu,
        "b_mu": d_mu.sum(),
        "w_s": h.T @ d_s,
        "b_s": d_s.sum(),
    }
    return loss, grads


def fit(x, t, n_hidden=16, lr=0.05, steps=2000, seed=0):
    rng = np.random.default_rng(seed)
    params = init(x.shape[1], n_hidden, rng)
    for step in range(steps):
        loss, grads = grad_nll(params, x, t)
        for name in params:
            params[name] = params[name] - lr * grads[name]
        if step % 200 == 0:
            print(f"{step:5d} {loss:.4f}")
    return params
