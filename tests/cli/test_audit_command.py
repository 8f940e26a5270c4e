"""``jacobians audit``: the verdict, the exit code, and what is refused."""

from __future__ import annotations

import io
import json

import pytest

from jacobians.cli import main


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "dTheta2 = delta3.T @ A2 / m", "--convention", "ng-ml-2011"]) == 0
    assert "right in ng-ml-2011 (Theta2_grad: the gradient with respect to Theta2)" in capsys.readouterr().out


def test_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "dW1 = dZ1.T @ X"]) == 1
    out = capsys.readouterr().out
    assert "does not conform in cs231n" in out
    assert "right         dW1 = X.T @ dZ1" in out
    assert "right in      pytorch" in out
    assert "note: read in cs231n, the default; --convention NAME chooses another" in out
    assert max(map(len, out.splitlines())) <= 80


def test_names_of_weights_choose_the_convention_where_none_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "dTheta2 = delta3.T @ A2 / m"]) == 0
    out = capsys.readouterr().out
    assert "right in ng-ml-2011 (" in out
    assert "note: read in ng-ml-2011, the first with weights of these names" in out
    assert main(["audit", "dW1 = X.T @ dZ1"]) == 0
    assert "note" not in capsys.readouterr().out


def test_octave_with_examples_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    formula = "delta2 = Theta2' * delta3 .* sigmoidGradient(z2)"
    given = ["--convention", "ng-ml-2011", "--batch", "columns", "--sizes", "400,25,10", "--examples", "1"]
    assert main(["audit", formula, *given]) == 1
    out = capsys.readouterr().out
    assert "Elementwise product: 26×1 and 25×1 do not fit." in out
    assert "bias-entry-kept" in out
    assert "delta2 = (Theta2.T @ delta3)[1:, :] * sigmoid_prime(Z2)" in out


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "dZ1 = dA1 * (Z1 > 0)", "--activation", "relu", "--seed", "4"]) == 0
    assert main(["audit", "P = sigmoid(Z2)", "--loss", "binary_cross_entropy", "--numpy"]) == 0
    assert main(["audit", "dW1 = X.T @ dZ1", "--l2", "0.1"]) == 1
    assert main(["audit", r"dW_1 = X^\top dZ_1", "--latex"]) == 0
    assert main(["audit", "dW1 = X' * dZ1", "--octave"]) == 0
    updated = ["audit", "dZ1 = dZ2 @ W2_new.T * sigmoid_prime(Z1)", "--where", "W2_new = W2 - 0.5 * dW2"]
    assert main(updated) == 1
    assert "updated-weights" in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "dW1 = X.T @ dZ1 / N", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["slip"] == "superfluous-1/N"
    assert main(["audit", "--names", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dW1"] == {"shape": "7×5", "meaning": "the gradient with respect to W1"}


def test_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--names", "--convention", "ng-ml-2011"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["X", "9×7", "given"]
    assert ["delta2", "9×5", "the", "cotangent", "of", "Z2"] in [line.split() for line in lines]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a formula, such as"),
        (["dW1 = A9"], "'A9' is unknown; did you mean"),
        (["dW1 = X", "--convention", "cs231"], "'cs231' is unknown"),
        (["dW1 = X", "--seed", "-1"], "--seed and --l2 must not be negative"),
        (["dW1 = X", "--where", "W2_new"], "has no equals sign"),
        (["dW1 = X", "--examples", "0"], "0 examples show nothing"),
        (["<b>dW1</b> = X"], "the left side is a name"),
    ],
)
def test_bad_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("jacobians: error: audit: ") or "convention" in error
    assert message in error
    assert "Traceback" not in error


def test_the_caret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "dW1 = X.T @ (1).__class__"]) == 2
    _, formula, caret = capsys.readouterr().err.splitlines()
    assert formula[caret.index("^") :] == "(1).__class__"


@pytest.mark.parametrize("sizes", ["3", "3,x", "0,2", "3,99999"])
def test_bad_sizes(sizes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["audit", "dW1 = X", "--sizes", sizes])
    assert repr(sizes) in capsys.readouterr().err


def test_a_program_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    program = "dhidden = np.dot(dscores, W2.T)\ndhidden[hidden <= 0] = 0\ndW1 = np.dot(X.T, dhidden)\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(program))
    assert main(["audit", "-"]) == 0
    assert "right in cs231n (dW1: the gradient with respect to W1)" in capsys.readouterr().out


def test_a_file_in_place_of_a_formula_is_sent_to_its_command(tmp_path, capsys):
    file = tmp_path / "gradients.npz"
    file.write_bytes(b"")
    assert main(["audit", str(file)]) == 2
    assert "jacobians check FILE judges gradients in a file" in capsys.readouterr().err
