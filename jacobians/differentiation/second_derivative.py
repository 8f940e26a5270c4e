"""`SecondDerivative`: the Hessian of a number, the Jacobian of its gradient, as a formula and as structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape
from jacobians.derivation.closed_form import closed_differential, closed_gradient, names_in
from jacobians.derivation.names import symbol_name
from jacobians.differentiation.derivative import Derivative, Form
from jacobians.differentiation.short_forms import shortened
from jacobians.differentiation.values_of_expressions import GraphOfExpression
from jacobians.differentiation.values_of_terms import graph_of
from jacobians.errors import GraphError
from jacobians.linops import Jacobian, Zero
from jacobians.symbols.expressions import Expr, Eye, Number, Symbol, Zeros
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation

if TYPE_CHECKING:
    from jacobians.derivation import GraphDerivation
    from jacobians.graphs import Value
    from jacobians.layout import Order


@dataclass(frozen=True, eq=False)
class SecondDerivative(Derivative):
    r"""The Hessian of a number f by a number, a vector or a matrix X.

    Of a matrix it is :math:`\partial^2 f / \partial \operatorname{vec} X\, \partial (\operatorname{vec} X)^\top`, a
    sum of Kronecker products, commutations and outer products; ``numerator`` and ``denominator`` are the same, since it
    is symmetric. ``differential`` is that of the gradient. Source: Magnus & Neudecker 2019, ch. 10.

    Attributes
    ----------
    first : Expr
        The gradient.

    Examples
    --------
    >>> from jacobians import differentiate
    >>> print(differentiate("x' A x", wrt="x", order=2).formula("numerator"))
    ∂²f/∂x ∂xᵀ = A + Aᵀ
    """

    first: Expr

    def _forms(self) -> tuple[tuple[str, Form, Order], ...]:
        if self.shapes[self.wrt] == ():
            return (("derivative", "gradient", "C"),)
        found: list[tuple[str, Form, Order]] = [("differential", "differential", "C")]
        if self._matrix is not None and self.shapes[self.wrt][1] == 1:
            found += [("Hessian", "numerator", "C")]
        elif self._matrix is not None:
            found += [("Hessian, by rows", "numerator", "C"), ("Hessian, by columns", "numerator", "F")]
        return tuple(found)

    def _left_of_differential(self, write: Notation) -> str:
        of, wrt = write.symbol(self.name), write.symbol(self.wrt)
        if isinstance(write, NumpyNotation):
            return f"d{self.name}_d{wrt}"
        if isinstance(write, LatexNotation):
            return rf"\mathrm{{d}} \frac{{\partial {of}}}{{\partial {wrt}}}"
        return f"d({super()._fraction(write)})" if not write.bars else f"<mi>d</mi>{super()._fraction(write)}"

    def _fraction(self, write: Notation) -> str:
        of, wrt = write.symbol(self.name), write.symbol(self.wrt)
        alone = self.shapes[self.wrt] == ()
        if isinstance(write, NumpyNotation):
            return "H"
        if isinstance(write, LatexNotation):
            below = rf"\partial {wrt}^2" if alone else rf"\partial {wrt}\, \partial {wrt}^\top"
            return rf"\frac{{\partial^2 {of}}}{{{below}}}"
        if write.bars:
            square = "<msup><mi>∂</mi><mn>2</mn></msup>"
            below = (
                f"<mi>∂</mi><msup>{wrt}<mn>2</mn></msup>"
                if alone
                else f"<mi>∂</mi>{wrt}<mi>∂</mi>{write.transpose(wrt)}"
            )
            return write.form("fraction", f"<mrow>{square}{of}</mrow>", f"<mrow>{below}</mrow>")
        return f"∂²{of}/∂{wrt}²" if alone else f"∂²{of}/∂{wrt} ∂{wrt}ᵀ"

    def _partial(self, write: Notation, *, vector: bool) -> str:
        of, wrt = write.symbol(self.name), write.symbol(self.wrt)
        if isinstance(write, NumpyNotation):
            return "H"
        if isinstance(write, LatexNotation):
            vec = rf"\operatorname{{vec}} {wrt}"
            return rf"\frac{{\partial^2 {of}}}{{\partial {vec}\, \partial ({vec})^\top}}"
        if write.bars:
            square, vec = "<msup><mi>∂</mi><mn>2</mn></msup>", f"<mrow><mi>vec</mi>{wrt}</mrow>"
            below = f"<mi>∂</mi>{vec}<mi>∂</mi>{write.transpose(write.bracket(vec))}"
            return write.form("fraction", f"<mrow>{square}{of}</mrow>", f"<mrow>{below}</mrow>")
        return f"∂²{of}/∂vec {wrt} ∂(vec {wrt})ᵀ"

    def _turned(self, left: str, form: Form, write: Notation) -> str:
        return left

    @property
    def steps(self) -> GraphDerivation:
        """Raise: the steps are those of the first derivative.

        Raises
        ------
        GraphError
            Always.
        """
        raise GraphError("differentiate: the steps are those of the first derivative; take order=1")

    def jacobian(self, **arrays: npt.ArrayLike) -> Jacobian:
        """Return the Hessian at some arrays, the Jacobian of the gradient; see `Derivative.jacobian`."""
        if self.wrt not in names_in(self.first):
            given = np.asarray(arrays.get(self.wrt, self.values[self.wrt]), dtype=np.float64)
            shape = given.reshape(-1, 1).shape if given.ndim < len(self.shapes[self.wrt]) else given.shape
            return Zero(shape, shape)
        return super().jacobian(**arrays)

    def _graph(self, arrays: Mapping[str, Array]) -> tuple[Value, Value]:
        value, names = graph_of(self.term, arrays)
        shapes = {name: array.shape for name, array in arrays.items()}
        again = GraphOfExpression(closed_gradient(value, names[self.wrt], shortener(shapes, self.wrt)), arrays)
        return again.value, again.inputs[self.wrt]


def shortener(shapes: Mapping[str, Shape], wrt: str) -> Callable[[Expr], Expr]:
    """Return what makes an expression short; I is the identity unless it is differentiated by."""
    eye: dict[Expr, Expr] = {}
    if "I" in shapes and wrt != "I":
        eye = {Symbol("I", shapes["I"]): Eye(shapes["I"][0])}
    return lambda expr: shortened(expr.replaced(eye))


def differential_of_gradient(
    first: Expr, wrt: str, arrays: Mapping[str, Array], short: Callable[[Expr], Expr]
) -> tuple[Expr, Expr | None]:
    """Return the differential of a gradient, and its derivative where it is one by a number."""
    if wrt not in names_in(first):
        return (Zeros(first.shape) if first.shape else Number(0)), (None if first.shape else Number(0))
    again = GraphOfExpression(first, arrays)

    def own(expr: Expr) -> Expr:
        return short(expr.replaced(again.constants))

    differential = own(closed_differential(again.value, again.inputs[wrt], own))
    if first.shape:
        return differential, None
    return differential, own(differential.replaced({Symbol(f"d{symbol_name(wrt)}", ()): Number(1)}))
