"""Gauss–Newton, Fisher and Kronecker-factored matrices of a run: right in every layout, and cheap by their counts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import cache
from typing import Any
from unittest import mock

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse.linalg import cg, eigsh

from jacobians import Convention, Layout, Network, empirical_fisher, gauss_newton, kronecker_factored, sigmoid, values
from jacobians.errors import ArgumentError, DomainError, LayoutError
from jacobians.linops import BlockRow, Denominator, Identity, KhatriRao, Kronecker, Selection
from jacobians.linops.matrix_views import MatrixViews
from jacobians.network import Run
from jacobians.operations import Affine, CrossEntropy, Loss, Parallel, ReLU, Residual, Tanh
from tests.central_differences import central, matrix
from tests.counted_products import note_products
from tests.network.cases import LAYOUTS, inputs, moved_from_zero, short, targets

SIZES = (3, 4, 2)


@cache
def run(layout: Layout, loss: str = "cross_entropy", count: int = 5, sizes: tuple[int, ...] = SIZES, **how: str) -> Run:
    convention = Convention("c", layout, **how)  # type: ignore[arg-type]
    net = Network.dense(sizes, activation="tanh", loss=loss, convention=convention)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    return net.run(params, inputs(net, count, sizes[0]), targets(loss, layout, count, sizes[-1]))


def names_of(r: Run) -> list[str | None]:
    return [None, *r.params, "X", "Z1", "output"]


def outwards(r: Run, wrt: str | None) -> np.ndarray:
    """∂output/∂wrt as a matrix, outputs × inputs in the layout's order, by central differences."""
    net = r.network
    if wrt is None:
        theta = net.pack(r.params)
        return matrix(central(lambda t: net.output(net.unpack(t), r.X), theta), 2, net.layout.vec, "numerator")
    at = r.params.get(wrt, r.X)
    numeric = central(
        lambda v: net.output(r.params | {wrt: v}, r.X) if wrt in r.params else net.output(r.params, v), at
    )
    return matrix(numeric, 2, net.layout.vec, "numerator")


def softmax_hessian(r: Run) -> np.ndarray:
    """∂²loss/∂output² of the mean cross-entropy, by second differences of its definition."""
    layout, out = r.network.layout, r.values[r.outputs[-1]]

    def loss(Z: np.ndarray) -> float:
        rows = Z if layout.batch == "rows" else Z.T
        return float(np.mean([np.log(np.exp(z).sum()) - z[y] for z, y in zip(rows, r.Y, strict=True)]))

    twice = central(lambda Z: central(loss, Z, 1e-3), out, 1e-3)
    return matrix(twice, 2, layout.vec, "numerator")


# --- the matrix ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_gauss_newton_against_numbers(layout: Layout) -> None:
    """JᵀHJ with J and H by differences that share no code with the library."""
    r = run(layout)
    H = softmax_hessian(r)
    for wrt in (None, *r.params, "X"):
        J = outwards(r, wrt)
        G = gauss_newton(r, wrt)
        assert isinstance(G, Denominator) == (layout.derivative == "denominator")
        np.testing.assert_allclose(G.to_dense(), J.T @ H @ J, rtol=1e-5, atol=1e-7, err_msg=f"by {wrt}")


@pytest.mark.parametrize(
    "loss", ["cross_entropy", "binary_cross_entropy", "squared_error", "logistic_loss", "multiclass_hinge"]
)
@pytest.mark.parametrize("layout", LAYOUTS[::3], ids=short)
def test_every_loss_and_every_product(layout: Layout, loss: str) -> None:
    """G is the product that it stands for, with vectors, blocks of vectors and on its diagonal."""
    rng = np.random.default_rng(3)
    apart = {"packing": "weights-then-biases"}
    for sizes, how in (((3, 2), {}), (SIZES, apart), ((3, 4, 5, 2), {})):
        r = run(layout, loss, sizes=sizes, **how)
        for wrt in names_of(r):
            J = r.parameter_jacobian("output") if wrt is None else r.jacobian(of="output", wrt=wrt)
            turned, H = J.to_dense(), r.output_hessian().to_dense()
            expected = turned.T @ H @ turned if layout.derivative == "numerator" else turned @ H @ turned.T
            G = gauss_newton(r, wrt)
            np.testing.assert_allclose(G.to_dense(), expected, rtol=1e-10, atol=1e-13)
            with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
                np.testing.assert_allclose(G.diagonal(), np.diagonal(expected), rtol=1e-10, atol=1e-13)
            block = rng.normal(size=(len(expected), 3))
            np.testing.assert_allclose(G @ block, expected @ block, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(G @ block[:, 0], expected @ block[:, 0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
def test_it_is_what_the_reader_writes(derivative: Any) -> None:
    r = run(Layout(derivative=derivative))
    J, H = r.parameter_jacobian(of="output"), r.output_hessian()
    G = J.T @ H @ J if derivative == "numerator" else J @ H @ J.T
    np.testing.assert_allclose(G.to_dense(), gauss_newton(r).to_dense(), rtol=1e-13)
    np.testing.assert_allclose(G.diagonal(), gauss_newton(r).diagonal(), rtol=1e-13)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error", "logistic_loss"])
def test_it_is_the_hessian_where_the_output_is_linear(loss: str) -> None:
    r = run(Layout(vec="F"), loss, sizes=(3, 2))
    net = r.network
    theta = net.pack(r.params)
    hessian = central(lambda t: net.fun_and_grad(r.X, r.Y)(t)[1], theta)
    np.testing.assert_allclose(gauss_newton(r).to_dense(), hessian, rtol=1e-5, atol=1e-7)
    deep = run(Layout(vec="F"), loss)
    hessian = central(lambda t: deep.network.fun_and_grad(deep.X, deep.Y)(t)[1], deep.network.pack(deep.params))
    assert not np.allclose(gauss_newton(deep).to_dense(), hessian, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS[::7], ids=short)
def test_empirical_fisher_is_the_weighted_sum_of_outer_products(layout: Layout) -> None:
    r = run(layout)
    for wrt in (None, *r.params):
        J = (r.parameter_jacobian("losses") if wrt is None else r.jacobian(of="losses", wrt=wrt)).to_dense()
        rows = J if layout.derivative == "numerator" else J.T
        expected = sum(np.outer(g, g) for g in rows) / 5
        F = empirical_fisher(r, wrt)
        np.testing.assert_allclose(F.to_dense(), expected, rtol=1e-11, atol=1e-15)
        with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
            np.testing.assert_allclose(F.diagonal(), np.diagonal(expected), rtol=1e-11, atol=1e-15)


def test_float32_stays() -> None:
    r = run(Layout())
    narrow = r.network.run({n: p.astype(np.float32) for n, p in r.params.items()}, r.X.astype(np.float32), r.Y)
    for wrt in names_of(narrow):
        G = gauss_newton(narrow, wrt)
        assert G.dtype == G.diagonal().dtype == np.float32
        assert (G @ np.ones(G.shape[1], dtype=np.float32)).dtype == np.float32
        np.testing.assert_allclose(G.diagonal(), gauss_newton(r, wrt).diagonal(), rtol=1e-3, atol=1e-5)
    assert kronecker_factored(narrow, "W1").dtype == np.float32


def test_networks_of_networks() -> None:
    """Residuals and branches have sums in their chains: the diagonal needs no structure that is not there."""
    layout = Layout()
    parts = [Affine(layout, (3, 4)), Tanh(), Residual(Affine(layout, (4, 4))), Parallel(Affine(layout, (4, 2)), Tanh())]
    net = Network([*parts, Affine(layout, (6, 2))], CrossEntropy(), "cs231n")
    r = net.run(moved_from_zero(net.init(np.random.default_rng(0))), inputs(net, 5, 3), np.array([0, 1, 1, 0, 1]))
    H = softmax_hessian(r)
    for wrt in (None, *r.params):
        J = outwards(r, wrt)
        G = gauss_newton(r, wrt)
        np.testing.assert_allclose(G.to_dense(), J.T @ H @ J, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(G.diagonal(), np.diagonal(G.to_dense()), rtol=1e-11, atol=1e-14)
    packed = r.parameter_jacobian(of="losses").to_dense()
    names = [r.jacobian(of="losses", wrt=name).to_dense() for name in r.params]
    np.testing.assert_allclose(packed, np.concatenate(names, axis=1), rtol=1e-12, atol=1e-16)


# --- Kronecker factors ---------------------------------------------------------------------------------


def bare(jacobian: Any) -> Any:
    return jacobian.numerator if isinstance(jacobian, Denominator) else jacobian


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_kronecker_factors_by_loops(layout: Layout, loss: str) -> None:
    """The mean outer product of the layer's inputs, and the sum of the curvatures by its outputs."""
    r = run(layout, loss)
    for layer, weight in ((1, "W1"), (2, "W2")):
        data = r.values["X" if layer == 1 else "A1"]
        rows = data if layout.batch == "rows" else data.T
        ones = np.ones((5, 1))
        rows = {"first": np.hstack([ones, rows]), "last": np.hstack([rows, ones])}.get(layout.bias, rows)
        whole = bare(gauss_newton(r, f"Z{layer}")).to_dense("C")
        width = (4, 2)[layer - 1]
        blocks = whole.reshape(5, width, 5, width) if layout.batch == "rows" else whole.reshape(width, 5, width, 5)
        blocks = blocks if layout.batch == "rows" else blocks.transpose(1, 0, 3, 2)
        A = sum(np.outer(x, x) for x in rows) / 5
        B = sum(blocks[n, :, n, :] for n in range(5))
        expected = np.kron(A, B) if layout.weights == "columns" else np.kron(B, A)
        K = kronecker_factored(r, weight)
        assert isinstance(bare(K), Kronecker)
        assert isinstance(K, Denominator) == (layout.derivative == "denominator")
        np.testing.assert_allclose(bare(K).to_dense("C"), expected, rtol=1e-10, atol=1e-14)
        if layout.bias == "separate":
            found = bare(kronecker_factored(r, f"b{layer}")).to_dense("C")
            np.testing.assert_allclose(found, B, rtol=1e-10, atol=1e-14)
            np.testing.assert_allclose(found, bare(gauss_newton(r, f"b{layer}")).to_dense("C"), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS[::5], ids=short)
def test_kronecker_factors_are_exact_where_they_should_be(layout: Layout) -> None:
    one = run(layout, count=1)
    for name in one.params:
        expected = gauss_newton(one, name).to_dense()
        np.testing.assert_allclose(kronecker_factored(one, name).to_dense(), expected, rtol=1e-10, atol=1e-14)
    several = run(layout)
    assert not np.allclose(kronecker_factored(several, "W1").to_dense(), gauss_newton(several, "W1").to_dense())
    single = run(layout, sizes=(3, 2))
    constant = np.ones_like(single.X)
    same = single.network.run(single.params, constant, single.Y)
    expected = gauss_newton(same, "W1").to_dense()
    np.testing.assert_allclose(kronecker_factored(same, "W1").to_dense(), expected, rtol=1e-10, atol=1e-14)


def test_kronecker_factors_of_layers_without_activation() -> None:
    """Two layers that the algebra merges are told apart."""
    layout = Layout(bias="none")
    net = Network([Affine(layout, (3, 4)), Affine(layout, (4, 2))], CrossEntropy(), Convention("c", layout))
    r = net.run(net.init(np.random.default_rng(0)), inputs(net, 1, 3), np.array([1]))
    for name in r.params:
        expected = gauss_newton(r, name).to_dense()
        np.testing.assert_allclose(kronecker_factored(r, name).to_dense(), expected, rtol=1e-10, atol=1e-14)


def test_what_has_no_kronecker_factors() -> None:
    layout = Layout()
    net = Network([Affine(layout, (3, 3)), Residual(Affine(layout, (3, 3))), ReLU()], CrossEntropy(), "cs231n")
    r = net.run(net.init(np.random.default_rng(0)), inputs(net, 5, 3), np.array([0, 1, 2, 0, 1]))
    for wrt in ("X", "Z1", "output"):
        with pytest.raises(LayoutError, match=rf"^kronecker_factored: ∂output/∂{wrt} is .*; expected X ⊗ I, an affine"):
            kronecker_factored(r, wrt)
    with pytest.raises(LayoutError, match="'W9' is unknown"):
        kronecker_factored(r, "W9")
    kronecker_factored(r, "W1")
    kronecker_factored(r, "W2")


class Quartic(Loss):
    def _examples(self, X: np.ndarray, Y: np.ndarray) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]:
        return lambda: np.sum(X**4, axis=1), lambda: 4 * X**3


@pytest.mark.parametrize("of", [gauss_newton, kronecker_factored])
def test_a_loss_without_second_derivative(of: Callable[..., Any]) -> None:
    net = Network([Affine(Layout(), (3, 2))], Quartic(), "cs231n")
    r = net.run(net.init(np.random.default_rng(0)), np.ones((5, 3)), np.zeros(5))
    with pytest.raises(DomainError, match="quartic: the loss states no second derivative"):
        of(r, "W1")
    assert empirical_fisher(r).shape == (8, 8)


# --- what it costs -------------------------------------------------------------------------------------

N, D, M, K = 512, 784, 128, 10


@cache
def large(layout: Layout = Layout(), activation: str = "relu") -> Run:  # noqa: B008
    net = Network.dense((D, M, K), activation=activation, convention=Convention("c", layout))
    rng = np.random.default_rng(0)
    X = rng.normal(size=layout.batch_shape(N, D)).astype(np.float32)
    return net.run(net.init(rng, np.float32), X, rng.integers(K, size=N))


def multiplications(call: Callable[[], Any]) -> int:
    """Multiplications in the matrix products of a call."""
    found: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        note_products(patch, found.append)
        call()
    return sum(found)


def largest_bytes(call: Callable[[], Any]) -> int:
    call()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("layout", [Layout(), Layout(batch="columns", weights="rows")], ids=short)
def test_per_example_gradients_cost_one_sweep(layout: Layout) -> None:
    r = large(layout)
    J = r.parameter_jacobian(of="losses")
    assert isinstance(J, BlockRow)
    assert all(any(isinstance(f, KhatriRao) for f in block._factors()) for block in J.blocks)
    # one product pulls δ₂ back to δ₁; the gradient's two by the weights are not needed
    assert multiplications(lambda: r.parameter_jacobian(of="losses")) == N * M * K
    assert multiplications(J.row_norms) == 0
    assert multiplications(J.gram) == N * N * ((D + M) + (1 + M) + (M + K) + (1 + K))
    assert largest_bytes(lambda: r.parameter_jacobian(of="losses").row_norms()) < 8 * N * M * 4
    assert largest_bytes(J.gram) < 8 * N * N * 4


def test_norms_of_the_outputs_build_no_row() -> None:
    J = large().parameter_jacobian(of="output")
    assert largest_bytes(J.row_norms) < 3 * (1 << 24) < N * K * D * M * 4 / 30


def test_a_product_costs_one_sweep_there_and_one_back() -> None:
    """X V₁, A₁ V₂ and (X V₁) W₂ forward, three back; the biases' columns of ones beside them."""
    G = gauss_newton(large())
    v = np.ones(G.shape[1], dtype=np.float32)
    products = 2 * N * (D * M + M * K + M * K)
    biases = 2 * N * (M + K)
    assert multiplications(lambda: G @ v) == products + biases
    assert multiplications(lambda: G @ np.stack([v, v], axis=1)) == 2 * (products + biases)
    assert largest_bytes(lambda: G @ v) < 8 * (N * M + D * M) * 4


@pytest.mark.parametrize("packing", ["layers", "weights-then-biases"])
def test_products_grow_linearly_with_depth(packing: str) -> None:
    """Every layer's Jacobian is applied once each way, whatever the number of parameters behind it."""
    for depth in (3, 6, 12):
        r = run(Layout(), sizes=(8,) * (depth + 1), count=7, packing=packing)
        G = gauss_newton(r)
        v = np.ones(G.shape[1])
        assert multiplications(lambda G=G, v=v: G @ v) == 2 * 7 * (depth * (8 * 8 + 8) + (depth - 1) * 8 * 8)


def test_the_diagonal_costs_a_product_with_squares_for_each_layer() -> None:
    G = gauss_newton(large())
    middle = N * M * K  # (p ∘ …) W₂∘W₂, and W₂ p twice
    with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
        assert multiplications(G.diagonal) == N * (D * M + M + M * K + K) + 3 * middle
    assert largest_bytes(G.diagonal) < 3 * (N * D + D * M) * 4


# --- in SciPy's solvers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layout", [Layout(), Layout(batch="columns", weights="rows", bias="first", vec="F")], ids=short
)
def test_a_damped_newton_step(layout: Layout) -> None:
    r = run(layout, count=40)
    net, damping = r.network, 0.1
    theta = net.pack(r.params)
    value, slope = net.fun_and_grad(r.X, r.Y)(theta)
    G = gauss_newton(r)
    step, info = cg(G + damping * Identity(G.domain), -slope, rtol=1e-10)
    assert info == 0
    expected = np.linalg.solve(G.to_dense() + damping * np.eye(len(theta)), -slope)
    np.testing.assert_allclose(step, expected, rtol=1e-6, atol=1e-9)
    assert net.fun_and_grad(r.X, r.Y)(theta + step)[0] < value
    # the Kronecker factors as a preconditioner, with the damping shared between them
    block, layer = gauss_newton(r, next(iter(r.params))), bare(kronecker_factored(r, next(iter(r.params))))
    left, right = (np.linalg.inv(f + np.sqrt(damping) * np.eye(len(f))) for f in (layer.left, layer.right))
    M = Kronecker(left, right).ordered(layout.vec)
    b = np.ones(block.shape[0])
    x, info = cg(block + damping * Identity(block.domain), b, M=M, rtol=1e-8)
    assert info == 0
    np.testing.assert_allclose(block @ x + damping * x, b, atol=1e-6)


def test_the_largest_curvature() -> None:
    G = gauss_newton(run(Layout(), count=20))
    values, vectors = eigsh(G, k=2, v0=np.ones(G.shape[0]))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(G.to_dense())[-2:], rtol=1e-10)
    np.testing.assert_allclose(G @ vectors, vectors * values, atol=1e-10)


# --- private training ----------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS[::3], ids=short)
def test_clipped_gradients(layout: Layout) -> None:
    r = run(layout)
    third, fourth = np.sort(r.parameter_jacobian(of="losses").row_norms())[2:4]
    bound = float(third + fourth) / 2
    J = r.parameter_jacobian(of="losses")
    clipped = J.vjp(bound / np.maximum(J.row_norms(), bound))
    rows = J.to_dense() if layout.derivative == "numerator" else J.to_dense().T
    norms = [float(np.sqrt(np.sum(row**2))) for row in rows]
    expected = sum(row * min(1.0, bound / norm) for row, norm in zip(rows, norms, strict=True))
    np.testing.assert_allclose(clipped, expected, rtol=1e-12)
    assert sum(norm > bound for norm in norms) == 2


def test_an_example_without_gradient_is_clipped_to_nothing() -> None:
    J = KhatriRao(np.array([[0.0], [3.0]]), np.array([[1.0], [1.0]]))
    np.testing.assert_array_equal(J.vjp(1 / np.maximum(J.row_norms(), 1.0)), [[1.0]])


# --- standard errors -----------------------------------------------------------------------------------


def fitted(X: np.ndarray, Y: np.ndarray, classes: int) -> Run:
    """A multinomial logit fitted by its likelihood; its output is linear, so its Gauss–Newton matrix is the Hessian."""
    net = Network.dense((X.shape[1], classes), convention=Convention("logit", Layout(bias="first"), reduction="sum"))

    def curved(theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return gauss_newton(net.run(net.unpack(theta), X, Y)) @ direction

    start = np.zeros(net.pack(net.init(np.random.default_rng(0))).size)
    found = minimize(net.fun_and_grad(X, Y), start, jac=True, hessp=curved, method="trust-ncg", options={"gtol": 1e-5})
    assert found.success, found.message
    return net.run(net.unpack(found.x), X, Y)


def fisher(r: Run) -> np.ndarray:
    """The Fisher matrix of the coefficients relative to class 0, whose own are fixed at 0."""
    kept = Selection((slice(None), slice(1, None)), r.params["W1"].shape)
    F = kept @ gauss_newton(r, "W1") @ kept.T
    with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
        np.testing.assert_allclose(F.diagonal(), np.diagonal(F.to_dense()), rtol=1e-10)
    return F.to_dense()


def test_standard_errors_against_a_numerical_hessian() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(80, 2))
    Y = np.argmax(X @ rng.normal(size=(2, 3)) + rng.gumbel(size=(80, 3)), axis=1)
    r = fitted(X, Y, 3)
    data = np.column_stack([np.ones(80), X])

    def minus_log_likelihood(beta: np.ndarray) -> float:
        logits = data @ np.column_stack([np.zeros(3), beta])
        return float(np.sum(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(80), Y]))

    W = r.params["W1"]
    beta = W[:, 1:] - W[:, :1]
    assert np.abs(central(minus_log_likelihood, beta)).max() < 1e-4
    hessian = central(lambda b: central(minus_log_likelihood, b, 1e-3), beta, 1e-3).reshape(6, 6)
    errors = np.sqrt(np.diagonal(np.linalg.inv(fisher(r))))
    np.testing.assert_allclose(errors, np.sqrt(np.diagonal(np.linalg.inv(hessian))), rtol=1e-4)
    assert np.linalg.matrix_rank(gauss_newton(r).to_dense(), tol=1e-8) == 6  # one class too many


def test_standard_errors_that_a_statistics_package_prints() -> None:
    """MNLogit on the American National Election Study of 1996, as statsmodels ships it."""
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed: it brings the data and the fit")
    survey = api.datasets.anes96.load_pandas()
    X, Y = survey.exog.to_numpy(dtype=float), survey.endog.to_numpy(dtype=int)
    theirs = api.MNLogit(Y, api.add_constant(X, prepend=True)).fit(disp=0)
    r = fitted(X, Y, 7)
    W = r.params["W1"]
    np.testing.assert_allclose(W[:, 1:] - W[:, :1], theirs.params, rtol=1e-4, atol=1e-5)
    errors = np.sqrt(np.diagonal(np.linalg.inv(fisher(r)))).reshape(6, 6)
    np.testing.assert_allclose(errors, theirs.bse, rtol=1e-4)


@pytest.mark.parametrize("make", [gauss_newton, empirical_fisher, lambda run: kronecker_factored(run, "W1")])
def test_what_is_no_run(make: Any) -> None:
    net = Network.dense((4, 3, 2))
    _, J = sigmoid(np.ones(3))
    for given, message in (
        (J, r": run is a Diagonal, a Jacobian; expected a Run, .*; or, with J .* Gauss–Newton matrix is J\.T @ H @ J"),
        (
            values(v=1.0)[0],
            r": v is a value of a graph; expected the Run of a network, which may be a function of values",
        ),
        (net, r": run is a Network; evaluate it first: run = net\.run\(params, X, Y\)$"),
        (net.init(0), r": run is a dict of W1, b1, W2, b2; expected a Run: evaluate a network first: run = net"),
    ):
        with pytest.raises(ArgumentError, match="^(gauss_newton|empirical_fisher|kronecker_factored)" + message):
            make(given)
