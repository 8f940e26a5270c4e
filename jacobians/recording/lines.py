"""Whose code is at work while a function is recorded: the library's, or the user's, and on which line."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterable
from pathlib import Path
from traceback import walk_stack, walk_tb
from types import FrameType, TracebackType

_PACKAGE, _HERE = __name__.partition(".")[0], f"{__name__.rpartition('.')[0]}."
_BETWEEN = ("numpy", "abc")
_START = f"{_HERE}function"


def by_library() -> bool:
    """Return whether the library's own code made this call, looking past the recording and NumPy."""
    for frame, _ in walk_stack(sys._getframe(1)):
        name = _module(frame)
        if name == _START or not (name.startswith(_HERE) or _package(name) in _BETWEEN):
            return _package(name) == _PACKAGE
    return False


def called_by_library(depth: int) -> bool:
    """Return whether the library's own code, the recording included, called the function `depth` calls up from this."""
    for frame, _ in walk_stack(sys._getframe(depth + 1)):
        if _package(_module(frame)) not in _BETWEEN:
            return _package(_module(frame)) == _PACKAGE
    return False


def line_on_stack() -> str:
    """Return the line of the user's function that is being run, as it stands at the end of a message; "" for none."""
    return _line(walk_stack(sys._getframe(1)))


def line_of(traceback: TracebackType | None) -> str:
    """Return the line of the user's function in which an error was raised; "" for none."""
    return _line(reversed([*walk_tb(traceback)]))


def _line(frames: Iterable[tuple[FrameType, int]]) -> str:
    for frame, number in frames:
        name = _module(frame)
        if name == _START:
            break
        if _package(name) not in (_PACKAGE, *_BETWEEN):
            file = frame.f_code.co_filename
            return f" ({Path(file).name}, line {number}: {linecache.getline(file, number).strip()})"
    return ""


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _package(name: str) -> str:
    return name.partition(".")[0]
