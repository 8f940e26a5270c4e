"""A thin slice of the figures, so that a change that lets a bug through, alarms falsely or misnames is seen at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tests.figures import detection, diagnosis, false_alarms, hidden_gradients, orders
from tests.figures.backprop import ACTIVATIONS, LOSSES
from tests.figures.bugs import BUGS
from tests.figures.cases import CONVENTIONS, Case, cases, one_of_each
from tests.figures.diagnosis import network_of, network_targets
from tests.figures.equivalence import changes_nothing
from tests.figures.problems import make_problem
from tests.figures.stateful import hand_written


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_hand_written_gradient_is_the_librarys(convention):
    for layers, activation, loss in itertools.product((2, 3), ACTIVATIONS, LOSSES):
        problem = make_problem(convention, layers, activation, loss)
        net = network_of(problem)
        value, gradient = net.fun_and_grad(problem.X, network_targets(problem))(problem.theta)
        fun, grad = hand_written(problem)
        np.testing.assert_allclose(fun(problem.theta), value, rtol=1e-13)
        np.testing.assert_allclose(grad(problem.theta), gradient, rtol=0, atol=1e-13 * np.abs(gradient).max())


def test_the_number_of_bugs_is_the_documents():
    text = (Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8")
    assert f"library: {len(BUGS)} slips × " in text


def test_every_bug_changes_the_gradient_somewhere():
    chosen = [case for case in cases() if not case.bug.stateful and case.scale == 1.0]
    seen: set[str] = set()
    for case in chosen:
        if case.bug.name not in seen and not changes_nothing(case.problem(), case.bug.slip, case.layer):
            seen.add(case.bug.name)
    silent = {case.bug.name for case in chosen} - seen
    assert {name.split()[-1] for name in silent} <= {"(one)", "(single)"}, "equivalent at every setting"


def check_detection(chosen: Iterable[Case], least: int) -> None:
    result = detection.measure(chosen=chosen)
    assert not [line for line in result["notable"] if not line.startswith("inconclusive")]
    assert all(sum(counts.values()) >= least for counts in result["families"].values())


def test_detection_misses_nothing():
    check_detection(itertools.islice(one_of_each(), 1, None, 5), 1)


@pytest.mark.slow
def test_detection_misses_none_of_the_catalogue():
    check_detection(one_of_each(), 3)


@pytest.mark.parametrize(
    "named",
    [
        # one central difference for each of 467 entries, and the first band of steps, saw errors from 2e-2 on only
        "inputs-float32 (wide): sklearn-mlp, 3 layers, sigmoid, binary_cross_entropy, loss × 1e+06, λ = 0.1, seed 1018",
        # 4096 examples have a kink near every step; one 1e-4 away was taken to explain what differs at steps of 3e-5
        "float32-sum-stalls (long) in layer 2: ng-dlai, 3 layers, relu, binary_cross_entropy, "
        "loss × 1, λ = 0.1, seed 1791",
    ],
)
def test_what_was_missed_once_is_caught(named):
    (case,) = (case for case in cases() if str(case) == named)
    assert detection.outcome(case) == ("caught", "")


def test_what_a_precise_band_sees_is_not_confirmed_by_a_coarse_one():
    """1e-9 of the gradient's norm: the usual steps saw it, and then smaller ones, which resolve 5e-9, confirmed it."""
    (bug,) = (bug for bug in BUGS if bug.name == "inputs-float32")
    case = Case(bug, "sklearn-mlp", 3, "sigmoid", "binary_cross_entropy", 1.0, 0, seed=9124)
    assert detection.outcome(case) == ("caught", "")


def test_no_gradient_hides():
    result = hidden_gradients.measure(quick=True)
    assert result["notable"] == []
    assert len(result["counts"]) == 7


def test_no_false_alarm():
    result = false_alarms.measure(quick=True)
    assert result["alarms"] == []
    assert result["unseen"] <= 1e-3 * result["smooth"]


def test_diagnosis_reaches_its_goals():
    result = diagnosis.measure(quick=True)
    first, third, wrong = diagnosis.shares(result)
    assert first >= diagnosis.FIRST
    assert third >= diagnosis.THIRD
    assert wrong <= diagnosis.WRONG, result["notable"]


def check_orders(*, quick: bool) -> None:
    for name, own in orders.measure(quick=quick).items():
        assert own["best"] <= min(own["forward"], own["reverse"]), name
        assert own["off"] < 1e-12, name


def test_the_plan_multiplies_no_more_than_forward_or_reverse():
    check_orders(quick=True)


@pytest.mark.slow
def test_nor_on_the_larger_graphs():
    check_orders(quick=False)
