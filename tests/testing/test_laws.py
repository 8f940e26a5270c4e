"""Every law passes what is right, and catches what is wrong in one way: a law that cannot fail is a defect."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

import jacobians.testing
from jacobians import affine, cross_entropy, softmax
from jacobians.errors import DomainError
from jacobians.layout import Layout
from jacobians.linops import Denominator, Dense, Diagonal, DiagonalMinusOuter, LowRank, unrolling
from jacobians.operations import Affine, Softmax
from jacobians.testing import (
    arranged,
    assert_association,
    assert_batch,
    assert_dense_twin,
    assert_graph_laws,
    assert_jacobian_laws,
    assert_layouts,
    assert_operation_laws,
    assert_out,
    assert_pull,
    assert_purity,
    assert_reference,
    every_layout,
    numerical_derivative,
)
from jacobians.testing.compare import terms
from tests.testing import wrong_borders as borders
from tests.testing import wrong_operations as wrong
from tests.testing.caught_graphs import GRAPHS, tied
from tests.testing.caught_jacobians import JACOBIANS, MATRIX, NARROW, TO_SQUARE, WRONG, B, J, W, X, chain
from tests.testing.caught_operations import OPERATIONS
from tests.testing.wrong_jacobians import Plain

CAUGHT = JACOBIANS | OPERATIONS | GRAPHS


@pytest.mark.parametrize("name", CAUGHT)
def test_a_law_catches(name: str) -> None:
    run, message = CAUGHT[name]
    with pytest.raises(AssertionError, match=message) as caught:
        run()
    assert str(caught.value).startswith("law "), caught.value


def test_every_law_is_shown_to_catch_something() -> None:
    called = {law.__name__ for law, _, _ in WRONG}
    called |= {n for run, _ in CAUGHT.values() if not isinstance(run, partial) for n in run.__code__.co_names}
    called |= {"assert_batch"} if "batch" in called else set()
    assert called >= {name for name in jacobians.testing.__all__ if name.startswith("assert_")}


def test_every_law_passes_what_is_right() -> None:
    for dtype in (np.float32, np.float64):
        assert_operation_laws(wrong.right, [X.astype(dtype)], axes=(0,), out_axis=0)
    for jacobian in (J, TO_SQUARE, NARROW, Denominator(J), J.ordered("F"), Dense(X)):
        assert_jacobian_laws(jacobian)
    assert_dense_twin(J, np.kron(np.eye(4), W.T))
    assert_dense_twin(J, np.kron(W.T, np.eye(4)), order="F")
    assert_dense_twin(Denominator(J), np.kron(np.eye(4), W))
    assert_association(chain(Plain(J.to_dense(), (4, 2), (4, 3))))
    assert_association([Denominator(f) for f in reversed(chain(J))])
    assert_layouts(Affine, X, {"W": W, "b": B})
    assert_layouts(Softmax, X)
    assert_batch(affine, [X, W, B], axes=(0, None, None), out_axis=0)
    assert_pull(affine(X, W, B)[1])
    assert_graph_laws(tied, {"X": X, "W": W})


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), (4,)), ((4,), (3, 2)), ((), (2, 3))], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_five_methods_are_enough_for_a_structure(shapes: tuple[tuple[int, ...], tuple[int, ...]], dtype: type) -> None:
    codomain, domain = shapes
    matrix = np.resize(MATRIX, (math.prod(codomain), math.prod(domain))).astype(dtype)
    assert_jacobian_laws(Plain(matrix, *shapes), matrix.astype(np.float64))


@pytest.mark.parametrize("slab", [1, 200])
@pytest.mark.parametrize(
    ("codomain", "domain"), [((3,), (2, 4)), ((2, 4), (3,)), ((2, 3, 2), (5,)), ((), (2, 3)), ((), ())]
)
def test_a_matrix_without_a_way_of_its_own_is_written_slab_by_slab(
    codomain: tuple[int, ...], domain: tuple[int, ...], slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unrolling, "_SLAB", slab)
    matrix = np.random.default_rng(1).normal(size=(math.prod(codomain), math.prod(domain)))
    assert_out(Plain(matrix, codomain, domain), matrix=matrix)


def test_a_jacobian_alone_stands_for_the_first_input() -> None:
    labels = np.array([0, 2, 1, 1])
    assert_operation_laws(cross_entropy, [X, labels], axes=(0, 0), reduction="mean")


def test_integers_may_be_given() -> None:
    assert_operation_laws(wrong.right, [[[1, -2], [3, 4]]], axes=(0,), out_axis=0)


def test_laws_leave_the_callers_arrays_alone() -> None:
    given = X.copy()
    assert_operation_laws(softmax, [given], axes=(0,), out_axis=0)
    assert np.array_equal(given, X)
    with pytest.raises(AssertionError):
        assert_purity(borders.writes_where_it_may, [given])
    assert np.array_equal(given, X)


def test_the_same_call_checks_the_same_numbers() -> None:
    texts = []
    for _ in range(2):
        with pytest.raises(AssertionError) as caught:
            assert_reference(wrong.doubled_value, [X])
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("operation", [wrong.right, softmax])
def test_large_inputs_are_probed(operation: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 × 100 inputs have a matrix of 41 million entries: it is never asked for."""
    monkeypatch.setattr("jacobians.linops.Jacobian.to_dense", None)
    X = np.random.default_rng(0).normal(size=(64, 100))
    assert_operation_laws(operation, [X], axes=(0,), out_axis=0)


def test_what_is_wrong_of_large_inputs_is_caught() -> None:
    X = np.random.default_rng(0).normal(size=(64, 100))
    with pytest.raises(AssertionError, match="law reference: only_the_diagonal_of_softmax with respect to X"):
        assert_operation_laws(wrong.only_the_diagonal_of_softmax, [X])
    with pytest.raises(AssertionError, match="law adjoint: twofold_backward_in_structure with respect to X"):
        assert_operation_laws(wrong.twofold_backward_in_structure, [X])


def test_names_of_inputs_may_hold_dots() -> None:
    """Parameters of nested parts are called so."""

    def operation(X: np.ndarray, W: np.ndarray) -> tuple:
        value, J = affine(X, W, np.zeros(W.shape[1], W.dtype))
        return value, {"0.X": J.X, "2.W1": J.W}

    assert_operation_laws(operation, [X, W])


def test_batch_wants_an_axis_or_a_reduction() -> None:
    with pytest.raises(ValueError, match="reduction 'none' goes with out_axis"):
        assert_batch(softmax, [X], axes=(0,))
    with pytest.raises(ValueError, match="reduction 'sum' goes without out_axis"):
        assert_batch(softmax, [X], axes=(0,), out_axis=0, reduction="sum")
    with pytest.raises(ValueError, match=re.escape("1 inputs need as many axes; got (0, None)")):
        assert_batch(softmax, [X], axes=(0, None), out_axis=0)


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [
        (np.sin, 0.7, np.cos(0.7)),
        (np.exp, 1.0, np.e),
        (np.log, 0.01, 100.0),  # the first step would leave the domain
        (np.abs, 0.01, 1.0),  # and here it would cross a kink
        (lambda x: 1e8 * x**3, 2.0, 1.2e9),
        (lambda x: 1e-8 * x**3, 2.0, 1.2e-7),
        (lambda x: x + 1e6, 0.0, 1.0),
    ],
)
def test_numerical_derivative_knows_its_error(function: Callable, x: float, slope: float) -> None:
    def refusing(v: np.ndarray) -> np.ndarray:
        if function is np.log and (v <= 0).any():
            raise DomainError("log")
        return function(v)

    found, error = numerical_derivative(refusing, np.array([x]), np.array([2.0]))
    assert abs(found[0] - 2 * slope) <= 8 * error[0]
    assert error[0] <= 1e-7 * abs(slope)


def test_arranged_moves_only_in_memory() -> None:
    for memory in ("C", "F", "strided", "read-only"):
        other = arranged(X, memory)
        assert np.array_equal(other, X)
        assert not np.shares_memory(other, X)
    assert arranged(X, "F").flags.f_contiguous
    assert not arranged(X, "read-only").flags.writeable
    strided = arranged(X, "strided")
    assert not strided.flags.c_contiguous
    assert not strided.flags.f_contiguous
    assert arranged(2.0, "strided").shape == ()


def test_every_layout_counts() -> None:
    assert len(set(every_layout())) == 64
    assert len(every_layout(Layout(bias="none"))) == 16
    assert len(every_layout(Layout(bias="last"))) == 48


def test_terms_are_taken_by_their_sizes_before_they_cancel() -> None:
    """What rounding is proportional to: |L||R|ᵀ and not |LRᵀ|, |d| + |u||v| and not |d − uv|."""
    ones = np.ones((1, 2))
    assert terms(LowRank(np.array([[1.0, -1.0]]), np.array([[2.0, 2.0]]))).tolist() == [[4.0]]
    assert terms(DiagonalMinusOuter(ones, ones, ones, -1)).tolist() == [[2.0, 1.0], [1.0, 2.0]]
    assert terms(Diagonal(ones[0]) - Diagonal(ones[0]) @ Dense(np.eye(2), (2,))).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert terms(-3.0 * Denominator(LowRank(ones, -ones))).tolist() == [[6.0]]
