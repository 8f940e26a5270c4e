"""``jacobians conventions``: every preset with its citation."""

import json

import pytest

from jacobians import all_conventions
from jacobians.cli import main
from jacobians.presets import REFERENCES


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_all_presets_and_references_are_listed(capsys):
    assert main(["conventions"]) == 0
    out = capsys.readouterr().out
    for preset in all_conventions():
        assert f"{preset.name}  " in out
    for reference in REFERENCES:
        assert f"{reference.name} [{reference.evidence}]" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_one_preset_with_its_source(capsys):
    assert main(["conventions", "cs231n"]) == 0
    out = capsys.readouterr().out
    assert "batch in rows, weights in columns, bias separate" in out
    assert "source [P]:" in out
    assert "ng-ml-2011" not in out


def test_json(capsys):
    assert main(["conventions", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["preset"] for row in rows] == [c.name for c in all_conventions()]
    assert all(row["citation"] for row in rows)


def test_unknown_name(capsys):
    assert main(["conventions", "foo"]) == 2
    assert "convention: 'foo' is unknown" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == "jacobians 0.2.0\n"
