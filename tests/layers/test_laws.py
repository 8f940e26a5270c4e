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


WITH_SECOND = [name for name in CASES if name.startswith(("conv1d", "conv2d", "max_pool", "avg_pool", "embedding"))] + [
    "pad", "flatten", "dropout", "elu", "selu", "hard_tanh", "soft_sign", "hard_swish", "absolute", "sqrt", "clip",
    "maximum", "minimum",
]  # fmt: skip


@pytest.mark.parametrize("name", WITH_SECOND)
def test_second_derivatives(name: str) -> None:
    case, rng = CASES[name], np.random.default_rng(3)
    assert_second(case.operation, case.draw(rng), rng)
