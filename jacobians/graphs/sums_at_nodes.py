"""What arrives at the nodes of a graph on a sweep, added up: one sum a node, over the uses of its value."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

import numpy as np

from jacobians.arrays import Array, DType, as_array

Key = TypeVar("Key", bound=Hashable)

_MANY = 1 << 8
"""Terms above which a float32 sum is carried in float64: a weight in a recurrence has one term a step."""


class SumsAtNodes(Generic[Key]):
    """Sums of arrays by node, each handed out when all its terms are there.

    Parameters
    ----------
    terms : mapping
        By node, how many terms will arrive.
    """

    def __init__(self, terms: Mapping[Key, int]) -> None:
        self._terms = terms
        self._sums: dict[Key, Array] = {}
        self._dtypes: dict[Key, DType] = {}

    def add(self, node: Key, part: Array) -> None:
        """Add a term; no array that was given is written to."""
        if node in self._sums:
            self._sums[node] = as_array(self._sums[node] + part)
            if node in self._dtypes:
                self._dtypes[node] = np.result_type(self._dtypes[node], part.dtype)
        elif self._terms[node] > _MANY and part.dtype == np.float32:
            self._dtypes[node] = part.dtype
            self._sums[node] = part.astype(np.float64)
        else:
            self._sums[node] = part

    def __contains__(self, node: Key) -> bool:
        return node in self._sums

    def take(self, node: Key, *, keep: bool = False) -> Array:
        """Return a node's sum, and let go of it unless it is kept for later."""
        if node in self._dtypes:
            self._sums[node] = self._sums[node].astype(self._dtypes.pop(node), copy=False)
        return self._sums[node] if keep else self._sums.pop(node)
