"""`Roles`: what the arrays of one convention's formulas are in every convention: names alone make no difference.

A weight is W1, the first layer's sums are Z1 and the number of examples is N, whatever the source calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jacobians.conventions import is_weight
from jacobians.derivation import Derivation
from jacobians.derivation.names import Names, Vocabulary, vocabulary_of
from jacobians.layout import Order
from jacobians.linops import Jacobian, Selection, Transposed
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Symbol, WithOnes
from jacobians.symbols.text import TextNotation

__all__ = ["Roles", "kept_by"]


@dataclass(frozen=True, eq=False)
class Roles:
    """The roles of one derivation's symbols.

    Parameters
    ----------
    run : Run
    derivation : Derivation
        Of this run.
    """

    run: Run
    derivation: Derivation

    @property
    def words(self) -> Vocabulary:
        """What the convention's source calls the number of examples, the regulariser's strength and the layers."""
        return vocabulary_of(self.derivation.convention.name)

    @cached_property
    def definitions(self) -> dict[str, Symbol]:
        """By role (X for the inputs with their ones, Z1, A1, P, dZ1, dA1), the symbol that a definition defines."""
        found: dict[str, Symbol] = {}
        forward = self.derivation.forward
        layers = 0
        for definition in forward:
            if isinstance(definition.value, WithOnes):
                role, layers = f"A{layers}" if layers else "X", layers + 1
            elif definition is forward[-1] and definition.name not in self.run.outputs:
                role = "P"
            else:
                role = definition.name
            found[role] = definition.symbol
        return found | {d.name: d.symbol for d in self.derivation.cotangents}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """By role (W1, b1), the name of a parameter, layer by layer."""
        weight = self.derivation.convention.weight_name
        return {f"W{n.removeprefix(weight)}" if is_weight(n, weight) else n: n for n in self.run.params}

    def reads(self, expr: Expr) -> str:
        """Return an expression as text, in roles."""
        return TextNotation().expr(expr.replaced(self._replacements))

    def reads_factor(self, factor: Jacobian, order: Order) -> str:
        """Return a factor as text, in roles, with what a selection keeps."""
        text = TextNotation().matrix(self._in_roles(factor), order)
        selection = factor.inner if isinstance(factor, Transposed) else factor
        return f"{text} keeps {kept_by(selection)}" if isinstance(selection, Selection) else text

    @cached_property
    def reduction(self) -> Expr | None:
        """The factor of every example's loss in the total, or None where the losses are added."""
        return Names(self.derivation.convention).weight()

    @cached_property
    def _replacements(self) -> dict[Expr, Expr]:
        """By symbol: what stands for it. Activations and ones are written out, since conventions name them apart."""
        found: dict[Expr, Expr] = {
            Symbol(self.words.count, ()): Symbol("N", ()),
            Symbol(self.words.strength, ()): Symbol("lam", ()),
        }
        for role, name in self.parameters.items():
            shape = self.run.params[name].shape
            found[Symbol(Names(self.derivation.convention).of(name), shape)] = Symbol(role, shape)
        by_symbol = {symbol: role for role, symbol in self.definitions.items()}
        for definition in (*self.derivation.forward, *self.derivation.cotangents):
            role = by_symbol[definition.symbol]
            own = role.startswith(("Z", "dZ"))
            value = Symbol(role, definition.value.shape) if own else definition.value.replaced(found)
            found[definition.symbol] = value
        return found

    def _in_roles(self, factor: Jacobian) -> Jacobian:
        def leaf(array: Any) -> Any:
            return array.replaced(self._replacements)

        return factor._with_leaves(leaf, self._in_roles)


def kept_by(selection: Selection) -> str:
    """Return what a selection keeps, as slices."""
    parts = (f"{'' if p.start is None else p.start}:{'' if p.stop is None else p.stop}" for p in selection.key)
    return f"[{', '.join(parts)}]"
