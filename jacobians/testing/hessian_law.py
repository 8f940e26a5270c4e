"""Law 3 for a loss's second derivative: it is the Jacobian of the gradient, and symmetric."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_float
from jacobians.linops import Jacobian
from jacobians.operations import Loss
from jacobians.testing.compare import agree, draw, generator
from jacobians.testing.reference import assert_reference

__all__ = ["assert_hessian"]


def assert_hessian(loss: Loss, X: npt.ArrayLike, Y: npt.ArrayLike, rng: np.random.Generator | None = None) -> None:
    """Law 3, reference: `loss.hessian` is the numerical derivative of the loss's gradient, and its own transpose.

    Parameters
    ----------
    loss : Loss
        With any reduction and layout.
    X, Y : array_like
        Small, and away from kinks.
    rng : Generator, optional

    Raises
    ------
    AssertionError
        If it differs from the numerical derivative along a direction, or is not symmetric.

    Examples
    --------
    >>> from jacobians.operations import CrossEntropy
    >>> assert_hessian(CrossEntropy(), [[1.0, 2.0, 0.0], [0.5, 0.0, 1.0]], [0, 2])
    """
    rng = generator(rng)
    H = loss.hessian(X, Y)

    def gradient(X: Array) -> tuple[Array, Jacobian]:
        return loss.reduced(X, Y)[1].gradient, loss.hessian(X, Y)

    gradient.__name__ = f"the gradient of {loss.name}"
    assert_reference(gradient, [as_float(X, "X", "assert_hessian")], rng)
    direction = draw(rng, H.domain)
    agree(
        "one source",
        f"the second derivative of {loss.name}, H and Hᵀ",
        H.jvp(direction),
        H.vjp(direction),
        dtype=H.dtype,
    )
