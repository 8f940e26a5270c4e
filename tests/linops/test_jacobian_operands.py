"""What stands beside a Jacobian: numbers, plain and sparse matrices; and shapes as they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.linops import (
    BlockDiagonal,
    BlockRow,
    Broadcast,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    Identity,
    Jacobian,
    Kronecker,
    Product,
    Reshape,
    Selection,
    Sparse,
    Sum,
    Zero,
)

rng = np.random.default_rng(0)


def chain(order: str) -> Jacobian:
    J = Kronecker(rng.normal(size=(2, 3)), rng.normal(size=(3, 2))) @ Diagonal(rng.normal(size=(3, 2)))
    return J.ordered(order)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("wrap", [lambda J: J, Denominator], ids=["numerator", "denominator"])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_matrices_are_added_without_writing_the_jacobian_out(
    order: str, wrap: Callable[[Jacobian], Jacobian], form: Callable[[Any], Any]
) -> None:
    J = wrap(chain(order))
    M = J.to_dense()
    A = rng.normal(size=M.shape)
    for found, expected in (
        (J + form(A), M + A),
        (form(A) + J, M + A),
        (J - form(A), M - A),
        (form(A) - J, A - M),
        (sum([J, form(A)]), M + A),  # type: ignore[list-item]
    ):
        assert isinstance(found, Jacobian)
        assert (found.codomain, found.domain, found.shape) == (J.codomain, J.domain, J.shape)
        np.testing.assert_allclose(found.to_dense(), expected)


def test_a_matrix_of_unsigned_integers_is_subtracted() -> None:
    assert np.array_equal((Identity(2) - np.array([[1, 2], [3, 4]], np.uint8)).to_dense(), [[0, -2], [-3, -3]])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("wrap", [lambda J: J, Denominator], ids=["numerator", "denominator"])
def test_a_sparse_matrix_on_the_right_stays_one(order: str, wrap: Callable[[Jacobian], Jacobian]) -> None:
    J = wrap(chain(order))
    A = rng.normal(size=(J.shape[1], 4))
    found = J @ scipy.sparse.csr_array(A)
    assert isinstance(found, Jacobian)
    np.testing.assert_allclose(found.to_dense(), J.to_dense() @ A)
    np.testing.assert_allclose(J.dot(scipy.sparse.csr_array(A)).to_dense(), J.to_dense() @ A)
    left = rng.normal(size=(4, J.shape[0]))
    np.testing.assert_allclose(scipy.sparse.csr_array(left) @ J, left @ J.to_dense())


def test_nothing_is_written_out_for_a_sparse_matrix() -> None:
    eye = scipy.sparse.eye_array(10**6, format="csr")
    v = np.ones(10**6)
    for J in (Diagonal(v) @ eye, Diagonal(v) + eye, eye - Diagonal(v)):
        assert J.jvp(v).shape == (10**6,)


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (
            lambda: Identity(2) + np.ones((3, 3)),
            r"\+: the matrix has shape \(3, 3\), that of Identity\(2\) is \(2, 2\)",
        ),
        (lambda: Identity(2) + np.ones(2), r"\+: the matrix has shape \(2,\), that of"),
        (lambda: Identity(2) @ scipy.sparse.eye_array(3), r"@: the left factor Identity\(2\) is .*; it needs 2 rows"),
        (lambda: Sum((Identity(2), Identity(3))), r"Sum: Identity\(2\) maps .*; all terms must agree"),
        (lambda: Sum(()), "Sum: nothing was given"),
        (lambda: Product(()), "Product: nothing was given"),
        (lambda: BlockRow(()), "BlockRow: nothing was given"),
        (lambda: Product((Identity(2), Identity(3))), r"Product: Identity\(2\) takes arrays of shape \(2,\), the next"),
        (lambda: Identity((-1, 2)), r"Identity: domain is \(-1, 2\); expected an array's shape, whole numbers from 0"),
        (lambda: Identity((2.5,)), r"Identity: domain is \(2.5,\)"),
        (lambda: Identity("ab"), "Identity: domain is 'ab'"),
        (lambda: Zero((-1,), (2,)), r"Zero: codomain is \(-1,\)"),
        (lambda: Commutation(-1, 2), r"Commutation: domain is \(-1, 2\)"),
        (lambda: Selection((slice(None),), (-1,)), r"Selection: domain is \(-1,\)"),
        (lambda: Reshape((-1, -2), (2,)), r"Reshape: codomain is \(-1, -2\)"),
        (lambda: Broadcast((2, -1), (1,)), r"Broadcast: codomain is \(2, -1\)"),
        (lambda: Sparse(scipy.sparse.eye_array(2), (-1, -2), (2,)), r"Sparse: codomain is \(-1, -2\)"),
        (lambda: BlockDiagonal(np.ones((1, 1, 1)), (1,), (-1,)), r"BlockDiagonal: domain is \(-1,\)"),
    ],
)
def test_sizes_that_do_not_fit(use: Callable[[], Any], text: str) -> None:
    with pytest.raises(ShapeError, match=f"^{text}"):
        use()


@pytest.mark.parametrize("make", [Sum, Product, BlockRow])
def test_composites_are_made_of_jacobians(make: Callable[[Any], Any]) -> None:
    with pytest.raises(ArgumentError, match=rf"^{make.__name__}: number 1 is an array of shape \(2, 2\); expected"):
        make((Identity(2), np.ones((2, 2))))
    assert make(Identity(2) for _ in range(2)).shape[0] == 2
    assert make([Identity(2)]).codomain == (2,)


def test_one_number_is_the_shape_of_a_vector() -> None:
    assert Identity(3).domain == Identity(np.int64(3)).domain == (3,)  # type: ignore[arg-type]
    assert Zero(3, 2).shape == (3, 2)  # type: ignore[arg-type]
    assert Reshape(6, (2, 3)).codomain == (6,)  # type: ignore[arg-type]
    assert Dense(np.ones((2, 3)), 2).codomain == (2,)  # type: ignore[arg-type]


@pytest.mark.parametrize("zero", [0, 0.0, np.float32(0), False])
def test_no_jacobian_is_divided_by_zero(zero: Any) -> None:
    with pytest.raises(DomainError, match=r"^/: Identity\(2\) \(2, 2\) cannot be divided by zero$"):
        Identity(2) / zero


def test_factors_are_finite_in_the_dtype() -> None:
    single = Identity(2, np.float32)
    with pytest.raises(DomainError, match=r"^/: 1/9.99989e-321 is not finite in float64, .*; divide in two steps$"):
        Identity(2) / 1e-320
    with pytest.raises(DomainError, match=r"^/: 1/1e-50 is not finite in float32, the dtype of Identity\(2\)"):
        single / 1e-50
    for factor in (np.nan, np.inf, -np.inf):
        with pytest.raises(DomainError, match=rf"^\*: the factor {factor} is not finite in float64"):
            factor * Identity(2)
    with pytest.raises(DomainError, match=r"^\*: the factor 1e\+50 is not finite in float32"):
        1e50 * single
    assert np.array_equal((Identity(2) / 1e-300).diagonal(), np.full(2, 1 / 1e-300))
