"""Gradients in float32 or float16: how far rounding alone may move each entry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.network import Network

__all__ = ["ENOUGH", "room_for_rounding"]

ENOUGH = 0.01
"""Where rounding may be this much of a parameter's gradient, in norm, nothing can be said of it."""

_DRAWS = 4
_OF_INPUTS = 4.0
"""What is allowed, in the largest of a few draws."""


def room_for_rounding(
    network: Network, params: Mapping[str, Array], X: Array, Y: Array, dtype: npt.DTypeLike
) -> dict[str, Array]:
    r"""Return how far each entry of the gradient may be off where all of it is computed in a narrow dtype.

    Two things are added. The first is the change of the gradient when parameters, examples and real targets move by
    half a unit of the last digit. It is measured. Rounding on the way forward has the same effect. The second is
    rounding on the way back: one unit for each term of the sums. The sums are taken of absolute values,
    :math:`|J|^\top (|p| + |y|)`, so that nothing cancels. The errors of N examples add up as :math:`\sqrt N`.

    Parameters
    ----------
    network : Network
    params, X, Y : ndarray, float64
    dtype : dtype
        float32 or float16.

    Examples
    --------
    >>> net = Network.dense((2, 1), loss="squared_error")
    >>> params = {"W1": np.ones((2, 1)), "b1": np.ones(1)}
    >>> room = room_for_rounding(net, params, np.ones((3, 2)), np.ones((3, 1)), "float32")
    >>> {name: bool(1e-6 < allowed.max() < 1e-4) for name, allowed in room.items()}
    {'W1': True, 'b1': True}
    """
    unit = float(np.finfo(np.dtype(dtype)).eps)
    run, loss = network.run(params, X, Y), network.loss
    right, output = run.gradient(), run.operation_value(len(network.chain.parts))
    rng = np.random.default_rng(0)

    def moved(array: Array) -> Array:
        return array * (1 + unit / 2 * rng.uniform(-1, 1, array.shape))

    spread = {name: np.zeros_like(gradient) for name, gradient in right.items()}
    for _ in range(_DRAWS):
        targets = moved(Y) if loss.takes == "reals" else Y
        near = network.gradient({name: moved(array) for name, array in params.items()}, moved(X), targets)
        spread = {name: np.maximum(found, np.abs(near[name] - right[name])) for name, found in spread.items()}
    size = np.abs(output) + np.abs(run.Y.reshape(output.shape)) if loss.takes == "reals" else 1.0
    terms = np.abs(loss.reduced(output, run.Y)[1].gradient) + abs(loss.factor) * loss.scale(output) * size
    units = unit * (4 + np.sqrt(X.shape[network.layout.batch_axis]))
    allowed = {}
    for name, found in spread.items():
        usual = np.maximum(found, np.sqrt(np.mean(found * found)))  # no entry is spared by luck
        summed = run.jacobian(of="output", wrt=name).positive(np.abs).vjp(terms)
        allowed[name] = _OF_INPUTS * usual + units * (summed + np.abs(run.penalty(name).gradient))
    return allowed
