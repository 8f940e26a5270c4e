"""Values: the forward pass in Python's own operators, and every Jacobian between what it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, StandIn, as_float, did_you_mean, no_attribute, show_shape
from jacobians.errors import FrozenError, GraphError, LayoutError
from jacobians.first_tries import written
from jacobians.graphs import numpy_functions
from jacobians.graphs.array_operators import ArrayOperators
from jacobians.graphs.between import jacobians_between, row_between
from jacobians.graphs.graph import Graph, Path, in_its_layout
from jacobians.graphs.graph_plan import GraphPlan
from jacobians.graphs.node import Node, Origin
from jacobians.graphs.second_order import hessian_between
from jacobians.linops import Jacobian
from jacobians.operations.hessian import Hessian
from jacobians.pictures.graphs import MOST, DrawnEdge, DrawnValue, GraphPicture


@written("X, W = jac.values(X=X, W=W)")
def values(**arrays: npt.ArrayLike) -> tuple[Value, ...]:
    """Return the inputs of a graph as named values. Whatever is computed from them knows its Jacobians.

    Parameters
    ----------
    **arrays : array_like
        By name. They are not copied: leave them as they are while the graph is in use.

    Returns
    -------
    tuple of Value
        In the order of the names. ``@ + - * / **``, indexing, NumPy's functions and every operation of the library
        take values, and return values of the same graph; an array among them is a constant.

    Raises
    ------
    GraphError
        If there is no array, or one is a value already.
    DTypeError
        If one does not hold real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import jacobians as jac
    >>> rng = np.random.default_rng(0)
    >>> X, W, V = jac.values(X=rng.normal(size=(5, 4)), W=rng.normal(size=(4, 3)), V=rng.normal(size=(3, 2)))
    >>> H = jac.tanh(X @ W)
    >>> L = jac.cross_entropy(H @ V, [0, 1, 1, 0, 1])
    >>> L.jacobian(W)
    Row(4×3): 1×12 float64, (4, 3) → (), 96 B
    >>> (H @ V).jacobian(W)
    Kronecker(I₅, 2×3) @ Diagonal(5×3) @ Kronecker(5×4, I₃): 10×12 float64, (4, 3) → (5, 2), 328 B
    >>> [g.shape for g in L.gradients(W, V)]
    [(4, 3), (3, 2)]
    """
    if not arrays:
        raise GraphError("values: there is no array; name each one, as in X, W = jac.values(X=X, W=W)")
    origin = Origin()
    found = []
    for name, array in arrays.items():
        if isinstance(array, Node):
            raise GraphError(
                f"values: {name} is the value {array!r} already; give it a name with .named({name!r}), or start a new "
                f"graph from its numbers, {name}={name}.array"
            )
        numbers = as_float(array, name, "values")
        if isinstance(numbers, StandIn):
            numbers.becomes_a_value()
        found.append(Value(numbers, origin).named(name))
    return tuple(found)


_CALLED_ELSEWHERE = {
    **dict.fromkeys(("grad", "gradient", "backward"), "L.gradients(W, b) of a scalar L"),
    **dict.fromkeys(("numpy", "value", "data", "detach"), "v.array"),
    **dict.fromkeys(("hvp", "hessp"), "L.hessian(W).jvp(direction) of a scalar L"),
    **dict.fromkeys(("gauss_newton", "ggn"), "jac.gauss_newton(net.run(params, X, Y)); it is of a network's run"),
    **dict.fromkeys(("jvp", "vjp", "pullback", "pushforward"), "L.jacobian(W), which has jvp and vjp"),
    "backprop": "L.gradients(W, b) of a scalar L",
    "requires_grad": "L.gradients(v): every value that jac.values made has a gradient",
    "zero_grad": "L.gradients(v), which makes new arrays each time",
}
"""What other libraries call something, and what it is called here."""


class Value(ArrayOperators):
    """An array in a graph, which remembers what it came from; made by `values` and by operations of values.

    It is written with as an array is, and does not change. Comparisons give plain arrays of booleans. So an ``if`` on
    its entries, ``float(v)``, ``len(v)`` and iteration work as they do for arrays.

    Attributes
    ----------
    array : ndarray
        Its numbers, read-only; a constant wherever it is used.
    name, shape, dtype, ndim, size

    Examples
    --------
    >>> import numpy as np
    >>> import jacobians as jac
    >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
    >>> L = (jac.tanh(X @ W) ** 2).mean()
    >>> L.jacobian(W).gradient.shape
    (4, 3)
    """

    __slots__ = ()

    # --- derivatives -----------------------------------------------------------------------------

    def jacobian(self, *wrt: Value | str) -> Jacobian:
        r"""Return this value's Jacobian with respect to another, or several side by side, in the operations' layout.

        It is :math:`\\sum_{\\text{paths}} \\prod_{\\text{edges}} J`. Along one path it is the product of the edges.
        Where several paths meet, it is a structure of its own: its vjp is one sweep back, its jvp one sweep forward.

        Parameters
        ----------
        *wrt : Value or str
            Values of the same graph, or their names.

        Returns
        -------
        Jacobian
            With respect to several, a `BlockRow`, whose domain is the packed vector of all. With respect to a value
            that it does not depend on, a `Zero`.

        Raises
        ------
        GraphError
            If one is no value of this graph, or no name in it.
        LayoutError
            If the operations between are in different layouts.

        Examples
        --------
        >>> import numpy as np
        >>> import jacobians as jac
        >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
        >>> Y = jac.tanh(X @ W) @ W.T
        >>> Y.jacobian(W)
        GraphJacobian(2 paths, 5 edges): 20×12 float64, (4, 3) → (5, 4), 496 B
        >>> Y.jacobian(X, W).shape
        (20, 32)
        """
        nodes = self._found(wrt, "jacobian")
        layout = Graph((self,), nodes).layout()
        if len(nodes) == 1:
            (found,), _ = jacobians_between(self, nodes)
            return in_its_layout(found, layout)
        return in_its_layout(row_between(self, nodes, layout.vec if layout else "C"), layout)

    def gradients(self, *wrt: Value | str) -> tuple[Array, ...]:
        """Return the gradients of this scalar with respect to values, from one sweep back through the graph.

        Parameters
        ----------
        *wrt : Value or str

        Returns
        -------
        tuple of ndarray
            In the order asked for, each in its value's own shape; zeros where the scalar does not depend on it.

        Raises
        ------
        LayoutError
            If this value is no scalar.
        GraphError
            If one is no value of this graph, or no name in it.
        """
        nodes = self._found(wrt, "gradients")
        if self.shape != ():
            raise LayoutError(
                f"gradients: {self!r} is no scalar, and only a scalar has gradients; reduce it with .sum() or .mean(), "
                "or take jacobian(...).vjp(cotangent)"
            )
        rows = Graph((self,), tuple(dict.fromkeys(nodes))).pull({self: np.ones((), self.dtype)})
        given: set[Node] = set()
        found = []
        for node in nodes:
            found.append(rows[node].copy() if node in given else rows[node])
            given.add(node)
        return tuple(found)

    def hessian(self, *wrt: Value | str) -> Hessian:
        r"""Return this scalar's second derivative with respect to a value, or to several as one packed vector.

        It is the Jacobian of the gradient, :math:`\sum_{\text{operations}} D^\top M D`, and symmetric, so that it is
        the same in both derivative layouts. A product with a vector is one sweep forward and one back.

        Parameters
        ----------
        *wrt : Value or str
            Values of the same graph, or their names.

        Raises
        ------
        LayoutError
            If this value is no scalar.
        GraphError
            If one is no value of this graph, or no name in it.
        DomainError
            If an operation states no second derivative, or has none here.

        Examples
        --------
        >>> import jacobians as jac
        >>> x, y = jac.values(x=2.0, y=3.0)
        >>> (x * x * y).hessian(x, y).to_dense()
        array([[6., 4.],
               [4., 0.]])
        """
        nodes = self._found(wrt, "hessian")
        if self.shape != ():
            raise LayoutError(
                f"hessian: {self!r} is no scalar; reduce it with .sum() or .mean(), or multiply it by a cotangent first"
            )
        if len(set(nodes)) < len(nodes):
            raise GraphError("hessian: a value is given twice; give each once")
        layout = Graph((self,), nodes).layout()
        vec = layout.vec if layout else "C"
        whole = len(nodes) > 1
        return hessian_between(self, nodes, nodes, (whole, whole), vec).ordered(vec)

    def paths(self, wrt: Value | str) -> Iterator[Path]:
        """Return an iterator over the paths from this value back to another, each with its factors.

        Examples
        --------
        >>> import numpy as np
        >>> import jacobians as jac
        >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
        >>> H = jac.tanh(X @ W).named("H")
        >>> for path in (H @ W.T).named("Y").paths(W):
        ...     print(path, [factor.label for factor in path.factors])
        Y ← H ← matmul_2 ← W ['∂Y/∂H', '∂H/∂matmul_2', '∂matmul_2/∂W']
        Y ← transpose_4 ← W ['∂Y/∂transpose_4', '∂transpose_4/∂W']
        """
        (node,) = self._found((wrt,), "paths")
        return Graph((self,), (node,)).paths(self, node)

    def path_count(self, wrt: Value | str) -> int:
        """Return the number of paths from this value back to another: 1 to itself, 0 where it does not depend on it."""
        (node,) = self._found((wrt,), "path_count")
        return Graph((self,), (node,)).path_count(self, node)

    def plan(self, *wrt: Value | str, limit: int | None = None) -> GraphPlan:
        """Return the ways to multiply out the Jacobians with respect to others: forward, reverse, and the best order.

        Parameters
        ----------
        *wrt : Value or str
        limit : int, optional
            Bytes that the products may take at one time.

        Raises
        ------
        GraphError
            If one is no value of this graph, or no name in it.
        TooLargeError
            If no order that was found stays within the limit.

        Examples
        --------
        Of two residual blocks that are narrow in their middle, neither mode is best:

        >>> import numpy as np
        >>> import jacobians as jac
        >>> X, V, W = jac.values(X=np.ones((1, 9)), V=np.ones((9, 1)), W=np.ones((1, 9)))
        >>> H = (X + jac.tanh(X @ V) @ W).named("H")
        >>> plan = (H + jac.tanh(H @ V) @ W).named("Y").plan(X)
        >>> print(plan)
        Y with respect to X: 7 inner values, 10 edges
                 operations  multiplications    built     peak
        forward         666              261  3.4 KiB  2.5 KiB
        reverse         666              261  2.7 KiB  2.0 KiB
        best            549              198  1.5 KiB  2.0 KiB
        the best of all orders: matmul_3, matmul_5, H, tanh_4, matmul_7, matmul_9, tanh_8
        >>> plan.dense().shape
        (9, 9)
        """
        nodes = tuple(dict.fromkeys(self._found(wrt, "plan")))
        graph = Graph((self,), nodes)
        graph.layout()
        return graph.plan(limit=limit)

    def picture(self, *wrt: Value | str) -> GraphPicture:
        """Return the graph from some values to this one as a picture: inline SVG, which a notebook shows.

        Beside each edge stands the structure of its Jacobian.

        Parameters
        ----------
        *wrt : Value or str
            All inputs that it depends on, unless given.

        Raises
        ------
        GraphError
            If one is no value of this graph, or no name in it.
        TooLargeError
            If there are more than 80 values.

        Examples
        --------
        >>> import numpy as np
        >>> import jacobians as jac
        >>> X, W = jac.values(X=np.ones((5, 4)), W=np.ones((4, 3)))
        >>> picture = jac.tanh(X @ W).named("H").picture()
        >>> [edge.structure for edge in picture.edges]
        ['Kronecker(I₅, 3×4)', 'Kronecker(5×4, I₃)', 'Diagonal(5×3)']
        """
        nodes = self.find(wrt, "picture") if wrt else [n for n in self.ancestors() if n.operation is None]
        graph = Graph((self,), nodes)
        place = {node: number for number, node in enumerate(graph.nodes)}
        values = [DrawnValue(n.name, show_shape(n.shape), not graph.into[n]) for n in graph.nodes]
        if len(values) > MOST:
            return GraphPicture(values, [])
        return GraphPicture(
            values, [DrawnEdge(place[e.parent], place[e.child], e.jacobian.structure) for e in graph.edges]
        )

    def find(self, wrt: Sequence[Value | str], operation: str) -> list[Node]:
        """Return the values of the graph that are given as values or by name.

        Raises
        ------
        GraphError
            If one is no value of this graph, or no name in it.
        """
        return [self._find(given, operation) for given in wrt]

    def _found(self, wrt: tuple[Value | str, ...], operation: str) -> list[Node]:
        if not wrt:
            raise GraphError(
                f"{operation}: with respect to which values? {operation}(W, b) takes values of the graph, or names"
            )
        return self.find(wrt, operation)

    def _find(self, given: Value | str, operation: str) -> Node:
        if isinstance(given, str):
            node = self._origin.find(given)
            if node is None:
                names = self._origin.names()
                hint = did_you_mean(given, names)
                raise GraphError(f"{operation}: no value is called {given!r}; there are {', '.join(names)}{hint}")
            return node
        if not isinstance(given, Node):
            raise GraphError(
                f"{operation}: a value of the graph is needed, or its name; got {type(given).__name__}. Arrays become "
                "values by X, W = jac.values(X=X, W=W)"
            )
        if given._origin is not self._origin:
            raise GraphError(
                f"{operation}: {given!r} belongs to another graph than {self!r}; make all inputs in one call, "
                "X, W = jac.values(X=X, W=W)"
            )
        return given

    if not TYPE_CHECKING:  # a type checker is to know the names that there are

        def __getattr__(self, name: str) -> Any:
            """Raise AttributeError for what a value lacks. Where an array has it, the error names what does the same.

            Raises
            ------
            AttributeError
                Always.
            """
            if name in _CALLED_ELSEWHERE:
                raise no_attribute(self, name, f"; write {_CALLED_ELSEWHERE[name]}")
            if name.startswith("_") or not hasattr(np.ndarray, name):
                raise no_attribute(self, name)
            raise numpy_functions.no_such_method(self, name)

    # --- NumPy -----------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise GraphError(
            f"{self!r} does not become an array by itself, which would lose its derivatives. Take its .array, which is "
            "constant; put values together with np.stack or np.concatenate, not by writing them into an array"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if options.pop("out", None) is not None:
            write = {"add": "+", "subtract": "-", "multiply": "*", "true_divide": "/", "divide": "/", "matmul": "@"}
            sign = write.get(ufunc.__name__)
            inplace = f"write Z = Z {sign} V in place of Z {sign}= V, and " if sign else ""
            raise FrozenError(f"{ufunc.__name__}: a value does not change in place; {inplace}leave out out=")
        return numpy_functions.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.get("out") is not None:
            raise FrozenError(f"{function.__name__}: a value does not change in place; leave out out=")
        return numpy_functions.function(function, args, options)
