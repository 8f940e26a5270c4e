"""``jacobians check`` of course work, as its course saves it: right work passes, wrong work fails by its cause."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io

from jacobians.cli import main
from tests.cli import course_files as course


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def saved(arrays, name):
    if name.endswith(".mat"):
        scipy.io.savemat(name, arrays)
    else:
        np.savez(name, **arrays)
    return name


def check(capsys, arrays, *options, name="work.mat"):
    code = main(["check", saved(arrays, name), *options])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys, arrays, *options, name="work.npz"):
    code, out, err = check(capsys, arrays, *options, name=name)
    assert (code, out) == (2, "")
    return err


def without_ones(arrays):
    return arrays | {"X": arrays["X"][:, 1:]}


NG, DEEP, BIAS_TRICK = "ng-ml-2011", "ng-dlai", "cs231n-bias-trick"

RIGHT = {
    "ex1": (course.ng_linear(), NG, "regression (0.5 × squared_error)"),
    "ex1-without-ones": (without_ones(course.ng_linear()), NG, "regression (0.5 × squared_error)"),
    "ex1-with-its-rate": (course.ng_linear() | {"alpha": 0.01}, NG, "regression (0.5 × squared_error)"),
    "ex2": (course.ng_logistic(), NG, "yes/no (binary_cross_entropy)"),
    "ex2-reg": (course.ng_logistic(1.0), NG, "yes/no (binary_cross_entropy, λ = 1)"),
    "ex3": (course.ng_logistic(0.1), NG, "yes/no (binary_cross_entropy, λ = 0.1)"),
    "ex4": (course.ng_network(), NG, "classification (binary_cross_entropy, λ = 1)"),
    "ex4-packed": (course.octave_packed(course.ng_network()), NG, "classification (binary_cross_entropy, λ = 1)"),
    "ex5": (
        course.ng_linear(1.0) | {"lambda": np.array([[1.0]])},
        NG,
        "regression (0.5 × squared_error, λ = 1)",
    ),
    "two-layer-net": (course.cs231n_two_layer(), "cs231n", "classification (cross_entropy, λ = 0.1)"),
    "softmax": (course.cs231n_classifier("softmax"), BIAS_TRICK, "classification (cross_entropy, λ = 0.25)"),
    "svm": (course.cs231n_classifier("svm"), BIAS_TRICK, "margin (multiclass_hinge, λ = 0.25)"),
    "L-layer-net": (course.dlai_deep(), DEEP, "yes/no (binary_cross_entropy)"),
}


@pytest.mark.parametrize("suffix", [".mat", ".npz"])
@pytest.mark.parametrize("exercise", RIGHT)
def test_right_course_work_passes_with_no_option_but_the_convention(capsys, exercise, suffix):
    arrays, convention, said = RIGHT[exercise]
    code, out, _ = check(capsys, arrays, "--convention", convention, name=f"work{suffix}")
    assert out.splitlines()[0] == f"PASS: the gradient is right, as {convention}'s {said}"
    assert "gradient check: PASS" in out
    assert code == 0


WRONG = {
    "ex1-without-1/m": (course.ng_linear(factor=12.0), NG, "1/N is missing"),
    "ex1-twice": (course.ng_linear(factor=2.0), NG, "A factor 2 too much"),
    "ex5-bias": (
        course.ng_linear(1.0, regularise_bias=True) | {"lambda": np.array([[1.0]])},
        NG,
        "The bias is regularised.",
    ),
    "ex2-reg-forgotten": (course.ng_logistic(1.0, missing=True), NG, "regularis"),
    "ex2-reg-bias": (course.ng_logistic(1.0, bias=True), NG, "The bias is regularised."),
    "ex4-without-1/m": (course.ng_network(0.0, slip="count"), NG, "1/N is missing"),
    "ex4-sign": (course.ng_network(slip="sign"), NG, "The sign is wrong: factor −1"),
    "ex4-derivative": (course.ng_network(slip="derivative"), NG, "The derivative of sigmoid is missing in layer 1."),
    "ex4-bias": (course.ng_network(slip="bias"), NG, "The bias is regularised."),
    "two-layer-relu": (course.cs231n_two_layer(slip="relu"), "cs231n", "The derivative of relu is missing in layer 1."),
    "two-layer-double": (course.cs231n_two_layer(slip="double"), "cs231n", "regularis"),
    "two-layer-count": (course.cs231n_two_layer(0.0, slip="count"), "cs231n", "1/N is missing"),
    "softmax-half": (course.cs231n_classifier("softmax", half=True), BIAS_TRICK, "regularis"),
    "deep-count": (course.dlai_deep(slip="count"), DEEP, "1/N is missing"),
}


@pytest.mark.parametrize("exercise", WRONG)
def test_wrong_course_work_fails_and_says_why(capsys, exercise):
    arrays, convention, cause = WRONG[exercise]
    code, out, _ = check(capsys, arrays, "--convention", convention)
    print(out)
    assert out.startswith("FAIL: the gradient is wrong, as ")
    assert "gradient check: FAIL" in out
    assert cause in out
    assert code == 1
