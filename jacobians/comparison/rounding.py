"""How far rounding alone may move a network's gradient."""

from __future__ import annotations

import numpy as np

from jacobians.linops.denominator import numerator_of
from jacobians.network import Run

__all__ = ["rounding_allowance"]


def rounding_allowance(run: Run) -> dict[str, float]:
    r"""Return, for each parameter, a bound on the rounding error of the gradient's entries.

    A sum of n products computed in any order errs by at most :math:`\gamma_n \sum |a_i b_i|`,
    :math:`\gamma_n = n u/(1 - n u)` (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §3.1). The
    bound here takes n as all inner lengths along the chain together, and as the sum the layer's own Jacobian, with
    magnitudes for its entries, pulled back from |δ|; so it holds for any association and any layout.

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> all(bound < 1e-13 for bound in rounding_allowance(run).values())
    True
    """
    layout = run.network.layout
    unit = float(np.finfo(run.X.dtype).eps) / 2
    terms = run.X.shape[layout.batch_axis] + sum(v.shape[layout.feature_axis] for v in run.values.values())
    allowance: dict[str, float] = {}
    for name, array in run.params.items():
        factor = run.chain(name)[0 if layout.derivative == "denominator" else -1]
        row = np.abs(run.jacobian(factor.of).gradient)
        reach = float(numerator_of(factor.jacobian).positive(np.abs).vjp(row).max(initial=0.0))
        penalty = float(np.abs(run.penalty(name).gradient).max(initial=0.0))
        allowance[name] = 2 * terms * unit * (reach + penalty) if array.size else 0.0
    return allowance
