"""Is the verdict the same on other data: with a second seed, and without the regulariser?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jacobians.programs.judge import studied
from jacobians.programs.regulariser import run_without, strengths_of
from jacobians.programs.study import Study, agrees_along, judge, wrong_ones
from jacobians.programs.subject import Subject


def wrong_elsewhere(study: Study) -> dict[int, str]:
    """Return the gradients that are wrong on other data, and on which, in words.

    Each is compared with the loss's slope along a random direction, and entry by entry where the two differ.
    """
    found: dict[int, str] = {}
    other = _with_other_seed(study)
    if other is not None:
        places = {(c.name, c.parameter, c.line): n for n, c in enumerate(study.claims)}
        for n in _wrong(other):
            claim = other.claims[n]
            place = places.get((claim.name, claim.parameter, claim.line))
            if place is not None:
                found[place] = "it is wrong on other data, drawn with another seed"
    if strengths_of(study):
        plain = run_without(study)
        for n in () if plain is None else _wrong(plain):
            found.setdefault(n, "it is wrong where the regulariser's strength is 0")
    return found


def _with_other_seed(study: Study) -> Study | None:
    """The study on other data; None where the program does not run on them, or has no random data."""
    old = study.subject
    if study.settings is None:
        return None
    subject = Subject(
        old.source, old.plan, old.uses, old.entry, old.guess, old.seed + 1, limits=old.limits, tables=old.tables,
        decisions=old.decisions,
    )  # fmt: skip
    run, _ = subject.run()
    if run.error is not None and not run.trained:
        return None
    name = None if study.loss.inferred else study.loss.name
    made = studied(subject, run, study.settings)
    if made is None or bool(made.loss.inferred) != bool(study.loss.inferred) or (name and made.loss.name != name):
        return None
    return made


def _wrong(study: Study) -> list[int]:
    """The places of the gradients that are wrong."""
    unsure = [place for place, claim in enumerate(study.claims) if not agrees_along(study, claim)]
    if not unsure:
        return []
    some = replace(study, claims=[study.claims[place] for place in unsure], true=[])
    judge(some)
    sharp = [np.all(np.isfinite(true.tolerance)) for true in some.true]
    return [unsure[n] for n in wrong_ones(some) if sharp[n]]
