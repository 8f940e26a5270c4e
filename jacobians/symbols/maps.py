"""Symbolic Jacobians: what a structured Jacobian does to an expression, and the rule by which it does it."""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.arrays import Shape
from jacobians.symbols.expressions import (
    Add,
    Expr,
    Hadamard,
    MatMul,
    Ones,
    Part,
    Placed,
    Reshaped,
    Slices,
    SumOver,
)
from jacobians.symbols.simplify import entrywise, scaled, times, transposed

__all__ = [
    "Between",
    "Commute",
    "Diag",
    "Kron",
    "Map",
    "MinusOuter",
    "Opaque",
    "PerExample",
    "Place",
    "Reshaping",
    "Select",
    "Summed",
    "Uniform",
    "Unit",
]


class Map:
    """A linear map between arrays, known by symbols alone."""

    @property
    def codomain(self) -> Shape:
        """The shape of the output."""
        raise NotImplementedError

    @property
    def domain(self) -> Shape:
        """The shape of the input."""
        raise NotImplementedError

    def pull(self, cotangent: Expr) -> Expr:
        """Return Jᵀ applied to a cotangent of shape `codomain`."""
        raise NotImplementedError

    def push(self, tangent: Expr) -> Expr:
        """Return J applied to a tangent of shape `domain`."""
        return self.T.pull(tangent)

    @property
    def T(self) -> Map:
        """The transpose."""
        raise NotImplementedError


class Between(Map):
    """A map that is told both shapes."""

    codomain_: Shape
    domain_: Shape

    @property
    def codomain(self) -> Shape:
        return self.codomain_

    @property
    def domain(self) -> Shape:
        return self.domain_


@dataclass(frozen=True)
class Kron(Map):
    """V ↦ A V Bᵀ: A ⊗ B in C order, B ⊗ A in F order."""

    left: Expr
    right: Expr

    @property
    def codomain(self) -> Shape:
        return (self.left.shape[0], self.right.shape[0])

    @property
    def domain(self) -> Shape:
        return (self.left.shape[1], self.right.shape[1])

    def pull(self, cotangent: Expr) -> Expr:
        return times(times(transposed(self.left), cotangent), self.right)

    @property
    def T(self) -> Map:
        return Kron(transposed(self.left), transposed(self.right))


@dataclass(frozen=True)
class Commute(Map):
    """V ↦ Vᵀ for V of shape (rows, columns)."""

    rows: int
    columns: int

    @property
    def codomain(self) -> Shape:
        return (self.columns, self.rows)

    @property
    def domain(self) -> Shape:
        return (self.rows, self.columns)

    def pull(self, cotangent: Expr) -> Expr:
        return transposed(cotangent)

    @property
    def T(self) -> Map:
        return Commute(self.columns, self.rows)


@dataclass(frozen=True)
class Diag(Map):
    """V ↦ D ∘ V."""

    of: Expr

    @property
    def codomain(self) -> Shape:
        return self.of.shape

    domain = codomain

    def pull(self, cotangent: Expr) -> Expr:
        return Hadamard(cotangent, self.of)

    @property
    def T(self) -> Map:
        return self


@dataclass(frozen=True)
class Select(Map):
    """V ↦ V[key]."""

    key: Slices
    domain_: Shape

    @property
    def codomain(self) -> Shape:
        return Part(Ones(self.domain_), self.key).shape

    @property
    def domain(self) -> Shape:
        return self.domain_

    def pull(self, cotangent: Expr) -> Expr:
        return Placed(cotangent, self.key, self.domain_)

    @property
    def T(self) -> Map:
        return Place(self.key, self.domain_)


@dataclass(frozen=True)
class Place(Map):
    """V among zeros: the transpose of `Select`."""

    key: Slices
    codomain_: Shape

    @property
    def codomain(self) -> Shape:
        return self.codomain_

    @property
    def domain(self) -> Shape:
        return Part(Ones(self.codomain_), self.key).shape

    def pull(self, cotangent: Expr) -> Expr:
        return Part(cotangent, self.key)

    @property
    def T(self) -> Map:
        return Select(self.key, self.codomain_)


@dataclass(frozen=True)
class Reshaping(Between):
    """The same entries, in C order, in another shape."""

    codomain_: Shape
    domain_: Shape

    def pull(self, cotangent: Expr) -> Expr:
        if isinstance(cotangent, SumOver) and len(self.domain_) == 1:
            return SumOver(cotangent.of, cotangent.axis, keep=False)
        return cotangent.of if isinstance(cotangent, Reshaped) else Reshaped(cotangent, self.domain_)

    @property
    def T(self) -> Map:
        return Reshaping(self.domain_, self.codomain_)


@dataclass(frozen=True)
class Unit(Map):
    """V ↦ V."""

    shape_: Shape

    @property
    def codomain(self) -> Shape:
        return self.shape_

    domain = codomain

    def pull(self, cotangent: Expr) -> Expr:
        return cotangent

    @property
    def T(self) -> Map:
        return self


@dataclass(frozen=True)
class MinusOuter(Map):
    """V ↦ d∘V − u∘Σ(v∘V), the sum running along one axis: softmax has d = u = v = p."""

    d: Expr
    u: Expr
    v: Expr
    axis: int

    @property
    def codomain(self) -> Shape:
        return self.d.shape

    domain = codomain

    def pull(self, cotangent: Expr) -> Expr:
        total = SumOver(entrywise(cotangent, self.u), self.axis)
        return Add(entrywise(cotangent, self.d), entrywise(total, self.v), minus=True)

    @property
    def T(self) -> Map:
        return MinusOuter(self.d, self.v, self.u, self.axis)


@dataclass(frozen=True)
class PerExample(Map):
    """The losses' Jacobian: row n is the n-th example's part of δ, among zeros."""

    delta: Expr
    axis: int
    """Where the examples are counted in δ."""
    column: bool = False
    """Whether it stands transposed, in a chain in denominator layout."""

    @property
    def codomain(self) -> Shape:
        return (self.delta.shape[self.axis],)

    @property
    def domain(self) -> Shape:
        return self.delta.shape

    def pull(self, cotangent: Expr) -> Expr:
        match cotangent:
            case Ones():
                return self.delta
            case Hadamard(factor, Ones()):
                return scaled(factor, self.delta)
        column = (-1, 1) if self.axis == 0 else (1, -1)
        shape = tuple(self.codomain[0] if n == -1 else n for n in column)
        return Hadamard(Reshaped(cotangent, shape), self.delta)

    @property
    def T(self) -> Map:
        return PerExample(self.delta, self.axis, not self.column)


@dataclass(frozen=True)
class Uniform(Map):
    """The reduction: Σ over the examples, times a scalar such as 1/N."""

    factor: Expr | None
    count: int
    column: bool = False
    """Whether it stands transposed, in a chain in denominator layout."""

    @property
    def codomain(self) -> Shape:
        return ()

    @property
    def domain(self) -> Shape:
        return (self.count,)

    def pull(self, cotangent: Expr) -> Expr:
        return Ones(self.domain) if self.factor is None else Hadamard(self.factor, Ones(self.domain))

    @property
    def T(self) -> Map:
        return Uniform(self.factor, self.count, not self.column)


@dataclass(frozen=True)
class Opaque(Between):
    """A Jacobian without better structure: a named matrix, unrolled in C order, and as the layout unrolls it."""

    matrix: Expr
    shown: Expr
    codomain_: Shape
    domain_: Shape

    def pull(self, cotangent: Expr) -> Expr:
        rows = self.matrix.shape[0]
        return Reshaped(MatMul(Reshaped(cotangent, (1, rows)), self.matrix), self.domain_)

    @property
    def T(self) -> Map:
        return Opaque(transposed(self.matrix), transposed(self.shown), self.domain_, self.codomain_)


@dataclass(frozen=True)
class Summed(Map):
    """J₁ + J₂: two ways from the input to the output."""

    terms: tuple[tuple[Map, ...], ...]

    @property
    def codomain(self) -> Shape:
        return self.terms[0][0].codomain

    @property
    def domain(self) -> Shape:
        return self.terms[0][-1].domain

    def pull(self, cotangent: Expr) -> Expr:
        pulled = []
        for factors in self.terms:
            term = cotangent
            for factor in factors:
                term = factor.pull(term)
            pulled.append(term)
        total = pulled[0]
        for term in pulled[1:]:
            total = Add(total, term)
        return total

    @property
    def T(self) -> Map:
        return Summed(tuple(tuple(f.T for f in reversed(factors)) for factors in self.terms))
