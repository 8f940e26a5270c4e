"""Values: the forward pass in Python's own operators, and every Jacobian between what it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, StandIn, as_array, as_float, did_you_mean, no_attribute, show_shape, size_of
from jacobians.errors import FrozenError, GraphError, LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import numpy_functions
from jacobians.graphs.between import jacobians_between, row_between
from jacobians.graphs.contractions import dot
from jacobians.graphs.graph import Graph, Path, in_its_layout
from jacobians.graphs.graph_plan import GraphPlan
from jacobians.graphs.node import Node, Origin
from jacobians.graphs.rearranging import Extreme, Indexed, Permuted
from jacobians.graphs.second_order import hessian_between
from jacobians.linops import Jacobian
from jacobians.operations import MatMul, Mean, Operation, Power, Reshaping, Total, Transpose
from jacobians.operations.broadcasting import Divided, Minus, OfTwo, Plus, Raised, Times
from jacobians.operations.hessian import Hessian
from jacobians.pictures.graphs import MOST, DrawnEdge, DrawnValue, GraphPicture

Other = Any
"""A value, an array or a number."""


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
    "requires_grad": "L.gradients(v): every value that jac.values made has a gradient",
    "zero_grad": "L.gradients(v), which makes new arrays each time",
}
"""What other libraries call something, and what it is called here."""


class Value(Node):
    """An array in a graph, which remembers what it came from; made by `values` and by operations of values.

    It is written with as an array is, and does not change. Comparisons give plain arrays of booleans, so that an
    ``if`` on its entries, ``float(v)``, ``len(v)`` and iteration are what they are for arrays.

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

        It is :math:`\\sum_{\\text{paths}} \\prod_{\\text{edges}} J`. Along one path it is the product of the edges;
        where several meet it is a structure of its own, whose vjp is one sweep back and whose jvp one sweep forward.

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
        """Return how Jacobians with respect to others are multiplied out: forward, reverse, and in the best order.

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
        """Return the values of the graph that are meant by values or names.

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

    # --- operators -------------------------------------------------------------------------------

    def _with(self, operation: OfTwo, left: Other, right: Other) -> Self:
        return self._apply(operation, (self._operand(left), self._operand(right)))

    def _operand(self, other: Other) -> Other:
        """A number takes on this value's dtype, as it does with an array."""
        return np.asarray(other, self.dtype) if type(other) in (int, float, bool) else other

    def __add__(self, other: Other) -> Self:
        return self._with(Plus(), self, other)

    def __radd__(self, other: Other) -> Self:
        # sum([v, w]) starts from the number 0
        return self if type(other) is int and other == 0 else self._with(Plus(), other, self)

    def __sub__(self, other: Other) -> Self:
        return self._with(Minus(), self, other)

    def __rsub__(self, other: Other) -> Self:
        return self._with(Minus(), other, self)

    def __mul__(self, other: Other) -> Self:
        return self._with(Times(), self, other)

    def __rmul__(self, other: Other) -> Self:
        return self._with(Times(), other, self)

    def __truediv__(self, other: Other) -> Self:
        return self._with(Divided(), self, other)

    def __rtruediv__(self, other: Other) -> Self:
        return self._with(Divided(), other, self)

    def __pow__(self, exponent: Other) -> Self:
        if not isinstance(exponent, Node) and np.ndim(exponent) == 0:
            return self._apply(Power(float(exponent)), (self,))
        return self._with(Raised(), self, exponent)

    def __rpow__(self, base: Other) -> Self:
        return self._with(Raised(), base, self)

    def __neg__(self) -> Self:
        return self * -1.0

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self * np.sign(self.array)

    def __repr__(self) -> str:
        known = self.shape == () and not isinstance(self.array, StandIn)  # of a recording there are no numbers to say
        number = f" = {self.array.item():.6g}" if known else ""
        return f"{type(self).__name__}({self.name}{number}: {show_shape(self.shape)} {self.dtype})"

    def __matmul__(self, other: Other) -> Self:
        return self._product(self, other)

    def __rmatmul__(self, other: Other) -> Self:
        return self._product(other, self)

    def _product(self, left: Other, right: Other) -> Self:
        """``left @ right`` as in NumPy: a vector is a row on the left, else a column."""
        shapes = np.shape(_numbers(left)), np.shape(_numbers(right))
        ranks = tuple(map(len, shapes))
        if 0 in ranks:
            raise ShapeError(f"matmul: A has shape {shapes[0]}, B has {shapes[1]}; a number multiplies by *")
        if ranks[1] > 2:
            found: Self = self._member_by_member(left, right)
            return found
        if ranks == (2, 2):
            return self._apply(MatMul(), (left, right))
        rows = (size_of(shapes[0][:-1]), shapes[0][-1])
        column = shapes[1] if ranks[1] == 2 else (*shapes[1], 1)
        if rows[1] != column[0]:
            raise ShapeError(
                f"matmul: A has shape {shapes[0]}, B has {shapes[1]}; A's last axis must be as long as B's first"
            )
        product = self._apply(MatMul(), (self._reshaped(left, rows), self._reshaped(right, column)))
        return product.reshape(shapes[0][:-1] + shapes[1][1:])

    @staticmethod
    def _member_by_member(left: Other, right: Other) -> Any:
        """The products with a stack of matrices on the right; all products of entries are formed before the sum."""
        rows, stack = (operand if isinstance(operand, Value) else as_array(operand) for operand in (left, right))
        matrices = rows[None] if rows.ndim == 1 else rows
        try:
            if matrices.shape[-1] != stack.shape[-2]:
                raise ValueError
            np.broadcast_shapes(matrices.shape[:-2], stack.shape[:-2])
        except ValueError:
            raise ShapeError(
                f"matmul: A has shape {rows.shape}, B has {stack.shape}; A's last axis must be as long as B's last but "
                "one, and the axes before these must broadcast"
            ) from None
        product: Any = (matrices[..., None] * stack[..., None, :, :]).sum(axis=-2)
        return product[..., 0, :] if rows.ndim == 1 else product

    @staticmethod
    def _reshaped(operand: Other, shape: Shape) -> Other:
        if isinstance(operand, Value):
            return operand if operand.shape == shape else operand.reshape(shape)
        return as_array(operand).reshape(shape)

    # --- entries and axes ------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Self:
        if any(isinstance(part, Node) for part in (key if isinstance(key, tuple) else (key,))):
            raise GraphError("index: a value cannot be an index, which is constant; take the .array of the one meant")
        return self._apply(Indexed(key), (self,))

    def __setitem__(self, key: Any, new: Any) -> None:
        raise FrozenError(
            f"a value does not change: {self!r} cannot be written to. Take np.where(mask, new, old), or put new parts "
            "together with np.concatenate or np.stack"
        )

    @property
    def T(self) -> Self:
        """The transpose; with more than two axes, they are reversed."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Self:
        """Return the array with its axes in another order, reversed unless given."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = tuple(range(self.ndim))[::-1] if not given else tuple(int(a) % max(self.ndim, 1) for a in given)
        if sorted(order) != list(range(self.ndim)):
            raise ShapeError(f"transpose: the axes {tuple(given)} are not those of an array of shape {self.shape}")
        if order == tuple(range(self.ndim)):
            return self
        return self._apply(Transpose() if self.ndim == 2 else Permuted(order), (self,))

    def swapaxes(self, first: int, second: int) -> Self:
        """Return the array with two of its axes exchanged."""
        order = list(range(self.ndim))
        order[first], order[second] = order[second], order[first]
        return self.transpose(order)

    def reshape(self, *shape: Any) -> Self:
        """Return the entries, in C order, in another shape; one length may be -1."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
        return self._apply(Reshaping(tuple(map(int, wanted))), (self,))

    def ravel(self) -> Self:
        """Return the entries, in C order, as a vector."""
        return self.reshape((self.size,))

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Self:
        """Return the entries without axes of length 1: all of these, or the one or several that are asked for."""
        try:
            shape = self.array.squeeze(axis).shape
        except ValueError:
            raise ShapeError(f"squeeze: {self.name} has shape {self.shape}; {axis=} is not of length 1") from None
        return self.reshape(shape)

    def dot(self, other: Other) -> Self:
        """Return the product as `numpy.dot` has it: ``self @ other`` of vectors and matrices."""
        found: Self = dot(self, other)
        return found

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

    # --- reductions ------------------------------------------------------------------------------

    def sum(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the sum over all entries, or along one or several axes; it is accumulated in float64."""
        return self._over(Total, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the mean over all entries, or along one axis or several."""
        return self._over(Mean, axis, keepdims)

    def var(self, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Self:
        """Return the mean square distance from the mean; the sum is divided by the count minus `ddof`."""
        away = self - self.mean(axis, keepdims=True)
        found = (away * away).mean(axis, keepdims)
        if not ddof:
            return found
        count = self.size // max(found.size, 1)
        return found * (count / (count - ddof))

    def max(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the largest entries; of equal ones the first takes the whole derivative."""
        return self._over(lambda axis: Extreme("max", axis), axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the smallest entries; of equal ones the first takes the whole derivative."""
        return self._over(lambda axis: Extreme("min", axis), axis, keepdims)

    def _over(self, make: Callable[[int | None], Operation], axis: Any, keepdims: bool) -> Self:
        """One axis after another, from the last on; kept axes have length 1."""
        axes: list[int | None]
        if axis is None or isinstance(axis, (int, np.integer)):
            axes = [axis if axis is None else int(axis)]
        else:  # one that is out of range is refused by the operation
            axes = [
                *sorted({a % self.ndim if -self.ndim <= a < self.ndim else a for a in map(int, axis)}, reverse=True)
            ]
        found = self
        for own in axes:
            found = found._apply(make(own), (found,))
        if not keepdims:
            return found
        gone = range(self.ndim) if axis is None else [a % self.ndim for a in axes if a is not None]
        return found.reshape(tuple(1 if i in gone else n for i, n in enumerate(self.shape)))

    # --- what is constant ------------------------------------------------------------------------

    def __lt__(self, other: Other) -> Any:
        return self.array < _numbers(other)

    def __le__(self, other: Other) -> Any:
        return self.array <= _numbers(other)

    def __gt__(self, other: Other) -> Any:
        return self.array > _numbers(other)

    def __ge__(self, other: Other) -> Any:
        return self.array >= _numbers(other)

    def __eq__(self, other: object) -> Any:
        return self.array == _numbers(other)

    def __ne__(self, other: object) -> Any:
        return self.array != _numbers(other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.array)

    def __float__(self) -> float:
        self._origin.numbers_taken = True
        return float(self.array)

    def __int__(self) -> int:
        self._origin.numbers_taken = True
        return int(self.array)

    def __format__(self, how: str) -> str:
        return format(float(self.array), how) if how else str(self)

    def item(self) -> float:
        """Return the only entry, as a number."""
        self._origin.numbers_taken = True
        return float(self.array.item())

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Self]:
        for place in range(len(self.array)):
            yield self[place]

    # --- NumPy -----------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise GraphError(
            f"{self!r} does not become an array by itself, which would lose its derivatives. Take its .array, which is "
            "constant; put values together with np.stack or np.concatenate, not by writing them into an array"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if options.pop("out", None) is not None:
            raise FrozenError(
                f"{ufunc.__name__}: nothing is written in place where values are; write Z = Z + V in place of Z += V, "
                "and leave out out="
            )
        return numpy_functions.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.get("out") is not None:
            raise FrozenError(f"{function.__name__}: nothing is written in place where values are; leave out out=")
        return numpy_functions.function(function, args, options)


def _numbers(operand: Any) -> Any:
    return operand.array if isinstance(operand, Node) else operand
