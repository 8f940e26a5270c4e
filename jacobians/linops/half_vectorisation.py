"""Duplication and elimination matrices: between a symmetric matrix and its entries on and below the diagonal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_whole_number
from jacobians.layout import Order
from jacobians.linops.permutations import Selection
from jacobians.linops.unrolling import known_order


def half_places(n: int, stacked: Order = "C", diagonal: bool = True) -> tuple[Array, Array]:
    """Return the rows and columns of the entries on and below the diagonal, or only below it, as vech stacks them.

    Parameters
    ----------
    n : int
    stacked : {"C", "F"}
        Rows one after the other, or columns, as Magnus and Neudecker's vech.
    diagonal : bool
    """
    known_order(stacked, "vech")
    if stacked == "C":
        rows, columns = np.tril_indices(n, 0 if diagonal else -1)
        return rows, columns
    columns, rows = np.triu_indices(n, 0 if diagonal else 1)
    return rows, columns


class Elimination(Selection):
    r"""A ↦ vech A, the entries on and below the diagonal: the matrix :math:`L_n` with L vec A = vech A.

    Magnus & Neudecker 1980, *The elimination matrix*, SIAM J. Algebraic Discrete Methods 1.

    Parameters
    ----------
    n : int
    stacked : {"C", "F"}
        Rows one after the other, or columns.
    dtype : dtype, optional

    Examples
    --------
    >>> Elimination(2, "F").jvp(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 3., 4.])
    """

    __slots__ = ()

    def __init__(self, n: int, stacked: Order = "C", dtype: npt.DTypeLike = np.float64) -> None:
        n = a_whole_number(n, "n", "Elimination", 0)
        rows, columns = half_places(n, stacked)
        super().__init__(rows * n + columns, (n, n), dtype)

    @property
    def structure(self) -> str:
        return f"Elimination({self.domain[0]})"


class Duplication(Selection):
    r"""vech A ↦ the symmetric A: the matrix :math:`D_n` with D vech A = vec A.

    Its transpose takes a gradient G with respect to all entries to the one with respect to the entries on and below the
    diagonal: the vech of G + Gᵀ − G∘I. Magnus & Neudecker 2019, ch. 3, section 8.

    Parameters
    ----------
    n : int
    stacked : {"C", "F"}
        Rows of the half one after the other, or columns.
    dtype : dtype, optional

    Examples
    --------
    >>> Duplication(2).jvp(np.array([1.0, 2.0, 3.0]))
    array([[1., 2.],
           [2., 3.]])
    """

    __slots__ = ()

    def __init__(self, n: int, stacked: Order = "C", dtype: npt.DTypeLike = np.float64) -> None:
        n = a_whole_number(n, "n", "Duplication", 0)
        rows, columns = half_places(n, stacked)
        places = np.zeros((n, n), np.intp)
        places[rows, columns] = places[columns, rows] = np.arange(len(rows))
        super().__init__(places, (len(rows),), dtype)

    @property
    def structure(self) -> str:
        return f"Duplication({self.codomain[0]})"
