"""A job travels to a worker once where its executor allows it."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from jacobians.batches.parcels import opened, parcel
from tests.batches.test_reduction import Fake


def test_threads_get_the_job_itself() -> None:
    job = {"W": np.ones(3)}
    with ThreadPoolExecutor(1) as pool, parcel(job, pool) as given:
        assert opened(given) is job


def test_processes_read_it_once_from_a_file_that_goes() -> None:
    job = {"W": np.ones(3)}
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))  # no process starts before a call
    with parcel(job, pool) as given:
        file = Path(given.path)
        assert file.exists()
        first = opened(given)
        assert first is not job
        np.testing.assert_array_equal(first["W"], job["W"])
        assert opened(given) is first
    assert not file.parent.exists()
    with parcel({"W": np.zeros(3)}, pool) as given:
        assert not opened(given)["W"].any()
    pool.shutdown()


def test_other_executors_get_it_with_every_call() -> None:
    with parcel({"W": np.ones(3)}, Fake()) as given:
        assert isinstance(given, bytes)
        assert opened(given)["W"].sum() == 3
