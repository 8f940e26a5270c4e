"""The corpus: right programs as students write them, and slips in each, written as replacements of lines.

A program is ``corpus/NAME.py``, ``.m`` or ``.ipynb``; beside it, ``corpus/NAME.slips`` says in its head how the proof
runs it, and then what can slip::

    style: what kind of text it is
    set: X = rng.normal(size=(7, 4))          # what the proof gives it, one statement a line
    run: loss, grads = net_loss(X, y, W, reg) # or  loop: the text of a loop's first line, whose body is run once
    loss: loss
    gradient: W1 | model['W1'] | grads['W1']  # its name, the parameter, its gradient

    == bias-summed-over-all | b1
    - db1 = np.sum(dZ1, axis=0)
    + db1 = np.sum(dZ1)

After ``==`` stand the kind of the slip and the gradients that it makes wrong (``raises`` where the program stops).
Lines after ``-`` are replaced by those after ``+``; leading spaces do not count. ``@ 2`` takes the second place where
they stand. ``> text`` is a line that may be named the first wrong one; without it, it is the first line after ``+``.
A head with several parts has ``check: NAME`` before each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True, eq=False)
class Check:
    """One run of a program: what it is given, what is run, and where loss and gradients are found."""

    name: str
    set: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    loop: str = ""
    loss: str = ""
    gradients: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Slip:
    """A slip of one kind: lines of the right program and what stands in their place."""

    kind: str
    wrong: frozenset[str]
    changes: list[tuple[list[str], list[str], int]]
    named: list[str]

    @property
    def raises(self) -> bool:
        return "raises" in self.wrong


@dataclass(frozen=True, eq=False)
class Program:
    """A right program, how the proof runs it, and its slips."""

    path: Path
    head: dict[str, str]
    checks: list[Check]
    slips: list[Slip]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def language(self) -> str:
        return self.path.suffix[1:]

    @cached_property
    def text(self) -> str:
        """The file as it is."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        """The lines of its code; of a notebook, those of its code cells, one after the other."""
        return code_of(self.text, self.language).split("\n")

    def slipped(self, slip: Slip) -> tuple[str, frozenset[int]]:
        """The wrong program's lines as one text, and the numbers of the lines that may be named the first wrong one.

        The marks between a notebook's cells are not counted.
        """
        lines = self.lines
        changed: list[int] = []
        for old, new, place in slip.changes:
            start = _place(lines, old, place, f"{self.name}, {slip.kind}")
            indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
            added = [indent + text if text else text for text in new]
            changed = [n + (len(new) - len(old) if n > start else 0) for n in changed]
            changed += range(start, start + len(new))
            lines = [*lines[:start], *added, *lines[start + len(old) :]]
        if slip.named:
            found = [n for n, line in enumerate(lines) if line.strip() in slip.named]
            if {lines[n].strip() for n in found} != set(slip.named):
                raise ValueError(f"{self.name}, {slip.kind}: no line reads {slip.named}")
            changed = found
        if not changed:
            raise ValueError(f"{self.name}, {slip.kind}: say after '>' which line may be named")
        marks = [n for n, line in enumerate(lines) if line == CELLS.strip()]
        return "\n".join(lines), frozenset(n + 1 - sum(m < n for m in marks) for n in changed)

    def as_file(self, code: str) -> str:
        """A changed code as the file would hold it: itself, or put back into the notebook's cells."""
        if self.language != "ipynb":
            return code
        notebook = json.loads(self.text)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = code.split(CELLS)
        if len(sources) != len(cells):
            raise ValueError(f"{self.name}: a slip changes the number of cells")
        for cell, source in zip(cells, sources, strict=True):
            cell["source"] = source.splitlines(keepends=True)
        return json.dumps(notebook, indent=1)


CELLS = "\n# next cell\n"


def code_of(text: str, language: str) -> str:
    """The code in a file; a mark stands between a notebook's cells."""
    if language != "ipynb":
        return text
    cells = json.loads(text)["cells"]
    return CELLS.join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def programs() -> list[Program]:
    """All programs of the corpus, in the order of their names."""
    return [read(path) for path in sorted(FOLDER.glob("*.slips"))]


def read(path: Path) -> Program:
    """The program whose slips are in a file."""
    head: dict[str, str] = {}
    checks: list[dict[str, list[str]]] = [{}]
    slips: list[Slip] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            kind, _, wrong = line[3:].partition("|")
            slips.append(Slip(kind.strip(), frozenset(wrong.split()), [], []))
        elif slips:
            _add(slips[-1], line, f"{path.name}, line {number}")
        else:
            key, _, value = line.partition(": ")
            if key == "check":
                checks.append({"name": [value]})
            elif key in ("set", "run", "loop", "loss", "gradient"):
                checks[-1].setdefault(key, []).append(value)
            else:
                head[key] = value
    (source,) = (p for p in path.parent.glob(f"{path.stem}.*") if p.suffix in (".py", ".m", ".ipynb"))
    common = checks[0].get("set", [])
    parts = checks[1:] or [{**checks[0], "set": []}]
    return Program(source, head, [_check(part, common) for part in parts], slips)


def _check(part: dict[str, list[str]], common: list[str]) -> Check:
    gradients = [tuple(piece.strip() for piece in line.split(" | ")) for line in part["gradient"]]
    return Check(
        name=part.get("name", [""])[0],
        set=[*common, *part.get("set", [])],
        run=part.get("run", []),
        loop=part.get("loop", [""])[0],
        loss=part["loss"][0],
        gradients=[(name, parameter, gradient) for name, parameter, gradient in gradients],
    )


def _add(slip: Slip, line: str, where: str) -> None:
    mark, text = line[0], line[2:]
    changes = slip.changes
    if mark == "-":
        if not changes or changes[-1][1] or changes[-1][2]:
            changes.append(([], [], 0))
        changes[-1][0].append(text.strip())
    elif mark == "+":
        changes[-1][1].append(text)
    elif mark == "@":
        old, new, _ = changes[-1]
        changes[-1] = (old, new, int(text))
    elif mark == ">":
        slip.named.append(text.strip())
    else:
        raise ValueError(f"{where}: a line begins with one of == - + @ > #")


def _place(lines: list[str], old: list[str], place: int, where: str) -> int:
    stripped = [line.strip() for line in lines]
    found = [n for n in range(len(lines) - len(old) + 1) if stripped[n : n + len(old)] == old]
    if not found or (len(found) > 1 and not place):
        raise ValueError(f"{where}: these lines stand in {len(found)} places: {old}")
    return found[max(place - 1, 0)]
