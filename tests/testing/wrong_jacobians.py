"""The least that a structure must state, and Jacobians that break one thing each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from jacobians.errors import ShapeError
from jacobians.linops import DENSE_LIMIT, Denominator, Dense, Jacobian, Transposed

SHAPE = (2, 3)


class Plain(Jacobian):
    """The least that a structure must state: everything else is the base class's."""

    def __init__(self, matrix: np.ndarray, codomain: tuple[int, ...] = SHAPE, domain: tuple[int, ...] = SHAPE) -> None:
        super().__init__(codomain, domain, matrix.dtype)
        self.matrix = matrix

    def _act(self, matrix: np.ndarray, value: np.ndarray, into: Any, out: Any) -> np.ndarray:
        stack = value.shape[: value.ndim - len(into)]
        return (value.reshape(math.prod(stack), math.prod(into)) @ matrix.T).reshape(stack + out)

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return self._act(self.matrix, tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return self._act(self.matrix.T, cotangent, self.codomain, self.domain)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _sparse(self) -> csr_array:
        return csr_array(self.matrix)

    @property
    def structure(self) -> str:
        return f"{type(self).__name__}({self.matrix.shape[0]}×{self.matrix.shape[1]})"

    @property
    def flops(self) -> int:
        return 2 * self.matrix.size

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return (self.matrix,)


class DenseIgnoresOrder(Plain):
    def to_dense(self, order: Any = None, *, limit: int = DENSE_LIMIT) -> np.ndarray:
        return super().to_dense("C", limit=limit)


class DenseIsWide(Plain):
    def to_dense(self, order: Any = None, *, limit: int = DENSE_LIMIT) -> np.ndarray:
        return super().to_dense(order, limit=limit).astype(np.float64)


class LeavesWhatIsThere(Plain):
    def _fill(self, out: np.ndarray) -> None:
        present = self.matrix.reshape(out.shape) > 0
        out[present] = self.matrix.reshape(out.shape)[present]


class WritesElsewhere(Plain):
    def to_dense(self, order: Any = None, *, limit: int = DENSE_LIMIT, out: Any = None) -> np.ndarray:
        return super().to_dense(order, limit=limit)


class ClaimsExamples(Plain):
    def _keeps_examples(self, axis: int) -> bool:
        return True


class ActsByOrder(Plain):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return super()._jvp(-tangent if self.order == "F" else tangent)


class ReversesStacks(Plain):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        image = super()._jvp(tangent)
        return image[::-1].copy() if image.ndim > len(self.codomain) else image


class VjpTwofold(Plain):
    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return 2 * super()._vjp(cotangent)


class IsItsTranspose(Plain):
    def _transpose(self) -> Jacobian:
        return self


class TransposeLosesOrder(Plain):
    @property
    def T(self) -> Jacobian:
        return self._transpose()._with_order(None)


class VectorsIgnoreOrder(Plain):
    def _matrix_action(self, x: np.ndarray, *, transposed: bool) -> np.ndarray:
        return (
            self._with_order("C")._matrix_action(x, transposed=transposed)
            if self.order == "F"
            else super()._matrix_action(x, transposed=transposed)
        )


class SparseIgnoresOrder(Plain):
    def to_sparse(self, order: Any = None) -> csr_array:
        return super().to_sparse("C")


class SparseShares(Plain):
    def _sparse(self) -> csr_array:
        rows, columns = self.shape
        places = np.tile(np.arange(columns), rows)
        return csr_array((self.matrix.ravel(), places, np.arange(0, rows * columns + 1, columns)), shape=self.shape)


class DiagonalIgnoresOrder(Plain):
    def diagonal(self, order: Any = None) -> np.ndarray:
        return super().diagonal("C")


class GradientIsARow(Plain):
    @property
    def gradient(self) -> np.ndarray:
        return self.to_dense()


class GradientIsWide(Plain):
    @property
    def gradient(self) -> np.ndarray:
        return super().gradient.astype(np.float64)


class AlwaysFloat64(Plain):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return super()._jvp(tangent).astype(np.float64)


class Float32Inside(Plain):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return super()._jvp(tangent.astype(np.float32)).astype(tangent.dtype)


class TakesComplex(Plain):
    def vjp(self, cotangent: Any) -> np.ndarray:
        return super().vjp(cotangent if cotangent.dtype.kind in "fiu" else np.zeros(cotangent.shape))


class WritesInput(Plain):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        image = super()._jvp(tangent)
        if tangent.flags.writeable:
            tangent[...] = 0
        return image


class WritesStored(Plain):
    def __init__(self, matrix: np.ndarray) -> None:
        super().__init__(matrix.copy())

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        image = super()._jvp(tangent)
        self.matrix[0, 0] += 1
        return image


class ReusesBuffer(Plain):
    def __init__(self, matrix: np.ndarray) -> None:
        super().__init__(matrix)
        self.buffers: dict[tuple[int, ...], np.ndarray] = {}

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        image = super()._jvp(tangent)
        buffer = self.buffers.setdefault(image.shape, image)
        buffer[...] = image
        return buffer


class ReturnsStored(Plain):
    def to_dense(self, order: Any = None, *, limit: int = DENSE_LIMIT) -> np.ndarray:
        return super().to_dense(order, limit=limit) if order == "F" else self.matrix


class ReturnsInput(Plain):
    def __init__(self, matrix: np.ndarray) -> None:
        super().__init__(np.eye(len(matrix), dtype=matrix.dtype))

    def jvp(self, tangent: np.ndarray) -> np.ndarray:
        return super().jvp(tangent) if tangent.dtype.kind not in "f" else tangent


class MiscountsBytes(Plain):
    @property
    def nbytes(self) -> int:
        return 2 * super().nbytes


class TwoLines(Plain):
    @property
    def structure(self) -> str:
        return "two\nlines"


class RawHtml(Plain):
    @property
    def structure(self) -> str:
        return "<b>not bold</b>"

    def _repr_html_(self) -> str:
        return f"<table>{self.structure}</table>"


class TakesAnyShape(Plain):
    def vjp(self, cotangent: Any) -> np.ndarray:
        return super().vjp(np.resize(cotangent, self.codomain))


class BareRefusal(Plain):
    def matvec(self, x: Any) -> np.ndarray:
        if np.shape(x) not in ((self.shape[1],), (self.shape[1], 1)):
            raise ShapeError("no")
        return super().matvec(x)


class NoLimit(Plain):
    def to_dense(self, order: Any = None, *, limit: int = DENSE_LIMIT) -> np.ndarray:
        return super().to_dense(order)


class NormsOfColumns(Plain):
    def _row_norms(self) -> np.ndarray:
        return np.linalg.norm(self.matrix, axis=0).reshape(self.codomain)


class SquaredNorms(Plain):
    def _row_norms(self) -> np.ndarray:
        return super()._row_norms() ** 2


class GramOfColumns(Plain):
    def _gram(self) -> np.ndarray:
        return self.matrix.T @ self.matrix


class GramIgnoresOrder(Plain):
    def gram(self, order: Any = None, *, limit: int = DENSE_LIMIT) -> np.ndarray:
        return super().gram("C", limit=limit)


class GramWithoutLimit(Plain):
    def gram(self, order: Any = None, *, limit: int = DENSE_LIMIT) -> np.ndarray:
        return super().gram(order)


class MixesExamples(Plain):
    def _keeps_examples(self, axis: int) -> bool:
        return axis == -1


class NotTransposedPullback(Plain):
    """A square matrix, applied the same way from both sides."""

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return super()._jvp(cotangent)


class NearlyRightPushforward(Plain):
    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return super()._jvp(tangent) * (1 + 1e-10)


class ForgetsEntryInSparse(Plain):
    def _sparse(self) -> csr_array:
        matrix = super()._sparse()
        matrix.data[-1] = 0.0
        return matrix


class SparseIsWide(Plain):
    def _sparse(self) -> csr_array:
        return super()._sparse().astype(np.float64)


class DenseTransposed(Plain):
    def _fill(self, out: np.ndarray) -> None:
        out[...] = self.matrix.T.reshape(out.shape)


class HalvedGradient(Plain):
    @property
    def gradient(self) -> np.ndarray:
        return 0.5 * super().gradient


class RightMatmatOnly(Plain):
    def rmatmat(self, x: np.ndarray) -> np.ndarray:
        return -super().rmatmat(x)


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


# --- as a factor of a chain --------------------------------------------------------------------------


class ForgetsScale(Plain):
    """Multiplied by a product it drops a factor; by anything else it is right."""

    def __matmul__(self, other: Any) -> Any:
        right = super().__matmul__(other)
        return right * 0.5 if isinstance(other, Jacobian) and " @ " in other.structure else right


class FlattensOutput(Plain):
    def __matmul__(self, other: Any) -> Any:
        right = super().__matmul__(other)
        if isinstance(other, Plain):
            return Dense(right.to_dense().reshape((right.shape[0], *right.domain)), (right.shape[0],))
        return right


class DensifiesOnTheLeft(Plain):
    """Its products are wide and dense, but only where it is the left factor."""

    def __matmul__(self, other: Any) -> Any:
        return Dense(
            (self.to_dense() @ other.to_dense()).reshape(self.codomain + other.domain).astype(np.float64), self.codomain
        )


class ForgetsOrder(Plain):
    def __matmul__(self, other: Any) -> Any:
        return super().__matmul__(other)._with_order(None)
