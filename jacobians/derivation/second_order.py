"""The Hessian of a run's objective in symbols: one product of matrices for each operation that bends.

Each operation's second derivative M runs on symbols, as its first derivatives do, and so do the products D of those
from a parameter to the operation's inputs. A term is Dᵀ M D, with neighbours joined where the algebra joins them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from jacobians.derivation.derive import Forward, Walk, joined
from jacobians.derivation.equations import Equation, JacobianChain, SecondPartial, SumOfChains
from jacobians.derivation.names import weight_of_examples
from jacobians.derivation.operation_on_symbols import Once, second_in_symbols
from jacobians.derivation.second_result import BlockDerivation, SecondDerivation, TermDerivation
from jacobians.errors import LayoutError
from jacobians.linops import Identity, Jacobian, Product, Scaled, Selection, Sum
from jacobians.network import Run
from jacobians.operations.hessian import Part
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Hadamard, Number, Quotient, Symbol

Chain: TypeAlias = tuple[Jacobian, ...]
"""The factors of a product, the outermost first."""


@dataclass(frozen=True, eq=False)
class Bent:
    """One second derivative: of which operation and inputs, in symbols, with the number that stands before it.

    Attributes
    ----------
    operation : str
    part : {"loss", "inner", "penalty"}
    row, column : str
        The inputs, by their names in the run.
    middle : tuple of Jacobian
        M's factors: from a tangent of `column` to the change of the cotangent of `row`.
    factor : Expr or None
    """

    operation: str
    part: Part
    row: str
    column: str
    middle: Chain
    factor: Expr | None


def derive_second(run: Run, wrt: Sequence[str] = ()) -> SecondDerivation:
    """Return the derivation of the blocks of a run's Hessian, by every two of some names.

    Parameters
    ----------
    run : Run
        Of a chain of operations; every term is held against its numbers.
    wrt : sequence of str, optional
        Parameters, or "X"; all parameters unless given.

    Raises
    ------
    LayoutError
        If there is no such name.
    DomainError
        If an operation or the loss states no second derivative, or has none here.
    """
    walk = Walk.through(run)
    forward, layout = walk.forward, run.network.layout
    names = list(dict.fromkeys(wrt)) or list(run.params)
    for name in names:
        if name not in (*run.params, "X"):
            raise LayoutError(f"explain: {name!r} is no parameter; choose from {', '.join([*run.params, 'X'])}")
    symbols = {name: _symbol(forward, name) for name in names}
    bent = [*_of_operations(walk), *_of_loss(walk), *_of_penalties(walk)]
    ways = {name: _ways(forward, name) for name in names}
    whole = Symbol("J" if any(one.part == "penalty" for one in bent) else "L", ())
    blocks = {}
    for place, rows in enumerate(names):
        for columns in names[place:]:
            both = symbols[rows], symbols[columns]
            turned = layout.derivative == "denominator" and rows != columns
            left = SecondPartial(whole, both[turned], both[not turned])
            terms = []
            for one in bent:
                for chain in _terms(one, ways[rows], ways[columns]):
                    shown = JacobianChain(
                        one.factor, None, joined(chain, layout), layout.vec, "denominator" if turned else "numerator"
                    )
                    of = tuple(dict.fromkeys((one.row, one.column)))
                    terms.append(TermDerivation(one.operation, one.part, of, shown))
            size = (both[turned].size, both[not turned].size)
            right = SumOfChains(tuple(term.chain for term in terms), size)
            blocks[rows, columns] = BlockDerivation(rows, columns, tuple(terms), Equation(left, right))
    return SecondDerivation(
        run.network.convention, tuple(forward.definitions), tuple(walk.definitions), blocks, forward.arrays
    )


def _symbol(forward: Forward, name: str) -> Symbol:
    found = forward.parameters.get(name) or forward.stops[name]
    assert isinstance(found, Symbol)
    return found


def _terms(bent: Bent, rows: Mapping[str, Chain], columns: Mapping[str, Chain]) -> Iterator[Chain]:
    """Dᵀ M E, and of two inputs Eᵀ Mᵀ D, where the inputs depend on what is asked for."""
    pairs = [(bent.row, bent.column, bent.middle)]
    if bent.row != bent.column:
        pairs.append((bent.column, bent.row, _transposed(bent.middle)))
    for row, column, middle in pairs:
        if row in rows and column in columns:
            yield (*_transposed(rows[row]), *middle, *columns[column])


def _transposed(chain: Chain) -> Chain:
    return tuple(factor.T for factor in reversed(chain))


def _ways(forward: Forward, name: str) -> dict[str, Chain]:
    """By value that depends on a parameter or the inputs, the factors of its Jacobian."""
    found: dict[str, Chain] = {name: ()}
    for (of, wrt), factors in forward.jacobians.items():
        if wrt in found:
            chain = (*factors, *found[wrt])
            if of in found:
                chain = (Sum(tuple(Product(c) if len(c) > 1 else c[0] for c in (found[of], chain))),)
            found[of] = chain
    return found


# --- what bends ------------------------------------------------------------------------------------------


def _of_operations(walk: Walk) -> Iterator[Bent]:
    """Those of the operations before the loss, each by its inputs' names in the run."""
    forward, run = walk.forward, walk.forward.run
    for position, (output, wrt) in enumerate(forward.inputs.items()):
        part = run.network.chain.parts[position]
        symbols = [forward.parameters.get(name) or forward.stops[name] for name in wrt.values()]
        numbers = [run.params[name] if name in run.params else run.operation_value(position) for name in wrt.values()]
        cotangent = walk.trails[output].row
        second = part.evaluate(*numbers)[1].second(evaluate(cotangent, forward.arrays))
        found = second_in_symbols(
            partial(part.second_in_symbols, cotangent, *symbols),
            second,
            f"{output}_second",
            forward.arrays,
            run.network.layout.vec,
        )
        for (row, column), middle in found.items():
            yield Bent(part.name, "inner", wrt[row], wrt[column], middle, walk.factor)


def _of_loss(walk: Walk) -> Iterator[Bent]:
    forward, run = walk.forward, walk.forward.run
    loss, last = run.network.loss, run.stops[-1]
    output = run.operation_value(last.done)
    declared, targets = loss.declared_for(run.Y, output), Symbol("Y", forward.arrays["Y"].shape)
    prediction = next((d.symbol for d in forward.definitions if d.name == "P"), None)

    def known(value: Expr | None) -> Expr:
        if prediction is None:
            raise LookupError("the loss has no prediction")
        return prediction

    numbers = run.output_hessian().numerator.ordered("C")
    scale = loss.factor * loss.scale(output)
    made = second_in_symbols(
        lambda: {("X", "X"): declared.second_in_symbols(forward.stops[last.name], targets, Once(known))},
        {("X", "X"): (1 / scale) * numbers},
        f"{last.name}_second",
        forward.arrays,
        run.network.layout.vec,
    )
    factor, weight = loss.factor, weight_of_examples(run.network.convention)
    for middle in made.values():
        if len(middle) == 1 and isinstance(middle[0], Scaled):
            factor, middle = factor * middle[0].factor, (middle[0].inner,)
        yield Bent(loss.name, "loss", last.name, last.name, middle, _times(factor, weight))


def _times(number: float, weight: Expr | None) -> Expr | None:
    """A number times the weight of an example: 2 / N of 2 and 1 / N."""
    match weight:
        case _ if number == 1:
            return weight
        case None:
            return Number(number)
        case Quotient(Number(1), count):
            return Quotient(Number(number), count)
    return Hadamard(Number(number), weight)


def _of_penalties(walk: Walk) -> Iterator[Bent]:
    forward, network = walk.forward, walk.forward.run.network
    for name, symbol in forward.parameters.items():
        strength = walk.strength(name)
        if strength is None:
            continue
        middle: Chain = (Identity(symbol.shape, symbol.dtype),)
        if (key := walk.kept(name)) is not None:
            kept = Selection(tuple(slice(*part) for part in key), symbol.shape, symbol.dtype)
            middle = (kept.T, kept)
        yield Bent(network.penalty_operation(1).name, "penalty", name, name, middle, strength)
