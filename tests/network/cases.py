"""What the tests of `Network` and `Run` share: every layout, targets for every loss, and the gradient check."""

from __future__ import annotations

import itertools

import numpy as np

from jacobians import Layout, Network
from jacobians.network import Run
from tests.central_differences import central

LAYOUTS = [
    Layout().replace(batch=batch, weights=weights, bias=bias, vec=order, derivative=derivative)
    for batch, weights, bias, order, derivative in itertools.product(
        ("rows", "columns"),
        ("rows", "columns"),
        ("separate", "first", "last", "none"),
        ("C", "F"),
        ("numerator", "denominator"),
    )
]


def short(layout: Layout) -> str:
    """A test's name for a layout."""
    return "-".join((layout.batch, layout.weights, layout.bias, layout.vec, layout.derivative))


def inputs(net: Network, count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=net.layout.batch_shape(count, width))


DENSE_LOSSES = ("cross_entropy", "binary_cross_entropy", "logistic_loss", "multiclass_hinge", "squared_error")
"""What the nets of most tests minimise; Huber's loss, Poisson's and that of places have the laws of their own tests."""


def targets(loss: str, layout: Layout, count: int, classes: int, seed: int = 0) -> np.ndarray:
    """Labels, or targets shaped like the outputs, as the loss of this name takes them."""
    rng = np.random.default_rng(seed)
    shape = layout.batch_shape(count, classes)
    if loss == "squared_error":
        return rng.normal(size=shape)
    if loss == "binary_cross_entropy":
        return rng.random(size=shape)
    if loss == "logistic_loss":
        return rng.choice([-1.0, 1.0], size=shape)
    return rng.integers(classes, size=count)


def moved_from_zero(params: dict[str, np.ndarray], seed: int = 1) -> dict[str, np.ndarray]:
    """The parameters with every bias moved from its initial 0."""
    rng = np.random.default_rng(seed)
    return {name: array + 0.3 * rng.normal(size=array.shape) for name, array in params.items()}


def kink_distance(run: Run, activation: str, loss: str) -> float:
    """How far the nearest kink of a rectifier or a hinge is; infinite where there is none."""
    distances = [np.inf]
    if "relu" in activation:
        distances += [np.abs(run.values[name]).min() for name in run.outputs[:-1] if name.startswith("Z")]
    if loss == "multiclass_hinge":
        scores = run.values[run.outputs[-1]]
        scores = scores if run.network.layout.batch == "rows" else scores.T
        own = scores[np.arange(len(scores)), run.Y][:, None]
        distances.append(np.abs(scores - own + 1)[scores != own].min(initial=np.inf))
    return float(min(distances))


def assert_gradient(net: Network, params: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> None:
    """The packed gradient is the numerical derivative of the objective by the packed parameters."""
    theta = net.pack(params)
    value, analytic = net.fun_and_grad(X, Y)(theta)
    assert value == net.value(params, X, Y)
    numeric = central(lambda t: net.value(net.unpack(t), X, Y), theta)
    np.testing.assert_allclose(analytic, numeric, rtol=1e-6, atol=1e-8)
