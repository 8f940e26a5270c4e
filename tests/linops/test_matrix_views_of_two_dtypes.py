"""A float32 part of a float64 Jacobian: every view computes in float64, as far as the float32 numbers are exact."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import TooLargeError
from jacobians.linops import BlockDiagonal, BlockRow, Dense, Diagonal, DiagonalMinusOuter, LowRank, Sum
from tests.linops.cases import LEAVES, Case
from tests.linops.comparing import draw, same
from tests.linops.dense_twins import Numbers


class Widened(Numbers):
    """Float32 numbers in float64."""

    def __call__(self, *shape: int) -> np.ndarray:
        return super().__call__(*shape).astype(np.float64)


@pytest.mark.parametrize("case", LEAVES, ids=lambda case: case.name)
def test_a_narrow_part_of_a_wide_sum(case: Case) -> None:
    narrow, _ = case.make(Numbers("float32"))
    _, twin = case.make(Widened("float32"))
    wide = draw(*narrow.codomain, *narrow.domain)
    J, matrix = Sum([narrow, Dense(wide, narrow.codomain)]), twin + wide.reshape(twin.shape)
    assert J.dtype == np.float64
    same(J.to_dense(), matrix)
    same(J.to_dense("F").sum(), matrix.sum())
    same(J.to_sparse().toarray(), matrix)
    same(J.row_norms().ravel(), np.linalg.norm(matrix, axis=1))
    same(J.gram(), matrix @ matrix.T)
    same(BlockRow([J, narrow]).to_dense(), np.hstack([matrix, twin]))
    if matrix.shape[0] == matrix.shape[1]:
        same(J.diagonal(), np.diag(matrix))
        same(
            (Diagonal(wide.ravel()[: len(matrix)].reshape(J.codomain)) @ narrow).to_dense(),
            wide.ravel()[: len(matrix), None] * twin,
        )


def test_blocks_of_a_narrow_part() -> None:
    d, u, v = (draw(5, 4, dtype=np.float32) for _ in range(3))
    wide = draw(5, 4, 4)
    J = Sum([DiagonalMinusOuter(d, u, v, -1), BlockDiagonal(wide, (5, 4), (5, 4))])
    blocks = J.block_diagonal().blocks
    for n in range(5):
        outer = np.outer(u[n].astype(np.float64), v[n].astype(np.float64))
        same(blocks[n], np.diag(d[n].astype(np.float64)) - outer + wide[n], np.float64)


def test_the_guard_counts_what_is_computed_in() -> None:
    left, right = (draw(30, 3, dtype=np.float32) for _ in range(2))
    J = Sum([LowRank(left, right), Diagonal(draw(30))])
    assert J.to_dense(limit=2 * 8 * 30 * 30).dtype == np.float64
    with pytest.raises(TooLargeError, match=r"^to_dense: .* over the limit of"):
        J.to_dense(limit=2 * 8 * 30 * 30 - 1)
