"""Wrong Jacobians, each with the law that catches it and what the message says: laws 1, 2, 4, 5 and 7."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians.linops import Dense, Diagonal, Jacobian, Kronecker
from jacobians.testing import (
    assert_adjoint,
    assert_association,
    assert_dense_twin,
    assert_one_source,
    assert_pull,
    assert_vec,
)
from tests.testing import wrong_jacobians as bad
from tests.testing import wrong_operations as wrong

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 3))
W = RNG.normal(size=(3, 2))
B = RNG.normal(size=2)
SQUARE = RNG.normal(size=(3, 3))
J = Kronecker(4, W.T)
TO_SQUARE = Kronecker(3, SQUARE)
NARROW = Kronecker(4, W.T.astype(np.float32))


def chain(middle: Jacobian, dtype: type = np.float64) -> list[Jacobian]:
    """A diagonal, the Jacobian in the middle, and one more on the right."""
    return [
        Diagonal(np.ones(middle.codomain, dtype=dtype)),
        middle,
        Kronecker(middle.domain[0], RNG.normal(size=(middle.domain[1], 5)).astype(dtype)),
        Diagonal(RNG.normal(size=(middle.domain[0], 5)).astype(dtype)),
    ]


Caught = dict[str, tuple[Callable[[], None], str]]

JACOBIANS: Caught = {
    # 1
    "dense twin, transposed": (
        lambda: assert_dense_twin(bad.DenseTransposed(TO_SQUARE), np.kron(np.eye(3), SQUARE)),
        r"law dense twin: DenseTransposed\(Kronecker\(I₃, 3×3\)\), to_dense\('C'\): .* off by",
    ),
    "dense twin, Kronecker factors in the other vec order": (
        lambda: assert_dense_twin(TO_SQUARE, np.kron(np.eye(3), SQUARE), order="F"),
        r"law dense twin: .* to_dense\('F'\)",
    ),
    "dense twin, sparse view only": (
        lambda: assert_dense_twin(bad.ForgetsEntryInSparse(J), np.kron(np.eye(4), W.T)),
        r"law dense twin: .* to_sparse\('C'\): 0, expected",
    ),
    "dense twin, one entry off by 1e-9": (
        lambda: assert_dense_twin(J, np.kron(np.eye(4), W.T) + 1e-9 * np.eye(8, 12)),
        r"law dense twin: .*\(8 of 96 entries differ\)",
    ),
    "dense twin, shape": (lambda: assert_dense_twin(J, np.kron(np.eye(4), W)), r"shape \(8, 12\), expected \(12, 8\)"),
    "dense twin, dtype": (
        lambda: assert_dense_twin(bad.SparseInFloat64(NARROW), np.kron(np.eye(4), W.T)),
        r"to_sparse\('C'\) has dtype float64, the Jacobian float32",
    ),
    "dense twin, NaN": (
        lambda: assert_dense_twin(Dense(np.array([np.nan, 1.0])), np.ones((1, 2))),
        r"law dense twin: Row\(2\), to_dense\('C'\): nan, expected 1",
    ),
    # 2
    "adjoint, vjp alone is doubled": (lambda: assert_adjoint(bad.DoubledPullback(J)), r"law adjoint: DoubledPullback"),
    "adjoint, vjp alone is not transposed": (
        lambda: assert_adjoint(bad.NotTransposedPullback(TO_SQUARE)),
        r"⟨c, J t⟩ and ⟨Jᵀ c, t⟩: .* off by",
    ),
    "adjoint, jvp alone is off by 1e-10": (
        lambda: assert_adjoint(bad.NearlyRightPushforward(J), what="the name given"),
        r"law adjoint: the name given",
    ),
    # 4
    "one source, vjp": (lambda: assert_one_source(bad.DoubledPullback(J)), r"law one source: .*, vjp on a stack \(\)"),
    "one source, to_sparse": (lambda: assert_one_source(bad.ForgetsEntryInSparse(J)), r"to_sparse\('C'\)"),
    "one source, transpose": (lambda: assert_one_source(bad.TransposeIsItself(TO_SQUARE)), "T.jvp"),
    "one source, gradient": (lambda: assert_one_source(bad.HalvedGradient(Dense(X))), "gradient: "),
    "one source, diagonal": (lambda: assert_one_source(bad.ShiftedDiagonal(Diagonal(X))), "diagonal"),
    "one source, matvec in F order": (lambda: assert_one_source(bad.MatrixInCOrderOnly(J)), "order F"),
    "one source, rmatmat": (lambda: assert_one_source(bad.RightMatmatOnly(J)), "rmatmat, order C"),
    "one source, pull": (
        lambda: assert_pull(wrong.sweep_doubles_one(X, X)[1]),
        r"law one source: add by B, pull\(row\) and row @ J",
    ),
    "one source, pull of the first": (
        lambda: assert_pull(wrong.sweep_keeps_the_first(X, X)[1]),
        r"law one source: add: .* without the first as \['A', 'B'\]",
    ),
    # 5
    "association, value": (lambda: assert_association(chain(bad.ForgetsScale(J))), r"law association: .*bracketed \("),
    "association, shape": (
        lambda: assert_association([Dense(np.ones((4, 2))), bad.FlattensOutput(J), bad.Wrapped(Diagonal(X))]),
        r"bracketed \(• \(• •\)\): @: the left factor Row\(4×2\) .* gives \(8,\)",
    ),
    "association, shape at the end": (
        lambda: assert_association([bad.FlattensOutput(J), bad.Wrapped(Diagonal(X)), Diagonal(X)]),
        "maps .* another bracketing",
    ),
    "association, dtype": (
        lambda: assert_association(chain(bad.WidensOnTheLeft(NARROW), np.float32)),
        "dtype float64, the factors' joint dtype is float32",
    ),
    "association, vec order": (
        lambda: assert_association([f.ordered("F") for f in (bad.ForgetsOrder(J), Diagonal(X), Diagonal(X))]),
        r"law association: .*bracketed \(• \(• •\)\): ",
    ),
    # 7
    "vec, F order ignored": (lambda: assert_vec(bad.DenseInCOrderOnly(J)), r"law vec: .*P·to_dense\('C'\)·Qᵀ"),
    "vec, the action depends on it": (lambda: assert_vec(bad.ActsInItsOrder(J)), "jvp in order F"),
    "vec, denominator of squares": (
        lambda: assert_vec(bad.DenominatorOfSquares(TO_SQUARE)),
        r"denominator to_dense\('C'\)",
    ),
    "vec, denominator's vectors": (
        lambda: assert_vec(bad.DenominatorForgetsVectors(TO_SQUARE)),
        "denominator matvec in order C",
    ),
}
