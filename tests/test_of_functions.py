"""`grad` and `jacobian` of functions: structured where they take values, numerical and said so where they do not."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import jacobians as jac
from jacobians import grad, jacobian
from jacobians.errors import ArgumentError, DomainError, DTypeError, ShapeError
from jacobians.linops import Dense, Diagonal
from jacobians.of_functions import NumericalDerivativeWarning

x = np.array([0.3, -1.2, 2.0])


def logistic(w: Any) -> Any:
    return jac.sigmoid(w).sum()


def other_library(w: Any) -> Any:
    return expit(w).sum()


def slope(w: np.ndarray) -> np.ndarray:
    return np.exp(-w) / (1 + np.exp(-w)) ** 2


def test_a_function_of_values_has_an_exact_gradient_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(grad(logistic)(x), slope(x), rtol=1e-14)


def test_a_function_of_another_library_has_a_numerical_one_and_says_so() -> None:
    with pytest.warns(NumericalDerivativeWarning, match=r"other_library does .*scipy\.special\.expit.*numerical"):
        found = grad(other_library)(x)
    np.testing.assert_allclose(found, slope(x), rtol=1e-9)


@pytest.mark.parametrize(
    ("fun", "right"),
    [
        (lambda w: w.sum() * float(w[0]), lambda w: w[0] + w.sum() * np.eye(3)[0]),
        (lambda w: w.sum() * w[1].item(), lambda w: w[1] + w.sum() * np.eye(3)[1]),
        (lambda w: float(w @ w), lambda w: 2 * w),
    ],
)
def test_a_number_taken_out_of_a_value_is_not_lost(fun: Callable[..., Any], right: Callable[..., Any]) -> None:
    with pytest.warns(NumericalDerivativeWarning):
        found = grad(fun)(x)
    np.testing.assert_allclose(found, right(x), rtol=1e-8)


def test_a_branch_on_a_value_is_taken() -> None:
    def hinge(w: Any) -> Any:
        return (w * w).sum() if w[0] > 0 else w.sum()

    assert np.array_equal(grad(hinge)(x), 2 * x)
    assert np.array_equal(grad(hinge)(-x), np.ones(3))


def test_wrt_names_one_argument_or_several() -> None:
    def loss(W: Any, b: Any, X: Any, Y: Any) -> Any:
        return jac.cross_entropy(jac.affine(X, W, b), Y)

    W, b, X, Y = np.ones((4, 2)), np.zeros(2), np.eye(4), [0, 1, 1, 1]
    net = jac.Network([jac.Affine("cs231n", (4, 2))], "cross_entropy", "cs231n")
    expected = net.gradient({"W1": W, "b1": b}, X, Y)
    dW, db = grad(loss, wrt=("W", "b"))(W, b, X, Y)
    np.testing.assert_allclose(dW, expected["W1"], rtol=1e-14)
    np.testing.assert_allclose(db, expected["b1"], rtol=1e-14)
    assert np.array_equal(grad(loss)(W, b, X, Y), dW)
    assert np.array_equal(grad(loss, wrt="b")(W, b, Y=Y, X=X), db)
    assert grad(loss).__name__ == "loss"


def test_functions_of_numpy_itself_are_taken_as_they_are() -> None:
    """Their defaults are left alone: np.tanh refuses its own, and np.sum has one that no rule knows."""
    assert str(jacobian(np.tanh)(np.ones((2, 3)))).startswith("Diagonal(2×3)")
    assert np.array_equal(grad(np.sum)(np.ones((2, 3))), np.ones((2, 3)))
    assert jacobian(lambda x, y=3.0: x * y, wrt="y")(np.array([5.0, 7.0])).to_dense().ravel().tolist() == [5, 7]


def test_functions_that_do_not_say_their_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    def untold(fun: object) -> inspect.Signature:  # as for the functions of older releases of NumPy, and some in C
        raise ValueError(f"no signature found for builtin {fun}")

    monkeypatch.setattr(inspect, "signature", untold)
    assert str(jacobian(np.tanh)(np.ones((2, 3)))).startswith("Diagonal(2×3)")
    assert jacobian(np.multiply, wrt="x2")(np.array([5.0, 7.0]), np.ones(2)).to_dense().tolist() == [[5, 0], [0, 7]]
    with pytest.raises(
        ArgumentError, match=r"^grad: max does not say what arguments it takes; wrap it: lambda x: max\(x\)$"
    ):
        grad(max)


def test_a_jacobian_is_a_structure_or_dense() -> None:
    structured = jacobian(lambda X, W: jac.tanh(X @ W), wrt="X")(np.ones((5, 4)), np.ones((4, 3)))
    assert structured.shape == (15, 20)
    assert not isinstance(structured, Dense)
    assert isinstance(jacobian(jac.tanh)(x), Diagonal)
    with pytest.warns(NumericalDerivativeWarning):
        by_w, by_v = jacobian(lambda w, v: expit(w) * v, wrt=("w", "v"))(x, 2 * x)
    np.testing.assert_allclose(by_w.to_dense(), np.diag(slope(x) * 2 * x), atol=1e-9)
    np.testing.assert_allclose(by_v.to_dense(), np.diag(expit(x)), atol=1e-9)


def test_dtype_and_inputs_stay() -> None:
    narrow = x.astype(np.float32)
    kept = narrow.copy()
    assert grad(logistic)(narrow).dtype == np.float32
    with pytest.warns(NumericalDerivativeWarning):
        assert grad(other_library)(narrow).dtype == np.float32
    assert np.array_equal(narrow, kept)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: grad(logistic, "W"), ArgumentError, "grad: logistic has no argument 'W'; it has w; did you mean 'w'?"),
        (lambda: grad(lambda: 1.0), ArgumentError, "grad: <lambda> has no argument"),
        (lambda: grad(jac.tanh)(x), ShapeError, "returns an array of shape (3,), and a gradient is that of one number"),
        (lambda: grad(lambda w: expit(w))(x), ShapeError, "return its sum or its mean, or take jac.jacobian(f)"),
        (lambda: grad(logistic)(["a"]), DTypeError, "grad: w has dtype"),
        (lambda: grad(lambda w: 1 / 0)(x), ZeroDivisionError, "division by zero"),
        (lambda: grad(lambda w: float(np.sqrt(w.sum())))(np.zeros(2)), DomainError, "no derivative here"),
    ],
)
def test_refusals(run: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        run()
