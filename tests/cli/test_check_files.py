"""``jacobians check`` of course work, as its course saves it: right work passes, wrong work fails by its cause."""

from __future__ import annotations

import json
import re

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
    assert "--json" in options or max(map(len, captured.out.splitlines()), default=0) <= 80
    return code, re.sub(r"\n  (?=\S)", " ", captured.out), captured.err


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


@pytest.mark.parametrize(
    ("exercise", "suffix"),
    [
        # every day one kind of file, the other one for the next exercise
        pytest.param(exercise, suffix, marks=[pytest.mark.slow] if (place + turn) % 2 else [])
        for place, exercise in enumerate(RIGHT)
        for turn, suffix in enumerate((".mat", ".npz"))
    ],
)
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


NAMED_ELSEWHERE = (
    "ex1-twice",
    "ex5-bias",
    "ex2-reg-bias",
    "ex4-without-1/m",
    "ex4-bias",
    "two-layer-count",
    "deep-count",
)
"""Slips whose like is here, and which the tests of the diagnosis name every day."""


@pytest.mark.parametrize(
    "exercise", [pytest.param(name, marks=[pytest.mark.slow] if name in NAMED_ELSEWHERE else []) for name in WRONG]
)
def test_wrong_course_work_fails_and_says_why(capsys, exercise):
    arrays, convention, cause = WRONG[exercise]
    code, out, _ = check(capsys, arrays, "--convention", convention)
    print(out)
    assert out.startswith("FAIL: the gradient is wrong, as ")
    assert "gradient check: FAIL" in out
    assert cause in out
    assert code == 1


# λ, labels, activations: what is told, and never chosen


def test_a_strength_that_is_not_given_is_only_told(capsys):
    arrays = course.ng_network()
    arrays.pop("lambda")
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert out.startswith("UNDECIDED: the gradient is right with --l2 1, and wrong without, as ng-ml-2011's")
    assert code == 1
    assert check(capsys, arrays, "--convention", NG, "--l2", "1")[0] == 0


def test_another_strength_than_the_files_is_wrong(capsys):
    arrays = course.ng_logistic(1.0) | {"lambda": np.array([[3.0]])}
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert out.startswith(
        "FAIL: the gradient is wrong, as ng-ml-2011's yes/no (binary_cross_entropy, λ = 3); it is right"
    )
    assert "with\n  --l2 1" in out or "with --l2 1" in out
    assert code == 1


def test_a_negative_strength_is_never_told(capsys):
    arrays = course.ng_logistic(1.0)
    arrays["grad"] = arrays["grad"] - 2 / 30 * np.r_[[[0.0]], arrays["theta"][1:]]
    arrays.pop("lambda")
    _, out, _ = check(capsys, arrays, "--convention", NG)
    assert out.startswith("FAIL: ")
    assert "--l2" not in out


def test_alpha_is_a_strength_where_it_is_no_rate(capsys):
    arrays = course.cs231n_two_layer()
    arrays["alpha"] = arrays.pop("reg")
    code, out, _ = check(capsys, arrays, "--convention", "cs231n")
    assert "λ = 0.1" in out.splitlines()[0]
    assert code == 0


def labelled(*labels):
    return np.array([labels[place % len(labels)] for place in range(16)], dtype=float)[:, None]


def test_a_label_k_of_k_classes_is_counted_from_one(capsys):
    code, out, _ = check(capsys, course.ng_network(labels=labelled(2, 3, 3)), "--convention", NG)
    assert code == 0
    assert "note: the labels 1 … 3 of y are read as classes 0 … 2" in out
    arrays = course.cs231n_two_layer() | {"y": course.cs231n_two_layer()["y"] + 1}
    code, out, _ = check(capsys, arrays, "--convention", "cs231n")
    assert code == 0
    assert "note: the labels 1 … 3 of y are read as classes 0 … 2" in out


def test_a_label_zero_is_counted_from_zero(capsys):
    arrays = course.ng_network(labels=labelled(1, 2, 1, 3))
    code, out, _ = check(capsys, arrays | {"y": arrays["y"] - 1}, "--convention", NG)
    assert code == 0
    assert "note: the labels of y are counted from 0" in out


def test_labels_that_tell_nothing_are_read_as_the_convention_counts_and_it_is_said(capsys):
    arrays = course.ng_network(labels=labelled(1, 2, 2))
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert code == 0
    assert "y holds neither 0 nor 3: it is read as counted from 1; --first-label N says it" in out
    shifted = course.ng_network(labels=labelled(2, 3, 3)) | {"y": labelled(1, 2, 2)}
    code, out, _ = check(capsys, shifted, "--convention", NG)
    assert out.startswith("UNDECIDED: the gradient is right with --first-label 0, and wrong without")
    assert code == 1
    assert check(capsys, shifted, "--convention", NG, "--first-label", "0")[0] == 0
    assert check(capsys, arrays, "--convention", NG, "--first-label", "0")[0] == 1


def test_labels_beyond_both_counts_are_refused(capsys):
    arrays = course.ng_network()
    said = "y holds labels from 0 to 3, and there are 3 classes: expected 0 … 2, or 1 … 3"
    assert said in refused(capsys, arrays | {"y": labelled(0, 3, 1)}, "--convention", NG)
    said = "y holds the label 3: it is not counted from 0"
    assert said in refused(capsys, arrays, "--convention", NG, "--first-label", "0")


def test_labels_shifted_by_one_are_the_cause(capsys):
    arrays = course.ng_network(0.0, slip="labels", labels=labelled(1, 2, 2))
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert code == 1
    assert not out.startswith("PASS")


def test_another_hidden_activation_is_told(capsys):
    arrays = course.cs231n_two_layer()
    code, out, _ = check(capsys, arrays, "--convention", "cs231n", "--activation", "tanh")
    assert out.startswith("FAIL")
    assert code == 1
    arrays = course.cs231n_two_layer(activation="tanh")
    code, out, _ = check(capsys, arrays, "--convention", "cs231n")
    assert out.startswith("UNDECIDED: the gradient is right with --activation tanh, and wrong without")
    assert code == 1


# which arrays: none is thrown away, and every bias counts


@pytest.mark.parametrize(
    ("shape", "options"), [((-1,), ()), ((1, -1), ("--convention", "cs231n")), ((-1, 1), ("--convention", "cs231n"))]
)
def test_biases_of_every_shape_are_checked(capsys, shape, options):
    arrays = course.cs231n_two_layer()
    biases = [name for name in arrays if name.lstrip("d").startswith("b")]
    assert biases == ["b1", "b2", "db1", "db2"]
    arrays |= {name: arrays[name].reshape(shape) for name in biases}
    assert check(capsys, arrays, *options, name="work.npz")[0] == 0
    wrong = arrays | {"db1": arrays["db1"] * 0 + 99, "db2": arrays["db2"] * 0 - 7}
    code, out, _ = check(capsys, wrong, *options, name="work.npz")
    assert out.startswith("FAIL: ")
    assert code == 1


def test_a_bias_is_never_thrown_away_to_make_the_file_fit(capsys):
    arrays = course.cs231n_two_layer()
    err = refused(capsys, arrays | {"b1": np.ones(5)})
    assert "b1 has shape (5,); W1 (6, 7) has 7 nodes as cs231n keeps it: expected (7,), (1, 7) or (7, 1)" in err
    err = refused(capsys, arrays, "--convention", "vecderivs-rows")
    assert "b1 (7,), b2 (3,), db1 (7,), db2 (3,): not used; vecderivs-rows has no bias." in err
    del arrays["b2"], arrays["db2"]
    assert "no bias b2 beside W2" in refused(capsys, arrays, "--convention", "cs231n")


@pytest.mark.parametrize("name", ["extra", "W1", "X2", "db1"])
def test_an_array_that_is_not_used_is_an_error(capsys, name):
    err = refused(capsys, course.ng_network() | {name: np.ones((2, 3))}, "--convention", NG)
    assert f"{name} (2, 3): not used; ng-ml-2011" in err
    assert f"begin the name with _, as in _{name}" in err


def test_a_cost_and_names_with_an_underscore_are_left_alone(capsys):
    arrays = course.ng_network() | {"J": np.ones(1), "cost": np.ones(9), "_extra": np.ones((2, 3))}
    assert check(capsys, arrays, "--convention", NG, name="work.npz")[0] == 0


def test_what_is_there_twice_must_agree(capsys):
    arrays = course.ng_network()
    both = arrays | course.octave_packed(arrays)
    assert check(capsys, both, "--convention", NG)[0] == 0
    err = refused(capsys, both | {"nn_params": both["nn_params"] + 1}, "--convention", NG)
    assert "nn_params is not Theta1, Theta2 as ng-ml-2011 packs them; leave one of the two out" in err
    err = refused(capsys, both | {"grad": both["grad"][::-1]}, "--convention", NG)
    assert "grad is not the gradient per parameter as ng-ml-2011 packs it" in err


def test_arrays_in_dicts_are_found(capsys):
    arrays = course.cs231n_two_layer()
    dicts = {}
    for name, array in arrays.items():
        prefix = "params." if name[0] in "Wb" else "grads." if name[0] == "d" else ""
        dicts[prefix + (name[1:] if name[0] == "d" else name)] = array
    assert "grads.W1" in dicts
    assert check(capsys, dicts, "--convention", "cs231n", name="work.npz")[0] == 0


def test_lists_of_scikit_learn_are_found(capsys):
    arrays = course.cs231n_two_layer(0.0)
    arrays.pop("reg")
    lists = {"X": arrays["X"], "y": arrays["y"], "alpha": np.array(0.0)}
    for layer in (1, 2):
        lists |= {f"coefs_{layer - 1}": arrays[f"W{layer}"], f"intercepts_{layer - 1}": arrays[f"b{layer}"]}
        lists |= {f"coefs_{layer - 1}_grad": arrays[f"dW{layer}"], f"intercepts_{layer - 1}_grad": arrays[f"db{layer}"]}
    code, out, _ = check(capsys, lists, "--convention", "sklearn-mlp", name="work.npz")
    assert out.startswith("PASS: the gradient is right, as sklearn-mlp's classification")
    assert code == 0


def test_the_sizes_of_a_packed_network_are_asked_for_where_nothing_tells_them(capsys):
    arrays = course.octave_packed(course.ng_network(labels=labelled(1, 2, 2)))
    err = refused(capsys, arrays, "--convention", NG)
    assert "nn_params packs 39 parameters" in err
    assert "--sizes 400,25,10" in err
    code, out, _ = check(capsys, arrays, "--convention", NG, "--sizes", "5,4,3")
    assert "note: nn_params is read as Theta1 4×6, Theta2 3×5" in out
    assert code == 0
    told = arrays | {"hidden_layer_size": np.array([[4]]), "num_labels": np.array([[3]])}
    assert check(capsys, told, "--convention", NG)[0] == 0


def test_a_column_of_ones_at_the_wrong_end_is_named(capsys):
    arrays = course.ng_linear()
    err = refused(capsys, arrays | {"X": arrays["X"][:, ::-1]}, "--convention", NG)
    assert "theta packs 2 parameters: one for each feature of X (12, 2), whose first column is not all ones" in err


def test_without_a_convention_none_is_chosen_by_the_gradient(capsys):
    arrays = course.cs231n_two_layer(0.1, slip="double")
    code, out, _ = check(capsys, arrays)
    assert out.startswith("UNDECIDED: the gradient is wrong as cs231n's classification")
    assert "--convention cs231n-2018-toy" in out
    assert code == 1


def test_a_task_is_named_and_a_missing_one_refused(capsys):
    assert check(capsys, course.ng_logistic(), "--convention", NG, "--task", "yes/no")[0] == 0
    assert check(capsys, course.ng_logistic(), "--convention", NG, "--task", "regression")[0] == 1
    assert "the source of ng-ml-2011 has no task 'margin'" in refused(
        capsys, course.ng_logistic(), "--convention", NG, "--task", "margin"
    )


def test_two_tasks_that_fit_are_asked_about(capsys):
    # every class as often as the others, at W = 0: both losses have the gradient 0
    W = np.zeros((5, 3))
    arrays = {"X": np.c_[np.zeros((6, 4)), np.ones(6)], "y": np.arange(6) % 3, "W": W, "dW": W}
    code, out, _ = check(capsys, arrays, "--convention", BIAS_TRICK)
    assert out.startswith("UNDECIDED: the gradient is right as cs231n-bias-trick's classification")
    assert "--task classification or --task margin" in " ".join(out.split())
    assert code == 1


# numbers with few digits


def digits(arrays, text):
    shown = np.array([float(text % number) for number in arrays["grad"].ravel()])
    return arrays | {"grad": shown.reshape(arrays["grad"].shape)}


@pytest.mark.parametrize("text", ["%.6f", "%.6g", "%.7g", "%.4e"])
def test_printed_numbers_pass_within_half_a_unit(capsys, text):
    arrays = digits(course.ng_logistic(1.0), text)
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert code == 0
    assert "note: the given numbers have at most" in out
    assert "half a unit of the last" in out
    arrays["grad"][2] += 10.0 ** -int(text[2]) * (
        1 if text[3] == "f" else 10 ** np.floor(np.log10(abs(arrays["grad"][2])))
    )
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert out.startswith("FAIL")
    assert code == 1


def test_too_few_digits_are_no_pass(capsys):
    for text in ("%.2f", "%.2g"):
        code, out, _ = check(capsys, digits(course.ng_logistic(1.0), text), "--convention", NG)
        assert "digits are too few to tell" in " ".join(out.split())
        assert out.startswith("UNDECIDED: ")
        assert code == 1


def test_the_published_gradient_of_exercise_5(capsys):
    # ex5.m prints both numbers, for theta = (1, 1) and λ = 1 on ex5data1, whose 12 examples are in the course's file
    water = np.array([-15.93675813, -29.15297922, 36.18954863, 37.49218733, -48.05882945, -8.94145794, 15.30779289])
    water = np.r_[water, -34.70626581, 1.38915437, -44.38375985, 7.01350208, 22.76274892]
    out_flow = np.array([2.13431051, 1.17325668, 34.35910918, 36.83795516, 2.80896507, 2.12107248, 14.71026831])
    out_flow = np.r_[out_flow, 2.61418439, 3.74017167, 3.73169131, 7.62765885, 22.7524283]
    arrays = {"X": water[:, None], "y": out_flow[:, None], "theta": np.ones((2, 1)), "lambda": np.array([[1.0]])}
    code, out, _ = check(capsys, arrays | {"grad": np.array([[-15.303016], [598.250744]])}, "--convention", NG)
    assert out.startswith("PASS: the gradient is right, as ng-ml-2011's regression (0.5 × squared_error, λ = 1)")
    assert code == 0
    code, out, _ = check(capsys, arrays | {"grad": np.array([[-15.303017], [598.250744]])}, "--convention", NG)
    assert out.startswith("FAIL")
    assert code == 1


def test_json_holds_the_verdict(capsys):
    _, out, _ = check(capsys, course.ng_network(), "--convention", NG, "--json")
    found = json.loads(out)
    assert (found["verdict"], found["convention"], found["task"]) == ("pass", NG, "classification")
    assert found["check"]["verdict"] == "pass"
    assert found["diagnosis"] is None


@pytest.mark.parametrize("name", ["X", "y", "W1", "b2", "reg"])
def test_entries_that_are_not_finite_are_named(capsys, name):
    arrays = {own: array * 1.0 for own, array in course.cs231n_two_layer().items()}
    arrays[name] = np.array(arrays[name])
    arrays[name].flat[-1] = np.nan
    place = ", ".join(str(size - 1) for size in arrays[name].shape)
    said = f"work.npz: {name}[{place}] is nan" if place else f"work.npz: {name} is nan"
    assert said in refused(capsys, arrays, "--convention", "cs231n")


def test_a_gradient_that_is_not_finite_is_wrong(capsys):
    arrays = course.ng_logistic()
    arrays["grad"][2] = np.inf
    code, out, _ = check(capsys, arrays, "--convention", NG)
    assert out.startswith("FAIL")
    assert "Theta1[0, 2]" in out
    assert code == 1


def test_sizes_that_differ_from_the_weights_are_refused(capsys):
    arrays = course.ng_network()
    err = refused(capsys, arrays, "--convention", NG, "--sizes", "5,6,3")
    assert "work.npz holds a 5-4-3 network, and --sizes says 5-6-3; leave --sizes out" in err
    err = refused(capsys, course.octave_packed(arrays), "--convention", NG, "--sizes", "5,6,3")
    assert "nn_params packs 39 parameters, and ng-ml-2011 packs 57 of a 5-6-3 network" in err


# dicts and lists in files


def test_structs_of_parameters_and_gradients_are_read(capsys):
    arrays = course.cs231n_two_layer()
    file = {
        "X": arrays["X"],
        "y": arrays["y"],
        "reg": arrays["reg"],
        "params": {name: arrays[name] for name in ("W1", "b1", "W2", "b2")},
        "grads": {name[1:]: array for name, array in arrays.items() if name[0] == "d"},
    }
    code, out, _ = check(capsys, file, "--convention", "cs231n", name="work.mat")
    assert out.startswith("PASS: the gradient is right, as cs231n's classification (cross_entropy, λ = 0.1)")
    assert code == 0


def test_cells_of_coefficients_are_read(capsys):
    arrays = course.cs231n_two_layer(0.0)
    cells = {name: np.empty(2, dtype=object) for name in ("coefs_", "intercepts_")}
    for layer in (0, 1):
        cells["coefs_"][layer], cells["intercepts_"][layer] = arrays[f"W{layer + 1}"], arrays[f"b{layer + 1}"]
    grads = {f"W{layer}_grad": arrays[f"dW{layer}"] for layer in (1, 2)}
    grads |= {f"b{layer}_grad": arrays[f"db{layer}"] for layer in (1, 2)}
    file = {"X": arrays["X"], "y": arrays["y"], **cells, **grads}
    assert check(capsys, file, "--convention", "sklearn-mlp", name="work.mat")[0] == 0


def test_pickled_dicts_and_lists_are_refused_with_the_fix(capsys):
    arrays = course.cs231n_two_layer()
    params = np.array({name: arrays[name] for name in ("W1", "b1", "W2", "b2")}, dtype=object)
    err = refused(capsys, {"X": arrays["X"], "params": params})
    assert "params in work.npz holds pickled Python objects" in err
    assert "numpy.savez(FILE, X=X, y=y, **params)" in err
    coefs = np.empty(2, dtype=object)
    coefs[:] = [arrays["W1"], arrays["W2"]]
    assert "each array of a list by its own name, such as W1, W2" in refused(capsys, {"coefs_": coefs})
