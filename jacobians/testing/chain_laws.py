"""Law 5: matrix products associate, and so do Jacobians."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from operator import matmul

import numpy as np

from jacobians.arrays import Shape
from jacobians.errors import JacobiansError
from jacobians.linops import Denominator, Jacobian
from jacobians.testing.compare import agree, draw, fail, generator, largest, terms
from jacobians.testing.structure_laws import numerator_matrix

__all__ = ["assert_association"]


def assert_association(factors: Sequence[Jacobian], rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Law 5, association: every bracketing of a chain has the same value, shape, dtype and vec order.

    Parameters
    ----------
    factors : sequence of Jacobian
        In the order in which they are multiplied with ``@``; all bracketings are tried (2 of 3 factors, 14 of 5).
    rng : Generator, optional
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
    matrices = [f.to_dense(order or "C") for f in factors]
    expected = reduce(matmul, matrices)
    written = factors[::-1] if any(isinstance(f, Denominator) for f in factors) else factors
    scale = largest(reduce(matmul, map(terms, written)))
    first: tuple[Shape, Shape] | None = None
    for text, result in _bracketings(factors, what):
        where = f"{what}, bracketed {text}"
        maps = result.codomain, result.domain
        if first is None:
            first = maps
        elif maps != first:
            fail("association", where, f"maps {maps[1]} to {maps[0]}, another bracketing {first[1]} to {first[0]}")
        if result.dtype != dtype:
            fail("association", where, f"dtype {result.dtype}, the factors' joint dtype is {dtype}")
        dense = result.to_dense()  # in its own vec order, which no bracketing may lose
        agree("association", where, dense, expected, dtype=narrow, scale=scale)
        matrix = numerator_matrix(result, "C")
        t, c = draw(rng, result.domain, dtype), draw(rng, result.codomain, dtype)
        for name, actual, image, given in (
            ("jvp", result.jvp(t), (matrix @ t.reshape(-1)).reshape(result.codomain), t),
            ("vjp", result.vjp(c), (c.reshape(-1) @ matrix).reshape(result.domain), c),
        ):
            if actual.dtype != dtype:
                fail("association", f"{where}, {name}", f"dtype {actual.dtype}, expected {dtype}")
            size = scale * float(np.abs(given).sum())
            agree("association", f"{where}, {name}", actual, image, dtype=narrow, scale=size)


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
