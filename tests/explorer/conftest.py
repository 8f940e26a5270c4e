"""The page in a file, one browser for all tests, and one tab for the tests of a file."""

from __future__ import annotations

import base64
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.browser import Tab, open_browser

_COUNTER = itertools.count()
"""Makes every address that resets a tab a new one."""


@pytest.fixture(scope="session")
def page_file(page_text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("explorer") / "explorer.html"
    file.write_text(page_text, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def page_data(page_text: str) -> dict[str, Any]:
    """What the page looks up, read out of the finished file."""
    return unpacked(page_text)


def unpacked(page_text: str) -> dict[str, Any]:
    """The data of a page."""
    found = re.search(r'<script type="application/octet-stream" id="data">([A-Za-z0-9+/=]*)</script>', page_text)
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def open_tab(browser: Any, page_file: Path) -> Iterator[Tab]:
    found = Tab(browser, page_file)
    yield found
    found.close()


@pytest.fixture
def tab(open_tab: Tab) -> Iterator[Tab]:
    """The page at its first view, one tab for a file's tests; afterwards it must have stayed silent."""
    open_tab.page.mouse.move(0, 0)
    open_tab.go(f"#{next(_COUNTER)}")
    yield open_tab
    assert open_tab.complaints == []
    assert open_tab.strange_requests() == []
