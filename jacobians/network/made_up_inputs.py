"""Made-up parameters, inputs and targets that show every term of a gradient."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import LayoutError
from jacobians.network.objective import Objective
from jacobians.operations import Affine, Elementwise


def sample_data(network: Objective, examples: int, seed: int) -> tuple[dict[str, Array], Array, Array]:
    """Return parameters, inputs and targets for which every term matters: no zeros, and no two equal numbers.

    Raises
    ------
    LayoutError
        If the network's inputs and outputs have no known sizes, as those of a function of values.
    """
    if network.function is not None:
        raise LayoutError(f"{network!r} is a function of values, whose inputs have no known sizes; pass X and Y")
    rng = np.random.default_rng(seed)
    affine = [part for part in network.chain.parts if isinstance(part, Affine) and part.sizes is not None]
    if not affine or affine[0].sizes is None or affine[-1].sizes is None:
        raise LayoutError(f"{network!r} has no affine layer of known sizes; pass params, X and Y")
    between = network.chain.parts[: network.chain.parts.index(affine[0])]
    if not all(isinstance(part, Elementwise) for part in between):
        raise LayoutError(
            f"{network!r} begins with {between[0].name}, whose inputs have no known sizes; pass params, X and Y"
        )
    params = {name: rng.normal(size=shape) for name, shape in network.shapes().items()}
    X = rng.normal(size=network.layout.batch_shape(examples, affine[0].sizes[0]))
    outputs = affine[-1].sizes[1]
    return params, X, network.loss.sample_targets(network.layout.batch_shape(examples, outputs), rng)
