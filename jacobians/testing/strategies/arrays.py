"""Strategies of sizes, arrays in every memory order, tangents and cotangents."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from jacobians.arrays import Array, Shape
from jacobians.linops import Jacobian
from jacobians.testing.border_laws import Memory, arranged

__all__ = ["arrays", "cotangents", "distinct_sizes", "generators", "tangents"]


def distinct_sizes(count: int, low: int = 1, high: int = 6) -> st.SearchStrategy[tuple[int, ...]]:
    """Return a strategy of `count` pairwise distinct sizes, so that no transpose goes unnoticed.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(distinct_sizes(3), lambda sizes: True)
    (1, 2, 3)
    """
    sizes = st.lists(st.integers(low, max(high, low + count - 1)), min_size=count, max_size=count, unique=True)
    return sizes.map(tuple)


def generators() -> st.SearchStrategy[np.random.Generator]:
    """Return a strategy of random generators by their seed."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape,
    *,
    dtype: npt.DTypeLike = np.float64,
    margin: float = 0.0,
    saturated: bool = False,
    memory: Memory | None = None,
) -> Array:
    """Draw an array of the given shape, in any memory order, read-only among them.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    margin : float
        No entry is nearer to 0 than this: a distance from the kinks of ReLU and its kin.
    saturated : bool
        Scale entries up to 10³, where sigmoids saturate and exponentials overflow if written carelessly.
    memory : {"C", "F", "strided", "read-only"}, optional
        Any, unless given.
    """
    rng = draw(generators())
    values = rng.normal(size=shape)
    if saturated:
        values = values * 10.0 ** rng.uniform(-3, 3, size=shape)
    if margin:
        values = np.where(values < 0, -1.0, 1.0) * (margin + np.abs(values))
    order = draw(st.sampled_from(get_args(Memory))) if memory is None else memory
    return arranged(values.astype(dtype), order)


def tangents(jacobian: Jacobian) -> st.SearchStrategy[Array]:
    """Return a strategy of arrays that the Jacobian's `jvp` takes."""
    return arrays(jacobian.domain, dtype=jacobian.dtype)


def cotangents(jacobian: Jacobian) -> st.SearchStrategy[Array]:
    """Return a strategy of arrays that the Jacobian's `vjp` takes."""
    return arrays(jacobian.codomain, dtype=jacobian.dtype)
