"""`Example` and `EXAMPLES`: the small nets of the page, with their weights and their mini-batch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jacobians.arrays import Array
from jacobians.conventions import Convention
from jacobians.data import Dataset
from jacobians.errors import DataError
from jacobians.layout import Layout
from jacobians.network import Network, Run
from jacobians.operations import Operation, find_loss
from jacobians.translate import translate_batch, translate_parameters

PLAIN = Convention("plain", Layout(), reduction="mean")
"""The convention in which an example's arrays are written down."""


@dataclass(frozen=True, eq=False)
class Example:
    """A net, its parameters and a mini-batch, in the convention `PLAIN`.

    Attributes
    ----------
    title : str
    sizes : tuple of int
        Widths of the layers.
    activation : str or Operation
    loss : str
        As in `Network.dense`; a loss of class labels, or of labels as targets 0 and 1.
    params : dict
    X : ndarray, shape (N, D)
    labels : ndarray, shape (N,)
    name : str
        Of a net that is not told by its widths.
    """

    title: str
    sizes: tuple[int, ...]
    activation: str | Operation
    loss: str
    params: dict[str, Array]
    X: Array
    labels: Array
    name: str = ""

    @property
    def key(self) -> str:
        """What the page's address calls it: its name, or its widths, as in ``4-3-2``."""
        return self.name or "-".join(map(str, self.sizes))

    @property
    def wrt(self) -> list[str]:
        """What the loss is differentiated with respect to: every parameter of `PLAIN`, and X."""
        return [*self.params, "X"]

    def run(self, convention: Convention) -> Run:
        """Return the net on its batch in a convention; without its biases where the convention has none."""
        params = self.params
        if convention.layout.bias == "none":
            params = {name: np.zeros_like(p) if name.startswith("b") else p for name, p in params.items()}
        network = Network.dense(
            self.sizes,
            convention=convention.replace(l2=None),
            activation=self.activation,
            output="linear",
            loss=self.loss,
            factor=1.0,
            reduction="mean",
        )
        return network.run(
            translate_parameters(params, PLAIN, convention),
            translate_batch(self.X, PLAIN, convention),
            self._targets(convention),
        )

    def _targets(self, convention: Convention) -> Array:
        """The labels, or for a loss with real targets zeros and ones in the convention's layout."""
        if find_loss(self.loss).takes != "reals":
            return self.labels
        return translate_batch(np.eye(self.sizes[-1])[self.labels], PLAIN, convention)


def example(title: str, sizes: Sequence[int], count: int, activation: str, loss: str, seed: int) -> Example:
    """Return a net with numbers of one or two digits, so that the page shows X and W without rounding."""
    rng = np.random.default_rng(seed)
    params: dict[str, Array] = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"W{layer}"] = rng.normal(0.0, 0.6, (n_in, n_out)).round(2)
        params[f"b{layer}"] = rng.normal(0.0, 0.3, n_out).round(2)
    X = rng.normal(size=(count, sizes[0])).round(1) + 0.0  # −0 is 0
    return Example(title, tuple(sizes), activation, loss, params, X, rng.integers(sizes[-1], size=count))


MOST_FEATURES, MOST_CLASSES, MOST_EXAMPLES = 6, 6, 8
"""What the page shows of a batch: more would leave no number readable."""


def example_of(batch: Dataset) -> Example:
    """Return a net with one hidden layer on the reader's own batch, or on its first 8 examples.

    Raises
    ------
    DataError
        If it has real targets, one class, or more features or classes than the page shows.
    """
    count, features = batch.X.shape
    classes = batch.classes
    if classes is None:
        raise DataError(f"explore: {batch.source} has real targets; the page shows classes")
    if not 2 <= features <= MOST_FEATURES or not 2 <= classes <= MOST_CLASSES or count < 2:
        raise DataError(
            f"explore: {batch.source} has {count} examples, {features} features and {classes} classes; the page shows "
            f"2 examples or more of 2 to {MOST_FEATURES} features and 2 to {MOST_CLASSES} classes: name some columns "
            "with --features"
        )
    taken = slice(0, MOST_EXAMPLES)
    drawn = example(batch.source, (features, 3, classes), 2, "sigmoid", "cross_entropy", seed=190)
    X = batch.X[taken]
    # features of any size: a weight is the smaller, the larger its feature, or no unit would be in its curved part
    largest = np.maximum(np.abs(X).max(axis=0), 1.0)
    W1 = np.array([float(f"{w:.2g}") for w in (drawn.params["W1"] / largest[:, None]).flat]).reshape(features, 3)
    return replace(drawn, params=drawn.params | {"W1": W1}, X=X, labels=batch.y[taken], name="data")


# no two arrays of a net have the same shape, or a transposed shape, with the bias absorbed or not
EXAMPLES: tuple[Example, ...] = (
    example("one layer: softmax regression", (3, 2), 5, "sigmoid", "cross_entropy", seed=103),
    example("one hidden layer, sigmoids", (4, 3, 2), 6, "sigmoid", "binary_cross_entropy", seed=190),
    example("two hidden layers, ReLU, softmax", (5, 3, 2, 4), 7, "relu", "cross_entropy", seed=203),
)
