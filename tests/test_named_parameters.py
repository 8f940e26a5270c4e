"""Parameters by name: those that do not fit the layout are refused with what would fit."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import ArgumentError, ShapeError
from jacobians.named_parameters import layer_widths
from jacobians.presets import convention


@pytest.mark.parametrize(
    ("preset", "params", "message"),
    [
        (
            "ng-ml-2011",
            {"Theta1": np.zeros((5, 3))},
            "check: Theta1 has shape (5, 3), ng-ml-2011 keeps one node a row, bias first: expected (3, 5); "
            "its transpose would fit: are the weights in columns?",
        ),
        (
            "ng-ml-2011",
            {"Theta1": np.zeros((3, 4))},
            "expected (3, 5); the first column, which holds the bias, is missing",
        ),
        (
            "cs231n-bias-trick",
            {"W1": np.zeros((4, 3))},
            "check: W1 has shape (4, 3), cs231n-bias-trick keeps one node a column, bias last: expected (5, 3); "
            "the last row, which holds the bias, is missing",
        ),
        (
            "cs231n",
            {"W1": np.zeros((5, 3)), "b1": np.zeros(3)},
            "bias separate: expected (4, 3); it has one row more: is the bias absorbed in it?",
        ),
        (
            "ng-dlai",
            {"W1": np.zeros((3, 4)), "b1": np.zeros((1, 3))},
            "check: b1 has shape (1, 3), ng-dlai keeps examples in columns: expected (3, 1); reshape((3, 1)) would fit",
        ),
        (
            "cs231n",
            {"W1": np.zeros((4, 3)), "b1": np.zeros(2)},
            "check: b1 has shape (2,), cs231n keeps examples in rows: expected (3,)",
        ),
        (
            "cs231n",
            {"W1": np.zeros((4, 3))},
            "check: cs231n expects the parameters W1, b1; found W1",
        ),
        (
            "vecderivs-rows",
            {"W1": np.zeros((7, 9))},
            "keeps one node a column, bias none: expected (4, 3)",
        ),
    ],
)
def test_check_names_the_mend(preset: str, params: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        convention(preset).check(params, (4, 3))
    assert str(caught.value).endswith(message)


def test_check_names_the_caller() -> None:
    with pytest.raises(ShapeError, match=r"^network: W1 has shape \(3, 4\)"):
        convention("cs231n").check({"W1": np.zeros((3, 4)), "b1": np.zeros(3)}, (4, 3), operation="network")


def test_parameters_as_a_list_are_told_their_names() -> None:
    with pytest.raises(ArgumentError) as caught:
        convention("cs231n").check([np.zeros((4, 3)), np.zeros(3)], (4, 3))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "check: params is a list of 2 items; cs231n expects a dict of W1, b1: dict(zip(['W1', 'b1'], params))"
    )


def test_widths_are_integers() -> None:
    assert layer_widths([4, np.int64(3)], "test") == (4, 3)
    with pytest.raises(ShapeError, match=r"^test: sizes=\(4,\); expected two or more widths of layers"):
        layer_widths((4,), "test")
