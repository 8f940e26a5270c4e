"""The name of each rewriting, and the sentence that says what it does."""

from __future__ import annotations

from collections.abc import Sequence

from jacobians.arrays import Shape
from jacobians.layout import Layout
from jacobians.symbols.expressions import Expr, Ones
from jacobians.symbols.maps import (
    Commute,
    Diag,
    Kron,
    Map,
    MinusOuter,
    Opaque,
    PerExample,
    Place,
    Reshaping,
    Select,
    Summed,
    Uniform,
    Unit,
)
from jacobians.symbols.text import TextNotation, slices_text

__all__ = ["passed", "rule_of"]


def passed(maps: Sequence[Map], cotangent: Expr) -> list[tuple[Map, Expr, Expr]]:
    """Return each map that a cotangent passes, with the cotangent before and after it.

    A reshape that only drops an axis of one entry has the identity for its matrix, so it is no step of its own.
    """
    found: list[tuple[Map, Expr, Expr]] = []
    for map_ in maps:
        after = map_.pull(cotangent)
        if isinstance(map_, Reshaping) and found and _squeezed(map_.domain) == _squeezed(map_.codomain):
            found[-1] = (*found[-1][:2], after)
        else:
            found.append((map_, cotangent, after))
        cotangent = after
    return found


def _squeezed(shape: Shape) -> Shape:
    return tuple(n for n in shape if n != 1)


def rule_of(map_: Map, before: Expr | None, after: Expr, layout: Layout) -> tuple[str, str]:
    """Return the rule's name, and one sentence, for a cotangent that passes a factor."""
    write = TextNotation()
    left = "" if before is None or isinstance(map_, PerExample) else write.row(write.expr(before), layout.vec)
    right = write.row(write.expr(map_.delta if isinstance(map_, PerExample) else after), layout.vec)
    line = f"{left} {write.map(map_, layout.vec)}".strip()
    match map_:
        case Uniform(factor=None):
            return "sum over examples", f"The losses are added: a row of ones, {write.map(map_, layout.vec)}."
        case Uniform(factor=Expr() as factor):
            return (
                f"where {write.expr(factor)} enters",
                f"The mean's weights are the left end of the chain: {write.map(map_, layout.vec)}.",
            )
        case PerExample():
            return "one loss an example", f"Example n's loss depends on example n alone: 1ᵀ {line} = {right}."
        case Kron(left=Ones()) | Kron(right=Ones()):
            return "ones make the sum", f"The bias meets a vector of ones, which adds the examples: {line} = {right}."
        case Kron():
            identity = "vec(Δ)ᵀ (A ⊗ B) = vec(AᵀΔB)ᵀ" if layout.vec == "C" else "vec(Δ)ᵀ (B ⊗ A) = vec(AᵀΔB)ᵀ"
            return "vec trick", f"{identity}: {line} = {right}."
        case Commute():
            return "commutation", f"K only transposes, vec(Δ)ᵀ K = vec(Δᵀ)ᵀ: {line} = {right}."
        case Diag():
            return "diagonal", f"A diagonal matrix multiplies entry by entry: {line} = {right}."
        case Place(key=key):
            return (
                "selection drops δ₀",
                f"The entry of ones is constant, so its cotangent is dropped, Sᵀ keeps [{slices_text(key)}]: "
                f"{line} = {right}.",
            )
        case Select():
            return "placement", f"What was not selected has no influence: {line} = {right}."
        case Reshaping():
            return "reshape", f"The same entries in another shape: {line} = {right}."
        case MinusOuter():
            return "softmax", f"diag(p) − p pᵀ for each example: {line} = {right}."
        case Summed():
            return "sum of paths", f"Each path passes its share: {line} = {right}."
        case Unit():
            return "identity", f"Nothing changes: {line} = {right}."
        case Opaque():
            return "matrix", f"A Jacobian without a known formula is multiplied as it is: {line}."
    raise TypeError(f"no rule for {type(map_).__name__}")
