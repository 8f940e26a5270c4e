"""What the rows and columns of a matrix stand for: `Axis`, an unrolled array's entries; `symbol`, `subscript`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jacobians.arrays import SUBSCRIPTS, Shape, size_of
from jacobians.layout import Order

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_NUMBERED = re.compile(r"([A-Za-z]+)(\d*)(′*)")
_WORDS = {"Theta": "θ", "losses": "ℓ"}


def symbol(name: str) -> str:
    """Return how an entry of the array of this name begins: a matrix's letter in lower case, its layer on top.

    Examples
    --------
    >>> symbol("Z2"), symbol("Theta1"), symbol("A1′"), symbol("losses"), symbol("loss")
    ('z⁽²⁾', 'θ⁽¹⁾', 'a′⁽¹⁾', 'ℓ', 'loss')
    """
    found = _NUMBERED.fullmatch(name)
    if found is None:
        return name
    word, layer, primes = found.groups()
    letter = _WORDS.get(word, word.lower() if len(word) == 1 else word)
    return letter + primes + (f"⁽{layer.translate(_SUPERSCRIPTS)}⁾" if layer else "")


def subscript(indices: Iterable[int], *, apart: bool) -> str:
    """Return indices as subscripts, with commas if they are to stand apart.

    Examples
    --------
    >>> subscript((2, 1), apart=False), subscript((10, 2), apart=True)
    ('₂₁', '₁₀,₂')
    """
    return ("," if apart else "").join(str(index).translate(SUBSCRIPTS) for index in indices)


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a matrix: an array's entries, unrolled.

    Parameters
    ----------
    name : str
        The array's name, such as "Z2".
    shape : tuple of int
        The array's shape; () for a scalar.
    order : {"C", "F"}
        How it is unrolled.
    packed : tuple of int
        Where the parts of a packed vector begin, except the first.
    parts : tuple of (str, tuple of int, {"C", "F"})
        What the parts are called, their shapes, and how each is unrolled; () where they have no names.

    Examples
    --------
    >>> [Axis("Z", (2, 2), order).label(1) for order in ("C", "F")]
    ['z₁₂', 'z₂₁']
    >>> Axis("Z", (3, 2), "C").boundaries, Axis("Z", (3, 2), "F").boundaries
    ((2, 4), (3,))
    """

    name: str
    shape: Shape
    order: Order
    packed: tuple[int, ...] = ()
    parts: tuple[tuple[str, Shape, Order], ...] = ()

    @property
    def size(self) -> int:
        """The number of entries."""
        return size_of(self.shape)

    def label(self, place: int) -> str:
        """Return the entry at a place of the vec, such as ``z₂₁``; indices count from 1, a scalar has none.

        Of a packed vector whose parts have names it is the entry of a part.
        """
        if self.parts:
            which = bisect_right(self.packed, place)
            start = self.packed[which - 1] if which else 0
            return Axis(*self.parts[which]).label(place - start)
        indices = (int(i) + 1 for i in np.unravel_index(place, self.shape, self.order)) if self.shape else ()
        return symbol(self.name) + subscript(indices, apart=max(self.shape, default=0) > 9)

    @property
    def block(self) -> int:
        """The length of a block: of a run along the axis of the array that vec runs through first."""
        if len(self.shape) < 2:
            return self.size
        return self.shape[-1 if self.order == "C" else 0]

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The places at which a block begins, except the first: rows of the array in C order, columns in F order."""
        return self.packed or tuple(range(self.block, self.size, self.block) if self.size else ())

    def ticks(self, most: int) -> tuple[int, ...]:
        """Return at most `most` places to label: all, or the beginnings of blocks, or some of these."""
        places, starts = tuple(range(self.size)), (0, *self.boundaries)
        if len(places) > most and len(starts) > 2:
            places = starts
        return places[:: max(1, -(-len(places) // max(1, most)))]

    def labelled(self, most: int) -> list[tuple[int, str]]:
        """Return the ticks with their labels."""
        return [(place, self.label(place)) for place in self.ticks(most)]

    def clear_boundaries(self, entry: float, least: float) -> tuple[int, ...]:
        """Return the boundaries where every block is at least so long, an entry being so long."""
        places = (0, *self.boundaries, self.size)
        return self.boundaries if min(b - a for a, b in pairwise(places)) * entry >= least else ()

    def is_crowded(self, ticks: list[tuple[int, str]], entry: float, character: float) -> bool:
        """Return whether some label is longer than the gap to the next one, an entry and a character being so long."""
        gap = min((b - a for (a, _), (b, _) in pairwise(ticks)), default=self.size) * entry
        return max((len(label) for _, label in ticks), default=0) * character > gap
