"""A matrix on either side: the Jacobian of every matrix product by one of its factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, as_float
from jacobians.errors import ShapeError
from jacobians.linops.base import Jacobian
from jacobians.linops.entries import diagonal_view
from jacobians.linops.kernels import matmul

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Kronecker"]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Kronecker(Jacobian):
    r"""V ↦ A V Bᵀ; either factor may be an identity, given by its size.

    In C order the matrix is A ⊗ B, since :math:`\operatorname{vec}_C(A V B^\top) = (A \otimes B)
    \operatorname{vec}_C(V)`; in F order it is B ⊗ A (Magnus & Neudecker 2019, ch. 2, theorem 2).

    Parameters
    ----------
    left : ndarray, shape (p, n), or int
        A, or the size of an identity.
    right : ndarray, shape (r, q), or int
        B, or the size of an identity.
    dtype : dtype, optional
        Used where both factors are identities.

    Raises
    ------
    ShapeError
        If a factor is not a matrix.

    Examples
    --------
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> J = Kronecker(4, W)
    >>> J
    Kronecker(I₄, 3×2): 12×8 float64, (4, 2) → (4, 3), 48 B
    >>> bool((J.to_dense() == np.kron(np.eye(4), W)).all())
    True
    """

    __slots__ = ("left", "right")

    left: Array | int
    right: Array | int

    def __init__(self, left: Array | int, right: Array | int, dtype: Any = np.float64) -> None:
        self.left = left = _factor(left, "left")
        self.right = right = _factor(right, "right")
        p, n = (left, left) if isinstance(left, int) else left.shape
        r, q = (right, right) if isinstance(right, int) else right.shape
        stored = self.arrays
        super().__init__((p, r), (n, q), np.result_type(*stored) if stored else np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return _sandwich(
            self.left,
            tangent,
            self.right if isinstance(self.right, int) else self.right.T,
        )

    def _vjp(self, cotangent: Array) -> Array:
        return _sandwich(
            self.left if isinstance(self.left, int) else self.left.T,
            cotangent,
            self.right,
        )

    def _transpose(self) -> Jacobian:
        left = self.left if isinstance(self.left, int) else self.left.T
        right = self.right if isinstance(self.right, int) else self.right.T
        return Kronecker(left, right, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return isinstance(self.left if axis == 0 else self.right, int)

    def _blocks(self, axis: int) -> Array:
        block = self.right if axis == 0 else self.left
        return (np.eye(block, dtype=self.dtype) if isinstance(block, int) else block)[None]

    def _fill(self, out: Array) -> None:
        left, right = self.left, self.right
        if not isinstance(left, int) and not isinstance(right, int):
            np.multiply(left[:, None, :, None], right[None, :, None, :], out=out)
            return
        out[...] = 0
        if not isinstance(right, int):
            diagonal_view(out, [0, 1], [0, 2], [0, 1, 2])[...] = right
        elif not isinstance(left, int):
            diagonal_view(out, [0, 1], [2, 1], [1, 0, 2])[...] = left
        else:
            diagonal_view(out, [0, 1], [0, 1], [0, 1])[...] = 1

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, eye_array, kron

        left = eye_array(self.left, dtype=self.dtype) if isinstance(self.left, int) else csr_array(self.left)
        right = eye_array(self.right, dtype=self.dtype) if isinstance(self.right, int) else csr_array(self.right)
        if left.nnz * right.nnz == self.shape[0] * self.shape[1]:
            return self._full_sparse()
        return csr_array(kron(left, right))

    def _diagonal(self) -> Array:
        if self.codomain != self.domain:
            return super()._diagonal()
        left = np.ones(self.left, dtype=self.dtype) if isinstance(self.left, int) else np.diagonal(self.left)
        right = np.ones(self.right, dtype=self.dtype) if isinstance(self.right, int) else np.diagonal(self.right)
        return np.multiply.outer(left, right).ravel()

    @property
    def structure(self) -> str:
        return f"Kronecker({_show(self.left)}, {_show(self.right)})"

    @property
    def flops(self) -> int:
        (p, r), (n, q) = self.codomain, self.domain
        left = 0 if isinstance(self.left, int) else 2 * p * n
        right = 0 if isinstance(self.right, int) else 2 * q * r
        return min(left * q + right * p, right * n + left * r)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for a in (self.left, self.right) if not isinstance(a, int))


def _factor(factor: Array | int, name: str) -> Array | int:
    if isinstance(factor, (int, np.integer)):
        return int(factor)
    array = as_float(factor, name, "Kronecker")
    if array.ndim != 2:
        raise ShapeError(
            f"Kronecker: the {name} factor has shape {array.shape}; expected a matrix, or an identity's size"
        )
    return array


def _sandwich(left: Array | int, middle: Array, right: Array | int) -> Array:
    """Left · middle · right over a stack of middles, in the cheaper order."""
    if isinstance(left, int):
        return middle if isinstance(right, int) else matmul(middle, right)
    if isinstance(right, int):
        return matmul(left, middle)
    (p, n), (q, r) = left.shape, right.shape
    if p * n * q + p * q * r <= n * q * r + p * n * r:
        return matmul(matmul(left, middle), right)
    return matmul(left, matmul(middle, right))


def _show(factor: Array | int) -> str:
    if isinstance(factor, int):
        return "I" + str(factor).translate(_SUBSCRIPTS)
    return "×".join(map(str, factor.shape))
