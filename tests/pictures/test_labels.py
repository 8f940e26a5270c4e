"""Axis: entries in the order of vec, blocks where the slow index changes, ticks that are few enough."""

from __future__ import annotations

import pytest

from jacobians.pictures import Axis
from jacobians.pictures.labels import symbol
from tests.linops.dense_twins import indices

SHAPES = [(), (1,), (4,), (2, 3), (3, 2), (1, 4), (4, 1), (2, 3, 4), (2, 1, 3), (2, 2, 2, 2)]
DIGITS = dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES)
def test_labels_count_from_one_in_the_order_of_vec(shape, order):
    axis = Axis("z", shape, order)
    expected = ["z" + "".join(DIGITS[str(i + 1)] for i in index) for index in indices(shape, order)]
    assert [axis.label(k) for k in range(axis.size)] == expected


def test_the_orders_of_a_matrix():
    assert [Axis("Z", (2, 2), "C").label(k) for k in range(4)] == ["z₁₁", "z₁₂", "z₂₁", "z₂₂"]
    assert [Axis("Z", (2, 2), "F").label(k) for k in range(4)] == ["z₁₁", "z₂₁", "z₁₂", "z₂₂"]


def test_indices_of_two_digits_stand_apart():
    assert Axis("z", (9, 2), "C").label(16) == "z₉₁"
    assert Axis("z", (10, 2), "C").label(18) == "z₁₀,₁"
    assert Axis("z", (10, 2), "C").label(0) == "z₁,₁"
    assert Axis("x", (112,), "C").label(110) == "x₁₁₁"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("y", "y"), ("W", "w"), ("Z2", "z⁽²⁾"), ("A10", "a⁽¹⁰⁾"), ("b1", "b⁽¹⁾"), ("Theta2", "θ⁽²⁾"), ("X", "x"),
        ("A1′", "a′⁽¹⁾"), ("losses", "ℓ"), ("loss", "loss"), ("output", "output"), ("<b>", "<b>"), ("a b", "a b"),
        ("", ""), ("2", "2"),
    ],
)  # fmt: skip
def test_symbols(name, shown):
    assert symbol(name) == shown


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_block_begins_where_more_than_the_fast_index_changes(shape, order):
    fast = (-1 if order == "C" else 0) % max(1, len(shape))
    slow = [index[:fast] + index[fast + 1 :] for index in indices(shape, order)]
    expected = [k for k in range(1, len(slow)) if slow[k] != slow[k - 1]]
    assert list(Axis("z", shape, order).boundaries) == expected


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_empty_array_has_no_blocks_and_no_ticks(shape, order):
    axis = Axis("z", shape, order)
    assert axis.boundaries == ()
    assert axis.ticks(5) == ()


def test_packed_parts_are_the_blocks_of_a_packed_vector():
    assert Axis("θ", (9,), "C", (4, 7)).boundaries == (4, 7)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (12, tuple(range(12))),
        (11, (0, 3, 6, 9)),
        (4, (0, 3, 6, 9)),
        (3, (0, 6)),
        (2, (0, 6)),
        (1, (0,)),
        (0, (0,)),
    ],
)
def test_ticks_are_all_entries_or_beginnings_of_blocks(most, ticks):
    assert Axis("z", (4, 3), "C").ticks(most) == ticks


def test_ticks_of_one_block_are_spread_evenly():
    assert Axis("z", (10,), "C").ticks(4) == (0, 3, 6, 9)
    assert Axis("z", (1, 10), "C").ticks(4) == (0, 3, 6, 9)


def test_of_a_packed_vector_with_names_it_is_an_entry_of_a_part() -> None:
    axis = Axis("x", (6,), "C", (4,), (("W", (2, 2), "F"), ("b", (2,), "F")))
    assert [axis.label(k) for k in range(6)] == ["w₁₁", "w₂₁", "w₁₂", "w₂₂", "b₁", "b₂"]
    assert axis.boundaries == (4,)
