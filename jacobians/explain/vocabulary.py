"""What courses call things: layer numbers, δ or dZ, N or m, and where the 1/N of the mean is written."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Vocabulary", "vocabulary_of"]


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
