"""Where tables go: rich, if it is there, at the terminal's width or at 80 columns through a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacobians.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["make_console", "make_table"]


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
        width = first_width if i == 0 else None
        ratio = 1 if first_width is not None and i > 0 else None
        table.add_column(header, overflow="fold", width=width, ratio=ratio)
    return table
