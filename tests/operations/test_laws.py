"""Every law over every operation, in every layout, dtype and memory order."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import affine, l2, mean, squared_error, total
from jacobians.layout import Layout
from jacobians.operations import Affine, LogSoftmax, Operation, Softmax
from jacobians.testing import arranged, assert_layouts, assert_operation_laws
from tests.operations.cases import CASES
from tests.operations.combining_cases import COMBINATORS
from tests.operations.loss_cases import LOSSES, REDUCTIONS, loss_case, made
from tests.operations.random_inputs import LAYOUTS, WRITTEN, Numbers, parameters

FEW = settings(max_examples=max(2, settings().max_examples // 50))  # of each of several hundred cases

distinct_sizes = st.permutations([2, 3, 4, 5])
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(["float64", "float32"])
VARIANTS = [*itertools.product(["C", "F", "strided", "read-only"], ["float64", "float32"])]


def rearranging(operation: Callable, memory: str) -> Callable:
    """The operation on copies of its inputs that lie otherwise in memory."""
    if memory == "C":
        return operation

    def rearranged(*arrays: np.ndarray) -> object:
        return operation(*(arranged(a, memory) for a in arrays))

    rearranged.__name__ = f"{operation.name} on {memory} inputs"
    return rearranged


RARE = {
    # a fifth of the cases, and most of the time: the next kind begins with the next layout
    name: [pytest.mark.slow]
    for turn, (kind, often) in enumerate({"nested": 4, "chain": 2, "parallel": 2, "residual": 2}.items())
    for place, name in enumerate(name for name in CASES if name.startswith(f"{kind} "))
    if (place + turn) % often
}


@pytest.mark.parametrize(
    ("place", "name"), [pytest.param(i, name, marks=RARE.get(name, ()), id=name) for i, name in enumerate(CASES)]
)
@FEW
@given(seed=seeds, sizes=distinct_sizes, variant=st.integers(0, len(VARIANTS) - 1))
def test_operation(place: int, name: str, seed: int, sizes: list[int], variant: int) -> None:
    # what is drawn is the same for every case: the place of the case turns it, so that each family meets all variants
    memory, dtype = VARIANTS[(3 * place + variant) % len(VARIANTS)]
    sample = CASES[name](Numbers(seed, sizes))
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in sample.arrays]
    rng = np.random.default_rng(seed)
    operation = rearranging(sample.operation, memory)
    assert_operation_laws(operation, arrays, rng, directions=1, coordinates=0, **sample.laws)


@pytest.mark.parametrize(
    ("name", "seed", "sizes", "dtype"),
    [
        # Jacobians whose terms cancel, against a tolerance that knew only what was left
        ("nested columns-columns-first-C-numerator", 2221208818, [4, 5, 3, 2], "float32"),
        ("nested rows-rows-first-C-denominator", 4125798694, [2, 3, 3, 2], "float32"),
        ("nested columns-rows-separate-F-numerator", 4128419312, [2, 3, 3, 2], "float32"),
        ("nested rows-rows-separate-C-numerator", 3859031646, [5, 3, 4, 2], "float32"),
        ("nested columns-columns-first-C-numerator", 2137618278, [2, 2, 2, 1], "float64"),
        ("binary_cross_entropy none rows-C-denominator", 3869930588, [3, 4, 5, 2], "float32"),
    ],
)
def test_what_once_failed(name: str, seed: int, sizes: list[int], dtype: str) -> None:
    sample = CASES[name](Numbers(seed, sizes))
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in sample.arrays]
    assert_operation_laws(sample.operation, arrays, np.random.default_rng(seed), **sample.laws)


# --- law 6: layouts ------------------------------------------------------------------------------


def network(kind: str) -> Callable[[Numbers, Layout], tuple[Callable[[Layout], Operation], dict[str, np.ndarray]]]:
    """A combinator: how to make it in a layout, and its parameters by name in the one given."""

    def make(g: Numbers, source: Layout) -> tuple[Callable[[Layout], Operation], dict[str, np.ndarray]]:
        sample = COMBINATORS[kind](source)(g)
        named = dict(zip(sample.operation.names[1:], sample.arrays[1:], strict=True))
        return lambda layout: COMBINATORS[kind](layout)(g).operation, named

    return make


@pytest.mark.parametrize("kind", ["affine", *COMBINATORS])
@FEW
@given(seed=seeds, sizes=distinct_sizes, source=st.sampled_from(LAYOUTS), dtype=dtypes)
def test_layouts_of_what_has_parameters(kind: str, seed: int, sizes: list[int], source: Layout, dtype: str) -> None:
    g = Numbers(seed, sizes)
    if kind == "affine":
        make, names = Affine, ("W", "b") if source.bias == "separate" else ("W",)
        named = dict(zip(names, parameters(g, source, g.D, g.K), strict=True))
    else:
        make, named = network(kind)(g, source)
    named = {name: array.astype(dtype) for name, array in named.items()}
    X = g(*source.batch_shape(g.N, g.D)).astype(dtype)
    assert_layouts(make, X, named, np.random.default_rng(seed), source=source)


@FEW
@given(seed=seeds, size=st.integers(1, 3), source=st.sampled_from(LAYOUTS))
def test_layouts_of_square_arrays(seed: int, size: int, source: Layout) -> None:
    """Where every size is the same, no shape gives a wrong transpose away."""
    g = Numbers(seed, [size] * 4)
    make, named = network("chain")(g, source)
    assert_layouts(make, g(size, size), named, np.random.default_rng(seed), source=source)


@pytest.mark.parametrize("make", [Softmax, LogSoftmax])
@FEW
@given(seed=seeds, sizes=distinct_sizes, source=st.sampled_from(LAYOUTS))
def test_layouts_of_what_has_classes(make: type[Operation], seed: int, sizes: list[int], source: Layout) -> None:
    g = Numbers(seed, sizes)
    assert_layouts(make, g(*source.batch_shape(g.N, g.D)), source=source)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
@FEW
@given(seed=seeds, sizes=distinct_sizes, source=st.sampled_from([*WRITTEN, Layout(batch="columns")]))
def test_layouts_of_losses(name: str, reduction: str, seed: int, sizes: list[int], source: Layout) -> None:
    loss = LOSSES[name][0]
    _, (X, Y), *_ = loss_case(name, reduction, source)(Numbers(seed, sizes))

    def make(layout: Layout) -> Callable:
        targets = Y if Y.ndim == 1 or layout.batch == source.batch else Y.T
        return lambda batch: made(loss, reduction, layout)(batch, targets)

    assert_layouts(make, X, source=source)


# --- law 10: long sums ---------------------------------------------------------------------------


def test_long_float32_sums_are_exact() -> None:
    """One running float32 sum of ones stops at 2²⁴ = 16,777,216."""
    count = 20_000_000
    ones = np.ones((count, 2), dtype=np.float32)
    assert total(ones, axis=0)[0].tolist() == [count, count]  # NumPy adds the rows one after another
    one, column = np.ones((1, 1), dtype=np.float32), ones[:, :1]
    assert total(column)[0] == count
    _, J = affine(column, one, np.zeros(1, dtype=np.float32))
    assert J.b.vjp(column) == count
    assert J.W.vjp(column) == count


def test_short_float32_sums_keep_what_is_small_beside_what_is_large() -> None:
    """2²⁴ + 1 is no float32, so 128 ones beside 2²⁴ are lost where they are added to it one by one."""
    x = np.append(4096, np.ones(128)).astype(np.float32)
    exact = 2**24 + 128
    assert total(x * x)[0] == exact
    assert squared_error(x, 0 * x, reduction="sum")[0] == exact
    assert l2(x, 1.0)[0] == exact
    assert 129 * mean(x * x)[0] == pytest.approx(exact, rel=1e-7)
