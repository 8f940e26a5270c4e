"""Every code block of README.md and docs/ does what it says; and the runner notices where one does not."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.docs.markdown import blocks, failures

ROOT = Path(__file__).parents[2]
FILES = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if path.is_file()]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Files that a block writes stay out of the repository; tables are 80 columns wide, as through a pipe.

    The explorer's page is computed once for all commands that write it.
    """
    monkeypatch.setattr("jacobians.cli.explore_command.explorer_page", lambda *_: request.getfixturevalue("page_text"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_code_blocks(path: Path) -> None:
    reports = failures(path)
    assert not reports, "\n".join(reports)


def test_published_forward_passes_take_twelve_lines_at_most() -> None:
    text = (ROOT / "docs" / "graphs.md").read_text(encoding="utf-8")
    sources = [e.source for block in blocks(text) for e in doctest.DocTestParser().get_examples(block.source)]
    lines = {s.split("(")[0].removeprefix("def "): s.count("\n") for s in sources if s.startswith("def ")}
    assert {"autoencoder", "recurrence", "lstm_step", "lstm", "batch_norm", "attention", "heads"} <= lines.keys()
    assert max(lines.values()) <= 12


# --- the runner itself -----------------------------------------------------------------------------------


def report(tmp_path: Path, text: str) -> str:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return "\n".join(failures(path))


def test_blocks_are_found_with_their_lines() -> None:
    text = "# T\n\n```python\n>>> 1\n1\n```\n\n```sh\nrm x\n```\n```console\n$ jacobians conventions\n```\n"
    assert [(b.language, b.line) for b in blocks(text)] == [("python", 4), ("sh", 9), ("console", 12)]


def test_a_file_has_one_namespace(tmp_path: Path) -> None:
    assert not report(tmp_path, "```python\n>>> a = 1\n```\n```python\nb = a + 1\n```\n```python\n>>> b\n2\n```\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n```python\n>>> 1 + 1\n3\n```\n", 'page.md", line 3'),
        ("\n```python\n>>> 1 / 0\n```\n", "ZeroDivisionError"),
        ("\n```python\nx = 1\n1 / 0\n```\n", 'page.md", line 4'),
        ("```console\n$ jacobians --version\njacobians 99\n```\n", "console block at line 2"),
        ("```console\n$ jacobians --version\n```\n", "Expected nothing"),
        ("```console\n$ jacobians --vorsion\n```\n", "jacobians: error: unrecognized arguments: --vorsion"),
    ],
)
def test_the_runner_notices(tmp_path: Path, text: str, message: str) -> None:
    assert message in report(tmp_path, text)


def test_shell_blocks(tmp_path: Path) -> None:
    assert not report(tmp_path, "```sh\njacobians --version   # the version\nrm -r /nowhere\npip install it\n```\n")
    text = report(tmp_path, "\n```sh\nrm x\njacobians compare --data missing.csv   # yours\n```\n")
    assert text.startswith("page.md, line 4: exit code 2\n    $ jacobians compare --data missing.csv")
    assert "there is no file missing.csv" in text


def test_the_lines_of_the_readme_are_there() -> None:
    """Where the README has no such block, or it is fenced otherwise, nothing would be run."""
    lines = [line for b in blocks((ROOT / "README.md").read_text(encoding="utf-8")) for line in b.source.splitlines()]
    commands = {line.split()[1] for line in lines if line.startswith("jacobians ")}
    assert commands == {"conventions", "compare", "check", "translate", "explain", "audit", "train", "explore"}


def test_console_blocks(tmp_path: Path) -> None:
    good = "```console\n$ jacobians \\\n  --version\njacobians ...\n$ pip install it\nno matter what\n```\n"
    assert not report(tmp_path, good)
    assert not report(tmp_path, "```console\n$ ls\nno matter what\n```\n")
