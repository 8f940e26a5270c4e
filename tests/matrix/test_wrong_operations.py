"""Deliberately wrong operations of matrices, as they are published and written, each caught by a law."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.arrays import Array, Shape
from jacobians.linops import Commutation, Diagonal, Kronecker
from jacobians.matrix.factorisations import below, triangular_inverse
from jacobians.matrix.matrix_operation import OfMatrices, OfOneMatrix, symmetriser
from jacobians.operations.record import Makers
from jacobians.testing import assert_batch, assert_operation_laws, assert_reference

rng = np.random.default_rng(0)
A = rng.normal(size=(3, 3)) + 4 * np.eye(3)
S = A @ A.T


class _Square(OfOneMatrix):
    def _shape(self, *shapes: Shape) -> Shape:
        return shapes[0]


class UntransposedInverse(_Square):
    """−Y ⊗ Y in place of −Y ⊗ Yᵀ."""

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        Y = np.linalg.inv(arrays[0])
        return Y, {"A": lambda: -1.0 * Kronecker(Y, Y)}


class SquareByTheScalarRule(_Square):
    """dA² = 2A dA, as if matrices commuted."""

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        return A @ A, {"A": lambda: Kronecker(2 * A, len(A))}


class CholeskyWithTheWholeDiagonal(_Square):
    """Φ that forgets to halve the diagonal."""

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        S = (arrays[0] + arrays[0].T) / 2
        L = np.linalg.cholesky(S)
        n, inverse = len(L), triangular_inverse(L)
        whole = Diagonal(below(n, L.dtype, 1.0))
        return L, {"A": lambda: Kronecker(L, n) @ whole @ Kronecker(inverse, inverse) @ symmetriser(n, L.dtype)}


class CholeskyOfOneEntryOfTwo(_Square):
    """Without (I + K)/2: the entries above the diagonal count whole."""

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        S = (arrays[0] + arrays[0].T) / 2
        L = np.linalg.cholesky(S)
        n, inverse = len(L), triangular_inverse(L)
        half = Diagonal(below(n, L.dtype, 0.5))
        return L, {"A": lambda: Kronecker(L, n) @ half @ Kronecker(inverse, inverse)}


class EigenvectorsWithTheOtherSign(_Square):
    """F with wᵢ − wⱼ for wⱼ − wᵢ."""

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        V, makers = jm.Eigenvectors()._of_one((arrays[0] + arrays[0].T) / 2)
        return V, {"A": lambda: -1.0 * makers["A"]()}


class PinvOfOneTerm(OfOneMatrix):
    """−A⁺ dA A⁺, the rule of an inverse."""

    def _shape(self, *shapes: Shape) -> Shape:
        return shapes[0][::-1]

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        P = np.linalg.pinv(arrays[0])
        return P, {"A": lambda: -1.0 * Kronecker(P, P.T)}


class CongruenceOfASymmetricMatrix(OfMatrices):
    """d XᵀMX = 2 XᵀM dX, as for a symmetric M and a vector."""

    inputs: ClassVar[tuple[str, ...]] = ("X", "M")

    def _shape(self, *shapes: Shape) -> Shape:
        return (shapes[0][1],) * 2

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        X, M = arrays
        return X.T @ M @ X, {
            "X": lambda: Kronecker(2 * X.T @ M, X.shape[1]),
            "M": lambda: Kronecker(X.T, X.T) @ Commutation(len(M), len(M)),
        }


class LogdetOfAllExamples(OfOneMatrix):
    """A batch whose Jacobians are all the last example's."""

    def _shape(self, *shapes: Shape) -> Shape:
        return ()

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        self.__dict__["latest"] = np.linalg.inv(arrays[0]).T
        from jacobians.linops import Dense

        return np.asarray(np.linalg.slogdet(arrays[0])[1]), {"A": lambda: Dense(self.__dict__["latest"])}


WRONG: dict[str, tuple[Any, list[np.ndarray]]] = {
    "inverse": (UntransposedInverse(), [A]),
    "square": (SquareByTheScalarRule(), [A]),
    "cholesky, Φ": (CholeskyWithTheWholeDiagonal(), [S]),
    "cholesky, symmetry": (CholeskyOfOneEntryOfTwo(), [S]),
    "eigenvectors": (EigenvectorsWithTheOtherSign(), [S]),
    "pinv": (PinvOfOneTerm(), [rng.normal(size=(4, 2))]),
    "congruence": (CongruenceOfASymmetricMatrix(), [rng.normal(size=(3, 2)), A]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_operation_is_caught_by_its_reference(name: str) -> None:
    operation, arrays = WRONG[name]
    with pytest.raises(AssertionError, match="law reference: "):
        assert_reference(operation, arrays)


def test_an_operation_that_confuses_its_examples_is_caught() -> None:
    batch = np.stack([A, S])
    with pytest.raises(AssertionError, match=r"law (batch|reference|purity)"):
        assert_batch(LogdetOfAllExamples(), [batch], axes=(0,), out_axis=0)
    with pytest.raises(AssertionError):
        assert_operation_laws(LogdetOfAllExamples(), [batch], axes=(0,), out_axis=0)
