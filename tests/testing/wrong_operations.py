"""Operations that are wrong in one way each, as hand-written backprop is; X ↦ X∘X unless they say otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.arrays import as_float
from jacobians.layout import Layout
from jacobians.linops import Diagonal, DiagonalMinusOuter, Identity, Kronecker
from jacobians.operations import Affine, CrossEntropy, Elementwise, Jacobians, Logistic, Softmax, softmax
from tests.testing.wrong_jacobians import VjpTwofold

Result = tuple[np.ndarray, Any]


def right(X: Any) -> Result:
    """X ↦ X∘X, as it should be: every law passes, so what the laws catch below is what was changed."""
    X = as_float(X, "X", "right")
    return X * X, Diagonal(2 * X)


# --- 2: adjoint ---------------------------------------------------------------------------------


def twofold_backward(X: Any) -> Result:
    """Right forward, twofold backward."""
    value, J = right(X)
    return value, VjpTwofold(J.to_dense(), X.shape, X.shape)


class _Lopsided(Diagonal):
    """Right forward, twofold backward, without a matrix."""

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return 2 * self._jvp(cotangent)


def twofold_backward_in_structure(X: Any) -> Result:
    value, J = right(X)
    return value, _Lopsided(J.values)


# --- 3: reference --------------------------------------------------------------------------------


def doubled_value(X: Any) -> Result:
    value, J = right(X)
    return 2 * value, J


def off_by_a_millionth(X: Any) -> Result:
    value, J = right(X)
    return value, Diagonal(J.values * (1 + 1e-6))


def derivative_of_the_value(X: Any) -> Result:
    """σ′ taken at a where z belongs."""
    value, _ = right(X)
    return value, Diagonal(2 * value)


def only_the_diagonal_of_softmax(Z: Any) -> Result:
    Z = as_float(Z, "Z", "softmax")
    p = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    return p, Diagonal(p - p * p)


def transposed_weights(X: Any, W: Any) -> Result:
    """Right unless W is square, and then only in shape."""
    X, W = as_float(X, "X", "linear"), as_float(W, "W", "linear")
    return X @ W, {"X": Kronecker(X.shape[0], W), "W": Kronecker(X, W.shape[1])}


def kink(X: Any) -> Result:
    X = as_float(X, "X", "relu")
    return np.maximum(X, 0), Diagonal((X > 0).astype(X.dtype))


def noise(X: Any) -> Result:
    """A value without a derivative: its last digits are random."""
    value, J = right(X)
    return value + 1e-2 * np.sin(1e9 * np.asarray(X)), J


def nowhere_finite(X: Any) -> Result:
    X = as_float(X, "X", "log")
    with np.errstate(invalid="ignore"):
        return np.log(-np.abs(X)), Diagonal(1 / X)


def shaped_otherwise(X: Any) -> Result:
    value, J = right(X)
    return value.reshape(-1), J


# --- 4: one source -------------------------------------------------------------------------------


def _add(X: Any, B: Any, pull: Any) -> Result:
    X, B = as_float(X, "X", "add"), as_float(B, "B", "add")
    return X + B, Jacobians("add", {name: lambda: Identity(X.shape, X.dtype) for name in ("A", "B")}, None, pull)


def sweep_doubles_one(X: Any, B: Any) -> Result:
    """Its own pull gives twice what the Jacobian says."""
    return _add(X, B, lambda row, names: {"A": row, "B": row + row})


def sweep_of_fewer_doubles(X: Any, B: Any) -> Result:
    """Its own pull is right only where all inputs are asked for."""
    return _add(X, B, lambda row, names: {"A": row, "B": row if "A" in names else row + row})


def sweep_doubles_arrays(X: Any, B: Any) -> Result:
    """Its own pull is right only for a row that is a Jacobian."""
    return _add(X, B, lambda row, names: {"A": row, "B": 2 * row if isinstance(row, np.ndarray) else row})


# --- 6: layouts ----------------------------------------------------------------------------------


def transposes_unless_square(layout: Layout) -> Callable[..., Result]:
    """Guesses where the weights lie from their shape: right for every shape but the square one."""

    def operation(X: np.ndarray, W: np.ndarray) -> Result:
        width = X.shape[layout.feature_axis]
        guess = "columns" if W.shape[0] == width else "rows"
        return Affine(layout.replace(weights=guess, bias="none"))(X, W)

    return operation


def one_chain_order(layout: Layout) -> Affine:
    """Hands out numerator Jacobians in every layout."""
    return Affine(layout.replace(derivative="numerator"))


def one_vec_order(layout: Layout) -> Affine:
    return Affine(layout.replace(vec="C"))


def bias_at_the_front(layout: Layout) -> Affine:
    return Affine(layout.replace(bias="first") if layout.absorbs_bias else layout)


def softmax_over_the_last_axis(layout: Layout) -> Callable[..., Result]:
    return lambda X: softmax(X, layout.replace(batch="rows"))


def drops_the_pullback_of_the_bias(layout: Layout) -> Callable[..., Result]:
    """Right in value; the bias's gradient is a mean in column layouts."""

    def operation(X: np.ndarray, W: np.ndarray, *b: np.ndarray) -> Result:
        value, J = Affine(layout)(X, W, *b)
        found = {name: J[name] for name in J}
        if b and layout.batch == "columns":
            found["b"] = found["b"] * (1 / X.shape[1])
        return value, found

    return operation


def refuses_columns(layout: Layout) -> Callable[..., Result]:
    return Affine(layout.replace(batch="rows"))


# --- second derivatives of losses ------------------------------------------------------------------------


class HessianWithoutCrossTerms(CrossEntropy):
    """diag p − p pᵀ without what is off the diagonal, as in many a hand-written Newton step."""

    def _hessian(self, X: np.ndarray, Y: np.ndarray) -> Any:
        return Diagonal(super()._hessian(X, Y).diagonal().reshape(X.shape))


class HessianOfTheSum(CrossEntropy):
    """The sum's, where the mean's is due."""

    def _hessian(self, X: np.ndarray, Y: np.ndarray) -> Any:
        return X.shape[0] * super()._hessian(X, Y)


class HessianTwofoldBackward(Logistic):
    """Right forward, twofold backward."""

    def _hessian(self, X: np.ndarray, Y: np.ndarray) -> Any:
        return _Lopsided(super()._hessian(X, Y).values)


# --- 11: second ----------------------------------------------------------------------------------


class BendsTwice(Elementwise):
    """X ↦ X∘X, whose f″ forgot that the 2 is there already."""

    def _rule(self, z: np.ndarray) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
        return z * z, lambda: 2 * z

    def _curvature(self, z: np.ndarray) -> np.ndarray:
        return np.full_like(z, 4)


class BilinearWithoutSecond(Affine):
    """The product of two variables, taken to be linear in both together."""

    piecewise_linear = True

    def _second(self, cotangent: np.ndarray, *arrays: np.ndarray) -> dict:
        return {}


class BilinearTransposed(Affine):
    """dW ↦ Ḡ dW where Ḡ dWᵀ belongs: a square weight hides it from every shape."""

    def _second(self, cotangent: np.ndarray, *arrays: np.ndarray) -> dict:
        return {("X", "W"): Kronecker(cotangent, arrays[1].shape[0])}


class SoftmaxOfGaussNewton(Softmax):
    """diag q − q pᵀ: one of the two outer products of the second derivative, so that it is not symmetric."""

    def _second(self, cotangent: np.ndarray, *arrays: np.ndarray) -> dict:
        p, _ = softmax(arrays[0])
        q = p * (cotangent - np.sum(p * cotangent, axis=1, keepdims=True))
        return {("X", "X"): DiagonalMinusOuter(q, q, p, 1)}


class SecondOfAnotherInput(BendsTwice):
    """A block by the name of an input that there is not."""

    def _second(self, cotangent: np.ndarray, *arrays: np.ndarray) -> dict:
        return {("Z", "Z"): Diagonal(2 * cotangent)}


# --- 12: symbols ---------------------------------------------------------------------------------


class PrintsAnotherDerivative(Elementwise):
    """tanh, right in its numbers; 1 / cosh² lost its square in print."""

    def _rule(self, z: np.ndarray) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
        return np.tanh(z), lambda: 1 / np.cosh(z) ** 2

    @staticmethod
    def textbook(Z: np.ndarray) -> np.ndarray:
        return np.tanh(Z)

    @staticmethod
    def textbook_prime(Z: np.ndarray) -> np.ndarray:
        return 1 / np.cosh(Z)
