"""The graph itself: what lies between values, in which order, by which edges, and what a sweep costs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.graphs import Graph, GraphJacobian, Value
from jacobians.graphs.between import row_between
from jacobians.graphs.graph_block_row import GraphBlockRow
from jacobians.graphs.graph_jacobian import Step
from jacobians.linops import BlockDiagonal, Dense, Diagonal, DiagonalMinusOuter, Identity, Jacobian, Kronecker, Product
from jacobians.operations import Affine, Chain, Elementwise, Parallel, Residual, Sigmoid, Tanh
from jacobians.testing import assert_jacobian_laws


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


# --- both spellings ------------------------------------------------------------------------------------


def test_both_spellings_give_the_same_structures() -> None:
    X, W1, b1, W2, b2 = numbers(5, 4), numbers(4, 3), numbers(3), numbers(3, 2), numbers(2)
    y = [0, 1, 1, 0, 1]
    Z1, J1 = jac.affine(X, W1, b1)
    A1, J2 = jac.sigmoid(Z1)
    Z2, J3 = jac.affine(A1, W2, b2)
    L, J4 = jac.cross_entropy(Z2, y)
    rows, J5 = jac.cross_entropy(Z2, y, reduction="none")
    x, w1, c1, w2, c2 = jac.values(X=X, W1=W1, b1=b1, W2=W2, b2=b2)
    a1 = jac.sigmoid(jac.affine(x, w1, c1))
    z2 = jac.affine(a1, w2, c2)
    spelt = jac.sigmoid(x @ w1 + c1) @ w2 + c2  # by operators alone
    for out in (z2, spelt):
        loss, losses = jac.cross_entropy(out, y), jac.cross_entropy(out, y, reduction="none")
        assert loss.array == L
        np.testing.assert_array_equal(losses.array, rows)
        for found, expected in [
            (out.jacobian(w1), J3.X @ J2 @ J1.W),
            (out.jacobian(a1) if out is z2 else None, J3.X),
            (out.jacobian(c1), J3.X @ J2 @ J1.b),
            (out.jacobian(x), J3.X @ J2 @ J1.X),
            (loss.jacobian(w1), J4 @ J3.X @ J2 @ J1.W),
            (loss.jacobian(c2), J4 @ J3.b),
            (losses.jacobian(w1), J5 @ J3.X @ J2 @ J1.W),
            (losses.jacobian(x), J5 @ J3.X @ J2 @ J1.X),
        ]:
            if found is not None:
                assert repr(found) == repr(expected)
                np.testing.assert_array_equal(found.to_dense(), expected.to_dense())


def test_arrays_alone_give_what_they_gave() -> None:
    value, J = jac.relu(numbers(3))
    assert type(value) is np.ndarray
    assert isinstance(J, Diagonal)
    value, J = jac.squared_error(numbers(3, 2), np.zeros((3, 2)))
    assert isinstance(J, Dense)


class Cube(Elementwise):
    """An operation that the library has never seen."""

    def _rule(self, z: np.ndarray) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
        return z**3, lambda: 3 * z**2


def test_every_operation_takes_values() -> None:
    X, W = jac.values(X=abs(numbers(4, 3)) + 0.1, W=numbers(3, 3))
    softened = jac.softmax(X)
    for out in (
        jac.sigmoid(X), jac.tanh(X), jac.relu(X), jac.leaky_relu(X), jac.softplus(X), jac.gelu(X), jac.silu(X),
        jac.exp(X), jac.log(X), jac.square(X), jac.power(X, 1.5), softened, jac.log_softmax(X), jac.linear(X, W),
        jac.matmul(X, W), jac.hadamard(X, X), jac.add(X, X), jac.transpose(X), jac.reshape(X, (12,)), jac.total(X),
        jac.mean(X, 0), jac.l2(X, 0.5), jac.add_ones(X, jac.Layout(bias="first")), Cube()(X),
        jac.cross_entropy(X, [0, 1, 2, 0]), jac.multiclass_hinge(X, [0, 1, 2, 0]),
        jac.binary_cross_entropy(X * 0.1, np.ones((4, 3))), jac.logistic_loss(X, np.ones((4, 3))),
        jac.squared_error(X, X * X, reduction="mean-all"),
    ):  # fmt: skip
        assert isinstance(out, Value)
        tangent, cotangent = numbers(4, 3, seed=1), numbers(*out.shape, seed=2)
        J = out.jacobian(X)
        np.testing.assert_allclose((J.vjp(cotangent) * tangent).sum(), (cotangent * J.jvp(tangent)).sum(), atol=1e-12)
        assert J.jvp(tangent).any() or out is softened


def test_a_squared_error_differentiates_its_targets_too() -> None:
    X, Y = jac.values(X=numbers(4, 3), Y=numbers(4, 3, seed=1))
    for out, factor in [
        (jac.squared_error(X, Y, factor=0.5, reduction="sum"), 1.0),
        (jac.squared_error(X.array, Y, factor=0.5, reduction="sum"), 0.0),
    ]:
        by_x, by_y = out.gradients(X, Y)
        np.testing.assert_allclose(by_x, factor * (X.array - Y.array))
        np.testing.assert_allclose(by_y, Y.array - X.array)
        assert float(out) == pytest.approx(0.5 * ((X.array - Y.array) ** 2).sum())


def test_operations_made_of_operations_pull_once() -> None:
    """A chain of ten layers as one operation: its gradients take one sweep through it, not one for each parameter."""
    depth = 10
    net = Chain(
        *[part for _ in range(depth) for part in (Residual(Chain(Affine(), Tanh())),)], Parallel(Sigmoid(), Tanh())
    )
    arrays = {name: numbers(*((3,) if "b" in name else (3, 3)), seed=i) for i, name in enumerate(net.names[1:])}
    inputs = jac.values(X=numbers(2, 3), **{name.replace(".", "_"): a for name, a in arrays.items()})
    out = net(*inputs)
    calls = []
    kronecker_vjp = Kronecker._vjp
    cotangent = numbers(*out.shape)
    loss = (out * cotangent).sum()

    def counting(self: Kronecker, c: np.ndarray) -> np.ndarray:
        calls.append(self)
        return kronecker_vjp(self, c)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kronecker, "_vjp", counting)
        found = loss.gradients(*inputs)
    assert len(calls) <= 3 * depth
    for value, gradient in zip(inputs, found, strict=True):
        np.testing.assert_allclose(gradient, out.jacobian(value).vjp(cotangent), atol=1e-12)


# --- nodes and edges -----------------------------------------------------------------------------------


def test_nodes_come_after_those_that_they_came_from() -> None:
    X, W, V = jac.values(X=numbers(4, 3), W=numbers(3, 3), V=numbers(3, 2))
    H = jac.tanh(X @ W)
    aside = jac.exp(H)
    Z = (H + X) @ V
    graph = Graph((Z,), (W,))
    assert [node.name for node in graph.nodes] == ["W", "matmul_3", "tanh_4", "plus_6", "matmul_7"]
    assert aside not in graph.into
    assert X not in graph.into
    assert [(e.child.name, e.name, e.parent.name) for e in graph.edges] == [
        ("matmul_3", "B", "W"),
        ("tanh_4", "X", "matmul_3"),
        ("plus_6", "A", "tanh_4"),
        ("matmul_7", "A", "plus_6"),
    ]
    assert graph.edges[1].jacobian is graph.edges[1].jacobian
    assert [operand.shape for operand in Z.operands] == [(4, 3), (3, 2)]
    assert Z.operation is not None
    assert Z.operation.name == "matmul"
    both = Graph((Z, aside), (X, V))
    assert {node.name for node in both.nodes} == {"X", "V", "matmul_3", "tanh_4", "exp_5", "plus_6", "matmul_7"}
    rows = both.pull({Z: numbers(4, 2), aside: numbers(4, 3)})
    expected = Z.jacobian(X).vjp(numbers(4, 2)) + aside.jacobian(X).vjp(numbers(4, 3))
    np.testing.assert_allclose(rows[X], expected, atol=1e-12)


def test_an_edge_is_built_when_it_is_asked_for() -> None:
    """The Jacobian by a batch that nobody asks for is never made."""
    built: list[str] = []

    class Noting(Elementwise):
        def _rule(self, z: np.ndarray) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
            def slope() -> np.ndarray:
                built.append("slope")
                return np.ones_like(z)

            return z.copy(), slope

    X, W = jac.values(X=numbers(4, 3), W=numbers(3, 2))
    L = (Noting()(X) @ W).sum()
    L.gradients(W)
    assert not built
    L.gradients(X)
    L.jacobian(X)
    assert built == ["slope"]


# --- what it costs -------------------------------------------------------------------------------------


def ladder(rungs: int) -> tuple[Value, Value]:
    """A value that is doubled, and doubled again: 2 to the power of `rungs` paths."""
    (x,) = jac.values(x=numbers(3, 3))
    y = x @ (0.5 * np.eye(3))
    for _ in range(rungs):
        y = jac.tanh(y @ (0.5 * np.eye(3)) + y * 0.1)
    return x, y


def test_work_is_linear_in_the_graph() -> None:
    """Each edge is passed once in a sweep, and what is held is small: counted on 100 and on 1000 nodes."""
    counts = []
    for rungs in (25, 250):
        x, y = ladder(rungs)
        J = y.jacobian(x)
        assert isinstance(J, GraphJacobian)
        passed: list[int] = []

        def noting(act: Any, passed: list[int] = passed) -> Any:
            def call(self: Jacobian, array: np.ndarray) -> np.ndarray:
                passed.append(1)
                return act(self, array)

            return call

        with pytest.MonkeyPatch.context() as patch:
            for kind in (Kronecker, Diagonal, Identity):
                for name in ("_jvp", "_vjp"):
                    if name in vars(kind):
                        patch.setattr(kind, name, noting(getattr(kind, name)))
            J.vjp(np.ones((3, 3)))
            J.jvp(np.ones((3, 3)))
            y.sum().gradients(x)
        counts.append(len(passed))
        assert y.path_count(x) == 2**rungs
        assert len(repr(J)) < 120
    assert counts[1] <= 10.5 * counts[0]


def test_a_sweep_holds_what_is_still_needed() -> None:
    """A chain of a hundred large values: a sweep holds some of them at a time, not all."""
    x, s = jac.values(x=np.ones((250, 100)), s=1.0)
    y = x
    for _ in range(100):
        y = y * s + 0.5 * x
    J = y.jacobian(x)
    J.vjp(np.ones((250, 100)))
    tracemalloc.start()
    J.vjp(np.ones((250, 100)))
    J.jvp(np.ones((250, 100)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * x.array.nbytes


# --- the laws of structured Jacobians ------------------------------------------------------------------


def graph_of(kind: str) -> tuple[GraphJacobian, np.ndarray]:
    """A graph's Jacobian of several kinds, with its matrix from the matrices of the edges."""
    W, p = numbers(3, 3), np.full((4, 3), 1 / 3)
    shape = (4, 3)
    makers: dict[str, list[Step]] = {
        "examples in rows": [
            Step(1, 0, Kronecker(4, W)),
            Step(2, 1, Diagonal(numbers(*shape))),
            Step(2, 0, Identity(shape)),
            Step(3, 2, DiagonalMinusOuter(p, p, p, -1)),
            Step(3, 0, Kronecker(4, W.T)),
        ],
        "examples in columns": [
            Step(1, 0, Kronecker(W, 4)),
            Step(2, 1, Diagonal(numbers(3, 4))),
            Step(2, 0, BlockDiagonal(numbers(4, 3, 3), (3, 4), (3, 4), -1)),
        ],
        "a shared weight": [
            Step(1, 0, Kronecker(numbers(4, 2), 3)),
            Step(2, 1, Diagonal(numbers(*shape))),
            Step(3, 0, Kronecker(numbers(4, 2, seed=2), 3)),
            Step(3, 2, Kronecker(4, W)),
        ],
        "without structure": [
            Step(1, 0, Dense(numbers(5, 3), (5,))),
            Step(2, 0, Dense(numbers(4, 3), (4,))),
            Step(2, 1, Dense(numbers(4, 5), (4,))),
            Step(2, 1, Product((Diagonal(numbers(4)), Dense(numbers(4, 5), (4,))))),
        ],
        "a number": [Step(1, 0, Diagonal(numbers())), Step(1, 0, Identity(()))],
    }
    steps = makers[kind]
    matrices = {0: np.eye(steps[0].jacobian.shape[1])}
    for step in steps:
        part = step.jacobian.to_dense() @ matrices[step.parent]
        matrices[step.child] = matrices.get(step.child, 0) + part
    return GraphJacobian(steps), matrices[steps[-1].child]


KINDS = ["examples in rows", "examples in columns", "a shared weight", "without structure", "a number"]


@pytest.mark.parametrize("kind", KINDS)
def test_laws(kind: str) -> None:
    J, matrix = graph_of(kind)
    assert_jacobian_laws(J, matrix)
    assert_jacobian_laws(J.T, matrix.T)


@pytest.mark.parametrize("kind", KINDS)
def test_products_and_sums_with_a_graphs_jacobian(kind: str) -> None:
    J, matrix = graph_of(kind)
    after = Dense(numbers(2, *J.codomain), (2,))
    before = Diagonal(numbers(*J.domain))
    for found, expected in [
        (after @ J @ before, after.to_dense() @ matrix @ before.to_dense()),
        (J + 2.0 * J, 3 * matrix),
        (J.T @ J, matrix.T @ matrix),
    ]:
        np.testing.assert_allclose(found.to_dense(), expected, atol=1e-12)
        np.testing.assert_allclose(found.row_norms().ravel(), np.linalg.norm(expected, axis=1), atol=1e-12)
        if found.shape[0] == found.shape[1]:
            np.testing.assert_allclose(found.diagonal(), np.diagonal(expected), atol=1e-12)


def test_examples_that_stay_apart_have_blocks() -> None:
    J, matrix = graph_of("examples in rows")
    blocks = J.block_diagonal()
    assert blocks.blocks.shape == (4, 3, 3)
    np.testing.assert_allclose(blocks.to_dense(), matrix, atol=1e-12)
    assert J.to_sparse().nnz == 4 * 9


@pytest.mark.parametrize("vec", ["C", "F"])
def test_several_jacobians_side_by_side_are_swept_together(vec: Any) -> None:
    """Weights that are shared, and a value between them and the output."""
    X, W, V = jac.values(X=numbers(4, 3), W=numbers(3, 2, seed=1), V=numbers(2, 3, seed=2))
    H = jac.tanh(X @ W)
    Z = jac.tanh(H @ (V + W.T)) @ W + H * 0.5
    nodes = [W, V, H, X]
    J = row_between(Z, nodes, vec)
    assert isinstance(J, GraphBlockRow)
    matrix = np.hstack([Z.jacobian(node).to_dense(vec)[np.ix_(*_rows_as_in_c(Z, node, vec))] for node in nodes])
    assert_jacobian_laws(J, matrix)
    for stack in ((), (3,)):
        cotangent, tangent = numbers(*stack, 4, 2, seed=3), numbers(*stack, matrix.shape[1], seed=4)
        flat = cotangent.reshape(*stack, 8)
        np.testing.assert_allclose(J.vjp(cotangent), flat @ matrix, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(J.jvp(tangent).reshape(*stack, 8), tangent @ matrix.T, rtol=1e-12, atol=1e-13)


def _rows_as_in_c(of: Value, wrt: Value, vec: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows in C order, columns as they come: a block row's own order is that of its packed domain."""
    rows = np.arange(of.size).reshape(of.shape, order=vec).ravel()
    return rows, np.arange(wrt.size)
