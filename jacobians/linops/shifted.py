"""`folded`: a sum with cI in it as a structure without, so that what is damped is solved as what it was before."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.linops.batch import BlockDiagonal
from jacobians.linops.diagonal import Diagonal, DiagonalMinusOuter
from jacobians.linops.direct_sum import DirectSum
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense
from jacobians.linops.permutations import Identity
from jacobians.linops.products_and_sums import Sum
from jacobians.linops.wrappers import Scaled


def folded(jacobian: Sum) -> Jacobian:
    """Return a sum in which the multiples of the identity are part of another term, of the first that holds them.

    A sum with a dense term is one dense matrix. Where no term holds the multiples, the sum is returned as it is.

    Examples
    --------
    >>> folded(Diagonal(np.array([1.0, 2.0])) + 0.5 * Identity(2)).diagonal()
    array([1.5, 2.5])
    """
    if jacobian.codomain != jacobian.domain:
        return jacobian
    if any(isinstance(term, Dense) for term in jacobian.terms):  # which the sum is no larger than
        return Dense(jacobian.tensor(), jacobian.codomain)
    multiples = [multiple_of_identity(term) for term in jacobian.terms]
    given = [c for c in multiples if c is not None]
    rest = [term for term, c in zip(jacobian.terms, multiples, strict=True) if c is None]
    if not given:
        return jacobian
    total = np.asarray(sum(given[1:], given[0]))
    if not rest:
        return Scaled(float(total), Identity(jacobian.domain, total.dtype))
    for i, term in enumerate(rest):
        found = plus_identity(term, total)
        if found is not None:
            terms = (*rest[:i], found, *rest[i + 1 :])
            return terms[0] if len(terms) == 1 else Sum(terms)
    return jacobian


def multiple_of_identity(jacobian: Jacobian) -> Array | None:
    """Return the c of cI as an array without axes, in the map's dtype; None for any other map."""
    match jacobian:
        case Identity():
            return np.ones((), jacobian.dtype)
        case Scaled(inner=Identity()):
            return np.asarray(jacobian.factor, jacobian.dtype)
    return None


def plus_identity(jacobian: Jacobian, c: Array) -> Jacobian | None:
    """Return J + cI where J's structure holds it, else None.

    Parameters
    ----------
    jacobian : Jacobian
        From arrays of one shape to arrays of that shape.
    c : ndarray, shape ()

    Examples
    --------
    >>> damped = plus_identity(Diagonal(np.array([1.0, 2.0])), np.asarray(0.5))
    >>> damped.diagonal()
    array([1.5, 2.5])
    """
    match jacobian:
        # diag(d) + cI = diag(d + c), and so diag(d) − u vᵀ
        case Diagonal():
            return Diagonal(jacobian.values + c)
        case DiagonalMinusOuter():
            return DiagonalMinusOuter(jacobian.d + c, jacobian.u, jacobian.v, jacobian.axis)
        # (A ⊗ I) + cI = (A + cI) ⊗ I
        case Kronecker(left=int() as count, right=np.ndarray() as factor):
            return Kronecker(count, _with_diagonal(factor, c))
        case Kronecker(left=np.ndarray() as factor, right=int() as count):
            return Kronecker(_with_diagonal(factor, c), count)
        case BlockDiagonal() if jacobian.blocks.shape[1] == jacobian.blocks.shape[2]:
            size = jacobian.blocks.shape[1]
            blocks = jacobian.blocks + c * np.eye(size, dtype=c.dtype)
            return BlockDiagonal(blocks, jacobian.codomain, jacobian.domain, jacobian.axis)
        case DirectSum() if jacobian.parts and all(part.codomain == part.domain for part in jacobian.parts):
            parts = [plus_identity(part, c) for part in jacobian.parts]
            if not any(part is None for part in parts):
                known = [part for part in parts if part is not None]
                return DirectSum(known, jacobian.codomain, jacobian.domain, np.result_type(jacobian.dtype, c.dtype))
    return None


def _with_diagonal(matrix: Array, c: Array) -> Array:
    return np.asarray(matrix + c * np.eye(len(matrix), dtype=c.dtype))
