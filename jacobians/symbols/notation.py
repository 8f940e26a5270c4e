"""What every notation must say of expressions and of structured Jacobians, and the parts of a name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, ClassVar, Protocol

from jacobians.arrays import SUBSCRIPTS, Shape, show_shape, size_of
from jacobians.layout import Order
from jacobians.symbols.expressions import (
    Add,
    AtStep,
    Call,
    Einsum,
    Entry,
    Expr,
    Eye,
    Gathered,
    Hadamard,
    Joined,
    MatMul,
    Number,
    Ones,
    Part,
    Placed,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    Scattered,
    Slices,
    SumOver,
    SumOverSteps,
    Symbol,
    Transposed,
    WithOnes,
    Zeros,
)
from jacobians.symbols.named_functions import Function
from jacobians.symbols.simplify import KRONECKER

GREEK = {
    "Theta": "Θ",
    "theta": "θ",
    "delta": "δ",
    "Delta": "Δ",
    "lam": "λ",
    "lambd": "λ",
    "lambda": "λ",
    "alpha": "α",
    **{"beta": "β", "gamma": "γ", "epsilon": "ε", "kappa": "κ"},
    "sigma": "σ",
    **{"mu": "μ", "nu": "ν", "rho": "ρ", "tau": "τ", "phi": "φ", "psi": "ψ", "omega": "ω", "eta": "η"},
    **{"Sigma": "Σ", "Lambda": "Λ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "Gamma": "Γ"},
}


_STEPS = str.maketrans("0123456789t+−", "₀₁₂₃₄₅₆₇₈₉ₜ₊₋")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Name:
    """A name's parts: a d or t before it or nothing, its letters, its index or nothing, and what follows the index."""

    before: str
    letters: str
    index: str
    ending: str = ""


_AFTER_D = re.compile(rf"[dt]([A-Z]|b\d*$|({'|'.join(GREEK)})(?![^\W\d_]))")
"""A d or a t, and then what it stands before: a capital, a Greek letter by its name, or the b of a bias."""


@lru_cache(maxsize=1024)
def split_name(name: str) -> Name:
    """Return the parts of a name.

    Examples
    --------
    >>> split_name("dTheta2")
    Name(before='d', letters='Theta', index='2', ending='')
    >>> split_name("Theta1_grad").ending, split_name("A1p").ending, split_name("tb1").before
    ('_grad', 'p', 't')
    >>> split_name("dgamma"), split_name("delta2").before
    (Name(before='d', letters='gamma', index='', ending=''), '')
    >>> split_name("X_grad")
    Name(before='', letters='X', index='', ending='_grad')
    """
    before = name[:1] if _AFTER_D.match(name) else ""
    rest = name[len(before) :]
    found = (
        re.fullmatch(r"([^\W\d_]+)(\d+)(_?[^\W\d_]+)", rest)
        or re.fullmatch(r"([A-Z]|[^\W\d_]+(?=_))()(_?grad)", rest)
        or re.fullmatch(r"(.*?)_?(\d*)", rest, re.DOTALL)
    )
    return Name(before, *found.groups()) if found else Name(before, rest, "")


def with_greek(letters: str) -> tuple[str, str]:
    """Return a name's letters, Greek where they spell one, and a Greek letter that follows an underscore, or nothing.

    Examples
    --------
    >>> with_greek("gamma"), with_greek("J_gamma"), with_greek("J_X")
    (('γ', ''), ('J', 'γ'), ('J_X', ''))
    """
    first, _, last = letters.rpartition("_")
    return (first, GREEK[last]) if first and last in GREEK else (GREEK.get(letters, letters), "")


def is_gradient(ending: str) -> bool:
    """Whether what follows a name's index says that it is a gradient: Theta1_grad, or W1grad."""
    return ending.removeprefix("_") == "grad"


def primed(ending: str) -> str:
    """Return what follows a name's index as one writes it: A1p is A₁′."""
    return ending if ending.strip("p") else "′" * len(ending)


_SUM, _PRODUCT, _POSTFIX = 1, 2, 3


class Structure(Protocol):
    """What writes its own matrix: a structured Jacobian."""

    def _written(self, write: Any, order: Order) -> str | None: ...


class Notation(ABC):
    """A way to write expressions and chains: two tables, and methods for what a table cannot say.

    Where a fraction has a bar, nothing in it needs brackets.

    Attributes
    ----------
    reshapes_closely : bool
        Whether a reshaped array binds as closely as a symbol.
    sums_closely : bool
        Whether a sum along an axis does, as a call does; A 1 is a product.
    is_code : bool
        Whether what is written runs, so that every function is called by its name.
    forms : dict
        By what is written, its text, with {0}, {1} … for its parts.
    between : dict
        By what is written as a list, what stands between two members; its form has {0} for the whole list.
    """

    bars: ClassVar[bool] = False
    reshapes_closely: ClassVar[bool] = False
    sums_closely: ClassVar[bool] = False
    is_code: ClassVar[bool] = False
    forms: ClassVar[dict[str, str]]
    between: ClassVar[dict[str, str]]

    def document(self, text: str) -> str:
        """Return an equation as it stands alone, outside of others."""
        return text

    @abstractmethod
    def symbol(self, name: str) -> str:
        """Return a name."""

    def at_step(self, name: str, after: int) -> str:
        """Return the member of a sequence some steps after the step t."""
        index = self.step(after).replace(" ", "")
        return self.form("at step", self.symbol(name), index, index.translate(_STEPS))

    def step(self, after: int) -> str:
        """Return a step some steps after the step t."""
        return f"t {'+−'[after < 0]} {abs(after)}" if after else "t"

    def member(self, name: str, step: int) -> str:
        """Return the member of a sequence at one step."""
        return self.symbol(f"{name}{step}")

    @abstractmethod
    def number(self, value: float) -> str:
        """Return a literal number."""

    @abstractmethod
    def call(self, function: Function, arguments: Sequence[str]) -> str:
        """Return f(A, …)."""

    def form(self, what: str, *parts: object) -> str:
        """Return a text of the table with its parts."""
        return self.forms[what].format(*parts)

    def listed(self, what: str, members: Iterable[str], *parts: object) -> str:
        """Return a list of the table with its members."""
        return self.form(what, self.between[what].join(members), *parts)

    # --- expressions -----------------------------------------------------------------------------

    def expr(self, expr: Expr) -> str:
        """Return an expression as it stands alone."""
        return self._node(expr)[0]

    def _at(self, expr: Expr, least: int, *also: type[Expr]) -> str:
        """An expression as a part of another: in brackets unless it binds closely enough, or is one of `also`."""
        text, binds = self._node(expr)
        return text if binds >= least or isinstance(expr, also) else self.bracket(text)

    def _node(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Symbol(name):
                return self.symbol(name), _POSTFIX
            case AtStep(name, _, at, moving):
                return self.at_step(name, at) if moving else self.member(name, at), _POSTFIX
            case Entry(of, at, moving):
                return self.form("part", self._at(of, _POSTFIX), self.step(at) if moving else at), _POSTFIX
            case SumOverSteps(of, first, last):
                ends = first, last, str(first).translate(SUBSCRIPTS), str(last).translate(_SUPERSCRIPTS), last + 1
                return self.form("sum over steps", self._at(of, _PRODUCT), *ends), _PRODUCT
            case Number(value):
                return self.number(value), _POSTFIX if value >= 0 else _SUM
            case Eye(rows):
                return self.eye(rows), _POSTFIX
            case Ones(dims):
                return self.ones(dims), _POSTFIX
            case Zeros(dims):
                return self.form("zeros", dims), _POSTFIX
            case Transposed(of):
                return self.transpose(self._at(of, _POSTFIX)), _POSTFIX
            case MatMul(left, right):
                parts = self._at(left, _POSTFIX, MatMul), self._at(right, _POSTFIX, MatMul)
                return self.form("matrix product", *parts), _PRODUCT
            case Hadamard(Number(value), right) if value == -1:
                return self.form("negative", self._at(right, _PRODUCT)), _SUM
            case Hadamard(left, right) if left.shape == ():
                factor = self._at(left, _POSTFIX, Quotient, Hadamard)
                return self.scale(factor, self._at(right, _POSTFIX, *((MatMul,) if self.bars else ()))), _PRODUCT
            case Hadamard(left, right):
                parts = self._at(left, _POSTFIX, Hadamard), self._at(right, _POSTFIX)
                return self.form("elementwise product", *parts), _PRODUCT
            case Add(left, right, minus):
                left, right = self._addend(left), self._addend(right)
                return self.form("minus" if minus else "plus", self.expr(left), self._at(right, _PRODUCT)), _SUM
            case Quotient(left, right) if self.bars and right.shape == () and left.shape != ():
                one = self.form("fraction", self.number(1), self.expr(right))
                return self.scale(one, self._at(left, _POSTFIX, MatMul)), _PRODUCT
            case Quotient(left, right) if self.bars:
                return self.form("fraction", self.expr(left), self.expr(right)), _PRODUCT
            case Quotient(left, right):
                return self.form("fraction", self._at(left, _PRODUCT), self._at(right, _POSTFIX)), _PRODUCT
            case Power(of, exponent):
                raised = str(exponent).translate(_SUPERSCRIPTS)
                base = self._at(of, _POSTFIX)
                base = self.bracket(base) if isinstance(of, Power) else base  # in NumPy x**3**2 is x to the ninth
                return self.form("power", base, exponent, raised), _POSTFIX
            case Part(of, key):
                return self.form("part", self._at(of, _POSTFIX), slices_text(key)), _POSTFIX
            case Placed(of):
                return self.placed(expr, self.expr(of)), _POSTFIX
            case Gathered(of, index, dims):
                return self.gathered(self._at(of, _POSTFIX), index, dims), _POSTFIX
            case Scattered(of, index, dims):
                where = self.size(dims), _places(index), list(index), size_of(dims), dims
                return self.form("scattered", self._at(of, _POSTFIX), *where), _POSTFIX
            case Einsum(spec, of):
                if expr.only_moves:
                    return self.axes_moved(self._at(of[0], _POSTFIX), spec), _POSTFIX
                return self.einsum(spec, [self._at(part, _POSTFIX) for part in of]), _PRODUCT
            case WithOnes(of):
                return self.with_ones(expr, self.expr(of)), _POSTFIX
            case Joined(of, axis):
                return self.joined([self.expr(part) for part in of], axis), _POSTFIX
            case Reshaped(Part(of, key), dims) if (places := _places_alone(key, of.shape, dims)) is not None:
                return self.form("part", self._at(of, _POSTFIX), places), _POSTFIX
            case Reshaped(of, dims):
                return self.reshaped(self._at(of, _POSTFIX), dims), _POSTFIX if self.reshapes_closely else _SUM
            case Repeated(of, dims):
                what = "repeated column" if of.ndim == 2 and of.shape[0] == dims[0] else "repeated row"
                what = what if len(dims) == 2 else "repeated"
                return self.form(what, self._at(of, _POSTFIX), dims, self.size(dims)), _PRODUCT
            case SumOver(of, axis, keep):
                summed = self.sum_over(self._at(of, _POSTFIX), axis, keep)
                return summed, _POSTFIX if self.sums_closely else _PRODUCT
            case Call(function, (left, right)) if function == KRONECKER:
                parts = self._at(left, _POSTFIX), self._at(right, _POSTFIX)
                return self.form("Kronecker product", *parts), _POSTFIX if self.is_code else _PRODUCT
            case Call(function, arguments):
                return self.call(function, [self.expr(self._inside(a)) for a in arguments]), _POSTFIX
        raise TypeError(f"no notation for {type(expr).__name__}")

    def _addend(self, expr: Expr) -> Expr:
        return expr

    def _inside(self, argument: Expr) -> Expr:
        """What stands in the brackets of a call: it needs none of its own."""
        match argument:
            case Call(function, (of,)) if not (function.shown or self.is_code):
                return of
        return argument

    def bracket(self, text: str) -> str:
        """Return a text in brackets."""
        return self.form("bracket", text)

    def transpose(self, text: str) -> str:
        """Return Aᵀ."""
        return self.form("transpose", text)

    def scale(self, factor: str, text: str) -> str:
        """Return c A."""
        return self.form("scale", factor, text)

    def eye(self, size: int) -> str:
        """Return an identity."""
        return self.form("identity", size, str(size).translate(SUBSCRIPTS))

    def ones(self, dims: Shape) -> str:
        """Return ones; a row of them is 1ᵀ."""
        return self.form("row of ones" if len(dims) == 2 and dims[0] == 1 else "ones", dims)

    def size(self, dims: Shape) -> str:
        """Return a shape."""
        return show_shape(dims)

    def gathered(self, text: str, index: Sequence[int], dims: Shape) -> str:
        """Return the entries at some places."""
        found = self.form("gathered", text, _places(index))
        return self.reshaped(found, dims) if len(dims) > 1 else found

    def einsum(self, spec: str, parts: Sequence[str]) -> str:
        """Return a sum over indices, with its sign if there is one to sum over."""
        inputs, _, output = spec.partition("->")
        summed = "".join(sorted({*inputs} - {*output, ","}))
        members = (self.form("indexed", part, own) for part, own in zip(parts, inputs.split(","), strict=True))
        return self.listed("einsum", members, self.form("sum over indices", summed) if summed else "")

    def axes_moved(self, text: str, spec: str) -> str:
        """Return an array with its axes in another order."""
        return self.form("moved", text, *spec.split("->"))

    def reshaped(self, text: str, dims: Shape) -> str:
        """Return an array in another shape."""
        return self.form("reshaped", text, self.size(dims), ", ".join(map(str, dims)) or "()")

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        """Return 1ᵀA or A1."""
        return self.form("column sums" if axis == 0 else "row sums", text)

    def joined(self, parts: Sequence[str], axis: int) -> str:
        """Return [A B], or [A; B] where they stand one above the other."""
        return self.listed("below" if axis == 0 else "beside", parts, axis)

    def placed(self, expr: Placed, text: str) -> str:
        """Return [0 A 0] with as many blocks of zeros as there are."""
        for axis, ((start, stop), n) in enumerate(zip(expr.key, expr.dims, strict=True)):
            a, b, _ = slice(start, stop).indices(n)
            if (a, b) != (0, n):
                return self.joined([self.number(0)] * (a > 0) + [text] + [self.number(0)] * (b < n), axis)
        return self.joined([text], -1)

    def with_ones(self, expr: WithOnes, text: str) -> str:
        """Return [1 A] or [A 1]."""
        parts = [self.block_of_ones(expr.axis), text]
        return self.joined(parts if expr.first else parts[::-1], expr.axis)

    def block_of_ones(self, axis: int) -> str:
        """Return the ones in [1 A]."""
        return self.ones((1, 1) if axis == 0 else (1,))

    # --- chains ----------------------------------------------------------------------------------

    def matrix(self, jacobian: Structure, order: Order) -> str:
        """Return a structured Jacobian of expressions as a matrix, for arrays unrolled in this order."""
        text = jacobian._written(self, order)
        if text is None:
            raise TypeError(f"no notation for {type(jacobian).__name__}")
        return text

    def operand(self, factor: Expr | int) -> str:
        """Return a factor of a product: an expression, in brackets if need be, or an identity of some size."""
        return self._at(Eye(factor) if isinstance(factor, int) else factor, _POSTFIX)

    def single(self, entry: Expr) -> str:
        """Return the matrix of a map between scalars: its only entry."""
        return self._at(entry, _POSTFIX)

    def of_matrices(self) -> Notation:
        """Return the notation in which rows and columns are matrices too, wherever they stand in a product."""
        return self

    def weights(self, row: Expr, column: bool, order: Order) -> str:
        """Return a Jacobian of or by a scalar: equal entries as a multiple of ones, others as a vec."""
        match row:
            case Ones():
                return self.uniform(None, row.size, column)
            case Hadamard(factor, Ones()) if factor.shape == ():
                return self.uniform(self._at(factor, _POSTFIX, Quotient), row.size, column)
        return self.vec(self.expr(row), order) if column else self.row(self.expr(row), order)

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        """Return a vector of equal entries."""
        ones = self.ones((count,) if column else (1, count))
        return ones if factor is None else self.form("multiple of ones", factor, ones)

    def of_examples(self, delta: Expr, axis: int, order: Order, column: bool) -> str:
        """Return the matrix whose row n, or column n, is the n-th example's part of δ, among zeros."""
        what = "examples as columns" if column else "examples as rows"
        return self.form(what, self._at(delta, _POSTFIX), axis, order)

    def is_ones(self, factor: Expr | int) -> bool:
        """Whether a factor is an array of ones."""
        return isinstance(factor, Ones)

    def kron(self, *factors: str) -> str:
        """Return A ⊗ B, or a product of more, in brackets."""
        product = reduce(lambda right, left: self.form("Kronecker product", left, right), reversed(factors))
        return product if self.is_code or len(factors) == 1 else self.bracket(product)

    def commutation(self, rows: int, columns: int, order: Order) -> str:
        """Return the permutation K that transposes."""
        both = (rows, columns) if order == "F" else (columns, rows)
        return self.form("commutation", *both, *(str(n).translate(SUBSCRIPTS) for n in both), rows, columns, order)

    def diag(self, text: str, order: Order, flat: bool = False) -> str:
        """Return diag(vec A); diag(a) of an array that is one row or column."""
        return self.form("diagonal", text if flat else self.vec(text, order))

    def selection(self, key: Slices, dims: Shape, order: Order) -> str:
        """Return the matrix that keeps the entries of slices."""
        return self.form("selection", dims, slices_text(key), order)

    def reshaping(self, before: Shape, after: Shape, order: Order) -> str:
        """Return the permutation of a reshape."""
        return self.form("reshaping", self.size(before), self.size(after), before, after, order)

    def minus_outer(self, d: Expr, u: Expr, v: Expr, axis: int, order: Order) -> str:
        """Return diag(d) − u vᵀ for each example."""
        return self.form("diagonal minus outer", *(self._at(array, _POSTFIX) for array in (d, u, v)), axis, order)

    def vec(self, text: str, order: Order) -> str:
        """Return vec A."""
        return self.form("vec", text, order)

    def row(self, text: str, order: Order) -> str:
        """Return (vec A)ᵀ."""
        return self.form("row", text, order)

    def join(self, factors: Sequence[str]) -> str:
        """Return a product of matrices."""
        return self.listed("chain", factors)

    def plus(self, terms: Sequence[str]) -> str:
        """Return a sum of matrices."""
        return self.listed("sum", terms)

    def partial(self, of: str, wrt: str, gradient: str, vector: bool) -> str:
        """Return ∂y/∂vec x, whose array is called `gradient`, or ∂vec y/∂vec x."""
        return self.form("Jacobian" if vector else "gradient", of, wrt, gradient)

    def second_partial(self, of: str, row: str, column: str, name: str) -> str:
        """Return ∂²y/∂vec x ∂(vec z)ᵀ, whose matrix is called `name`."""
        return self.form("Hessian", of, row, column, name)

    def equation(self, left: str, right: str) -> str:
        """Return A = B."""
        return self.form("equation", left, right)


def slices_text(key: Slices) -> str:
    """Return slices as Python writes them: ``:, 1:``."""
    return ", ".join(f"{'' if a is None else a}:{'' if b is None else b}" for a, b in key)


def _places_alone(key: Slices, of: Shape, dims: Shape) -> str | None:
    """Slices of one entry as its place, X[2], where exactly those axes are dropped."""
    one = [b is not None and b - (a or 0) == 1 for a, b in key]
    kept = [part for part, alone in zip(key, one, strict=True) if not alone]
    sizes = [len(range(*slice(*part).indices(n))) for part, n, alone in zip(key, of, one, strict=True) if not alone]
    if not any(one) or tuple(sizes) != dims:
        return None
    while key and not one[len(key) - 1] and kept and key[-1] == (None, None):
        key, kept = key[:-1], kept[:-1]
    return ", ".join(
        str(part[0] or 0) if alone else slices_text((part,)) for part, alone in zip(key, one, strict=False)
    )


def _places(index: Sequence[int]) -> str:
    """Flat places as text, long lists with their ends only."""
    shown = [*map(str, index[:3]), "…", str(index[-1])] if len(index) > 5 else map(str, index)
    return ", ".join(shown)
