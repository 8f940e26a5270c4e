"""Picture: the matrix of a dense twin, in either order and layout; zeros by chance; large matrices in blocks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from scipy.sparse import csr_array

from jacobians import Network
from jacobians.errors import LayoutError
from jacobians.linops import (
    BlockDiagonal,
    BlockRow,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Product,
    Scaled,
    Selection,
    Sparse,
    Sum,
)
from jacobians.pictures import picture
from jacobians.testing.strategies import structures
from tests.linops.cases import CASES, built
from tests.linops.comparing import matrix_of
from tests.linops.dense_twins import indices, reordered

rng = np.random.default_rng(3)
ORDERS = ["C", "F"]


def names(shape, letter, order):
    return [letter + "".join("₀₁₂₃₄₅₆₇₈₉"[i + 1] for i in index) for index in indices(shape, order)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_structure_has_the_picture_of_its_twin(case, order):
    """No entry of random numbers is 0 by chance, so none may be marked as such."""
    jacobian, twin = built(case.name)
    drawn = picture(jacobian, order=order)
    expected = matrix_of(jacobian, twin, order)
    np.testing.assert_allclose(drawn.values, expected, rtol=1e-12, atol=1e-13)
    assert (drawn.rows.size, drawn.columns.size) == expected.shape == drawn.zeros.shape
    assert not drawn.zeros.any()


@given(structures())
def test_structures_drawn_at_random(case):
    jacobian = case.jacobian
    for order in ORDERS:
        expected = reordered(case.twin, jacobian.codomain, jacobian.domain, order)
        np.testing.assert_allclose(picture(jacobian, order=order).values, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_labels_stand_at_their_entries(order):
    jacobian = Kronecker(rng.normal(size=(2, 3)), rng.normal(size=(4, 2)))
    out, into = names((2, 4), "z", order), names((3, 2), "w", order)
    drawn = picture(jacobian, of="Z", wrt="W", order=order)
    turned = picture(Denominator(jacobian), of="Z", wrt="W", order=order)
    for i, z in enumerate(out):
        for j, w in enumerate(into):
            assert drawn.label(i, j) == turned.label(j, i) == f"∂{z}/∂{w}"
    assert drawn.rows == turned.columns == drawn.output
    assert drawn.columns == turned.rows == drawn.input
    assert drawn.title == turned.title == "Kronecker(2×3, 4×2)"
    assert drawn.heading == turned.heading == "∂Z/∂W"
    assert turned.caption.startswith(f"6×8, {order} order, denominator layout, |entry| ≤ ")


def test_the_order_is_the_jacobians_own_unless_given():
    jacobian = Kronecker(2, rng.normal(size=(3, 2)))
    assert picture(jacobian).output.order == "C"
    assert picture(jacobian.ordered("F")).output.order == "F"
    assert picture(jacobian.ordered("F"), order="C").output.order == "C"
    with pytest.raises(LayoutError, match=r"picture: order='K' is unknown; choose 'C' or 'F'"):
        picture(jacobian, order="K")


# --- zeros ---------------------------------------------------------------------------------------------


def ones(array):
    return (np.asarray(array) != 0) * 0 + 1.0


A, B = np.array([[0.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0, 5.0]])
D = np.array([[0.0, 1.0], [2.0, 0.0]])
COUNTS = np.kron(np.eye(2), ones(B))

ZEROS: list[tuple[Jacobian, np.ndarray]] = [
    (Diagonal(D), np.eye(4)),
    (Kronecker(A, B), np.ones((2, 6))),
    (Kronecker(2, B), COUNTS),
    (Kronecker(A, 3), np.kron(ones(A), np.eye(3))),
    (BlockDiagonal(np.array([[[0.0, 1.0]], [[2.0, 0.0]]]), (2, 1), (2, 2)), np.kron(np.eye(2), np.ones((1, 2)))),
    (DiagonalMinusOuter(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)), -1), np.kron(np.eye(2), np.ones((2, 2)))),
    (KhatriRao(A, A), np.ones((2, 4))),
    (LowRank(A, A), np.ones((2, 2))),
    (Dense(A, (2,)), np.ones((2, 2))),
    (Sparse(csr_array(([0.0, 7.0], [1, 0], [0, 1, 2])), (2,), (2,)), np.array([[0.0, 1], [1, 0]])),
    (Scaled(0.0, Kronecker(2, B)), COUNTS),
    (Product((Kronecker(2, B), Diagonal(np.zeros((2, 3))))), COUNTS),
    (Sum((Kronecker(2, B), Scaled(-1.0, Kronecker(2, B)))), COUNTS),
    (BlockRow((Kronecker(2, B), Diagonal(np.zeros((2, 1))))), np.hstack([COUNTS, np.eye(2)])),
    (Selection(np.array([[2, 0]]), (3,)).T @ Diagonal(np.array([[0.0, 1.0]])), np.array([[0.0, 1], [0, 0], [1, 0]])),
    (Identity((3,)), np.eye(3)),
]


@pytest.mark.parametrize(("jacobian", "inside"), ZEROS, ids=lambda part: getattr(part, "structure", ""))
def test_zeros_inside_the_structure_are_told_from_those_outside(jacobian, inside):
    drawn = picture(jacobian)
    assert np.array_equal(drawn.zeros, (inside != 0) & (jacobian.to_dense() == 0))
    assert np.array_equal(picture(Denominator(jacobian)).zeros, drawn.zeros.T)


def test_a_structure_of_somebody_elses_has_no_zeros_by_chance():
    class Own(Jacobian):
        __slots__ = ()
        structure, flops, arrays = "Own", 0, ()

        def _jvp(self, tangent):
            return tangent * [0.0, -1.0]

        _vjp = _jvp

        def _sparse(self):
            return csr_array(np.diag([0.0, -1.0]))

        def _transpose(self):
            return self

    drawn = picture(Own((2,), (2,), np.dtype(float)))
    assert np.array_equal(drawn.values, np.diag([0.0, -1.0]))
    assert not drawn.zeros.any()


def test_not_a_number_is_neither_zero_nor_the_scale():
    drawn = picture(Dense(np.array([[np.nan, -3.0], [np.inf, 0.0]]), (2,)))
    assert drawn.largest == 3
    assert drawn.zeros.tolist() == [[False, False], [False, True]]


# --- large matrices --------------------------------------------------------------------------------------


def coarse(matrix, a, b):
    """By loops: of each block of a×b entries the one of largest magnitude."""
    rows, columns = range(0, matrix.shape[0], a), range(0, matrix.shape[1], b)
    out = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            block = matrix[row : row + a, column : column + b].ravel()
            out[i, j] = block[np.abs(block).argmax()]
    return out


@pytest.mark.parametrize("order", ORDERS)
def test_more_than_200_rows_or_columns_are_drawn_in_blocks(order):
    W = rng.normal(size=(3, 9))
    jacobian = Kronecker(75, W)
    drawn = picture(jacobian, order=order)
    assert drawn.step == (2, 4)
    dense = np.kron(np.eye(75), W) if order == "C" else np.kron(W, np.eye(75))
    np.testing.assert_allclose(drawn.values, coarse(dense, 2, 4))
    assert drawn.caption == f"225×675, {order} order, |entry| ≤ {np.abs(W).max():.3g}, 2×4 entries a cell"
    turned = picture(Denominator(jacobian), order=order)
    assert turned.step == (4, 2)
    assert np.array_equal(turned.values, drawn.values.T)


def test_a_limit_of_cells_coarsens_a_small_matrix():
    W = rng.normal(size=(7, 11))
    drawn = picture(Dense(W, (7,)), cells=20)
    assert drawn.values.size <= 20
    np.testing.assert_array_equal(drawn.values, coarse(W, *drawn.step))
    assert picture(Dense(W, (7,)), cells=77).step == (1, 1)


def test_a_coarse_cell_marks_a_zero_only_if_all_of_it_is_zero():
    d = np.ones(400)
    d[[0, 1, 5]] = 0
    drawn = picture(Diagonal(d))
    assert drawn.step == (2, 2)
    assert np.argwhere(drawn.zeros).tolist() == [[0, 0]]


def test_repeated_entries_of_a_sparse_matrix_are_added():
    repeated = csr_array((np.array([1.0, 2.0]), np.array([0, 0]), np.array([0, 2] + [2] * 300)), shape=(301, 2))
    assert picture(Sparse(repeated, (301,), (2,))).values[0, 0] == 3


def test_a_large_jacobian_is_drawn_without_its_dense_matrix():
    W = rng.normal(size=(50, 50))
    picture(Kronecker(40, W))
    tracemalloc.start()
    try:
        drawn = picture(Kronecker(40, W))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert drawn.values.shape == (200, 200)
    np.testing.assert_array_equal(drawn.values[5:10, 5:10], coarse(W, 10, 10))
    assert peak < 2000 * 2000 * 8 / 4


def thin(rows, columns):
    return LowRank(np.ones((rows, 1)), np.ones((columns, 1)))


LARGE = [
    Kronecker(np.ones((300, 300)), np.ones((300, 300))),
    thin(3000, 3000),
    thin(3000, 3000).T,
    Product((Selection((slice(2),), (3000,)), thin(3000, 3000))),
    Sum((Identity((3000,)), thin(3000, 3000))),
    BlockRow((Identity((3000,)), thin(3000, 3000))),
    Product((Kronecker(*[np.ones((1, 2000))] * 2), Commutation(2000, 2000), Kronecker(*[np.ones((2000, 1))] * 2))),
]


@pytest.mark.parametrize("jacobian", LARGE, ids=lambda jacobian: jacobian.structure)
def test_a_matrix_that_is_too_large_is_not_built(jacobian):
    tracemalloc.start()
    try:
        drawn = picture(jacobian)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert drawn.values is drawn.zeros is None
    assert drawn.largest == 0
    assert drawn.caption.endswith("too large to draw")
    assert peak < 20_000_000


def test_an_empty_matrix_has_an_empty_picture():
    drawn = picture(Kronecker(0, np.ones((2, 3))))
    assert drawn.values.shape == (0, 0)
    assert drawn.caption == "0×0, C order, empty"


def test_packed_parameters_are_the_blocks_of_a_block_row():
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    run = net.run(net.init(rng), rng.normal(size=(5, 4)), [0, 1, 1, 0, 1])
    drawn = picture(run.parameter_jacobian("output"), wrt="theta")
    assert drawn.columns.boundaries == (15,)
    assert drawn.rows.boundaries == (5,)
    blocks = [run.jacobian(name, of="output").to_dense("F") for name in ("Theta1", "Theta2")]
    np.testing.assert_allclose(drawn.values, np.hstack(blocks), rtol=1e-12)
