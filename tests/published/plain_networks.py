"""Small networks in plain NumPy, written without the library: what a line of a course should come to.

The arrays of one random batch have the names Z1, A1, W1, dZ1 and so on, each as its source keeps it. Every derivative
is a central difference of the loss, so that a verdict which is expected of the audit does not rest on the audit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from jacobians import Convention, Network
from jacobians import convention as find_convention
from jacobians.operations import ACTIVATIONS, Affine, Operation, Sigmoid, SquaredError

Arrays = dict[str, np.ndarray]

STEP = 1e-5
HIDDEN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}


@dataclass(frozen=True)
class Setting:
    """A convention, and the network that a line of its source is about.

    Attributes
    ----------
    convention : str or Convention
    sizes : tuple of int
    activation, loss : str
    factor : float
        Before a squared error.
    output : {"linear", "sigmoid"}
        What a squared error is taken of; the cross-entropies have their own.
    examples : int
        1 for a text about one example.
    late : bool
        Whether 1/N is written at the gradients, so that a printed cotangent is N times ∂L/∂Z.
    names : str
        What the source calls the arrays, such as "scores=Z2 dscores=dZ2".
    """

    convention: str | Convention
    sizes: tuple[int, ...] = (7, 5, 3)
    activation: str = "sigmoid"
    loss: str = "cross_entropy"
    factor: float = 1.0
    output: str = "linear"
    examples: int = 9
    late: bool = False
    names: str = ""

    def choices(self) -> dict[str, object]:
        """What `audit` takes beside the formula."""
        return {
            "convention": self.convention,
            "sizes": self.sizes,
            "activation": self.activation,
            "loss": self.loss,
            "examples": self.examples,
        }

    @property
    def is_dense(self) -> bool:
        """Whether the names of an activation and a loss say all of it."""
        return self.factor == 1 and self.output == "linear"

    def network(self, l2: float) -> Network:
        """The library's network."""
        found = find_convention(self.convention)
        if self.is_dense:
            return Network.dense(self.sizes, convention=found, activation=self.activation, loss=self.loss, l2=l2)
        parts: list[Operation] = []
        for shape in itertools.pairwise(self.sizes):
            parts += [Affine(found.layout, shape), ACTIVATIONS[self.activation]().moved_to(found.layout)]
        parts[-1:] = [Sigmoid()] if self.output == "sigmoid" else []
        loss = SquaredError(self.factor, found.effective_reduction, found.layout)
        return Network(parts, loss, found, l2=l2)


@dataclass(frozen=True)
class Plain:
    """One random batch of a setting.

    Attributes
    ----------
    arrays : dict
        By name.
    aliases : dict
        From the source's names.
    """

    arrays: Arrays
    aliases: Mapping[str, str] = field(default_factory=dict)

    def namespace(self) -> dict[str, object]:
        """The arrays by all their names, and NumPy; every call gives fresh copies."""
        found: dict[str, object] = {name: np.array(array) for name, array in self.arrays.items()}
        found |= {alias: np.array(self.arrays[name]) for alias, name in self.aliases.items()}
        return {**found, "np": np, "sigmoid": HIDDEN["sigmoid"], "grads": {}}

    def truth(self, name: str) -> np.ndarray:
        """What a name should come to."""
        return self.arrays[self.aliases.get(name, name)]


def plain(setting: Setting, l2: float, seed: int = 0) -> Plain:
    """Return one random batch with its derivatives."""
    rng = np.random.default_rng(seed)
    found, count, sizes = find_convention(setting.convention), setting.examples, setting.sizes
    K, depth = sizes[-1], len(sizes) - 1
    inputs: Arrays = {"X": rng.normal(size=(count, sizes[0]))}
    for k, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        inputs[f"W{k}"] = rng.normal(size=(n_in, n_out)) / np.sqrt(n_in)
        inputs[f"b{k}"] = rng.normal(size=n_out) * (found.layout.bias != "none")
    labels = rng.integers(K, size=count)
    if setting.loss == "cross_entropy":
        Y = np.eye(K)[labels]
    elif setting.loss == "binary_cross_entropy":
        Y = rng.integers(2, size=(count, K)).astype(float)
    else:
        Y = rng.normal(size=(count, K))
    divisor = {"sum": 1, "mean": count, "mean-all": count * K}[found.effective_reduction]

    def forward(moved: Arrays) -> tuple[Arrays, float]:
        """Every value, and the loss; an array of `moved` is added to the value of its name."""
        values: Arrays = {}

        def keep(name: str, array: np.ndarray) -> np.ndarray:
            values[name] = array + moved.get(name, 0)
            return values[name]

        A = keep("X", inputs["X"])
        total = 0.0
        for k in range(1, depth + 1):
            W, b = keep(f"W{k}", inputs[f"W{k}"]), keep(f"b{k}", inputs[f"b{k}"])
            Z = keep(f"Z{k}", A @ W + b)
            A = keep(f"A{k}", HIDDEN[setting.activation](Z)) if k < depth else Z
            scale = {None: 0, "half": 0.5, "one": 1, "half-over-n": 0.5 / count}[found.l2]
            total += l2 * scale * float((W**2).sum() + (b**2).sum() * found.l2_bias)
        match setting.loss:
            case "cross_entropy":
                P = keep("P", np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True))
                losses = -Y * np.log(P)
            case "binary_cross_entropy":
                P = keep("P", HIDDEN["sigmoid"](Z))
                losses = -Y * np.log(P) - (1 - Y) * np.log(1 - P)
            case _:
                P = keep("P", HIDDEN["sigmoid"](Z) if setting.output == "sigmoid" else Z)
                losses = setting.factor * (P - Y) ** 2
        return values, total + float(losses.sum()) / divisor

    values, _ = forward({})
    derivatives: Arrays = {}
    for name, value in values.items():
        gradient = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[place] = STEP
            gradient[place] = (forward({name: step})[1] - forward({name: -step})[1]) / (2 * STEP)
        is_cotangent = name[0] in "ZAP" and setting.late
        derivatives[f"d{name}"] = gradient * (divisor if is_cotangent else 1)
    own = _as_kept({**values, "Y": Y}, found) | _as_kept(derivatives, found, "d")
    own |= {"N": np.array(count), "K": np.array(K), "lam": np.array(l2), "labels": labels}
    own |= {f"A{depth}": own["P"], f"dA{depth}": own["dP"]}
    unregularised = plain(setting, 0.0, seed).arrays if l2 else own
    own |= {f"accum{k}": count * unregularised[f"dW{k}"] for k in range(1, depth + 1)}
    return Plain(own, dict(pair.split("=") for pair in setting.names.split()))


def _as_kept(arrays: Arrays, found: Convention, before: str = "") -> Arrays:
    """Arrays with one example a row, W (in, out) and b (out,), as a convention keeps them."""
    layout = found.layout
    columns, first = layout.batch == "columns", layout.bias == "first"
    kept: Arrays = {}
    for name, array in arrays.items():
        plain_name = name.removeprefix(before)
        if plain_name[0] == "W":
            W = array
            if layout.bias in ("first", "last"):
                b = arrays[f"{before}b{plain_name[1:]}"][None]
                W = np.vstack([b, W] if first else [W, b])
            kept[name] = W.T if layout.weights == "rows" else W
        elif plain_name[0] == "b":
            kept[name] = array[:, None] if columns else array
        else:
            kept[name] = array.T if columns else array
            if not before:
                ones = np.ones((len(array), 1))
                wide = np.hstack([array, ones] if layout.bias == "last" else [ones, array])
                kept[f"{name}_ones"] = wide.T if columns else wide
    return kept
