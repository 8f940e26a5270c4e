"""The Hessian of a run's objective in symbols: one product of matrices for each non-linear operation.

The second derivative M of each operation runs on symbols, like its first derivatives. So do the products D of the
Jacobians from a parameter to the operation's inputs. A term is Dᵀ M D, with neighbours joined where the algebra joins
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from jacobians.arrays import Array
from jacobians.conventions import Convention
from jacobians.derivation.derive import Forward, Walk, joined
from jacobians.derivation.equations import Equation, JacobianChain, SecondPartial, SumOfChains
from jacobians.derivation.names import weight_of_examples
from jacobians.derivation.operation_on_symbols import Once, second_in_symbols
from jacobians.derivation.second_result import BlockDerivation, SecondDerivation, TermDerivation
from jacobians.errors import LayoutError
from jacobians.layout import Derivative, Layout, Order
from jacobians.linops import Identity, Jacobian, Product, Scaled, Selection, Sum
from jacobians.network import Run
from jacobians.operations import Loss
from jacobians.operations.hessian import Part
from jacobians.operations.linearised_steps import Key
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
    row, column : hashable
        What the operation's two inputs are.
    of : tuple of str
        What the inputs are called, each once.
    middle : tuple of Jacobian
        M's factors: from a tangent of `column` to the change of the cotangent of `row`.
    factor : Expr or None
    alone : bool
        Whether it is one input's own; with two inputs M's transpose belongs to it.
    """

    operation: str
    part: Part
    row: Key
    column: Key
    of: tuple[str, ...]
    middle: Chain
    factor: Expr | None
    alone: bool


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
    forward = walk.forward
    names = list(dict.fromkeys(wrt)) or list(run.params)
    for name in names:
        if name not in (*run.params, "X"):
            raise LayoutError(f"explain: {name!r} is no parameter; choose from {', '.join([*run.params, 'X'])}")
    symbols = {name: _symbol(forward, name) for name in names}
    bent = [*_of_operations(walk), *_of_loss(walk), *_of_penalties(walk)]
    ways = {name: _ways(forward, name) for name in names}
    whole = Symbol("J" if any(one.part == "penalty" for one in bent) else "L", ())
    blocks = blocks_of(bent, ways, symbols, run.network.layout, whole)
    return SecondDerivation(
        titled(run.network.convention),
        run.network.convention,
        tuple(forward.definitions),
        tuple(walk.definitions),
        blocks,
        forward.arrays,
    )


def titled(convention: Convention) -> str:
    """Return the title of a derivation in a convention."""
    return f"{convention.name}: {convention.layout}"


def blocks_of(
    bent: Sequence[Bent],
    ways: Mapping[str, Mapping[Key, Chain]],
    symbols: Mapping[str, Symbol],
    layout: Layout,
    whole: Symbol,
) -> dict[tuple[str, str], BlockDerivation]:
    """Return the blocks of a Hessian by every two of some names.

    Parameters
    ----------
    bent : sequence of Bent
        In the order of evaluation.
    ways : mapping
        By a name, the factors of the Jacobians of values with respect to it.
    symbols : mapping
        By a name, its symbol.
    layout : Layout
    whole : Symbol
        The scalar's.
    """
    blocks, names = {}, list(ways)
    for place, rows in enumerate(names):
        for columns in names[place:]:
            both = symbols[rows], symbols[columns]
            turned = layout.derivative == "denominator" and rows != columns
            left = SecondPartial(whole, both[turned], both[not turned])
            terms = []
            for one in bent:
                for chain in _terms(one, ways[rows], ways[columns]):
                    shown = product_of(one.factor, chain, layout, "denominator" if turned else "numerator")
                    terms.append(TermDerivation(one.operation, one.part, one.of, shown))
            size = (both[turned].size, both[not turned].size)
            right = SumOfChains(tuple(term.chain for term in terms), size)
            blocks[rows, columns] = BlockDerivation(rows, columns, tuple(terms), Equation(left, right))
    return blocks


def _symbol(forward: Forward, name: str) -> Symbol:
    found = forward.parameters.get(name) or forward.stops[name]
    assert isinstance(found, Symbol)
    return found


def product_of(factor: Expr | None, chain: Chain, layout: Layout, derivative: Derivative) -> JacobianChain:
    """Return a product of Jacobians whose neighbours are joined, with the numbers of all factors in front."""
    number, factors = 1.0, []
    for one in joined(chain, layout):
        if isinstance(one, Scaled):
            number, one = number * one.factor, one.inner
        factors.append(one)
    return JacobianChain(times(number, factor), None, tuple(factors), layout.vec, derivative)


def _terms(bent: Bent, rows: Mapping[Key, Chain], columns: Mapping[Key, Chain]) -> Iterator[Chain]:
    """Dᵀ M E, and of two inputs Eᵀ Mᵀ D, where the inputs depend on what is asked for."""
    pairs = [(bent.row, bent.column, bent.middle)]
    if not bent.alone:
        pairs.append((bent.column, bent.row, _transposed(bent.middle)))
    for row, column, middle in pairs:
        if row in rows and column in columns:
            yield (*_transposed(rows[row]), *middle, *columns[column])


def _transposed(chain: Chain) -> Chain:
    return tuple(factor.T for factor in reversed(chain))


def _ways(forward: Forward, name: str) -> dict[Key, Chain]:
    """By value that depends on a parameter or the inputs, the factors of its Jacobian."""
    found: dict[Key, Chain] = {name: ()}
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
            of = tuple(dict.fromkeys((wrt[row], wrt[column])))
            yield Bent(part.name, "inner", wrt[row], wrt[column], of, middle, walk.factor, row == column)


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

    name, weight = last.name, weight_of_examples(run.network.convention)
    made = loss_in_symbols(
        loss,
        lambda: declared.second_in_symbols(forward.stops[name], targets, Once(known)),
        run.output_hessian().numerator.ordered("C"),
        loss.scale(output),
        f"{name}_second",
        forward.arrays,
        run.network.layout.vec,
    )
    for factor, middle in made:
        yield Bent(loss.name, "loss", name, name, (name,), middle, times(factor, weight), alone=True)


def loss_in_symbols(
    loss: Loss,
    maker: Callable[[], Jacobian],
    numbers: Jacobian,
    scale: float,
    label: str,
    arrays: dict[str, Array],
    order: Order,
) -> Iterator[tuple[float, Chain]]:
    """Yield a loss's second derivative in symbols, without the weight of an example: a number, and M's factors.

    Parameters
    ----------
    loss : Loss
    maker : callable
        Runs the loss on symbols.
    numbers : Jacobian
        The second derivative in numbers, with the weight of an example.
    scale : float
        The weight.
    label, arrays, order
        See `second_in_symbols`.
    """
    alone = {("X", "X"): (1 / (loss.factor * scale)) * numbers}
    for middle in second_in_symbols(lambda: {("X", "X"): maker()}, alone, label, arrays, order).values():
        if len(middle) == 1 and isinstance(middle[0], Scaled):
            yield loss.factor * middle[0].factor, (middle[0].inner,)
        else:
            yield loss.factor, middle


def times(number: float, weight: Expr | None) -> Expr | None:
    """Return a number times the weight of an example: 2 / N of 2 and 1 / N."""
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
        yield Bent(network.penalty_operation(1).name, "penalty", name, name, (name,), middle, strength, alone=True)
