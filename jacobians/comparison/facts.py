"""`Facts`: what one derivation's factors and steps say of its convention. Nothing here asks the layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jacobians.comparison.roles import Roles, kept_by
from jacobians.derivation.equations import Definition, Equation
from jacobians.derivation.result import ParameterDerivation
from jacobians.linops import Commutation, Jacobian, Kronecker, Selection
from jacobians.symbols.expressions import Add, Expr, Hadamard, Placed, SumOver, Transposed, WithOnes
from jacobians.symbols.text import TextNotation

__all__ = ["Facts"]

_PENALTY = "regulariser"
_LATE = "the weight of an example"


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts of one derivation, each read from its factors or its steps.

    Parameters
    ----------
    roles : Roles
        Of a network of affine layers.
    """

    roles: Roles

    @property
    def name(self) -> str:
        """The convention's name."""
        return self.roles.derivation.convention.name

    @property
    def weight(self) -> ParameterDerivation:
        """The first layer's weight."""
        return self.roles.derivation[self.roles.parameters["W1"]]

    @property
    def bias(self) -> ParameterDerivation | None:
        """The first layer's separate bias."""
        name = self.roles.parameters.get("b1")
        return None if name is None else self.roles.derivation[name]

    # --- where things lie ------------------------------------------------------------------------

    @property
    def batch(self) -> str:
        """Examples in rows are multiplied by weights from the right, in columns from the left."""
        return "rows" if isinstance(self._by_inputs.left, int) else "columns"

    @property
    def weights(self) -> str:
        """The way back through a layer has W itself where one node is a row of it, and Wᵀ where it is a column."""
        kron = self._by_inputs
        factor: Any = kron.right if self.batch == "rows" else kron.left
        return "columns" if isinstance(factor, Transposed) else "rows"

    @property
    def commutation(self) -> Commutation | None:
        """The commutation in the chain to the weight, or None."""
        return next((m for m in self.weight.factors.jacobians if isinstance(m, Commutation)), None)

    @property
    def selection(self) -> Selection | None:
        """What keeps the cotangent of the inputs from having an entry for the ones, or None."""
        return next((m.T for m in self._to_inputs if isinstance(m.T, Selection)), None)

    @property
    def kept(self) -> str:
        """What the selection keeps, as a slice."""
        return "" if self.selection is None else kept_by(self.selection)

    @property
    def bias_place(self) -> str:
        """Where the bias is: "first" or "last" in the weight, "separate", or "none"."""
        if self.selection is not None:
            return "first" if any(part.start for part in self.selection.key) else "last"
        return "none" if self.bias is None else "separate"

    @property
    def order(self) -> str:
        """The vec order: that of the chain's Kronecker factors."""
        return self.weight.factors.order

    @property
    def derivative(self) -> str:
        """Which way the chain is written."""
        return self.weight.factors.derivative

    @property
    def by_weight(self) -> str:
        """The Kronecker product of ∂Z1/∂W1, as this convention writes it."""
        kron = next(m for m in reversed(self.weight.factors.jacobians) if isinstance(m, Kronecker))
        return TextNotation().matrix(kron, self.weight.factors.order)

    # --- formulas --------------------------------------------------------------------------------

    @property
    def forward(self) -> str:
        """The first layer's sums."""
        return self._definition("Z1").text

    @property
    def first_cotangent(self) -> str:
        """The cotangent of the output."""
        return self.roles.derivation.cotangents[0].equation.text

    @property
    def weight_gradient(self) -> str:
        """The loss's gradient by the first weight, without the regulariser."""
        return _without_penalty(self.weight).text

    @property
    def bias_gradient(self) -> str:
        """The loss's gradient by the first bias, without the regulariser."""
        return "" if self.bias is None else _without_penalty(self.bias).text

    @property
    def sums_bias(self) -> bool:
        """Whether the separate bias's gradient is a sum over the examples."""
        return self.bias is not None and _has(_without_penalty(self.bias).right, SumOver)

    # --- the loss --------------------------------------------------------------------------------

    @property
    def late(self) -> bool:
        """Whether an example's weight is written at the gradient, and not in the first cotangent."""
        return any(step.rule == _LATE for step in self.weight.steps)

    @property
    def penalty(self) -> Hadamard | None:
        """The regulariser's part of the weight's gradient: a factor times the weight."""
        right = self.weight.formula.right
        if self.weight.steps[-1].rule != _PENALTY or not isinstance(right, Add):
            return None
        return right.right if isinstance(right.right, Hadamard) else None

    @property
    def penalises_bias(self) -> bool | None:
        """Whether the regulariser touches the bias; None where there is no bias or no regulariser."""
        if self.penalty is None or self.bias_place == "none":
            return None
        if self.bias is not None:
            return self.bias.steps[-1].rule == _PENALTY
        return not isinstance(self.penalty.right, Placed)

    # --- names -----------------------------------------------------------------------------------

    def called(self) -> dict[str, str]:
        """Return what the convention calls what has a role: W1, Z1, A1, dZ1, N, and λ where it is used."""
        write, roles = TextNotation(), self.roles
        found = {"W1": write.symbol(roles.parameters["W1"])}
        for role in ("Z1", "A1", "P", "dZ1"):
            if role in roles.definitions:
                found[role] = write.expr(roles.definitions[role])
                if any(isinstance(d.value, WithOnes) and d.symbol == roles.definitions[role] for d in self._forward):
                    found[role] += " (with its ones)"
        words = roles.words
        if roles.reduction is not None:
            found["N"] = write.symbol(words.count)
        if self.penalty is not None:
            found["lam"] = write.symbol(words.strength)
        return found

    # --- private ---------------------------------------------------------------------------------

    @property
    def _forward(self) -> tuple[Definition, ...]:
        return self.roles.derivation.forward

    def _definition(self, role: str) -> Equation:
        symbol = self.roles.definitions[role]
        return next(d.equation for d in self._forward if d.symbol == symbol)

    @property
    def _to_inputs(self) -> tuple[Jacobian, ...]:
        return self.roles.derivation["X"].factors.jacobians

    @property
    def _by_inputs(self) -> Kronecker:
        return next(m for m in self._to_inputs if isinstance(m, Kronecker))


def _without_penalty(found: ParameterDerivation) -> Equation:
    right = found.formula.right
    if found.steps[-1].rule == _PENALTY and isinstance(right, Add):
        return Equation(found.formula.left, right.left)
    return found.formula


def _has(node: object, kind: type[Expr]) -> bool:
    return isinstance(node, Expr) and (isinstance(node, kind) or any(_has(part, kind) for part in node.parts))
