"""The forms in which a derivative may be given, seen in one way: columns by entry, and products with a direction."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from jacobians.arrays import Array, Shape, leaves_of, size_of
from jacobians.checking.trees import Tree
from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.linops.by_example import example_size


class GivenDerivative(Protocol):
    """What the caller claims the derivative to be."""

    eps: float

    def column(self, entry: int) -> Array:
        """The derivatives of all outputs with respect to one entry of the packed argument, shape (m,)."""

    def apply(self, direction: Array) -> Array:
        """The derivatives of all outputs along a direction, shape (m,)."""

    def sizes(self) -> Array | None:
        """How large the derivative with respect to each entry is, (n,), or None where that would cost too much."""


class GivenGradient:
    """A gradient, packed."""

    def __init__(self, flat: Array, eps: float) -> None:
        self._flat, self.eps = flat, eps

    def column(self, entry: int) -> Array:
        return self._flat[entry : entry + 1]

    def apply(self, direction: Array) -> Array:
        return np.array([self._flat @ direction])

    def sizes(self) -> Array | None:
        return np.abs(self._flat)


class GivenJacobian:
    """Jacobians with respect to each leaf.

    Structured ones, SciPy's sparse matrices, matrices (m, n), or arrays codomain + domain.

    Parameters
    ----------
    parts : list
        One for each leaf, or a single one for all leaves packed.
    tree : Tree
    codomain : tuple of int
    order : {"C", "F"}
        How a matrix's rows and columns unroll the output and the input.
    """

    def __init__(self, parts: list[Any], tree: Tree, codomain: Shape, order: Order) -> None:
        self.eps = max((_eps(p) for p in parts), default=float(np.finfo(np.float64).eps))
        self._bounds = tree.offsets if len(parts) == len(tree.shapes) else (0, tree.size)
        shapes = tree.shapes if len(parts) == len(tree.shapes) else ((tree.size,),)
        self._parts = [_mapped(p, shape, codomain, order) for p, shape in zip(parts, shapes, strict=True)]

    def column(self, entry: int) -> Array:
        part = int(np.searchsorted(self._bounds, entry, side="right")) - 1
        return self._parts[part].column(entry - self._bounds[part])

    def apply(self, direction: Array) -> Array:
        bounds = zip(self._bounds[:-1], self._bounds[1:], self._parts, strict=True)
        return np.sum([part.apply(direction[a:b]) for a, b, part in bounds], axis=0)

    def sizes(self) -> Array | None:
        return None


class _Structured:
    def __init__(self, jacobian: Jacobian) -> None:
        self._jacobian = jacobian

    def column(self, entry: int) -> Array:
        unit = np.zeros(size_of(self._jacobian.domain))
        unit[entry] = 1.0
        return self.apply(unit)

    def apply(self, direction: Array) -> Array:
        return np.asarray(self._jacobian.jvp(direction.reshape(self._jacobian.domain)), dtype=np.float64).ravel()


class _Matrix:
    """A dense or a sparse matrix whose rows and columns are in C order, or are numbered by an order of their own."""

    def __init__(self, matrix: Any, rows: Array, columns: Array) -> None:
        self._matrix, self._rows, self._columns = matrix, rows, columns

    def column(self, entry: int) -> Array:
        found = self._matrix[:, [int(self._columns[entry])]]
        found = found.toarray() if hasattr(found, "toarray") else found
        return np.asarray(found, dtype=np.float64).ravel()[self._rows]

    def apply(self, direction: Array) -> Array:
        placed = np.empty(direction.size)
        placed[self._columns] = direction
        return np.asarray(self._matrix @ placed, dtype=np.float64).ravel()[self._rows]


def _mapped(part: Any, domain: Shape, codomain: Shape, order: Order) -> _Structured | _Matrix:
    if isinstance(part, Jacobian):
        return _Structured(part)
    m, n = size_of(codomain), size_of(domain)
    if hasattr(part, "tocsc"):
        matrix: Any = part.tocsc()
    else:
        matrix = np.asarray(part)
        if matrix.shape != (m, n) or matrix.shape == codomain + domain:
            return _Matrix(matrix.reshape(m, n), np.arange(m), np.arange(n))
    # position of every C-ordered entry among the rows or columns of a matrix unrolled in `order`
    rows, columns = (np.arange(size_of(s)).reshape(s, order=order).ravel() for s in (codomain, domain))
    return _Matrix(matrix, rows, columns)


def _eps(part: Any) -> float:
    dtype = np.dtype(getattr(part, "dtype", np.float64))
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else float(np.finfo(np.float64).eps)


def shape_problem(part: Any, domain: Shape, codomain: Shape) -> str:
    """Return in words how a Jacobian's shape differs from the expected one, or ""."""
    m, n = size_of(codomain), size_of(domain)
    if isinstance(part, Jacobian):
        if part.domain == domain and part.codomain == codomain:
            return ""
        return f"maps {part.domain} to {part.codomain}; x has shape {domain} and fun's value {codomain}"
    shape = tuple(part.shape) if hasattr(part, "shape") else np.shape(part)
    if shape in ((m, n), codomain + domain):
        return ""
    hint = ": it is transposed" if shape in ((n, m), domain + codomain) else ""
    return (
        f"has shape {shape}, expected {(m, n)}"
        + (f" or {codomain + domain}" if len(codomain + domain) > 2 else "")
        + hint
    )


def example_axes(part: Any, domain: Shape, codomain: Shape) -> list[Literal[0, -1]]:
    """Return the axes, first or last, along which an array (N, outputs, inputs) can hold one block per example."""
    if not isinstance(part, np.ndarray) or part.ndim != 3 or part.dtype.kind not in "fiu" or not (domain and codomain):
        return []
    if not shape_problem(part, domain, codomain):
        return []
    apart: list[Literal[0, -1]] = [a for a in (0, -1) if domain[a] == codomain[a]]
    return [a for a in apart if part.shape == (domain[a], example_size(codomain, a), example_size(domain, a))]


def buffers_of(value: Any, *, structured: bool = True) -> list[Array]:
    """Return the arrays within a derivative: a tree, a sparse matrix or, if asked, a structured Jacobian."""
    found: list[Array] = []
    for _, leaf in leaves_of(value):
        if isinstance(leaf, Jacobian):
            found.extend(leaf.arrays if structured else ())
        elif hasattr(leaf, "tocsc"):
            found.append(leaf.data if isinstance(leaf.data, np.ndarray) else np.asarray(leaf.toarray()))
        else:
            found.append(np.asarray(leaf))
    return found
