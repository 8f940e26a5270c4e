"""``jacobians explain``: what it prints, what it refuses, how it exits."""

import json
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
import pytest

from jacobians import Network, all_conventions
from jacobians.cli import main
from jacobians.symbols import NOTATIONS
from jacobians.symbols.text import TextNotation


def run(capsys, *argv):
    code = main(["explain", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_whole_derivation_as_text(capsys):
    code, out, _ = run(capsys, "ng-ml-2011", "--l2", "0.1")
    assert code == 0
    assert out.startswith("ng-ml-2011: batch in rows, weights in rows, bias first, vec F, numerator layout\n")
    assert "  δ₂ = (δ₃ Θ₂)[:, 1:] ∘ σ′(Z₂)\n" in out
    assert "selection drops δ₀" in out
    assert out.endswith("  Θ₂_grad = δ₃ᵀ A₂ / m + (λ / m) [0 Θ₂[:, 1:]]\n  X_grad = (δ₂ Θ₁)[:, 1:] / m\n")


def test_one_parameter(capsys):
    _, out, _ = run(capsys, "cs231n", "--parameter", "b1")
    assert "∂L/∂vec b₁\n" in out
    assert "∂L/∂vec W₁\n" not in out
    assert "dW₁" not in out
    assert out.endswith("In short\n  db₁ = 1ᵀdZ₁\n")


@pytest.mark.parametrize("name", [c.name for c in all_conventions()])
def test_the_numpy_program_computes_the_gradients_of_every_preset(capsys, name):
    _, program, _ = run(capsys, name, "--format", "numpy", "--sizes", "3,4,2", "--examples", "6")
    net = Network.dense((3, 4, 2), convention=name)
    rng = np.random.default_rng(2)
    params = {n: rng.normal(size=shape) for n, shape in net.shapes().items()}
    X = rng.normal(size=net.layout.batch_shape(6, 3))
    Y = np.eye(2)[[0, 1, 1, 0, 1, 0]]
    Y = Y if net.layout.batch == "rows" else Y.T
    space = {**params, "X": X, "Y": Y, **dict.fromkeys(("N", "m", "n"), 6.0), "K": 2.0}
    exec(program, space)
    gradient = net.run(params, X, Y).gradient(inputs=True)
    for parameter, expected in gradient.items():
        assert np.allclose(space[net.convention.names.gradient_of(parameter)], expected, rtol=1e-12, atol=1e-15), (
            parameter
        )


def test_the_gradients_as_javascript(capsys):
    code, program, _ = run(capsys, "cs231n", "--format", "javascript", "--parameter", "W1")
    assert code == 0
    assert program.startswith("// What a program of `to_javascript` calls")
    assert program.endswith("  return { Z1, A1, Z2, P, dZ2, dA1, dZ1, dW1 };\n}\n")


def test_the_program_of_one_parameter_asks_for_no_other_gradient(capsys):
    _, program, _ = run(capsys, "cs231n", "--format", "numpy", "--parameter", "b1")
    assert program.endswith("\ndb1 = dZ1.sum(axis=0)\n")
    assert "dW1" not in program
    assert "dX" not in program


def test_json_has_every_step(capsys):
    _, out, _ = run(capsys, "cs231n", "--format", "json", "--activation", "tanh", "--examples", "7", "--sizes", "4,3,2")
    found = json.loads(out)
    assert found["convention"] == "cs231n"
    assert found["shapes"]["X"] == [7, 4]
    assert found["forward"][1]["text"] == "A₁ = tanh(Z₁)"
    weight = found["parameters"]["W2"]
    assert weight["sizes"] == [[1, 7], [7, 14], [14, 6]]
    assert [step["rule"] for step in weight["steps"]] == ["where 1 / N enters", "one loss per example", "vec trick"]
    assert weight["formula"]["numpy"] == "dW2 = A1.T @ dZ2"


def test_mathml_is_well_formed_and_latex_is_balanced(capsys):
    _, page, _ = run(capsys, "ng-dlai", "--format", "mathml")
    assert list(ElementTree.fromstring(f"<div>{page}</div>").iter("{http://www.w3.org/1998/Math/MathML}math"))
    _, latex, _ = run(capsys, "ng-dlai", "--format", "latex", "--loss", "squared_error")
    assert latex.startswith(r"\subsection*{ng-dlai: ")
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") > 0


def test_a_file_is_written_once(capsys, tmp_path):
    path = tmp_path / "gradients.py"
    code, out, _ = run(capsys, "cs231n", "--format", "numpy", "-o", str(path))
    assert (code, out) == (0, "")
    assert path.read_text(encoding="utf-8").endswith("\n")
    before = path.read_bytes()
    code, _, err = run(capsys, "pytorch", "-o", str(path))
    assert code == 2
    assert f"{path} exists; choose another file with -o, or write over it with --force" in err
    assert path.read_bytes() == before
    code, _, err = run(capsys, "pytorch", "-o", str(tmp_path / "no" / "folder"))
    assert code == 2
    assert "cannot write" in err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["ng"], "'ng' is unknown; did you mean 'ng-ml-2011'"),
        (["cs231n", "--parameter", "Theta1"], "no parameter 'Theta1'; choose from W1, b1, W2, b2, X"),
        (["cs231n", "--l2", "-1"], "--l2 must not be negative"),
        (["pytorch", "--l2", "1"], "fixes no regulariser"),
    ],
)
def test_bad_input_is_one_line_and_exit_two(capsys, argv, message):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("jacobians: error: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--sizes", "4"], "give two widths or more, each from 1 to 64"),
        (["--sizes", "4,0"], "give two widths or more, each from 1 to 64"),
        (["--sizes", "4,x"], "'4,x' is no list of widths such as 4,3,2"),
        (["--examples", "0"], "'0' is no number of examples from 1 to 64"),
        (["--examples", "1000"], "'1000' is no number of examples from 1 to 64"),
        (["--format", "pdf"], "invalid choice: 'pdf'"),
    ],
)
def test_bad_options_exit_two(capsys, argv, message):
    with pytest.raises(SystemExit, match="2"):
        main(["explain", "cs231n", *argv])
    assert message in capsys.readouterr().err


class Octave(TextNotation):
    """A notation that the package does not have."""

    forms: ClassVar = {**TextNotation.forms, "transpose": "{0}'", "matrix product": "{0} * {1}"}

    def symbol(self, name: str) -> str:
        return name


def test_a_notation_is_its_class_and_its_name(capsys, monkeypatch):
    """With its name in the table, the command line takes it, and records have it beside the others."""
    monkeypatch.setitem(NOTATIONS, "octave", Octave)
    _, out, _ = run(capsys, "ng-ml-2011", "--sizes", "4,3", "--format", "octave")
    assert "Theta1_grad = delta2' * A1 / m" in out.splitlines()
    _, out, _ = run(capsys, "ng-ml-2011", "--sizes", "4,3", "--format", "json")
    assert json.loads(out)["parameters"]["Theta1"]["formula"]["octave"] == "Theta1_grad = delta2' * A1 / m"


# --- the Hessian -----------------------------------------------------------------------------------------


def test_the_hessian_of_one_parameter(capsys):
    _, out, _ = run(capsys, "cs231n", "--order", "2", "--parameter", "W1", "--activation", "tanh", "--l2", "0.1")
    assert out.endswith("  + reg I₁₂\n        l2 at W₁, regulariser\n")
    assert "  = (Xᵀ ⊗ I₃) diag(vec (dA₁ ∘ tanh″(Z₁))) (X ⊗ I₃)\n        tanh at Z₁, residual part\n" in out
    assert "∂(vec W₂)ᵀ" not in out


@pytest.mark.parametrize("form", [*NOTATIONS, "json"])
def test_the_hessian_in_every_form(capsys, form):
    code, out, _ = run(capsys, "ng-ml-2011", "--order", "2", "--parameter", "Theta2", "--format", form)
    assert code == 0
    if form == "numpy":
        space = {}
        exec(out.partition("# given")[0], space)
        assert "H_Theta2_Theta2 = 1 / m * " in out
    if form == "json":
        (block,) = json.loads(out)["blocks"]
        assert [(term["operation"], term["part"]) for term in block["terms"]] == [("binary_cross_entropy", "loss")]
        assert sorted(block["formula"]) == sorted(block["terms"][0].keys() & NOTATIONS.keys())
    if form == "mathml":
        ElementTree.fromstring(f"<div>{out}</div>")


def test_the_hessians_names_are_checked(capsys):
    code, _, err = run(capsys, "cs231n", "--order", "2", "--parameter", "W9")
    assert code == 2
    assert "has no parameter 'W9'" in err
