"""Functions of a square matrix: expm, logm, sqrtm, whole powers, and any function of a symmetric matrix's spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.graphs import Value
from jacobians.linops import (
    BlockDiagonal,
    Commutation,
    Diagonal,
    Frechet,
    Jacobian,
    Kronecker,
    Selection,
    SylvesterInverse,
    Zero,
)
from jacobians.linops.lu import inverse_of
from jacobians.matrix.divided_differences import Divided, Entrywise, divided_differences, second_divided_differences
from jacobians.matrix.functions_in_symbols import (
    ALONG,
    MATRIX_EXPONENTIAL,
    MATRIX_LOGARITHM,
    MATRIX_ROOT,
    SYLVESTER,
    InDirection,
)
from jacobians.matrix.inverses import Inverse
from jacobians.matrix.matrix_operation import OfOneMatrix, square, symmetric
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Call, Expr
from jacobians.symbols.named_functions import Function

__all__ = [
    "MatrixExponential",
    "MatrixLogarithm",
    "MatrixPower",
    "MatrixSquareRoot",
    "SpectralFunction",
    "expm",
    "logm",
    "matrix_power",
    "spectral_function",
    "sqrtm",
]


def _of_spectrum(S: Array, f: Entrywise, divided: Divided) -> tuple[Array, Callable[[], Jacobian]]:
    """V diag(f(w)) Vᵀ, and the maker of (V ⊗ V) diag(f[wᵢ, wⱼ]) (Vᵀ ⊗ Vᵀ): Daleckii and Kreĭn's formula."""
    w, V = np.linalg.eigh(S)

    def by_a() -> Jacobian:
        K = divided(w[:, None], w[None, :]).astype(V.dtype, copy=False)
        return Kronecker(V, V) @ Diagonal(K) @ Kronecker(V.T, V.T)

    return as_array((V * f(w)) @ V.T), by_a


class _Function(OfOneMatrix):
    def _shape(self, *shapes: Shape) -> Shape:
        n = square(self.name, shapes[0])
        return n, n


class _Known(_Function):
    """A function with a form for symmetric matrices and another for all."""

    _shown: ClassVar[Function]

    @staticmethod
    def _f(w: Array) -> Array:
        """The function of eigenvalues."""
        raise NotImplementedError

    @staticmethod
    def _divided(a: Array, b: Array) -> Array:
        raise NotImplementedError

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        if not A.size:
            return A, {"A": lambda: Kronecker(A, A)}
        if np.array_equal(A, A.T):
            self._check(np.linalg.eigvalsh(A))
            value, by_a = _of_spectrum(A, self._f, self._divided)
            return value, {"A": by_a}
        return self._general(A)

    def _general(self, A: Array) -> tuple[Array, Makers]:
        raise NotImplementedError

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the function by name, and the maker of its derivative in a direction."""
        (A,) = inputs
        self._shape(A.shape)
        value = Call(self._shown, (A,))
        name(value)
        return value, {"A": lambda: InDirection(ALONG[self.name], A)}

    def _at_any_size(self, A: Array) -> Array:
        """The function of a matrix of any size, symmetric or not."""
        raise NotImplementedError

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """Ā is L(Aᵀ, Ḡ), the block at the right above of f([[Aᵀ, Ḡ], [0, Aᵀ]]), whose own derivative is a `Frechet`."""
        (A,) = arrays
        n = len(A)
        block = np.zeros((2 * n, 2 * n), A.dtype)
        block[:n, :n] = block[n:, n:] = A.T
        block[:n, n:] = cotangent
        first, last = slice(0, n), slice(n, 2 * n)
        above, both = (
            [Selection(key, block.shape, A.dtype) for key in keys]
            for keys in ([(first, last)], [(first, first), (last, last)])
        )
        placed = both[0].T + both[1].T
        bend = above[0] @ Frechet(self._at_any_size, block, self.name) @ placed @ Commutation(n, n, A.dtype)
        return {("A", "A"): bend}

    def _check(self, w: Array) -> None:
        """Raise where an eigenvalue lies where the function is not smooth; here, nowhere."""


@final
class MatrixExponential(_Known):
    """A ↦ exp A: by Daleckii and Kreĭn's formula where A is symmetric, else from a matrix of twice the size.

    Examples
    --------
    >>> MatrixExponential()(np.zeros((2, 2)))[0]
    array([[1., 0.],
           [0., 1.]])
    """

    name = "expm"
    _shown = MATRIX_EXPONENTIAL

    @staticmethod
    def _f(w: Array) -> Array:
        return np.exp(w)

    @staticmethod
    def _divided(a: Array, b: Array) -> Array:
        """exp of the middle times sinh(h)/h with h half the gap."""
        half = np.abs(a - b) / 2
        # e^(m + h) (1 − e^(−2h)) / 2h: nothing overflows that the value does not
        ratio = np.where(half == 0, 1, -np.expm1(-2 * half) / np.where(half == 0, 1, 2 * half))
        return as_array(np.exp(np.maximum(a, b)) * ratio)

    def _general(self, A: Array) -> tuple[Array, Makers]:
        return _expm(A), {"A": lambda: Frechet(_expm, A, "expm")}

    def _at_any_size(self, A: Array) -> Array:
        return _expm(A)


class _OffNegativeAxis(_Known):
    """A function whose principal branch ends at the negative real axis."""

    _needs: ClassVar[str]

    def _check(self, w: Array) -> None:
        size = float(np.abs(w).max())
        tiny = len(w) * float(np.finfo(w.dtype).eps) * size
        bad = (w.real <= tiny) & (np.abs(w.imag) <= tiny)
        if bad.any():
            raise DomainError(
                f"{self.name}: A has the eigenvalue {w[bad][0].real:.6g}, on the negative real axis or zero up to "
                f"rounding; {self._needs} needs all eigenvalues off it: add a multiple of the identity"
            )


@final
class MatrixLogarithm(_OffNegativeAxis):
    r"""A ↦ the principal log A; see `MatrixExponential`.

    Examples
    --------
    >>> MatrixLogarithm()(np.eye(2))[0]
    array([[0., 0.],
           [0., 0.]])
    """

    name = "logm"
    _shown = MATRIX_LOGARITHM
    _needs = "the principal logarithm"

    @staticmethod
    def _f(w: Array) -> Array:
        return np.log(w)

    @staticmethod
    def _divided(a: Array, b: Array) -> Array:
        """2 artanh(z)/(a − b) with z = (a − b)/(a + b)."""
        z = as_array((a - b) / (a + b))
        return as_array(np.where(z == 0, 1, np.arctanh(z) / np.where(z == 0, 1, z)) * 2 / (a + b))

    def _general(self, A: Array) -> tuple[Array, Makers]:
        self._check(np.linalg.eigvals(A))
        return _logm(A), {"A": lambda: Frechet(_logm, A, "logm")}

    def _at_any_size(self, A: Array) -> Array:
        return _logm(A)


@final
class MatrixSquareRoot(_OffNegativeAxis):
    r"""A ↦ the principal X with X² = A: dX solves X dX + dX X = dA, a Sylvester equation.

    Examples
    --------
    >>> MatrixSquareRoot()([[4.0, 0.0], [0.0, 9.0]])[0]
    array([[2., 0.],
           [0., 3.]])
    """

    name = "sqrtm"
    _shown = MATRIX_ROOT
    _needs = "the principal square root"

    @staticmethod
    def _f(w: Array) -> Array:
        return np.sqrt(w)

    @staticmethod
    def _divided(a: Array, b: Array) -> Array:
        return as_array(1 / (np.sqrt(a) + np.sqrt(b)))

    def _general(self, A: Array) -> tuple[Array, Makers]:
        self._check(np.linalg.eigvals(A))
        X = self._at_any_size(A)
        return X, {"A": lambda: SylvesterInverse(X, X)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return sqrtm(A), and the maker of the solution of X dX + dX X = dA, where X is the value's name."""
        (A,) = inputs
        self._shape(A.shape)
        value = Call(self._shown, (A,))
        X = name(value)
        return value, {"A": lambda: InDirection(SYLVESTER, X, X)}

    def _at_any_size(self, A: Array) -> Array:
        from scipy.linalg import sqrtm

        return np.real(sqrtm(A.astype(np.float64))).astype(A.dtype, copy=False)


def _expm(A: Array) -> Array:
    from scipy.linalg import expm

    return np.asarray(expm(A))


def _logm(A: Array) -> Array:
    from scipy.linalg import logm

    return np.real(logm(A.astype(np.float64))).astype(A.dtype, copy=False)


@final
class SpectralFunction(_Function):
    r"""S ↦ V diag(f(w)) Vᵀ of a symmetric S = V diag(w) Vᵀ: :math:`dF = V (f[w_i, w_j] \circ V^\top dS\, V) V^\top`.

    Parameters
    ----------
    f, prime : callable
        The function of eigenvalues and its derivative, from an array to one of its shape.
    layout : Layout, Convention or str, optional
    second : callable, optional
        f″, from which a Hessian follows; without it there is none.

    Examples
    --------
    >>> SpectralFunction(np.cos, lambda w: -np.sin(w))(np.zeros((2, 2)))[0]
    array([[1., 0.],
           [0., 1.]])
    """

    name = "spectral_function"

    def __init__(
        self, f: Entrywise, prime: Entrywise, layout: AnyLayout | None = None, second: Entrywise | None = None
    ) -> None:
        for name, given in (("f", f), ("prime", prime), *([] if second is None else [("second", second)])):
            if not callable(given):
                raise ArgumentError(
                    f"spectral_function: {name} is {given!r}; give a function of the array of eigenvalues, such as "
                    "np.exp"
                )
        self.f, self.prime, self.second = f, prime, second
        super().__init__(layout)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        S = symmetric(self.name, arrays[0])
        value, by_a = _of_spectrum(S, self._finite, lambda a, b: divided_differences(self.f, self.prime, a, b))
        return value, {"A": by_a}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """Dᵢₖ = Σⱼ f[wᵢ, wⱼ, wₖ] (Gᵢⱼ Eₖⱼ + Eⱼᵢ Gⱼₖ) in the eigenvectors' basis, one matrix for each row."""
        if self.second is None:
            raise DomainError(
                "spectral_function: f″ is not given, which a Hessian needs; pass it as second, such as second=np.exp"
            )
        w, V = np.linalg.eigh(symmetric(self.name, arrays[0]))
        n = len(w)
        K = second_divided_differences(self.f, self.prime, self.second, w)
        blocks = as_array(K * (V.T @ cotangent @ V)).astype(V.dtype, copy=False)
        rows, turn = BlockDiagonal(blocks, (n, n), (n, n)), Commutation(n, n, V.dtype)
        return {("A", "A"): Kronecker(V, V) @ (turn @ rows + rows.T @ turn) @ Kronecker(V.T, V.T)}

    def _finite(self, w: Array) -> Array:
        with np.errstate(all="ignore"):  # what is not finite is said below
            found = np.asarray(self.f(w))
        if found.shape != w.shape:
            raise ShapeError(f"spectral_function: f gives shape {found.shape} for eigenvalues of shape {w.shape}")
        if not np.isfinite(found).all():
            i = int(np.argmin(np.isfinite(found)))
            raise DomainError(f"spectral_function: f is {found[i]} at the eigenvalue {w[i]:.6g}; S lies outside of it")
        return found


_WRITTEN_OUT = 16
"""The largest exponent whose Jacobian is a sum of Kronecker products, one for each factor."""


@final
class MatrixPower(_Function):
    r"""A ↦ Aᵖ of a whole p: :math:`d A^p = \sum_{i<p} A^i\, dA\, A^{p-1-i}`, a Kronecker product a term.

    Beyond p = 16 it is a `Frechet`: the power of a matrix of twice the size, by repeated squares.

    Parameters
    ----------
    exponent : int
        Below zero, the inverse is raised.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> MatrixPower(3)([[1.0, 1.0], [0.0, 1.0]])[0]
    array([[1., 3.],
           [0., 1.]])
    """

    name = "matrix_power"
    lapack = False

    def __init__(self, exponent: int, layout: AnyLayout | None = None) -> None:
        given: object = exponent
        if not isinstance(given, (int, float, np.number)) or not float(given).is_integer():
            raise DomainError(f"matrix_power: exponent={exponent!r} is no whole number; take sqrtm, or expm of logm")
        self.exponent = int(exponent)
        super().__init__(layout)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        p, n = abs(self.exponent), len(A)
        if p == 0:
            return np.eye(n, dtype=A.dtype), {"A": lambda: Zero(A.shape, A.shape, A.dtype)}
        base = A if self.exponent > 0 else inverse_of("matrix_power", A)
        if p > _WRITTEN_OUT:
            return self._raised(A, base), {"A": lambda: Frechet(self._at_any_size, A, "matrix_power")}
        powers = [base]
        for _ in range(p - 1 if self.exponent > 0 else p):
            powers.append(powers[-1] @ base)

        def factor(power: int) -> Array | int:
            """A power of A, and an identity by its size."""
            return powers[power - 1] if power else n

        def term(left: int, right: int) -> Jacobian:
            B = factor(right)
            return Kronecker(factor(left), B if isinstance(B, int) else B.T, A.dtype)

        def by_a() -> Jacobian:
            if self.exponent > 0:
                return _sum([term(i, p - 1 - i) for i in range(p)])
            return -1.0 * _sum([term(i, p + 1 - i) for i in range(1, p + 1)])

        return powers[p - 1], {"A": by_a}

    def _at_any_size(self, A: Array) -> Array:
        return as_array(np.linalg.matrix_power(A, self.exponent))

    def _raised(self, A: Array, base: Array) -> Array:
        """The power by repeated squares.

        Raises
        ------
        DomainError
            If it is too large for the dtype.
        """
        with np.errstate(all="ignore"):
            found = as_array(np.linalg.matrix_power(base, abs(self.exponent)))
        if not np.isfinite(found).all():
            size = float(np.abs(np.linalg.eigvals(A)).max())
            raise DomainError(
                f"matrix_power: A^{self.exponent} is too large for {A.dtype}: the largest eigenvalue of A is "
                f"{size:.4g} in size; scale A, or take a smaller exponent"
            )
        return found

    def _in_values(self, *inputs: Value) -> Value:
        """By repeated squares."""
        (A,) = inputs
        if not self.exponent:
            return 0 * A
        base = found = A if self.exponent > 0 else Inverse()(A)
        for bit in f"{abs(self.exponent):b}"[1:]:
            found = found @ found
            found = found @ base if bit == "1" else found
        return found


def _sum(terms: list[Jacobian]) -> Jacobian:
    first, *others = terms
    total: Any = first
    for term in others:
        total = total + term
    return total


@of_one
def expm(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return exp A and its Jacobian.

    Of a symmetric matrix it is :math:`(V \otimes V) \operatorname{diag}(K) (V^\top \otimes V^\top)` with the divided
    differences K of exp, exact where eigenvalues are equal (Higham 2008, *Functions of Matrices*, theorem 3.11, after
    Daleckii and Kreĭn). Else it is a `Frechet`: one exponential of twice the size for each product.

    Parameters
    ----------
    A : array_like, shape (…, n, n)
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If A is not square.

    Examples
    --------
    >>> E, J = expm(np.zeros((2, 2)))                           # both eigenvalues are 0
    >>> J.jvp(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[0., 1.],
           [0., 0.]])
    >>> expm([[0.0, 1.0], [0.0, 0.0]])[1].structure
    'Frechet(expm, 2×2)'
    """
    return MatrixExponential(layout)(A)


@of_one
def logm(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the principal logarithm of A and its Jacobian; see `expm`.

    Raises
    ------
    DomainError
        If an eigenvalue is zero or on the negative real axis, with its value.

    Examples
    --------
    >>> L, J = logm([[1.0, 0.0], [0.0, 4.0]])
    >>> J.jvp(np.eye(2))
    array([[1.  , 0.  ],
           [0.  , 0.25]])
    """
    return MatrixLogarithm(layout)(A)


@of_one
def sqrtm(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the principal square root X of A and its Jacobian, the inverse of :math:`X \otimes I + I \otimes X^\top`.

    Higham 2008, *Functions of Matrices*, section 6.1.

    Raises
    ------
    DomainError
        If an eigenvalue is zero or on the negative real axis, with its value.

    Examples
    --------
    >>> X, J = sqrtm([[4.0, 1.0], [0.0, 9.0]])
    >>> J
    SylvesterInverse(2, 2): 4×4 float64, (2, 2) → (2, 2), 32 B
    """
    return MatrixSquareRoot(layout)(A)


@of_one
def matrix_power(A: npt.ArrayLike, exponent: int, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return Aᵖ for a whole p and its Jacobian :math:`\sum_{i<p} A^i \otimes (A^{p-1-i})^\top`.

    The Matrix Cookbook (2012), equation 90.

    Raises
    ------
    DomainError
        If the exponent is no whole number, or is negative and A is singular.

    Examples
    --------
    >>> value, J = matrix_power([[1.0, 1.0], [0.0, 1.0]], 3)
    >>> value, J.structure
    (array([[1., 3.],
           [0., 1.]]), 'Kronecker(I₂, 2×2) + Kronecker(2×2, 2×2) + Kronecker(2×2, I₂)')
    """
    return MatrixPower(exponent, layout)(A)


@of_one
def spectral_function(
    A: npt.ArrayLike,
    f: Entrywise,
    prime: Entrywise,
    layout: AnyLayout | None = None,
    second: Entrywise | None = None,
) -> tuple[Array, Jacobian]:
    r"""Return V diag(f(w)) Vᵀ of a symmetric A = V diag(w) Vᵀ and its Jacobian, exact where eigenvalues are equal.

    Higham 2008, *Functions of Matrices*, theorem 3.11 (Daleckii & Kreĭn 1965).

    Parameters
    ----------
    A : array_like, shape (…, n, n)
        Symmetric.
    f, prime : callable
        The function of eigenvalues and its derivative.
    layout : Layout, Convention or str, optional
    second : callable, optional
        f″: the second derivative has the second divided differences of f. Hessians need it, and nothing else does.

    Raises
    ------
    DomainError
        If A is not symmetric, or f is not finite at an eigenvalue.

    Examples
    --------
    >>> value, J = spectral_function(np.eye(2), np.sin, np.cos)
    >>> J.jvp(np.eye(2)).round(4)
    array([[0.5403, 0.    ],
           [0.    , 0.5403]])
    """
    return SpectralFunction(f, prime, layout, second)(A)
