"""Hypothesis strategies: layouts, conventions, arrays, structured Jacobians, operations, graphs, networks with data.

Shapes and choices are drawn, and shrink; numbers come from a drawn seed. Sizes are pairwise distinct unless told
otherwise, since square shapes hide transposes. Importing this module, which needs hypothesis, registers the strategies
of `Layout` and `Convention`, so ``st.from_type(Layout)`` works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from jacobians.array_names import ArrayNames
from jacobians.arrays import Array, Shape, size_of
from jacobians.conventions import Convention, Packing, Penalty, Reduction
from jacobians.layout import Bias, Derivative, Layout, Lines, Order
from jacobians.linops import (
    BlockDiagonal,
    Commutation,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Reshape,
    Selection,
    Sparse,
    Zero,
)
from jacobians.network import Network
from jacobians.operations import (
    GELU,
    L2,
    Add,
    AddOnes,
    Affine,
    BinaryCrossEntropy,
    Chain,
    CrossEntropy,
    Exp,
    Hadamard,
    LeakyReLU,
    Log,
    LogSoftmax,
    MatMul,
    Mean,
    Parallel,
    Power,
    ReLU,
    Residual,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Square,
    SquaredError,
    Tanh,
    Total,
    Transpose,
)
from jacobians.presets import all_conventions
from jacobians.testing.compare import OperationLike
from jacobians.testing.purity_and_dtype import Memory, arranged
from jacobians.testing.random_graphs import GraphCase, random_graph

__all__ = [
    "GraphCase",
    "NetworkCase",
    "OperationCase",
    "StructureCase",
    "any_conventions",
    "arrays",
    "cotangents",
    "distinct_sizes",
    "graphs",
    "layouts",
    "networks",
    "operations",
    "structures",
    "tangents",
]


# --- sizes and arrays ------------------------------------------------------------------------------------


def distinct_sizes(count: int, low: int = 1, high: int = 6) -> st.SearchStrategy[tuple[int, ...]]:
    """Return a strategy of `count` pairwise distinct sizes, so that no transpose goes unnoticed.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(distinct_sizes(3), lambda sizes: True)
    (1, 2, 3)
    """
    sizes = st.lists(st.integers(low, max(high, low + count - 1)), min_size=count, max_size=count, unique=True)
    return sizes.map(tuple)


def generators() -> st.SearchStrategy[np.random.Generator]:
    """Return a strategy of random generators by their seed."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape,
    *,
    dtype: npt.DTypeLike = np.float64,
    margin: float = 0.0,
    saturated: bool = False,
    memory: Memory | None = None,
) -> Array:
    """Draw an array of the given shape, in any memory order, read-only among them.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    margin : float
        No entry is nearer to 0 than this: a distance from the kinks of ReLU and its kin.
    saturated : bool
        Scale entries up to 10³, where sigmoids saturate and exponentials overflow if written carelessly.
    memory : {"C", "F", "strided", "read-only"}, optional
        Any, unless given.
    """
    rng = draw(generators())
    values = rng.normal(size=shape)
    if saturated:
        values = values * 10.0 ** rng.uniform(-3, 3, size=shape)
    if margin:
        values = np.where(values < 0, -1.0, 1.0) * (margin + np.abs(values))
    order = draw(st.sampled_from(get_args(Memory))) if memory is None else memory
    return arranged(values.astype(dtype), order)


def tangents(jacobian: Jacobian) -> st.SearchStrategy[Array]:
    """Return a strategy of arrays that the Jacobian's `jvp` takes."""
    return arrays(jacobian.domain, dtype=jacobian.dtype)


def cotangents(jacobian: Jacobian) -> st.SearchStrategy[Array]:
    """Return a strategy of arrays that the Jacobian's `vjp` takes."""
    return arrays(jacobian.codomain, dtype=jacobian.dtype)


# --- layouts and conventions -----------------------------------------------------------------------------


def layouts(**fixed: str) -> st.SearchStrategy[Layout]:
    """Return a strategy of layouts, all 64 unless some fields are fixed.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(layouts(bias="first"))
    ... def test(layout):
    ...     assert layout.absorbs_bias
    >>> test()
    """
    choices = {"batch": Lines, "weights": Lines, "bias": Bias, "vec": Order, "derivative": Derivative}
    drawn = {name: st.sampled_from(get_args(kind)) for name, kind in choices.items()}
    return st.builds(Layout, **(drawn | {name: st.just(value) for name, value in fixed.items()}))


def any_conventions(
    *, presets: bool = True, layout: st.SearchStrategy[Layout] | None = None
) -> st.SearchStrategy[Convention]:
    """Return a strategy of conventions: random ones that reduce to one number, and the presets.

    Parameters
    ----------
    presets : bool
        Whether the named presets are among them.
    layout : strategy, optional
        Of the random ones' layouts.
    """
    reductions = [r for r in get_args(Reduction) if r != "none"]
    random = st.builds(
        Convention,
        name=st.just("random"),
        layout=layouts() if layout is None else layout,
        reduction=st.sampled_from(reductions),
        l2=st.sampled_from(get_args(Penalty)),
        l2_bias=st.booleans(),
        packing=st.sampled_from(get_args(Packing)),
        names=st.sampled_from([ArrayNames(), ArrayNames(weight="Theta{l}", bias="c{l}")]),
    )
    return st.one_of(random, st.sampled_from(all_conventions())) if presets else random


# --- structured Jacobians --------------------------------------------------------------------------------


class StructureCase(NamedTuple):
    """A structured Jacobian, and its matrix in C order from NumPy alone."""

    jacobian: Jacobian
    twin: Array


_Draw = Callable[[np.random.Generator, tuple[int, ...]], StructureCase]


def structures() -> st.SearchStrategy[StructureCase]:
    """Return a strategy of structured Jacobians with independent dense twins; composites are made by ``@`` and ``+``.

    Examples
    --------
    >>> from hypothesis import given
    >>> from jacobians.testing import assert_dense_twin
    >>> @given(structures())
    ... def test(case):
    ...     assert_dense_twin(case.jacobian, case.twin)
    >>> test()
    """
    leaves = st.builds(
        lambda make, rng, sizes: make(rng, sizes), st.sampled_from(_LEAVES), generators(), distinct_sizes(4)
    )
    return st.one_of(leaves, leaves.map(_gram), leaves.map(_doubled), leaves.map(_turned))


def _gram(case: StructureCase) -> StructureCase:
    return StructureCase(case.jacobian.T @ case.jacobian, case.twin.T @ case.twin)


def _doubled(case: StructureCase) -> StructureCase:
    return StructureCase(case.jacobian + 0.5 * case.jacobian, 1.5 * case.twin)


def _turned(case: StructureCase) -> StructureCase:
    return StructureCase(case.jacobian.T, case.twin.T)


def _identity(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    shape = sizes[:2]
    return StructureCase(Identity(shape), np.eye(size_of(shape)))


def _zero(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    return StructureCase(Zero(sizes[:1], sizes[1:3]), np.zeros((sizes[0], sizes[1] * sizes[2])))


def _reshape(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    m, n = sizes[:2]
    return StructureCase(Reshape((m * n,), (m, n)), np.eye(m * n))


def _diagonal(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    values = rng.normal(size=sizes[:2])
    return StructureCase(Diagonal(values), np.diag(values.ravel()))


def _kronecker(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    p, n, r, q = sizes
    A, B = rng.normal(size=(p, n)), rng.normal(size=(r, q))
    return StructureCase(Kronecker(A, B), np.kron(A, B))


def _kronecker_right(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    p, r, q, _ = sizes
    B = rng.normal(size=(r, q))
    return StructureCase(Kronecker(p, B), np.kron(np.eye(p), B))


def _kronecker_left(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    p, n, r, _ = sizes
    A = rng.normal(size=(p, n))
    return StructureCase(Kronecker(A, r), np.kron(A, np.eye(r)))


def _commutation(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    m, n = sizes[:2]
    places = np.arange(m * n).reshape(m, n)
    return StructureCase(Commutation(m, n), np.eye(m * n)[places.T.ravel()])


def _selection(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    domain = sizes[:2]
    index = rng.integers(0, size_of(domain), size=(sizes[2], sizes[3]))
    return StructureCase(Selection(index, domain), np.eye(size_of(domain))[index.ravel()])


def _slices(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    domain = sizes[:2]
    key = (slice(None), slice(1, None))
    kept = np.arange(size_of(domain)).reshape(domain)[key]
    return StructureCase(Selection(key, domain), np.eye(size_of(domain))[kept.ravel()])


def _blocks(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    count, p, q, _ = sizes
    blocks = rng.normal(size=(count, p, q))
    twin = np.zeros((count * p, count * q))
    for n, block in enumerate(blocks):
        twin[n * p : (n + 1) * p, n * q : (n + 1) * q] = block
    return StructureCase(BlockDiagonal(blocks, (count, p), (count, q)), twin)


def _minus_outer(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    shape: Shape = sizes[:2]
    d, u, v = rng.normal(size=(3, *shape))
    twin = np.zeros((d.size, d.size))
    for n in range(shape[0]):
        row = slice(n * shape[1], (n + 1) * shape[1])
        twin[row, row] = np.diag(d[n]) - np.outer(u[n], v[n])
    return StructureCase(DiagonalMinusOuter(d, u, v, axis=-1), twin)


def _khatri_rao(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    count, a, b, _ = sizes
    left, right = rng.normal(size=(count, a)), rng.normal(size=(count, b))
    return StructureCase(KhatriRao(left, right), np.stack([np.kron(x, y) for x, y in zip(left, right, strict=True)]))


def _low_rank(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    left, right = rng.normal(size=(sizes[0], 2)), rng.normal(size=(*sizes[1:3], 2))
    return StructureCase(LowRank(left, right), left @ right.reshape(-1, 2).T)


def _dense(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    array = rng.normal(size=sizes)
    return StructureCase(Dense(array, sizes[:2]), array.reshape(sizes[0] * sizes[1], -1))


def _sparse(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    from scipy.sparse import csr_array

    matrix = rng.normal(size=(sizes[0], sizes[1] * sizes[2]))
    matrix[rng.random(matrix.shape) < 0.5] = 0
    return StructureCase(Sparse(csr_array(matrix), sizes[:1], sizes[1:3]), matrix)


_LEAVES: tuple[_Draw, ...] = (
    _identity,
    _zero,
    _reshape,
    _diagonal,
    _kronecker,
    _kronecker_left,
    _kronecker_right,
    _commutation,
    _selection,
    _slices,
    _blocks,
    _minus_outer,
    _khatri_rao,
    _low_rank,
    _dense,
    _sparse,
)


# --- operations ------------------------------------------------------------------------------------------


class OperationCase(NamedTuple):
    """An operation, or a loss, and arrays that it takes; inputs of a loss after the first are held constant."""

    operation: OperationLike | Callable[..., Any]
    arrays: list[Array]


_Make = Callable[[np.random.Generator, tuple[int, ...], Layout], OperationCase]


def operations(layout: st.SearchStrategy[Layout] | None = None) -> st.SearchStrategy[OperationCase]:
    """Return a strategy of the library's operations with matching inputs.

    Parameters
    ----------
    layout : strategy, optional
        All layouts unless given.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from jacobians.testing import assert_operation_laws
    >>> @given(operations())
    ... @settings(max_examples=5, deadline=None)
    ... def test(case):
    ...     assert_operation_laws(*case)
    >>> test()
    """
    chosen = layouts() if layout is None else layout
    return st.builds(
        lambda make, *given: make(*given), st.sampled_from(_MAKERS), generators(), distinct_sizes(3, 2), chosen
    )


def _own(rng: np.random.Generator, layout: Layout, n_in: int, n_out: int) -> list[Array]:
    W = rng.normal(size=layout.weight_shape(n_in, n_out))
    return [W, rng.normal(size=layout.bias_shape(n_out))] if layout.bias == "separate" else [W]


def _affine(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    count, n_in, n_out = sizes
    X = rng.normal(size=layout.batch_shape(count, n_in))
    return OperationCase(Affine(layout), [X, *_own(rng, layout, n_in, n_out)])


def _add_ones(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    absorbing = layout if layout.absorbs_bias else layout.replace(bias="first")
    return OperationCase(AddOnes(absorbing), [rng.normal(size=layout.batch_shape(*sizes[:2]))])


def _elementwise(make: Callable[[], OperationLike], *, positive: bool = False) -> _Make:
    def draw(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
        sign = np.ones(sizes[:2]) if positive else rng.choice([-1.0, 1.0], size=sizes[:2])
        return OperationCase(make(), [sign * rng.uniform(0.25, 2.0, size=sizes[:2])])

    return draw


def _unary(make: Callable[[Layout], OperationLike]) -> _Make:
    return lambda rng, sizes, layout: OperationCase(make(layout), [rng.normal(size=sizes[:2])])


def _binary(make: Callable[[Layout], OperationLike], *, product: bool = False) -> _Make:
    def draw(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
        second = sizes[1:] if product else sizes[:2]
        return OperationCase(make(layout), [rng.normal(size=sizes[:2]), rng.normal(size=second)])

    return draw


def _loss(make: Callable[..., Callable[..., Any]], targets: str) -> _Make:
    def draw(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
        X = rng.normal(size=layout.batch_shape(*sizes[:2]))
        Y: Array
        if targets == "labels":
            Y = rng.integers(0, sizes[1], sizes[0])
        else:
            Y = rng.random(X.shape)
        reduction = rng.choice(["mean", "sum", "mean-all", "none"])
        return OperationCase(make(reduction=str(reduction), layout=layout), [X, Y])

    return draw


def _l2(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    return OperationCase(L2(0.3, layout), [rng.normal(size=layout.weight_shape(*sizes[:2]))])


def _chain(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    count, n_in, n_out = sizes
    net = Chain(Affine(layout), Tanh(), Residual(Chain(Affine(layout), Sigmoid()), layout), layout=layout)
    X = rng.normal(size=layout.batch_shape(count, n_in))
    return OperationCase(net, [X, *_own(rng, layout, n_in, n_out), *_own(rng, layout, n_out, n_out)])


def _parallel(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    count, n_in, n_out = sizes
    net = Parallel(Affine(layout), Softplus(), layout=layout)
    return OperationCase(net, [rng.normal(size=layout.batch_shape(count, n_in)), *_own(rng, layout, n_in, n_out)])


_MAKERS: tuple[_Make, ...] = (
    _affine,
    _add_ones,
    *(_elementwise(make) for make in (Sigmoid, Tanh, ReLU, LeakyReLU, Softplus, GELU, SiLU, Exp, Square)),
    _elementwise(Log, positive=True),
    _elementwise(lambda: Power(1.5), positive=True),
    *(_unary(make) for make in (Softmax, LogSoftmax, Transpose)),
    _unary(lambda layout: Total(0, layout)),
    _unary(lambda layout: Mean(None, layout)),
    _binary(MatMul, product=True),
    _binary(Hadamard),
    _binary(Add),
    _loss(CrossEntropy, "labels"),
    _loss(BinaryCrossEntropy, "unit"),
    _loss(SquaredError, "unit"),
    _l2,
    _chain,
    _parallel,
)


# --- graphs ----------------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn, *, low: int = 3, high: int = 30) -> GraphCase:
    """Draw a forward pass of values that are used several times, with its inputs; it shrinks step by step.

    Parameters
    ----------
    low, high : int
        Steps, each an operation.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from jacobians.testing import assert_graph_laws
    >>> @given(graphs(high=5))
    ... @settings(max_examples=3, deadline=None)
    ... def test(case):
    ...     assert_graph_laws(case, case.arrays, twins=case.twins)
    >>> test()
    """
    seed, size = draw(st.integers(0, 2**32 - 1)), draw(st.integers(low, high))
    return random_graph(seed, size, draw(st.sampled_from(["float64", "float32"])))


# --- networks --------------------------------------------------------------------------------------------


class NetworkCase(NamedTuple):
    """A network, its parameters, and a batch with labels or targets."""

    network: Network
    params: dict[str, Array]
    X: Array
    Y: Array


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    convention: st.SearchStrategy[Convention] | None = None,
    layers: int = 2,
    activation: str | None = None,
    loss: str | None = None,
) -> NetworkCase:
    """Draw a fully connected network with random parameters, biases among them, and data.

    Parameters
    ----------
    convention : strategy, optional
        Any, presets included, unless given.
    layers : int
        Affine layers.
    activation, loss : str, optional
        Any smooth activation, and cross-entropy, binary or squared error, unless given.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> @given(networks(activation="tanh"))
    ... @settings(max_examples=5)
    ... def test(case):
    ...     assert set(case.network.gradient(*case[1:])) == set(case.params)
    >>> test()
    """
    chosen = draw(any_conventions() if convention is None else convention)
    count, *sizes = draw(distinct_sizes(layers + 2, 2, layers + 5))
    kind = loss or draw(st.sampled_from(["cross_entropy", "binary_cross_entropy", "squared_error"]))
    function = activation or draw(st.sampled_from(["sigmoid", "tanh", "softplus", "gelu", "silu"]))
    strength = draw(st.sampled_from([0.0, 0.1])) if chosen.l2 else 0.0
    network = Network.dense(sizes, activation=function, loss=kind, convention=chosen, l2=strength)
    rng = draw(generators())
    params = {name: rng.normal(size=shape) / np.sqrt(shape[-1]) for name, shape in network.shapes().items()}
    shape = network.layout.batch_shape(count, sizes[0])
    Y: Array
    if network.loss.takes in ("labels", "zero-one"):
        Y = rng.integers(0, sizes[-1], count)
    else:
        Y = rng.normal(size=network.layout.batch_shape(count, sizes[-1]))
        Y = np.sign(Y) if network.loss.takes == "signs" else Y
    return NetworkCase(network, params, rng.normal(size=shape), Y)


st.register_type_strategy(Layout, layouts())
st.register_type_strategy(Convention, any_conventions())
