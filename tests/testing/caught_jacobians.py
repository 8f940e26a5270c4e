"""Wrong Jacobians, each with the law that catches it and what the message says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature

import numpy as np

from jacobians.linops import Dense, Diagonal, Jacobian, Kronecker
from jacobians.testing import (
    assert_adjoint,
    assert_association,
    assert_blocks,
    assert_dense_twin,
    assert_display,
    assert_gram,
    assert_jacobian_dtype,
    assert_jacobian_laws,
    assert_jacobian_purity,
    assert_limits,
    assert_one_source,
    assert_out,
    assert_probed,
    assert_pull,
    assert_refusals,
    assert_row_norms,
    assert_vec,
)
from tests.testing import wrong_jacobians as bad
from tests.testing import wrong_operations as wrong
from tests.testing.wrong_jacobians import SHAPE, Plain

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 3))
W = RNG.normal(size=(3, 2))
B = RNG.normal(size=2)
SQUARE = RNG.normal(size=(3, 3))
J = Kronecker(4, W.T)
TO_SQUARE = Kronecker(3, SQUARE)
NARROW = Kronecker(4, W.T.astype(np.float32))
MATRIX = RNG.normal(size=(6, 6)).astype(np.float32)

Caught = dict[str, tuple[Callable[[], None], str]]


def made(kind: type[Plain]) -> Plain:
    """A wrong Jacobian in float32 of a square matrix; of a row where it is its gradient that is wrong."""
    return kind(MATRIX[:1], (), (2, 3)) if "Gradient" in kind.__name__ else kind(MATRIX)


def held(law: Callable[..., None], kind: type[Plain]) -> None:
    """Hold a Jacobian to a law, and to its matrix where the law takes one."""
    jacobian = made(kind)
    law(jacobian, **({"matrix": jacobian.matrix.astype(np.float64)} if "matrix" in signature(law).parameters else {}))


def chain(middle: Jacobian, dtype: type = np.float64) -> list[Jacobian]:
    """A diagonal, the Jacobian in the middle, and one more on the right."""
    return [
        Diagonal(np.ones(middle.codomain, dtype=dtype)),
        middle,
        Kronecker(middle.domain[0], RNG.normal(size=(middle.domain[1], 5)).astype(dtype)),
        Diagonal(RNG.normal(size=(middle.domain[0], 5)).astype(dtype)),
    ]


def between(middle: Jacobian) -> list[Jacobian]:
    """The Jacobian, in F order, between diagonals in float32."""
    good = Diagonal(RNG.normal(size=SHAPE).astype(np.float32))
    return [good, middle.ordered("F"), good]


WRONG: list[tuple[Callable[..., None], type[Plain], str]] = [
    # 1
    (assert_dense_twin, bad.DenseTransposed, r"law dense twin: DenseTransposed\(6×6\), to_dense\('C'\): .* off by"),
    (assert_dense_twin, bad.DenseIgnoresOrder, r"to_dense\('F'\): .* off by"),
    (assert_dense_twin, bad.DenseIsWide, r"to_dense\('C'\) has dtype float64, the Jacobian float32"),
    (assert_dense_twin, bad.ForgetsEntryInSparse, r"law dense twin: .* to_sparse\('C'\): 0, expected"),
    (assert_dense_twin, bad.SparseIgnoresOrder, r"to_sparse\('F'\): .* off by"),
    (assert_dense_twin, bad.SparseIsWide, r"to_sparse\('C'\) has dtype float64, the Jacobian float32"),
    # 2
    (assert_adjoint, bad.VjpTwofold, "law adjoint: VjpTwofold"),
    (assert_adjoint, bad.NotTransposedPullback, r"⟨c, J t⟩ and ⟨Jᵀ c, t⟩: .* off by"),
    # 4
    (assert_one_source, bad.VjpTwofold, r"law one source: .*, vjp on a stack \(\)"),
    (assert_one_source, bad.ReversesStacks, r"jvp on a stack \(2,\)"),
    (assert_one_source, bad.IsItsTranspose, "T.jvp"),
    (assert_one_source, bad.TransposeLosesOrder, "T has order None, not C"),
    (assert_one_source, bad.VectorsIgnoreOrder, "matmat, order F"),
    (assert_one_source, bad.RightMatmatOnly, "rmatmat, order C"),
    (assert_one_source, bad.DiagonalIgnoresOrder, r"diagonal\('F'\)"),
    (assert_one_source, bad.HalvedGradient, "gradient: "),
    (assert_one_source, bad.GradientIsARow, r"gradient: shape \(1, 6\), expected \(2, 3\)"),
    (assert_probed, bad.VjpTwofold, "law adjoint: VjpTwofold"),
    (assert_probed, bad.NotTransposedPullback, "law adjoint: NotTransposedPullback"),
    (assert_probed, bad.IsItsTranspose, "law one source: .*, T.vjp"),
    (assert_probed, bad.VectorsIgnoreOrder, "law vec: .*matmat in order F"),
    (assert_probed, bad.RightMatmatOnly, "law vec: .*rmatmat in order C"),
    (assert_out, bad.LeavesWhatIsThere, "out=….*, C in order C: 54321, expected"),
    (assert_out, bad.WritesElsewhere, "another array is returned"),
    (assert_blocks, bad.ClaimsExamples, "blocks along axis 0: .* off by"),
    (assert_blocks, bad.MixesExamples, "blocks along axis -1: .* off by"),
    (assert_row_norms, bad.NormsOfColumns, "row_norms: .* off by"),
    (assert_row_norms, bad.SquaredNorms, "row_norms: .* off by"),
    (assert_gram, bad.GramOfColumns, r"gram\('C'\): .* off by"),
    (assert_gram, bad.GramIgnoresOrder, r"gram\('F'\): .* off by"),
    (assert_gram, bad.GramWithoutLimit, "law memory: .*gram, one byte below what it needs is not refused"),
    # 7
    (assert_vec, bad.DenseIgnoresOrder, r"law vec: .*P·to_dense\('C'\)·Qᵀ"),
    (assert_vec, bad.ActsByOrder, "jvp in order F"),
    # 9
    (assert_jacobian_purity, bad.WritesInput, "input of jvp of a C input is not the same bit for bit"),
    (assert_jacobian_purity, bad.WritesStored, "called twice: jvp of a C input is not the same"),
    (assert_jacobian_purity, bad.ReusesBuffer, "jvp of a C input shares memory with what it returned before"),
    (assert_jacobian_purity, bad.ReturnsStored, r"to_dense\('C'\) shares memory with stored array 0"),
    (assert_jacobian_purity, bad.ReturnsInput, "jvp of a C input shares memory with input of jvp"),
    (assert_jacobian_purity, bad.SparseShares, "to_sparse's data shares memory with stored array 0"),
    # 10
    (assert_jacobian_dtype, bad.AlwaysFloat64, "jvp of float32 is an ndarray of float64, expected float32"),
    (assert_jacobian_dtype, bad.Float32Inside, "jvp of float64: .* off by"),
    (assert_jacobian_dtype, bad.TakesComplex, "vjp of complex is not refused; expected DTypeError"),
    (assert_jacobian_dtype, bad.GradientIsWide, "gradient has dtype float64, the Jacobian float32"),
    # limits, refusals, display
    (assert_limits, bad.NoLimit, r"law memory: .*to_dense\(limit=143\) is not refused"),
    (assert_refusals, bad.TakesAnyShape, r"law refusals: .*vjp of an array of shape .* is not refused"),
    (assert_refusals, bad.BareRefusal, r"'matvec: ' is not in 'no'"),
    (assert_display, bad.MiscountsBytes, "nbytes is 288, the arrays take 144"),
    (assert_display, bad.TwoLines, "repr is not one line"),
    (assert_display, bad.RawHtml, "HTML has the tags"),
    (assert_jacobian_laws, bad.DenseIgnoresOrder, "law dense twin: DenseIgnoresOrder"),
]
"""Each law, a Jacobian that breaks it, and what the message says."""

JACOBIANS: Caught = {
    **{f"{law.__name__}, {kind.__name__}": (partial(held, law, kind), message) for law, kind, message in WRONG},
    # 1
    "dense twin, Kronecker factors in the other vec order": (
        lambda: assert_dense_twin(TO_SQUARE, np.kron(np.eye(3), SQUARE), order="F"),
        r"law dense twin: .* to_dense\('F'\)",
    ),
    "dense twin, one entry off by 1e-9": (
        lambda: assert_dense_twin(J, np.kron(np.eye(4), W.T) + 1e-9 * np.eye(8, 12)),
        r"law dense twin: .*\(8 of 96 entries differ\)",
    ),
    "dense twin, shape": (lambda: assert_dense_twin(J, np.kron(np.eye(4), W)), r"shape \(8, 12\), expected \(12, 8\)"),
    "dense twin, NaN": (
        lambda: assert_dense_twin(Dense(np.array([np.nan, 1.0])), np.ones((1, 2))),
        r"law dense twin: Row\(2\), to_dense\('C'\): nan, expected 1",
    ),
    # 2
    "adjoint, jvp alone is off by 1e-10": (
        lambda: assert_adjoint(bad.NearlyRightPushforward(MATRIX.astype(float)), what="the name given"),
        r"law adjoint: the name given",
    ),
    # 4
    "one source, pull": (
        lambda: assert_pull(wrong.sweep_doubles_one(X, X)[1]),
        r"law one source: add with respect to B, pull\(row\) and row @ J",
    ),
    "one source, pull of some": (
        lambda: assert_pull(wrong.sweep_of_fewer_doubles(X, X)[1]),
        r"law one source: add with respect to B, pull\(row\) and row @ J",
    ),
    "one source, pull of an array": (
        lambda: assert_pull(wrong.sweep_doubles_arrays(X, X)[1]),
        r"law one source: add with respect to B, pull\(row\) and row @ J",
    ),
    # 5
    "association, value": (
        lambda: assert_association(chain(bad.ForgetsScale(np.kron(np.eye(4), W.T), (4, 2), (4, 3)))),
        r"law association: .*bracketed \(",
    ),
    "association, shape": (
        lambda: assert_association([Dense(np.ones((2, 3))), bad.FlattensOutput(MATRIX), Plain(MATRIX)]),
        r"bracketed \(• \(• •\)\): @: the left factor Row\(2×3\) .* gives \(6,\)",
    ),
    "association, shape at the end": (
        lambda: assert_association([bad.FlattensOutput(MATRIX), Plain(MATRIX), Diagonal(X[:2])]),
        r"maps .*, the factors \(2, 3\) to \(2, 3\)",
    ),
    "association, dtype": (
        lambda: assert_association(between(bad.DensifiesOnTheLeft(MATRIX))),
        "dtype float64, the factors' joint dtype is float32",
    ),
    "association, vec order": (
        lambda: assert_association(between(bad.ForgetsOrder(MATRIX))),
        r"law association: .*bracketed \(• \(• •\)\): |vec order None, the factors have F",
    ),
    "association, the action by order": (
        lambda: assert_association(between(bad.ActsByOrder(MATRIX))),
        "law association: .* off by",
    ),
    "association, matrices": (
        lambda: assert_association([J, Diagonal(X)], matrices=[J.to_dense(), np.eye(12)]),
        "law association: .* off by",
    ),
    # 7
    "vec, denominator of squares": (
        lambda: assert_vec(bad.DenominatorOfSquares(TO_SQUARE)),
        r"denominator to_dense\('C'\)",
    ),
    "vec, denominator's vectors": (
        lambda: assert_vec(bad.DenominatorForgetsVectors(TO_SQUARE)),
        "denominator matvec in order C",
    ),
}
