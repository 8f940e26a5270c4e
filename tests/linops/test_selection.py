"""Selection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.errors import ShapeError
from jacobians.linops import Selection
from tests.linops.tools import draw

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
