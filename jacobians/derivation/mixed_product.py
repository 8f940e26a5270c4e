"""Neighbouring factors that are one: Kronecker products, selections of whole columns, commutations, diagonals."""

from __future__ import annotations

from jacobians.layout import Layout
from jacobians.symbols.expressions import Expr, Hadamard, Part, Slices
from jacobians.symbols.maps import Commute, Diag, Kron, Map, Place, Unit
from jacobians.symbols.simplify import times
from jacobians.symbols.text import TextNotation

__all__ = ["merged"]


def merged(maps: tuple[Map, ...], layout: Layout) -> list[tuple[str, str, tuple[Map, ...]]]:
    """Return, for each joining of two neighbours, the rule's name, a sentence, and the maps that are left."""
    found: list[tuple[str, str, tuple[Map, ...]]] = []
    position = 0
    write = TextNotation()
    while position + 1 < len(maps):
        left, right = maps[position : position + 2]
        joined = _joined(left, right)
        if joined is None:
            position += 1
            continue
        rule, one = joined
        maps = (*maps[:position], one, *maps[position + 2 :])
        before = f"{write.map(left, layout.vec)} {write.map(right, layout.vec)}"
        found.append((rule, f"{before} = {write.map(one, layout.vec)}.", maps))
        position = max(position - 1, 0)
    return found


def _joined(left: Map, right: Map) -> tuple[str, Map] | None:
    """One map for two, and the rule by which it is one."""
    match left, right:
        case Kron(a, b), Kron(c, d):
            # (A ⊗ B)(C ⊗ D) = AC ⊗ BD
            return "mixed product", Kron(times(a, c), times(b, d))
        case Kron(a, b), Place(((None, None), columns), _):
            # S selects columns of V, so Sᵀ = I ⊗ E, and B E keeps some columns of B
            return "mixed product", Kron(a, _columns(b, columns))
        case Kron(a, b), Place((rows, (None, None)), _):
            return "mixed product", Kron(_columns(a, rows), b)
        case Commute(), Commute(domain=domain):
            return "commutation", Unit(domain)
        case Diag(a), Diag(b):
            return "diagonal", Diag(Hadamard(a, b))
        case Unit(), _:
            return "identity", right
        case _, Unit():
            return "identity", left
    return None


def _columns(of: Expr, kept: tuple[int | None, int | None]) -> Expr:
    key: Slices = ((None, None), kept)
    return Part(of, key)
