"""The progress of a training run, on standard error: a bar on a terminal, else one line per second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

__all__ = ["Progress"]

_LINE = 1.0
"""Seconds between two lines."""

_BAR = 0.1
"""Seconds between two states of a bar."""


class Progress:
    """A progress bar with loss, examples per second and time left; or plain lines; or nothing.

    Parameters
    ----------
    total : int
        The examples that all epochs take.
    wanted : bool
    """

    def __init__(self, total: int, *, wanted: bool) -> None:
        self._total, self._wanted = total, wanted
        self._done, self._said = 0, 0.0
        self._began = self._last = time.monotonic()
        self._bar: Any = None
        self._every = _LINE

    def __enter__(self) -> Self:
        if self._wanted and sys.stderr is not None and sys.stderr.isatty():
            try:
                from rich.console import Console
                from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
                from rich.progress import Progress as Bar
            except ImportError:
                return self
            self._bar = Bar(
                TextColumn("{task.fields[said]}"), BarColumn(), TimeRemainingColumn(), console=Console(stderr=True)
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total, said="")
            self._every = _BAR
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, examples: int, epoch: int, loss: float) -> None:
        """Say that so many more examples were taken."""
        self._done += examples
        if not self._wanted:
            return
        now = time.monotonic()
        if now - self._last < self._every and self._done < self._total:
            return
        self._last = now
        each = self._done / max(now - self._began, 1e-9)
        said = f"epoch {epoch}  loss {loss:.4g}  {each:,.0f} examples/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, said=said)
        elif sys.stderr is not None:
            left = (self._total - self._done) / each
            print(f"{said}  {left:.0f} s left", file=sys.stderr, flush=True)
