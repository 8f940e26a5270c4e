"""Where a structure may have entries other than zero: `pattern`, and `stored`, what its sparse matrix costs."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.linops.batch import BlockDiagonal, KhatriRao
from jacobians.linops.block_row import BlockRow
from jacobians.linops.diagonal import Diagonal, DiagonalMinusOuter
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense, LowRank, Sparse
from jacobians.linops.permutations import Commutation, Identity, Reshape, Selection
from jacobians.linops.products_and_sums import Product, Sum
from jacobians.linops.wrappers import Scaled, Transposed, Zero

__all__ = ["pattern", "stored"]


def pattern(jacobian: Jacobian) -> Jacobian:
    """Return a Jacobian of the same structure that is positive inside the structure and 0 outside it.

    Its numbers are ones, so no entry vanishes by chance. A class that is not the library's own has its values'
    magnitudes for a pattern.

    Parameters
    ----------
    jacobian : Jacobian
        In numerator layout.

    Examples
    --------
    >>> pattern(Kronecker(2, np.array([[0.0, -3.0]]))).to_dense()
    array([[1., 1., 0., 0.],
           [0., 0., 1., 1.]])
    """
    match jacobian:
        case Identity() | Zero() | Reshape() | Commutation() | Selection():
            return jacobian
        case Diagonal():
            return Diagonal(_ones(jacobian.values))
        case Kronecker():
            left, right = (f if isinstance(f, int) else _ones(f) for f in (jacobian.left, jacobian.right))
            return Kronecker(left, right)
        case BlockDiagonal():
            return BlockDiagonal(_ones(jacobian.blocks), jacobian.codomain, jacobian.domain, jacobian.axis)
        case DiagonalMinusOuter():
            ones = _ones(jacobian.d)
            return DiagonalMinusOuter(ones, ones, np.broadcast_to(-1.0, ones.shape), jacobian.axis)
        case KhatriRao():
            return KhatriRao(_ones(jacobian.left), _ones(jacobian.right))
        case LowRank():
            return LowRank(_ones(jacobian.left), _ones(jacobian.right))
        case Dense():
            return Dense(_ones(jacobian.array), jacobian.codomain)
        case Sparse():
            places = jacobian.matrix.copy()
            places.data = np.ones(places.data.shape)
            return Sparse(places, jacobian.codomain, jacobian.domain)
        case Scaled():
            return pattern(jacobian.inner)
        case Transposed():
            return pattern(jacobian.inner).T
        case Product():
            return Product(tuple(pattern(f) for f in jacobian.factors))
        case Sum():
            return Sum(tuple(pattern(t) for t in jacobian.terms))
        case BlockRow():
            return BlockRow(tuple(pattern(b) for b in jacobian.blocks), jacobian.packing)
        case _:
            return Sparse(abs(jacobian.to_sparse("C")), jacobian.codomain, jacobian.domain)


def stored(positive: Jacobian) -> int:
    """Return a bound on the entries of any sparse matrix that `to_sparse` of a pattern builds.

    The entries are at least 1 where they are not 0, so their sum, 1ᵀ P 1, is no less than their number.
    """
    parts: tuple[Jacobian, ...] = ()
    match positive:
        case Product():
            parts = positive.factors
        case Sum():
            parts = positive.terms
        case BlockRow():
            parts = positive.blocks
        case Transposed():
            parts = (positive.inner,)
    own = float(np.sum(positive.jvp(np.ones(positive.domain))))
    return max(int(own), *map(stored, parts), 0)


def _ones(array: Array) -> Array:
    return np.broadcast_to(1.0, array.shape)  # takes no memory
