"""What a replay leaves out changes nothing that can be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians import affine, relu, replayed, squared_error
from jacobians.recording.calls import copy_into
from tests.recording.test_function import same_bits

Arrays = list[np.ndarray]


@pytest.fixture(autouse=True)
def as_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of this file stand for the library's own code, which writes into arrays of its own."""
    monkeypatch.setattr("jacobians.recording.tape.by_library", lambda: True)


def calls_of(function: Callable[..., object], *arrays: np.ndarray) -> list[Callable[..., object]]:
    """The functions that a replay calls."""
    fast = replayed(function)
    fast(*arrays)
    return [call for call, _ in fast._known[0]._replay._code]


def two(A: np.ndarray) -> Arrays:
    B = A + 1
    return [B, B.copy()]


def copies_of_one(A: np.ndarray) -> Arrays:
    B = A + 1
    return [B.copy(), B.copy(), B.copy().copy()]


def original_written(A: np.ndarray) -> Arrays:
    B = A + 1
    C = B.copy()
    B *= 2
    return [C, B]


def original_written_inside(A: np.ndarray) -> Arrays:
    B = A + 1
    C = B.copy()
    B *= 2
    return [C, B.sum(axis=0)]


def copy_written(A: np.ndarray) -> Arrays:
    B = A + 1
    C = B.copy()
    C[0] = 7
    return [B * 2, C]


def of_an_argument(A: np.ndarray) -> Arrays:
    return [A.copy(), A.copy() + 1]


def of_a_part(A: np.ndarray) -> Arrays:
    B = A + 1
    return [B[:1].copy(), B.sum(axis=0)]


def turned(A: np.ndarray) -> Arrays:
    B = (A + 1).T
    return [B.copy(order="K")[1:], B.copy(), B.copy().ravel(order="K") + 1]


def other_dtype(A: np.ndarray) -> Arrays:
    return [(A + 1).astype(np.float32) + np.float32(1), (A * 9).astype(np.int64)]


OUTSIDE = (two, copies_of_one, original_written, original_written_inside, copy_written, of_an_argument, of_a_part)
TANGLES = {f.__name__: f for f in (*OUTSIDE, turned, other_dtype)}


@pytest.mark.parametrize("name", TANGLES)
@pytest.mark.parametrize("rows", [2, 2000], ids=["copied", "bound"])
def test_copies_left_out_are_not_missed(name: str, rows: int) -> None:
    function = TANGLES[name]
    fast = replayed(function)
    for seed in range(3):
        A = np.random.default_rng(seed).normal(size=(rows, 3))
        found, expected = fast(A), function(A)
        same_bits(found, expected)
        for one in found:
            assert not np.shares_memory(one, A)
            assert one.base is None or one.base.nbytes < 2 * one.nbytes, "a small result keeps a large array alive"
        for i, one in enumerate(found):
            assert not any(np.shares_memory(one, other) for other in found[:i])
    assert fast.runs == 1


@pytest.mark.parametrize(("name", "copies"), [("two", 1), ("copies_of_one", 2), ("original_written", 1)])
def test_only_copies_that_can_be_told_from_their_original_are_made(name: str, copies: int) -> None:
    assert calls_of(TANGLES[name], np.ones((2, 3))).count(copy_into) == copies


def test_a_gradient_is_not_copied_out_of_its_jacobian() -> None:
    def gradient(X: np.ndarray, W: np.ndarray, b: np.ndarray, Y: np.ndarray) -> np.ndarray:
        Z, J = affine(X, W, b)
        _, row = squared_error(Z, Y)
        return (row @ J.W).gradient

    assert copy_into not in calls_of(gradient, np.ones((3, 2)), np.ones((2, 2)), np.ones(2), np.ones((3, 2)))


@pytest.mark.parametrize("size", [3, 5000], ids=["looked through", "reduced"])
def test_decisions_by_any_and_all(size: int) -> None:
    def sides(A: np.ndarray) -> np.ndarray:
        some, every = 2.0 if (A > 0).any() else 3.0, 5.0 if (A < 1).all() else 7.0
        return A * (some * every)

    for first in (-1.0, 0.5, 2.0):
        fast = replayed(sides)
        fast(np.full(size, first))
        for value in (-1.0, 0.5, 2.0):
            A = np.full(size, value)
            for at_end in (value, -3.0, 3.0):
                A[-1] = at_end
                np.testing.assert_array_equal(fast(A), sides(A))


def part_written(A: np.ndarray) -> np.ndarray:
    out = np.zeros_like(A)
    out[0] = A[1]
    return out + 1


def then_read(A: np.ndarray) -> list[np.ndarray]:
    out = np.ones_like(A)
    before = out + A
    out *= A
    np.add(out, out, out=out)
    return [before, out - 1, out]


def filled_by(A: np.ndarray) -> np.ndarray:
    out = np.empty_like(A)
    out.fill(A[0, 0])
    return out * A


def filled_twice(A: np.ndarray) -> list[np.ndarray]:
    out = np.empty_like(A)
    out.fill(2)
    first = out * A
    out.T.fill(3)
    return [first, out * A]


FILLED: dict[str, Callable[[np.ndarray], Any]] = {
    "over zeros": lambda A: np.maximum(A, np.zeros_like(A)),
    "into the zeros": lambda A: relu(A)[0],
    "zeros themselves": lambda A: (np.zeros_like(A), np.ones_like(A) + A),
    "a view of ones": lambda A: np.ones_like(A).T[1:] * A.T[1:],
    "written in part": part_written,
    "written, then read": then_read,
    "filled by a number of the array": filled_by,
    "filled twice": filled_twice,
    "masked": lambda A: np.add(A, 1, out=np.ones_like(A), where=A > 0),
}


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("rows", [2, 2000], ids=["copied", "bound"])
def test_what_holds_one_number_is_read_as_a_constant(name: str, rows: int) -> None:
    function = FILLED[name]
    fast = replayed(function)
    for seed in range(3):
        A = np.random.default_rng(seed).normal(size=(rows, 3))
        same_bits(fast(A), function(A))
        same_bits(fast(A), function(A))
    assert fast.runs == 1


def test_constants_are_written_once_for_all_replays() -> None:
    assert calls_of(lambda A: np.zeros_like(A) + A, np.ones(3)) == [np.add]
    calls = calls_of(lambda A: relu(relu(A)[0])[0], np.ones((2, 3)))
    assert np.ndarray.fill not in calls
    assert len(calls) == 2


def test_what_is_written_whole_was_for_nothing_written_before() -> None:
    def twice(A: np.ndarray) -> np.ndarray:
        out = np.exp(A)
        np.add(A, 1, out=out)
        return out

    assert calls_of(twice, np.ones(3)) == [np.add]


def test_what_nothing_reads_is_not_called() -> None:
    def wasteful(A: np.ndarray) -> np.ndarray:
        np.exp(A * 100)
        return A + 1

    assert calls_of(wasteful, np.ones(3)) == [np.add]
