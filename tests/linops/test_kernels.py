"""Long float32 sums do not stall, in any structure that adds over examples; outer products of every shape."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from scipy.sparse import csr_array

from jacobians.linops import Dense, Jacobian, KhatriRao, Kronecker, LowRank, Selection, Sparse, kernels
from jacobians.linops.kernels import matmul, outer, sparse_matmul, total
from tests.linops.comparing import draw, same

LONG = 20_000_000
"""Above 2²⁴ = 16 777 216, where adding 1 to a float32 does nothing."""


def test_the_column_sum_of_many_ones_is_exact() -> None:
    tracemalloc.start()
    many = np.ones((LONG, 1), dtype=np.float32)
    bias = Kronecker(many, 1)
    assert bias.vjp(many) == LONG
    assert bias.T.jvp(many).dtype == np.float32
    assert (Dense(many) @ bias).gradient == LONG
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500 << 20


N = 1_000_000


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.float32)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Kronecker(ones(N, 1), ones(1, 1)),
        lambda: Dense(ones(N, 1), (N,)),
        lambda: LowRank(ones(N, 1), ones(1, 1)),
        lambda: KhatriRao(ones(N, 1), ones(N, 1)),
        lambda: KhatriRao(ones(N, 2), ones(1, 1)),
        lambda: KhatriRao(ones(1, 1), ones(N, 2)),
        lambda: Sparse(csr_array(ones(N, 1)), (N,), (1,)),
        lambda: Selection(np.zeros(N, dtype=int), (1,), np.float32),
    ],
    ids=["Kronecker", "Dense", "LowRank", "KhatriRao", "KhatriRao l⊗1", "KhatriRao 1⊗r", "Sparse", "Selection"],
)
def test_a_long_sum_is_carried_in_float64(make: Callable[[], Jacobian]) -> None:
    """0.1 in float32, summed 10⁶ times: one running float32 sum is off by 1 %."""
    operator = make()
    tenths = np.full(operator.codomain, 0.1, dtype=np.float32)
    exact = float(np.float32(0.1)) * N
    for given in (tenths, np.stack([tenths, tenths])):
        summed = operator.vjp(given)
        assert summed.dtype == np.float32
        assert np.abs(summed / exact - 1).max() < 1e-3


def test_khatri_rao_of_one_long_row() -> None:
    row = KhatriRao(ones(2), ones(N))
    assert row.jvp(np.full((2, N), 0.1, np.float32)) == pytest.approx(2 * N * float(np.float32(0.1)), rel=1e-3)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 4), (4, 5)),
        ((2, 3, 4), (4, 5)),
        ((6, 2, 3, 4), (4, 5)),
        ((4,), (4, 5)),
        ((3, 4), (2, 4, 5)),
        ((2, 3, 4), (2, 4, 5)),
        ((0, 3, 4), (4, 5)),
        ((2, 3, 0), (0, 5)),
    ],
)
@pytest.mark.parametrize("long", [False, True])
def test_matmul(left: tuple[int, ...], right: tuple[int, ...], long: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if long:
        monkeypatch.setattr("jacobians.linops.kernels._LONG", 3)
    for dtype in (np.float32, np.float64):
        a, b = draw(*left, dtype=dtype), draw(*right, dtype=dtype)
        product = matmul(a, b)
        assert product.dtype == dtype
        same(product, np.matmul(a.astype(float), b.astype(float)), dtype)
    assert matmul(draw(*left, dtype=np.float32), b).dtype == np.float64


@pytest.mark.parametrize("long", [False, True])
def test_total_and_sparse_matmul(long: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if long:
        monkeypatch.setattr("jacobians.linops.kernels._LONG", 2)
    for dtype in (np.float32, np.float64):
        values = draw(3, 4, 5, dtype=dtype)
        same(total(values, (0, 1)), values.sum(axis=(0, 1), keepdims=True))
        assert total(values, (1,)).dtype == dtype
        matrix, stack = csr_array(draw(4, 3, dtype=dtype)), draw(6, 3, dtype=dtype)
        same(sparse_matmul(matrix, stack), stack @ matrix.toarray().T)
        assert sparse_matmul(matrix, stack).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "sizes", [(300, 40, 7), (40, 300, 7), (7, 300, 40), (2, 2, 2), (0, 3, 2), (3, 0, 2), (500, 90, 1)]
)
@pytest.mark.parametrize("arranged", [lambda a: a, np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]])
def test_every_orientation_is_the_same_product(sizes: tuple[int, int, int], dtype: type, arranged: Callable) -> None:
    rows, inner, columns = sizes
    left, right = draw(rows, inner).astype(dtype), draw(inner, columns, seed=1).astype(dtype)
    found = matmul(arranged(left), arranged(right))
    expected = left.astype(np.float64) @ right.astype(np.float64)
    assert found.dtype == dtype
    bound = np.abs(left).astype(np.float64) @ np.abs(right)
    assert (np.abs(found - expected) <= 8 * np.finfo(dtype).eps * bound).all()


def test_blocks_of_a_long_float32_sum_are_added_in_float64() -> None:
    """2²⁴ in the first block and ½ in each of the others, which single precision would not feel one by one."""
    blocks = 101
    terms = np.zeros((1, blocks * 4096), np.float32)
    terms[0, ::4096] = 0.5
    terms[0, 0] = 1 << 24
    ones = np.ones((terms.shape[1], 1), np.float32)
    assert matmul(terms, ones).item() == (1 << 24) + 50


def test_a_tall_result_lies_along_its_longer_axis() -> None:
    """A transposed view of a product that BLAS computes faster; nothing is copied for it."""
    tall, wide = draw(3000, 40), draw(40, 7, seed=1)
    assert matmul(tall, wide).flags.f_contiguous
    assert matmul(tall[:300], wide).flags.c_contiguous, "small, it gains only where the left factor's columns are"
    assert matmul(np.asfortranarray(tall[:300]), wide).flags.f_contiguous
    assert matmul(wide.T, tall.T).flags.c_contiguous
    single, narrow = tall.astype(np.float32), wide.astype(np.float32)
    assert matmul(single, narrow).flags.c_contiguous, "in float32 only where the left factor's columns are contiguous"
    assert matmul(np.asfortranarray(single), narrow).flags.f_contiguous
    tracemalloc.start()
    matmul(tall, wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 7 * 8 + 2000


def test_strided_factors_are_not_copied() -> None:
    wide = draw(400, 600)
    left = draw(5, 400, seed=1)
    tracemalloc.start()
    matmul(left, wide[:, 100:200])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * 100 * 8 + 2000


OUTERS = [
    # both factors' shapes; runs of a kilobyte, a narrower left and a narrower right factor, neither, and none
    ((3, 1, 5), (3, 4, 260)),
    ((3, 4, 260), (3, 1, 7)),
    ((3, 1, 5), (3, 6, 7)),
    ((3, 6, 7), (3, 1, 5)),
    ((1, 6, 7), (5, 1, 3)),
    ((5, 1, 3), (1, 8, 2)),
    ((4, 5), (4, 6)),
    ((4, 5), (1, 6)),
    ((5,), (6,)),
    ((0, 1, 5), (0, 4, 3)),
    ((2, 1, 0), (2, 4, 3)),
    ((1, 1), (100, 1)),
]


@pytest.mark.parametrize("dtypes", list(itertools.product(["float32", "float64"], repeat=2)))
@pytest.mark.parametrize(("left", "right"), OUTERS)
def test_outer_is_one_product_an_entry(
    left: tuple[int, ...], right: tuple[int, ...], dtypes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the strides of the result, all at a time or block by block."""
    a, b = draw(*left, dtype=dtypes[0]), draw(*right, dtype=dtypes[1], seed=2)
    for block in (1, 1 << 16):
        monkeypatch.setattr(kernels, "_BLOCK", block)
        outers_agree(a, b)


def outers_agree(a: np.ndarray, b: np.ndarray) -> None:
    expected = np.einsum("...i,...j->...ij", a, b)
    for swapped, skip in itertools.product((False, True), (1, 2)):
        room = np.full([skip * n for n in expected.shape], np.nan, dtype=expected.dtype, order="CF"[swapped])
        out = room[tuple(slice(None, None, skip) for _ in expected.shape)]
        before = np.getbufsize()
        outer(a, b, out)
        assert np.array_equal(out, expected)
        assert np.getbufsize() == before
        assert np.isnan(room).sum() == room.size - out.size
    # factors that do not lie along memory
    room = np.empty_like(expected)
    outer(np.repeat(a, 2, axis=-1)[..., ::2], np.repeat(b, 2, axis=-1)[..., ::2], room)
    assert np.array_equal(room, expected)
    turned = np.full(expected.shape[:-2] + expected.shape[:-3:-1], np.nan, dtype=expected.dtype)
    outer(a, b, turned.swapaxes(-1, -2))
    assert np.array_equal(turned.swapaxes(-1, -2), expected)


def test_products_in_either_orientation() -> None:
    """Large and small, of matrices and stacks; a tall result that is not small lies along its longer axis."""
    for m, k, n in ((5, 3, 2), (4, 3, 2), (6, 4, 3), (7, 2, 3), (7, 1, 3), (2, 5, 3), (3, 9, 3)):
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


def test_ways_of_an_outer_product() -> None:
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


def test_long_float32_sums_are_carried_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """2²⁴ and ones, in blocks of four."""
    monkeypatch.setattr(kernels, "_LONG", 4)
    for shape in ((1, 9), (3, 9), (2, 3, 9)):
        left = np.ones(shape, dtype=np.float32)
        left[..., 0] = 2**24
        right = np.ones((9, 2), dtype=np.float32)
        product = kernels.matmul(left, right)
        assert product.dtype == np.float32, f"{product.dtype}"
        assert product.shape == (*shape[:-1], 2), f"{product.shape}"
        assert (product >= 2**24 + 4).all(), f"{product}"
        stack = kernels.matmul(left, np.broadcast_to(right, (*shape[:-2], 9, 2)))
        assert np.array_equal(stack, product), f"{stack}"
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
