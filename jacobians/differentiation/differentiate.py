"""`differentiate`: text to a term, a term to a graph on random numbers, the graph to a formula."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, all_finite, as_shape, did_you_mean, show_shape
from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.latex_reader import read_latex
from jacobians.auditing.octave_reader import read_text
from jacobians.auditing.python_reader import read_numpy
from jacobians.auditing.terms import Term, call, number, positions
from jacobians.derivation.closed_form import closed_differential, closed_gradient, names_in
from jacobians.derivation.names import symbol_name
from jacobians.differentiation.derivative import Derivative
from jacobians.differentiation.second_derivative import SecondDerivative, differential_of_gradient, shortener
from jacobians.differentiation.shapes import with_shapes
from jacobians.differentiation.spellings import plain
from jacobians.differentiation.values_of_expressions import GraphOfExpression
from jacobians.differentiation.values_of_terms import graph_of
from jacobians.differentiation.words import ExpressionWords, spelled
from jacobians.errors import DomainError, FormulaError, LayoutError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Number, Symbol

__all__ = ["differentiate"]

_DRAWS = 20
_E = Symbol("e", ())
"""Euler's number, where it stands below exponents alone."""
_STEP = 1e-10
"""By how much of their size the arrays are changed, to see whether floating point can find the derivative."""
_EXAMPLE = "trace(A.T @ X @ B @ X.T)"
_LEFT_DIVISION = re.compile(r"(?<=[\w)'ᵀ⁻¹])\s*\\(?:\s+(?=[(\w])|(?=\(|[^\W\d_](?![^\W\d_])))")
"""Octave's A \\ b: what stands before it ends a factor, and a command of LaTeX has several letters."""
_READERS = {"numpy": read_numpy, "latex": read_latex, "octave": read_text}


@written("differentiate('trace(A @ X)', 'X')")
def differentiate(
    expression: str,
    wrt: str,
    *,
    order: int = 1,
    shapes: Mapping[str, Any] | None = None,
    notation: str | None = None,
) -> Derivative:
    r"""Return the derivative of an expression as one writes it, with respect to one of its names.

    The text is read, never executed. The operations that it names run on random numbers and on symbols, and their
    structured Jacobians make the formula, which is held against the numbers:
    :math:`df = \operatorname{tr}(G^\top dX)` for a number, :math:`\operatorname{vec} dY = (L \otimes R^\top)
    \operatorname{vec} dX` for :math:`dY = L\, dX\, R` (Magnus & Neudecker 2019, ch. 9).

    A capital is a matrix, a small letter a column, a small Greek letter or its name a number, I the identity.

    Parameters
    ----------
    expression : str
        In NumPy, LaTeX, or as Octave and books write it: ``tr(A' X B X')``.

        - Products, sums, transposes, Hadamard products ``.*``, quotients ``./`` and powers ``2.^X`` of entries; as in
          Octave, ``A / B`` and ``A \ B`` have an inverse, ``X^2``, ``2^X`` and ``e^X`` are powers of matrices.
        - trace, inv, det, logdet, pinv, solve, kron, expm, logm, sqrtm; diag of a column or of a square matrix, vec by
          columns.
        - sum and mean of all entries; norm is Frobenius' norm, or that of a vector. ``|X|`` is a determinant, and of a
          number or a vector the absolute values.
        - Entry by entry: exp, log, abs, sign, sin, cos, tan, arctan, sinh, cosh, tanh, sqrt, sigmoid, relu, softplus,
          maximum, minimum and clip. softmax is taken of a column, or in NumPy along an axis: ``softmax(X, axis=1)``.
    wrt : str
        The name.
    order : {1, 2}
        2 for the Hessian of a number: the Jacobian of its gradient, for vec X as the gradient's vec.
    shapes : mapping of str to tuple of int, optional
        Of some names: () of a number, (n,) or (n, 1) of a vector. What is not declared follows from the expression.
    notation : {"numpy", "latex", "octave"}, optional
        Seen from the expression unless given.

    Returns
    -------
    Derivative

    Raises
    ------
    FormulaError
        If the expression cannot be read, its shapes do not fit, or `wrt` is no name in it; the text marks the place.
    DomainError
        If it is not defined at random numbers.

    Examples
    --------
    >>> print(differentiate("trace(A.T @ X @ B @ X.T)", wrt="X"))
    f = trace(A.T @ X @ B @ X.T)   (A 3×3, X 3×4, B 4×4)
      gradient      ∂f/∂X = A X Bᵀ + Aᵀ X B
      numerator     ∂f/∂X = B Xᵀ Aᵀ + Bᵀ Xᵀ A
      vec           ∂f/∂vec X = vec(A X Bᵀ + Aᵀ X B)ᵀ
      differential  df = tr((B Xᵀ Aᵀ + Bᵀ Xᵀ A) dX)
    >>> differentiate("A X^-1 B", wrt="X").formula("numerator", order="F")
    '∂vec Y/∂vec X = −((Bᵀ inv(X)ᵀ) ⊗ (A inv(X)))'
    >>> print(differentiate("log det X", wrt="X", order=2))
    f = log det X   (X 3×3)
      differential         d(∂f/∂X) = −inv(X)ᵀ dXᵀ inv(X)ᵀ
      Hessian, by rows     ∂²f/∂vec X ∂(vec X)ᵀ = −(inv(X)ᵀ ⊗ inv(X)) K₃,₃
      Hessian, by columns  ∂²f/∂vec X ∂(vec X)ᵀ = −(inv(X) ⊗ inv(X)ᵀ) K₃,₃
    """
    if order not in (1, 2):
        raise LayoutError(f"differentiate: the order is 1 or 2, not {order!r}")
    Source.of(expression, reader="differentiate", example=_EXAMPLE)  # its limits
    notation = notation or guessed(expression)
    if notation not in _READERS:
        known = ", ".join(_READERS)
        raise FormulaError(
            f"differentiate: no notation {notation!r}{did_you_mean(notation, _READERS)}; there are {known}"
        )
    wrt = spelled(wrt)
    declared = {spelled(name): _declared(shape, name) for name, shape in (shapes or {}).items()}
    source = Source.of(plain(expression, notation, {*declared, wrt}), reader="differentiate", example=_EXAMPLE)
    words = ExpressionWords({*declared, wrt})
    term = read_term(source, (0, len(source.text)), words, notation)
    read, found = with_shapes(term, declared, source)
    if wrt not in found:
        names = f"its names are {', '.join(found)}" if found else "it has no names"
        raise FormulaError(
            f"differentiate: {wrt!r} is not in {expression.strip()!r}{did_you_mean(wrt, found)}; {names}"
        )
    for name in declared.keys() - found.keys():
        raise FormulaError(f"differentiate: {name!r} is given a shape, but is not in {expression.strip()!r}")
    try:
        value, inputs = drawn(read, found)
    except DomainError:
        read, found = with_shapes(term, declared, source, falling=True)
        value, inputs = drawn(read, found)
    if not all_finite([part.array for part in value.ancestors()]):
        raise DomainError(
            "differentiate: the expression has no derivative at random points that floating point can find: a part of "
            "it is not finite there; is something divided by what is always zero?"
        )
    try:
        with np.errstate(all="ignore"):  # what is not finite is said by `_hold`
            if order == 2:
                return _second(expression, wrt, read, value, inputs, found, source)
            return _derivative(expression, wrt, read, value, inputs, found)
    except np.linalg.LinAlgError:
        raise DomainError(
            "differentiate: the expression has no derivative at random points that floating point can find: a matrix "
            "that its formula inverts is singular there; is a determinant always zero?"
        ) from None


def _derivative(
    expression: str,
    wrt: str,
    term: Term,
    value: Value,
    inputs: Mapping[str, Value],
    shapes: Mapping[str, Shape],
) -> Derivative:
    short = shortener(shapes, wrt)
    node = inputs[wrt]
    differential = closed_differential(value, node, short)
    gradient = None
    if value.shape == ():
        gradient = closed_gradient(value, node, short)
    elif node.shape == ():
        gradient = short(differential.replaced({Symbol(f"d{symbol_name(wrt)}", ()): Number(1)}))
    differential = short(differential)
    arrays = {name: inputs[name].array for name in shapes}
    _hold(differential, gradient, lambda at: _graph(term, at, wrt), arrays)
    return Derivative(
        expression, wrt, dict(shapes), _called(value, shapes), value.shape, gradient, differential, term,
        arrays,
    )  # fmt: skip


def _second(
    expression: str,
    wrt: str,
    term: Term,
    value: Value,
    inputs: Mapping[str, Value],
    shapes: Mapping[str, Shape],
    source: Source,
) -> SecondDerivative:
    """The derivative of the gradient, whose formula is applied to values once more."""
    if value.shape != ():
        raise source.error(
            f"a second derivative is written of a number; this is a {show_shape(value.shape)} array: take its trace, "
            "its sum or a product with vectors",
            term.span,
        )
    short = shortener(shapes, wrt)
    first = closed_gradient(value, inputs[wrt], short)
    arrays = {name: inputs[name].array for name in shapes}
    name = _called(value, shapes)
    differential, gradient = differential_of_gradient(first, wrt, arrays, short)
    if wrt in names_in(first):
        _hold(differential, gradient, lambda at: _graph_of_formula(first, at, wrt), arrays)
    return SecondDerivative(
        expression, wrt, dict(shapes), name, first.shape, gradient, differential, term, arrays, first,
    )  # fmt: skip


def _graph(term: Term, arrays: Mapping[str, Array], wrt: str) -> tuple[Value, Value]:
    value, inputs = graph_of(term, arrays)
    return value, inputs[wrt]


def _graph_of_formula(formula: Expr, arrays: Mapping[str, Array], wrt: str) -> tuple[Value, Value]:
    graph = GraphOfExpression(formula, arrays)
    return graph.value, graph.inputs[wrt]


def _called(value: Value, shapes: Mapping[str, Shape]) -> str:
    """Return the name that the value has in formulas."""
    taken = {*shapes, *(f"d{name}" for name in shapes)}
    letters = "fgh" if value.shape == () else "yzv" if value.shape[1] == 1 else "YZV"
    return next((letter for letter in letters if letter not in taken), "value")


def _hold(
    differential: Expr,
    gradient: Expr | None,
    graph: Callable[[Mapping[str, Array]], tuple[Value, Value]],
    arrays: Mapping[str, Array],
) -> None:
    """Hold the formulas against the structured Jacobian at the random point.

    Parameters
    ----------
    graph : callable
        From arrays to what is differentiated, and what it is differentiated by.

    Raises
    ------
    DomainError
        If they differ by more than rounding.
    """
    value, node = graph(arrays)
    tangent = np.asarray(np.random.default_rng(0).normal(size=node.shape))
    moved = {**arrays, f"d{node.name}": tangent}
    if names_in(differential) - moved.keys():  # a Jacobian that is known as numbers alone, at a singular matrix
        raise DomainError(
            "differentiate: a formula is not known at random points: a matrix whose determinant is taken is singular"
        )
    jacobian = value.jacobian(node)
    along = jacobian.jvp(tangent)
    right = _agree(evaluate(differential, moved), along, value.array)
    if gradient is not None:
        truth = jacobian.vjp(np.ones(())) if value.shape == () else jacobian.jvp(np.ones(()))
        right = right and _agree(evaluate(gradient, arrays), truth, value.array)
    if right:
        return
    beside, its_node = graph({name: array * (1 + _STEP * _noise(array.shape)) for name, array in arrays.items()})
    change = float(np.abs(beside.jacobian(its_node).jvp(tangent) - along).max(initial=0.0))
    size = max(1.0, float(np.abs(along).max(initial=0.0)))
    if not change <= 1e6 * _STEP * size:
        found = f"changes by {change / size:.1g} of its own" if np.isfinite(change) else "is not finite"
        raise DomainError(
            "differentiate: the expression has no derivative at random points that floating point can find: where its "
            f"arrays change by {_STEP:.0e} of their size, it {found}; is something divided by what is always zero?"
        )
    raise DomainError(
        "differentiate: the formula and the numbers differ at a random point; the expression is near a point where "
        "it has no derivative, or this is an error of the library"
    )


def _noise(shape: Shape) -> Array:
    return np.asarray(np.random.default_rng(1).normal(size=shape))


def _agree(computed: Array, truth: Array, value: Array) -> bool:
    """Whether two arrays are equal up to rounding; terms as large as the value may have cancelled."""
    size = max(1.0, float(np.abs(truth).max(initial=0.0)), float(np.abs(value).max(initial=0.0)))
    allowed = 1e5 * float(np.finfo(np.float64).eps)
    return computed.shape == truth.shape and bool(np.allclose(computed, truth, rtol=allowed, atol=allowed * size))


def drawn(
    term: Term, shapes: Mapping[str, Shape], *, first: int = 0, symmetric: Collection[str] = ()
) -> tuple[Value, dict[str, Value]]:
    """Return the graph on random numbers at which the expression is defined.

    They are positive, and matrices are well conditioned.

    Raises
    ------
    DomainError
        If it is defined at none of them.
    """
    last: DomainError | None = None
    for seed in range(first, first + _DRAWS):
        rng = np.random.default_rng(seed)
        arrays: dict[str, Array] = {}
        for name, shape in shapes.items():
            array = np.asarray(rng.uniform(0.2, 1.0, size=shape))
            if len(shape) == 2 and shape[0] == shape[1]:
                array = np.eye(shape[0]) if name == "I" else array + shape[0] * np.eye(shape[0])
            arrays[name] = (array + array.T) / 2 if name in symmetric else array
        try:
            with np.errstate(all="ignore"):
                found = graph_of(term, arrays)
        except DomainError as error:
            last = error
            continue
        if np.isfinite(found[0].array).all():
            return found
        last = DomainError("its value is not finite")
    raise DomainError(
        f"differentiate: at {_DRAWS} random points the expression is not defined; at the last one: {last}"
    )


def _declared(shape: Any, name: str) -> Shape:
    found = as_shape(shape, f"the shape of {name}", "differentiate")
    if len(found) > 2:
        raise FormulaError(f"differentiate: {name} is declared with {len(found)} axes; a matrix has two, a vector (n,)")
    return (found[0], 1) if len(found) == 1 else () if found == (1, 1) else found


def guessed(expression: str) -> str:
    """Return the notation that an expression is written in."""
    if "\\" in _LEFT_DIVISION.sub("", expression) or re.search(r"\^(?:\{|T\b|\s*T\b)", expression):
        return "latex"
    if re.search(r"@|\.T\b|\*\*|\bnp\.|\w\.\w+\(|\b(?:axis|dim|keepdims)\s*=", expression):
        return "numpy"
    if "*" in expression and not re.search(r"'|\.\*|\.\^|\^|\./|ᵀ", expression):
        raise FormulaError(
            f"differentiate: in {expression.strip()!r} the sign * is NumPy's product of entries or Octave's of "
            "matrices; say which by notation='numpy' or notation='octave', on the command line by --notation octave"
        )
    return "octave"


def read_term(source: Source, span: Span, words: ExpressionWords, notation: str) -> Term:
    """Return the term of a part of a text."""
    term = _READERS[notation](source, span, words)
    term = _with_matrix_powers(term) if notation == "latex" else term
    if notation != "numpy" and _is_euler(term, words):
        term = _with_euler(term)
    return _in_products(term, source, notation)


def _is_euler(term: Term, words: ExpressionWords) -> bool:
    """Whether a name e stands nowhere but below exponents, and is not declared."""
    below = [at.parts[0] for _, at in positions(term) if at.kind in ("power", "matrix_power")]
    named = [at for _, at in positions(term) if at.detail == _E]
    return bool(named) and "e" not in words.declared and all(any(at is base for base in below) for at in named)


def _with_euler(term: Term) -> Term:
    if term.detail == _E:
        return number(math.e, term.span)
    return Term(term.kind, tuple(map(_with_euler, term.parts)), term.detail, term.span)


def _in_products(term: Term, source: Source, notation: str) -> Term:
    """Replace what only one notation writes by functions that are differentiated."""
    parts = tuple(_in_products(part, source, notation) for part in term.parts)
    match term.kind, parts:
        case (("power" | "matrix_power"), [of]) if isinstance(term.detail, Term):
            exponent = _in_products(term.detail, source, notation)
            if (power := _constant(exponent)) is not None:
                return Term(term.kind, parts, int(power) if power.is_integer() else power, term.span)
            return Term("raised", (of, exponent), term.kind == "power", term.span)
        case "reshape", [of] if term.detail in ((-1,), (-1, 1)):  # NumPy goes by rows, Octave by columns
            by_rows = Term("transpose", (of,), None, of.span) if notation == "numpy" else of
            return call("vec", (by_rows,), term.span)
    return Term(term.kind, parts, term.detail, term.span)


def _constant(term: Term) -> float | None:
    """The value of a term of numbers, such as -1/2, or None."""
    values = [_constant(part) for part in term.parts]
    match term.kind, values:
        case "leaf", _ if isinstance(term.detail, Number):
            return term.detail.value
        case "negative", [float(a)]:
            return -a
        case (("divide" | "right_divide"), [float(a), float(b)]) if b:
            return a / b
        case (("product" | "star"), [float(a), float(b)]):
            return a * b
        case (("plus" | "minus"), [float(a), float(b)]):
            return a + b if term.kind == "plus" else a - b
    return None


def _with_matrix_powers(term: Term) -> Term:
    """Read each power of LaTeX as a power of the matrix."""
    parts = tuple(map(_with_matrix_powers, term.parts))
    return Term("matrix_power" if term.kind == "power" else term.kind, parts, term.detail, term.span)
