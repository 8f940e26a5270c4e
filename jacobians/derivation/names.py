"""What the arrays of one network are called in its convention's own words."""

from __future__ import annotations

import re

from jacobians.conventions import Convention
from jacobians.symbols.expressions import Expr, Hadamard, Number, Quotient, Symbol


def symbol_name(name: str) -> str:
    """Return a name that code may use too."""
    plain = re.sub(r"\W", "_", name)
    return f"p{plain}" if plain[:1].isdigit() else plain


class Names:
    """From the library's names (Z1, A1, Theta1) to a source's (z⁽²⁾, a⁽²⁾, Θ⁽¹⁾).

    Parameters
    ----------
    convention : Convention
    """

    def __init__(self, convention: Convention) -> None:
        self.words = convention.names
        self.ones_in_activations = self.words.with_ones and convention.layout.absorbs_bias
        self.reduction = convention.effective_reduction

    def of(self, name: str) -> str:
        """Return what an array of the forward pass is called."""
        found = re.fullmatch(r"([ZA])(\d+)(′*)", name)
        if not found:
            return symbol_name(name)
        letter, layer, primes = found.groups()
        return f"{self.words.of('pre' if letter == 'Z' else 'post', int(layer))}{'p' * len(primes)}"

    def with_ones(self, layer: int) -> str:
        """Return what the activation that enters a layer (from 0) is called where it includes the entry of ones."""
        return self.words.of("post", layer)

    def cotangent(self, name: str) -> str:
        """Return what ∂L/∂name is called."""
        found = re.fullmatch(r"([ZA])(\d+)(′*)", name)
        if not found:
            return f"d{symbol_name(name)}"
        letter, layer, primes = found.groups()
        if letter == "A" and self.words.post_cotangent is None:
            return f"d{self.of(name)}"
        return f"{self.words.of('cotangent' if letter == 'Z' else 'post-cotangent', int(layer))}{'p' * len(primes)}"

    def prediction(self, last: str) -> str:
        """Return what the probabilities of the last layer are called."""
        return self.words.of("prediction", int(last.strip("ZA′")))

    def weight(self) -> Expr | None:
        """Return the factor of every example's loss in the total, or None where it is a sum."""
        count: Expr = Symbol(self.words.count, ())
        match self.reduction:
            case "mean":
                return Quotient(Number(1), count)
            case "mean-all":
                return Quotient(Number(1), Hadamard(count, Symbol("K", ())))
        return None
