"""What every structure keeps when its matrix is written into a given array, and when its examples are kept apart."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest

from jacobians.errors import DTypeError, LayoutError, ShapeError
from jacobians.linops import BlockDiagonal, Denominator, Jacobian, unrolling
from tests.linops.tools import matrix_of, same


def dense_into(operator: Jacobian, twin: np.ndarray) -> None:
    """`to_dense(out=…)` writes every entry, zeros too, of an array of any strides, and nothing beside it."""
    rows, columns = operator.shape
    for order in ("C", "F"):
        expected = matrix_of(operator, twin, order)
        for name, (taken, skipped) in {
            "C": (np.s_[:rows, :columns], "C"),
            "F": (np.s_[:rows, :columns], "F"),
            "strided": (np.s_[: 2 * rows : 2, 1 : 1 + 3 * columns : 3], "C"),
        }.items():
            room = np.full((2 * rows + 1, 3 * columns + 1), np.nan, dtype=operator.dtype, order=skipped)
            out = room[taken]
            given = operator.to_dense(order, out=out)
            assert given is out, f"{name} out: another array is returned"
            same(out, expected, operator.dtype, f"{name} out in order {order}")
            assert np.isnan(room).sum() == room.size - out.size, f"{name} out: written beside it"
            same(out[::-1], operator.to_dense(order)[::-1], operator.dtype, f"{name} out and a new array")
        with mock.patch.object(unrolling, "_SLAB", 1):
            same(operator.to_dense(order), expected, operator.dtype, f"row by row in order {order}")
    out = np.zeros(operator.shape, dtype=operator.dtype)
    out.flags.writeable = False
    other = np.dtype(np.float32 if operator.dtype == np.float64 else np.float64)
    for wrong, error, message in (
        (np.zeros((rows + 1, columns), dtype=operator.dtype), ShapeError, rf"out has shape \({rows + 1}, {columns}\)"),
        (np.zeros(operator.shape, dtype=other), DTypeError, f"out has dtype {other}, the matrix of .* has"),
        (out, ShapeError, "out is read-only, or shares memory"),
    ):
        with pytest.raises(error, match=f"^to_dense: {message}"):
            operator.to_dense(out=wrong)


def examples_apart(operator: Jacobian, twin: np.ndarray) -> None:
    """Where the structure keeps examples apart so does the twin, and `block_diagonal` has the twin's blocks."""
    kept = [axis for axis in (0, -1) if operator._keeps_examples(axis)]
    if isinstance(operator, Denominator):
        with pytest.raises(LayoutError, match=r"^block_diagonal: .* is in denominator layout; take its numerator"):
            operator.block_diagonal()
        return
    for axis in {0, -1} - set(kept):
        with pytest.raises(LayoutError, match=rf"^block_diagonal: .* does not keep examples along axis {axis} apart"):
            operator.block_diagonal(axis)
    if kept:
        assert operator.block_diagonal().axis == max(kept) or isinstance(operator, BlockDiagonal), "blocks: axis"
    for axis in kept:
        count = operator.codomain[axis]
        assert operator.domain[axis] == count, "examples: another number comes out"
        places = [np.arange(math.prod(s)).reshape(s) for s in (operator.codomain, operator.domain)]
        rows, columns = (np.moveaxis(p, axis, 0).reshape(count, math.prod(np.delete(p.shape, axis))) for p in places)
        apart = operator.block_diagonal(axis)
        assert apart.blocks.shape == (count, rows.shape[1], columns.shape[1]), f"blocks: shape {apart.blocks.shape}"
        assert apart.blocks.dtype == operator.dtype, f"blocks: {apart.blocks.dtype}"
        blocks = [twin[np.ix_(r, c)] for r, c in zip(rows, columns, strict=True)]
        same(apart.blocks, np.reshape(blocks, apart.blocks.shape), operator.dtype, f"blocks along axis {axis}")
        same(apart.to_dense("C"), twin, operator.dtype, f"matrix of the blocks along axis {axis}")
        assert apart.order == operator.order, "blocks: another vec order"
