"""`Frechet`: directions of any size, defective matrices, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm, expm_frechet

from jacobians.errors import ShapeError
from jacobians.linops import Frechet

rng = np.random.default_rng(0)


@pytest.mark.parametrize("size", [1e-200, 1e-8, 1.0, 1e8, 1e150])
def test_a_direction_of_any_size_keeps_its_digits(size: float) -> None:
    A, E = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    J = Frechet(expm, A, "expm")
    for found, matrix in ((J.jvp(size * E), A), (J.vjp(size * E), A.T)):
        expected = expm_frechet(matrix, E, compute_expm=False)
        np.testing.assert_allclose(found / size, expected, atol=1e-13 * np.abs(expected).max())


def test_a_defective_matrix_has_a_derivative() -> None:
    A, E = np.array([[1.0, 1.0], [0.0, 1.0]]), rng.normal(size=(2, 2))
    np.testing.assert_allclose(Frechet(expm, A, "expm").jvp(E), expm_frechet(A, E, compute_expm=False), atol=1e-14)


def test_no_direction_gives_no_change() -> None:
    assert not Frechet(expm, np.zeros((2, 2)), "expm").jvp(np.zeros((2, 2))).any()


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"Frechet: the matrix has shape \(2, 3\); expected a square one"):
        Frechet(expm, np.ones((2, 3)), "expm")
