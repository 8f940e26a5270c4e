"""What affine operations refuse, and the text that says how to mend it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jacobians import add_ones, affine, linear
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.operations import Affine
from tests.operations.random_inputs import LAYOUTS

ROWS, COLUMNS, FIRST, BARE = Layout(), Layout(batch="columns"), Layout(bias="first"), Layout(bias="none")
BASE = "(weights in columns, bias separate)"


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape)


@pytest.mark.parametrize(
    ("arrays", "layout", "message"),
    [
        ((ones(3), ones(3, 2), ones(2)), ROWS, f"affine: X has shape (3,); expected a matrix ({ROWS})"),
        ((ones(5, 3), ones(3), ones(2)), ROWS, f"affine: W has shape (3,); expected a matrix ({ROWS})"),
        (
            (ones(3, 5), ones(3, 2), ones(2)),
            ROWS,
            f"affine: X has shape (3, 5), batch in rows expects (N, 3) for W of shape (3, 2) {BASE}; its transpose "
            "would fit: is the batch in columns?",
        ),
        (
            (ones(5, 3), ones(3, 2), ones(2)),
            COLUMNS,
            f"affine: X has shape (5, 3), batch in columns expects (3, N) for W of shape (3, 2) {BASE}; its transpose "
            "would fit: is the batch in rows?",
        ),
        (
            (ones(5, 3), ones(2, 3), ones(2)),
            ROWS,
            f"batch in rows expects (N, 2) for W of shape (2, 3) {BASE}; W's transpose would fit: are the weights in "
            "rows?",
        ),
        (
            (ones(5, 3), ones(3, 2), ones(2)),
            Layout(weights="rows"),
            "expects (N, 2) for W of shape (3, 2) (weights in rows, bias separate); W's transpose would fit: are the "
            "weights in columns?",
        ),
        (
            (ones(5, 3), ones(2, 4)),
            FIRST,
            "(weights in columns, bias first); W's transpose would fit: are the weights in rows?",
        ),
        (
            (ones(5, 4), ones(4, 2)),
            FIRST,
            "expects (N, 3) for W of shape (4, 2) (weights in columns, bias first); the layout adds the entry of ones "
            "itself: leave it out of X",
        ),
        (
            (ones(5, 3), ones(4, 2), ones(2)),
            ROWS,
            f"{BASE}; W has one more: is the bias absorbed in it (bias='first' or 'last')?",
        ),
        (
            (ones(3, 2), ones(5, 3), ones(2)),
            ROWS,
            f"affine: X has shape (3, 2), batch in rows expects (N, 5) for W of shape (5, 3) {BASE}; are X and W in "
            "each other's place?",
        ),
        (
            (ones(7, 4), ones(6, 3)),
            FIRST.replace(weights="rows"),
            "for W of shape (6, 3) (weights in rows, bias first); are X and W in each other's place?",
        ),
        (
            (ones(5, 3), ones(4, 2)),
            BARE,
            "(weights in columns, bias none); W has one more: is the bias absorbed in it (bias='first' or 'last')?",
        ),
        ((ones(5, 3), ones(7, 2), ones(2)), ROWS, f"expects (N, 7) for W of shape (7, 2) {BASE}"),
        (
            (ones(5, 3), ones(3, 2), ones(3)),
            ROWS,
            "affine: b has shape (3,), 2 nodes with the batch in rows expect (2,) or (1, 2)",
        ),
        (
            (ones(5, 3), ones(3, 2), ones(2, 1)),
            ROWS,
            "affine: b has shape (2, 1), 2 nodes with the batch in rows expect (2,) or (1, 2); its transpose would "
            "fit: is the batch in columns?",
        ),
        (
            (ones(3, 5), ones(3, 2), ones(1, 2)),
            COLUMNS,
            "affine: b has shape (1, 2), 2 nodes with the batch in columns expect (2,) or (2, 1); its transpose would "
            "fit: is the batch in rows?",
        ),
        (
            (ones(5, 3), ones(3, 2), ones(1, 1, 2)),
            ROWS,
            "affine: b has shape (1, 1, 2), 2 nodes with the batch in rows expect (2,) or (1, 2)",
        ),
    ],
)
def test_shapes_that_do_not_fit(arrays: tuple[np.ndarray, ...], layout: Layout, message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message) + "$"):
        Affine(layout)(*arrays)


def test_weights_that_are_not_those_of_the_sizes() -> None:
    message = (
        "affine: W has shape (2, 3), weights in columns with bias separate expect (3, 2); its transpose would fit: "
    )
    with pytest.raises(ShapeError, match=re.escape(message + "are the weights in rows?")):
        Affine(ROWS, (3, 2))(ones(5, 3), ones(2, 3), ones(2))
    with pytest.raises(
        ShapeError, match=re.escape("W has shape (3, 3), weights in columns with bias last expect (4, 2)")
    ):
        Affine(Layout(bias="last"), (3, 2))(ones(5, 3), ones(3, 3))


def test_a_bias_that_is_missing_or_given_anyway() -> None:
    with pytest.raises(LayoutError, match=re.escape("affine: the layout keeps the bias separate, so b is needed")):
        affine(ones(5, 3), ones(3, 2))
    for bias in ("first", "last", "none"):
        layout = Layout(bias=bias)
        with pytest.raises(LayoutError, match=f"affine: with bias '{bias}' the layout has no separate b; leave it out"):
            affine(ones(5, 3), ones(3, 2), ones(2), layout)


def test_linear_takes_any_layout_and_add_ones_only_two() -> None:
    for layout in LAYOUTS:
        assert list(linear(ones(3, 3), ones(3, 3), layout)[1]) == ["X", "W"]
    for bias in ("separate", "none"):
        message = f"add_ones: the layout keeps its bias '{bias}'; choose bias='first' or 'last'"
        with pytest.raises(LayoutError, match=re.escape(message)):
            add_ones(ones(5, 3), Layout(bias=bias))
    with pytest.raises(ShapeError, match=re.escape("add_ones: X has shape (3,); expected a matrix")):
        add_ones(ones(3), FIRST)
