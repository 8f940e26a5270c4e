"""``jacobians compare``: what it prints, what it refuses, how it exits."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.io

from jacobians import all_conventions
from jacobians.cli import main
from jacobians.cli.compare_command import exit_code, print_formulas, print_report
from jacobians.cli.output import make_console
from jacobians.comparison import Formulas, compare
from jacobians.comparison.formulas import FormulaRow
from jacobians.data import load_digits
from jacobians.derivation import Equation
from jacobians.operations import Tanh
from jacobians.symbols.expressions import Call, Symbol, WithOnes


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def run(capsys, *argv):
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys, *argv):
    code, out, err = run(capsys, "compare", *argv)
    assert code == 2
    assert out == ""
    assert err.startswith("jacobians: error: ")
    assert err.count("\n") == 1
    return err


def test_the_main_job(capsys):
    code, out, _ = run(capsys, "compare", "ng-ml-2011", "cs231n", "--loss", "cross_entropy", "--full")
    assert code == 0
    assert "The 2 conventions agree: different formulas, one gradient (largest difference" in out
    assert "Z = [1 X] Θᵀ" in out
    assert "Z = X W + b" in out
    assert "Kronecker(100×65, I₂₅)" in out
    assert "@ Commutation(25, 65)" in out
    assert "2500×1625: 50.0 KiB of 31.0 MiB" in out
    assert "agrees: off by" in out
    assert out.count("2.57747263002243") == 2


def test_it_is_the_default(capsys):
    code, out, _ = run(capsys, "compare")
    assert code == 0
    assert out.startswith("ng-ml-2011 against cs231n\n")


def test_no_line_is_wider_than_the_terminal_and_no_colour_goes_through_a_pipe(capsys):
    argv = ["compare", "ng-ml-2011", "cs231n", "pytorch", "--hidden", "50,20", "--l2", "0", "--full"]
    _, out, _ = run(capsys, *argv)
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_every_option_reaches_the_library(capsys):
    argv = [
        "compare",
        "ng-dlai",
        "cs231n",
        "--hidden",
        "7,6",
        "--activation",
        "tanh",
        "--loss",
        "multiclass_hinge",
        "--batch",
        "9",
    ]
    code, out, _ = run(capsys, *argv, "--seed", "3", "--l2", "0.5", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["sizes"] == [64, 7, 6, 10]
    assert (found["activation"], found["loss"], found["examples"], found["seed"]) == ("tanh", "multiclass_hinge", 9, 3)
    assert found["sides"][0]["l2"] == 0.5
    assert found["sides"][0]["arrays"]["X"] == [64, 9]


def test_the_seed_decides(capsys):
    losses = [
        json.loads(run(capsys, "compare", "cs231n", "--json", "--seed", seed)[1])["sides"][0]["loss"]
        for seed in ("0", "0", "1")
    ]
    assert losses[0] == losses[1] != losses[2]


def test_a_difference_exits_with_one_and_says_why(capsys):
    code, out, _ = run(capsys, "compare", "cs231n", "cs231n-bias-trick", "--l2", "1")
    assert code == 1
    assert "The conventions do not agree.\ncs231n-bias-trick differs from cs231n in b1, b2.\n" in out
    assert "Only cs231n-bias-trick regularises the bias" in out


def test_a_reduction_is_named(capsys):
    code, out, _ = run(capsys, "compare", "pytorch-mse", "cs231n", "--loss", "squared_error")
    assert code == 0
    assert "cs231n reduces its loss by mean: its objective and gradient × 0.1 are" in out


def test_octave_data_as_people_have_it(capsys, tmp_path):
    rng = np.random.default_rng(0)
    scipy.io.savemat(tmp_path / "ex5.mat", {"X": rng.normal(size=(12, 1)), "y": rng.normal(size=(12, 1))})
    code, out, _ = run(capsys, "compare", "--data", str(tmp_path / "ex5.mat"), "--loss", "squared_error")
    assert code == 0
    assert "12 of 12 examples of ex5.mat; network 1-25-1" in out
    err = refused(capsys, "--data", str(tmp_path / "ex5.mat"))
    assert "labels are whole numbers" in err
    assert "for real targets choose --loss squared_error" in err


def test_packed_weights_need_their_sizes(capsys, tmp_path):
    rng = np.random.default_rng(0)
    data, packed = tmp_path / "data.mat", tmp_path / "packed.mat"
    scipy.io.savemat(data, {"X": rng.random((6, 4)), "y": np.arange(6) % 3 + 1.0})
    scipy.io.savemat(packed, {"nn_params": rng.normal(size=(43, 1))})
    argv = ["compare", "--data", str(data), "--weights", str(packed)]
    assert main(argv) == 2
    assert "the sizes of nn_params are not told by its length; give --sizes 400,25,10" in capsys.readouterr().err
    assert main([*argv, "--sizes", "4,5,3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"] == [4, 5, 3]
    assert main([*argv, "--sizes", "4,6,3"]) == 2
    assert "nn_params packs 43 parameters, and ng-ml-2011 packs 51 of a 4-6-3 network" in capsys.readouterr().err


def test_sizes_alone_fix_the_network(capsys):
    assert main(["compare", "--sizes", "64,3,10", "--batch", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"] == [64, 3, 10]
    assert main(["compare", "--sizes", "4,3,2"]) == 2
    assert "which takes 4 features; UCI optical digits has 64. Give a batch of" in (err := capsys.readouterr().err)
    assert err.endswith("--hidden 3\n")
    assert main(["compare", "--sizes", "64,10", "--hidden", "3"]) == 2
    assert "--hidden and --sizes cannot both fix the network" in capsys.readouterr().err


def test_trained_weights_with_octave_labels(capsys, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 10 + 1.0
    scipy.io.savemat(tmp_path / "images.mat", {"X": rng.random((30, 16)), "y": labels[:, None]})
    scipy.io.savemat(tmp_path / "w.mat", {"Theta1": rng.normal(size=(5, 17)), "Theta2": rng.normal(size=(10, 6))})
    argv = [
        "compare",
        "cs231n",
        "pytorch",
        "--data",
        str(tmp_path / "images.mat"),
        "--weights",
        str(tmp_path / "w.mat"),
    ]
    code, out, _ = run(capsys, *argv, "--loss", "binary_cross_entropy", "--full")
    assert code == 0
    assert "network 16-5-10" in out
    assert "W1 16×5" in out
    err = refused(capsys, "--weights", str(tmp_path / "w.mat"))
    assert "holds a 16-5-10 network, which takes 16 features; UCI optical digits has 64" in err


def test_bad_input_is_one_line_and_exit_two(capsys, tmp_path):
    np.savez(tmp_path / "pickled.npz", X=np.array([{}, 1], dtype=object), y=np.zeros(2))
    np.savez(tmp_path / "nan.npz", X=np.array([[1.0, np.nan]]), y=[0])
    np.savez(tmp_path / "ok.npz", A=np.ones((4, 2)), y=[0, 1, 0, 1])
    assert "'ngml' is unknown; did you mean 'ng-ml-2011'" in refused(capsys, "ngml")
    assert "named twice" in refused(capsys, "cs231n", "cs231n")
    assert "there is no file missing.npz" in refused(capsys, "--data", "missing.npz")
    assert "pickled" in refused(capsys, "--data", str(tmp_path / "pickled.npz"))
    assert "X[0, 1] is nan" in refused(capsys, "--data", str(tmp_path / "nan.npz"))
    assert "ok.npz has A (4, 2), y (4,)" in refused(capsys, "--data", str(tmp_path / "ok.npz"), "--features", "Z")
    assert "size=9999 of 1797 examples" in refused(capsys, "--batch", "9999")
    assert "must not be negative" in refused(capsys, "--l2", "-1")
    assert "fixes no regulariser" in refused(capsys, "ng-ml-2011", "pytorch", "--l2", "1")
    assert "add --data FILE" in refused(capsys, "--features", "X")
    assert "leave one out" in refused(capsys, "--hidden", "3", "--weights", str(_weights(tmp_path)))


def _weights(folder):
    np.savez(folder / "w.npz", W1=np.ones((64, 10)), b1=np.zeros(10))
    return folder / "w.npz"


@pytest.mark.parametrize("argv", [["--hidden", "3,x"], ["--hidden", "0"], ["--loss", "foo"], ["--activation", "foo"]])
def test_bad_options_exit_two(argv):
    with pytest.raises(SystemExit, match="2"):
        main(["compare", *argv])


def test_without_rich_the_error_names_the_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    code, _, err = run(capsys, "compare")
    assert code == 2
    assert "pip install rich, or pass --json" in err
    assert run(capsys, "compare", "--json")[0] == 0


def test_a_reader_that_leaves_early_sees_no_traceback():
    command = f"{sys.executable} -m jacobians compare | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout == "ng-ml-2011 against cs231n\n"
    assert done.stderr == ""


def test_an_ascii_terminal_gets_question_marks():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "jacobians", "compare"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "different formulas, one gradient" in done.stdout
    assert done.stderr == ""


def section(out, start, end):
    return out.partition(start)[2].partition(end)[0]


def test_the_verdict_comes_first_and_the_numbers_last_and_on_request(capsys):
    _, out, _ = run(capsys, "compare", "ng-ml-2011", "cs231n", "--full")
    parts = ("The 2 conventions agree", "\nFormulas (≠", "\nWhat differs", "\nResults", "\nLargest difference")
    places = [out.index(text) for text in parts]
    assert places == sorted(places)
    _, out, _ = run(capsys, "compare", "ng-ml-2011", "cs231n")
    assert "Results" not in out
    assert "--full shows shapes, chains, bytes and norms" in out
    lines = {" ".join(line.split()) for line in section(out, "Formulas (≠", "What differs").splitlines()}
    assert "≠ weight 1 Θ₁_grad = δ₂ᵀ A₁ / m dW₁ = Xᵀ dZ₁" in lines
    assert "A3 / P A₃ = σ(Z₃) P = σ(Z₂)" in lines
    assert "≠ bias 2 in the weight db₂ = 1ᵀdZ₂" in lines
    sentences = " ".join(section(out, "What differs", "--full").split())
    assert (
        "cs231n keeps one node a column, so Z₁ = X W₁ + 1 b₁ᵀ, no commutation appears, and dW₁ = Xᵀ dZ₁." in sentences
    )
    assert "Steps to" not in out


def test_a_row_is_called_as_the_columns_beside_it_call_it(capsys):
    """At 80 columns the third convention has tables of its own, whose rows do not name the other two's arrays."""
    _, out, _ = run(capsys, "compare", "flax", "cs231n-notes", "ng-ml-2011")
    first, second = section(out, "Formulas (≠", "What differs").split("Formulas (≠")
    labels = [{line[1:14].strip() for line in part.splitlines()} for part in (first, second)]
    assert {"≠ Z1", "≠ Z2", "P"} <= labels[0]
    assert {"≠ Z2", "≠ Z3", "A3", "≠ delta2"} <= labels[1]
    assert not [label for found in labels for label in found if "/" in label]


def test_a_single_convention_has_formulas_and_no_differences(capsys):
    _, out, _ = run(capsys, "compare", "vecderivs-columns")
    assert "weight 1 dW₁ = dZ₁ Xᵀ" in " ".join(out.split())
    assert "What differs" not in out


def test_steps_on_request(capsys):
    code, out, _ = run(capsys, "compare", "ng-ml-2011", "cs231n", "--steps", "--batch", "7")
    assert code == 0
    titles = [line.split() for line in out.splitlines() if line.startswith("Steps to")]
    assert [title[7:] for title in titles] == [["Theta1", "/", "W1"], ["b1"], ["Theta2", "/", "W2"], ["b2"]]
    steps = section(out, "Steps to the gradient with respect to Theta2 / W2", "Steps to")
    flat = " ".join(steps.split())
    assert "(I₁₀ ⊗ A₂) 70×260 (A₁ ⊗ I₁₀) 70×250" in flat
    assert "commutation:" in flat
    assert "≠ then the weight of each example:" in flat
    assert max(map(len, out.splitlines())) <= 80


def test_twenty_conventions_stay_readable(capsys):
    """Equal formulas share a column, and a sentence lists no more than it must."""
    names = [c.name for c in all_conventions()]
    code, out, _ = run(capsys, "compare", *names, "--hidden", "3", "--batch", "5")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    tables = section(out, "\nFormulas (≠", "What differs")
    assert tables.count("Formulas (≠") + 1 == 9
    assert "cs231n, cs231n-2018-toy," in tables
    sentences = section(out, "What differs", "--full").split("\n- ")[1:]
    assert len(sentences) == 7
    assert max(len(" ".join(s.split())) for s in sentences) < 900


def test_json_has_the_formulas(capsys):
    found = json.loads(run(capsys, "compare", "--json")[1])["formulas"]
    assert found["groups"] == [["ng-ml-2011"], ["cs231n"]]
    assert [d["about"] for d in found["differences"]] == ["weights", "bias", "vec", "place of 1/N", "names"]


def test_brackets_in_formulas_are_no_markup(monkeypatch):
    """Rich would take [tanh(Z₁) 1] for a tag, and print nothing."""
    batch = load_digits().batch(5, seed=0)
    found = compare(["cs231n-bias-trick"], batch.X / 16, batch.y, sizes=(64, 3, 10), activation="tanh").formulas
    ones = WithOnes(Call(Tanh().function(), (Symbol("Z1", (5, 3)),)), 1, first=False)
    row = FormulaRow("A1", (Equation(Symbol("A1", (5, 4)), ones),), differs=False)
    monkeypatch.setattr(Formulas, "rows", (row,))
    console = make_console()
    with console.capture() as captured:
        print_formulas(console, found, 2)
    assert "A₁ = [tanh(Z₁) 1]" in captured.get()


@pytest.mark.parametrize(
    ("verdict", "cell", "line"),
    [
        ("pass", "agrees: off by", "One convention: its gradient passes the numerical check."),
        ("fail", "DIFFERS: off by", "The numerical derivative disagrees with the gradient of cs231n."),
        ("inconclusive", "unclear: off by", "The numerical derivative cannot resolve the gradient of cs231n."),
    ],
)
def test_each_verdict_of_the_numerical_check(capsys, verdict, cell, line):
    data = load_digits()
    batch = data.batch(10, seed=0)
    result = compare(["cs231n"], np.asarray(batch.X) / 16, batch.y, sizes=(64, 3, 10))
    side = result.sides[0]
    changed = dataclasses.replace(side, check=dataclasses.replace(side.check, verdict=verdict))
    result = dataclasses.replace(result, sides=(changed,))
    print_report(result, data, 0, None, full=True)
    out = capsys.readouterr().out
    assert cell in out
    assert "(6 directions, resolved" in out
    assert line in " ".join(out.split())
    assert result.agree == (verdict == "pass")
    assert exit_code(result) == {"pass": 0, "fail": 1, "inconclusive": 2}[verdict]
