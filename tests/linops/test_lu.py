"""The factorisation P L U: solutions, inverse and determinant, and what is said of a singular matrix."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DomainError
from jacobians.linops.lu import factored, factored_or_singular, solved_triangular


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_one_factorisation_gives_solutions_inverse_and_determinant(n: int, dtype: type) -> None:
    rng = np.random.default_rng(n)
    A = rng.normal(size=(n, n)).astype(dtype)
    b = rng.normal(size=(n, 3)).astype(dtype)
    of = factored("test", A)
    tolerance = 1e3 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(A @ of.solve(b), b, atol=tolerance)
    np.testing.assert_allclose(A @ of.inverse, np.eye(n), atol=tolerance)
    np.testing.assert_allclose(of.slogdet(), np.linalg.slogdet(A.astype(np.float64)), rtol=tolerance, atol=tolerance)
    assert of.solve(b).dtype == of.inverse.dtype == dtype


def test_the_sign_counts_exchanged_rows() -> None:
    for turned in (np.eye(4)[[1, 0, 2, 3]], np.eye(4)[[1, 2, 3, 0]], np.eye(4)[[1, 2, 0, 3]], -np.eye(3)):
        assert factored("test", turned).slogdet() == (np.linalg.det(turned).round(), 0.0)


def test_the_condition_number_is_that_of_the_1_norm() -> None:
    A = np.random.default_rng(0).normal(size=(6, 6))
    truth = np.linalg.cond(A, 1)
    assert truth / 3 <= factored("test", A).condition <= truth * (1 + 1e-9)


def test_a_singular_matrix_is_refused_with_its_condition_number() -> None:
    A = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert factored_or_singular(A).slogdet() == (0.0, -np.inf)
    with pytest.raises(DomainError, match=r"test: B \(2, 2\) is singular: its condition number is inf, and float64"):
        factored("test", A, "B")
    near = np.diag([1.0, 1e-17])
    with pytest.raises(DomainError, match=r"test: A \(2, 2\) is singular: its condition number is 1e\+17"):
        factored("test", near)
    with pytest.raises(DomainError, match=r"test: L \(2, 2\) is singular: its condition number is 1e\+17"):
        solved_triangular("test", near, np.ones((2, 1)), "L", lower=True)
