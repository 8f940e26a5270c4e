"""Examples one by one: pieces of a size, a basis for all of them, blocks along either axis."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
import pytest

from jacobians.linops import Selection, by_example, unrolling
from jacobians.linops.by_example import example_basis, probed
from jacobians.testing import assert_blocks
from tests.linops import makers
from tests.linops.dense_twins import Numbers
from tests.linops.makers import Make


def test_slabs_and_steps() -> None:
    """Every entry once and in order, in pieces of no more bytes than there should be."""
    for count, each in itertools.product((0, 1, 5, 7), (0, 1, 3, 4, 100)):
        with mock.patch.object(unrolling, "_SLAB", 6):
            parts = [range(count)[part] for part in unrolling.slabs(count, each)]
        assert [k for part in parts for k in part] == [*range(count)], f"{count} of {each} bytes: {parts}"
        widest = max([1, 6 // each]) if each else 6
        assert all(len(part) == widest for part in parts[:-1]), f"{count} of {each} bytes: {parts}"
        assert all(1 <= len(part) <= widest for part in parts), f"{count} of {each} bytes: {parts}"
        with mock.patch.object(by_example, "STEP_BYTES", 48):
            steps = [range(*step) for step in by_example.example_steps(count, each, np.dtype(float))]
        assert steps == (parts if each else [range(count)][:count]), f"{count} of {each} numbers: {steps}"


def test_bases_of_one_example() -> None:
    """Some of the basis of one example, the same for every example; blocks that are not square."""
    for axis, (start, stop) in itertools.product((0, -1), ((0, 4), (1, 3), (3, 4))):
        shape = (2, 4) if axis == 0 else (4, 2)
        found = example_basis(shape, axis, start, stop, np.dtype(np.float32))
        assert found.shape == (stop - start, *shape)
        assert found.dtype == np.float32
        for k, member in enumerate(found):
            expected = np.zeros((2, 4))
            expected[:, start + k] = 1
            assert np.array_equal(member if axis == 0 else member.T, expected)
    for key, shape, axis in (((slice(None), slice(1, None)), (2, 4), 0), ((slice(1, None), slice(None)), (4, 2), -1)):
        blocks = probed(Selection(key, shape), axis)
        assert np.array_equal(np.broadcast_to(blocks, (2, 3, 4)), [np.eye(3, 4, 1)] * 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "make",
    [
        makers.diagonal(2, 3, 4),
        makers.minus_outer((2, 3, 4), 1),
        makers.total(makers.diagonal(2, 3, 4), makers.minus_outer((2, 3, 4), 1)),
    ],
    ids=["diagonal", "softmax", "sum"],
)
def test_blocks_of_arrays_of_three_axes(make: Make, dtype: str) -> None:
    operator, twin = make(Numbers(dtype))
    assert_blocks(operator, matrix=twin)
