"""Every law of `jacobians.testing` over every structure, in every dtype and memory order of what it stores."""

from __future__ import annotations

import pytest

from jacobians.linops import unrolling
from jacobians.testing import assert_dense_twin, assert_jacobian_laws
from tests.linops.cases import NAMED, VARIANTS, built


def check_laws(name: str, variant: tuple[str, str]) -> None:
    operator, twin = built(name, *variant)
    assert operator.dtype == variant[0]
    assert_jacobian_laws(operator, twin)


@pytest.mark.parametrize(("place", "name"), [pytest.param(i, name, id=name) for i, name in enumerate(NAMED)])
def test_laws(place: int, name: str) -> None:
    """In float32, and in float64 in one memory order: the next structure takes the next one."""
    *orders, narrow = VARIANTS
    for variant in (orders[place % len(orders)], narrow):
        check_laws(name, variant)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_laws_in_every_memory_order(name: str) -> None:
    for variant in VARIANTS:
        check_laws(name, variant)


@pytest.mark.parametrize("name", NAMED)
def test_a_matrix_is_written_row_by_row_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrolling, "_SLAB", 1)
    assert_dense_twin(*built(name))
