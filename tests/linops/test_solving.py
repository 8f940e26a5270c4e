"""Inverses, solutions and determinants by structure, against NumPy's of the dense twin, over every structure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians.arrays import size_of
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import (
    BlockDiagonal,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    DirectSum,
    Identity,
    Jacobian,
    Kronecker,
    LowRank,
    Product,
    Reshape,
    Selection,
    SylvesterInverse,
    Zero,
)
from tests.linops.cases import CASES, built

rng = np.random.default_rng(0)


def n(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def spd(size: int) -> np.ndarray:
    A = n(size, size)
    return A @ A.T + np.eye(size)


A, B = n(3, 3) + 3 * np.eye(3), n(2, 2) + 3 * np.eye(2)
S, T = spd(3), spd(2)
ROTATION, _ = np.linalg.qr(n(3, 3))

KNOWN: dict[str, Jacobian] = {
    "Identity": Identity((2, 3)),
    "scaled Identity": -2.0 * Identity((2, 3)),
    "Diagonal": Diagonal(n(2, 3)),
    "Commutation of a square matrix": Commutation(3, 3),
    "Selection, a permutation": Selection(np.array([2, 0, 1, 3]), (4,)),
    "Kronecker": Kronecker(A, B),
    "Kronecker beside an identity": Kronecker(3, B),
    "Kronecker of triangular factors": Kronecker(np.tril(A), np.triu(B)),
    "transposed Kronecker": -0.5 * Kronecker(A, B).T,
    "BlockDiagonal": BlockDiagonal(n(4, 3, 3) + 3 * np.eye(3), (4, 3), (4, 3)),
    "BlockDiagonal in columns": BlockDiagonal(n(4, 3, 3) + 3 * np.eye(3), (3, 4), (3, 4), -1),
    "DirectSum": DirectSum([Kronecker(A, B), Kronecker(S, T)], (2, 3, 2), (2, 3, 2)),
    "Dense": Dense(n(2, 3, 2, 3), (2, 3)),
    "triangular Dense": Dense(np.tril(A), (3,)),
    "DiagonalMinusOuter": DiagonalMinusOuter(3 + rng.random((4, 3)), n(4, 3), n(4, 3), 1),
    "SylvesterInverse": SylvesterInverse(A, B),
    "Product": Kronecker(A, B) @ Diagonal(1 + rng.random((3, 2))) @ Kronecker(3, B),
    "Product through other shapes": Product([Commutation(2, 3), Dense(n(2, 3, 6), (2, 3)), Reshape((6,), (3, 2))]),
    "A ⊗ B + λI": Kronecker(S, T) + 0.1 * Identity((3, 2)),
    "A ⊗ B + np.eye": Kronecker(S, T) + 0.1 * np.eye(6),
    "A ⊗ I + I ⊗ B, symmetric": Kronecker(S, 2) + Kronecker(3, T),
    "A ⊗ I + I ⊗ B": Kronecker(A, 2) + 0.5 * Kronecker(3, B),
    "A ⊗ B + C ⊗ D, one basis": Kronecker(S, T) + 2.0 * Kronecker(S @ S, np.linalg.inv(T)),
    "A ⊗ B + C ⊗ D, by congruence": Kronecker(S, T) + Kronecker(spd(3), spd(2)),
    "A ⊗ B − C ⊗ D, indefinite A": Kronecker(S - 3 * np.eye(3), T) + -1.0 * Kronecker(spd(3), spd(2)),
    "two multiples of the identity": Kronecker(S, T) + 0.1 * Identity((3, 2)) + 0.2 * Identity((3, 2)),
    "damped Diagonal": Diagonal(1 + rng.random((3, 2))) + 0.1 * Identity((3, 2)),
    "damped Dense": Dense(S, (3,)) + 0.1 * np.eye(3),
    "Dense + Diagonal": Dense(S, (3,)) + Diagonal(rng.random(3)) + 0.1 * np.eye(3),
    "damped BlockDiagonal": BlockDiagonal(n(4, 3, 3) + 3 * np.eye(3), (3, 4), (3, 4), -1) + 0.1 * Identity((3, 4)),
    "damped DirectSum": DirectSum([Kronecker(A, 2), Kronecker(3, T)], (2, 3, 2), (2, 3, 2)) + 0.1 * np.eye(12),
    "damped DiagonalMinusOuter": DiagonalMinusOuter(rng.random((4, 3)), n(4, 3), n(4, 3), 1) + 2.0 * Identity((4, 3)),
    "A ⊗ I + λI": Kronecker(A, 2) + 0.1 * Identity((3, 2)),
    "A ⊗ I + I ⊗ B + λI": Kronecker(A, 2) + 0.5 * Identity((3, 2)) + Kronecker(3, B),
    "Q diag(w) Qᵀ + λI": Kronecker(ROTATION, 2) @ Diagonal(rng.random((3, 2))) @ Kronecker(ROTATION.T, 2)
    + 0.1 * np.eye(6),
    "λI + μI": 0.5 * Identity((3, 2)) + 0.1 * np.eye(6),
    "D + L Rᵀ": Diagonal(1 + rng.random(7)) + LowRank(n(7, 2), n(7, 2)),
    "λI + JᵀHJ": 0.3 * Identity((4, 2)) + Dense(n(3, 4, 2), (3,)).T @ Diagonal(rng.random(3)) @ Dense(n(3, 4, 2), (3,)),
}
"""What must have a rule."""


def matrix_of(J: Jacobian) -> np.ndarray:
    """By products with a basis alone."""
    basis = np.eye(J.shape[1]).reshape(-1, *J.domain)
    return J.jvp(basis).reshape(len(basis), -1).T


@pytest.mark.parametrize("name", KNOWN)
def test_what_has_a_rule(name: str) -> None:
    J = KNOWN[name]
    M = matrix_of(J)
    inverse = J.inverse()
    assert (inverse.domain, inverse.codomain) == (J.codomain, J.domain)
    np.testing.assert_allclose(matrix_of(inverse), np.linalg.inv(M), rtol=1e-9, atol=1e-11)
    b = n(2, *J.codomain)
    x = J.solve(b)
    np.testing.assert_allclose(J.jvp(x), b, rtol=1e-9, atol=1e-10)
    x[...] = np.nan  # it is the caller's
    np.testing.assert_allclose(J.jvp(J.solve(b[0])), b[0], rtol=1e-9, atol=1e-10)
    if J.domain == J.codomain:
        assert J.det() == pytest.approx(np.linalg.det(M), rel=1e-10)
        if np.linalg.det(M) > 0:
            assert J.logdet() == pytest.approx(np.linalg.slogdet(M)[1], rel=1e-10, abs=1e-12)


SQUARE = [case.name for case in CASES if (j := built(case.name)[0]).shape[0] == j.shape[1] and j.shape[0]]


def result_or_text(call: Callable[[], Any]) -> tuple[Any, str]:
    """What a call returns, and no text; or nothing, and the text of the refusal."""
    try:
        return call(), ""
    except (DomainError, ShapeError, LayoutError) as error:
        return None, str(error)


@pytest.mark.parametrize("name", SQUARE)
def test_every_structure_is_right_or_refuses(name: str) -> None:
    J, twin = built(name)
    inverse, text = result_or_text(J.inverse)
    if isinstance(J, Denominator):
        assert "numerator.inverse()" in text
        return
    if inverse is not None:
        np.testing.assert_allclose(matrix_of(inverse), np.linalg.inv(twin), rtol=1e-8, atol=1e-9)
    else:
        assert "no rule is known for" in text or np.linalg.cond(twin) > 1e10
    determinant, text = result_or_text(J.det)
    if J.domain != J.codomain:
        assert "the sign depends on the vec order" in text
    elif determinant is None:
        assert "no rule is known for" in text
    else:
        assert determinant == pytest.approx(np.linalg.det(twin), rel=1e-8, abs=1e-10)


def test_the_order_and_the_dtype_are_kept() -> None:
    J = Kronecker(A, B).ordered("F")
    assert J.inverse().order == "F"
    np.testing.assert_allclose((J.inverse() @ J).to_dense(), np.eye(6), atol=1e-13)
    narrow = Kronecker(S.astype(np.float32), T.astype(np.float32)) + 0.1 * Identity((3, 2), np.float32)
    b = n(3, 2).astype(np.float32)
    assert narrow.inverse().dtype == narrow.solve(b).dtype == np.float32
    assert isinstance(narrow.logdet(), float)


def test_a_multiple_of_the_identity_stays_one() -> None:
    """As a plain matrix it would hide what the sum is solved by."""
    J = Kronecker(S, T) + 0.1 * np.eye(6)
    assert J.structure == "Kronecker(3×3, 2×2) + 0.1·Identity(3×2)"
    assert (Kronecker(S, T) + np.diag(np.arange(6.0))).structure == "Kronecker(3×3, 2×2) + Dense(3×2×3×2)"
    assert (np.eye(6) - Kronecker(S, T)).structure == "-1·Kronecker(3×3, 2×2) + Identity(3×2)"
    both = jac_denominator(Kronecker(S, T)) + 2 * np.eye(6)
    np.testing.assert_allclose(both.to_dense(), np.kron(S, T).T + 2 * np.eye(6))


def jac_denominator(J: Jacobian) -> Jacobian:
    from jacobians.operations.record import in_layout

    return in_layout(J, Layout(derivative="denominator"))


def test_a_kronecker_product_is_never_multiplied_out() -> None:
    """n = 300: the matrix would take 60 GiB."""
    size = 300
    factor = spd(size) / size
    J = Kronecker(factor, size) + 0.5 * Identity((size, size))
    assert J.logdet() == pytest.approx(size * np.log(np.linalg.eigvalsh(factor) + 0.5).sum(), rel=1e-10)
    b = n(size, size)
    np.testing.assert_allclose(J.jvp(J.solve(b)), b, atol=1e-8)


def test_determinants_of_nothing_and_of_zero() -> None:
    assert Diagonal(np.zeros(0)).det() == 1
    assert Zero((2,), (2,)).det() == 0
    assert Diagonal(np.array([1.0, 0.0])).det() == 0
    assert (0.0 * Diagonal(np.ones(2))).det() == 0
    assert DirectSum((), (0, 2), (0, 2)).det() == 1
    assert Selection(np.array([0, 0]), (2,)).det() == 0
    assert Selection(np.array([1, 0, 2]), (3,)).det() == -1


REFUSED = {
    "not square": (lambda: Dense(n(2, 3), (2,)).inverse(), ShapeError, "inverse: Dense.* is 2×3; only a square matrix"),
    "a right-hand side of another shape": (lambda: Diagonal(n(2)).solve(n(3)), ShapeError, "solve: the right-hand sid"),
    "a zero on the diagonal": (lambda: Diagonal(np.array([1.0, 0.0])).inverse(), DomainError,
        r"inverse: the diagonal is 0 at \(1,\), so the matrix is singular; add a multiple of the identity, J \+ 0.1 "),
    "a singular factor": (lambda: Kronecker(np.ones((2, 2)), 2).solve(n(2, 2)), DomainError,
        r"solve: A \(2, 2\) is singular: its condition number is inf"),
    "a singular block": (lambda: BlockDiagonal(np.ones((2, 2, 2)), (2, 2), (2, 2)).inverse(), DomainError,
        r"inverse: block 0 \(2, 2\) is singular"),
    "factors that are not square": (lambda: Kronecker(n(2, 3), n(3, 2)).inverse(), DomainError,
        "inverse: the factor on the left is 2×3; a Kronecker product of factors that are not square is singular"),
    "a softmax": (lambda: DiagonalMinusOuter(*[np.full((1, 2), 0.5)] * 3, 1).inverse(), DomainError,
        "inverse: DiagonalMinusOuter.* is singular: 1 − vᵀ diag.* is 0, as of a softmax"),
    "a sum that cancels": (lambda: (Kronecker(S, 2) - Kronecker(S, 2)).solve(n(3, 2)), DomainError,
        "solve: .* is singular: in the basis of its factors entry .* add a larger multiple of the identity"),
    "zero": (lambda: Zero((2,), (2,)).inverse(), DomainError, "inverse: .* is zero"),
    "no rule": (lambda: (Kronecker(A, B) + 0.1 * Identity((3, 2))).solve(n(3, 2)), DomainError,
        r"solve: no rule is known for Kronecker\(3×3, 2×2\) \+ 0.1·Identity\(3×2\) \(6×6\); solve by products alone, "
        r"with scipy.sparse.linalg.cg\(J, b\) of a symmetric positive definite J or gmres\(J, b\) of any, or"),
    "no rule for a determinant": (lambda: (Kronecker(A, B) + Diagonal(n(3, 2))).det(), DomainError, "det: no rule is "),
    "a negative determinant": (lambda: Diagonal(np.array([1.0, -1.0])).logdet(), DomainError,
        "logdet: Diagonal.* has a negative determinant, which has no real logarithm; take det"),
    "denominator layout": (lambda: Denominator(Diagonal(n(2))).solve(n(2)), LayoutError, "take its numerator.solve"),
    "other shapes": (lambda: Reshape((6,), (2, 3)).det(), ShapeError, "det: .* maps .*; between different shapes the "),
    "long doubles": (lambda: Diagonal(n(2).astype(np.longdouble)).inverse(), DTypeError, "LAPACK knows float32 and fl"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    call, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        call()


def test_the_alternatives_that_an_error_names_work() -> None:
    from scipy.sparse.linalg import cg, gmres

    J, b = Kronecker(S, T) + Diagonal(1 + rng.random((3, 2))), n(3, 2)
    with pytest.raises(DomainError, match="no rule is known"):
        J.solve(b)
    for solver in (cg, gmres):
        x, info = solver(J, b.ravel(), rtol=1e-10)
        assert info == 0
        np.testing.assert_allclose(J @ x, b.ravel(), atol=1e-7)
    written = Dense(J.tensor(), J.codomain)
    np.testing.assert_allclose(J.jvp(written.solve(b)), b, atol=1e-10)
    assert math.isfinite(written.logdet())
    assert size_of(written.inverse().domain) == 6
