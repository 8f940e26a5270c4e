"""The record of an evaluated operation: its Jacobians by input, built on request, and products with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Derivative, as_float, did_you_mean, kind_of
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Denominator, Jacobian
from jacobians.linops.algebra import pull_row

__all__ = ["Jacobians"]


Makers: TypeAlias = dict[str, Callable[[], Jacobian]]
"""By input's name, the function that builds the Jacobian on first use."""

Pull: TypeAlias = Callable[[Any, Collection[str]], Mapping[str, Any]]
"""From the Jacobian of something with respect to an operation's output, or a scalar's row, to those for some inputs.

The inputs are those of the names given."""

Second: TypeAlias = dict[tuple[str, str], Jacobian]
"""By a pair of inputs (a, b), the map from a tangent of b to the change of the cotangent of a; what is not there is 0.

Of (a, b) and (b, a), which are each other's transposes, one is stated."""

Row = TypeVar("Row", bound=Any)
"""A Jacobian, or an array that is a scalar's row."""


def _no_arithmetic(symbol: str, *, reflected: bool = False) -> Callable[[Jacobians, Any], Any]:
    """Return the method that refuses a record of Jacobians as an operand: one of them was meant."""

    def refuse(self: Jacobians, other: Any) -> Any:
        side = "right" if reflected else "left"
        with_shape = f"{other.structure} {other.shape}" if isinstance(other, Jacobian) else kind_of(other)
        raise ArgumentError(f"{symbol}: the {side} operand is {self._said()}; the other is {with_shape}")

    return refuse


class Jacobians(Derivative):
    """The Jacobians of one evaluated operation, one per input: ``J.X``, ``J["W"]``; built when first asked for.

    Parameters
    ----------
    operation : str
        The operation's name, for messages.
    makers : dict
        By input, a function that builds the Jacobian in numerator layout.
    layout : Layout, optional
        Whose vec order and derivative layout the Jacobians are handed out in.
    pull : callable, optional
        From a Jacobian with respect to the output, or a scalar's row, to those with respect to the inputs named, where
        that is cheaper together.
    second : callable, optional
        From a cotangent of the output to the operation's second derivative.
    inside : tuple, optional
        Of an operation made of operations, how its steps are linked, and their `Jacobians`.

    Examples
    --------
    >>> from jacobians import affine
    >>> Z, J = affine(np.ones((5, 4)), np.ones((4, 3)), np.zeros(3))
    >>> list(J), J.X.shape, J["W"].shape
    (['X', 'W', 'b'], (15, 20), (15, 12))
    """

    __slots__ = ("_built", "_layout", "_makers", "_pull", "_second", "inside", "operation")
    __array_ufunc__ = None
    __matmul__, __rmatmul__ = _no_arithmetic("@"), _no_arithmetic("@", reflected=True)
    __mul__, __rmul__ = _no_arithmetic("*"), _no_arithmetic("*", reflected=True)
    __add__, __radd__ = _no_arithmetic("+"), _no_arithmetic("+", reflected=True)
    __sub__, __rsub__ = _no_arithmetic("-"), _no_arithmetic("-", reflected=True)

    def __init__(
        self,
        operation: str,
        makers: Makers,
        layout: Layout | None = None,
        pull: Pull | None = None,
        second: Callable[[Array], Second] | None = None,
        inside: Any = None,
    ) -> None:
        self.operation = operation
        self._makers = makers
        self._layout = layout
        self._pull = pull
        self._second = second
        self.inside = inside
        self._built: dict[str, Jacobian] = {}

    def _said(self) -> str:
        """The words of an error: what the record is, and how to take one Jacobian from it."""
        names = list(self._makers)
        one = " or ".join(f"J.{name}" if name.isidentifier() else f"J[{name!r}]" for name in names[:3])
        return (
            f"the record J of {self.operation}'s Jacobians with respect to {', '.join(names)}, not one of them: "
            f"write {one}{' …' * (len(names) > 3)}"
        )

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Refuse: a record is no array.

        Raises
        ------
        ArgumentError
            Always; the text says how one Jacobian is taken.
        """
        raise ArgumentError(f"np.asarray: the argument is {self._said()}")

    def numerator(self, name: str) -> Jacobian:
        """Return the Jacobian with respect to one input in numerator layout, without a vec order of its own.

        Examples
        --------
        >>> from jacobians import affine
        >>> J = affine(np.ones((5, 4)), np.ones((4, 3)), np.zeros(3))[1]
        >>> J.numerator("W").shape
        (15, 12)
        """
        found = self._built.get(name)
        if found is None:
            if name not in self._makers:
                raise KeyError(
                    f"{self.operation} has Jacobians with respect to {', '.join(self._makers)}; not to {name!r}"
                )
            found = self._built[name] = self._makers[name]()
        return found

    def pull(self, row: Row, names: Collection[str] | None = None) -> dict[str, Row]:
        """Return ``row @ J[name]`` for every input, or for those of some names, in numerator layout.

        A scalar's row may be given as an array in the output's shape; the results are then arrays too.

        Examples
        --------
        >>> from jacobians import affine
        >>> J = affine(np.ones((2, 2)), np.ones((2, 2)), np.zeros(2))[1]
        >>> J.pull(np.ones((2, 2)), {"b"})
        {'b': array([2., 2.])}
        """
        if names is None:
            names = self._makers
        if self._pull is not None:
            together = self._pull(row, names)
            return {name: together[name] for name in names}
        pulled: dict[str, Any] = {}
        is_array = type(row) is np.ndarray or not isinstance(row, Jacobian)
        for name in names:
            jacobian = self.numerator(name)
            if not is_array:
                pulled[name] = row @ jacobian
            else:
                pulled[name] = jacobian._vjp(row) if row.dtype == jacobian.dtype else pull_row(row, jacobian)
        return pulled

    def second(self, cotangent: npt.ArrayLike) -> Second:
        r"""Return the second derivative of ⟨ḡ, value⟩, :math:`M = \sum_k \bar g_k \nabla^2 f_k`, by pairs of inputs.

        M[a, b] is the Jacobian of the vjp's part for a with respect to b, in numerator layout. A missing pair is 0. Of
        (a, b) and (b, a) one is stated, and the other is its transpose.

        Parameters
        ----------
        cotangent : array_like, shape of the value
            ḡ.

        Raises
        ------
        ShapeError
            If the cotangent has another shape.
        DomainError
            If the operation states no second derivative, or has none at these inputs.

        References
        ----------
        Magnus & Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., ch. 6 and 10.

        Examples
        --------
        >>> from jacobians.operations import matmul
        >>> value, J = matmul(np.ones((2, 3)), np.ones((3, 4)))
        >>> J.second(np.ones((2, 4)))
        {('A', 'B'): Kronecker(2×4, I₃) @ Commutation(3, 4): 6×12 float64, (3, 4) → (2, 3), 64 B}
        """
        if self._second is None:
            raise DomainError(
                f"{self.operation}: this record has first derivatives alone; evaluate the operation again for second "
                "ones"
            )
        given = as_float(cotangent, "cotangent", "second")
        expected = self.numerator(next(iter(self._makers))).codomain
        if given.shape != expected:
            raise ShapeError(
                f"second: the cotangent has shape {given.shape}; {self.operation}'s value has shape {expected}"
            )
        return self._second(given)

    def __getitem__(self, name: str) -> Jacobian:
        if not isinstance(name, str):
            raise ArgumentError(f"{self.operation}: {kind_of(name)} is no name; choose from {', '.join(self._makers)}")
        jacobian = self.numerator(name)
        return jacobian if self._layout is None else in_layout(jacobian, self._layout)

    def __getattr__(self, name: str) -> Jacobian:
        if name.startswith("_"):  # no input; asked for while a copy is made, before there is anything to look in
            raise AttributeError(name)
        if name in self._makers:
            return self[name]
        if hasattr(Jacobian, name):
            raise AttributeError(f".{name}: this is {self._said()}, then .{name}")
        near = did_you_mean(name, self._makers)
        raise AttributeError(
            f"{self.operation} has Jacobians with respect to {', '.join(self._makers)}; not to {name!r}{near}"
        )

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *filter(str.isidentifier, self._makers)})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._makers)

    def __reduce__(self) -> tuple[Any, ...]:
        # makers are functions, which pickle does not take: the Jacobians themselves are stored
        return _built, (self.operation, {name: self.numerator(name) for name in self._makers}, self._layout)

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __repr__(self) -> str:
        return "\n".join(
            [f"Jacobians of {self.operation} with respect to", *(f"  {name}: {self[name]!r}" for name in self)]
        )


def _built(operation: str, jacobians: dict[str, Jacobian], layout: Layout | None) -> Jacobians:
    """A record of Jacobians that are there already."""
    return Jacobians(operation, {name: partial(_given, jacobian) for name, jacobian in jacobians.items()}, layout)


def _given(jacobian: Jacobian) -> Jacobian:
    return jacobian


def in_layout(jacobian: Jacobian, layout: Layout) -> Jacobian:
    """Return a numerator Jacobian as the layout writes it: its vec order, its derivative layout."""
    jacobian = jacobian.ordered(layout.vec)
    return Denominator(jacobian) if layout.derivative == "denominator" else jacobian
