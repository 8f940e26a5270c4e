"""The oldest releases that are tested are the oldest that pyproject.toml allows, and the README names them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import jacobians

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TESTED = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8"), re.M))
EXTRAS = PROJECT["optional-dependencies"]
ALLOWED = dict(
    re.findall(
        r"^([\w-]+)>=([\d.]+)$",
        "\n".join(PROJECT["dependencies"] + EXTRAS["test"] + EXTRAS["cli"] + EXTRAS["bench"] + EXTRAS["hdf5"]),
        re.M,
    )
)


@pytest.mark.parametrize("name", sorted(TESTED.keys() - {"pyparsing"}))
def test_the_oldest_release_that_is_allowed_is_tested(name: str) -> None:
    assert f"{TESTED[name]}.".startswith(f"{ALLOWED[name]}."), f"{name}: tested {TESTED[name]}, allowed {ALLOWED[name]}"


def test_the_readme_names_the_range() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"NumPy from {ALLOWED['numpy']} and SciPy from {ALLOWED['scipy']} are supported" in text
    assert PROJECT["requires-python"] == ">=3.11"
    assert "Python 3.11, 3.12 and 3.13" in text


def test_the_version_is_the_same_in_four_places() -> None:
    version = PROJECT["version"]
    assert jacobians.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    headings = re.findall(
        r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
    )
    assert headings[0] == version
