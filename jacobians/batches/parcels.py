"""How a job reaches workers: once each where their executor allows it, and otherwise with every block."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["dask_client", "opened", "parcel"]


@dataclass(frozen=True)
class _Stored:
    """The name of a file that holds a pickled job, in a folder that only this user may enter."""

    path: str


def dask_client(executor: Executor) -> Any:
    """Return the client behind an executor of dask; None for any other executor."""
    return executor._client if type(executor).__module__.startswith("distributed.") else None  # type: ignore[attr-defined]


@contextmanager
def parcel(job: Any, executor: Executor) -> Iterator[Any]:
    """Yield the argument that stands for a job in calls, while the calls go on.

    Threads get the job itself. Processes of this machine read it from a file, once each. Dask sends it to each worker
    once. Any other executor gets its pickled bytes with every call.

    Parameters
    ----------
    job : object
        It must be picklable where workers are other processes.
    executor : Executor
    """
    if isinstance(executor, ThreadPoolExecutor):
        yield job
    elif isinstance(executor, ProcessPoolExecutor):
        with tempfile.TemporaryDirectory(prefix="jacobians-") as folder:
            path = Path(folder, "job")
            path.write_bytes(pickle.dumps(job))
            yield _Stored(str(path))
    elif (client := dask_client(executor)) is not None:
        yield client.scatter(job, broadcast=True, hash=False)
    else:
        yield pickle.dumps(job)


def opened(given: Any) -> Any:
    """Return the job that a `parcel` stands for, where a block is computed."""
    match given:
        case _Stored():
            return _read(given.path)
        case bytes():
            return pickle.loads(given)
    return given


@lru_cache(maxsize=1)
def _read(path: str) -> Any:
    return pickle.loads(Path(path).read_bytes())
