"""Formulas as NumPy writes them, evaluated by mpmath in many digits: Python's own parser and mpmath's own functions.

No code is shared with the library. ``formula("trace(A @ X @ B)", names)`` is a number of mpmath.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from mpmath import mp

mp = mp.clone()
DIGITS = 50
"""In which two formulas must agree."""
mp.dps = 200
STEP = mp.mpf(10) ** -60
"""Differences err by its square, 10⁻¹²⁰, and by 10⁻²⁰⁰ over it; second differences by 10⁻⁸⁰."""


class Matrix:
    """A matrix of numbers of mpmath with NumPy's operators: ``@`` multiplies matrices, ``*`` goes by entries.

    A vector is a column. A product of one entry is that number, as in a book.
    """

    def __init__(self, of: Any) -> None:
        self.of = of if isinstance(of, mp.matrix) else mp.matrix(of)

    @property
    def shape(self) -> tuple[int, int]:
        return self.of.rows, self.of.cols

    @property
    def T(self) -> Matrix:
        return Matrix(self.of.T)

    def __matmul__(self, other: Matrix) -> Any:
        return number_or_matrix(self.of * other.of)

    def __getitem__(self, key: Any) -> Any:
        return self.of[key]

    def __iter__(self) -> Any:
        rows, columns = self.shape
        return iter([self.of[i, j] for i in range(rows) for j in range(columns)])

    def by_entry(self, f: Callable[..., Any], *others: Any) -> Matrix:
        """f of the entries of matrices of one shape, and of numbers; a row or column is repeated."""
        rows, columns = self.shape
        for other in others:
            if isinstance(other, Matrix):
                rows, columns = max(rows, other.shape[0]), max(columns, other.shape[1])

        def entry(of: Any, i: int, j: int) -> Any:
            if not isinstance(of, Matrix):
                return of
            assert of.shape[0] in (1, rows)
            assert of.shape[1] in (1, columns)
            return of.of[i % of.shape[0], j % of.shape[1]]

        return Matrix([[f(*(entry(of, i, j) for of in (self, *others))) for j in range(columns)] for i in range(rows)])

    def __add__(self, other: Any) -> Matrix:
        return self.by_entry(lambda a, b: a + b, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Matrix:
        return self.by_entry(lambda a, b: a - b, other)

    def __rsub__(self, other: Any) -> Matrix:
        return self.by_entry(lambda a, b: b - a, other)

    def __mul__(self, other: Any) -> Matrix:
        return self.by_entry(lambda a, b: a * b, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Matrix:
        return self.by_entry(lambda a, b: a / b, other)

    def __rtruediv__(self, other: Any) -> Matrix:
        return self.by_entry(lambda a, b: b / a, other)

    def __pow__(self, exponent: Any) -> Matrix:
        return self.by_entry(lambda a: a**exponent)

    def __neg__(self) -> Matrix:
        return self.by_entry(lambda a: -a)

    def sum(self, axis: int | None = None, *, keepdims: bool = False) -> Any:
        rows, columns = self.shape
        if axis is None:
            return mp.fsum(self)
        assert keepdims
        if axis:
            return Matrix([[mp.fsum(self.of[i, j] for j in range(columns))] for i in range(rows)])
        return Matrix([[mp.fsum(self.of[i, j] for i in range(rows)) for j in range(columns)]])

    def reshape(self, *shape: Any) -> Any:
        flat = list(self)
        if shape in (((),), ()):
            (found,) = flat
            return found
        rows, columns = shape[0] if len(shape) == 1 else shape
        return Matrix([flat[i * columns : (i + 1) * columns] for i in range(rows)])


def number_or_matrix(of: Any) -> Any:
    return of[0, 0] if of.rows == of.cols == 1 else Matrix(of)


def _of_entries(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda Z, *more: Z.by_entry(lambda z: f(z, *more)) if isinstance(Z, Matrix) else f(Z, *more)


def _trace(A: Matrix) -> Any:
    return mp.fsum(A[i, i] for i in range(A.shape[0]))


def _eye(n: int) -> Matrix:
    return Matrix(mp.eye(n))


def _kron(A: Matrix, B: Matrix) -> Matrix:
    (m, n), (p, q) = A.shape, B.shape
    return Matrix([[A[i // p, j // q] * B[i % p, j % q] for j in range(n * q)] for i in range(m * p)])


def _vec(A: Any, order: str = "F") -> Matrix:
    flat = list(A.T if order == "F" else A) if isinstance(A, Matrix) else [A]
    return Matrix([[a] for a in flat])


def _commutation(rows: int, columns: int, order: str = "F") -> Matrix:
    """K vec(A) = vec(Aᵀ) of a matrix A of so many rows and columns."""
    found = mp.zeros(rows * columns)
    for i in range(rows):
        for j in range(columns):
            if order == "F":
                found[j + i * columns, i + j * rows] = 1
            else:
                found[i + j * rows, j + i * columns] = 1
    return Matrix(found)


def _symmetriser(n: int) -> Matrix:
    return (_eye(n * n) + _commutation(n, n)) / 2


def _diagonal(v: Matrix) -> Matrix:
    flat = list(v)
    return Matrix([[flat[i] if i == j else mp.mpf(0) for j in range(len(flat))] for i in range(len(flat))])


def _of_diagonal(A: Matrix) -> Matrix:
    return Matrix([[A[i, i]] for i in range(A.shape[0])])


def _power(A: Matrix, exponent: int) -> Matrix:
    return Matrix(A.of**exponent)


def _inverse(A: Any) -> Any:
    return Matrix(mp.inverse(A.of)) if isinstance(A, Matrix) else 1 / A


def _pinv(A: Matrix) -> Matrix:
    """Of full column rank, or of full row rank."""
    if A.shape[0] >= A.shape[1]:
        return Matrix(mp.inverse(A.of.T * A.of) * A.of.T)
    return Matrix(A.of.T * mp.inverse(A.of * A.of.T))


def _adjugate(A: Matrix) -> Matrix:
    n = A.shape[0]

    def minor(i: int, j: int) -> Any:
        rest = [[A[r, c] for c in range(n) if c != j] for r in range(n) if r != i]
        return mp.det(mp.matrix(rest)) * (-1) ** (i + j)

    return Matrix([[minor(j, i) for j in range(n)] for i in range(n)])


def _eigenvalue(A: Matrix, i: int) -> Any:
    return mp.eigsy(A.of, eigvals_only=True)[i]


def _eigenvector(A: Matrix, i: int) -> Matrix:
    """Of length 1, its largest entry positive."""
    vectors = mp.eigsy(A.of)[1]
    column = [vectors[k, i] for k in range(A.shape[0])]
    largest = max(column, key=abs)
    return Matrix([[c if largest > 0 else -c] for c in column])


def _pinv_symmetric(A: Matrix) -> Matrix:
    """Of a symmetric matrix that may be singular."""
    values, vectors = mp.eigsy(A.of)
    inverses = [0 if abs(v) < mp.mpf(10) ** -100 else 1 / v for v in values]
    return Matrix(vectors * mp.diag(inverses) * vectors.T)


def _eigenvalues(A: Matrix) -> list[Any]:
    return list(mp.eig(A.of, left=False, right=False))


def _toeplitz_sums(A: Matrix) -> Matrix:
    """At i, j the sum of the diagonal of Aᵀ on which i, j lies."""
    n = A.shape[0]
    return Matrix(
        [[mp.fsum(A[k + j - i, k] for k in range(n) if 0 <= k + j - i < n) for j in range(n)] for i in range(n)]
    )


def _eigenvectors(A: Matrix) -> Matrix:
    n = A.shape[0]
    columns = [_eigenvector(A, i) for i in range(n)]
    return Matrix([[column[i, 0] for column in columns] for i in range(n)])


def _gaps(A: Matrix) -> Matrix:
    """1 over the gap λⱼ − λᵢ of the eigenvalues, 0 on the diagonal."""
    values = mp.eigsy(A.of, eigvals_only=True)
    return Matrix([[0 if i == j else 1 / (v - u) for j, v in enumerate(values)] for i, u in enumerate(values)])


def _singular(A: Matrix) -> list[tuple[Any, Matrix, Matrix]]:
    """Singular values from the largest, with their vectors; the left one's largest entry is positive."""
    values = mp.eigsy(A.of * A.of.T, eigvals_only=True)
    found = []
    for k in reversed(range(A.shape[0])):
        value = mp.sqrt(values[k])
        left = _eigenvector(Matrix(A.of * A.of.T), k)
        found.append((value, left, A.T @ left / value))
    return found


def _beside(columns: Sequence[Matrix]) -> Matrix:
    return Matrix([[column[i, 0] for column in columns] for i in range(columns[0].shape[0])])


def _augmented(A: Matrix, E: Matrix) -> Matrix:
    n = A.shape[0]
    found = mp.zeros(2 * n)
    for i in range(n):
        for j in range(n):
            found[i, j] = found[i + n, j + n] = A[i, j]
            found[i, j + n] = E[i, j]
    return Matrix(found)


def _corner(A: Matrix) -> Matrix:
    n = A.shape[0] // 2
    return Matrix(A.of[:n, n:])


def _single(i: int, j: int, rows: int, columns: int) -> Matrix:
    found = mp.zeros(rows, columns)
    found[i, j] = 1
    return Matrix(found)


def _cholesky(A: Matrix) -> Matrix:
    return Matrix(mp.cholesky(A.of))


def _low(A: Matrix) -> Matrix:
    """Φ: the entries below the diagonal, and half of those on it."""
    rows, columns = A.shape
    weight = [[1 if i > j else mp.mpf(1) / 2 if i == j else 0 for j in range(columns)] for i in range(rows)]
    return A * Matrix(weight)


def _sin_of_matrix(A: Matrix) -> Matrix:
    return Matrix(mp.sinm(A.of))


def _sum_of_entries(spec: str, A: Matrix) -> Any:
    assert spec == "ab->"
    return A.sum()


def _total(terms: Sequence[Any]) -> Any:
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found


FUNCTIONS: Mapping[str, Any] = {
    **{"trace": _trace, "inv": _inverse, "det": lambda A: mp.det(A.of), "logdet": lambda A: mp.log(mp.det(A.of))},
    **{"norm": lambda A: mp.norm(list(A), 2), "matrix_power": _power, "pinv": _pinv, "adj": _adjugate},
    **{"kron": _kron, "vec": _vec, "commutation": _commutation, "K": _commutation, "N": _symmetriser},
    **{
        "diag": _diagonal,
        "diagonal_of": _of_diagonal,
        "J": _single,
        "entry": lambda A: next(iter(A)) if isinstance(A, Matrix) else A,
        "eye": _eye,
    },
    **{"eig": _eigenvalue, "eigvec": _eigenvector, "chol": _cholesky, "low": _low, "sinm": _sin_of_matrix},
    **{"cosm": lambda A: Matrix(mp.cosm(A.of)), "expm": lambda A: Matrix(mp.expm(A.of))},
    "pinv_symmetric": _pinv_symmetric,
    "eigsum": lambda A: mp.re(mp.fsum(_eigenvalues(A))),
    "eigprod": lambda A: mp.re(mp.fprod(_eigenvalues(A))),
    "toeplitz_sums": _toeplitz_sums,
    "eigenvalues": lambda A: Matrix([[v] for v in mp.eigsy(A.of, eigvals_only=True)]),
    **{"eigenvectors": _eigenvectors, "gaps": _gaps, "augmented": _augmented, "block": _corner},
    "singular": lambda A, k: _singular(A)[k][0],
    "left": lambda A, k: _singular(A)[k][1],
    "right": lambda A, k: _singular(A)[k][2],
    "singular_values": lambda A: Matrix([[value] for value, _, _ in _singular(A)]),
    "lefts": lambda A: _beside([left for _, left, _ in _singular(A)]),
    "rights": lambda A: _beside([right for _, _, right in _singular(A)]),
    **{"delta": lambda i, j: int(i == j), "numbers": range, "total": lambda of: _total(list(of))},
    **{name: _of_entries(getattr(mp, name)) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt")},
    "sigmoid": _of_entries(lambda z: 1 / (1 + mp.exp(-z))),
    "half": mp.mpf(1) / 2,
    "np": SimpleNamespace(
        kron=_kron,
        eye=_eye,
        diag=_diagonal,
        ones=lambda shape: Matrix(mp.ones(*shape)),
        outer=lambda a, b: a @ b.T,
        sum=lambda A: A.sum(),
        einsum=_sum_of_entries,
        broadcast_to=lambda A, shape: Matrix(mp.zeros(*shape)) + A,
    ),
}


def formula(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a formula of the tests, or of one that the library printed, in many digits."""
    exact = re.sub(r"(?<![\w.])(\d+\.\d+)", r"mpf('\1')", text)
    return eval(compile(exact, text, "eval"), {**FUNCTIONS, "mpf": mp.mpf, **names})


def size(value: Any) -> Any:
    """The largest entry."""
    return max((abs(v) for v in value), default=mp.mpf(0)) if isinstance(value, Matrix) else abs(value)


def digits_of_agreement(a: Any, b: Any) -> int:
    """In how many digits two values agree, by the largest entry."""
    if isinstance(a, Matrix) != isinstance(b, Matrix) or (isinstance(a, Matrix) and a.shape != b.shape):
        return 0
    scale = max(size(a), size(b), mp.mpf(10) ** -20)
    gap = size(a - b) / scale
    return int(mp.dps if gap == 0 else max(0, mp.floor(-mp.log10(gap))))
