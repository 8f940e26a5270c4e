"""`differentiate` of diag, vec, abs, softmax and A \\ b: derivatives and programs against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import jacobians as jac
from jacobians.differentiation.differentiate import guessed
from jacobians.errors import DomainError, FormulaError


def column(a: Any) -> np.ndarray:
    return np.asarray(a).reshape(-1, 1)


def vec(A: np.ndarray) -> np.ndarray:
    return column(A.T.ravel())


def softmax(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(x) / np.exp(x).sum())


EXPM, LOGM, SQRTM = scipy.linalg.expm, scipy.linalg.logm, scipy.linalg.sqrtm


def rows_softmax(X: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(X) / np.exp(X).sum(axis=1, keepdims=True))


OF_MATRICES: dict[str, tuple[str, Callable[..., Any], str]] = {
    "diag(x) A": ("x", lambda x, A: x * A, "dY = diag(dx) A"),
    "diag(A X)": ("X", lambda A, X: column((A * X.T).sum(1)), "dy = diag(A dX)"),
    "np.diag(np.diag(X)) @ A": ("X", lambda X, A: column(np.diagonal(X)) * A, "dY = diag(diag(dX)) A"),
    "vec(A X)": ("X", lambda A, X: vec(A @ X), "dy = vec(A dX)"),
    "X(:)": ("X", lambda X: vec(X), "dy = vec(dX)"),
    "X.reshape(-1, 1) * 2.0": ("X", lambda X: 2 * column(X), "dy = 2 vec(dXᵀ)"),
    "abs(A X)": ("X", lambda A, X: np.abs(A @ X), "dY = (A dX) ∘ sign(A X)"),
    r"A \ b": ("A", lambda A, b: np.linalg.solve(A, b), "dy = −inv(A) dA inv(A) b"),
    "2.^(A X)": ("X", lambda A, X: 2 ** (A @ X), "dY = log(2) ((A dX) ∘ power(2, A X))"),
    "X**Y": ("X", lambda X, Y: X**Y, "dZ = (dX / X) ∘ Y ∘ exp(Y ∘ log(X))"),
    "A / B": ("B", lambda A, B: A @ np.linalg.inv(B), "dY = −A inv(B) dB inv(B)"),
    "np.maximum(X, 0.7)": ("X", lambda X: np.maximum(X, 0.7), "dY = dX ∘ relu′(X − 0.7)"),
    "min(X, Y)": ("X", lambda X, Y: np.minimum(X, Y), "dZ = dX − dX ∘ relu′(X − Y)"),
    "np.clip(X, 0.4, 0.8)": ("X", lambda X: np.clip(X, 0.4, 0.8), "dY = dX ∘ relu′(X − 0.4) − dX ∘ relu′(X − 0.8)"),
    "|A x|": ("x", lambda A, x: np.abs(A @ x), "dy = (A dx) ∘ sign(A x)"),
    "x.^2.5": ("x", lambda x: x**2.5, "dy = 2.5 (dx ∘ power(x, 1.5))"),
    "arctan(cosh(X))": ("X", lambda X: np.arctan(np.cosh(X)), "dY = dX ∘ sinh(X) / (1 + cosh(X)²)"),
    "softmax(X, axis=1) @ A": (
        "X",
        lambda X, A: rows_softmax(X) @ A,
        "dY = (softmax(X) ∘ (dX − ((dX ∘ softmax(X)) 1) 1ᵀ)) A",
    ),
    "special.softmax(X, axis=0)": (
        "X",
        lambda X: rows_softmax(X.T).T,
        "dY = softmax(X) ∘ (dX − 1 (1ᵀ(dX ∘ softmax(X)))ᵀ)",
    ),
    "kron(A, X)": ("X", lambda A, X: np.kron(A, X), "dY = A ⊗ dX"),
    "kron(A X, x) B": ("X", lambda A, X, x, B: np.kron(A @ X, x) @ B, "dY = ((A dX) ⊗ x) B"),
    "X ⊗ X": ("X", lambda X: np.kron(X, X), "dY = dX ⊗ X + X ⊗ dX"),
    "inv(kron(X, A))": ("X", lambda X, A: np.linalg.inv(np.kron(X, A)), "dY = −inv(X ⊗ A) (dX ⊗ A) inv(X ⊗ A)"),
    "sqrtm(X) B": ("X", lambda X, B: SQRTM(X) @ B, "dY = sylvester(sqrtm(X), sqrtm(X), dX) B"),
    "X^{-1/2} B": (
        "X",
        lambda X, B: np.linalg.solve(SQRTM(X), B),
        "dY = −inv(sqrtm(X)) sylvester(sqrtm(X), sqrtm(X), dX) inv(sqrtm(X)) B",
    ),
    "sylvester(A, X, B)": (
        "X",
        lambda A, X, B: scipy.linalg.solve_sylvester(A, X, B),
        "dY = −sylvester(A, X, sylvester(A, X, B) dX)",
    ),
    "softmax(A x)": ("x", lambda A, x: softmax(A @ x), "dy = softmax(A x) ∘ (A dx − (dxᵀ Aᵀ softmax(A x)) 1)"),
}
OF_NUMBERS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "tr(diag(x) A diag(x))": ("x", lambda x, A: (np.diagonal(A) * (x**2)[:, 0]).sum(), ""),
    r"a^T \operatorname{diag}(X)": ("X", lambda a, X: a[:, 0] @ np.diagonal(X), "∂f/∂X = diag(a)"),
    "a' vec(X.^2)": ("X", lambda a, X: (a * vec(X**2)).sum(), ""),
    "vec(X)' vec(X)": ("X", lambda X: (X**2).sum(), "∂f/∂X = 2 X"),
    "sum(abs(A x - b))": ("x", lambda A, x, b: np.abs(A @ x - b).sum(), "∂f/∂x = Aᵀ sign(A x − b)"),
    "np.power(2, x).sum()": ("x", lambda x: (2**x).sum(), "∂f/∂x = log(2) power(2, x)"),
    "sum(beta.^(gamma x))": (
        "gamma",
        lambda beta, gamma, x: (beta ** (gamma * x)).sum(),
        "∂f/∂γ = log(β) (exp(log(β) γ x)ᵀ x)",
    ),
    r"b' (A \ b)": ("A", lambda b, A: b[:, 0] @ np.linalg.solve(A, b)[:, 0], ""),
    "a' softmax(x)": ("x", lambda a, x: (a * softmax(x)).sum(), "∂f/∂x = softmax(x) ∘ (a − (aᵀ softmax(x)) 1)"),
    r"\sqrt{x^T A x}": ("x", lambda x, A: (x.T @ A @ x)[0, 0] ** 0.5, ""),
    "(x^T x)^{3/2}": ("x", lambda x: (x * x).sum() ** 1.5, "∂f/∂x = 3 sqrt(xᵀ x) x"),
    "e^{-x^T A x}": ("x", lambda x, A: np.exp(-(x.T @ A @ x))[0, 0], "∂f/∂x = −exp(−(xᵀ A x)) (A x + Aᵀ x)"),
    "2^{x^T x}": ("x", lambda x: 2 ** (x * x).sum(), ""),
    "|a' x| |X|": ("X", lambda a, x, X: abs((a * x).sum()) * np.linalg.det(X), "∂f/∂X = abs(aᵀ x) det(X) inv(X)ᵀ"),
    r"\left\| A x \right\|_{1} + \|x\|_2": ("x", lambda A, x: np.abs(A @ x).sum() + np.sqrt((x * x).sum()), ""),
    "log(2) |1 - 3| tr(max(1, 2) X)": ("X", lambda X: np.log(2) * 4 * np.trace(X), "∂f/∂X = 2.77259 I₃"),
    "norm(A x, 1)": ("x", lambda A, x: np.abs(A @ x).sum(), "∂f/∂x = Aᵀ sign(A x)"),
    "norm(X, 'fro')^2": ("X", lambda X: (X * X).sum(), "∂f/∂X = 2 X"),
    "np.sum(A * softmax(X, axis=1))": ("X", lambda A, X: (A * rows_softmax(X)).sum(), ""),
    "tr(A sqrtm(X))": ("X", lambda A, X: np.trace(A @ SQRTM(X)), "∂f/∂X = sylvester(sqrtm(X)ᵀ, sqrtm(X)ᵀ, Aᵀ)"),
    "np.linalg.slogdet(X)[1]": ("X", lambda X: np.log(np.linalg.det(X)), "∂f/∂X = inv(X)ᵀ"),
}


def differences(function: Callable[..., Any], values: dict[str, np.ndarray], wrt: str) -> np.ndarray:
    """The Jacobian by rows."""
    point, columns = values[wrt], []
    for place in np.ndindex(*point.shape):
        step = np.zeros(point.shape)
        step[place] = 1e-5
        ends = [np.asarray(function(**{**values, wrt: point + sign * step})) for sign in (1, -1)]
        columns.append(((ends[0] - ends[1]) / 2e-5).ravel())
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("text", OF_MATRICES)
def test_of_matrices_in_every_layout(text: str) -> None:
    wrt, function, printed = OF_MATRICES[text]
    found = jac.differentiate(text, wrt)
    values = dict(found.values)
    np.testing.assert_allclose(found._graph(values)[0].array, function(**values), rtol=1e-12)
    jacobian = found.jacobian(**values)
    truth = differences(function, values, wrt)
    np.testing.assert_allclose(jacobian.to_dense("C"), truth, rtol=1e-7, atol=1e-8)
    assert found.formula("differential") == printed
    scope: dict[str, Any] = dict(values)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope[f"J_{found.name}_{wrt}"], jacobian.to_dense("C"), rtol=1e-12, atol=1e-12)
    scope |= {"vec": lambda A, order: np.ravel(A, order), "commutation": commutation}
    for form, order in (("numerator", "F"), ("denominator", "C"), ("denominator", "F")):
        exec(f"J = {found.formula(form, 'numpy', order).partition(' = ')[2]}", scope)  # type: ignore[arg-type]
        matrix = jacobian.to_dense(order)  # type: ignore[arg-type]
        np.testing.assert_allclose(scope["J"], matrix if form == "numerator" else matrix.T, rtol=1e-12, atol=1e-12)


def commutation(rows: int, columns: int, order: Any) -> np.ndarray:
    return np.stack([np.ravel(E.reshape(rows, columns, order=order).T, order) for E in np.eye(rows * columns)], axis=1)


@pytest.mark.parametrize("text", OF_NUMBERS)
def test_of_numbers_twice(text: str) -> None:
    wrt, function, printed = OF_NUMBERS[text]
    found, second = jac.differentiate(text, wrt), jac.differentiate(text, wrt, order=2)
    values = dict(found.values)
    truth = differences(function, values, wrt).reshape(values[wrt].shape)
    scope: dict[str, Any] = dict(values)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope[f"d{wrt}"], truth, rtol=1e-7, atol=1e-8)
    assert printed in ("", found.formula())
    hessian = second.jacobian(**values).to_dense("C")
    twice = differences(lambda **arrays: found.jacobian(**arrays).gradient, values, wrt)
    np.testing.assert_allclose(hessian, twice, rtol=1e-7, atol=1e-8)
    exec(second.to_numpy(), scope)
    np.testing.assert_allclose(scope["H"] + np.zeros(hessian.shape), hessian, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("mean((X w - y).^2)", "∂f/∂w = 2 (Xᵀ (X w − y)) / 5"),
        ("mean(mean(X) X)", "∂f/∂X = 2 (Σ_ab X_ab) 1 / 225"),
        ("15 mean(X)", "∂f/∂X = 1"),
        ("15 mean(X) - sum(X)/4", "∂f/∂X = 0.75 1"),
        ("sum(X)/3 + sum(X)/6", "∂f/∂X = 0.5 1"),
        ("2 tr(A ⊗ X) - tr(X ⊗ A) / 3", "∂f/∂X = 5 tr(A) I₃ / 3"),
    ],
)
def test_numbers_below_the_bar_and_the_trace_of_a_kronecker_product(text: str, printed: str) -> None:
    sizes = {"X": (3, 3), "A": (2, 2)} if "A" in text else {"X": (5, 3)}
    wrt = "w" if "w" in text else "X"
    found = jac.differentiate(text, wrt, shapes=sizes)
    assert found.formula() == printed
    scope: dict[str, Any] = dict(found.values)
    exec(found.to_numpy(), scope)
    np.testing.assert_allclose(scope[f"d{wrt}"], found.jacobian(**found.values).gradient, rtol=1e-13)


@pytest.mark.parametrize(
    ("identity", "layout"),
    [
        ("∂ tr(diag(x) A)/∂x = diag(A)", "denominator layout, the shape of x"),
        ("d(vec(AXB)) = kron(B', A) vec(dX)", "every layout"),
        ("∂ sum(abs(x))/∂x = sign(x)", "denominator layout, the shape of x"),
        (r"d(A \ b) = -(A \ dA) (A \ b)", "every layout"),
        ("∂softmax(x)/∂x' = diag(softmax(x)) − softmax(x) softmax(x)'", "numerator layout"),
    ],
)
def test_identities_with_them_are_audited(identity: str, layout: str) -> None:
    found = jac.audit(identity)
    assert (found.verdict, found.convention) == ("right", layout)


def test_a_backslash_is_octaves_where_no_command_follows() -> None:
    texts = (r"A\b", r"A' \ (B x)", r"(A + B) \ dA", r"\frac{x}{y}", r"A \alpha", r"A \, b", r"\|x\|")
    assert [guessed(text) for text in texts] == ["octave"] * 3 + ["latex"] * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slogdet(X)", r"slogdet is a sign and a logarithm; write slogdet\(X\)\[1\], or logdet\(X\)"),
        ("softmax(X)", r"softmax of a matrix \?×\? goes along an axis: softmax\(X, axis=1\)"),
        (
            "X^alpha",
            r"the exponent of a matrix is a whole number from -9 to 9, 1/2 or -1/2; entry by entry, write \.\^",
        ),
        ("X^(0 - 2.5)", "the exponent of a matrix is a whole number"),
        ("X^0.25", "the exponent of a matrix is a whole number from -9 to 9"),
        ("diag(2) X", "diag is taken of a matrix, not of a number"),
        ("1 / X", r"A / B of matrices is A inv\(B\), with a square B; entry by entry, write \./"),
        ("X / x", r"A / B of matrices is A inv\(B\), with a square B"),
        ("2^(X x)", r"a number to the power of a vector is taken entry by entry: write \.\^"),
        ("max(X)", r"maximum is read of two, entry by entry: maximum\(X, 0\)"),
        ("norm(X, 2)", r"norm of a matrix is not read with this order: norm\(X\) is Frobenius' norm"),
        ("norm(X x, 3)", "norm of a vector is not read with this order"),
        ("np.clip(X, 1, 0)", "clip is read with two literals, the lower one first"),
        ("clip(X)", "clip does not take 1 argument"),
        ("expm(X x)", "expm is taken of a square matrix, not of a column"),
        (r"\|X\|_*", "norm of a matrix is not read with this order"),
        (r"\|X\|_2", "norm of a matrix is not read with this order"),
        (r"\sum_i X", "sums over indices are not read; write a product such as x"),
        ("(X x)^2", r"matrix power is taken of a square matrix, not of a column; entry by entry, write \.\^"),
        ("tr(expm(2))", "expm is taken of a square matrix, not of a number"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        jac.differentiate(text, "X")


FUNCTIONS_OF_A_MATRIX: dict[str, tuple[Callable[..., Any], str]] = {
    "expm(A X)": (lambda A, X: EXPM(A @ X), "dY = dexpm(A X, A dX)"),
    "logm(X)": (lambda X: LOGM(X), "dY = dlogm(X, dX)"),
    "2^X": (lambda X: EXPM(np.log(2) * X), "dY = 0.693147 dexpm(0.693147 X, dX)"),
    "e^{A X}": (lambda A, X: EXPM(A @ X), "dY = dexpm(A X, A dX)"),
    "tr(A expm(X / 2))": (lambda A, X: np.trace(A @ EXPM(X / 2)), "∂f/∂X = 0.5 dexpm(0.5 Xᵀ, Aᵀ)"),
    "tr(expm(X'))": (lambda X: np.trace(EXPM(X)), "∂f/∂X = expm(X)ᵀ"),
    "tr(sqrtm(X))": (lambda X: np.trace(SQRTM(X)), "∂f/∂X = 0.5 inv(sqrtm(X))ᵀ"),
    "tr(logm(X))": (lambda X: np.log(np.linalg.det(X)), "∂f/∂X = inv(X)ᵀ"),
}


@pytest.mark.parametrize("text", FUNCTIONS_OF_A_MATRIX)
def test_functions_of_a_matrix_by_differentials_that_run(text: str) -> None:
    function, printed = FUNCTIONS_OF_A_MATRIX[text]
    found = jac.differentiate(text, "X", shapes={"X": (3, 3)})
    values = dict(found.values)
    truth = differences(function, values, "X")
    np.testing.assert_allclose(
        found.jacobian(**values).to_dense("C"), truth, rtol=1e-6, atol=1e-8 * np.abs(truth).max()
    )
    assert found.formula("differential" if found.gradient is None else "gradient") == printed
    scope: dict[str, Any] = {**values, "dX": np.random.default_rng(1).normal(size=(3, 3))}
    along = truth @ scope["dX"].ravel()
    exec(found.to_numpy(), scope)
    computed = scope["dY"].ravel() if found.gradient is None else scope["dX"].ravel() @ np.eye(9)
    wanted = along if found.gradient is None else truth.ravel()
    np.testing.assert_allclose(computed, wanted, rtol=1e-6, atol=1e-7 * np.abs(wanted).max())


def test_the_norm_of_a_matrix_is_said_to_be_frobenius() -> None:
    first = str(jac.differentiate("norm(X)", "X")).partition("\n")[0]
    assert first == "f = norm(X)   (X 3×4; norm is Frobenius' norm)"
    assert "Frobenius" not in str(jac.differentiate("norm(X x)^2", "x"))


@pytest.mark.parametrize("text", ["X" + "'" * 1500, "X" + "^T" * 600, "X" + "ᵀ" * 900, "2^" * 300 + "X", "0^-1 X"])
def test_what_is_too_deep_or_not_finite_is_said(text: str) -> None:
    with pytest.raises((FormulaError, DomainError), match=r"too deep|not finite"):
        jac.differentiate(text, "X")


def test_an_e_below_exponents_alone_is_eulers_number() -> None:
    assert "e" in jac.differentiate("(e.^2)' x + e' x", "x").shapes
    assert "e" in jac.differentiate("e.^x", "x", shapes={"e": ()}).shapes
    assert jac.differentiate("e.^x", "x").formula("differential") == "dy = dx ∘ exp(x)"
