"""Networks of layers: as lists of operations and as functions of values, checked, and trained on the shipped digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import LayoutError
from jacobians.operations import Affine, CrossEntropy, ReLU, SquaredError

rng = np.random.default_rng(0)
PARAMETERS = {
    "W1": 0.5 * rng.normal(size=(3, 1, 3, 3)), "b1": 0.1 * rng.normal(size=3),
    "gamma2": np.ones(3), "beta2": np.zeros(3),
    "W3": 0.5 * rng.normal(size=(12, 3)), "b3": np.zeros(3),
}  # fmt: skip


def small(per_example: bool) -> jac.Network:
    norm = layers.GroupNorm(3) if per_example else layers.BatchNorm()
    operations = [layers.Convolution(pad=1), norm, ReLU(), layers.Pool("max", 2), layers.Flattened(), Affine()]
    return jac.Network(operations, CrossEntropy(), "cs231n")


@pytest.mark.parametrize("per_example", [True, False])
def test_a_list_of_layers_is_a_network(per_example: bool) -> None:
    net = small(per_example)
    X, y = rng.normal(size=(4, 1, 4, 4)), np.array([0, 1, 2, 0])
    params = dict(zip(net.run(dict(PARAMETERS), X, y).params, PARAMETERS.values(), strict=True))
    gradient = net.gradient(params, X, y)
    for name, array in params.items():
        for place in list(np.ndindex(array.shape))[:4]:
            step = np.zeros_like(array)
            step[place] = 1e-6
            ends = [net.run(params | {name: array + s * step}, X, y).loss for s in (1, -1)]
            assert abs((ends[0] - ends[1]) / 2e-6 - gradient[name][place]) < 1e-8
    if per_example:
        rows = net.run(params, X, y).per_example_gradients()
        for name, array in gradient.items():
            np.testing.assert_allclose(rows[name].mean(axis=0), array, atol=1e-14)


def digits() -> tuple[np.ndarray, np.ndarray]:
    found = jac.load_digits()
    X = found.X.reshape(-1, 1, 8, 8) / found.X.max()
    return X, np.asarray(found.y).astype(int)


@pytest.mark.slow
def test_a_small_convolutional_net_reads_digits() -> None:
    """Past 98 % of the digits that it was not trained on, by Adam (Kingma & Ba 2015)."""
    X, y = digits()
    order = np.random.default_rng(1).permutation(len(X))
    train, held_out = order[: len(X) * 4 // 5], order[len(X) * 4 // 5 :]
    draw = np.random.default_rng(2)
    params: dict[str, Any] = {
        "K": 0.5 * draw.normal(size=(16, 1, 3, 3)), "b": np.zeros(16),
        "W": 0.1 * draw.normal(size=(256, 10)), "c": np.zeros(10),
    }  # fmt: skip

    def scores(X: Any, K: Any, b: Any, W: Any, c: Any) -> Any:
        H = layers.max_pool(jac.relu(layers.conv2d(X, K, b, pad=1)), 2)
        return jac.affine(layers.flatten(H), W, c)

    net = jac.Network(scores, CrossEntropy(), "cs231n", shapes={n: a.shape for n, a in params.items()})
    first, second = ({n: np.zeros_like(a) for n, a in params.items()} for _ in range(2))
    steps = 0
    for _ in range(20):
        for batch in np.array_split(draw.permutation(train), len(train) // 64):
            steps += 1
            for name, g in net.gradient(params, X[batch], y[batch]).items():
                first[name] += 0.1 * (g - first[name])
                second[name] += 0.001 * (g * g - second[name])
                step = first[name] / (1 - 0.9**steps) / (np.sqrt(second[name] / (1 - 0.999**steps)) + 1e-8)
                params[name] = params[name] - 3e-3 * step
    decided = net.output(params, X[held_out]).argmax(axis=1)
    assert (decided == y[held_out]).mean() > 0.98


def time_first(reduction: str) -> tuple[jac.Network, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """An LSTM and an affine layer as torch has them: sequences (T, N, D)."""
    convention = jac.convention("pytorch").replace(reduction=reduction)
    parts = [layers.LSTM(layout="pytorch"), Affine("pytorch", (2, 2))]
    net = jac.Network(parts, SquaredError(reduction=reduction), convention)
    drawn = np.random.default_rng(0)
    shapes = [(3, 2), (3, 2), (8, 4), (8, 2), (8,), (2, 2), (2,)]
    params = {name: drawn.normal(size=shape) for name, shape in zip(net.names, shapes, strict=True)}
    return net, params, drawn.normal(size=(5, 3, 4)), drawn.normal(size=(5, 3, 2))


def test_examples_of_time_first_sequences_are_not_counted_along_the_steps() -> None:
    net, params, X, Y = time_first("sum")
    run = net.run(params, X, Y)
    assert repr(run).endswith("3 examples)")
    whole = run.gradient()
    for reduction, count in (("mean", 3), ("mean-all", Y.size), ("sum", 1)):
        other = time_first(reduction)[0]
        np.testing.assert_allclose(other.gradient(params, X, Y)["W2"], whole["W2"] / count, rtol=1e-12)
    alone = [time_first("sum")[0].gradient(params | _states(params, n), X[:, [n]], Y[:, [n]])["W2"] for n in range(3)]
    np.testing.assert_allclose(run.per_example_gradients()["W2"], alone, rtol=1e-12)
    with pytest.raises(LayoutError, match="lstm reads sequences time-first, so its examples lie along axis 1"):
        net.gradient(params, X, Y, block=2)


def _states(params: dict[str, np.ndarray], example: int) -> dict[str, np.ndarray]:
    """The first state and cell of one example."""
    return {name: array[[example]] for name, array in params.items() if array.shape == (3, 2)}


def test_a_function_of_time_first_sequences_too() -> None:
    def states(X: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        return jac.layers.rnn(X, np.zeros((3, 2)), Wx, Wh, b, layout="pytorch")

    shapes = {"Wx": (2, 4), "Wh": (2, 2), "b": (2,)}
    net = jac.Network(states, SquaredError(), "pytorch", shapes=shapes)
    params, X, Y = net.init(0), rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 3, 2))
    run = net.run(params, X, Y)
    assert repr(run).endswith("3 examples)")
    np.testing.assert_allclose(run.losses, ((net(params, X) - Y) ** 2).sum(axis=(0, 2)), rtol=1e-12)
    assert np.isclose(run.value, run.losses.mean())
    rows = run.per_example_gradients()["Wh"]
    np.testing.assert_allclose(rows.mean(axis=0), run.gradient()["Wh"], rtol=1e-12)


def test_a_layer_in_a_function_has_its_sequences_as_the_convention() -> None:
    """Else the loss would take a mean over the steps."""
    shapes = {"Wx": (2, 4), "Wh": (2, 2), "b": (2,)}

    def states(X: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        return jac.layers.rnn(X, np.zeros((3, 2)), Wx.T, Wh.T, b)

    net = jac.Network(states, SquaredError(), "pytorch", shapes=shapes)
    with pytest.raises(
        LayoutError, match="rnn reads sequences batch-first, its batch in rows; pytorch has them time-f"
    ):
        net.gradient(net.init(0), np.ones((3, 5, 4)), np.ones((3, 5, 2)))
