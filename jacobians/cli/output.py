"""How results are written: to an output that may be closed, as JSON, to new files, and as tables."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from jacobians.data.guards import printable
from jacobians.errors import DataError, MissingExtraError
from jacobians.whole_files import whole_file

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")

_NARROWEST, _WIDEST = 20, 100
"""Columns below which a width that is asked for is none, and above which lines of words are hard to read."""


def _but_colours(text: Any) -> Any:
    """The same, but for colours, which tables have."""
    if not isinstance(text, str) or "\x1b" not in text:
        return printable(text) if isinstance(text, str) else text
    pieces = _COLOUR.split(text)
    pieces[::2] = map(printable, pieces[::2])
    return "".join(pieces)


_TICK = 1.0
"""Seconds from one line of the clock to the next."""


class _Clock:
    """How long a command has been at work, on a terminal's standard error, until it writes something itself."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._over = stream, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if stream is not None and stream.isatty():
            self._thread.start()

    def _run(self) -> None:
        start, shown = time.monotonic(), ""
        while not self._over.wait(_TICK):
            shown = f"working: {time.monotonic() - start:.0f} s"
            self._stream.write(f"\r{shown}")
            self._stream.flush()
        if shown:
            self._stream.write(f"\r{' ' * len(shown)}\r")
            self._stream.flush()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()


class _Stream:
    """Standard output or error that may be lost while a command runs: the rest is dropped, and the command goes on.

    A verdict is an exit code, and must not depend on who reads along: ``jacobians check … | head -2``.
    """

    def __init__(self, stream: Any, lost: list[OSError], clock: _Clock) -> None:
        self._stream, self._lost, self._clock = stream, lost, clock

    @property
    def buffer(self) -> _Stream:
        return _Stream(self._stream.buffer, self._lost, self._clock)

    def write(self, text: Any) -> int:
        self._clock.stop()
        try:
            return int(self._stream.write(_but_colours(text)))
        except OSError as error:
            self._drop(error)
            return len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        self._lost.append(error)
        # what is still buffered goes nowhere too, or the interpreter fails over it at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def standard_streams() -> Iterator[list[OSError]]:
    """Let a command run to its end where its output is closed. A terminal that cannot show ∂ shows ?.

    Yields
    ------
    list of OSError
        In the end, why standard output was lost; a `BrokenPipeError` where its reader wanted no more.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    lost: list[OSError] = []
    clock = _Clock(sys.stderr)
    out: Any = _Stream(sys.stdout, lost, clock)
    # a stream that was closed from the start is None, which print takes
    err: Any = sys.stderr and _Stream(sys.stderr, [], clock)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield lost
        finally:
            clock.stop()
            for stream in (out, err):
                if stream is not None:
                    stream.flush()


def json_text(record: Any) -> str:
    """Return dicts, lists, numbers and strings as JSON. NaN and infinities become texts."""
    return json.dumps(_finite(record), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def json_lines(records: list[Any]) -> str:
    """Return a list as JSON with each of its records on one line."""
    lines = [json.dumps(_finite(record), ensure_ascii=False, allow_nan=False) for record in records]
    return "[\n" + ",\n".join(lines) + "\n]"


def print_json(record: Any) -> None:
    """Print `json_text`."""
    print(json_text(record))


@contextmanager
def apart_from_output(*, wanted: bool) -> Iterator[None]:
    """Send what the user's own code prints to standard error, so that the output is JSON alone."""
    if not wanted:
        yield
        return
    sys.stdout.flush()
    with redirect_stdout(sys.stderr), _descriptor_sent_to_error():
        yield


@contextmanager
def _descriptor_sent_to_error() -> Iterator[None]:
    """The same for what is written past Python: by C code, or by os.write."""
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of them is closed
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


OR_FORCE = ", or write over it with --force"
"""The end of what is said of a file that exists."""


def check_free(path: str, command: str, *, overwrite: bool = False, hint: str = "") -> None:
    """Raise if a file exists and may not be overwritten, before the work begins.

    Raises
    ------
    DataError
        With what to do.
    """
    if os.path.exists(path) and not overwrite:
        raise DataError(f"{command}: {path} exists; choose another file with -o{hint}")


def write_file(path: str, text: str, command: str, *, overwrite: bool = False, hint: str = "") -> None:
    """Write a text to a new file in UTF-8. Where the disk is full, no partial file is left.

    Raises
    ------
    DataError
        If the file exists and may not be overwritten, with what to do; or if it cannot be written.
    """
    check_free(path, command, overwrite=overwrite, hint=hint)
    try:
        with whole_file(path) as opened:
            opened.write(text.encode())
    except OSError as error:
        raise DataError(f"{command}: cannot write {path}: {error.strerror}") from None


def columns() -> int:
    """Return the width of texts: the terminal's, up to 100 columns, or 80 without a terminal."""
    width = shutil.get_terminal_size().columns
    return min(width, _WIDEST) if width >= _NARROWEST else 80


# rich is imported where a table is made: it is an extra, and costs the other commands' start a tenth of a second.


def make_console() -> Console:
    """Return a console on standard output.

    Raises
    ------
    MissingExtraError
        If rich is not installed.
    """
    try:
        from rich.console import Console
    except ImportError:
        raise MissingExtraError("tables need rich, which is not installed: pip install rich, or pass --json") from None
    console = Console(highlight=False, soft_wrap=False)
    # COLUMNS=0 is what some programs say where they do not know
    return console if console.width >= _NARROWEST else Console(highlight=False, soft_wrap=False, width=80)


def make_table(title: str, headers: list[str], *, first_width: int | None = None) -> Table:
    """Return an empty table with these column headers.

    With a width for the first column, the others share the rest of the console evenly.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=first_width is not None,
        pad_edge=False,
        padding=(0, 1),
    )
    for i, header in enumerate(headers):
        width, ratio = (first_width, None) if i == 0 else (None, first_width and 1)
        table.add_column(header, overflow="fold", width=width, ratio=ratio)
    return table
