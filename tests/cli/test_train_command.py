"""``jacobians train``: one curve in every convention; what is printed and written, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians import load_parameters
from jacobians.cli import main


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["train", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


SAME = ("--loss", "cross_entropy", "--activation", "tanh", "--rule", "nesterov", "--epochs", "2", "--json")


def test_two_conventions_have_the_same_curve(capsys: pytest.CaptureFixture[str]) -> None:
    curves = []
    for name in ("ng-ml-2011", "cs231n", "ng-dlai"):
        code, out, err = run(capsys, "--data", "digits", "--convention", name, *SAME)
        assert (code, err) == (0, "")
        curves.append([(e["objective"], e["held_out"], e["accuracy"]) for e in json.loads(out)["epochs"]])
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=1e-10)
    assert curves[0][1][0] < curves[0][0][0]


def test_it_prints_a_table_and_writes_parameters_and_a_curve(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("--convention", "ng-ml-2011", "--epochs", "1", "-o", "a.npz", "--plot", "a.svg")
    code, out, err = run(capsys, *given)
    assert (code, err) == (0, "")
    for word in ("objective", "held out", "accuracy", "1438 examples", "written: a.npz", "written: a.svg"):
        assert word in out
    params, convention = load_parameters("a.npz")
    assert convention.name == "ng-ml-2011"
    assert {name: array.shape for name, array in params.items()} == {"Theta1": (25, 65), "Theta2": (10, 26)}
    assert "<svg" in Path("a.svg").read_text(encoding="utf-8")
    code, _, err = run(capsys, *given)
    assert (code, "a.npz exists; choose another file with -o, or write over it with --force" in err) == (2, True)


def test_real_targets_and_yes_no(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    for name, y, options in [
        ("real", X[:, 0] * 2, ["--loss", "squared_error"]),
        ("yes", (X[:, 0] > 0).astype(int), ["--loss", "binary_cross_entropy"]),
    ]:
        np.savez(tmp_path / f"{name}.npz", X=X, y=y)
        for convention in ("cs231n", "ng-dlai"):
            argv: list[Any] = ["--data", str(tmp_path / f"{name}.npz"), "--convention", convention, *options]
            code, out, err = run(capsys, *argv, "--rule", "L-BFGS-B", "--epochs", "5", "--json", "--hidden", "none")
            assert (code, err) == (0, "")
            epochs = json.loads(out)["epochs"]
            assert epochs[-1]["objective"] < epochs[0]["objective"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--held-out", "1"], "--held-out 1.0 is no part of the data"),
        (["--patience", "2", "--held-out", "0"], "--patience needs held-out data"),
        (["--rule", "L-BFGS-B", "--rate", "1"], "L-BFGS-B has no learning rate"),
        (["-o", "a.txt"], "a.txt must end with .npz or .mat"),
        (["-o", "nowhere/a.npz"], "there is no folder nowhere"),
        (["--seed", "-1"], "must not be negative"),
        (["--data", "missing.csv"], "there is no file missing.csv"),
        (["--rate", "0"], "rate=0.0; expected a positive number"),
    ],
)
def test_what_is_refused(capsys: pytest.CaptureFixture[str], argv: list[str], text: str) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert text in err


def test_ctrl_c_writes_what_was_reached(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(10**6))

    def step(self: Any, *given: Any) -> None:
        if next(calls) == 40:
            raise KeyboardInterrupt

    monkeypatch.setattr("jacobians.training.progress.Progress.step", step)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    file = str(tmp_path / "a.npz")
    code, out, _ = run(capsys, "-o", file, "--epochs", "50")
    assert (code, "ended: interrupted" in out) == (130, True)
    assert load_parameters(file)[1].name == "cs231n"
