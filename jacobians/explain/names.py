"""What the arrays of one network are called in its convention's own words."""

from __future__ import annotations

import re

from jacobians.conventions import Convention
from jacobians.explain.expressions import Expr, Hadamard, Number, Quotient, Symbol
from jacobians.explain.vocabulary import Vocabulary, vocabulary_of

__all__ = ["Names"]


class Names:
    """From the library's names (Z1, A1, Theta1) to a source's (z⁽²⁾, a⁽²⁾, Θ⁽¹⁾).

    Parameters
    ----------
    convention : Convention
    """

    def __init__(self, convention: Convention) -> None:
        self.words: Vocabulary = vocabulary_of(convention.name)
        layout = convention.layout
        self.ones_in_activations = self.words.ones_in_activations and layout.absorbs_bias
        self.reduction = convention.effective_reduction

    def of(self, name: str) -> str:
        """Return what an array of the forward pass is called."""
        found = re.fullmatch(r"([ZA])(\d+)(′*)", name)
        if not found:
            plain = re.sub(r"\W", "_", name)
            return f"p{plain}" if plain[:1].isdigit() else plain
        letter, layer, primes = found.groups()
        return f"{letter}{int(layer) + self.words.offset}{'p' * len(primes)}"

    def with_ones(self, layer: int) -> str:
        """Return what the activation that enters a layer (from 0) is called where it includes the entry of ones."""
        return f"A{layer + self.words.offset}"

    def cotangent(self, name: str) -> str:
        """Return what ∂L/∂name is called."""
        own = self.of(name)
        if self.words.cotangent != "d" and own[0] == "Z":
            return f"{self.words.cotangent}{own[1:]}"
        return f"d{own}"

    def prediction(self, last: str) -> str:
        """Return what the probabilities of the last layer are called."""
        return f"A{self.of(last)[1:]}" if self.words.late else "P"

    def weight(self) -> Expr | None:
        """Return the factor of every example's loss in the total, or None where it is a sum."""
        count: Expr = Symbol(self.words.count, ())
        match self.reduction:
            case "mean":
                return Quotient(Number(1), count)
            case "mean-all":
                return Quotient(Number(1), Hadamard(count, Symbol("K", ())))
        return None
