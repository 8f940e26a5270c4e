"""Trace, norms and eigenvalues by structure, against NumPy's of the dense twin, over every structure."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.linops import (
    BlockDiagonal,
    Denominator,
    Dense,
    Diagonal,
    DirectSum,
    Identity,
    Jacobian,
    Kronecker,
    LowRank,
    Selection,
)
from tests.linops.cases import CASES, built
from tests.linops.test_solving import KNOWN, S, T, matrix_of, n, result_or_text, spd

NAMES = [case.name for case in CASES]


@pytest.mark.parametrize("name", NAMES)
def test_norms(name: str) -> None:
    J, twin = built(name)
    assert J.norm() == pytest.approx(np.linalg.norm(twin), rel=1e-12)
    found, text = result_or_text(lambda: J.norm(2))
    if found is None:
        assert "svds(J, k=1" in text
    else:
        assert found == pytest.approx(np.linalg.norm(twin, 2) if twin.size else 0.0, rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_traces(name: str) -> None:
    J, twin = built(name)
    if J.domain == J.codomain:
        assert J.trace() == pytest.approx(np.trace(twin), rel=1e-11, abs=1e-12)
    else:
        with pytest.raises(ShapeError, match=r"trace: .* only a map from arrays of one shape to themselves"):
            J.trace()


V, W = np.linalg.eigh(S)[1], np.linalg.eigh(T)[1]
SYMMETRIC: dict[str, Jacobian] = {
    "Identity": Identity((2, 3)),
    "scaled Identity": -2.0 * Identity((2, 3)),
    "Diagonal": Diagonal(n(2, 3)),
    "Kronecker": Kronecker(S, T),
    "Kronecker beside an identity": -1.0 * Kronecker(S, 2),
    "BlockDiagonal": BlockDiagonal(np.stack([spd(3), spd(3)]), (2, 3), (2, 3)),
    "BlockDiagonal in columns": BlockDiagonal(np.stack([spd(3), spd(3)]), (3, 2), (3, 2), -1),
    "DirectSum": DirectSum([Kronecker(S, T), Kronecker(spd(3), 2)], (2, 3, 2), (2, 3, 2)),
    "Dense": Dense(spd(6).reshape(2, 3, 2, 3), (2, 3)),
    "A ⊗ B + λI": Kronecker(S, T) + 0.1 * Identity((3, 2)),
    "A ⊗ I + I ⊗ B": Kronecker(S, 2) + Kronecker(3, T),
    "A ⊗ B + C ⊗ D, one basis": Kronecker(S, T) + 2.0 * Kronecker(S @ S, np.linalg.inv(T)),
    "Q diag(w) Qᵀ": Kronecker(V, W) @ Diagonal(n(3, 2)) @ Kronecker(V.T, W.T),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_eigenvalues(name: str) -> None:
    J = SYMMETRIC[name]
    w, Q = J.eigh()
    assert w.shape == J.domain
    M, basis = matrix_of(J), matrix_of(Q)
    np.testing.assert_allclose(basis.T @ basis, np.eye(w.size), atol=1e-13)
    np.testing.assert_allclose(basis @ np.diag(w.ravel()) @ basis.T, M, atol=1e-11)
    assert J.norm(2) == pytest.approx(np.abs(w).max())
    w[...] = np.nan  # it is the caller's
    np.testing.assert_array_equal(J.eigh()[0], J.eigh()[0])


@pytest.mark.parametrize("name", NAMES)
def test_every_structure_has_the_right_eigenvalues_or_refuses(name: str) -> None:
    J, twin = built(name)
    found, text = result_or_text(J.eigh)
    if found is None:
        assert text.startswith("eigh: ")
    else:
        w, _ = found
        np.testing.assert_allclose(twin, twin.T, atol=1e-12)
        np.testing.assert_allclose(np.sort(w.ravel()), np.linalg.eigvalsh(twin), atol=1e-11)


def test_the_trace_of_a_diagonal_in_another_basis_needs_no_product() -> None:
    A, B = n(3, 3), n(2, 2)
    J = Kronecker(A, B) @ Diagonal(n(3, 2)) @ Kronecker(n(3, 3), n(2, 2))
    assert J.trace() == pytest.approx(np.trace(matrix_of(J)))
    assert KNOWN["Product"].trace() == pytest.approx(np.trace(matrix_of(KNOWN["Product"])))


def test_refusals() -> None:
    A = n(3, 3)
    with pytest.raises(DomainError, match=r"eigh: Kronecker.* is not symmetric: a matrix \(3, 3\) of it differs from "):
        Kronecker(A, 2).eigh()
    with pytest.raises(DomainError, match=r"eigh: no rule is known for .*; take scipy.sparse.linalg.eigsh\(J, k=3\) f"):
        (Kronecker(S, T) + Diagonal(n(3, 2))).eigh()
    with pytest.raises(ShapeError, match=r"eigh: .* maps \(3,\) to \(2,\); only a symmetric map of arrays of one shap"):
        LowRank(n(2, 1), n(3, 1)).eigh()
    with pytest.raises(LayoutError, match=r"take its numerator\.eigh"):
        Denominator(Diagonal(n(2))).eigh()
    with pytest.raises(DTypeError, match="LAPACK knows float32 and float64"):
        Diagonal(n(2).astype(np.longdouble)).eigh()
    with pytest.raises(DomainError, match="norm: 1 is unknown; choose 'fro'"):
        Diagonal(n(2)).norm(1)
    with pytest.raises(DomainError, match=r"norm: no rule is known for the largest singular value of .*svds"):
        (Kronecker(A, 2) + Diagonal(n(3, 2))).norm(2)
    assert Selection(np.array([0, 0, 1]), (2,)).norm(2) == pytest.approx(np.sqrt(2))
