import numpy as np


def relu(z):
    return np.maximum(z, 0)


def loss_fn(params, x, y):
    W1, W2, W3 = params["W1"], params["W2"], params["W3"]
    a = x @ W1
    h = relu(a)
    b = h @ W2
    s = relu(b) + h          # skip connection
    logits = s @ W3
    z = np.exp(logits - logits.max(1, keepdims=True))
    probs = z / z.sum(1, keepdims=True)
    loss = -np.mean(np.log(probs[np.arange(len(y)), y]))
    cache = (a, h, b, s, probs)
    return loss, cache


def backward(params, cache, x, y):
    a, h, b, s, probs = cache
    n = x.shape[0]
    dlogits = probs.copy()
    dlogits[np.arange(n), y] -= 1
    dlogits /= n
    dW3 = s.T @ dlogits
    ds = dlogits @ params["W3"].T
    db = ds * (b > 0)
    dW2 = h.T @ db
    dh = db @ params["W2"].T + ds
    da = dh * (a > 0)
    dW1 = x.T @ da
    return {"W1": dW1, "W2": dW2, "W3": dW3}


def sgd(params, grads, lr=1e-2):
    for k in params:
        params[k] -= lr * grads[k]
