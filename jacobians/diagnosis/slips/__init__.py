"""How hand-written gradients go wrong: the catalogue of slips of the right one, a file for each family."""

from __future__ import annotations

from jacobians.diagnosis.slip import Family, Setting, Slip
from jacobians.diagnosis.slips.activation import activation
from jacobians.diagnosis.slips.bias import bias
from jacobians.diagnosis.slips.cache import cache
from jacobians.diagnosis.slips.data import data
from jacobians.diagnosis.slips.finished import finished
from jacobians.diagnosis.slips.layers import layers
from jacobians.diagnosis.slips.layout import layout
from jacobians.diagnosis.slips.loss import loss
from jacobians.diagnosis.slips.preset import preset
from jacobians.diagnosis.slips.regulariser import regulariser
from jacobians.diagnosis.slips.scale import scale

__all__ = ["FAMILIES", "catalogue"]


FAMILIES: tuple[Family, ...] = (
    scale,
    activation,
    loss,
    regulariser,
    bias,
    preset,
    layout,
    data,
    cache,
    layers,
    finished,
)
"""In the order in which equally good explanations are named."""


def catalogue(setting: Setting) -> list[Slip]:
    """Return every slip that makes sense in a setting.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> params = net.init(np.random.default_rng(0))
    >>> from jacobians.diagnosis.slip import Setting
    >>> found = catalogue(Setting(net, params, np.eye(4), [0, 1, 1, 0]))
    >>> sorted({slip.family for slip in found})
    ['activation', 'bias', 'cache', 'data', 'layout', 'loss', 'scale', 'state']
    """
    return [slip for family in FAMILIES for slip in family(setting)]
