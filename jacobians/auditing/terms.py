"""`Term`: a formula as it was written, before any shape is known; `positions` and `replaced` change one place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from jacobians.auditing.source import Span
from jacobians.symbols.expressions import Expr, Number

__all__ = ["Kind", "Path", "Term", "block_of", "call", "leaf", "negative", "number", "positions", "replaced"]


Kind: TypeAlias = Literal[
    "leaf",  # detail: an expression, such as a symbol
    "ones",  # the textbook's 1: its length follows from its neighbour
    "transpose",
    "product",  # of matrices, or by a scalar: what stands side by side in a text
    "matmul",  # of matrices and vectors: NumPy's @
    "star",  # entry by entry, with NumPy's broadcasting
    "hadamard",  # entry by entry, of equal shapes: ∘
    "plus",
    "minus",
    "divide",
    "negative",
    "power",  # detail: the exponent
    "part",  # detail: slices
    "sum",  # detail: (axis or None, whether the axis is kept)
    "mean",  # detail: as of a sum
    "with_ones",  # detail: (axis, whether the ones come first)
    "placed",  # detail: zeros before and after, for each axis
    "reshape",  # detail: a shape
    "call",  # detail: a function's name
]

Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One operation of a formula.

    Attributes
    ----------
    kind : str
    parts : tuple of Term
    detail : object
        What the kind's comment says.
    span : (int, int)
        Where it stands in the formula.
    """

    kind: Kind
    parts: tuple[Term, ...] = ()
    detail: Any = None
    span: Span = (0, 0)


def leaf(expr: Expr, span: Span = (0, 0)) -> Term:
    """Return a term that is an expression."""
    return Term("leaf", (), expr, span)


def number(value: float, span: Span = (0, 0)) -> Term:
    """Return a term that is a number."""
    return leaf(Number(float(value)), span)


def negative(of: Term, span: Span = (0, 0)) -> Term:
    """Return −A."""
    return Term("negative", (of,), None, span)


def call(function: str, arguments: tuple[Term, ...], span: Span = (0, 0)) -> Term:
    """Return f(A, …)."""
    return Term("call", arguments, function, span)


def positions(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    """Yield every place of a term with what stands there, the whole first."""
    yield path, term
    for i, part in enumerate(term.parts):
        yield from positions(part, (*path, i))


def replaced(term: Term, path: Path, by: Term) -> Term:
    """Return a term with another one at a place."""
    if not path:
        return by
    i, *rest = path
    return replace(term, parts=(*term.parts[:i], replaced(term.parts[i], tuple(rest), by), *term.parts[i + 1 :]))


def block_of(parts: list[Term], axis: int, span: Span) -> Term | None:
    """Return [1 A], [A 1], [0 A] or [A 0] along an axis, or None for any other block."""
    if len(parts) != 2:
        return None
    for edge, of, first in ((parts[0], parts[1], True), (parts[1], parts[0], False)):
        plain = edge.parts[0] if edge.kind == "transpose" else edge
        if plain.kind == "ones" or _is_number(plain, 1):
            return Term("with_ones", (of,), (axis, first), span)
        if _is_number(plain, 0):
            margins = [(0, 0), (0, 0)]
            margins[axis] = (1, 0) if first else (0, 1)
            return Term("placed", (of,), tuple(margins), span)
    return None


def _is_number(term: Term, value: float) -> bool:
    """Whether a term is this very number."""
    return term.kind == "leaf" and isinstance(term.detail, Number) and term.detail.value == value
