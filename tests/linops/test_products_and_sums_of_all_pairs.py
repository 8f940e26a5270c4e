"""Products of everything with everything: the value of the twins' product, whatever the bracketing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.errors import LayoutError
from jacobians.linops import Denominator, Jacobian, Scaled, Sum
from jacobians.testing import assert_association
from tests.linops.cases import CASES, built
from tests.linops.comparing import draw, images, matrix_of, same
from tests.linops.composable_operators import BANK, chains, composable, entry
from tests.linops.makers import Pair

DTYPES = ("float64", "float32")
PLACES = range(len(BANK))


def associate(pairs: Sequence[Pair]) -> None:
    """Every bracketing of a chain is the twins' product."""
    factors, twins = zip(*pairs, strict=True)
    assert_association(factors, matrices=twins)


def bracketings(items: Sequence[Any], join: Callable[[Any, Any], Any]) -> list[Any]:
    """The chain multiplied out in every bracketing (Catalan many)."""
    if len(items) == 1:
        return [items[0]]
    return [
        join(left, right)
        for cut in range(1, len(items))
        for left, right in itertools.product(bracketings(items[:cut], join), bracketings(items[cut:], join))
    ]


def check_pair(place: int, right: int, dtypes: tuple[str, str]) -> None:
    pairs = [entry(p, dtype) for p, dtype in zip((place, right), dtypes, strict=True)]
    associate(pairs)
    (x, _), (y, _) = pairs
    joint = x @ y
    if () not in (joint.codomain, joint.domain):  # rows and columns are pushed through
        held, *given = (sum({id(a): a.size for a in f.arrays}.values()) for f in (joint, x, y))
        assert held <= sum(given), repr(joint)


TWO_DTYPES = [*itertools.product(DTYPES, DTYPES)]


@pytest.mark.parametrize("place", PLACES, ids=[c.name for c in BANK])
def test_every_pair_of_the_bank(place: int) -> None:
    """In one pair of dtypes: the next pair of operators takes the next."""
    for turn, right in enumerate(composable()[place]):
        check_pair(place, right, TWO_DTYPES[(place + turn) % 4])


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=[c.name for c in BANK])
def test_every_pair_of_the_bank_in_every_pair_of_dtypes(place: int) -> None:
    for right, dtypes in itertools.product(composable()[place], TWO_DTYPES):
        check_pair(place, right, dtypes)


def numerators() -> list[tuple[str, Jacobian, np.ndarray]]:
    every = [(case.name, *built(case.name)) for case in CASES]
    return [part for part in every if not isinstance(part[1], Denominator)]


@pytest.mark.parametrize("order", ["C", "F"])
def test_every_pair_of_cases(order: str) -> None:
    by_codomain: dict[tuple[int, ...], list[tuple[str, Jacobian, np.ndarray]]] = {}
    for part in numerators():
        by_codomain.setdefault(part[1].codomain, []).append(part)
    for _, left, twin in numerators():
        for _, right, other in by_codomain.get(left.domain, []):
            joint = left.ordered(order) @ right
            size = max(np.max(np.abs(twin) @ np.abs(other), initial=0.0), 1.0)
            same(joint.to_dense() / size, matrix_of(joint, twin @ other, joint.order) / size, what=repr(joint))


@st.composite
def walks(draw: st.DrawFn, shortest: int = 3, longest: int = 6) -> list[int]:
    """Places that compose, from left to right; a walk that meets a dead end stops there."""
    chain = [draw(st.sampled_from([p for p in PLACES if composable()[p]]))]
    for _ in range(draw(st.integers(shortest, longest)) - 1):
        if not composable()[chain[-1]]:
            break
        chain.append(draw(st.sampled_from(composable()[chain[-1]])))
    return chain


@given(chain=walks(), data=st.data())
def test_bracketing_does_not_matter(chain: list[int], data: st.DataObject) -> None:
    """In value, shape, dtype and vec order, for mixed dtypes and for orders that some factors carry."""
    order = data.draw(st.sampled_from(["C", "F"]), label="order")
    factors, twins = [], []
    for place in chain:
        operator, twin = entry(place, data.draw(st.sampled_from(DTYPES), label=BANK[place].name))
        factors.append(operator.ordered(order) if data.draw(st.booleans(), label="carries the order") else operator)
        twins.append(twin)
    associate([*zip(factors, twins, strict=True)])


@pytest.mark.parametrize(("length", "count"), [(3, 600), (4, 60), (5, 20)])
def test_bracketing_of_random_chains(length: int, count: int) -> None:
    for chain in chains(length, count, seed=length):
        associate([entry(place) for place in chain])


@given(chain=walks(longest=5), data=st.data())
def test_orders_mix_for_every_bracketing_or_for_none(chain: list[int], data: st.DataObject) -> None:
    tagged = [
        entry(place)[0]._with_order(data.draw(st.sampled_from([None, "C", "F"]), label=BANK[place].name))
        for place in chain
    ]
    mixed = {f.order for f in tagged} >= {"C", "F"}

    def join(left: object, right: object) -> object:
        if "refused" in (left, right):
            return "refused"
        try:
            return left @ right  # type: ignore[operator]
        except LayoutError:
            return "refused"

    for result in bracketings(tagged, join):
        assert (result == "refused") is mixed


@given(chain=walks(shortest=2, longest=4))
def test_denominator_chains_read_the_other_way(chain: list[int]) -> None:
    factors = [entry(place)[0] for place in chain]
    twin = np.linalg.multi_dot(matrices) if len(matrices := [entry(p)[1] for p in chain]) > 1 else matrices[0]
    size = max(np.max(np.abs(twin), initial=0.0), 1.0)
    reverse = [Denominator(f) for f in reversed(factors)]
    for result in bracketings(reverse, lambda left, right: left @ right):
        assert isinstance(result, Denominator)
        assert result.shape == twin.T.shape
        same(result.to_dense("C") / size, twin.T / size, what=repr(result))
        cotangent = draw(*result.codomain)
        same(result.vjp(cotangent) / size, images(result, twin, cotangent, back=True) / size, what="vjp")


# --- sums and multiples ------------------------------------------------------------------------------


@cache
def alike() -> list[tuple[int, int]]:
    return [
        (a, b)
        for a in PLACES
        for b in PLACES
        if entry(a)[0].codomain == entry(b)[0].codomain and entry(a)[0].domain == entry(b)[0].domain
    ]


@pytest.mark.parametrize("dtypes", [(a, b) for a in DTYPES for b in DTYPES], ids=str)
def test_every_sum_and_difference(dtypes: tuple[str, str]) -> None:
    for a, b in alike():
        (left, twin), (right, other) = entry(a, dtypes[0]), entry(b, dtypes[1])
        for result, expected in ((left + right, twin + other), (left - right, twin - other)):
            assert result.dtype == np.result_type(*dtypes), repr(result)
            assert (result.codomain, result.domain) == (left.codomain, left.domain)
            assert not any(isinstance(term, Sum) for term in getattr(result, "terms", ()))
            same(result.to_dense(), expected, min(left.dtype, right.dtype, key=lambda d: d.itemsize), repr(result))
            tangent, cotangent = draw(*left.domain), draw(*left.codomain)
            same(result.jvp(tangent), images(result, expected, tangent), what=f"jvp of {result!r}", dtype=np.float32)
            pulled = images(result, expected, cotangent, back=True)
            same(result.vjp(cotangent), pulled, what=f"vjp of {result!r}", dtype=np.float32)


@pytest.mark.parametrize("place", PLACES, ids=[c.name for c in BANK])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_multiple(place: int, dtype: str) -> None:
    operator, twin = entry(place, dtype)
    tangent = draw(*operator.domain, dtype=dtype)
    for result, factor in (
        (2.5 * operator, 2.5),
        (operator * np.float64(-3), -3.0),
        (np.float64(-3) * operator, -3.0),
        (np.array(0.5) * operator, 0.5),
        (operator / 4, 0.25),
        (-operator, -1.0),
        (2 * (operator * 3), 6.0),
        (1 * operator, 1.0),
        (0 * operator, 0.0),
        (2 * (0.5 * operator), 1.0),
    ):
        assert result.dtype == operator.dtype, repr(result)
        same(result.to_dense(), factor * twin, what=repr(result))
        same(result.jvp(tangent), images(operator, factor * twin, tangent), what=repr(result))
        same(result.T.to_dense(), factor * twin.T, what=repr(result))
        assert not isinstance(getattr(result, "inner", None), Scaled), repr(result)
        if operator.codomain == operator.domain:
            same(result.diagonal(), factor * np.diagonal(twin), what=f"diagonal of {result!r}")
    assert (1 * operator) is operator
    assert (2.0 * operator.ordered("F")).order == operator.ordered("F").order


def test_sums_and_multiples_keep_order_and_layout() -> None:
    for a, b in alike()[::7]:
        (x, twin), (y, other) = entry(a), entry(b)
        for tagged in (x.ordered("F") + y, x + y.ordered("F")):
            assert tagged.order == x.ordered("F").order, repr(tagged)
        same((Denominator(x) + Denominator(y)).to_dense(), (twin + other).T, what=f"{x!r} + {y!r}")
        same((2.5 * Denominator(x)).to_dense(), 2.5 * twin.T, what=repr(x))


@settings(max_examples=30)
@given(data=st.data(), order=st.sampled_from([None, "C", "F"]))
def test_products_distribute_over_sums(data: st.DataObject, order: str | None) -> None:
    a, b = data.draw(st.sampled_from(alike()))
    rights = composable()[a] or [a]
    right = data.draw(st.sampled_from(rights))
    (x, twin), (y, other), (z, third) = entry(a), entry(b), entry(right)
    if not composable()[a]:
        return
    if order is not None:
        x = x.ordered(order)
    expected = (twin + other) @ third
    for result in ((x + y) @ z, x @ z + y @ z, 0.5 * (2 * x + y + y) @ z):
        assert result.order == next((o.order for o in (x, y, z) if o.order), None)
        same(result.to_dense("C"), expected, np.float32, repr(result))
