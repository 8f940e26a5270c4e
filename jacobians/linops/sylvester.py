"""The solution of a Sylvester equation as a linear map of its right-hand side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians.arrays import Array, as_array, as_float
from jacobians.errors import DomainError, ShapeError
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kernels import matmul, one_by_one
from jacobians.linops.leaves import Dense
from jacobians.linops.wrappers import Transposed


class SylvesterInverse(Jacobian):
    r"""C ↦ the X with A X + X B = C: the inverse of :math:`A \otimes I + I \otimes B^\top` in C order.

    Both matrices are brought to Schur form once, A = U R Uᵀ and B = V S Vᵀ. Then each right-hand side takes four
    products and a back-substitution (Bartels & Stewart 1972, CACM 15).

    Parameters
    ----------
    A : ndarray, shape (m, m)
    B : ndarray, shape (n, n)

    Raises
    ------
    ShapeError
        If one is not square.
    DomainError
        If an eigenvalue of A is one of −B up to rounding, so that X is not determined.

    Examples
    --------
    >>> J = SylvesterInverse(np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[1.0]]))
    >>> J.jvp(np.array([[6.0], [4.0]]))
    array([[2.],
           [1.]])
    """

    __slots__ = ("A", "B", "_left", "_left_basis", "_right", "_right_basis")

    def __init__(self, A: Array, B: Array) -> None:
        from scipy.linalg import schur

        A, B = as_float(A, "A", "SylvesterInverse"), as_float(B, "B", "SylvesterInverse")
        if A.ndim != 2 or B.ndim != 2 or A.shape[0] != A.shape[1] or B.shape[0] != B.shape[1]:
            raise ShapeError(f"SylvesterInverse: A has shape {A.shape}, B has {B.shape}; expected two square matrices")
        self.A, self.B = A, B
        dtype = np.result_type(A, B)
        # in float64 whatever the dtype: the bases' rounding would enter every solution
        self._left, self._left_basis = _schur(schur, A.astype(np.float64))
        self._right, self._right_basis = _schur(schur, B.astype(np.float64))
        _refuse_shared(self._left, self._right, float(np.finfo(dtype).eps))
        shape = (len(A), len(B))
        super().__init__(shape, shape, dtype)

    def _solved(self, right_hand_side: Array, flag: str) -> Array:
        from scipy.linalg.lapack import dtrsyl

        if not right_hand_side.size:
            return right_hand_side.copy()
        turned = matmul(matmul(self._left_basis.T, right_hand_side.astype(np.float64, copy=False)), self._right_basis)
        found, scale, _ = dtrsyl(self._left, self._right, turned, trana=flag, tranb=flag)
        solution = matmul(matmul(self._left_basis, found / scale), self._right_basis.T)
        return solution.astype(right_hand_side.dtype, copy=False)

    def _jvp(self, tangent: Array) -> Array:
        return one_by_one(lambda C: self._solved(C, "N"), tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return one_by_one(lambda C: self._solved(C, "T"), cotangent, self.codomain, self.domain)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        return SylvesterInverse(leaf(self.A), leaf(self.B))

    def eigenvalue_sums(self) -> Array:
        """Return λᵢ + μⱼ, the eigenvalues of the map that this one inverts, as complex numbers."""
        return as_array(schur_eigenvalues(self._left)[:, None] + schur_eigenvalues(self._right))

    def positive(self, leaf: Leaf) -> Jacobian:
        """Return f of the matrix itself: an inverse is not monotone in the matrix that it inverts."""
        dense = leaf(self._dense().reshape(self.codomain + self.domain))
        return Dense(dense, self.codomain)._with_order(self.order)

    @property
    def structure(self) -> str:
        return f"SylvesterInverse({len(self._left)}, {len(self._right)})"

    @property
    def flops(self) -> int:
        m, n = self.domain
        return 5 * m * n * (m + n)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.A, self.B)


def _schur(schur: Callable[..., tuple[Array, Array]], matrix: Array) -> tuple[Array, Array]:
    return schur(matrix, output="real") if matrix.size else (matrix.copy(), matrix.copy())


def schur_eigenvalues(triangular: Array) -> Array:
    """Return the eigenvalues of a real Schur form, which has blocks of two rows where they are complex."""
    values = np.diagonal(triangular).astype(np.complex128)
    for i in np.flatnonzero(np.diagonal(triangular, -1)):
        root = np.sqrt(complex(triangular[i, i + 1]) * complex(triangular[i + 1, i]))
        # LAPACK gives both diagonal entries of such a block the same value
        values[i], values[i + 1] = triangular[i, i] + root, triangular[i, i] - root
    return values


def _refuse_shared(left: Array, right: Array, eps: float) -> None:
    """Raise where an eigenvalue of A is one of −B, up to the rounding of both."""
    a, b = schur_eigenvalues(left), schur_eigenvalues(right)
    if not a.size or not b.size:
        return
    sums = np.abs(a[:, None] + b)
    i, j = np.unravel_index(int(np.argmin(sums)), sums.shape)
    size = float(np.abs(a).max() + np.abs(b).max())
    if not sums[i, j] > (len(a) + len(b)) * eps * size:
        raise DomainError(
            f"SylvesterInverse: the eigenvalues {_shown(a[i])} of A and {_shown(b[j])} of B add up to "
            f"{sums[i, j]:.2g}, which is zero up to rounding. So A X + X B = C has no single solution X; shift A or B"
        )


def _shown(value: complex) -> str:
    return f"{value.real + 0.0:.6g}" + (f"{value.imag:+.6g}j" if value.imag else "")
