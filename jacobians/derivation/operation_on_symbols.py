"""An operation run on symbols: its value as a formula, its Jacobians as structures of expressions.

The operation's own code runs on expressions in place of arrays, so it needs no numbers and no search. What comes out is
then held against the numbers. Where the result disagrees, or a user's code cannot run on symbols, the numerical
structure is taken, and each of its arrays gets a name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, StandIn
from jacobians.derivation.equations import Definition, Equation
from jacobians.errors import DomainError
from jacobians.layout import Order
from jacobians.linops import Jacobian, Zero
from jacobians.operations import Operation
from jacobians.operations.inside import Inside
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, MatMul, Symbol
from jacobians.symbols.text import TextNotation

if TYPE_CHECKING:
    from scipy.sparse import csr_array


NOT_IN_SYMBOLS = (TypeError, AttributeError, ValueError, LookupError, ArithmeticError, NotImplementedError)
"""What code raises that asks an expression for what only an array has."""


class NamedMatrix(Jacobian):
    """A Jacobian that no formula is known for: a matrix with a name.

    Parameters
    ----------
    matrix : Expr
        Its entries with rows and columns unrolled in C order.
    shown : Expr
        The same in the order of the layout, in which it is printed.
    codomain, domain : tuple of int
    """

    __slots__ = ("matrix", "shown")

    def __init__(self, matrix: Expr, shown: Expr, codomain: tuple[int, ...], domain: tuple[int, ...]) -> None:
        super().__init__(codomain, domain, Expr.dtype)
        self.matrix, self.shown = matrix, shown

    def _vjp(self, cotangent: Any) -> Any:
        row = cotangent.reshape(1, self.shape[0])
        return MatMul(row, self.matrix).reshape(self.domain)

    def _jvp(self, tangent: Any) -> Any:
        return self._transpose()._vjp(tangent)

    def _transpose(self) -> NamedMatrix:
        return NamedMatrix(self.matrix.T, self.shown.T, self.domain, self.codomain)

    def _written(self, write: Any, order: Order) -> str:
        return str(write.expr(self.shown))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        rule, sentence = self._rule
        return rule, f"{sentence}: {row} {self._written(write, order)}."

    def _sparse(self) -> csr_array:
        raise TypeError(f"{self.structure} has no numbers")

    @property
    def structure(self) -> str:
        return TextNotation().expr(self.shown)

    @property
    def flops(self) -> int:
        return 2 * self.matrix.size

    @property
    def arrays(self) -> Any:
        return (self.shown,)


class CalledByName(Jacobian):
    """A Jacobian whose formula is known and whose matrix is not written: the chain shows its name.

    Parameters
    ----------
    inner : Jacobian
        A structure of expressions.
    shown : Expr
        The matrix's name.
    """

    __slots__ = ("inner", "shown")

    def __init__(self, inner: Jacobian, shown: Expr) -> None:
        super().__init__(inner.codomain, inner.domain, Expr.dtype)
        self.inner, self.shown = inner, shown

    def _vjp(self, cotangent: Any) -> Any:
        return self.inner._vjp(cotangent)

    def _jvp(self, tangent: Any) -> Any:
        return self.inner._jvp(tangent)

    def _transpose(self) -> CalledByName:
        return CalledByName(self.inner.T, self.shown.T)

    def _written(self, write: Any, order: Order) -> str:
        return str(write.expr(self.shown))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        rule, sentence = self.inner._rule
        return rule, f"{sentence}: {row} {self._written(write, order)} = {image}."

    @property
    def structure(self) -> str:
        return TextNotation().expr(self.shown)

    @property
    def flops(self) -> int:
        return self.inner.flops

    @property
    def arrays(self) -> Any:
        return (self.shown,)


@dataclass(eq=False, kw_only=True)
class Named:
    """Arrays that have names, and the definitions of those that have a formula.

    Attributes
    ----------
    arrays : dict
        The values of all symbols.
    definitions : list of Definition
    reserved : set of str
        Names that are given later.
    """

    arrays: dict[str, Array] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    reserved: set[str] = field(default_factory=set)

    def add(self, name: str, array: Array) -> Symbol:
        """Give an array a symbol."""
        self.arrays[name] = array
        return Symbol(name, array.shape)

    def define(self, name: str, shown: str, expr: Expr, value: Array | None = None) -> Symbol:
        """Give an expression a symbol."""
        symbol = self.add(shown, evaluate(expr, self.arrays) if value is None else value)
        self.definitions.append(Definition(name, Equation(symbol, expr)))
        return symbol

    def define_inside(self, letter: str, expr: Expr) -> Symbol:
        """Give a value inside an operation an unused symbol: H1, H2 …; a prediction may be P."""
        shown = self.free_name(letter)
        return self.define(shown, shown, expr)

    def constant(self, letter: str, array: Array) -> Symbol:
        """Give an array that an operation holds a symbol; the same array, the same."""
        for name, known in self.arrays.items():
            if known is array or (known.shape == array.shape == () and letter == "N" and known == array):
                return Symbol(name, array.shape)
        return self.add(self.free_name(letter), array)

    def free_name(self, letter: str) -> str:
        """Return a letter with its first unused number; P, N, Y and L stand alone where they are free."""
        alone = [letter] * (letter in "PNYL")
        first = self._first_number(letter)
        names = itertools.chain(alone, (f"{letter}{number}" for number in itertools.count(first)))
        taken = self.arrays.keys() | self.reserved
        return next(name for name in names if name not in taken)

    def _first_number(self, letter: str) -> int:
        return 1

    def forget(self, count: int) -> bool:
        """Keep only so many definitions; return whether there were more."""
        for definition in self.definitions[count:]:
            del self.arrays[definition.symbol.name]
        forgotten = len(self.definitions) > count
        del self.definitions[count:]
        return forgotten


class Once(Naming):
    """Names a value once, however often it is asked.

    Parameters
    ----------
    give : callable
        From the value's formula, or None where there is none, to what stands for the value.
    known : Named, optional
        Where values inside the operation and the arrays that it holds get their names; without it they get none.
    """

    def __init__(self, give: Callable[[Expr | None], Expr], known: Named | None = None) -> None:
        self._give: Callable[[Any], Expr] = give
        self._known = known
        self._named: Expr | None = None

    def __call__(self, value: Expr | None) -> Expr:
        if self._named is None:
            self._named = self._give(value)
        return self._named

    def inside(self, letter: str = "H") -> Naming:
        """Return the naming of one value inside the operation."""
        if self._known is None:
            return UNNAMED
        give: Any = partial(self._known.define_inside, letter)
        return Once(give, self._known)

    def constant(self, letter: str, array: Array) -> Expr:
        """Return the symbol of an array that the operation holds."""
        return super().constant(letter, array) if self._known is None else self._known.constant(letter, array)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """One evaluation of an operation, in numbers.

    Attributes
    ----------
    operation : Operation
    inputs : dict
        By the operation's own names.
    value : ndarray
    jacobian : callable
        From the name of an input to the Jacobian in numerator layout.
    """

    operation: Operation
    inputs: Mapping[str, Array]
    value: Array
    jacobian: Callable[[str], Jacobian]

    def in_symbols(
        self,
        symbols: Mapping[str, Expr],
        labels: Mapping[str, str],
        name: Callable[[Expr | None], Expr],
        known: Named,
        order: Order,
        *,
        with_matrices: bool = True,
    ) -> dict[str, tuple[Jacobian, ...]]:
        """Return the factors of the Jacobians with respect to every input.

        Parameters
        ----------
        symbols : dict
            Of the inputs.
        labels : dict
            What an array that has no name of its own is called after, by input.
        name : callable
            Called with the value's formula, or None where none is known or it does not equal the numbers; returns
            what stands for the value.
        known : Named
            Told of the names given here.
        order : {"C", "F"}
            In which named matrices are shown.
        with_matrices : bool
            Whether every factor must write its matrix, and not only pass a cotangent on.
        """
        before, wrong_inside = len(known.definitions), False

        def give(value: object) -> Expr:
            nonlocal wrong_inside
            if isinstance(value, Expr) and same_values(value, known.arrays, self.value):
                return name(value)
            # values inside the operation have no numbers to be held against, so they go with the whole
            wrong_inside = known.forget(before)
            return name(None)

        once, value, makers = Once(give, known), None, Makers()
        with suppress(*NOT_IN_SYMBOLS):  # the Jacobians of numbers, with names, are left then
            value, makers = self.operation.in_symbols(*symbols.values(), name=once)
        once(value)
        found = {}
        for wrt in self.inputs:
            number = self.jacobian(wrt)
            label = (labels[wrt], order) if with_matrices else None
            factors = None if wrong_inside else _made(makers.get(wrt), number, known.arrays, label)
            found[wrt] = factors or tuple(_named(number, labels[wrt], known.arrays, order))
        return found


def second_in_symbols(
    maker: Callable[[], Mapping[tuple[str, str], Jacobian]],
    numbers: Mapping[tuple[str, str], Jacobian],
    label: str,
    arrays: dict[str, Array],
    order: Order,
) -> dict[tuple[str, str], tuple[Jacobian, ...]]:
    """Return the factors of an operation's second derivatives in symbols, by pairs of its inputs.

    Parameters
    ----------
    maker : callable
        Runs the operation on symbols; it may fail.
    numbers : mapping
        The second derivatives in numbers, against which those in symbols are held.
    label : str
        What an array that has no name of its own is called after.
    arrays : dict
        The values of all symbols; told of the names given here.
    order : {"C", "F"}
        In which named matrices are shown.
    """
    try:
        made = maker()
    except (*NOT_IN_SYMBOLS, DomainError):  # those of numbers, with names, are left then
        made = {}
    found = {}
    for pair, number in numbers.items():
        if isinstance(number, Zero):
            continue
        symbolic = made.get(pair)
        own = f"{label}_{'_'.join(dict.fromkeys(pair))}"
        factors = None if symbolic is None else _made(partial(_given, symbolic), number, arrays, (own, order))
        found[pair] = factors or tuple(_named(number, own, arrays, order))
    return found


def _given(jacobian: Jacobian) -> Jacobian:
    return jacobian


def _made(
    maker: Callable[[], Jacobian] | None, number: Jacobian, arrays: Mapping[str, Array], label: tuple[str, Order] | None
) -> tuple[Jacobian, ...] | None:
    """The factors of a Jacobian in symbols; None unless it equals the numbers.

    With a label, each factor must have a written matrix. Where it has none, the matrix is named after the label.
    """
    if maker is None:
        return None
    try:
        jacobian = maker()
        if (jacobian.codomain, jacobian.domain) != (number.codomain, number.domain):
            return None
        cotangent = np.random.default_rng(0).normal(size=number.codomain).astype(number.dtype)
        row: Any = Symbol("", number.codomain)
        pulled: Any = jacobian._vjp(row)
        right = same_values(pulled, {**arrays, "": cotangent}, number._vjp(cotangent))
    except NOT_IN_SYMBOLS:
        return None
    if not right:
        return None
    return jacobian._factors() if label is None else tuple(_called(jacobian._factors(), *label))


def _called(factors: tuple[Jacobian, ...], label: str, order: Order) -> Iterator[Jacobian]:
    """The factors, those whose matrix is not written by a name."""
    written = [isinstance(factor, Inside) or _is_written(factor) for factor in factors]
    alone = written.count(False) == 1
    for number, (factor, known) in enumerate(zip(factors, written, strict=True), 1):
        name = f"J_{label}" + f"_{number}" * (not alone) + "_F" * (order == "F")
        yield factor if known else CalledByName(factor, Symbol(name, factor.shape))


def _is_written(jacobian: Jacobian) -> bool:
    """Whether a structure can be written: it is made of expressions, and knows its matrix."""
    write = TextNotation()
    known = all(isinstance(array, StandIn) or array.dtype.kind in "iu" for array in jacobian.arrays)
    return known and all(factor._written(write, "C") is not None for factor in jacobian._factors())


def _named(jacobian: Jacobian, label: str, arrays: dict[str, Array], order: Order) -> Iterator[Jacobian]:
    """The factors in symbols: each array gets a name, and so does a matrix without structure."""
    factors = jacobian._factors()
    for number, factor in enumerate(factors, 1):
        own = label if len(factors) == 1 else f"{label}_{number}"
        new: dict[str, Array] = {}

        def leaf(array: Array, new: dict[str, Array] = new, own: str = own) -> Any:
            name = f"d_{own}" + (f"_{len(new) + 1}" if new else "")
            new[name] = np.asarray(array)
            return Symbol(name, array.shape)

        def inner(part: Jacobian, leaf: Callable[[Array], Any] = leaf) -> Jacobian:
            return part._with_leaves(leaf, lambda j: inner(j, leaf))

        try:
            found: Jacobian | None = inner(factor)
        except NOT_IN_SYMBOLS:
            found = None
        if found is not None and _is_written(found):
            arrays |= new
            yield found
        else:
            yield _matrix(factor, own, arrays, order)


def _matrix(jacobian: Jacobian, label: str, arrays: dict[str, Array], order: Order) -> NamedMatrix:
    own, shown = f"J_{label}", f"J_{label}" + "_F" * (order == "F")
    arrays[own] = jacobian.to_dense("C")
    arrays[shown] = jacobian.to_dense(order)
    return NamedMatrix(Symbol(own, jacobian.shape), Symbol(shown, jacobian.shape), jacobian.codomain, jacobian.domain)


def same_values(expr: Expr, arrays: Mapping[str, Array], number: Array) -> bool:
    """Whether an expression evaluates to this array, up to the rounding of a textbook formula."""
    with np.errstate(all="ignore"):
        value = evaluate(expr, arrays)
    if value.shape != number.shape:
        return False
    allowed = 1e4 * float(np.finfo(number.dtype).eps)
    largest = np.abs(number[np.isfinite(number)]).max(initial=1.0)
    return bool(np.allclose(value, number, rtol=allowed, atol=allowed * largest, equal_nan=True))
