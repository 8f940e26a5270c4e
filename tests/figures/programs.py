"""Students' programs under `audit_program`: right ones passed, slips found, the line and the cause named."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from jacobians.errors import JacobiansError
from jacobians.programs.audit import audit_program
from tests.figures.tables import percent, table
from tests.programs.cases import Program, Slip, programs

QUICK = (
    "dlai_logistic", "eleven_lines", "linearRegCostFunction", "logistic_python2", "mazur_steps", "one_hot_bias_trick",
    "softmax_vectorised", "svm_vectorised", "trask_functions", "two_layer_relu_softmax",
)  # fmt: skip
WORKERS = min(2, os.cpu_count() or 1)

_ALSO: dict[str, tuple[str, ...]] = {  # what else is a right name for a slip of a kind
    "activation-for-derivative": ("derivative-missing", "wrong-activation-derivative", "wrong-array"),
    "aliasing": ("regulariser-missing-in-gradient", "not-accumulated"),
    "bias-averaged": ("scale-n",),
    "bias-one-example": ("missing-sum", "wrong-array"),
    "chain-skips-delta": ("wrong-array", "derivative-missing"),
    "chain-skips-output": ("wrong-array",),
    "derivative-at-wrong-argument": ("wrong-array", "wrong-activation-derivative", "function-superfluous"),
    "derivative-lost": ("wrong-array", "derivative-missing", "mask-missing"),
    "factor-missing": ("scale", "term-missing", "factor"),
    "factor-superfluous": ("scale-half", "derivative-superfluous", "wrong-activation-derivative"),
    "forward-forgets-bias": ("not-used-in-the-forward-pass",),
    "hidden-derivative-missing": ("derivative-missing", "mask-missing", "wrong-array"),
    "integer-division": ("regulariser",),
    "labels-off": ("off-by-one",),
    "layers-off-by-one": ("off-by-one", "wrong-array", "wrong-count", "derivative-of-another-layer"),
    "loss-wrong": ("derivative-missing", "output-derivative-missing", "disagreement"),
    "mask-missing": ("derivative-missing", "wrong-array"),
    "mask-of-wrong-array": ("wrong-array", "mask-wrong"),
    "mask-of-wrong-layer": ("wrong-array", "mask-wrong", "wrong-activation-derivative"),
    "mask-wrong": ("factor-superfluous", "wrong-array", "off-by-one", "derivative-superfluous"),
    "output-derivative-missing": ("derivative-missing",),
    "output-derivative-superfluous": ("derivative-superfluous", "factor-superfluous"),
    "scale-classes": ("scale", "wrong-count"),
    "scale-half": ("scale",),
    "scale-n": ("scale", "wrong-count"),
    "softmax-summed": ("softmax-diagonal", "wrong-axis"),
    "term-missing": ("wrong-array",),
    "term-superfluous": ("wrong-array",),
    "weights-exchanged": ("wrong-array", "transposed"),
    "wrong-activation-derivative": ("wrong-array", "derivative-missing", "scale-half", "factor-superfluous"),
    "wrong-axis": ("bias-summed-over-all",),
    "wrong-cache": ("wrong-array", "derivative-superfluous", "factor-superfluous", "wrong-activation-derivative"),
    "wrong-column": ("off-by-one",),
    "wrong-count": ("scale", "scale-n", "scale-classes", "wrong-array"),
    "wrong-order": ("wrong-array",),
}


@dataclass(frozen=True)
class Outcome:
    """What the audit said of one version of a program; `kind` is empty for the right one."""

    program: str
    kind: str
    verdict: str
    wrong: tuple[str, ...] = ()
    first: int | None = None
    beside: int = 0
    named: tuple[int, ...] = ()
    slip: str = ""
    words: str = ""
    judged: int = 0
    seconds: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether the first line that is called wrong is one that may be; where two disagree, one of the two."""
        return self.first in self.named or self.beside in self.named

    @property
    def cause(self) -> bool:
        """Whether the cause that is given first is that of the slip."""
        if self.kind.startswith("regulariser") and ("regulariser" in self.slip or "regulariser" in self.words):
            return True
        return self.slip == self.kind or self.slip in _ALSO.get(self.kind, ())


def outcome(program: Program, slip: Slip | None) -> Outcome:
    """Audit one version of a program."""
    code, named = ("\n".join(program.lines), frozenset[int]()) if slip is None else program.slipped(slip)
    kind = "" if slip is None else slip.kind
    started = time.perf_counter()
    try:
        found = audit_program(program.as_file(code), program.path.name)
    except JacobiansError as error:
        return Outcome(program.name, kind, "refused", words=str(error).split("\n")[0])
    wrong = tuple(g.name for g in found.gradients if g.verdict == "wrong")
    first = found.faults[0] if found.faults else None
    why = "; ".join(f"{f.entry}: {f.why}" for f in found.failures[:2]) if not found.entries else ""
    return Outcome(
        program.name,
        kind,
        found.verdict,
        wrong,
        first=found.first_wrong_line,
        beside=first.beside if first else 0,
        named=tuple(sorted(named)),
        slip=first.slip if first else "",
        words=first.words if first else why,
        judged=len(found.gradients),
        seconds=time.perf_counter() - started,
    )


def _outcomes(name: str) -> list[Outcome]:
    (program,) = (p for p in programs() if p.name == name)
    return [outcome(program, slip) for slip in (None, *program.slips)]


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Audit every program of the corpus and every slip; `quick` takes ten programs."""
    names = [p.name for p in programs() if not quick or p.name in QUICK]
    with ProcessPoolExecutor(WORKERS) as pool:
        outcomes = [one for many in pool.map(_outcomes, names) for one in many]
    return {"outcomes": outcomes}


def counts(outcomes: list[Outcome]) -> dict[str, tuple[int, int]]:
    """Each figure as a part of a whole."""
    right, wrong = [o for o in outcomes if not o.kind], [o for o in outcomes if o.kind]
    found = [o for o in wrong if o.verdict == "wrong"]
    return {
        "right programs, all right": (sum(o.verdict == "right" for o in right), len(right)),
        "right programs of which a line is called wrong": (sum(bool(o.wrong) for o in right), len(right)),
        "wrong programs called wrong": (len(found), len(wrong)),
        "first wrong line exact": (sum(o.exact for o in found), len(wrong)),
        "cause right": (sum(o.cause for o in found), len(wrong)),
    }


TARGETS = {
    "right programs, all right": "≥ 98 %",
    "right programs of which a line is called wrong": "0",
    "wrong programs called wrong": "≥ 97 %",
    "first wrong line exact": "≥ 90 %",
    "cause right": "≥ 80 %",
}


def report(result: dict[str, Any]) -> str:
    """The tables, and every version that fell short."""
    outcomes: list[Outcome] = result["outcomes"]
    rows = [
        [name, part, whole, percent(part, whole), TARGETS[name]] for name, (part, whole) in counts(outcomes).items()
    ]
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for o in (o for o in outcomes if o.kind):
        kinds[o.kind].update({"slips": 1, "wrong": o.verdict == "wrong", "line": o.exact, "cause": o.cause})
    by_kind = [
        [kind, *(count[key] for key in ("slips", "wrong", "line", "cause"))]
        for kind, count in sorted(kinds.items(), key=lambda item: -item[1]["slips"])
    ]
    notable = [_line(o) for o in outcomes if _short(o)]
    slowest = max(outcomes, key=lambda o: o.seconds)
    return "\n\n".join(
        [
            table(("figure", "count", "of", "share", "target"), rows),
            table(("kind", "slips", "called wrong", "line exact", "cause right"), by_kind),
            f"the slowest took {slowest.seconds:.1f} s: {slowest.program} {slowest.kind}",
            "\n".join(notable),
        ]
    )


def _short(o: Outcome) -> bool:
    return o.verdict != "right" if not o.kind else not (o.verdict == "wrong" and o.exact and o.cause)


def _line(o: Outcome) -> str:
    said = f"{o.program} {o.kind or 'RIGHT'}: {o.verdict}"
    if o.verdict != "wrong":
        return f"{said} ({o.words})" if o.words else said
    line = "" if o.exact else f", line {o.first} for {', '.join(map(str, o.named))}"
    return f"{said}{line}, cause {o.slip or '–'}: {o.words}"
