"""The matrix products of a call, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians.linops import kernels

Product = Callable[..., np.ndarray]


def note_products(patch: pytest.MonkeyPatch, note: Callable[[int], None]) -> None:
    """Call `note` with the multiplications of every matrix product from now on."""

    def noting(product: Product) -> Product:
        def call(left: np.ndarray, right: np.ndarray, *rest: Any, **given: Any) -> np.ndarray:
            out = product(left, right, *rest, **given)
            note(out.size * left.shape[-1])
            return out

        return call

    for name in ("matmul", "dot"):
        patch.setattr(np, name, noting(getattr(np, name)))
    product = kernels._product
    entry_by_entry = noting(product)  # what has inner length 1 is no product to NumPy
    patch.setattr(kernels, "_product", lambda a, b: entry_by_entry(a, b) if a.shape[-1] == 1 else product(a, b))
