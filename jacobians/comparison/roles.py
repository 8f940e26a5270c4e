"""`Roles`: what the arrays of one convention's formulas are in every convention: names alone make no difference.

A weight is W1, the first layer's sums are Z1 and the number of examples is N, whatever the source calls them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from jacobians.conventions import is_weight
from jacobians.derivation import Derivation
from jacobians.derivation.names import Names, Vocabulary, vocabulary_of
from jacobians.layout import Order
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Symbol, WithOnes
from jacobians.symbols.maps import Map, Place, Select, Uniform
from jacobians.symbols.text import TextNotation, slices_text

__all__ = ["Roles"]


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
        return TextNotation().expr(self._in_roles(expr))

    def reads_map(self, map_: Map, order: Order) -> str:
        """Return a factor as text, in roles, with what a selection keeps."""
        text = TextNotation().map(self._in_roles(map_), order)
        kept = f" keeps [{slices_text(map_.key)}]" if isinstance(map_, (Place, Select)) else ""
        return text + kept

    @cached_property
    def reduction(self) -> Expr | None:
        """The factor of every example's loss in the total, or None where the losses are added."""
        chain = next(iter(self.derivation.parameters.values())).factors
        return next(m.factor for m in chain.maps if isinstance(m, Uniform))

    @cached_property
    def _replacements(self) -> dict[str, Expr]:
        """By symbol: what stands for it. Activations and ones are written out, since conventions name them apart."""
        found: dict[str, Expr] = {self.words.count: Symbol("N", ()), self.words.strength: Symbol("lam", ())}
        for role, name in self.parameters.items():
            found[Names(self.derivation.convention).of(name)] = Symbol(role, self.run.params[name].shape)
        by_symbol = {symbol: role for role, symbol in self.definitions.items()}
        for definition in (*self.derivation.forward, *self.derivation.cotangents):
            role = by_symbol[definition.symbol]
            own = role.startswith(("Z", "dZ"))
            value = Symbol(role, definition.value.shape) if own else _replaced(definition.value, found)
            found[definition.symbol.name] = value
        return found

    def _in_roles(self, node: Any) -> Any:
        return _replaced(node, self._replacements)


def _replaced(node: Any, by: dict[str, Expr]) -> Any:
    """An expression or a map with its symbols replaced."""
    if isinstance(node, Symbol):
        return by.get(node.name, node)
    if isinstance(node, tuple):
        return tuple(_replaced(part, by) for part in node)
    if not isinstance(node, (Expr, Map)):
        return node
    parts: Any = node  # every node is a dataclass, though its base class is none
    return replace(parts, **{f.name: _replaced(getattr(parts, f.name), by) for f in fields(parts)})
