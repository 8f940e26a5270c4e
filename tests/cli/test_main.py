"""What every command keeps to: exit code 1 means wrong and nothing else, one line for what fails, JSON that is JSON."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians import Network
from jacobians.cli import main, output
from jacobians.cli.output import make_console, printable, write_file
from jacobians.errors import DataError

MODEL = r"""
import os, sys, time
import numpy as np
def f(x): return float((x**2).sum())
def g(x): return 2 * x
def no_memory(x): raise MemoryError
def too_much(x): return np.ones(10**14).sum()
def leaves(x): sys.exit(3)
def interrupted(x): raise KeyboardInterrupt
def generator(x): raise GeneratorExit
class TimeIsUp(BaseException): pass
def of_its_own(x): raise TimeIsUp("of the user's own")
def escapes(x): raise RuntimeError("\x1b[31mred\x1b]0;title\x07")
def prints(x):
    print("at work")
    os.write(1, b"past Python\n")
    return f(x)
def infinite(x): return x * np.inf
def sleeps(x):
    print("asleep", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    Path("user_model.py").write_text(MODEL)
    Path("leaving_module.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("user_model", None)


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys)
    assert (code, err) == (0, "")
    assert out.startswith("usage: jacobians")


def homework(**changed: Any) -> str:
    net = Network.dense((3, 4, 2), convention="cs231n", activation="relu")
    X, y, params = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0]), net.init(0)
    gradient = {f"d{name}": array for name, array in net.gradient(params, X, y).items()}
    np.savez("homework.npz", **{"X": X, "y": y, **params, **gradient, **changed})
    return "homework.npz"


def spoilt(value: float) -> Any:
    X = np.ones((6, 3))
    X[1, 2] = value
    return X


POINT = ("user_model:g", "--shape", "3")
REFUSED = [
    (("compare", "--hidden", "1000000000"), "a layer of 1000000000 nodes on 64 inputs takes 476.8 GiB"),
    (("compare", "--hidden", ",".join(["4"] * 40)), "compare: 41 layers are over the limit of 20"),
    (("explain", "cs231n", "--sizes", ",".join(["2"] * 301)), "explain: 300 layers are over the limit of 20"),
    (("audit", "dW1 = X", "--sizes", ",".join(["2"] * 300)), "audit: 299 layers are over the limit of 20"),
    (("audit", "dW1 = X", "--examples", "1000000000"), "--examples 1000000000 is over the limit of 2000"),
    (("check", "user_model:f", "user_model:g", "--shape", "1000000,1000000"), "1000000,1000000 takes 7.3 TiB, over"),
    (("check", "user_model:f", *POINT, "--directions", "1000000000"), "--directions 1000000000 is over the limit of"),
    (("explore", "-o", "."), "explore: . exists; choose another file with -o, or write over it with --force"),
    (("check", "user_model:no_memory", *POINT), "check: there is not enough memory"),
    (("check", "user_model:too_much", *POINT), "check: there is not enough memory: Unable to allocate"),
    (("check", "user_model:leaves", *POINT), "check: SystemExit: 3 (in leaves, user_model.py line 8)"),
    (("check", "user_model:generator", *POINT), "check: GeneratorExit (in generator"),
    (("check", "user_model:of_its_own", *POINT), "check: TimeIsUp: of the user's own (in of_its_own"),
    (("check", "leaving_module:f", *POINT), "importing leaving_module raised SystemExit: 3"),
    (("explain", "cs231n", "--l2", "nan"), "l2=nan"),
    (("explain", "cs231n", "--l2", "inf"), "l2=inf"),
    (("explain", "cs231n", "--l2", "-1"), "--l2 must not be negative"),
    (("check", "\x1b[31mname\x07.npz"), r"there is no file \x1b[31mname\x07.npz"),
]


@pytest.mark.parametrize(("argv", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_is_no_verdict_is_one_line(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], text: str) -> None:
    code, out, err = said(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("jacobians: error: ")
    assert err.count("\n") == 1
    assert text in err


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["X", "W1"])
def test_a_file_whose_numbers_are_not_finite(capsys: pytest.CaptureFixture[str], name: str, value: float) -> None:
    changed = spoilt(value) if name == "X" else np.full((3, 4), value)
    for named in ((), ("--convention", "cs231n")):
        code, out, err = said(capsys, "check", homework(**{name: changed}), *named)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert re.match(rf"jacobians: error: homework.npz: {name}\[\d, \d\] is {value}", err)


def test_an_array_too_many_is_named_whatever_the_convention(capsys: pytest.CaptureFixture[str]) -> None:
    for named in ((), ("--convention", "cs231n")):
        code, out, err = said(capsys, "check", homework(more=np.ones((6, 3))), *named)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("jacobians: error: homework.npz: more (6, 3): not used; cs231n has no such name")


def test_what_cannot_be_parsed_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, text in (
        (("explain", "cs231n", "--examples", "1000000000"), "jacobians explain: error: argument --examples: "),
        (("compare", "--x\x1b[31m"), r"jacobians: error: unrecognized arguments: --x\x1b[31m"),
    ):
        with pytest.raises(SystemExit) as left:
            main(argv)
        out, err = capsys.readouterr()
        assert (left.value.code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(text)


def test_a_fault_of_the_library_is_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: Any) -> None:
        raise ZeroDivisionError("a fault\nof two lines")

    monkeypatch.setattr("jacobians.cli.check_command.read_arrays", faulty)
    code, out, err = said(capsys, "check", "a.npz")
    assert (code, out) == (2, "")
    assert err.startswith(
        "jacobians: error: check: ZeroDivisionError: a fault of two lines (in faulty, test_main.py line"
    )


def test_ctrl_c_in_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "check", "user_model:interrupted", *POINT) == (130, "", "jacobians: error: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c() -> None:
    line = [sys.executable, "-m", "jacobians", "check", "user_model:sleeps", *POINT]

    def heeds_it() -> None:
        # a shell lets its background jobs, and what they start, ignore it
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    out = subprocess.PIPE
    with subprocess.Popen(line, stdout=out, stderr=out, text=True, preexec_fn=heeds_it) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asleep\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "jacobians: error: interrupted\n")


def strict(text: str) -> Any:
    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refused)


def test_json_is_json_whatever_a_function_prints(capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "user_model:prints", *POINT, "--json"])
    out, err = capfd.readouterr()
    assert code == 0
    assert strict(out)["verdict"] == "pass"
    assert "at work" in err
    assert "past Python" in err


def test_json_has_no_infinity(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "check", "user_model:f", "user_model:infinite", "--shape", "3", "--json")
    assert code == 1
    strict(out)
    gradient = {"dW1": np.full((3, 4), -np.inf)}
    code, out, _ = said(capsys, "check", homework(**gradient), "--convention", "cs231n", "--json")
    assert code == 1
    strict(out)


def test_numbers_that_json_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    from jacobians.cli.output import print_json

    print_json({"a": [np.inf, -np.inf, (np.nan, 1.5)], "b": "∂"})
    assert strict(capsys.readouterr().out) == {"a": ["Infinity", "-Infinity", ["NaN", 1.5]], "b": "∂"}


def test_what_is_printed_gives_a_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    assert printable("W\x1b[2J\x9b1\r\n\tb\x07") == "W\\x1b[2J\\x9b1\\r\n\tb\\x07"
    _, out, _ = said(capsys, "check", "user_model:escapes", *POINT)
    assert "\x1b" not in out
    assert r"\x1b[31mred\x1b]0;title\x07" in out
    np.savez("names.npz", **{"\x1b[31mW1": np.ones((2, 2)), "X": np.ones((2, 2))})
    _, out, err = said(capsys, "check", "names.npz")
    assert "\x1b" not in out + err
    assert r"\x1b[31mW1" in out + err


@pytest.mark.parametrize("columns", ["0", "1", "-5", "x"])
def test_a_width_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert make_console().width >= 20
    code, out, _ = said(capsys, "conventions", "cs231n")
    assert code == 0
    assert "cs231n" in out


def test_no_color(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(["conventions", "cs231n"])
    out = capsys.readouterr().out
    assert not [part for part in out.split("\x1b[")[1:] if part.split("m")[0] not in ("0", "1")]


def test_a_file_is_written_over_on_request_and_keeps_its_link_and_mode() -> None:
    write_file("out.txt", "whole", "explain")
    with pytest.raises(DataError, match=r"^explain: out.txt exists; choose another file with -o$"):
        write_file("out.txt", "again", "explain")
    Path("link.txt").symlink_to("out.txt")
    Path("out.txt").chmod(0o600)
    write_file("link.txt", "again", "explore", overwrite=True)
    assert Path("link.txt").is_symlink()
    assert Path("out.txt").read_text() == "again"
    assert Path("out.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_is_written_to_and_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match=r"^explore: cannot write /dev/full: No space left on device$"):
        write_file("/dev/full", "text", "explore", overwrite=True)
    assert not Path("/dev/full").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_help_that_cannot_be_written() -> None:
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [sys.executable, "-m", "jacobians"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert found.returncode == 2
    assert found.stderr == "jacobians: error: standard output cannot be written: No space left on device\n"


def test_a_terminal_is_told_how_long_a_command_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the line is gone before the command writes anything, on either stream."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    shown = threading.Event()
    monkeypatch.setattr(terminal, "flush", shown.set)
    monkeypatch.setattr(output, "_TICK", 0.001)
    monkeypatch.setattr(sys, "stderr", terminal)
    with output.standard_streams():
        assert shown.wait(10)
        print("done")
        before = terminal.getvalue()
        assert before.startswith("\rworking: 0 s")
        assert before.endswith("\r            \r")
        shown.clear()
        assert not shown.wait(0.02)
    assert terminal.getvalue() == before
    assert capsys.readouterr().out == "done\n"


ALL = {"compare", "explain", "derive", "check", "audit", "translate", "train", "explore", "conventions"}


@pytest.mark.parametrize(
    ("words", "imported"), [(["conventions"], {"conventions"}), (["--help"], ALL), (["chek"], ALL)]
)
def test_a_command_imports_only_its_own_module(
    words: list[str], imported: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    real = importlib.import_module

    def counted(name: str, package: str | None = None) -> Any:
        if name.startswith("jacobians.cli."):
            asked.append(name.removeprefix("jacobians.cli.").removesuffix("_command"))
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", counted)
    with contextlib.suppress(SystemExit):
        main(words)
    capsys.readouterr()
    assert set(asked) == imported
