"""What a convention calls its arrays, forward and backward, and the names that its files and programs use."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from jacobians.errors import LayoutError
from jacobians.first_tries import says_how_it_is_made

__all__ = ["ROLES", "ArrayNames"]

_FIXED = ("X", "Y", "K", "loss", "losses", "output")
_LAYERED = ("weight", "bias", "pre", "post", "cotangent", "post_cotangent", "accumulator")
_NUMBER = re.compile(r"(?:\d|\{[lu]\})+")

ROLES = (
    *("input", "target", "weight", "bias", "pre", "post", "prediction"),
    *("cotangent", "post-cotangent", "weight-gradient", "bias-gradient", "accumulator"),
    *("packed", "packed-gradient", "weights", "biases", "strength", "count", "cost", "rate"),
)
"""What an array can be. "pre" is Z = XW + b of a layer, "post" its activation A; "cotangent" is ∂L/∂Z, "post-cotangent"
∂L/∂A. "weights" and "biases" are lists with one array per layer. "rate" is the learning rate: no gradient uses it."""


@says_how_it_is_made
@dataclass(frozen=True, slots=True)
class ArrayNames:
    """What the arrays of a network are called: each has one name, and no two have the same.

    A name is a pattern: ``{l}`` is the number of a weight, from 1; ``{u}`` is the number of the units that it leads to,
    ``l + first_units``. X and Y are the inputs and the targets in every convention.

    Parameters
    ----------
    weight, bias : str
        Of layer l.
    pre, post : str
        Z of a layer, and its activation A.
    prediction : str
        The output after the output activation.
    cotangent : str
        ∂L/∂Z.
    post_cotangent : str or None
        ∂L/∂A; None where the source gives it no name.
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

    Raises
    ------
    LayoutError
        If a pattern gives no name that a program can use, two layers would share a name, or two arrays could; or an
        alias stands for an unknown role.

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
    post_cotangent: str | None = "dA{u}"
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
        usual = {each.name: each.default for each in fields(self)}
        for role, pattern in self._given():
            if not isinstance(pattern, str):
                such = usual[role] or "d{l}"
                raise LayoutError(f"ArrayNames: {role}={pattern!r} is no text; write one such as {role}={such!r}")
        for role in _LAYERED:
            pattern = getattr(self, role)
            if pattern is not None and not ("{l}" in pattern or "{u}" in pattern):
                plain = re.sub(r"\{\w*\}", "", pattern)
                raise LayoutError(
                    f"ArrayNames: {role}={pattern!r} calls every layer's array the same; number them, as in "
                    f"{role}={plain + '{l}'!r}"
                )
        if "{name}" not in self.gradient:
            raise LayoutError(
                f"ArrayNames: gradient={self.gradient!r} calls every gradient the same; name the parameter in it, as "
                "in gradient='d{name}'"
            )
        self._check_apart()

    def _check_apart(self) -> None:
        """Raise LayoutError where a name is none, or two arrays could have the same."""
        taken = {name: ("the name", name) for name in _FIXED}
        for role, pattern in self._patterns():
            example = _filled(pattern, 1, 1)
            if not example.isidentifier() or keyword.iskeyword(example):
                raise LayoutError(
                    f"ArrayNames: {role}={pattern!r} gives {example!r}, which a program cannot use as a name; use "
                    "letters, digits and _" + (", such as 'lam'" if example == "lambda" else "")
                )
            # patterns that differ in their numbers only meet at some layer: W{l} and W1{l} at W11
            kind = _NUMBER.sub("#", pattern)
            other, theirs = taken.setdefault(kind, (role, pattern))
            # the prediction is the activation of the last layer, which no other activation is
            if other != role and {other, role} != {"post", "prediction"}:
                raise LayoutError(
                    f"ArrayNames: {other} {theirs!r} and {role} {pattern!r} would give two arrays one name, such as "
                    f"{example!r}; change one of the two patterns"
                )

    def _given(self) -> Iterator[tuple[str, object]]:
        """The fields that hold a text, but for those that may be left out."""
        for role in (*_LAYERED, "prediction", "gradient", "count", "strength"):
            if role not in ("post_cotangent", "accumulator") or getattr(self, role) is not None:
                yield role, getattr(self, role)

    def _patterns(self) -> Iterator[tuple[str, str]]:
        for role in (*_LAYERED, "prediction", "count", "strength"):
            pattern = getattr(self, role)
            if pattern is not None:
                yield role, pattern
        for role, pattern in (("weight", self.weight), ("bias", self.bias), ("X", "X")):
            yield f"gradient of {role}", self.gradient_of(pattern)

    def of(self, role: str, layer: int) -> str:
        """Return the name of a layer's array.

        Parameters
        ----------
        role : str
            "weight", "bias", "pre", "post", "prediction", "cotangent", "post-cotangent" or "accumulator".
        layer : int
            The weight's number, from 1; 0 is the input, which only "post" and "post-cotangent" have.

        Raises
        ------
        LayoutError
            If the source gives such an array no name.
        """
        pattern = getattr(self, role.replace("-", "_"))
        if pattern is None:
            raise LayoutError(f"ArrayNames: the source has no name for the {role}")
        return _filled(pattern, layer, layer + self.first_units)

    def gradient_of(self, name: str) -> str:
        """Return the name of the gradient with respect to a parameter."""
        return self.gradient.replace("{name}", name)

    def parameter(self, name: str) -> str:
        """Return what a chain's parameter W1, b1 or 2.W1 is called; any other keeps its name.

        Examples
        --------
        >>> names = ArrayNames(weight="Theta{l}")
        >>> names.parameter("W1"), names.parameter("2.W1"), names.parameter("b1"), names.parameter("B1")
        ('Theta1', '2.Theta1', 'b1', 'B1')
        """
        within, dot, own = name.rpartition(".")
        role, layer = {"W": "weight", "b": "bias"}.get(own[:1]), own[1:]
        return f"{within}{dot}{self.of(role, int(layer))}" if role and layer.isdecimal() else name

    def is_weight(self, name: str) -> bool:
        """Whether a parameter is a weight, not a bias; "2.W1" is the first weight within layer 2."""
        own = name.rpartition(".")[2]
        return own.startswith(self.weight.partition("{")[0]) and not _matches(self.bias, own)


def _filled(pattern: str, layer: int, units: int) -> str:
    return pattern.replace("{l}", str(layer)).replace("{u}", str(units))


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{[lu]\\\}", r"\\d+", re.escape(pattern)), name) is not None
