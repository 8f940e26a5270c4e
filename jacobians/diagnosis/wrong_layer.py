"""One slip of a layer's backward pass: what wrongly arrives at its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jacobians.diagnosis.slip import Pullback


@dataclass(frozen=True, slots=True, eq=False)
class WrongLayer:
    """One slip of a layer's backward pass.

    Attributes
    ----------
    name, title, mend : str
        As for `Slip`; the title is a clause about the layer.
    pulls : dict
        By input's name, from a cotangent of the value to what wrongly arrives there; what is not in it is right.
    rank : int
    """

    name: str
    title: str
    mend: str
    pulls: Mapping[str, Pullback]
    rank: int = 0
