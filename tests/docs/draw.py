"""Draws the pictures of the README, the gallery and docs/scale.md: ``python -m tests.docs.draw``, into docs/_static."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jacobians import Network, convention, fit, load_digits, translate_parameters

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
    yield "one-curve.png", one_curve()


def one_curve() -> Figure:
    """The objective by epoch of one training in two conventions, one line over the other."""
    from matplotlib.figure import Figure

    digits, figure = load_digits(), Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    for preset, style in zip(PRESETS, ({"lw": 6, "alpha": 0.35}, {"lw": 1.5, "ls": "--"}), strict=True):
        net = Network.dense((64, 25, 10), convention=preset, activation="relu", loss="cross_entropy")
        found = fit(net, net.init(0), digits.X[:1500] / 16, digits.y[:1500], rule="nesterov", epochs=10)
        axes.plot([e.epoch for e in found.history], [e.objective for e in found.history], label=preset, **style)
    axes.set(xlabel="epoch", ylabel="objective", title="64-25-10 on the digits, Nesterov, one seed")
    axes.legend()
    return figure


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
