"""What the cost of a product depends on: the structures of its factors, and not their numbers.

One model serves chains and graphs. `planning` prices a way to multiply out a chain. `jacobians.graphs.elimination`
prices an order in which the inner values of a graph are eliminated; each of its products is a chain of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from jacobians.arrays import Shape
from jacobians.linops.by_example import common_axes
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.permutations import Commutation, Identity, Reshape
from jacobians.linops.wrappers import Scaled

Side: TypeAlias = tuple[int, int, bool]
"""Of one factor of A ⊗ B: its rows, its columns, and whether it is the identity."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The pattern of a structured Jacobian, or of a product or a sum that is not built yet.

    A product's pattern has the properties that both factors have, and a sum's those of both terms. So after a set of
    values is eliminated, what remains does not depend on the order.

    Parameters
    ----------
    rows, columns : int
    rank : int
        Of the arrays that it maps to.
    item : int
        Bytes of an entry.
    flops : int
        Operations of one product with a vector.
    kind : {"identity", "moves", "diagonal", "kronecker", ""}
        The first two up to a sign; "moves" where entries are moved, copied, added up or left out, none multiplied.
    counts : tuple of (axis, int)
        The axes, of 0 and -1, along which the examples stay apart, each with the number of examples.
    shared : bool
        Whether all examples have the same block.
    sides : pair of Side or None
        Of a Kronecker product A ⊗ B, which is never multiplied out with another one.
    stores_matrix, stores_blocks : bool
        Whether the matrix, or the examples' blocks, need not be written.
    reorders : bool
        Whether a neighbour can be written through a view of the product in its place.
    writing, dense_bytes : int
        Operations that it takes to write the matrix, and bytes.
    built : bool
        Whether it is a product or a sum, which takes memory of its own.
    """

    rows: int
    columns: int
    rank: int = 1
    item: int = 8
    flops: int = 0
    kind: str = ""
    counts: tuple[tuple[int, int], ...] = ()
    shared: bool = False
    sides: tuple[Side, Side] | None = None
    stores_matrix: bool = False
    stores_blocks: bool = False
    reorders: bool = False
    writing: int = 0
    dense_bytes: int = 0
    built: bool = False

    # --- what it stores --------------------------------------------------------------------------

    def count(self, axis: int) -> int:
        """The examples along an axis along which they stay apart, or 1 of none."""
        return max(next(n for own, n in self.counts if own == axis), 1)

    def block_entries(self, axis: int) -> int:
        """Entries of the blocks of all examples, or of the one block that they share."""
        n = self.count(axis)
        return (1 if self.shared else n) * (self.rows // n) * (self.columns // n)

    @property
    def axis(self) -> int | None:
        """The axis along which its blocks have fewest entries; None where the examples do not stay apart."""
        return min((axis for axis, _ in self.counts), key=self.block_entries, default=None)

    @property
    def entries(self) -> int:
        """How many entries are stored where it is built."""
        if self.kind in ("identity", "moves", "diagonal"):
            return self.rows
        if self.sides is not None:
            return sum(p * n for p, n, identity in self.sides if not identity)
        return self.rows * self.columns if self.axis is None else self.block_entries(self.axis)

    @property
    def bytes_held(self) -> int:
        """Bytes that it takes, beside what is there already."""
        return self.entries * self.item if self.built else 0

    # --- what it costs ---------------------------------------------------------------------------

    def written(self, axis: int | None) -> int:
        """Operations that it takes to write it out as blocks along an axis, or as a matrix."""
        if axis is None:
            return 0 if self.stores_matrix else self.writing
        if self.stores_blocks:
            return 0
        return self.flops * (self.columns // self.count(axis)) + self.block_entries(axis)

    def acting(self, vectors: int) -> int:
        """Operations on so many vectors."""
        return self.flops * vectors

    def multiplications(self, operations: int) -> int:
        """Multiplications in one action: half of the operations, all for a diagonal, none where entries only move."""
        if self.kind in ("identity", "moves"):
            return 0
        return operations if self.kind == "diagonal" else operations // 2

    # --- products and sums -----------------------------------------------------------------------

    def __matmul__(self, other: Pattern) -> Pattern:
        if self.kind == "identity":
            return other
        if other.kind == "identity":
            return self
        kind, sides = "", None
        if self.kind == other.kind:
            kind = self.kind
        if self.sides is not None and other.sides is not None:
            # (A ⊗ B)(C ⊗ D) = AC ⊗ BD
            (p, _, one), (r, _, two) = self.sides
            (_, n, three), (_, q, four) = other.sides
            sides = (p, n, one and three), (r, q, two and four)
        return self._met(other, other.columns, kind, sides, shared=self.shared and other.shared)

    def __add__(self, other: Pattern) -> Pattern:
        entrywise = {self.kind, other.kind} <= {"identity", "diagonal"}
        return self._met(other, self.columns, "diagonal" if entrywise else "", None, shared=False)

    def _met(
        self, other: Pattern, columns: int, kind: str, sides: tuple[Side, Side] | None, *, shared: bool
    ) -> Pattern:
        counts = tuple(count for count in self.counts if count in other.counts)
        item, dense = max(self.item, other.item), self.rows * columns
        found = Pattern(
            self.rows,
            columns,
            self.rank,
            item,
            0,
            kind,
            counts,
            shared,
            sides,
            stores_matrix=kind == "" and not counts,
            stores_blocks=kind in ("", "kronecker") and bool(counts),
            writing=dense,
            dense_bytes=dense * item,
            built=kind != "moves",
        )
        object.__setattr__(found, "flops", _flops(found))
        return found


def _flops(built: Pattern) -> int:
    """Operations of a built pattern's product with a vector."""
    if built.kind == "moves":
        return 0
    if built.kind == "diagonal":
        return built.rows
    if built.sides is not None:
        (p, n, one), (r, q, two) = built.sides
        left, right = (0 if one else 2 * p * n), (0 if two else 2 * q * r)
        return min(left * q + right * p, right * n + left * r)
    if built.axis is None:
        return 2 * built.rows * built.columns
    return 2 * built.rows * (built.columns // built.count(built.axis))


def pattern_of(jacobian: Jacobian) -> Pattern:
    """Return the pattern of a structured Jacobian."""
    inner = jacobian.inner if isinstance(jacobian, Scaled) else jacobian
    sign = not isinstance(jacobian, Scaled) or abs(jacobian.factor) == 1
    kind, sides = "", None
    if isinstance(inner, Identity):
        kind = "identity" if sign else "diagonal"
    elif isinstance(inner, Diagonal):
        kind = "diagonal"
    elif sign and isinstance(inner, Kronecker):
        kind = "kronecker"
        (p, r), (n, q) = inner.codomain, inner.domain
        sides = (p, n, inner._keeps_examples(0)), (r, q, inner._keeps_examples(-1))
    elif sign and not inner.flops:
        kind = "moves"
    rows, columns = jacobian.shape
    return Pattern(
        rows,
        columns,
        len(jacobian.codomain),
        jacobian.dtype.itemsize,
        (inner if sign else jacobian).flops,
        kind,
        tuple((axis, jacobian.codomain[axis]) for axis in common_axes(jacobian)),
        jacobian._shares_block,
        sides,
        jacobian._stores_matrix,
        jacobian._stores_blocks,
        _only_reorders(jacobian),
        jacobian._dense_flops(),
        jacobian._dense_bytes(),
    )


def _only_reorders(factor: Jacobian) -> bool:
    if isinstance(factor, Reshape):
        return _without_ones(factor.codomain) == _without_ones(factor.domain)
    return isinstance(factor, Commutation)


def _without_ones(shape: Shape) -> list[int]:
    return [n for n in shape if n != 1]
