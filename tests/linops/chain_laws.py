"""The law of chains: every bracketing is the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.linops import Jacobian
from tests.linops.tools import draw, images, same
from tests.linops.twins import reordered


def bracketings(items: Sequence[Any], join: Callable[[Any, Any], Any]) -> list[Any]:
    """The chain multiplied out in every bracketing (Catalan many)."""
    if len(items) == 1:
        return [items[0]]
    return [
        join(left, right)
        for cut in range(1, len(items))
        for left, right in itertools.product(bracketings(items[:cut], join), bracketings(items[cut:], join))
    ]


def association(factors: Sequence[Jacobian], matrices: Sequence[np.ndarray]) -> None:
    """Every bracketing of a chain has the same value, shape, dtype and vec order: those of the twins' product."""
    expected = matrices[0]
    for matrix in matrices[1:]:
        expected = expected @ matrix
    dtype = np.result_type(*(f.dtype for f in factors))
    # a narrow factor's own matrix rounds, and so does the merge of two; a pair acts as exactly as its wider factor
    narrow = min((f.dtype for f in factors), key=lambda d: d.itemsize)
    acting = dtype if len(factors) == 2 else narrow
    slack = np.abs(matrices[0])
    for matrix in matrices[1:]:
        slack = slack @ np.abs(matrix)
    tangent, cotangent = draw(*factors[-1].domain), draw(*factors[0].codomain)
    for result in bracketings(factors, lambda left, right: left @ right):
        assert isinstance(result, Jacobian)
        assert (result.codomain, result.domain) == (factors[0].codomain, factors[-1].domain)
        assert result.dtype == dtype, f"{result!r}: dtype, expected {dtype}"
        assert result.order == next((f.order for f in factors if f.order is not None), None), f"{result!r}: order"
        # against the size that the sums may have reached
        size = max(slack.max(initial=0.0), 1.0)
        full = reordered(expected, result.codomain, result.domain, result.order)
        same(result.to_dense("C") / size, expected / size, narrow, repr(result))
        same(result.to_dense() / size, full / size, narrow, repr(result))
        same(result.jvp(tangent) / size, images(result, expected, tangent) / size, acting, repr(result))
        same(result.vjp(cotangent) / size, images(result, expected, cotangent, back=True) / size, acting, repr(result))
        assert result.to_dense().dtype == dtype
        assert result.jvp(tangent.astype(dtype)).dtype == dtype
