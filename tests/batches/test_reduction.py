"""One function over all blocks: bounded in flight, tried again where workers are lost, stopped by other errors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import pytest

from jacobians import in_blocks
from jacobians.batches.reduction import over_blocks
from jacobians.batches.workers import Workers
from jacobians.errors import ArgumentError, DataError, DomainError, ShapeError

BATCHES = in_blocks(np.arange(20.0).reshape(20, 1), np.arange(20), 2)


def total(X: np.ndarray, Y: np.ndarray) -> tuple[int, float]:
    return len(X), float(X.sum())


def at_six(X: np.ndarray, Y: np.ndarray) -> tuple[int, float]:
    if 6 in Y:
        raise DomainError("label 6 is not known")
    return len(X), 0.0


def fault(X: np.ndarray, Y: np.ndarray) -> tuple[int, float]:
    return len(X), 1 // int(Y[0] - 8)


class Fake(Executor):
    """Computes at once; the calls with these numbers end in a broken pool, or never."""

    _max_workers = 2

    def __init__(self, breaks: set[int] = frozenset(), hangs: set[int] = frozenset(), start: int = 0) -> None:  # type: ignore[assignment]
        self.breaks, self.hangs, self.calls, self.open = breaks, hangs, start, 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.calls += 1
        if self.calls in self.breaks:
            future.set_exception(BrokenProcessPool("a process died"))
        elif self.calls not in self.hangs:
            try:
                future.set_result(function(*args))
            except Exception as error:
                future.set_exception(error)
        return future


def collected(workers: Workers | None, task: Any = total, **options: Any) -> dict[int, float]:
    found: dict[int, float] = {}
    over_blocks(task, BATCHES, found.__setitem__, workers, **options)
    return found


EXPECTED = {i: 8.0 * i // 2 + 1 for i in range(10)}


def test_every_block_arrives_once() -> None:
    with ThreadPoolExecutor(3) as pool:
        for workers in (None, Workers(pool), Workers(Fake())):
            said: list[tuple[int, int]] = []
            found = collected(workers, on_block=lambda *numbers, said=said: said.append(numbers))
            assert found == EXPECTED
            assert said == [(i, 10) for i in range(1, 11)]


def test_blocks_are_skipped() -> None:
    assert sorted(collected(None, skip={0, 3})) == [1, 2, 4, 5, 6, 7, 8, 9]


def test_in_flight_is_bounded() -> None:
    class Counting(Fake):
        most = 0

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.open += 1
            self.most = max(self.most, self.open)
            return super().submit(function, *args)

    executor = Counting()

    def put(index: int, found: float) -> None:
        executor.open -= 1

    over_blocks(total, BATCHES, put, Workers(executor))
    assert executor.most == 4
    executor.most = 0
    over_blocks(total, BATCHES, put, Workers(executor, 7))
    assert executor.most == 7
    with pytest.raises(ShapeError, match="in_flight=0; expected a positive number of blocks"):
        Workers(executor, 0)


def test_a_broken_executor_is_made_anew() -> None:
    made: list[Fake] = []

    def make() -> Fake:
        made.append(Fake(breaks={3} if not made else set()))
        return made[-1]

    assert collected(Workers(make)) == EXPECTED
    assert len(made) == 2


def test_a_hanging_worker_is_given_up() -> None:
    made: list[Fake] = []

    def make() -> Fake:
        made.append(Fake(hangs={1, 2, 3, 4} if not made else set()))
        return made[-1]

    assert collected(Workers(make), timeout=0.05) == EXPECTED
    assert len(made) == 2


def test_a_block_that_kills_every_worker_stops_it() -> None:
    with pytest.raises(BrokenProcessPool) as caught:
        collected(Workers(lambda: Fake(breaks={1})))
    assert caught.value.__notes__[0].startswith("blocks 0, ")
    assert caught.value.__notes__[0].endswith(" were in flight")


def test_an_executor_that_was_given_is_not_made_anew() -> None:
    with pytest.raises(BrokenProcessPool) as caught:
        collected(Workers(Fake(breaks={5})))
    assert "give a function that makes the executor" in caught.value.__notes__[0]


@pytest.mark.parametrize("make", [lambda: None, lambda: Workers(Fake())], ids=["here", "workers"])
def test_an_error_of_the_data_or_the_code_names_the_block(make: Callable[[], Workers | None]) -> None:
    with pytest.raises(DomainError, match=r"^block 3 of 10 \(examples 6 to 7\): label 6 is not known$"):
        collected(make(), at_six)
    with pytest.raises(ZeroDivisionError) as caught:
        collected(make(), fault)
    assert caught.value.__notes__ == ["in block 4 of 10 (examples 8 to 9)"]


def test_an_error_is_not_tried_again() -> None:
    executor = Fake()
    with pytest.raises(DomainError):
        collected(Workers(lambda: executor), at_six)
    assert executor.calls <= 8


class Fewer:
    count = 21

    def __len__(self) -> int:
        return len(BATCHES)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return BATCHES[index]


def test_blocks_that_do_not_hold_what_count_says() -> None:
    with pytest.raises(DataError, match=r"10 blocks together hold 20 examples; batches\.count is 21"):
        over_blocks(total, Fewer(), lambda index, found: None)


def test_a_mixture_of_kernels_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(["Haswell", *["SkylakeX"] * 20])
    monkeypatch.setattr("jacobians.batches.reduction.kernel", lambda: next(said))
    with pytest.warns(RuntimeWarning, match="block 1 was computed by another kernel .*: SkylakeX; before: Haswell"):
        kernels = over_blocks(total, BATCHES, lambda index, found: None)
    assert kernels == {"Haswell", "SkylakeX"}


def test_what_is_no_executor() -> None:
    with pytest.raises(ArgumentError, match=r"such as ProcessPoolExecutor\(4\)"):
        Workers(4)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"lambda: ThreadPoolExecutor\(4\)"):
        Workers(ThreadPoolExecutor)
