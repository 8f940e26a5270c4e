"""What other libraries' gradient checks miss of the same catalogue, in two-layer networks.

Checkers whose package is not installed are left out, by name (the extra `peers` installs them).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.figures.bugs import BUGS
from tests.figures.cases import CONVENTIONS, Case
from tests.figures.detection import verdict_of_check
from tests.figures.other_checkers import CHECKERS, available
from tests.figures.problems import make_problem
from tests.figures.stateful import hand_written
from tests.figures.tables import table

SETTINGS = {"loss of unit scale": (1.0, 0.1), "loss × 1e-6": (1e-6, 0.1), "λ = 1e-6": (1.0, 1e-6)}
OURS = "jacobians"


def bug_cases(scale: float, l2: float) -> Iterator[Case]:
    """One two-layer network for each bug, its convention and activation in turn; those that change something."""
    for number, bug in enumerate(BUGS):
        activation = ("sigmoid", "tanh")[number % 2]
        if activation not in bug.activations:
            activation = bug.activations[0]
        turn = [CONVENTIONS[(number + i) % len(CONVENTIONS)] for i in range(len(CONVENTIONS))]
        convention = next(c for c in turn if bug.applies(c, activation))
        layer = bug.possible_layers(2)[-1]
        case = Case(bug, convention, 2, activation, bug.losses[number % len(bug.losses)], scale, layer, l2, number)
        if not case.why_equivalent():
            yield case


def measure(quick: bool = False) -> dict[str, Any]:
    """The bugs that each checker accepts, and the right gradients that it rejects."""
    checkers = {name: check for name, (package, check) in CHECKERS.items() if available(package)}
    checkers[OURS] = verdict_of_check
    result: dict[str, Any] = {
        "skipped": [
            f"{name}: {package} is not installed" for name, (package, _) in CHECKERS.items() if name not in checkers
        ],
        "checkers": list(checkers),
        "missed": {},
        "bugs": {},
        "rejected": {},
    }
    for setting, (scale, l2) in SETTINGS.items():
        chosen = list(bug_cases(scale, l2))[:: 12 if quick else 1]
        result["bugs"][setting] = len(chosen)
        result["missed"][setting] = {
            name: [str(case) for case in chosen if _verdict(check, case) != "fail"] for name, check in checkers.items()
        }
    for label, distance in {"smooth": None, "a ReLU at 1e-7 of its kink": 1e-7, "a ReLU exactly at 0": 0.0}.items():
        result["rejected"][label] = {
            name: _rejected(check, distance, 3 if quick else 20) for name, check in checkers.items()
        }
    return result


def report(result: dict[str, Any]) -> str:
    """The tables."""
    names = result["checkers"]
    rows = [
        [setting, result["bugs"][setting], *(len(missed[name]) for name in names)]
        for setting, missed in result["missed"].items()
    ]
    parts = [table(("bugs not rejected", "bugs", *names), rows)]
    right = [[label, *counts.values()] for label, counts in result["rejected"].items()]
    parts.append(table(("right gradients rejected, in %", *names), right))
    scale = result["missed"]["loss of unit scale"]
    families = Counter((name, line.split(":")[0]) for name in names for line in scale[name])
    parts.append(
        "Not rejected at unit scale:\n"
        + "\n".join(
            f"- {name}: " + (", ".join(bug for owner, bug in families if owner == name) or "none") for name in names
        )
    )
    return "\n\n".join([*parts, *result["skipped"]])


def _verdict(check: Any, case: Case) -> str:
    problem = case.problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(check(*hand_written(problem, case.bug.slip, case.layer), problem.theta.copy()))
        except (ValueError, RuntimeError, TypeError):  # raised about the gradient: it was not accepted
            return "fail"


def _rejected(check: Any, distance: float | None, count: int) -> float:
    from tests.figures.kinks import near_kink

    rejected = 0
    for seed in range(count):
        problem = make_problem("cs231n", 2, "relu" if distance is not None else "tanh", "cross_entropy", seed=seed)
        if distance is not None:
            problem = near_kink(problem, distance, np.random.default_rng(seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rejected += check(*hand_written(problem), problem.theta.copy()) == "fail"
    return 100.0 * rejected / count
