"""``jacobians explore``: where the page goes, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jacobians.cli import explore_command, main


@pytest.fixture(autouse=True)
def _small_page(monkeypatch):
    """The page itself is tested beside the explorer; here a short one with letters of every kind."""
    monkeypatch.setattr(explore_command, "explorer_page", lambda presets, examples: "<!doctype html>∂\n")


def run(capsys, *argv):
    code = main(["explore", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_page_is_written_here_unless_a_file_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert (tmp_path / "jacobians-explorer.html").read_text(encoding="utf-8") == "<!doctype html>∂\n"
    assert "jacobians-explorer.html: 0 kB, no network needed" in out
    assert (tmp_path / "jacobians-explorer.html").as_uri() in out


def test_the_presets_that_are_named_are_offered(capsys, tmp_path, monkeypatch):
    offered = []
    monkeypatch.setattr(explore_command, "explorer_page", lambda presets, examples: offered.append(presets) or "page")
    file = str(tmp_path / "a.html")
    assert run(capsys, "keras", "matlab", "keras", "-o", file)[0] == 0
    assert run(capsys, "-o", file, "--force")[0] == 0
    assert [[preset.name for preset in presets or ()] for presets in offered] == [["keras", "matlab"], []]
    code, out, err = run(capsys, "kera", "-o", file, "--force")
    assert (code, out) == (2, "")
    assert "kera" in err


@pytest.mark.parametrize("found", [True, False])
def test_the_page_is_opened_where_it_is_asked_for(capsys, tmp_path, monkeypatch, found):
    opened = []
    monkeypatch.setattr(explore_command.webbrowser, "open", lambda address: opened.append(address) or found)
    file = tmp_path / "a.html"
    assert run(capsys, "-o", str(file))[0] == 0
    assert opened == []
    code, _, err = run(capsys, "-o", str(file), "--force", "--open")
    assert (code, opened) == (0, [file.as_uri()])
    assert err == ("" if found else "No browser was found to open it with.\n")


def test_a_file_is_written_over_only_by_force(capsys, tmp_path):
    file = tmp_path / "a.html"
    file.write_text("mine")
    code, out, err = run(capsys, "-o", str(file))
    assert (code, out) == (2, "")
    assert (
        err == f"jacobians: error: explore: {file} exists; choose another file with -o, or write over it with --force\n"
    )
    assert "'cs321n' is unknown; did you mean 'cs231n'" in run(capsys, "cs321n", "-o", str(file))[2]
    assert file.read_text() == "mine"
    assert run(capsys, "-o", str(file), "--force")[0] == 0
    assert file.read_text(encoding="utf-8") == "<!doctype html>∂\n"


def test_a_minus_prints_the_page_in_utf8(capsysbinary):
    assert main(["explore", "-o", "-"]) == 0
    assert capsysbinary.readouterr().out == "<!doctype html>∂\n".encode()


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("name", ["missing/a.html", "x" * 300, "."])
def test_what_cannot_be_written_is_one_line(capsys, tmp_path, monkeypatch, name, force):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "-o", name, *force)
    assert (code, out) == (2, "")
    assert err.startswith("jacobians: error: explore: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", [["--matrix"], pytest.param([], marks=pytest.mark.slow)])  # all layouts take seconds
def test_from_the_shell(tmp_path, kind):
    root = Path(explore_command.__file__).parents[2]
    command = [sys.executable, "-m", "jacobians", "explore", *kind, "-o", "page.html"]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").read_text(encoding="utf-8").endswith("</html>\n")
    assert "page.html: " in done.stdout


def test_a_batch_of_ones_own(capsys, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(explore_command, "explorer_page", lambda presets, examples: given.append(examples) or "page")
    file, page = tmp_path / "batch.csv", str(tmp_path / "a.html")
    rows = "\n".join(f"{i},{i * i},{'ab'[i % 2]}" for i in range(10))
    file.write_text(f"one,two,kind\n{rows}\n")
    assert run(capsys, "--data", str(file), "-o", page)[0] == 0
    mine, *others = given[0]
    assert (mine.key, mine.sizes, mine.X.shape, len(others)) == ("data", (2, 3, 2), (8, 2), 3)
    assert mine.X[3].tolist() == [3, 9]
    assert mine.labels.tolist() == [0, 1] * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1,2,3,4,5,6,7,a\n1,2,3,4,5,6,8,b\n",
            "has 2 examples, 7 features and 2 classes; the page shows 2 examples",
        ),
        ("1,2,a\n3,4,a\n", "1 classes; the page shows"),
    ],
)
def test_a_batch_that_the_page_cannot_show_is_one_line(capsys, tmp_path, text, message):
    file = tmp_path / "batch.csv"
    file.write_text(text)
    code, out, err = run(capsys, "--data", str(file), "-o", str(tmp_path / "a.html"))
    assert (code, out) == (2, "")
    assert err.startswith("jacobians: error: explore: ")
    assert message in err


def test_columns_are_of_a_file(capsys):
    code, _, err = run(capsys, "--labels", "kind")
    assert code == 2
    assert "explore: --features and --labels name arrays of a file; add --data FILE" in err


def test_a_convention_of_ones_own_is_given_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "my-course", "-o", "-"]) == 2
    err = capsys.readouterr().err
    assert "did you mean" not in err
    assert "A convention of your own goes on the page in Python: jacobians.explorer.explorer_page([mine])" in err
