"""How symbols and programs spell a run's names, and how to find a name by the array's role in every convention."""

from __future__ import annotations

import re

from jacobians.conventions import Convention
from jacobians.network import Run
from jacobians.stops import prediction_name
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


class Names:
    """The names of a run's arrays, as symbols spell them, by the role of each array: X, Z1, A1, Z2, ….

    Parameters
    ----------
    run : Run

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    >>> run = net.run(net.init(0), [[1.0, 2, 3, 4]], [1])
    >>> names = Names(run)
    >>> names.outputs, [names.of(shared) for shared in names.outputs], names.cotangent("Z1"), names.prediction
    (['Z1', 'A1', 'Z2'], ['Z2', 'A2', 'Z3'], 'delta2', 'A3')
    """

    def __init__(self, run: Run) -> None:
        self._stops = {stop.shared: stop for stop in reversed(run.stops)}
        self.outputs = [stop.shared for stop in run.stops if stop.name in run.outputs]
        self.prediction = symbol_name(run.prediction or prediction_name(run.stops, run.network.convention, run.params))
        self.cotangents = {symbol_name(stop.name): symbol_name(stop.cotangent) for stop in run.stops}
        self.inputs = next((symbol_name(stop.name) for stop in run.stops if stop.done == 0 and stop.ones), "X")

    def of(self, shared: str) -> str:
        """Return what an array of the forward pass is called."""
        return symbol_name(self._stops[shared].name)

    def cotangent(self, shared: str) -> str:
        """Return what the loss's derivative with respect to it is called."""
        return symbol_name(self._stops[shared].cotangent)
