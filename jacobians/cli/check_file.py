"""A student's file for ``jacobians check``: data, parameters and gradients, in a named convention."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.comparison import convention_of
from jacobians.data import read_arrays
from jacobians.errors import DataError
from jacobians.network import Network
from jacobians.presets import all_conventions
from jacobians.presets import convention as find_convention

__all__ = ["Submission", "read_submission"]

_PACKED = ("grad", "gradient", "grads")
_NAMED = ("d{}", "{}_grad", "grad_{}", "{}grad", "{}_gradient")


@dataclass(frozen=True, eq=False)
class Submission:
    """What a file holds.

    Attributes
    ----------
    network : Network
    params : dict of ndarray
    X, Y : ndarray
    gradients : dict of ndarray, or ndarray
        As the file has them: by parameter, or packed.
    notes : tuple of str
        What was understood without being said.
    """

    network: Network
    params: dict[str, Array]
    X: Array
    Y: Array
    gradients: dict[str, Array] | Array
    notes: tuple[str, ...]

    @property
    def is_comparable(self) -> bool:
        """Whether the gradients have the parameters' own names and shapes; if not, only a diagnosis can speak."""
        if isinstance(self.gradients, dict):
            return {n: g.shape for n, g in self.gradients.items()} == {n: p.shape for n, p in self.params.items()}
        return self.gradients.shape == (sum(p.size for p in self.params.values()),)

    def named_gradients(self) -> dict[str, Array]:
        """Return new arrays by parameter, a packed vector in the convention's order."""
        if isinstance(self.gradients, dict):
            return {name: gradient.copy() for name, gradient in self.gradients.items()}
        return self.network.unpack(self.gradients)


def read_submission(
    path: str,
    *,
    convention: str | None,
    activation: str,
    loss: str,
    l2: float,
    features: str | None,
    labels: str | None,
) -> Submission:
    """Return the data, parameters and gradients in a file.

    Raises
    ------
    DataError
        If an array is missing.
    ShapeError
        If they do not fit the convention.
    """
    arrays = read_arrays(path)
    notes: list[str] = []
    if convention is None:
        found = convention_of(arrays, all_conventions())
        notes.append(f"the parameters are read as {found.name} keeps them; --convention NAME chooses another")
    else:
        found = find_convention(convention)
    sizes = found.sizes(arrays)
    network = Network.dense(sizes, activation=activation, loss=loss, convention=found, l2=l2)
    params = {name: _required(arrays, (name,), path, "parameter") for name in network.names}
    X = _required(arrays, (features,) if features else ("X", "x"), path, "array of examples")
    Y = _required(arrays, (labels,) if labels else ("y", "Y", "labels", "t"), path, "array of labels")
    Y, said = _targets(Y, X.shape[network.layout.batch_axis], sizes[-1], network)
    return Submission(network, params, X, Y, _gradients(arrays, list(params), path), (*notes, *said))


def _required(arrays: Mapping[str, Array], names: tuple[str, ...], path: str, what: str) -> Array:
    for name in names:
        if name in arrays:
            return arrays[name]
    have = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    raise DataError(f"check: {path} has {have}; no {what} {' or '.join(names)}")


def _targets(Y: Array, count: int, outputs: int, network: Network) -> tuple[Array, list[str]]:
    """Labels 0 … K−1 or targets in the outputs' shape, and what was assumed."""
    if Y.size == count and outputs > 1:
        flat = Y.reshape(count)
        if count and flat.min() == 1 and flat.max() == outputs:
            return flat - 1, [f"labels 1 … {outputs} are read as classes 0 … {outputs - 1}"]
        return flat, []
    if Y.size == count * outputs and Y.ndim == 1:
        return Y.reshape(network.layout.batch_shape(count, outputs)), []
    return Y, []


def _gradients(arrays: Mapping[str, Array], names: list[str], path: str) -> dict[str, Array] | Array:
    by_case = {re.sub(r"\W", "", key).lower(): key for key in arrays}
    named = {}
    for name in names:
        for pattern in _NAMED:
            key = by_case.get(pattern.format(name).lower())
            if key is not None:
                named[name] = arrays[key]
                break
    if len(named) == len(names):
        return named
    for key in _PACKED:
        if key in arrays:
            return np.ravel(arrays[key])
    missing = [name for name in names if name not in named]
    have = ", ".join(arrays)
    raise DataError(
        f"check: {path} has {have}; no gradient of {', '.join(missing)}: name it d{missing[0]} or {missing[0]}_grad, "
        "or pack all as grad"
    )
