"""The house, drawn from the code's own imports: ``python -m tests.docs.rooms`` writes docs/house.svg and house.md."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "jacobians"
PICTURE, PAGE = ROOT / "docs" / "house.svg", ROOT / "docs" / "house.md"
MARK = "<!-- the list of files: python -m tests.docs.rooms -->"

_WIDTH, _GAP, _ROW, _LINE = 176, 22, 46, 12


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name; `__init__` keeps that name as its last part."""
    return {".".join(("jacobians", *p.relative_to(PACKAGE).with_suffix("").parts)): p for p in files()}


def files() -> list[Path]:
    """Every file of the package, in the order of their names."""
    return sorted(PACKAGE.rglob("*.py"))


@cache
def imports(path: Path) -> set[str]:
    """The library's modules that a file names in its imports: at its top, within functions, and for types alone."""
    known = modules()
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jacobians":
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                package = f"{node.module}.__init__"
                found.add(next((m for m in (whole, node.module, package) if m in known), f"{whole}.__init__"))
        elif isinstance(node, ast.Import):
            found |= {m for alias in node.names for m in (alias.name, f"{alias.name}.__init__")}
    return found & set(known)


def room(module: str) -> str:
    """The package or the single module at the top that a module belongs to."""
    return module.split(".")[1]


def arrows() -> dict[str, set[str]]:
    """By room, the rooms that it imports.

    An `__init__` is the door of its room: it names what is inside, and `linops/__init__` hangs the drawing of
    `pictures` on the class. A door is no part of the room here; among files it counts like every other.
    """
    found: dict[str, set[str]] = {}
    for module, path in modules().items():
        own = room(module)
        if own not in ("__init__", "__main__"):
            used = set() if path.name == "__init__.py" else {room(m) for m in imports(path)}
            found.setdefault(own, set()).update(used - {own, "__init__"})
    return found


def floors(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """By room, the floor that it stands on: one above the highest room that it imports."""
    known: dict[str, int] = {}

    def floor(own: str, above: tuple[str, ...] = ()) -> int:
        if own in above:
            raise ValueError("a circle of imports: " + " → ".join((*above[above.index(own) :], own)))
        if own not in known:
            known[own] = max((floor(other, (*above, own)) + 1 for other in graph[own]), default=0)
        return known[own]

    return {own: floor(own) for own in sorted(graph)}


def needed(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The arrows that no longer way says already."""

    def below(own: str) -> set[str]:
        return set().union(*({other} | below(other) for other in graph[own]))

    return {own: {o for o in others if not any(o in below(other) for other in others)} for own, others in graph.items()}


def holds(own: str) -> list[str]:
    """The names of a room's files; its folders end with a slash."""
    folder = PACKAGE / own
    if not folder.is_dir():
        return []
    inside = [p.stem for p in folder.glob("*.py") if p.stem != "__init__"]
    return sorted(inside) + sorted(f"{p.name}/" for p in folder.iterdir() if (p / "__init__.py").exists())


def picture() -> str:
    """Return the house as SVG: a room a box, one floor above what it imports."""
    graph = arrows()
    level = floors(graph)
    texts = {own: textwrap.wrap(", ".join(holds(own)), 28) for own in graph}
    storeys = [[own for own in sorted(graph) if level[own] == n] for n in range(max(level.values()) + 1)]
    width = max(len(s) for s in storeys) * (_WIDTH + _GAP) + _GAP
    boxes: dict[str, tuple[float, float, float]] = {}
    top: float = _GAP
    for storey in reversed(storeys):
        height = 24 + _LINE * max(len(texts[own]) for own in storey)
        left = (width - len(storey) * (_WIDTH + _GAP) + _GAP) / 2
        for place, own in enumerate(storey):
            boxes[own] = (left + place * (_WIDTH + _GAP), top, 24 + _LINE * len(texts[own]))
        top += height + _ROW
    return "\n".join([*_head(width, top), *_lines(needed(graph), boxes), *_rooms(boxes, texts), "</svg>"]) + "\n"


def _head(width: float, height: float) -> Iterator[str]:
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif">'
    yield "<title>The rooms of the package; an arrow points from a room to one that it imports</title>"
    yield '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    yield '<path d="M0,0 L8,4 L0,8 z" fill="#567"/></marker></defs>'
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'


def _lines(graph: Mapping[str, set[str]], boxes: Mapping[str, tuple[float, float, float]]) -> Iterator[str]:
    for own, others in sorted(graph.items()):
        for other in sorted(others):
            (x, y, height), (to_x, to_y, _) = boxes[own], boxes[other]
            start, end = x + _WIDTH / 2, to_x + _WIDTH / 2
            bottom, middle = y + height, (y + height + to_y) / 2
            yield (
                f'<path d="M{start:.0f},{bottom:.0f} C{start:.0f},{middle:.0f} {end:.0f},{middle:.0f} '
                f'{end:.0f},{to_y:.0f}" fill="none" stroke="#567" stroke-opacity="0.6" marker-end="url(#head)"/>'
            )


def _rooms(boxes: Mapping[str, tuple[float, float, float]], texts: Mapping[str, list[str]]) -> Iterator[str]:
    for own, (x, y, height) in boxes.items():
        box = f'x="{x:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{height:.0f}"'
        yield f'<rect {box} rx="4" fill="#eef3f8" stroke="#345"/>'
        name = own if (PACKAGE / own).is_dir() else f"{own}.py"
        yield _text(x, y + 16, name, 'font-size="13" font-weight="bold" fill="#123"')
        for n, line in enumerate(texts[own]):
            yield _text(x, y + 31 + _LINE * n, line, 'font-size="10" fill="#345"')


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x + 8:.0f}" y="{y:.0f}" {style}>{escape(text)}</text>'


def listing() -> str:
    """Return the list of files as Markdown: by room, from the bottom, the first sentence of each file."""
    level = floors(arrows())
    lines = []
    for own in sorted(level, key=lambda name: (level[name], name)):
        inside = [(m, p) for m, p in modules().items() if room(m) == own]
        about = dict(inside).get(f"jacobians.{own}.__init__") or inside[0][1]
        name = f"{own}/" if (PACKAGE / own).is_dir() else f"{own}.py"
        lines += [f"**`{name}`** {_says(about)}", ""]
        below = [(p.relative_to(PACKAGE / own), p) for m, p in inside if p != about]
        lines += [f"- `{short.as_posix()}`: {_says(p)}" for short, p in below] + [""] * bool(below)
    return "\n".join(lines).rstrip() + "\n"


def _says(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def page(text: str) -> str:
    """Return the page with its list of files made anew."""
    return text.partition(MARK)[0] + MARK + "\n\n" + listing()


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
