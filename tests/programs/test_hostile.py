"""Hostile programs: a small part of ``python -m tests.programs.fuzz``, in a process of its own."""

from __future__ import annotations

from tests.programs import fuzz


def test_no_hostile_program_gets_out_hangs_or_takes_much_memory() -> None:
    shown: list[str] = []
    counts, _, _ = fuzz.run_programs(7, 0, 25, 0.04, shown.append)
    assert shown == []
    assert sum(counts.values()) == 25
    assert len(counts) > 3  # some are refused, some stop at a limit, some fail, some run


def test_a_leak_would_be_seen() -> None:
    assert fuzz.leaked([[1, {"a": (2.0, open)}]]) == "builtins.builtin_function_or_method"
    assert fuzz.leaked([fuzz]) == "builtins.module"
    assert fuzz.leaked([[1, "a", None]]) == ""


def test_an_escape_would_be_seen() -> None:
    fuzz._WATCHED.clear()
    fuzz._WATCHING[0] = True
    try:
        fuzz._hook("open", ("a", "w", 0))
        fuzz._hook("compile", (None, "<unknown>"))
        fuzz._hook("exec", ("code",))
    finally:
        fuzz._WATCHING[0] = False
    assert len(fuzz._WATCHED) == 2
