"""`jacobian_equation`: the matrix of one Jacobian as a formula, short where there is one example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jacobians.derivation.derive import forward_pass
from jacobians.derivation.equations import Equation, JacobianChain, Partial
from jacobians.linops import Jacobian, Kronecker
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Eye, MatMul, Symbol, transposed
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation

__all__ = ["Ratio", "jacobian_equation"]


@dataclass(frozen=True)
class Ratio(Partial):
    """∂Z/∂X as the left side of an equation between matrices, with no vec."""

    def written(self, notation: Notation) -> str:
        of, wrt = notation.expr(self.of), notation.expr(self.wrt)
        match notation:
            case TextNotation():
                return f"∂{of}/∂{wrt}"
            case LatexNotation():
                return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"
            case NumpyNotation():
                return f"d{of}_d{wrt}"
        return super().written(notation)


def jacobian_equation(run: Run, of: str, wrt: str) -> Equation:
    """Return ∂of/∂wrt in the run's layout.

    A scalar by a matrix, and a product of weights for one example, are written as matrices; whatever else there is,
    as the product of the chain's factors.
    """
    layout = run.network.layout
    forward = forward_pass(run)
    names = forward.names
    stops = ["X", *run.outputs]
    last = stops.index(of)
    if wrt in run.params:
        first = run.network.chain.owner(run.network.names[wrt])[0] + 1
        local = forward.jacobians[run.outputs[first - 1], wrt]
        shape = run.params[wrt].shape
    else:
        first, local = stops.index(wrt), ()
        shape = run.values[wrt].shape
    between = (forward.jacobians[stops[k], stops[k - 1]] for k in range(last, first, -1))
    factors = [*(factor for jacobian in between for factor in jacobian), *local]
    left = Ratio(Symbol(names.of(of), run.values[of].shape), Symbol(names.of(wrt), shape))
    turned = layout.derivative == "denominator"
    if run.values[of].size == 1 and len(shape) == 2 and min(shape) > 1:
        gradient: Any = Eye(1)
        for factor in factors:
            gradient = factor._vjp(gradient)
        return Equation(left, gradient if turned else transposed(gradient))
    matrices = [_matrix(factor) for factor in factors]
    if matrices and None not in matrices:
        product = matrices[0]
        for matrix in matrices[1:]:
            product = MatMul(product, matrix)  # type: ignore[arg-type]
        return Equation(left, transposed(product) if turned else product)  # type: ignore[arg-type]
    chain = JacobianChain(None, None, tuple(factors), layout.vec, layout.derivative)
    return Equation(Partial(left.of, left.wrt), chain)


def _matrix(factor: Jacobian) -> Expr | None:
    """A ⊗ 1 and 1 ⊗ B are A and B."""
    if isinstance(factor, Kronecker) and 1 in (factor.left, factor.right):
        return factor.single  # type: ignore[return-value]
    return None
