"""`net_record`: an example in every layout: arrays, chains of Jacobians and gradients, as distinct numbers.

Every entry of X, of a parameter and of an intermediate value has a number, its *place* among all entries of the net.
The library's translation moves places into each layout as it moves numbers. So an entry keeps its place in every
layout, and the page ties two panes together by places alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.arrays import Array, size_of
from jacobians.conventions import Convention
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import PLAIN, Example
from jacobians.explorer.names import letter, shown_name, shown_shape
from jacobians.factors import Factor
from jacobians.layout import Layout, vec
from jacobians.network import Run
from jacobians.operations import find_activation
from jacobians.translate import translate_batch, translate_gradients


def net_record(example: Example, layouts: Sequence[Layout], distinct: DistinctValues) -> dict[str, Any]:
    """Return a net as it is stored, with the library's numbers in every layout."""
    plain = entry_places(example)
    return {
        "key": example.key,
        "title": example.title,
        "sizes": list(example.sizes),
        "activation": find_activation(example.activation).name,
        "loss": example.loss,
        "params": {name: distinct.keep_numbers(array) for name, array in example.params.items()},
        "X": distinct.keep_numbers(example.X),
        "count": example.X.shape[0],
        "labels": example.labels.tolist(),
        "wrt": [[name, shown_name(name)] for name in example.wrt],
        "sides": [_side(example, layout, plain, distinct) for layout in layouts],
    }


def _side(example: Example, layout: Layout, plain: Mapping[str, Array], distinct: DistinctValues) -> dict[str, int]:
    convention = Convention("", layout, reduction="mean")
    run = example.run(convention)
    writer = _Writer(run, _places(plain, convention, example), distinct)
    own = {wrt: own_name(wrt, convention) for wrt in example.wrt}
    chains = {name: run.chain(name) for name in own.values() if name}
    gradients = {name: run.jacobian(name).gradient for name in chains}
    return {
        "own": distinct.keep(own),
        "arrays": distinct.keep([writer.array(name, array) for name, array in arrays_of(run).items()]),
        "chains": distinct.keep({name: [writer.factor(f) for f in chain] for name, chain in chains.items()}),
        "gradients": distinct.keep({name: writer.array(name, array) for name, array in gradients.items()}),
    }


def own_name(wrt: str, convention: Convention) -> str | None:
    """Return which parameter holds one of `PLAIN`'s: an absorbed bias is in its weight, a missing one is None."""
    if wrt.startswith("b") and convention.layout.bias != "separate":
        return f"W{wrt[1:]}" if convention.layout.absorbs_bias else None
    return wrt


def entry_places(example: Example) -> dict[str, Array]:
    """Return, for every array of the net in `PLAIN`, the places of its entries."""
    places, start = {}, 0
    for name, array in arrays_of(example.run(PLAIN)).items():
        places[name] = np.arange(start, start + size_of(array.shape)).reshape(array.shape)
        start += size_of(array.shape)
    return places


def _places(plain: Mapping[str, Array], convention: Convention, example: Example) -> dict[str, Array]:
    """The places as a layout has them."""
    parameters = translate_gradients({name: plain[name] for name in example.params}, PLAIN, convention)
    found = {name: array.astype(np.intp) for name, array in parameters.items()}
    for name in plain.keys() - example.params.keys():
        array = plain[name]
        found[name] = translate_batch(array, PLAIN, convention) if array.ndim == 2 else array
    return found


def arrays_of(run: Run) -> dict[str, Array]:
    """Return every array of a run in the order in which the forward pass meets them."""
    arrays: dict[str, Array] = {}
    for name, value in run.values.items():
        if name == run.prediction:
            continue
        if name.startswith("Z"):
            arrays |= {n: a for n, a in run.params.items() if n.endswith(name[1:])}
        arrays[name] = value
    return {**arrays, "losses": run.losses, "loss": np.asarray(run.loss)}


class _Writer:
    """Writes one layout's arrays and factors as places of distinct values."""

    def __init__(self, run: Run, places: Mapping[str, Array], distinct: DistinctValues) -> None:
        self.run, self.places, self.distinct = run, places, distinct

    def array(self, name: str, array: Array) -> dict[str, Any]:
        """An array; `stacked` lists the positions in C order of its entries in the order of vec F."""
        positions = np.arange(array.size).reshape(array.shape)
        return {
            "name": name,
            "symbol": letter(name),
            "shape": list(array.shape),
            "size": shown_shape(array.shape),
            "places": self.distinct.keep(self.places[name].ravel().tolist()),
            "numbers": self.distinct.keep_numbers(array),
            "stacked": self.distinct.keep(vec(positions, "F").tolist()),
        }

    def factor(self, factor: Factor) -> int:
        """A factor; its matrix is in numerator layout, with both sides unrolled in C order."""
        matrix = factor.jacobian.to_dense("C")
        if self.run.network.layout.derivative == "denominator":
            matrix = matrix.T
        return self.distinct.keep(
            {
                "of": factor.of,
                "wrt": factor.wrt,
                "structure": factor.jacobian.structure,
                "matrix": self.distinct.keep_numbers(matrix),
            }
        )
