"""The same Jacobian written in denominator layout: inputs × outputs, with chains that read the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from jacobians.arrays import Array
from jacobians.errors import LayoutError
from jacobians.layout import Order
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.wrappers import Identity, Scaled

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from jacobians.linops.batch import BlockDiagonal

__all__ = ["Denominator"]


@final
class Denominator(Jacobian):
    """A Jacobian in denominator layout: its matrix is (inputs × outputs), and the chain is `J_f @ J_g`.

    `domain`, `codomain`, `jvp`, `vjp` and `gradient` mean what they mean in numerator layout, since the map is
    the same; `shape`, the matrix views and ``@`` are transposed. Symmetric Jacobians, such as those of
    elementwise operations, are the same in both layouts and join either chain.

    Parameters
    ----------
    numerator : Jacobian
        The same map in numerator layout.

    Raises
    ------
    LayoutError
        If it is in denominator layout already.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Dense
    >>> f = Denominator(Dense(np.ones((2, 3)), codomain=(2,)))   # ∂y/∂x: x has 3 entries, y has 2
    >>> g = Denominator(Dense(np.ones((2,))))                    # ∂L/∂y
    >>> f.shape, (f @ g).shape, (f @ g).gradient
    ((3, 2), (3, 1), array([2., 2., 2.]))
    """

    __slots__ = ("numerator",)

    def __init__(self, numerator: Jacobian) -> None:
        if isinstance(numerator, Denominator):
            raise LayoutError(f"Denominator: {numerator.structure} is in denominator layout already")
        super().__init__(numerator.codomain, numerator.domain, numerator.dtype)
        self.numerator = numerator
        self.order = numerator.order

    def _with_order(self, order: Order | None) -> Denominator:
        return self if order == self.order else Denominator(self.numerator._with_order(order))

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in denominator layout: (size of domain, size of codomain)."""
        return self.numerator.shape[::-1]

    def _as_arrays(self, matrix: Array, order: Order) -> Array:
        return self.numerator._as_arrays(matrix.T, order)

    def _keeps_examples(self, axis: int) -> bool:
        return self.numerator._keeps_examples(axis)

    def _fill_within(self, out: Array, limit: int) -> None:
        self.numerator._fill_within(out, limit)

    def block_diagonal(self, axis: int | None = None) -> BlockDiagonal:
        """Refuse: a `BlockDiagonal` is in numerator layout."""
        raise LayoutError(
            f"block_diagonal: {self.structure} is in denominator layout; take its numerator.block_diagonal()"
        )

    def to_sparse(self, order: Order | None = None) -> csr_array:
        """Return the matrix (inputs × outputs) as a SciPy sparse array."""
        return self.numerator.to_sparse(self._order(order, "to_sparse")).T.tocsr()

    def _matrix_action(self, x: Array, *, transposed: bool) -> Array:
        return self.numerator._matrix_action(x, transposed=not transposed)

    def _row_norms(self) -> Array:
        return self.numerator._row_norms()

    def _gram(self) -> Array:
        return self.numerator._gram()

    def _dense_bytes(self) -> int:
        return self.numerator._dense_bytes()

    def _least_bytes(self) -> int:
        return self.numerator._least_bytes()

    def _jvp(self, tangent: Array) -> Array:
        return self.numerator._jvp(tangent)

    def _vjp(self, cotangent: Array) -> Array:
        return self.numerator._vjp(cotangent)

    def _transpose(self) -> Jacobian:
        return Denominator(self.numerator.T)

    def _sparse(self) -> csr_array:
        return self.numerator._sparse()

    def _diagonal(self) -> Array:
        return self.numerator._diagonal()

    @property
    def structure(self) -> str:
        return f"Denominator[{self.numerator.structure}]"

    @property
    def flops(self) -> int:
        return self.numerator.flops

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.numerator.arrays


def numerator_of(jacobian: Jacobian) -> Jacobian:
    """Return the same map in numerator layout."""
    return jacobian.numerator if isinstance(jacobian, Denominator) else jacobian


def numerators(left: Jacobian, right: Jacobian, verb: str) -> tuple[Jacobian, Jacobian] | None:
    """Both operands in numerator layout if either is in denominator layout, else None.

    Raises
    ------
    LayoutError
        If one is in denominator layout and the other, in numerator layout, is not symmetric.
    """
    # the class is final, and isinstance takes four times as long: an abstract base answers it in Python
    if type(left) is not Denominator and type(right) is not Denominator:
        return None
    plain = []
    for side in (left, right):
        if isinstance(side, Denominator):
            plain.append(side.numerator)
        elif is_symmetric(side):
            plain.append(side)
        else:
            raise LayoutError(
                f"cannot {verb} {left.structure} {left.shape} and {right.structure} {right.shape}: one is in "
                "denominator layout, the other in numerator layout; give every operation the same layout"
            )
    return plain[0], plain[1]


def is_symmetric(jacobian: Jacobian) -> bool:
    """Whether the structure alone makes the Jacobian symmetric, so that it is the same in both layouts."""
    if isinstance(jacobian, Scaled):
        return is_symmetric(jacobian.inner)
    return isinstance(jacobian, (Diagonal, Identity))
