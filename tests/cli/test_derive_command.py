"""``jacobians derive``."""

from __future__ import annotations

import json

import pytest

from jacobians.cli.main import main


def test_the_example_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "tr(A' X B X')", "--wrt", "X"]) == 0
    assert "  gradient      ∂f/∂X = A X Bᵀ + Aᵀ X B\n" in capsys.readouterr().out


def test_one_layout_in_a_notation(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--wrt", "X", "--layout", "numerator", "--order", "F", "--shape", "X=2,5"]
    assert main(["derive", "A X B", *asked]) == 0
    assert capsys.readouterr().out == "∂vec Y/∂vec X = (Bᵀ ⊗ A)\n"
    assert main(["derive", "A X B", *asked, "--format", "numpy"]) == 0
    assert capsys.readouterr().out == "J_Y_X = np.kron(B.T, A)\n"


def test_json_and_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "tr(X) A", "--wrt", "X", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["formulas"]["numerator"]["text"] == "∂vec Y/∂vec X = vec A vec(I₃)ᵀ"
    assert record["formulas"]["differential"]["numpy"] == "dY = trace(dX) * A"
    assert main(["derive", "c x' x", "--wrt", "x", "--steps", "--shape", "c="]) == 0
    assert "Gradients" in capsys.readouterr().out
    assert main(["derive", "c x' x", "--wrt", "x", "--second", "--shape", "c="]) == 0
    assert "Hessian       ∂²f/∂x ∂xᵀ = 2 c I₃" in capsys.readouterr().out


def test_what_is_wrong_is_said_in_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "tr(A X", "--wrt", "X"]) == 2
    assert "is never closed" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["derive", "tr(A X)", "--wrt", "X", "--shape", "X=a"])
    assert "a shape is X=3,2" in capsys.readouterr().err
