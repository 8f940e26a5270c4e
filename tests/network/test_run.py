"""Run: the visible chain, Jacobians between any two names, packed Jacobians, and the chain written by hand."""

from __future__ import annotations

import itertools
import re
from functools import cache, reduce
from typing import Any

import numpy as np
import pytest
from scipy.linalg import block_diag

from jacobians import (
    Convention,
    Layout,
    Network,
    affine,
    cross_entropy,
    sigmoid,
    translate_batch,
    translate_gradients,
    translate_jacobian,
    translate_parameters,
)
from jacobians import convention as preset
from jacobians.array_names import ArrayNames
from jacobians.errors import LayoutError, ShapeError
from jacobians.linops import Transposed
from jacobians.network import Run
from jacobians.operations import Affine, CrossEntropy, MatMul, Parallel, Residual, Sigmoid, Tanh
from tests.central_differences import central, matrix
from tests.network.cases import LAYOUTS, inputs, moved_from_zero, short

SIZES = (3, 4, 2)
Y = np.array([0, 1, 1, 0, 1])
STOPS = ("X", "Z1", "A1", "Z2")
OUTPUTS = ("Z1", "A1", "output", "losses", "loss")


def network(layout: Layout, reduction: str = "mean", packing: str = "layers") -> Network:
    convention = Convention("c", layout, l2="half").replace(reduction=reduction, packing=packing)
    return Network.dense(SIZES, activation="tanh", convention=convention)


@cache
def run(layout: Layout, reduction: str = "mean", packing: str = "layers") -> Run:
    net = network(layout, reduction, packing)
    return net.run(moved_from_zero(net.init(np.random.default_rng(0))), inputs(net, 5, 3), Y)


# --- against numerical Jacobians -----------------------------------------------------------------------


def replay(r: Run, of: str, wrt: str, value: np.ndarray) -> np.ndarray:
    """The array called `of`, recomputed from `value` put in the place of `wrt`."""
    params = {name: value if name == wrt else array for name, array in r.params.items()}
    left = list(params.values())
    signal = value if wrt == "X" else r.X
    of = r.outputs[-1] if of == "output" else of
    for name, part in zip(r.outputs, r.network.chain.parts, strict=True):
        mine, left = left[: len(part.names) - 1], left[len(part.names) - 1 :]
        signal = value if name == wrt else part(signal, *mine)[0]
        if name == of:
            return signal
    losses = CrossEntropy("none", r.network.layout)(signal, r.Y)[0]
    return losses if of == "losses" else np.asarray(losses.mean())


@cache
def numeric(layout: Layout, of: str, wrt: str) -> np.ndarray:
    r = run(layout)
    at = r.params[wrt] if wrt in r.params else r.values[wrt]
    return central(lambda value: replay(r, of, wrt, value), at)


def pairs(layout: Layout) -> list[tuple[str, str]]:
    """Every (of, wrt) of a two-layer network in which `of` depends on `wrt`."""
    order = {"X": 0, "Z1": 1, "A1": 2, "output": 3, "Z2": 3, "losses": 4, "loss": 5}
    position = {stop: order[stop] for stop in STOPS} | {name: 2 * int(name[1]) - 2 for name in network(layout).names}
    return [(of, wrt) for of in OUTPUTS for wrt in position if position[wrt] < order[of]]


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_jacobians_by_any_name(layout: Layout) -> None:
    r = run(layout)
    for of, wrt in pairs(layout):
        jacobian = r.jacobian(of=of, wrt=wrt)
        expected = numeric(layout.replace(vec="C", derivative="numerator"), of, wrt)
        rank = len(jacobian.codomain)
        expected = matrix(expected, rank, layout.vec, layout.derivative)
        np.testing.assert_allclose(jacobian.to_dense(), expected, rtol=1e-6, atol=1e-8, err_msg=f"∂{of}/∂{wrt}")


# --- the chain -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_chain_multiplies_to_the_jacobian(layout: Layout) -> None:
    r = run(layout)
    for of, wrt in pairs(layout):
        factors = r.chain(wrt, of=of)
        whole = r.jacobian(wrt, of=of)
        product = reduce(lambda a, b: a @ b, (f.jacobian for f in factors))
        dense = reduce(np.matmul, (f.jacobian.to_dense() for f in factors))
        assert product.shape == whole.shape == dense.shape
        np.testing.assert_allclose(product.to_dense(), whole.to_dense(), rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(dense, whole.to_dense(), rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(whole.to_sparse().toarray(), whole.to_dense(), rtol=1e-13, atol=1e-16)


def test_labels_read_as_the_layout_writes() -> None:
    numerator = ["∂loss/∂losses", "∂losses/∂Z2", "∂Z2/∂A1", "∂A1/∂Z1", "∂Z1/∂W1"]
    assert [f.label for f in run(Layout()).chain("W1")] == numerator
    assert [f.label for f in run(Layout(derivative="denominator")).chain("W1")] == numerator[::-1]
    assert [(f.of, f.wrt) for f in run(Layout()).chain("X", of="output")] == [("Z2", "A1"), ("A1", "Z1"), ("Z1", "X")]
    assert [f.label for f in run(Layout()).chain("b2", of="losses")] == ["∂losses/∂Z2", "∂Z2/∂b2"]
    assert [f.label for f in run(Layout()).chain("losses")] == ["∂loss/∂losses"]
    assert run(Layout()).outputs == ["Z1", "A1", "Z2"]
    assert list(run(Layout()).values) == ["X", "Z1", "A1", "Z2", "P"]


def test_factors_fit_end_to_end() -> None:
    for derivative in ("numerator", "denominator"):
        factors = run(Layout(derivative=derivative)).chain("W1")
        for left, right in itertools.pairwise(factors):
            assert left.jacobian.shape[1] == right.jacobian.shape[0]


@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
@pytest.mark.parametrize(
    ("name", "size"), [("X", 15), ("Z1", 20), ("A1", 20), ("Z2", 10), ("output", 10), ("losses", 5), ("loss", 1)]
)
def test_a_name_by_itself_is_the_identity(derivative: str, name: str, size: int) -> None:
    r = run(Layout(derivative=derivative))
    np.testing.assert_array_equal(r.jacobian(of=name, wrt=name).to_dense(), np.eye(size))
    assert r.chain(name, of=name) == ()


def test_names_of_repeated_and_nested_parts() -> None:
    layout = Layout()
    operations = [Affine(layout, (3, 2)), Sigmoid(), Tanh(), Residual(Affine(layout, (2, 2))), Tanh()]
    net = Network([*operations, Parallel(Affine(layout, (2, 1)), Tanh())], CrossEntropy(), "cs231n")
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    r = net.run(params, inputs(net, 5, 3), Y)
    assert r.outputs == ["Z1", "A1", "A1′", "A2", "A2′", "A3"]
    labels = ["∂A3/∂A2′", "∂A2′/∂A2", "∂A2/∂A1′", "∂A1′/∂A1", "∂A1/∂Z1", "∂Z1/∂X"]
    assert [f.label for f in r.chain("X", of="output")] == labels
    assert [f.label for f in r.chain("3.W1", of="output")] == ["∂A3/∂3.W1"]
    found = r.jacobian("W2").gradient
    np.testing.assert_allclose(found, central(lambda W: net.value(params | {"W2": W}, r.X, Y), params["W2"]), atol=1e-9)


def test_a_parameter_called_like_an_intermediate() -> None:
    """The parameter keeps its name; the intermediate gets a prime."""
    own = Convention("own", Layout(), names=ArrayNames(post="B{u}"))
    operations = [Affine(own.layout, (3, 2)), Sigmoid(), MatMul()]
    net = Network(operations, CrossEntropy(), own.replace(reduction="mean"))
    assert list(net.names) == ["W1", "b1", "B2"]
    params = {"W1": np.ones((3, 2)), "b1": np.zeros(2), "B2": np.eye(2)}
    r = net.run(params, inputs(net, 5, 3), Y)
    assert r.outputs == ["Z1", "B1", "B2′"]
    assert r.jacobian("B2").gradient.shape == (2, 2)


# --- the names of a convention -------------------------------------------------------------------------


def ng_run(**options: Any) -> Run:
    net = Network.dense((4, 3, 2), convention=preset("ng-ml-2011"), **options)
    rng = np.random.default_rng(1)
    params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
    return net.run(params, rng.normal(size=(5, 4)), [0, 1, 1, 0, 1])


def test_the_arrays_of_ngs_exercise_4_by_his_names() -> None:
    """ex4.pdf, §1.3 and §2.3: a⁽¹⁾ = [1 x], z⁽²⁾ = Θ⁽¹⁾a⁽¹⁾, a⁽²⁾ = [1 g(z⁽²⁾)], δ⁽³⁾ = a⁽³⁾ − y, δ⁽²⁾ without δ₀."""
    r = ng_run(loss="binary_cross_entropy")
    Theta1, Theta2, ones = r.params["Theta1"], r.params["Theta2"], np.ones((5, 1))
    a1 = np.hstack([ones, r.X])
    z2 = a1 @ Theta1.T
    g = 1 / (1 + np.exp(-z2))
    a2 = np.hstack([ones, g])
    a3 = 1 / (1 + np.exp(-(a2 @ Theta2.T)))
    delta3 = a3 - np.eye(2)[[0, 1, 1, 0, 1]]
    delta2 = (delta3 @ Theta2)[:, 1:] * g * (1 - g)
    expected = {"X": r.X, "A1": a1, "Z2": z2, "A2": a2, "Z3": a2 @ Theta2.T, "A3": a3}
    assert list(r.values) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(r.values[name], array, rtol=1e-13)
    np.testing.assert_allclose(r.jacobian(wrt="Z2").gradient, delta2 / 5, rtol=1e-12)
    np.testing.assert_allclose(r.jacobian(wrt="Z3").gradient, delta3 / 5, rtol=1e-12)
    np.testing.assert_allclose(r.jacobian(wrt="A2").gradient, delta3 @ Theta2 / 5, rtol=1e-12)  # with δ₀
    assert list(r.cotangents) == ["delta3", "delta2"]
    np.testing.assert_allclose(r.cotangents["delta2"], delta2, rtol=1e-12)
    np.testing.assert_allclose(r.cotangents["delta3"], delta3, rtol=1e-12)


def test_the_selection_belongs_to_the_activation_in_ngs_names() -> None:
    r = ng_run()
    chain = {factor.label: factor.jacobian for factor in r.chain("X")}
    labels = ["∂loss/∂losses", "∂losses/∂Z3", "∂Z3/∂A2", "∂A2/∂Z2", "∂Z2/∂A1", "∂A1/∂X"]
    assert list(chain) == labels
    assert not any(isinstance(part, Transposed) for part in chain["∂Z3/∂A2"].numerator._factors())
    assert isinstance(chain["∂A2/∂Z2"].numerator._factors()[0], Transposed)
    assert chain["∂Z3/∂A2"].shape == (10, 20)


def test_an_unknown_name_is_refused_with_the_convention_s_names() -> None:
    known = "output, X, A1, Z2, A2, Z3, losses, loss"
    with pytest.raises(LayoutError, match=re.escape(f"'Z1' is unknown; choose wrt from Theta1, Theta2, {known}")):
        ng_run().jacobian(wrt="Z1")
    with pytest.raises(LayoutError, match=re.escape(f"'Z1' is unknown; choose of from {known}, A3")):
        ng_run().jacobian(wrt="Theta1", of="Z1")


def test_the_prediction_has_a_jacobian_and_the_loss_does_not_go_through_it() -> None:
    r = run(Layout())
    of_prediction, of_output = r.jacobian("W1", of="P").to_dense(), r.jacobian("W1", of="Z2").to_dense()
    probabilities = np.exp(r.values["Z2"]) / np.exp(r.values["Z2"]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(r.values["P"], probabilities, rtol=1e-13)
    softmax = block_diag(*(np.diag(p) - np.outer(p, p) for p in probabilities))
    np.testing.assert_allclose(of_prediction, softmax @ of_output, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(r.parameter_jacobian("P").to_dense()[:, :12], of_prediction, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(r.jacobian("P", of="P").to_dense(), np.eye(10))
    with pytest.raises(LayoutError, match="loss does not depend on P: the loss is computed from Z2, and P beside it"):
        r.jacobian("P")
    with pytest.raises(LayoutError, match="P does not depend on losses"):
        r.jacobian("losses", of="P")


@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
@pytest.mark.parametrize("bias", ["first", "last"])
@pytest.mark.parametrize("batch", ["rows", "columns"])
def test_every_jacobian_between_arrays_with_ones_is_theirs(batch: str, bias: str, derivative: str) -> None:
    """Each factor maps a small change of one array to the change of the next; the ones do not change."""
    layout = Layout().replace(batch=batch, bias=bias, derivative=derivative)
    own = Convention("own", layout, reduction="mean", names=ArrayNames(with_ones=True, first_units=1))
    net = Network.dense((3, 4, 2), convention=own)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    step = 1e-6 * np.random.default_rng(2).normal(size=(5, 3) if batch == "rows" else (3, 5))
    X = inputs(net, 5, 3)
    low, r, high = (net.run(params, X + sign * step, Y) for sign in (-1, 0, 1))
    assert [stop.name for stop in r.stops] == ["X", "A1", "Z2", "A2", "Z3"]
    for factor in r.chain("X", of="P"):
        before = (high.values[factor.wrt] - low.values[factor.wrt]) / 2e-6
        after = (high.values[factor.of] - low.values[factor.of]) / 2e-6
        np.testing.assert_allclose(factor.jacobian.numerator.jvp(before), after, atol=1e-7, err_msg=factor.label)
    block = r.parameter_jacobian("A2").to_dense()
    block = block if derivative == "numerator" else block.T
    wanted = r.jacobian("W1", of="A2").numerator.to_dense()
    np.testing.assert_allclose(block[:, : wanted.shape[1]], wanted, atol=1e-15)


def test_a_layer_upon_a_layer_has_its_ones_too() -> None:
    """Ng's names where no activation stands between: A2 is [1 Z2]."""
    ng = preset("ng-ml-2011")
    net = Network([Affine(ng.layout, (3, 2)), Affine(ng.layout, (2, 2))], "cross_entropy", ng)
    r = net.run(moved_from_zero(net.init(np.random.default_rng(0))), inputs(net, 5, 3), Y)
    assert list(r.values) == ["X", "A1", "Z2", "A2", "Z3", "A3"]
    assert r.outputs == ["Z2", "Z3"]
    np.testing.assert_array_equal(r.values["A2"], np.hstack([np.ones((5, 1)), r.values["Z2"]]))
    assert [f.label for f in r.chain("Theta1", of="output")] == ["∂Z3/∂A2", "∂A2/∂Z2", "∂Z2/∂Theta1"]
    found = r.jacobian("Theta1").gradient
    np.testing.assert_allclose(found, r.gradient()["Theta1"], rtol=1e-12, atol=1e-16)


# --- per example, and packed ---------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS[::3], ids=short)
@pytest.mark.parametrize(("reduction", "weight"), [("sum", 1.0), ("mean", 1 / 5), ("mean-all", 1 / 10)])
def test_per_example_gradients_sum_to_the_gradient(layout: Layout, reduction: str, weight: float) -> None:
    r = run(layout, reduction)
    assert r.losses.shape == (5,)
    assert r.loss == pytest.approx(weight * r.losses.sum(), rel=1e-14)
    for name, gradient in r.gradient(inputs=True).items():
        each = r.jacobian(of="losses", wrt=name)
        assert each.shape == ((5, gradient.size) if layout.derivative == "numerator" else (gradient.size, 5))
        np.testing.assert_allclose(each.vjp(np.full(5, weight)), gradient, rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(r.jacobian(wrt=name).gradient, gradient, rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(sum(each.vjp(weight * row) for row in np.eye(5)), gradient, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
@pytest.mark.parametrize("packing", ["layers", "weights-then-biases"])
def test_parameter_jacobian_is_the_blocks_side_by_side(layout: Layout, packing: str) -> None:
    r = run(layout, packing=packing)
    names = list(r.params)
    if packing == "weights-then-biases":
        names.sort(key=lambda name: name[0] == "b")
    side = 1 if layout.derivative == "numerator" else 0
    for of in ("output", "losses", "loss"):
        packed = r.parameter_jacobian(of)
        blocks = [r.jacobian(of=of, wrt=name).to_dense() for name in names]
        np.testing.assert_array_equal(packed.to_dense(), np.concatenate(blocks, axis=side))
    net = r.network
    gradient = net.pack(r.gradient())  # without a regulariser, the loss is the objective
    np.testing.assert_allclose(r.parameter_jacobian().gradient, gradient, rtol=1e-12, atol=1e-16)
    theta, tangent = net.pack(r.params), np.random.default_rng(5).normal(size=gradient.size)
    slope = [net.output(net.unpack(theta + sign * 1e-5 * tangent), r.X) for sign in (1, -1)]
    np.testing.assert_allclose(r.parameter_jacobian("output").jvp(tangent), (slope[0] - slope[1]) / 2e-5, atol=1e-8)


@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
def test_parameter_jacobian_of_an_early_intermediate_has_zeros(derivative: str) -> None:
    r = run(Layout(derivative=derivative))
    jacobian = r.parameter_jacobian("A1").to_dense()
    jacobian = jacobian if derivative == "numerator" else jacobian.T
    assert jacobian.shape == (20, 26)
    early = np.concatenate(
        [matrix(numeric(Layout(), "A1", name), 2, "C", "numerator") for name in ("W1", "b1")], axis=1
    )
    np.testing.assert_allclose(jacobian[:, :16], early, atol=1e-8)
    assert not jacobian[:, 16:].any()
    assert not r.parameter_jacobian("X").to_dense().any()


# --- by hand, with @ -----------------------------------------------------------------------------------

CHOICES = list(itertools.product(("rows", "columns"), ("rows", "columns"), ("C", "F"), ("numerator", "denominator")))
BASE = Convention("base", Layout())


@pytest.mark.parametrize("bias", ["separate", "first", "last"])
@pytest.mark.parametrize(("batch", "weights", "vec", "derivative"), CHOICES)
def test_the_chain_by_hand(batch: str, weights: str, vec: str, derivative: str, bias: str) -> None:
    """The program text is the chain rule of the layout, and every layout gives the same gradient."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 3))
    params = {"W1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4)}
    params |= {"W2": rng.normal(size=(4, 2)), "b2": rng.normal(size=2)}

    layout = Layout().replace(batch=batch, weights=weights, vec=vec, derivative=derivative, bias=bias)
    mine = Convention("mine", layout)
    there = translate_parameters(params, BASE, mine)
    Z1, J1 = affine(translate_batch(X, BASE, mine), there["W1"], there.get("b1"), layout=layout)
    A1, J2 = sigmoid(Z1)
    Z2, J3 = affine(A1, there["W2"], there.get("b2"), layout=layout)
    L, J4 = cross_entropy(Z2, Y, layout=layout)
    assert float(L) == pytest.approx(loss_by_hand(X, params), rel=1e-13)

    if derivative == "numerator":
        dL_dW1, dL_dW2 = J4 @ J3.X @ J2 @ J1.W, J4 @ J3.W
        dense = J4.to_dense() @ J3.X.to_dense() @ J2.to_dense(vec) @ J1.W.to_dense()
        associated = J4 @ ((J3.X @ J2) @ J1.W)
        assert dL_dW1.shape == (1, there["W1"].size)
    else:
        dL_dW1, dL_dW2 = J1.W @ J2 @ J3.X @ J4, J3.W @ J4
        dense = J1.W.to_dense() @ J2.to_dense(vec) @ J3.X.to_dense() @ J4.to_dense()
        associated = (J1.W @ (J2 @ J3.X)) @ J4
        assert dL_dW1.shape == (there["W1"].size, 1)
    gradient = {"W1": dL_dW1.gradient, "W2": dL_dW2.gradient}
    if bias == "separate":
        gradient["b1"] = (J4 @ J3.X @ J2 @ J1.b if derivative == "numerator" else J1.b @ J2 @ J3.X @ J4).gradient
        gradient["b2"] = (J4 @ J3.b if derivative == "numerator" else J3.b @ J4).gradient

    back = translate_gradients({name: gradient[name] for name in there}, mine, BASE)
    for name, array in params.items():
        expected = central(lambda value, name=name: loss_by_hand(X, params | {name: value}), array)
        np.testing.assert_allclose(back[name], expected, rtol=1e-6, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(dense, dL_dW1.to_dense(), rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(dense.ravel(), gradient["W1"].flatten(order=vec), rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(associated.to_dense(), dense, rtol=1e-12, atol=1e-16)


def loss_by_hand(X: np.ndarray, params: dict[str, np.ndarray]) -> float:
    """The mean cross-entropy of the two-layer sigmoid network in the base layout, in plain NumPy."""
    hidden = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    logits = hidden @ params["W2"] + params["b2"]
    return float(np.mean([np.log(np.exp(row).sum()) - row[label] for row, label in zip(logits, Y, strict=True)]))


def test_mixed_layouts_do_not_multiply() -> None:
    """A chain of two layouts stops, and says how they differ."""
    X, W = np.ones((5, 3)), np.ones((3, 2))
    Z, J = affine(X, W, np.zeros(2), Layout(derivative="denominator"))
    _, row = cross_entropy(Z, Y)
    with pytest.raises(LayoutError, match="one is in denominator layout, the other in numerator layout"):
        row @ J.W
    Z, J = affine(X, W, np.zeros(2))
    _, inner = affine(Z, np.ones((2, 2)), np.zeros(2), Layout(vec="F"))
    with pytest.raises(
        LayoutError, match=r"unrolled in order 'F'.* in order 'C'; give every operation the same layout"
    ):
        inner.X @ J.W
    with pytest.raises(ShapeError, match=r"@: the left factor .* takes arrays of shape \(3, 2\), the right factor"):
        J.W @ inner.X


@pytest.mark.parametrize("layout", LAYOUTS[::7], ids=short)
def test_dense_jacobians_translate(layout: Layout) -> None:
    """∂output/∂θ in one convention, moved, is ∂output/∂θ in the other."""
    source, target = (Convention(n, v, packing=p) for n, v, p in (("s", Layout(), None), ("t", layout, "layers")))
    if layout.bias == "none":
        source = source.replace(layout=Layout(bias="none"))
    one, other = (Network.dense(SIZES, convention=c) for c in (source, target))
    params = moved_from_zero(one.init(np.random.default_rng(0)))
    X = inputs(one, 5, 3)
    there = other.run(translate_parameters(params, source, target), translate_batch(X, source, target), Y)
    matrix_here = one.run(params, X, Y).parameter_jacobian("output").to_dense()
    moved = translate_jacobian(matrix_here, SIZES, source, target, output=(5, 2))
    np.testing.assert_allclose(there.parameter_jacobian("output").to_dense(), moved, rtol=1e-12, atol=1e-15)


# --- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "wrt", "message"),
    [
        ("Z9", "W1", "run: 'Z9' is unknown; choose of from output, X, Z1, A1, Z2, losses, loss"),
        ("W1", "W1", "run: 'W1' is unknown; choose of from output, X, Z1, A1, Z2, losses, loss"),
        ("loss", "W3", "run: 'W3' is unknown; choose wrt from W1, b1, W2, b2, output, X, Z1, A1, Z2, losses, loss"),
        ("Z1", "A1", "run: Z1 does not depend on A1: it comes before it"),
        ("Z1", "W2", "run: Z1 does not depend on W2: it comes before it"),
        ("X", "W1", "run: X does not depend on W1: it comes before it"),
        ("output", "losses", "run: output does not depend on losses: it comes before it"),
    ],
)
def test_unknown_and_misplaced_names(of: str, wrt: str, message: str) -> None:
    r = run(Layout())
    for call in (r.chain, r.jacobian):
        with pytest.raises(LayoutError, match=re.escape(message)):
            call(wrt, of=of)


def test_a_jacobian_of_many_outputs_is_no_gradient() -> None:
    with pytest.raises(LayoutError, match=r"gradient: the output has shape \(5,\); only a scalar's Jacobian"):
        _ = run(Layout()).jacobian(of="losses", wrt="W1").gradient


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize(("weights", "bias"), [("rows", "first"), ("columns", "separate")])
def test_blocks_are_the_jacobians_of_single_examples(batch, weights, bias):
    """∂output/∂X example by example, in either batch layout; the block-diagonal matrix is written from them."""
    layout = Layout(batch=batch, weights=weights, bias=bias)
    net = Network.dense((4, 6, 5, 3), convention=Convention("blocks", layout, reduction="mean", l2="half"))
    rng = np.random.default_rng(7)
    params, X = net.init(rng), rng.normal(size=(5, 4))
    labels = [0, 1, 2, 1, 0]

    def by_inputs(examples, y):
        given = examples if batch == "rows" else examples.T
        return net.run(params, given, y).jacobian(wrt="X", of="output")

    jacobian = by_inputs(X, labels)
    apart = jacobian.block_diagonal()
    assert apart.blocks.shape == (5, 3, 4)
    for n in range(5):
        np.testing.assert_allclose(apart.blocks[n], by_inputs(X[n : n + 1], labels[n : n + 1]).to_dense(), rtol=1e-12)
    np.testing.assert_allclose(apart.to_dense(), jacobian.to_dense(), rtol=1e-12)
    np.testing.assert_allclose(apart.to_sparse().toarray(), jacobian.to_dense(), rtol=1e-12)
