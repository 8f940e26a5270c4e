"""Operators that break one thing each, and the law that catches it: a law that cannot fail is a defect."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.linops import Diagonal, unrolling
from tests.linops import laws, row_laws, wrong
from tests.linops.chain_laws import association
from tests.linops.laws import LAWS, Law
from tests.linops.tools import draw
from tests.linops.wrong import SHAPE, Plain

WRONG: list[tuple[Law, type[Plain], str]] = [
    (laws.dense_twin, wrong.DenseIgnoresOrder, r"to_dense\('F'\): off"),
    (laws.dense_twin, wrong.DenseIsWide, "stated float32"),
    (laws.dense_into, wrong.LeavesWhatIsThere, "out in order C: off by nan"),
    (laws.dense_into, wrong.WritesElsewhere, "another array is returned"),
    (laws.examples_apart, wrong.ClaimsExamples, "blocks along axis 0: off"),
    (laws.vec_permutes, wrong.DenseIgnoresOrder, "P C Qᵀ"),
    (laws.vec_permutes, wrong.ActsByOrder, "jvp in order F"),
    (laws.acts_as_twin, wrong.ReversesStacks, r"jvp on a stack \(2,\)"),
    (laws.acts_as_twin, wrong.VjpTwofold, "vjp on a stack"),
    (laws.adjoint, wrong.VjpTwofold, "adjoint: off"),
    (laws.transpose_is_transpose, wrong.IsItsTranspose, "T.to_dense"),
    (laws.transpose_is_transpose, wrong.TransposeLosesOrder, "T: order None"),
    (laws.vectors, wrong.VectorsIgnoreOrder, "matmat F"),
    (laws.sparse_view, wrong.SparseIgnoresOrder, r"to_sparse\('F'\)"),
    (laws.sparse_view, wrong.SparseShares, "shares memory"),
    (laws.diagonal_view, wrong.DiagonalIgnoresOrder, r"diagonal\('F'\)"),
    (laws.gradient_of_a_scalar, wrong.GradientIsARow, "gradient: shape"),
    (laws.gradient_of_a_scalar, wrong.GradientIsWide, "gradient: float64, stated float32"),
    (laws.dtypes, wrong.AlwaysFloat64, "jvp: float32 gives float64"),
    (laws.dtypes, wrong.Float32Inside, "jvp of float64: off"),
    (laws.dtypes, wrong.TakesComplex, "DID NOT RAISE"),
    (laws.purity, wrong.WritesInput, "the input was written"),
    (laws.purity, wrong.WritesStored, "twice is not the same"),
    (laws.purity, wrong.ReusesBuffer, "two calls share memory"),
    (laws.purity, wrong.ReturnsStored, "share memory|aliases a stored array"),
    (laws.purity, wrong.ReturnsInput, "share memory|aliases the input"),
    (laws.storage, wrong.MiscountsBytes, "nbytes"),
    (laws.display, wrong.TwoLines, "repr"),
    (laws.display, wrong.RawHtml, "html: tags"),
    (laws.refuses_misfits, wrong.TakesAnyShape, "vjp took an array"),
    (laws.refuses_misfits, wrong.BareRefusal, "no"),
    (laws.byte_guard, wrong.NoLimit, "DID NOT RAISE"),
    (row_laws.row_norms, wrong.NormsOfColumns, "row_norms: off"),
    (row_laws.row_norms, wrong.SquaredNorms, "row_norms: off"),
    (row_laws.gram, wrong.GramOfColumns, "gram.*: off"),
    (row_laws.gram, wrong.GramIgnoresOrder, r"gram\('F'\): off"),
    (row_laws.gram, wrong.GramWithoutLimit, "DID NOT RAISE"),
    (row_laws.examples_do_not_mix, wrong.MixesExamples, "examples: 0 reaches others along axis -1"),
]


def made(kind: type[Plain], law: Law | None = None) -> tuple[Plain, np.ndarray]:
    if law is laws.gradient_of_a_scalar:
        operator = kind(draw(1, 6, dtype=np.float32), ())
    else:
        operator = kind(draw(6, 6, dtype=np.float32))
    return operator, operator.matrix.astype(np.float64)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_five_methods_are_enough(law: Law) -> None:
    law(*made(Plain, law))
    law(Plain(matrix := draw(6, 4), (2, 3), (4,)), matrix)
    law(Plain(matrix := draw(4, 6), (4,), (3, 2)), matrix)


@pytest.mark.parametrize("slab", [1, 200])
@pytest.mark.parametrize(
    ("codomain", "domain"), [((3,), (2, 4)), ((2, 4), (3,)), ((2, 3, 2), (5,)), ((), (2, 3)), ((), ())]
)
def test_a_matrix_without_a_way_of_its_own_is_written_slab_by_slab(
    codomain: tuple[int, ...], domain: tuple[int, ...], slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unrolling, "_SLAB", slab)
    matrix = draw(int(np.prod(codomain)), int(np.prod(domain)))
    laws.dense_into(Plain(matrix, codomain, domain), matrix)


@pytest.mark.parametrize(("law", "kind", "message"), WRONG, ids=lambda part: getattr(part, "__name__", ""))
def test_law_catches(law: Law, kind: type[Plain], message: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception), match=message):
        law(*made(kind, law))


def test_every_law_can_fail() -> None:
    assert {law for law, _, _ in WRONG} == set(LAWS)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (wrong.DensifiesOnTheLeft, "dtype"),
        (wrong.ForgetsOrder, "order"),
        (wrong.VjpTwofold, "off by"),
        (wrong.ActsByOrder, "off by"),
    ],
)
def test_association_catches(kind: type[Plain], message: str) -> None:
    odd, twin = made(kind)
    good, matrix = Diagonal(draw(*SHAPE, dtype=np.float32)), np.diag(draw(*SHAPE, dtype=np.float32).ravel())
    association([good, Plain(twin.astype(np.float32)).ordered("F"), good], [matrix, twin, matrix])
    with pytest.raises(AssertionError, match=message):
        association([good, odd.ordered("F"), good], [matrix, twin, matrix])
