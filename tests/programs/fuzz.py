"""``python -m tests.programs.fuzz [PROGRAMS]``: hostile programs; none may get out, hang, or take much memory.

A worker reads and evaluates them: an audit hook records whatever opens, executes, imports or connects meanwhile; what
the names hold at the end is looked through for anything of Python's own; time and memory are measured. A program is
refused, stopped at a limit, fails, or runs; anything else is printed with its text.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

SECONDS, MEGABYTES = 2.0, 500
"""What no program may take."""

_WATCHED: list[str] = []
_WATCHING = [False]
_UNKNOWN = ("<unknown>", b"<unknown>")


def _hook(event: str, arguments: Any) -> None:
    if _WATCHING[0] and event != "builtins.id":
        if event == "compile" and arguments[1] in _UNKNOWN:
            return  # ast.parse, which makes a tree and no code
        if event == "open" and arguments[0] in _UNKNOWN and arguments[1] == "rb":
            return  # Python looks for the line of a syntax error in a file of this name
        _WATCHED.append(f"{event} {str(arguments)[:200]}")


class _Late(BaseException):
    """A program took too long."""


def _late(number: int, frame: Any) -> None:
    raise _Late


def outcome(text: str, name: str, seconds: float) -> str:
    """Read and evaluate a program: what became of it in a word, with the reason after it if that is wrong."""
    from jacobians.errors import FormulaError
    from jacobians.programs.evaluator import Evaluator
    from jacobians.programs.evaluator.numpy_functions import numpy_table
    from jacobians.programs.octave.functions import octave_functions
    from jacobians.programs.source import read_source
    from jacobians.programs.values import Budget, LimitError, Limits, ProgramError, UnreadError
    from tests.programs.octave_run import Silent

    try:
        source = read_source(text, name)
    except FormulaError:
        return "not parsed"
    evaluator = Evaluator(
        (), {}, Silent(), lambda _: None, budget=Budget(Limits(seconds=seconds)), language=source.language
    )
    if source.language == "Octave":
        evaluator.tables = (octave_functions(evaluator.budget, np.random.default_rng(0), evaluator.call),)
    else:
        evaluator.tables = (numpy_table(evaluator.budget, np.random.default_rng(0)),)
    try:
        evaluator.run(source.tree)
    except LimitError:
        word = "stopped at a limit"
    except (ProgramError, UnreadError):
        word = "failed"
    else:
        word = "refused in part" if evaluator.unread else "ran"
    found = leaked(list(evaluator.module.names.values()))
    return f"leak: {found}" if found else word


def leaked(values: list[Any]) -> str:
    """Anything that names hold which is Python's own: "" if there is nothing."""
    from jacobians.programs import values as kinds

    plain = (type(None), bool, int, float, complex, str, bytes, range, type(...), ast.AST)
    own = (
        kinds.BuiltIn,
        kinds.Namespace,
        kinds.Unread,
        kinds.Function,
        kinds.UserClass,
        kinds.Instance,
        kinds.Bound,
        kinds.Super,
    )
    left, seen, looks = list(values), set(), 0
    while left and looks < 50_000:
        value, looks = left.pop(), looks + 1
        if isinstance(value, plain) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, (list, tuple)):
            left += value[:1000]
        elif isinstance(value, dict):
            left += [*list(value)[:1000], *list(value.values())[:1000]]
        elif isinstance(value, (kinds.UserClass, kinds.Instance)):
            left += value.names.values()
        elif isinstance(value, kinds.Distinct):
            left += list(value.held)[:1000]
        elif isinstance(value, np.ndarray):
            if value.dtype.kind not in "fiubc":
                return f"an array of {value.dtype}"
        elif not isinstance(value, (*own, np.number, np.bool_)):
            return f"{type(value).__module__}.{type(value).__name__}"
    return ""


def _most_megabytes() -> float:
    """The most memory that this process has held.

    Where Linux tells, its own: what getrusage tells begins with the most that the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(seed: int, first: int, stop: int, seconds: float) -> None:
    """Run programs in this process, and print a line for each: the worker."""
    import scipy.special  # noqa: F401  what is imported late is imported now

    from tests.programs.hostile import SENTINEL, hostile_program

    outcome("import numpy as np\nx = np.ones(3)\n", "warm.py", seconds)
    outcome("x = ones(3) * erf(2);\n", "warm.m", seconds)
    sys.addaudithook(_hook)
    signal.signal(signal.SIGVTALRM, _late)
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number in range(first, stop):
            text, name = hostile_program(random.Random(f"{seed}/{number}"))
            print(json.dumps({"begins": number}), flush=True)
            _WATCHED.clear()
            began = time.process_time()
            signal.setitimer(signal.ITIMER_VIRTUAL, 3 * SECONDS)
            _WATCHING[0] = True
            try:
                word = outcome(text, name, seconds)
            except _Late:
                word = "hang"
            except BaseException as error:
                word = f"crash: {type(error).__name__}: {error}"[:300]
            _WATCHING[0] = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            took = time.process_time() - began
            most = _most_megabytes()
            if _WATCHED:
                word = f"escape: {_WATCHED[:3]}"
            elif Path(SENTINEL).exists() or any(Path(folder).iterdir()):
                word = f"escape: it wrote {list(Path(folder).iterdir())}"
            elif took > SECONDS:
                word = f"hang: {took:.1f} s"
            elif most > MEGABYTES:
                word = f"memory: {most:.0f} MB"
            print(json.dumps({"number": number, "word": word, "took": took, "most": most}), flush=True)
            if most > MEGABYTES:
                return  # the largest use of a process never falls


WRONG = ("escape", "hang", "memory", "crash", "leak", "killed")


def run_programs(
    seed: int, first: int, stop: int, seconds: float, show: Any = print
) -> tuple[Counter[str], float, float]:
    """Run programs in workers, one after the other: how often each outcome came, and the most time and memory."""
    counts: Counter[str] = Counter()
    longest = most = 0.0
    while first < stop:
        command = [
            sys.executable,
            "-W",
            "error",
            "-m",
            "tests.programs.fuzz",
            "--worker",
            str(first),
            str(min(stop, first + 500)),
        ]
        command += ["--seed", str(seed), "--seconds", str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            begun = first
            reader = _Lines(worker, 300.0)
            for line in reader:
                found = json.loads(line)
                if "begins" in found:
                    begun = found["begins"]
                    continue
                word = found["word"]
                counts[word.split(":")[0]] += 1
                longest, most = max(longest, found["took"]), max(most, found["most"])
                first = found["number"] + 1
                if word.startswith(WRONG):
                    show(_shown(word, seed, begun))
            if reader.stuck or worker.wait() != 0:
                counts["killed"] += 1
                if counts["killed"] > 9:
                    return counts, longest, most
                show(_shown("killed", seed, begun))
                first = begun + 1
    return counts, longest, most


def _shown(word: str, seed: int, number: int) -> str:
    """What went wrong, with the program."""
    from tests.programs.hostile import BEFORE, hostile_program

    text, name = hostile_program(random.Random(f"{seed}/{number}"))
    text = text.replace(BEFORE, "...").encode("ascii", "backslashreplace").decode()
    return f"--- {word}  ({name}, --seed {seed}, program {number})\n{text[:1200]}"


class _Lines:
    """The lines of a worker, which is ended where it is silent for too long."""

    def __init__(self, worker: subprocess.Popen[str], seconds: float) -> None:
        self.worker, self.seconds, self.stuck = worker, seconds, False

    def __iter__(self) -> Any:
        import select

        assert self.worker.stdout is not None
        while True:
            ready, _, _ = select.select([self.worker.stdout], [], [], self.seconds)
            if not ready:
                self.stuck = True
                self.worker.kill()
                return
            line = self.worker.stdout.readline()
            if not line:
                return
            yield line


def main() -> None:
    """Run programs, and print what went wrong and how often each outcome came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--worker", type=int, nargs=2)
    given = parser.parse_args()
    if given.worker:
        work(given.seed, *given.worker, given.seconds)
        return
    counts, longest, most = run_programs(given.seed, 0, given.programs, given.seconds)
    print(f"{given.programs} programs: {dict(counts.most_common())}")
    print(f"at most {longest:.2f} s of one core and {most:.0f} MB")
    if any(counts[word] for word in WRONG):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
