"""How often the diagnosis names a seeded bug first, or among its first three. Goals: 90 % and 97 %.

Counted apart: bugs that change nothing, and those where the diagnosis itself says that several causes fit this batch
equally well, the right one among them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.figures.backprop import ACTIVATIONS, Problem, shaped_targets, unpack
from tests.figures.bugs import BUGS, FAMILIES, Bug
from tests.figures.cases import CONVENTIONS, Case
from tests.figures.expected import EXPECTED, UNSEEN
from tests.figures.stateful import hand_written
from tests.figures.tables import percent, table

SEED = 20_260_000
FIRST, THIRD = 0.90, 0.97
_NO_NETWORK = ("stride-0", "shared", "empty", "at-zero", "ties", "extreme")
"""Kinds that the library's networks do not have, or for which no value of the gradient is wrong in a known way."""


def chosen(repeats: int, seed: int = SEED) -> Iterator[Case]:
    """For each bug, networks, data, convention and layer at random."""
    rng = np.random.default_rng(seed)
    for bug in (bug for bug in BUGS if _has_values(bug)):
        for _ in range(repeats):
            while True:
                activation, convention = str(rng.choice(ACTIVATIONS)), str(rng.choice(CONVENTIONS))
                if bug.applies(convention, activation):
                    break
            layers = int(rng.integers(2, 4))
            layer = int(rng.choice(bug.possible_layers(layers)))
            own = int(rng.integers(1 << 30))
            yield Case(bug, convention, layers, activation, str(rng.choice(bug.losses)), 1.0, layer, seed=own)


def _has_values(bug: Bug) -> bool:
    return bug.slip in EXPECTED and bug.slip not in UNSEEN and bug.kind not in _NO_NETWORK


def diagnosed(case: Case) -> Any:
    """The library's diagnosis of the bug's gradient."""
    from jacobians.diagnosis import diagnose

    problem = case.problem()
    network = network_of(problem)
    with np.errstate(all="ignore"):
        found = hand_written(problem, case.bug.slip, case.layer)[1](problem.theta.copy())
    gradient = unpack(problem, np.asarray(found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diagnose(gradient, network, unpack(problem, problem.theta), case.problem().X, network_targets(problem))


def network_of(problem: Problem) -> Any:
    """The library's network: the mean of the losses without a factor, whatever the convention's source takes."""
    from jacobians import Network

    return Network.dense(
        problem.sizes,
        activation=problem.activation,
        loss=problem.loss,
        factor=1.0,
        reduction="mean",
        convention=problem.convention,
        l2=problem.l2,
    )


def network_targets(problem: Problem) -> np.ndarray:
    """Y as the library's losses take it: labels, or an array shaped like the outputs."""
    labels = problem.loss != "squared_error" and problem.Y.ndim == 1 and problem.class_weights is None
    return problem.Y if labels else shaped_targets(problem)


def rank(causes: list[Any], case: Case) -> int:
    """The place of the right cause, from 1; 0 if it is not among them."""
    for place, cause in enumerate(causes, start=1):
        if cause.name in EXPECTED[case.bug.slip] and _same_layer(cause, case):
            return place
    return 0


def _same_layer(cause: Any, case: Case) -> bool:
    # another layer is another cause; a cause without layer speaks of all
    if case.bug.where in ("hidden", "upper"):
        return cause.layer is None or abs(cause.layer - case.layer) <= (case.bug.where == "upper")
    return cause.layer is None or case.layer in (0, cause.layer) or case.bug.where == ""


def measure(quick: bool = False, repeats: int | None = None, seed: int = SEED) -> dict[str, Any]:
    """Ranks by family, and what was called otherwise."""
    families = {f: Counter() for f in FAMILIES}
    notable: list[str] = []
    for case in chosen(repeats or (1 if quick else 12), seed):
        counts = families[case.bug.family]
        if case.why_equivalent():
            counts["equivalent"] += 1
            continue
        found = diagnosed(case)
        causes = list(found.causes)
        place = rank(causes, case)
        if place and found.verdict == "ambiguous":
            counts["ambiguous"] += 1
            counts["ambiguous, yet first"] += place == 1
            continue
        counts["runs"] += 1
        counts["first"] += place == 1
        counts["third"] += 1 <= place <= 3
        # worse than not to know: to claim an exact explanation, and another one
        counts["wrong"] += place == 0 and found.verdict in ("explained", "ambiguous", "right")
        if place != 1:
            said = ", ".join(f"{c.name}/{c.layer}" for c in causes[:3]) or "nothing"
            notable.append(f"rank {place or '–'}: {case}; {found.verdict}: {said}")
    return {"families": families, "notable": notable}


def shares(result: dict[str, Any]) -> tuple[float, float]:
    """The shares named first and among the first three, over all families."""
    total: Counter[str] = sum(map(Counter, result["families"].values()), Counter())
    return total["first"] / total["runs"], total["third"] / total["runs"]


def report(result: dict[str, Any]) -> str:
    """The table, and what was called otherwise."""
    total: Counter[str] = sum(map(Counter, result["families"].values()), Counter())
    rows = [
        [
            name,
            c["runs"],
            percent(c["first"], c["runs"]),
            percent(c["third"], c["runs"]),
            c["wrong"],
            c["ambiguous"],
            c["ambiguous, yet first"],
            c["equivalent"],
        ]
        for name, c in [*result["families"].items(), ("all", total)]
    ]
    header = (
        "family",
        "runs",
        "named first",
        "among three",
        "explained wrongly",
        "declared ambiguous",
        "yet first",
        "equivalent",
    )
    return "\n\n".join([table(header, rows), *result["notable"]])
