"""Where eigenvalues or singular values are equal: exact where a derivative exists, an error with the pair where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.errors import DomainError
from jacobians.linops import Dense
from tests.matrix import twins

rng = np.random.default_rng(0)
Q, _ = np.linalg.qr(rng.normal(size=(4, 4)))
TIED = (Q * np.array([1.0, 2.0, 2.0, 5.0])) @ Q.T
TIED = (TIED + TIED.T) / 2
E = rng.normal(size=(4, 4))


@pytest.mark.parametrize("name", ["expm", *(pytest.param(name, marks=pytest.mark.slow) for name in ("logm", "sqrtm"))])
def test_functions_of_a_matrix_are_exact_at_ties(name: str) -> None:
    _, J = getattr(jm, name)(TIED)
    half = jm.symmetrised(TIED)[1]
    expected = twins.jacobian(twins.symmetric(name), [TIED], 0)
    np.testing.assert_allclose((J @ half).to_dense(), expected, rtol=1e-11, atol=1e-12)


def test_symmetric_functions_of_tied_eigenvalues_are_smooth() -> None:
    """The gradient of Σ w³ = tr A³ is 3A², whatever basis the tied eigenvectors have."""
    w, J = jm.eigvalsh(TIED)
    np.testing.assert_allclose((Dense(3 * w**2) @ J).gradient, 3 * TIED @ TIED, atol=1e-12)


def test_symmetric_functions_of_tied_singular_values_are_smooth() -> None:
    """Σ s² = tr AᵀA has the gradient 2A; the nuclear norm of an orthogonal matrix has the matrix itself."""
    s, J = jm.svdvals(2 * Q)
    np.testing.assert_allclose(s, 2.0)
    np.testing.assert_allclose((Dense(2 * s) @ J).gradient, 4 * Q, atol=1e-13)
    np.testing.assert_allclose(jm.nuclear_norm(Q)[1].gradient, Q, atol=1e-13)


def test_jax_issue_2311() -> None:
    """Singular values of the identity: NaN in JAX since 2020 (jax-ml/jax#2311), torch and TensorFlow.

    What is well defined is a number: the reconstruction U f(s) Vᵀ by way of the symmetric AᵀA, and norms. What is not,
    the singular vectors, is an error that names the pair and the gap, and never a NaN.
    """
    eye = np.eye(3)
    with pytest.raises(
        DomainError, match=r"svd: the singular values 0 and 1, 1 and 1, are equal up to rounding \(gap 0\)"
    ):
        jm.svd(eye)
    assert jm.svdvals(eye)[1].vjp(np.ones(3)).tolist() == eye.tolist()
    S, by_a = jm.gram(eye)
    root, by_s = jm.spectral_function(S, np.sqrt, lambda w: 0.5 / np.sqrt(w))  # |A| = (AᵀA)^½ = V diag(s) Vᵀ
    np.testing.assert_allclose(root, eye, atol=1e-15)
    np.testing.assert_allclose((by_s @ by_a).jvp(E[:3, :3]), (E[:3, :3] + E[:3, :3].T) / 2, atol=1e-15)


REFUSED: dict[str, tuple[Any, str]] = {
    "eigh": (lambda: jm.eigh(TIED), r"eigh: the eigenvalues 1 and 2, 2 and 2, are equal up to rounding \(gap .*\): "
             r"their eigenvectors are not determined; eigvalsh and spectral functions, such as expm, are exact there"),
    "svd": (lambda: jm.svd(TIED), r"svd: the singular values 1 and 2, 2 and 2, are equal up to rounding \(gap .*\): t"),
    "spectral_norm": (lambda: jm.spectral_norm(np.eye(2)), r"spectral_norm: the singular values 0 and 1, 1 and 1, are "
                      r"equal up to rounding \(gap 0\): the largest of them has a kink; their sum"),
    "svdvals": (lambda: jm.svdvals(np.ones((2, 2))), r"svdvals: singular value 1 of A \(2, 2\) is .*, zero up to roun"),
    "svd of a singular matrix": (lambda: jm.svd(np.diag([1.0, 0.0])), "svd: singular value 1 of A .* the signs of its"),
    "nuclear_norm": (lambda: jm.nuclear_norm(np.ones((2, 2))), r"nuclear_norm: A \(2, 2\) has not full rank: singular"),
    "frobenius_norm": (lambda: jm.frobenius_norm(np.zeros((2, 2))), r"frobenius_norm: A is zero, where the norm has a"),
    "spectral_norm of zero": (lambda: jm.spectral_norm(np.zeros((2, 2))), "spectral_norm: A is zero, where the norm h"),
    "p_norm inf": (lambda: jm.p_norm([1.0, -1.0, 0.5], np.inf), r"p_norm: entries 0 and 1 of vector 0 are equally lar"),
    "p_norm 1": (lambda: jm.p_norm([[1.0, 2.0], [0.0, 1.0]], 1), "p_norm: entry 0 of vector 1 is zero, where the 1-no"),
    "p_norm of zero": (lambda: jm.p_norm([0.0, 0.0]), "p_norm: vector 0 is zero, where the norm has a kink"),
    "normalise": (lambda: jm.normalise([[1.0, 0.0], [0.0, 0.0]]), "normalise: vector 1 is zero and has no direction"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_derivative_is_an_error(name: str) -> None:
    call, text = REFUSED[name]
    with pytest.raises(DomainError, match=text):
        call()


def test_values_without_a_derivative_are_values() -> None:
    """In a graph, only what is differentiated needs a derivative."""
    value, _ = jm.Eigenvectors().evaluate(TIED)
    np.testing.assert_allclose(value @ value.T, np.eye(4), atol=1e-14)
    assert jm.FrobeniusNorm().evaluate(np.zeros((2, 2)))[0] == 0


def test_ties_that_are_too_close_for_float32_are_ties_there() -> None:
    near = np.diag([1.0, 1.0 + 1e-7, 3.0])
    assert np.isfinite(jm.eigh(near)[1][1].to_dense()).all()
    with pytest.raises(DomainError, match="eigenvalues 0 and 1"):
        jm.eigh(near.astype(np.float32))
