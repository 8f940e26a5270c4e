"""The library put through its own check: ``python -m tests.mutation [--module linops.algebra …] [--quick]``."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # the arrays are small, and threads do not survive a fork

from tests.mutation.battery import checks_of  # noqa: E402
from tests.mutation.equivalents import idle_reasons, reason  # noqa: E402
from tests.mutation.report import page  # noqa: E402
from tests.mutation.scope import MODULES, mutants_of  # noqa: E402
from tests.mutation.trial import Verdict, trial  # noqa: E402

QUICK = 10
"""Of so many mutants one is tried with --quick."""


def main(arguments: list[str] | None = None) -> int:
    """Try the mutants, print the table and the survivors; 1 if one is left unexplained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", nargs="+", choices=MODULES, default=MODULES, metavar="MODULE")
    parser.add_argument("--function", help="only functions whose name contains this")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth mutant only")
    parser.add_argument("--quick", dest="every", action="store_const", const=QUICK, help=f"every {QUICK}th mutant only")
    parser.add_argument("--json", type=Path, help="write the verdicts here; mutants not tried now keep theirs")
    parser.add_argument("--again", action="store_true", help="only what --json lacks, or left unexplained")
    parser.add_argument("--report", type=Path, help="write all of --json as a page of documentation")
    chosen = parser.parse_args(arguments)
    old = json.loads(chosen.json.read_text()) if chosen.json and chosen.json.exists() else {}

    everything = {module: mutants_of(module) for module in chosen.module}  # read now: sources may change meanwhile
    if not chosen.function and chosen.every == 1:  # forget what the sources no longer hold
        now = {m.name for found in everything.values() for m in found}
        old = {n: v for n, v in old.items() if n in now or n.partition(":")[0] not in everything}
    verdicts: list[Verdict] = []
    for module in chosen.module:
        tried = [m for m in everything[module] if not chosen.function or chosen.function in m.function]
        if chosen.again:
            tried = [m for m in tried if m.name not in old or not (old[m.name]["law"] or reason(m.name))]
        checks = checks_of(module) if tried else []
        gc.freeze()  # so that a fork copies less
        begun = time.perf_counter()
        found = [trial(mutant, checks) for mutant in tried[:: chosen.every]]
        verdicts += found
        print(row(module, found, time.perf_counter() - begun), flush=True)
        old |= {v.mutant: {"law": v.law, "text": v.text, "seconds": round(v.seconds, 2)} for v in found}
        if chosen.json:
            chosen.json.write_text(json.dumps(old, indent=1, ensure_ascii=False))

    if chosen.report:
        chosen.report.write_text(page(old))
    print(row("all", verdicts, sum(v.seconds for v in verdicts)), "\n")
    laws = Counter(v.law.removesuffix(", by an error") for v in verdicts if v.caught)
    print("caught by " + ", ".join(f"{law} {count}" for law, count in laws.most_common()), "\n")
    left = [v.mutant for v in verdicts if not v.caught and not reason(v.mutant)]
    print(f"{len(left)} survivors without a reason", *left, sep="\n  ")
    if chosen.module == MODULES:
        idle = idle_reasons([m.name for found in everything.values() for m in found])
        print(f"{len(idle)} reasons for mutants that are no more", *idle, sep="\n  ")
    return 1 if left else 0


def row(module: str, verdicts: list[Verdict], seconds: float) -> str:
    """One line of the table: mutants, caught, equivalent, survived."""
    caught = sum(v.caught for v in verdicts)
    explained = sum(not v.caught and bool(reason(v.mutant)) for v in verdicts)
    rest = len(verdicts) - caught - explained
    numbers = f"{len(verdicts):5} mutants {caught:5} caught {explained:4} equivalent {rest:4} survived"
    return f"{module:30} {numbers} {seconds:7.1f} s"


if __name__ == "__main__":
    sys.exit(main())
