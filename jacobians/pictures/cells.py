"""The picture without its drawing: the cells of a matrix in a `Picture`, made by `picture`; their hues; `Named`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import TooLargeError
from jacobians.layout import Derivative, Order
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.unrolling import known_order
from jacobians.linops.wrappers import Denominator
from jacobians.pictures.labels import Axis

if TYPE_CHECKING:
    from scipy.sparse import csr_array


# Blue and vermillion are told apart by the colour-blind (Okabe and Ito 2008, "Color Universal Design"), and each has a
# contrast above 3 to 1 with white and with a dark page. A small magnitude lets the page shine through, so that zero is
# the page itself, light or dark.
POSITIVE = "#0072b2"
NEGATIVE = "#d55e00"

FAINTEST = 0.3
"""The opacity of the smallest magnitude that is not 0."""

SIDE = 200
"""Cells along a side, at most; a larger matrix is drawn in blocks of entries."""
_STORED = 4_000_000
"""Entries of a sparse matrix, at most, that are built for a picture."""
_BYTES = 1 << 24
"""Bytes, at most, that the dense matrix of a small Jacobian may take on the way."""


class Named(Protocol):
    """A Jacobian and the names of its output and input; a `Factor` is one."""

    @property
    def of(self) -> str: ...
    @property
    def wrt(self) -> str: ...
    @property
    def jacobian(self) -> Jacobian: ...


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The matrix of a Jacobian as cells with names.

    Attributes
    ----------
    title : str
        The structure.
    output, input : Axis
        The entries that the derivatives are of, and by.
    derivative : {"numerator", "denominator"}
        Rows are outputs, or inputs.
    step : (int, int)
        Rows and columns of the matrix in one cell.
    values : ndarray or None
        One number a cell: the entry, or of several the one of largest magnitude. None where the matrix is too large.
    zeros : ndarray of bool or None
        Which cells are 0 although the structure does not say so.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Diagonal
    >>> from jacobians.pictures import picture
    >>> picture(Diagonal(np.array([3.0, 4.0]))).values
    array([[3., 0.],
           [0., 4.]])
    """

    title: str
    output: Axis
    input: Axis
    derivative: Derivative
    step: tuple[int, int]
    values: Array | None
    zeros: Array | None

    @property
    def rows(self) -> Axis:
        """What the rows stand for: outputs in numerator layout, inputs in denominator layout."""
        return self.output if self.derivative == "numerator" else self.input

    @property
    def columns(self) -> Axis:
        """What the columns stand for."""
        return self.input if self.derivative == "numerator" else self.output

    @property
    def heading(self) -> str:
        """The derivative in the arrays' names, such as ``∂Z2/∂A1``; of a Hessian by packed parameters ``∂²L/∂θ∂θᵀ``."""
        if self.output.parts and self.input.parts:
            return "∂²L/∂θ∂θᵀ"
        return f"∂{self.output.name}/∂{self.input.name}"

    @property
    def largest(self) -> float:
        """The largest finite magnitude of an entry; 0 where there is none."""
        if self.values is None:
            return 0.0
        return float(np.max(np.abs(self.values), where=np.isfinite(self.values), initial=0.0))

    @property
    def caption(self) -> str:
        """Sizes, vec order, scale, and how many entries a cell stands for."""
        parts = [f"{self.rows.size}×{self.columns.size}"]
        if max(len(self.output.shape), len(self.input.shape)) > 1:
            parts.append(f"{self.output.order} order")
        if self.derivative == "denominator":
            parts.append("denominator layout")
        if self.values is None:
            parts.append("too large to draw")
        elif self.values.size == 0:
            parts.append("empty")
        else:
            parts.append(f"|entry| ≤ {self.largest:.3g}")
        if self.values is not None and self.step != (1, 1):
            parts.append(f"{self.step[0]}×{self.step[1]} entries a cell")
        return ", ".join(parts)

    def label(self, row: int, column: int) -> str:
        """Return the entry at a row and column of the matrix, such as ``∂z₂₁/∂w₁₃``."""
        out, into = (row, column) if self.derivative == "numerator" else (column, row)
        return f"∂{self.output.label(out)}/∂{self.input.label(into)}"


def picture(
    jacobian: Jacobian, *, of: str = "y", wrt: str = "x", order: Order | None = None, cells: int = SIDE * SIDE
) -> Picture:
    """Return what is to be drawn of a Jacobian.

    A matrix of more than 200 rows or columns, or of more than `cells` entries, is drawn in blocks of entries, and
    one whose sparse matrix would have more than four million entries not at all: `values` is None.

    Parameters
    ----------
    jacobian : Jacobian
        A `Denominator`'s picture is inputs × outputs.
    of, wrt : str
        Names of the output and of the input.
    order : {"C", "F"}, optional
        How both are unrolled; the Jacobian's own order unless given.
    cells : int
        The largest number of cells.

    Raises
    ------
    LayoutError
        If the order is unknown.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> drawn = picture(Kronecker(2, np.array([[1.0, 0.0]])), of="Z", wrt="A", order="F")
    >>> drawn.values
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.]])
    >>> drawn.zeros
    array([[False, False,  True, False],
           [False, False, False,  True]])
    >>> drawn.label(1, 3), drawn.columns.boundaries, drawn.caption
    ('∂z₂₁/∂a₂₂', (2,), '2×4, F order, |entry| ≤ 1')
    """
    order = jacobian.order or "C" if order is None else known_order(order, "picture")
    turned = isinstance(jacobian, Denominator)
    numerator = jacobian.numerator
    step = _steps(numerator.shape, cells)
    ends = [tuple(accumulate(sizes[:-1])) for sizes in numerator._packed_sizes()]
    parts = numerator._packed_parts()
    values, zeros = _cells(numerator, order, step)
    if turned and values is not None and zeros is not None:
        values, zeros = values.T, zeros.T
    return Picture(
        numerator.structure,
        Axis(of, numerator.codomain, order, ends[0], parts[0]),
        Axis(wrt, numerator.domain, order, ends[1], parts[1]),
        "denominator" if turned else "numerator",
        step[::-1] if turned else step,
        values,
        zeros,
    )


def _steps(shape: tuple[int, int], cells: int) -> tuple[int, int]:
    """The finest division of a matrix into equal blocks that are no more than `cells`, and 200 a side."""
    rows, columns = shape
    a, b = max(1, -(-rows // SIDE)), max(1, -(-columns // SIDE))
    while (m := -(-rows // a)) * (n := -(-columns // b)) > cells:
        if m >= n:
            a += 1
        else:
            b += 1
    return a, b


def _cells(jacobian: Jacobian, order: Order, step: tuple[int, int]) -> tuple[Array | None, Array | None]:
    positive = jacobian.positive(_ones)
    if max(jacobian.shape) <= SIDE:
        try:
            values, inside = (J.to_dense(order, limit=_BYTES) for J in (jacobian, positive))
        except TooLargeError:
            return None, None
        if step != (1, 1):
            from scipy.sparse import csr_array

            values, inside = (_binned(csr_array(matrix), step) for matrix in (values, inside))
    elif _stored_at_most(positive) > _STORED:
        return None, None
    else:
        values, inside = (_binned(J.to_sparse(order), step) for J in (jacobian, positive))
    return values, (values == 0) & (inside > 0)


def _ones(array: Array) -> Array:
    return np.broadcast_to(1.0, array.shape)  # takes no memory


def _stored_at_most(positive: Jacobian) -> int:
    """A bound on the entries of any sparse matrix that `to_sparse` builds, of a structure whose leaves are ones.

    The entries are at least 1 where they are not 0, so their sum, 1ᵀ P 1, is no less than their number.
    """
    held = (value if isinstance(value, tuple) else (value,) for value in positive._held().values())
    parts = (part for values in held for part in values if isinstance(part, Jacobian))
    own = float(np.sum(positive.jvp(np.ones(positive.domain))))
    return max(int(own), *map(_stored_at_most, parts), 0)


def _binned(matrix: csr_array, step: tuple[int, int]) -> Array:
    """Of each block of entries the one of largest magnitude, the positive one of two."""
    entries = matrix.tocoo()
    entries.sum_duplicates()
    place = (entries.row // step[0], entries.col // step[1])
    high = np.zeros([-(-n // k) for n, k in zip(matrix.shape, step, strict=True)])
    low = np.zeros(high.shape)
    np.maximum.at(high, place, entries.data)
    np.minimum.at(low, place, entries.data)
    return np.where(-low > high, low, high)


def opacity(value: float, largest: float) -> float:
    """Return the opacity of a cell: 0 for 0, 1 for the largest magnitude.

    Examples
    --------
    >>> opacity(0.0, 2.0), opacity(-2.0, 2.0)
    (0.0, 1.0)
    """
    return FAINTEST + (1 - FAINTEST) * abs(value) / largest if value else 0.0
