"""`scalings`: the factors by which a formula is usually off: 1/N, 1/K, 2, the sign, and their products."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from jacobians.auditing.names import Scope
from jacobians.derivation.names import vocabulary_of
from jacobians.symbols.expressions import Expr, Hadamard, Number, Quotient, Symbol

__all__ = ["Scaling", "scalings"]


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
