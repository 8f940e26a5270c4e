"""`slips`: the usual ways to get one place of a formula wrong; `scalings`: the usual wrong factors.

The catalogue is sorted by what stands at the place: any array, a product, a call, a name, an addend. Of two slips that
explain a formula equally well, the one with the smaller rank is named.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from jacobians.auditing.claims import Claim
from jacobians.auditing.names import Scope
from jacobians.auditing.terms import Path, Term, call, leaf, number, positions, replaced, replaced_everywhere
from jacobians.derivation.names import Names
from jacobians.symbols.expressions import Add, Expr, Hadamard, Number, Placed, Quotient, Symbol
from jacobians.symbols.notation import split_name


@dataclass(frozen=True)
class Slip:
    """One slip in a formula.

    Attributes
    ----------
    name : str
        Stable and lower-case, such as ``missing-transpose``.
    clause : str
        What is wrong, as a clause.
    rank : int
        The more usual the slip, the smaller.
    """

    name: str
    clause: str
    rank: int = 0


Change: TypeAlias = tuple[Term, Slip]
"""What must stand at a place, and the slip that this takes back."""


def slips(term: Term, scope: Scope, claim: Claim, text: str) -> Iterator[tuple[Term, Slip]]:
    """Yield the formulas that differ from a term by one change, each with the slip that the change undoes.

    Parameters
    ----------
    term : Term
    scope : Scope
    claim : Claim
    text : str
        The formula, for showing the places.
    """
    uses = Counter(id(at) for _, at in positions(term))
    for path, at in positions(term):
        if at.span != (0, 0):  # else an earlier change put it there
            for by, slip in _changes(path, at, term, scope, claim, _shown(at, text)):
                yield replaced(term, path, by), slip
                if uses[id(at)] > 1:
                    yield replaced_everywhere(term, at, by), slip
        if uses[id(at)] > 1:
            uses[id(at)] = 1  # everywhere at once, once
    yield from _of_addends(term, scope, claim, text)


def _shown(at: Term, text: str) -> str:
    return f"`{text[slice(*at.span)].strip()}`"


def _changes(path: Path, at: Term, whole: Term, scope: Scope, claim: Claim, shown: str) -> Iterator[Change]:
    scalar = at.kind == "leaf" and at.detail.shape == ()
    if at.kind == "transpose":
        yield at.parts[0], Slip("superfluous-transpose", f"{shown} must not be transposed", 1)
    elif not scalar:
        yield Term("transpose", (at,), None, at.span), Slip("missing-transpose", f"{shown} must be transposed", 1)
    if at.kind in ("matmul", "product", "star", "hadamard"):
        yield from _of_product(at, shown)
    if not scalar:
        yield from _of_bias(at, scope, shown)
        yield from _of_sum(at, shown)
        yield from _of_activation(at, scope, shown)
    if isinstance(at.detail, Symbol):
        yield from _of_name(at.detail, at, _at(whole, path[:-1]), scope, claim)
    if at.kind == "plus":
        yield replace(at, kind="minus"), Slip("sign", f"in {shown} the sign must be a minus", 2)
    if at.kind == "minus":
        yield replace(at, kind="plus"), Slip("sign", f"in {shown} the sign must be a plus", 2)
        turned = replace(at, parts=at.parts[::-1])
        yield turned, Slip("sign", f"the difference {shown} is the wrong way round", 1)
    if at.kind == "divide":
        yield at.parts[0], Slip("superfluous-divisor", f"{shown} must not be divided", 2)
        if at.parts[1].kind == "leaf":
            yield replace(at, kind="star"), Slip("divisor", f"{shown} must be a product, not a quotient", 4)


def _of_product(at: Term, shown: str) -> Iterator[Change]:
    left, right = at.parts
    if at.kind in ("matmul", "product"):
        yield replace(at, parts=(right, left)), Slip("product-order", f"the factors of {shown} are swapped", 1)
        clause = f"{shown} must be a product entry by entry"
        yield replace(at, kind="star"), Slip("matrix-product-for-elementwise", clause, 1)
    else:
        yield replace(at, kind="matmul"), Slip("elementwise-for-matrix-product", f"{shown} must be a matrix product", 1)
    for kept, dropped in ((left, right), (right, left)):
        if _is_derivative(dropped):
            clause = f"in {shown} the activation's derivative is one too many"
            yield kept, Slip("superfluous-activation-derivative", clause, 1)
        yield kept, Slip("superfluous-factor", f"in {shown} one factor is too many", 5)


def _of_bias(at: Term, scope: Scope, shown: str) -> Iterator[Change]:
    """The entry of ones, its weights, and δ₀."""
    if at.kind == "part":
        yield at.parts[0], Slip("bias-entry-dropped", f"{shown} drops an entry that belongs there", 2)
    layout = scope.setting.network.layout
    if layout.absorbs_bias:
        first, whole = layout.bias == "first", (None, None)
        kept = (1, None) if first else (0, -1)
        for key in ((whole, kept), (kept, whole)):
            clause = f"the bias entry of {shown} must be dropped (δ₀ has nowhere to go)"
            yield Term("part", (at,), key, at.span), Slip("bias-entry-kept", clause, 0)
        for axis in (1, 0):
            with_ones = Term("with_ones", (at,), (axis, first), at.span)
            yield with_ones, Slip("missing-ones", f"{shown} lacks its entry of ones", 2)


def _of_sum(at: Term, shown: str) -> Iterator[Change]:
    if at.kind not in ("sum", "mean"):
        for axis, keep in itertools.product((0, 1), (False, True)):
            summed = Term("sum", (at,), (axis, keep), at.span)
            yield summed, Slip("missing-sum", f"{shown} must be summed over the examples", 1)
        return
    axis, keep = at.detail
    if axis is not None:
        yield replace(at, detail=(1 - axis, keep)), Slip("wrong-axis", f"{shown} sums over the wrong axis", 1)
        what = "keeps an axis of length 1" if keep else "loses an axis that must be kept (keepdims=True)"
        yield replace(at, detail=(axis, not keep)), Slip("keepdims", f"{shown} {what}", 1)
    yield at.parts[0], Slip("superfluous-sum", f"{shown} must not be summed", 3)


def _of_activation(at: Term, scope: Scope, shown: str) -> Iterator[Change]:
    derivatives = list(dict.fromkeys(scope.activation_derivatives()))
    if at.kind == "call":
        function, is_derivative = str(at.detail), _is_derivative(at)
        other = function.removesuffix("_prime") if is_derivative else f"{function}_prime"
        if other in scope.known:
            what = " itself, not its derivative" if is_derivative else "'s derivative, not itself"
            yield replace(at, detail=other), Slip("activation-for-derivative", f"{shown} must be the function{what}", 1)
        for derivative, more in derivatives:
            name = derivative if is_derivative else derivative.removesuffix("_prime")
            if name != function and name.endswith("_prime") == is_derivative:
                by = call(name, (at.parts[0], *map(number, more)), at.span)
                yield by, Slip("wrong-activation", f"{shown} is of another activation than the network's", 2)
    names = Names(scope.setting.first.run)
    inputs = [names.of(shared) for shared in names.outputs if shared.startswith("Z")]
    inner = [leaf(scope.symbols[Z]) for Z in inputs if Z in scope.symbols]
    if _is_derivative(at) and at.parts[0].kind != "leaf":
        clause = f"the activation's derivative {shown} is taken at the wrong array"
        yield from (
            (
                replace(at, parts=(Z, *at.parts[1:])),
                Slip("derivative-at-wrong-argument", f"{clause}: it belongs at `{Z.detail.name}`", 1),
            )
            for Z in inner
        )
    for rest in _beside_a_derivative(at):
        clause = f"{shown} is with the derivative of another activation than the network's, written out"
        for (derivative, more), Z in itertools.product(derivatives, inner):
            by = call(derivative, (Z, *map(number, more)), at.span)
            by = by if rest is None else Term("star", (rest, by), None, at.span)
            yield by, Slip("wrong-activation", clause, 2)
    for (derivative, more), Z in itertools.product(derivatives, inner):
        factor = call(derivative, (Z, *map(number, more)))
        clause = f"the activation's derivative at `{Z.detail.name}` is missing on {shown}"
        yield Term("star", (at, factor), None, at.span), Slip("missing-activation-derivative", clause, 1)


def _beside_a_derivative(at: Term) -> Iterator[Term | None]:
    """What stands beside a (1 − a) or 1 − a², the derivatives of sigmoid and tanh by their own values; None alone."""
    if at.kind in ("star", "hadamard"):
        for one, other in (at.parts, at.parts[::-1]):
            if other.kind == "minus" and other.parts[0].detail == Number(1):
                if _same(one, other.parts[1]):
                    yield None
                elif one.kind in ("star", "hadamard"):
                    pairs = (one.parts, one.parts[::-1])
                    yield from (rest for rest, factor in pairs if _same(factor, other.parts[1]))
    if at.kind == "minus" and at.parts[0].detail == Number(1) and at.parts[1].kind in ("power", "call"):
        yield None


def _same(one: Term, other: Term) -> bool:
    """Whether two terms are the same but for where they stand."""
    parts = zip(one.parts, other.parts, strict=False)
    alike = (one.kind, one.detail, len(one.parts)) == (other.kind, other.detail, len(other.parts))
    return alike and all(_same(*pair) for pair in parts)


def _of_name(used: Symbol, at: Term, parent: Term, scope: Scope, claim: Claim) -> Iterator[Change]:
    """Another array in its place."""
    for name, symbol in scope.symbols.items():
        if name == claim.name or name.startswith(("J_", "d_")):
            continue
        if symbol == used or len(symbol.shape) != len(used.shape):
            continue
        clause = f"`{used.name}` stands where `{name}` belongs"
        if used.name in scope.own and scope.updates(used.name) == name:
            slip = Slip("updated-weights", f"{clause}: the backward pass needs the weights of the forward pass", 0)
        elif _is_derivative(parent):
            clause = f"the activation's derivative is taken at the wrong array: {clause}"
            slip = Slip("derivative-at-wrong-argument", clause, 1)
        elif symbol.shape == ():
            slip = Slip("wrong-scalar", clause, 3)
        elif split_name(name).letters == split_name(used.name).letters:
            slip = Slip("wrong-layer", clause, 2)
        else:
            slip = Slip("wrong-array", clause, 4)
        yield leaf(symbol, at.span), slip


def _is_derivative(term: Term) -> bool:
    return term.kind == "call" and str(term.detail).endswith("_prime")


# --- addends -------------------------------------------------------------------------------------


def _of_addends(term: Term, scope: Scope, claim: Claim, text: str) -> Iterator[Change]:
    """Yield whole changed formulas: without an addend, with another one, or with one that is scaled."""
    words = scope.setting.network.convention.names
    penalty = _penalty(scope, claim)
    found = [(path, at) for path, at in _addends(term) if at.span != (0, 0)]
    if penalty is not None:
        added = Term("plus", (term, leaf(penalty)), None, term.span)
        yield added, Slip("missing-regulariser", "the regulariser's term is missing", 0)
    elif len(found) == 1:
        return
    factors = ((Symbol(words.count, ()), words.count), (Symbol("K", ()), "K"), (Number(2.0), "2"))
    for path, at in found:
        shown = _shown(at, text)
        regulariser = any(_is_strength(inner, scope, words.strength) for _, inner in positions(at))
        if regulariser and penalty is not None:
            for masked in (part for part in penalty.parts if isinstance(part, Placed)):
                edges = [slice(*k).indices(n)[:2] for k, n in zip(masked.key, masked.dims, strict=True)]
                margins = tuple((start, n - stop) for (start, stop), n in zip(edges, masked.dims, strict=True))
                by = Term("placed", (Term("part", (at,), masked.key),), margins)
                clause = f"the regulariser's term {shown} must leave out the bias"
                yield replaced(term, path, by), Slip("regulariser-on-bias", clause, 0)
            clause = f"the regulariser's term {shown} is not the convention's"
            yield replaced(term, path, leaf(penalty)), Slip("wrong-regulariser", clause, 2)
        if path:
            parent = _at(term, path[:-1])
            rest = parent.parts[1 - path[-1]]
            rest = Term("negative", (rest,)) if parent.kind == "minus" and path[-1] == 0 else rest
            name, rank = ("superfluous-regulariser", 0) if regulariser else ("superfluous-term", 5)
            yield replaced(term, path[:-1], rest), Slip(name, f"the term {shown} does not belong there", rank)
        which = "regulariser-scale" if regulariser else "one-term-scale"
        for factor, called in factors:
            less = Term("divide", (at, leaf(factor)), None, at.span)
            scaled = Term("product", (leaf(factor), at), None, at.span)
            yield replaced(term, path, less), Slip(which, f"the term {shown} must be divided by {called}", 1)
            yield replaced(term, path, scaled), Slip(which, f"the term {shown} must be multiplied by {called}", 1)


def _is_strength(term: Term, scope: Scope, strength: str) -> bool:
    """Whether it is λ, or a name of the caller's for it."""
    own = scope.definitions.get(getattr(term.detail, "name", ""))
    return Symbol(strength, ()) in (term.detail, own)


def _addends(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    scaled = term.kind in ("product", "star", "divide") and [_is_scalar(part) for part in term.parts]
    if term.kind in ("plus", "minus"):
        for i, part in enumerate(term.parts):
            yield from _addends(part, (*path, i))
    elif scaled and scaled.count(False) == 1 and term.parts[scaled.index(False)].kind in ("plus", "minus"):
        i = scaled.index(False)
        yield from _addends(term.parts[i], (*path, i))
    else:
        yield path, term


def _is_scalar(term: Term) -> bool:
    if term.kind == "leaf":
        return bool(term.detail.shape == ())
    return term.kind in ("product", "star", "divide", "negative") and all(map(_is_scalar, term.parts))


def _at(term: Term, path: Path) -> Term:
    for step in path:
        term = term.parts[step]
    return term


def _penalty(scope: Scope, claim: Claim) -> Expr | None:
    right = claim.nearest.right
    if claim.parameter in (None, "X") or not scope.setting.network.is_penalised(str(claim.parameter)):
        return None
    return right.right if isinstance(right, Add) else None


# --- factors of the whole ------------------------------------------------------------------------


@dataclass(frozen=True)
class Scaling:
    """A factor between a formula's value and the true one.

    Attributes
    ----------
    value : float
        The formula's value is this many times the true one.
    mend : Expr
        What to multiply the formula by.
    slips : tuple of Slip
    """

    value: float
    mend: Expr
    slips: tuple[Slip, ...]


def scalings(scope: Scope) -> Iterator[Scaling]:
    """Yield the factors by which a formula is usually wrong, those of a single slip first.

    They are 1/N, 1/K, 2, the sign, and their products. Where two sizes are equal, both are yielded.
    """
    count, K = scope.setting.network.convention.names.count, Symbol("K", ())
    N, sizes = Symbol(count, ()), (float(scope.setting.examples), float(scope.values(0)["K"]))
    twice = Slip("factor-2", "it is 2 times the right one")
    half = Slip("missing-2", "it is half the right one: a factor 2 is missing")
    factors: list[tuple[Expr, float, Slip, Slip]] = [(Number(2), 2.0, twice, half)]
    both = (Hadamard(N, K), f"({count}·K)", sizes[0] * sizes[1], 1)
    sized: tuple[tuple[Expr, str, float, int], ...] = ((N, count, sizes[0], 0), (K, "K", sizes[1], 1), both)
    for symbol, shown, size, rank in sized:
        larger = f"1/{shown} is missing: it is {shown} = {size:g} times the right one"
        smaller = f"1/{shown} is one too many: it is the right one divided by {shown} = {size:g}"
        slips_ = Slip(f"missing-1/{shown}", larger, rank), Slip(f"superfluous-1/{shown}", smaller, rank)
        factors.append((symbol, size, *slips_))
    singles = [Scaling(-1.0, Number(-1), (Slip("sign", "the sign is wrong"),))]
    for symbol, size, large, small in factors:
        if size != 1:
            singles.append(Scaling(size, Quotient(Number(1), symbol), (large,)))
            singles.append(Scaling(1 / size, symbol, (small,)))
    yield from singles
    for one, other in itertools.combinations(singles, 2):
        if one.value * other.value != 1:
            yield Scaling(one.value * other.value, Hadamard(one.mend, other.mend), one.slips + other.slips)
