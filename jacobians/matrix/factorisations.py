"""Triangular factorisations: Cholesky's L Lᵀ, L D Lᵀ, and Q R."""

from __future__ import annotations

from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.graphs import Value
from jacobians.graphs.second_by_values import derivative_of_vjp
from jacobians.linops import Commutation, Diagonal, Identity, Jacobian, KhatriRao, Kronecker
from jacobians.matrix.inverses import Inverse, Solve
from jacobians.matrix.matrix_operation import OfOneMatrix, square, symmetric, symmetriser, with_mirror
from jacobians.operations.on_values import of_one
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout

__all__ = ["LDL", "QR", "Cholesky", "cholesky", "ldl", "qr"]

Pair = tuple[tuple[Array, Jacobian], tuple[Array, Jacobian]]


def below(n: int, dtype: Any, diagonal: float = 0.0) -> Array:
    """Return ones below the diagonal, and a number on it."""
    mask = np.tril(np.ones((n, n), dtype), -1)
    np.fill_diagonal(mask, diagonal)
    return mask


def triangular_inverse(L: Array) -> Array:
    """Return the inverse of a lower triangular matrix, with zeros above its diagonal."""
    if not L.size:
        return L.copy()
    from scipy.linalg import lapack

    found, _ = (lapack.dtrtri if L.dtype == np.float64 else lapack.strtri)(L, lower=1)
    return np.ascontiguousarray(np.tril(found))


def solved_lower(L: Array, rows: Array, *, transposed: bool = False) -> Array:
    """Return L⁻¹ of each row, or L⁻ᵀ of it, with a lower triangular L."""
    if not rows.size:
        return rows.copy()
    from scipy.linalg import solve_triangular

    return as_array(solve_triangular(L, rows.T, lower=True, trans=int(transposed), check_finite=False).T)


@final
class Cholesky(OfOneMatrix):
    r"""S ↦ the lower triangular L with S = L Lᵀ: :math:`dL = L\, \Phi(L^{-1} dS\, L^{-\top})`.

    Φ keeps what is below the diagonal and half of what is on it.

    Examples
    --------
    >>> Cholesky()([[4.0, 2.0], [2.0, 10.0]])[0]
    array([[2., 0.],
           [1., 3.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("cholesky", shapes[0])
        return n, n

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        S = symmetric("cholesky", A)
        L = cholesky_factor("cholesky", S)

        def by_a() -> Jacobian:
            n, inverse = len(L), triangular_inverse(L)
            half = Diagonal(below(n, L.dtype, 0.5) / 2)
            return Kronecker(L, n) @ half @ Kronecker(inverse, inverse) @ with_mirror(n, L.dtype)

        return L, {"A": by_a}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """That of the vjp, L⁻ᵀ Φ(Lᵀ Ḡ) L⁻¹ made symmetric."""
        L, makers = self._of_one(*arrays)
        half = below(len(L), L.dtype, 0.5)
        bend = derivative_of_vjp(lambda L: _between_inverses(L, (L.T @ cotangent) * half), [L], [makers["A"]])
        return {("A", "A"): bend}


def _between_inverses(L: Value, middle: Value | Array) -> Value:
    """L⁻ᵀ M L⁻¹, made symmetric."""
    inverse = Inverse()(L)
    found = inverse.T @ middle @ inverse
    return (found + found.T) / 2


def cholesky_factor(operation: str, S: Array, name: str = "A") -> Array:
    """Return the Cholesky factor; raise DomainError, with the pivot, where the matrix is not positive definite."""
    try:
        return np.linalg.cholesky(S)
    except np.linalg.LinAlgError:
        pass
    k, pivot = 0, float(S[0, 0])
    while pivot > 0 and k + 1 < len(S):
        k += 1
        try:
            across = np.linalg.solve(np.linalg.cholesky(S[:k, :k]), S[:k, k])
        except np.linalg.LinAlgError:
            k -= 1
            break
        pivot = float(S[k, k] - across @ across)
    raise DomainError(
        f"{operation}: {name} {S.shape} is not positive definite: pivot {k} is {pivot:.3g}; add a multiple of the "
        "identity, or take ldl, whose pivots may be negative"
    )


@final
class LDL(OfOneMatrix):
    r"""S ↦ L or d with S = L diag(d) Lᵀ, L lower triangular with ones on its diagonal; no row is exchanged.

    With W = L⁻¹ dS L⁻ᵀ, dd is W's diagonal, and dL = L (W below its diagonal) diag(d)⁻¹.

    Parameters
    ----------
    part : {"L", "d"}
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> LDL("d")([[4.0, 2.0], [2.0, -1.0]])[0]
    array([ 4., -2.])
    """

    def __init__(self, part: Literal["L", "d"] = "L", layout: AnyLayout | None = None) -> None:
        self.part = part
        super().__init__(layout)

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("ldl", shapes[0])
        return (n, n) if self.part == "L" else (n,)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        n = len(A)
        L, d = _eliminated(symmetric("ldl", A))

        def by_a() -> Jacobian:
            inverse = triangular_inverse(L)
            if self.part == "d":
                return KhatriRao(inverse, inverse)
            scaled = Diagonal(as_array(below(n, L.dtype) / d))
            return Kronecker(L, n) @ scaled @ Kronecker(inverse, inverse) @ symmetriser(n, L.dtype)

        return L if self.part == "L" else d, {"A": by_a}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """That of the vjp: L⁻ᵀ diag(ḡ) L⁻¹ by d, L⁻ᵀ (Lᵀ Ḡ below its diagonal) diag(d)⁻¹ L⁻¹ by L, made symmetric."""
        (L, by_l), (d, by_d) = ((value, makers["A"]) for value, makers in (LDL(p)._of_one(*arrays) for p in ("L", "d")))
        if self.part == "d":
            weights = np.diag(cotangent)
            bend = derivative_of_vjp(lambda L: _between_inverses(L, weights), [L], [by_l])
            return {("A", "A"): bend}
        strictly = below(len(L), L.dtype)

        def vjp(L: Value, d: Value) -> Value:
            return _between_inverses(L, (L.T @ cotangent) * strictly / d)

        return {("A", "A"): derivative_of_vjp(vjp, [L, d], [by_l, by_d])}


def _eliminated(S: Array) -> tuple[Array, Array]:
    n = len(S)
    L, d = np.eye(n, dtype=S.dtype), np.zeros(n, S.dtype)
    least = n * float(np.finfo(S.dtype).eps) * float(np.abs(S).max(initial=0))
    for j in range(n):
        d[j] = S[j, j] - (L[j, :j] ** 2) @ d[:j]
        if not abs(d[j]) > least:
            raise DomainError(
                f"ldl: pivot {j} is {d[j]:.3g}, zero up to rounding: the leading {j + 1} rows and columns are "
                "singular; reorder the rows and columns, or add a multiple of the identity"
            )
        L[j + 1 :, j] = (S[j + 1 :, j] - (L[j + 1 :, :j] * d[:j]) @ L[j, :j]) / d[j]
    return L, d


@final
class QR(OfOneMatrix):
    r"""A ↦ Q or R with A = Q R, of a matrix with independent columns; the diagonal of R is positive.

    With W = Qᵀ dA R⁻¹ and Ω its skew part, below(W) − below(W)ᵀ: :math:`dQ = (I - Q Q^\top)\, dA\, R^{-1} + Q\, \Omega`
    and :math:`dR = (W - \Omega) R`.

    Parameters
    ----------
    part : {"Q", "R"}
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> QR("R")([[0.0, 2.0], [3.0, 0.0]])[0]
    array([[ 3., -0.],
           [-0.,  2.]])
    """

    def __init__(self, part: Literal["Q", "R"] = "Q", layout: AnyLayout | None = None) -> None:
        self.part = part
        super().__init__(layout)

    def _shape(self, *shapes: Shape) -> Shape:
        m, n = shapes[0]
        if m < n:
            raise ShapeError(
                f"qr: A has shape {shapes[0]}, with more columns than rows; take A's transpose, or its first "
                f"{m} columns"
            )
        return (m, n) if self.part == "Q" else (n, n)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        m, n = A.shape
        Q, R = np.linalg.qr(A)
        signs = np.where(np.diagonal(R) < 0, -1, 1).astype(A.dtype)
        Q, R = as_array(Q * signs), as_array(signs[:, None] * R)
        pivots = np.diagonal(R)
        if n and not pivots.min() > max(m, n) * float(np.finfo(A.dtype).eps) * float(np.abs(R).max()):
            k = int(np.argmin(pivots))
            raise DomainError(
                f"qr: column {k} of A {A.shape} depends on those before it: R[{k}, {k}] is {pivots[k]:.2g}; Q is not "
                "determined there; remove dependent columns"
            )

        def by_a() -> Jacobian:
            inverse = triangular_inverse(R.T)  # R⁻ᵀ
            inner = Kronecker(Q.T, inverse)
            shape, moved = (n, n), Commutation(n, n, A.dtype)
            skew = (Identity(shape, A.dtype) + (-1.0 * moved)) @ Diagonal(below(n, A.dtype))
            if self.part == "R":
                return Kronecker(n, R.T) @ (Identity(shape, A.dtype) + (-1.0 * skew)) @ inner
            found = Kronecker(Q, n) @ skew @ inner
            return found if m == n else Kronecker(np.eye(m, dtype=A.dtype) - Q @ Q.T, inverse) + found

        return Q if self.part == "Q" else R, {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        """R is the transpose of the Cholesky factor L of AᵀA, and Qᵀ is L⁻¹ Aᵀ."""
        (A,) = inputs
        L = Cholesky()(A.T @ A)
        return L.T if self.part == "R" else Solve()(L, A.T).T


@of_one
def cholesky(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the Cholesky factor L and its Jacobian, a diagonal between two Kronecker products.

    :math:`J = (L \otimes I) \operatorname{diag}(\Phi) (L^{-1} \otimes L^{-1}) (I + K)/2` in C order. Murray 2016,
    *Differentiation of the Cholesky decomposition*, arXiv:1602.07527, section 3.1. The last factor says that an entry
    and its mirror image count half each; by the entries on and below the diagonal alone, compose it with `unvech`.

    Parameters
    ----------
    A : array_like, shape (…, n, n)
        Symmetric and positive definite.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If A is not symmetric, with the two entries; if it is not positive definite, with the pivot.

    Examples
    --------
    >>> L, J = cholesky([[4.0, 2.0], [2.0, 10.0]])
    >>> L
    array([[2., 0.],
           [1., 3.]])
    >>> J.jvp(np.eye(2)).round(4)
    array([[ 0.25  ,  0.    ],
           [-0.125 ,  0.2083]])
    """
    return Cholesky(layout)(A)


@of_one
def ldl(A: npt.ArrayLike, layout: AnyLayout | None = None) -> Pair:
    r"""Return L and d of A = L diag(d) Lᵀ, each with its Jacobian; A is symmetric, no row is exchanged.

    Golub & Van Loan 2013, *Matrix Computations*, section 4.1. Of a value of a graph it returns two values.

    Raises
    ------
    DomainError
        If A is not symmetric, or a pivot is zero up to rounding, with its place.

    Examples
    --------
    >>> (L, _), (d, J) = ldl([[4.0, 2.0], [2.0, -1.0]])
    >>> L, d
    (array([[1. , 0. ],
           [0.5, 1. ]]), array([ 4., -2.]))
    >>> J.structure
    'KhatriRao(2×2, 2×2)'
    """
    return LDL("L", layout)(A), LDL("d", layout)(A)


@of_one
def qr(A: npt.ArrayLike, layout: AnyLayout | None = None) -> Pair:
    r"""Return Q and R of A = Q R, each with its Jacobian; Q has A's shape, and the diagonal of R is positive.

    Walter & Lehmann 2018, *Algorithmic differentiation of linear algebra functions*, arXiv:1001.1654, algorithm 1. Of a
    value of a graph it returns two values.

    Raises
    ------
    ShapeError
        If A has more columns than rows.
    DomainError
        If its columns are dependent up to rounding.

    Examples
    --------
    >>> (Q, _), (R, J) = qr([[0.0, 2.0], [3.0, 0.0]])
    >>> R + 0.0
    array([[3., 0.],
           [0., 2.]])
    >>> J.jvp(np.eye(2)).round(4) + 0.0
    array([[0.    , 1.6667],
           [0.    , 0.    ]])
    """
    return QR("Q", layout)(A), QR("R", layout)(A)
