"""python -m tests.benchmarks [NAME …] [--threads 1|2] [--seconds S] [--json FILE]: times; none of them fails a test."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.benchmarks import gradients
from tests.figures.tables import table

WORKLOADS = {"gradient": gradients.measure}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(WORKLOADS)}; all unless given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case")
    parser.add_argument("--json", type=Path, metavar="FILE", help="a history: one line of JSON is appended")
    options = parser.parse_args()
    unknown = set(options.names) - set(WORKLOADS)
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(WORKLOADS)}")
    try:
        from threadpoolctl import threadpool_info, threadpool_limits
    except ImportError:
        print("benchmarks need threadpoolctl: pip install threadpoolctl", file=sys.stderr)
        return 2
    with threadpool_limits(options.threads):
        threads = sorted({pool["num_threads"] for pool in threadpool_info()})
        print(f"NumPy {np.__version__}, Python {platform.python_version()}, {platform.machine()}, threads {threads}\n")
        for name in options.names or WORKLOADS:
            rows = WORKLOADS[name](options.seconds)
            cells = [[f"{v:.3g}" if isinstance(v, float) else v for v in row.values()] for row in rows]
            print(table(tuple(rows[0]), cells))
            if options.json:
                line = {"at": datetime.now(UTC).isoformat(), "workload": name, "threads": threads, "rows": rows}
                with options.json.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
