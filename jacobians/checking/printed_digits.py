"""Numbers that were printed with few digits: how far the rounding may have moved each of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from jacobians.arrays import Array

__all__ = ["MOST_DIGITS", "Printed", "digits_of", "printed"]

MOST_DIGITS = 11
"""Numbers with more significant digits are not taken for printed ones: 12 would say what float64 does."""

_FEWEST_DIGITS = 2
_RELATIVE = 0.05
"""Numbers of one digit, or further off than this in norm, are not taken for the right ones, rounded."""

_ROUNDING = 1e-12
"""What the right gradient's own rounding may be, relative to its largest entry."""


@dataclass(frozen=True, slots=True)
class Printed:
    """Right numbers, printed.

    Attributes
    ----------
    digits : int
        The significant digits of the entry that has most.
    half_unit : float
        Half a unit of the last digit of the entry where it is largest: what was allowed; 0 where nothing had to be.
    """

    digits: int
    half_unit: float


def printed(given: Array, right: Array) -> Printed | None:
    """Return how the given numbers are the right ones printed with few digits; None if they are not.

    Printed numbers have either the same number of decimals, as by ``%.6f``, or the same number of significant digits,
    as by ``%.6g``; zeros at the end do not show. So the last digit is that of the entry with most decimals, or with
    most significant digits. Each entry may be half a unit of it away, and no entry more.

    Parameters
    ----------
    given, right : ndarray, of one shape

    Examples
    --------
    >>> right = np.array([-15.3030156742, 598.2507441727])
    >>> printed(np.array([-15.303016, 598.250744]), right)
    Printed(digits=9, half_unit=5e-07)
    >>> printed(np.array([-15.303017, 598.250744]), right) is None
    True
    """
    rounding = _ROUNDING * float(np.abs(right).max(initial=0.0))
    difference = np.abs(given - right).ravel()
    if (difference <= rounding).all():
        return Printed(0, 0.0)
    if given.dtype != np.float64 or not np.isfinite(given).all():
        return None
    if np.linalg.norm(difference) > _RELATIVE * np.linalg.norm(right):
        return None
    found = digits_of(given)
    if found is None:
        return None
    digits, decimals, exponents = found
    with_decimals = np.full(given.size, 0.5 * 10.0**-decimals)
    with_digits = 0.5 * 10.0 ** (exponents - (digits - 1))
    for half_units in (with_decimals, with_digits):
        if (difference <= half_units * (1 + 1e-9) + rounding).all():
            return Printed(digits, float(half_units.max(initial=0.0)))
    return None


def digits_of(numbers: Array) -> tuple[int, int, Array] | None:
    """Return the most significant digits and the most decimals of any entry, and each entry's exponent.

    None where an entry has more than `MOST_DIGITS` digits, or none has two.

    Examples
    --------
    >>> digits_of(np.array([-15.303016, 598.250744]))
    (9, 6, array([1., 2.]))
    """
    digits, decimals, exponents = 0, 0, np.zeros(numbers.size)
    for place, number in enumerate(numbers.ravel().tolist()):
        shown = Decimal(repr(number)).normalize()
        written = shown.as_tuple()
        digits = max(digits, len(written.digits))
        if digits > MOST_DIGITS:
            return None
        decimals = max(decimals, -int(written.exponent))
        exponents[place] = shown.adjusted() if number else -np.inf
    return (digits, decimals, exponents) if digits >= _FEWEST_DIGITS else None
