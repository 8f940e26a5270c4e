"""`jacobian_equation`: the matrix of one Jacobian as a formula, short where there is one example."""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.derivation.forward import forward_pass
from jacobians.derivation.names import Names
from jacobians.derivation.result import ChainOfMaps, Equation, Partial
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Eye, MatMul, Symbol
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.maps import Kron, Map
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.simplify import transposed
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
    names, layout = Names(run.network.convention), run.network.layout
    forward = forward_pass(run, names)
    stops = ["X", *run.outputs]
    last = stops.index(of)
    if wrt in run.params:
        first = run.network.chain.owner(run.network.names[wrt])[0] + 1
        local = forward.maps[run.outputs[first - 1], wrt]
        shape = run.params[wrt].shape
    else:
        first, local = stops.index(wrt), ()
        shape = run.values[wrt].shape
    maps = [m for k in range(last, first, -1) for m in forward.maps[stops[k], stops[k - 1]]] + list(local)
    left = Ratio(Symbol(names.of(of), run.values[of].shape), Symbol(names.of(wrt), shape))
    turned = layout.derivative == "denominator"
    if run.values[of].size == 1 and len(shape) == 2 and min(shape) > 1:
        gradient: Expr = Eye(1)
        for map_ in maps:
            gradient = map_.pull(gradient)
        return Equation(left, gradient if turned else transposed(gradient))
    matrices = [_matrix(map_) for map_ in maps]
    if matrices and None not in matrices:
        product = matrices[0]
        for matrix in matrices[1:]:
            product = MatMul(product, matrix)  # type: ignore[arg-type]
        return Equation(left, transposed(product) if turned else product)  # type: ignore[arg-type]
    chain = ChainOfMaps(None, None, tuple(maps), layout.vec, layout.derivative)
    return Equation(Partial(left.of, left.wrt), chain)


def _matrix(map_: Map) -> Expr | None:
    """A ⊗ 1 and 1 ⊗ B are A and B."""
    match map_:
        case Kron(Eye(size=1), matrix) | Kron(matrix, Eye(size=1)):
            return matrix
    return None
