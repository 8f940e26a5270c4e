"""What a gradient costs on a small batch: calls of the package's functions and of NumPy's, counted and not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

import jacobians
from jacobians import Convention, Network, all_conventions
from jacobians.operations import ACTIVATIONS
from jacobians.recording.tape import Tape
from tests.network.cases import DENSE_LOSSES, inputs, targets

PRESETS = all_conventions()
CLASSES, TRUTHS = np.array([0, 1, 2, 1, 0]), np.eye(3)[[0, 1, 2, 1, 0]]

# What version 0.1.0 made, for a net 4-10-3 of sigmoids with a cross-entropy and five examples; l2 is 0.1 where the
# preset has a regulariser. The last two presets are newer: they may take what others of their layout took.
PRESET_CALLS = {
    "ng-ml-2011": 57,
    "ng-ufldl": 56,
    "ng-dlai": 56,
    "cs229": 38,
    "cs231n": 55,
    "cs231n-2018-toy": 55,
    "cs231n-bias-trick": 57,
    "cs231n-notes": 56,
    "row-order": 39,
    "vecderivs-columns": 34,
    "vecderivs-rows": 33,
    "cs224n-columns": 38,
    "cs224n-rows": 37,
    "nielsen": 56,
    "mazur": 37,
    "pytorch": 37,
    "pytorch-mse": 37,
    "keras": 55,
    "keras-mse": 55,
    "flax": 37,
    "equinox": 37,
    "sklearn-mlp": 55,
    "matlab": 38,
}
ACTIVATION_CALLS = {"sigmoid": 37, "tanh": 35, "relu": 30, "leaky_relu": 33, "softplus": 41, "gelu": 113, "silu": 50}
LOSS_CALLS = {
    "cross_entropy": 37,
    "binary_cross_entropy": 39,
    "logistic_loss": 39,
    "multiclass_hinge": 42,
    "squared_error": 27,
}
TARGETS = {"cross_entropy": CLASSES, "multiclass_hinge": CLASSES, "logistic_loss": 2 * TRUTHS - 1}


def package_calls(function: Callable[[], object]) -> int:
    """How many of the package's own functions one call runs."""
    package, count = str(Path(jacobians.__file__).parent), 0

    def count_calls(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(package)

    sys.setprofile(count_calls)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_a_gradient_takes_few_calls(preset: Convention) -> None:
    """On small batches the time goes into Python's calls: 255 of them in version 0.1.0."""
    net = Network.dense((4, 10, 3), convention=preset)
    params, X, Y = net.init(np.random.default_rng(0)), inputs(net, 5, 4), targets(net.loss.name, net.layout, 5, 3)
    net.gradient(params, X, Y)  # the first call also loads and remembers
    assert 0 < package_calls(lambda: net.gradient(params, X, Y)) <= 138


def numpy_calls(net: Network, targets: np.ndarray) -> int:
    """How many calls of NumPy that compute one gradient makes; views are none.

    One look at all of the gradient for NaN and infinity, which version 0.1.0 did not take, is not counted.
    """
    tape = Tape()
    params = {name: tape.argument(array) for name, array in net.init(np.random.default_rng(0)).items()}
    net.gradient(params, tape.argument(inputs(net, 5, 4)), tape.argument(targets))  # type: ignore[arg-type]
    looks = [call for call in tape.calls if call.writes is None and len(call.operands) == len(params)]
    assert len(looks) == 1
    return len(tape.calls) - 1


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_a_gradient_in_any_convention_takes_no_more_calls_of_numpy(preset: Convention) -> None:
    net = Network.dense(
        (4, 10, 3),
        activation="sigmoid",
        loss="cross_entropy",
        convention=preset,
        l2=0.1 if preset.l2 else 0.0,
    )
    assert 0 < numpy_calls(net, CLASSES) <= PRESET_CALLS[preset.name]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_gradient_of_any_activation_takes_no_more_calls_of_numpy(activation: str) -> None:
    assert 0 < numpy_calls(Network.dense((4, 10, 3), activation=activation), CLASSES) <= ACTIVATION_CALLS[activation]


@pytest.mark.parametrize("loss", DENSE_LOSSES)
def test_a_gradient_of_any_loss_takes_no_more_calls_of_numpy(loss: str) -> None:
    assert (
        0
        < numpy_calls(Network.dense((4, 10, 3), activation="sigmoid", loss=loss), TARGETS.get(loss, TRUTHS))
        <= LOSS_CALLS[loss]
    )


def test_one_more_call_of_numpy_is_counted() -> None:
    class Wasteful(Network):
        def gradient(self, params, X, Y, **options):  # type: ignore[no-untyped-def,override]
            return super().gradient(params, X + 0, Y, **options)

    assert numpy_calls(Wasteful.dense((4, 10, 3)), CLASSES) == numpy_calls(Network.dense((4, 10, 3)), CLASSES) + 1
