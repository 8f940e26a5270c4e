"""Five nets with sharing, as values, and their gradients by hand in NumPy, with slips that only graphs have.

A slip is a name; each net's `SLIPS` say what the diagnosis may call it. Sums over the batch, without 1/N.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import jacobians as jac
from jacobians.graphs import Value

Arrays = dict[str, np.ndarray]


class Net(NamedTuple):
    """A net at its arrays."""

    arrays: Arrays
    loss: Callable[..., Value]
    by_hand: Callable[[str], Arrays]
    slips: dict[str, set[str]]


FORGOTTEN, OVER = {"branch-forgotten"}, {"branch-forgotten", "cotangent-overwritten"}
USE, LAST, CUT = {"use-forgotten"}, {"last-step-alone"}, {"bptt-truncated"}


def half_square(Z: Any, Y: np.ndarray) -> Any:
    E = Z - Y
    return (E * E).sum() * 0.5


def residual(rng: np.random.Generator) -> Net:
    """R = H + tanh(H U) with H = tanh(X W + b), and a skip from X as well."""
    N, D, K = (int(n) for n in rng.integers(3, 6, size=3))
    p = {n: rng.normal(size=s) for n, s in {"W": (D, D), "b": (D,), "U": (D, D), "V": (D, K)}.items()}
    X, Y = rng.normal(size=(N, D)), rng.normal(size=(N, K))

    def loss(W: Value, b: Value, U: Value, V: Value) -> Value:
        H = jac.tanh(X @ W + b).named("H")
        R = (H + jac.tanh(H @ U)).named("R")
        return half_square(R @ V + R.sum(axis=1, keepdims=True), Y)

    def by_hand(slip: str) -> Arrays:
        W, b, U, V = p.values()
        H = np.tanh(X @ W + b)
        T = np.tanh(H @ U)
        R = H + T
        E = R @ V + R.sum(axis=1, keepdims=True) - Y
        dR = E @ V.T + (slip != "readout") * E.sum(axis=1, keepdims=True)
        if slip == "readout over":
            dR = E.sum(axis=1, keepdims=True) * np.ones_like(R)
        dA = dR * (1 - T**2)
        dH = dR.copy()
        if slip == "dH =":
            dH = dA @ U.T
        elif slip != "branch":
            dH += dA @ U.T
        dZ = dH * (slip == "slope" or 1 - H**2)
        return {"W": X.T @ dZ, "b": dZ.sum(axis=0), "U": H.T @ dA, "V": R.T @ E}

    slips = {"dH =": OVER, "branch": OVER, "readout": OVER, "readout over": OVER}
    return Net(p, loss, by_hand, slips | {"slope": {"missing-activation-derivative"}})


def tied(rng: np.random.Generator) -> Net:
    """An autoencoder that decodes with its own weight, transposed."""
    N, D, H = 5, int(rng.integers(3, 7)), 2
    p = {"W": rng.normal(size=(D, H)), "b": rng.normal(size=H), "c": rng.normal(size=D)}
    X = rng.normal(size=(N, D))

    def loss(W: Value, b: Value, c: Value) -> Value:
        return half_square(jac.tanh(X @ W + b) @ W.T + c, X)

    def by_hand(slip: str) -> Arrays:
        W, b, c = p.values()
        A = np.tanh(X @ W + b)
        E = A @ W.T + c - X
        dZ = (E @ W) * (1 - A**2)
        encoder, decoder = X.T @ dZ, E.T @ A
        dW = {"encoder": decoder, "decoder": encoder, "dW =": encoder}.get(slip, encoder + decoder)
        return {"W": dW, "b": dZ.sum(axis=0), "c": E.sum(axis=0)}

    return Net(p, loss, by_hand, {"encoder": USE, "decoder": USE, "dW =": USE})


def recurrent(rng: np.random.Generator, steps: int | None = None, every: bool | None = None) -> Net:
    """Elman's net, with a loss at the end or at every step."""
    N, D, H, K = 4, 3, int(rng.integers(2, 5)), 2
    T = int(rng.integers(4, 8)) if steps is None else steps
    losses = bool(rng.random() < 0.5) if every is None else every
    shapes = {"Wx": (D, H), "Wh": (H, H), "b": (H,), "V": (H, K), "h0": (N, H)}
    p = {n: rng.normal(size=s) * 0.7 for n, s in shapes.items()}
    X, Y = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, K))

    def loss(Wx: Value, Wh: Value, b: Value, V: Value, h0: Value) -> Value:
        h, total = h0, 0.0
        for x, y in zip(X, Y, strict=True):
            h = jac.tanh(x @ Wx + h @ Wh + b)
            total = total + half_square(h @ V, y) if losses else total
        return total if losses else half_square(h @ V, Y[-1])

    def by_hand(slip: str) -> Arrays:
        Wx, Wh, b, V, h0 = p.values()
        states = [h0]
        for x in X:
            states.append(np.tanh(x @ Wx + states[-1] @ Wh + b))
        errors = [
            s @ V - y if losses or t == T - 1 else 0 * y for t, (s, y) in enumerate(zip(states[1:], Y, strict=True))
        ]
        g = {n: np.zeros_like(a) for n, a in p.items()}
        dhs = [e @ V.T for e in errors]
        if slip.startswith("window"):
            window = int(slip.split()[1])
            for start in range(T):
                g["V"] += states[start + 1].T @ errors[start]
                dh = dhs[start]
                for t in range(start, max(start - window, -1), -1):
                    dh = step(t, dh, states, g)
                if start - window < 0:
                    g["h0"] += dh
            return g
        dh = np.zeros_like(h0)
        for t in reversed(range(T)):
            dh = dhs[t] if slip == "dh =" else dh if slip == "readout" and t < T - 1 else dh + dhs[t]
            before = {n: a.copy() for n, a in g.items()}
            g["V"] += states[t + 1].T @ errors[t]
            dh = step(t, dh, states, g)
            if slip == "last Wh" and t < T - 1:
                g["Wh"] = before["Wh"]
            if slip == "first Wh" and t:
                g["Wh"] = before["Wh"]
            if slip == "lost Wh" and t == 1:
                g["Wh"] = before["Wh"]
            if slip.startswith("stop") and T - t == int(slip.split()[1]):
                return g
            if slip.startswith("detach") and t and t % int(slip.split()[1]) == 0:
                dh = np.zeros_like(dh)
        g["h0"] += dh
        return g

    def step(t: int, dh: np.ndarray, states: list[np.ndarray], g: Arrays) -> np.ndarray:
        dz = dh * (1 - states[t + 1] ** 2)
        g["Wx"] += X[t].T @ dz
        g["Wh"] += states[t].T @ dz
        g["b"] += dz.sum(axis=0)
        return dz @ p["Wh"].T

    slips = {"last Wh": LAST, "first Wh": {"cotangent-overwritten"}, "lost Wh": USE, "window 1": LAST, "window 2": CUT}
    slips |= {"stop 2": CUT, "stop 3": CUT, "window 3": CUT}
    if losses:
        slips |= {"dh =": FORGOTTEN | LAST, "readout": FORGOTTEN}
    if losses and T > 4:  # else the sweep is cut once alone, which has another name
        slips["detach 2"] = CUT
    return Net(p, loss, by_hand, slips)


def lstm(rng: np.random.Generator) -> Net:
    """Long short-term memory; its cell is used by the next cell and by its own output."""
    N, D, H, T = 3, 2, int(rng.integers(2, 4)), int(rng.integers(3, 6))
    p = {"W": rng.normal(size=(D + H, 4 * H)) * 0.7, "b": rng.normal(size=4 * H), "V": rng.normal(size=(H, 2))}
    X, Y = rng.normal(size=(T, N, D)), rng.normal(size=(N, 2))

    def loss(W: Value, b: Value, V: Value) -> Value:
        h, c = np.zeros((N, H)), np.zeros((N, H))
        for x in X:
            i, f, o, g = np.split(np.concatenate([x, h], axis=1) @ W + b, 4, axis=1)
            c = jac.sigmoid(f) * c + jac.sigmoid(i) * jac.tanh(g)
            h = jac.sigmoid(o) * jac.tanh(c)
        return half_square(h @ V, Y)

    def sigma(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    def by_hand(slip: str) -> Arrays:
        W, b, V = p.values()
        h, c, kept = np.zeros((N, H)), np.zeros((N, H)), []
        for x in X:
            joined = np.hstack([x, h])
            z = joined @ W + b
            i, f, o, g = sigma(z[:, :H]), sigma(z[:, H : 2 * H]), sigma(z[:, 2 * H : 3 * H]), np.tanh(z[:, 3 * H :])
            before, c = c, f * c + i * g
            h = o * np.tanh(c)
            kept.append((joined, i, f, o, g, before, c))
        E = h @ V - Y
        found = {"W": np.zeros_like(W), "b": np.zeros_like(b), "V": h.T @ E}
        dh, dc = E @ V.T, np.zeros_like(c)
        for back, (joined, i, f, o, g, before, c) in enumerate(reversed(kept)):
            if slip == f"stop {back}":
                break
            own = dh * o * (1 - np.tanh(c) ** 2)
            dc = own if slip == "dc =" else dc if slip == "output" and back else dc + own
            dz = np.hstack(
                [dc * g * i * (1 - i), dc * before * f * (1 - f), dh * np.tanh(c) * o * (1 - o), dc * i * (1 - g**2)]
            )
            if slip != "last W" or not back:
                found["W"] += joined.T @ dz
            found["b"] += dz.sum(axis=0)
            dh, dc = dz @ W[D:].T, dc * f
        return found

    slips = {"dc =": FORGOTTEN, "output": FORGOTTEN, "stop 1": LAST, "stop 2": CUT, "last W": LAST}
    return Net(p, loss, by_hand, slips)


def attention(rng: np.random.Generator) -> Net:
    """One head over E, which is used three times and once more around it."""
    N, D, H = int(rng.integers(3, 6)), 4, 3
    shapes = {"E": (N, D), "Wq": (D, H), "Wk": (D, H), "Wv": (D, H), "Wo": (H, D)}
    p = {n: rng.normal(size=s) * 0.7 for n, s in shapes.items()}
    Y = rng.normal(size=(N, D))

    def loss(E: Value, Wq: Value, Wk: Value, Wv: Value, Wo: Value) -> Value:
        A = jac.softmax((E @ Wq) @ (E @ Wk).T / np.sqrt(H))
        return half_square(E + A @ (E @ Wv) @ Wo, Y)

    def by_hand(slip: str) -> Arrays:
        E, Wq, Wk, Wv, Wo = p.values()
        Q, K, V = E @ Wq, E @ Wk, E @ Wv
        A = np.exp(Q @ K.T / np.sqrt(H))
        A /= A.sum(axis=1, keepdims=True)
        O = A @ V
        G = E + O @ Wo - Y
        dO = G @ Wo.T
        dA, dV = dO @ V.T, A.T @ dO
        dS = A * (dA - (dA * A).sum(axis=1, keepdims=True)) / np.sqrt(H)
        dQ, dK = dS @ K, dS.T @ Q
        parts = {"skip": G, "v": dV @ Wv.T, "k": dK @ Wk.T, "q": dQ @ Wq.T}
        if slip.startswith("no "):
            parts.pop(slip[3:])
        if slip.startswith("only "):
            parts = {slip[5:]: parts[slip[5:]]}
        return {"E": sum(parts.values()), "Wq": E.T @ dQ, "Wk": E.T @ dK, "Wv": E.T @ dV, "Wo": O.T @ G}

    slips = {f"no {n}": USE for n in ("skip", "q", "k", "v")}
    return Net(p, loss, by_hand, slips | {f"only {n}": {"cotangent-overwritten"} for n in ("skip", "q", "k", "v")})


NETS: dict[str, Callable[[np.random.Generator], Net]] = {
    "residual": residual,
    "tied": tied,
    "recurrent": recurrent,
    "lstm": lstm,
    "attention": attention,
}
