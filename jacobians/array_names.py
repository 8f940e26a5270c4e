"""What a convention calls its arrays, forward and backward, and the names that its files and programs use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jacobians.errors import LayoutError

__all__ = ["ROLES", "ArrayNames"]

ROLES = (
    *("input", "target", "weight", "bias", "pre", "post", "prediction"),
    *("cotangent", "post-cotangent", "weight-gradient", "bias-gradient", "accumulator"),
    *("packed", "packed-gradient", "weights", "biases", "strength", "count", "cost", "rate"),
)
"""What an array can be. "pre" is Z = XW + b of a layer, "post" its activation A; "cotangent" is ∂L/∂Z, "post-cotangent"
∂L/∂A. "weights" and "biases" are lists with one array per layer. "rate" is the learning rate: no gradient uses it."""


@dataclass(frozen=True, slots=True)
class ArrayNames:
    """What the arrays of a network are called.

    A name is a pattern: ``{l}`` is the number of a weight, from 1; ``{u}`` is the number of the units that it leads to,
    ``l + first_units``.

    Parameters
    ----------
    weight, bias : str
        Of layer l.
    pre, post : str
        Z of a layer, and its activation A.
    prediction : str
        The output after the output activation.
    cotangent, post_cotangent : str
        ∂L/∂Z and ∂L/∂A.
    gradient : str
        ∂L/∂(a parameter); ``{name}`` is the parameter's name.
    accumulator : str or None
        The sum over the examples before it is divided by their number: Ng's Δ.
    count, strength : str
        The number of examples, and the regulariser's λ.
    first_units : int
        1 where the input counts as layer 1, so that weight 1 leads to Z₂.
    with_ones : bool
        Whether `post` includes the entry of ones, where the layout absorbs the bias.
    weighted_at : {"cotangent", "gradient"}
        Where 1/N enters.
    aliases : mapping of str to str
        From names in the source's files and programs to roles, one of `ROLES`, with a layer where there is one:
        "weight:1", "pre:last".

    Examples
    --------
    >>> ng = ArrayNames(weight="Theta{l}", cotangent="delta{u}", gradient="{name}_grad", first_units=1)
    >>> ng.of("weight", 1), ng.of("pre", 1), ng.of("cotangent", 1), ng.gradient_of("Theta1")
    ('Theta1', 'Z2', 'delta2', 'Theta1_grad')
    """

    weight: str = "W{l}"
    bias: str = "b{l}"
    pre: str = "Z{u}"
    post: str = "A{u}"
    prediction: str = "P"
    cotangent: str = "dZ{u}"
    post_cotangent: str = "dA{u}"
    gradient: str = "d{name}"
    accumulator: str | None = None
    count: str = "N"
    strength: str = "lam"
    first_units: int = 0
    with_ones: bool = False
    weighted_at: Literal["cotangent", "gradient"] = "cotangent"
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for alias, role in self.aliases.items():
            if role.partition(":")[0] not in ROLES:
                raise LayoutError(f"ArrayNames: {alias!r} stands for {role!r}; expected one of {', '.join(ROLES)}")

    def of(self, role: str, layer: int) -> str:
        """Return the name of a layer's array.

        Parameters
        ----------
        role : str
            "weight", "bias", "pre", "post", "prediction", "cotangent", "post-cotangent" or "accumulator".
        layer : int
            The weight's number, from 1; 0 is the input, which only "post" and "post-cotangent" have.
        """
        pattern = getattr(self, role.replace("-", "_"))
        return str(pattern).format(l=layer, u=layer + self.first_units)

    def gradient_of(self, name: str) -> str:
        """Return the name of the gradient with respect to a parameter."""
        return self.gradient.format(name=name)
