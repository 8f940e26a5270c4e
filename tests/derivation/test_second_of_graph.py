"""The Hessian of a graph's scalar in symbols: every block's program runs, and equals the structured Hessian."""

from __future__ import annotations

import numpy as np
import pytest

import jacobians as jac
from jacobians import Layout, Network, convention
from jacobians.derivation import SecondDerivation, explain
from jacobians.errors import DomainError, GraphError, LayoutError
from jacobians.graphs import Value
from jacobians.layers import layer_norm
from jacobians.linops import Jacobian
from jacobians.network import Run
from jacobians.testing.random_graphs import random_graph

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))


def agrees(found: SecondDerivation, expected: dict[tuple[str, str], np.ndarray], allowed: float = 1e-12) -> None:
    space = dict(found.values)
    exec(found.to_numpy(), space)
    for pair, block in found.blocks.items():
        scale = max(1.0, np.abs(expected[pair]).max(initial=0))
        actual = space[block.formula.left.name]
        assert actual.shape == expected[pair].shape, block.formula.text
        np.testing.assert_allclose(actual, expected[pair], rtol=0, atol=allowed * scale, err_msg=block.formula.text)


def check(value: Value, *wrt: str, allowed: float = 1e-12) -> SecondDerivation:
    """Every block that the printed program computes is a part of the structured Hessian's matrix."""
    found = explain(value, wrt=wrt, order=2)
    names = list(dict.fromkeys(name for name, _ in found.blocks))
    H = value.hessian(*names).to_dense()
    ends = np.cumsum([0, *(found.values[name].size for name in names)])
    parts = {name: slice(*pair) for name, *pair in zip(names, ends, ends[1:], strict=False)}
    agrees(found, {(a, b): H[parts[a], parts[b]] for a, b in found.blocks}, allowed)
    return found


def check_run(run: Run, *wrt: str) -> SecondDerivation:
    found = explain(run, wrt=wrt, order=2)
    agrees(found, {pair: run.hessian(*dict.fromkeys(pair)).to_dense() for pair in found.blocks})
    return found


def tied(layout: Layout) -> Network:
    own = convention("cs231n").replace(name="own", layout=layout)
    return Network(
        lambda X, W, b: jac.tanh(X @ W + b) @ W.T, "squared_error", own, shapes={"W": (3, 2), "b": (2,)}, l2=0.3
    )


def test_a_network_of_a_function_needs_its_data() -> None:
    assert list(explain(tied(Layout()), X=X, Y=Y, order=2).blocks) == [("W", "W"), ("W", "b"), ("b", "b")]
    with pytest.raises(LayoutError, match="is a function of values, whose inputs have no known sizes; pass X and Y"):
        explain(tied(Layout()), order=2)


def test_weights_that_are_tied() -> None:
    """A value that depends on W in two ways has a named Jacobian; each term says which operation it comes from."""
    found = check_run(tied(Layout()).run({"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}, X, Y))
    terms = [(term.operation, term.part, term.of) for term in found["W"].terms]
    assert terms == [
        ("tanh", "inner", ("Z1",)),
        ("matmul", "inner", ("A1", "W")),
        ("matmul", "inner", ("A1", "W")),
        ("squared_error", "loss", ("Z2",)),
        ("l2", "penalty", ("W",)),
    ]
    text = str(found)
    assert text.startswith("own: batch in rows")
    assert "J_Z2_W = (I₄ ⊗ W) diag(vec tanh′(Z₁)) (X ⊗ I₂) + (A₁ ⊗ I₃) K₂,₃" in text
    assert "+ (2 / N) J_Z2_Wᵀ J_Z2_W\n        squared_error at Z₂, Gauss–Newton part" in text
    assert "+ 0.3 I₆\n        l2 at W, regulariser" in text
    assert found["W", "b"].formula.text.startswith("∂²J/∂vec W ∂(vec b)ᵀ = ")


@pytest.mark.slow
@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
@pytest.mark.parametrize("vec", ["C", "F"])
def test_a_function_of_values_in_the_orders_of_its_convention(vec: str, derivative: str) -> None:
    params = {"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
    check_run(tied(Layout(vec=vec, derivative=derivative)).run(params, X, Y), "W", "b", "X")


def test_scalars() -> None:
    x, y = jac.values(x=2.0, y=3.0)
    found = check(x * jac.log(y) + y, "x", "y")
    assert found["x", "y"].formula.text == "∂²L/∂vec x ∂(vec y)ᵀ = log′(y)"
    assert found["y"].formula.numpy == "H_y_y = np.diag([x * log_second(y)])"
    assert str(found).startswith("L twice with respect to x, y\n")
    assert found.convention is None


def test_classes_and_a_layer_without_formula() -> None:
    (Z,) = jac.values(Z=RNG.normal(size=(4, 3)))
    found = check(jac.cross_entropy(Z, [0, 1, 2, 1]), "Z")
    assert found["Z"].formula.text.endswith(" = (1 / N) ⊕ₙ(diag Pₙ − Pₙ Pₙᵀ)")
    G, b = RNG.normal(size=3), RNG.normal(size=3)
    named = check((layer_norm(Z, G, b) * Y).sum(), "Z")
    assert any("_second" in name for name in named.values), "its second derivative is a matrix with a name"


def test_every_notation() -> None:
    A, B = jac.values(A=X, B=Y)
    found = check((jac.exp(A * B) * A).sum())
    assert list(found.blocks) == [("A", "A"), ("A", "B"), ("B", "B")]
    assert found.to_latex().count(r"\frac{\partial^2 L}") == 3
    assert found.to_mathml().count("<math") == len(found.equations)
    assert "H_A_B = " in found.to_javascript()


@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(5, 200, 5))])
def test_random_graphs(start: int) -> None:
    for seed in range(start, start + 5):
        case = random_graph(seed)
        inputs = jac.values(**case.arrays)
        value = case.results(inputs)[-1]
        single = any(array.dtype == np.float32 for array in case.arrays.values())
        with np.errstate(all="ignore"):
            check((value * value).sum(), *case.arrays, allowed=1e-4 if single else 1e-10)


def test_what_is_refused() -> None:
    A, _ = jac.values(A=X, B=Y)
    with pytest.raises(GraphError, match="has shape 4×3; a gradient is that of one number"):
        explain(A * A, order=2)
    with pytest.raises(GraphError, match="no value is called 'C'"):
        explain((A * A).sum(), wrt="C", order=2)


def test_a_formula_that_is_not_what_is_computed_is_not_printed() -> None:
    class Wrong(jac.operations.Square):
        @staticmethod
        def textbook_second(Z: np.ndarray) -> np.ndarray:
            return 3 + 0 * Z

    (A,) = jac.values(A=X)
    found = check(Wrong()(A).sum())
    assert "diag(vec d_wrong_1_second_X)" in found["A"].formula.text


def test_an_operation_without_a_second_derivative_says_so() -> None:
    class Alone(jac.operations.Unary):
        def _linearize(self, X: np.ndarray) -> tuple[np.ndarray, dict[str, Jacobian]]:
            return X**2, {"X": lambda: jac.linops.Diagonal(2 * X)}

    (A,) = jac.values(A=X)
    with pytest.raises(DomainError, match="alone: the operation states no second derivative, which a Hessian needs"):
        explain(Alone()(A).sum(), order=2)
