"""Every law over every layer."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.testing import assert_operation_laws, assert_reference, assert_second
from tests.layers.cases import CASES, LONG


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in CASES]
)
def test_laws(name: str) -> None:
    case = CASES[name]
    assert_operation_laws(
        case.operation,
        case.draw(np.random.default_rng(1)),
        axes=case.axes,
        out_axis=case.out_axis,
        integers=case.integers,
        directions=1,
        coordinates=0,
    )


@pytest.mark.parametrize("name", sorted(LONG))
def test_reference(name: str) -> None:
    case, rng = CASES[name], np.random.default_rng(1)
    assert_reference(case.operation, case.draw(rng), rng, directions=1, coordinates=0)


SLOW = ("multi_head_attention", "lstm, mask", "gru")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in CASES])
def test_second_derivatives(name: str) -> None:
    case, rng = CASES[name], np.random.default_rng(3)
    assert_second(case.operation, case.draw(rng), rng)
