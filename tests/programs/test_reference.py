"""How a gradient is compared: along random directions where it seems right, and entry by entry where it does not."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from jacobians.programs import audit_program, study
from jacobians.programs.reference import derivative

NET = """
def net(X, Y, W, b):
    A = np.tanh(X @ W + b)
    loss = np.sum((A - Y) ** 2)
    dZ = 2 * (A - Y) * (1 - A ** 2)
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    return loss, dW, db
"""


def test_a_right_gradient_needs_no_look_at_each_entry() -> None:
    with patch.object(study, "derivative", side_effect=derivative) as entry_by_entry:
        assert audit_program(NET, "net.py").verdict == "right"
    assert entry_by_entry.call_count == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [1e-1, 1e-4])
def test_one_entry_that_is_a_little_off_is_seen(size: float) -> None:
    text = NET.replace("X.T @ dZ", f"X.T @ dZ + {size} * (np.arange(W.size) == 3).reshape(W.shape)")
    found = audit_program(text, "net.py")
    verdicts = {g.name: g.verdict for g in found.gradients}
    assert verdicts == {"dW": "wrong", "db": "right"}
    (wrong,) = (g for g in found.gradients if g.verdict == "wrong")
    assert wrong.difference is not None
    assert 0 < wrong.difference <= size
    assert np.isfinite(wrong.seen)
