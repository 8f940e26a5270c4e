"""Graphs of values: the forward pass as people write it, and every Jacobian between its values."""

from __future__ import annotations

from jacobians.graphs.graph import Graph, Path
from jacobians.graphs.graph_jacobian import GraphJacobian
from jacobians.graphs.graph_plan import GraphPlan
from jacobians.graphs.node import Edge, Node
from jacobians.graphs.value import Value, values

__all__ = ["Edge", "Graph", "GraphJacobian", "GraphPlan", "Node", "Path", "Value", "values"]
