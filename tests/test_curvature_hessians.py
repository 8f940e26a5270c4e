"""Hessians of runs: exact in every layout, taken apart into terms and blocks, and cheap by their counts."""

from __future__ import annotations

import tracemalloc
from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse.linalg import cg, eigsh, svds

import jacobians as jac
from jacobians import Convention, Layout, Network, gauss_newton, hessian
from jacobians.errors import ArgumentError, DomainError, GraphError, LayoutError, TooLargeError
from jacobians.linops import Denominator, Diagonal, Identity, Kronecker
from jacobians.linops.matrix_views import MatrixViews
from jacobians.network import Run
from jacobians.operations import (
    Affine,
    Chain,
    CrossEntropy,
    Elementwise,
    MulticlassHinge,
    Parallel,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)
from jacobians.operations.hessian import Hessian
from jacobians.pictures import picture
from jacobians.testing import assert_adjoint, assert_jacobian_purity, assert_one_source, assert_vec
from tests.central_differences import central, matrix
from tests.counted_products import note_products
from tests.network.cases import LAYOUTS, inputs, moved_from_zero, short, targets

SIZES = (3, 4, 2)


@cache
def run(layout: Layout, loss: str = "cross_entropy", activation: str = "tanh", l2: float = 0.0, **how: str) -> Run:
    """With a regulariser of 0.7·Σ W² at l2 = 0.7."""
    convention = Convention("c", layout, l2="one", **how)  # type: ignore[arg-type]
    net = Network.dense(SIZES, activation=activation, loss=loss, convention=convention, l2=l2)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    return net.run(params, inputs(net, 5, SIZES[0]), targets(loss, layout, 5, SIZES[-1]))


def numbers(r: Run, rows: str | None = None, columns: str | None = None) -> np.ndarray:
    """The change of the gradient by rows with the columns, by central differences: no second derivative of anyone's."""
    net = r.network
    if rows is None:
        theta = net.pack(r.params)
        return central(lambda t: net.pack(net.gradient(net.unpack(t), r.X, r.Y)), theta).reshape(theta.size, -1)
    at = r.params.get(columns, r.X)

    def gradient(value: np.ndarray) -> np.ndarray:
        params = r.params | {columns: value} if columns in r.params else r.params
        X = r.X if columns in r.params else value
        return net.gradient(params, X, r.Y, inputs=True)[rows]

    rank = r.params.get(rows, r.X).ndim
    return matrix(central(gradient, at), rank, net.layout.vec, "numerator")


# --- the matrix ----------------------------------------------------------------------------------------


EACH = [LAYOUTS[4 * place + place % 4] for place in range(len(LAYOUTS) // 4)]
"""Every affine form, written in one of four ways."""


def test_each_affine_form_is_there() -> None:
    assert len({(t.batch, t.weights, t.bias) for t in EACH}) == len(EACH) == 16
    assert len({(t.vec, t.derivative) for t in EACH}) == 4


@pytest.mark.parametrize("layout", EACH, ids=short)
def test_against_numbers_in_layouts(layout: Layout) -> None:
    against_numbers(layout)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_against_numbers_in_every_layout(layout: Layout) -> None:
    against_numbers(layout)


def against_numbers(layout: Layout) -> None:
    r = run(layout, l2=0.7)
    H = hessian(r)
    dense = H.to_dense()
    np.testing.assert_allclose(dense, numbers(r), atol=2e-9)
    np.testing.assert_allclose(dense, dense.T, atol=1e-15)
    np.testing.assert_allclose(H.diagonal(), np.diag(dense), atol=1e-15)
    assert H.trace() == pytest.approx(np.trace(dense))
    v = np.random.default_rng(1).normal(size=len(dense))
    np.testing.assert_allclose(H @ v, dense @ v, atol=1e-14)
    first, *_, last = r.params
    for name in (last, "X"):
        block = r.hessian(name)
        np.testing.assert_allclose(block.to_dense(), numbers(r, name, name), atol=2e-9)
        np.testing.assert_allclose(block.diagonal(), np.diag(block.to_dense()), atol=1e-15)
    cross = r.hessian(first, last)
    assert isinstance(cross, Denominator) == (layout.derivative == "denominator")
    wanted = numbers(r, first, last)
    np.testing.assert_allclose(cross.numerator.to_dense(layout.vec), wanted, atol=2e-9)
    np.testing.assert_allclose(cross.to_dense(), wanted.T if isinstance(cross, Denominator) else wanted, atol=2e-9)


@pytest.mark.parametrize(
    ("preset", "task"), [(c.name, task) for c in jac.all_conventions() for task in list(c.tasks)[-1:]]
)
def test_against_numbers_in_conventions(preset: str, task: str) -> None:
    net = Network.dense(SIZES, convention=preset, task=task, activation="sigmoid")
    if net.convention.l2 is not None:
        net = net.replace(l2=0.3)
    rng = np.random.default_rng(2)
    params = moved_from_zero(net.init(rng))
    X = rng.normal(size=net.layout.batch_shape(5, 3))
    Y = net.loss.sample_targets(net.layout.batch_shape(5, 2), rng)
    r = net.run(params, X, Y)
    np.testing.assert_allclose(hessian(r).to_dense(), numbers(r), atol=2e-9)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "binary_cross_entropy", "logistic_loss"])
@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "silu", "gelu", "softmax"])
def test_activations_and_losses(loss: str, activation: str) -> None:
    layout = Layout()
    if activation == "softmax":
        net = Network([Affine(layout, (3, 4)), Softmax(), Affine(layout, (4, 2))], loss, "cs231n")
    else:
        net = Network.dense(SIZES, activation=activation, loss=loss)
    params = moved_from_zero(net.init(0))
    r = net.run(params, inputs(net, 5, 3), targets(loss, layout, 5, 2))
    H = hessian(r)
    np.testing.assert_allclose(H.to_dense(), numbers(r), atol=5e-9)
    np.testing.assert_allclose(H.diagonal(), np.diag(H.to_dense()), atol=1e-14)


@pytest.mark.parametrize("columns", [False, True])
def test_operations_made_of_operations(columns: bool) -> None:
    layout = Layout(batch="columns", weights="rows") if columns else Layout()
    convention = Convention("c", layout)
    branch = Chain(Affine(layout, (4, 4)), Sigmoid())
    parts = [
        Affine(layout, (3, 4)),
        Tanh(),
        Residual(branch),
        Parallel(Chain(Affine(layout, (4, 2)), Tanh()), Affine(layout, (4, 1)), layout=layout),
        Affine(layout, (3, 2)),
    ]
    net = Network(parts, "cross_entropy", convention)
    r = net.run(moved_from_zero(net.init(0)), inputs(net, 5, 3), targets("cross_entropy", layout, 5, 2))
    H = hessian(r)
    np.testing.assert_allclose(H.to_dense(), numbers(r), atol=2e-9)
    np.testing.assert_allclose(H.diagonal(), np.diag(H.to_dense()), atol=1e-14)
    for name, block in H.blocks().items():
        np.testing.assert_allclose(block.to_dense(), hessian(r, name).to_dense(), atol=1e-14)


def tied(X: jac.Value, W: jac.Value, b: jac.Value, c: jac.Value) -> jac.Value:
    H = jac.tanh(X @ W + b).named("H")
    return H @ W.T + c


def test_a_function_of_values_with_shared_weights() -> None:
    net = Network(tied, "squared_error", "cs231n", shapes={"W": (4, 2), "b": (2,), "c": (4,)}, l2=0.3)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 4))
    r = net.run({name: rng.normal(size=shape) for name, shape in net.shapes().items()}, X, X)
    H = hessian(r)
    np.testing.assert_allclose(H.to_dense(), numbers(r), atol=5e-9)
    np.testing.assert_allclose(r.hessian("W", "H").to_dense(), r.hessian("H", "W").to_dense().T, atol=1e-13)
    np.testing.assert_allclose(H.diagonal(), np.diag(H.to_dense()), atol=1e-13)
    G = gauss_newton(r, penalty=True)
    np.testing.assert_allclose((H.gauss_newton + H.penalty).to_dense(), G.to_dense(), atol=1e-12)
    assert {term.part for term in H.terms} == {"loss", "inner", "penalty"}


def test_values() -> None:
    x, y = jac.values(x=np.array([1.0, 2.0]), y=np.array([3.0, 0.5]))
    L = (x**3 * y / (1 + y * y)).sum() + jac.exp(x[0] * y[1])
    H = L.hessian(x, y)

    def gradient(t: np.ndarray) -> np.ndarray:
        a, b = jac.values(x=t[:2], y=t[2:])
        return np.concatenate(((a**3 * b / (1 + b * b)).sum() + jac.exp(a[0] * b[1])).gradients(a, b))

    np.testing.assert_allclose(H.to_dense(), central(gradient, np.array([1.0, 2.0, 3.0, 0.5])), atol=1e-7)
    np.testing.assert_allclose(L.hessian("y").to_dense(), H.to_dense()[2:, 2:], atol=1e-15)
    assert (x.sum() * 2.0).hessian(x).to_dense().tolist() == [[0, 0], [0, 0]]


# --- laws of the structure -----------------------------------------------------------------------------


def test_laws_of_a_jacobian() -> None:
    r = run(Layout(vec="F"), l2=0.7)
    for H in (hessian(r), r.hessian("W1", "W2"), r.hessian("X", "b1"), hessian(r, ["W2", "b1"]), hessian(r).residual):
        rng = np.random.default_rng(0)
        assert_adjoint(H, rng)
        assert_one_source(H, rng)
        assert_vec(H, rng)
        assert_jacobian_purity(H, rng)


def test_float32_stays() -> None:
    r = run(Layout())
    single = r.network.run({k: v.astype(np.float32) for k, v in r.params.items()}, r.X.astype(np.float32), r.Y)
    H = hessian(single)
    assert H.dtype == H.diagonal().dtype == (H @ np.ones(H.shape[1], np.float32)).dtype == np.float32
    np.testing.assert_allclose(H.to_dense(), hessian(r).to_dense(), atol=2e-7)


def test_columns_of_a_matrix_and_stacks() -> None:
    H = hessian(run(Layout()))
    V = np.random.default_rng(0).normal(size=(H.shape[1], 3))
    np.testing.assert_allclose(H @ V, np.stack([H @ v for v in V.T], axis=1), atol=1e-15)
    np.testing.assert_allclose(H.jvp(V.T.reshape(3, 1, -1))[:, 0], (H @ V).T, atol=1e-15)


# --- parts ---------------------------------------------------------------------------------------------


def test_terms_are_the_summands() -> None:
    r = run(Layout(), l2=0.7)
    H = hessian(r)
    assert [str(term) for term in H.terms] == [
        "tanh: Dᵀ M D, D = ∂Z1, M = Diagonal(5×4)",
        "affine: Dᵀ M E + Eᵀ Mᵀ D, D = ∂A1, E = ∂W2, M = Kronecker(5×2, I₄) @ Commutation(4, 2)",
        "cross_entropy: Dᵀ M D, D = ∂Z2, M = 0.2·DiagonalMinusOuter(5 of 2×2)",
        "l2: Dᵀ M D, D = ∂W1, M = 1.4·Identity(3×4)",
        "l2: Dᵀ M D, D = ∂W2, M = 1.4·Identity(4×2)",
    ]
    np.testing.assert_allclose(sum(term.jacobian.to_dense() for term in H.terms), H.to_dense(), atol=1e-15)
    assert repr(H) == "Hessian(5 terms of ∂²/∂(W1, b1, W2, b2)²): 26×26 float64, (26,) → (26,), 1.1 KiB"
    assert r.hessian("W1", "W2").structure == "Hessian(2 terms of ∂²/∂W1 ∂W2)"


def test_gauss_newton_residual_and_regulariser() -> None:
    r = run(Layout(), l2=0.7)
    H = hessian(r)
    np.testing.assert_allclose(H.gauss_newton.to_dense(), gauss_newton(r).to_dense(), atol=1e-15)
    whole = (H.gauss_newton + H.residual + H.penalty).to_dense()
    np.testing.assert_allclose(whole, H.to_dense(), atol=1e-15)
    np.testing.assert_allclose(
        gauss_newton(r, penalty=True).to_dense(), (H.gauss_newton + H.penalty).to_dense(), atol=1e-15
    )
    np.testing.assert_allclose(
        gauss_newton(r, "W2", penalty=True).to_dense(), gauss_newton(r, "W2").to_dense() + 1.4 * np.eye(8), atol=1e-15
    )
    assert gauss_newton(r, "X", penalty=True).to_dense().tolist() == gauss_newton(r, "X").to_dense().tolist()
    assert np.abs(H.residual.to_dense()).max() > 0.01


def test_the_absorbed_bias_is_not_penalised() -> None:
    r = run(Layout(bias="first", weights="rows"), l2=0.7)
    diagonal = hessian(r).penalty.diagonal()
    assert np.array_equal(r.network.unpack(diagonal)["W1"], np.repeat([[0, 1.4, 1.4, 1.4]], 4, axis=0))
    np.testing.assert_array_equal(gauss_newton(r, penalty=True).diagonal() - gauss_newton(r).diagonal(), diagonal)


def test_between_its_kinks_a_relu_net_has_no_residual_of_relu() -> None:
    r = run(Layout(), activation="relu")
    assert [term.operation for term in hessian(r).terms] == ["affine", "cross_entropy"]
    np.testing.assert_allclose(hessian(r).to_dense(), numbers(r), atol=2e-9)


def test_one_layer_is_gauss_newton() -> None:
    net = Network.dense((3, 2))
    r = net.run(net.init(0), inputs(net, 5, 3), [0, 1, 1, 0, 1])
    assert not hessian(r).residual.to_dense().any()


# --- blocks of layers ----------------------------------------------------------------------------------


def test_a_layers_block_has_its_structure() -> None:
    r = run(Layout(), l2=0.7)
    block = hessian(r).block("W1")
    assert block.structure == "Kronecker(3×5, I₄) @ KhatriRao(5×1×3, 5×4×4) + 1.4·Identity(3×4)"
    np.testing.assert_allclose(block.to_dense(), r.hessian("W1").to_dense(), atol=1e-15)
    assert hessian(r).block("W1", "b2").shape == (12, 2)


def test_a_shared_weight_has_no_such_structure() -> None:
    net = Network(tied, "squared_error", "cs231n", shapes={"W": (4, 2), "b": (2,), "c": (4,)})
    X = np.random.default_rng(0).normal(size=(5, 4))
    r = net.run(net.init(0), X, X)
    H = r.hessian("W")
    assert isinstance(H, Hessian)
    assert isinstance(H.block("W"), Hessian)
    np.testing.assert_allclose(H.block("W").to_dense(), H.to_dense(), atol=1e-15)


def test_a_normalised_batch_keeps_no_examples_apart() -> None:
    def net(X: jac.Value, W: jac.Value) -> jac.Value:
        Z = X @ W
        return (Z - Z.mean(axis=0)) / Z.var(axis=0) ** 0.5

    found = Network(net, "squared_error", "cs231n", shapes={"W": (3, 2)})
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    r = found.run(found.init(0), X, Y)
    H = r.hessian("W")
    np.testing.assert_allclose(H.to_dense(), numbers(r, "W", "W"), atol=1e-7)
    np.testing.assert_allclose(H.diagonal(), np.diag(H.to_dense()), atol=1e-12)


# --- use -----------------------------------------------------------------------------------------------


def test_scipys_solvers_take_it() -> None:
    H = hessian(run(Layout(), l2=0.7))
    dense = H.to_dense()
    values = np.linalg.eigvalsh(dense)
    assert eigsh(H, 1, return_eigenvectors=False)[0] == pytest.approx(values[np.argmax(np.abs(values))], rel=1e-8)
    assert svds(H, 1, return_singular_vectors=False)[0] == pytest.approx(np.abs(values).max(), rel=1e-8)
    net = Network.dense((3, 2), l2=0.7)  # convex
    convex = hessian(net.run(net.init(0), inputs(net, 5, 3), [0, 1, 1, 0, 1])) + 0.1 * Identity((8,))
    found, fault = cg(convex, np.ones(8), rtol=1e-12)
    assert fault == 0
    np.testing.assert_allclose(convex.to_dense() @ found, 1.0, atol=1e-9)


@pytest.mark.parametrize("method", ["trust-ncg", "trust-krylov", "Newton-CG"])
def test_scipys_minimisers_take_products(method: str) -> None:
    r = run(Layout(), l2=0.7)
    net = r.network
    fun, hessp = net.fun_and_grad(r.X, r.Y), net.hess_vec(r.X, r.Y)
    found = minimize(fun, net.pack(r.params), jac=True, hessp=hessp, method=method, options={"maxiter": 50})
    assert np.abs(fun(found.x)[1]).max() < 1e-4
    assert found.nit < 40


def test_products_at_one_place_share_the_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    r = run(Layout())
    net, theta = r.network, r.network.pack(r.params)
    product = net.hess_vec(r.X, r.Y)
    first = product(theta, np.ones_like(theta))
    monkeypatch.setattr(Network, "run", None)
    np.testing.assert_array_equal(product(theta.copy(), np.ones_like(theta)), first)
    monkeypatch.undo()
    assert not np.array_equal(product(theta + 0.1, np.ones_like(theta)), first)


def test_newton_reaches_the_minimum_of_a_logistic_regression() -> None:
    """Each step squares the error; the standard errors are the textbook's (XᵀSX)⁻¹ (Bishop 2006, section 4.3.3)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = (rng.random(40) < 1 / (1 + np.exp(-X @ [1.0, -2.0, 0.5]))).astype(float)[:, None]
    net = Network.dense((3, 1), task=None, loss="binary_cross_entropy", reduction="sum")
    theta = np.zeros(4)
    for _ in range(8):
        r = net.run(net.unpack(theta), X, y)
        theta = theta - np.linalg.solve(hessian(r).to_dense(), net.pack(r.gradient()))
    assert np.abs(net.fun_and_grad(X, y)(theta)[1]).max() < 1e-12
    design = np.column_stack([X, np.ones(40)])
    p = 1 / (1 + np.exp(-design @ theta))
    information = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
    covariance = np.linalg.inv(hessian(net.run(net.unpack(theta), X, y)).to_dense())
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), np.sqrt(np.diag(information)), rtol=1e-10)


def test_a_logistic_regression_that_a_statistics_package_prints() -> None:
    """Logit on the grades of Spector & Mazzeo (1980), as statsmodels ships them, and as Greene's book prints it."""
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed: it brings the data and the fit")
    data = api.datasets.spector.load_pandas()
    X, y = data.exog.to_numpy(dtype=float), data.endog.to_numpy(dtype=float)[:, None]
    theirs = api.Logit(data.endog, api.add_constant(data.exog, prepend=False)).fit(disp=0)
    net = Network.dense((3, 1), loss="binary_cross_entropy", reduction="sum")
    theta = np.zeros(4)
    for _ in range(12):
        r = net.run(net.unpack(theta), X, y)
        theta = theta - np.linalg.solve(hessian(r).to_dense(), net.pack(r.gradient()))
    errors = np.sqrt(np.diag(np.linalg.inv(hessian(net.run(net.unpack(theta), X, y)).to_dense())))
    np.testing.assert_allclose(theta, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(errors, theirs.bse, rtol=1e-5)
    np.testing.assert_allclose(theta, [2.826113, 0.095158, 2.378688, -13.021346], atol=5e-6)
    np.testing.assert_allclose(errors, [1.262941, 0.141554, 1.064564, 4.931324], atol=5e-6)


# --- its cost ------------------------------------------------------------------------------------------


def test_a_product_takes_as_many_products_of_matrices_as_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each layer one forward for its weight, one back; beyond the first two forward and three back more."""
    net = Network.dense((7, 6, 5, 4), activation="tanh")
    rng = np.random.default_rng(0)
    H = hessian(net.run(net.init(rng), rng.normal(size=(9, 7)), rng.integers(4, size=9)))
    v = rng.normal(size=H.shape[1])
    H @ v
    noted: list[int] = []
    note_products(monkeypatch, noted.append)
    H.jvp(v)
    weights, biases = [7 * 6, 6 * 5, 5 * 4], [6, 5, 4]
    by_hand = 9 * (2 * weights[0] + 6 * weights[1] + 6 * weights[2])
    assert sum(noted) == by_hand + 9 * 2 * sum(biases)  # a bias is a product with ones, there and back


def test_memory_of_a_product_is_below_three_gradients() -> None:
    net = Network.dense((40, 60, 50, 10), activation="tanh")
    rng = np.random.default_rng(0)
    X, y, params = rng.normal(size=(300, 40)), rng.integers(10, size=300), net.init(rng)
    H = hessian(net.run(params, X, y))
    v = rng.normal(size=H.shape[1])

    def peak(call: object) -> int:
        call()  # type: ignore[operator]
        tracemalloc.start()
        call()  # type: ignore[operator]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(lambda: H @ v) <= 3 * peak(lambda: net.gradient(params, X, y))


def test_no_basis_is_multiplied_for_a_diagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    H = hessian(run(Layout(), l2=0.7))
    expected = np.diag(H.to_dense())
    monkeypatch.setattr(MatrixViews, "_diagonal", None)
    monkeypatch.setattr(Hessian, "_jvp", None)
    np.testing.assert_allclose(H.diagonal(), expected, atol=1e-15)


def test_nothing_large_is_made_unasked() -> None:
    with pytest.raises(
        TooLargeError, match=r"to_dense: Hessian\(3 terms of ∂²/∂\(W1, b1, W2, b2\)²\) is 26×26, 5.3 KiB"
    ):
        hessian(run(Layout())).to_dense(limit=5000)


# --- refusals ------------------------------------------------------------------------------------------


class Cubed(Elementwise):
    def _rule(self, z: np.ndarray) -> tuple:
        return z**3, lambda: 3 * z**2


def test_what_states_no_second_derivative_is_named() -> None:
    net = Network([Affine(None, (3, 2)), Cubed(), Affine(None, (2, 2))], "cross_entropy", "cs231n")
    r = net.run(net.init(0), inputs(net, 5, 3), [0, 1, 1, 0, 1])
    with pytest.raises(DomainError, match=r"cubed: the operation states no second derivative.*_curvature\(z\)"):
        hessian(r)
    assert gauss_newton(r, penalty=True).shape == (14, 14)
    assert r.hessian("W2").shape == (4, 4)  # what comes before W2 is not asked


def test_a_loss_without_one_and_a_corner() -> None:
    class Bare(CrossEntropy):
        def _hessian(self, X: np.ndarray, Y: np.ndarray) -> object:
            return super(CrossEntropy, self)._hessian(X, Y)

    net = Network([Affine(None, (3, 2))], Bare(), "cs231n")
    with pytest.raises(DomainError, match="states no second derivative"):
        hessian(net.run(net.init(0), inputs(net, 5, 3), [0, 1, 1, 0, 1]))
    hinge = Network([Affine(None, (3, 2))], MulticlassHinge(), "cs231n")
    with pytest.raises(DomainError, match=r"score at \(0, 1\) is exactly met, a corner"):
        hessian(hinge.run({"W1": np.zeros((3, 2)), "b1": np.array([1.0, 0.0])}, np.ones((1, 3)), [0]))


@pytest.mark.parametrize("vec", ["C", "F"])
def test_the_blocks_alone(vec: str) -> None:
    H = hessian(run(Layout(vec=vec)))
    whole, alone = H.to_dense(), np.zeros(H.shape)
    for _, at in H.places():
        alone[at, at] = whole[at, at]
    found = H.block_diagonal()
    np.testing.assert_allclose(found.to_dense(), alone, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found @ whole[0], alone @ whole[0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.diagonal(), H.diagonal(), rtol=0, atol=1e-14)


def test_wrong_names() -> None:
    r = run(Layout(bias="first"))
    with pytest.raises(
        LayoutError, match=r"run.hessian: 3 names; give none .* hessian\(run, wrt=\('W1', 'W2', 'X'\)\)"
    ):
        r.hessian("W1", "W2", "X")
    with pytest.raises(LayoutError, match="'w2' is no input; choose from W1, W2, X, Z1, A1, Z2; did you mean 'W2'"):
        r.hessian("w2")
    net = Network.dense((3, 4, 2), convention="ng-ml-2011")
    with pytest.raises(
        LayoutError, match="'A1' holds the entry of ones, which is constant; choose 'X', from which it was made"
    ):
        net.run(net.init(0), np.ones((5, 3)), [0, 1, 1, 0, 1]).hessian("A1")
    with pytest.raises(LayoutError, match="'losses' is no input; choose from W1, W2"):
        r.hessian("losses")
    with pytest.raises(LayoutError, match="give each name once"):
        hessian(r, ["W1", "W1"])
    with pytest.raises(LayoutError, match="block: 'w1' is unknown; choose from W1, W2; did you mean 'W1'"):
        hessian(r).block("w1")
    with pytest.raises(LayoutError, match="is a cross block; take the whole Hessian's"):
        r.hessian("W1", "W2").numerator.blocks()
    with pytest.raises(ArgumentError, match=r"hessian: run is .*; evaluate it first: run = net\.run"):
        hessian(r.network)  # type: ignore[arg-type]


def test_values_refuse() -> None:
    x, y = jac.values(x=np.ones(2), y=np.ones(2))
    with pytest.raises(LayoutError, match=r"hessian: .* is no scalar; reduce it"):
        (x * y).hessian(x)
    with pytest.raises(GraphError, match="hessian: a value is given twice"):
        (x * y).sum().hessian(x, x)
    with pytest.raises(GraphError, match="with respect to which values"):
        (x * y).sum().hessian()


def test_a_diagonal_and_a_kronecker_are_what_terms_are_made_of() -> None:
    kinds = {type(term.middle._factors()[0]) for term in hessian(run(Layout())).terms}
    assert {Diagonal, Kronecker} <= kinds


def test_a_picture_shows_the_blocks_of_the_parameters() -> None:
    drawn = picture(hessian(run(Layout())))
    assert drawn.rows.boundaries == drawn.columns.boundaries == (12, 16, 24)
    assert drawn.values is not None
    np.testing.assert_array_equal(drawn.values, hessian(run(Layout())).to_dense())
    assert picture(run(Layout()).hessian("W1", "W2")).rows.boundaries == tuple(range(4, 12, 4))


# --- its picture -----------------------------------------------------------------------------------------


def test_the_picture_has_a_block_for_every_two_parameters() -> None:
    drawn = picture(hessian(run(Layout(vec="F"))))
    assert drawn.heading == "∂²L/∂θ∂θᵀ"
    assert drawn.rows.boundaries == drawn.columns.boundaries == (12, 16, 24)
    assert [drawn.rows.label(k) for k in (0, 1, 12, 16)] == ["w⁽¹⁾₁₁", "w⁽¹⁾₂₁", "b⁽¹⁾₁", "w⁽²⁾₁₁"]
