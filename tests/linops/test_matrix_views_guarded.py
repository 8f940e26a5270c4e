"""Every view that writes something out asks first, and says what it would take; what it says is enough."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from jacobians import affine, tanh
from jacobians.errors import TooLargeError
from jacobians.linops import (
    BlockRow,
    Broadcast,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    KhatriRaoSum,
    Kronecker,
    LowRank,
    Selection,
    Sparse,
    Transposed,
    Zero,
)
from tests.linops.cases import COMPOSITES, LEAVES, Case
from tests.linops.dense_twins import Numbers

WIDE = Kronecker(10**6, np.ones((100, 100)))


def large(*shape: int) -> Any:
    return np.broadcast_to(np.float64(0.1), shape)


softmax_like = DiagonalMinusOuter(large(10**6, 1000), large(10**6, 1000), large(10**6, 1000), -1)

REFUSED: list[tuple[str, Callable[[], Any]]] = [
    ("to_sparse: Kronecker", WIDE.to_sparse),
    ("to_sparse: 2", (2 * WIDE).to_sparse),
    ("to_sparse: Kronecker", Transposed(WIDE).to_sparse),
    ("to_sparse: Kronecker", Denominator(WIDE).to_sparse),
    ("to_sparse: Kronecker", (WIDE + Identity((10**6, 100))).to_sparse),
    ("to_sparse: BlockRow", BlockRow([WIDE, WIDE]).to_sparse),
    ("to_sparse: DiagonalMinusOuter", softmax_like.to_sparse),
    ("to_sparse: Identity", Identity((10**6, 10**4)).to_sparse),
    ("to_sparse: Diagonal", Diagonal(large(10**5, 10**5)).to_sparse),
    ("to_sparse: Commutation", Commutation(10**6, 10**4).to_sparse),
    ("to_sparse: Broadcast", Broadcast((10**5, 10**5), (10**5,)).to_sparse),
    ("to_sparse: Zero", Zero((10**9,), (3,)).to_sparse),
    ("block_diagonal: Kronecker", WIDE.block_diagonal),
    ("block_diagonal: DiagonalMinusOuter", softmax_like.block_diagonal),
    ("block_diagonal: Identity", Identity((10**6, 10**4)).block_diagonal),
    ("block_diagonal: Diagonal", Diagonal(large(1000, 10**5)).block_diagonal),
    ("blocks: DiagonalMinusOuter", softmax_like.blocks),
    ("diagonal: Identity", Identity((10**6, 10**4)).diagonal),
    ("row_norms: Kronecker", Kronecker(10**6, 10**5).row_norms),
    ("gram: Identity", Identity((10**5,)).gram),
    ("to_dense: Identity", Identity((10**5,)).to_dense),
]


@pytest.mark.parametrize(("text", "view"), REFUSED, ids=[f"{i} {text}" for i, (text, _) in enumerate(REFUSED)])
def test_nothing_is_allocated_over_the_limit(text: str, view: Callable[[], Any]) -> None:
    tracemalloc.start()
    with pytest.raises(TooLargeError, match=rf"^{text}.* over the limit of 1.0 GiB; use jvp, .*or pass limit=\d+$"):
        view()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("case", [*LEAVES, *COMPOSITES], ids=lambda case: case.name)
def test_so_many_entries_are_not_zero_at_most(case: Case) -> None:
    J, _ = case.make(Numbers("float64", "C"))
    found = J.numerator
    entries = found.to_dense() != 0
    bound = found._nonzeros()
    assert entries.sum() <= bound.total <= entries.size
    assert entries.sum(axis=1).max(initial=0) <= bound.row
    assert entries.sum(axis=0).max(initial=0) <= bound.column
    assert found.T._nonzeros().T.total == bound.total
    sparse = found.to_sparse()
    assert sparse.data.nbytes + sparse.indices.nbytes + sparse.indptr.nbytes <= found._sparse_bytes()
    with pytest.raises(TooLargeError, match=rf"pass limit={found._sparse_bytes()}$"):
        found.to_sparse(limit=found._sparse_bytes() - 1)
    assert np.array_equal(found.to_sparse(limit=found._sparse_bytes()).toarray() != 0, entries)


def layers(width: int, examples: int) -> tuple[Jacobian, Jacobian]:
    """dZ₂/dW₁ and dZ₂/dX."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(width, width))
    Z1, J1 = affine(rng.normal(size=(examples, width)), W, np.zeros(width))
    A1, J2 = tanh(Z1)
    _, J3 = affine(A1, W, np.zeros(width))
    return J3.X @ J2 @ J1.W, J3.X @ J2 @ J1.X


def test_a_net_of_a_thousand_nodes_is_refused_at_once() -> None:
    for J in layers(1000, 100):
        with pytest.raises(
            TooLargeError, match=r"^to_sparse: Kronecker\(I₁₀₀, 1000×1000\) @ .* as a sparse array, over"
        ):
            J.to_sparse()


def test_a_chain_of_examples_is_multiplied_block_by_block() -> None:
    _, J = layers(30, 60)
    J.to_sparse()
    tracemalloc.start()
    found = J.to_sparse()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nnz == 60 * 30 * 30
    # the dense matrix takes 25 MiB
    assert peak < 6 << 20
    np.testing.assert_allclose(found.toarray(), J.to_dense(), rtol=1e-12)


def test_a_chain_without_examples_is_multiplied_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jacobians.linops.products_and_sums.STEP_BYTES", 1000)
    rng = np.random.default_rng(0)
    drawn = [rng.normal(size=(40, 40)) * (rng.random((40, 40)) < 0.1) for _ in range(2)]
    left, right = (Sparse(scipy.sparse.csr_array(matrix), (40,), (40,)) for matrix in drawn)
    chain = left @ right
    np.testing.assert_allclose(chain.to_sparse().toarray(), left.to_dense() @ right.to_dense(), atol=1e-15)


def test_row_norms_and_products_of_thin_factors_by_structure() -> None:
    rng = np.random.default_rng(0)
    wide = LowRank(np.full((10**5, 1), 2.0), np.ones((10**5, 1)))
    np.testing.assert_allclose(wide.row_norms(), 2 * np.sqrt(1e5))
    for rank in (1, 3, 9):
        J = LowRank(rng.normal(size=(2, 3, rank)), rng.normal(size=(5, rank)))
        matrix = J.to_dense()
        np.testing.assert_allclose(J.row_norms().ravel(), np.linalg.norm(matrix, axis=1), rtol=1e-14)
        np.testing.assert_allclose(J.gram(), matrix @ matrix.T, atol=1e-13)
    extended = LowRank(np.ones((2, 1), np.longdouble), np.ones((3, 1), np.longdouble))
    assert extended.row_norms().dtype == extended.gram().dtype == np.longdouble


@pytest.mark.parametrize(
    "J",
    [
        Identity((10**5,)),
        Selection(np.arange(10**5)[::-1], (10**5,)),
        Commutation(500, 200),
        Zero((10**5,), (10**5,)),
        Diagonal(np.full(10**5, -3.0)),
        Sparse(scipy.sparse.diags_array(np.full(10**5, -3.0)), (10**5,), (10**5,)),
    ],
    ids=lambda J: type(J).__name__,
)
def test_row_norms_of_a_hundred_thousand_rows_need_no_row(J: Jacobian) -> None:
    kind = type(J).__name__
    expected = 0 if kind == "Zero" else 3 if kind in ("Diagonal", "Sparse") else 1
    assert np.array_equal(J.row_norms(), np.full(J.codomain, expected))


def mixed(kind: str) -> Jacobian:
    """A Jacobian typed float64, part of whose arrays are float32."""
    rng = np.random.default_rng(0)

    def single(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    double = rng.normal(size=(30, 20))
    match kind:
        case "Kronecker":
            return Kronecker(single(20, 40), double)
        case "KhatriRao":
            return KhatriRao(single(30, 40), double)
        case "KhatriRaoSum":
            return KhatriRaoSum(single(30, 3, 40), rng.normal(size=(30, 3, 20)))
        case "LowRank":
            return LowRank(single(50, 20), double)
        case "BlockRow":
            return BlockRow([Dense(single(30, 40), (30,)), Dense(double, (30,))])
        case "Product":
            return Dense(single(40, 30), (40,)) @ Dense(single(30, 50), (30,)) @ Dense(rng.normal(size=(50, 20)), (50,))
        case "Sum":
            return Dense(single(30, 20), (30,)) + LowRank(single(30, 2), rng.normal(size=(20, 2)))
        case "Denominator":
            return Denominator(Kronecker(single(20, 40), double))
    return 2 * Kronecker(single(20, 40), double)


@pytest.mark.parametrize(
    "kind",
    ["Kronecker", "KhatriRao", "KhatriRaoSum", "LowRank", "BlockRow", "Product", "Sum", "Denominator", "Scaled"],
)
def test_what_is_typed_float64_is_accurate_in_float64(kind: str) -> None:
    J = mixed(kind)
    assert J.dtype == J.row_norms().dtype == J.gram().dtype == J.to_sparse().dtype == np.float64
    rows = J.numerator.to_dense()
    np.testing.assert_allclose(J.row_norms().ravel(), np.linalg.norm(rows, axis=1), rtol=1e-13)
    np.testing.assert_allclose(J.gram(), rows @ rows.T, atol=1e-13 * np.abs(rows @ rows.T).max())
    np.testing.assert_allclose(J.numerator.to_sparse().toarray(), rows, atol=1e-13 * np.abs(rows).max())


def test_extended_precision_through_an_index() -> None:
    tiny = np.longdouble(2) ** -60
    J = Selection(np.array([0, 0, 2]), (3,), np.longdouble)
    assert np.array_equal(J.vjp(np.array([1, tiny, 5], np.longdouble)), np.array([1 + tiny, 0, 5], np.longdouble))
