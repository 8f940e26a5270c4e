"""One function a structure: each returns a `make`, which takes `Numbers`, returns the operator and its dense twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from jacobians.linops import (
    BatchedKronecker,
    BlockDiagonal,
    BlockRow,
    Broadcast,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    DirectSum,
    Duplication,
    Elimination,
    ForEachExample,
    Frechet,
    GatedRecurrence,
    Identity,
    Jacobian,
    KhatriRao,
    KhatriRaoSum,
    Kronecker,
    LowRank,
    PermutedAxes,
    PickedFromWindows,
    Product,
    Reshape,
    Scaled,
    Selection,
    SharedKernel,
    SlidingKernel,
    Sparse,
    Sum,
    SylvesterInverse,
    Windows,
    Zero,
)
from jacobians.linops.kronecker import Bordered
from jacobians.linops.recurrence import Start
from tests.linops import dense_twins as twins
from tests.linops.dense_twins import Numbers, wide

Pair = tuple[Jacobian, np.ndarray]
Shape = tuple[int, ...]
Make = Callable[[Numbers], Pair]


# --- one function a structure ------------------------------------------------------------------------


def identity(*shape: int) -> Make:
    return lambda g: (Identity(shape, g.dtype), np.eye(int(np.prod(shape))))


def reshape(codomain: Shape, domain: Shape) -> Make:
    return lambda g: (Reshape(codomain, domain, g.dtype), np.eye(int(np.prod(domain))))


def zero(codomain: Shape, domain: Shape) -> Make:
    return lambda g: (Zero(codomain, domain, g.dtype), np.zeros((int(np.prod(codomain)), int(np.prod(domain)))))


def diagonal(*shape: int) -> Make:
    def make(g: Numbers) -> Pair:
        values = g(*shape)
        return Diagonal(values), np.diag([float(values[i]) for i in np.ndindex(shape)]).reshape(2 * (values.size,))

    return make


def kronecker(left: Shape | int, right: Shape | int) -> Make:
    def make(g: Numbers) -> Pair:
        a = left if isinstance(left, int) else g(*left)
        b = right if isinstance(right, int) else g(*right)
        dense = [np.eye(f) if isinstance(f, int) else wide(f) for f in (a, b)]
        return Kronecker(a, b, g.dtype), np.kron(*dense)

    return make


def ones_column(rows: int, right: Shape | int) -> Make:
    def make(g: Numbers) -> Pair:
        b = right if isinstance(right, int) else g(*right)
        ones = np.ones((rows, 1), dtype=g.dtype)
        return Kronecker(ones, b), np.kron(ones, np.eye(b) if isinstance(b, int) else wide(b))

    return make


def bordered(data: Shape, other: Shape | int, *, first: bool, before: bool = True) -> Make:
    """Data with a column of ones, before or after the other factor."""

    def make(g: Numbers) -> Pair:
        rows, b = g(*data), other if isinstance(other, int) else g(*other)
        ones = np.ones((data[0], 1))
        factors = [Bordered(rows, first=first, axis=1), b]
        dense = [
            np.concatenate([ones, wide(rows)] if first else [wide(rows), ones], axis=1),
            np.eye(b) if isinstance(b, int) else wide(b),
        ]
        side = slice(None) if before else slice(None, None, -1)
        return Kronecker(*factors[side], g.dtype), np.kron(*dense[side])

    return make


def commutation(rows: int, columns: int) -> Make:
    twin = twins.by_entries((columns, rows), (rows, columns), lambda i, j: i == j[::-1])
    return lambda g: (Commutation(rows, columns, g.dtype), twin)


def slices(key: tuple[slice, ...], domain: Shape) -> Make:
    twin = twins.by_basis(np.empty(domain)[key].shape, domain, lambda v: v[key])
    return lambda g: (Selection(key, domain, g.dtype), twin)


def gather(key: object, domain: Shape) -> Make:
    index = np.array(key, dtype=np.intp)
    twin = twins.by_basis(index.shape, domain, lambda v: v.ravel()[index])
    return lambda g: (Selection(index, domain, g.dtype), twin)


def blocks(shape: Shape, codomain: Shape, domain: Shape, axis: int = 0) -> Make:
    def make(g: Numbers) -> Pair:
        array = g(*shape)
        return BlockDiagonal(array, codomain, domain, axis), twins.block_diagonal(array, codomain, domain, axis)

    return make


def minus_outer(shape: Shape, axis: int) -> Make:
    def make(g: Numbers) -> Pair:
        d, u, v = g(*shape), g(*shape), g(*shape)
        return DiagonalMinusOuter(d, u, v, axis), twins.diagonal_minus_outer(d, u, v, axis)

    return make


def khatri_rao(left: Shape, right: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        a, b = g(*left), g(*right)
        return KhatriRao(a, b), twins.khatri_rao(a, b)

    return make


def khatri_rao_sum(left: Shape, right: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        a, b = g(*left), g(*right)
        terms = a.shape[-2] if b.shape[-2] == 1 else b.shape[-2]
        each = (twins.khatri_rao(_term(a, s), _term(b, s)) for s in range(terms))
        rows = int(np.prod(np.maximum(a.shape[:-2], b.shape[:-2])))
        return KhatriRaoSum(a, b), sum(each, np.zeros((rows, a.shape[-1] * b.shape[-1])))

    return make


def khatri_rao_sum_of_windows(count: int, length: int, reach: int, outputs: int) -> Make:
    """One channel, whose windows overlap."""

    def make(g: Numbers) -> Pair:
        entries, places = g(count, 1, length), length - reach + 1
        left = g(count, places, outputs)
        windows = np.lib.stride_tricks.sliding_window_view(entries, reach, axis=2).swapaxes(2, 3)
        each = (twins.khatri_rao(left[:, p], entries[:, 0, p : p + reach]) for p in range(places))
        return KhatriRaoSum.of_windows(left, windows, 2), sum(each, np.zeros((count, outputs * reach)))

    return make


def _term(factor: np.ndarray, number: int) -> np.ndarray:
    return factor[..., number % factor.shape[-2], :]


def broadcast(codomain: Shape, domain: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        matrix = np.zeros((*codomain, *domain))
        for i in np.ndindex(codomain):
            j = i[len(codomain) - len(domain) :]
            matrix[i + tuple(k if n > 1 else 0 for k, n in zip(j, domain, strict=True))] = 1
        return Broadcast(codomain, domain, g.dtype), matrix.reshape(int(np.prod(codomain)), int(np.prod(domain)))

    return make


def half(kind: type[Duplication | Elimination], n: int, stacked: str) -> Make:
    places = [(i, j) for i in range(n) for j in range(i + 1)]
    if stacked == "F":
        places.sort(key=lambda place: place[::-1])
    size = len(places)
    if kind is Elimination:
        twin = twins.by_entries((size,), (n, n), lambda k, place: places[k[0]] == place)
    else:
        twin = twins.by_entries((n, n), (size,), lambda place, k: set(places[k[0]]) == set(place))
    return lambda g: (kind(n, stacked, g.dtype), twin)


def sylvester(m: int, n: int) -> Make:
    def make(g: Numbers) -> Pair:
        A, B = (np.where(np.eye(size, dtype=bool), 4, g(size, size)).astype(g(0).dtype) for size in (m, n))
        return SylvesterInverse(A, B), np.linalg.inv(np.kron(wide(A), np.eye(n)) + np.kron(np.eye(m), wide(B).T))

    return make


def cube(M: np.ndarray) -> np.ndarray:
    return M @ M @ M


def frechet(n: int) -> Make:
    def make(g: Numbers) -> Pair:
        A = g(n, n)
        powers = [np.linalg.matrix_power(wide(A), i) for i in range(3)]
        terms = (np.kron(powers[i], powers[2 - i].T) for i in range(3))
        return Frechet(cube, A, "cube"), sum(terms, np.zeros((n * n, n * n)))

    return make


def low_rank(codomain: Shape, domain: Shape, rank: int) -> Make:
    def make(g: Numbers) -> Pair:
        a, b = g(*codomain, rank), g(*domain, rank)
        return LowRank(a, b), twins.by_entries(codomain, domain, lambda i, j: wide(a)[i] @ wide(b)[j])

    return make


def dense(codomain: Shape, domain: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        array = g(*codomain, *domain)
        return Dense(array, codomain), twins.by_entries(codomain, domain, lambda i, j: array[i + j])

    return make


def sparse(codomain: Shape, domain: Shape, kind: type = csr_array) -> Make:
    def make(g: Numbers) -> Pair:
        matrix = np.array(g(int(np.prod(codomain)), int(np.prod(domain))))
        matrix[np.abs(matrix) < 0.7] = 0
        return Sparse(kind(matrix), codomain, domain), wide(matrix)

    return make


def permuted_axes(axes: Shape, domain: Shape) -> Make:
    twin = twins.by_entries(
        tuple(domain[a] for a in axes), domain, lambda i, j: all(i[k] == j[a] for k, a in enumerate(axes))
    )
    return lambda g: (PermutedAxes(axes, domain, g.dtype), twin)


def windows(kernel: Shape, domain: Shape, stride: Shape | None = None, dilation: Shape | None = None) -> Make:
    def make(g: Numbers) -> Pair:
        operator = Windows(kernel, domain, stride, dilation, g.dtype)
        n, k = len(kernel), len(domain) - len(kernel)
        steps = list(zip(stride or (1,) * n, dilation or (1,) * n, strict=True))

        def is_taken(i: Shape, j: Shape) -> bool:
            offset, place = i[k : k + n], i[k + n :]
            met = [s * p + d * o for (s, d), o, p in zip(steps, offset, place, strict=True)]
            return i[:k] == j[:k] and [*j[k:]] == met

        return operator, twins.by_entries(operator.codomain, domain, is_taken)

    return make


def batched_kronecker(left: Shape | int, right: Shape | int, lead: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        a, b = (f if isinstance(f, int) else g(*f) for f in (left, right))
        parts = []
        for place in np.ndindex(lead):
            pair = [
                np.eye(f) if isinstance(f, int) else wide(np.broadcast_to(f, lead + f.shape[-2:])[place])
                for f in (a, b)
            ]
            parts.append(np.kron(*pair))
        (p, n), (r, q) = ((f, f) if isinstance(f, int) else f[-2:] for f in (left, right))
        return BatchedKronecker(a, b, lead, g.dtype), twins.block_diagonal(
            np.array(parts).reshape(len(parts), p * r, n * q), (len(parts), p * r), (len(parts), n * q), 0
        )

    return make


def _member(stack: np.ndarray, lead: Shape, place: Shape) -> np.ndarray:
    return np.broadcast_to(stack, lead + stack.shape[-2:])[place]


def shared_kernel(shape: Shape, inner: int, out: int, *, groups: bool = False) -> Make:
    def make(g: Numbers) -> Pair:
        met = g(*shape)
        operator, first = SharedKernel(met, inner, out, groups=groups), 1 + groups

        def entry(i: Shape, j: Shape) -> float:
            if i[1:first] != j[: first - 1] or i[first] != j[first - 1]:
                return 0.0
            return float(met[(*i[:first], *j[first:], *i[first + 1 :])])

        return operator, twins.by_entries(operator.codomain, operator.domain, entry)

    return make


def correlation(weights: Shape, domain: Shape, pads: tuple[tuple[int, int], ...], **steps: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        kernel = g(*weights)
        _groups, outputs, inputs, *lengths = weights
        wide = (domain[0], *(b + n + a for n, (b, a) in zip(domain[1:], pads, strict=True)))
        one = Windows(tuple(lengths), wide, dtype=kernel.dtype, **steps)
        operator = SlidingKernel(kernel, one, pads)

        def entry(i: Shape, j: Shape) -> float:
            if i[0] // outputs != j[0] // inputs:
                return 0.0
            found = 0.0
            for k in np.ndindex(*lengths):
                moved = zip(one.stride, i[1:], one.dilation, k, pads, strict=True)
                if j[1:] == tuple(s * p + d * x - b for s, p, d, x, (b, _) in moved):
                    found += float(kernel[(i[0] // outputs, i[0] % outputs, j[0] % inputs, *k)])
            return found

        return operator, twins.by_entries(operator.codomain, operator.domain, entry)

    return make


def picked(kernel: Shape, domain: Shape, stride: Shape) -> Make:
    def make(g: Numbers) -> Pair:
        one = Windows(kernel, domain, stride, dtype=g(1).dtype)
        n, size = len(kernel), int(np.prod(kernel))
        shape = one.codomain[: len(domain) - n] + one.codomain[len(domain) :]
        which = np.arange(int(np.prod(shape))).reshape(shape) * 2 % size
        operator = PickedFromWindows(one, which)

        def entry(i: Shape, j: Shape) -> float:
            offset = np.unravel_index(int(which[i]), kernel)
            lead = len(domain) - n
            moved = zip(stride, i[lead:], offset, strict=True)
            return float(j == (*i[:lead], *(s * p + int(k) for s, p, k in moved)))

        return operator, twins.by_entries(operator.codomain, operator.domain, entry)

    return make


def recurrence(count: int, steps: int, gates: int, width: int, start: Start = "inputs", **given: Any) -> Make:
    """With `gated` a cell and a state that stays in part, with `scaled` scales; its twin goes step by step."""

    def make(g: Numbers) -> Pair:
        W, a = g(width, gates * width), g(count, steps, gates, width)
        every = [g(count, steps, width), g(count, steps, width), g(count, steps, 1), g(count, steps, gates * width)]
        keep = every[0] if given.get("kept") else None
        output, hold, read = (every[1], every[2], 1) if given.get("gated") else (None, None, None)
        scales = every[3] if given.get("scaled") else None
        operator = GatedRecurrence(W, a, keep, output, read, scales, hold, start)

        def image(n: int, u: np.ndarray, h: np.ndarray, c: np.ndarray) -> list[np.ndarray]:
            states = []
            for t in range(steps):
                z = (u[t] + (h @ W) * (1 if scales is None else scales[n, t])).reshape(gates, width)
                c = (a[n, t] * z)[[k for k in range(gates) if k != read]].sum(axis=0) + (
                    0 if keep is None else keep[n, t] * c
                )
                if output is None or hold is None:
                    h = c
                else:
                    h = output[n, t] * c + a[n, t, read] * z[read] + hold[n, t] * h
                states.append(h)
            return states

        twin = np.zeros((count, steps * width, count, operator.shape[1] // max(count, 1)))
        for n in range(count):
            for column in range(twin.shape[3]):
                u, h, c = np.zeros((steps, gates * width)), np.zeros(width), np.zeros(width)
                by_input = start == "inputs"
                (u if by_input else h if start == "h" else c).flat[column] = 1
                if output is None and not by_input:
                    h = c = h + c
                twin[n, :, n, column] = np.ravel(image(n, u, h, c))
        return operator, twin.reshape(operator.shape)

    return make


# --- composites, straight from their constructors ----------------------------------------------------


def scaled(factor: float, inner: Make) -> Make:
    def make(g: Numbers) -> Pair:
        operator, twin = inner(g)
        return Scaled(factor, operator), factor * twin

    return make


def product(*factors: Make) -> Make:
    def make(g: Numbers) -> Pair:
        operators, matrices = zip(*(f(g) for f in factors), strict=True)
        result = matrices[0]
        for matrix in matrices[1:]:
            result = result @ matrix
        return Product(operators), result

    return make


def for_each_example(count: int, inner: Make, axis: int = 0) -> Make:
    def make(g: Numbers) -> Pair:
        one, twin = inner(g)
        return ForEachExample(count, one, axis), np.kron(*(np.eye(count), twin)[:: 1 if axis == 0 else -1])

    return make


def total(*terms: Make) -> Make:
    def make(g: Numbers) -> Pair:
        operators, matrices = zip(*(t(g) for t in terms), strict=True)
        return Sum(operators), sum(matrices[1:], matrices[0])

    return make


def direct_sum(count: int, part: Make, lead: Shape | None = None) -> Make:
    def make(g: Numbers) -> Pair:
        operators, matrices = zip(*(part(g) for _ in range(count)), strict=True)
        axes = lead or (count,)
        rows, columns = matrices[0].shape
        twin = np.zeros((count * rows, count * columns))
        for i, matrix in enumerate(matrices):
            twin[i * rows : (i + 1) * rows, i * columns : (i + 1) * columns] = matrix
        return DirectSum(operators, axes + operators[0].codomain, axes + operators[0].domain), twin

    return make


def direct_sum_of_nothing(codomain: Shape, domain: Shape) -> Make:
    shape = int(np.prod(codomain)), int(np.prod(domain))
    return lambda g: (DirectSum((), codomain, domain, g.dtype), np.zeros(shape))


def block_row(packing: str, *parts: Make) -> Make:
    def make(g: Numbers) -> Pair:
        operators, matrices = zip(*(p(g) for p in parts), strict=True)
        return BlockRow(operators, packing), twins.packed(list(matrices), [o.domain for o in operators], packing)

    return make


def transposed(inner: Make, wrap: Callable[[Jacobian], Jacobian] = lambda j: j.T) -> Make:
    def make(g: Numbers) -> Pair:
        operator, twin = inner(g)
        return wrap(operator), twin.T

    return make


def denominator(inner: Make) -> Make:
    """The same map in denominator layout: the matrix is transposed."""
    return transposed(inner, Denominator)
