"""Layers in NumPy by hand: columns of a few examples at a time, BPTT with kept gates, attention in place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Arrays = dict[str, np.ndarray]


def columns(padded: np.ndarray) -> np.ndarray:
    """The 3×3 windows of one padded image, (9 C, places)."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).transpose(0, 3, 4, 1, 2)
    return windows.reshape(9 * len(padded), -1)


def padded(images: np.ndarray) -> np.ndarray:
    n, c, height, width = images.shape
    out = np.zeros((n, c, height + 2, width + 2), images.dtype)
    out[:, :, 1:-1, 1:-1] = images
    return out


def convolution(X: np.ndarray, W: np.ndarray, b: np.ndarray, dZ: np.ndarray) -> Arrays:
    """Each image's columns are used while they are in the cache; by X it is a convolution with the turned kernel."""
    n, c, height, width = X.shape
    out = len(W)
    kernel = W.reshape(out, -1)
    by_channels = out <= 3 * c
    turned = np.ascontiguousarray(np.flip(W, (2, 3)).transpose(0, 2, 3, 1)).reshape(-1, c).T
    Z, dX = np.empty(dZ.shape, X.dtype), np.zeros(X.shape, X.dtype)
    dW = np.zeros((9 * c, out), X.dtype)
    inside = padded(X)
    around = padded(dZ) if by_channels else dZ
    wide = np.zeros(inside.shape[1:], X.dtype)
    for i in range(n):
        own, delta = columns(inside[i]), dZ[i].reshape(out, -1)
        np.matmul(kernel, own, out=Z[i].reshape(out, -1))
        dW += own @ delta.T
        if by_channels:
            np.matmul(turned, columns(around[i]), out=dX[i].reshape(c, -1))
        else:
            back = (kernel.T @ delta).reshape(c, 3, 3, height, width)
            wide.fill(0)
            for y in range(3):
                for x in range(3):
                    wide[:, y : y + height, x : x + width] += back[:, y, x]
            dX[i] = wide[:, 1:-1, 1:-1]
    Z += b[:, None, None]
    return {"value": Z, "X": dX, "W": dW.T.reshape(W.shape), "b": dZ.sum(axis=(0, 2, 3))}


def lstm(
    X: np.ndarray, h: np.ndarray, c: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, dH: np.ndarray
) -> Arrays:
    """Gates and cells are kept; the weights' gradients are one product each."""
    count, steps, width = dH.shape
    into = (X.reshape(count * steps, -1) @ Wx + b).reshape(count, steps, -1)
    gates, cells, squashed = (np.empty((steps, count, k * width), X.dtype) for k in (4, 1, 1))
    before, old = np.empty((count, steps, width), X.dtype), np.empty((steps, count, width), X.dtype)
    H = np.empty(dH.shape, X.dtype)
    now = c
    for t in range(steps):
        before[:, t], old[t] = h, now
        z = gates[t]
        np.matmul(h, Wh, out=z)
        z += into[:, t]
        np.exp(np.negative(z[:, : 3 * width], out=z[:, : 3 * width]), out=z[:, : 3 * width])
        z[:, : 3 * width] += 1
        np.reciprocal(z[:, : 3 * width], out=z[:, : 3 * width])
        np.tanh(z[:, 3 * width :], out=z[:, 3 * width :])
        i, f, o, g = (z[:, k * width : (k + 1) * width] for k in range(4))
        now = np.multiply(f, now, out=cells[t])
        now += i * g
        np.tanh(now, out=squashed[t])
        h = o * squashed[t]
        H[:, t] = h
    deltas = np.empty((count, steps, 4 * width), X.dtype)
    dh = dc = np.zeros((count, width), X.dtype)
    for t in reversed(range(steps)):
        i, f, o, g = (gates[t][:, k * width : (k + 1) * width] for k in range(4))
        at_h = dH[:, t] + dh
        dc = dc + at_h * o * (1 - squashed[t] ** 2)
        own = deltas[:, t].reshape(count, 4, width)
        own[:, 0] = dc * g * i * (1 - i)
        own[:, 1] = dc * old[t] * f * (1 - f)
        own[:, 2] = at_h * squashed[t] * o * (1 - o)
        own[:, 3] = dc * i * (1 - g * g)
        dc = dc * f
        dh = deltas[:, t] @ Wh.T
    flat = deltas.reshape(count * steps, -1)
    return {
        "value": H,
        "X": (flat @ Wx.T).reshape(X.shape),
        "h": dh,
        "c": dc,
        "Wx": X.reshape(count * steps, -1).T @ flat,
        "Wh": before.reshape(count * steps, -1).T @ flat,
        "b": flat.sum(axis=0),
    }


def attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray, dO: np.ndarray) -> Arrays:
    """In place, for all heads together."""
    scale = Q.dtype.type(Q.shape[-1] ** -0.5)
    P = (Q * scale) @ K.swapaxes(-1, -2)
    P -= P.max(axis=-1, keepdims=True)
    np.exp(P, out=P)
    P /= P.sum(axis=-1, keepdims=True)
    dS = dO @ V.swapaxes(-1, -2)
    dS -= np.einsum("...ij,...ij->...i", dS, P)[..., None]
    dS *= P
    dS *= scale
    return {"value": P @ V, "Q": dS @ K, "K": dS.swapaxes(-1, -2) @ Q, "V": P.swapaxes(-1, -2) @ dO}


GRADIENTS: dict[str, Callable[..., Arrays]] = {"conv": convolution, "lstm": lstm, "attention": attention}


def products(kind: str, given: Arrays) -> Callable[[], None]:
    """The matrix products alone, of each image, step or head, into given arrays."""
    if kind == "conv":
        n, out = given["cotangent"].shape[:2]
        shapes = [(out, given["W"][0].size), (given["W"][0].size, given["X"][0, 0].size)]
        pairs = [
            (a, b, n) for a, b in (shapes, [shapes[0][::-1], (out, shapes[1][1])], [shapes[1], (shapes[1][1], out)])
        ]
    elif kind == "lstm":
        (count, steps, width), features = given["cotangent"].shape, given["X"].shape[2]
        gates, rows = 4 * width, count * steps
        pairs = [((rows, features), (features, gates), 1), ((count, width), (width, gates), steps)]
        pairs += [((count, gates), (gates, width), steps), ((rows, gates), (gates, features), 1)]
        pairs += [((features, rows), (rows, gates), 1), ((width, rows), (rows, gates), 1)]
    else:
        *lead, steps, width = given["Q"].shape
        to_scores, from_scores = ((steps, width), (width, steps)), ((steps, steps), (steps, width))
        pairs = [(*p, int(np.prod(lead))) for p in (to_scores, to_scores, *[from_scores] * 4)]
    rng = np.random.default_rng(1)
    held = [(*(rng.normal(size=s).astype(np.float32) for s in (a, b)), k) for a, b, k in pairs]
    into = [np.empty((len(a), b.shape[1]), np.float32) for a, b, _ in held]

    def call() -> None:
        for (a, b, times), out in zip(held, into, strict=True):
            for _ in range(times):
                np.matmul(a, b, out=out)

    return call
