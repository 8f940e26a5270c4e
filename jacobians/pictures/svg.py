"""Pictures as inline SVG, by no drawing library: `svg` of a picture, `html` of a Jacobian, `chain_html` of a chain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from textwrap import shorten

from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian
from jacobians.pictures.cells import NEGATIVE, POSITIVE, SIDE, Named, Picture, opacity, picture
from jacobians.pictures.labels import Axis

CELLS = 1500
"""The largest number of cells that are drawn inline."""

_ACROSS = 320.0
_ROW = 800.0
"""Pixels that a picture, and all matrices of a chain together, may take across."""
_LARGEST = 24.0
_SMALLEST_SIDE = 14.0
_LINE = 15.0
_SMALL = 11.5
_CHARACTER = 0.58
"""The width of a character, in units of the size of its font."""


def svg(picture: Picture, *, cell: float | None = None) -> str:
    """Return a picture as an SVG element, for a page of any colour.

    Text and lines have the colour of the surrounding text. On hovering, a cell shows its derivative and its value.

    Parameters
    ----------
    picture : Picture
    cell : float, optional
        The size of one entry in pixels; as large as 320 pixels allow, unless given.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Diagonal
    >>> from jacobians.pictures import picture
    >>> text = svg(picture(Diagonal(np.array([1.0, -2.0])), of="a", wrt="z"))
    >>> "<title>∂a₂/∂z₂ = -2</title>" in text
    True
    """
    page = _Page(picture, cell or _cell(picture))
    title, about = f"{picture.heading}: {picture.title}", picture.caption
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {page.width:.0f} {page.height:.0f}" '
        f'width="{page.width:.0f}" height="{page.height:.0f}" font-family="system-ui, sans-serif" '
        f'style="max-width: 100%; height: auto"><title>{escape(title)}</title><desc>{escape(about)}</desc>'
        f"{''.join(page.lines())}</svg>"
    )


def chain_html(factors: Sequence[Named], *, order: Order | None = None) -> str:
    """Return the factors of a chain as a row of SVG elements, to one scale, in an HTML element.

    Parameters
    ----------
    factors : sequence of Factor
        As `Run.chain` returns them, from left to right.
    order : {"C", "F"}, optional
        How arrays are unrolled; each Jacobian's own order unless given.

    Raises
    ------
    ShapeError
        If there is no factor.
    LayoutError
        If the order is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> chain_html(run.chain("W2")).count("<svg")
    3
    """
    if not factors:
        raise ShapeError("chain_html: the chain has no factors; of and wrt name the same array")
    pictures = [picture(f.jacobian, of=f.of, wrt=f.wrt, order=order, cells=CELLS) for f in factors]
    cell = min(_ROW / max(1, sum(p.columns.size for p in pictures)), *map(_cell, pictures))
    times = '<span aria-label="times">×</span>'
    row = times.join(f"<div>{svg(p, cell=cell)}</div>" for p in pictures)
    return f'<div style="display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em">{row}</div>'


def html(jacobian: Jacobian, of: str = "y", wrt: str = "x") -> str:
    """Return the picture for a notebook's display; nothing for a matrix of more than 200 rows or columns."""
    if not 0 < max(jacobian.shape) <= SIDE:
        return ""
    drawn = picture(jacobian, of=of, wrt=wrt, cells=CELLS)
    return "" if drawn.values is None else svg(drawn)


def _cell(picture: Picture) -> float:
    return min(_LARGEST, _ACROSS / max(picture.rows.size, picture.columns.size, 1))


def _width(text: str, size: float) -> float:
    return len(text) * size * _CHARACTER


@dataclass(frozen=True, eq=False)
class _Page:
    """Where things are on the page: the matrix below its heading and the column labels, right of the row labels."""

    picture: Picture
    cell: float

    @cached_property
    def across(self) -> float:
        return max(_SMALLEST_SIDE, self.cell * self.picture.columns.size)

    @cached_property
    def down(self) -> float:
        return max(_SMALLEST_SIDE, self.cell * self.picture.rows.size)

    @cached_property
    def left(self) -> float:
        return 8 + max((_width(label, _SMALL) for _, label in self.ticks(self.picture.rows, self.down)), default=0.0)

    @cached_property
    def top(self) -> float:
        labels = [label for _, label in self.ticks(self.picture.columns, self.across)]
        longest = max((_width(label, _SMALL) for label in labels), default=0.0)
        return 2 * _LINE + 8 + (longest if self.turned else _SMALL)

    @cached_property
    def turned(self) -> bool:
        """Whether column labels stand upright, because they are wider than their columns."""
        ticks = self.ticks(self.picture.columns, self.across)
        return len(ticks) > 1 and self.picture.columns.is_crowded(ticks, self.scale[0], _SMALL * _CHARACTER)

    @cached_property
    def width(self) -> float:
        texts = (_width(self.picture.heading, 13), _width(self.picture.caption, _SMALL))
        return max(self.left + self.across + 4, *texts, min(_ACROSS, _width(self.picture.title, 11)))

    @cached_property
    def height(self) -> float:
        return self.top + self.down + _LINE + 4

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Pixels across and down that one entry takes."""
        return self.across / max(1, self.picture.columns.size), self.down / max(1, self.picture.rows.size)

    @staticmethod
    def ticks(axis: Axis, length: float) -> list[tuple[int, str]]:
        return axis.labelled(int(length / 12.5))

    def lines(self) -> Iterator[str]:
        """The picture's elements, from the back to the front."""
        drawn = self.picture
        room = round(self.width / (11 * _CHARACTER))
        yield _text(drawn.heading, 0, 13, 13, "bold")
        yield _text(shorten(drawn.title, room, placeholder=" …") or drawn.title[:room], 0, 13 + _LINE, 11)
        yield _text(drawn.caption, 0, self.top + self.down + _LINE, _SMALL)
        if drawn.values is not None:
            yield from self.cells()
        yield from self.outlines()
        yield from self.labels()

    def cells(self) -> Iterator[str]:
        """A rectangle for each number that is not 0, a dot for each 0 inside the structure."""
        drawn, (x, y), (b, a) = self.picture, self.scale, self.picture.step[::-1]
        assert drawn.values is not None
        named, largest = drawn.step == (1, 1), drawn.largest
        for i, j in zip(*(drawn.values != 0).nonzero(), strict=True):
            value = float(drawn.values[i, j])
            title = f"<title>{escape(drawn.label(i, j))} = {value:.4g}</title>" if named else ""
            colour, solid = "currentColor", 0.8
            if math.isfinite(value):
                colour, solid = NEGATIVE if value < 0 else POSITIVE, opacity(value, largest)
            right, bottom = min((j + 1) * b, drawn.columns.size), min((i + 1) * a, drawn.rows.size)
            yield (
                f'<rect x="{self.left + j * b * x:.4g}" y="{self.top + i * a * y:.4g}" '
                f'width="{(right - j * b) * x:.4g}" height="{(bottom - i * a) * y:.4g}" fill="{colour}" '
                f'fill-opacity="{solid:.3g}">{title}</rect>'
            )
        for i, j in zip(*drawn.zeros.nonzero(), strict=True) if drawn.zeros is not None else ():
            title = f"<title>{escape(drawn.label(i, j))} = 0</title>" if named else ""
            radius = max(0.8, 0.09 * min(x * b, y * a))
            yield (
                f'<circle cx="{self.left + (j + 0.5) * b * x:.4g}" cy="{self.top + (i + 0.5) * a * y:.4g}" '
                f'r="{radius:.3g}" fill="currentColor" fill-opacity="0.5">{title}</circle>'
            )

    def outlines(self) -> Iterator[str]:
        """The matrix's frame, and lines between blocks that are not too narrow."""
        left, top, right, bottom = self.left, self.top, self.left + self.across, self.top + self.down
        x, y = self.scale
        ends = [(left + k * x, top, left + k * x, bottom) for k in self.picture.columns.clear_boundaries(x, 9)]
        ends += [(left, top + k * y, right, top + k * y) for k in self.picture.rows.clear_boundaries(y, 9)]
        path = "".join(f"M{a:.4g} {b:.4g}L{c:.4g} {d:.4g}" for a, b, c, d in ends)
        if path:
            yield f'<path d="{path}" stroke="currentColor" stroke-opacity="0.55" stroke-width="0.8" fill="none"/>'
        yield (
            f'<rect x="{left:.4g}" y="{top:.4g}" width="{self.across:.4g}" height="{self.down:.4g}" fill="none" '
            'stroke="currentColor"/>'
        )

    def labels(self) -> Iterator[str]:
        x, y = self.scale
        for place, label in self.ticks(self.picture.rows, self.down):
            yield _text(label, self.left - 4, self.top + (place + 0.5) * y + 3.5, _SMALL, anchor="end")
        for place, label in self.ticks(self.picture.columns, self.across):
            middle = self.left + (place + 0.5) * x
            if self.turned:
                yield _text(label, middle + 3.5, self.top - 4, _SMALL, turn=True)
            else:
                yield _text(label, middle, self.top - 5, _SMALL, anchor="middle")


def _text(
    text: str, x: float, y: float, size: float, weight: str = "normal", *, anchor: str = "start", turn: bool = False
) -> str:
    turned = f' transform="rotate(-90 {x:.4g} {y:.4g})"' if turn else ""
    return (
        f'<text x="{x:.4g}" y="{y:.4g}" font-size="{size:g}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="currentColor"{turned}>{escape(text)}</text>'
    )
