"""Jacobians in every form that a caller may hand over."""

import numpy as np
import pytest
import scipy.sparse

from jacobians import matmul, softmax, tanh
from jacobians.checking import check_gradient, check_jacobian
from jacobians.errors import ArgumentError
from jacobians.linops import BlockDiagonal, Dense

V = np.random.default_rng(0).normal(size=(2, 3))
B = np.random.default_rng(1).normal(size=(3, 4))
COS = np.cos(V.ravel())


@pytest.mark.parametrize(
    "jac",
    [
        lambda v: np.diag(np.cos(v.ravel())),
        lambda v: np.diag(np.cos(v.ravel())).reshape(2, 3, 2, 3),
        lambda v: scipy.sparse.diags_array(np.cos(v.ravel())).tocsr(),
        lambda v: scipy.sparse.diags_array(np.cos(v.ravel())).tocoo(),
    ],
)
def test_arrays_and_sparse_matrices(jac):
    check = check_jacobian(np.sin, jac, V)
    assert check, str(check)
    wrong = check_jacobian(np.sin, lambda v: 1.000001 * jac(v), V)
    assert wrong.verdict == "fail"
    assert "6 of 6 entries differ" in wrong.reasons[0]
    assert wrong.reasons[0].startswith("output (")


def test_our_own_jacobians():
    assert check_jacobian(lambda v: softmax(v)[0], lambda v: softmax(v)[1], V)
    assert check_jacobian(lambda v: v @ B, lambda v: matmul(v, B)[1].A, V)
    assert check_jacobian(lambda v: tanh(v)[0], lambda v: tanh(v)[1] @ tanh(v)[1], V).verdict == "fail"
    flat = check_jacobian(np.sin, lambda v: Dense(np.eye(6), codomain=(6,)), V)
    assert flat.reasons == ("the Jacobian maps (6,) to (6,); x has shape (2, 3) and fun's value (2, 3)",)


def test_the_order_of_a_matrix():
    for order in "CF":
        assert check_jacobian(lambda v: v @ B, lambda v, o=order: matmul(v, B)[1].A.to_dense(order=o), V, order=order)
    assert check_jacobian(lambda v: v @ B, lambda v: matmul(v, B)[1].A.to_dense(order="F"), V).verdict == "fail"


def test_transposes():
    check = check_jacobian(lambda v: B.T @ v, lambda v: B, np.ones(3))
    assert check.reasons == ("the Jacobian has shape (3, 4), expected (4, 3): it is transposed",)
    A = np.arange(9.0).reshape(3, 3)
    assert check_jacobian(lambda v: A @ v, lambda v: A.T.copy(), np.ones(3)).verdict == "fail"
    large = np.random.default_rng(2).normal(size=(200, 200))
    assert check_jacobian(lambda v: large @ v, lambda v: large.T.copy(), np.ones(200), directions=9).verdict == "fail"
    assert check_jacobian(lambda v: large @ v, lambda v: large.copy(), np.ones(200), directions=9)


def test_trees():
    x = {"a": np.array([1.0, 2.0]), "b": np.array([-0.5, 3.0])}
    parts = check_jacobian(lambda p: p["a"] * p["b"], lambda p: {"a": np.diag(p["b"]), "b": np.diag(p["a"])}, x)
    assert parts, str(parts)
    assert check_jacobian(lambda p: p["a"] * p["b"], lambda p: np.hstack([np.diag(p["b"]), np.diag(p["a"])]), x)
    swapped = check_jacobian(lambda p: p["a"] * p["b"], lambda p: {"a": np.diag(p["a"]), "b": np.diag(p["b"])}, x)
    assert [p.verdict for p in swapped.parameters] == ["fail", "fail"]
    lacking = check_jacobian(lambda p: p["a"] * p["b"], lambda p: {"a": np.diag(p["b"])}, x)
    assert lacking.reasons == ("the Jacobian lacks b",)


def test_a_kink_of_one_output():
    check = check_jacobian(lambda v: np.maximum(v, 0), lambda v: np.diag((v > 0) * 1.0), np.array([0.0, 1.0, -1.0]))
    assert check
    assert check.parameters[0].kinks == 1


def test_no_outputs():
    assert check_jacobian(lambda v: np.zeros(0), lambda v: np.zeros((0, 3)), np.ones(3))


def softmax_of(rows: np.ndarray) -> np.ndarray:
    return np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)


def softmax_blocks(rows: np.ndarray) -> np.ndarray:
    return np.stack([np.diag(p) - np.outer(p, p) for p in softmax_of(rows)])


@pytest.mark.parametrize("factor", [1, 2])
def test_one_block_per_example_is_a_jacobian(factor: int) -> None:
    X = np.random.default_rng(0).normal(size=(5, 3))
    assert bool(check_jacobian(softmax_of, lambda x: factor * softmax_blocks(x), X)) is (factor == 1)
    by_columns = check_jacobian(lambda x: softmax_of(x.T).T, lambda x: factor * softmax_blocks(x.T), X.T.copy())
    assert bool(by_columns) is (factor == 1)


def test_blocks_that_fit_rows_and_columns_are_refused() -> None:
    X = np.random.default_rng(0).normal(size=(3, 3))
    found = check_jacobian(softmax_of, softmax_blocks, X)
    assert found.verdict == "fail"
    assert (
        "the Jacobian has shape (3, 3, 3), one block per example; examples in rows and in columns both fit: "
        "pass jacobians.linops.BlockDiagonal(blocks, (3, 3), (3, 3), axis=0), or axis=-1 for columns"
    ) in " ".join(str(found).split())
    told = check_jacobian(softmax_of, lambda x: BlockDiagonal(softmax_blocks(x), (3, 3), (3, 3), axis=0), X)
    assert told.verdict == "pass"


def test_an_array_in_place_of_a_function_is_refused() -> None:
    x = np.ones(2)
    order = (
        r"expected a function of x: check a derivative that you have at one x as lambda x: …\. The order is fun, jac, x"
    )
    for jac in (np.eye(2), tanh(x)[1]):
        with pytest.raises(ArgumentError, match=rf"^check_jacobian: jac is a.*; {order}$"):
            check_jacobian(np.tanh, jac, x)
    with pytest.raises(ArgumentError, match=r"^check_gradient: grad is an array of shape \(2,\); expected a func"):
        check_gradient(lambda v: v @ v, 2 * x, x)
    with pytest.raises(ArgumentError, match=r"fun is an array of shape \(2,\); .* each other's place\? The order is "):
        check_gradient(x, lambda v: 2 * v, lambda v: v @ v)
