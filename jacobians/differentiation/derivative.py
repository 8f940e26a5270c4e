"""`Derivative`: what `differentiate` finds, as a formula in any layout and notation, a program, and a Jacobian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, did_you_mean, show_shape
from jacobians.auditing.terms import Term, positions
from jacobians.derivation import Equation, GraphDerivation
from jacobians.derivation.closed_form import differential_steps, names_in
from jacobians.derivation.derive_graph import derive_graph
from jacobians.derivation.numpy_program import program
from jacobians.differentiation.linear_forms import LinearForm, NoMatrixError, linear_form
from jacobians.differentiation.shapes import show_shapes
from jacobians.differentiation.short_forms import TRACE, shortened
from jacobians.differentiation.steps import DifferentialSteps
from jacobians.differentiation.values_of_terms import array_of, graph_of
from jacobians.errors import GraphError, LayoutError, ShapeError
from jacobians.graphs import Value
from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.symbols import NOTATIONS
from jacobians.symbols.expressions import Call, Expr, MatMul, Symbol
from jacobians.symbols.javascript import with_runtime
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.simplify import product, transposed

Form: TypeAlias = Literal["gradient", "numerator", "denominator", "mixed", "vec", "differential"]

FORMS: tuple[Form, ...] = get_args(Form)
"""In which a derivative can be written."""


@dataclass(frozen=True, eq=False)
class Derivative:
    r"""The derivative of an expression with respect to one of its names.

    Printing it shows every form. Of a number f by a matrix X with the gradient G:

    - ``gradient`` and ``denominator``: G, in the shape of X;
    - ``numerator``: Gᵀ;
    - ``vec``: the row vec(G)ᵀ, the Jacobian by vec X;
    - ``differential``: :math:`df = \operatorname{tr}(G^\top dX)`.

    Of a matrix Y by a matrix X: ``numerator`` is the Jacobian of vec Y by vec X, a sum of Kronecker products,
    ``denominator`` its transpose, ``differential`` is dY. ``mixed`` is the Matrix Cookbook's: the gradient of a number,
    and the numerator form of a vector or a matrix.

    Attributes
    ----------
    expression : str
    wrt : str
    shapes : dict
        Of the names in the expression; a vector is a column, () is a number.
    name : str
        What formulas call the value: f, or y and Y where it is a vector or a matrix.
    shape : tuple of int
        Of the value.
    gradient : Expr or None
        Where the value or X is a number.
    differential : Expr
        In the symbol of dX.
    term : Term
        The expression as it was read.
    values : dict
        The random arrays at which every formula was held against the numbers.

    Examples
    --------
    >>> from jacobians import differentiate
    >>> print(differentiate("tr(A X)", wrt="X").formula("gradient"))
    ∂f/∂X = Aᵀ
    """

    expression: str
    wrt: str
    shapes: Mapping[str, Shape]
    name: str
    shape: Shape
    gradient: Expr | None
    differential: Expr
    term: Term
    values: Mapping[str, Array]

    # --- formulas --------------------------------------------------------------------------------

    def formula(self, form: Form = "gradient", notation: str = "text", order: Order = "C") -> str:
        """Return one equation.

        Parameters
        ----------
        form : {"gradient", "numerator", "denominator", "mixed", "vec", "differential"}
            What stands on its left side. Of a matrix by a matrix, "gradient", "mixed" and "vec" are the numerator form.
        notation : {"text", "latex", "mathml", "numpy", "javascript"}
        order : {"C", "F"}
            How vec unrolls a matrix: by rows or by columns.

        Raises
        ------
        LayoutError
            If a form or notation is unknown, or the form is not written for this derivative.
        """
        if form not in FORMS:
            raise LayoutError(
                f"differentiate: no form {form!r}{did_you_mean(form, FORMS)}; there are {', '.join(FORMS)}"
            )
        if notation not in NOTATIONS:
            known = ", ".join(NOTATIONS)
            raise LayoutError(
                f"differentiate: no notation {notation!r}{did_you_mean(notation, NOTATIONS)}; there are {known}"
            )
        if order not in ("C", "F"):
            raise LayoutError(f"differentiate: order is 'C' or 'F', not {order!r}")
        write = NOTATIONS[notation]()
        return write.document(write.equation(*self._sides(form, write, order)))

    def _sides(self, form: Form, write: Notation, order: Order) -> tuple[str, str]:
        if form == "differential":
            return self._left_of_differential(write), write.expr(self._differential)
        if self.gradient is None:
            columns = self.shape[1] == self.shapes[self.wrt][1] == 1 and not isinstance(write, NumpyNotation)
            left = self._fraction(write) if columns else self._partial(write, vector=True)
            if self._matrix is None:
                shown = NOTATIONS["text"]().expr(self.differential)
                raise LayoutError(
                    f"differentiate: no matrix is written of d{self.name} = {shown}; "
                    "take the form 'differential', or the Jacobian itself by .jacobian()"
                )
            right = self._matrix.written(write, order, transpose=form == "denominator")
            return self._turned(left, form, write), right
        if form == "vec" and self.shapes[self.wrt]:
            return self._partial(write, vector=False), write.row(write.expr(self.gradient), order)
        turned = (form == "numerator" and self.shape == ()) or (form == "denominator" and self.shape != ())
        gradient = shortened(transposed(self.gradient)) if turned else self.gradient
        return self._fraction(write), write.expr(gradient)

    def _left_of_differential(self, write: Notation) -> str:
        return write.symbol(f"d{self.name}")

    def _turned(self, left: str, form: Form, write: Notation) -> str:
        """The left side of a transposed Jacobian."""
        return write.transpose(left) if form == "denominator" and write.bars else left

    @property
    def _differential(self) -> Expr:
        """tr(Gᵀ dX) of a number by a matrix."""
        if self.shape or self.gradient is None:
            return self.differential
        tangent = Symbol(f"d{self.wrt}", self.shapes[self.wrt])
        if tangent.shape == ():
            return product(self.gradient, tangent)
        row = shortened(transposed(self.gradient))
        if tangent.shape[1] == 1:
            return MatMul(row, tangent)
        return Call(TRACE, (shortened(MatMul(row, tangent)),), ())

    @cached_property
    def _matrix(self) -> LinearForm | None:
        try:
            return linear_form(self.differential, Symbol(f"d{self.wrt}", self.shapes[self.wrt]))
        except NoMatrixError:
            return None

    def _fraction(self, write: Notation) -> str:
        of, wrt = write.symbol(self.name), write.symbol(self.wrt)
        if isinstance(write, NumpyNotation):
            return f"d{wrt}"
        if isinstance(write, LatexNotation):
            return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"
        if write.bars:
            return write.form("fraction", f"<mrow><mi>∂</mi>{of}</mrow>", f"<mrow><mi>∂</mi>{wrt}</mrow>")
        return f"∂{of}/∂{wrt}"

    def _partial(self, write: Notation, *, vector: bool) -> str:
        return write.partial(write.symbol(self.name), write.symbol(self.wrt), write.symbol(f"d{self.wrt}"), vector)

    # --- documents -------------------------------------------------------------------------------

    def _forms(self) -> tuple[tuple[str, Form, Order], ...]:
        """What is printed, with a word for each."""
        if self.gradient is None:
            found: list[tuple[str, Form, Order]] = [("differential", "differential", "C")]
            if self._matrix is not None and self.shape[1] == self.shapes[self.wrt][1] == 1:
                found += [("numerator", "numerator", "C"), ("denominator", "denominator", "C")]
            elif self._matrix is not None:
                found += [("numerator, by rows", "numerator", "C"), ("numerator, by columns", "numerator", "F")]
                found += [("denominator, by columns", "denominator", "F")]
            return tuple(found)
        if self.shape == () and self.shapes[self.wrt]:
            by_vec: tuple[tuple[str, Form, Order], ...] = (("vec", "vec", "C"),)
            return (
                ("gradient", "gradient", "C"),
                ("numerator", "numerator", "C"),
                *by_vec,
                ("differential", "differential", "C"),
            )
        return (("derivative", "gradient", "C"), ("differential", "differential", "C"))

    def __repr__(self) -> str:
        return f"Derivative({self.expression.strip()} with respect to {self.wrt}; print it to read it)"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return every form as plain text."""
        forms = self._forms()
        width = max(len(word) for word, _, _ in forms)
        lines = [f"{self.name} = {self.expression.strip()}   ({show_shapes(self.shapes)}{self._read_so()})"]
        return "\n".join(
            [*lines, *(f"  {word:<{width}}  {self.formula(form, 'text', order)}" for word, form, order in forms)]
        )

    def _read_so(self) -> str:
        """What is said of a function with several meanings: the norm of a matrix, which Octave takes for another."""
        norms = (at.parts[0] for _, at in positions(self.term) if at.kind == "call" and at.detail == "norm")
        matrices = any(1 not in array_of(of, self.values).shape for of in norms)
        return "; norm is Frobenius' norm" if matrices else ""

    def to_latex(self) -> str:
        """Return every form as an ``align*`` environment."""
        lines = [self.formula(form, "latex", order).replace(" = ", " &= ", 1) for _, form, order in self._forms()]
        return "\n".join([r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"]) + "\n"

    def to_mathml(self) -> str:
        """Return every form as a paragraph of HTML with MathML."""
        return "".join(f"<p>{word}: {self.formula(form, 'mathml', order)}</p>" for word, form, order in self._forms())

    def to_numpy(self) -> str:
        """Return a NumPy program: it takes the arrays, and computes the derivative.

        Of a number it computes the gradient, as dX; of a matrix the Jacobian by rows, as J_Y_X, or, where no matrix is
        written, dY for an array dX.
        """
        write = NumpyNotation()
        of_matrix = self.gradient is None and self._matrix is not None
        used = self.differential if self.gradient is None else self.gradient
        form: Form = "numerator" if of_matrix else "gradient" if self.gradient is not None else "differential"
        left, right = self._sides("gradient" if form != "differential" else form, write, "C")
        given = {name: array for name, array in self.values.items() if name in names_in(used)}
        if form == "differential":
            given[f"d{self.wrt}"] = np.ones(self.shapes[self.wrt])
        parts = [used, *(self._matrix.expressions if of_matrix and self._matrix is not None else ())]
        equations, line = [Equation(Symbol("", ()), part) for part in parts], write.equation(left, right)
        return program(equations, given, [line], with_matrices=of_matrix, unused=False)

    def to_javascript(self) -> str:
        """Return the program of `to_numpy` as JavaScript: the runtime ``np``, and one function, ``program``.

        Raises
        ------
        LayoutError
            If the runtime lacks a function.
        """
        return with_runtime(self.to_numpy())

    def _repr_html_(self) -> str:
        return self.to_mathml()

    # --- numbers ---------------------------------------------------------------------------------

    @property
    def steps(self) -> GraphDerivation | DifferentialSteps:
        """How it comes out, one line for each value on the way: back from a number, or forward to a matrix."""
        value, node = self._graph(self.values)
        if value.shape == ():
            return derive_graph(value.named(self.name), [node])
        return DifferentialSteps(*map(tuple, differential_steps(value.named(self.name), node, shortened)))

    def jacobian(self, **arrays: npt.ArrayLike) -> Jacobian:
        """Return the Jacobian at some arrays, by structure.

        Parameters
        ----------
        **arrays : array_like
            One for each name; a vector of shape (n,) is a column. Other sizes than those of `shapes` may be given.

        Raises
        ------
        ShapeError
            If the arrays' shapes do not fit.
        DomainError
            If the expression has no derivative there.
        """
        wanted = [name for name in self.shapes if name != "I" or name in arrays]
        missing = [name for name in wanted if name not in arrays]
        if missing or set(arrays) - set(self.shapes):
            raise GraphError(
                f"differentiate: the Jacobian needs {', '.join(wanted)}; given are {', '.join(arrays) or 'none'}"
            )
        own: dict[str, Array] = {}
        for name, shape in self.shapes.items():
            array = np.asarray(arrays.get(name, self.values[name]), dtype=np.float64)
            array = array.reshape(-1, 1) if array.ndim == 1 and len(shape) == 2 and shape[1] == 1 else array
            if array.ndim != len(shape):
                raise ShapeError(
                    f"differentiate: {name} has shape {show_shape(array.shape)}, not one such as {show_shape(shape)}"
                )
            own[name] = array
        value, node = self._graph(own)
        return value.jacobian(node)

    def _graph(self, arrays: Mapping[str, Array]) -> tuple[Value, Value]:
        """What is differentiated as a value of a graph, and what it is differentiated by."""
        value, names = graph_of(self.term, arrays)
        return value, names[self.wrt]
