"""Pictures with matplotlib: `plot` of one Jacobian, `plot_chain` of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import matmul
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from jacobians.errors import MissingExtraError, ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian
from jacobians.pictures.cells import FAINTEST, NEGATIVE, POSITIVE, Named, Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


_ENTRY, _LONGEST, _SHORTEST = 0.26, 3.6, 0.3
"""Inches: one entry at most, a matrix's longer side at most, its shorter side at least."""
_CHARACTER = 0.085
_MARGIN, _ABOVE, _BELOW, _NARROWEST = 0.6, 1.3, 0.7, 2.2
"""Inches beside, above and below a matrix, and across its title at least."""
_DOTS = 2500
"""Cells up to which a zero inside the structure is a dot."""


def plot(
    jacobian: Jacobian, ax: Axes | None = None, *, of: str = "y", wrt: str = "x", order: Order | None = None
) -> Axes:
    """Draw a Jacobian's matrix with matplotlib: colours for numbers, lines around blocks, entries' names as labels.

    Parameters
    ----------
    jacobian : Jacobian
    ax : matplotlib Axes, optional
        Where to draw; axes of a new figure unless given. The figure is no window: save it with
        ``ax.figure.savefig``, or end a notebook's cell with ``ax.figure``.
    of, wrt : str
        Names of the output and of the input.
    order : {"C", "F"}, optional
        How both are unrolled; the Jacobian's own order unless given.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    LayoutError
        If the order is unknown.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> ax = plot(Kronecker(2, np.ones((1, 2))), of="Z", wrt="A", order="F")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['a₁₁', 'a₂₁', 'a₁₂', 'a₂₂']
    """
    make = _figure_class()
    drawn = picture(jacobian, of=of, wrt=wrt, order=order)
    if ax is None:
        return _row([drawn], make).axes[0]
    box = ax.get_window_extent()
    across, down = (side / ax.figure.dpi for side in (box.width, box.height))
    _draw(drawn, ax, across, down, across)
    return ax


def plot_chain(factors: Sequence[Named], *, order: Order | None = None) -> Figure:
    """Draw the factors of a chain side by side with matplotlib, and last their product, the gradient of a loss.

    All have one scale where it leaves them readable.

    Parameters
    ----------
    factors : sequence of Factor
        As `Run.chain` returns them, from left to right.
    order : {"C", "F"}, optional
        How arrays are unrolled; each Jacobian's own order unless given.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    ShapeError
        If there is no factor.
    LayoutError
        If the order is unknown.

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> [ax.get_title().splitlines()[0] for ax in plot_chain(run.chain("W2")).axes]
    ['∂loss/∂losses', '∂losses/∂Z2', '∂Z2/∂W2', '∂loss/∂W2']
    """
    make = _figure_class()
    if not factors:
        raise ShapeError("plot_chain: the chain has no factors; of and wrt name the same array")
    drawn = [picture(f.jacobian, of=f.of, wrt=f.wrt, order=order) for f in factors]
    if len(factors) == 1:
        return _row(drawn, make)
    product = reduce(matmul, (f.jacobian for f in factors))
    # read from the loss in numerator layout, from the parameter in denominator layout
    ends = (factors[0].of, factors[-1].wrt) if factors[0].wrt == factors[1].of else (factors[-1].of, factors[0].wrt)
    return _row([*drawn, picture(product, of=ends[0], wrt=ends[1], order=order)], make, last="=")


def _row(pictures: Sequence[Picture], make: type[Figure], last: str = "×") -> Figure:
    """A figure of pictures that are placed by inches, each within a panel that its title fits in; `last` is a sign."""
    cell = min(map(_cell, pictures))
    sides = [_sides(drawn, cell) for drawn in pictures]
    panels = [max(across + 2 * _MARGIN, _NARROWEST) for across, _ in sides]
    width, height = sum(panels), max(down for _, down in sides) + _ABOVE + _BELOW
    figure = make(figsize=(width, height))
    start = 0.0
    for drawn, (across, down), panel in zip(pictures, sides, panels, strict=True):
        left, bottom = start + (panel - across) * 0.6, (height - _ABOVE + _BELOW - down) / 2
        box = (left / width, bottom / height, across / width, down / height)
        _draw(drawn, figure.add_axes(box), across, down, panel)
        if start:
            sign = last if drawn is pictures[-1] else "×"
            figure.text(start / width, (bottom + down / 2) / height, sign, ha="center", va="center", fontsize=14)
        start += panel
    return figure


def _figure_class() -> type[Figure]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("plot needs matplotlib: pip install matplotlib") from None
    return Figure


def _cell(drawn: Picture) -> float:
    return min(_ENTRY, _LONGEST / max(drawn.rows.size, drawn.columns.size, 1))


def _sides(drawn: Picture, cell: float) -> tuple[float, float]:
    across, down = (max(_SHORTEST, cell * axis.size) for axis in (drawn.columns, drawn.rows))
    return across, down


def _colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    negative, positive = (to_rgba(colour, FAINTEST) for colour in (NEGATIVE, POSITIVE))
    stops = [(0.0, to_rgba(NEGATIVE)), (0.5, negative), (0.5, positive), (1.0, to_rgba(POSITIVE))]
    return LinearSegmentedColormap.from_list("vermillion-none-blue", stops)


def _draw(drawn: Picture, ax: Axes, across: float, down: float, room: float) -> None:
    """Draw on axes whose box has these sides, in inches, with titles in the room given."""
    ink = ax.xaxis.label.get_color()
    ax.set_facecolor("none")
    lines = [drawn.heading, *wrap(drawn.title, max(10, int(room / _CHARACTER)), max_lines=2, placeholder=" …")]
    ax.set_title("\n".join(lines), fontsize=9, color=ink, parse_math=False)
    # it stands under the middle of the matrix, which lies off the middle of its panel
    beside = room - (room - across) * 0.6 - across / 2
    ax.set_xlabel("\n".join(wrap(drawn.caption, max(18, int(2 * beside / 0.075)))), fontsize=8)
    ax.xaxis.set_label_position("bottom")
    ax.tick_params(top=False, left=False, bottom=False, labeltop=True, labelbottom=False, labelsize=9, pad=2)
    ax.set(xlim=(0, max(1, drawn.columns.size)), ylim=(max(1, drawn.rows.size), 0))
    _label(drawn, ax, across, down)
    if drawn.values is None or not drawn.values.size:
        return
    _fill(drawn, ax)
    for axis, line, inch in ((drawn.columns, ax.axvline, across), (drawn.rows, ax.axhline, down)):
        for place in axis.clear_boundaries(inch / axis.size, 0.12):
            line(place, color=ink, alpha=0.55, linewidth=0.7)


def _fill(drawn: Picture, ax: Axes) -> None:
    values, zeros, (a, b) = drawn.values, drawn.zeros, drawn.step
    assert values is not None
    assert zeros is not None
    from matplotlib.colors import CenteredNorm

    ink = ax.xaxis.label.get_color()
    extent = (0, values.shape[1] * b, values.shape[0] * a, 0)
    ax.imshow(
        np.ma.masked_where((values == 0) | ~np.isfinite(values), values),
        cmap=_colours(),
        norm=CenteredNorm(halfrange=drawn.largest or 1.0),
        extent=extent,
        interpolation="nearest",
        aspect="auto",
    )
    if values.size <= _DOTS:
        i, j = zeros.nonzero()
        ax.scatter((j + 0.5) * b, (i + 0.5) * a, s=7, color=ink, alpha=0.5, linewidths=0)
    else:
        ax.imshow(np.ma.masked_where(~zeros, 0.15 * zeros), cmap="gray", alpha=0.15, extent=extent, aspect="auto")
    i, j = np.nonzero(~np.isfinite(values))
    ax.scatter((j + 0.5) * b, (i + 0.5) * a, s=12, color=ink, marker="x", linewidths=0.8)


def _label(drawn: Picture, ax: Axes, across: float, down: float) -> None:
    rows, columns = drawn.rows.labelled(int(down / 0.14)), drawn.columns.labelled(int(across / 0.14))
    ax.set_yticks([k + 0.5 for k, _ in rows], [label for _, label in rows], parse_math=False)
    turned = drawn.columns.is_crowded(columns, across / max(1, drawn.columns.size), 0.075)
    ax.set_xticks(
        [k + 0.5 for k, _ in columns],
        [label for _, label in columns],
        parse_math=False,
        rotation=90 if turned else 0,
    )
