"""Matrix product, entrywise product and sum of two variables, against np.kron and loops."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from jacobians import add, hadamard, matmul
from jacobians.errors import ShapeError
from jacobians.layout import Layout
from jacobians.matrix import divide
from jacobians.operations import Add, Hadamard, MatMul
from jacobians.testing import assert_dense_twin
from tests.linops.dense_twins import by_basis
from tests.operations.random_inputs import WRITTEN, Numbers

G = Numbers(13)
A, B = G(3, 4), G(4, 2)
C, D = G(3, 4), G(3, 4)


@pytest.mark.parametrize("layout", WRITTEN)
def test_products_of_matrices_are_kronecker_products(layout: Layout) -> None:
    value, J = matmul(A, B, layout)
    np.testing.assert_allclose(value, np.einsum("ij,jk->ik", A, B), rtol=1e-13)
    for jacobian, twin in ((J.A, np.kron(np.eye(3), B.T)), (J.B, np.kron(A, np.eye(2)))):
        assert_dense_twin(jacobian, twin if layout.derivative == "numerator" else twin.T)
    # Magnus & Neudecker: vec(AXB) = (Bᵀ ⊗ A) vec X, where vec stacks columns
    for jacobian, twin in ((J.A, np.kron(B.T, np.eye(3))), (J.B, np.kron(np.eye(2), A))):
        assert_dense_twin(jacobian, twin if layout.derivative == "numerator" else twin.T, order="F")


@pytest.mark.parametrize("layout", WRITTEN)
def test_entrywise_products_and_sums_are_diagonal(layout: Layout) -> None:
    value, J = hadamard(C, D, layout)
    assert np.array_equal(value, C * D)
    assert_dense_twin(J.A, np.diag(D.ravel()))
    assert_dense_twin(J.B, np.diag(C.ravel()))
    value, J = add(C, D, layout)
    assert np.array_equal(value, C + D)
    assert_dense_twin(J.A, np.eye(12))
    assert_dense_twin(J.B, np.eye(12))


def test_one_array_in_both_places() -> None:
    """By the array itself the derivative is the sum of both: A∘A and A² are not linear."""
    S = G(3, 3)
    for operation, plain in ((hadamard, lambda V: V * V), (matmul, lambda V: V @ V), (add, lambda V: V + V)):
        value, J = operation(S, S)
        np.testing.assert_allclose(value, plain(S), rtol=1e-13)
        both = J.A.to_dense() + J.B.to_dense()
        # of a quadratic the symmetric difference is exact
        twin = by_basis((3, 3), (3, 3), lambda t, plain=plain: (plain(S + t) - plain(S - t)) / 2)
        np.testing.assert_allclose(both, twin, rtol=1e-12, atol=1e-12)


def test_scalars_and_empty_arrays() -> None:
    assert hadamard(2.0, 3.0)[0] == 6.0
    assert type(add(2.0, 3.0)[0]) is np.ndarray
    assert hadamard(2.0, 3.0)[1].A.gradient == 3.0
    value, J = matmul(np.ones((2, 0)), np.ones((0, 3)))
    assert np.array_equal(value, np.zeros((2, 3)))
    assert J.A.shape == (6, 0)


def test_the_wider_dtype_wins() -> None:
    for operation in (hadamard, add):
        value, J = operation(C.astype(np.float32), D)
        assert value.dtype == np.float64
        assert J.A.jvp(C).dtype == np.float64


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), (4, 2, 3))])
@pytest.mark.parametrize("operation", [add, divide, hadamard])
def test_both_are_broadcast_to_one_shape(operation: Any, shapes: tuple[tuple[int, ...], ...]) -> None:
    """Every column of a Jacobian is a difference quotient along one entry; the steps are powers of 2."""
    arrays = [np.random.default_rng(i).uniform(1, 2, shape) for i, shape in enumerate(shapes)]
    value, J = operation(*arrays)
    assert value.shape == np.broadcast_shapes(*shapes)
    for place, name in enumerate("AB"):
        columns = []
        for entry in np.ndindex(shapes[place]):
            up, down = ([a.copy() for a in arrays] for _ in range(2))
            up[place][entry] += 2.0**-17
            down[place][entry] -= 2.0**-17
            columns.append((operation(*up)[0] - operation(*down)[0]).ravel() * 2.0**16)
        np.testing.assert_allclose(J[name].to_dense(), np.transpose(columns), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("operation", "shapes", "message"),
    [
        (
            matmul,
            ((2, 3), (4, 3)),
            "matmul: A has shape (2, 3), B has (4, 3); the inner sizes must agree; B's transpose would fit",
        ),
        (
            matmul,
            ((3, 2), (3, 4)),
            "matmul: A has shape (3, 2), B has (3, 4); the inner sizes must agree; A's transpose would fit",
        ),
        (matmul, ((3, 2), (5, 4)), "matmul: A has shape (3, 2), B has (5, 4); the inner sizes must agree"),
        (matmul, ((4, 2), (5, 4)), "A has shape (4, 2), B has (5, 4); the inner sizes must agree; B times A would fit"),
        (
            matmul,
            ((2, 3), (3,)),
            "matmul: A has shape (2, 3), B has (3,); expected two matrices; B.reshape(3, 1) would fit",
        ),
        (
            matmul,
            ((3,), (3, 4)),
            "matmul: A has shape (3,), B has (3, 4); expected two matrices; A.reshape(1, 3) would fit",
        ),
        (matmul, ((3,), (3,)), "expected two matrices; A.reshape(1, 3) and B.reshape(3, 1) would fit"),
        (matmul, ((2, 3), (4,)), "matmul: A has shape (2, 3), B has (4,); expected two matrices"),
        (matmul, ((), (4,)), "matmul: A has shape (), B has (4,); expected two matrices"),
        (
            matmul,
            ((2, 3, 4), (5, 6)),
            "matmul: A has shape (2, 3, 4), B has (5, 6); A's last axis must be as long as B's last but one",
        ),
        (
            matmul,
            ((2, 3, 4), (3, 4, 5)),
            "matmul: A has shape (2, 3, 4), B has (3, 4, 5); the axes before the last two must be equal, or 1",
        ),
        (
            hadamard,
            ((2, 3), (3, 2)),
            "hadamard: A has shape (2, 3), B has (3, 2); they do not broadcast to one shape; the transpose of one "
            "would fit: is one batch in columns?",
        ),
        (
            add,
            ((4, 3), (4,)),
            "add: A has shape (4, 3), B has (4,); they do not broadcast to one shape; one entry for each row would fit "
            "as a column: reshape it to (4, 1)",
        ),
    ],
)
def test_refusals(operation: Any, shapes: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message) + "$"):
        operation(*map(np.ones, shapes))


def test_names() -> None:
    assert [operation.name for operation in (MatMul(), Hadamard(), Add())] == ["matmul", "hadamard", "add"]
    assert MatMul().names == ("A", "B")


@pytest.mark.parametrize(("operation", "arrays"), [(matmul, (A, B)), (hadamard, (C, D)), (add, (C, D))])
@pytest.mark.parametrize("wide", [0, 1])
def test_the_widest_input_decides_whichever_it_is(operation: Any, arrays: tuple[np.ndarray, ...], wide: int) -> None:
    value, J = operation(*(a if i == wide else a.astype(np.float32) for i, a in enumerate(arrays)))
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, operation(*arrays)[0], rtol=1e-5, atol=1e-5)
    assert [J[name].codomain for name in J] == [value.shape] * 2
    assert J.numerator("A") is J.numerator("A"), "a Jacobian is built once"
