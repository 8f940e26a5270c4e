"""Bad input: what is not square, not symmetric, singular, indefinite, not finite, complex, too precise, misfit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.errors import ArgumentError, DomainError, DTypeError, LayoutError, ShapeError

HILBERT = 1.0 / (np.arange(16)[:, None] + np.arange(16) + 1)
INDEFINITE = [[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

CALLS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "inverse, not square": (lambda: jm.inverse(np.ones((2, 3))), ShapeError,
        r"inverse: A has shape \(2, 3\); expected a square matrix; of one that is not square, take pinv or least_squa"),
    "matrix_power, NaN": (lambda: jm.matrix_power(np.eye(2), np.nan), DomainError,  # type: ignore[arg-type]
        "matrix_power: exponent=nan is no whole number"),
    "matrix_power, a text": (lambda: jm.matrix_power(np.eye(2), "2"), DomainError,  # type: ignore[arg-type]
        "matrix_power: exponent='2' is no whole number"),
    "p_norm, a text": (lambda: jm.p_norm(np.ones(2), "2"), DomainError,  # type: ignore[arg-type]
        "p_norm: p='2' gives no norm; take p from 1 on, or math.inf"),
    "spectral_function, a number": (lambda: jm.spectral_function(np.eye(2), 1, np.exp), ArgumentError,  # type: ignore[arg-type]
        "spectral_function: f is 1; give a function of the array of eigenvalues, such as np.exp"),
    "spectral_function, no derivative": (
        lambda: jm.spectral_function(np.eye(2), np.sqrt, None), ArgumentError,  # type: ignore[arg-type]
        "spectral_function: prime is None; give a function"),
    "spectral_function, outside": (lambda: jm.spectral_function(-np.eye(2), np.log, np.reciprocal), DomainError,
        "spectral_function: f is nan at the eigenvalue -1; S lies outside of it"),
    "inverse, a vector": (lambda: jm.inverse(np.ones(3)), ShapeError,
        r"inverse: A has shape \(3,\); expected a matrix, or a batch along leading axes"),
    "inverse, singular": (lambda: jm.inverse(np.ones((2, 2))), DomainError,
        r"inverse: A \(2, 2\) is singular: its condition number is inf, and float64 carries 4.5e\+15; remove dependen"),
    "inverse, nearly singular": (lambda: jm.inverse(HILBERT), DomainError,
        r"inverse: A \(16, 16\) is singular: its condition number is \d.*e\+\d\d, and float64 .*ridge\), or take pinv"),
    "inverse, one of a batch": (lambda: jm.inverse([np.eye(2), np.ones((2, 2))]), DomainError,
        r"inverse: A \(2, 2\) is singular: .* \(in example 1\)"),
    "inverse, NaN": (lambda: jm.inverse([[1.0, np.nan], [0.0, 1.0]]), DomainError,
        r"inverse: A holds nan at \(0, 1\) \(1 entry is not finite\); fill them in"),
    "inverse, complex": (lambda: jm.inverse(1j * np.eye(2)), DTypeError,
        r"inverse: A has dtype complex128; expected real numbers"),
    "inverse, long doubles": (lambda: jm.inverse(np.eye(2, dtype=np.longdouble)), DTypeError,
        r"inverse: A has dtype .*; LAPACK computes in float32 and float64: pass A.astype\(np.float64\)"),
    "solve, misfit": (lambda: jm.solve(np.eye(2), np.ones(3)), ShapeError,
        r"solve: A has shape \(2, 2\), B has \(3,\); expected B with 2 rows, or a vector of 2 entries"),
    "solve, leading axes": (lambda: jm.solve(np.ones((5, 2, 2)), np.ones((2, 2))), ShapeError,
        r"solve: A has shape \(5, 2, 2\), a batch with leading axes \(5,\), B has \(2, 2\); every input needs the sam"),
    "logdet, negative": (lambda: jm.logdet(np.diag([1.0, -1.0])), DomainError,
        "logdet: A has a negative determinant, whose logarithm is not real; take slogdet"),
    "det, too large": (lambda: jm.det(1e200 * -np.eye(3)), DomainError,
        r"det: the determinant of A \(3, 3\) is -e\^1381.55, too large for float64; take logdet, or slogde"),
    "slogdet, not square": (lambda: jm.slogdet(np.ones((2, 3))), ShapeError, r"slogdet: A has shape \(2, 3\)"),
    "eigh, not symmetric": (lambda: jm.eigh([[1.0, 2.0], [0.0, 1.0]]), DomainError, "eigh: A is not symmetric: A.0, 1"),
    "matrix_power, too large": (lambda: jm.matrix_power(2 * np.eye(2), 10**6), DomainError,
        r"matrix_power: A\^1000000 is too large for float64: the largest eigenvalue of A is 2 in size; scale A"),
    "pinv, rank": (lambda: jm.pinv(np.ones((3, 2))), DomainError,
        r"pinv: A \(3, 2\) has not full rank: singular value 1 is .*, the largest 2.449.*; where the rank changes"),
    "least_squares, rank": (lambda: jm.least_squares(np.ones((3, 2)), np.ones(3)), DomainError,
        r"least_squares: A \(3, 2\) has not full rank: .*X is not determined; take ridge"),
    "least_squares, wide": (lambda: jm.least_squares(np.ones((2, 3)), np.ones(2)), DomainError,
        r"least_squares: A has shape \(2, 3\), with fewer rows than columns: many X are best; take ridge"),
    "ridge, negative": (lambda: jm.ridge(np.eye(2), np.ones(2), -1.0), DomainError, "ridge: the penalty -1.0 must be "),
    "ridge, misfit": (lambda: jm.ridge(np.eye(2), np.ones(3), 1.0), ShapeError,
        r"ridge: A has shape \(2, 2\), B has \(3,\); expected B with 2 rows"),
    "lyapunov, a shared eigenvalue": (lambda: jm.lyapunov(np.diag([1.0, -1.0]), np.eye(2)), DomainError,
        r"lyapunov: the eigenvalues 1 of A and -1 of B add up to 0, which is zero up to rounding"),
    "sylvester, misfit": (lambda: jm.sylvester(np.eye(2), np.eye(3), np.eye(2)), ShapeError,
        r"sylvester: A has shape \(2, 2\), B has \(3, 3\), C has \(2, 2\); expected C of shape \(2, 3\)"),
    "cholesky, not symmetric": (lambda: jm.cholesky([[1.0, 0.5], [0.0, 1.0]]), DomainError,
        r"cholesky: A is not symmetric: A\[0, 1\] = 0.5, A\[1, 0\] = 0; take symmetrised\(A\) first, whose Jacobian s"),
    "cholesky, indefinite": (lambda: jm.cholesky(INDEFINITE), DomainError,
        r"cholesky: A \(3, 3\) is not positive definite: pivot 1 is 0; add a multiple of the identity, or take ldl"),
    "cholesky, negative": (lambda: jm.cholesky(-np.eye(3)), DomainError, "cholesky: .*: pivot 0 is -1;"),
    "ldl": (lambda: jm.ldl(INDEFINITE), DomainError,
        r"ldl: pivot 1 is 0, zero up to rounding: the leading 2 rows and columns are singular; reorder"),
    "qr, wide": (lambda: jm.qr(np.ones((2, 3))), ShapeError,
        r"qr: A has shape \(2, 3\), with more columns than rows; take A's transpose, or its first 2 columns"),
    "qr, dependent": (lambda: jm.qr([[1.0, 2.0], [1.0, 2.0]]), DomainError,
        r"qr: column 1 of A \(2, 2\) depends on those before it: R\[1, 1\] is"),
    "logm": (lambda: jm.logm(np.diag([1.0, -2.0])), DomainError,
        "logm: A has the eigenvalue -2, on the negative real axis or zero up to rounding; the principal logarithm nee"),
    "sqrtm": (lambda: jm.sqrtm([[-1.0, 1.0], [0.0, 2.0]]), DomainError, "sqrtm: A has the eigenvalue -1, on the negat"),
    "spectral_function, outsi": (lambda: jm.spectral_function(np.diag([1.0, 3.0]), lambda w: np.where(w > 2, np.inf, w),
        np.ones_like), DomainError, "spectral_function: f is inf at the eigenvalue 3; S lies outside of it"),
    "spectral_function, shape": (lambda: jm.spectral_function(np.eye(2), np.sum, np.sum), ShapeError,
        r"spectral_function: f gives shape \(\) for eigenvalues of shape \(2,\)"),
    "matrix_power": (lambda: jm.matrix_power(np.eye(2), 0.5), DomainError,  # type: ignore[arg-type]
        "matrix_power: exponent=0.5 is no whole number; take sqrtm, or expm of logm"),
    "matrix_power, singular": (lambda: jm.matrix_power(np.ones((2, 2)), -1), DomainError, "matrix_power: A .*is singu"),
    "cayley": (lambda: jm.cayley(-np.eye(2)), DomainError, r"cayley: I \+ A \(2, 2\) is singular"),
    "gram": (lambda: jm.gram(np.eye(2), "lines"), LayoutError,  # type: ignore[arg-type]
        r"gram: of='lines' is unknown; choose 'columns' \(XᵀX\) or 'rows' \(XXᵀ\)"),
    "congruence": (lambda: jm.congruence(np.ones((2, 3)), np.eye(3)), ShapeError,
        r"congruence: X has shape \(2, 3\), M has \(3, 3\); Xᵀ M X needs X with 3 rows"),
    "triple_product": (lambda: jm.triple_product(np.eye(2), np.eye(3), np.eye(3)), ShapeError,
        r"triple_product: A has shape \(2, 2\), X has \(3, 3\), B has \(3, 3\); expected three matrices whose inner s"),
    "outer": (lambda: jm.outer(np.ones(2), np.eye(2)), ShapeError, r"outer: x has shape \(2,\), y has \(2, 2\); expec"),
    "kron": (lambda: jm.kron(np.eye(2), np.ones(2)), ShapeError, r"kron: A has shape \(2, 2\), B has \(2,\); expected"),
    "divide, zero": (lambda: jm.divide(np.ones((2, 2)), [[1.0, 1.0], [0.0, 1.0]]), DomainError,
        r"divide: B is zero at \(1, 0\); add an epsilon"),
    "divide, misfit": (lambda: jm.divide(np.ones(2), np.ones(3)), ShapeError, "divide: A has .* do not broadcast"),
    "norm of nothing": (lambda: jm.frobenius_norm(np.ones((0, 2))), ShapeError, "a matrix without entries has no norm"),
    "p below one": (lambda: jm.p_norm([1.0], 0.5), DomainError, "p_norm: p=0.5 gives no norm; take p from 1 on"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_refusals(name: str) -> None:
    call, error, text = CALLS[name]
    with pytest.raises(error, match=text):
        call()


def test_a_matrix_that_is_symmetric_up_to_rounding_is_taken() -> None:
    S = np.array([[2.0, 1.0], [1.0 + 1e-12, 2.0]])
    np.testing.assert_allclose(jm.cholesky(S)[0], np.linalg.cholesky(S), rtol=1e-11)


def test_empty_matrices_and_batches_of_none() -> None:
    for operation in (jm.inverse, jm.cholesky, jm.expm, jm.logm, jm.sqrtm, jm.eigvalsh, jm.pinv):
        value, J = operation(np.zeros((0, 0)))
        assert value.size == 0
        assert J.shape == (0, 0)
        value, J = operation(np.zeros((0, 3, 3)))
        assert len(value) == 0
        assert J.vjp(np.zeros(value.shape)).shape == (0, 3, 3)
    value, J = jm.det(np.zeros((0, 0)))
    assert value == 1
    assert J.shape == (1, 0)


def test_one_by_one_matrices() -> None:
    A = [[4.0]]
    for operation, slope in {jm.inverse: -1 / 16, jm.cholesky: 1 / 4, jm.expm: np.exp(4.0), jm.logm: 1 / 4}.items():
        assert operation(A)[1].to_dense()[0, 0] == pytest.approx(slope)


def test_forms_of_no_examples_with_a_matrix_for_each() -> None:
    value, J = jm.quadratic(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    assert value.shape == (0,)
    assert J.A.jvp(np.zeros((0, 3, 3))).shape == (0,)
    assert J.x.vjp(np.zeros(0)).shape == (0, 3)
