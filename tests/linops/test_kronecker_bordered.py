"""A border of ones is multiplied as if it were there, and is not."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from jacobians import Layout, Network, affine
from jacobians.linops import Dense, Kronecker
from jacobians.linops.kronecker import Bordered
from tests.linops.comparing import draw, same


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("stack", [(), (2,), (2, 3)])
def test_products_are_those_of_the_matrix(first: bool, axis: int, stack: tuple[int, ...]) -> None:
    X = draw(4, 3)
    ones = np.ones((4, 1) if axis else (1, 3))
    matrix = np.concatenate([ones, X] if first else [X, ones], axis=axis)
    found = Bordered(X, first=first, axis=axis)
    rows, columns = matrix.shape
    assert found.shape == matrix.shape
    assert np.array_equal(found.filled(), matrix)
    assert np.array_equal(found.T.filled(), matrix.T)
    right, left = draw(*stack, columns, 5, seed=1), draw(*stack, 5, rows, seed=2)
    same(found.times(right), matrix @ right)
    same(found.after(left), left @ matrix)
    assert found.times(right.astype(np.float32)).shape == (matrix @ right).shape


@pytest.mark.parametrize("first", [True, False])
def test_a_kronecker_product_with_a_border(first: bool) -> None:
    X = draw(4, 3)
    matrix = np.concatenate([np.ones((4, 1)), X] if first else [X, np.ones((4, 1))], axis=1)
    border = Bordered(X, first=first, axis=1)
    for bordered, plain in (
        (Kronecker(border, 2), Kronecker(matrix, 2)),
        (Kronecker(2, border), Kronecker(2, matrix)),
        (Kronecker(border, draw(2, 5)), Kronecker(matrix, draw(2, 5))),
        (Kronecker(border, 2).T, Kronecker(matrix, 2).T),
    ):
        same(bordered.to_dense(), plain.to_dense())
        t, c = draw(*plain.domain, seed=3), draw(*plain.codomain, seed=4)
        same(bordered.jvp(t), plain.jvp(t))
        same(bordered.vjp(c), plain.vjp(c))
        assert bordered.structure == plain.structure
        assert bordered.flops == plain.flops


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("weights", ["rows", "columns"])
@pytest.mark.parametrize("bias", ["first", "last"])
def test_no_ones_are_put_beside_a_batch(batch: str, weights: str, bias: str) -> None:
    """2000 × 500 numbers are 8 MB; the gradient with respect to 500 × 2 weights takes none of that."""
    layout = Layout(batch=batch, weights=weights, bias=bias)
    X, W = np.ones(layout.batch_shape(2000, 500)), np.ones(layout.weight_shape(500, 2))
    Z, J = affine(X, W, layout=layout)
    row = Dense(np.ones_like(Z))
    row @ J.W.ordered("C")  # imports what it needs
    tracemalloc.start()
    gradient = (row @ J.W.ordered("C")).gradient
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (gradient == 2000).all()
    assert peak < 200_000


def test_a_long_float32_bias_does_not_stall() -> None:
    layout = Layout(weights="rows", bias="first", batch="columns")
    count = 2**24 + 16
    ones = np.ones((1, count), dtype=np.float32)
    J = affine(ones, np.ones((1, 2), dtype=np.float32), layout=layout)[1]
    assert J.W.vjp(ones).tolist() == [[count, count]]


def test_a_network_in_ng_s_layout_makes_the_same_gradient() -> None:
    same_net = {"activation": "sigmoid", "loss": "cross_entropy"}
    ng, plain = (Network.dense((4, 3, 2), convention=name, **same_net) for name in ("ng-ml-2011", "cs231n"))
    X, Y = draw(6, 4), np.array([0, 1, 1, 0, 1, 0])
    found = ng.gradient(ng.init(np.random.default_rng(0)), X, Y)
    expected = plain.gradient(plain.init(np.random.default_rng(0)), X, Y)
    same(found["Theta1"][:, 1:], expected["W1"].T)
    same(found["Theta2"][:, 0], expected["b2"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("first", [True, False])
def test_a_border_has_the_dtype_of_its_data(first: bool, dtype: type) -> None:
    border = Bordered(draw(4, 3, dtype=dtype), first=first, axis=1)
    assert border.dtype == border.filled().dtype == border.T.filled().dtype == dtype
    assert border.times(draw(4, 2, dtype=dtype)).dtype == dtype
    assert border.T.times(draw(4, 2, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("first", [True, False])
def test_a_long_float32_border_is_summed_in_float64(first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jacobians.linops.kernels._LONG", 4)
    values = np.ones((9, 3), dtype=np.float32)
    values[0] = 2**24
    border = Bordered(np.ones((9, 1), dtype=np.float32), first=first, axis=1)
    assert (border.T.times(values) == 2**24 + 8).all()
