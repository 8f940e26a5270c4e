"""Dense, LowRank and Sparse."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, csr_matrix

from jacobians.errors import DTypeError, ShapeError
from jacobians.linops import Dense, LowRank, Sparse, leaves, unrolling
from tests.linops.comparing import draw, same


def test_dense_begins_with_its_codomain() -> None:
    with pytest.raises(ShapeError, match=r"^Dense: the array has shape \(2, 3\), which does not begin with \(3,\)$"):
        Dense(np.ones((2, 3)), (3,))


def test_dense_of_integers_and_of_a_list() -> None:
    J = Dense([[1, 2], [3, 4]], [2])
    assert J.dtype == np.float64
    assert J.codomain == (2,)
    assert np.array_equal(J @ np.array([1, 1]), [3, 7])
    with pytest.raises(DTypeError, match="Dense: array has dtype complex128"):
        Dense(np.ones(2, complex))


@pytest.mark.parametrize(("left", "right"), [((3, 2), (4, 1)), ((), (4, 1)), ((3, 2), ())])
def test_low_rank_needs_equal_ranks(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"^LowRank: factors \(.*\) and \(.*\) must agree in their last axis$"):
        LowRank(np.ones(left), np.ones(right))


def test_low_rank_is_never_multiplied_out() -> None:
    thin = LowRank(np.ones((10**6, 1)), np.ones((10**6, 1)))
    assert thin.nbytes == 16 * 10**6
    assert thin.jvp(np.ones(10**6))[0] == 10**6
    assert thin.diagonal().shape == (10**6,)


def test_sparse_needs_the_sizes() -> None:
    with pytest.raises(ShapeError, match=r"^Sparse: the matrix is \(2, 3\); \(4,\) to \(2,\) needs \(2, 4\)$"):
        Sparse(csr_array((2, 3)), (2,), (4,))


def test_sparse_takes_integers_and_refuses_complex() -> None:
    assert Sparse(csr_array(np.eye(2, dtype=int)), (2,), (2,)).dtype == np.float64
    with pytest.raises(DTypeError, match="Sparse: matrix has dtype complex128"):
        Sparse(csr_array(np.eye(2, dtype=complex)), (2,), (2,))


@pytest.mark.parametrize("kind", [csr_array, csr_matrix, coo_array])
def test_sparse_writes_nothing_that_it_was_given(kind: type) -> None:
    """Not even to sort or to add up entries that stand twice, in place."""
    data, rows, columns = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1]), np.array([2, 0, 1, 1])
    if kind is coo_array:
        given = coo_array((data, (rows, columns)), shape=(2, 3))
        parts = (given.data, *given.coords)
    else:
        given = kind((data, columns, np.array([0, 2, 4])), shape=(2, 3))
        parts = (given.data, given.indices, given.indptr)
    before = [p.copy() for p in parts]
    for part in parts:
        part.flags.writeable = False
    J = Sparse(given, (2,), (3,))
    twin = np.array([[2.0, 0.0, 1.0], [0.0, 7.0, 0.0]])
    for order in ("C", "F"):
        same(J.to_dense(order), twin)
        same(J.to_sparse(order).toarray(), twin)
        same(J.T.to_sparse(order).toarray(), twin.T)
    same((J.T @ J).diagonal(), np.diagonal(twin.T @ twin))
    same((J + J).to_sparse().toarray(), 2 * twin)
    same(J @ np.ones(3), twin @ np.ones(3))
    view = J.to_sparse()
    view.sum_duplicates()
    view.data[:] = 0
    same(J.to_dense(), twin)
    assert all(np.array_equal(p, b) for p, b in zip(parts, before, strict=True))


def test_repr() -> None:
    assert repr(Sparse(csr_array(np.eye(2)), (2,), (2,))).startswith("Sparse(2 stored): 2×2 float64")
    assert Dense(draw()).structure == "Row(scalar)"
    assert Dense(draw(2), (2,)).structure == "Dense(2)"


def test_matrices_of_one_entry_between_scalars() -> None:
    assert np.array_equal(LowRank(np.full(2, 3.0), np.ones(2)).to_dense(), [[6.0]])
    assert np.array_equal(Sparse(csr_array([[5.0]]), (), ()).to_dense(), [[5.0]])


def test_leaves_are_written_in_slabs() -> None:
    """Stored matrices are written by rows, all of them, also where there are more than one row has bytes."""
    for rows, columns in ((100, 1), (3, 5)):
        matrix = draw(rows, columns)
        for leaf in (LowRank(matrix, np.eye(columns)), Sparse(csr_array(matrix), (rows,), (columns,))):
            with mock.patch.object(leaves, "slabs", side_effect=unrolling.slabs) as cut:
                same(leaf.to_dense(), matrix)
            assert [call.args for call in cut.call_args_list] == [(rows, 8 * columns)], leaf.structure
