"""`forward_steps`: a change of a parameter on its way to the loss, one formula and one sentence for each factor.

The formulas are the pushforwards of the derivation's own Jacobians, in symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jacobians.conventions import Convention
from jacobians.derivation import Derivation, Equation
from jacobians.linops import BlockDiagonal, Commutation, Diagonal, Jacobian, Selection
from jacobians.linops.wrappers import Transposed as TransposedJacobian
from jacobians.symbols.expressions import Expr, MatMul, Ones, Quotient, Symbol

START = "One entry of the parameter changes by 1, and all others stay: the column starts with a 1 there."


@dataclass(frozen=True)
class ForwardStep:
    """A factor that a change passes.

    Attributes
    ----------
    change : Expr
        What the change is called after the factor, such as tZ₁; a formula where it has no name.
    equation : Equation or Expr
        How it is computed.
    reason : str
        One sentence.
    """

    change: Expr
    equation: Equation | Expr
    reason: str


def tangent_of(name: str, shape: tuple[int, ...], convention: Convention) -> Symbol:
    """Return the symbol of an array's change; it is tA₁′ where A₁ already names the activation with its ones."""
    prime = "p" if holds_ones(name, convention) else ""
    return Symbol({"losses": "tℓ", "loss": "tL"}.get(name, f"t{name}{prime}"), shape)


def holds_ones(name: str, convention: Convention) -> bool:
    """Whether a name is that of an activation together with its entry of ones."""
    names = convention.names
    return names.with_ones and convention.layout.absorbs_bias and name[0] == names.post[0]


def forward_steps(derivation: Derivation, name: str, groups: Sequence[tuple[str, str]]) -> list[ForwardStep]:
    """Return the steps of a parameter's change, in the order of the chain: the loss first.

    Parameters
    ----------
    derivation : Derivation
    name : str
        Of the parameter.
    groups : sequence of (str, str)
        What each Jacobian is of, and with respect to what; one that only moves entries belongs to that before it.

    Examples
    --------
    >>> from jacobians import Network, explain
    >>> found = explain(Network.dense((4, 3, 2)), "cs231n")
    >>> groups = [("loss", "losses"), ("losses", "Z2"), ("Z2", "A1"), ("A1", "Z1"), ("Z1", "W1")]
    >>> for step in forward_steps(found, "W1", groups):
    ...     print(step.equation.text)
    tL = 1ᵀ tℓ / N
    tℓ = (tZ₂ ∘ (P − Y)) 1
    tZ₂ = tA₁ W₂
    tA₁ = tZ₁ ∘ relu′(Z₁)
    tZ₁ = X tW₁
    """
    found: list[ForwardStep] = []
    convention, jacobians = derivation.convention, [*derivation[name].factors.jacobians]
    for of, wrt in reversed(groups):
        change: Expr = tangent_of(wrt, jacobians[-1].domain, convention)
        if moves_only(jacobians[-1]):
            jacobian = jacobians.pop()
            moved = _pushed(jacobian, change)
            change = Symbol(f"t{wrt}", moved.shape) if holds_ones(wrt, convention) else moved
            found.append(ForwardStep(change, moved if change is moved else Equation(change, moved), _reason(jacobian)))
        jacobian = jacobians.pop()
        after = tangent_of(of, jacobian.codomain, convention)
        pushed = _mean(jacobian.domain[0], convention) if of == "loss" else _pushed(jacobian, change)
        found.append(ForwardStep(after, Equation(after, pushed), _reason(jacobian)))
    if jacobians:
        raise TypeError(f"{len(jacobians)} factors of {name} belong to nothing")
    return found[::-1]


def moves_only(jacobian: Jacobian) -> bool:
    """Whether a factor only drops or moves entries: it belongs to the Jacobian before it."""
    return isinstance(_inside(jacobian), (Selection, Commutation))


def _inside(jacobian: Jacobian) -> Jacobian:
    return jacobian.inner if isinstance(jacobian, TransposedJacobian) else jacobian


def _pushed(jacobian: Jacobian, change: Any) -> Expr:
    pushed: Any = jacobian._jvp(change)
    if not isinstance(pushed, Expr):
        raise TypeError(f"the pushforward of {type(jacobian).__name__} is no formula")
    return pushed


def _mean(examples: int, convention: Convention) -> Expr:
    losses = tangent_of("losses", (examples, 1), convention)
    return Quotient(MatMul(Ones((1, examples)), losses), Symbol(convention.names.count, ()))


def _reason(jacobian: Jacobian) -> str:
    match _inside(jacobian):
        case Commutation():
            return "K only transposes."
        case Selection():
            return "The entries of ones are constant, so their change is 0."
        case Diagonal():
            return "The change of an entry is multiplied by the function's derivative there."
        case BlockDiagonal():
            return "An example's loss changes with each of its outputs: the derivative times the change, added up."
        case _ if jacobian.codomain == ():
            return "The change of the mean is the mean of the changes: one entry of the gradient."
    return "A product is linear in each factor: the change takes the place of the factor that changes."
