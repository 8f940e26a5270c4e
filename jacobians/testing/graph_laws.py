"""Laws of a graph of values: whatever the order of elimination, the path or the sweep, the Jacobian is the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.graphs import Graph, Node, Value, values
from jacobians.linops import BlockRow, Jacobian
from jacobians.testing.compare import agree, draw, fail, generator, largest, terms
from jacobians.testing.jacobian_laws import (
    assert_adjoint,
    assert_one_source,
    numerator_matrix,
)
from jacobians.testing.purity_and_dtype import assert_purity
from jacobians.testing.reference import assert_reference

__all__ = ["assert_graph_laws"]

_ALL_ORDERS = 4
"""Inner values up to which every order of elimination is tried."""

_DRAWN_ORDERS = 4
"""Orders that are drawn where there are more, beside forward and reverse."""

_PATHS = 64
"""Paths up to which each is multiplied out."""


def assert_graph_laws(
    program: Callable[..., Value],
    arrays: Mapping[str, npt.ArrayLike],
    rng: np.random.Generator | None = None,
    *,
    twins: Mapping[str, Array] | None = None,
    what: str = "",
) -> None:
    r"""Run the laws of a graph of values at these inputs.

    - Reference, law 3: every Jacobian of the result by an input equals a numerical derivative, or the given twin.
    - One source, law 4: it equals the sum over the edges into each value of products of dense matrices, and the sum
      over paths; all its views agree; and so do the gradients that one sweep gives.
    - Association, law 5: in whatever order the inner values are eliminated,
      :math:`E_{ij} \mathrel{+}= E_{iv} E_{vj}`, the same is left in value, shape and dtype. Up to 4 inner values all
      orders are tried.
    - Purity, law 9: no input is written, and gradients are new arrays.

    Parameters
    ----------
    program : callable
        From values, in the order of `arrays`, to a value.
    arrays : mapping of str to array_like
        The inputs by name: small, since dense matrices are compared, and away from kinks.
    rng : Generator, optional
        For tangents, cotangents and orders; a fixed seed unless given.
    twins : mapping of ndarray, optional
        By input's name the Jacobian's matrix in C order, built independently, in place of the numerical derivative;
        compared at the scale of its terms, or of 1 where they are smaller.
    what : str, optional
        Names the program in messages.

    Raises
    ------
    AssertionError
        Names the law, the input and the numbers.

    Examples
    --------
    >>> from jacobians import tanh
    >>> rng = np.random.default_rng(0)
    >>> X, W = rng.normal(size=(5, 4)), rng.normal(size=(4, 3))
    >>> assert_graph_laws(lambda X, W: tanh(X @ W) @ W.T, {"X": X, "W": W})
    """
    rng = generator(rng)
    what = what or getattr(program, "__name__", "the program").replace("<lambda>", "the program")
    given = {name: np.asarray(a) for name, a in arrays.items()}

    def operation(*arrays: Array) -> tuple[Array, dict[str, Jacobian]]:
        inputs = values(**dict(zip(given, arrays, strict=True)))
        result = program(*inputs)
        return result.array.copy(), {v.name: result.jacobian(v) for v in inputs}

    operation.__name__ = what
    if twins is None:
        assert_reference(operation, list(given.values()), rng)
    with np.errstate(all="ignore"):  # between two calls it is evaluated elsewhere, where it may overflow
        assert_purity(operation, list(given.values()), rng)
    inputs = values(**given)
    out = program(*inputs)
    for wrt in inputs:
        _jacobian_laws(out, wrt, rng, None if twins is None else twins[wrt.name], f"{what} with respect to {wrt.name}")
    _together(out, inputs, what)
    _one_sweep(out, inputs, rng, what)


def _jacobian_laws(out: Value, wrt: Value, rng: np.random.Generator, twin: Array | None, what: str) -> None:
    """Everything about one Jacobian of the graph."""
    jacobian = out.jacobian(wrt)
    matrix, size = _by_edges(out, wrt)
    if twin is not None:
        agree("reference", what, numerator_matrix(jacobian, "C"), twin, dtype=jacobian.dtype, scale=max(size, 1.0))
    agree(
        "one source", f"{what}, the sum over edges", numerator_matrix(jacobian, "C"), matrix, dtype=jacobian.dtype,
        scale=size,
    )  # fmt: skip
    assert_adjoint(jacobian, rng, what=what)
    assert_one_source(jacobian, rng, what=what)
    _rows(jacobian, matrix, size, what)
    _every_order(out, wrt, rng, matrix, size, what)
    if out.path_count(wrt) > _PATHS:
        return
    total = np.zeros_like(matrix)
    for path in out.paths(wrt):
        total = total + path.jacobian.to_dense("C")
    agree("one source", f"{what}, the sum over paths", total, matrix, dtype=jacobian.dtype, scale=size)


def _rows(jacobian: Jacobian, matrix: Array, size: float, what: str) -> None:
    """Norms and inner products of rows, at the size of the terms: where terms cancel, rounding is left."""
    columns, dtype = matrix.shape[1], jacobian.dtype
    norms = np.sqrt((matrix * matrix).sum(axis=1)).reshape(jacobian.numerator.codomain)
    found, least = jacobian.row_norms(), np.sqrt(np.finfo(dtype).tiny)
    # the square of a smaller norm is below the dtype's smallest number, so that it may come out as zero
    found = np.where((norms < least) & (found < least), norms, found)
    agree("one source", f"{what}, row_norms", found, norms, dtype=dtype, scale=size * columns)
    gram = matrix @ matrix.T
    agree("one source", f"{what}, gram", jacobian.gram("C"), gram, dtype=dtype, scale=size * size * columns)


def _by_edges(out: Value, wrt: Value) -> tuple[Array, float]:
    """The matrix, multiplied edge by edge from the input with dense matrices alone; and the size of its terms."""
    graph = Graph((out,), (wrt,))
    shape = out.size, wrt.size
    if out is not wrt and out not in graph.into:
        return np.zeros(shape), 0.0
    matrices: dict[Node, Array] = {wrt: np.eye(wrt.size)}
    sizes: dict[Node, Array] = {wrt: np.eye(wrt.size)}
    for node, edges in graph.into.items():
        if node is wrt:
            continue
        matrices[node] = sum(
            (e.jacobian.to_dense("C").astype(np.float64) @ matrices[e.parent] for e in edges),
            np.zeros((node.size, wrt.size)),
        )
        sizes[node] = sum(
            (terms(e.jacobian).astype(np.float64) @ sizes[e.parent] for e in edges), np.zeros((node.size, wrt.size))
        )
    return matrices[out], largest(sizes[out])


def _every_order(out: Value, wrt: Value, rng: np.random.Generator, matrix: Array, size: float, what: str) -> None:
    """Law 5: eliminated in any order, the same is left."""
    graph = Graph((out,), (wrt,))
    if out is wrt or out not in graph.into:
        return
    inner = [node for node in graph.nodes if node is not out and node is not wrt]
    orders: list[Sequence[Node]] = [inner, inner[::-1]]
    if len(inner) <= _ALL_ORDERS:
        orders = list(itertools.permutations(inner))
    else:
        orders += [[inner[i] for i in rng.permutation(len(inner))] for _ in range(_DRAWN_ORDERS)]
    jacobian = out.jacobian(wrt).numerator
    for order in orders:
        found = _eliminated(graph, order)
        where = f"{what}, eliminated in the order {', '.join(node.name for node in order) or 'that has no value'}"
        if (found.codomain, found.domain, found.dtype) != (out.shape, wrt.shape, jacobian.dtype):
            fail(
                "association",
                where,
                f"maps {found.domain} to {found.codomain} in {found.dtype}; the graph's Jacobian {jacobian.domain} to "
                f"{jacobian.codomain} in {jacobian.dtype}",
            )
        agree("association", where, found.to_dense("C"), matrix, dtype=found.dtype, scale=size)


def _eliminated(graph: Graph, order: Sequence[Node]) -> Jacobian:
    """What joins the only output to the only input once these values are gone."""
    joined: dict[tuple[int, int], Jacobian] = {}

    def add(child: int, parent: int, jacobian: Jacobian) -> None:
        joined[child, parent] = joined[child, parent] + jacobian if (child, parent) in joined else jacobian

    for edge in graph.edges:
        add(edge.child.number, edge.parent.number, edge.jacobian)
    for gone in [node.number for node in order]:
        leaving = {child: J for (child, parent), J in joined.items() if parent == gone}
        entering = {parent: J for (child, parent), J in joined.items() if child == gone}
        joined = {ends: J for ends, J in joined.items() if gone not in ends}
        for (child, onward), (parent, before) in itertools.product(leaving.items(), entering.items()):
            add(child, parent, onward @ before)
    (left,) = joined.values()
    return left


def _together(out: Value, inputs: Sequence[Value], what: str) -> None:
    """The Jacobian with respect to all inputs at once holds those by each, packed in the layout's vec order."""
    together = out.jacobian(*inputs)
    block_row = together.numerator
    if not isinstance(block_row, BlockRow):
        return
    columns = [np.arange(v.size).reshape(v.shape).ravel(block_row.vec) for v in inputs]
    apart = [numerator_matrix(out.jacobian(v), "C")[:, own] for v, own in zip(inputs, columns, strict=True)]
    expected, where = np.hstack(apart), f"{what} with respect to all inputs"
    agree("one source", where, numerator_matrix(together, "C"), expected, dtype=together.dtype, scale=largest(expected))
    assert_adjoint(together, what=where)


def _one_sweep(out: Value, inputs: Sequence[Value], rng: np.random.Generator, what: str) -> None:
    """The gradients of ⟨c, result⟩, which one sweep gives, are cᵀJ, and new arrays."""
    cotangent = draw(rng, out.shape, out.dtype)
    gradients = (out * cotangent).sum().gradients(*inputs)
    for place, (wrt, gradient) in enumerate(zip(inputs, gradients, strict=True)):
        matrix, size = _by_edges(out, wrt)
        expected = (cotangent.ravel().astype(np.float64) @ matrix).reshape(wrt.shape)
        scale = size * float(np.abs(cotangent).sum())
        where = f"{what}, the gradient with respect to {wrt.name} from one sweep"
        if gradient.dtype != (dtype := out.jacobian(wrt).dtype):
            fail("dtype", where, f"{gradient.dtype}, and the Jacobian is {dtype}")
        agree("one source", where, gradient, expected, dtype=gradient.dtype, scale=scale)
        others = [*gradients[:place], *gradients[place + 1 :], *(v.array for v in inputs)]
        if any(np.shares_memory(gradient, other) for other in others):
            fail("purity", where, "it shares memory with another gradient or an input")
