"""Right course work passes in float64, in float32 and printed; wrong work never does, and its slip is named first."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.file_verdict import Objective, verdict_on
from jacobians.presets import convention
from tests.cli.course_nets import exercise

EXERCISES = (
    *("ex1", "ex2", "ex2 reg", "ex3", "ex4", "ex5", "cs231n softmax", "cs231n hinge", "cs231n", "cs231n dicts"),
    *("dlai", "dlai classes", "sklearn", "sklearn reals", "nielsen", "torch", "torch reals"),
)


def is_gradient(name: str) -> bool:
    return "grad" in name or name.startswith(("d", "nabla"))


def printed(file):
    return {
        name: np.vectorize(lambda number: float(f"{number:.7g}"))(array) if is_gradient(name) else array
        for name, array in file.items()
    }


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *((name, "float64") for name in EXERCISES),
        *((name, "float32") for name in EXERCISES[::2]),
        *(pytest.param(name, "float32", marks=pytest.mark.slow) for name in EXERCISES[1::2]),
        *((name, "printed") for name in ("ex1", "ex4", "cs231n", "dlai classes")),
    ],
)
def test_right_work_passes(name, kept):
    owner, file = exercise(name, dtype=np.float32 if kept == "float32" else np.float64)
    found = verdict_on(printed(file) if kept == "printed" else file, convention(owner))
    assert found.verdict == "pass", str(found)
    notes = " ".join(found.notes)
    assert ("float32: up to" in notes) == (kept == "float32")
    assert ("half a unit" in notes) == (kept == "printed")


WRONG = (
    ("ex1", "no 1/m", "missing-1/N"),
    ("ex1", "after the step", "parameters-for-gradient"),
    ("ex2", "exchanged", "classes-exchanged"),
    ("ex2 reg", "bias regularised", "bias-regularised"),
    ("ex3", "reg twice", "regulariser-doubled"),
    ("ex4", "slope forgotten", "missing-activation-derivative"),
    ("ex5", "half", "factor-half"),
    ("cs231n softmax", "softmax axis", "softmax-axis"),
    ("cs231n hinge", "true class once", "true-class-once"),
    ("cs231n hinge", "reg forgotten", "regulariser-missing"),
    ("cs231n dicts", "reg sign", "regulariser-sign"),
    ("dlai classes", "db mean", "bias-averaged"),
    ("torch", "sign", "sign"),
)


@pytest.mark.parametrize(("name", "slip", "cause"), WRONG)
def test_wrong_work_fails_by_its_slip(name, slip, cause):
    owner, file = exercise(name, slip)
    found = verdict_on(file, convention(owner))
    assert found.verdict == "fail"
    assert found.diagnosis is not None
    assert found.diagnosis.causes[0].name == cause, str(found)


@pytest.mark.parametrize(("name", "slip"), [("cs231n", "db1 = 99"), ("ex3", "bias regularised"), ("ex4", "half")])
def test_float32_excuses_no_slip(name, slip):
    owner, file = exercise(name, slip, dtype=np.float32)
    assert verdict_on(file, convention(owner)).verdict == "fail"


def test_float32_excuses_no_more_than_rounding():
    owner, file = exercise("ex2", dtype=np.float32)
    assert verdict_on(file, convention(owner))
    file["grad"][1] *= np.float32(1 + 1e-4)
    assert not verdict_on(file, convention(owner))
    wide = exercise("ex2")[1]
    wide["grad"] = wide["grad"].astype(np.float32).astype(np.float64)
    assert not verdict_on(wide, convention(owner))


def test_what_a_narrow_dtype_cannot_tell_is_undecided():
    owner, file = exercise("ex1", dtype=np.float32)
    X, theta = file["X"], file["theta"]
    file["y"] = X @ theta + np.float32(1e-7)  # at the minimum but for what float32 rounds
    file["grad"] = X.T @ (X @ theta - file["y"]) / np.float32(len(X))
    found = verdict_on(file, convention(owner))
    assert found.verdict == "undecided"
    assert "float32 is too narrow to tell" in found.headline


def test_a_regulariser_below_the_rounding_is_undecided():
    owner, file = exercise("ex2 reg", dtype=np.float32)
    file["lambda"] = np.array([[1e-7]])
    file["grad"] = exercise("ex2", dtype=np.float32)[1]["grad"]
    found = verdict_on(file, convention(owner))
    assert found.verdict == "undecided"
    assert "rounding may be as large as the regulariser's part" in found.headline


def test_float16_is_read_as_it_is():
    owner, file = exercise("ex2")
    file["grad"] = file["grad"].astype(np.float16)
    found = verdict_on(file, convention(owner))
    assert found.verdict in ("pass", "undecided")
    assert "float16" in found.headline + " ".join(found.notes)
    file["grad"] = file["grad"] / 2
    assert verdict_on(file, convention(owner)).verdict == "fail"


def test_the_ratio_of_a_float32_gradient_is_named_as_the_slip():
    owner, file = exercise("ex1", "no 1/m", dtype=np.float32)
    found = verdict_on(file, convention(owner))
    assert found.diagnosis is not None
    assert found.diagnosis.causes[0].name == "missing-1/N"


@pytest.mark.parametrize(("name", "slip", "cause"), [("ex1", "half", "factor-half"), ("ex3", "sign", "sign")])
def test_the_slip_of_a_printed_gradient_is_named(name, slip, cause):
    owner, file = exercise(name, slip)
    found = verdict_on(printed(file), convention(owner))
    assert found.verdict == "fail"
    assert found.diagnosis is not None
    assert found.diagnosis.causes[0].name == cause


@pytest.mark.parametrize(("no", "yes"), [(1, 2), (-1, 1)])
def test_two_labels_of_one_output_are_read_as_no_and_yes(no, yes):
    owner, file = exercise("ex2")
    file["y"] = np.where(file["y"] > 0, yes, no)
    found = verdict_on(file, convention(owner))
    assert found.verdict == "pass"
    assert f"the labels {no} and {yes} of y are read as 0 and 1" in found.notes


@pytest.mark.parametrize("name", ["ex2", "ex3", "ex4"])
def test_a_forgotten_sigmoid_is_no_regression(name):
    owner, file = exercise(name, "sigmoid forgotten")
    found = verdict_on(file, convention(owner))
    assert found.verdict == "undecided"
    assert "was the sigmoid forgotten?" in found.headline
    assert "--task regression" in found.headline
    assert verdict_on(file, convention(owner), Objective(task="regression"))
