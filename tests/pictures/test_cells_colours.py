"""The hues: contrast on light and dark pages, and told apart by the colour-blind."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.pictures.cells import FAINTEST, NEGATIVE, POSITIVE, opacity

PAGES = ["#ffffff", "#1e1e1e", "#111111"]  # paper, an editor's and a notebook's dark themes

BLIND = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}
"""What is seen of linear RGB (Viénot, Brettel and Mollon 1999)."""


def linear(colour):
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """As WCAG 2.2 defines it."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("hue", [NEGATIVE, POSITIVE])
def test_contrast_with_the_page(hue, page):
    assert contrast(hue, page) >= 3  # what WCAG asks of graphics


@pytest.mark.parametrize("sight", BLIND)
def test_the_colour_blind_see_two_hues(sight):
    negative, positive = (np.array(BLIND[sight]) @ linear(c) for c in (NEGATIVE, POSITIVE))
    red_and_green = np.array(BLIND[sight]) @ linear("#ff0000") - np.array(BLIND[sight]) @ linear("#00a000")
    # yellow against blue is what is left to them
    assert negative[0] > negative[2]
    assert positive[0] < positive[2]
    assert np.abs(negative - positive).max() > np.abs(red_and_green).max()


def test_opacity_grows_with_magnitude_from_a_visible_start():
    solid = [opacity(v, 2.0) for v in (0.0, 1e-12, 0.5, 1.0, 2.0)]
    assert solid == sorted(solid)
    assert solid[0] == 0
    assert solid[1] >= FAINTEST
    assert solid[-1] == 1
    assert opacity(-1.0, 2.0) == opacity(1.0, 2.0)
