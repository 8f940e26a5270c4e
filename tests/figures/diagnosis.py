"""How often the diagnosis names a seeded bug first, or among its first three. Goals: 95 % and 97 %; wrongly: 0.1 %.

Two catalogues: the bugs of `bugs`, and the slips of `plausible`, which no published list names; each in nets of
several classes, of two classes, and with hidden layers of one unit. Counted apart: bugs that change nothing, those
where the diagnosis itself says that several causes fit this batch equally well, the right one among them, and those
where it names another slip without a free number in it that gives the very same gradient. Wrong is what fits by its
numbers alone.
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tests.figures.backprop import ACTIVATIONS, Problem, shaped_targets, unpack
from tests.figures.bugs import BUGS, FAMILIES, Bug
from tests.figures.cases import CONVENTIONS, Case
from tests.figures.expected import EXPECTED, FITTED, UNSEEN
from tests.figures.plausible import KINDS, PlausibleCase, plausible
from tests.figures.stateful import hand_written
from tests.figures.tables import percent, table

SEED = 20_260_000
FIRST, THIRD, WRONG = 0.95, 0.97, 0.001
_NO_NETWORK = ("stride-0", "shared", "empty", "at-zero", "ties", "extreme")
"""Kinds that the library's networks do not have, or for which no value of the gradient is wrong in a known way."""


def chosen(repeats: int, seed: int = SEED) -> Iterator[Case]:
    """For each bug, networks, data, convention and layer at random."""
    rng = np.random.default_rng(seed)
    for bug in (bug for bug in BUGS if _has_values(bug)):
        yield from _drawn(bug, rng, repeats)


def _drawn(bug: Bug, rng: np.random.Generator, repeats: int) -> Iterator[Case]:
    for _ in range(repeats):
        while True:
            activation, convention = str(rng.choice(ACTIVATIONS)), str(rng.choice(CONVENTIONS))
            if bug.applies(convention, activation):
                break
        layers = int(rng.integers(2, 4))
        layer = int(rng.choice(bug.possible_layers(layers)))
        own = int(rng.integers(1 << 30))
        yield Case(bug, convention, layers, activation, str(rng.choice(bug.losses)), 1.0, layer, seed=own)


_NOT_OF_ONE_UNIT = ("rows-swapped", "soft-as-one-hot", "class-weights-unnormalised")
"""What needs two rows of a weight, or targets of another kind."""


def small(repeats: int, seed: int = SEED) -> Iterator[Case]:
    """The same bugs where the layers are small: two classes, or hidden layers of one unit."""
    rng = np.random.default_rng([seed, 1])
    for bug, kind in itertools.product(BUGS, KINDS[1:]):
        if bug.kind != "plain" or not _has_values(bug) or bug.slip in _NOT_OF_ONE_UNIT:
            continue
        losses = tuple(loss for loss in bug.losses if kind != "two-class" or loss == "cross_entropy")
        if losses:
            yield from _drawn(replace(bug, kind=kind, losses=losses), rng, repeats)


def _has_values(bug: Bug) -> bool:
    return bug.slip in EXPECTED and bug.slip not in UNSEEN and bug.kind not in _NO_NETWORK


def diagnosed(case: Case | PlausibleCase) -> Any:
    """The library's diagnosis of the bug's gradient."""
    from jacobians.diagnosis import diagnose

    if isinstance(case, PlausibleCase):
        problem, gradient = case.problem, case.wrong()
    else:
        problem = case.problem()
        with np.errstate(all="ignore"):
            found = hand_written(problem, case.bug.slip, case.layer)[1](problem.theta.copy())
        gradient = unpack(problem, np.asarray(found))
        problem = case.problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        params = unpack(problem, problem.theta)
        return diagnose(gradient, network_of(problem), params, problem.X, network_targets(problem))


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


def place_of(found: Any, case: Case | PlausibleCase) -> int:
    """The place of the right cause, or of the two right ones together, from 1; 0 if it is not there."""
    causes = [cause for cause in found.causes if cause.exact]
    if isinstance(case, Case):
        return rank(causes, case)
    if len(case.slips) == 1:
        return next((i for i, c in enumerate(causes, start=1) if c.name in case.accepts(0)), 0)
    names = [c.name for c in causes]
    both = len(names) == 2 and any(names[i] in case.accepts(0) and names[1 - i] in case.accepts(1) for i in (0, 1))
    return int(both)


def measure(quick: bool = False, repeats: int | None = None, seed: int = SEED) -> dict[str, Any]:
    """Ranks by family, and what was called otherwise."""
    times = repeats or (1 if quick else 12)
    families: dict[str, Counter[str]] = {f: Counter() for f in FAMILIES}
    notable: list[str] = []
    fresh: list[Case | PlausibleCase] = [*plausible(times, seed)]
    fresh = fresh[len(fresh) // 3 :: 24] if quick else [*small(max(1, times // 3), seed), *fresh]
    for case in [*list(chosen(times, seed))[:: 2 if quick else 1], *fresh]:
        counts = families.setdefault(_family(case), Counter())
        if case.changes_nothing() if isinstance(case, PlausibleCase) else case.why_equivalent():
            counts["equivalent"] += 1
            continue
        _count(case, counts, notable)
    return {"families": families, "notable": notable}


def _family(case: Case | PlausibleCase) -> str:
    if isinstance(case, PlausibleCase):
        return f"{case.family}{_IN.get(case.problem.kind, '')}"
    return f"{case.bug.family}{_IN.get(case.bug.kind, '')}"


_IN = {"two-class": ", two classes", "one-hidden": ", one unit"}


def _count(case: Case | PlausibleCase, counts: Counter[str], notable: list[str]) -> None:
    found = diagnosed(case)
    place = place_of(found, case)
    exact = [cause.name for cause in found.causes if cause.exact]
    if place and found.verdict == "ambiguous":
        counts["ambiguous"] += 1
        counts["ambiguous, yet first"] += place == 1
        return
    counts["runs"] += 1
    counts["first"] += place == 1
    counts["third"] += 1 <= place <= 3
    # worse than not to know: to claim an exact explanation, and another one
    claimed = place == 0 and found.verdict in ("explained", "ambiguous", "right")
    by_numbers = not exact or any(name in FITTED for name in exact)
    counts["wrong"] += claimed and by_numbers
    counts["another"] += claimed and not by_numbers
    counts["unknown"] += found.verdict == "unexplained"
    if place != 1:
        said = ", ".join(f"{c.name}/{c.layer}" for c in found.causes[:3]) or "nothing"
        notable.append(f"rank {place or '–'}: {case}; {found.verdict}: {said}")


def shares(result: dict[str, Any]) -> tuple[float, float, float]:
    """The shares named first, among the first three, and wrongly, over all families.

    A slip that gives the very same gradient, without a free number, counts as right.
    """
    total: Counter[str] = sum(map(Counter, result["families"].values()), Counter())
    same = total["another"]
    return (
        (total["first"] + same) / total["runs"],
        (total["third"] + same) / total["runs"],
        total["wrong"] / total["runs"],
    )


def report(result: dict[str, Any]) -> str:
    """The table, and what was called otherwise."""
    total: Counter[str] = sum(map(Counter, result["families"].values()), Counter())
    rows = [
        [
            name,
            c["runs"],
            percent(c["first"], c["runs"]),
            percent(c["third"], c["runs"]),
            c["another"],
            c["unknown"],
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
        "another of the same gradient",
        "unknown",
        "explained wrongly",
        "declared ambiguous",
        "yet first",
        "equivalent",
    )
    return "\n\n".join([table(header, rows), *result["notable"]])
