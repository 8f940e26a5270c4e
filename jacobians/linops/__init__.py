"""Structured Jacobians: linear maps between arrays that know their structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacobians.layout import Order
from jacobians.linops.algebra import add, after, beside, compose, scale
from jacobians.linops.batch import BlockDiagonal, KhatriRao, block_diagonal
from jacobians.linops.batched_kronecker import BatchedKronecker
from jacobians.linops.block_row import BlockRow
from jacobians.linops.broadcast import Broadcast
from jacobians.linops.convolutions import PickedFromWindows, SharedKernel, SlidingKernel, Windows
from jacobians.linops.diagonal import Diagonal, DiagonalMinusOuter
from jacobians.linops.direct_sum import DirectSum
from jacobians.linops.for_each_example import ForEachExample
from jacobians.linops.frechet import Frechet
from jacobians.linops.half_vectorisation import Duplication, Elimination
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.khatri_rao_sum import KhatriRaoSum
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense, LowRank, Sparse
from jacobians.linops.matrix_views import DENSE_LIMIT
from jacobians.linops.permutations import Commutation, Identity, PermutedAxes, Reshape, Selection
from jacobians.linops.planning import Plan
from jacobians.linops.products_and_sums import Product, Sum
from jacobians.linops.recurrence import GatedRecurrence
from jacobians.linops.solving import det, inverse, logdet, solve
from jacobians.linops.spectral import eigh, norm, trace
from jacobians.linops.sylvester import SylvesterInverse
from jacobians.linops.wrappers import Denominator, Scaled, Transposed, Zero

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DENSE_LIMIT",
    "BatchedKronecker",
    "BlockDiagonal",
    "BlockRow",
    "Broadcast",
    "Commutation",
    "Denominator",
    "Dense",
    "Diagonal",
    "DiagonalMinusOuter",
    "DirectSum",
    "Duplication",
    "Elimination",
    "ForEachExample",
    "Frechet",
    "GatedRecurrence",
    "Identity",
    "Jacobian",
    "KhatriRao",
    "KhatriRaoSum",
    "Kronecker",
    "LowRank",
    "PermutedAxes",
    "PickedFromWindows",
    "Plan",
    "Product",
    "Reshape",
    "Scaled",
    "Selection",
    "SharedKernel",
    "SlidingKernel",
    "Sparse",
    "Sum",
    "SylvesterInverse",
    "Transposed",
    "Windows",
    "Zero",
]


def plot(
    jacobian: Jacobian, ax: Axes | None = None, *, of: str = "y", wrt: str = "x", order: Order | None = None
) -> Axes:
    """Draw the matrix with matplotlib, its blocks outlined, and return the axes; see `jacobians.pictures.plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Kronecker
    >>> J = Kronecker(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
    >>> print(J.plot(of="Z", wrt="W").get_title())
    ∂Z/∂W
    Kronecker(2×2, I₁)
    """
    from jacobians.pictures import figure

    return figure.plot(jacobian, ax, of=of, wrt=wrt, order=order)


def _picture(jacobian: Jacobian) -> str:
    """The picture of the matrix for a notebook."""
    from jacobians.pictures.svg import html

    return html(jacobian)


# The rules of the algebra, the solvers and the blocks know other structures, and the pictures stand above all of them.
# So the contract imports none of these; they are hung on it here, once.
Jacobian._compose = compose
Jacobian._add = add
Jacobian._beside = beside
Jacobian._after = after
Jacobian._scale = scale
Jacobian.block_diagonal = block_diagonal
Jacobian.solve = solve
Jacobian.inverse = inverse
Jacobian.det = det
Jacobian.logdet = logdet
Jacobian.trace = trace
Jacobian.norm = norm
Jacobian.eigh = eigh
Jacobian.plot = plot
Jacobian._picture = _picture


if not TYPE_CHECKING:

    def __dir__() -> list[str]:
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
