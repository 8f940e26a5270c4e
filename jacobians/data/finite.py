"""NaN and infinity, found and named."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import DataError

__all__ = ["check_finite"]


def check_finite(array: Array, name: str, operation: str) -> None:
    """Raise if an entry is NaN or infinite.

    Raises
    ------
    DataError
        Naming the first such entry by its (0-based) index, and how many there are.
    """
    finite = np.isfinite(array)
    if finite.all():
        return
    places = np.argwhere(~finite)
    first = tuple(int(index) for index in places[0])
    label = f"{name}[{', '.join(map(str, first))}]" if first else name
    others = f" ({len(places)} entries are not finite)" if len(places) > 1 else ""
    raise DataError(f"{operation}: {label} is {array[first]}{others}; remove or fill such entries first")
