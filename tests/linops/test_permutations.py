"""Identity, Reshape, Commutation and Selection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.errors import ShapeError
from jacobians.layout import vec
from jacobians.linops import Commutation, Identity, Reshape, Selection, Zero
from tests.linops.comparing import draw
from tests.linops.dense_twins import permutation


def test_reshape_needs_equal_sizes() -> None:
    with pytest.raises(ShapeError, match=r"^Reshape: \(2, 3\) has 6 entries, \(5,\) has 5$"):
        Reshape((5,), (2, 3))


def test_reshape_is_the_identity_in_c_order_and_a_permutation_in_f_order() -> None:
    J = Reshape((3, 2), (2, 3))
    assert np.array_equal(J.to_dense("C"), np.eye(6))
    assert np.array_equal(J.to_dense("F"), permutation((3, 2)) @ permutation((2, 3)).T)


@pytest.mark.parametrize("operator", [Identity([2, 3]), Reshape([2, 3], [6]), Zero([2, 3], [6])])
def test_shapes_may_be_lists(operator: Identity) -> None:
    assert operator.codomain == (2, 3)
    assert operator.nbytes == operator.flops == 0


@pytest.mark.parametrize("order", ["C", "F"])
def test_it_takes_vec_a_to_vec_of_its_transpose(order: str) -> None:
    A = draw(2, 3)
    K = Commutation(2, 3).ordered(order)
    assert np.array_equal(K @ vec(A, order), vec(A.T, order))
    assert np.array_equal(K.to_dense().T @ K.to_dense(), np.eye(6))
    assert K.T.structure == "Commutation(3, 2)"


EVERY = slice(None)


@pytest.mark.parametrize("key", [(EVERY,), (EVERY, EVERY, EVERY), (EVERY, 1), ()])
def test_one_slice_an_axis(key: tuple[Any, ...]) -> None:
    with pytest.raises(ShapeError, match=r"^Selection: domain \(2, 3\) needs 2 slices; got \("):
        Selection(key, (2, 3))


@pytest.mark.parametrize("key", [[0, 6], [-1, 0], [0.0, 1.0], [True, False]])
@pytest.mark.parametrize("kind", [list, np.array])
def test_an_index_holds_places(key: list[Any], kind: Any) -> None:
    message = r"^Selection: the index must hold integers in \[0, 6\), flat places in \(2, 3\)$"
    with pytest.raises(ShapeError, match=message):
        Selection(kind(key), (2, 3))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_any_integers_do(dtype: type) -> None:
    J = Selection(np.array([5, 0, 5], dtype), (2, 3))
    assert np.array_equal(J.vjp(np.array([1.0, 2.0, 3.0])), [[2, 0, 0], [0, 0, 4]])


def test_the_index_is_the_operators_own() -> None:
    key = np.array([0, 1])
    J = Selection(key, (3,))
    key[:] = 2
    assert np.array_equal(J.jvp(np.array([1.0, 2.0, 3.0])), [1, 2])


def test_dropping_undoes_placing() -> None:
    J = Selection((EVERY, slice(1, None)), (4, 3))
    x = draw(4, 2)
    assert np.array_equal(J.jvp(J.vjp(x)), x)
    assert np.array_equal(J.vjp(x)[:, 0], np.zeros(4))


def test_structure() -> None:
    assert Selection((slice(1, None), slice(None, 3, 2)), (4, 5)).structure == "Selection([1:, :3:2] of 4×5)"
    assert Selection(np.zeros((2, 2), int), (4, 5)).structure == "Selection(4 of 4×5)"
    assert Selection((), ()).structure == "Selection([] of scalar)"
