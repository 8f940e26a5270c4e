"""Chains, residual sums and parallel branches: names, Jacobians from their parts, and what does not fit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from jacobians import operations as ops
from jacobians.errors import DTypeError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Denominator, Dense
from jacobians.operations import (
    Affine,
    Chain,
    Hadamard,
    MatMul,
    Parallel,
    Reshaping,
    Residual,
    Sigmoid,
    Softmax,
    Square,
    Tanh,
    Total,
    Transpose,
)
from jacobians.testing import assert_operation_laws
from tests.operations.random_inputs import WRITTEN, Numbers

G = Numbers(23)
X, W1, B1, W2, B2 = G(3, 4), G(4, 2), G(2), G(2, 5), G(5)


@pytest.mark.parametrize("layout", WRITTEN)
def test_a_chain_is_the_product_of_its_parts(layout: Layout) -> None:
    net = Chain(Affine(layout), Tanh(), Affine(layout), layout=layout)
    value, J = net(X, W1, B1, W2, B2)
    Z1, J1 = Affine(layout)(X, W1, B1)
    A1, J2 = Tanh()(Z1)
    Z2, J3 = Affine(layout)(A1, W2, B2)
    assert np.array_equal(value, Z2)
    for name, last in (("X", J1.X), ("W1", J1.W), ("b1", J1.b)):
        chain = J3.X @ J2 @ last if layout.derivative == "numerator" else last @ J2 @ J3.X
        np.testing.assert_allclose(J[name].to_dense(), chain.to_dense(), rtol=1e-13, atol=1e-14)
        assert isinstance(J[name], Denominator) == (layout.derivative == "denominator")
    np.testing.assert_allclose(J.W2.to_dense(), J3.W.to_dense())
    np.testing.assert_allclose(J.b2.to_dense(), J3.b.to_dense())


def test_without_a_layout_of_its_own_a_chain_writes_numerators() -> None:
    layout = Layout(derivative="denominator", vec="F")
    J = Chain(Affine(layout), Sigmoid())(X, W1, B1)[1]
    assert J.W1.shape == (6, 8)
    assert J.W1.order is None


def test_names_of_parameters() -> None:
    inner = Residual(Chain(Affine(), Tanh(), Affine(Layout(bias="first"))))
    both = Parallel(inner, Sigmoid(), Affine(Layout(bias="none")))
    assert Chain(Sigmoid(), Affine(), Tanh(), Affine()).names == ("X", "W1", "b1", "W2", "b2")
    assert inner.names == ("X", "W1", "b1", "W2")
    assert both.names == ("X", "1.W1", "1.b1", "1.W2", "W2")
    assert Chain(both, Affine()).names == ("X", "1.1.W1", "1.1.b1", "1.1.W2", "1.W2", "W2", "b2")
    assert Chain(MatMul(), Hadamard()).names == ("X", "B1", "B2")
    assert Chain(Sigmoid()).names == ("X",)


def test_owner_and_shapes_of_parameters() -> None:
    net = Chain(Affine(sizes=(4, 2)), Tanh(), Residual(Affine(sizes=(2, 2))), Affine())
    assert net.owner("b1") == (0, "b")
    assert net.owner("W2") == (2, "W")
    assert net.parameter_shapes() == {"W1": (4, 2), "b1": (2,), "W2": (2, 2), "b2": (2,)}
    assert [part.name for part in (net, Residual(Tanh()), Parallel(Tanh()))] == ["chain", "residual", "parallel"]


def test_jacobians_by_nested_names() -> None:
    net = Chain(Parallel(Chain(Affine(), Tanh()), Sigmoid()), Softmax())
    _, J = net(X, W1, B1)
    assert list(J) == ["X", "1.1.W1", "1.1.b1"]
    assert J["1.1.W1"].domain == W1.shape


def test_a_residual_adds_the_identity() -> None:
    square = G(4, 4)
    branch = Chain(Affine(Layout(bias="none")), Tanh())
    value, J = Residual(branch)(X, square)
    inner, K = branch(X, square)
    np.testing.assert_allclose(value, inner + X)
    np.testing.assert_allclose(J.X.to_dense(), K.X.to_dense() + np.eye(12), rtol=1e-14)
    np.testing.assert_allclose(J.W1.to_dense(), K.W1.to_dense())


@pytest.mark.parametrize("batch", ["rows", "columns"])
def test_branches_lie_side_by_side_along_the_features(batch: Any) -> None:
    layout = Layout(batch=batch)
    data = G(*layout.batch_shape(3, 4))
    parts = (Square(), Tanh())
    value, J = Parallel(*parts, layout=layout)(data)
    pieces = [part(data) for part in parts]
    assert np.array_equal(value, np.concatenate([v for v, _ in pieces], axis=layout.feature_axis))
    t, c = G(*data.shape), G(*value.shape)
    np.testing.assert_allclose(J.X.jvp(t), np.concatenate([K.jvp(t) for _, K in pieces], axis=layout.feature_axis))
    first, second = np.split(c, 2, axis=layout.feature_axis)
    np.testing.assert_allclose(J.X.vjp(c), pieces[0][1].vjp(first) + pieces[1][1].vjp(second))


def test_branches_of_different_dtypes_meet_in_the_wider() -> None:
    single = X.astype(np.float32)
    value, J = Parallel(Tanh(), Affine())(single, W1, B1)
    assert value.dtype == np.float64
    assert J.X.vjp(value).dtype == np.float64


def test_run_and_sweep_are_the_chain_by_hand() -> None:
    net = Chain(Affine(), Tanh(), Affine())
    named = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}
    steps = net.run(X, named)
    assert [value.shape for value, _ in steps] == [(3, 2), (3, 2), (3, 5)]
    row = Dense(G(3, 5))
    J = net(X, *named.values())[1]
    swept = net._sweep([jacobians for _, jacobians in steps], row, net.names)
    assert list(swept) == ["X", *named]
    for name, jacobian in swept.items():
        np.testing.assert_allclose(jacobian.gradient, (row @ J[name]).gradient, rtol=1e-13, atol=1e-14)
    assert list(net._sweep([jacobians for _, jacobians in steps], row, ["b2", "W1"])) == ["b2", "W1"]


def test_a_scalar_residual_is_an_array() -> None:
    value, J = Residual(Tanh())(0.0)
    assert type(value) is np.ndarray
    assert J.X.gradient == 2.0


def test_no_examples() -> None:
    net = Chain(Affine(), Parallel(Tanh(), Residual(Sigmoid())))
    value, J = net(np.ones((0, 4)), W1, B1)
    assert value.shape == (0, 4)
    assert np.array_equal(J.W1.vjp(value), np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (Chain, ShapeError, "Chain: needs at least one operation"),
        (Parallel, ShapeError, "Parallel: needs at least one operation"),
        (
            lambda: Residual(Affine())(X, W1, B1),
            ShapeError,
            "residual: the branch maps (3, 4) to (3, 2); a residual sum needs equal shapes",
        ),
        (
            lambda: Parallel(Tanh(), Transpose())(X),
            ShapeError,
            f"parallel: branches give (3, 4), (4, 3); they must agree in all axes but the features' ({Layout()})",
        ),
        (lambda: Parallel(Tanh(), Reshaping((12,)))(X), ShapeError, "parallel: branches give (3, 4), (12,); they must"),
        (lambda: Parallel(Total())(X), ShapeError, "parallel: branches give (); they must agree"),
        (lambda: Chain(Affine(), Tanh())(X), TypeError, "chain: 1 arrays are given, it takes X, W1, b1"),
        (lambda: Chain(Affine())(X, W1.T, B1), ShapeError, "W's transpose would fit: are the weights in rows?"),
        (lambda: Chain(Affine())(X, W1 + 1j, B1), DTypeError, "chain: W1 has dtype complex128"),
        (
            lambda: Chain(Affine(), layout=Layout(derivative="denominator"))(X, W1, B1)[1].W1 @ Dense(G(3, 2)),
            LayoutError,
            "one is in denominator layout, the other in numerator layout; give every operation the same layout",
        ),
    ],
)
def test_refusals(run: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        run()


def test_what_keeps_examples_apart() -> None:
    """A composition does if all of its parts do."""
    apart, mixing = ops.ReLU(), ops.Transpose()
    for whole in (ops.Chain, ops.Parallel):
        for parts, expected in (((apart, apart), True), ((apart, mixing), False), ((mixing, apart), False)):
            assert whole(*parts).per_example == expected, f"{whole.__name__} of {[p.name for p in parts]}"
    assert ops.Residual(apart).per_example
    assert not ops.Residual(mixing).per_example


def test_laws_of_a_chain_of_two_arrays_into_one_and_of_a_scalar_residual() -> None:
    assert_operation_laws(ops.Chain(ops.MatMul(), Tanh()), [G(3, 2), G(2, 4)])
    assert_operation_laws(Residual(Tanh()), [np.array(0.5)])


def test_whose_a_parameter_is_and_its_shape() -> None:
    first, second = Affine(sizes=(2, 3)), Affine(Layout(bias="none"), sizes=(3, 2))
    net = Chain(Tanh(), first, Sigmoid(), second)
    shapes = {"W1": (2, 3), "b1": (3,), "W2": (3, 2)}
    assert net.names == ("X", "W1", "b1", "W2")
    assert [net.owner(name) for name in shapes] == [(1, "W"), (1, "b"), (3, "W")]
    residual = Residual(net)
    assert residual.names == net.names
    assert [residual.owner(name) for name in shapes] == [(0, "W1"), (0, "b1"), (0, "W2")]
    assert net.parameter_shapes() == residual.parameter_shapes() == shapes
    nested = Chain(first, Parallel(net, second))
    assert nested.names == ("X", "W1", "b1", "2.1.W1", "2.1.b1", "2.1.W2", "2.W2")
