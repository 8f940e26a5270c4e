"""Plain tables, as text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table with aligned columns; numbers to the right."""
    cells = [[_text(c) for c in row] for row in rows]
    widths = [max(len(r[i]) for r in [list(header), *cells]) for i in range(len(header))]
    right = [bool(cells) and all(_number(r[i]) for r in cells) for i in range(len(header))]
    rule = [("-" * (w - 1) + ":") if r else "-" * w for w, r in zip(widths, right, strict=True)]
    return "\n".join(_line(row, widths, right) for row in [list(header), rule, *cells])


def percent(part: int, whole: int) -> str:
    """A share, or "–" of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
    return "| " + " | ".join(padded) + " |"


def _text(cell: object) -> str:
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def _number(text: str) -> bool:
    # a number with at most a unit after it, and not a name such as "64 × 64-10"
    return bool(re.fullmatch(r"-?\d[\d.,]*(e[-+]?\d+)?( ?\S{1,3})?", text)) or text in ("–", "")
