"""The checks that a module's mutants must get past: built on the laws, in seconds, the same every time."""

from __future__ import annotations

import sys

from tests.mutation.checks import Check
from tests.mutation.operation_checks import operation_checks
from tests.mutation.structure_checks import structure_checks


def checks_of(module: str) -> list[Check]:
    """The checks for one module, those most likely to catch its mutants first."""
    package, _, name = module.partition(".")
    return list(structure_checks(name) if package == "linops" else operation_checks(name))


if __name__ == "__main__":  # how long the unchanged package takes, and that it passes
    import time

    from tests.mutation.scope import MODULES

    for module in sys.argv[1:] or MODULES:
        checks, begun = checks_of(module), time.perf_counter()
        slow = []
        for check in checks:
            start = time.perf_counter()
            check.run()
            slow.append((time.perf_counter() - start, check.what))
        print(f"{module}: {len(checks)} checks, {time.perf_counter() - begun:.2f} s, slowest {max(slow)}", flush=True)
