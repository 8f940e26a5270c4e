"""Law 5: matrix products associate, and so do Jacobians."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from operator import matmul

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import JacobiansError
from jacobians.linops import Denominator, Jacobian
from jacobians.testing.compare import agree, draw, fail, generator, largest, terms
from jacobians.testing.jacobian_laws import in_order

__all__ = ["assert_association"]


def assert_association(
    factors: Sequence[Jacobian],
    rng: np.random.Generator | None = None,
    *,
    matrices: Sequence[Array] | None = None,
    what: str = "",
) -> None:
    """Law 5, association: every bracketing of a chain has the same value, shape, dtype and vec order.

    Parameters
    ----------
    factors : sequence of Jacobian
        In the order in which they are multiplied with ``@``; all bracketings are tried (2 of 3 factors, 14 of 5).
    rng : Generator, optional
    matrices : sequence of ndarray, optional
        The factors' matrices in C order and float64, built independently; their own dense views unless given.
    what : str, optional
        Names the chain in messages.

    Raises
    ------
    AssertionError
        If one bracketing differs from the product of the factors' dense matrices, or from the joint dtype.

    Examples
    --------
    >>> from jacobians.linops import Dense, Diagonal, Kronecker
    >>> row, J = Dense(np.ones((4, 2))), Kronecker(4, np.ones((2, 3)))
    >>> assert_association([row, Diagonal(np.ones((4, 2))), J])
    """
    rng = generator(rng)
    what = what or " @ ".join(f.structure for f in factors)
    order = next((f.order for f in factors if f.order is not None), None)
    dtype = np.result_type(*(f.dtype for f in factors))
    narrow = min((f.dtype for f in factors), key=lambda d: d.itemsize)
    # a pair acts as exactly as its wider factor; where more are merged, what is merged rounds
    acting = dtype if matrices is not None and len(factors) == 2 else narrow
    turned = any(isinstance(f, Denominator) for f in factors)
    expected = reduce(matmul, [f.to_dense("C") for f in factors] if matrices is None else matrices)
    numerator = expected.T if turned else expected
    scale = largest(reduce(matmul, map(terms, factors[::-1] if turned else factors)))
    ends = (factors[-1], factors[0]) if turned else (factors[0], factors[-1])
    maps = ends[0].codomain, ends[1].domain
    t, c = draw(rng, maps[1], dtype), draw(rng, maps[0], dtype)
    for text, result in _bracketings(factors, what):
        where = f"{what}, bracketed {text}"
        if (result.codomain, result.domain) != maps:
            fail("association", where, f"maps {result.domain} to {result.codomain}, the factors {maps[1]} to {maps[0]}")
        if result.dtype != dtype:
            fail("association", where, f"dtype {result.dtype}, the factors' joint dtype is {dtype}")
        if result.order != order:
            fail("association", where, f"vec order {result.order}, the factors have {order}")
        own = in_order(expected, result, order or "C")  # the vec order that no bracketing may lose
        agree("association", where, result.to_dense(), own, dtype=narrow, scale=scale)
        agree("association", where, result.to_dense("C"), expected, dtype=narrow, scale=scale)
        for name, actual, image, given in (
            ("jvp", result.jvp(t), (numerator @ t.reshape(-1)).reshape(maps[0]), t),
            ("vjp", result.vjp(c), (c.reshape(-1) @ numerator).reshape(maps[1]), c),
        ):
            if actual.dtype != dtype:
                fail("association", f"{where}, {name}", f"dtype {actual.dtype}, expected {dtype}")
            size = scale * float(np.abs(given).sum())
            agree("association", f"{where}, {name}", actual, image, dtype=acting, scale=size)


def _bracketings(factors: Sequence[Jacobian], what: str) -> list[tuple[str, Jacobian]]:
    """Every bracketing as text, and multiplied out."""
    if len(factors) == 1:
        return [("•", factors[0])]
    out = []
    for cut in range(1, len(factors)):
        for (a, left), (b, right) in itertools.product(
            _bracketings(factors[:cut], what), _bracketings(factors[cut:], what)
        ):
            try:
                out.append((f"({a} {b})", left @ right))
            except JacobiansError as error:
                fail("association", f"{what}, bracketed ({a} {b})", str(error))
    return out
