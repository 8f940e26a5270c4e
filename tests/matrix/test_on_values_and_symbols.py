"""The operations of matrices on values of graphs and on symbols: what is printed, run, is what is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import matrix as jm
from jacobians.derivation import GraphDerivation, explain
from jacobians.graphs import Value
from jacobians.linops import Jacobian
from jacobians.operations import Operation
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Symbol
from jacobians.testing.reference import numerical_derivative

rng = np.random.default_rng(0)
A, B, M = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(3, 2)), rng.normal(size=(3, 3))
X, x = rng.normal(size=(4, 3)), rng.normal(size=3)

WRITTEN: dict[str, tuple[Operation, list[np.ndarray]]] = {
    "trace": (jm.Trace(), [A]),
    "quadratic": (jm.Quadratic(), [x, M]),
    "quadratic of a batch": (jm.Quadratic(), [X, M]),
    "bilinear": (jm.Bilinear(), [x, B, rng.normal(size=2)]),
    "triple_product": (jm.TripleProduct(), [X, A, B]),
    "congruence": (jm.Congruence(), [B, M]),
    "gram": (jm.Gram(), [X]),
    "gram of rows": (jm.Gram("rows"), [X]),
    "outer": (jm.Outer(), [x, rng.normal(size=2)]),
    "inverse": (jm.Inverse(), [A]),
    "det": (jm.Determinant(), [A]),
    "logdet": (jm.LogDeterminant(), [A]),
    "frobenius_norm": (jm.FrobeniusNorm(), [B]),
    "solve": (jm.Solve(), [A, B]),
    "matrix_power": (jm.MatrixPower(3), [A]),
    "expm": (jm.MatrixExponential(), [0.3 * A]),
    "logm": (jm.MatrixLogarithm(), [A]),
    "sqrtm": (jm.MatrixSquareRoot(), [A]),
    "sylvester": (jm.Sylvester(), [A, np.array([[1.0, 2.0], [0.5, 3.0]]), B]),
}
"""Operations that say of themselves what they are in symbols."""


@pytest.mark.parametrize("name", WRITTEN)
def test_what_an_operation_says_of_itself_in_symbols_is_what_it_computes(name: str) -> None:
    operation, arrays = WRITTEN[name]
    symbols = [Symbol(own, array.shape) for own, array in zip(operation.names, arrays, strict=True)]
    known = dict(zip(operation.names, arrays, strict=True))
    formula, makers = operation.in_symbols(*symbols)
    value, jacobians = operation.evaluate(*arrays)
    np.testing.assert_allclose(evaluate(formula, known), value, rtol=1e-12)
    for wrt in operation.names:
        jacobian = makers[wrt]()
        known |= {"c": rng.normal(size=value.shape), "t": rng.normal(size=known[wrt].shape)}
        pulled: Any = jacobian._vjp(Symbol("c", value.shape))  # type: ignore[arg-type]
        np.testing.assert_allclose(evaluate(pulled, known), jacobians[wrt].vjp(known["c"]), atol=1e-12)
        pushed: Any = jacobian._jvp(Symbol("t", known[wrt].shape))  # type: ignore[arg-type]
        np.testing.assert_allclose(evaluate(pushed, known), jacobians[wrt].jvp(known["t"]), atol=1e-12)


def test_an_operation_explains_itself() -> None:
    """The Matrix Cookbook's equation 124 and Giles's 2.2.3: −A⁻ᵀ Ā A⁻ᵀ, whatever the input is called."""
    found = explain(jm.Inverse(), "cs231n", A)
    assert found.inputs["A"].pullback.text == "dA = −Zᵀ dZ Zᵀ"
    assert found.value is not None
    assert found.value.text == "Z = inv(A)"
    found = explain(jm.Solve(), "cs231n", A, B)
    assert found.inputs["B"].pullback.text == "dB = inv(A)ᵀ dZ"
    assert found.inputs["A"].pullback.text == "dA = −inv(A)ᵀ dZ Zᵀ"


def loss(a: Any, b: Any) -> Any:
    """A scalar through nine operations."""
    C = jm.cholesky(jm.gram(a)).named("C")
    Y = jm.solve(C, b).named("Y")
    return (jm.logdet(C) + jm.trace(jm.gram(Y)) + jm.frobenius_norm(jm.expm(0.1 * a)) + jm.nuclear_norm(Y)).named("L")


def test_values_of_a_graph() -> None:
    a, b = jac.values(A=A, B=B)
    L = loss(a, b)
    assert isinstance(L, Value)

    def numbers(A: np.ndarray, B: np.ndarray) -> np.ndarray:
        return loss(*jac.values(A=A, B=B)).array

    for wrt, array, along in (
        (a, A, lambda moved: numbers(moved, B)),
        (b, B, lambda moved: numbers(A, moved)),
    ):
        direction = rng.normal(size=array.shape)
        expected, error = numerical_derivative(along, array, direction)
        (gradient,) = L.gradients(wrt)
        assert float((gradient * direction).sum()) == pytest.approx(float(expected), abs=10 * float(error) + 1e-10)
    assert isinstance(L.jacobian(a), Jacobian)


def test_a_graph_explains_itself() -> None:
    a, b = jac.values(A=A, B=B)
    Y = jm.inverse(a).named("Y")
    L = jm.trace(jm.gram(Y @ b)).named("L")
    found = jac.explain(L)
    assert isinstance(found, GraphDerivation)
    scope: dict[str, Any] = dict(found.values)
    exec(found.to_numpy(), scope)
    for name, gradient in zip("AB", L.gradients(a, b), strict=True):
        np.testing.assert_allclose(scope[f"d{name}"], gradient, rtol=1e-12)
    assert "dA = −Yᵀ dY Yᵀ" in str(found)


def test_what_has_several_results_gives_several_values() -> None:
    (a,) = jac.values(A=A)
    for operation, count in ((jm.qr, 2), (jm.slogdet, 2), (jm.svd, 3)):
        results = operation(a)
        assert len(results) == count
        assert all(isinstance(result, Value) for result in results)
    Q, R = jm.qr(a)
    np.testing.assert_allclose((Q @ R).jacobian(a).to_dense(), np.eye(9), atol=1e-13)  # type: ignore[union-attr]


def test_a_value_and_an_array_that_is_constant() -> None:
    (b,) = jac.values(B=B)
    found = jm.solve(A, b)
    assert isinstance(found, Value)
    assert found.jacobian(b).structure == "Kronecker(3×3, I₂)"
