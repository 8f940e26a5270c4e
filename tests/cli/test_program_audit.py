"""``jacobians audit --program``: a file, a folder, JSON, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jacobians.cli.main import main

RIGHT = "def loss(w, X, y):\n    e = X @ w - y\n    J = (e ** 2).sum() / 2\n    dw = X.T @ e\n    return J, dw\n"
WRONG = RIGHT.replace("dw = X.T @ e", "dw = -X.T @ e")
SILENT = "x = 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("right.py", RIGHT), ("wrong.py", WRONG), ("silent.py", SILENT), ("broken.py", "def (")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no program", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("name", "code"), [("right.py", 0), ("wrong.py", 1), ("silent.py", 2), ("broken.py", 2)])
def test_the_exit_code_says_what_was_found(
    folder: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--program", str(folder / name)]) == code
    shown = capsys.readouterr()
    if name == "wrong.py":
        assert "  → dw = -X.T @ e\n  + dw = X.T @ e\n" in shown.out
    if name == "broken.py":
        assert "broken.py, line 1: not Python" in shown.err


def test_a_folder_is_one_line_for_each_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--program", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["broken.py", "right.py", "silent.py", "wrong.py"]
    assert lines[1] == "right.py: right (1 of 1 gradients right)"
    assert lines[3].startswith("wrong.py: wrong (0 of 1 gradients right); line 4: ")


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--program", str(folder), "--json"]) == 1
    shown = capsys.readouterr().out
    assert shown.count("\n") == 6  # a line for each file, between two brackets
    records = json.loads(shown)
    assert [r["verdict"] for r in records] == ["not judged", "right", "not judged", "wrong"]
    assert main(["audit", "--program", str(folder / "wrong.py"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["first_wrong_line"] == 4


def test_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "own.py"
    path.write_text(RIGHT.replace("dw", "up").replace("J", "other"), encoding="utf-8")
    assert main(["audit", "--program", str(path), "--loss-name", "other", "--wrt", "up=w"]) == 0
    assert main(["audit", "--program", str(path), "--wrt", "up"]) == 2
    assert "write it as in --wrt dW1=W1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.py", "is no file"), ("notes.txt", "does not end in .py or .ipynb or .m"), ("", "no file")],
)
def test_what_is_no_program(folder: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / name if name else folder / "empty"
    if not name:
        path.mkdir()
    assert main(["audit", "--program", str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_files_of_any_editor_are_read(tmp_path: Path, encoding: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(("# d’une fonction\n" + RIGHT).replace("\n", "\r\n").replace("    ", "\t").encode(encoding))
    assert main(["audit", "--program", str(path)]) == 0
    assert "line 5: dw = X.T @ e" in capsys.readouterr().out
