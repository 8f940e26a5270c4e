"""Transpose, reshape, sums and means against loops over entries."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

from jacobians import mean, reshape, total, transpose
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Commutation
from jacobians.operations import Mean, Reshaping, Total, Transpose
from jacobians.testing import assert_dense_twin
from tests.linops.dense_twins import by_entries
from tests.operations.random_inputs import WRITTEN, Numbers

G = Numbers(11)


def written(twin: np.ndarray, layout: Layout) -> np.ndarray:
    return twin if layout.derivative == "numerator" else twin.T


@pytest.mark.parametrize("layout", WRITTEN)
def test_transpose_takes_each_entry_across_the_diagonal(layout: Layout) -> None:
    X = G(3, 4)
    value, J = transpose(X, layout)
    assert np.array_equal(value, X.T)
    twin = by_entries((4, 3), (3, 4), lambda i, j: float(i == j[::-1]))
    assert_dense_twin(J, written(twin, layout))
    assert isinstance(Transpose(layout).evaluate(X)[1].numerator("X"), Commutation)


@pytest.mark.parametrize("shape", [(12,), (4, 3), (2, 3, 2), (1, 12, 1)])
def test_reshape_keeps_the_order_of_c(shape: tuple[int, ...]) -> None:
    X = G(3, 4)
    for layout in WRITTEN:
        value, J = reshape(np.asfortranarray(X), shape, layout)
        assert np.array_equal(value, X.reshape(shape))

        def same_place(i: tuple[int, ...], j: tuple[int, ...]) -> float:
            return float(np.ravel_multi_index(i, shape) == np.ravel_multi_index(j, X.shape))

        assert_dense_twin(J, written(by_entries(shape, X.shape, same_place), layout))
        if layout.derivative == "numerator":
            assert np.array_equal(J @ X.ravel(layout.vec), value.ravel(layout.vec))


def test_reshape_to_and_from_a_scalar() -> None:
    value, J = reshape([[5.0]], ())
    assert value == 5.0
    assert np.array_equal(J.gradient, [[1.0]])
    assert reshape(5.0, (1, 1))[0].shape == (1, 1)


def axes_of(rank: int) -> list[Any]:
    """None, every axis from both ends, and every tuple of them."""
    several = [axes for count in range(rank + 1) for axes in itertools.permutations(range(rank), count)]
    return [None, *range(-rank, rank), *several, *(tuple(axis - rank for axis in axes) for axes in several)]


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("operation", [total, mean])
def test_sums_and_means_by_loops(operation: Any, rank: int) -> None:
    X = G(*(3, 4, 2, 2)[:rank])
    X = np.abs(X) if rank == 4 else X  # sums of many that do not cancel
    for axis in axes_of(rank):
        value, J = operation(X, axis)
        axes = axis if isinstance(axis, tuple) else (axis,)
        places = range(X.ndim) if axis is None else [place % X.ndim for place in axes]
        np.testing.assert_allclose(value, (X.sum if operation is total else X.mean)(axis=axis), rtol=1e-13)
        kept = [k for k in range(X.ndim) if k not in places]
        count = 1 if operation is total else int(np.prod([X.shape[k] for k in places]))
        expected = np.zeros([X.shape[k] for k in kept])
        for index in np.ndindex(X.shape):
            expected[tuple(index[k] for k in kept)] += X[index] / count
        np.testing.assert_allclose(value, expected, rtol=1e-13)

        def weight(i: tuple[int, ...], j: tuple[int, ...], kept: Any = kept, count: int = count) -> float:
            return float(i == tuple(j[k] for k in kept)) / count

        assert_dense_twin(J, by_entries(value.shape, X.shape, weight))
        assert value.shape == expected.shape
        assert type(value) is np.ndarray


@pytest.mark.parametrize("axis", axes_of(3))
@pytest.mark.parametrize("operation", [total, mean])
def test_kept_axes_have_length_1(operation: Any, axis: Any) -> None:
    X = G(3, 4, 2)
    value, J = operation(X, axis, keepdims=True)
    alone, of_alone = operation(X, axis)
    assert value.shape == X.sum(axis, keepdims=True).shape == J.codomain
    assert np.array_equal(value.reshape(alone.shape), alone)
    assert np.array_equal(J.to_dense("C"), of_alone.to_dense("C"))


@pytest.mark.parametrize("shape", [(-1,), (-1, 4), (3, -1), (2, -1, 3), -1])
def test_a_length_of_minus_1_is_worked_out(shape: Any) -> None:
    X = G(2, 3, 4)
    value, J = reshape(X, shape)
    assert np.array_equal(value, X.reshape(shape))
    assert J.codomain == value.shape
    assert np.array_equal(J.to_dense("C"), np.eye(24))
    assert reshape(np.zeros((0, 4)), (-1, 4))[0].shape == (0, 4)


def test_the_sum_of_nothing_is_0_and_its_mean_is_refused() -> None:
    nothing = np.zeros((0, 3))
    assert total(nothing)[0] == 0
    assert np.array_equal(total(nothing, 0)[0], np.zeros(3))
    assert total(nothing, 0)[1].shape == (3, 0)
    assert mean(nothing, 1)[0].shape == (0,)
    for axis in (None, 0, -2):
        message = re.escape("mean: X has shape (0, 3); the mean of no entries is undefined")
        with pytest.raises(DomainError, match=message):
            mean(nothing, axis)


def test_sums_keep_extended_precision() -> None:
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        pytest.skip("no extended precision here")
    X = np.array([1, 2**-60], dtype=np.longdouble)
    assert total(X)[0] - 1 == X[1]
    assert total(X)[0].dtype == np.longdouble


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: transpose(np.ones(3)), "transpose: X has shape (3,); expected a matrix"),
        (lambda: transpose(np.ones((2, 3, 4))), "transpose: X has shape (2, 3, 4); expected a matrix"),
        (lambda: reshape(np.ones((2, 3)), (4,)), "reshape: X has shape (2, 3), 6 entries; (4,) does not hold as many"),
        (
            lambda: reshape(np.ones((2, 3)), (-1, -1)),
            "reshape: X has shape (2, 3), 6 entries; (-1, -1) does not hold as many; only one length may be -1",
        ),
        (lambda: reshape(np.ones((2, 3)), (-1, 4)), "6 entries; (-1, 4) does not hold as many"),
        (lambda: reshape(np.ones((2, 3)), (-1, 0)), "6 entries; (-1, 0) does not hold as many"),
        (lambda: reshape(np.ones((2, 3)), (-2, -3)), "(-2, -3) does not hold as many"),
        (lambda: reshape(np.ones((2, 3)), ()), "() does not hold as many"),
        (lambda: total(np.ones((2, 3)), 2), "total: X has shape (2, 3), which has no axis 2"),
        (lambda: mean(np.ones((2, 3)), -3), "mean: X has shape (2, 3), which has no axis -3"),
        (lambda: mean(np.ones((0, 3)), 2), "mean: X has shape (0, 3), which has no axis 2"),
        (lambda: total(1.0, 0), "total: X has shape (), which has no axis 0"),
        (lambda: total(np.ones((2, 3)), (0, 2)), "total: X has shape (2, 3), which has no axis 2"),
        (lambda: mean(np.ones((2, 3)), (-3, 0)), "mean: X has shape (2, 3), which has no axis -3"),
        (lambda: mean(np.ones((2, 3)), (0, -2)), "mean: X has shape (2, 3); axis=(0, -2) names one axis twice"),
        (lambda: total(np.ones((2, 3)), 1.5), "total: axis is a float; expected an integer, several in a tuple, such"),
        (lambda: mean(np.ones((2, 3)), (0, "1")), "mean: axis is a tuple of 2 items; expected an integer, several in"),
        (lambda: total(np.ones((2, 3)), "rows"), "total: axis is the text 'rows'; expected an integer, several in a t"),
    ],
)
def test_refusals(run: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        run()


def test_a_shape_that_is_none() -> None:
    assert np.array_equal(reshape(np.ones((2, 3)), 6)[0], np.ones(6))  # type: ignore[arg-type]
    for shape, said in (
        (np.ones((2, 3)), "an array of shape (2, 3)"),
        ("6", "the text '6'"),
        ((2.0, 3), "a tuple of 2"),
    ):
        message = f"reshape: shape is {said}"
        with pytest.raises(
            ArgumentError, match=re.escape(message) + ".*; expected a tuple, such as .* The order is X, sha"
        ):
            reshape((6,), shape)  # type: ignore[arg-type]


def test_several_axes_store_no_more_than_one() -> None:
    X = G(20, 30, 40)
    for axis in ((0, 1), (1, 2), (2, 1)):
        assert total(X, axis)[1].nbytes <= 8 * X.size // 20
    assert total(X, (0, 2))[1].nbytes <= X.nbytes


def test_names() -> None:
    made = (Transpose(), Reshaping((2,)), Total(), Mean())
    assert [operation.name for operation in made] == ["transpose", "reshape", "total", "mean"]
    assert all(operation.names == ("X",) for operation in made)


def test_nothing_is_stored_but_what_the_mean_is_weighted_with() -> None:
    X = G(50, 40, 30)
    for axis, operation in itertools.product((0, 1, 2), (total, mean)):
        J = operation(X, axis)[1]
        assert J.nbytes <= X.nbytes
        assert np.allclose(J.vjp(np.ones(J.codomain)), 1.0 if operation is total else 1.0 / X.shape[axis])
