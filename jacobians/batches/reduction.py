"""One function over all blocks of a batch: tried again where a worker is lost, stopped at once by an error."""

from __future__ import annotations

import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Container
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from jacobians.arrays import counted
from jacobians.batches.blocks import Batches, Blocks
from jacobians.batches.parcels import opened
from jacobians.batches.workers import INFRASTRUCTURE, Workers
from jacobians.errors import DataError, JacobiansError

__all__ = ["Task", "kernel", "over_blocks"]

Task: TypeAlias = Callable[..., Any]
"""From what a block holds, X and Y, what it contributes."""

_TRIES = 3
"""How often workers may be lost while the same block is in flight: a block that kills every worker is no accident."""

_PAUSE = 0.1
"""Seconds before a new executor is made."""


def over_blocks(
    task: Task,
    batches: Batches,
    put: Callable[[int, Any], None],
    workers: Workers | None = None,
    *,
    skip: Container[int] = (),
    on_block: Callable[[int, int], None] | None = None,
    timeout: float | None = None,
) -> set[str]:
    """Call a task on every block, and `put` with each index and result as it arrives; return the kernels at work.

    Parameters
    ----------
    task : callable
        It travels to each worker once, where the executor allows it; picklable where workers are other processes.
    batches : Batches
    put : callable
        In this process, in the order of arrival.
    workers : Workers, optional
        Blocks are computed here, one after another, unless given.
    skip : container of int
        Blocks that are not computed.
    on_block : callable, optional
        Called with how many blocks are done and how many there are.
    timeout : float, optional
        Seconds within which some block must arrive.

    Returns
    -------
    set of str
        What `kernel` said where the blocks were computed.

    Raises
    ------
    DataError
        If the blocks do not hold `batches.count` examples.
    JacobiansError, or what the task raises
        At once, with the block's number and rows.
    BrokenExecutor, TimeoutError
        If workers are lost three times while one block is in flight, or the executor broke and cannot be made anew.
    """
    total = len(batches)
    todo = [index for index in range(total) if index not in skip]
    done, examples = total - len(todo), 0
    kernels: set[str] = set()

    def arrived(index: int, count: int, result: Any, where: str) -> None:
        nonlocal done, examples
        if kernels and where not in kernels:
            warnings.warn(
                f"block {index} was computed by another kernel than blocks before it, so the last bits may differ from "
                f"those of one kernel: {where}; before: {', '.join(sorted(kernels))}",
                RuntimeWarning,
                stacklevel=4,
            )
        kernels.add(where)
        done, examples = done + 1, examples + count
        put(index, result)
        if on_block is not None:
            on_block(done, total)

    if workers is None:
        for index in todo:
            try:
                found = _of_block(task, batches, index)
            except Exception as error:
                raise _named(error, batches, index) from error
            arrived(index, *found)
    else:
        try:
            _handed_out(task, batches, todo, workers, arrived, timeout)
        except _StopError as stop:
            raise stop.named from stop.cause
    if len(todo) == total and examples != batches.count:
        raise DataError(
            f"{counted(total, 'block')} together hold {counted(examples, 'example')}; batches.count is {batches.count}"
        )
    return kernels


def _handed_out(
    task: Task,
    batches: Batches,
    todo: list[int],
    workers: Workers,
    arrived: Callable[[int, int, Any, str], None],
    timeout: float | None,
) -> None:
    """`over_blocks` by workers."""
    waiting = todo[::-1]
    pending: dict[Future[Any], int] = {}
    lost = Counter[int]()
    parts = isinstance(batches, Blocks) and batches.in_memory  # a block travels with its call, not all of them at once
    job = (task, None if parts else batches)
    with ExitStack() as carried:
        carrier: Any = None
        try:
            while waiting or pending:
                try:
                    if carrier is None:
                        carrier = carried.enter_context(workers.parcel(job))
                    limit = workers.in_flight
                    while waiting and len(pending) < limit:
                        index = waiting[-1]
                        what = _read(batches, index) if parts else index
                        pending[workers.submit(_by_worker, carrier, what)] = waiting.pop()
                    finished = wait(pending, timeout, FIRST_COMPLETED).done
                    if not finished:
                        raise TimeoutError(f"no block arrived in {timeout} s")
                    for future in sorted(finished, key=pending.__getitem__):
                        index = pending[future]
                        try:
                            found = future.result()
                        except INFRASTRUCTURE:
                            raise
                        except Exception as error:
                            raise _StopError(_named(error, batches, index), error) from error
                        del pending[future]
                        arrived(index, *found)
                except INFRASTRUCTURE as error:
                    again = sorted(pending.values())
                    lost.update(again)
                    if not workers.go_on or max(lost.values(), default=_TRIES) >= _TRIES:
                        error.add_note(_in_flight(again, workers))
                        raise
                    for future in pending:
                        future.cancel()
                    pending.clear()
                    waiting += again[::-1]
                    workers.remake()
                    carried.close()
                    carrier = None
                    time.sleep(_PAUSE)
        finally:
            for future in pending:
                future.cancel()


def _in_flight(blocks: list[int], workers: Workers) -> str:
    said = f"blocks {', '.join(map(str, blocks[:8]))} were in flight"
    if workers.go_on:
        return said
    return (
        f"{said}; give a function that makes the executor, such as lambda: ProcessPoolExecutor(4), and a new one takes "
        "its place"
    )


class _StopError(Exception):
    """An error of the data or the code; it is not tried again."""

    def __init__(self, named: Exception, cause: Exception) -> None:
        super().__init__()
        self.named, self.cause = named, cause


def _read(batches: Batches, index: int) -> Any:
    try:
        return batches[index]
    except Exception as error:
        raise _StopError(_named(error, batches, index), error) from error


def _by_worker(carrier: Any, what: Any) -> tuple[int, Any, str]:
    """Compute one block, given by its number or as it is."""
    task, batches = opened(carrier)
    return _of_block(task, batches, what) if batches is not None else _called(task, what)


def _of_block(task: Task, batches: Batches, index: int) -> tuple[int, Any, str]:
    return _called(task, batches[index])


def _called(task: Task, block: Any) -> tuple[int, Any, str]:
    count, result = task(*block)
    return count, result, kernel()


def _named(error: Exception, batches: Batches, index: int) -> Exception:
    """The same error, with the block that it is of."""
    where = f"block {index} of {len(batches)}"
    if isinstance(batches, Blocks):
        part = batches.part(index)
        where += f" (examples {part.start} to {part.stop - 1})"
    if isinstance(error, JacobiansError):
        return type(error)(f"{where}: {error}")
    error.add_note(f"in {where}")
    return error


@cache
def kernel() -> str:
    """Return everything that can change the bits of this process's products: NumPy, its BLAS, its kernel, its threads.

    The kernel and the threads come from threadpoolctl where it is installed, and otherwise from the processor's
    features and the environment.

    Examples
    --------
    >>> kernel().startswith("NumPy ")
    True
    """
    said: Any = np.show_config(mode="dicts")
    blas = said.get("Build Dependencies", {}).get("blas", {})
    begin = f"NumPy {np.__version__}, {blas.get('name', 'BLAS')} {blas.get('version', '')}".strip()
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        features = said.get("SIMD Extensions", {}).get("found", [])
        threads = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or "all"
        return f"{begin}, {features[-1] if features else 'no SIMD'}, threads: {threads}"
    found = [pool for pool in threadpool_info() if pool.get("user_api") == "blas"]
    return ", ".join(
        [begin, *(f"{pool.get('architecture', '')}, threads: {pool['num_threads']}" for pool in found[:1])]
    )
