"""Of Python's standard library and of ``tqdm``: command lines, fields of dataclasses, and loops that show how far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jacobians.programs.values import BuiltIn, Field, Instance, UnreadError, UserClass


def standard_library() -> Mapping[str, Any]:
    """Return functions and values by their full names, such as ``argparse.ArgumentParser``."""
    return {
        "argparse.ArgumentParser": _parser,
        "dataclasses.field": _field,
        "sys.argv": ["program.py"],
        **{f"time.{name}": lambda: 0.0 for name in CLOCKS},
        **{f"{module}.{name}": _as_it_is for module in _PROGRESS for name in ("tqdm", "trange")},
    }


CLOCKS = ("time", "perf_counter", "clock", "process_time", "monotonic")
"""Functions of ``time`` that give seconds; the audit's own clock stands still."""
_PROGRESS = ("tqdm", "tqdm.auto", "tqdm.notebook", "tqdm.autonotebook")


def _as_it_is(of: Any, *_a: Any, **_k: Any) -> Any:
    """What ``tqdm`` runs through; ``trange`` takes a number."""
    return range(of) if isinstance(of, int) and not isinstance(of, bool) else of


def _field(**keywords: Any) -> Any:
    return Field(keywords["default_factory"]) if "default_factory" in keywords else keywords.get("default")


def _parser(*_a: Any, **_k: Any) -> Instance:
    """A parser of a command line, whose options have their defaults."""
    given: dict[str, Any] = {}

    def add_argument(*names: Any, **keywords: Any) -> None:
        if not names or not all(isinstance(name, str) for name in names):
            raise UnreadError("an option without a name")
        name = keywords.get("dest", max(names, key=len).lstrip("-").replace("-", "_"))
        switch = {"store_true": False, "store_false": True}.get(str(keywords.get("action")))
        if not isinstance(name, str) or name.startswith("__") or len(given) > 200:
            raise UnreadError("an option without a name")
        given[name] = keywords.get("default", switch)

    made: dict[str, Callable[..., Any]] = {
        "add_argument": add_argument,
        "parse_args": lambda *_a, **_k: Instance(UserClass("Namespace", {}), dict(given)),
    }
    return Instance(UserClass("ArgumentParser", {name: BuiltIn(name, call) for name, call in made.items()}))
