"""A check's outcome as a table within 80 columns, and as HTML."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jacobians.checking.outcome import GradientCheck, ParameterCheck

__all__ = ["as_html", "as_text"]

_HEADERS = ("parameter", "worst at", "given", "expected", "differ", "allowed", "seen from", "")
_WIDTH = 80


def as_text(check: GradientCheck) -> str:
    """Return the verdict, the reasons, and one line for each parameter."""
    lines = [f"gradient check: {check.verdict.upper()}"]
    for mark, texts in (("- ", check.reasons), ("note: ", check.notes)):
        for text in texts:
            lines += textwrap.wrap(text, _WIDTH, initial_indent=mark, subsequent_indent="  ")
    if check.parameters:
        rows = [_HEADERS, *(_row(p) for p in check.parameters)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADERS))]
        # the name and the place give way, so that the table stays within the page
        spare = _WIDTH - sum(widths[2:]) - 2 * (len(widths) - 1)
        widths[1] = min(widths[1], max(8, spare - min(widths[0], 10)))
        widths[0] = min(widths[0], max(5, spare - widths[1]))
        lines.append("")
        for row in rows:
            cells = [_cut(row[i], widths[i]) for i in range(2)]
            cells = [c.ljust(w) for c, w in zip(cells, widths[:2], strict=True)]
            cells += [c.rjust(w) for c, w in zip(row[2:-1], widths[2:-1], strict=True)]
            lines.append("  ".join([*cells, row[-1]]).rstrip())
        lines.append("")
    lines += textwrap.wrap(_summary(check), _WIDTH)
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _row(p: ParameterCheck) -> tuple[str, ...]:
    verdict = {"pass": "ok", "fail": "WRONG", "inconclusive": "?"}[p.verdict]
    seen = f"{p.smallest:.0e}"
    if p.index is None:
        return (p.name, "–", "–", "–", "–", "–", seen, verdict)
    place = ",".join(map(str, p.index)) or "scalar"
    if p.output:
        place = f"{','.join(map(str, p.output))} by {place}"
    return (
        p.name,
        place,
        f"{p.given:.5g}",
        f"{p.expected:.5g}",
        f"{p.difference:.0e}",
        f"{p.tolerance:.0e}",
        seen,
        verdict,
    )


def _summary(check: GradientCheck) -> str:
    parts = []
    if check.along is not None and check.along.directions > check.along.unresolved:
        parts.append(
            f"{check.along.directions} random directions: off by {check.along.error:.0e}, resolved "
            f"{check.along.resolved:.0e}; an error of norm {check.along.smallest:.0e} is missed with probability below "
            f"{check.along.failure_probability:.0e}."
        )
    checked = sum(p.checked for p in check.parameters)
    if checked:
        parts.append(f"{checked} entries compared.")
    parts.append(
        f"{check.evaluations} evaluations of the function, {check.derivative_evaluations} of the derivative, "
        f"{check.seconds:.2g} s."
    )
    return " ".join(parts)


def as_html(check: GradientCheck) -> str:
    """Return the same as an HTML fragment, with every text escaped."""
    reasons = "".join(f"<li>{escape(text)}</li>" for text in (*check.reasons, *check.notes))
    head = "".join(f"<th>{escape(text)}</th>" for text in _HEADERS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(p)) + "</tr>" for p in check.parameters)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    return f"<div><b>gradient check: {escape(check.verdict)}</b>{listed}{table}<p>{escape(_summary(check))}</p></div>"
