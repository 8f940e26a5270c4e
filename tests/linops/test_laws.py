"""Every law over every structure, in every dtype and memory order of what it stores."""

from __future__ import annotations

import pytest

from tests.linops.cases import NAMED, VARIANTS, built
from tests.linops.laws import LAWS, Law


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Law, name: str) -> None:
    for variant in VARIANTS:
        operator, twin = built(name, *variant)
        law(operator, twin)
