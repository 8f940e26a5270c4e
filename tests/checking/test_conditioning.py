"""Near ties and near singular matrices a check says how badly the derivative is conditioned, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import matrix as jm

Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))


def with_gap(gap: float) -> np.ndarray:
    """A symmetric matrix with two eigenvalues at 1 that are so far apart."""
    A = (Q * np.array([1.0, 1.0 + gap, 3.0])) @ Q.T
    return np.asarray((A + A.T) / 2)


def vectors(A: np.ndarray) -> np.ndarray:
    return np.asarray(jm.Eigenvectors().evaluate((A + A.T) / 2)[0])


def by_a(A: np.ndarray) -> Any:
    return jm.Eigenvectors()((A + A.T) / 2)[1]


@pytest.mark.parametrize(("gap", "said"), [(1e-2, None), (1e-6, "9e-11"), (1e-12, "at least 6e-06")])
def test_eigenvectors_near_a_tie(gap: float, said: str | None) -> None:
    """The derivative of eigenvectors is as large as 1/gap, and its rounding as 1/gap of the matrix's."""
    check = jac.check_jacobian(vectors, by_a, with_gap(gap))
    notes = [note for note in check.notes if note.startswith("conditioning")]
    assert check.verdict == ("pass" if gap > 1e-9 else "inconclusive")
    if said is None:
        assert notes == []
    else:
        assert notes == [
            f"conditioning: a change of x by 2e-16 of its size changes the derivative by {said} of its size, as near "
            "two equal eigenvalues or singular values, or near a singular matrix"
        ]


def test_a_gradient_through_them() -> None:
    """A sum of squares of projections, in numpy and in float64."""
    weights = np.array([1.0, 2.0, 5.0])

    def loss(A: np.ndarray) -> float:
        return float((weights @ vectors(A)) ** 2 @ weights)

    def gradient(A: np.ndarray) -> np.ndarray:
        V, J = jm.Eigenvectors()((A + A.T) / 2)
        return np.asarray(J.vjp(np.outer(weights, 2 * (weights @ V) * weights)))

    check = jac.check_gradient(loss, gradient, with_gap(1e-6))
    assert check, check
    assert "note: conditioning: a change of x by 2e-16" in str(check)


def test_near_a_singular_matrix() -> None:
    near = (Q * np.array([1.0, 2.0, 1e-7])) @ Q
    check = jac.check_jacobian(lambda A: jm.inverse(A)[0], lambda A: jm.inverse(A)[1], near)
    assert any("conditioning" in note for note in check.notes), check


SMOOTH: dict[str, tuple[Any, Any, Any]] = {
    "a minimum, where the derivative alone vanishes": (
        lambda x: 1 + float((x - 1) @ (x - 1)), lambda x: 2 * (x - 1), np.ones(3) + 1e-9),
    "a kink": (lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, np.array([0.0, 1.0, -1.0])),
    "singular values of the identity, jax#2311": (
        lambda A: jm.nuclear_norm(A)[0], lambda A: jm.nuclear_norm(A)[1].gradient, np.eye(3)),
    "a symmetric function at a tie": (
        lambda A: jm.expm((A + A.T) / 2)[0], lambda A: jm.expm((A + A.T) / 2)[1] @ jm.symmetrised(A)[1], np.eye(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_nothing_is_said_elsewhere(name: str) -> None:
    fun, derivative, x = SMOOTH[name]
    check = (jac.check_jacobian if "tie" in name else jac.check_gradient)(fun, derivative, x)
    assert check, check
    assert not any("conditioning" in note for note in check.notes)
