"""K-FAC of shared weights, by loops and where it is exact; and what layers hold in memory."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import ArgumentError
from jacobians.layers import Convolution, Flattened, Pool
from jacobians.linops import BlockDiagonal
from jacobians.operations import Affine

rng = np.random.default_rng(0)


def rows_of(count: int, length: int) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    X, C = rng.normal(size=(count, 2, length)), rng.normal(size=(count, 3, length - 1))
    (W,) = jac.values(W=rng.normal(size=(3, 2, 2)))
    losses = (jac.tanh(layers.conv1d(X, W)) * C).sum(axis=(1, 2))
    slopes = C * (1 - np.tanh(layers.conv1d(X, W.array)[0]) ** 2)
    columns = np.stack([X[:, :, p : p + 2].reshape(count, 4) for p in range(length - 1)], axis=1)
    return losses.jacobian(W), slopes.transpose(0, 2, 1), columns, W.array


@pytest.mark.parametrize("sharing", ["expand", "reduce"])
def test_by_loops(sharing: Any) -> None:
    rows, deltas, columns, _ = rows_of(3, 4)
    S = 3
    if sharing == "expand":
        B = sum(np.outer(d, d) for n in range(3) for d in deltas[n]) / 3
        A = sum(np.outer(a, a) for n in range(3) for a in columns[n]) / (3 * S)
    else:
        B = sum(np.outer(d.sum(0), d.sum(0)) for d in deltas) / 3
        A = sum(np.outer(a.mean(0), a.mean(0)) for a in columns) / 3
    found = layers.kronecker_factored_rows(rows, sharing)
    assert found.domain == found.codomain == (3, 2, 2)
    np.testing.assert_allclose(found.to_dense(), np.kron(B, A), atol=1e-13)


def test_of_one_example_with_one_place_it_is_exact() -> None:
    rows, *_ = rows_of(1, 2)
    exact = rows.to_dense().T @ rows.to_dense()
    for sharing in ("expand", "reduce"):
        np.testing.assert_allclose(layers.kronecker_factored_rows(rows, sharing).to_dense(), exact, atol=1e-13)


def test_refusals() -> None:
    rows, *_ = rows_of(2, 3)
    with pytest.raises(ArgumentError, match=re.escape("kronecker_factored_rows: sharing='both'; expected 'expand' or")):
        layers.kronecker_factored_rows(rows, "both")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=re.escape("rows is Diagonal(3); expected the KhatriRaoSum of losses of")):
        layers.kronecker_factored_rows(jac.linops.Diagonal(np.ones(3)))


# --- memory --------------------------------------------------------------------------------------------


def peak(call: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_convolution_holds_no_more_than_a_block_of_columns() -> None:
    """Its inputs with padding, its results, and columns of two mebibytes at most, where all columns are 7 MB."""
    X, W = rng.normal(size=(64, 4, 28, 28)).astype(np.float32), rng.normal(size=(4, 4, 3, 3)).astype(np.float32)
    Z, J = layers.conv2d(X, W, pad=1)
    images, block = Z.nbytes, 2 << 20
    assert 9 * images > 1.5 * (2.5 * images + block)  # all columns at once
    assert peak(lambda: layers.conv2d(X, W, pad=1)) < 2.5 * images + block
    assert peak(lambda: J.X.vjp(Z)) < 2.5 * images + block
    assert peak(lambda: J.W.vjp(Z)) < 0.5 * images + block
    rows = jac.linops.BlockDiagonal(Z.reshape(64, 1, -1), (64,), Z.shape) @ J.W
    assert peak(rows.row_norms) < 0.5 * images + block


def test_an_embedding_has_no_gradient_of_its_table_until_it_is_asked_for() -> None:
    """Of a table of 10⁵ words the rows that occur are taken first: the gradient by them is as long as they are many."""
    table, tokens = np.zeros((100_000, 30), np.float32), rng.integers(100_000, size=(8, 5))

    def gradient() -> tuple[np.ndarray, np.ndarray]:
        words, places = np.unique(tokens, return_inverse=True)
        value, J = layers.embedding(places.reshape(tokens.shape), table[words])
        return words, J.vjp(np.ones_like(value))

    assert peak(lambda: layers.embedding(tokens, table)[1]) < 1 << 16
    assert peak(gradient) < 1 << 17
    words, rows = gradient()
    whole = layers.embedding(tokens, table)[1].vjp(np.ones((8, 5, 30), np.float32))
    np.testing.assert_array_equal(whole[words], rows)
    assert not np.delete(whole, words, axis=0).any()


def test_a_row_against_a_kernel_is_one_structure() -> None:
    Z, J = layers.conv2d(rng.normal(size=(2, 1, 4, 4)), rng.normal(size=(3, 1, 3, 3)))
    rows = BlockDiagonal(Z.reshape(2, 1, -1), (2,), Z.shape, 0) @ J.W
    assert rows.structure.startswith("KhatriRaoSum")


@pytest.mark.parametrize("layout", ["cs231n", "keras"])
def test_a_chain_of_layers_has_gradients_of_each_example_in_two_factors(layout: str) -> None:
    """Rows pass reshapings, axes in another order, pools and the kernels of later layers, all examples at once."""
    first, second = (Convolution(pad=1, sizes=s, layout=layout) for s in ((2, 1, 3, 3), (3, 2, 3, 3)))
    later = [Pool("max", 2, layout=layout), Flattened(layout), Affine(layout, (12, 3))]
    net = jac.Network([first, "tanh", second, *later], "cross_entropy", layout)
    X, Y, params = rng.normal(size=(3, *((1, 4, 4) if layout == "cs231n" else (4, 4, 1)))), [0, 1, 2], net.init(0)
    rows = net.run(params, X, Y).jacobian("W1", of="losses")
    assert rows.structure.startswith("KhatriRaoSum(3×16×2, 3×16×9)")
    each = [np.linalg.norm(net.gradient(params, X[n : n + 1], Y[n : n + 1])["W1"]) for n in range(3)]
    np.testing.assert_allclose(rows.row_norms(), each)
    assert layers.kronecker_factored_rows(rows).shape == (18, 18)
