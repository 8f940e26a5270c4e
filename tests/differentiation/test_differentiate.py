"""`differentiate`: printed identities, proven by mpmath's differences; programs that run; errors with a place."""

from __future__ import annotations

import sys
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import jacobians as jac
from jacobians.differentiation import Derivative
from jacobians.differentiation.derivative import FORMS
from jacobians.differentiation.linear_forms import NoMatrixError
from jacobians.differentiation.short_forms import shortened
from jacobians.differentiation.steps import DifferentialSteps
from jacobians.errors import DomainError, FormulaError, GraphError, LayoutError, ShapeError
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Power, Symbol
from jacobians.symbols.numpy import NumpyNotation
from tests.differentiation.identities import IDENTITIES

STEP = mp.mpf(10) ** -15


def differences(value: Any, found: Derivative) -> np.ndarray:
    """Central differences in 50 digits of a function of mpmath's matrices, by every entry of one of them."""
    with mp.workdps(50):
        given = {n: mp.matrix(a.tolist()) if a.ndim else mp.mpf(float(a)) for n, a in found.values.items()}
        array = found.values[found.wrt]
        gradient = np.empty(array.shape)
        for place in np.ndindex(*array.shape):
            ends = []
            for step in (STEP, -STEP):
                moved = given[found.wrt] + step if not place else given[found.wrt].copy()
                if place:
                    moved[place] += step
                ends.append(value(*{**given, found.wrt: moved}.values()))
            gradient[place] = float((ends[0] - ends[1]) / (2 * STEP))
    return gradient


@pytest.mark.parametrize("source", IDENTITIES)
def test_identities_are_proven(source: str) -> None:
    text, wrt, value, printed = IDENTITIES[source]
    found = jac.differentiate(text, wrt=wrt)
    truth = differences(value, found)
    assert found.gradient is not None
    np.testing.assert_allclose(evaluate(found.gradient, found.values), truth, rtol=1e-12, atol=1e-12)
    scope: dict[str, Any] = dict(found.values)
    exec(found.to_numpy(), scope)  # the program's own line computes the same
    np.testing.assert_allclose(scope[f"d{found.wrt}"], truth, rtol=1e-12, atol=1e-12)
    if printed:
        assert found.formula().partition(" = ")[2] == printed


def test_a_wrong_gradient_is_seen() -> None:
    """The proof has teeth: the gradient of tr(X Xᵀ B) is not that of tr(X X B)."""
    text, wrt, value, _ = IDENTITIES["Cookbook 107"]
    found, wrong = jac.differentiate(text, wrt=wrt), jac.differentiate("tr(X X' B)", wrt="X")
    assert wrong.gradient is not None
    assert not np.allclose(evaluate(wrong.gradient, found.values), differences(value, found), rtol=1e-3)


# --- matrices by matrices ---------------------------------------------------------------------------------

MATRICES = {
    "A X B": "∂vec Y/∂vec X = (Bᵀ ⊗ A)",
    "A X^-1 B": "∂vec Y/∂vec X = −((Bᵀ inv(X)ᵀ) ⊗ (A inv(X)))",
    "X' X": "∂vec Y/∂vec X = (Xᵀ ⊗ I₄) K₃,₄ + (I₄ ⊗ Xᵀ)",
    "exp(A X) B": "∂vec Y/∂vec X = (Bᵀ ⊗ I₃) diag(vec (exp(A X))) (I₅ ⊗ A)",
    "X^3": "",
    "2 (A - X') .* B + tr(C) X'": "",
    "A X b": "∂vec y/∂vec X = (bᵀ ⊗ A)",
    "det(A) (X ./ (A A)) - X": "",
}


@pytest.mark.parametrize("text", MATRICES)
def test_jacobians_of_matrices_are_written_as_kronecker_products(text: str) -> None:
    found = jac.differentiate(text, wrt="X")
    if MATRICES[text]:
        assert found.formula("numerator", order="F") == MATRICES[text]
    given = dict(found.values)
    jacobian = found.jacobian(**given)
    dense = np.empty(jacobian.shape)
    for k, (i, j) in enumerate(np.ndindex(*found.shapes["X"])):
        moved = np.zeros(found.shapes["X"])
        moved[i, j] = 1e-6
        ends = [evaluate_text(found, {**given, "X": given["X"] + sign * moved}) for sign in (1, -1)]
        dense[:, k] = ((ends[0] - ends[1]) / 2e-6).ravel()
    np.testing.assert_allclose(jacobian.to_dense("C"), dense, rtol=1e-6, atol=1e-6 * np.abs(dense).max())
    scope: dict[str, Any] = dict(given)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope[f"J_{found.name}_X"], jacobian.to_dense("C"), rtol=1e-12, atol=1e-12)
    for form, order in (("numerator", "C"), ("numerator", "F"), ("denominator", "C"), ("denominator", "F")):
        line = found.formula(form, "numpy", order).partition(" = ")[2]  # type: ignore[arg-type]
        exec(f"J = {line}", scope)
        matrix = jacobian.to_dense(order)  # type: ignore[arg-type]
        np.testing.assert_allclose(scope["J"], matrix if form == "numerator" else matrix.T, rtol=1e-12, atol=1e-12)


def evaluate_text(found: Derivative, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The expression itself, by NumPy's own operators."""
    own: dict[str, Any] = {
        "A X B": lambda A, X, B: A @ X @ B,
        "A X^-1 B": lambda A, X, B: A @ np.linalg.inv(X) @ B,
        "X' X": lambda X: X.T @ X,
        "exp(A X) B": lambda A, X, B: np.exp(A @ X) @ B,
        "X^3": lambda X: X @ X @ X,
        "2 (A - X') .* B + tr(C) X'": lambda A, X, B, C: 2 * (A - X.T) * B + np.trace(C) * X.T,
        "A X b": lambda A, X, b: A @ X @ b,
        "det(A) (X ./ (A A)) - X": lambda A, X: np.linalg.det(A) * (X / (A @ A)) - X,
    }
    return np.asarray(own[found.expression](*arrays.values()))


def test_vectors_and_numbers() -> None:
    found = jac.differentiate("tanh(W @ x + b)", wrt="x")
    assert found.formula("numerator") == "∂y/∂x = diag(1 − tanh(W x + b)²) W"
    assert found.formula("denominator") == "∂y/∂x = Wᵀ diag(1 − tanh(W x + b)²)"
    assert jac.differentiate("alpha * A' * X", wrt="alpha").formula() == "∂Y/∂α = Aᵀ X"
    found = jac.differentiate("tr(X) A", wrt="X")
    assert found.formula("differential") == "dY = tr(dX) A"
    assert found.formula("numerator") == "∂vec Y/∂vec X = vec A vec(I₃)ᵀ"
    assert jac.differentiate("(x - a) / norm(x - a)", "x").formula("numerator") == (
        "∂y/∂x = I₃ / norm(x − a) + (a − x) (xᵀ − aᵀ) / norm(x − a)³"
    )


def test_where_no_matrix_is_written_the_differential_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise NoMatrixError

    monkeypatch.setattr(sys.modules["jacobians.differentiation.derivative"], "linear_form", none)
    found = jac.differentiate("tr(X) A", wrt="X")
    with pytest.raises(LayoutError, match=r"no matrix is written of dY = tr\(dX\) A; take the form 'differential'"):
        found.formula("numerator")
    scope: dict[str, Any] = {**found.values, "dX": np.eye(3)}
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope["dY"], 3 * found.values["A"])


def test_steps_of_a_matrix_go_forward() -> None:
    steps = jac.differentiate("A X^-1 B", wrt="X").steps
    assert isinstance(steps, DifferentialSteps)
    assert [line.text for line in steps.forward] == ["Z₁ = inv(X)", "Z₂ = A Z₁", "Y = Z₂ B"]
    assert [line.text for line in steps.differentials] == ["dZ₁ = −Z₁ dX Z₁", "dZ₂ = A dZ₁", "dY = dZ₂ B"]
    found = jac.differentiate("det(X) X + exp(A X)", wrt="X")
    tangent = np.random.default_rng(0).normal(size=found.shapes["X"])
    scope: dict[str, Any] = {**found.values, "dX": tangent, "det": np.linalg.det, "inv": np.linalg.inv}
    exec(str(found.steps.to_numpy()), {**scope, "trace": np.trace, "exp": np.exp}, scope)
    np.testing.assert_allclose(scope["dY"], found.jacobian(**found.values).jvp(tangent))
    assert str(found.steps).startswith("Forward\n\n  Z₁ = det(X)")
    assert r"\mathrm{d}Z_{1} &= Z_{1}" in found.steps.to_latex()
    assert "<math" in found.steps.to_mathml()


def test_the_examples_of_mathematics_for_machine_learning() -> None:
    """Deisenroth, Faisal & Ong 2020, 5.9 to 5.13, from memory: arrays of order 3 and 4."""
    assert jac.differentiate("A x", wrt="x").formula("numerator") == "∂y/∂x = A"
    assert jac.differentiate("A x", wrt="x").formula("mixed") == "∂y/∂x = A"
    chain = jac.differentiate("exp((t cos(t)) (t sin(t))^2)", wrt="t", shapes={"t": ()})
    t = chain.values["t"]
    inner, outer = (
        np.array([np.cos(t) - t * np.sin(t), np.sin(t) + t * np.cos(t)]),
        np.exp(t**3 * np.cos(t) * np.sin(t) ** 2),
    )
    partial = outer * np.array([(t * np.sin(t)) ** 2, 2 * t * np.cos(t) * t * np.sin(t)])
    assert chain.jacobian(t=t).to_dense().item() == pytest.approx(float(partial @ inner), rel=1e-13)
    loss = jac.differentiate("norm(y - Phi theta)^2", wrt="theta", shapes={"theta": (3,), "Phi": (5, 3)})
    assert loss.formula("numerator") == "∂f/∂θ = 2 ((θᵀ Φᵀ − yᵀ) Φ)"
    of_matrix = jac.differentiate("A x", wrt="A", shapes={"A": (2, 3)})
    T = of_matrix.jacobian(**of_matrix.values).tensor()[:, 0]
    assert T.shape == (2, 2, 3)
    np.testing.assert_array_equal(T[1], np.vstack([np.zeros(3), of_matrix.values["x"][:, 0]]))  # ∂f₂/∂A: zeros, then xᵀ
    gram = jac.differentiate("R' R", wrt="R", shapes={"R": (3, 2)})
    R, K = gram.values["R"], gram.jacobian(**gram.values).tensor()
    assert K.shape == (2, 2, 3, 2)
    for p, q, i, j in np.ndindex(2, 2, 3, 2):
        expected = 2 * R[i, q] if j == p == q else R[i, q] if j == p else R[i, p] if j == q else 0.0
        assert K[p, q, i, j] == pytest.approx(expected)


def test_powers_of_powers_and_sums_of_multiples() -> None:
    """Found by JAX: X**3**2 is X to the ninth in Python, and a number times a matrix is no Hadamard product."""
    found = jac.differentiate("sum((X.^3).^3)", wrt="X")
    assert found.formula() == "∂f/∂X = 9 (X⁶ ∘ X²)"
    scope: dict[str, Any] = dict(found.values)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope["dX"], 9 * found.values["X"] ** 8)
    assert NumpyNotation().expr(Power(Power(Symbol("X", (2, 2)), 3), 2)) == "(X**3)**2"
    found = jac.differentiate("sum((logdet(X) A)^2)", wrt="X", shapes={"X": (3, 3)})
    scope = dict(found.values)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope["dX"], found.jacobian(**found.values).gradient)
    with pytest.raises(DomainError, match="a matrix whose determinant is taken is singular"):
        jac.differentiate("det(logdet(X) (B ./ B)) X", wrt="X")


# --- second derivatives ------------------------------------------------------------------------------------

SECOND = {
    "x' A x + b' x": "∂²f/∂x ∂xᵀ = A + Aᵀ",
    "(a' x) (b' x)": "∂²f/∂x ∂xᵀ = a bᵀ + b aᵀ",
    "tr(A X B X')": "∂²f/∂vec X ∂(vec X)ᵀ = (B ⊗ Aᵀ) + (Bᵀ ⊗ A)",
    "log det X": "∂²f/∂vec X ∂(vec X)ᵀ = −(inv(X) ⊗ inv(X)ᵀ) K₃,₃",
    "tr(X)^2": "∂²f/∂vec X ∂(vec X)ᵀ = 2 vec I₃ vec(I₃)ᵀ",
    "tr(A X)": "∂²f/∂vec X ∂(vec X)ᵀ = 0",
    "log(sum(exp(A x)))": "",
    "sum(softplus(A x))": "",
    "norm(X)": "",
    "sum(X.^3)": "",
    "sum(sqrt(X) ./ (A + X))": "",
    "tr(A pinv(X))": "",
}
LONG = ("sum(sqrt(X) ./ (A + X))", "log(sum(exp(A x)))")


@pytest.mark.parametrize("text", [pytest.param(t, marks=[pytest.mark.slow] if t in LONG else []) for t in SECOND])
def test_hessians_are_written_and_are_what_differences_give(text: str) -> None:
    wrt = "X" if "X" in text else "x"
    found = jac.differentiate(text, wrt, order=2)
    assert not SECOND[text] or found.formula("numerator", order="F") == SECOND[text]
    first, values = jac.differentiate(text, wrt), dict(found.values)
    point, columns = values[wrt], []
    for place in np.ndindex(*point.shape):
        step = np.zeros(point.shape)
        step[place] = 1e-5
        ends = [first.jacobian(**{**values, wrt: point + sign * step}).gradient for sign in (1, -1)]
        columns.append(((ends[0] - ends[1]) / 2e-5).ravel())
    truth = np.stack(columns, axis=1)
    scope: dict[str, Any] = dict(values)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope["H"] + np.zeros(truth.shape), truth, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.jacobian(**values).to_dense("C"), truth, rtol=1e-6, atol=1e-7)
    assert r"\partial^2 f" in found.to_latex()
    assert "<msup><mi>∂</mi><mn>2</mn></msup>" in found.to_mathml()


def test_second_derivatives_by_numbers_other_sizes_and_what_is_refused() -> None:
    found = jac.differentiate("det(A + alpha B)", wrt="alpha", order=2)
    assert found.formula().startswith("∂²f/∂α² = det(A + α B) (tr(inv(A + α B) B)²")
    assert found.formula(notation="latex").startswith(r"\frac{\partial^2 f}{\partial \alpha^2} = ")
    assert jac.differentiate("tr(alpha B)", wrt="alpha", order=2).formula() == "∂²f/∂α² = 0"
    hessian = jac.differentiate("log det X", wrt="X", order=2).jacobian(X=2 * np.eye(2))
    np.testing.assert_allclose(hessian.to_dense(), -0.25 * np.eye(4)[[0, 2, 1, 3]])
    linear = jac.differentiate("a' x", wrt="x", order=2)
    np.testing.assert_array_equal(linear.jacobian(a=np.ones(5), x=np.ones(5)).to_dense(), np.zeros((5, 5)))
    with pytest.raises(FormulaError, match="a second derivative is written of a number; this is a 4×4 array"):
        jac.differentiate("X' X", wrt="X", order=2)
    with pytest.raises(GraphError, match="no second derivative is known of what has relu_prime in its first"):
        jac.differentiate("sum(relu(A x))", wrt="x", order=2)
    with pytest.raises(LayoutError, match="the order is 1 or 2, not 3"):
        jac.differentiate("x' x", wrt="x", order=3)
    with pytest.raises(GraphError, match="take order=1"):
        _ = linear.steps


# --- reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "trace(A.T @ X @ B @ X.T)",
        "np.trace(A.T @ X @ B @ X.T)",
        "tr(A' X B X')",
        "trace(A'*X*B*X')",
        "tr(Aᵀ X B Xᵀ)",
        r"\operatorname{tr}(A^T X B X^\top)",
        r"\mathrm{tr}\left(A^{\top} X B X^T\right)",
        r"\operatorname{tr} \left(A^\top X B X^\top\right)",
        "tr(A'XBX')",
        "tr(AᵀXBXᵀ)",
    ],
)
def test_one_expression_in_every_notation(text: str) -> None:
    found = jac.differentiate(text, wrt="X")
    assert found.formula() == "∂f/∂X = A X Bᵀ + Aᵀ X B"
    assert found.formula("differential") == "df = tr((B Xᵀ Aᵀ + Bᵀ Xᵀ A) dX)"


@pytest.mark.parametrize(
    ("book", "program", "wrt"),
    [
        ("log|X'X|", "logdet(X.T @ X)", "X"),
        (r"\log\det X", "logdet(X)", "X"),
        (r"\ln\left|X\right|", "logdet(X)", "X"),
        ("ln |det(X)|", "logdet(X)", "X"),
        (r"\|A x - b\|_2^2", "norm(A @ x - b)**2", "x"),
        (r"\left\|A x - b\right\|^2", "norm(A @ x - b)**2", "x"),
        ("‖Ax − b‖²", "norm(A @ x - b)**2", "x"),
        ("||Ax - b||^2", "norm(A @ x - b)**2", "x"),
        (r"a^T X^{-T} b", "a.T @ inv(X).T @ b", "X"),
        ("a' X⁻ᵀ b", "a.T @ inv(X).T @ b", "X"),
        ("tr(AX³)", "trace(A @ matrix_power(X, 3))", "X"),
        (r"\mathbf{x}^\top \mathbf{A} \mathbf{x}", "x.T @ A @ x", "x"),
    ],
)
def test_what_books_write(book: str, program: str, wrt: str) -> None:
    found, same = jac.differentiate(book, wrt), jac.differentiate(program, wrt, notation="numpy")
    assert found.formula(notation="numpy") == same.formula(notation="numpy")


def test_greek_matrices() -> None:
    found = jac.differentiate(r"\log|\Sigma| + (x - \mu)^T \Sigma^{-1} (x - \mu)", r"Sigma", shapes={"mu": (3,)})
    assert found.formula() == "∂f/∂Σ = inv(Σ)ᵀ − inv(Σ)ᵀ (x − μ) (xᵀ − μᵀ) inv(Σ)ᵀ"
    assert found.formula(notation="latex").startswith(r"\frac{\partial f}{\partial \Sigma} = ")
    assert jac.differentiate("tr(Σ A)", "Σ").formula() == "∂f/∂Σ = Aᵀ"


def test_shapes_follow_from_the_expression_or_are_declared() -> None:
    found = jac.differentiate("A X b", wrt="X", shapes={"X": (2, 5)})
    assert found.shapes["X"] == (2, 5)
    assert found.shapes["b"] == (5, 1)
    assert found.shapes["A"][1] == 2
    assert jac.differentiate("x.T @ x", wrt="x", shapes={"x": (7,)}).shapes == {"x": (7, 1)}
    assert jac.differentiate("c X", wrt="c", shapes={"c": ()}).formula() == "∂Y/∂c = X"
    assert jac.differentiate("mu' Sigma mu", wrt="mu", shapes={"mu": (3,)}).formula("numerator", "latex") != ""


@pytest.mark.parametrize(
    ("text", "wrt", "options", "message"),
    [
        ("X +", "X", {}, "differentiate: the formula ends here too early"),
        ("", "X", {}, "differentiate: the formula is empty; write one such as 'trace"),
        ("tr(A X)", "Y", {}, r"differentiate: 'Y' is not in 'tr\(A X\)'; its names are A, X"),
        ("A @ X", "X", {"shapes": {"A": (2, 3), "X": (2, 3)}}, "matrix product: 2×3 and 2×3 do not fit"),
        ("x @ A @ x", "x", {"shapes": {"x": (3,)}}, "a vector is a column, and its transpose a row"),
        ("inv(X)", "X", {"shapes": {"X": (2, 3)}}, "inv of a matrix that is not square: 2×3"),
        ("A + X", "X", {"shapes": {"A": (2, 3), "X": (3, 3)}}, "sum: 2×3 and 3×3 do not fit"),
        ("foo(X)", "X", {}, "'foo' is no function that is known here"),
        ("axb", "x", {}, "'axb' is unknown; a product of letters is written with spaces"),
        ("A @ XB", "XB2", {}, "'XB' is unknown; a product of letters is written with spaces"),
        ("(X ⊗ A) vec(X)", "X", {}, "the sizes in vec do not follow from the expression; declare them"),
        ("kron(X, 2)", "X", {}, "kron is taken of two matrices, not of a number"),
        ("tr(pinv(2) X)", "X", {}, "pinv is taken of a matrix, not of a number"),
        ("1' x", "x", {}, "the transpose of a literal is not read; a sum over entries is sum"),
        ("np.outer(X, x)", "X", {}, "outer takes two vectors, not "),
        ("A * X", "X", {}, "the sign \\* is NumPy's product of entries or Octave's of matrices"),
        ("A X", "X", {"notation": "latx"}, "no notation 'latx'; did you mean 'latex'?"),
        ("X[1:]", "X", {"notation": "numpy"}, "part is not differentiated here"),
        ("A X", "X", {"shapes": {"B": (2, 2)}}, "'B' is given a shape, but is not in 'A X'"),
        ("X", "X", {"shapes": {"X": (2, 2, 2)}}, "declared with 3 axes"),
        ("log(0 - X.^2)", "X", {}, "at 20 random points the expression is not defined"),
        ("__import__('os').system('ls')", "X", {}, "differentiate: "),
    ],
)
def test_errors(text: str, wrt: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises((FormulaError, DomainError), match=message):
        jac.differentiate(text, wrt=wrt, **options)


def test_an_error_marks_the_place() -> None:
    with pytest.raises(FormulaError) as caught:
        jac.differentiate("A @ B + C @ X", wrt="X", shapes={"C": (2, 3), "X": (2, 3)})
    assert str(caught.value) == (
        "differentiate: matrix product: 2×3 and 2×3 do not fit\n    A @ B + C @ X\n            ^^^^^"
    )


# --- what is found ----------------------------------------------------------------------------------------


def test_forms_notations_and_the_jacobian() -> None:
    found = jac.differentiate("log det X", wrt="X")
    assert str(found).splitlines()[0] == "f = log det X   (X 3×3)"
    assert found.formula("vec") == "∂f/∂vec X = vec(inv(X)ᵀ)ᵀ"
    assert found.formula(notation="numpy") == "dX = inv(X).T"
    assert found.formula(notation="latex").startswith(r"\frac{\partial f}{\partial X} = ")
    assert found.formula(notation="mathml").startswith("<math")
    assert r"\begin{align*}" in found.to_latex()
    assert found.to_mathml().count("<math") == 4 == found._repr_html_().count("<math")
    assert "Gradients" in str(found.steps)
    X = np.diag([2.0, 4.0])
    np.testing.assert_allclose(found.jacobian(X=X).gradient, np.diag([0.5, 0.25]))
    for form in FORMS:
        assert found.formula(form)
    with pytest.raises(LayoutError, match="no form 'gradent'; did you mean 'gradient'"):
        found.formula("gradent")  # type: ignore[arg-type]
    with pytest.raises(LayoutError, match="no notation 'tex'"):
        found.formula(notation="tex")
    with pytest.raises(LayoutError, match="order is 'C' or 'F', not 'K'"):
        found.formula("vec", order="K")  # type: ignore[arg-type]
    with pytest.raises(GraphError, match="the Jacobian needs X; given are Z"):
        found.jacobian(Z=X)
    with pytest.raises(ShapeError, match="X has shape scalar, not one such as 3×3"):
        found.jacobian(X=1.0)


def test_a_formula_is_held_against_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys.modules["jacobians.differentiation.second_derivative"], "shortened", lambda expr: shortened(2 * expr)
    )
    with pytest.raises(DomainError, match="the formula and the numbers differ at a random point"):
        jac.differentiate("tr(A X)", wrt="X")


def test_kronecker_products_in_every_notation() -> None:
    sizes = {"A": (2, 3), "X": (3, 2)}
    for text in ("kron(A, X)", "np.kron(A, X)", r"A \otimes X", "A ⊗ X"):
        found = jac.differentiate(text, "X", shapes=sizes)
        assert found.formula("differential") == "dY = A ⊗ dX"
    A, X = found.values["A"], found.values["X"]
    moved = jac.differentiate("kron(X, X)", "X", shapes={"X": (3, 2)})
    np.testing.assert_allclose(moved.jacobian(X=X).jvp(X), 2 * np.kron(X, X))
    square = jac.differentiate("tr(C (A ⊗ X))", "X", shapes={"C": (4, 4), "A": (2, 2), "X": (2, 2)})
    C, A = square.values["C"], square.values["A"]
    expected = sum(A[i, j] * C.T[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] for i, j in np.ndindex(2, 2))
    np.testing.assert_allclose(square.jacobian(**square.values).gradient, expected, rtol=1e-13)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (3, 3)])
def test_pseudo_inverses(shape: tuple[int, int]) -> None:
    found = jac.differentiate("pinv(X)", "X", shapes={"X": shape})
    scope = {**found.values}
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope["J_Y_X"], jac.matrix.pinv(found.values["X"])[1].to_dense("C"), atol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "tr(tanh(B ./ (X - X)))",
        "tr((X.^3 / det(X - X'))^3)",
        "X ./ ((A + I) - A)",
        "A B / det(logdet(X \\ X) X)",
        # entries that are no part of the trace
        "tr(sin(X + A) ./ ((A - (A + I)) .* X))",
        "tr(((A + I) \\ (A + I)) ./ expm(tanh((A .* X) .* (X - X))))",
    ],
)
def test_what_is_divided_by_zero_has_no_derivative(text: str) -> None:
    """Zero for all X, up to rounding: an error that says so, and no warning of NumPy's."""
    with pytest.raises(DomainError, match=r"no derivative at random points that floating point can find|not finite"):
        jac.differentiate(text, "X", shapes={"X": (3, 3)}, notation="octave")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (r"\sigma(w^T x)", "sigmoid(w' x)"),
        ("σ(W x + b)", "sigmoid(W x + b)"),
        ("np.mean((X @ w - y)**2)", "norm(X w - y)^2 / 5"),
        ("np.square(X @ w - y).sum()", "norm(X w - y)^2"),
        ("np.log1p(np.exp(X @ w)).sum()", "sum(log(1 + exp(X w)))"),
        ("np.linalg.solve(A, x)", "inv(A) x"),
        ("np.outer(x, y)", "x y'"),
        ("np.linalg.norm(X, 'fro')**2", "norm(X)^2"),
    ],
)
def test_other_ways_to_write_it(text: str, same: str) -> None:
    wrt = next(name for name in "wXAx" if name in text)
    sizes = {"X": (5, 3), "w": (3,), **({"y": (5,)} if "y" in text else {})} if "X @ w" in text else {}
    one, other = (jac.differentiate(each, wrt, shapes=sizes) for each in (text, same))
    assert one.shapes == other.shapes
    arrays = one.values
    np.testing.assert_allclose(
        one.jacobian(**arrays).to_dense(), other.jacobian(**arrays).to_dense(), rtol=1e-12, atol=1e-14
    )


def test_a_sigma_that_stands_elsewhere_is_a_number() -> None:
    assert jac.differentiate(r"\sigma(a^T x) + \sigma", "x").formula() == "∂f/∂x = σ a"
    assert jac.differentiate("σ (a' x)", "x", shapes={"σ": ()}).formula() == "∂f/∂x = σ a"
