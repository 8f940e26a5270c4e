"""The workers that compute blocks: an executor of the standard library's kind, which may break and be made anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from jacobians.arrays import kind_of
from jacobians.batches.blocks import positive
from jacobians.batches.parcels import dask_client, parcel
from jacobians.errors import ArgumentError

__all__ = ["INFRASTRUCTURE", "AnyExecutor", "Workers"]

AnyExecutor: TypeAlias = Executor | Callable[[], Executor]
"""An executor, or a function that makes one, so that a new one can be made where it breaks."""

INFRASTRUCTURE = (BrokenExecutor, CancelledError, TimeoutError, ConnectionError)
"""What is no fault of the data or the code: a worker that died, hung or cannot be reached. The block is tried again."""


class Workers:
    """An executor, and the one that takes its place when it breaks.

    Parameters
    ----------
    executor : Executor or callable
        One that is given is not shut down; one that a function makes is shut down by `close`.
    in_flight : int, optional
        How many blocks are handed out at a time. Unless given, two for each worker, so that none waits for this
        process, or for each core of this machine where the executor does not say how many workers it has.
    """

    def __init__(self, executor: AnyExecutor, in_flight: int | None = None) -> None:
        given = isinstance(executor, Executor)
        if not given and (isinstance(executor, type) or not callable(executor)):
            mend = (
                f"make one, {executor.__name__}(4), or lambda: {executor.__name__}(4)"
                if isinstance(executor, type)
                else "such as ProcessPoolExecutor(4) or client.get_executor()"
            )
            raise ArgumentError(f"executor is {kind_of(executor)}; expected a concurrent.futures.Executor: {mend}")
        self._in_flight = None if in_flight is None else positive(in_flight, "in_flight", "blocks")
        self._make: Callable[[], Executor] | None = None if given else executor  # type: ignore[assignment]
        self._executor: Executor | None = executor if given else None  # type: ignore[assignment]

    @property
    def go_on(self) -> bool:
        """Whether there are workers again after some were lost: a new executor's, or those that dask starts itself."""
        return self._make is not None or dask_client(self._current()) is not None

    def _current(self) -> Executor:
        if self._executor is None:
            assert self._make is not None
            self._executor = self._make()
        return self._executor

    @property
    def in_flight(self) -> int:
        """How many blocks are handed out at a time."""
        if self._in_flight is not None:
            return self._in_flight
        return 2 * int(getattr(self._current(), "_max_workers", None) or os.cpu_count() or 1)

    def parcel(self, job: Any) -> AbstractContextManager[Any]:
        """Return what carries a job to the workers; see `jacobians.batches.parcels.parcel`."""
        return parcel(job, self._current())

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Hand out a call."""
        return self._current().submit(function, *args)

    def remake(self) -> None:
        """Leave an executor that broke or hangs, and its processes, for a new one."""
        if self._make is not None and self._executor is not None:
            hung = list((getattr(self._executor, "_processes", None) or {}).values())
            self._executor.shutdown(wait=False, cancel_futures=True)
            for process in hung:
                process.kill()
            self._executor = None

    def close(self) -> None:
        """Shut down what was made here."""
        if self._make is not None and self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None
