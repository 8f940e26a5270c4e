"""`Claim`: what the left side of a formula says that the right side is, its true value, and its right formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.arrays import Array
from jacobians.auditing.formula import LeftSide
from jacobians.auditing.formula_text import Source
from jacobians.auditing.names import Scope
from jacobians.derivation.derive import forward_pass
from jacobians.derivation.equations import Equation, JacobianChain, Partial
from jacobians.derivation.names import Names, symbol_name
from jacobians.errors import LayoutError
from jacobians.linops import Jacobian, Kronecker
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Eye, MatMul, Symbol, transposed
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation


@dataclass(frozen=True, eq=False)
class Claim:
    """What a right side should be.

    Attributes
    ----------
    name : str
        In the names of the convention's source.
    meaning : str
    truths : tuple of ndarray
        For each draw, from the library's Jacobians.
    nearest : Equation
        The right formula in the convention.
    parameter : str or None
        The parameter, or "X", that it is the gradient by.
    jacobian : bool
        Whether it is the matrix of a Jacobian.
    """

    name: str
    meaning: str
    truths: tuple[Array, ...]
    nearest: Equation
    parameter: str | None = None
    jacobian: bool = False


def claims(scope: Scope) -> Iterator[Claim]:
    """Yield everything that a formula can be checked for: gradients, cotangents and the forward pass."""
    setting = scope.setting
    derivation = setting.first.derivation
    for name, parameter in derivation.parameters.items():
        left = parameter.formula.left
        if isinstance(left, Symbol):
            truths = tuple(draw.run.gradient(inputs=True)[name] for draw in setting.draws)
            yield Claim(left.name, f"the gradient by {symbol_name(name)}", truths, parameter.formula, name)
    names = Names(setting.first.run)
    for definition in derivation.cotangents:
        stop = definition.name[1:]
        if stop not in names.outputs:  # inside an operation that is made of others
            truths = tuple(draw.values[definition.symbol.name] for draw in setting.draws)
            yield Claim(definition.symbol.name, "a cotangent inside an operation", truths, definition.equation)
            continue
        truths = tuple(draw.cotangents[definition.symbol.name] for draw in setting.draws)
        yield Claim(definition.symbol.name, f"the cotangent of {names.of(stop)}", truths, definition.equation)
    for definition in derivation.forward:
        name = definition.symbol.name
        truths = tuple(draw.forward.get(name, draw.values[name]) for draw in setting.draws)
        yield Claim(name, "the forward pass", truths, definition.equation)


def claim_of(left: LeftSide, scope: Scope, source: Source) -> Claim:
    """Return what a left side claims.

    Raises
    ------
    FormulaError
        If nothing of that name is computed.
    """
    if left.is_jacobian:
        return _jacobian(left, scope, source)
    gradient_of = scope.setting.network.convention.names.gradient_of
    wanted = left.wrt if left.of is None else gradient_of(left.wrt)
    known = {claim.name: claim for claim in claims(scope)}
    found = scope.canonical(wanted)
    if found is None and left.of is not None:
        primal = scope.canonical(left.wrt)
        own = (gradient_of(str(primal)), Names(scope.setting.first.run).cotangents.get(str(primal)))
        found = next((n for n in own if n in known), None)
    if found in known:
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
    if isinstance(defined, Symbol):
        for claim in claims(scope):
            if claim.name == defined.name:
                return claim
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
        chain = run.chain(wrt, of)
    except LayoutError:
        chain = None
    if not chain:
        raise source.error(f"{found[0]} does not depend on {found[1]}", left.span)
    truths = tuple(np.asarray(_matrix(draw.run, of, wrt)) for draw in setting.draws)
    equation = _jacobian_equation(setting.first.run, of, wrt)
    meaning = f"the Jacobian of {found[0]} with respect to {found[1]}"
    return Claim(f"∂{found[0]}/∂{found[1]}", meaning, truths, equation, jacobian=True)


def _matrix(run: Run, of: str, wrt: str) -> Array:
    """A Jacobian's matrix; of a scalar by a matrix, the array that is shaped like it, or in numerator layout turned."""
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

    A scalar by a matrix, and a product of weights for one example, are written as matrices; whatever else there is,
    as the product of the chain's factors.
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
