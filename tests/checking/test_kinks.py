"""Kinks: what the two sides of x say."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.checking.kinks import _hidden


@pytest.mark.parametrize("jump", [0.0, 1.7e-11])
def test_a_kink_too_faint_to_be_placed_shows_once_curvature_is_taken_off(jump: float) -> None:
    """Of 100,027 right entries one was called wrong: a kink of 1.7e-11, under a curvature of 6e-7 and under noise."""
    steps = 10.0 ** -np.arange(2.0, 8.0)
    difference = (6e-7 * steps + jump)[:, None]
    noise = (8e-18 / steps)[:, None]
    assert _hidden(difference, noise, steps, np.full(1, 6e-3)) == pytest.approx(jump, rel=1e-3)


def test_a_kink_beyond_the_reach_of_the_steps_hides_nothing() -> None:
    steps = 10.0 ** -np.arange(2.0, 8.0)
    difference = np.where(steps > 3e-4, 1e-3, 0.0)[:, None]
    noise = (1e-18 / steps)[:, None]
    assert _hidden(difference, noise, steps, np.full(1, 3e-5)) == [0.0]
    assert _hidden(difference, noise, steps, np.full(1, 6e-3)) > 0
