"""The program around the benchmarks: its options, the history that it keeps, the tables that come of it."""

from __future__ import annotations

import contextlib
import json
import os
import sys

import numpy as np
import pytest
import threadpoolctl

from tests.benchmarks import __main__ as program
from tests.benchmarks import gradients, machine, report
from tests.benchmarks.contest import Case, Contender, skipped


def _cases():
    answer = {"a": np.arange(3.0)}
    yield Case(
        "5 × tiny",
        (
            Contender("floor", "floor", lambda: None),
            Contender("ours", "ours", lambda: answer),
            Contender("NumPy", "by hand", lambda: answer, facts={"operations": 12345}),
            skipped("absent", "absent is not installed"),
        ),
    )


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(machine, "set_up", lambda threads, allocator: None)
    monkeypatch.setattr(gradients, "cases", _cases)


@pytest.fixture
def pools(monkeypatch):
    """One pool of threads, which takes the limit that it is given; what this process has loaded is not asked."""
    limits = []

    @contextlib.contextmanager
    def limited(threads):
        limits.append(threads)
        yield

    pool = {"internal_api": "openblas", "version": "0.3"}
    monkeypatch.setattr(threadpoolctl, "threadpool_limits", limited)
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [pool | {"num_threads": limits[-1]}])
    for library in ("torch", "jax"):
        monkeypatch.delitem(sys.modules, library, raising=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gradient"], "gradient: choose from gradients, dense_jacobians, per_example"),
        (["gradients", "--threads", "0"], "--threads 0: this process may use 1 to"),
        (["--threads", "4096"], "--threads 4096: this process may use 1 to"),
        (["--threads", "two"], "argument --threads: invalid int value: 'two'"),
        (["--seconds", "0"], "--seconds 0: must be above 0"),
        (["--seconds", "nan"], "--seconds nan: must be above 0"),
        (["--allocator", "large"], "argument --allocator: invalid choice: 'large'"),
        (["--json", "no/such/folder/h.jsonl"], "--json no/such/folder/h.jsonl: not a file, or in no folder"),
        (["--json", "."], "--json .: not a file, or in no folder that exists"),
        (["--report", "no-such-file"], "--report no-such-file: No such file or directory"),
    ],
)
def test_bad_options_are_refused_with_the_reason(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(machine, "set_up", lambda threads, allocator: pytest.fail("nothing may be started"))
    with pytest.raises(SystemExit) as stopped:
        program.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", ["no json", '{"workload": "gradients"}', "[1, 2]"])
def test_what_is_no_history_is_refused(text, tmp_path, capsys):
    (tmp_path / "h.jsonl").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        program.main(["--report", str(tmp_path / "h.jsonl")])
    assert stopped.value.code == 2
    assert "h.jsonl, line 1: no line of a history" in capsys.readouterr().err


def test_every_workload_is_a_module_with_cases():
    for name in program.WORKLOADS:
        module = __import__(f"tests.benchmarks.{name}", fromlist=["cases"])
        assert module.TITLE.startswith(f"W{program.WORKLOADS.index(name) + 1}: ")
        assert next(iter(module.cases())).contenders if name == "start_up" else callable(module.cases)


def test_the_history_has_machine_versions_threads_and_rows(tiny, pools, tmp_path, capsys):
    path = tmp_path / "h.jsonl"
    for _ in range(2):
        assert program.main(["gradients", "--seconds", "0.001", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "| skipped: absent is not installed |" in printed
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2, "a history is added to"
    line = lines[1]
    assert (line["workload"], line["threads"], line["allocator"], line["seconds"]) == ("gradients", 1, "default", 0.001)
    assert line["machine"]["cores"] == os.cpu_count()
    assert line["machine"]["processor"]
    assert line["machine"]["versions"]["numpy"] == np.__version__
    assert line["machine"]["pools"] == {"openblas 0.3": 1}, "the threads are those that were asked for"
    assert [row["contender"] for row in line["rows"]] == ["floor", "ours", "NumPy", "absent"]
    assert line["rows"][1]["÷ floor"] > 0
    assert line["rows"][2]["operations"] == 12345


def test_the_report_is_made_of_the_newest_lines(tiny, tmp_path, capsys):
    path = tmp_path / "h.jsonl"
    program.main(["gradients", "--seconds", "0.001", "--json", str(path)])
    line = json.loads(path.read_text())
    for rows, threads in ((1.5, 1), (2.5, 2)):
        line["rows"][1]["ms"], line["threads"] = rows, threads
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")
    capsys.readouterr()
    assert program.main(["--report", str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("## W1: the gradient of a mini-batch") == 2
    assert "1 thread (" in printed
    assert "2 threads (" in printed
    assert "| 5 × tiny | ours" in printed
    assert "**5 × tiny**" in printed
    assert "12,345" in printed
    assert " 1.5 |" in printed, "of two lines with one thread the newer"
    assert program.main(["--report", str(path), "--ours"]) == 0
    brief = capsys.readouterr().out
    assert "| 5 × tiny | ours" in brief
    assert "**5 × tiny**" not in brief


# --- how we stand ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "word"), [(0.5, "ahead"), (0.96, "ahead"), (0.98, "level"), (1.02, "level"), (1.04, "behind")]
)
def test_verdict(ratio, word):
    assert report.verdict(ratio) == word


def test_the_summary_holds_the_slower_of_two_comparisons_against_us():
    rows = [
        {"case": "c", "contender": "floor", "kind": "floor", "ms": 1.0},
        {"case": "c", "contender": "slow", "kind": "ours", "ms": 3.0, "÷ floor": 3.0, "÷ by hand": 1.5, "÷ peer": 0.9},
        {"case": "c", "contender": "fast", "kind": "ours", "ms": 2.0, "÷ floor": 2.0, "÷ by hand": 1.1, "÷ peer": 0.6},
        {"case": "c", "contender": "NumPy", "kind": "by hand", "ms": 1.8},
        {"case": "c", "contender": "torch", "kind": "peer", "ms": 3.3},
        {"case": "c", "contender": "jax", "kind": "skipped", "note": "skipped: jax is not installed"},
    ]
    last = report.summary(rows).splitlines()[-1]
    cells = [cell.strip() for cell in last.strip("|").split("|")]
    assert cells == ["c", "fast", "2", "2", "1.1", "NumPy", "0.6", "torch", "behind"]


# --- environment -----------------------------------------------------------------------------------


def test_the_environment_fixes_threads_and_allocator():
    given = {"HOME": "/", "OMP_NUM_THREADS": "7", "MALLOC_TRIM_THRESHOLD_": "1"}
    threads = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    assert machine.environment(2, "default", given) == {"HOME": "/", **threads}
    raised = machine.environment(2, "raised", given)
    assert int(raised["MALLOC_TRIM_THRESHOLD_"]) > int(raised["MALLOC_MMAP_THRESHOLD_"]) >= 1 << 30
    assert machine.environment(2, "raised", raised) == raised, "or the program would start itself for ever"


def test_the_program_starts_again_only_in_another_environment(monkeypatch):
    started = []
    monkeypatch.setattr(machine.os, "sched_setaffinity", lambda pid, cores: None, raising=False)
    monkeypatch.setattr(machine.os, "execve", lambda path, arguments, environment: started.append(environment))
    for name in (*machine.THREADS, *machine.ALLOCATORS["raised"]):
        monkeypatch.setenv(name, "1")
    machine.set_up(1, "default")
    assert len(started) == 1
    assert "MALLOC_MMAP_THRESHOLD_" not in started[0]
    for name in machine.ALLOCATORS["raised"]:
        monkeypatch.delenv(name)
    machine.set_up(1, "default")
    assert len(started) == 1
