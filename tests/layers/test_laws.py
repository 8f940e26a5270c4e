"""Every law over every layer."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.testing import assert_operation_laws
from tests.layers.cases import CASES


@pytest.mark.parametrize("name", CASES)
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
