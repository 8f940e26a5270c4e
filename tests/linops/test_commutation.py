"""Commutation."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.layout import vec
from jacobians.linops import Commutation
from tests.linops.tools import draw


@pytest.mark.parametrize("order", ["C", "F"])
def test_it_takes_vec_a_to_vec_of_its_transpose(order: str) -> None:
    A = draw(2, 3)
    K = Commutation(2, 3).ordered(order)
    assert np.array_equal(K @ vec(A, order), vec(A.T, order))
    assert np.array_equal(K.to_dense().T @ K.to_dense(), np.eye(6))
    assert K.T.structure == "Commutation(3, 2)"
