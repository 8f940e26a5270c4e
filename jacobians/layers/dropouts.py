"""Dropout with inverted scaling: a diagonal. Its mask is given, or drawn from a given generator."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_array, generator
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.layers.axes import as_mask
from jacobians.linops import Diagonal, Jacobian
from jacobians.operations import Unary
from jacobians.operations.on_values import of_one
from jacobians.operations.record import Makers

__all__ = ["Dropout", "dropout"]


@final
class Dropout(Unary):
    """X ↦ X ∘ mask/(1 − drop). Chance keeps entries, and the scale keeps the mean (inverted dropout).

    Parameters
    ----------
    mask : array_like of bool, of X's shape
        Which entries are kept.
    drop : float
        The probability that an entry is dropped.

    Examples
    --------
    >>> Dropout([True, False, True], 0.5)([1.0, 2.0, 3.0])[0]
    array([2., 0., 6.])
    """

    name = "dropout"
    per_example = True
    piecewise_linear = True

    def __init__(self, mask: npt.ArrayLike, drop: float) -> None:
        self.mask = as_mask(mask, self.name)
        self.drop = _probability(drop)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        if X.shape != self.mask.shape:
            raise ShapeError(f"dropout: the mask has shape {self.mask.shape}, X {X.shape}; they must be equal")
        slopes = self.mask.astype(X.dtype) / X.dtype.type(1 - self.drop)
        return as_array(X * slopes), {"X": lambda: Diagonal(slopes)}


def _probability(drop: Any) -> float:
    if isinstance(drop, bool) or not isinstance(drop, (int, float, np.floating)) or not 0 <= drop < 1:
        raise DomainError(
            f"dropout: drop={drop!r}; expected the probability that an entry is dropped, 0 ≤ drop < 1. CS231n's p is "
            "the probability that it is kept: pass 1 − p"
        )
    return float(drop)


@of_one
def dropout(
    X: npt.ArrayLike, drop: float, rng: np.random.Generator | None = None, mask: npt.ArrayLike | None = None
) -> tuple[Array, Jacobian]:
    """Return X with entries dropped by chance and the others divided by 1 − drop, and the Jacobian, a diagonal.

    Parameters
    ----------
    X : array_like
    drop : float
        The probability that an entry is dropped: torch's p; CS231n's p is 1 − drop. With 0 it is the identity, as in
        evaluation.
    rng : Generator, optional
        That the mask is drawn from.
    mask : array_like of bool, optional
        Which entries are kept, in place of drawing.

    Raises
    ------
    ArgumentError
        If there is neither a generator nor a mask, or both.
    DomainError
        If `drop` is not in [0, 1).

    References
    ----------
    Srivastava et al. (2014), *Dropout*, JMLR 15; inverted scaling as in CS231n, assignment 2.

    Examples
    --------
    >>> dropout([1.0, 2.0, 3.0], 0.5, mask=[True, False, True])[0]
    array([2., 0., 6.])
    """
    _probability(drop)
    if mask is None:
        if drop and rng is None:
            raise ArgumentError(
                "dropout: give rng, such as np.random.default_rng(0), or the mask; nothing is drawn from a hidden state"
            )
        shape = np.shape(getattr(X, "array", X))
        mask = np.ones(shape, bool) if rng is None else generator(rng, "dropout").random(shape) >= drop
    elif rng is not None:
        raise ArgumentError("dropout: give rng or mask, not both")
    return Dropout(mask, drop)(X)
