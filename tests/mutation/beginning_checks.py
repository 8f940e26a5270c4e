"""Chains that begin alike: what they share is priced once and multiplied out once, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.linops import test_beginnings as of
from tests.linops.conftest import counting_from_now
from tests.mutation.checks import Check

SHARING = ("bracketing", "execute", "block_row", "product", "diagonal", "dense_view")
"""The modules that know of chains which begin alike."""


def beginning_checks() -> Iterator[Check]:
    """Counts, prices, and matrices side by side."""
    yield Check("one source", "other factors", of.test_other_factors_in_the_same_places_are_not_taken_for_the_same)
    yield Check("one source", "a beginning", of.test_what_is_remembered_is_a_beginning_with_its_bracket_and_axis)
    yield Check("count", "prices taken over", of.test_only_what_both_begin_with_is_taken_over)
    yield Check("one source", "stored blocks", of.test_no_blocks_are_shared_by_chains_of_which_one_stores_its_own)
    yield Check("count", "priced once", of.test_layers_are_priced_once)
    for mode in ("any", "forward", "reverse"):
        for widths, shared in (([9, 2, 8, 3, 7], 3), ([3, 4, 5, 6], 2), ([8, 1, 8, 2], 5), ([5, 4, 3, 2, 9, 9], 1)):
            for thrifty in (False, True):
                call = of.prices_agree
                what = f"prices, {mode}, {widths}"
                yield Check("count", what, lambda a=(widths, shared, mode, thrifty), f=call: f(*a))
    for depth in (2, 3, 5):
        yield Check("count", f"{depth} layers together", lambda d=depth: together(d))
    for activation in ("sigmoid", "relu"):
        for of_what in ("output", "losses"):
            call = of.test_the_blocks_together_are_the_blocks_one_by_one
            yield Check("one source", "blocks together", lambda a=(activation, "squared", of_what), f=call: f(*a))


def together(depth: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        of.test_all_layers_together_cost_one_sweep(depth, counting_from_now(patch))
