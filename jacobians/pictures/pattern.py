"""Where a structure may have entries other than zero: `pattern`, and `stored`, what its sparse matrix costs."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.linops.block_row import BlockRow
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.products_and_sums import Product, Sum
from jacobians.linops.wrappers import Transposed

__all__ = ["pattern", "stored"]


def pattern(jacobian: Jacobian) -> Jacobian:
    """Return a Jacobian of the same structure that is positive inside the structure and 0 outside it.

    Its numbers are ones, so no entry vanishes by chance.

    Parameters
    ----------
    jacobian : Jacobian
        In numerator layout.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> pattern(Kronecker(2, np.array([[0.0, -3.0]]))).to_dense()
    array([[1., 1., 0., 0.],
           [0., 0., 1., 1.]])
    """
    return jacobian.positive(_ones)


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
