"""Marks a value inside an operation: an identity, where a derivation names the cotangent."""

from __future__ import annotations

from jacobians.layout import Order
from jacobians.linops.permutations import Identity
from jacobians.symbols.expressions import Expr


class Inside(Identity):
    """The identity at a value inside an operation that formulas mention, such as the scores of attention.

    Parameters
    ----------
    value : Expr
        What stands for the value.
    """

    __slots__ = ("value",)

    def __init__(self, value: Expr) -> None:
        self.value = value
        super().__init__(value.shape)

    def _with_order(self, order: Order | None) -> Inside:
        return self
