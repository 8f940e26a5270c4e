"""Each slip that no published list names, and pairs of slips, once by hand in a net of several classes."""

from __future__ import annotations

import pytest

from tests.figures.diagnosis import diagnosed, place_of
from tests.figures.plausible import PAIRS, SLIPS, PlausibleCase, plausible

CASES = list(plausible(1, 11, ("plain",)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(case.slips))
def test_it_is_named_first(case: PlausibleCase) -> None:
    if case.changes_nothing():
        pytest.skip("it changes nothing in this net")
    found = diagnosed(case)
    assert place_of(found, case) == 1, str(found)
    assert found.verdict in ("explained", "ambiguous")


def test_every_slip_is_among_them() -> None:
    named = {slip for case in CASES for slip in case.slips}
    # a bias that is a column of its weight has no gradient of its own
    missing = {slip.slip for slip in SLIPS} - named
    assert missing <= {"bias-before-slope"}
    assert sum(len(case.slips) == 2 for case in CASES) >= len(PAIRS) - 4
