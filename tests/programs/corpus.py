"""``python -m tests.programs.corpus [NAME …]``: proves the corpus by running it, with central differences.

Every right program must have right gradients only, and every slip must make exactly those gradients wrong that its
entry names. Python programs run in a process of their own each; Octave's run where Octave is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

from tests.programs import octave_proof
from tests.programs.cases import Program, programs

RIGHT = 2e-6  # a right gradient is closer than this to its central differences
WRONG = 1e-3  # a wrong one is farther than this


def wrong_gradients(errors: dict[str, float | str]) -> tuple[set[str], list[str]]:
    """The gradients that are wrong, and those of which it is not clear."""
    wrong, unclear = set(), []
    for name, error in errors.items():
        if isinstance(error, str) or error > WRONG or error != error:
            wrong.add("raises" if isinstance(error, str) and not error.startswith("shape") else name)
        elif error > RIGHT:
            unclear.append(f"{name} {error:.1e}")
    return wrong, unclear


def complaints(program: Program) -> list[str]:
    """What does not hold of a program and its slips."""
    slipped = [program.slipped(slip)[0] for slip in program.slips]
    if program.language == "m":
        results = octave_proof.errors_of(program, ["\n".join(program.lines), *slipped])
    else:
        command = [sys.executable, "-m", "tests.programs.python_proof", program.name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            return [f"{program.name}: {done.stderr[-1500:]}"]
        results = json.loads(done.stdout)
    found = []
    expected = [("right", frozenset[str]()), *((slip.kind, slip.wrong) for slip in program.slips)]
    for (kind, names), errors in zip(expected, results, strict=True):
        wrong, unclear = wrong_gradients(errors)
        if wrong != names or unclear:
            raised = [error for error in errors.values() if isinstance(error, str)]
            said = f"wrong are {' '.join(sorted(wrong)) or 'none'}, not {' '.join(sorted(names)) or 'none'}"
            found.append(" ".join([f"{program.name}, {kind}: {said}", *raised, *(f"(unclear: {u})" for u in unclear)]))
    return found


def main() -> int:
    """Prove the programs that were named, or all."""
    chosen = [p for p in programs() if p.name in sys.argv[1:] or not sys.argv[1:]]
    skipped, bad = [], []
    for program in chosen:
        if program.language == "m" and not octave_proof.octave():
            skipped.append(program.name)
            continue
        found = complaints(program)
        bad += found
        print("\n".join(found) or f"{program.name}: right, and {len(program.slips)} slips", flush=True)
    kinds = Counter(slip.kind for p in chosen for slip in p.slips)
    print(f"\n{len(chosen)} programs, {kinds.total()} slips of {len(kinds)} kinds, {len(bad)} complaints")
    if skipped:
        print(f"not run, since Octave is not installed: {', '.join(skipped)}")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
