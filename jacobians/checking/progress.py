"""Progress of a long check: the caller's function, or a line on a terminal's standard error after two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Progress", "Reporter"]

Progress: TypeAlias = Callable[[int, int], None] | bool

_QUIET = 2.0
_EVERY = 0.2


class Reporter:
    """Called with entries done and entries in all.

    Parameters
    ----------
    progress : callable or bool
        The caller's own function, True for the line on a terminal, False for silence.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._start = self._last = time.monotonic()
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Report, if there is anyone to report to."""
        if callable(self._progress):
            self._progress(done, total)
        elif self._progress:
            now = time.monotonic()
            if now - self._start > _QUIET and now - self._last > _EVERY and sys.stderr.isatty():
                sys.stderr.write(f"\rgradient check: {done} of {total} entries")
                sys.stderr.flush()
                self._last, self._shown = now, True

    def close(self) -> None:
        """Clear the line, if one was written."""
        if self._shown:
            sys.stderr.write("\r" + " " * 60 + "\r")
            sys.stderr.flush()
