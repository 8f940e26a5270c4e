"""Identity, Reshape and Zero."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import ShapeError
from jacobians.linops import Identity, Reshape, Zero
from tests.linops.twins import permutation


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
