"""`claim_of`: what the left side of a formula says that the right side is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.arrays import Array
from jacobians.auditing.claims import Claim
from jacobians.auditing.formula import LeftSide
from jacobians.auditing.formula_text import Source
from jacobians.auditing.names import Scope
from jacobians.derivation.derive import forward_pass
from jacobians.derivation.equations import Equation, JacobianChain, Partial
from jacobians.derivation.names import Names, symbol_name
from jacobians.errors import LayoutError
from jacobians.linops import Jacobian, Kronecker
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Eye, MatMul, Symbol
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.simplify import transposed
from jacobians.symbols.text import TextNotation


def claim_of(left: LeftSide, scope: Scope, source: Source) -> Claim:
    """Return what a left side claims.

    Raises
    ------
    FormulaError
        If nothing of that name is computed.
    """
    if left.is_jacobian:
        return _jacobian(left, scope, source)
    wanted = left.wrt if left.of is None else f"d{left.wrt}"
    known, gradient_of = scope.claims, scope.setting.gradient_name
    found = scope.canonical(wanted, left=True)
    if found is None and left.of is not None:
        primal = scope.canonical(left.wrt)
        own = (gradient_of(str(primal)), Names(scope.setting.first.run).cotangents.get(str(primal)))
        found = next((n for n in own if n in known), None)
    if found is not None and found in known:
        return known[found]
    what = f"{wanted!r} is given, not computed" if found else f"{wanted!r} is unknown"
    raise source.error(f"{what}; a formula may be for {', '.join(known)}", left.span)


def claim_of_own(name: str, scope: Scope) -> Claim:
    """Return what one of the caller's own names claims: the array that it is defined as.

    Parameters
    ----------
    name : str
        A key of the scope's definitions.
    scope : Scope
    """
    defined = scope.definitions[name]
    if isinstance(defined, Symbol) and defined.name in scope.claims:
        return scope.claims[defined.name]
    truths = tuple(draw.values[name] for draw in scope.setting.draws)
    return Claim(name, "as you define it", truths, Equation(Symbol(name, defined.shape), defined))


def _jacobian(left: LeftSide, scope: Scope, source: Source) -> Claim:
    setting = scope.setting
    run = setting.first.run
    arrays = {symbol_name(name): name for name in (*(stop.name for stop in run.stops), *run.params)}
    found = []
    for given in (str(left.of), left.wrt):
        name = scope.canonical(given) or given
        name = symbol_name(run.stops[-1].name) if name == "Y" and given == left.of else name  # y is what comes out
        if name not in arrays:
            raise source.error(f"{given!r} has no Jacobian here; there are {', '.join(arrays)}", left.span)
        found.append(name)
    of, wrt = (arrays[name] for name in found)
    try:
        chain = run.chain(wrt, of=of)
    except LayoutError:
        chain = None
    if not chain:
        raise source.error(f"{found[0]} does not depend on {found[1]}", left.span)
    truths = tuple(np.asarray(_matrix(draw.run, of, wrt)) for draw in setting.draws)
    equation = _jacobian_equation(setting.first.run, of, wrt)
    meaning = f"the Jacobian of {found[0]} with respect to {found[1]}"
    return Claim(f"∂{found[0]}/∂{found[1]}", meaning, truths, equation, jacobian=True)


def _matrix(run: Run, of: str, wrt: str) -> Array:
    """A Jacobian's matrix; for a scalar by a matrix, the array in its shape, transposed in numerator layout."""
    layout, value = run.network.layout, run.values[of]
    array = run.params[wrt] if wrt in run.params else run.values[wrt]
    jacobian = run.jacobian(of=of, wrt=wrt)
    if value.size == 1 and array.ndim == 2 and min(array.shape) > 1:
        gradient = np.asarray(jacobian.to_dense("C")).reshape(array.shape)
        return gradient.T if layout.derivative == "numerator" else gradient
    return np.asarray(jacobian.to_dense(layout.vec))


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


def _jacobian_equation(run: Run, of: str, wrt: str) -> Equation:
    """Return ∂of/∂wrt in the run's layout.

    The derivative of a scalar with respect to a matrix, and a product of weights for one example, are written as
    matrices. Everything else is the product of the chain's factors.
    """
    layout = run.network.layout
    factors = forward_pass(run).factors(of, wrt)
    shape = run.params[wrt].shape if wrt in run.params else run.values[wrt].shape
    left = Ratio(Symbol(symbol_name(of), run.values[of].shape), Symbol(symbol_name(wrt), shape))
    turned = layout.derivative == "denominator"
    if run.values[of].size == 1 and len(shape) == 2 and min(shape) > 1:
        gradient: Any = Eye(1)
        for factor in factors:
            gradient = factor._vjp(gradient)
        return Equation(left, gradient if turned else transposed(gradient))
    matrices = [_factor(factor) for factor in factors]
    if matrices and None not in matrices:
        product = matrices[0]
        for matrix in matrices[1:]:
            product = MatMul(product, matrix)  # type: ignore[arg-type]
        return Equation(left, transposed(product) if turned else product)  # type: ignore[arg-type]
    chain = JacobianChain(None, None, factors, layout.vec, layout.derivative)
    return Equation(Partial(left.of, left.wrt), chain)


def _factor(factor: Jacobian) -> Expr | None:
    """A ⊗ 1 and 1 ⊗ B are A and B."""
    if isinstance(factor, Kronecker) and 1 in (factor.left, factor.right):
        return factor.single  # type: ignore[return-value]
    return None
