"""`Claim`: what the left side of a formula says that the right side is, its true value, and its right formula."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.auditing.latex_names import PATTERN, NameReader
from jacobians.auditing.names import Scope
from jacobians.auditing.single_jacobian import jacobian_equation
from jacobians.auditing.source import Source, Span
from jacobians.auditing.tokens import Tokens
from jacobians.derivation.equations import Equation
from jacobians.derivation.names import Names
from jacobians.network import Run
from jacobians.symbols.expressions import Symbol

__all__ = ["Claim", "LeftSide", "claim_of", "claims", "left_side"]


_LOSSES = ("L", "J", "loss", "cost", "C", "E", "R")


@dataclass(frozen=True)
class LeftSide:
    """A left side as it was written.

    Attributes
    ----------
    of : str or None
        What is differentiated, in ∂of/∂wrt; None where one name stands there.
    wrt : str
        The name, or what is differentiated by.
    span : (int, int)
    """

    of: str | None
    wrt: str
    span: Span

    @property
    def is_jacobian(self) -> bool:
        """Whether it is the derivative of something else than the loss."""
        return self.of is not None and self.of not in _LOSSES


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


def left_side(source: Source, span: Span, *, latex: bool) -> LeftSide:
    """Return what stands left of the equals sign.

    Raises
    ------
    FormulaError
        If it is no name and no derivative.
    """
    if latex:
        return _latex(source, span)
    text = source.part(span)
    start = span[0] + len(text) - len(text.lstrip())
    place = (start, start + max(1, len(text.strip())))
    name = r"[^\W\d]\w*"
    if re.fullmatch(name, text.strip()):
        return LeftSide(None, text.strip(), place)
    found = re.fullmatch(rf"(?:d|∂|partial_?)?({name})\s*/\s*(?:d|∂|partial_?)({name})", text.strip())
    if found:
        return LeftSide(found[1], found[2], place)
    raise source.error("the left side is a name such as dW1, or a derivative such as dL/dW1 or dZ1/dX", place)


def _latex(source: Source, span: Span) -> LeftSide:
    r"""A name, \frac{\partial L}{\partial W_1}, \partial L / \partial W_1, or \nabla_{W_1} L."""
    tokens = Tokens(source, span, PATTERN)
    reader = NameReader(tokens)
    place = (tokens.next.span[0], max(tokens.next.span[0] + 1, span[1]))

    def name() -> str:
        tokens.accept("\\partial")
        braced = tokens.accept("{")
        base = reader.base()
        if base is None:
            raise tokens.error("a name is wanted here, as in \\frac{\\partial L}{\\partial W_1}")
        scripts = [] if base[0] == "vec" else reader.scripts()
        if base[0] == "vec":
            return name()
        if braced:
            tokens.expect("}")
        if any(kind not in ("index", "power") for kind, _, _ in scripts):
            raise tokens.error("a left side is not transposed, sliced or primed", tokens.peek(-1))
        return base[0] + "".join(str(value) for _, value, _ in scripts)

    of = None
    if tokens.accept("\\frac"):
        tokens.expect("{")
        of = name().removeprefix("d")
        tokens.expect("}")
        tokens.expect("{")
        wrt = name()
        wrt = wrt[1:] if wrt[0] == "d" and len(wrt) > 1 else wrt
        tokens.expect("}")
    elif tokens.accept("\\nabla"):
        tokens.expect("_")
        tokens.expect("{")
        wrt = name()
        tokens.expect("}")
        of = name() if tokens.next.kind != "end" else "L"
    else:
        wrt = name()
        if tokens.accept("/"):
            of, wrt = wrt, name()
    if tokens.next.kind != "end":
        raise tokens.error("the left side is a name, or a derivative such as \\frac{\\partial L}{\\partial W_1}")
    return LeftSide(of, wrt, place)


def claims(scope: Scope) -> Iterator[Claim]:
    """Yield everything that a formula can be checked for: gradients, cotangents and the forward pass."""
    setting = scope.setting
    derivation = setting.first.derivation
    for name, parameter in derivation.parameters.items():
        left = parameter.formula.left
        if isinstance(left, Symbol):
            truths = tuple(draw.run.gradient(inputs=True)[name] for draw in setting.draws)
            yield Claim(left.name, f"the gradient by {left.name[1:]}", truths, parameter.formula, name)
    for definition in derivation.cotangents:
        stop = definition.name[1:]
        truths = tuple(draw.cotangent(stop) for draw in setting.draws)
        shown = Names(setting.network.convention).of(stop)
        yield Claim(definition.symbol.name, f"the cotangent of {shown}", truths, definition.equation)
    for definition in derivation.forward:
        name = definition.symbol.name
        truths = tuple(draw.run.values.get(definition.name, draw.values[name]) for draw in setting.draws)
        if truths[0].shape != definition.symbol.shape:  # it includes the entry of ones
            truths = tuple(draw.values[name] for draw in setting.draws)
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
    wanted = left.wrt if left.of is None else f"d{left.wrt}"
    known = {claim.name: claim for claim in claims(scope)}
    found = scope.canonical(wanted)
    if found is None and left.of is not None:
        primal = scope.canonical(left.wrt)
        words = Names(scope.setting.network.convention)
        found = next((n for n in (f"d{primal}", words.cotangent(str(primal))) if n in known), None)
    if found in known:
        return known[found]
    what = f"{wanted!r} is given, not computed" if found else f"{wanted!r} is unknown"
    raise source.error(f"{what}; a formula may be for {', '.join(known)}", left.span)


def _jacobian(left: LeftSide, scope: Scope, source: Source) -> Claim:
    setting = scope.setting
    run, names = setting.first.run, Names(setting.network.convention)
    stops = {names.of(name): name for name in ("X", *run.params, *run.outputs)}
    found = []
    for given in (str(left.of), left.wrt):
        name = scope.canonical(given) or given
        name = names.of(run.outputs[-1]) if name == "Y" and given == left.of else name  # y is what comes out
        if name not in stops:
            raise source.error(f"{given!r} has no Jacobian here; there are {', '.join(stops)}", left.span)
        found.append(stops[name])
    of, wrt = found
    if wrt in run.params:
        first = run.network.chain.owner(run.network.names[wrt])[0]
    else:
        first = ["X", *run.outputs].index(wrt)
    if of not in run.outputs[first:]:
        raise source.error(f"{names.of(of)} does not depend on {names.of(wrt)}", left.span)
    truths = tuple(np.asarray(_matrix(draw.run, of, wrt)) for draw in setting.draws)
    equation = jacobian_equation(setting.first.run, of, wrt)
    shown = f"∂{names.of(of)}/∂{names.of(wrt)}"
    return Claim(shown, f"the Jacobian of {names.of(of)} by {names.of(wrt)}", truths, equation, jacobian=True)


def _matrix(run: Run, of: str, wrt: str) -> Array:
    """A Jacobian's matrix; of a scalar by a matrix, the array that is shaped like it, or in numerator layout turned."""
    layout, value = run.network.layout, run.values[of]
    array = run.params[wrt] if wrt in run.params else run.values[wrt]
    jacobian = run.jacobian(of=of, wrt=wrt)
    if value.size == 1 and array.ndim == 2 and min(array.shape) > 1:
        gradient = np.asarray(jacobian.to_dense("C")).reshape(array.shape)
        return gradient.T if layout.derivative == "numerator" else gradient
    return np.asarray(jacobian.to_dense(layout.vec))
