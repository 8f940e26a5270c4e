"""`DistinctValues`: every distinct value of the page's data once, referred to by its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.arrays import Array


class DistinctValues:
    """Values kept once each: what 64 layouts share is stored once.

    Attributes
    ----------
    values : list
        What JSON can hold; a kept value may refer to others by their places.
    numbers : list of float
        Every distinct number, at full precision.

    Examples
    --------
    >>> distinct = DistinctValues()
    >>> distinct.keep("Z = X W"), distinct.keep([1, 2]), distinct.keep("Z = X W")
    (0, 1, 0)
    >>> distinct.keep_numbers(np.array([[0.5, 0.0], [0.0, 0.5]])), distinct.values[2], distinct.numbers
    (2, [0, 1, 1, 0], [0.5, 0.0])
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.numbers: list[float] = []
        self._places: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._number_places: dict[float, int] = {}

    def keep(self, value: Any) -> int:
        """Return the place of a value in `values`, adding it if it is new."""
        key = repr(value)
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]

    def once(self, key: str, make: Callable[[], int]) -> int:
        """Return the place that `make` returned when this key came first."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def keep_number(self, number: float) -> int:
        """Return the place of a number in `numbers`; −0 is 0."""
        number = float(number) + 0.0
        place = self._number_places.setdefault(number, len(self.numbers))
        if place == len(self.numbers):
            self.numbers.append(number)
        return place

    def keep_numbers(self, array: Array) -> int:
        """Return the place in `values` of the places of an array's numbers, in C order."""
        numbers = np.asarray(array, dtype=float).ravel() + 0.0
        known = self._number_places
        return self.keep([known[n] if n in known else self.keep_number(n) for n in numbers.tolist()])
