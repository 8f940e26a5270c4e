"""Random networks in several conventions, and which cause each slip of `wrong_backprop` must be called by."""

from __future__ import annotations

import itertools

import numpy as np

from jacobians import Network
from tests.checking.wrong_backprop import Problem

CONVENTIONS = ("cs231n", "ng-ml-2011", "ng-dlai", "cs231n-bias-trick", "pytorch", "row-order")
SIZES = ((5, 4, 3), (6, 5, 4, 3))
ACTIVATIONS = ("sigmoid", "tanh", "relu")

Case = tuple[Network, dict[str, np.ndarray], np.ndarray, np.ndarray, Problem]


def make(
    convention: str,
    sizes: tuple[int, ...],
    activation: str,
    seed: int,
    *,
    count: int = 12,
    l2: float = 0.3,
    soft: bool = False,
    zero_bias: bool = False,
) -> Case:
    """Return the network, its parameters, X and Y in the convention, and the same problem for `backprop`."""
    from jacobians import convention as find

    rng = np.random.default_rng(seed)
    owner = find(convention)
    l2 = l2 if owner.l2 is not None else 0.0
    network = Network.dense(sizes, activation=activation, loss="cross_entropy", convention=owner, l2=l2)
    weights = [rng.normal(size=(o, i)) for i, o in itertools.pairwise(sizes)]
    biases = [rng.normal(size=o) * (not zero_bias) for o in sizes[1:]]
    X = rng.normal(size=(count, sizes[0])) * 1.7
    # every class is there, so that no slip in one class is invisible
    labels = rng.permutation(np.arange(count) % sizes[-1])
    targets = rng.dirichlet(np.ones(sizes[-1]), size=count) if soft else None
    slope = 2 * owner.l2_scale(l2, count)
    problem = Problem(weights, biases, X, labels, activation, slope, owner.l2_bias, targets)
    columns = owner.layout.batch == "columns"
    Y = labels if targets is None else targets.T if columns else targets
    return network, laid_out(network, list(zip(weights, biases, strict=True))), X.T if columns else X, Y, problem


def laid_out(network: Network, layers: list[tuple[np.ndarray, np.ndarray | None]]) -> dict[str, np.ndarray]:
    """Return weights (out, in) and biases (out,) as the network's convention keeps them."""
    return network.convention.store_layers(layers)


EXPECTED: dict[str, tuple[str, set[str]]] = {
    # slip: its family, and the names that it may go by
    "sign": ("scale", {"sign"}),
    "no 1/N": ("scale", {"missing-1/N"}),
    "1/N twice": ("scale", {"double-1/N"}),
    "N-1": ("scale", {"N-1-for-N"}),
    "N+1": ("scale", {"N+1-for-N"}),
    "1/K": ("scale", {"extra-1/K"}),
    "twice": ("scale", {"factor-2"}),
    "half": ("scale", {"factor-half"}),
    "ratio": ("scale", {"constant-ratio"}),
    "tiny ratio": ("scale", {"constant-ratio"}),
    "zero": ("scale", {"zero"}),
    "clipped": ("scale", {"clipped"}),
    "W only twice": ("scale", {"factor-2"}),
    "layer odd": ("scale", {"constant-ratio"}),
    "no slope": ("activation", {"missing-activation-derivative"}),
    "no slope anywhere": ("activation", {"missing-activation-derivative"}),
    "slope at a": ("activation", {"derivative-at-a"}),
    "slope formula at z": ("activation", {"derivative-formula-at-z", "other-derivative-formula-at-z"}),
    "tanh slope": ("activation", {"other-derivative"}),
    "tanh slope of a": ("activation", {"other-derivative-at-a"}),
    "slope clipped": ("activation", {"derivative-clipped"}),
    "delta clipped": ("activation", {"delta-clipped"}),
    "mask from gradient": ("activation", {"mask-from-gradient"}),
    "softmax axis": ("loss", {"softmax-axis"}),
    "softmax diagonal": ("loss", {"softmax-diagonal"}),
    "no targets": ("loss", {"targets-missing"}),
    "sigmoid for softmax": ("loss", {"sigmoid-for-softmax"}),
    "extra output slope": ("loss", {"extra-output-derivative"}),
    "class weights": ("loss", {"class-weights"}),
    "labels off by one": ("loss", {"class-off-by-one"}),
    "one wrong label": ("loss", {"one-wrong-label"}),
    "soft as one-hot": ("loss", {"soft-labels-as-one-hot"}),
    "uint8 label lost": ("loss", {"class-lost"}),
    "data reshaped": ("layout", {"data-reshaped"}),
    "rows reversed": ("layout", {"rows-reversed", "columns-reversed", "lines-permuted"}),
    "rows swapped": ("layout", {"lines-permuted"}),
    "db averaged": ("bias", {"bias-averaged"}),
    "db of one": ("bias", {"bias-of-one-example"}),
    "db all axes": ("bias", {"bias-over-all-axes", "bias-zero"}),
    "db zero": ("bias", {"bias-zero", "zero"}),
    "no l2": ("regulariser", {"regulariser-missing"}),
    "l2 twice": ("regulariser", {"regulariser-doubled"}),
    "l2 over N": ("regulariser", {"regulariser-over-N"}),
    "l2 sign": ("regulariser", {"regulariser-sign"}),
    "l2 odd": ("regulariser", {"regulariser-coefficient"}),
    "no l2 in one layer": ("regulariser", {"regulariser-missing"}),
    "bias l2": ("regulariser", {"bias-regularised", "bias-not-regularised"}),
    "l1": ("regulariser", {"l1-for-l2"}),
    "X reversed": ("data", {"data-reversed", "targets-reversed"}),
    "local X reversed": ("data", {"data-reversed"}),
    "X truncated": ("data", {"data-truncated"}),
    "X float32": ("data", {"data-float32"}),
    "last dropped": ("data", {"example-dropped"}),
    "one dropped": ("data", {"examples-dropped"}),
    "one entry zero": ("data", {"entries-zero"}),
    "updated W": ("state", {"updated-weight"}),
    "accumulated": ("state", {"accumulated"}),
}
"""X float16 and the layouts of finished gradients have their own tests."""
