"""How many wrong programs the tests notice: cosmic-ray changes a module in one place at a time, in a copy.

    python -m tests.mutation linops/kernels                     # with the tests that mirror it
    python -m tests.mutation operations/powers --tests tests/operations/test_activations_and_powers.py

Prints a table: of each module's mutants, how many its tests let pass, and with --survivors which.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = "{python} -m pytest -x -q -n 0 -p no:cacheprovider {tests}"


def mirrored(module: str) -> list[str]:
    """The tests of a module: its mirror in the tests, a file or several, or all tests of its part where it has none."""
    path = ROOT / "tests" / module
    files = [file for name in ("test_{}.py", "test_{}_*.py") for file in path.parent.glob(name.format(path.name))]
    longer = [other.stem for other in (ROOT / "jacobians" / module).parent.glob(f"{path.name}_*.py")]
    files = [file for file in files if not any(file.stem.startswith(f"test_{name}") for name in longer)]
    found = sorted(files) or [path if path.is_dir() else path.parent]
    return [file.relative_to(ROOT).as_posix() for file in found]


def copied(folder: Path) -> None:
    """Copy the tracked files, and those that git does not ignore: mutants are written to disk."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def annotations(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where types are written, which are not evaluated: from (line, column) up to another."""
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            if (found := getattr(node, name, None)) is not None:
                yield (found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)


def survivors(module: str, tests: list[str], folder: Path, timeout: float, every: int) -> Iterator[tuple[str, bool]]:
    """Run every mutant, and yield its change and whether the tests let it pass."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome

    config, session = folder / "mutation.toml", folder / "mutation.sqlite"
    command = TESTS.format(python=sys.executable, tests=" ".join(tests))
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "jacobians/{module}.py"\ntimeout = {timeout}\nexcluded-modules = []\n'
        f"test-command = '{command}'\n[cosmic-ray.distributor]\nname = \"local\"\n"
    )

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", "cosmic_ray.cli", *arguments], cwd=folder, check=True)

    if subprocess.run(command.split(), cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode:
        raise SystemExit(f"{module}: {' '.join(tests)} fail without any mutant")
    session.unlink(missing_ok=True)
    run("init", config.name, session.name)
    with use_db(session, WorkDB.Mode.open) as database:
        spans = list(annotations((folder / "jacobians" / f"{module}.py").read_text()))
        items = [
            item
            for item in database.work_items
            if not any(begin <= item.mutations[0].start_pos < end for begin, end in spans)
        ]
        database.clear()
        database.add_work_items(items[::every])
    run("exec", config.name, session.name)
    with use_db(session, WorkDB.Mode.open) as database:
        for _, result in database.completed_work_items:
            changed = [
                line for line in (result.diff or "").splitlines() if line[:1] in "+-" and line[:3] not in "+++---"
            ]
            yield "\n".join(changed), result.test_outcome == TestOutcome.SURVIVED


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="as linops/kernels")
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="instead of the module's mirror")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one mutant; a runaway is caught")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth mutant only")
    parser.add_argument("--survivors", action="store_true", help="print what passed")
    options = parser.parse_args(arguments)
    for module in options.modules:
        if not (ROOT / "jacobians" / f"{module}.py").is_file():
            parser.error(f"{module}: jacobians has no such module; write it as linops/kernels")
    if importlib.util.find_spec("cosmic_ray") is None:
        parser.error("cosmic-ray is not installed: pip install -e '.[mutation]'")
    print("| module | tests | mutants | survived | rate |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        copied(folder := Path(temporary))
        for module in options.modules:
            tests = options.tests or mirrored(module)
            found = list(survivors(module, tests, folder, options.timeout, options.every))
            passed = [change for change, survived in found if survived]
            rate = len(passed) / max(len(found), 1)
            print(f"| {module} | {' '.join(tests)} | {len(found)} | {len(passed)} | {rate:.0%} |", flush=True)
            if options.survivors:
                print(*passed, sep="\n\n", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
