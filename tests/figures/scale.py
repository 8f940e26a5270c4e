"""Batches in blocks: the same bits for every executor, memory and speed-up on a file, and what the reduction costs."""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jacobians import BlockByBlock, Network, fit, in_blocks, replayed
from jacobians.arrays import Array
from jacobians.network import Run
from jacobians.training import SGD
from tests.batches.killer import Killer
from tests.figures.tables import table

_FEATURES = 64


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Measure each figure; a row of text and numbers for each."""
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += bits(Path(folder), 20_000, 2 if quick else 10)
        rows += on_a_file(Path(folder), 100_000 if quick else 20_000_000)
        rows += overhead(5 if quick else 25)
        rows += of_fit(2 if quick else 7)
        rows += iterates(Path(folder), 20_000 if quick else 1_000_000)
    return {"rows": rows}


def report(results: dict[str, Any]) -> str:
    """Return the table."""
    return table(["figure", "found"], results["rows"])


def spawn(workers: int) -> Callable[[], ProcessPoolExecutor]:
    """Return what makes a pool of fresh processes."""
    return lambda: ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def written(folder: Path, count: int, dtype: str = "float64") -> tuple[Path, Path]:
    """Write so many rows of numbers and labels, and return where."""
    X, Y, rng = folder / f"X{count}.npy", folder / f"Y{count}.npy", np.random.default_rng(0)
    mapped = np.lib.format.open_memmap(X, "w+", dtype, (count, _FEATURES))
    for start in range(0, count, 100_000):
        part = mapped[start : start + 100_000]
        part[...] = rng.standard_normal(part.shape, dtype="float32")
    mapped.flush()
    np.save(Y, rng.integers(10, size=count))
    return X, Y


def digest(found: tuple[float, dict[str, Array]]) -> str:
    """Return the SHA-256 of a value and its gradients."""
    value, grads = found
    return hashlib.sha256(
        b"".join([np.float64(value).tobytes(), *(grads[name].tobytes() for name in sorted(grads))])
    ).hexdigest()


def bits(folder: Path, count: int, kills: int) -> list[list[str]]:
    """The same SHA-256 for every executor, and with a worker killed in the middle."""
    X, Y = written(folder, count)
    net = Network.dense((_FEATURES, 25, 10), activation="tanh", l2=0.1)
    params, batches = net.init(0), in_blocks(X, Y, 1024)
    serial = BlockByBlock(net, batches).value_and_grad(params)
    expected, seen = digest(serial), {}
    x, y = np.load(X), np.load(Y)
    whole = (net.value(params, x, y), net.gradient(params, x, y))
    errors = [np.abs(serial[1][n] - g).max() / np.abs(g).max() for n, g in whole[1].items()]
    errors.append(abs(serial[0] - whole[0]) / abs(whole[0]))
    for workers in (1, 2, 3, 4):
        with BlockByBlock(net, batches, spawn(workers)) as by_processes:
            seen[f"{workers} processes"] = digest(by_processes.value_and_grad(params)) == expected
    with ThreadPoolExecutor(3) as pool:
        seen["3 threads"] = digest(BlockByBlock(net, batches, pool).value_and_grad(params)) == expected
    same = 0
    for number in range(kills):
        killer = Killer(batches, str(folder / f"killed{number}"), count)
        with BlockByBlock(net, killer, spawn(2)) as by_processes:
            same += digest(by_processes.value_and_grad(params)) == expected and Path(killer.marker).exists()
    rows = [
        [f"SHA-256 as serially ({expected[:16]})", ", ".join(f"{name}: {yes}" for name, yes in seen.items())],
        ["with a process of two killed by SIGKILL", f"{same} of {kills} runs"],
        ["largest difference from the whole batch, relative", f"{max(errors):.1e}"],
    ]
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        return [*rows, ["dask LocalCluster", "not installed"]]
    same = 0
    for number in range(kills):  # a new cluster each time: on a busy machine a killed worker may not come back
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            plain = digest(BlockByBlock(net, batches, client.get_executor()).value_and_grad(params)) == expected
            killer = Killer(batches, str(folder / f"dask{number}"), count)
            found = BlockByBlock(net, killer, client.get_executor(), timeout=120).value_and_grad(params)
            same += digest(found) == expected and Path(killer.marker).exists()
    return [*rows, ["dask LocalCluster, 2 workers", f"{plain}; with one killed: {same} of {kills} runs"]]


def resident(process: int | str = "self") -> float:
    """Return the MB that a process holds beside the pages of files."""
    text = Path(f"/proc/{process}/status").read_text()
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith(("RssAnon", "RssShmem"))) / 1000


@contextmanager
def watched(peaks: dict[str, float]) -> Iterator[Callable[[int, int], None]]:
    """Give an `on_block` that keeps the largest residence of this process and of each child."""

    def look(done: int, total: int) -> None:
        peaks["parent"] = max(peaks.get("parent", 0), resident())
        for child in multiprocessing.active_children():
            peaks[f"worker {child.pid}"] = max(peaks.get(f"worker {child.pid}", 0), resident(child.pid or 0))

    yield look


def on_a_file(folder: Path, count: int) -> list[list[str]]:
    """Peak memory and the speed-up of two processes over one, on a memory map."""
    X, Y = written(folder, count, "float32")
    net = Network.dense((_FEATURES, 50, 10), activation="relu")
    params, batches = net.init(0, "float32"), in_blocks(X, Y, 4096)
    times, peaks = {}, {}
    before = resident()
    for workers in (1, 2):
        own: dict[str, float] = {}
        with watched(own) as look, BlockByBlock(net, batches, spawn(workers), on_block=look) as whole:
            for started in [whole._workers.submit(str, net) for _ in range(8)]:
                started.result()
            began = time.perf_counter()
            whole.value_and_grad(params)
            times[workers] = time.perf_counter() - began
        peaks[workers] = own
    X.unlink()
    each = max(value for name, value in peaks[2].items() if name != "parent")
    return [
        [
            f"{count:,} rows of 64 float32: one process, two",
            f"{times[1]:.1f} s, {times[2]:.1f} s: × {times[1] / times[2]:.2f}",
        ],
        [
            "anonymous memory at its peak: parent (before), worker",
            f"{peaks[2]['parent']:.0f} ({before:.0f}), {each:.0f} MB",
        ],
        ["rows a second and process (r)", f"{count / times[1]:,.0f}"],
    ]


def median(call: Callable[[], Any], rounds: int, other: Callable[[], Any]) -> tuple[float, float]:
    """Return the median seconds of the processor's time of two calls that take turns: others' work is not in it."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for number, function in enumerate((call, other)):
            began = time.process_time()
            function()
            times[number].append(time.process_time() - began)
    return float(np.median(times[0])), float(np.median(times[1]))


def overhead(rounds: int) -> list[list[str]]:
    """The reduction against the blocks in a loop."""
    net = Network.dense((784, 100, 10), activation="relu")
    rng = np.random.default_rng(0)
    params, X, Y = net.init(0), rng.normal(size=(4 * 4096, 784)), rng.integers(10, size=4 * 4096)
    batches = in_blocks(X, Y, 4096)
    arrays = net._arrays(params)

    def loop() -> None:
        sums: dict[str, Array] = {}
        losses: list[float] = []
        for start in range(0, len(X), 4096):
            run = Run(net, arrays, X[start : start + 4096], Y[start : start + 4096])
            losses.append(run.loss)
            for name, array in run._share(len(X)).items():
                sums[name] = sums[name] + array if name in sums else array

    whole = BlockByBlock(net, batches)
    ours, bare = median(lambda: whole.value_and_grad(params), rounds, loop)
    return [["4 blocks of 4096 rows of 784-100-10: reduction / loop", f"{ours / bare:.3f}"]]


def of_fit(rounds: int) -> list[list[str]]:
    """`fit` against the bare loop of gather, replay and update."""
    net = Network.dense((64, 25, 10), activation="sigmoid")
    rng = np.random.default_rng(0)
    X, Y, start = rng.normal(size=(50_000, 64)), rng.integers(10, size=50_000), net.init(0)

    def bare() -> None:
        step, params, shuffled = replayed(net.value_and_grad), start, np.random.default_rng(0)
        order = shuffled.permutation(50_000)
        for first in range(0, 50_000, 50):
            chosen = order[first : first + 50]
            _, grads = step(params, X.take(chosen, 0), Y.take(chosen, 0))
            params = {name: params[name] - 0.01 * grads[name] for name in params}

    ours, loop = median(lambda: fit(net, start, X, Y, rule=SGD(0.01), epochs=1, batch=50), rounds, bare)
    return [["fit / bare loop, batch 50 of 64-25-10", f"{ours / loop:.3f} ({1e6 * ours / 1000:.0f} µs a step)"]]


def iterates(folder: Path, count: int) -> list[list[str]]:
    """L-BFGS by a pool of processes against L-BFGS in memory."""
    X, Y = written(folder, count)
    net = Network.dense((_FEATURES, 10), l2=0.1)
    params = net.init(0)
    with BlockByBlock(net, in_blocks(X, Y, 8192), spawn(2)) as whole:
        blocks = fit(net, params, whole, rule="L-BFGS-B", epochs=20)
    memory = fit(net, params, np.load(X), np.load(Y), rule="L-BFGS-B", epochs=20)
    worst = max(
        abs(a.objective - b.objective) / abs(b.objective) for a, b in zip(blocks.history, memory.history, strict=True)
    )
    apart = max(np.abs(blocks.params[name] - array).max() for name, array in memory.params.items())
    return [
        [
            f"L-BFGS over {count:,} rows, pool / memory",
            f"{len(blocks.history)} iterations, objectives within {worst:.1e} relative, parameters within {apart:.1e}",
        ]
    ]
