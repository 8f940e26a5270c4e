"""``python -m tests.published.course_lines_page`` writes docs/course-lines.md: the audit of lines that are printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jacobians.auditing import Audit
from tests.published.course_lines import SOURCES, Line
from tests.published.slipped_lines import SLIPPED

PAGE = Path(__file__).parents[2] / "docs" / "course-lines.md"

INTRODUCTION = """# Lines that courses print

`audit` is tried on lines of the backward pass as courses, books and programs print them. This page is made by
`python -m tests.published.course_lines_page`, and a test fails where it is out of date. The lines stand in
`tests/published/course_lines.py`, each with its convention and its right verdict. Central differences of the loss, in
plain NumPy without the library, confirm every verdict of a line that can be run or was written in NumPy for that.

"read" is how sure a line's text is: it was read in the file or page that is named. "memory" is a text that was written
from memory; its verdict is as sure as the others.

| source | text | lines | read by `audit` | right | wrong |
| --- | --- | ---: | ---: | ---: | ---: |
"""


def page(verdicts: Sequence[Audit | None], slipped: Sequence[Audit | None]) -> str:
    """Return the page.

    Parameters
    ----------
    verdicts : sequence of Audit or None
        Of every line of every source, in order; None where it is not read.
    slipped : sequence of Audit or None
        Of every slipped variant.
    """
    rest, rows, totals = iter(verdicts), [], [0, 0, 0, 0]
    wrong: list[tuple[Line, Audit]] = []
    unread: list[Line] = []
    for source in SOURCES:
        found = [(line, next(rest)) for line in source.lines]
        read = [(line, verdict) for line, verdict in found if verdict is not None]
        false = [(line, verdict) for line, verdict in read if not verdict]
        counts = [len(found), len(read), len(read) - len(false), len(false)]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        rows.append(_row(source.name, source.evidence, *counts))
        wrong += false
        unread += [line for line, verdict in found if verdict is None]
    rows.append(_row("all", "", *totals))
    called = [verdict for verdict in slipped if verdict is not None and not verdict]
    single = [(line, verdict) for line, verdict in zip(SLIPPED, slipped, strict=True) if line.slip]
    first = sum(verdict is not None and verdict.slip == line.slip for line, verdict in single)
    parts = [
        INTRODUCTION + "\n".join(rows),
        "## The wrong ones\n\nThese are printed so, and are wrong in the convention of their source:\n",
        "\n".join(["| line | slip |", "| --- | --- |", *(_row(_code(line), v.slip or "") for line, v in wrong)]),
        "## Lines that are not read\n\nThe audit says so, and gives no verdict:\n",
        "\n".join(["| line | reason |", "| --- | --- |", *(_row(_code(line), line.unread) for line in unread)]),
        "## Slipped variants\n",
        f"{len(SLIPPED)} right lines were each given one slip (`tests/published/slipped_lines.py`): a missing 1/m, a "
        f"forgotten transpose, δ₀ kept.\n{len(called)} of them are called wrong and none is called right. Of the "
        f"{len(single)} whose slip has one name, {first} have it named first.",
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _code(line: Line) -> str:
    return "<br>".join(f"`{part}`".replace("|", "\\|") for part in line.text.splitlines())


if __name__ == "__main__":
    from tests.published.test_course_lines import slipped_verdicts, verdicts

    PAGE.write_text(page(verdicts(), slipped_verdicts()), encoding="utf-8")
