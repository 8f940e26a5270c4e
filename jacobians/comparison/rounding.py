"""How far rounding alone may move a network's gradient."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.network import Run

__all__ = ["rounding_allowance"]


def rounding_allowance(run: Run) -> dict[str, float]:
    r"""Return, for each parameter, a bound on the rounding error of the gradient's entries.

    A sum of n products computed in any order errs by at most :math:`\gamma_n \sum |a_i b_i|`,
    :math:`\gamma_n = n u/(1 - n u)` (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §3.1). The
    bound here takes n as all inner lengths along the chain together, and the sum over the batch of |input|·|δ|
    with the largest δ that the layer's cotangents reach, so it holds for any association and any layout.

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> all(bound < 1e-13 for bound in rounding_allowance(run).values())
    True
    """
    layout = run.network.layout
    values = run.values
    names = list(values)
    unit = float(np.finfo(run.X.dtype).eps) / 2
    terms = run.X.shape[layout.batch_axis] + sum(v.shape[layout.feature_axis] for v in values.values())
    allowance: dict[str, float] = {}
    for name, array in run.params.items():
        factor = run.chain(name)[0 if layout.derivative == "denominator" else -1]
        row = np.abs(run.jacobian(factor.of).gradient)
        before = names[names.index(factor.of) - 1]
        reach = _reach(np.abs(values[before]), row, layout.batch_axis)
        penalty = float(np.abs(run.penalty(name).gradient).max(initial=0.0))
        allowance[name] = 2 * terms * unit * (reach + penalty) if array.size else 0.0
    return allowance


def _reach(inputs: Array, deltas: Array, batch_axis: int) -> float:
    """The largest Σₙ max(|x|, 1)·|δ| over pairs of an input and a node; the 1 stands for the bias's ones."""
    features = 1 if batch_axis == 0 else 0
    x = inputs.max(axis=features, initial=1.0)
    d = deltas.max(axis=features, initial=0.0)
    return float(x @ d)
