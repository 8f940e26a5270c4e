"""`addend_slips`: what goes wrong with whole addends of a formula, the regulariser's first of all."""

from __future__ import annotations

from collections.abc import Iterator

from jacobians.explain.audit.claims import Claim
from jacobians.explain.audit.scope import Scope
from jacobians.explain.audit.terms import Path, Term, leaf, number, positions, replaced
from jacobians.explain.expressions import Add, Expr, Placed, Symbol
from jacobians.explain.vocabulary import vocabulary_of

__all__ = ["addend_slips"]


def addend_slips(term: Term, scope: Scope, claim: Claim, text: str) -> Iterator[tuple[Term, tuple[str, str, int]]]:
    """Yield changed formulas with a slip's name, clause and rank."""
    strength = Symbol(vocabulary_of(scope.setting.network.convention.name).strength, ())
    penalty = _penalty(scope, claim)
    found = [(path, at) for path, at in _addends(term) if at.span != (0, 0)]
    if penalty is not None:
        added = Term("plus", (term, leaf(penalty)), None, term.span)
        yield added, ("missing-regulariser", "the regulariser's term is missing", 0)
    if len(found) == 1 and penalty is None:
        return
    for path, at in found:
        shown = f"`{text[slice(*at.span)].strip()}`"
        regulariser = any(inner.detail == strength for _, inner in positions(at) if inner.kind == "leaf")
        if regulariser and isinstance(masked := _placed(penalty), Placed):
            kept = Term("part", (at,), masked.key)
            margins = tuple(
                (slice(*k).indices(n)[0], n - slice(*k).indices(n)[1])
                for k, n in zip(masked.key, masked.dims, strict=True)
            )
            clause = f"the regulariser's term {shown} must leave out the bias"
            yield replaced(term, path, Term("placed", (kept,), margins)), ("regulariser-on-bias", clause, 0)
        if regulariser and penalty is not None:
            clause = f"the regulariser's term {shown} is not the convention's"
            yield replaced(term, path, leaf(penalty)), ("wrong-regulariser", clause, 2)
        if path:
            name = "superfluous-regulariser" if regulariser else "superfluous-term"
            parent_path, side = path[:-1], path[-1]
            parent = _at(term, parent_path)
            rest = parent.parts[1 - side]
            if parent.kind == "minus" and side == 0:
                rest = Term("negative", (rest,))
            yield (
                replaced(term, parent_path, rest),
                (name, f"the term {shown} does not belong there", 0 if regulariser else 5),
            )
        for factor, called in _factors(scope):
            scaled = Term("product", (leaf(factor), at), None, at.span)
            less = Term("divide", (at, leaf(factor)), None, at.span)
            which = "regulariser-scale" if regulariser else "one-term-scale"
            yield replaced(term, path, less), (which, f"the term {shown} must be divided by {called}", 1)
            yield replaced(term, path, scaled), (which, f"the term {shown} must be multiplied by {called}", 1)


def _factors(scope: Scope) -> Iterator[tuple[Expr, str]]:
    count = vocabulary_of(scope.setting.network.convention.name).count
    for name in (count, "K"):
        yield Symbol(name, ()), name
    yield number(2).detail, "2"


def _addends(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    if term.kind in ("plus", "minus"):
        for i, part in enumerate(term.parts):
            yield from _addends(part, (*path, i))
    else:
        yield path, term


def _at(term: Term, path: Path) -> Term:
    for step in path:
        term = term.parts[step]
    return term


def _placed(penalty: Expr | None) -> Expr | None:
    """The part of a penalty that is zero for the bias."""
    return next((part for part in penalty.parts if isinstance(part, Placed)), None) if penalty is not None else None


def _penalty(scope: Scope, claim: Claim) -> Expr | None:
    right = claim.nearest.right
    if claim.parameter in (None, "X") or not scope.setting.network.is_penalised(str(claim.parameter)):
        return None
    return right.right if isinstance(right, Add) else None
