"""A term as a value of a graph: every operation of the expression applied to values, on given arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import jacobians.matrix as matrix
from jacobians.arrays import Array
from jacobians.auditing.terms import Term
from jacobians.errors import DomainError
from jacobians.graphs import Value, values
from jacobians.graphs.elementary import Abs, Exponential, Sign
from jacobians.layout import Layout
from jacobians.operations import Softmax, exp, log, relu, sigmoid, softplus, tanh
from jacobians.symbols.expressions import Symbol

_OF_ENTRIES: dict[str, Callable[[Any], Any]] = {
    **{"exp": exp, "log": log, "tanh": tanh, "sigmoid": sigmoid, "relu": relu, "softplus": softplus},
    **{"sin": np.sin, "cos": np.cos, "sqrt": np.sqrt, "abs": Abs(), "sign": Sign()},
    **{"tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "arctan": np.arctan},
}


def diag(of: Any) -> Any:
    """Return the matrix with a column on its diagonal, or the diagonal of a matrix as a column."""
    if of.shape[1] == 1:
        return matrix.diag(of.reshape(of.size))
    return matrix.diagonal_of(of).reshape(of.shape[0], 1)


def vec(of: Any) -> Any:
    """Return the columns of a matrix, one below the other."""
    return of.T.reshape(of.size, 1)


SOFTMAXES = {f"softmax_{batch}": Softmax(Layout(batch=batch)) for batch in ("rows", "columns")}
"""By what formulas call them: along every row, and along every column."""
_OF_MATRICES: dict[str, Callable[[Any], Any]] = {
    **{"trace": matrix.trace, "inv": matrix.inverse, "det": matrix.det, "logdet": matrix.logdet},
    **{"norm": matrix.frobenius_norm, "pinv": matrix.pinv, "diag": diag, "vec": vec, **SOFTMAXES},
    **{"expm": matrix.expm, "logm": matrix.logm, "sqrtm": matrix.sqrtm},
}


def graph_of(term: Term, arrays: Mapping[str, Array]) -> tuple[Value, dict[str, Value]]:
    """Return the value of a term, and the values of its names, on arrays.

    Raises
    ------
    DomainError
        If a function is not defined at these numbers.
    """
    inputs = dict(zip(arrays, values(**arrays), strict=True))
    found = _defined(term, inputs)
    if not isinstance(found, Value):
        raise TypeError("an expression without names has no derivative")
    return found, inputs


def array_of(term: Term, arrays: Mapping[str, Array]) -> Array:
    """Return the value of a term on arrays, which may have no names in it."""
    found = _defined(term, dict(zip(arrays, values(**arrays), strict=True)))
    return found.array if isinstance(found, Value) else np.asarray(found)


def _defined(term: Term, inputs: Mapping[str, Value]) -> Any:
    try:
        return _of(term, inputs)
    except ArithmeticError as error:  # of Python's numbers: 0^-1, 9^9^9^9
        raise DomainError(f"a number in it is not finite ({error})") from None


def _of(term: Term, inputs: Mapping[str, Value]) -> Any:
    parts = [_of(part, inputs) for part in term.parts]
    match term.kind, parts:
        case "leaf", _:
            held = term.detail
            return inputs[held.name] if isinstance(held, Symbol) else held.value
        case "transpose", [a]:
            return a.T if np.ndim(a) else a
        case (("product" | "matmul"), [a, b]):
            return a * b if () in (np.shape(a), np.shape(b)) else _number(a @ b)
        case (("star" | "hadamard"), [a, b]):
            return a * b
        case "plus", [a, b]:
            return a + b
        case "minus", [a, b]:
            return a - b
        case "divide", [a, b]:
            return a / b
        case "negative", [a]:
            return -a
        case "power", [a]:
            return a**term.detail
        case "raised", [a, b]:
            return exp(b * log(a)) if isinstance(a, Value) else Exponential(a)(b)
        case "matrix_power", [a]:
            return _matrix_power(a, term.detail) if np.ndim(a) else a**term.detail
        case (("sum" | "mean"), [a]):
            axis, _ = term.detail
            if not np.ndim(a):
                return a
            total = a.sum() if axis is None else _number(a.sum(axis=axis, keepdims=True))
            return total / (np.size(a) // max(np.size(total), 1)) if term.kind == "mean" else total
        case "outer", [a, b]:
            return _number(a @ b.T)
        case (("kron" | "call"), [a, b]) if "kron" in (term.kind, term.detail):
            return matrix.kron(a, b)
        case "call", [a, b, c]:
            return matrix.sylvester(a, b, c)
        case "call", [a]:
            return _called(term, a, inputs)
    raise TypeError(f"no value is made of {term.kind}")


def _called(term: Term, of: Any, inputs: Mapping[str, Value]) -> Any:
    inside = term.parts[0]
    if term.detail == "log" and inside.kind == "call" and inside.detail == "det":
        return matrix.logdet(_of(inside.parts[0], inputs))
    found = (_OF_MATRICES | _OF_ENTRIES)[term.detail](of)
    return found[0] if isinstance(found, tuple) else found  # of a number without names, value and Jacobian


def _matrix_power(of: Any, exponent: int) -> Any:
    if exponent < 0:
        of, exponent = matrix.inverse(of), -exponent
    return of if exponent == 1 else matrix.matrix_power(of, exponent)


def _number(product: Any) -> Any:
    """A matrix of one entry as the number that a book means."""
    return product.reshape(()) if product.shape == (1, 1) else product
