"""Gradients that are written over where they should be added up, written by hand in loops: each is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers

rng = np.random.default_rng(0)
X, W, C = rng.normal(size=(2, 2, 5, 6)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=(2, 3, 3, 4))


def convolved(layout: str, slip: str) -> tuple[dict[str, np.ndarray], Any]:
    """Stride 2, padding 1: every window's part in turn; in Keras's layout too."""
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dP, dW = np.zeros(padded.shape), np.zeros(W.shape)
    every = slice(None)
    for n in range(2):
        for i in range(3):
            for j in range(4):
                window = (n, every, slice(2 * i, 2 * i + 3), slice(2 * j, 2 * j + 2))
                part = np.einsum("o,ockl->ckl", C[n, :, i, j], W)
                if slip == "X, outputs":
                    part = C[n, -1, i, j] * W[-1]
                dP[window] = part if slip.startswith("X") else dP[window] + part
                of_kernel = np.einsum("o,ckl->ockl", C[n, :, i, j], padded[window])
                dW = of_kernel if slip == "W" else dW + of_kernel
        if slip == "W of example" and n == 0:
            dW = np.zeros(W.shape)
    dX, given, kernel, cotangent = dP[:, :, 1:-1, 1:-1], X, W, C
    if layout == "keras":
        dX, given, cotangent = (a.transpose(0, 2, 3, 1) for a in (dX, X, C))
        dW, kernel = dW.transpose(2, 3, 1, 0), W.transpose(2, 3, 1, 0)
    x, w = jac.values(X=given, W=kernel)
    return {"X": dX, "W": dW}, (layers.conv2d(x, w, stride=2, pad=1, layout=layout) * cotangent).sum()


@pytest.mark.parametrize("layout", ["pytorch", "keras"])
@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("X", "Windows that overlap are written over in the images' gradient (= for +=)"),
        ("X, outputs", "Windows that overlap, and outputs, are written over in the images' gradient (= for +=)"),
        (
            "W",
            "The kernel's gradient is that of the last place of the last example alone, or written over (= for +=)",
        ),
        ("W of example", "The kernel's gradient is that of the last example alone, or written over (= for +=)"),
    ],
)
def test_a_convolution(layout: str, slip: str, said: str) -> None:
    assert jac.diagnose(*convolved(layout, "")).right
    found = jac.diagnose(*convolved(layout, slip))
    assert found.verdict == "explained"
    assert found.headline.rsplit(":", 1)[0] == said


@pytest.mark.parametrize("which", ["max", "avg"])
def test_a_pool_whose_windows_overlap(which: str) -> None:
    out = rng.normal(size=(2, 2, 2, 4))
    found, wrong = np.zeros(X.shape), np.zeros(X.shape)
    for n, c, i, j in np.ndindex(out.shape):
        key = (n, c, slice(2 * i, 2 * i + 3), slice(j, j + 3))
        part = out[n, c, i, j] * ((X[key] == X[key].max()) if which == "max" else np.full((3, 3), 1 / 9))
        found[key] += part
        wrong[key] = part
    (x,) = jac.values(X=X)
    pool = {"max": layers.max_pool, "avg": layers.avg_pool}[which]
    loss = (pool(x, 3, (2, 1)) * out).sum()
    assert jac.diagnose({"X": found}, loss).right
    assert jac.diagnose({"X": wrong}, loss).headline.startswith("Windows that overlap are written over")


def test_a_token_that_comes_twice() -> None:
    tokens, table, out = np.array([[1, 0, 1], [2, 1, 2]]), rng.normal(size=(4, 3)), rng.normal(size=(2, 3, 3))
    (w,) = jac.values(W=table)
    loss = (layers.embedding(tokens, w) * out).sum()
    right, wrong = np.zeros(table.shape), np.zeros(table.shape)
    np.add.at(right, tokens, out)
    wrong[tokens] += out
    assert jac.diagnose({"W": right}, loss).right
    assert jac.diagnose({"W": wrong}, loss).headline.startswith("Of equal tokens the last alone counts")
