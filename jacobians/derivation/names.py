"""How names of arrays are spelled in symbols and programs, and the weight of an example by its convention's names."""

from __future__ import annotations

import re

from jacobians.conventions import Convention
from jacobians.symbols.expressions import Expr, Hadamard, Number, Quotient, Symbol


def symbol_name(name: str) -> str:
    """Return a name that code may use too: A1′ is A1p, and the parameter 2.W1 is p2_W1.

    Examples
    --------
    >>> symbol_name("A2"), symbol_name("A1′"), symbol_name("2.W1")
    ('A2', 'A1p', 'p2_W1')
    """
    plain = re.sub(r"\W", "_", name.replace("′", "p"))
    return f"p{plain}" if plain[:1].isdigit() else plain


def weight_of_examples(convention: Convention) -> Expr | None:
    """Return the factor of every example's loss in the total, or None where it is a sum."""
    count: Expr = Symbol(convention.names.count, ())
    match convention.effective_reduction:
        case "mean":
            return Quotient(Number(1), count)
        case "mean-all":
            return Quotient(Number(1), Hadamard(count, Symbol("K", ())))
    return None
