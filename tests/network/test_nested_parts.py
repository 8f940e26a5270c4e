"""Networks whose operations are made of operations: names, packing, gradients."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jacobians import Convention, Layout, Network
from jacobians.array_names import ArrayNames
from jacobians.errors import ShapeError
from jacobians.operations import Affine, Chain, CrossEntropy, Operation, Parallel, Residual, Sigmoid, Tanh
from tests.network.cases import LAYOUTS, assert_gradient, inputs, moved_from_zero, short


def nested(convention: Convention, l2: float = 0.0) -> Network:
    layout = convention.layout
    operations: list[Operation] = [
        Affine(layout, (4, 3)),
        Tanh(),
        Residual(Chain(Affine(layout, (3, 3)), Tanh())),
        Residual(Affine(layout, (3, 3))),
        Parallel(Affine(layout, (3, 2)), Chain(Affine(layout, (3, 1)), Sigmoid()), layout=layout),
    ]
    return Network(operations, CrossEntropy("mean", layout), convention, l2=l2)


@pytest.mark.parametrize("layout", LAYOUTS[::3], ids=short)
@pytest.mark.parametrize("packing", ["layers", "weights-then-biases"])
def test_nested_parts(layout: Layout, packing: str) -> None:
    net = nested(Convention("nested", layout, reduction="mean", l2="half").replace(packing=packing), l2=0.2)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    assert_gradient(net, params, inputs(net, 3, 4), np.array([0, 2, 1]))


@pytest.mark.parametrize("layout", LAYOUTS[::3], ids=short)
@pytest.mark.parametrize("count", [1, 3])
def test_nested_gradients_share_no_memory(layout: Layout, count: int) -> None:
    """With one example a bias's gradient is the row that passes by: it must not be the same array."""
    net = nested(Convention("nested", layout, reduction="mean", l2="half"), l2=0.2)
    run = net.run(net.init(np.random.default_rng(0)), inputs(net, count, 4), np.arange(count))
    gradient = run.gradient(inputs=True)
    arrays = [*gradient.values(), *run.params.values(), *run.values.values()]
    for i, array in enumerate(gradient.values()):
        assert not any(np.may_share_memory(array, other) for other in arrays[i + 1 :])
    before = {name: array.copy() for name, array in gradient.items()}
    for array in gradient.values():
        array[...] = np.nan  # what a caller does with one result reaches no other, and no later one
    for name, array in run.gradient(inputs=True).items():
        np.testing.assert_array_equal(array, before[name])


def test_nested_names_and_packing() -> None:
    net = nested(Convention("nested", Layout(), packing="weights-then-biases", names=ArrayNames(weight="Theta{l}")))
    weights = ["Theta1", "2.Theta1", "Theta3", "4.Theta1", "4.2.Theta1"]
    biases = [name.replace("Theta", "b") for name in weights]
    assert list(net.shapes()) == [name for pair in zip(weights, biases, strict=True) for name in pair]
    params = {name: np.full(shape, float(i)) for i, (name, shape) in enumerate(net.shapes().items())}
    packed = net.pack(params)
    assert list(dict.fromkeys(packed.tolist())) == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]  # all weights, then all biases
    for name, array in net.unpack(packed).items():
        np.testing.assert_array_equal(array, params[name])
    assert [net.init(np.random.default_rng(0))[name].any() for name in biases] == [False] * 5
    assert repr(net) == "Network(affine → tanh → residual → residual → parallel → cross_entropy, nested)"


def test_a_layer_without_bias_in_a_convention_with_one() -> None:
    layout = Layout()
    operations = [Affine(layout, (3, 4)), Tanh(), Affine(layout.replace(bias="none"), (4, 2))]
    net = Network(operations, CrossEntropy("mean", layout), "cs231n", l2=0.3)
    assert net.shapes() == {"W1": (3, 4), "b1": (4,), "W2": (4, 2)}
    assert_gradient(net, moved_from_zero(net.init(np.random.default_rng(0))), inputs(net, 4, 3), np.array([0, 1, 1, 0]))


def test_nested_parameters_that_do_not_fit() -> None:
    net = nested(Convention("nested", Layout()))
    params = net.init(np.random.default_rng(0))
    with pytest.raises(ShapeError, match=re.escape("network: 4.W1 has shape (2, 3), nested keeps one node a column")):
        net.value(params | {"4.W1": params["4.W1"].T}, np.zeros((1, 4)), [0])
