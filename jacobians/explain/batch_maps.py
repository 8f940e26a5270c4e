"""Symbolic Jacobians that look at one example at a time: softmax, per-example losses, and their reduction."""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.arrays import Shape
from jacobians.explain.expressions import Add, Expr, Hadamard, Ones, Reshaped, SumOver
from jacobians.explain.maps import Map
from jacobians.explain.simplify import entrywise, scaled

__all__ = ["MinusOuter", "PerExample", "Uniform"]


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
