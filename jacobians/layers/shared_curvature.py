"""K-FAC for a weight that places share: two small matrices from the rows of per-example gradients."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jacobians.arrays import Array, kind_of
from jacobians.errors import ArgumentError
from jacobians.first_tries import written
from jacobians.linops import Jacobian, KhatriRao, KhatriRaoSum, Kronecker, Product
from jacobians.linops.kernels import matmul

__all__ = ["kronecker_factored_rows"]


@written
def kronecker_factored_rows(rows: Jacobian, sharing: Literal["expand", "reduce"] = "expand") -> Jacobian:
    r"""Return a Kronecker-factored approximation of :math:`\frac1N \sum_n g_n g_n^\top`, the empirical Fisher matrix.

    With :math:`g_n = \sum_s \delta_{ns} \otimes a_{ns}` over the places s that share the weight, of a convolution or
    of the steps of a sequence,

    .. math::

        \text{expand:}\quad &\frac1N \sum_{n,s} \delta_{ns} \delta_{ns}^\top
        \otimes \frac1{NS} \sum_{n,s} a_{ns} a_{ns}^\top, \\
        \text{reduce:}\quad &\frac1N \sum_n \delta_n \delta_n^\top \otimes \frac1N \sum_n \bar a_n \bar a_n^\top,

    with :math:`\delta_n = \sum_s \delta_{ns}` and :math:`\bar a_n` the mean over the places. Of one place the two are
    equal; of one example with one place they are exact.

    Parameters
    ----------
    rows : Jacobian
        Of the losses of single examples with respect to the weight, ``losses.jacobian(K)``, a `KhatriRaoSum`.
    sharing : {"expand", "reduce"}

    Raises
    ------
    ArgumentError
        If `rows` has another structure, or `sharing` is neither.

    References
    ----------
    Grosse & Martens (2016), arXiv:1602.01407; Eschenhagen et al. (2023), *Kronecker-Factored Approximate Curvature for
    Modern Neural Network Architectures*, arXiv:2311.00636.

    Examples
    --------
    >>> rows = KhatriRaoSum(np.ones((2, 3, 2)), np.ones((2, 3, 4)))       # two examples, three places
    >>> kronecker_factored_rows(rows)
    Kronecker(2×2, 4×4): 8×8 float64, (2, 4) → (2, 4), 160 B
    """
    given: Any = rows
    if sharing not in ("expand", "reduce"):
        raise ArgumentError(f"kronecker_factored_rows: sharing={sharing!r}; expected 'expand' or 'reduce'")
    core, *moves = given._factors() if isinstance(given, Jacobian) else (None,)
    if not isinstance(core, (KhatriRao, KhatriRaoSum)) or len(core.codomain) != 1:
        what = given.structure if isinstance(given, Jacobian) else kind_of(given)
        raise ArgumentError(
            f"kronecker_factored_rows: rows is {what}; expected the KhatriRaoSum of losses of single examples by one "
            "weight, losses.jacobian(K) with reduction='none'"
        )
    (count,) = core.codomain
    left, right = (f if isinstance(core, KhatriRaoSum) else f[:, None, :] for f in (core.left, core.right))
    places = max(left.shape[1], right.shape[1])
    left, right = (np.broadcast_to(f, (count, places, f.shape[-1])) for f in (left, right))
    if sharing == "reduce":
        left, right = left.sum(axis=1, keepdims=True), right.mean(axis=1, keepdims=True)
    factor = Kronecker(_moment(left, count), _moment(right, count * right.shape[1]))
    return Product((*[m.T for m in moves[::-1]], factor, *moves)) if moves else factor


def _moment(factor: Array, count: int) -> Array:
    flat = factor.reshape(-1, factor.shape[-1])
    return matmul(flat.T, flat) / max(count, 1)
