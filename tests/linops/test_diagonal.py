"""Diagonal."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DTypeError
from jacobians.linops import Diagonal
from tests.linops.tools import draw


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
