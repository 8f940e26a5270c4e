"""A derivative's formula as a value of a graph, so that it can be differentiated once more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import jacobians.matrix as matrix
from jacobians.arrays import Array, show_shape
from jacobians.differentiation.short_forms import RAISED
from jacobians.differentiation.values_of_terms import SOFTMAXES, diag, vec
from jacobians.errors import GraphError
from jacobians.graphs import Value, values
from jacobians.graphs.elementary import Abs, Exponential, Sign
from jacobians.matrix.functions_in_symbols import SYLVESTER
from jacobians.operations import exp, log, sigmoid, softplus, tanh
from jacobians.symbols.expressions import (
    Add,
    Call,
    Einsum,
    Expr,
    Eye,
    Hadamard,
    MatMul,
    Number,
    Ones,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    SumOver,
    Symbol,
    Transposed,
    Zeros,
)
from jacobians.symbols.simplify import KRONECKER

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{"inv": matrix.inverse, "det": matrix.det, "logdet": matrix.logdet, "trace": matrix.trace},
    **{
        "norm": matrix.frobenius_norm,
        "pinv": matrix.pinv,
        "exp": exp,
        "log": log,
        "tanh": tanh,
        "sigmoid": sigmoid,
        "softplus": softplus,
    },
    **{"sin": np.sin, "cos": np.cos, "sqrt": np.sqrt, "softplus_prime": sigmoid},
    **{"abs": Abs(), "sign": Sign(), "diag": diag, "diagonal": diag, "vec": vec, **SOFTMAXES},
    **{"tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "arctan": np.arctan},
    **{"expm": matrix.expm, "logm": matrix.logm, "sqrtm": matrix.sqrtm},
    "entry": lambda A: A.reshape(()),
}


class GraphOfExpression:
    """An expression applied to values.

    Identities and ones are values too, so that formulas have a name for them: `constants` puts them back.

    Attributes
    ----------
    inputs : dict of str to Value
    value : Value
    constants : dict of Expr to Expr
        By the symbol of a constant, the identity or the ones.
    """

    def __init__(self, expr: Expr, arrays: Mapping[str, Array]) -> None:
        found: dict[str, tuple[Expr, Array]] = {}
        _constants(expr, set(arrays), found)
        given = {**arrays, **{name: array for name, (_, array) in found.items()}}
        self.inputs: dict[str, Value] = dict(zip(given, values(**given), strict=True))
        self.constants: dict[Expr, Expr] = {Symbol(name, of.shape): of for name, (of, _) in found.items()}
        self._names = {of: name for name, (of, _) in found.items()}
        self.value: Any = self._of(expr)

    def _of(self, expr: Expr) -> Any:
        parts = [self._of(part) for part in expr.parts]
        match expr, parts:
            case Symbol(name), _:
                return self.inputs[name]
            case Number(value), _:
                return value
            case ((Eye() | Ones()), _):
                return self.inputs[self._names[expr]]
            case Zeros(dims), _:
                return np.zeros(dims)
            case Transposed(), [a]:
                return a.T
            case MatMul(), [a, b]:
                return a @ b
            case Hadamard(), [a, b]:
                return a * b
            case Add(_, _, minus), [a, b]:
                return a - b if minus else a + b
            case Quotient(), [a, b]:
                return a / b
            case Power(_, exponent), [a]:
                return a**exponent
            case Reshaped(_, dims), [a]:
                return a.reshape(dims)
            case Repeated(_, dims), [a]:
                return a * self.inputs[self._names[Ones(dims)]]
            case SumOver(_, axis, keep), [a]:
                return a.sum(axis=axis, keepdims=keep)
            case Einsum("ab->"), [a]:
                return a.sum()
            case Call(function, _), [a, b] if function == KRONECKER:
                return matrix.kron(a, b)
            case Call(function, _), [a, b, c] if function == SYLVESTER:
                return matrix.sylvester(a, b, c)
            case Call(function, (Number(base), _)), [_, a] if function == RAISED:
                return Exponential(base)(a)
            case Call(function, (Number(),)), _ if function.name == "log":
                return self.inputs[self._names[expr]]
            case Call(function, (_, Number(power))), [a, _] if function.name == "power":
                return a**power
            case Call(function, (_, Number(power))), [a, _] if function.name == "power_prime":
                return power * a ** (power - 1)
            case Call(function), [a] if function.name in _FUNCTIONS:
                return _FUNCTIONS[function.name](a)
            case Call(function), _:
                raise GraphError(
                    f"differentiate: no second derivative is known of what has {function.name} in its first"
                )
        raise GraphError(f"differentiate: no second derivative is known through {type(expr).__name__}")


def _constants(expr: Expr, taken: set[str], found: dict[str, tuple[Expr, Array]]) -> None:
    """Name the identities and ones of an expression, also those that repeat a row or a column."""
    if isinstance(expr, Repeated):
        _constants(Ones(expr.dims), taken, found)
    if isinstance(expr, (Eye, Ones)) and all(of != expr for of, _ in found.values()):
        letter = "Eye" if isinstance(expr, Eye) else "Ones"
        name = f"{letter}{show_shape(expr.shape).replace('×', 'x')}"
        while name in taken:
            name += "_"
        found[name] = expr, np.eye(expr.rows) if isinstance(expr, Eye) else np.ones(expr.shape)
    match expr:
        case Call(function, (Number(value),)) if function.name == "log" and all(of != expr for of, _ in found.values()):
            found[f"Log{len(found)}_"] = expr, np.asarray(math.log(value))
    for part in expr.parts:
        _constants(part, taken, found)
