"""Symbolic Jacobians without a rule of their own: a matrix as it is, and a sum of paths."""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.arrays import Shape
from jacobians.explain.expressions import Add, Expr, MatMul, Reshaped
from jacobians.explain.maps import Between, Map
from jacobians.explain.simplify import transposed

__all__ = ["Opaque", "Summed"]


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
