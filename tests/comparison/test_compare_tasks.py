"""One objective for all conventions: the first one's task, each in its own factor, reduction and names."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import all_conventions, convention
from jacobians.comparison import Comparison, compare
from jacobians.errors import LayoutError
from jacobians.operations import LOSSES

NAMES = [preset.name for preset in all_conventions()]
RNG = np.random.default_rng(0)
X, LABELS, TARGETS = RNG.normal(size=(4, 3)), np.array([0, 1, 1, 0]), RNG.normal(size=(4, 2))


def compared(first: str, task: str | None, others: list[str]) -> Comparison:
    loss = convention(first).task_for(task).loss
    Y = TARGETS if LOSSES[loss].takes == "reals" else LABELS
    return compare([first, *others], X, Y, sizes=(3, 2, 2), task=task, seed=1)


def check_all_pairs(first: str, task: str | None) -> None:
    """The first against every other preset: one gradient, and each has the loss of the task and its own factor."""
    result = compared(first, task, [name for name in NAMES if name != first])
    assert result.agree
    objective = convention(first).task_for(task)
    for side in result.sides:
        own = side.convention.task_of(objective.loss)
        assert side.network.loss.name == objective.loss
        assert side.network.loss.factor == (1.0 if own is None else own.factor)
    noted = [note.split()[3] for note in result.notes]
    assert first not in noted
    assert len(set(noted)) == len(noted)
    assert not [name for name in noted if not convention(name).tasks]


@pytest.mark.parametrize(
    ("first", "task"),
    [("ng-ml-2011", "regression"), ("ng-dlai", "yes/no"), ("cs231n", "margin"), ("nielsen", None), ("flax", None)],
)
def test_any_task_is_compared_with_every_preset(first: str, task: str | None) -> None:
    check_all_pairs(first, task)


@pytest.mark.slow
@pytest.mark.parametrize("first", NAMES)
def test_every_task_of_every_preset_is_compared_with_every_preset(first: str) -> None:
    for task in convention(first).tasks or [None]:
        check_all_pairs(first, task)


def test_another_loss_of_a_source_is_said_in_one_sentence() -> None:
    result = compared("nielsen", None, ["cs231n", "mazur", "row-order"])
    assert result.notes == (
        "The source of cs231n would take cross_entropy for classification; here it takes squared_error of sigmoid "
        "outputs, as nielsen.",
    )
    assert [side.network.loss.factor for side in result.sides] == [0.5, 1.0, 0.5, 1.0]
    assert [side.network.loss.reduction for side in result.sides] == ["mean", "mean", "sum", "mean"]


def test_a_source_s_own_reduction_of_a_task_is_kept() -> None:
    result = compared("cs229", "regression", ["keras", "sklearn-mlp"])
    assert [side.network.loss.reduction for side in result.sides] == ["sum", "mean-all", "mean"]
    assert [side.network.loss.factor for side in result.sides] == [0.5, 1.0, 0.5]
    # of Σ½e², Σe²/(N K) and Σ½e²/N over 4 examples with 2 outputs
    assert result.ratios == pytest.approx((1.0, 4.0, 4.0))
    assert result.notes == ()


@pytest.mark.parametrize(
    ("names", "fix"),
    [
        (["cs231n", "ng-ml-2011"], "'classification', 'margin', or name a loss; or put ng-ml-2011 first, whose source"),
        (["cs231n", "ng-dlai"], "choose from 'classification', 'margin', or name a loss$"),
        (["flax", "cs231n"], "flax has no task 'regression'; it fixes none: name a loss$"),
    ],
)
def test_a_task_that_the_first_source_lacks_is_an_error_with_the_fix(names: list[str], fix: str) -> None:
    with pytest.raises(LayoutError, match=fix):
        compare(names, X, TARGETS, sizes=(3, 2), task="regression")


def test_gradients_are_called_as_their_conventions_call_them() -> None:
    result = compared("ng-ml-2011", None, ["cs231n", "vecderivs-rows"])
    frames = [[(d.frame, d.parameter, d.gradient) for d in found] for found in result.differences]
    assert frames[0] == [("ng-ml-2011", f"Theta{layer}", f"Theta{layer}_grad") for layer in (1, 2)]
    assert frames[1] == [("vecderivs-rows", f"W{layer}", f"dW{layer}") for layer in (1, 2)]
