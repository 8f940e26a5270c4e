"""Expressions in Octave's notation have the value that Octave itself gives, where Octave is installed."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

import jacobians as jac

EXPRESSIONS = """
A / B
x' / B
A / B / C
A * B / C
(A / 2) / trace(B)
2 \\ X
B \\ x
B \\ A' / (A / C * A')
X ./ Y + X .* Y
2 ./ X
X / 4 * 2
X.^2
X^2
X^-1
X'^3
2.^X
2^X
2^(x' * x)
e^(x' * x)
e^X
e.^x
X.^Y
expm(X / 3)
logm(X)
sqrtm(X)
max(X, Y)
max(X, 0.5)
min(0.5, x)
abs(X - Y)
sum(sum(X))
sum(X, 2)
mean(X, 1)
kron(X, x)
trace(X * Y)
det(X / 2)
inv(X)'
pinv(A)
diag(x) * X
diag(X)
X(:)
x' * X * x / (x' * x)
norm(x)
norm(x, 1)
norm(X, 'fro')
tanh(X) - sinh(X) .* cosh(X)
atan(X)
-x' * -X
X.' * Y'
1 - X
-X^2
X.^-1
X.^0.5
-2.^X
X * -Y
A * X'^-1
X' \\ x
X \\ Y / B
x / 2 / 4
trace(X)^2
X .* Y / B
X * Y .* B
X ./ Y * B
X ./ Y \\ B
abs(X - Y) / sum(sum(X))
-x'.^2
2^-1 * X
X^2'
X^0.5
X^-0.5
-(X')^2 \\ B
""".strip().splitlines()


@pytest.mark.slow
def test_values_are_those_of_octave_itself() -> None:
    octave = shutil.which("octave-cli")
    if octave is None:
        pytest.skip("needs octave-cli")
    rng = np.random.default_rng(0)
    arrays = {name: rng.uniform(0.2, 1, (3, 3)) + 2 * np.eye(3) for name in "BCXY"}
    arrays |= {"A": rng.uniform(0.2, 1, (2, 3)), "x": rng.uniform(0.2, 1, (3, 1))}
    lines = [f"{name} = {_literal(array)};" for name, array in arrays.items()]
    lines += [f"V = {text}; printf('%.17g ', V.'); printf('\\n');" for text in EXPRESSIONS]
    run = subprocess.run([octave, "-q"], input="\n".join(lines), capture_output=True, text=True, timeout=60)
    given = run.stdout.splitlines()
    assert len(given) == len(EXPRESSIONS), run.stderr
    for text, line in zip(EXPRESSIONS, given, strict=True):
        names = [name for name in re.findall(r"(?<!\w)[A-Zx](?!\w)", text) if name in arrays]
        shapes = {name: arrays[name].shape for name in names}
        found = jac.differentiate(text, names[0], shapes=shapes, notation="octave")
        value, _ = found._graph({name: arrays[name] for name in found.shapes})
        np.testing.assert_allclose(value.array.ravel(), np.fromstring(line, sep=" "), rtol=1e-12, err_msg=text)


def _literal(array: np.ndarray) -> str:
    return "[" + "; ".join(" ".join(f"{value:.17g}" for value in row) for row in array) + "]"
