"""Jacobians that break one law each: a right one, with one method replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from jacobians.linops import Denominator, Dense, Jacobian


class Wrapped(Jacobian):
    """The same map as the Jacobian inside, view by view; the base of all that is wrong below."""

    def __init__(self, inner: Jacobian) -> None:
        super().__init__(inner.codomain, inner.domain, inner.dtype)
        self.inner = inner
        self.order = inner.order

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return self.inner._jvp(tangent)

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return self.inner._vjp(cotangent)

    def _transpose(self) -> Jacobian:
        return self.inner.T

    def _sparse(self) -> csr_array:
        return self.inner._sparse()

    def _fill(self, out: np.ndarray) -> None:
        self.inner._fill(out)

    @property
    def structure(self) -> str:
        return f"{type(self).__name__}({self.inner.structure})"

    @property
    def flops(self) -> int:
        return self.inner.flops

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.inner.arrays


class DoubledPullback(Wrapped):
    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return 2.0 * self.inner._vjp(cotangent)


class NotTransposedPullback(Wrapped):
    """A square matrix, applied the same way from both sides."""

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return self.inner._jvp(cotangent)


class NearlyRightPushforward(Wrapped):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return self.inner._jvp(tangent) * (1 + 1e-10)


class ForgetsEntryInSparse(Wrapped):
    def _sparse(self) -> csr_array:
        matrix = self.inner._sparse().copy()
        matrix.data[-1] = 0.0
        return matrix


class SparseInFloat64(Wrapped):
    def _sparse(self) -> csr_array:
        return self.inner._sparse().astype(np.float64)


class DenseTransposed(Wrapped):
    def _fill(self, out: np.ndarray) -> None:
        out[...] = self.inner._dense().T.reshape(out.shape)


class TransposeIsItself(Wrapped):
    def _transpose(self) -> Jacobian:
        return self.inner


class HalvedGradient(Wrapped):
    @property
    def gradient(self) -> np.ndarray:
        return 0.5 * super().gradient


class ShiftedDiagonal(Wrapped):
    def _diagonal(self) -> np.ndarray:
        return np.roll(self.inner._diagonal(), 1)


class MatrixInCOrderOnly(Wrapped):
    """matvec forgets the vec order, to_dense does not."""

    def matvec(self, x: np.ndarray) -> np.ndarray:
        return self.inner.to_dense("C") @ x


class RightMatmatOnly(Wrapped):
    def rmatmat(self, x: np.ndarray) -> np.ndarray:
        return -self.inner.rmatmat(x)


class DenseInCOrderOnly(Wrapped):
    def to_dense(self, order: Any = None, **limit: Any) -> np.ndarray:
        return self.inner.to_dense("C")


class ActsInItsOrder(Wrapped):
    """The action depends on the vec order, which only the matrix may."""

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        image = self.inner._jvp(tangent)
        return image[..., ::-1] if self.order == "F" else image


class DenominatorOfSquares(Denominator):
    """Transposes its matrix unless it is square, where nobody would notice."""

    def to_dense(self, order: Any = None, **limit: Any) -> np.ndarray:
        matrix = self.numerator.to_dense(order)
        return matrix if matrix.shape[0] == matrix.shape[1] else matrix.T


class DenominatorForgetsVectors(Denominator):
    def matvec(self, x: np.ndarray) -> np.ndarray:
        return self.numerator.matvec(x)

    def _with_order(self, order: Any) -> DenominatorForgetsVectors:
        return self if order == self.order else DenominatorForgetsVectors(self.numerator._with_order(order))


class ForgetsScale(Wrapped):
    """Multiplied by a product it drops a factor; by anything else it is right."""

    def __matmul__(self, other: Any) -> Any:
        right = self.inner @ other
        return right * 0.5 if isinstance(other, Jacobian) and " @ " in other.structure else right


class WidensOnTheLeft(Wrapped):
    def __matmul__(self, other: Any) -> Any:
        right = self.inner @ other
        return Dense(right.to_dense().astype(np.float64).reshape(right.codomain + right.domain), right.codomain)


class FlattensOutput(Wrapped):
    def __matmul__(self, other: Any) -> Any:
        right = self.inner @ other
        if isinstance(other, Wrapped):
            return Dense(right.to_dense().reshape((right.shape[0], *right.domain)), (right.shape[0],))
        return right


class ForgetsOrder(Wrapped):
    def __matmul__(self, other: Any) -> Any:
        return (self.inner @ other)._with_order(None)
