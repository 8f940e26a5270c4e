"""Sums and multiples of structured Jacobians, in every dtype and layout."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np

import jacobians.linops as linops
from jacobians.linops import Denominator, Scaled, Sum
from tests.linops import making
from tests.linops.bank import BANK, entry
from tests.linops.tools import draw, images, same
from tests.linops.twins import Numbers

A, B = (3, 4), (5,)


def kind(place: int) -> str:
    """The class of the operator at this place of the bank, and whether it is a row or a column."""
    operator = entry(place)[0]
    side = " row" * (operator.codomain == ()) + " column" * (operator.domain == ())
    return type(operator).__name__ + side


@cache
def alike() -> list[tuple[int, int]]:
    """Places between the same arrays, a few of every two kinds."""
    seen: Counter[Any] = Counter()
    out = []
    places = range(len(BANK))
    for a, b in ((a, b) for a in places for b in places):
        x, y = entry(a)[0], entry(b)[0]
        if (x.codomain, x.domain) == (y.codomain, y.domain):
            seen[kind(a), kind(b)] += 1
            if seen[kind(a), kind(b)] <= 1 and (a + b) % 2 == 0:
                out.append((a, b))
    return out


def sums_and_multiples() -> None:
    for k, (a, b) in enumerate(alike()):
        for dtypes in (("float64", "float64"), [("float64", "float32"), ("float32", "float64")][k % 2]):
            (x, twin), (y, other) = (BANK[p].make(Numbers(t, seed=p)) for p, t in zip((a, b), dtypes, strict=True))
            narrow = min((x.dtype, y.dtype), key=lambda d: d.itemsize)
            for result, expected in ((x + y, twin + other), (x - y, twin - other), (x + y + x, 2 * twin + other)):
                assert result.dtype == np.result_type(*dtypes), repr(result)
                assert not any(isinstance(t, Sum) for t in getattr(result, "terms", ()))
                same(result.to_dense(), expected, narrow, repr(result))
                t = draw(*x.domain)
                same(result.jvp(t), images(result, expected, t), narrow, repr(result))
            for tagged in (x.ordered("F") + y, x + y.ordered("F")):
                assert tagged.order == x.ordered("F").order, f"law vec: {tagged!r}"
    square = (3, 3, 3), (3, 3), (3, 3)
    for left, right, merged in (
        (making.blocks(*square), making.blocks(*square), linops.BlockDiagonal),
        (making.blocks(*square), making.blocks(*square, -1), Sum),
        (making.blocks((3, 2, 4), (3, 2), (3, 4)), making.blocks((3, 2, 4), (3, 2), (3, 4)), linops.BlockDiagonal),
        (making.zero(A, B), making.dense(A, B), linops.Dense),
        (making.dense(A, B), making.zero(A, B), linops.Dense),
        (making.dense(A, B), making.dense(A, B), linops.Dense),
        (making.diagonal(*A), making.diagonal(*A), linops.Diagonal),
    ):
        (x, twin), (y, other) = left(Numbers()), right(Numbers(seed=6))
        assert type(x + y) is merged, f"law merging: {x + y!r}"
        same((x + y).to_dense(), twin + other)
        t = draw(*x.domain)
        same((x + y).jvp(t), images(x, twin + other, t), what=repr(x + y))
    for place in range(len(BANK)):
        operator, twin = BANK[place].make(Numbers(seed=place))
        t = draw(*operator.domain)
        for result, factor in (
            (2.5 * operator, 2.5),
            (2 * (operator * 3), 6.0),
            (operator / 4, 0.25),
            (-operator, -1.0),
            (1 * operator, 1.0),
            (2 * (0.5 * operator), 1.0),
        ):
            same(result.to_dense(), factor * twin, what=repr(result))
            same(result.jvp(t), images(operator, factor * twin, t), what=repr(result))
            same(result.T.to_dense(), factor * twin.T, what=repr(result))
            assert not isinstance(getattr(result, "inner", None), Scaled), repr(result)
            if operator.codomain == operator.domain:
                same(result.diagonal(), factor * np.diagonal(twin), what=f"diagonal of {result!r}")
        assert (1 * operator) is operator, "law merging: 1 J is J"
        assert (2.0 * operator.ordered("F")).order == operator.ordered("F").order


def in_denominator_layout() -> None:
    """Sums and multiples keep the layout."""
    for left, right in alike()[::5]:
        (x, twin), (y, other) = (BANK[p].make(Numbers(seed=p)) for p in (left, right))
        same((Denominator(x) + Denominator(y)).to_dense(), (twin + other).T, what="sum in denominator layout")
        same((2.5 * Denominator(x)).to_dense(), 2.5 * twin.T, what="multiple in denominator layout")
