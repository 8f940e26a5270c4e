"""The derivative of a function of a square matrix, as a linear map: one evaluation at twice the size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians.arrays import Array, as_float
from jacobians.errors import ShapeError
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kernels import one_by_one
from jacobians.linops.leaves import Dense
from jacobians.linops.wrappers import Transposed


class Frechet(Jacobian):
    r"""E ↦ L(A, E), the derivative of a primary matrix function f at A in the direction E.

    It is read off one evaluation (Mathias 1996, SIAM J. Matrix Anal. 17; Higham 2008, *Functions of Matrices*, theorem
    3.6): :math:`f\begin{pmatrix} A & E \\ 0 & A \end{pmatrix} = \begin{pmatrix} f(A) & L(A, E) \\ 0 & f(A)
    \end{pmatrix}`. Its transpose is L(Aᵀ, ·), since f is real.

    Parameters
    ----------
    function : callable
        From a square matrix to one of its shape, at any size.
    matrix : ndarray, shape (n, n)
    name : str
        What the function is called, for display.

    Raises
    ------
    ShapeError
        If the matrix is not square.

    Examples
    --------
    >>> J = Frechet(lambda M: M @ M, np.array([[1.0, 2.0], [3.0, 4.0]]), "square")
    >>> J.jvp(np.eye(2))
    array([[2., 4.],
           [6., 8.]])
    """

    __slots__ = ("function", "matrix", "name")

    def __init__(self, function: Callable[[Array], Array], matrix: Array, name: str) -> None:
        self.matrix = matrix = as_float(matrix, "the matrix", "Frechet")
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ShapeError(f"Frechet: the matrix has shape {matrix.shape}; expected a square one")
        self.function = function
        self.name = name
        super().__init__(matrix.shape, matrix.shape, matrix.dtype)

    def _along(self, direction: Array, matrix: Array) -> Array:
        n = len(matrix)
        size = float(np.abs(direction).max(initial=0.0))
        if size == 0:
            return np.zeros_like(direction)
        # the map is linear: a direction of the matrix's own size keeps the block's norm, and so its accuracy
        unit = (float(np.abs(matrix).max()) or 1.0) / size
        block = np.zeros((2 * n, 2 * n), direction.dtype)
        block[:n, :n] = block[n:, n:] = matrix
        block[:n, n:] = unit * direction
        return self.function(block)[:n, n:] / unit

    def _jvp(self, tangent: Array) -> Array:
        return one_by_one(lambda E: self._along(E, self.matrix), tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return one_by_one(lambda E: self._along(E, self.matrix.T), cotangent, self.codomain, self.domain)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def positive(self, leaf: Leaf) -> Jacobian:
        """Return f of the matrix of the map: the arrays that it stores may enter with either sign."""
        dense = leaf(self._dense().reshape(self.codomain + self.domain))
        return Dense(dense, self.codomain)._with_order(self.order)

    @property
    def structure(self) -> str:
        return f"Frechet({self.name}, {len(self.matrix)}×{len(self.matrix)})"

    @property
    def flops(self) -> int:
        # as many as some ten products of twice the size
        return 20 * (2 * len(self.matrix)) ** 3

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.matrix,)
