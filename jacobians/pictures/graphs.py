"""Pictures of graphs as inline SVG: values in rows from the inputs down, edges with their structures beside them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

from jacobians.errors import TooLargeError

MOST = 80
"""Values, at most, that are drawn."""

_HEIGHT, _BETWEEN, _STRAIGHT = 36.0, 78.0, 32.0
"""Pixels: a value's box, the room between two rows, and the straight part of an edge, which its text stands beside."""
_NAME, _SMALL, _CHARACTER = 13.0, 11.0, 0.6
"""Sizes of the fonts, and the width of a character in units of the size."""
_LONGEST = 24
"""Characters of one line beside an edge."""
_SWEEPS = 8


@dataclass(frozen=True, slots=True)
class DrawnValue:
    """A value as a picture shows it.

    Attributes
    ----------
    name : str
    about : str
        What stands below the name, such as its shape.
    is_input : bool
        Whether it came from no operation.
    """

    name: str
    about: str
    is_input: bool


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """An edge as a picture shows it, from a value to one that came from it.

    Attributes
    ----------
    parent, child : int
        Places among the values; a child comes after its parents.
    structure : str
        Of the Jacobian.
    """

    parent: int
    child: int
    structure: str


@dataclass(frozen=True, eq=False)
class GraphPicture:
    """A graph of values as a picture: `str` of it is the SVG element, and a notebook shows it.

    Parameters
    ----------
    values : sequence of DrawnValue
        Each after those that it came from.
    edges : sequence of DrawnEdge

    Raises
    ------
    TooLargeError
        If there are more than 80 values.

    Examples
    --------
    >>> X, Y = DrawnValue("X", "5×4", True), DrawnValue("Y", "4×5", False)
    >>> picture = GraphPicture([X, Y], [DrawnEdge(0, 1, "Commutation(5, 4)")])
    >>> "<title>∂Y/∂X: Commutation(5, 4)</title>" in str(picture)
    True
    """

    values: Sequence[DrawnValue]
    edges: Sequence[DrawnEdge]

    def __post_init__(self) -> None:
        if len(self.values) > MOST:
            raise TooLargeError(
                f"picture: the graph has {len(self.values)} values; up to {MOST} are drawn. Ask for a later value, or "
                "with respect to later ones"
            )

    def __str__(self) -> str:
        return "".join(_Page(self).lines())

    def _repr_svg_(self) -> str:
        return str(self)


@dataclass
class _Place:
    """Where a value stands, or where an edge passes a row."""

    row: int
    width: float
    x: float = 0.0
    above: list[_Place] = field(default_factory=list)
    below: list[_Place] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Page:
    picture: GraphPicture

    # --- where things stand ----------------------------------------------------------------------

    @cached_property
    def rows_of(self) -> list[int]:
        """Each value's row: below all that it came from; an input stands right above its first use."""
        values, edges = self.picture.values, self.picture.edges
        rows = [0] * len(values)
        for edge in sorted(edges, key=lambda edge: edge.child):
            rows[edge.child] = max(rows[edge.child], rows[edge.parent] + 1)
        for place, value in enumerate(values):
            if value.is_input:
                rows[place] = min((rows[e.child] - 1 for e in edges if e.parent == place), default=0)
        return rows

    @cached_property
    def places(self) -> list[_Place]:
        return [_Place(row, _width(value)) for row, value in zip(self.rows_of, self.picture.values, strict=True)]

    @cached_property
    def ways(self) -> list[list[_Place]]:
        """For each edge, the places that it passes, one in each row from its parent to its child."""
        found = []
        for edge in self.picture.edges:
            start, end = self.places[edge.parent], self.places[edge.child]
            way = [start, *(_Place(row, 12.0) for row in range(start.row + 1, end.row)), end]
            for one, other in itertools.pairwise(way):
                one.below.append(other)
                other.above.append(one)
            found.append(way)
        return found

    @cached_property
    def rows(self) -> list[list[_Place]]:
        """The places in each row, from left to right, so that few edges cross."""
        passed = [place for way in self.ways for place in way[1:-1]]
        count = 1 + max(self.rows_of, default=0)
        rows = [[place for place in [*self.places, *passed] if place.row == row] for row in range(count)]
        for row in rows:
            _set_apart(row, [60.0 * k for k in range(len(row))], self._room)
        for sweep in range(_SWEEPS):
            for row in rows if sweep % 2 == 0 else rows[::-1]:
                wanted = {id(p): _mean([q.x for q in (p.above if sweep % 2 == 0 else p.below)], p.x) for p in row}
                row.sort(key=lambda place: wanted[id(place)])
                _set_apart(row, [wanted[id(place)] for place in row], self._room)
        for row in rows:
            wanted = {id(p): _mean([q.x for q in (*p.above, *p.below)], p.x) for p in row}
            _set_apart(row, [wanted[id(place)] for place in row], self._room)
        left = min((p.x - p.width / 2 for row in rows for p in row), default=0.0)
        for place in (place for row in rows for place in row):
            place.x += 6 - left
        return rows

    def _room(self, left: _Place, right: _Place) -> float:
        """Pixels between the middles of two neighbours: what stands beside the left one's edges fits between."""
        beside = max(map(_length, self._texts.get(id(left), ())), default=0.0)
        return max((left.width + right.width) / 2 + 18, beside + 14)

    @cached_property
    def _texts(self) -> dict[int, list[str]]:
        """By the place whose edges they stand beside, the lines of text."""
        found: dict[int, list[str]] = {}
        for edge, way in zip(self.picture.edges, self.ways, strict=True):
            found.setdefault(id(way[0] if _at_parent(way) else way[-1]), []).extend(_lines(edge.structure))
        return found

    # --- what is drawn ---------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """The element's text."""
        rows = self.rows
        above: dict[int, int] = {}
        texts = [self._text(edge, way, above) for edge, way in zip(self.picture.edges, self.ways, strict=True)]
        right = max([p.x + p.width / 2 for row in rows for p in row] + [end for _, end in texts], default=0.0)
        width, height = right + 6, len(rows) * (_HEIGHT + _BETWEEN) - _BETWEEN + 12
        names = ", ".join(value.name for value in self.picture.values)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" font-family="system-ui, sans-serif" fill="currentColor" '
            f'style="max-width: 100%; height: auto"><title>A graph of values: {escape(names)}</title>'
        )
        for edge, way in zip(self.picture.edges, self.ways, strict=True):
            yield self._edge(edge, way)
        yield from (text for text, _ in texts)
        for value, place in zip(self.picture.values, self.places, strict=True):
            yield _box(value, place)
        yield "</svg>"

    def _edge(self, edge: DrawnEdge, way: list[_Place]) -> str:
        """A line with a head, from a value's box down to another's."""
        path = f"M{way[0].x:.1f} {_bottom(way[0]):.1f}"
        for place, after in itertools.pairwise(way):
            upper, lower = _bottom(place), _top(after) - 5 * (after is way[-1])
            if place is way[0] and _at_parent(way):
                upper += _STRAIGHT
            elif after is way[-1]:
                lower -= _STRAIGHT
            bend = (upper + lower) / 2
            path += f"V{upper:.1f}C{place.x:.1f} {bend:.1f} {after.x:.1f} {bend:.1f} {after.x:.1f} {lower:.1f}"
        path += f"V{_top(way[-1]) - 5:.1f}"
        end = way[-1]
        head = f"M{end.x - 4:.1f} {_top(end) - 7:.1f}h8l-4 7z"
        values = self.picture.values
        title = f"∂{values[edge.child].name}/∂{values[edge.parent].name}: {edge.structure}"
        return (
            f"<g><title>{escape(title)}</title>"
            f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.6"/><path d="{head}"/></g>'
        )

    def _text(self, edge: DrawnEdge, way: list[_Place], above: dict[int, int]) -> tuple[str, float]:
        """An edge's structure beside it, and where it ends; at a child, one above another."""
        lines = _lines(edge.structure)
        if _at_parent(way):
            x, y = way[0].x, _bottom(way[0]) + 14
        else:
            before = above.get(id(way[-1]), 0)
            above[id(way[-1])] = before + len(lines)
            x, y = way[-1].x, _top(way[-1]) - 12 - 12 * (before + len(lines) - 1)
        spans = "".join(f'<tspan x="{x + 6:.1f}" dy="{12 * (k > 0)}">{escape(t)}</tspan>' for k, t in enumerate(lines))
        text = f'<text y="{y:.1f}" font-size="{_SMALL:g}" fill-opacity="0.8">{spans}</text>'
        return text, x + 6 + max(map(_length, lines))


def _at_parent(way: list[_Place]) -> bool:
    """Whether an edge's text stands where it leaves its parent: where no other edge does."""
    return len(way[0].below) == 1


def _length(text: str) -> float:
    return len(text) * _SMALL * _CHARACTER


def _lines(structure: str) -> list[str]:
    """A structure as it stands beside an edge: a product's factors one below another."""
    lines = structure.split(" @ ")
    shown = [line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines[:2]]
    return [*shown[:-1], f"{shown[-1]} …"] if len(lines) > 2 else shown


def _width(value: DrawnValue) -> float:
    return max(len(value.name) * _NAME, len(value.about) * _SMALL) * _CHARACTER + 18


def _top(place: _Place) -> float:
    return 6 + place.row * (_HEIGHT + _BETWEEN)


def _bottom(place: _Place) -> float:
    return _top(place) + _HEIGHT


def _box(value: DrawnValue, place: _Place) -> str:
    """A value: a frame, round where it is an input, with its name and its shape."""
    left, top = place.x - place.width / 2, _top(place)
    round_ = 18 if value.is_input else 4
    middle = f'x="{place.x:.1f}" text-anchor="middle"'
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{place.width:.1f}" height="{_HEIGHT:g}" rx="{round_}" '
        'fill="currentColor" fill-opacity="0.06" stroke="currentColor"/>'
        f'<text {middle} y="{top + 16:.1f}" font-size="{_NAME:g}" font-weight="bold">{escape(value.name)}</text>'
        f'<text {middle} y="{top + 29:.1f}" font-size="{_SMALL:g}">{escape(value.about)}</text>'
    )


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _set_apart(row: Sequence[_Place], wanted: Sequence[float], room: Callable[[_Place, _Place], float]) -> None:
    """Give each place the x nearest to the wanted one, in order and with room between neighbours.

    Those that would stand too close are moved together around their mean: the pool-adjacent-violators rule.
    """
    gaps = [0.0, *(room(one, other) for one, other in itertools.pairwise(row))]
    starts = [sum(gaps[: k + 1]) for k in range(len(row))]
    pools: list[list[float]] = []
    for target, start in zip(wanted, starts, strict=True):
        pools.append([target - start])
        while len(pools) > 1 and _mean(pools[-2], 0) > _mean(pools[-1], 0):
            last = pools.pop()
            pools[-1] += last
    shared = [_mean(pool, 0) for pool in pools for _ in pool]
    for place, start, x in zip(row, starts, shared, strict=True):
        place.x = x + start
