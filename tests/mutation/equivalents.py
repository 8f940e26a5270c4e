"""Mutants that change nothing that could be seen, with the reason, by function and change."""

from __future__ import annotations

from fnmatch import fnmatchcase

from tests.mutation.equivalent_algebra import EQUIVALENT_ALGEBRA
from tests.mutation.equivalent_operations import EQUIVALENT_OPERATIONS
from tests.mutation.equivalent_structures import EQUIVALENT_STRUCTURES
from tests.mutation.equivalent_views import EQUIVALENT_VIEWS

EQUIVALENTS: dict[str, list[tuple[str, str]]] = (
    EQUIVALENT_OPERATIONS | EQUIVALENT_STRUCTURES | EQUIVALENT_ALGEBRA | EQUIVALENT_VIEWS
)
"""By "module: function" a list of (change, reason); both may hold the wildcard *."""


def reason(mutant: str) -> str:
    """Why this mutant cannot be caught, or nothing."""
    module, function, change = mutant.split(": ", 2)
    for where, table in EQUIVALENTS.items():
        if fnmatchcase(f"{module}: {function}", where):
            for pattern, why in table:
                if fits(change, pattern):
                    return why
    return ""


def fits(change: str, pattern: str) -> bool:
    """Whether a change is meant by a pattern, in which only * is a wildcard."""
    return fnmatchcase(change, pattern.replace("[", "[[]").replace("?", "[?]"))


def idle_reasons(mutants: list[str]) -> list[str]:
    """Reasons that fit none of these mutants: the function has changed, or is gone."""
    parts = [m.split(": ", 2) for m in mutants]
    return [
        f"{where}: {pattern}"
        for where, table in EQUIVALENTS.items()
        for pattern, _ in table
        if not any(fnmatchcase(f"{m}: {f}", where) and fits(change, pattern) for m, f, change in parts)
    ]
