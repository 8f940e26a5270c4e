"""Networks: a chain of operations, or a function of values, with named parameters and a loss in one convention."""

from __future__ import annotations

from jacobians.network.network import Network, Parameters
from jacobians.network.run import Run

__all__ = ["Network", "Parameters", "Run"]
