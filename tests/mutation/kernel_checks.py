"""The kernels that every structure shares: their values, their long sums, and which of their ways they take."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
from scipy.sparse import csr_array

from jacobians.linops import Selection, kernels
from jacobians.linops.by_example import example_basis, probed
from jacobians.linops.kronecker import Bordered
from tests.linops.test_bordered import test_a_kronecker_product_with_a_border as border_in_a_kronecker_product
from tests.linops.test_bordered import test_products_are_those_of_the_matrix as products_with_a_border
from tests.linops.test_kernels import OUTERS, outers_agree, test_blocks_of_a_long_float32_sum_are_added_in_float64
from tests.linops.tools import draw, same
from tests.mutation.checks import Check
from tests.mutation.count_checks import cheaper_order, leaves_in_slabs, slabs_and_steps, sums_before_products


def kernel_checks(module: str) -> Iterator[Check]:
    """The checks of the modules that are no structure and no rule of the algebra."""
    if module == "kernels":
        yield Check("dense twin", "products in either orientation", products)
        yield Check("dense twin", "outer products", outers)
        yield Check("memory", "ways of an outer product", ways_of_an_outer_product)
    if module in ("kernels", "bordered"):
        yield Check("dtype", "long float32 sums", long_sums)
        yield Check("dtype", "blocks of long float32 sums", test_blocks_of_a_long_float32_sum_are_added_in_float64)
    if module in ("kernels", "entries", "examples"):
        yield Check("one source", "slabs and steps", slabs_and_steps)
    if module == "per_example":
        yield Check("dense twin", "one basis for all examples", bases)
    if module == "kronecker":
        yield Check("count", "the cheaper order", cheaper_order)
    if module == "khatri_rao":
        yield Check("count", "sums before products", sums_before_products)
    if module == "leaves":
        yield Check("memory", "leaves in slabs", leaves_in_slabs)
    if module in ("bordered", "kronecker"):
        yield Check("dense twin", "a border of ones", borders)


def bases() -> None:
    """Some of the basis of one example, the same for every example; blocks that are not square."""
    for axis, (start, stop) in itertools.product((0, -1), ((0, 4), (1, 3), (3, 4))):
        shape = (2, 4) if axis == 0 else (4, 2)
        found = example_basis(shape, axis, start, stop, np.dtype(np.float32))
        assert found.shape == (stop - start, *shape)
        assert found.dtype == np.float32
        for k, member in enumerate(found):
            expected = np.zeros((2, 4))
            expected[:, start + k] = 1
            assert np.array_equal(member if axis == 0 else member.T, expected)
    for key, shape, axis in (((slice(None), slice(1, None)), (2, 4), 0), ((slice(1, None), slice(None)), (4, 2), -1)):
        blocks = probed(Selection(key, shape), axis)
        assert np.array_equal(np.broadcast_to(blocks, (2, 3, 4)), [np.eye(3, 4, 1)] * 2)


def borders() -> None:
    for first in (True, False):
        border_in_a_kronecker_product(first)
        for axis, stack in itertools.product((0, 1), ((), (2,), (2, 3))):
            products_with_a_border(first, axis, stack)
        for dtype in (np.float32, np.float64):
            border = Bordered(draw(4, 3, dtype=dtype), first=first, axis=1)
            assert border.dtype == border.filled().dtype == border.T.filled().dtype == dtype
            assert border.times(draw(4, 2, dtype=dtype)).dtype == dtype
            assert border.T.times(draw(4, 2, dtype=dtype)).dtype == dtype


# --- products ----------------------------------------------------------------------------------------


def products() -> None:
    """Large and small, of matrices and stacks; a tall result that is not small lies along its longer axis."""
    for m, k, n in ((5, 3, 2), (4, 3, 2), (6, 4, 3), (7, 1, 3), (2, 5, 3), (3, 9, 3)):
        a, b = draw(m, k), draw(k, n, seed=2)
        expected = np.einsum("ij,jk->ik", a, b)
        everything = a.size + b.size + expected.size
        for small, tall in itertools.product((0, everything - 1, everything, 1 << 13), (0, everything - 1, everything)):
            with mock.patch.multiple(kernels, _SMALL=small, _TALL=tall):
                found = kernels.matmul(a, b)
            same(found, expected)
            turned = m > 2 * n and everything > max(small, tall) and k > 1
            assert found.flags.f_contiguous == turned, f"{m}×{k} by {k}×{n}: a tall result in rows, or another not"
    # in float32 a tall result is turned only where the left factor's columns are contiguous
    tall, wide = draw(5, 3, dtype=np.float32), draw(3, 2, dtype=np.float32, seed=2)
    with mock.patch.multiple(kernels, _SMALL=0, _TALL=0):
        for order, turned in itertools.product("CF", repeat=2):
            found = kernels.matmul(np.asarray(tall, order=order), np.asarray(wide, order=turned))
            same(found, np.einsum("ij,jk->ik", tall, wide), np.float32)
            assert found.flags.f_contiguous == (order == "F"), f"float32, factors in {order} and {turned}"
    stacks = [((3, 4), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((4,), (4, 5)), ((2, 1, 4), (2, 4, 5))]
    for left, right in [*stacks, ((2, 3, 1), (2, 1, 5)), ((2, 3, 1), (1, 5)), ((3, 1), (2, 1, 5)), ((1,), (1, 5))]:
        a, b = draw(*left), draw(*right, seed=2)
        expected = (a[..., None] * b.reshape(b.shape if a.ndim == 1 else (*b.shape[:-2], 1, *b.shape[-2:]))).sum(-2)
        for small in (0, 1 << 13):
            with mock.patch.object(kernels, "_SMALL", small):
                same(kernels.matmul(a, b), expected)


def outers() -> None:
    """Outer products into arrays of any strides, all at a time and block by block."""
    for left, right in (*OUTERS, ((1, 1), (100, 1))):
        for block in (1, 1 << 16):
            with mock.patch.object(kernels, "_BLOCK", block):
                for dtype in (np.float32, np.float64):
                    outers_agree(draw(*left, dtype=dtype), draw(*right, dtype=dtype, seed=2))


def ways_of_an_outer_product() -> None:
    """Long runs through buffers of their length, short ones block by block where a block is large."""
    for dtype, kilobyte in ((np.float64, 128), (np.float32, 256)):
        assert way((3, kilobyte), dtype=dtype) == [kilobyte]
        assert way((3, kilobyte - 1), dtype=dtype) == []
    assert way((3, 130)) == [144]
    assert way((2, 5000)) == [4096]
    flipped = slice(None, None, -1)
    assert way((3, 128), flip=(flipped,)) == [128], "rows backwards"
    assert way((128, 3), order="F") == [128], "runs along the first axis"
    assert way((128, 3), order="F", flip=(..., flipped)) == [128], "columns backwards"
    assert way((1, 7)) == way((7, 1)) == [], "one example"
    assert way((3, 128), (2, 1), (2, 2)) == [128], "several rows each"
    assert way((128, 3), (2, 1), (2, 2), "F") == [128], "several rows each, runs along the first axis"
    for order in ("C", "F"):
        assert way((100, 82), (3,), (3,), order) == ["block"] * 3, "64 KiB and more for each example"
        assert way((100, 81), (3,), (3,), order) == [], "less for each example"
        assert way((16, 64), (2, 1), (2, 8), order) == ["block"] * 2, "of several rows each"
        assert way((16, 64), (1, 8), (2, 1), order) == ["block"] * 2, "one block on the left"
    assert way((100, 82)) == [], "a block alone"


def way(
    sizes: tuple[int, int],
    left: tuple[int, ...] = (),
    right: tuple[int, ...] = (),
    order: str = "C",
    dtype: Any = np.float64,
    flip: Any = (),
) -> list[Any]:
    """How it is written, its last two axes in `order`: the length of its buffers, or its blocks."""
    shape = (*np.broadcast_shapes(left, right), *sizes)
    room = np.empty(shape if order == "C" else (*shape[:-2], shape[-1], shape[-2]), dtype)
    out = (room if order == "C" else room.swapaxes(-1, -2))[flip]
    a, b = draw(*left, sizes[0], dtype=dtype), draw(*right, sizes[1], dtype=dtype, seed=2)
    with (
        mock.patch.object(np, "setbufsize", side_effect=np.setbufsize) as buffers,
        mock.patch.object(np, "einsum", side_effect=np.einsum) as blocks,
    ):
        kernels.outer(a, b, out)
    same(out, np.einsum("...i,...j->...ij", a, b), dtype)
    return [call.args[0] for call in buffers.call_args_list[:1]] + ["block"] * blocks.call_count


# --- long sums ---------------------------------------------------------------------------------------


def long_sums() -> None:
    """Long float32 sums are carried in float64: 2²⁴ and ones, in blocks of four."""
    with mock.patch.object(kernels, "_LONG", 4):
        _long_sums()


def _long_sums() -> None:
    for shape in ((1, 9), (3, 9), (2, 3, 9)):
        left = np.ones(shape, dtype=np.float32)
        left[..., 0] = 2**24
        right = np.ones((9, 2), dtype=np.float32)
        product = kernels.matmul(left, right)
        assert product.dtype == np.float32, f"{product.dtype}"
        assert product.shape == (*shape[:-1], 2), f"{product.shape}"
        assert (product >= 2**24 + 4).all(), f"{product}"
        stack = kernels.matmul(left, np.broadcast_to(right, (*shape[:-2], 9, 2)))
        assert np.array_equal(stack, product)
        for dtype in (np.float32, np.float64):
            a, b = draw(*shape, dtype=dtype), draw(9, 2, dtype=dtype)
            same(kernels.matmul(a, b), np.matmul(a.astype(float), b.astype(float)), dtype)
    assert kernels.matmul(draw(3, 9, dtype=np.float32), draw(9, 2)).dtype == np.float64
    assert kernels.matmul(draw(3, 9), draw(9, 2, dtype=np.float32)).dtype == np.float64
    for left_shape, right_shape in (((3, 9), (2, 9, 4)), ((2, 3, 9), (2, 9, 4)), ((5, 1, 3, 9), (2, 9, 4))):
        a, b = draw(*left_shape, dtype=np.float32), draw(*right_shape, dtype=np.float32)
        same(kernels.matmul(a, b), np.matmul(a.astype(float), b.astype(float)), np.float32)
    values = np.ones((9, 3), dtype=np.float32)
    values[0] = 2**24
    assert (kernels.total(values, (0,)) == 2**24 + 8).all()
    assert kernels.total(values, (0,)).shape == (1, 3)
    assert kernels.total(values, (0,)).dtype == np.float32
    summed = kernels.sparse_matmul(csr_array(values.T), np.ones((2, 9), dtype=np.float32))
    assert summed.dtype == np.float32
    assert (summed == 2**24 + 8).all()
    for dtype in (np.float32, np.float64):
        rows = draw(2, 3, 9, dtype=dtype)
        found = kernels.norms(rows)
        assert found.dtype == dtype
        same(found, np.sqrt((rows.astype(float) ** 2).sum(-1)), dtype)
    roots = np.sqrt(np.array([[[2**24] + [1] * 8] * 2] * 3, dtype=np.float32))
    norms = kernels.norms(roots)
    assert norms.dtype == np.float32
    assert (norms == np.sqrt(np.float32(2**24 + 8))).all(), f"{norms}"
    for first in (True, False):
        bordered = Bordered(np.ones((9, 1), dtype=np.float32), first=first, axis=1)
        assert (bordered.T.times(values) == 2**24 + 8).all()
