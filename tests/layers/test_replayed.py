"""Layers in functions that are recorded once and replayed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers

rng = np.random.default_rng(0)


def small_net(X: Any, K: Any, b: Any, gamma: Any, beta: Any) -> Any:
    Z, J1 = layers.conv2d(X, K, b, stride=2, pad=1)
    B, J2 = layers.batch_norm(Z, gamma, beta)
    P, J3 = layers.avg_pool(B, 2)
    L, J4 = jac.cross_entropy(*[layers.flatten(P)[0], [0, 2, 1]])
    row = J4 @ layers.flatten(P)[1] @ J3 @ J2.X
    return L, (row @ J1.W).gradient, (row @ J1.X).gradient, (row @ J1.b).gradient


def attended(Q: Any, K: Any, V: Any) -> Any:
    O, J = layers.attention(Q, K, V, causal=True)
    return O, J.Q.vjp(O), J.K.vjp(O), J.V.vjp(O)


def states(h: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    H, J = layers.lstm(np.ones((2, 3, 2)), h, h, Wx, Wh, b)
    return H, J.Wx.vjp(H), J.Wh.vjp(H)


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (small_net, [(3, 2, 5, 5), (4, 2, 3, 3), (4,), (4,), (4,)]),
        (attended, [(2, 3, 4), (2, 3, 4), (2, 3, 2)]),
        (states, [(2, 1), (2, 4), (1, 4), (4,)]),
    ],
)
def test_a_replay_gives_what_the_function_gives(function: Any, shapes: list[tuple[int, ...]]) -> None:
    replayed = jac.replayed(function)
    for _ in range(3):
        arrays = [rng.normal(size=shape) for shape in shapes]
        for found, expected in zip(replayed(*arrays), function(*arrays), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def pooled(X: Any, K: Any, E: Any) -> Any:
    Z, J1 = layers.conv2d(X, K, pad=1, flipped=True)
    P, J2 = layers.max_pool(Z, 3, 2, pad=1)
    words, J3 = layers.embedding([[1, 3], [3, 0]], E)
    row = J2.vjp(P)
    return P, J1.X.vjp(row), J1.W.vjp(row), layers.global_max_pool(X)[1].vjp(np.ones((3, 2))), J3.vjp(words)


def test_what_moves_with_the_numbers_is_found_again_in_every_run() -> None:
    replayed = jac.replayed(pooled)
    for _ in range(3):
        arrays = [rng.normal(size=shape) for shape in [(3, 2, 5, 5), (4, 2, 3, 3), (5, 2)]]
        for found, expected in zip(replayed(*arrays), pooled(*arrays), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert replayed.runs == 1


def test_tokens_may_be_an_argument() -> None:
    def rows(tokens: Any, E: Any) -> Any:
        words, J = layers.embedding(tokens, E)
        return words, J.vjp(words)

    replayed = jac.replayed(rows)
    for _ in range(3):
        tokens, table = rng.integers(4, size=(2, 3)), rng.normal(size=(4, 2))
        for found, expected in zip(replayed(tokens, table), rows(tokens, table), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert replayed.runs == 1
