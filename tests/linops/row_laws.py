"""The laws of a matrix's rows, as those in `laws`: norms, inner products, and which examples are kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import TooLargeError
from jacobians.linops import Jacobian
from tests.linops.tools import draw, same
from tests.linops.twins import permutation


def row_norms(operator: Jacobian, twin: np.ndarray) -> None:
    """`row_norms` is the norm of every row of the twin, shaped like the codomain, in either derivative layout."""
    found = operator.row_norms()
    assert found.dtype == operator.dtype, f"row_norms: {found.dtype}, stated {operator.dtype}"
    expected = np.sqrt((twin * twin).sum(axis=1)).reshape(operator.codomain)
    same(found, expected, what="row_norms")
    same(operator.ordered("F").row_norms(), expected, operator.dtype, "row_norms in order F")
    assert found.flags.writeable, "row_norms: the output is read-only"
    assert not any(np.shares_memory(found, a) for a in operator.arrays), "row_norms: shares memory"


def gram(operator: Jacobian, twin: np.ndarray) -> None:
    """`gram` is the twin times its transpose, in either order and either derivative layout; it has a byte limit."""
    products, p = twin @ twin.T, permutation(operator.codomain)
    for order, expected in (("C", products), ("F", p @ products @ p.T)):
        found = operator.gram(order)
        assert found.dtype == operator.dtype, f"gram: {found.dtype}, stated {operator.dtype}"
        same(found, expected, what=f"gram({order!r})")
        same(operator.ordered(order).gram(), expected, operator.dtype, f"ordered({order!r}).gram()")
        assert found.flags.writeable, "gram: the output is read-only"
        assert not any(np.shares_memory(found, a) for a in operator.arrays), "gram: shares memory"
    needed = products.size * operator.dtype.itemsize
    operator.gram(limit=needed)
    if needed:
        with pytest.raises(TooLargeError, match=f"pass limit={needed}$"):
            operator.gram(limit=needed - 1)


def examples_do_not_mix(operator: Jacobian, twin: np.ndarray) -> None:
    """Along every axis that is said to keep examples apart, another example's tangent changes nothing."""
    for axis in filter(operator._keeps_examples, (0, -1)):
        count = operator.domain[axis]
        assert operator.codomain[axis] == count, f"examples: {operator.domain} to {operator.codomain}, axis {axis}"
        for n in range(count):
            alone = np.zeros(operator.domain)
            alone[(n,) if axis == 0 else (..., n)] = 1.0
            alone *= draw(*operator.domain)
            image = (twin @ alone.ravel()).reshape(operator.codomain)
            assert not np.delete(image, n, axis=axis).any(), f"examples: {n} reaches others along axis {axis}"


ROW_LAWS = [row_norms, gram, examples_do_not_mix]
