"""Operations with a right value and derivative that leak between examples, write their input or change the dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.arrays import as_float
from jacobians.linops import Dense, Diagonal, Identity, Kronecker, Reshape
from jacobians.operations import Jacobians
from tests.testing.wrong_operations import Result, right

# --- 8: batch ------------------------------------------------------------------------------------


def batch_statistics(X: Any) -> Result:
    """Subtracts the batch's mean: permuting shows nothing, splitting does."""
    X = as_float(X, "X", "centred")
    count = max(X.shape[0], 1)
    centring = np.eye(X.shape[0], dtype=X.dtype) - 1 / count
    return centring @ X, Kronecker(centring, X.shape[1])


def depends_on_the_place(X: Any) -> Result:
    X = as_float(X, "X", "weighted")
    weights = np.linspace(1, 2, X.shape[0], dtype=X.dtype)[:, None] * np.ones_like(X)
    return weights * X, Diagonal(weights)


def squeezes_one_example(X: Any) -> Result:
    value, J = right(X)
    return (value[0], Dense(J.to_dense().reshape(X.shape[1], *X.shape), X.shape[1:])) if len(X) == 1 else (value, J)


def _mean_of_squares(X: Any, value: Callable[[np.ndarray], float], weight: Callable[[int], float]) -> Result:
    X = as_float(X, "X", "loss")
    return np.asarray(value(np.sum(X * X, axis=1))), Dense(2 * weight(len(X)) * X)


def sum_for_mean(X: Any) -> Result:
    return _mean_of_squares(X, lambda losses: losses.sum(), lambda count: 1.0)


def mean_with_gradient_of_sum(X: Any) -> Result:
    return _mean_of_squares(X, lambda losses: losses.mean(), lambda count: 1.0)


def mean_over_n_minus_1(X: Any) -> Result:
    return _mean_of_squares(X, lambda losses: losses.sum() / max(len(losses) - 1, 1), lambda n: 1 / max(n - 1, 1))


def mean_of_nothing_is_zero(X: Any) -> Result:
    return _mean_of_squares(X, lambda losses: losses.sum() / max(len(losses), 1), lambda n: 1 / max(n, 1))


def drops_the_last_example(X: Any) -> Result:
    X = as_float(X, "X", "loss")
    kept = np.arange(len(X))[:, None] < len(X) - (len(X) > 2)
    return np.asarray(np.sum(X * X * kept)), Dense(2 * X * kept)


def sum_of_nothing_is_one(X: Any) -> Result:
    value, J = _mean_of_squares(X, lambda losses: losses.sum(), lambda count: 1.0)
    return (value if len(X) else np.asarray(1.0)), J


def averages_the_bias(X: Any, b: Any) -> Result:
    X, b = as_float(X, "X", "biased"), as_float(b, "b", "biased")
    ones = np.full((len(X), 1), 1 / max(len(X), 1), dtype=X.dtype)
    by_bias = Kronecker(ones, b.size)
    return X + b, {"X": Identity(X.shape, X.dtype), "b": by_bias @ Reshape(by_bias.domain, b.shape, X.dtype)}


# --- 9: purity -----------------------------------------------------------------------------------


def writes_its_input(X: np.ndarray) -> Result:
    J = Diagonal(2 * X)
    X *= X
    return X.copy(), J


def writes_where_it_may(X: np.ndarray) -> Result:
    value, J = right(X)
    if X.flags.writeable:
        X[...] = 0
    return value, Diagonal(J.values.copy())


def returns_a_view(X: np.ndarray) -> Result:
    X = as_float(X, "X", "reshape")
    return X.reshape(-1), Reshape((X.size,), X.shape, X.dtype)


_BUFFER: dict[tuple[int, ...], np.ndarray] = {}


def returns_one_buffer(X: np.ndarray) -> Result:
    value, J = right(X)
    buffer = _BUFFER.setdefault(value.shape, np.empty_like(value))
    buffer[...] = value
    return buffer, J


class Stale:
    """Keeps the last input for the derivative: right until the next call."""

    name = "stale"

    def __call__(self, X: np.ndarray) -> Result:
        self.X = X
        return X * X, Jacobians("stale", {"X": lambda: Diagonal(2 * self.X)})


class Accumulates:
    name = "accumulates"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, X: np.ndarray) -> Result:
        self.calls += 1
        return X * X, Diagonal(2 * X * self.calls)


def not_deterministic(X: np.ndarray) -> Result:
    value, J = right(X)
    # drawn for every entry: two calls agree once in 10²⁴; with one draw for all entries it was once in a hundred
    return value * (1 + 1e-15 * np.random.default_rng().integers(1, 100, value.shape)), J


def derivative_from_the_value(X: np.ndarray) -> Result:
    """exp keeps the array that it handed out."""
    value = np.exp(as_float(X, "X", "exp"))
    return value, Jacobians("exp", {"X": lambda: Diagonal(value)})


class HandsOutItsArray(Diagonal):
    def to_dense(self, *args: Any, **limit: Any) -> np.ndarray:
        if not hasattr(self, "kept"):
            self.kept = super().to_dense()
        return self.kept


def hands_out_its_array(X: np.ndarray) -> Result:
    value, J = right(X)
    return value, HandsOutItsArray(J.values)


def reads_memory_order(X: np.ndarray) -> Result:
    """ravel("K") is memory order: right for the arrays that one usually tries."""
    X = as_float(X, "X", "flatten")
    value = X.ravel("K").copy()
    return value, Reshape(value.shape, X.shape, X.dtype)


def read_only_value(X: np.ndarray) -> Result:
    value, J = right(X)
    value.flags.writeable = False
    return value, J


# --- 10: dtype -----------------------------------------------------------------------------------


def float64_for_float32(X: Any) -> Result:
    return right(np.asarray(X, dtype=np.float64) if np.asarray(X).dtype.kind != "c" else X)


def float64_jacobian(X: Any) -> Result:
    value, J = right(X)
    return value, Diagonal(J.values.astype(np.float64))


def another_value_in_float32(X: Any) -> Result:
    """A branch for float32 that nobody compared with anything: right in float64."""
    value, J = right(X)
    return value + value.dtype.type(0.01) * (value.dtype == np.float32), J


def another_derivative_in_float32(X: Any) -> Result:
    value, J = right(X)
    return value, Diagonal(J.values * J.dtype.type(1.001 if J.dtype == np.float32 else 1.0))


def float64_zeros(X: Any) -> Result:
    """The value alone: a buffer made with np.zeros(shape)."""
    value, J = right(X)
    return np.zeros(value.shape) + value, J


def rounds_to_the_first(A: Any, B: Any) -> Result:
    """A sum in place: of a float64 array, added to float32, half the digits are lost."""
    A, B = as_float(A, "A", "add"), as_float(B, "B", "add")
    value = A.copy()
    value += B
    return value, {name: Identity(A.shape, value.dtype) for name in ("A", "B")}


def integers_wrap(X: Any) -> Result:
    X = np.asarray(X)
    as_float(X, "X", "square")
    return (X * X).astype(np.result_type(X, np.float32) if X.dtype.kind == "f" else float), right(X)[1]


def narrow_integers(X: Any) -> Result:
    value, J = right(X)
    return value.astype(np.float32) if np.asarray(X).dtype.kind == "i" else value, J


def takes_complex(X: Any) -> Result:
    X = np.asarray(X)
    return right(X.real if X.dtype.kind == "c" else X)


def type_error_for_complex(X: Any) -> Result:
    if np.iscomplexobj(X):
        raise TypeError("no complex numbers")
    return right(X)


def scalar_value(X: Any) -> Result:
    X = as_float(X, "X", "total")
    return X.sum(), Dense(np.ones_like(X))


def one_jacobian_too_many(X: Any) -> Result:
    value, J = right(X)
    return value, {"X": J, "W": J}
