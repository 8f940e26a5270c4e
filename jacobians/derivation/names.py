"""What the arrays of one network are called in its convention's own words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jacobians.conventions import Convention
from jacobians.symbols.expressions import Expr, Hadamard, Number, Quotient, Symbol


@dataclass(frozen=True)
class Vocabulary:
    """How a convention names what a network computes.

    Attributes
    ----------
    count : str
        The number of examples.
    offset : int
        What is added to a layer's number for Z, A and their cotangents: 1 where the input counts as layer 1.
    cotangent : str
        The name of ∂L/∂Z, before the layer's number; "d" puts a d before Z.
    late : bool
        Whether the mean's 1/N is written at the parameters' gradients, and not in the first cotangent.
    ones_in_activations : bool
        Whether A includes the entry of ones, where the layout absorbs the bias.
    strength : str
        The regulariser's λ.
    """

    count: str = "N"
    offset: int = 0
    cotangent: str = "d"
    late: bool = False
    ones_in_activations: bool = False
    strength: str = "lam"


_BY_PRESET = {
    # ex4.pdf, §2.2-2.5: layer 1 is the input, a⁽²⁾ has its bias unit, δ⁽³⁾ = a⁽³⁾ − y, 1/m at the gradient
    "ng-ml-2011": Vocabulary("m", 1, "delta", late=True, ones_in_activations=True),
    "ng-ufldl": Vocabulary("m", 1, "delta", late=True),
    # dZ = A − Y, dW = 1/m dZ Aᵀ
    "ng-dlai": Vocabulary("m", late=True),
    "cs229": Vocabulary("n", cotangent="delta"),
    "cs231n": Vocabulary(strength="reg"),
    "cs231n-bias-trick": Vocabulary(strength="reg"),
    "cs224n-columns": Vocabulary(cotangent="delta"),
    "cs224n-rows": Vocabulary(cotangent="delta"),
    # δ = A − Y, (XᵀΔ + αW)/n
    "sklearn-mlp": Vocabulary("n", late=True, strength="alpha"),
}


def vocabulary_of(preset: str) -> Vocabulary:
    """Return the names that a preset's source uses; those of the library for any other convention."""
    return _BY_PRESET.get(preset, Vocabulary())


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
        self.words: Vocabulary = vocabulary_of(convention.name)
        layout = convention.layout
        self.ones_in_activations = self.words.ones_in_activations and layout.absorbs_bias
        self.reduction = convention.effective_reduction

    def of(self, name: str) -> str:
        """Return what an array of the forward pass is called."""
        found = re.fullmatch(r"([ZA])(\d+)(′*)", name)
        if not found:
            return symbol_name(name)
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
