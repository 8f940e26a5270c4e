"""`shortened`: an expression as a sum of products, by a few identities that hold for all numbers.

- identities and ones that scale nothing drop, numbers stand in front, equal addends are counted;
- a number and its reciprocal cancel;
- the derivative of an elementary function is written by functions that readers know: cos in place of sin′;
- Σ A ∘ I is tr A, and a matrix of one entry is that number.

Every identity is tested at random numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape
from jacobians.graphs.elementary import Cos, Cosh, Sign, Sin, Sinh
from jacobians.matrix.functions_in_symbols import ALONG, MATRIX_EXPONENTIAL, MATRIX_LOGARITHM, SYLVESTER
from jacobians.matrix.inverses import INVERSE
from jacobians.operations import Exp, Log, Sigmoid, Tanh
from jacobians.operations import Power as Raised
from jacobians.symbols.expressions import (
    Add,
    Call,
    Einsum,
    Expr,
    Eye,
    Gathered,
    Hadamard,
    MatMul,
    Number,
    Ones,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    Scattered,
    SumOver,
    Transposed,
    Zeros,
)
from jacobians.symbols.named_functions import Function
from jacobians.symbols.simplify import DIAG, times, transposed


def _trace(A: Array) -> Any:
    return np.trace(A)


def _entry(A: Array) -> Array:
    return A.reshape(())


def _diagonal(A: Array) -> Array:
    return np.diag(A).reshape(-1, 1)


def _vec(A: Array) -> Array:
    return A.T.reshape(-1, 1)


def _raised_base(c: float, Z: Array) -> Any:
    return np.power(c, Z)


def _sqrt(Z: Array) -> Array:
    return np.sqrt(Z)


TRACE = Function("trace", "tr", _trace)
ENTRY = Function("entry", "", _entry)
"""The number that a matrix of one entry is."""
DIAGONAL = Function("diagonal", "diag", _diagonal)
"""The diagonal of a matrix, as a column."""
VEC = Function("vec_by_columns", "vec", _vec)
"""The columns of a matrix, one below the other."""
RAISED = Function("raised", "power", _raised_base)
"""A number raised to every entry of an array."""
_ROOT = Function("sqrt", "sqrt", _sqrt)


def _one_minus(of: Expr) -> Expr:
    return Add(Number(1), of, minus=True)


_DERIVATIVES: Mapping[str, Callable[[Expr], Expr]] = {
    "exp_prime": lambda Z: Call(Exp().function(), (Z,)),
    "log_prime": lambda Z: Quotient(Number(1), Z),
    "sin_prime": lambda Z: Call(Cos().function(), (Z,)),
    "cos_prime": lambda Z: Hadamard(Number(-1), Call(Sin().function(), (Z,))),
    "sinh_prime": lambda Z: Call(Cosh().function(), (Z,)),
    "cosh_prime": lambda Z: Call(Sinh().function(), (Z,)),
    "tan_prime": lambda Z: Quotient(Number(1), Power(Call(Cos().function(), (Z,)), 2)),
    "arctan_prime": lambda Z: Quotient(Number(1), Add(Number(1), Power(Z, 2))),
    "tanh_prime": lambda Z: _one_minus(Power(Call(Tanh().function(), (Z,)), 2)),
    "abs_prime": lambda Z: Call(Sign().function(), (Z,)),
    "sign_prime": lambda Z: Zeros(Z.shape) if Z.shape else Number(0),
    "softplus_prime": lambda Z: Call(Sigmoid().function(), (Z,)),
    "sigmoid_prime": lambda Z: Hadamard(Call(Sigmoid().function(), (Z,)), _one_minus(Call(Sigmoid().function(), (Z,)))),
}
"""By the name of a derivative, what it is by functions without primes."""


def shortened(expr: Expr) -> Expr:
    """Return an equal expression that is a sum of products, mostly a shorter one."""
    found = one_product(expr)
    if found.number == 0:
        return Zeros(expr.shape) if expr.shape else Number(0)
    whole = found.expression()
    if found.number > 0:
        return whole
    return Number(-whole.value) if isinstance(whole, Number) else Hadamard(Number(-1), whole)


@dataclass(frozen=True)
class Addend:
    """c s₁ s₂ … / (r₁ r₂ …) · core: a number, expressions of numbers above and below the bar, and an array or none."""

    number: float
    above: tuple[Expr, ...] = ()
    below: tuple[Expr, ...] = ()
    core: Expr | None = None

    def times(self, other: Addend, core: Expr | None) -> Addend:
        """Return the product, whose array is given; what stands above and below the bar cancels."""
        above, below = [*self.above, *other.above], [*self.below, *other.below]
        for one in list(below):
            if one in above:
                above.remove(one)
                below.remove(one)
        number, divisor = self.number * other.number, math.prod(one.value for one in below if isinstance(one, Number))
        below = [one for one in below if not isinstance(one, Number)]
        if number % divisor == 0:
            number /= divisor
        elif divisor != 1:
            below.insert(0, Number(divisor))
        return Addend(number, tuple(above), tuple(below), core)

    def under_one(self) -> Addend:
        """Return 1 over a number; a whole number stays below the bar, unless it is a power of two: x / 5, and 0.5 x."""
        if self.number > 2 and self.number.is_integer() and int(self.number) & (int(self.number) - 1):
            return Addend(1, self.below, (Number(self.number), *self.above))
        return Addend(1 / self.number, self.below, self.above)

    @property
    def scalar(self) -> Addend:
        """Return the same without its array."""
        return replace(self, core=None)

    def signed(self) -> Expr:
        """Return the product with the sign of its number."""
        return Hadamard(Number(-1), self.expression()) if self.number < 0 else self.expression()

    def expression(self) -> Expr:
        """Return the product, without the sign of its number."""
        number = abs(self.number)
        factors = [Number(number)] * (number != 1) + _powers(self.above)
        above = reduce(Hadamard, factors) if factors else None
        whole = above if self.core is None else self.core if above is None else Hadamard(above, self.core)
        whole = Number(1) if whole is None else whole
        return Quotient(whole, reduce(Hadamard, _powers(self.below))) if self.below else whole


def _powers(of: tuple[Expr, ...]) -> list[Expr]:
    """A number that stands there k times, as its kth power."""
    return [one if count == 1 else Power(one, count) for one, count in Counter(of).items()]


def one_product(expr: Expr) -> Addend:
    """Return an expression as one product: of a sum, what all its addends have in common times what is left of it."""
    counted: list[Addend] = []
    for addend in addends(expr):
        for i, known in enumerate(counted):
            if (total := _total_of(known, addend)) is not None:
                counted[i] = total
                break
        else:
            counted.append(addend)
    counted = [addend for addend in counted if addend.number]
    if len(counted) < 2:
        return counted[0] if counted else Addend(0, core=Zeros(expr.shape) if expr.shape else None)
    above, below = (_common([getattr(addend, side) for addend in counted]) for side in ("above", "below"))
    sizes = {abs(addend.number) for addend in counted}
    size = sizes.pop() if len(sizes) == 1 else 1.0
    rest = [Addend(a.number / size, _without(a.above, above), _without(a.below, below), a.core) for a in counted]
    rest.sort(key=lambda addend: addend.number < 0)
    negative = rest[0].number < 0
    whole = rest[0].expression()
    for addend in rest[1:]:
        whole = Add(whole, addend.expression(), minus=(addend.number < 0) != negative)
    size = -size if negative else size
    return Addend(size, (*above, whole), below) if expr.shape == () else Addend(size, above, below, whole)


def _total_of(one: Addend, other: Addend) -> Addend | None:
    """The sum of two products that differ in their numbers alone, over a common divisor; None of others."""
    (a, first), (b, second) = _over_number(one), _over_number(other)
    if replace(a, number=b.number) != b:
        return None
    number, divisor = a.number + b.number, first
    if first != second:
        number, divisor = a.number * second + b.number * first, first * second
        if float(number).is_integer() and float(divisor).is_integer() and number:
            shared = math.gcd(int(number), int(divisor))
            number, divisor = number / shared, divisor / shared
    if number % divisor == 0 or not int(divisor) & (int(divisor) - 1):
        number, divisor = number / divisor, 1
    below = a.below if divisor == 1 else (Number(divisor), *a.below)
    return replace(a, number=number, below=below)


def _over_number(of: Addend) -> tuple[Addend, float]:
    """A product without the number below its bar, and that number."""
    below = tuple(one for one in of.below if not isinstance(one, Number))
    return replace(of, below=below), math.prod(one.value for one in of.below if isinstance(one, Number))


def _common(of: list[tuple[Expr, ...]]) -> tuple[Expr, ...]:
    """What every list has, as often as all have it."""
    found = Counter(of[0])
    for one in of[1:]:
        found &= Counter(one)
    return tuple(found.elements())


def _without(of: tuple[Expr, ...], taken: tuple[Expr, ...]) -> tuple[Expr, ...]:
    rest = list(of)
    for one in taken:
        rest.remove(one)
    return tuple(rest)


def addends(expr: Expr) -> list[Addend]:
    """Return the products that an expression is the sum of."""
    match expr:
        case Number(value):
            return [Addend(value)]
        case Zeros():
            return []
        case Add(left, right, minus) if left.shape == right.shape:
            sign = -1 if minus else 1
            return [*addends(left), *(replace(a, number=sign * a.number) for a in addends(right))]
        case Add(left, right, minus) if left.ndim == right.ndim == 2:
            left, right = (side if side.shape == expr.shape else Repeated(side, expr.shape) for side in (left, right))
            return addends(Add(left, right, minus))
        case Add(left, right, minus):
            return _with_number(left, right, minus=minus)
        case Hadamard(left, right):
            return _products(left, right)
        case Power(Power(of, inner), exponent):
            return addends(Power(of, inner * exponent))
        case Power(of, exponent) if of.shape == ():
            return [_scalar_power(one_product(of), exponent)]
        case Quotient(left, right) if right.shape == ():
            below = one_product(right).under_one()
            return [below.times(a, a.core) for a in addends(left)]
        case Quotient(Number(value), right) if value == 1:
            return [_inverted(one_product(right))]
        case MatMul(Add() as left, Transposed(Reshaped(by)) as right) if expr.shape == (1, 1) and by.ndim == 2:
            terms = addends(left)  # ⟨A + B, C⟩, each in one row
            if all(isinstance(a.core, Reshaped) and a.core.of.shape == by.shape for a in terms):
                return [a.scalar.times(one, one.core) for a in terms for one in addends(times(_core(a), right))]
            return [_chain(expr)]
        case MatMul():
            return [_chain(expr)]
        case Call(function, (of,)) if function in (DIAG, DIAGONAL, VEC):
            return _mapped(function, of)
        case Scattered(of, index, (n, m)) if n == m and index == _diagonal_places(n):
            return _mapped(DIAG, _reshaped(of, (n, 1)))
        case Reshaped(Gathered(of, index, (n,)), (_, 1)) if index == _diagonal_places(n) and of.size == n * n:
            return _mapped(DIAGONAL, _reshaped(of, (n, n)))
        case Reshaped(Reshaped()):
            return addends(_reshaped(expr, expr.shape))
        case Reshaped(of, (_, 1)) if of.ndim == 2 and 1 not in of.shape:
            return _mapped(VEC, transposed(of))
        case Transposed(of):
            return [replace(a, core=None if a.core is None else transposed(a.core)) for a in addends(of)]
        case Reshaped(SumOver(of, axis, False), dims) if SumOver(of, axis).shape == dims:
            return addends(SumOver(of, axis))
        case Reshaped(of) if of.shape == expr.shape:
            return addends(of)
        case Reshaped(of) if of.ndim == 2 and of.shape == expr.shape[::-1] and 1 in of.shape:
            return addends(transposed(of))
        case Reshaped(of) if of.shape == ():
            return [replace(a, core=Ones(expr.shape)) for a in addends(of)]
        case Reshaped(MatMul(Reshaped(left, _), Transposed(Reshaped(right, _)))) if (
            expr.shape in ((), (1, 1)) and left.shape == right.shape and left.ndim == 2
        ):
            total = addends(Einsum("ab->", (Hadamard(left, right),)))  # a row of entries times a column of them
            return total if expr.shape == () else [replace(a, core=Ones((1, 1))) for a in total]
        case Call(function, (of,)) if function == ENTRY or (function == TRACE and of.shape == (1, 1)):
            return [_of_one_entry(a) for a in addends(of)]
        case Reshaped(of) if expr.shape == () and of.shape == (1, 1):
            return [_of_one_entry(a) for a in addends(of)]
        case SumOver(of, _, True) if expr.shape == (1, 1) and of.ndim == 2:
            of = of.of if isinstance(of, SumOver) else of
            return [replace(a, core=Ones((1, 1))) for a in addends(Einsum("ab->", (of,)))]
        case Reshaped(of, dims) if of.ndim:
            return [a for one in addends(of) for a in _in_shape(one, dims)]
        case SumOver(of) | Repeated(of) if of.shape == expr.shape:
            return addends(of)
        case Repeated(of):
            return [_repeated(a, expr.shape) for a in addends(of)]
        case Einsum(("apbq,ab->pq" | "paqb,ab->pq"), (Reshaped(of, dims), by)) if (
            dims[:2] == dims[2:] and of.shape[0] == of.shape[1] and isinstance(one_product(of).core, Eye)
        ):  # ⟨c I, A ⊗ dX⟩ = c tr(A) tr(dX)
            return addends(
                Hadamard(one_product(of).scalar.signed(), Hadamard(Call(TRACE, (by,), ()), Eye(expr.shape[0])))
            )
        case Einsum("ab->", (of,)):
            return [_total(a) for a in addends(of)]
        case Call(function, (of,)) if function.name in _DERIVATIVES:
            return addends(_DERIVATIVES[function.name](shortened(of)))
        case Call(function, (of, Number(power))) if function.name in ("power", "power_prime"):
            return _raised(of, power, prime=function.name == "power_prime") or [_atom(_rebuilt(expr))]
        case Call(function, (of, Number(base))) if function.name in ("exponential", "exponential_prime"):
            raised = _atom(Call(RAISED, (Number(base), shortened(of)), of.shape))
            logarithm = Call(Log().function(), (Number(base),))
            return [raised.times(Addend(1, (logarithm,)), raised.core) if function.prime else raised]
        case Ones(()):
            return [Addend(1)]
        case Eye() | Ones():
            return [Addend(1, core=expr)]
        case Call(function, (*matrices, of)) if function == SYLVESTER or function in ALONG.values():
            return [_along(function, [*map(shortened, matrices)], a) for a in addends(of)]
    return [_atom(_rebuilt(expr))]


def _with_number(left: Expr, right: Expr, *, minus: bool) -> list[Addend]:
    """A number added to an array: to one of equal entries as such another."""
    whole = right.shape or left.shape
    pair = [one_product(left), one_product(right)]
    if all(addend.core is None or isinstance(addend.core, Ones) for addend in pair):
        sign = -1 if minus else 1
        return [replace(a, number=s * a.number, core=Ones(whole)) for s, a in zip((1, sign), pair, strict=True)]
    return [Addend(1, core=Add(shortened(left), shortened(right), minus))]


def _along(function: Function, matrices: list[Expr], of: Addend) -> Addend:
    """The derivative of a function of a matrix in a direction; along the identity it is f′(A)."""
    first = matrices[0]
    if isinstance(of.core, Eye):
        if function == ALONG[MATRIX_EXPONENTIAL.name]:
            return replace(of, core=_of_transposed(MATRIX_EXPONENTIAL, first))
        if function == ALONG[MATRIX_LOGARITHM.name]:
            return replace(of, core=_of_transposed(INVERSE, first))
        if all(matrix == first for matrix in matrices):  # R X + X R = I
            return replace(of, number=of.number / 2, core=_of_transposed(INVERSE, first))
    core = _core(of)
    return replace(of, core=Call(function, (*matrices, core), core.shape))


def _of_transposed(function: Function, of: Expr) -> Expr:
    """f(A), with f(Aᵀ) as f(A)ᵀ."""
    return Transposed(Call(function, (of.of,))) if isinstance(of, Transposed) else Call(function, (of,))


def _core(addend: Addend) -> Expr:
    assert addend.core is not None
    return addend.core


def _diagonal_places(n: int) -> tuple[int, ...]:
    return tuple(range(0, n * n, n + 1))


def _reshaped(of: Expr, dims: Shape) -> Expr:
    """The same entries in C order, without the shapes that they had on the way."""
    while isinstance(of, Reshaped):
        of = of.of
    return of if of.shape == dims else Reshaped(of, dims)


def _in_shape(addend: Addend, dims: Shape) -> list[Addend]:
    match addend.core:
        case Ones():
            return [replace(addend, core=Ones(dims) if dims else None)]
        case Reshaped() as core:
            of = _reshaped(core, dims)
            if isinstance(of, Reshaped):
                return [replace(addend, core=of)]
            return [addend.times(a, a.core) for a in addends(of)]
        case Call(function, (of,)) if function == VEC and of.shape == dims[::-1]:
            return [addend.times(a, a.core) for a in addends(transposed(of))]
        case core:
            assert core is not None
            return [replace(addend, core=Reshaped(core, dims))]


def _mapped(function: Function, of: Expr) -> list[Addend]:
    """diag or vec of a sum, addend by addend."""
    return [replace(a, core=_of_core(function, a.core)) for a in addends(of)]


def _of_core(function: Function, core: Expr | None) -> Expr:
    assert core is not None
    rows, columns = core.shape
    match core:
        case Ones() if function == DIAG:
            return Eye(rows)
        case Eye() if function == DIAGONAL:
            return Ones((rows, 1))
        case Transposed(of) if function == DIAGONAL:
            core = of
        case Call(inner, (of,)) if (inner, function) == (DIAG, DIAGONAL):
            return of
    dims = {DIAG: (rows, rows), DIAGONAL: (rows, 1), VEC: (rows * columns, 1)}[function]
    return Call(function, (core,), dims)


def _rebuilt(expr: Expr) -> Expr:
    """The same node of shortened parts."""
    return expr.replaced({part: shortened(part) for part in expr.parts}) if expr.parts else expr


def _atom(expr: Expr) -> Addend:
    return Addend(1, above=(expr,)) if expr.shape == () else Addend(1, core=expr)


def _inverted(of: Addend) -> Addend:
    """1 over each entry."""
    below = of.scalar.under_one()
    return replace(below, core=None if of.core is None else Quotient(Number(1), of.core))


def _products(left: Expr, right: Expr) -> list[Addend]:
    if left.shape == () or right.shape == ():
        scalar, of = (left, right) if left.shape == () else (right, left)
        factor = one_product(scalar)
        return [
            factor.times(a, a.core) for a in (addends(of) if factor.above == factor.below == () else [one_product(of)])
        ]
    a, b = one_product(left), one_product(right)
    assert a.core is not None
    assert b.core is not None
    match a.core, b.core:
        case Ones(dims), core if dims == core.shape:
            return [a.times(b, core)]
        case core, Ones(dims) if dims == core.shape:
            return [a.times(b, core)]
        case Quotient(Number(1), below), core:
            return [a.times(b, Quotient(core, below))]
        case core, Quotient(Number(1), below):
            return [a.times(b, Quotient(core, below))]
        case first, second if first == second:
            return [a.times(b, Power(first, 2))]
    return [a.times(b, Hadamard(a.core, b.core))]


def _chain(expr: Expr) -> Addend:
    """A product of matrices: their numbers stand in front of it."""
    match expr:
        case MatMul(Reshaped(of, (1, _)), Ones((_, 1))) | MatMul(Ones((1, _)), Reshaped(of, (_, 1))):
            return replace(one_product(Einsum("ab->", (of,))), core=Ones((1, 1)))
        case MatMul(Reshaped(left, (1, _)), Transposed(Reshaped(right))) if (
            left.shape == right.shape and left.ndim == 2
        ):
            return replace(one_product(Call(TRACE, (MatMul(transposed(right), left),), ())), core=Ones((1, 1)))
    found, cores = Addend(1), list[Expr]()
    for factor in factors_of(expr):
        one = one_product(factor)
        assert one.core is not None
        found = found.times(one.scalar, None)
        for core in factors_of(one.core):
            if cores and _are_inverse(cores[-1], core):
                cores.pop()
            elif not isinstance(core, Eye) and core != Ones((1, 1)):
                cores.append(core)
    if not cores:
        return replace(found, core=Eye(expr.shape[0]) if expr.shape != (1, 1) else Ones((1, 1)))
    product = reduce(times, cores)
    if product.shape == (1, 1):
        return replace(_of_one_entry(replace(found, core=product)), core=Ones((1, 1)))
    return replace(found, core=product)


def _repeated(addend: Addend, shape: Shape) -> Addend:
    assert addend.core is not None
    return replace(addend, core=Ones(shape) if isinstance(addend.core, Ones) else Repeated(addend.core, shape))


def _are_inverse(left: Expr, right: Expr) -> bool:
    """Whether a product is of a matrix and its inverse, or of their transposes."""
    pairs = [(left, right), (right, left)]
    if isinstance(left, Transposed) and isinstance(right, Transposed):
        pairs = [(left.of, right.of), (right.of, left.of)]
    for one, other in pairs:
        match one:
            case Call(function, (of,)) if function.name == "inv" and of == other:
                return True
            case Transposed(Call(function, (of,))) if function.name == "inv" and transposed(of) == other:
                return True
    return False


def factors_of(expr: Expr) -> list[Expr]:
    """Return the matrices that an expression is the product of."""
    if isinstance(expr, MatMul):
        return [*factors_of(expr.left), *factors_of(expr.right)]
    return [expr]


def _of_one_entry(addend: Addend) -> Addend:
    match addend.core:
        case None | Ones() | Eye():
            return addend.scalar
        case core:
            return addend.scalar.times(_atom(Call(ENTRY, (core,), ())), None)


def _total(addend: Addend) -> Addend:
    """The sum of all entries."""
    match addend.core:
        case Ones() as ones:
            return replace(addend.scalar, number=addend.number * ones.size)
        case Hadamard(of, Eye()) | Hadamard(Eye(), of):
            return addend.scalar.times(_atom(Call(TRACE, (of,), ())), None)
        case Hadamard(left, right) if left.shape == right.shape and left.ndim == 2 and 1 not in left.shape:
            return addend.scalar.times(
                _atom(Call(TRACE, (_chain(MatMul(transposed(left), right)).expression(),), ())), None
            )
        case Hadamard(left, right) if left.shape == right.shape and left.shape[1:] == (1,):
            return addend.times(_chain(MatMul(transposed(left), right)), None)
        case None:
            return addend
        case Reshaped(of) | Transposed(of) if of.ndim == 2:
            return _total(replace(addend, core=of))
        case core:
            return addend.scalar.times(_atom(Einsum("ab->", (core,))), None)


def _raised(of: Expr, power: float, *, prime: bool) -> list[Addend]:
    """zᵖ, or p zᵖ⁻¹, where the power is a small whole number."""
    factor, exponent = (power, power - 1) if prime else (1.0, power)
    if power == 0.5:
        root = Call(_ROOT, (shortened(of),))
        return addends(Quotient(Number(1), Hadamard(Number(2), root))) if prime else [_atom(root)]
    if not float(exponent).is_integer():
        if not prime:
            return []
        below = shortened(of)
        other = Call(Raised(2).function(), (below, Number(exponent)))
        return [replace(_atom(Call(_ROOT, (below,)) if exponent == 0.5 else other), number=power)]
    base = one_product(of)
    if exponent == 0:
        return [Addend(factor, core=Ones(of.shape) if of.shape else None)]
    if exponent == 1:
        return [replace(base, number=factor * base.number)]
    if of.shape == ():
        raised = _scalar_power(base, int(exponent))
        return [replace(raised, number=factor * raised.number)]
    return [replace(_atom(Power(shortened(of), int(exponent))), number=factor)]


def _scalar_power(of: Addend, exponent: int) -> Addend:
    base = of if exponent > 0 else of.under_one()
    return reduce(lambda power, _: power.times(base, None), range(abs(exponent)), Addend(1))
