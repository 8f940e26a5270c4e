"""The two hues of every picture, `NEGATIVE` and `POSITIVE`, and how solid a cell is: `opacity`, from `FAINTEST`.

Blue and vermillion are told apart by the colour-blind (Okabe and Ito 2008, "Color Universal Design"), and each has a
contrast above 3 to 1 with white and with a dark page. A small magnitude lets the page shine through, so that zero is
the page itself, light or dark.
"""

from __future__ import annotations

__all__ = ["FAINTEST", "NEGATIVE", "POSITIVE", "opacity"]

NEGATIVE = "#0072b2"
POSITIVE = "#d55e00"

FAINTEST = 0.3
"""The opacity of the smallest magnitude that is not 0."""


def opacity(value: float, largest: float) -> float:
    """Return how solid the cell of a finite entry is: 0 for 0, 1 for the largest magnitude.

    Examples
    --------
    >>> opacity(0.0, 2.0), opacity(-2.0, 2.0)
    (0.0, 1.0)
    """
    return FAINTEST + (1 - FAINTEST) * abs(value) / largest if value else 0.0
