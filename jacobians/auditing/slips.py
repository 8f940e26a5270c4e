"""`slips`: every way to change one place of a formula, or a whole addend, as writers get it wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from jacobians.auditing.claims import Claim
from jacobians.auditing.names import Scope
from jacobians.auditing.terms import Path, Term, call, leaf, number, positions, replaced
from jacobians.derivation.names import Names, vocabulary_of
from jacobians.symbols.expressions import Add, Expr, Hadamard, Number, Placed, Quotient, Slices, Symbol
from jacobians.symbols.notation import split_name

__all__ = ["Scaling", "Slip", "scalings", "slips"]


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


_WHOLE = (None, None)


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
        Of two slips that explain a formula equally well, the smaller is named.
    """

    name: str
    clause: str
    rank: int = 0


def slips(term: Term, scope: Scope, claim: Claim, text: str) -> Iterator[tuple[Term, Slip]]:
    """Yield the formulas that one change makes of a term, with the slip that the change takes back.

    Parameters
    ----------
    term : Term
    scope : Scope
    claim : Claim
    text : str
        The formula, for showing the places.
    """
    symbols = _symbols(scope, claim)
    for path, at in positions(term):
        if at.span == (0, 0):  # an earlier change put it there
            continue
        shown = f"`{text[slice(*at.span)].strip()}`"
        for by, slip in _changes(path, at, term, scope, shown, symbols):
            yield replaced(term, path, by), slip
    yield from ((by, Slip(*slip)) for by, slip in addend_slips(term, scope, claim, text))


def _changes(
    path: Path, at: Term, whole: Term, scope: Scope, shown: str, symbols: list[tuple[str, Expr]]
) -> Iterator[tuple[Term, Slip]]:
    scalar = at.kind == "leaf" and at.detail.shape == ()
    if at.kind == "transpose":
        yield at.parts[0], Slip("superfluous-transpose", f"{shown} must not be transposed", 1)
    elif not scalar:
        yield Term("transpose", (at,), None, at.span), Slip("missing-transpose", f"{shown} must be transposed", 1)
    if at.kind in ("matmul", "product", "star", "hadamard"):
        yield from _products(at, shown)
    if not scalar:
        yield from _bias(at, scope, shown)
        yield from _sums(at, shown)
        yield from _activations(at, scope, shown)
    if at.kind == "leaf":
        yield from _arrays(path, at, whole, scope, symbols)
    if at.kind == "plus":
        yield Term("minus", at.parts, None, at.span), Slip("sign", f"in {shown} the sign must be a minus", 2)
    if at.kind == "minus":
        yield Term("plus", at.parts, None, at.span), Slip("sign", f"in {shown} the sign must be a plus", 2)
    if at.kind == "divide":
        divisor = at.parts[1]
        yield at.parts[0], Slip("superfluous-divisor", f"{shown} must not be divided", 2)
        if divisor.kind == "leaf":
            swapped = Term("star", at.parts, None, at.span)
            yield swapped, Slip("divisor", f"{shown} must be a product, not a quotient", 4)


def _products(at: Term, shown: str) -> Iterator[tuple[Term, Slip]]:
    left, right = at.parts
    if at.kind in ("matmul", "product"):
        yield (
            Term(at.kind, (right, left), None, at.span),
            Slip("product-order", f"the factors of {shown} are swapped", 1),
        )
        yield (
            Term("star", at.parts, None, at.span),
            Slip("matrix-product-for-elementwise", f"{shown} must be a product entry by entry", 1),
        )
    else:
        yield (
            Term("matmul", at.parts, None, at.span),
            Slip("elementwise-for-matrix-product", f"{shown} must be a matrix product", 1),
        )
    for kept, dropped in ((left, right), (right, left)):
        if dropped.kind == "call" and str(dropped.detail).endswith("_prime"):
            slip = Slip(
                "superfluous-activation-derivative", f"in {shown} the activation's derivative is one too many", 1
            )
            yield kept, slip
        yield kept, Slip("superfluous-factor", f"in {shown} one factor is too many", 5)


def _bias(at: Term, scope: Scope, shown: str) -> Iterator[tuple[Term, Slip]]:
    """The entry of ones, its weights, and δ₀."""
    if at.kind == "part":
        yield at.parts[0], Slip("bias-entry-dropped", f"{shown} drops an entry that belongs there", 2)
    layout = scope.setting.network.layout
    if layout.absorbs_bias:
        kept = (layout.without_bias.start, layout.without_bias.stop)
        keys: tuple[Slices, ...] = ((_WHOLE, kept), (kept, _WHOLE))
        for key in keys:
            clause = f"the bias entry of {shown} must be dropped (δ₀ has nowhere to go)"
            yield Term("part", (at,), key, at.span), Slip("bias-entry-kept", clause, 0)
        for axis in (1, 0):
            with_ones = Term("with_ones", (at,), (axis, layout.bias == "first"), at.span)
            yield with_ones, Slip("missing-ones", f"{shown} lacks its entry of ones", 2)


def _sums(at: Term, shown: str) -> Iterator[tuple[Term, Slip]]:
    if at.kind in ("sum", "mean"):
        axis, keep = at.detail
        if axis is not None:
            other = Term(at.kind, at.parts, (1 - axis, keep), at.span)
            yield other, Slip("wrong-axis", f"{shown} sums over the wrong axis", 1)
            kept = Term(at.kind, at.parts, (axis, not keep), at.span)
            what = "keeps an axis of length 1" if keep else "loses an axis that must be kept (keepdims=True)"
            yield kept, Slip("keepdims", f"{shown} {what}", 1)
        yield at.parts[0], Slip("superfluous-sum", f"{shown} must not be summed", 3)
        return
    for axis in (0, 1):
        for keep in (False, True):
            summed = Term("sum", (at,), (axis, keep), at.span)
            yield summed, Slip("missing-sum", f"{shown} must be summed over the examples", 1)


def _activations(at: Term, scope: Scope, shown: str) -> Iterator[tuple[Term, Slip]]:
    derivatives = list(dict.fromkeys(scope.activation_derivatives()))
    names = Names(scope.setting.network.convention)
    inputs = [names.of(stop) for stop in scope.setting.first.run.outputs if stop.startswith("Z")]
    if at.kind == "call":
        function = str(at.detail)
        other = function.removesuffix("_prime") if function.endswith("_prime") else f"{function}_prime"
        if scope.complete_name(other):
            what = "itself, not its derivative" if function.endswith("_prime") else "'s derivative, not itself"
            clause = f"{shown} must be the function{' ' if what[0] != chr(39) else ''}{what}"
            yield call(other, at.parts, at.span), Slip("activation-for-derivative", clause, 1)
        for derivative, more in derivatives:
            for name in (derivative, derivative.removesuffix("_prime")):
                if name != function and name.endswith("_prime") == function.endswith("_prime"):
                    by = call(name, (at.parts[0], *map(number, more)), at.span)
                    yield by, Slip("wrong-activation", f"{shown} is of another activation than the network's", 2)
    for derivative, more in derivatives:
        for Z in inputs:
            symbol = scope.symbols.get(Z)
            if symbol is not None:
                factor = call(derivative, (leaf(symbol), *map(number, more)))
                clause = f"the activation's derivative at `{Z}` is missing on {shown}"
                yield Term("star", (at, factor), None, at.span), Slip("missing-activation-derivative", clause, 1)


def _arrays(
    path: Path, at: Term, whole: Term, scope: Scope, symbols: list[tuple[str, Expr]]
) -> Iterator[tuple[Term, Slip]]:
    """Another array in its place."""
    used = at.detail
    if not isinstance(used, Symbol):
        return
    parent = whole
    for step in path[:-1]:
        parent = parent.parts[step]
    in_derivative = parent.kind == "call" and str(parent.detail).endswith("_prime")
    for name, symbol in symbols:
        if symbol == used or len(symbol.shape) != len(used.shape):
            continue
        clause = f"`{used.name}` stands where `{name}` belongs"
        same = split_name(name).letters == split_name(used.name).letters
        if used.name in scope.own and scope.updates(used.name) == name:
            slip = Slip("updated-weights", f"{clause}: the backward pass needs the weights of the forward pass", 0)
        elif in_derivative:
            slip = Slip(
                "derivative-at-wrong-argument", f"the activation's derivative is taken at the wrong array: {clause}", 1
            )
        elif symbol.shape == ():
            slip = Slip("wrong-scalar", clause, 3)
        else:
            slip = Slip("wrong-layer" if same else "wrong-array", clause, 2 if same else 4)
        yield leaf(symbol, at.span), slip


def _symbols(scope: Scope, claim: Claim) -> list[tuple[str, Expr]]:
    hidden = ("J_", "d_")
    return [(n, e) for n, e in scope.symbols.items() if n != claim.name and not n.startswith(hidden)]


@dataclass(frozen=True)
class Scaling:
    """A factor between a formula's value and the true one.

    Attributes
    ----------
    value : float
        The formula's value is this many times the true one.
    mend : Expr
        What to multiply the formula by.
    slips : tuple of (name, clause, rank)
    """

    value: float
    mend: Expr
    slips: tuple[tuple[str, str, int], ...]


def scalings(scope: Scope) -> Iterator[Scaling]:
    """Yield the factors of a setting, those of one slip first; where two sizes are equal, both are yielded."""
    network, count = scope.setting.network, scope.setting.examples
    N = Symbol(vocabulary_of(network.convention.name).count, ())
    K = Symbol("K", ())
    outputs = float(scope.values(0)["K"])
    both = Hadamard(N, K)
    singles = [Scaling(-1.0, Number(-1), (("sign", "the sign is wrong", 0),))]
    for size, symbol, rank in ((2.0, Number(2), 0), (float(count), N, 0), (outputs, K, 1), (count * outputs, both, 1)):
        if size == 1:
            continue
        text = {"2": "2"}.get(f"{size:g}", f"{size:g}") if isinstance(symbol, Number) else _called(symbol, size)
        short = "2" if isinstance(symbol, Number) else _short(symbol)
        too_large = (f"missing-1/{short}", f"1/{short} is missing: it is {text} times the right one", rank)
        too_small = (
            f"superfluous-1/{short}",
            f"1/{short} is one too many: it is the right one divided by {text}",
            rank,
        )
        if short == "2":
            too_large = ("factor-2", "it is 2 times the right one", 0)
            too_small = ("missing-2", "it is half the right one: a factor 2 is missing", 0)
        singles.append(Scaling(size, Quotient(Number(1), symbol), (too_large,)))
        singles.append(Scaling(1 / size, symbol, (too_small,)))
    yield from singles
    for one, other in itertools.combinations(singles, 2):
        if one.value * other.value != 1:
            yield Scaling(one.value * other.value, Hadamard(one.mend, other.mend), one.slips + other.slips)


def _called(symbol: Expr, size: float) -> str:
    return f"{_short(symbol)} = {size:g}"


def _short(symbol: Expr) -> str:
    match symbol:
        case Hadamard(Symbol(N), Symbol(K)):
            return f"({N}·{K})"
        case Symbol(name):
            return name
    return str(symbol)
