"""`shortened`: an expression as a sum of products, by a few identities that hold for all numbers.

- identities and ones that scale nothing drop, numbers stand in front, equal addends are counted;
- a number and its reciprocal cancel;
- the derivative of an elementary function is written by functions that readers know: cos in place of sin′;
- Σ A ∘ I is tr A, and a matrix of one entry is that number.

Every identity is tested at random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.operations import Exp, Sigmoid, Tanh
from jacobians.symbols.expressions import (
    Add,
    Call,
    Einsum,
    Expr,
    Eye,
    Hadamard,
    MatMul,
    Number,
    Ones,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    SumOver,
    Transposed,
    Zeros,
    times,
    transposed,
)
from jacobians.symbols.named_functions import Function


def trace(A: Array) -> Array:
    return as_array(np.trace(A))


def entry(A: Array) -> Array:
    return A.reshape(())


def cos(Z: Array) -> Array:
    return np.cos(Z)


def sin(Z: Array) -> Array:
    return np.sin(Z)


def sqrt(Z: Array) -> Array:
    return np.sqrt(Z)


TRACE = Function("trace", "tr", trace)
ENTRY = Function("entry", "", entry)
"""The number that a matrix of one entry is."""
_ROOT = Function("sqrt", "sqrt", sqrt)


def _one_minus(of: Expr) -> Expr:
    return Add(Number(1), of, minus=True)


_DERIVATIVES: Mapping[str, Callable[[Expr], Expr]] = {
    "exp_prime": lambda Z: Call(Exp().function(), (Z,)),
    "log_prime": lambda Z: Quotient(Number(1), Z),
    "sin_prime": lambda Z: Call(Function("cos", "cos", cos), (Z,)),
    "cos_prime": lambda Z: Hadamard(Number(-1), Call(Function("sin", "sin", sin), (Z,))),
    "tanh_prime": lambda Z: _one_minus(Power(Call(Tanh().function(), (Z,)), 2)),
    "sigmoid_prime": lambda Z: Hadamard(Call(Sigmoid().function(), (Z,)), _one_minus(Call(Sigmoid().function(), (Z,)))),
    "sqrt_prime": lambda Z: Quotient(Number(1), Hadamard(Number(2), Call(_ROOT, (Z,)))),
}
"""By the name of a derivative, what it is by functions without primes."""


def shortened(expr: Expr) -> Expr:
    """Return an equal expression that is a sum of products, mostly a shorter one."""
    return _sum(_addends(expr), expr)


@dataclass(frozen=True)
class Addend:
    """c s₁ s₂ … / (r₁ r₂ …) · core: a number, numbers with names above and below the bar, and an array if there is one."""

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
        return Addend(self.number * other.number, tuple(above), tuple(below), core)

    def under_one(self) -> Addend:
        """Return 1 over a number."""
        return Addend(1 / self.number, self.below, self.above)

    @property
    def scalar(self) -> Addend:
        """Return the same without its array."""
        return replace(self, core=None)

    def expression(self) -> Expr:
        """Return the product, without the sign of its number."""
        number = abs(self.number)
        factors = [Number(number)] * (number != 1) + [*self.above]
        above = reduce(Hadamard, factors) if factors else None
        whole = above if self.core is None else self.core if above is None else Hadamard(above, self.core)
        whole = Number(1) if whole is None else whole
        return Quotient(whole, reduce(Hadamard, self.below)) if self.below else whole


def _sum(addends: list[Addend], like: Expr) -> Expr:
    counted: list[Addend] = []
    for addend in addends:
        alike = [i for i, known in enumerate(counted) if replace(known, number=addend.number) == addend]
        if alike:
            counted[alike[0]] = replace(addend, number=addend.number + counted[alike[0]].number)
        else:
            counted.append(addend)
    counted = [addend for addend in counted if addend.number]
    if not counted:
        return Zeros(like.shape) if like.shape else Number(0)
    if len(counted) > 1 and counted[0].number < 0:  # a positive one first, where there is one
        counted.sort(key=lambda addend: addend.number < 0)
    first, *rest = counted
    whole = first.expression()
    if first.number < 0:
        whole = Number(-whole.value) if isinstance(whole, Number) else Hadamard(Number(-1), whole)
    for addend in rest:
        whole = Add(whole, addend.expression(), minus=addend.number < 0)
    return whole


def _addends(expr: Expr) -> list[Addend]:
    match expr:
        case Number(value):
            return [Addend(value)]
        case Zeros():
            return []
        case Add(left, right, minus) if left.shape == right.shape:
            sign = -1 if minus else 1
            return [*_addends(left), *(replace(a, number=sign * a.number) for a in _addends(right))]
        case Add(left, right, minus):
            return [Addend(1, core=Add(shortened(left), shortened(right), minus))]
        case Hadamard(left, right):
            return _products(left, right)
        case Quotient(left, right) if right.shape == ():
            below = _one(right).under_one()
            return [below.times(a, a.core) for a in _addends(left)]
        case Quotient(Number(value), right) if value == 1:
            return [_inverted(_one(right))]
        case MatMul():
            return [_chain(expr)]
        case Transposed(of):
            return [replace(a, core=None if a.core is None else transposed(a.core)) for a in _addends(of)]
        case Reshaped(of) if of.shape == expr.shape:
            return _addends(of)
        case Reshaped(of) if of.shape == ():
            return [replace(a, core=Ones(expr.shape)) for a in _addends(of)]
        case Reshaped(of) if expr.shape == () and of.shape == (1, 1):
            return [_of_one_entry(a) for a in _addends(of)]
        case SumOver(of) | Repeated(of) if of.shape == expr.shape:
            return _addends(of)
        case Einsum("ab->", (of,)):
            return [_total(a) for a in _addends(of)]
        case Call(function, (of,)) if function.name in _DERIVATIVES:
            return _addends(_DERIVATIVES[function.name](shortened(of)))
        case Call(function, (of, Number(power))) if function.name in ("power", "power_prime"):
            return _raised(of, power, prime=function.name == "power_prime") or [_atom(_rebuilt(expr))]
        case Eye() | Ones():
            return [Addend(1, core=expr)]
    return [_atom(_rebuilt(expr))]


def _rebuilt(expr: Expr) -> Expr:
    """The same node of shortened parts."""
    return expr.replaced({part: shortened(part) for part in expr.parts}) if expr.parts else expr


def _atom(expr: Expr) -> Addend:
    return Addend(1, above=(expr,)) if expr.shape == () else Addend(1, core=expr)


def _one(expr: Expr) -> Addend:
    """An expression as one product; a sum of several is one factor."""
    addends = _addends(expr)
    return addends[0] if len(addends) == 1 else _atom(_sum(addends, expr))


def _inverted(of: Addend) -> Addend:
    """1 over each entry."""
    below = of.scalar.under_one()
    return replace(below, core=None if of.core is None else Quotient(Number(1), of.core))


def _products(left: Expr, right: Expr) -> list[Addend]:
    if left.shape == () or right.shape == ():
        scalar, of = (left, right) if left.shape == () else (right, left)
        factor = _one(scalar)
        return [factor.times(a, a.core) for a in (_addends(of) if factor.above == factor.below == () else [_one(of)])]
    a, b = _one(left), _one(right)
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
    found, cores = Addend(1), list[Expr]()
    for factor in _factors(expr):
        one = _one(factor)
        assert one.core is not None
        found = found.times(one.scalar, None)
        cores += [core for core in _factors(one.core) if not isinstance(core, Eye) and core != Ones((1, 1))]
    if not cores:
        return replace(found, core=Eye(expr.shape[0]))
    return replace(found, core=reduce(times, cores))


def _factors(expr: Expr) -> list[Expr]:
    if isinstance(expr, MatMul):
        return [*_factors(expr.left), *_factors(expr.right)]
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
        case None:
            return addend
        case core:
            return addend.scalar.times(_atom(Einsum("ab->", (core,))), None)


def _raised(of: Expr, power: float, *, prime: bool) -> list[Addend]:
    """zᵖ, or p zᵖ⁻¹, where the power is a small whole number."""
    factor, exponent = (power, power - 1) if prime else (1.0, power)
    if not float(exponent).is_integer():
        return []
    base = _one(of)
    if exponent == 0:
        return [Addend(factor, core=Ones(of.shape) if of.shape else None)]
    if exponent == 1:
        return [replace(base, number=factor * base.number)]
    return [replace(_atom(Power(shortened(of), int(exponent))), number=factor)]
