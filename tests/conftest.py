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
def page_text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The explorer's page, which takes seconds; what one worker of this run has made, the others read."""
    from jacobians.explorer import explorer_page
    from jacobians.whole_files import whole_file

    if not hasattr(request.config, "workerinput"):
        return explorer_page()
    shared = tmp_path_factory.getbasetemp().parent / "explorer.html"  # of all workers of one run, and of no other
    if not shared.exists():
        with whole_file(shared) as file:
            file.write(explorer_page().encode())
    return shared.read_text(encoding="utf-8")
