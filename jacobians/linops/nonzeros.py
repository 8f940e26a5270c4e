"""How many entries of a matrix may differ from zero, by structure: the size of a sparse view before it is made."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from jacobians.arrays import Array


class Nonzeros(NamedTuple):
    """At most so many entries that are not zero.

    Attributes
    ----------
    total : int
        In the matrix.
    row, column : int
        In one row, and in one column.
    """

    total: int
    row: int
    column: int

    @classmethod
    def full(cls, shape: tuple[int, int]) -> Self:
        """Return the bound of a matrix of which no zero is known."""
        rows, columns = shape
        return cls(rows * columns, columns, rows)

    @classmethod
    def of(cls, matrix: Array | int) -> Self:
        """Return the bound of a matrix that is stored, or of an identity of this size."""
        if isinstance(matrix, int):
            return cls(matrix, min(matrix, 1), min(matrix, 1))
        rows, columns = matrix.shape
        return cls(int(np.count_nonzero(matrix)), columns, rows)

    @classmethod
    def of_blocks(cls, count: int, shape: tuple[int, int]) -> Self:
        """Return the bound of a matrix of so many equal blocks, one for each example."""
        p, q = (size // max(count, 1) for size in shape)
        return cls(count * p * q, q, p)

    @property
    def T(self) -> Nonzeros:
        """The bound of the transpose."""
        return Nonzeros(self.total, self.column, self.row)

    def times(self, other: Nonzeros, shape: tuple[int, int]) -> Nonzeros:
        """Return the bound of a product, which has this shape."""
        rows, columns = shape
        row, column = min(self.row * other.row, columns), min(self.column * other.column, rows)
        total = min(self.total * other.row, self.column * other.total, rows * row, columns * column)
        return Nonzeros(total, row, column)

    def within(self, other: Nonzeros) -> Nonzeros:
        """Return the bound of a matrix for which both hold."""
        return Nonzeros(*map(min, self, other))

    def plus(self, other: Nonzeros, shape: tuple[int, int]) -> Nonzeros:
        """Return the bound of a sum."""
        rows, columns = shape
        return Nonzeros(
            min(self.total + other.total, rows * columns),
            min(self.row + other.row, columns),
            min(self.column + other.column, rows),
        )

    def kron(self, other: Nonzeros) -> Nonzeros:
        """Return the bound of a Kronecker product."""
        return Nonzeros(self.total * other.total, self.row * other.row, self.column * other.column)

    def nbytes(self, rows: int, itemsize: int) -> int:
        """Return the bytes of a sparse array while it is built: entries, a row's and a column's number for each."""
        return self.total * (itemsize + 16) + 8 * (rows + 1)
