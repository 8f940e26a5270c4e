"""The tables: every contender of a case, and one line a case for how we stand; as text and from a history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.figures.tables import table

Row = dict[str, Any]

RATIOS = ("÷ floor", "÷ by hand", "fastest by hand", "÷ peer", "fastest peer", "÷ peer's products")

LEVEL = 0.03
"""Ratios that differ from 1 by less are level: medians on a quiet machine repeat to some 2 %."""


def case_table(rows: Sequence[Row]) -> str:
    """One case: its name, and a line for each contender; columns that no one fills are left out."""
    columns = [c for c in dict.fromkeys(c for row in rows for c in row) if c not in ("case", "kind")]
    return f"**{rows[0]['case']}**\n\n" + table(columns, [[_cell(row.get(c)) for c in columns] for row in rows])


def summary(rows: Iterable[Row]) -> str:
    """One line a case: our fastest contender against the floor, the fastest NumPy by hand and the fastest peer."""
    lines = []
    for case, members in _by_case(rows).items():
        own = _fastest(members, "ours")
        hand, peer = _fastest(members, "by hand"), _fastest(members, "peer")
        rivals = [own[column] for column in ("÷ by hand", "÷ peer") if column in own]
        lines.append(
            [
                case,
                own["contender"],
                _cell(own["ms"]),
                _cell(own["÷ floor"]),
                _cell(own.get("÷ by hand")),
                hand.get("contender", "–"),
                _cell(own.get("÷ peer")),
                peer.get("contender", "–"),
                _cell(own.get("÷ peer's products")),
                verdict(max(rivals)) if rivals else "–",
            ]
        )
    header = ("case", "ours", "ms", *RATIOS, "we are")
    used = [i for i in range(len(header)) if any(line[i] != "–" for line in lines)]
    return table([header[i] for i in used], [[line[i] for i in used] for line in lines])


def verdict(ratio: float) -> str:
    """Of our time to the fastest rival's."""
    if ratio > 1 + LEVEL:
        return "behind"
    return "ahead" if ratio < 1 - LEVEL else "level"


def heading(line: dict[str, Any]) -> str:
    """The machine, threads and versions that a line of the history was measured with."""
    machine = line["machine"]
    pools = ", ".join(f"{name} {count}" for name, count in machine["pools"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    variables = "".join(f", {name}={value}" for name, value in machine["variables"].items())
    threads = f"{line['threads']} thread{'s' if line['threads'] > 1 else ''} ({pools})"
    return (
        f"{line['at'][:10]}, {machine['processor']}, {machine['cores']} cores, {machine['memory GiB']} GiB; "
        f"{threads}, {line.get('clock', 'wall')} time, allocator {line['allocator']}{variables}; "
        f"Python {machine['python']}, {versions}; commit {machine['commit']}"
    )


def read_history(path: Path) -> list[dict[str, Any]]:
    """The last line of every workload, number of threads and allocator, in the order in which they first came.

    Raises
    ------
    ValueError
        If a line is no line of a history.
    """
    found: dict[tuple[str, int, str], dict[str, Any]] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            found[line["workload"], line["threads"], line["allocator"]] = line
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}, line {number}: no line of a history ({error})") from None
    return list(found.values())


def markdown(lines: Iterable[dict[str, Any]], *, ours: bool = False) -> str:
    """A section for each line of a history: how we stand, and then every contender, or all of ours in one table."""
    parts = []
    for line in lines:
        parts += [f"## {line['title']}", heading(line), summary(line["rows"])]
        if not ours:
            parts += [case_table(rows) for rows in _by_case(line["rows"]).values()]
        elif len(own := [row for row in line["rows"] if row["kind"] == "ours"]) > len(_by_case(own)):
            parts.append(_own_table(own))
    return "\n\n".join(parts) + "\n"


def _own_table(rows: Sequence[Row]) -> str:
    """Every way of ours to the same results; the ratios are to the fastest of the others."""
    columns = [c for c in ("case", "contender", "ms", *RATIOS) if any(c in row for row in rows)]
    return table(columns, [[_cell(row.get(c)) for c in columns] for row in rows])


def _by_case(rows: Iterable[Row]) -> dict[str, list[Row]]:
    cases: dict[str, list[Row]] = {}
    for row in rows:
        cases.setdefault(row["case"], []).append(row)
    return cases


def _fastest(rows: Iterable[Row], kind: str) -> Row:
    members = [row for row in rows if row["kind"] == kind and "ms" in row]
    return min(members, key=lambda row: row["ms"], default={})


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
