"""Maps that store nothing and compute nothing: they only move entries."""

from __future__ import annotations

from jacobians.arrays import Array
from jacobians.linops.base import Jacobian

__all__ = ["Dataless"]


class Dataless(Jacobian):
    """A Jacobian whose structure is all there is of it."""

    __slots__ = ()

    @property
    def flops(self) -> int:
        """No arithmetic."""
        return 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        """No arrays."""
        return ()
