"""Random weights to begin training with. Their spread depends on how many entries a node adds up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jacobians.arrays import Array, as_shape, generator
from jacobians.errors import ShapeError
from jacobians.first_tries import written
from jacobians.initial import Rule, drawn_in_order
from jacobians.presets import AnyLayout, find_layout

__all__ = ["initial_weights"]


@written
def initial_weights(
    shape: Sequence[int], rng: np.random.Generator | int, rule: Rule = "glorot", layout: AnyLayout | None = None
) -> Array:
    r"""Return random weights of a layer, in a layout: a matrix, or a convolution's kernel.

    A node adds up fan_in products. Of a kernel, fan_in is the number of channels times the entries of a window, and
    fan_out is the number of outputs times these entries. The numbers are drawn for one node after another, so one seed
    gives the same layer in every layout.

    Parameters
    ----------
    shape : sequence of int
        Of a matrix, or of a kernel (out, in, \*places), or as the layout has kernels.
    rng : Generator or int
    rule : {"glorot", "he", "torch"}
        Uniform in ±√(6/(fan_in + fan_out)), as Keras has it; normal with variance 2/fan_in, for ReLUs; uniform in
        ±1/√fan_in, as torch has it.
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If it is neither a matrix nor a kernel.
    ArgumentError
        If the rule is unknown.

    References
    ----------
    Glorot & Bengio (2010), eq. 16; He et al. (2015), *Delving deep into rectifiers*, arXiv:1502.01852, eq. 10.

    Examples
    --------
    >>> kernel = initial_weights((16, 3, 3, 3), 0, "he")
    >>> kernel.shape, bool(abs(kernel.std() - np.sqrt(2 / 27)) < 0.02)
    ((16, 3, 3, 3), True)
    >>> there = initial_weights((3, 3, 3, 16), 0, "he", "keras")
    >>> bool((there.transpose(3, 2, 0, 1) == kernel).all())
    True
    """
    own = find_layout(layout)
    given = as_shape(shape, "shape", "initial_weights")
    rng = generator(rng, "initial_weights")
    if len(given) < 2:
        raise ShapeError(
            f"initial_weights: shape {given}; expected a matrix, or a kernel with one axis of places or more"
        )
    if len(given) > 2:
        axes = tuple(own.kernel_axes(len(given) - 2))
    else:
        axes = (1, 0) if own.weights == "columns" else (0, 1)
    return drawn_in_order(given, axes, rng, rule, "initial_weights")
