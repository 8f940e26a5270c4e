"""Networks with kernels, recurrences and flattened images from one convention to another, and back."""

from __future__ import annotations

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import LayoutError, ShapeError
from jacobians.layers import LSTM, BatchNorm, Convolution, Flattened, Pool
from jacobians.operations import Affine
from jacobians.presets import all_conventions

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(4, 3, 4, 6)), [0, 1, 1, 0]
PARTS = [
    Convolution(pad=1, sizes=(4, 3, 3, 3)),
    BatchNorm(features=4),
    "tanh",
    Pool("max", 2),
    Flattened(),
    Affine("cs231n", (24, 2)),
]
NET = jac.Network(PARTS, "cross_entropy", "cs231n")
PARAMS = {name: rng.normal(size=array.shape) for name, array in NET.init(0).items()}


@pytest.mark.parametrize("target", [c for c in all_conventions() if c.layout.bias != "none"], ids=lambda c: c.name)
def test_the_same_network_in_every_convention(target: jac.Convention) -> None:
    net, params = jac.translate_network(NET, PARAMS, X, target)
    there = jac.translate_batch(X, "cs231n", target)
    ratio = jac.reduction_ratio(target, "cs231n", 4, 2)
    value, gradient = net.value_and_grad(params, there, Y)
    expected, right = NET.value_and_grad(PARAMS, X, Y)
    assert np.isclose(value * ratio, expected, rtol=1e-13)
    _, back = jac.translate_network(net, gradient, there, "cs231n")
    for name, array in jac.translate_network(net, params, there, "cs231n")[1].items():
        np.testing.assert_array_equal(array, PARAMS[name])
        np.testing.assert_allclose(back[name] * ratio, right[name], rtol=1e-11, atol=1e-13)
    assert net.unpack(net.pack(params)).keys() == params.keys()


def test_a_recurrence() -> None:
    sequences = rng.normal(size=(5, 3, 4))
    net = jac.Network([LSTM(), Affine("pytorch", (2, 2))], "squared_error", "pytorch")
    shapes = [(3, 2), (3, 2), (8, 4), (8, 2), (8,), (2, 2), (2,)]
    params = {name: rng.normal(size=shape) for name, shape in zip(net.names, shapes, strict=True)}
    moved, own = jac.translate_network(net, params, sequences, "keras")
    found = moved(own, jac.translate_batch(sequences, "pytorch", "keras"))
    np.testing.assert_allclose(jac.translate_batch(found, "keras", "pytorch"), net(params, sequences), rtol=1e-13)
    assert [array.shape for array in own.values()][:4] == [(3, 2), (3, 2), (4, 8), (2, 8)]
    with pytest.raises(LayoutError, match="an affine layer flattens images, or sequences, in some conventions alone"):
        jac.translate_network(net, params, sequences, "matlab")


def test_a_layer_without_a_layout_has_the_networks() -> None:
    """Of a composition too; one with another layout than the network's is refused."""
    parts = [Convolution(), jac.operations.Residual(BatchNorm()), Flattened(), Affine("keras")]
    net = jac.Network(parts, "cross_entropy", "keras")
    given = [rng.normal(size=shape) for shape in ((3, 3, 1, 2), (2,), (2,), (2,), (8, 2), (2,))]
    assert net(dict(zip(net.names, given, strict=True)), np.ones((5, 4, 4, 1))).shape == (5, 2)
    with pytest.raises(LayoutError, match=r"conv2d keeps images 'CHW', keras 'HWC': .*jac\.translate_network moves"):
        NET.replace(convention="keras")


def test_refusals() -> None:
    with pytest.raises(LayoutError, match="vecderivs-rows has no bias, and layers have some"):
        jac.translate_network(NET, PARAMS, X, "vecderivs-rows")
    with pytest.raises(ShapeError, match=r"expected a matrix; a network with kernels goes by jac\.translate_network"):
        jac.translate_parameters(PARAMS, "cs231n", "keras")
    function = jac.Network(lambda X, W: X @ W, "squared_error", "cs231n", shapes={"W": (6, 2)})
    with pytest.raises(LayoutError, match="is a function of values"):
        jac.translate_network(function, function.init(0), X, "keras")
