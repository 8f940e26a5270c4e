"""python -m tests.benchmarks [NAME …]: times, as ratios to floors, NumPy by hand and peers; see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import machine

WORKLOADS = (
    "gradients",
    "dense_jacobians",
    "per_example",
    "curvature",
    "bracketing",
    "growth",
    "start_up",
    "tied",
    "hessians",
    "layers",
    "matrices",
)
"""W1 to W11; each is a module that has `cases`."""


CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.report:
        return _report(parser, options.report, ours=options.ours)
    unknown = [name for name in options.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(WORKLOADS)}")
    if not 1 <= options.threads <= machine.cores():
        parser.error(f"--threads {options.threads}: this process may use 1 to {machine.cores()} cores")
    if not options.seconds > 0:
        parser.error(f"--seconds {options.seconds:g}: must be above 0")
    if options.json and (options.json.is_dir() or not options.json.parent.is_dir()):
        parser.error(f"--json {options.json}: not a file, or in no folder that exists")
    try:
        importlib.import_module("threadpoolctl")
    except ImportError:
        print("benchmarks need threadpoolctl: pip install threadpoolctl", file=sys.stderr)
        return 2
    machine.set_up(options.threads, options.allocator)
    for name in options.names or WORKLOADS:
        run(name, options)
    return 0


def run(name: str, options: argparse.Namespace) -> None:
    """Measure one workload, print its tables as they come and how we stand at the end, and append to the history."""
    from threadpoolctl import threadpool_limits

    from tests.benchmarks import contest, report

    module = importlib.import_module(f"tests.benchmarks.{name}")
    line = {"at": datetime.now(UTC).isoformat(), "workload": name, "title": module.TITLE, "threads": options.threads}
    print(f"# {module.TITLE}\n", flush=True)
    rows = []
    with threadpool_limits(options.threads):
        for found in contest.measure(module.cases(), options.seconds, CLOCKS[options.clock]):
            rows += found
            print(report.case_table(found), end="\n\n", flush=True)
        # once the peers are loaded, so that their threads are seen too
        line |= {
            "clock": options.clock,
            "allocator": options.allocator,
            "seconds": options.seconds,
            "machine": machine.describe(),
        }
    line["rows"] = rows
    print(report.heading(line), report.summary(rows), sep="\n\n", end="\n\n", flush=True)
    if options.json:
        with options.json.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _report(parser: argparse.ArgumentParser, path: Path, *, ours: bool) -> int:
    from tests.benchmarks.report import markdown, read_history

    try:
        print(markdown(read_history(path), ours=ours), end="")
    except OSError as error:
        parser.error(f"--report {path}: {error.strerror}")
    except ValueError as error:
        parser.error(f"--report {error}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(WORKLOADS)}; all unless given")
    parser.add_argument("--threads", type=int, default=1, help="of every library, and cores that the process may use")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case")
    parser.add_argument(
        "--clock", choices=list(CLOCKS), default="wall", help="processor: where others share the machine"
    )
    parser.add_argument("--allocator", choices=list(machine.ALLOCATORS), default="default", help="glibc's thresholds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="a history: one line of JSON a workload is appended")
    parser.add_argument("--report", type=Path, metavar="FILE", help="print a history's newest lines as Markdown")
    parser.add_argument(
        "--ours", action="store_true", help="with --report: of all contenders only ours, beside how we stand"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
