r"""Symbolic Jacobians: what a structured Jacobian does to an expression, and the rule by which it does it.

Each node is the symbol of one structure of `jacobians.linops` and maps V to J(V). `pull` is the cotangent's way,
:math:`\operatorname{vec}(\Delta)^\top J = \operatorname{vec}(\text{pull}(\Delta))^\top`; `push` is the tangent's.
"""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.arrays import Shape
from jacobians.explain.expressions import (
    Expr,
    Hadamard,
    Ones,
    Part,
    Placed,
    Reshaped,
    Slices,
    SumOver,
)
from jacobians.explain.simplify import times, transposed

__all__ = [
    "Between",
    "Commute",
    "Diag",
    "Kron",
    "Map",
    "Place",
    "Reshaping",
    "Select",
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
