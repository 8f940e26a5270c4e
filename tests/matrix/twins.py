"""The functions of `jacobians.matrix` once more, by mpmath or by loops, and their derivatives in 50 digits.

They share no code with the library, nor with LAPACK: mpmath has algorithms of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mpmath import mp

mp = mp.clone()
mp.dps = 50

_STEP = mp.mpf(10) ** -15
"""Differences err by its square, 10⁻³⁰, and by 10⁻⁵⁰ over it."""

Twin = Callable[..., Any]


def as_matrix(array: np.ndarray) -> Any:
    """A matrix of mpmath; a vector is one column."""
    return mp.matrix(array.tolist())


def as_numbers(value: Any) -> np.ndarray:
    """All entries in C order, as numbers of mpmath: their differences keep their digits."""
    if isinstance(value, mp.matrix):
        return np.array([value[i, j] for i in range(value.rows) for j in range(value.cols)], dtype=object)
    return np.array(list(value) if isinstance(value, (list, tuple)) else [value], dtype=object)


def value(twin: Twin, arrays: Sequence[np.ndarray]) -> np.ndarray:
    return as_numbers(twin(*map(as_matrix, arrays))).astype(float)


def jacobian(twin: Twin, arrays: Sequence[np.ndarray], number: int) -> np.ndarray:
    """The matrix of partial derivatives by one input, both in C order, from central differences in 50 digits."""
    columns = []
    for place in np.ndindex(arrays[number].shape):
        ends = []
        for step in (_STEP, -_STEP):
            moved = [as_matrix(a) for a in arrays]
            moved[number][place if len(place) == 2 else (place[0], 0)] += step
            ends.append(as_numbers(twin(*moved)))
        columns.append((ends[0] - ends[1]) / (2 * _STEP))
    return np.array(columns).T.astype(float)


# --- the functions -----------------------------------------------------------------------------------------


def trace(A: Any) -> Any:
    return sum(A[i, i] for i in range(A.rows))


def quadratic(x: Any, A: Any) -> Any:
    return bilinear(x, A, x)


def bilinear(x: Any, A: Any, y: Any) -> Any:
    return sum(x[i] * A[i, j] * y[j] for i in range(A.rows) for j in range(A.cols))


def kron(A: Any, B: Any) -> Any:
    out = mp.matrix(A.rows * B.rows, A.cols * B.cols)
    for i in range(A.rows):
        for j in range(A.cols):
            for k in range(B.rows):
                for m in range(B.cols):
                    out[i * B.rows + k, j * B.cols + m] = A[i, j] * B[k, m]
    return out


def divide(A: Any, B: Any) -> Any:
    return [A[i, j] / B[i, j] for i in range(A.rows) for j in range(A.cols)]


def frobenius(A: Any) -> Any:
    return mp.sqrt(sum(a**2 for a in A))


def p_norm(x: Any, p: int) -> Any:
    return sum(abs(a) ** p for a in x) ** (mp.mpf(1) / p)


def det(A: Any) -> Any:
    """By the first row's cofactors."""
    if A.rows == 1:
        return A[0, 0]
    rest = range(1, A.rows)
    minors = [mp.matrix([[A[i, j] for j in range(A.cols) if j != k] for i in rest]) for k in range(A.cols)]
    return sum((-1) ** k * A[0, k] * det(minor) for k, minor in enumerate(minors))


def least_squares(A: Any, B: Any, penalty: float = 0.0) -> Any:
    return (A.T * A + penalty * mp.eye(A.cols)) ** -1 * (A.T * B)


def sylvester(A: Any, B: Any, C: Any) -> Any:
    """By the whole system, row after row."""
    m, n = C.rows, C.cols
    system = kron(A, mp.eye(n)) + kron(mp.eye(m), B.T)
    found = mp.lu_solve(system, mp.matrix([C[i, j] for i in range(m) for j in range(n)]))
    return mp.matrix([[found[i * n + j] for j in range(n)] for i in range(m)])


def ldl(S: Any) -> tuple[Any, Any]:
    """From Cholesky's factor: its columns divided by their pivots."""
    L = mp.cholesky(S)
    roots = [L[i, i] for i in range(L.rows)]
    unit = mp.matrix([[L[i, j] / roots[j] for j in range(L.cols)] for i in range(L.rows)])
    return unit, [r**2 for r in roots]


def qr(A: Any) -> tuple[Any, Any]:
    """By Gram and Schmidt."""
    Q, R = mp.matrix(A.rows, A.cols), mp.matrix(A.cols, A.cols)
    for j in range(A.cols):
        column = A[:, j]
        for i in range(j):
            R[i, j] = (Q[:, i].T * A[:, j])[0]
            column -= R[i, j] * Q[:, i]
        R[j, j] = mp.norm(column, 2)
        Q[:, j] = column / R[j, j]
    return Q, R


def _signed(columns: Any) -> list[int]:
    """The sign of the largest entry of each column."""
    return [int(mp.sign(max(columns[:, j], key=abs))) for j in range(columns.cols)]


def eigh(S: Any) -> tuple[Any, Any]:
    """Eigenvalues in ascending order, and vectors whose largest entry is positive."""
    w, V = mp.eigsy(S)
    order = sorted(range(S.rows), key=lambda i: w[i])
    signs = _signed(V)
    return [w[i] for i in order], mp.matrix([[V[r, i] * signs[i] for i in order] for r in range(S.rows)])


def singular_values(A: Any) -> list[Any]:
    small = A.T * A if A.rows >= A.cols else A * A.T
    return [mp.sqrt(w) for w in mp.eigsy(small, eigvals_only=True)]


def svd(A: Any) -> tuple[Any, Any, Any]:
    """From the eigenvectors of the smaller of AᵀA and AAᵀ; values in descending order, U's largest entries positive."""
    tall = A.rows >= A.cols
    w, V = eigh(A.T * A if tall else A * A.T)
    k = len(w)
    s = [mp.sqrt(w[k - 1 - i]) for i in range(k)]
    own = mp.matrix([[V[r, k - 1 - i] for i in range(k)] for r in range(k)])
    other = (A * own if tall else A.T * own) * mp.diag([1 / a for a in s])
    U, W = (other, own) if tall else (own, other)
    signs = mp.diag(_signed(U))
    return U * signs, s, (W * signs).T


def symmetric(name: str) -> Twin:
    """A function of (A + Aᵀ)/2."""
    return lambda A: getattr(mp, name)((A + A.T) / 2)


def diagonal_of(A: Any) -> Any:
    return [A[i, i] for i in range(A.rows)]


def where(A: Any, kept: Callable[[int, int], bool]) -> Any:
    return [A[i, j] if kept(i, j) else mp.mpf(0) for i in range(A.rows) for j in range(A.cols)]


def toeplitz(x: Any) -> Any:
    n = (len(x) + 1) // 2
    return mp.matrix([[x[i - j + n - 1] for j in range(n)] for i in range(n)])


def circulant(x: Any) -> Any:
    n = len(x)
    return mp.matrix([[x[(i - j) % n] for j in range(n)] for i in range(n)])


def cayley(A: Any) -> Any:
    return (mp.eye(A.rows) + A) ** -1 * (mp.eye(A.rows) - A)


def covariance(X: Any) -> Any:
    N, D = X.rows, X.cols
    mean = [sum(X[n, i] for n in range(N)) / N for i in range(D)]
    return mp.matrix(
        [
            [sum((X[n, i] - mean[i]) * (X[n, j] - mean[j]) for n in range(N)) / (N - 1) for j in range(D)]
            for i in range(D)
        ]
    )


def correlation(X: Any) -> Any:
    C = covariance(X)
    return mp.matrix([[C[i, j] / mp.sqrt(C[i, i] * C[j, j]) for j in range(C.cols)] for i in range(C.rows)])


def mahalanobis(x: Any, mean: Any, S: Any) -> Any:
    return mp.sqrt(((x - mean).T * S**-1 * (x - mean))[0])


def gaussian(x: Any, mean: Any, S: Any) -> Any:
    return -(mahalanobis(x, mean, S) ** 2 + mp.log(det(S)) + x.rows * mp.log(2 * mp.pi)) / 2


def gaussian_by_cholesky(x: Any, mean: Any, L: Any) -> Any:
    lower = mp.matrix([[L[i, j] if j <= i else 0 for j in range(L.cols)] for i in range(L.rows)])
    return gaussian(x, mean, lower * lower.T)
