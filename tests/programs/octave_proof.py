"""Runs one Octave program of the corpus, right and slipped, in GNU Octave, where that is installed.

Every gradient is compared with central differences of the program's own loss, in Octave itself.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.programs.cases import Check, Program

HELPERS = {  # the files that the exercises of such courses hand out
    "sigmoid": "function g = sigmoid(z)\n g = 1 ./ (1 + exp(-z));\nend\n",
    "sigmoidGradient": "function g = sigmoidGradient(z)\n g = sigmoid(z) .* (1 - sigmoid(z));\nend\n",
}


def octave() -> str | None:
    """The command, or None where it is not installed."""
    return shutil.which("octave-cli")


def errors_of(program: Program, codes: list[str]) -> list[dict[str, float | str]]:
    """Per version of the program and per gradient, its largest error; or what the program raised."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = ["1;", *(_driver(check, n) for n, check in enumerate(program.checks))]
        for number, code in enumerate(codes):
            version = folder / f"v{number}"
            version.mkdir()
            for helper, text in HELPERS.items():
                if f"= {helper}(" not in "".join(x for x in program.lines if x.startswith("function")):
                    (version / f"{helper}.m").write_text(text)
            (version / f"{program.name}.m").write_text(code)
            script.append(f"addpath('{version}'); clear {program.name}; rehash; printf('version {number}\\n');")
            script += [f"check{n}();" for n in range(len(program.checks))]
            script.append(f"rmpath('{version}');")
        (folder / "all.m").write_text("\n".join(script))
        command = [str(octave()), "--no-gui", "--norc", "--quiet", str(folder / "all.m")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{program.name}: {done.stderr[-2000:]}")
    return _parsed(done.stdout)


def _parsed(output: str) -> list[dict[str, float | str]]:
    results: list[dict[str, float | str]] = []
    for line in output.split("\n"):
        if line.startswith("version "):
            results.append({})
        elif line.startswith("gradient "):
            _, name, error = line.split(" ", 2)
            try:
                results[-1][name] = float(error)
            except ValueError:
                results[-1][name] = error
    return results


def _driver(check: Check, number: int) -> str:
    """A function that runs a check, with central differences; ``run_`` returns the loss at given parameters."""
    setup = "\n".join(["rand('twister', 1); randn('twister', 1);", *check.set])
    run = "\n".join(check.run)
    lines = [f"function check{number}()", "try", setup, run]
    for name, parameter, gradient in check.gradients:
        lines.append(f"claimed_{name} = {gradient}; at_{name} = {parameter}_start{number}();")
    for name, _, _ in check.gradients:
        lines += [
            f"true_ = zeros(size(at_{name}));",
            "for k_ = 1:numel(true_)",
            f" up_ = at_{name}; up_(k_) += 1e-5; down_ = at_{name}; down_(k_) -= 1e-5;",
            f" true_(k_) = ({name}_loss{number}(up_) - {name}_loss{number}(down_)) / 2e-5;",
            "end",
            f"c_ = claimed_{name};",
            "if numel(c_) ~= numel(true_) || any(size(squeeze(c_)) ~= size(true_)) && ~isvector(true_)",
            f" printf('gradient {name} shape\\n');",
            "else",
            " s_ = max(max(abs(c_(:))), max(abs(true_(:))));",
            f" printf('gradient {name} %.3e\\n', max(abs(c_(:) - true_(:))) / max(s_, 1e-8));",
            "end",
        ]
    lines += ["catch problem_", " printf('gradient raises %s\\n', strtok(problem_.message, \"\\n\"));", "end", "end"]
    for name, parameter, _ in check.gradients:
        lines += [f"function v_ = {parameter}_start{number}()", setup, f"v_ = {parameter};", "end"]
        lines += [
            f"function v_ = {name}_loss{number}(p_)",
            setup,
            f"{parameter} = p_;",
            run,
            f"v_ = {check.loss};",
            "end",
        ]
    return "\n".join(lines)
