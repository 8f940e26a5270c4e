"""Where results go: JSON, new files, and tables by rich, at the terminal's width or at 80 columns through a pipe."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jacobians.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_json(record: Any) -> None:
    """Print dicts, lists, numbers and strings as JSON."""
    print(json.dumps(record, indent=2, ensure_ascii=False))


def write_file(path: str, text: str, command: str, *, overwrite: bool = False, hint: str = "") -> None:
    """Write a text to a new file, in UTF-8.

    Raises
    ------
    DataError
        If the file exists and may not be overwritten, with what to do; or if it cannot be written.
    """
    if os.path.exists(path) and not overwrite:
        raise DataError(f"{command}: {path} exists; choose another file with -o{hint}")
    try:
        Path(path).write_bytes(text.encode())
    except OSError as error:
        raise DataError(f"{command}: cannot write {path}: {error.strerror}") from None


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
        raise MissingExtraError(
            "tables need rich, which is not installed: pip install 'jacobians[cli]', or pass --json"
        ) from None
    return Console(highlight=False, soft_wrap=False)


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
