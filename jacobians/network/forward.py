"""A forward pass as a run reads it: named arrays, and the Jacobians between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from jacobians.arrays import Array
from jacobians.factors import Factor
from jacobians.layout import Order
from jacobians.linops import BlockRow, Jacobian

__all__ = ["Forward"]


class Forward(ABC):
    """What a network's forward pass computed on one batch; every Jacobian is in numerator layout.

    Attributes
    ----------
    results : dict of ndarray
        What the losses are of, by name; "output" where it is one array.
    targets : dict of ndarray
        By the same names.
    given : dict of ndarray
        Parameters and inputs by name.
    """

    results: Mapping[str, Array]
    targets: Mapping[str, Array]
    given: Mapping[str, Array]

    @property
    @abstractmethod
    def count(self) -> int:
        """The number of examples."""

    @property
    @abstractmethod
    def scale(self) -> float:
        """The reduction's weight of every example's loss in the total: 1, 1/N or 1/(N·K)."""

    @abstractmethod
    def gradients(self, rows: Mapping[str, Array], *, inputs: bool) -> dict[str, Array]:
        """Return a scalar's gradients with respect to all parameters, and to the inputs on request.

        They come from its rows by the results. One sweep; the arrays are new.
        """

    @property
    @abstractmethod
    def values(self) -> Mapping[str, Array]:
        """Every array by name, from the inputs to the results and the predictions."""

    @property
    @abstractmethod
    def losses(self) -> Array:
        """The per-example losses, (N,), before the reduction."""

    @abstractmethod
    def cotangents(self) -> dict[str, Array]:
        """Return the loss's derivatives with respect to the intermediates, from the results back."""

    @abstractmethod
    def parameter_jacobian(self, of: str, names: Sequence[str], vec: Order) -> BlockRow:
        """Return ∂of/∂parameter for parameters in this order, side by side; 0 where `of` does not depend on one."""

    @abstractmethod
    def jacobian(self, of: str, wrt: str) -> Jacobian:
        """Return ∂of/∂wrt.

        Raises
        ------
        LayoutError
            If a name is unknown, or stands before the other.
        """

    @abstractmethod
    def factors(self, of: str, wrt: str) -> list[Factor]:
        """Return the factors of ∂of/∂wrt from the outermost to the innermost.

        Raises
        ------
        LayoutError
            If a name is unknown, `of` does not depend on `wrt`, or does so in more ways than one.
        """
