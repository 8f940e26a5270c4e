"""Sums over a binary tree: the same bits in any order of arrival, and after a state was stored."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jacobians.batches.tree import TreeSum


def recursive(values: list[np.ndarray]) -> np.ndarray:
    """The same tree from its root: the first half is the largest power of 2 below the number of values."""
    if len(values) == 1:
        return values[0]
    half = 1 << (len(values) - 1).bit_length() - 1
    return recursive(values[:half]) + recursive(values[half:])


@given(count=st.integers(1, 40), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_any_order_of_arrival(count: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=3) * 10.0 ** rng.integers(-8, 8) for _ in range(count)]
    order = data.draw(st.permutations(range(count)))
    cut = data.draw(st.integers(0, count))
    total = TreeSum(count)
    for i in order[:cut]:
        total.put(i, {"a/b": values[i]})
    resumed = TreeSum(count)
    resumed.restore(total.state())
    assert resumed.done == set(order[:cut])
    for i in order[cut:]:
        resumed.put(i, {"a/b": values[i]})
    assert resumed.result()["a/b"].tobytes() == recursive(values).tobytes()


def test_a_running_sum_would_give_other_bits() -> None:
    values = [np.array([1.0]), np.array([1e-16]), np.array([1e-16]), np.array([1e-16])]
    total = TreeSum(4)
    for i, value in enumerate(values):
        total.put(i, {"a": value})
    assert total.result()["a"] > 1.0
    assert sum(values) == 1.0


def test_few_partial_sums_wait() -> None:
    total = TreeSum(1000)
    for i in range(1000):
        total.put(i, {"a": np.ones(1, np.float32)})
        assert len(total._waiting) <= math.log2(1000) + 1
    assert total.result()["a"].dtype == np.float64
    assert total.result()["a"] == 1000


def test_records_are_not_written_to() -> None:
    first, second = np.ones(2), np.ones(2)
    total = TreeSum(2)
    total.put(1, {"a": first})
    total.put(0, {"a": second})
    assert (first == 1).all()
    assert (second == 1).all()
