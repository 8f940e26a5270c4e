"""Long float32 sums do not stall, in any structure that adds over examples; outer products of every shape."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array

from jacobians.linops import Dense, Jacobian, KhatriRao, Kronecker, LowRank, Selection, Sparse, kernels
from jacobians.linops.kernels import matmul, outer, sparse_matmul, total
from tests.linops.tools import draw, same

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
