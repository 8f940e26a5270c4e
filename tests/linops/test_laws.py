"""Every law of `jacobians.testing` over every structure, in every dtype and memory order of what it stores."""

from __future__ import annotations

import pytest

from jacobians.linops import unrolling
from jacobians.testing import assert_dense_twin, assert_jacobian_laws
from tests.linops.cases import NAMED, VARIANTS, built


@pytest.mark.parametrize("name", NAMED)
def test_laws(name: str) -> None:
    for variant in VARIANTS:
        operator, twin = built(name, *variant)
        assert operator.dtype == variant[0]
        assert_jacobian_laws(operator, twin)


@pytest.mark.parametrize("name", NAMED)
def test_a_matrix_is_written_row_by_row_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrolling, "_SLAB", 1)
    assert_dense_twin(*built(name))
