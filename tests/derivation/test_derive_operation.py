"""An operation's printed Jacobian, run as code, is the operation's own; so are its pullback and pushforward."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Layout, convention
from jacobians.derivation import explain
from jacobians.errors import LayoutError
from jacobians.linops import Dense, Identity
from jacobians.operations import (
    GELU,
    AddOnes,
    Affine,
    Hadamard,
    LeakyReLU,
    Log,
    LogSoftmax,
    MatMul,
    Operation,
    Power,
    Softmax,
    Square,
    Tanh,
    Total,
    Transpose,
    Unary,
    textbook_functions,
)
from jacobians.symbols import explicit_matrices, named_functions
from tests.derivation.networks import LAYOUTS


def inputs_of(operation: Operation, derivation) -> list[np.ndarray]:
    return [derivation.values[name] for name in operation.names]


def check(operation: Operation, layout: Layout, *arrays: np.ndarray) -> None:
    derivation = explain(operation, layout, *arrays)
    # the operation as it is in the layout
    moved = type(operation)(layout) if isinstance(operation, (Affine, Softmax, LogSoftmax, AddOnes)) else operation
    given = list(arrays) or inputs_of(moved, derivation)
    value, jacobians = moved.evaluate(*given)
    scope = {**explicit_matrices.MATRICES, "np": np, **derivation.values}
    exec(named_functions.source_of(textbook_functions().values()), scope)
    scope |= {f"{n}_ones": matrices_of_ones(derivation.values[n], layout) for n in moved.names}
    if derivation.value is not None:
        exec(derivation.value.numpy, scope)
        np.testing.assert_allclose(scope[derivation.value.left.name], value, rtol=1e-12, atol=1e-12)
    for name, found in derivation.inputs.items():
        structured = jacobians[name]
        dense = structured.to_dense(layout.vec)
        for equation in (found.jacobian, *(step.equation for step in found.merged)):
            exec(equation.numpy, scope)
            matrix = scope[equation.numpy.partition(" = ")[0]]
            np.testing.assert_allclose(matrix, dense, rtol=1e-12, atol=1e-12, err_msg=equation.text)
        cotangent, tangent = derivation.values[f"d{output_of(derivation)}"], derivation.values[f"t{name}"]
        exec(found.pullback.numpy, scope)
        np.testing.assert_allclose(scope[f"d{name}"], structured.vjp(cotangent), rtol=1e-12, atol=1e-12)
        exec(found.pushforward.numpy, scope)
        pushed = np.broadcast_to(scope[f"t{output_of(derivation)}"], value.shape)
        np.testing.assert_allclose(pushed, structured.jvp(tangent), rtol=1e-12, atol=1e-12)
        for step in found.steps:
            exec(step.equation.numpy, scope)
            row = scope[f"vec_d{name}"]
            expected = structured.vjp(cotangent).flatten(order=layout.vec)
            np.testing.assert_allclose(row, expected, rtol=1e-12, atol=1e-12, err_msg=step.equation.text)


def output_of(derivation) -> str:
    return next(name[1:] for name in derivation.values if name in ("dZ", "dA") and name[1:] in derivation.values)


def matrices_of_ones(array: np.ndarray, layout: Layout) -> np.ndarray | None:
    if array.ndim != 2 or not layout.absorbs_bias:
        return None
    axis = 1 if layout.batch == "rows" else 0
    shape = (array.shape[0], 1) if axis else (1, array.shape[1])
    parts = (np.ones(shape), array) if layout.bias == "first" else (array, np.ones(shape))
    return np.concatenate(parts, axis=axis)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_affine_in_every_layout(layout):
    check(Affine(), layout)


@pytest.mark.parametrize("vec", ["C", "F"])
@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize(
    "operation", [Tanh(), GELU(), LeakyReLU(0.3), Log(), Square(), Power(3), Softmax(), LogSoftmax(), Transpose()]
)
def test_operations_of_one_array(operation, batch, vec):
    check(operation, Layout(batch=batch, vec=vec))


def test_adding_ones():
    check(AddOnes(Layout(bias="first")), Layout(bias="last", batch="columns", vec="F"))


def test_products_of_two_variables():
    rng = np.random.default_rng(0)
    check(MatMul(), Layout(vec="F"), rng.normal(size=(2, 3)), rng.normal(size=(3, 4)))
    check(Hadamard(), Layout(), rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))


def test_the_code_of_an_operation_runs_on_symbols():
    derivation = explain(Total(axis=0), None, np.arange(6.0).reshape(2, 3) + 0.5)
    assert derivation.value.text == "A = 1ᵀX"
    assert derivation["X"].jacobian.text == "∂vec A/∂vec X = R(1×3 to 3) (1ᵀ ⊗ I₃)"
    check(Total(axis=0), Layout(vec="F"), np.arange(6.0).reshape(2, 3) + 0.5)


class Tripled(Unary):
    """An operation of a user's, whose code asks for what only numbers have."""

    def _linearize(self, *arrays):
        (X,) = arrays
        return np.multiply(X, 3.0), {"X": lambda: 3.0 * Identity(X.shape)}


def test_an_operation_whose_value_has_no_formula_still_has_its_jacobian():
    X = np.arange(6.0).reshape(2, 3)
    derivation = explain(Tripled(), None, X)
    assert derivation.value is None
    check(Tripled(), Layout(vec="F"), X)


class Doubled(Unary):
    """An operation of a user's, with a structure that has no symbol."""

    def _linearize(self, *arrays):
        (X,) = arrays
        return 2.0 * X, {"X": lambda: Dense(2.0 * np.eye(X.size).reshape(X.shape * 2), X.shape)}


@pytest.mark.parametrize("vec", ["C", "F"])
def test_a_structure_without_a_symbol_keeps_its_matrix(vec):
    X = np.arange(6.0).reshape(2, 3)
    assert "J_X" in explain(Doubled(), Layout(vec=vec), X)["X"].jacobian.text
    check(Doubled(), Layout(vec=vec), X)


def test_the_mixed_product_joins_the_selection_and_the_weights():
    (step,) = explain(Affine(), convention("ng-ml-2011"))["X"].merged
    assert step.rule == "mixed product"
    assert step.reason == "(W ⊗ I₅) Sᵀ = (W[:, 1:] ⊗ I₅)."


def test_inputs_are_asked_for_where_none_can_be_made_up():
    with pytest.raises(
        LayoutError,
        match=r"explain: matmul needs its inputs: pass A, B after the convention, explain\(operation, None, A, B\)",
    ):
        explain(MatMul())


def test_the_text_names_rule_and_result():
    text = str(explain(Affine(), Layout(weights="rows")))
    assert "∂vec Z/∂vec W" in text
    assert "2. commutation. K only transposes" in text
    assert "so  dW = dZᵀ X,  and for a tangent  tZ = X tWᵀ" in text


@pytest.mark.parametrize(
    "layout", [Layout(weights="rows", bias="first"), Layout(batch="columns", bias="last", vec="F")]
)
def test_the_program_stands_alone(layout):
    derivation = explain(Affine(), layout)
    scope = {n: derivation.values[n] for n in ("X", "W", "dZ", "tX", "tW")}
    exec(derivation.to_numpy(), scope)
    value, jacobians = Affine(layout)(scope["X"], scope["W"])
    np.testing.assert_allclose(scope["Z"], value, rtol=1e-12)
    np.testing.assert_allclose(scope["J_Z_W"], jacobians.W.to_dense(layout.vec), rtol=1e-12)
    np.testing.assert_allclose(scope["dX"], jacobians.X.vjp(scope["dZ"]), rtol=1e-12)


def test_the_latex_has_every_equation():
    derivation = explain(Affine(), Layout(weights="rows", bias="first"))
    latex = derivation.to_latex()
    assert all(e.latex in latex or e.latex.replace(" = ", " &= ", 1) in latex for e in derivation.equations)
    assert latex.count(r"\begin") == latex.count(r"\end")
    assert r"\begin{enumerate}" not in explain(Transpose(), None).to_latex().split(r"\paragraph")[0]
