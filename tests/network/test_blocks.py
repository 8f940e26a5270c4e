"""The gradient block by block: the same but for rounding, in the memory of one block."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Convention, Layout, Network, all_conventions
from jacobians.errors import DomainError, LayoutError, ShapeError
from jacobians.operations import (
    Affine,
    Chain,
    CrossEntropy,
    Elementwise,
    Operation,
    Parallel,
    ReLU,
    Residual,
    Softmax,
)
from jacobians.operations.shaping import Transpose
from jacobians.testing import assert_batch
from tests.network.cases import DENSE_LOSSES, LAYOUTS, inputs, moved_from_zero, short, targets

SIZES = (3, 4, 2)


def assert_same(net: Network, Y: np.ndarray, count: int, block: int, dtype: str = "float64") -> None:
    params = {n: a.astype(dtype) for n, a in moved_from_zero(net.init(np.random.default_rng(0))).items()}
    X = inputs(net, count, 3).astype(dtype)
    whole = net.gradient(params, X, Y, inputs=True)
    found = net.gradient(params, X, Y, inputs=True, block=block)
    assert list(found) == list(whole)
    for name, gradient in whole.items():
        assert found[name].dtype == gradient.dtype == dtype
        scale = np.abs(gradient).max() * np.finfo(dtype).eps
        np.testing.assert_allclose(found[name], gradient, rtol=0, atol=64 * scale, err_msg=name)
        assert found[name].flags.writeable


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_every_preset(preset: Convention) -> None:
    net = Network.dense(SIZES, activation="tanh", convention=preset, l2=0.3 if preset.l2 else 0.0)
    for block in (1, 2, 3, 6, 7, 100):
        assert_same(net, targets(net.loss.name, net.layout, 7, 2), 7, block)


@settings(max_examples=40)
@given(
    layout=st.sampled_from(LAYOUTS),
    loss=st.sampled_from(list(DENSE_LOSSES)),
    reduction=st.sampled_from(["sum", "mean", "mean-all"]),
    count=st.integers(1, 9),
    block=st.integers(1, 9),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_every_layout_loss_and_reduction(
    layout: Layout, loss: str, reduction: str, count: int, block: int, dtype: str
) -> None:
    convention = Convention(short(layout), layout, reduction=reduction, l2="half-over-n")
    net = Network.dense(SIZES, activation="tanh", loss=loss, convention=convention, l2=0.5)
    assert_same(net, targets(loss, layout, count, 2), count, block, dtype)


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("count", [2, 5])
def test_labels_as_one_row_or_one_column(batch: str, count: int) -> None:
    net = Network.dense(SIZES, convention=Convention("test", Layout(batch=batch), reduction="mean"))
    labels = np.arange(count) % 2
    for Y in (labels, labels[:, None], labels[None, :]):
        assert_same(net, Y, count, 1 if count == 2 else 2)


def test_the_memory_is_one_block_s() -> None:
    """64 columns of 8000 examples are 4 MB in each layer; of 100 examples, 51 kB."""
    net = Network.dense((10, 64, 64, 2), activation="relu")
    params, X = net.init(np.random.default_rng(0)), np.random.default_rng(1).normal(size=(8000, 10))
    Y = np.zeros(8000, dtype=int)
    peaks = []
    for block in (None, 100):
        net.gradient(params, X[:200], Y[:200], block=block)
        tracemalloc.start()
        net.gradient(params, X, Y, block=block)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] > 16 << 20
    assert peaks[1] < 1 << 20


def test_sums_over_blocks_do_not_stall() -> None:
    """2²⁵ + 64 · 1 in float32, where a running sum would stay at 2²⁵."""
    net = Network(
        [Affine(Layout(bias="none"))], CrossEntropy("sum", Layout()), Convention("test", Layout(), reduction="sum")
    )
    X = np.ones((65, 1), dtype=np.float32)
    X[0] = 2.0**26
    params = {"W1": np.zeros((1, 2), dtype=np.float32)}
    gradient = net.gradient(params, X, np.zeros(65, dtype=int), block=1)["W1"]
    assert gradient.tolist() == [[-(2.0**25) - 32, 2.0**25 + 32]]


def test_the_same_call_gives_the_same_bits() -> None:
    net = Network.dense(SIZES)
    params, X, Y = net.init(np.random.default_rng(0)), inputs(net, 50, 3), np.arange(50) % 2
    first, second = (net.gradient(params, X, Y, block=8) for _ in range(2))
    for name in first:
        assert first[name].tobytes() == second[name].tobytes()


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [0, -1, 1.5, "many"])
def test_a_block_that_is_no_number_of_examples(block: object) -> None:
    net = Network.dense(SIZES)
    with pytest.raises(ShapeError, match=re.escape(f"block={block!r}; expected a positive number of examples")):
        net.gradient(net.init(np.random.default_rng(0)), inputs(net, 4, 3), [0, 1, 0, 1], block=block)  # type: ignore[arg-type]


def test_what_may_mix_examples_is_not_cut() -> None:
    net = Network([Affine(), Transpose(), Transpose()], CrossEntropy(), "cs231n")
    params = {"W1": np.ones((3, 2)), "b1": np.ones(2)}
    with pytest.raises(LayoutError, match="transpose may mix the examples of a batch, so it cannot be cut into blocks"):
        net.gradient(params, inputs(net, 4, 3), np.array([0, 1, 0, 1]), block=2)


def test_bad_input_gets_the_errors_of_the_whole() -> None:
    net = Network.dense(SIZES)
    params, X = net.init(np.random.default_rng(0)), inputs(net, 4, 3)
    with pytest.raises(ShapeError, match="labels have shape"):
        net.gradient(params, X, np.zeros((4, 3), dtype=int), block=2)
    with pytest.raises(DomainError, match="the mean over no examples"):
        net.gradient(params, X[:0], np.zeros(0, dtype=int), block=2)
    with pytest.raises(DomainError, match="label 2 at position 1"):
        net.gradient(params, X, np.array([0, 0, 1, 2]), block=2)


# --- the claim that an operation makes ---------------------------------------------------------------


def operations() -> list[Operation]:
    layout = Layout()
    return [
        ReLU(),
        Softmax(layout),
        Affine(Layout(bias="none"), (3, 3)),
        Chain(Affine(Layout(bias="none"), (3, 3)), ReLU()),
        Residual(ReLU()),
        Parallel(ReLU(), Softmax(layout)),
    ]


@pytest.mark.parametrize("operation", operations(), ids=lambda o: o.name)
def test_what_says_that_it_acts_on_every_example_alone_does(operation: Operation) -> None:
    assert operation.per_example
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(5, 3)), *(rng.normal(size=s) for s in operation.parameter_shapes().values())]
    assert_batch(operation, arrays, axes=(0, *[None] * (len(arrays) - 1)), out_axis=0)


def test_a_part_that_mixes_makes_the_whole_mix() -> None:
    assert not Transpose().per_example
    assert not Chain(ReLU(), Transpose()).per_example
    assert not Residual(Transpose()).per_example
    assert not Parallel(ReLU(), Transpose()).per_example
    assert Elementwise.per_example
