"""Layers: convolutions, pooling, normalisation, recurrences and attention, each with a structured Jacobian.

``jac.layers.conv2d(X, W, b)`` and its like are called as ``jac.sigmoid(Z)`` is: arrays give a value and its Jacobians,
values of a graph give values.
"""

# ruff: noqa: F403

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jacobians.layers import (
    activations,
    attentions,
    convolutions,
    dropouts,
    entrywise,
    initial,
    normalisation,
    pooling,
    recurrent,
    shared_curvature,
)
from jacobians.layers.activations import *
from jacobians.layers.attentions import *
from jacobians.layers.convolutions import *
from jacobians.layers.dropouts import *
from jacobians.layers.entrywise import *
from jacobians.layers.initial import *
from jacobians.layers.normalisation import *
from jacobians.layers.pooling import *
from jacobians.layers.recurrent import *
from jacobians.layers.shared_curvature import *
from jacobians.other_names import instead_of

if not TYPE_CHECKING:  # type checkers add no lists up: without one they read the files' own
    __all__ = sorted(
        name
        for file in (
            activations,
            attentions,
            convolutions,
            dropouts,
            entrywise,
            initial,
            normalisation,
            pooling,
            recurrent,
            shared_curvature,
        )
        for name in file.__all__
    )

    def __getattr__(name: str) -> Any:
        meant = "" if name.startswith("_") else instead_of(name, __all__, ())
        raise AttributeError(f"jac.layers has no {name!r}{meant}")

    def __dir__() -> list[str]:
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
