"""The regulariser c·ΣW², without the bias that a layout absorbs in W."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_number, as_array
from jacobians.errors import ShapeError
from jacobians.layout import Layout
from jacobians.linops import Dense, Diagonal, Identity, Jacobian
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import Unary
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout

__all__ = ["L2", "l2"]


class L2(Unary):
    """W ↦ c·ΣW²; see `l2`.

    Examples
    --------
    >>> L2(0.5)([[3.0, 4.0]])[1].gradient
    array([[3., 4.]])
    """

    inputs = ("W",)

    def __init__(self, scale: float, layout: AnyLayout | None = None, *, include_bias: bool = False) -> None:
        self.scale = a_number(scale, "scale", "l2")
        self.layout: Layout = find_layout(layout)
        self.include_bias = include_bias

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (W,) = arrays
        kept = self._without_bias(W)
        value = as_array(self.scale * np.sum(kept * kept, dtype=np.promote_types(W.dtype, np.float64))).astype(W.dtype)
        return value, {"W": lambda: self._row(W)}

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """2c I, with 0 at the bias."""
        (W,) = arrays
        weight = 2.0 * self.scale * float(cotangent)
        if self._without_bias(W) is W:
            return {("W", "W"): weight * Identity(W.shape, W.dtype)}
        values = np.zeros_like(W)
        self._without_bias(values)[...] = weight
        return {("W", "W"): Diagonal(values)}

    def _row(self, W: Array) -> Jacobian:
        kept = self._without_bias(W)
        if kept is W:
            return Dense(2.0 * self.scale * W)
        row = np.zeros_like(W)
        self._without_bias(row)[...] = 2.0 * self.scale * kept
        return Dense(row)

    def _without_bias(self, W: Array) -> Array:
        """A view of W's entries that are penalised."""
        if self.include_bias or not self.layout.absorbs_bias:
            return W
        if W.ndim != 2:
            raise ShapeError(f"l2: W has shape {W.shape}; with an absorbed bias it must be a matrix ({self.layout})")
        return self.layout.weights_of(W)


@of_one
def l2(
    W: npt.ArrayLike, scale: float, layout: AnyLayout | None = None, *, include_bias: bool = False
) -> tuple[Array, Jacobian]:
    r"""Return :math:`c \sum W^2` and its Jacobian :math:`2c\,W`, without the bias that the layout absorbs in W.

    Parameters
    ----------
    W : array_like
    scale : float
        c: λ/2m in Ng's exercise 4, λ/2 in CS231n's notes, λ in its first assignment. See
        `Convention.l2_scale`.
    layout : Layout, Convention or str, optional
        Says where an absorbed bias lies in W.
    include_bias : bool
        Penalise the absorbed bias too, as CS231n's bias trick does.

    Examples
    --------
    >>> value, J = l2([[9.0, 1.0, 2.0]], 0.5, Layout(weights="rows", bias="first"))
    >>> float(value), J.gradient
    (2.5, array([[0., 1., 2.]]))
    """
    return L2(scale, layout, include_bias=include_bias)(W)
