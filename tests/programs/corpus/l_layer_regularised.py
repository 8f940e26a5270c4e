import numpy as np


def init_params(dims):
    params = {}
    for l in range(1, len(dims)):
        params[f"W{l}"] = np.random.randn(dims[l], dims[l - 1]) * np.sqrt(2 / dims[l - 1])
        params[f"b{l}"] = np.zeros((dims[l], 1))
    return params


def forward(X, params, L):
    cache = {"A0": X}
    for l in range(1, L):
        cache[f"Z{l}"] = params[f"W{l}"] @ cache[f"A{l-1}"] + params[f"b{l}"]
        cache[f"A{l}"] = np.maximum(cache[f"Z{l}"], 0)
    cache[f"Z{L}"] = params[f"W{L}"] @ cache[f"A{L-1}"] + params[f"b{L}"]
    E = np.exp(cache[f"Z{L}"] - np.max(cache[f"Z{L}"], axis=0, keepdims=True))
    cache[f"A{L}"] = E / np.sum(E, axis=0, keepdims=True)
    return cache[f"A{L}"], cache


def cost(AL, Y, params, L, lambd):
    m = Y.shape[1]
    J = -np.sum(Y * np.log(AL)) / m
    for l in range(1, L + 1):
        J += lambd / (2 * m) * np.sum(params[f"W{l}"] ** 2)
    return J


def backward(Y, cache, params, L, lambd):
    grads = {}
    m = Y.shape[1]
    dZ = cache[f"A{L}"] - Y
    for l in range(L, 0, -1):
        grads[f"dW{l}"] = dZ @ cache[f"A{l-1}"].T / m + lambd / m * params[f"W{l}"]
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params[f"W{l}"].T @ dZ
            dZ = dA * (cache[f"Z{l-1}"] > 0)
    return grads


def train(X, Y, dims, lambd=0.01, lr=0.1, epochs=100):
    L = len(dims) - 1
    params = init_params(dims)
    for epoch in range(epochs):
        AL, cache = forward(X, params, L)
        J = cost(AL, Y, params, L, lambd)
        grads = backward(Y, cache, params, L, lambd)
        for key in params:
            params[key] -= lr * grads["d" + key]
    return params
