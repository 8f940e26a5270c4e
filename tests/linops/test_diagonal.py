"""Diagonal and DiagonalMinusOuter."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DTypeError, ShapeError
from jacobians.linops import Diagonal, DiagonalMinusOuter
from tests.linops.comparing import draw, same


def test_it_is_its_own_transpose() -> None:
    J = Diagonal(draw(2, 3))
    assert J.T is J
    assert J.ordered("F").T.order == "F"


@pytest.mark.parametrize("order", ["C", "F"])
def test_its_diagonal_is_vec(order: str) -> None:
    values = draw(2, 3)
    assert np.array_equal(Diagonal(values).diagonal(order), values.flatten(order))


def test_dtypes() -> None:
    assert Diagonal(np.arange(3)).dtype == np.float64
    assert Diagonal(np.arange(3) > 1).dtype == np.float64
    with pytest.raises(DTypeError, match="Diagonal: values has dtype complex128"):
        Diagonal(np.ones(2, complex))


@pytest.mark.parametrize(
    ("shapes", "axis"), [(((2, 3), (2, 3), (3, 2)), 0), (((2, 3),) * 3, 2), (((2, 3),) * 3, -3), (((),) * 3, 0)]
)
def test_arrays_and_axis_must_fit(shapes: tuple[tuple[int, ...], ...], axis: int) -> None:
    with pytest.raises(ShapeError, match=rf"^DiagonalMinusOuter: d .*, u .*, v .* must agree and have axis {axis}$"):
        DiagonalMinusOuter(*(np.ones(s) for s in shapes), axis)


def test_axes_count_from_either_end() -> None:
    d, u, v = draw(2, 3, 4), draw(2, 3, 4, seed=2), draw(2, 3, 4, seed=3)
    for axis in range(3):
        same(DiagonalMinusOuter(d, u, v, axis).to_dense(), DiagonalMinusOuter(d, u, v, axis - 3).to_dense())


def test_softmax_annihilates_constants_and_log_softmax_sums() -> None:
    p = np.exp(draw(3, 4))
    p /= p.sum(axis=-1, keepdims=True)
    softmax = DiagonalMinusOuter(p, p, p, -1)
    assert np.abs(softmax.jvp(np.ones((3, 4)))).max() < 1e-15
    same(softmax.T.to_dense(), softmax.to_dense())
    ones = np.ones_like(p)
    same(DiagonalMinusOuter(ones, ones, p, -1).vjp(ones), 1 - 4 * p)


def test_blocks_are_one_matrix_a_slice() -> None:
    d, u, v = draw(3, 4), draw(3, 4, seed=2), draw(3, 4, seed=3)
    blocks = DiagonalMinusOuter(d, u, v, 0).blocks()
    assert blocks.shape == (4, 3, 3)
    same(blocks[1], np.diag(d[:, 1]) - np.outer(u[:, 1], v[:, 1]))


def test_a_wider_diagonal_is_not_rounded() -> None:
    d, u = draw(3), draw(3, dtype=np.float32)
    J = DiagonalMinusOuter(d, u, u, 0)
    assert J.to_dense().dtype == J.to_sparse().dtype == np.float64
    off = np.multiply(u, u).astype(np.float64)
    assert np.abs(J.diagonal() - (d - off)).max() < 1e-7
    same(DiagonalMinusOuter(d, 0 * u, u, 0).to_dense(), np.diag(d))


def test_structure() -> None:
    assert DiagonalMinusOuter(*[np.ones((3, 4))] * 3, axis=-1).structure == "DiagonalMinusOuter(3 of 4×4)"
    assert DiagonalMinusOuter(*[np.ones((3, 4))] * 3, axis=0).structure == "DiagonalMinusOuter(4 of 3×3)"
    assert DiagonalMinusOuter(*[np.ones((3, 0))] * 3, axis=1).structure == "DiagonalMinusOuter(0 of 0×0)"
