"""What a convention's source minimises is what `Network.dense` minimises: loss, factor, reduction and activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, all_conventions, convention, diagnose, gauss_newton
from jacobians.errors import DomainError, LayoutError, ShapeError
from jacobians.operations import Affine, CrossEntropy, SquaredError
from tests.network.cases import assert_gradient, inputs, kink_distance, moved_from_zero, targets

TASKS = [(preset, kind) for preset in all_conventions() for kind in preset.tasks]
OPEN = [preset for preset in all_conventions() if not preset.tasks]


@pytest.mark.parametrize(("preset", "kind"), TASKS, ids=lambda value: getattr(value, "name", value))
def test_every_task_of_every_preset(preset: Convention, kind: str) -> None:
    task = preset.tasks[kind]
    net = Network.dense((3, 4, 2), convention=preset, task=kind)
    assert (net.loss.name, net.loss.factor) == (task.loss, task.factor)
    assert net.loss.reduction == net.convention.effective_reduction == (task.reduction or preset.effective_reduction)
    assert net.chain.parts[1].name == task.hidden
    contained = task.output in ("linear", net.loss.prediction)
    assert [part.name for part in net.chain.parts[2:]] == ["affine"] + [task.output] * (not contained)
    params = moved_from_zero(net.init(np.random.default_rng(4)), seed=2)
    X, Y = inputs(net, 5, 3), targets(net.loss.name, net.layout, 5, 2)
    assert kink_distance(net.run(params, X, Y), task.hidden, task.loss) > 1e-3
    assert_gradient(net, params, X, Y)


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_the_first_task_is_the_default(preset: Convention) -> None:
    net = Network.dense((3, 4, 2), convention=preset)
    first = Network.dense((3, 4, 2), convention=preset, task=next(iter(preset.tasks), None))
    assert repr(net) == repr(first)
    assert (net.loss.factor, net.loss.reduction) == (first.loss.factor, first.loss.reduction)


def test_a_source_without_tasks_leaves_all_to_the_user() -> None:
    assert {"row-order", "flax", "equinox", "vecderivs-rows"} <= {preset.name for preset in OPEN}
    for preset in [*OPEN, Convention("mine", Layout())]:
        net = Network.dense((3, 4, 2), convention=preset)
        linear = "linear" if preset.layout.bias == "none" else "affine"
        assert [part.name for part in net.chain.parts] == [linear, "sigmoid", linear]
        assert (net.loss.name, net.loss.factor, net.loss.reduction) == ("cross_entropy", 1.0, "mean")
        with pytest.raises(LayoutError, match="has no task 'regression'; it fixes none: name a loss"):
            Network.dense((3, 4, 2), convention=preset, task="regression")


def test_a_task_that_the_source_lacks() -> None:
    with pytest.raises(LayoutError, match="cs231n has no task 'yes/no'; choose from 'classification', 'margin', or n"):
        Network.dense((3, 1), convention="cs231n", task="yes/no")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("binary_cross_entropy", 1.0, "mean", "sigmoid")),
        ({"task": "regression"}, ("squared_error", 0.5, "mean", "sigmoid")),
        # a loss that is named has its source's factor, one that the source has nowhere 1, and an instance its own
        ({"loss": "squared_error"}, ("squared_error", 0.5, "mean", "sigmoid")),
        ({"loss": "squared_error", "task": "classification"}, ("squared_error", 0.5, "mean", "sigmoid")),
        ({"loss": "cross_entropy"}, ("cross_entropy", 1.0, "mean", "sigmoid")),
        ({"loss": SquaredError()}, ("squared_error", 1.0, "mean", "sigmoid")),
        ({"loss": SquaredError(0.25), "task": "regression"}, ("squared_error", 0.25, "mean", "sigmoid")),
        ({"loss": SquaredError(), "factor": 2}, ("squared_error", 2.0, "mean", "sigmoid")),
        ({"task": "regression", "factor": 1}, ("squared_error", 1.0, "mean", "sigmoid")),
        ({"factor": 3, "reduction": "sum", "activation": "tanh"}, ("binary_cross_entropy", 3.0, "sum", "tanh")),
    ],
)
def test_options_override_the_task(options: dict[str, Any], expected: tuple[Any, ...]) -> None:
    net = Network.dense((3, 4, 2), convention="ng-ml-2011", **options)
    found = (net.loss.name, net.loss.factor, net.loss.reduction, net.chain.parts[1].name)
    assert found == expected
    assert net.convention.effective_reduction == expected[2]


def test_a_network_of_operations_gives_a_named_loss_its_sources_factor() -> None:
    ng = convention("ng-ml-2011")
    net = Network([Affine(ng.layout, (3, 1))], "squared_error", ng)
    assert net.loss.factor == 0.5
    assert net.replace(loss="binary_cross_entropy").loss.factor == 1.0
    assert net.replace(loss=SquaredError(layout=ng.layout)).loss.factor == 1.0
    assert Network([Affine(ng.layout, (3, 2))], "cross_entropy", ng).loss.factor == 1.0


@pytest.mark.parametrize("factor", [0, -1.0, math.inf, math.nan])
def test_a_factor_is_positive(factor: float) -> None:
    with pytest.raises(DomainError, match=r"factor=.* must be one positive number"):
        Network.dense((3, 2), factor=factor)


@pytest.mark.parametrize("strength", [0.0, 1.0, 3.0])
def test_regularised_linear_regression_as_exercise_5_prints_it(strength: float) -> None:
    """J = 1/(2m) Σ (θᵀx − y)² + λ/(2m) Σ θⱼ², and its derivatives, summed in plain Python."""
    rng = np.random.default_rng(3)
    x, y, theta = rng.normal(15, 9, 12), rng.normal(10, 5, 12), np.array([[1.0, 1.0]])
    errors = [theta[0, 0] + theta[0, 1] * a - b for a, b in zip(x, y, strict=True)]
    m = len(errors)
    cost = math.fsum(e * e for e in errors) / (2 * m) + strength / (2 * m) * theta[0, 1] ** 2
    gradient = [
        math.fsum(errors) / m,
        math.fsum(e * a for e, a in zip(errors, x, strict=True)) / m + strength / m * theta[0, 1],
    ]
    net = Network.dense((1, 1), convention="ng-ml-2011", task="regression", l2=strength)
    X, Y = x[:, np.newaxis], y[:, np.newaxis]
    assert net.value({"Theta1": theta}, X, Y) == pytest.approx(cost, rel=1e-13)
    np.testing.assert_allclose(net.gradient({"Theta1": theta}, X, Y)["Theta1"], [gradient], rtol=1e-13)


def sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(("name", "divided"), [("nielsen", True), ("ng-ufldl", True), ("mazur", False)])
def test_a_squared_error_of_sigmoid_outputs(name: str, divided: bool) -> None:
    """½Σ‖y − a‖² of sigmoid outputs, over m where the source divides; δ = (a − y) a (1 − a)."""
    rng = np.random.default_rng(1)
    net = Network.dense((3, 4, 2), convention=name)
    params = moved_from_zero(net.init(rng))
    X, Y = rng.normal(size=(3, 5)), rng.random((2, 5))
    a1 = sigma(params["W1"] @ X + params["b1"])
    a2 = sigma(params["W2"] @ a1 + params["b2"])
    scale = 1 / 5 if divided else 1.0
    assert net.value(params, X, Y) == pytest.approx(scale * 0.5 * ((Y - a2) ** 2).sum(), rel=1e-13)
    delta2 = scale * (a2 - Y) * a2 * (1 - a2)
    delta1 = params["W2"].T @ delta2 * a1 * (1 - a1)
    expected = {"W1": delta1 @ X.T, "b1": delta1.sum(axis=1, keepdims=True)}
    expected |= {"W2": delta2 @ a1.T, "b2": delta2.sum(axis=1, keepdims=True)}
    for key, array in net.gradient(params, X, Y).items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shape", [(5,), (5, 1), (1, 5)])
def test_class_labels_of_sigmoid_outputs_are_one_hot(shape: tuple[int, ...]) -> None:
    net = Network.dense((3, 4, 3), convention="ng-ml-2011")
    params = net.init(np.random.default_rng(0))
    X, labels = inputs(net, 5, 3), np.array([0, 2, 1, 1, 0])
    for dtype in (int, float, np.uint8):  # an Octave file has doubles
        assert net.value(params, X, labels.reshape(shape).astype(dtype)) == net.value(params, X, np.eye(3)[labels])


def test_one_output_has_its_own_targets() -> None:
    net = Network.dense((3, 1), convention="ng-ml-2011", task="yes/no")
    params, X = net.init(np.random.default_rng(0)), inputs(net, 4, 3)
    assert net.value(params, X, [[0], [1], [1], [0]]) > 0
    with pytest.raises(
        ShapeError, match=r"Y has shape \(4,\), X has \(4, 1\) \(batch in rows\); reshape it to \(4, 1\)"
    ):
        net.value(params, X, [0, 1, 1, 0])


def test_curvature_and_blocks_have_the_factor() -> None:
    one, three = (Network.dense((3, 4, 2), activation="tanh", factor=c) for c in (1.0, 3.0))
    params, X, Y = one.init(np.random.default_rng(0)), inputs(one, 5, 3), [0, 1, 1, 0, 1]
    matrices = [gauss_newton(net.run(params, X, Y)).to_dense() for net in (one, three)]
    np.testing.assert_allclose(matrices[1], 3 * matrices[0], rtol=1e-13)
    whole, blocks = three.gradient(params, X, Y), three.gradient(params, X, Y, block=2)
    for name, array in one.gradient(params, X, Y).items():
        np.testing.assert_allclose(whole[name], 3 * array, rtol=1e-13, atol=1e-17)
        np.testing.assert_allclose(blocks[name], 3 * array, rtol=1e-12, atol=1e-17)


def test_a_slip_of_the_loss_is_named_whatever_the_factor() -> None:
    net = Network.dense((4, 3, 3), activation="tanh", loss=CrossEntropy(), factor=0.25)
    params, X, labels = net.init(np.random.default_rng(0)), inputs(net, 6, 4), np.array([0, 1, 1, 2, 0, 2])
    shifted = net.gradient(params, X, (labels + 1) % 3)
    assert diagnose(shifted, net, params, X, labels).causes[0].name == "class-off-by-one"
    without = net.replace(loss=net.loss.replace(factor=1.0)).gradient(params, X, labels)
    assert diagnose(without, net, params, X, labels).causes[0].title.startswith("4 times the right gradient")
    line = Network.dense((4, 3, 2), convention="ng-ml-2011", loss="squared_error")
    params, X, Y = line.init(np.random.default_rng(0)), inputs(line, 6, 4), np.random.default_rng(1).normal(size=(6, 2))
    no_targets = line.gradient(params, X, np.zeros_like(Y))
    assert diagnose(no_targets, line, params, X, Y).causes[0].name == "targets-missing"
    doubled = {name: 2 * array for name, array in line.gradient(params, X, Y).items()}
    assert diagnose(doubled, line, params, X, Y).causes[0].name == "factor-2"
