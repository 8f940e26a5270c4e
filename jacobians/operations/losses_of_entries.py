"""Losses entry by entry beside the squared error: Huber's, Poisson's, and that of Kullback and Leibler."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, a_number, as_array
from jacobians.errors import DomainError
from jacobians.layout import Reduction
from jacobians.linops import Diagonal, Jacobian
from jacobians.operations.losses import Examples, Loss, sum_over_example
from jacobians.operations.on_values import of_targets
from jacobians.operations.targets import same_shape_targets
from jacobians.presets import AnyLayout

__all__ = ["Huber", "KLDivergence", "Poisson", "huber", "kl_divergence", "poisson"]


@final
class Huber(Loss):
    r"""Σ of :math:`r^2/2` where :math:`|r| \le d`, and :math:`d\,(|r| - d/2)` beyond, with r = x − y (Huber 1964).

    Parameters
    ----------
    delta : float
        d, from which on the loss grows as a line.
    reduction, layout, factor
        As in every loss.

    Examples
    --------
    >>> Huber(reduction="sum")([[0.5], [3.0]], [[0.0], [0.0]])[1].gradient
    array([[0.5],
           [1. ]])
    """

    name = "huber"

    def __init__(
        self, delta: float = 1.0, reduction: Reduction = "mean", layout: AnyLayout | None = None, *, factor: float = 1.0
    ) -> None:
        super().__init__(reduction, layout, factor=factor)
        self.delta = a_number(delta, "delta", "huber")
        if not 0 < self.delta < np.inf:
            raise DomainError(f"huber: delta={delta}; it must be a positive number, such as 1")

    def _residual(self, X: Array, Y: Array) -> Array:
        return as_array(X - same_shape_targets(Y, X, self.name, self.layout))

    def _examples(self, X: Array, Y: Array) -> Examples:
        r, d = self._residual(X, Y), X.dtype.type(self.delta)

        def losses() -> Array:
            near = np.minimum(np.abs(r), d)
            return sum_over_example(as_array(near * (np.abs(r) - near / 2)), self.layout)

        return losses, lambda: np.clip(r, -d, d)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        return Diagonal((np.abs(self._residual(X, Y)) <= self.delta).astype(X.dtype))


@final
class Poisson(Loss):
    """Σ over an example's outputs of exp(x) − y·x: minus the log-likelihood of counts y with rates exp(x), up to y!.

    Examples
    --------
    >>> Poisson()([[0.0]], [[2.0]])[1].gradient
    array([[-1.]])
    """

    name = "poisson"

    def sample_targets(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return made-up counts."""
        return rng.poisson(1.0, size=shape).astype(float)

    def _examples(self, X: Array, Y: Array) -> Examples:
        Y = same_shape_targets(Y, X, self.name, self.layout)
        if Y.size and Y.min() < 0:
            raise DomainError(f"poisson: Y holds {Y.min():g}; counts are not negative")
        rates = np.exp(X)
        return lambda: sum_over_example(as_array(rates - Y * X), self.layout), lambda: as_array(rates - Y)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        return Diagonal(np.exp(X))


@final
class KLDivergence(Loss):
    """Σ over an example's outputs of y·(log y − x), with x the logarithms of probabilities and y the targets' own.

    Examples
    --------
    >>> KLDivergence()(np.log([[0.5, 0.5]]), [[0.25, 0.75]])[1].gradient
    array([[-0.25, -0.75]])
    """

    name = "kl_divergence"
    of_outputs = False

    def sample_targets(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return made-up probabilities of the classes of each example."""
        drawn = rng.random(shape) + 0.1
        return as_array(drawn / drawn.sum(axis=self.layout.feature_axis, keepdims=True))

    def _examples(self, X: Array, Y: Array) -> Examples:
        Y = same_shape_targets(Y, X, self.name, self.layout)
        if Y.size and Y.min() < 0:
            raise DomainError(f"kl_divergence: Y holds {Y.min():g}; probabilities are not negative")
        entropy = Y * np.log(np.where(Y > 0, Y, 1))
        return lambda: sum_over_example(as_array(entropy - Y * X), self.layout), lambda: as_array(-Y)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        return Diagonal(np.zeros_like(X))


@of_targets
def huber(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    delta: float = 1.0,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    *,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return Huber's loss of real targets, and its Jacobian with respect to X; see `Huber`.

    Huber (1964), *Robust estimation of a location parameter*, Ann. Math. Statist. 35.

    Examples
    --------
    >>> L, J = huber([[0.5], [3.0]], [[0.0], [0.0]], reduction="sum")
    >>> L, J.gradient.ravel()
    (array(2.625), array([0.5, 1. ]))
    """
    return Huber(delta, reduction, layout, factor=factor)(X, Y)


@of_targets
def poisson(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    *,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return the Poisson loss of counts by the logarithms of their rates, and its Jacobian; see `Poisson`.

    McCullagh & Nelder (1989), *Generalized linear models*, 2nd ed., ch. 6.

    Examples
    --------
    >>> L, J = poisson([[0.0]], [[2.0]])
    >>> L, J.gradient
    (array(1.), array([[-1.]]))
    """
    return Poisson(reduction, layout, factor=factor)(X, Y)


@of_targets
def kl_divergence(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
    *,
    factor: float = 1.0,
) -> tuple[Array, Jacobian]:
    """Return Σ y (log y − x), with x the logarithms of probabilities, and its Jacobian; see `KLDivergence`.

    Kullback & Leibler (1951), *On information and sufficiency*, Ann. Math. Statist. 22.

    Examples
    --------
    >>> L, J = kl_divergence(np.log([[0.5, 0.5]]), [[0.25, 0.75]])
    >>> round(float(L), 4), J.gradient
    (0.1308, array([[-0.25, -0.75]]))
    """
    return KLDivergence(reduction, layout, factor=factor)(X, Y)
