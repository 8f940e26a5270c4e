"""`matrix_page`: one matrix function on one page: its Jacobian in two layouts, with its factors, formula and steps.

Everything comes from `differentiate`. The terms of the formula are chains of structured Jacobians of expressions. The
page shows the values of these factors at the point where the formula was compared with the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from jacobians.arrays import SUBSCRIPTS, Array, Shape
from jacobians.differentiation import Derivative, differentiate
from jacobians.differentiation.derivative import Form
from jacobians.differentiation.linear_forms import LinearForm, Outer, Written, in_notation
from jacobians.differentiation.short_forms import shortened
from jacobians.errors import JacobiansError
from jacobians.explorer.matrix_functions import FUNCTIONS, MatrixFunction
from jacobians.explorer.one_file import one_file
from jacobians.layout import Order
from jacobians.linops import Commutation, Diagonal, Identity, Kronecker
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr
from jacobians.symbols.text import TextNotation

_STYLES = ("page.css", "tables.css", "matrix.css")
_SCRIPTS = ("dom", "data", "matrix_entries", "matrix")

_REGULAR: Mapping[Shape, list[list[float]]] = {
    (2, 2): [[2, 1], [1, 1]],
    (3, 3): [[2, 1, 0], [0, 1, 1], [1, 0, 2]],
    (3, 2): [[1, 2], [0, 1], [-1, 1]],
}
"""Arrays of small whole numbers; the square ones have inverses of few digits."""

_Sides = Literal["numerator", "denominator"]
_LAYOUTS: tuple[tuple[_Sides, Order, str], ...] = tuple(
    (form, order, f"{form} layout, vec by {'rows' if order == 'C' else 'columns'}")
    for form in get_args(_Sides)
    for order in get_args(Order)
)


def matrix_page(start: MatrixFunction = FUNCTIONS[0], functions: Sequence[MatrixFunction] = FUNCTIONS) -> str:
    """Return the page as one HTML file that loads nothing.

    Parameters
    ----------
    start : MatrixFunction
        Shown first; one that is not in the list is added to it.
    functions : sequence of MatrixFunction
        The list.

    Raises
    ------
    FormulaError, DomainError, GraphError
        If a function cannot be read or differentiated.

    Examples
    --------
    >>> matrix_page(functions=FUNCTIONS[:1])[:15]
    '<!doctype html>'
    """
    shown = list(functions) if start in functions else [start, *functions]
    records, formulas = zip(*(_record(function) for function in shown), strict=True)
    data = {
        "start": {"function": start.key, "left": "numerator.C", "right": "denominator.F"},
        "layouts": [{"key": f"{form}.{order}", "name": name} for form, order, name in _LAYOUTS],
        "functions": records,
    }
    return one_file("matrix.html", _STYLES, _SCRIPTS, data, formulas="\n".join(formulas))


def _record(function: MatrixFunction) -> tuple[dict[str, Any], str]:
    """What the script looks up, and the formulas as markup, in a template for each."""
    found = differentiate(function.expression, "X", shapes=function.shapes, notation=function.notation)
    codomain, domain = _matrix_shape(found.shape), _matrix_shape(found.shapes["X"])
    arrays = _arrays(found)
    tensor = found.jacobian(**arrays).tensor().reshape(codomain + domain)
    templates = {f"{form}.{order}": _formulas(found, form, order) for form, order, _ in _LAYOUTS}
    templates["differential"] = found.formula("differential", "mathml")
    templates["steps"] = found.steps.to_mathml()
    markup = "\n".join(f'<template id="{function.key}.{key}">{text}</template>' for key, text in templates.items())
    record = {
        "key": function.key,
        "name": function.name,
        "title": f"{found.name} = {function.expression}",
        "value": found.name,
        "codomain": codomain,
        "domain": domain,
        "number": found.shape == (),
        "entries": _rounded(tensor),
        "arrays": [
            {"name": name, "rows": _rounded(np.reshape(array, _matrix_shape(array.shape)))}
            for name, array in arrays.items()
        ],
        "gradient": None if found.gradient is None else _rounded(evaluate(found.gradient, arrays)),
        "terms": {f"{form}.{order}": _terms(found, arrays, form, order) for form, order, _ in _LAYOUTS},
        "program": found.to_numpy(),
    }
    return record, markup


def _arrays(found: Derivative) -> dict[str, Array]:
    """Small whole numbers, easy to follow. Where the function is not defined there, the numbers of the test point."""
    rng = np.random.default_rng(3)
    arrays = {
        name: np.asarray(_REGULAR[shape] if shape in _REGULAR else rng.integers(-2, 3, size=shape), dtype=np.float64)
        for name, shape in found.shapes.items()
        if name != "I"
    }
    try:
        with np.errstate(all="ignore"):
            finite = bool(np.isfinite(found.jacobian(**arrays).to_dense("C")).all())
    except JacobiansError:
        finite = False
    identity = {name: array for name, array in found.values.items() if name == "I"}
    return {**arrays, **identity} if finite else dict(found.values)


def _matrix_shape(shape: Shape) -> Shape:
    return shape if len(shape) == 2 else (1, 1)


def _formulas(found: Derivative, form: Form, order: Order) -> str:
    """The equations that a book in this layout prints; the differential where no matrix is written, as of expm."""
    if found.gradient is None and found._matrix is None:
        form = "differential"
    written = [found.formula(form, "mathml", order)]
    if found.shape == () and form == "numerator":
        written.append(found.formula("vec", "mathml", order))
    return "".join(f"<p>{text}</p>" for text in written)


def _rounded(array: Any) -> Any:
    """Numbers to nine digits, as nested lists."""
    values = np.asarray(array, dtype=np.float64)
    return np.vectorize(lambda value: float(f"{value:.9g}"), otypes=[float])(values).tolist() if values.size else []


# --- the factors of each term ----------------------------------------------------------------------------


def _terms(found: Derivative, arrays: Mapping[str, Array], form: _Sides, order: Order) -> list[dict[str, Any]]:
    """Each term of the printed matrix: its number, and its factors from left to right."""
    matrix: LinearForm | None = found._matrix if found.gradient is None else None
    if matrix is None:
        return []
    terms = []
    for addend, chain in matrix.chains(order, transpose=form == "denominator"):
        scale = np.sign(addend.number) * float(np.asarray(evaluate(addend.scalar.expression(), arrays)))
        terms.append(
            {
                "scale": _rounded(scale),
                "written": _scale_in_text(addend.scalar.expression(), addend.number),
                "factors": [_factor(factor, arrays, order) for factor in chain],
            }
        )
    return terms


def _scale_in_text(scalar: Expr, number: float) -> str:
    text = TextNotation().expr(scalar)
    return ("−" if number < 0 else "") + ("" if text == "1" else text)


def _factor(factor: Written, arrays: Mapping[str, Array], order: Order) -> dict[str, Any]:
    """A factor as tables with names: of a Kronecker product two, of a diagonal the array on it."""
    match factor:
        case Kronecker():
            pair = [_operand(side, arrays) for side in (factor._left, factor._right)]
            return {"kind": "kronecker", "parts": pair if order == "C" else pair[::-1]}
        case Diagonal():
            return {"kind": "diagonal", "parts": [_array(factor.values, arrays)]}  # type: ignore[arg-type]
        case Commutation():
            return {"kind": "commutation", "parts": [], "name": TextNotation().matrix(factor, order)}
        case Identity():
            return {"kind": "identity", "parts": [], "name": f"I{str(factor.shape[0]).translate(SUBSCRIPTS)}"}
        case Outer():
            return {"kind": "outer", "parts": [_array(factor.of, arrays), _array(factor.by, arrays)]}
    return {"kind": "other", "parts": [], "name": in_notation(factor, TextNotation(), order)}


def _operand(side: Any, arrays: Mapping[str, Array]) -> dict[str, Any]:
    if isinstance(side, int):
        return {"name": f"I{str(side).translate(SUBSCRIPTS)}", "rows": np.eye(side).tolist(), "identity": True}
    return _array(side, arrays)


def _array(expr: Expr, arrays: Mapping[str, Array]) -> dict[str, Any]:
    value: Array = np.asarray(evaluate(expr, arrays), dtype=np.float64)
    value = np.broadcast_to(value, expr.shape)
    return {"name": TextNotation().expr(shortened(expr)), "rows": _rounded(value), "identity": False}
