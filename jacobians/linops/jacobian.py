"""The one interface of every structured Jacobian: a linear map between arrays.

A Jacobian maps tangents of shape `domain` to tangents of shape `codomain`, and cotangents the other way.
These *actions* do not depend on how arrays are unrolled; only *matrices* do. So the vec order is an
argument of the matrix views, with a default that the operator carries from its layout.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from html import escape
from numbers import Number
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeAlias, cast

import numpy as np

from jacobians.arrays import (
    Array,
    Derivative,
    DType,
    Shape,
    StandIn,
    as_float,
    format_bytes,
    is_sparse,
    kind_of,
    no_attribute,
    size_of,
)
from jacobians.errors import ArgumentError, DomainError, LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.layout import Order
from jacobians.linops.kernels import may_alias
from jacobians.linops.laid_out import laid_out
from jacobians.linops.matrix_views import MatrixViews
from jacobians.linops.unrolling import known_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes


Leaf: TypeAlias = Callable[[Array], Array]
"""What is done to each array that a structure stores."""

_NATIVE = (np.dtype(np.float64), np.dtype(np.float32))
_ARRAYS: tuple[Any, ...] = (np.ndarray, StandIn)


_CALLED_ELSEWHERE = {
    "todense": "to_dense(), or J.toarray() as SciPy has it",
    "A": "to_dense()",
    "numpy": "to_dense()",
    "to_numpy": "to_dense()",
    "to_array": "to_dense()",
    "dense": "to_dense()",
    "tocsr": "to_sparse()",
    "tocsc": "to_sparse()",
    "tocoo": "to_sparse()",
    "transpose": "T",
    "H": "T",
    "adjoint": "T",
    "grad": "gradient",
    "pullback": "vjp(cotangent)",
    "pushforward": "jvp(tangent)",
    "apply": "jvp(tangent)",
    "forward": "jvp(tangent)",
    "backward": "vjp(cotangent)",
    "inv": "inverse()",
    "eig": "eigh()",
    "matmul": "dot(other)",
    "diag": "diagonal()",
    "svd": "to_dense(), and np.linalg.svd of it",
    "rank": "to_dense(), and np.linalg.matrix_rank of it",
    "eigvals": "eigh(), where it is symmetric",
    "nnz": "to_sparse().nnz",
    "to_scipy": "to_sparse()",
    "matrix": "to_dense()",
    "eigenvalues": "eigh(), where it is symmetric",
    "grad_fn": "structure",
}
"""What arrays, sparse matrices and other libraries call something, and what it is called here."""


class Jacobian(MatrixViews):
    """A structured Jacobian: what it maps, how it acts, and its matrix on request.

    The constructor does not check shapes. A structure that takes a shape from a user checks it with `as_shape`.

    Attributes
    ----------
    codomain, domain : tuple of int
        Shapes of the output's and of the input's array, of any rank.
    dtype : numpy.dtype
        The dtype of the matrix's entries.
    order : {"C", "F"} or None
        The vec order of the matrix views; None fits any chain and is read as "C".

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import linear
    >>> Z, J = linear(np.eye(2), np.ones((2, 3)))
    >>> J.W, J.W.codomain, J.W.domain, J.W.shape
    (Kronecker(2×2, I₃): 6×6 float64, (2, 3) → (2, 3), 32 B, (2, 3), (2, 3), (6, 6))
    """

    __slots__ = ("codomain", "domain", "dtype", "order")
    __array_ufunc__ = None

    # hung on the class in linops/__init__.py: the rules and the solvers know other structures, the pictures stand above
    _compose: ClassVar[Callable[[Jacobian, Jacobian], Jacobian]]
    _add: ClassVar[Callable[[Jacobian, Jacobian], Jacobian]]
    _beside: ClassVar[Callable[[Jacobian, Any], Jacobian]]
    _after: ClassVar[Callable[[Jacobian, Any], Jacobian]]
    _scale: ClassVar[Callable[[float, Jacobian], Jacobian]]
    _picture: ClassVar[Callable[[Jacobian], str]]
    plot: ClassVar[Callable[..., Axes]]
    block_diagonal: ClassVar[Callable[..., Any]]
    solve: ClassVar[Callable[[Jacobian, Array], Array]]
    inverse: ClassVar[Callable[[Jacobian], Jacobian]]
    det: ClassVar[Callable[[Jacobian], float]]
    logdet: ClassVar[Callable[[Jacobian], float]]
    trace: ClassVar[Callable[[Jacobian], float]]
    norm: ClassVar[Callable[..., float]]
    eigh: ClassVar[Callable[[Jacobian], tuple[Array, Jacobian]]]

    def __init__(self, codomain: Shape, domain: Shape, dtype: DType) -> None:
        self.codomain = codomain
        self.domain = domain
        self.dtype = dtype if dtype in _NATIVE else as_float(np.empty(0, dtype), "dtype", type(self).__name__).dtype
        self.order = None

    @abstractmethod
    def _transpose(self) -> Jacobian: ...

    def _factors(self) -> tuple[Jacobian, ...]:
        """The factors of a chain; any other Jacobian is its own single factor."""
        return (self,)

    def _planned(self) -> tuple[Jacobian, ...]:
        """The same, for a plan: of a long chain shorter ones."""
        return (self,)

    def _makes_new(self) -> bool:
        """Whether every action computes a new array, so that no check for shared memory is needed."""
        return False

    def _is_symmetric(self) -> bool:
        """Whether the structure alone makes the matrix symmetric, so that it is the same in both derivative layouts."""
        return False

    def _packed_sizes(self) -> tuple[Sequence[int], Sequence[int]]:
        """The sizes of the arrays in the packed vectors of the output and of the input; empty where it is one array."""
        return (), ()

    def _packed_parts(self) -> tuple[tuple[tuple[str, Shape, Order], ...], tuple[tuple[str, Shape, Order], ...]]:
        """The names, shapes and vec orders of these arrays, where they have names."""
        return (), ()

    @property
    def numerator(self) -> Jacobian:
        """The same map in numerator layout: itself, unless it is a `Denominator`.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import linear
        >>> from jacobians import Layout
        >>> J = linear(np.ones((5, 4)), np.ones((4, 3)), Layout(derivative="denominator"))[1]
        >>> J.W.shape, J.W.numerator.shape
        ((12, 15), (15, 12))
        """
        return self

    # --- with other leaves, and in symbols -------------------------------------------------------

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        """The same structure, with `leaf` applied to each of its arrays and `inner` to each Jacobian in it."""
        held = {name: _replaced(value, leaf, inner) for name, value in self._held().items()}
        other = object.__new__(type(self))
        for name, value in held.items():
            setattr(other, name, value)
        changed = [v.dtype for v in held.values() if _is_leaf(v)]
        changed += [j.dtype for v in held.values() for j in (v if isinstance(v, tuple) else (v,)) if _is_inner(j)]
        other.dtype = np.result_type(*changed) if changed else self.dtype
        return other

    def _held(self) -> dict[str, Any]:
        """Everything that an instance holds, by name."""
        own = self.__dict__ if type(self).__dictoffset__ else {}
        return {name: getattr(self, name) for name in self._slots} | own

    def positive(self, leaf: Leaf) -> Jacobian:
        """Return the same structure without minus signs, its arrays mapped by a function that is never negative.

        Applied with ones it shows where entries may be non-zero; with magnitudes it bounds the rounding. By default a
        structure's arrays are assumed to enter it with a plus sign.

        Parameters
        ----------
        leaf : callable
            From an array to another of its shape.

        Examples
        --------
        >>> from jacobians.linops import Kronecker
        >>> Kronecker(1, np.array([[0.0, -3.0]])).positive(np.abs).to_dense()
        array([[0., 3.]])
        """
        return self._with_leaves(leaf, lambda inner: inner.positive(leaf))._with_order(self.order)

    def _in_one_dtype(self) -> Self:
        if all(a.dtype == self.dtype for a in self.arrays if a.dtype.kind == "f"):
            return self
        dtype = self.dtype

        def inner(jacobian: Jacobian) -> Jacobian:
            return jacobian._with_leaves(lambda a: a.astype(dtype), inner)._with_order(jacobian.order)

        return cast(Self, inner(self))

    _rule: ClassVar[tuple[str, str]] = ("matrix", "A Jacobian without a known formula is multiplied as it is")
    """Of the step in which a row passes the structure: the rule's name, and a sentence."""
    _joining: ClassVar[str] = ""
    """The rule by which the structure, on the left, becomes one with its neighbour; its own unless given."""

    def _squeezes(self) -> bool:
        """Whether it only adds or drops axes of one entry, so that its matrix is the identity."""
        return False

    def _written(self, write: Any, order: Order) -> str | None:
        """The matrix of a structure of expressions, written in a notation; None where it has only a name."""
        return None

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        """The rule by which a row passes the structure, row · J = image: its name, and a sentence."""
        rule, sentence = self._rule
        return rule, f"{sentence}: {row} {write.matrix(self, order)} = {image}."

    def _step_back(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        """The same where the row passes Jᵀ."""
        rule, sentence = self._rule
        return rule, f"{sentence}: {row} {write.transpose(write.matrix(self, order))} = {image}."

    # --- sizes -------------------------------------------------------------------------

    @property
    def nbytes(self) -> int:
        """Bytes of the stored arrays; an array and its transpose count once.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Kronecker
        >>> J = Kronecker(np.array([[1.0, 2.0], [3.0, 4.0]]), 3)
        >>> J.nbytes, J.to_dense().nbytes
        (32, 288)
        """
        return sum(size for _, size in {(a.ctypes.data, a.nbytes) for a in self.arrays})

    @property
    def T(self) -> Jacobian:
        """The transpose, with `domain` and `codomain` exchanged.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Kronecker
        >>> J = Kronecker(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
        >>> J.T.to_dense()
        array([[1., 3.],
               [2., 4.]])
        """
        return self._transpose()._with_order(self.order)

    @property
    def gradient(self) -> Array:
        """The gradient of a scalar: a new array in the input's own shape.

        Raises
        ------
        LayoutError
            If the output is not a scalar.

        Examples
        --------
        >>> from jacobians import total
        >>> total([[1.0, 2.0], [3.0, 4.0]])[1].gradient
        array([[1., 1.],
               [1., 1.]])
        """
        if self.codomain != ():
            raise LayoutError(
                f"gradient: the output has shape {self.codomain}; only a scalar's Jacobian is a gradient. "
                "Multiply a loss's Jacobian from the left, or take vjp(cotangent)"
            )
        return self.vjp(np.ones((), dtype=self.dtype))

    def ordered(self, order: Order) -> Self:
        """Return the same map whose matrix views unroll arrays in this order by default.

        A map between vectors and scalars has one matrix for both orders, so it keeps none and fits any chain.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Kronecker
        >>> J = Kronecker(np.array([[1.0, 2.0]]), 2)
        >>> J.ordered("F").to_dense()
        array([[1., 2., 0., 0.],
               [0., 0., 1., 2.]])
        >>> J.to_dense()
        array([[1., 0., 2., 0.],
               [0., 1., 0., 2.]])
        """
        known_order(order, "ordered")
        return self._with_order(order if max(len(self.codomain), len(self.domain)) > 1 else None)

    def _with_order(self, order: Order | None) -> Self:
        if order == self.order:
            return self
        # what copy.copy does, without its detour by way of pickling: a third of the time, at every factor of a chain
        other = object.__new__(type(self))
        for name in self._slots:
            setattr(other, name, getattr(self, name))
        if type(self).__dictoffset__:  # an instance without a dict would make an error when asked
            other.__dict__.update(self.__dict__)
        other.order = order
        return other

    # --- actions ---------------------------------------------------------------------------------

    @written("J.jvp(tangent)")
    def jvp(self, tangent: Array) -> Array:
        """Return J·tangent (the pushforward), for one tangent of shape `domain` or a stack of them.

        Parameters
        ----------
        tangent : ndarray, shape (*stack, *domain)

        Returns
        -------
        ndarray, shape (*stack, *codomain)
            A new array.

        Raises
        ------
        ShapeError
            If the trailing axes are not `domain`.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Kronecker
        >>> J = Kronecker(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
        >>> J.jvp([[1.0], [0.0]])
        array([[1.],
               [3.]])
        """
        image = self._jvp(self._stack(tangent, self.domain, "jvp", "tangent", "domain"))
        if self._makes_new() and image.flags.writeable:
            return image
        return image.copy(order="K") if may_alias(image, (tangent, *self.arrays)) else image

    @written("J.vjp(cotangent)")
    def vjp(self, cotangent: Array) -> Array:
        """Return Jᵀ·cotangent (the pullback), for one cotangent of shape `codomain` or a stack of them.

        Parameters
        ----------
        cotangent : ndarray, shape (*stack, *codomain)

        Returns
        -------
        ndarray, shape (*stack, *domain)
            A new array.

        Raises
        ------
        ShapeError
            If the trailing axes are not `codomain`.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Kronecker
        >>> J = Kronecker(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
        >>> J.vjp([[1.0], [0.0]])
        array([[1.],
               [2.]])
        """
        image = self._vjp(self._stack(cotangent, self.codomain, "vjp", "cotangent", "codomain"))
        if self._makes_new() and image.flags.writeable:
            return image
        return image.copy(order="K") if may_alias(image, (cotangent, *self.arrays)) else image

    def _stack(self, value: Array, expected: Shape, operation: str, name: str, side: str) -> Array:
        if type(value) is np.ndarray and value.dtype == self.dtype and value.shape == expected:
            return value
        array = as_float(value, name, operation)
        rank = len(expected)
        if array.shape[array.ndim - rank :] != expected or array.ndim < rank:
            hint = ""
            if array.shape == expected[::-1]:
                hint = "; its transpose would fit: is the batch on the other axis?"
            elif array.shape == (size_of(expected),):
                hint = "; it has the size of an unrolled one: matvec and rmatvec take vectors"
            elif array.shape in (self.domain, self.codomain):
                hint = "; it would fit the other side: vjp takes cotangents, jvp takes tangents"
            raise ShapeError(
                f"{operation}: the {name} has shape {array.shape}, {self.structure} has {side} {expected}{hint}"
            )
        return array.astype(np.result_type(array.dtype, self.dtype), copy=False)

    # --- algebra ---------------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, Jacobian):
            return Jacobian._compose(self, other)
        if isinstance(other, _ARRAYS):
            return self.matvec(other) if other.ndim == 1 else self.matmat(other)
        if is_sparse(other):
            return Jacobian._compose(self, Jacobian._after(self, other)) if other.ndim == 2 else self @ other.toarray()
        _refuse("@", other, self)
        return NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        if isinstance(other, _ARRAYS):
            return self.rmatvec(other) if other.ndim == 1 else self.rmatmat(other.T).T
        _refuse("@", other, self)
        return NotImplemented

    def __getitem__(self, index: Any) -> NoReturn:
        if isinstance(index, str):
            raise ArgumentError(f"[{index!r}]: {self.structure} {self.shape} is one Jacobian, and no record of several")
        raise ArgumentError(f"[…]: {self.structure} {self.shape} has no entries of its own; write J.to_dense()[…]")

    if not TYPE_CHECKING:  # a type checker is to find every name that is not there

        def __getattr__(self, name: str) -> Any:
            meant = f"; write J.{_CALLED_ELSEWHERE[name]}" if name in _CALLED_ELSEWHERE else ""
            if not meant and name[0].isupper():
                meant = "; it is one Jacobian, and no record of several"
            raise no_attribute(self, name, meant)

    def dot(self, other: Any) -> Any:
        """Return ``self @ other`` for a Jacobian, a vector or a matrix, as NumPy's and SciPy's matrices do.

        Examples
        --------
        >>> from jacobians.linops import Diagonal
        >>> Diagonal(np.array([3.0, 4.0])).dot([1.0, 2.0])
        array([3., 8.])
        """
        return self @ (
            other if isinstance(other, Derivative) or is_sparse(other) else as_float(other, "operand", "dot")
        )

    def __add__(self, other: Any) -> Jacobian:
        if isinstance(other, Jacobian):
            return Jacobian._add(self, other)
        if isinstance(other, _ARRAYS) or is_sparse(other):
            return Jacobian._add(self, Jacobian._beside(self, other))
        _refuse("+", other, self)
        return NotImplemented

    def __radd__(self, other: Any) -> Jacobian:
        # sum([J₁, J₂]) starts from the number 0
        return self if isinstance(other, int) and other == 0 else self.__add__(other)

    def __sub__(self, other: Any) -> Jacobian:
        if isinstance(other, Jacobian):
            return self + (-other)
        if isinstance(other, _ARRAYS) or is_sparse(other):
            return self - Jacobian._beside(self, other)
        _refuse("-", other, self)
        return NotImplemented

    def __rsub__(self, other: Any) -> Jacobian:
        return (-self).__add__(other)

    def __mul__(self, factor: Any) -> Jacobian:
        if isinstance(factor, Derivative) or np.ndim(factor) != 0:
            _refuse("*", factor, self)
            return NotImplemented
        number = float(as_float(factor, "factor", "*"))
        if not abs(number) <= float(np.finfo(self.dtype).max):
            raise DomainError(f"*: the factor {number:g} is not finite in {self.dtype}, the dtype of {self.structure}")
        return Jacobian._scale(number, self)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Jacobian:
        if isinstance(divisor, Derivative) or np.ndim(divisor) != 0:
            return NotImplemented
        number = float(as_float(divisor, "divisor", "/"))
        if number == 0:
            raise DomainError(f"/: {self.structure} {self.shape} cannot be divided by zero")
        if abs(number) < 1 / float(np.finfo(self.dtype).max):
            raise DomainError(
                f"/: 1/{number:g} is not finite in {self.dtype}, the dtype of {self.structure}; divide in two steps"
            )
        return self * (1.0 / number)

    def __pow__(self, exponent: Any) -> NoReturn:
        raise ArgumentError(f"**: {self.structure} {self.shape} has no powers; the product with itself is J @ J")

    def __neg__(self) -> Jacobian:
        return self * -1.0

    # --- display ---------------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows, columns = self.shape
        size = f"{rows}×{columns} {self.dtype}, {self.domain} → {self.codomain}, {format_bytes(self.nbytes)}"
        line = f"{self.structure}: {size}"
        return line if len(line) <= _LINE else f"{size}:\n{laid_out(self.structure, _PAGE, '    ')}"

    def _repr_latex_(self) -> str:
        rows, columns = self.shape
        special = {c: f"\\{c}" for c in "#$%&_{}"} | {"\\": "/", "~": " ", "^": " "}
        text = "".join(special.get(c, c) for c in self.structure)
        return rf"$\text{{{text}}} \in \mathbb{{R}}^{{{rows} \times {columns}}}$"

    def _repr_html_(self) -> str:
        rows, columns = self.shape
        cells = {
            "structure": self.structure,
            "matrix": f"{rows} × {columns}",
            "maps": f"{self.domain} → {self.codomain}",
            "dtype": str(self.dtype),
            "stored": format_bytes(self.nbytes),
            "dense": format_bytes(rows * columns * self.dtype.itemsize),
        }
        lines = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in cells.items())
        return f"<table>{lines}</table>{Jacobian._picture(self)}"


_LINE = 120
"""Up to so many letters a Jacobian shows itself in one line."""

_PAGE = 80

_NUMBERS = {
    "@": "a number multiplies by *: 2 * J",
    "+": "J + c * Identity(J.domain) adds to the diagonal",
    "-": "J - c * Identity(J.domain) subtracts from the diagonal",
}
"""By an operator, what is written where a number stands on its other side."""


def _refuse(symbol: str, other: Any, jacobian: Jacobian) -> None:
    """Raise ArgumentError where the operator is not defined between a Jacobian and this kind of operand."""
    if isinstance(other, (tuple, list)) and any(isinstance(item, Derivative) for item in other):
        mend = "an operation returns both: take the Jacobian alone, as in A, J = sigmoid(Z)"
    elif isinstance(other, (Number, np.generic)):
        mend = _NUMBERS[symbol]
    elif symbol == "*" and isinstance(other, Jacobian):
        mend = "the product of Jacobians is J1 @ J2"
    elif symbol == "@" and isinstance(other, dict):
        mend = "expected a Jacobian, or an array: of one input J.jvp(array), of all parameters J @ net.pack(arrays)"
    elif isinstance(other, (str, tuple, list, dict)) or other is None:
        mend = "expected a number" if symbol == "*" else "expected a Jacobian, or an array"
    else:
        return
    own = f"{jacobian.structure} {jacobian.shape}"
    raise ArgumentError(f"{symbol}: one operand is {kind_of(other)}, the other is {own}; {mend}")


def _is_leaf(value: Any) -> bool:
    return isinstance(value, _ARRAYS) and value.dtype.kind == "f"  # an index array is no leaf


def _is_inner(value: Any) -> bool:
    return isinstance(value, Jacobian)


def _replaced(value: Any, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Any:
    if _is_leaf(value):
        return leaf(value)
    if _is_inner(value):
        return inner(value)
    return tuple(map(inner, value)) if isinstance(value, tuple) and value and all(map(_is_inner, value)) else value
