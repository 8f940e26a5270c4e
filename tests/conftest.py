"""What all tests share: the explorer's page, and how many examples Hypothesis draws.

The same few every day, many new ones with ``--hypothesis-profile heavy``.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "everyday",
    max_examples=100,
    deadline=None,  # a machine shared with others is slow at times
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("heavy", settings.get_profile("everyday"), max_examples=3000, derandomize=False)
settings.load_profile("everyday")


@pytest.fixture(scope="session")
def page_text() -> str:
    """The explorer's page, which takes seconds."""
    from jacobians.explorer import explorer_page

    return explorer_page()
