"""`SylvesterInverse`: complex eigenvalues, its determinant, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DomainError, ShapeError
from jacobians.linops import SylvesterInverse
from jacobians.testing import assert_jacobian_laws

rng = np.random.default_rng(0)
TURN = np.array([[0.0, -2.0], [0.5, 0.0]])
"""Eigenvalues ±i."""


def test_of_matrices_with_complex_eigenvalues() -> None:
    A, B = np.kron(np.eye(2), TURN) + np.diag([1.0, 1.0, 2.0, 2.0]), TURN + 3 * np.eye(2)
    A += np.triu(rng.normal(size=(4, 4)), 2)
    matrix = np.kron(A, np.eye(2)) + np.kron(np.eye(4), B.T)
    J = SylvesterInverse(A, B)
    assert_jacobian_laws(J, np.linalg.inv(matrix))
    assert J.det() == pytest.approx(1 / np.linalg.det(matrix))
    sums = np.add.outer(np.linalg.eigvals(A), np.linalg.eigvals(B))
    np.testing.assert_allclose(np.sort_complex(J.eigenvalue_sums().ravel()), np.sort_complex(sums.ravel()), atol=1e-12)


def test_the_sign_of_a_determinant() -> None:
    A, B = np.array([[-1.0]]), np.diag([0.5, 2.0, 3.0])
    assert SylvesterInverse(A, B).det() == pytest.approx(1 / np.prod([-0.5, 1.0, 2.0]))


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"SylvesterInverse: A has shape \(2, 3\), B has \(2, 2\); expected"):
        SylvesterInverse(np.ones((2, 3)), np.eye(2))
    with pytest.raises(DomainError, match=r"the eigenvalues 0\+1j of A and 0-1j of B add up to 0, which is zero up to"):
        SylvesterInverse(TURN, -TURN)
    with pytest.raises(DomainError, match="the eigenvalues 2 of A and -2 of B add up to 0"):
        SylvesterInverse(np.diag([1.0, 2.0]), np.array([[-2.0]]))


def test_nearly_shared_eigenvalues_are_shared_in_float32() -> None:
    A, B = np.array([[1.0]]), np.array([[-1.0 - 1e-8]])
    assert np.isfinite(SylvesterInverse(A, B).to_dense()).all()
    with pytest.raises(DomainError, match="zero up to rounding"):
        SylvesterInverse(A.astype(np.float32), B.astype(np.float32))
