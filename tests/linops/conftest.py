"""What is computed, counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pytest

from jacobians.linops import BlockDiagonal, Diagonal, DiagonalMinusOuter, Jacobian, KhatriRao
from tests.counted_products import note_products


class Count:
    operations = 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    return counting_from_now(monkeypatch)


def counting_from_now(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Counts the products of NumPy by their shapes, and the elementwise work of the structures that do some."""
    counted = Count()

    def note(multiplications: int) -> None:
        counted.operations += 2 * multiplications

    note_products(monkeypatch, note)

    def counting(kind: type[Jacobian], method: str, operations: Callable[[Any, np.ndarray], int]) -> None:
        original = getattr(kind, method)

        @wraps(original)
        def call(self: Any, value: np.ndarray, *rest: Any) -> Any:
            counted.operations += operations(self, value)
            return original(self, value, *rest)

        monkeypatch.setattr(kind, method, call)

    counting(Diagonal, "_times_blocks", lambda diagonal, blocks: diagonal.values.size * blocks.shape[2])
    counting(Diagonal, "_blocks_times", lambda diagonal, blocks: diagonal.values.size * blocks.shape[1])
    for action in ("_jvp", "_vjp"):
        counting(Diagonal, action, lambda _, value: value.size)
        counting(DiagonalMinusOuter, action, lambda _, value: 5 * value.size)
    # a product for each entry; blocks placed among zeros count the entries that are written
    counting(KhatriRao, "_fill", lambda _, out: out.size)
    counting(BlockDiagonal, "_fill", lambda _, out: out.size)
    return counted
