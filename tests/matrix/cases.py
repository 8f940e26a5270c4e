"""Every operation of `jacobians.matrix`: how it is made in a layout, inputs for it, and its twin in 50 digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jacobians import matrix as jm
from jacobians.layout import Layout
from jacobians.operations import Chain, Operation
from tests.matrix import twins

Draw = Callable[[np.random.Generator], list[np.ndarray]]


class Case(NamedTuple):
    """An operation of matrices.

    `make` makes it in a layout, `draw` draws inputs of one example, `twin` is the same function of mpmath's matrices.
    """

    make: Callable[[Layout | None], Operation]
    draw: Draw
    twin: Callable[..., Any]
    batches: bool = True


def normal(*shapes: tuple[int, ...]) -> Draw:
    return lambda rng: [rng.normal(size=shape) for shape in shapes]


def regular(n: int, *shapes: tuple[int, ...]) -> Draw:
    """A matrix far from singular, whose eigenvalues have positive real parts; and others of any kind."""
    return lambda rng: [rng.normal(size=(n, n)) + 4 * np.eye(n), *(rng.normal(size=shape) for shape in shapes)]


def positive(n: int) -> Draw:
    """A symmetric matrix with eigenvalues 1, 2, 3 … and so far from ties."""

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
        S = (Q * np.arange(1.0, n + 1)) @ Q.T
        return [(S + S.T) / 2]

    return draw


def with_values(m: int, n: int) -> Draw:
    """A matrix with singular values 1, 2, 3 …"""

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        k = min(m, n)
        U, V = (np.linalg.qr(rng.normal(size=(size, k)))[0] for size in (m, n))
        return [(U * np.arange(1.0, k + 1)) @ V.T]

    return draw


def away(*shape: int) -> Draw:
    """Entries of different sizes, none near zero."""

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        size = math.prod(shape)
        values = np.linspace(0.5, 2.0, size) * rng.choice([-1.0, 1.0], size)
        return [rng.permutation(values).reshape(shape)]

    return draw


def gaussian_inputs(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=3), rng.normal(size=3), np.tril(rng.normal(size=(3, 3)), -1) + 2 * np.eye(3)]


def of(kind: Callable[..., Operation], *given: Any) -> Callable[[Layout | None], Operation]:
    return lambda layout: kind(*given, layout=layout)


def of_symmetric(kind: Callable[..., Operation], *given: Any, **named: Any) -> Callable[[Layout | None], Operation]:
    """The operation of (A + Aᵀ)/2: of all matrices, and the same at symmetric ones."""
    return lambda layout: Chain(jm.Symmetrised(layout), kind(*given, layout=layout, **named), layout=layout)


CASES: dict[str, Case] = {
    "trace": Case(of(jm.Trace), normal((3, 3)), twins.trace),
    "quadratic": Case(of(jm.Quadratic), normal((3,), (3, 3)), twins.quadratic, batches=False),
    "bilinear": Case(of(jm.Bilinear), normal((3,), (3, 2), (2,)), twins.bilinear, batches=False),
    "triple_product": Case(of(jm.TripleProduct), normal((2, 3), (3, 2), (2, 1)), lambda A, X, B: A * X * B),
    "congruence": Case(of(jm.Congruence), normal((3, 2), (3, 3)), lambda X, M: X.T * M * X),
    "gram": Case(of(jm.Gram), normal((3, 2)), lambda X: X.T * X),
    "gram of rows": Case(of(jm.Gram, "rows"), normal((2, 3)), lambda X: X * X.T),
    "outer": Case(of(jm.Outer), normal((3,), (2,)), lambda x, y: x * y.T),
    "kron": Case(of(jm.KroneckerProduct), normal((2, 2), (1, 3)), twins.kron),
    "divide": Case(of(jm.Division), lambda rng: [rng.normal(size=(2, 3)), *away(2, 3)(rng)], twins.divide, False),
    "frobenius_norm": Case(of(jm.FrobeniusNorm), normal((2, 3)), twins.frobenius),
    "nuclear_norm": Case(of(jm.NuclearNorm), with_values(3, 2), lambda A: sum(twins.singular_values(A))),
    "spectral_norm": Case(of(jm.SpectralNorm), with_values(2, 3), lambda A: max(twins.singular_values(A))),
    "p_norm 3": Case(of(jm.PNorm, 3), away(4), lambda x: twins.p_norm(x, 3), False),
    "p_norm 1": Case(of(jm.PNorm, 1), away(4), lambda x: twins.p_norm(x, 1), False),
    "p_norm inf": Case(of(jm.PNorm, math.inf), away(4), lambda x: max(map(abs, x)), False),
    "normalise": Case(of(jm.Normalise), away(3), lambda x: x / twins.p_norm(x, 2), False),
    "inverse": Case(of(jm.Inverse), regular(3), lambda A: A**-1),
    "solve": Case(of(jm.Solve), regular(3, (3, 2)), lambda A, B: A**-1 * B),
    "solve a vector": Case(of(jm.Solve), regular(3, (3,)), lambda A, B: A**-1 * B),
    "det": Case(of(jm.Determinant), regular(3), twins.det),
    "logdet": Case(of(jm.LogDeterminant), regular(3), lambda A: twins.mp.log(twins.det(A))),
    "logabsdet": Case(of(jm.LogAbsDeterminant), regular(3), lambda A: twins.mp.log(abs(twins.det(A)))),
    "sign": Case(of(jm.Sign), regular(3), lambda A: twins.mp.sign(twins.det(A))),
    "pinv of a tall matrix": Case(of(jm.PseudoInverse), with_values(4, 2), lambda A: (A.T * A) ** -1 * A.T),
    "pinv of a wide matrix": Case(of(jm.PseudoInverse), with_values(2, 4), lambda A: A.T * (A * A.T) ** -1),
    "least_squares": Case(
        of(jm.LeastSquares), lambda rng: [*with_values(4, 2)(rng), rng.normal(size=(4, 2))], twins.least_squares
    ),
    "ridge": Case(
        of(jm.LeastSquares, 0.5),
        lambda rng: [*with_values(2, 3)(rng), rng.normal(size=2)],
        lambda A, B: twins.least_squares(A, B, 0.5),
    ),
    "lyapunov": Case(of(jm.Lyapunov), regular(3, (3, 3)), lambda A, Q: twins.sylvester(A, A.T, Q)),
    "sylvester": Case(
        of(jm.Sylvester),
        lambda rng: [*regular(3)(rng), *regular(2)(rng), rng.normal(size=(3, 2))],
        twins.sylvester,
    ),
    "cholesky": Case(of_symmetric(jm.Cholesky), positive(3), lambda A: twins.mp.cholesky((A + A.T) / 2)),
    "ldl: L": Case(of_symmetric(jm.LDL, "L"), positive(3), lambda A: twins.ldl((A + A.T) / 2)[0]),
    "ldl: d": Case(of_symmetric(jm.LDL, "d"), positive(3), lambda A: twins.ldl((A + A.T) / 2)[1]),
    "qr: Q": Case(of(jm.QR, "Q"), with_values(4, 2), lambda A: twins.qr(A)[0]),
    "qr: Q of a square matrix": Case(of(jm.QR, "Q"), regular(3), lambda A: twins.qr(A)[0]),
    "qr: R": Case(of(jm.QR, "R"), with_values(3, 2), lambda A: twins.qr(A)[1]),
    "eigvalsh": Case(of_symmetric(jm.Eigenvalues), positive(3), lambda A: twins.eigh((A + A.T) / 2)[0]),
    "eigh": Case(of_symmetric(jm.Eigenvectors), positive(3), lambda A: twins.eigh((A + A.T) / 2)[1]),
    "svdvals": Case(of(jm.SingularValues), with_values(2, 3), lambda A: twins.svd(A)[1]),
    "svd: U": Case(of(jm.SingularVectors, "left"), with_values(3, 2), lambda A: twins.svd(A)[0]),
    "svd: U of a wide matrix": Case(of(jm.SingularVectors, "left"), with_values(2, 3), lambda A: twins.svd(A)[0]),
    "svd: Vᵀ": Case(of(jm.SingularVectors, "right"), with_values(3, 2), lambda A: twins.svd(A)[2]),
    "svd: Vᵀ of a wide matrix": Case(of(jm.SingularVectors, "right"), with_values(2, 3), lambda A: twins.svd(A)[2]),
    "expm": Case(of(jm.MatrixExponential), normal((3, 3)), twins.mp.expm),
    "expm of a symmetric matrix": Case(of_symmetric(jm.MatrixExponential), positive(3), twins.symmetric("expm")),
    "logm": Case(of(jm.MatrixLogarithm), regular(3), twins.mp.logm),
    "logm of a symmetric matrix": Case(of_symmetric(jm.MatrixLogarithm), positive(3), twins.symmetric("logm")),
    "sqrtm": Case(of(jm.MatrixSquareRoot), regular(3), twins.mp.sqrtm),
    "sqrtm of a symmetric matrix": Case(of_symmetric(jm.MatrixSquareRoot), positive(3), twins.symmetric("sqrtm")),
    "spectral_function": Case(
        of_symmetric(jm.SpectralFunction, np.sin, np.cos, second=lambda w: -np.sin(w)),
        positive(3),
        twins.symmetric("sinm"),
    ),
    "matrix_power 3": Case(of(jm.MatrixPower, 3), normal((3, 3)), lambda A: A**3),
    "matrix_power 1": Case(of(jm.MatrixPower, 1), normal((3, 3)), lambda A: A),
    "matrix_power 0": Case(of(jm.MatrixPower, 0), normal((3, 3)), lambda A: A**0),
    "matrix_power -2": Case(of(jm.MatrixPower, -2), regular(3), lambda A: A**-2),
    "diag": Case(of(jm.DiagonalMatrix), normal((3,)), lambda x: twins.mp.diag(list(x))),
    "diagonal_of": Case(of(jm.DiagonalOf), normal((3, 3)), twins.diagonal_of),
    "tril": Case(of(jm.Triangle, False, -1), normal((3, 2)), lambda A: twins.where(A, lambda i, j: j <= i - 1)),
    "triu": Case(of(jm.Triangle, True, 1), normal((2, 3)), lambda A: twins.where(A, lambda i, j: j >= i + 1)),
    "symmetrised": Case(of(jm.Symmetrised), normal((3, 3)), lambda A: (A + A.T) / 2),
    "toeplitz": Case(of(jm.Toeplitz), normal((5,)), twins.toeplitz),
    "circulant": Case(of(jm.Circulant), normal((3,)), twins.circulant),
    "cayley": Case(of(jm.Cayley), regular(3), twins.cayley),
    "covariance": Case(of(jm.Covariance, 1), normal((4, 3)), twins.covariance, False),
    "correlation": Case(of(jm.Correlation), normal((4, 3)), twins.correlation, False),
    "gaussian_by_cholesky": Case(of(jm.GaussianByCholesky), gaussian_inputs, twins.gaussian_by_cholesky, False),
}
"""By name. Operations whose vec order says how a vector is stacked are in `test_structured`."""
