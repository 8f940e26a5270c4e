"""The examples that ``--help`` shows: every line is understood, and those that need no file of the reader's run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from jacobians import cli
from jacobians.cli import (
    audit_command,
    check_command,
    compare_command,
    derive_command,
    explain_command,
    explore_command,
    train_command,
    translate_command,
)

MODULES = [
    audit_command,
    check_command,
    compare_command,
    derive_command,
    explain_command,
    explore_command,
    train_command,
    translate_command,
]
LINES = [
    (module, " ".join(line.split()))
    for module in MODULES
    for line in re.findall(r"^  (jacobians .*)$", module._EPILOG.replace("\\\n", " "), re.MULTILINE)
]
OWN_FILES = re.compile(r"\.(csv|mat|npz|m|py)\b|model:")


def arguments(line: str) -> list[str]:
    return shlex.split(re.split(" [<>] ", line)[0])[1:]


def test_every_command_shows_examples() -> None:
    assert {module for module, _ in LINES} == set(MODULES)


@pytest.mark.parametrize(("module", "line"), LINES, ids=[line for _, line in LINES])
def test_it_is_understood(module: ModuleType, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run", lambda given: 7)
    assert cli.main(arguments(line)) == 7


@pytest.mark.parametrize("line", [line for _, line in LINES if not OWN_FILES.search(line)])
def test_it_runs(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(tmp_path)
    if " explore" in line:
        monkeypatch.setattr(explore_command, "explorer_page", lambda *_: request.getfixturevalue("page_text"))
    # a formula may be shown because it is wrong
    assert cli.main(arguments(line)) in ((0, 1) if " audit " in line else (0,))


@pytest.mark.parametrize(
    "command", ["", *sorted(module.__name__.split(".")[-1][: -len("_command")] for module in MODULES)]
)
def test_help_fits_eighty_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([*command.split(), "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_command_has_a_format(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = []
    monkeypatch.setattr(module, "run", lambda given: formats.append(given.format) or 0)
    line = next(arguments(line) for own, line in LINES if own is module)
    for added in ([], ["--format", "json"], ["--json"]):
        cli.main([*(word for word in line if word not in ("--format", "numpy")), *added])
    assert formats == ["text", "json", "json"]
