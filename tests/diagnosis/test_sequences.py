"""Backward passes of a transformer block and of recurrences, written by hand: each slip is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.diagnosis.graph_slips import GraphSetting, graph_slips

N, T, D, HEADS = 2, 4, 6, 2
WIDTH = D // HEADS
BLOCK = {"X": (N, T, D), "Wq": (D, D), "Wk": (D, D), "Wv": (D, D), "Wo": (D, D)}
BLOCK |= {"gamma": (D,), "beta": (D,), "W1": (D, 8), "W2": (8, D)}


def drawn(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


ARRAYS, GIVEN = drawn(BLOCK), np.random.default_rng(4).normal(size=(N, T, D))
MASK = np.random.default_rng(5).random((N, T, D)) < 0.7
HIDDEN = np.triu(np.ones((T, T), bool), 1)


def block(X: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any, gamma: Any, beta: Any, W1: Any, W2: Any) -> Any:
    seen = layers.multi_head_attention(X, X, Wq, Wk, Wv, Wo, heads=HEADS, causal=True)
    H = X + layers.dropout(seen, 0.3, mask=MASK)
    return H + jac.relu(layers.layer_norm(H, gamma, beta) @ W1) @ W2


def softmax(S: np.ndarray) -> np.ndarray:
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    found: np.ndarray = E / E.sum(axis=-1, keepdims=True)
    return found


def split(M: np.ndarray) -> np.ndarray:
    return M.reshape(N, T, HEADS, WIDTH).transpose(0, 2, 1, 3)


def joined(M: np.ndarray) -> np.ndarray:
    return M.transpose(0, 2, 1, 3).reshape(N, T, D)


def block_by_hand(slip: str) -> dict[str, np.ndarray]:
    X, Wq, Wk, Wv, Wo, gamma, beta, W1, W2 = ARRAYS.values()
    Q, K, V = split(X @ Wq), split(X @ Wk), split(X @ Wv)
    scale = 1 / np.sqrt(WIDTH)
    S = scale * Q @ K.swapaxes(-1, -2)
    P = softmax(np.where(HIDDEN, -np.inf, S))
    C = joined(P @ V)
    H = X + C @ Wo * MASK / 0.7
    s = np.sqrt(H.var(axis=-1, keepdims=True) + 1e-5)
    right = s
    if slip == "ddof":
        s = np.sqrt(H.var(axis=-1, keepdims=True, ddof=1) + 1e-5)
    hat = (H - H.mean(axis=-1, keepdims=True)) / s
    Y = (H - H.mean(axis=-1, keepdims=True)) / right * gamma + beta
    Z = Y @ W1
    g = {"W2": np.einsum("ntf,ntd->fd", np.maximum(Z, 0), GIVEN)}
    dZ = GIVEN @ W2.T * (Z > 0)
    g["W1"], dY = np.einsum("ntd,ntf->df", Y, dZ), dZ @ W1.T
    g["gamma"], g["beta"] = (dY * hat).sum((0, 1)), dY.sum((0, 1))
    own = dY * (1 if slip == "gamma" else gamma)
    axes = (0, 1) if slip == "axis of means" else -1
    mean, spread = own.mean(axes, keepdims=True), hat * (own * hat).mean(axes, keepdims=True)
    spread = spread * D / (D - 1) if slip == "ddof" else spread
    dH = GIVEN + (own - (slip != "mean") * mean - (slip != "variance") * spread) / (1 if slip == "s" else s)
    dA = dH * {"mask twice": MASK / 0.49, "mask plain": MASK, "mask forgotten": 1}.get(slip, MASK / 0.7)
    g["Wo"], dC = np.einsum("ntd,nte->de", C, dA), split(dA @ Wo.T)
    if slip == "heads":
        dC = (dA @ Wo.T).reshape(N, HEADS, T, WIDTH)
    if slip == "after the softmax":
        P = softmax(S) * ~HIDDEN
    if slip == "unmasked":
        P = softmax(S)
    dV = (P if slip == "PT" else P.swapaxes(-1, -2)) @ dC
    dP = dC @ V.swapaxes(-1, -2)
    dS = P * (dP - (dP * P).sum(axis=-2 if slip == "axis" else -1, keepdims=True))
    if slip in ("diagonal", "entries"):
        dS = P * dP * (1 - P if slip == "entries" else 1)
    scale = {"root": 1, "d": 1 / WIDTH, "D": D**-0.5}.get(slip, scale)
    dQ, dK = scale * dS @ K, scale * (dS if slip == "ST" else dS.swapaxes(-1, -2)) @ Q
    if slip == "swapped":
        dQ, dK = dK, dQ
    g["X"] = dH
    for name, of in (("Wq", dQ), ("Wk", dK), ("Wv", dV)):
        back = of.reshape(N, T, D) if slip == "joined" else joined(of)
        g[name] = np.einsum("ntd,nte->de", X, back)
        g["X"] = g["X"] + back @ ARRAYS[name].T
    return {name: g[name] for name in ARRAYS}


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("mean", "The path through the mean is missing in layer_norm's gradient"),
        ("variance", "The path through the variance is missing in layer_norm's gradient"),
        ("axis of means", "Layer_norm's gradient takes its means along the wrong axes"),
        ("gamma", "Layer_norm's gradient lacks gamma"),
        ("s", "Layer_norm's gradient is not divided by the standard deviation"),
        ("mask twice", "The dropout mask is divided by 1 − drop twice"),
        ("mask plain", "The dropout mask is not divided by 1 − drop on the way back"),
        ("mask forgotten", "The dropout mask is forgotten on the way back"),
        ("after the softmax", "The mask is applied after the softmax on the way back"),
        ("unmasked", "The mask is forgotten on the way back"),
        ("axis", "The scores' softmax is taken back along the queries, not the keys"),
        ("diagonal", "The scores' softmax is taken back as dP ∘ P: the sums over the keys are missing"),
        ("entries", "The scores' softmax is taken back entry by entry, by P ∘ (1 − P)"),
        ("root", "1/√d is forgotten in the gradients of queries and keys"),
        ("d", "The gradients of queries and keys are divided by d, not by √d"),
        ("D", "The gradients of queries and keys are divided by the root of all heads' width, not of one head's"),
        ("heads", "The gradient of transpose_25 is reshaped, and its axes are not moved back."),
        ("joined", "The gradient of the operands of attention_24 is reshaped, and its axes are not moved back."),
        ("ddof", "The variance is divided by N − 1 in layer_norm's backward pass"),
        ("swapped", "The gradients of queries and keys are in each other's place"),
        ("ST", "The scores' gradient is not transposed on the way to the keys"),
        ("PT", "The softmax's weights are not transposed on the way to the values"),
    ],
)
def test_a_transformer_block_by_hand(slip: str, said: str) -> None:
    loss = (block(*jac.values(**ARRAYS)) * GIVEN).sum()
    found = jac.diagnose(block_by_hand(slip), loss)
    assert found.verdict == "explained"
    assert found.headline.rsplit(":", 1)[0] == said


def test_a_right_transformer_block() -> None:
    assert jac.diagnose(block_by_hand(""), (block(*jac.values(**ARRAYS)) * GIVEN).sum()).right


# --- recurrences ---------------------------------------------------------------------------------

H = 2


def sigmoid(z: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-z))
    return found


def lstm_by_hand(slip: str) -> tuple[dict[str, np.ndarray], Any]:
    A = drawn({"X": (N, T, D), "h": (N, H), "c": (N, H), "Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)})
    given, (X, h, c, Wx, Wh, b) = GIVEN[..., :H], A.values()
    cache = []
    for t in range(T):
        i, f, o, g = np.split(X[:, t] @ Wx + h @ Wh + b, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        new = f * c + i * g
        cache.append((h, c, i, f, o, g, new))
        h, c = o * np.tanh(new), new
    out = {name: np.zeros(array.shape) for name, array in A.items()}
    back_h = back_c = np.zeros((N, H))
    for t in range(T) if "forward" in slip else reversed(range(T)):
        kept = T - 1 - t if slip == "cache" else t
        h, c, i, f, o, g, new = cache[kept]
        dh = given[:, T - 1 - t if "turned" in slip else t] + (0 if slip == "no h" else back_h)
        dc = (0 if slip == "no c" else back_c) + dh * o * (1 - np.tanh(new) ** 2)
        parts = [dc * g * i * (1 - i), dc * c * f * (1 - f), dh * np.tanh(new) * o * (1 - o), dc * i * (1 - g**2)]
        if slip == "gates":
            parts[2:] = parts[:1:-1]
        if slip == "three gates":
            parts = [parts[1], parts[3], parts[2], parts[0]]
        if slip == "σ′ of g":
            parts[3] = dc * i * g * (1 - g)
        if slip == "tanh c":
            parts[2] = dh * new * o * (1 - o)
        dz = np.concatenate(parts, axis=1)
        out["X"][:, t], back_h, back_c = dz @ Wx.T, dz @ Wh.T, dc * (i if slip == "i for f" else f)
        before = 0 if slip == "=" else 1
        out["Wx"] = before * out["Wx"] + X[:, kept].T @ dz
        out["Wh"] = before * out["Wh"] + (cache[t + 1][0] if slip == "later" and t + 1 < T else h).T @ dz
        out["b"] = before * out["b"] + dz.sum(axis=0)
    out["h"], out["c"] = back_h, back_c
    if slip == "blocks":
        for name in ("Wx", "Wh", "b"):
            i, f, o, g = np.split(out[name], 4, axis=-1)
            out[name] = np.concatenate((i, f, g, o), axis=-1)
    return out, (layers.lstm(*jac.values(**A)) * given).sum()


def rnn_by_hand(slip: str) -> tuple[dict[str, np.ndarray], Any]:
    A = drawn({"X": (N, T, D), "h": (N, H), "Wx": (D, H), "Wh": (H, H), "b": (H,)})
    given, (X, h, Wx, Wh, b) = GIVEN[..., :H], A.values()
    states = [h]
    for t in range(T):
        states.append(np.tanh(X[:, t] @ Wx + states[t] @ Wh + b))
    out = {name: np.zeros(array.shape) for name, array in A.items()}
    back = np.zeros((N, H))
    for t in range(T) if "forward" in slip else reversed(range(T)):
        dh = given[:, T - 1 - t if "turned" in slip else t] + (0 if slip == "no h" else back)
        dz = dh * (1 - states[t if slip == "slope before" else t + 1] ** 2)
        out["X"][:, t], back = dz @ Wx.T, dz @ (Wh if slip == "transpose" else Wh.T)
        out["Wx"] += X[:, t].T @ dz
        out["Wh"] += states[t + (slip == "later")].T @ dz
        out["b"] += dz.sum(axis=0)
    out["h"] = back
    return out, (layers.rnn(*jac.values(**A)) * given).sum()


def gru_by_hand(slip: str) -> tuple[dict[str, np.ndarray], Any]:
    A = drawn({"X": (N, T, D), "h": (N, H), "Wx": (D, 3 * H), "Wh": (H, 3 * H), "b": (3 * H,), "bh": (3 * H,)})
    given, (X, h, Wx, Wh, b, bh) = GIVEN[..., :H], A.values()
    cache = []
    for t in range(T):
        (xr, xz, xn), (hr, hz, hn) = (np.split(a, 3, axis=1) for a in (X[:, t] @ Wx + b, h @ Wh + bh))
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        n = np.tanh(xn + r * hn)
        cache.append((h, r, z, n, hn))
        h = (1 - z) * n + z * h
    out = {name: np.zeros(array.shape) for name, array in A.items()}
    back = np.zeros((N, H))
    for t in reversed(range(T)):
        h, r, z, n, hn = cache[t]
        dh = given[:, t] + back
        kept, new = (1 - z, z) if slip == "turned" else (z, 1 - z)
        dn = dh * new * (1 - n**2)
        parts = [dn * hn * r * (1 - r), dh * (h - n) * z * (1 - z), dn]
        by_state = [*parts[:2], dn if slip == "no r" else dn * r]
        dx, ds = np.concatenate(parts, axis=1), np.concatenate(by_state, axis=1)
        out["X"][:, t], back = dx @ Wx.T, ds @ Wh.T + dh * kept
        out["Wx"] += X[:, t].T @ dx
        out["b"] += dx.sum(axis=0)
        out["Wh"] += h.T @ ds
        out["bh"] += ds.sum(axis=0)
    out["h"] = back
    return out, (layers.gru(*jac.values(**A)) * given).sum()


@pytest.mark.parametrize(
    ("by_hand", "slip", "said"),
    [
        (lstm_by_hand, "three gates", "The gradients of the gates lie in the order 'fgoi' in lstm, in every step"),
        (lstm_by_hand, "i for f", "The cell before gets dc ∘ i, not dc ∘ f, in lstm"),
        (lstm_by_hand, "σ′ of g", "The slope of the gate g in lstm is that of σ"),
        (lstm_by_hand, "tanh c", "The output gate meets the cell, not its tanh, in lstm"),
        (lstm_by_hand, "cache", "Lstm's steps meet what the forward pass kept in the reverse order"),
        (
            lstm_by_hand,
            "=",
            "The gradients of the weights and the bias in lstm are those of the first step alone, or written over (= "
            "for +=)",
        ),
        (rnn_by_hand, "slope before", "The slope of tanh is made of the state before the step, not after it, in rnn"),
        (gru_by_hand, "turned", "Z and 1 − z are in each other's place, in gru"),
        (gru_by_hand, "no r", "The reset gate is forgotten on the way back to the state and its weights, in gru"),
        (lstm_by_hand, "gates", "The gradients of the gates o and g are in each other's place in lstm, in every step"),
        (lstm_by_hand, "blocks", "The gradients of the gates o and g are in each other's place in lstm"),
        (lstm_by_hand, "forward", "Lstm's backward pass goes from the first step to the last"),
        (lstm_by_hand, "turned", "Lstm's steps meet the gradients in the reverse order"),
        (lstm_by_hand, "no h", "Nothing goes back through its state from one step to the step before in lstm"),
        (lstm_by_hand, "no c", "Nothing goes back through its cell from one step to the step before in lstm"),
        (rnn_by_hand, "forward", "Rnn's backward pass goes from the first step to the last"),
        (
            rnn_by_hand,
            "forward, turned",
            "Rnn's backward pass goes from the first step to the last, and takes the last step's gradient first",
        ),
        (rnn_by_hand, "no h", "Nothing goes back through its state from one step to the step before in rnn"),
        (rnn_by_hand, "transpose", "Wh is not transposed in rnn's backward pass"),
        (rnn_by_hand, "later", "Wh's gradient in rnn is made of each step's own state, not of the state before"),
    ],
)
def test_a_recurrence_by_hand(by_hand: Any, slip: str, said: str) -> None:
    found = jac.diagnose(*by_hand(slip))
    assert found.verdict == "explained"
    assert found.headline.rsplit(":", 1)[0] == said


@pytest.mark.parametrize("by_hand", [lstm_by_hand, rnn_by_hand, gru_by_hand])
def test_a_right_recurrence(by_hand: Any) -> None:
    assert jac.diagnose(*by_hand("")).right


def attended() -> Any:
    Q, K, V = jac.values(**drawn({"Q": (3, 4), "K": (3, 4), "V": (3, 2)}))
    return (layers.attention(Q, K, V, causal=True) * GIVEN[0, :3, :2]).sum()


def read() -> Any:
    return lstm_by_hand("")[1]


def read_by_gru() -> Any:
    shapes = {"X": (T, N, 3), "h": (N, 2), "Wx": (6, 3), "Wh": (6, 2), "b": (6,), "bh": (6,)}
    return (layers.gru(*jac.values(**drawn(shapes)), layout="pytorch") * GIVEN[..., :2].swapaxes(0, 1)).sum()


@pytest.mark.parametrize(("loss", "every"), [(attended, 1), (read, 12), (read_by_gru, 6)])
def test_every_slip_of_one_operation_of_a_graph(loss: Any, every: int) -> None:
    """No two come to the same gradient; and each, or some, are diagnosed."""
    value = loss()
    inputs = [node.name for node in value.ancestors() if node.operation is None and node.name in "QKVXWxWhbhc"]
    slips = [slip for slip in graph_slips(GraphSetting(value, inputs)) if slip.family == "layers"]
    assert len(slips) > 10
    wrong = [slip.gradient() for slip in slips]
    flat = np.array([np.concatenate([gradient[name].ravel() for name in inputs]) for gradient in wrong])
    apart = np.abs(flat[:, None] - flat).max(axis=-1) + np.eye(len(flat))
    assert [(slips[i].title, slips[j].title) for i, j in zip(*np.nonzero(apart < 1e-6), strict=True)] == []
    for slip, gradient in list(zip(slips, wrong, strict=True))[::every]:
        found = jac.diagnose(gradient, value)
        assert found.cause is not None
        assert found.cause.title == slip.title
