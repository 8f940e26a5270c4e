"""``python -m tests.figures [NAME …] [--json FILE] [--quick]``: measures and prints the tables of the verification."""

from __future__ import annotations

import argparse
import importlib
import json
import time
from pathlib import Path

NAMES = {
    "detection": "bugs that the gradient check catches",
    "false-alarms": "right gradients near kinks that it rejects",
    "hidden-gradients": "gradients that nobody could see, and unlike scales",
    "diagnosis": "bugs that the diagnosis names",
    "peers": "the same bugs under other libraries' checkers",
    "graph-diagnosis": "slips that only graphs have, that the diagnosis names",
    "programs": "students' programs whose gradients are judged, and the lines that are named",
    "graphs": "Jacobians of random graphs of values that differ from their dense twins",
    "hessian": "Hessians of random nets and graphs against jax.hessian",
    "differentiation": "random expressions of matrices against JAX, and the Matrix Cookbook against SymPy",
    "scale": "batches in blocks: bits, memory, speed-up and cost",
    "speed": "how long a check takes",
    "orders": "multiplications in the best order of elimination",
}


def main() -> int:
    """Run the measurements that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(NAMES)}; all unless given")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers to FILE too")
    parser.add_argument("--quick", action="store_true", help="a small sample of everything")
    parser.add_argument("--seconds", metavar="S", type=float, help="detection: cases in random order for this long")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    results = {}
    for name in options.names or NAMES:
        module = importlib.import_module(f"tests.figures.{name.replace('-', '_')}")
        started = time.perf_counter()
        limits = {"seconds": options.seconds} if name == "detection" else {}
        results[name] = module.measure(quick=options.quick, **limits)
        print(f"# {name}: {NAMES[name]} ({time.perf_counter() - started:.0f} s)\n")
        print(module.report(results[name]), end="\n\n", flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1, default=str))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
