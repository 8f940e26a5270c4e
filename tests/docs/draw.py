"""Draws the pictures of README.md and of the gallery: ``python -m tests.docs.draw`` writes docs/_static/*.png."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jacobians import Network, convention, translate_parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATIC = Path(__file__).parents[2] / "docs" / "_static"
PRESETS = ("ng-ml-2011", "cs231n")


def figures() -> Iterator[tuple[str, Figure]]:
    """By file name: the chain of one net and batch in each convention, down to the first weights."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 4)), np.array([0, 1, 1])
    start = Network.dense((4, 3, 2), convention=PRESETS[0]).init(rng)
    for preset in PRESETS:
        net = Network.dense((4, 3, 2), convention=convention(preset), activation="sigmoid", loss="binary_cross_entropy")
        run = net.run(translate_parameters(start, PRESETS[0], preset), X, y)
        yield f"chain-{preset}.png", run.plot(next(iter(run.params)))


def stacked(paths: list[Path]) -> np.ndarray:
    """The pictures one above the other, each as wide as the widest."""
    import matplotlib.image as image

    pictures = [image.imread(path) for path in paths]
    width = max(picture.shape[1] for picture in pictures)
    padded = [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=1) for p in pictures]
    return np.concatenate(padded)


if __name__ == "__main__":
    import matplotlib.image

    for name, figure in figures():
        figure.savefig(STATIC / name, dpi=80, metadata={"Software": None})
    paths = [STATIC / f"chain-{preset}.png" for preset in PRESETS]
    matplotlib.image.imsave(STATIC / "chains.png", stacked(paths), metadata={"Software": None})
