"""What an operation is: a value, and the structure of its Jacobian with respect to every input, stated once.

Beside it stands the structure of its second derivative. An operation states numerators only. `Jacobians` builds a
structured Jacobian on request and puts it into the layout's vec order and derivative layout. No operation deals with
either.
"""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature
from keyword import iskeyword
from typing import Any, ClassVar, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, OfGraph, Shape, as_array, as_float, kind_of, of_graph
from jacobians.errors import ArgumentError, DomainError, FrozenError, LayoutError, ShapeError
from jacobians.first_tries import says_how_it_is_made
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import Diagonal, Jacobian
from jacobians.operations.record import Jacobians, Makers, Second
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Call, Expr, Number
from jacobians.symbols.named_functions import FORMS, Function, Rule, numbers_of

__all__ = ["Elementwise", "Operation", "Primitive", "Unary"]


V = TypeVar("V", bound=OfGraph)


class Naming:
    """Gives an operation's value a symbol, of which its Jacobian is then made; here, a value is its own formula."""

    def __call__(self, value: Expr) -> Expr:
        """Return what stands for a value; asked twice, the same."""
        return value

    def inside(self, letter: str = "H") -> Naming:
        """Return the naming of one value inside the operation, by a letter and perhaps a number."""
        return self

    def constant(self, letter: str, array: Array) -> Expr:
        """Return a symbol for an array that the operation holds.

        Raises
        ------
        TypeError
            If none can be given.
        """
        raise TypeError(f"no symbol is known for the constant {letter}")


UNNAMED = Naming()


class Frozen:
    """Its public attributes are set once, by the constructor, so that computed and recorded results stay valid."""

    _called: ClassVar[str] = "it"
    """What an error's text calls such an object."""

    def __repr__(self) -> str:
        """The call that makes such an object: its class, and the arguments that are not the defaults."""
        shown = []
        for name, parameter in signature(type(self)).parameters.items():
            value = getattr(self, name, parameter.default)
            if isinstance(value, np.ndarray):
                shown.append(f"{name}={kind_of(value)}")
            elif value not in (parameter.default, DEFAULT_LAYOUT):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> None:
        if (name in vars(self) or f"_{name}" in vars(self)) and not name.startswith("_"):
            kind, replace = type(self).__name__, getattr(type(self), "replace", None)
            mend = f"make a new {kind}"
            if replace is not None:
                change = f"{name}={value!r}" if name in signature(replace).parameters and len(repr(value)) < 80 else "…"
                mend = f"{self._called}.replace({change}) returns a changed one"
            raise FrozenError(f"{kind}.{name} does not change once it is set; {mend}")
        super().__setattr__(name, value)


class Operation(Frozen, ABC):
    """A differentiable map of arrays: a `Primitive` that states its structure, or a combinator of others.

    The first of its inputs is what flows through a network; the others are parameters. What a constructor sets does
    not change afterwards: make a new operation instead.

    Examples
    --------
    >>> from jacobians.operations import Affine
    >>> layer = Affine("pytorch", sizes=(4, 3))
    >>> layer.names, layer.parameter_shapes()
    (('X', 'W', 'b'), {'W': (3, 4), 'b': (3,)})
    """

    inputs: ClassVar[tuple[str, ...]] = ("X",)
    layout: Layout | None = None
    per_example = False
    """Whether every example's output depends on that example alone, so that a batch may be cut into blocks."""
    piecewise_linear = False
    """Whether it is linear in all inputs together, or so between kinks: it then has no second derivative to state."""
    no_formula: ClassVar[str] = "has no formula"
    """What an explanation says where it has none."""
    reads: ClassVar[tuple[str, ...]] = ()
    """The fields of its layout that it reads beside those of matrices, such as "images"."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        says_how_it_is_made(cls)
        for name in cls.inputs:
            if hasattr(Jacobians, name):
                raise TypeError(f"{cls.__name__}: an input called {name!r} would hide Jacobians.{name}; rename it")
            if name.startswith("_"):
                raise TypeError(f"{cls.__name__}: an input called {name!r} is not reached as J.{name}; rename it")

    @property
    def time_first(self) -> bool:
        """Whether it reads sequences time-first, so that examples lie along another axis than the layout's batch."""
        return False

    @property
    def name(self) -> str:
        """The operation's name in messages, tables and programs.

        Examples
        --------
        >>> from jacobians.operations import Affine
        >>> Affine().name
        'affine'
        """
        return type(self).__name__.lower()

    @classmethod
    def own_name(cls) -> str:
        """Return the name of every instance, where it does not depend on the instance.

        Examples
        --------
        >>> from jacobians.operations import Tanh
        >>> Tanh.own_name()
        'tanh'
        """
        stated: object = cls.name  # a property where the class states none
        return stated if isinstance(stated, str) else cls.__name__.lower()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the differentiable inputs of this instance.

        Examples
        --------
        >>> from jacobians.operations import Affine
        >>> Affine().names
        ('X', 'W', 'b')
        """
        return self.inputs

    @overload
    def __call__(self, first: V, /, *others: Any) -> V: ...
    @overload
    def __call__(self, *arrays: npt.ArrayLike) -> tuple[Array, Any]: ...
    def __call__(self, *arrays: Any) -> Any:
        """Return the value and its `Jacobians`, in this operation's layout; a `Unary` returns the Jacobian itself.

        Of values of a graph, see `jacobians.values`, it returns a value.
        """
        if (value := of_graph(arrays)) is not None:
            return value._apply(self, arrays)
        return self._evaluate(*self._accept(arrays))

    def evaluate(self, *arrays: npt.ArrayLike) -> tuple[Array, Jacobians]:
        """Return the value and its `Jacobians`, in this operation's layout, however many inputs there are.

        Examples
        --------
        >>> from jacobians.operations import Tanh
        >>> value, J = Tanh().evaluate([0.0, 1.0])
        >>> list(J)
        ['X']
        """
        return self._evaluate(*self._accept(arrays))

    @abstractmethod
    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        """Value and Jacobians from arrays that are real numbers."""

    def _accept(self, arrays: tuple[npt.ArrayLike, ...]) -> list[Array]:
        self._check_count(arrays)
        return [as_float(a, n, self.name) for a, n in zip(arrays, self.names, strict=True)]

    def _check_count(self, arrays: Sequence[object]) -> None:
        if len(arrays) != len(self.names):
            raise ArgumentError(f"{self.name}: {len(arrays)} arrays are given, it takes {', '.join(self.names)}")

    def parameter_shapes(self) -> Mapping[str, Shape]:
        """Shapes of the parameters by name, where the operation fixes them; empty without parameters.

        Examples
        --------
        >>> from jacobians.operations import Affine
        >>> Affine("pytorch", sizes=(4, 3)).parameter_shapes()
        {'W': (3, 4), 'b': (3,)}
        """
        return {}

    def moved_to(self, layout: AnyLayout) -> Operation:
        """Return the same operation in another layout.

        Raises
        ------
        LayoutError
            If it is known in its own layout only.

        Examples
        --------
        >>> from jacobians.operations import Affine
        >>> Affine("pytorch", sizes=(4, 3)).moved_to("cs231n").parameter_shapes()
        {'W': (4, 3), 'b': (3,)}
        """
        if self.layout in (None, find_layout(layout)):
            return self
        raise LayoutError(f"explain: {self.name} keeps its own layout; build it in {layout} to see it there")

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value as a formula, and makers of the Jacobians in symbols; here, this operation run on symbols.

        Parameters
        ----------
        *inputs : Expr
        name : callable, optional
            Called with the formula of the value; returns what a Jacobian made of the value is made of.

        Examples
        --------
        >>> from jacobians.operations import MatMul
        >>> from jacobians.symbols.expressions import Symbol
        >>> from jacobians.symbols.text import TextNotation
        >>> value, makers = MatMul().in_symbols(Symbol("X", (5, 4)), Symbol("W", (4, 3)))
        >>> TextNotation().expr(value), TextNotation().matrix(makers["B"](), "C")
        ('X W', '(X ⊗ I₃)')
        """
        value, jacobians = self._evaluate(*cast("list[Array]", inputs))
        return cast(Expr, value), {wrt: partial(jacobians.numerator, wrt) for wrt in jacobians}

    def second_in_symbols(self, cotangent: Expr, *inputs: Expr) -> Second:
        """Return the second derivative of ⟨Ḡ, value⟩ in symbols; here, this operation's own, run on symbols.

        Examples
        --------
        >>> from jacobians.operations import Square
        >>> from jacobians.symbols.expressions import Symbol
        >>> from jacobians.symbols.text import TextNotation
        >>> second = Square().second_in_symbols(Symbol("G", (5, 4)), Symbol("X", (5, 4)))
        >>> TextNotation().matrix(second["X", "X"], "C")
        'diag(vec (G ∘ square″(X)))'
        """
        second = self._evaluate(*cast("list[Array]", inputs))[1]._second
        if second is None:
            raise NotImplementedError(f"{self.name} has first derivatives alone")
        return second(cast(Array, cotangent))


class Primitive(Operation):
    """An operation that states its value and the structure of its Jacobians in `_linearize`.

    Examples
    --------
    >>> class Difference(Primitive):
    ...     inputs = ("A", "B")
    ...     def _linearize(self, A, B):
    ...         from jacobians.linops import Identity
    ...         return A - B, {"A": lambda: Identity(A.shape), "B": lambda: -Identity(B.shape)}
    >>> value, J = Difference()([1.0, 2.0], [4.0, 3.0])
    >>> value, J.B.diagonal()
    (array([-3., -1.]), array([-1., -1.]))
    """

    @abstractmethod
    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        """Value and makers of the Jacobians, in numerator layout, from arrays that are real numbers."""

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """The second derivative of ⟨cotangent, value⟩ by pairs of inputs, see `Jacobians.second`."""
        if self.piecewise_linear:
            return {}
        raise DomainError(
            f"{self.name}: the operation states no second derivative, which a Hessian needs; define "
            "_second(cotangent, *arrays), or set piecewise_linear = True if there is none"
        )

    def second_in_symbols(self, cotangent: Expr, *inputs: Expr) -> Second:
        """Return the second derivative of ⟨Ḡ, value⟩ in symbols; here, `_second` run on symbols."""
        return self._second(cast(Array, cotangent), *cast("list[Array]", inputs))

    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        value, makers = self._linearize(*arrays)
        second = partial(self._second_of, arrays)
        return value, Jacobians(self.name, makers, self.layout, second=second)

    def _second_of(self, arrays: tuple[Array, ...], cotangent: Array) -> Second:
        return self._second(cotangent, *arrays)


class Unary(Primitive):
    """An operation of one array; called, it returns the Jacobian itself, not a record.

    Examples
    --------
    >>> class Reversed(Unary):
    ...     def _linearize(self, X):
    ...         from jacobians.linops import Selection
    ...         return X[::-1].copy(), {"X": lambda: Selection((slice(None, None, -1),), X.shape)}
    >>> Reversed()([1.0, 2.0, 3.0])[0]
    array([3., 2., 1.])
    """

    @overload
    def __call__(self, first: V, /, *others: Any) -> V: ...
    @overload
    def __call__(self, *arrays: npt.ArrayLike) -> tuple[Array, Jacobian]: ...
    def __call__(self, *arrays: Any) -> Any:
        """Return the value and the Jacobian, in this operation's layout; of a value of a graph, a value."""
        if (of_a_graph := of_graph(arrays)) is not None:
            return of_a_graph._apply(self, arrays)
        value, jacobians = self._evaluate(*self._accept(arrays))
        return value, jacobians[self.inputs[0]]

    def apply(self, X: npt.ArrayLike) -> tuple[Array, Jacobian]:
        """Return the value and the Jacobian; call the operation itself instead."""
        warnings.warn("apply: call the operation itself: Sigmoid()(Z)", DeprecationWarning, stacklevel=2)
        return self(X)


class Elementwise(Unary):
    """V ↦ f(V) entry by entry; its Jacobian is diagonal, so it is the same in every layout and vec order.

    A subclass states `_rule(z)`: the value, and a function that returns the derivative f′(z). For second derivatives
    it states `_curvature(z)`, which is f″(z), or that it is `piecewise_linear`.

    Attributes
    ----------
    textbook, textbook_prime, textbook_second : static method, optional
        f, f′ and f″ as a reader would write them in NumPy, independent of `_rule` and `_curvature`: what formulas mean
        and programs print. They take z, and the numbers that the operation was made with. Without them, programs print
        `_rule` and `_curvature` themselves.
    shown : str
        What f is called in formulas; its name unless given.
    kinks : tuple of float
        Where f has no derivative.
    in_value : (str, callable), optional
        f′ in terms of the value a = f(z), where textbooks write it so: the formula, and a function of a.

    Examples
    --------
    >>> class Cube(Elementwise):
    ...     def _rule(self, z):
    ...         return z**3, lambda: 3 * z**2
    >>> Cube()([1.0, 2.0])[1].diagonal()
    array([ 3., 12.])
    """

    per_example = True
    textbook: ClassVar[Callable[..., Any] | None] = None
    textbook_prime: ClassVar[Callable[..., Any] | None] = None
    textbook_second: ClassVar[Callable[..., Any] | None] = None
    shown: ClassVar[str] = ""
    kinks: ClassVar[tuple[float, ...]] = ()
    in_value: ClassVar[tuple[str, Callable[[Array], Array]] | None] = None

    @abstractmethod
    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]: ...

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (z,) = arrays
        value, derivative = self._rule(z)
        if getattr(value, "shape", None) != z.shape:
            raise self._other_shape("value", value, z)
        if not z.shape:  # of an array without axes NumPy makes a scalar
            value = as_array(value)

        def by_input() -> Jacobian:
            slope = derivative()
            if getattr(slope, "shape", None) != z.shape:
                raise self._other_shape("derivative", slope, z)
            return Diagonal(slope)

        return value, {"X": by_input}

    def _curvature(self, z: Array) -> Array:
        """f″(z)."""
        raise DomainError(
            f"{self.name}: the operation states no second derivative, which a Hessian needs; define _curvature(z), "
            "which returns f″(z) entry by entry, or set piecewise_linear = True if it is 0 between kinks"
        )

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        (z,) = arrays
        return {} if self.piecewise_linear else {("X", "X"): Diagonal(as_array(cotangent * self._curvature(z)))}

    def _other_shape(self, what: str, given: Any, z: Array) -> ShapeError:
        kind = f"an array of shape {given.shape}" if hasattr(given, "shape") else f"a {type(given).__name__}"
        return ShapeError(
            f"{self.name}: _rule gives as the {what} {kind} for z of shape {z.shape}; it must be an array of z's "
            "shape, such as np.full_like(z, 2)"
        )

    def moved_to(self, layout: AnyLayout) -> Elementwise:
        """Return this operation: entries lie nowhere."""
        return self

    def function(self, *, prime: int = 0) -> Function:
        """Return f, f′ or f″, as formulas call it and programs define it."""
        made = self.textbook_function(prime=prime, name=self.name)
        rule = Rule(self, "_curvature", None) if prime == 2 else Rule(self, "_rule", int(prime))
        return made or Function(*called(self.name, self.shown, prime=prime), rule, prime)

    @classmethod
    def textbook_function(cls, *, prime: int = 0, name: str = "") -> Function | None:
        """Return the textbook form of f, f′ or f″; None where the class states none."""
        form: Callable[..., Any] | None = getattr(cls, FORMS[prime])
        name = name or cls.own_name()
        return form and Function(*called(name, cls.shown, prime=prime), form, prime)

    def derivative_of(self, Z: Expr, *, prime: int = 1) -> Expr:
        """Return f′(Z), or f″(Z), as a formula."""
        return Call(self.function(prime=prime), (Z, *map(Number, numbers_of(self).values())))

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return f(Z), and the maker of diag f′(Z)."""
        (Z,) = inputs
        value = Call(self.function(), (Z, *map(Number, numbers_of(self).values())))
        return value, {"X": lambda: Diagonal(cast(Array, self.derivative_of(Z)))}

    def second_in_symbols(self, cotangent: Expr, *inputs: Expr) -> Second:
        """Return diag(Ḡ∘f″(Z))."""
        (Z,) = inputs
        if self.piecewise_linear:
            return {}
        return {("X", "X"): Diagonal(cast(Array, cotangent * self.derivative_of(Z, prime=2)))}


def called(name: str, shown: str = "", *, prime: int = 0) -> tuple[str, str]:
    """Return what a function is called in programs, and in formulas."""
    code = re.sub(r"\W|^(?=\d)", "_", name)
    code += "_" * iskeyword(code) + ("", "_prime", "_second")[prime]
    return code, shown or " ".join(name.replace("_", " ").split())
