"""The JavaScript programs in node, against the library's own gradients: random nets in every preset.

A few in every run; ``python -m tests.derivation.test_javascript 1000`` takes as many as are asked for.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from jacobians import Network, differentiate, explain
from jacobians.derivation import derive, derive_second
from jacobians.errors import LayoutError
from jacobians.network import Run
from jacobians.operations import ACTIVATIONS
from jacobians.presets import all_conventions
from jacobians.symbols import in_every_notation
from jacobians.symbols.explicit_matrices import source
from jacobians.symbols.expressions import Placed, Symbol, Transposed
from jacobians.symbols.javascript import JavascriptNotation, javascript, runtime
from tests.layers import test_explained as of

TOLERANCE = 1e-13
LOSSES = ("cross_entropy", "binary_cross_entropy", "multiclass_hinge", "squared_error")


def random_run(rng: np.random.Generator, activation: str, loss: str) -> Run:
    sizes = tuple(int(n) for n in rng.integers(2, 6, size=rng.integers(2, 5)))
    count = int(rng.integers(1, 6))
    conventions = all_conventions()
    convention = conventions[rng.integers(len(conventions))]
    net = Network.dense(sizes, convention=convention, activation=activation, output="linear", loss=loss)
    X = rng.normal(size=(count, sizes[0]))
    squared = loss == "squared_error"
    Y = rng.normal(size=(count, sizes[-1])) if squared else rng.integers(sizes[-1], size=count)
    if net.layout.batch == "columns":
        X, Y = X.T, Y.T
    return net.run(net.init(rng), X, Y)


def job(run: Run) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A run's program, what it is given, and what the library computes."""
    derivation = derive(run)
    given = {name: array.tolist() for name, array in derivation.values.items()}
    gradient_of = run.network.convention.names.gradient_of
    expected = {gradient_of(name): gradient.tolist() for name, gradient in run.gradient().items()}
    return javascript(derivation.to_numpy()), given, expected


def script(made: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> str:
    """A function without arguments that runs every program and returns what was expected of it, as nested lists."""
    lines = [runtime(), "const found = [];"]
    for program, given, expected in made:
        lines.append(
            f"{{ {program}\nconst given = {json.dumps(given)};\n"
            "for (const name in given) if (typeof given[name] !== 'number') given[name] = np.array(given[name]);\n"
            "const made = program(given);\n"
            f"const wanted = {json.dumps(list(expected))};\n"
            "found.push(Object.fromEntries(wanted.map((name) => [name, np.tolist(made[name])]))); }"
        )
    return "\n".join(["() => {", *lines, "return found; }"])


def in_node(jobs: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> list[dict[str, Any]]:
    """Run programs by node; each returns its arrays as nested lists."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed")
    text = f"console.log(JSON.stringify(({script(jobs)})()));"
    done = subprocess.run([node, "-"], input=text, capture_output=True, text=True, check=True, timeout=300)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def distance(found: dict[str, Any], expected: dict[str, Any]) -> float:
    """The largest difference of any gradient's entries, relative to the gradient's largest entry."""
    worst = 0.0
    for name, array in expected.items():
        a, b = np.asarray(found[name]), np.asarray(array)
        assert a.shape == b.shape, name
        worst = max(worst, float(np.abs(a - b).max(initial=0.0)) / max(1.0, float(np.abs(b).max(initial=0.0))))
    return worst


def jobs(count: int, seed: int) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    rng = np.random.default_rng(seed)
    return [
        job(random_run(rng, list(ACTIVATIONS)[i % len(ACTIVATIONS)], LOSSES[i % len(LOSSES)])) for i in range(count)
    ]


def test_gradients_are_the_librarys() -> None:
    made = jobs(2 * len(ACTIVATIONS), seed=0)
    for (_, _, expected), found in zip(made, in_node(made), strict=True):
        assert distance(found, expected) <= TOLERANCE


def test_a_wrong_program_is_found() -> None:
    program, given, expected = job(random_run(np.random.default_rng(3), "tanh", "cross_entropy"))
    wrong = program.replace("np.cosh", "np.exp")
    assert wrong != program
    assert distance(in_node([(wrong, given, expected)])[0], expected) > 1e-3


def test_the_normal_distribution_from_tail_to_tail() -> None:
    from scipy.special import ndtr

    x = np.linspace(-12, 12, 97)
    program = javascript("from scipy.special import ndtr\nP = ndtr(x)")
    ((found),) = in_node([(program, {"x": x.tolist()}, {"P": None})])
    np.testing.assert_allclose(found["P"], ndtr(x), rtol=1e-13, atol=0)


SQUARE = np.array([[0.0, 2, 1], [1, -1, 3], [2, 0.5, 1]])  # its first pivot is zero
PROGRAMS = {
    "systems": "import numpy as np\na = np.linalg.inv(S)\nb = np.linalg.solve(S, x)\nc = np.linalg.det(S)\n"
    "d = np.trace(S) + np.linalg.norm(np.sin(S) + np.cos(S))\ne = np.linalg.det(S - S)",
    **{
        f"matrices in {order}": f"import numpy as np\n\n\n{source()}\n\n\n"
        f'a = reshaping((3, 4), (2, 6), "{order}")\nb = commutation(3, 4, "{order}")\n'
        f'c = diagonal_minus_outer(T, T, T + 1, 0, "{order}")\nd = diagonal_minus_outer(T, T, r, 1, "{order}")\n'
        f'e = selection((3, 4), np.s_[:, 1:], "{order}")'
        for order in ("C", "F")
    },
}
GIVEN = {"S": SQUARE, "x": np.array([1.0, -2, 0.5]), "T": np.arange(12.0).reshape(3, 4), "r": np.full((3, 1), 2.0)}


def hessian() -> Any:
    """Of a softmax, the Jacobian of whose probabilities is a diagonal minus an outer product."""
    net = Network.dense((3, 2, 2), convention="ng-ml-2011", activation="tanh", output="linear", loss="cross_entropy")
    rng = np.random.default_rng(0)
    return derive_second(net.run(net.init(rng), rng.normal(size=(3, 3)), [0, 1, 1]), ())


def test_programs_of_matrices_compute_what_numpy_does() -> None:
    second = hessian()
    derived = differentiate("log det(X' X) + tr(A X^-1 B)", wrt="X", shapes={"X": (3, 3)})
    texts = [(text, GIVEN) for text in PROGRAMS.values()]
    texts += [(found.to_numpy(), found.values) for found in (second, derived)]
    wanted = []
    for text, given in texts:
        scope: dict[str, Any] = dict(given)
        exec(text, scope)
        own = [line.split(" = ")[0] for line in text.partition("# given")[2].splitlines() or text.splitlines()]
        arrays = {name: scope[name] for name in own if name.isidentifier() and name in scope}
        assert arrays
        wanted.append((javascript(text), {name: array.tolist() for name, array in given.items()}, arrays))
    assert "np.diagonal_minus_outer(" in wanted[3][0]
    for (_, _, expected), found in zip(wanted, in_node(wanted), strict=True):
        assert distance(found, expected) <= TOLERANCE


EXPRESSIONS = (
    "diag(diag(X) ./ x) X",
    "kron(X, A) / tr(X)",
    "sum(arctan(sinh(2.^(A x))))",
    "|a' x| tan(a' A a) logdet(X)",
)


def test_derivatives_of_expressions_compute_what_numpy_does() -> None:
    wanted = []
    for text in EXPRESSIONS:
        found = differentiate(text, "A" if "A" in text else "X", shapes={"A": (2, 2)} if "kron" in text else None)
        scope: dict[str, Any] = dict(found.values)
        program = found.to_numpy()
        exec(program, scope)
        name = program.splitlines()[-1].split(" = ")[0]
        given = {own: array.tolist() for own, array in found.values.items()}
        wanted.append((javascript(program), given, {name: scope[name]}))
    for (_, _, expected), found in zip(wanted, in_node(wanted), strict=True):
        assert distance(found, expected) <= TOLERANCE
    with pytest.raises(LayoutError, match=r"the runtime has nothing for expm_frechet of scipy\.linalg"):
        differentiate("expm(X)", "X").to_javascript()


def test_programs_of_layers() -> None:
    """Their windows, pools and sums over indices are the runtime's own."""
    made = []
    for layer in (of.in_matlab, of.turned, of.max_pool, of.avg_pool, of.pool_of_columns, of.heads, of.layer_norm):
        value = layer()
        loss = (value * np.random.default_rng(1).normal(size=value.shape)).sum()
        derivation = explain(loss)
        names = [node.name for node in loss.ancestors() if node.operation is None and node.is_named]
        wanted = {f"d{name}": gradient for name, gradient in zip(names, loss.gradients(*names), strict=True)}
        given = {name: array.tolist() for name, array in derivation.values.items()}
        made.append((javascript(derivation.to_numpy()), given, wanted))
    for (_, _, expected), found in zip(made, in_node(made), strict=True):
        assert distance(found, expected) <= TOLERANCE


def test_a_formula_is_written_in_javascript_where_the_runtime_has_its_functions() -> None:
    X = Symbol("X", (3, 2))
    assert in_every_notation(lambda write: write.expr(Transposed(X)))["javascript"] == "np.transpose(X)"
    padded = in_every_notation(lambda write: write.expr(Placed(X, ((1, None), (None, None)), (4, 2))))
    assert sorted(padded) == ["latex", "mathml", "numpy", "text"]
    with pytest.raises(LayoutError, match=r"the runtime has nothing for np\.pad"):
        JavascriptNotation().document(padded["numpy"])


def test_a_singular_matrix_is_said() -> None:
    program = javascript("Z = np.linalg.inv(S)")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        in_node([(program, {"S": [[1.0, 2.0], [2.0, 4.0]]}, {"Z": None})])
    assert "the matrix is singular" in caught.value.stderr


def test_names_of_a_program_do_not_meet_those_of_the_runtime() -> None:
    program = javascript("def tanh(Z):\n    return np.tanh(Z)\n\n\ndelete = tanh(new)")
    ((found),) = in_node([(program, {"new_": [0.5]}, {"delete_": None})])
    np.testing.assert_allclose(found["delete_"], np.tanh([0.5]), rtol=1e-15)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("for t in X:\n    pass", "for t in X:"),
        ("Z = np.fft(X)", "np.fft(X)"),
        ("from torch import relu\nZ = relu(X)", "relu of torch"),
        ("Z = X[0]", "X[0]"),
        ("Z = X[::2, :]", "::2"),
    ],
)
def test_what_the_runtime_lacks_is_said(program: str, text: str) -> None:
    with pytest.raises(LayoutError, match=r"^to_javascript: the runtime has nothing for") as caught:
        javascript(program)
    assert str(caught.value).endswith(text)


def test_shapes_that_do_not_fit_are_said_by_the_program() -> None:
    program = javascript("Z = X + Y")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        in_node([(program, {"X": [1.0, 2.0], "Y": [1.0, 2.0, 3.0]}, {"Z": None})])
    assert "shapes do not fit: (2) and (3)" in caught.value.stderr


if __name__ == "__main__":
    wanted, worst, done = int(sys.argv[1]), 0.0, 0
    while done < wanted:
        made = jobs(min(100, wanted - done), seed=done)
        for (_, _, expected), found in zip(made, in_node(made), strict=True):
            worst = max(worst, distance(found, expected))
        done += len(made)
    print(f"{wanted} random nets: largest relative difference {worst:.1e}; runtime {len(runtime())} bytes")
