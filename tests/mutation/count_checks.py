"""What is counted: pieces, the order of multiplication, sums before products. Another way gives the same numbers."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
from scipy.sparse import csr_array

from jacobians.linops import (
    KhatriRao,
    Kronecker,
    LowRank,
    Sparse,
    entries,
    examples,
    kernels,
    khatri_rao,
    kronecker,
    leaves,
)
from tests.linops.tools import draw, same


def slabs_and_steps() -> None:
    """Every entry once and in order, in pieces of no more bytes than there should be."""
    for count, each in itertools.product((0, 1, 5, 7), (0, 1, 3, 4, 100)):
        with mock.patch.object(unrolling, "_SLAB", 6):
            parts = [range(count)[part] for part in entries.slabs(count, each)]
        assert [k for part in parts for k in part] == [*range(count)], f"{count} of {each} bytes: {parts}"
        widest = max([1, 6 // each]) if each else 6
        assert all(len(part) == widest for part in parts[:-1]), f"{count} of {each} bytes: {parts}"
        assert all(1 <= len(part) <= widest for part in parts), f"{count} of {each} bytes: {parts}"
        with mock.patch.object(by_example, "STEP_BYTES", 48):
            steps = [range(*step) for step in examples.example_steps(count, each, np.dtype(float))]
        assert steps == (parts if each else [range(count)][:count]), f"{count} of {each} numbers: {steps}"


def leaves_in_slabs() -> None:
    """Stored matrices are written by rows, all of them, also where there are more than one row has bytes."""
    for rows, columns in ((100, 1), (3, 5)):
        matrix = draw(rows, columns)
        for leaf in (LowRank(matrix, np.eye(columns)), Sparse(csr_array(matrix), (rows,), (columns,))):
            with mock.patch.object(leaves, "slabs", side_effect=entries.slabs) as cut:
                same(leaf.to_dense(), matrix)
            assert [call.args for call in cut.call_args_list] == [(rows, 8 * columns)], leaf.structure


def cheaper_order() -> None:
    """A X Bᵀ in the order of fewer multiplications."""
    for p, n, q, r in itertools.product((1, 2, 3, 20), repeat=4):
        with mock.patch.object(kronecker, "matmul", side_effect=kernels.matmul) as products:
            Kronecker(draw(p, n), draw(r, q)).jvp(draw(n, q))
        spent = sum(left.size * right.shape[1] for left, right in (call.args for call in products.call_args_list))
        assert spent == min(p * n * q + p * q * r, n * q * r + p * n * r), f"{p}×{n} by {n}×{q} by {q}×{r}: {spent}"


def sums_before_products() -> None:
    """Where one factor is the same along an axis, the other is summed along it before they are multiplied."""
    for left, right, axes in (
        ((5, 2, 3), (5, 1, 4), [(1,)]),
        ((5, 2, 3), (1, 1, 4), [(0, 1)]),
        ((1, 2, 3), (1, 1, 4), [(1,)]),
        ((5, 2, 3), (1, 2, 4), [(0,)]),
        ((5, 3), (5, 4), []),
        ((1, 3), (1, 4), []),
        ((1, 3), (5, 4), []),
        ((5, 3), (5, 1), []),
    ):
        a, b, c = draw(*left), draw(*right, seed=2), draw(*np.broadcast_shapes(left[:-1], right[:-1]), seed=3)
        with mock.patch.object(khatri_rao, "total", side_effect=kernels.total) as sums:
            found = KhatriRao(a, b).vjp(c)
        terms = c[..., None, None] * a[..., :, None] * b[..., None, :]
        same(found, terms.reshape(c.size, *terms.shape[-2:]).sum(0))
        assert [call.args[1] for call in sums.call_args_list] == axes, f"{left} and {right}: {sums.call_args_list}"
