"""The machine, versions and threads that a figure belongs to; how a process is set up before NumPy is imported."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

ALLOCATORS: dict[str, dict[str, str | None]] = {
    "default": {"MALLOC_MMAP_THRESHOLD_": None, "MALLOC_TRIM_THRESHOLD_": None},
    # above the largest result, so that a freed array's pages are used again and need not be made anew
    "raised": {"MALLOC_MMAP_THRESHOLD_": str(4 << 30), "MALLOC_TRIM_THRESHOLD_": str(8 << 30)},
}
"""glibc's settings: by default a large array is mapped anew each time, and every page of it faults once."""

PACKAGES = (
    "jacobians",
    "numpy",
    "scipy",
    "torch",
    "jax",
    "jaxlib",
    "autograd",
    "scikit-learn",
    "backpack-for-pytorch",
    "curvlinops-for-pytorch",
)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(threads: int, allocator: str, given: Mapping[str, str]) -> dict[str, str]:
    """`given` with the variables that fix threads and allocator; libraries read them once, when they are loaded."""
    wanted = ALLOCATORS[allocator] | dict.fromkeys(THREADS, str(threads))
    kept = {name: value for name, value in given.items() if wanted.get(name, "") is not None}
    return kept | {name: value for name, value in wanted.items() if value is not None}


def set_up(threads: int, allocator: str) -> None:
    """Start the program again in that environment unless this is it, on as many cores as it may use threads.

    JAX has no other way to limit its threads: it starts one for each core that it may use.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    wanted = environment(threads, allocator, os.environ)
    if wanted != dict(os.environ):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]], wanted)


def describe() -> dict[str, Any]:
    """Processor, cores, memory and system; versions; what each library says of its threads."""
    from threadpoolctl import threadpool_info

    pools = {
        f"{pool['internal_api']} {pool['version'] or ''}".strip(): pool["num_threads"] for pool in threadpool_info()
    }
    if "torch" in sys.modules:
        pools["torch"] = sys.modules["torch"].get_num_threads()
    if "jax" in sys.modules:
        pools["jax (cores)"] = cores()
    variables = ("OPENBLAS_CORETYPE", "XLA_FLAGS", *ALLOCATORS["default"])
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory GiB": _memory(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
        "commit": _commit(),
        "pools": pools,
        "variables": {name: os.environ[name] for name in variables if name in os.environ},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float | None:
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
