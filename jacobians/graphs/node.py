"""A node of a graph: a value, the operation and the values that it came from, and its Jacobian with respect to each."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from jacobians.arrays import Array, DType, OfGraph, Shape, show_shape
from jacobians.errors import FrozenError, GraphError
from jacobians.graphs.targets import with_targets
from jacobians.linops import Jacobian
from jacobians.operations import Jacobians, Loss, Operation
from jacobians.operations.operation import Frozen

Operand = Any
"""A node, or what is constant: an array or a number."""


class Origin:
    """What the nodes of one graph share: the count of nodes so far, and their names.

    It holds no node: a value lives as long as it is used.

    Attributes
    ----------
    count : int
        How many nodes there have been.
    numbers_taken : bool
        Whether ``float(v)``, ``int(v)`` or ``v.item()`` took a number out of a value, on which nothing depends then.
    """

    __slots__ = ("_named", "count", "numbers_taken")

    def __init__(self) -> None:
        self.count = 0
        self.numbers_taken = False
        self._named: weakref.WeakValueDictionary[str, Node] = weakref.WeakValueDictionary()

    def add(self, node: Node, name: str) -> None:
        """Remember which node a name belongs to.

        Raises
        ------
        GraphError
            If it belongs to another one already.
        """
        other = self._named.setdefault(name, node)
        if other is not node:
            raise GraphError(f"the name {name!r} is used twice in one graph: {other!r} has it; choose another")

    def names(self) -> list[str]:
        """Return the names of the graph's nodes."""
        return list(self._named)

    def find(self, name: str) -> Node | None:
        """Return the node of this name, if there is one."""
        return self._named.get(name)


class Edge(NamedTuple):
    """An edge of the linearised graph: from a value to one of its operands.

    Attributes
    ----------
    child : Node
        The value.
    name : str
        What its operation calls the input.
    parent : Node
        The input.
    """

    child: Node
    name: str
    parent: Node

    @property
    def jacobian(self) -> Jacobian:
        """The child's Jacobian with respect to the parent, in numerator layout; built when first asked for."""
        return self.child.jacobians.numerator(self.name)


class Node(Frozen, OfGraph):
    """A value in a graph; it does not change.

    Attributes
    ----------
    array : ndarray
        The value's numbers, read-only.
    operation : Operation or None
        What it came from; None for an input.
    operands : tuple
        What the operation was called with: nodes, and arrays that are constant.
    number : int
        Its place in the order in which the graph's values came: operands come before it.
    """

    def __init__(
        self,
        array: Array,
        origin: Origin,
        operation: Operation | None = None,
        operands: tuple[Operand, ...] = (),
        jacobians: Jacobians | None = None,
    ) -> None:
        if type(array) is np.ndarray:
            array = array.view()
            array.flags.writeable = False
        self.array = array
        self.operation = operation
        self.operands = operands
        self.number = origin.count
        self._origin = origin
        self._jacobians = jacobians
        self._name = ""
        origin.count += 1

    # --- what it is ------------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        """The array's shape."""
        return self.array.shape

    @property
    def dtype(self) -> DType:
        """The array's dtype."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of the array's axes."""
        return self.array.ndim

    @property
    def size(self) -> int:
        """The number of the array's entries."""
        return self.array.size

    @property
    def name(self) -> str:
        """The given name, or its operation's name and its number."""
        if self._name:
            return self._name
        if self.operation is None:
            return f"value_{self.number}"
        called = self.operation.name
        # an operator is called by its operation's class
        return f"{called if called.isidentifier() else type(self.operation).__name__.lower()}_{self.number}"

    @property
    def is_named(self) -> bool:
        """Whether it was given a name."""
        return bool(self._name)

    def named(self, name: str) -> Self:
        """Give the value a name, once, and return it.

        Raises
        ------
        GraphError
            If another value of the graph has the name.
        FrozenError
            If the value has another name.
        """
        if not name:
            raise GraphError("named: the name is empty; give one, as in H = jac.relu(Z).named('H')")
        if self._name and self._name != name:
            raise FrozenError(f"named: the value is called {self._name!r} already, and a value does not change")
        self._origin.add(self, name)
        self._name = name
        return self

    @property
    def numbers_were_taken(self) -> bool:
        """Whether ``float(v)``, ``int(v)`` or ``v.item()`` took a number out of a value of this graph."""
        return self._origin.numbers_taken

    @property
    def jacobians(self) -> Jacobians:
        """The Jacobians with respect to its operands, by their names in its operation; an input has none."""
        if self._jacobians is None:
            raise GraphError(f"{self!r} is an input of the graph: it came from no operation")
        return self._jacobians

    def edges(self) -> Iterator[Edge]:
        """Yield the edges to its operands; two edges where an operand was used twice."""
        if self.operation is not None:
            for name, operand in zip(self.operation.names, self.operands, strict=True):
                if isinstance(operand, Node):
                    yield Edge(self, name, operand)

    def ancestors(self) -> list[Node]:
        """Return the value and everything that it was computed from, in an order of computation."""
        found: set[Node] = {self}
        todo: list[Node] = [self]
        while todo:
            for edge in todo.pop().edges():
                if edge.parent not in found:
                    found.add(edge.parent)
                    todo.append(edge.parent)
        return sorted(found, key=lambda node: node.number)

    def __copy__(self) -> Self:
        # another node of the same number would be in no graph
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        raise GraphError(
            f"pickle: {self!r} belongs to its graph, which is not stored; store its .array, and run the function again "
            "on jac.values(...)"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}: {show_shape(self.shape)} {self.dtype})"

    # --- what comes of it ------------------------------------------------------------------------

    def _apply(self, operation: Operation | Loss, operands: tuple[Operand, ...]) -> Self:
        """The result of an operation on operands, at least one of which is a node."""
        for operand in operands:
            if isinstance(operand, Node) and operand._origin is not self._origin:
                raise GraphError(
                    f"{operation.name}: {self!r} and {operand!r} belong to different graphs; make all inputs in one "
                    "call, X, W = jac.values(X=X, W=W), or pass the .array of one, which is then constant"
                )
        if isinstance(operation, Loss):
            operation, operands = with_targets(operation, operands)
        arrays = operation._accept(tuple(o.array if isinstance(o, Node) else o for o in operands))
        array, jacobians = operation._evaluate(*arrays)
        kept = tuple(o if isinstance(o, Node) else a for o, a in zip(operands, arrays, strict=True))
        return type(self)(array, self._origin, operation, kept, jacobians)
