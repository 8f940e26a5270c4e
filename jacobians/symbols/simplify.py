"""The rewritings that keep a formula short: transposes at the symbols, factors that are identities or ones dropped."""

from __future__ import annotations

from jacobians.symbols.expressions import (
    Expr,
    Eye,
    Hadamard,
    MatMul,
    Number,
    Ones,
    Quotient,
    Repeated,
    Reshaped,
    SumOver,
    Transposed,
)

__all__ = ["entrywise", "scaled", "times", "transposed"]


def transposed(of: Expr) -> Expr:
    """Return Aᵀ with the transposes at the symbols: (A B)ᵀ = Bᵀ Aᵀ, (Aᵀ)ᵀ = A."""
    match of:
        case Transposed(inner):
            return inner
        case MatMul(left, right):
            return MatMul(transposed(right), transposed(left))
        case Quotient(left, right) if right.shape == ():
            return Quotient(transposed(left), right)
        case Hadamard(left, right) if () in (left.shape, right.shape):
            return Hadamard(transposed(left), transposed(right))
        case Eye() | Number():
            return of
        case Ones(dims):
            return Ones(dims[::-1])
        case _ if of.shape == ():
            return of
        case _:
            return Transposed(of)


def scaled(factor: Expr | None, of: Expr) -> Expr:
    """Return c A, as A / N where c is 1/N; without c, A."""
    match factor:
        case None:
            return of
        case Quotient(Number(value), by) if value == 1:
            return Quotient(of, by)
        case _:
            return Hadamard(factor, of)


def times(left: Expr, right: Expr) -> Expr:
    """Return A B; identities drop out, and a vector of ones makes a sum or repeats."""
    if isinstance(left, Eye):
        return right
    if isinstance(right, Eye):
        return left
    if isinstance(left, Ones) and left.shape[0] == 1:
        return SumOver(right, 0)
    if isinstance(right, Ones) and right.shape[1] == 1:
        return SumOver(left, 1)
    if isinstance(left, Ones) and left.shape[1] == 1:
        return Repeated(right.of if isinstance(right, Reshaped) else right, (left.shape[0], right.shape[1]))
    if isinstance(right, Ones) and right.shape[0] == 1:
        return Repeated(left, (left.shape[0], right.shape[1]))
    return MatMul(left, right)


def entrywise(left: Expr, right: Expr) -> Expr:
    """Return A ∘ B; ones drop out."""
    return left if isinstance(right, Ones) else Hadamard(left, right)
