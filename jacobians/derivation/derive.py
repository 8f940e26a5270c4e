"""The walk: a cotangent goes back through structures of expressions, and each factor that it passes is a step.

Every operation runs on symbols, so each factor's own `_vjp` writes the formula that it computes with numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from jacobians.array_names import ArrayNames
from jacobians.arrays import Array, as_array
from jacobians.conventions import PENALTIES
from jacobians.derivation.equations import Definition, Equation, JacobianChain, Partial, Step, with_names
from jacobians.derivation.names import symbol_name, weight_of_examples
from jacobians.derivation.operation_on_symbols import NOT_IN_SYMBOLS, Evaluated, Named, Once, same_values
from jacobians.derivation.result import Derivation, InputDerivation, OperationDerivation, ParameterDerivation
from jacobians.errors import LayoutError
from jacobians.factors import Factor
from jacobians.layout import Layout
from jacobians.linops import Commutation, Dense, Jacobian, Product, Sum
from jacobians.network import Run
from jacobians.operations import Affine, Elementwise, Operation
from jacobians.operations.inside import Inside
from jacobians.operations.losses import rows_of_examples
from jacobians.stops import Stop, prediction_name
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import (
    Add,
    Expr,
    Hadamard,
    Number,
    Ones,
    Part,
    Placed,
    Quotient,
    Slices,
    Symbol,
    WithOnes,
)
from jacobians.symbols.simplify import scaled
from jacobians.symbols.text import TextNotation

_LOSS = Symbol("L", ())
_OBJECTIVE = Symbol("J", ())


def derive(run: Run) -> Derivation:
    """Return the derivation of a run's gradient with respect to every parameter and to the inputs.

    Parameters
    ----------
    run : Run
        One evaluation of a network; every formula is held against its numbers.
    """
    walk = Walk.through(run)
    parameters = {name: walk.parameter(name) for name in (*run.params, "X")}
    forward = walk.forward
    return Derivation(
        run.network.convention, tuple(forward.definitions), tuple(walk.definitions), parameters, forward.arrays
    )


# --- the forward pass ------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class Forward(Named):
    """A run's forward pass in symbols.

    Attributes
    ----------
    run : Run
    names : ArrayNames
        The convention's.
    stops : dict
        The expression of every value on the way from X to the output.
    parameters : dict
        The symbols of the parameters.
    jacobians : dict
        The factors of each Jacobian by (output, input), in numerator layout.
    inputs : dict
        By what an operation's output is called, the run's names of its inputs by the operation's own.
    """

    run: Run
    names: ArrayNames
    stops: dict[str, Expr] = field(default_factory=dict)
    parameters: dict[str, Symbol] = field(default_factory=dict)
    jacobians: dict[tuple[str, str], tuple[Jacobian, ...]] = field(default_factory=dict)
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def factors(self, of: str, wrt: str) -> tuple[Jacobian, ...]:
        """Return the factors of ∂of/∂wrt in symbols, in numerator layout: those of `Run.chain`, by the same names.

        Raises
        ------
        LayoutError
            As `Run.chain` does.
        """
        layout = self.run.network.layout
        chain = self.run.chain(wrt, of=of)
        return tuple(
            f for factor in chain[:: -1 if layout.derivative == "denominator" else 1] for f in self._of(factor)
        )

    def _of(self, factor: Factor) -> tuple[Jacobian, ...]:
        """What one factor of a run's chain is in symbols: the ones are placed where the run places them."""
        stops, values = {stop.name: stop for stop in self.run.stops}, _values_of_operations(self.run)
        of, wrt = stops[factor.of], stops.get(factor.wrt)
        placed = self._placed(of) if of.ones else ()
        if wrt is not None and wrt.done == of.done:
            return placed
        own = self.jacobians[values[of.done].name, factor.wrt if wrt is None else values[wrt.done].name]
        return (*placed, *(own[:-1] if wrt is not None and wrt.ones else own))

    def _placed(self, stop: Stop) -> tuple[Jacobian, ...]:
        """The placement of the ones, with which the next layer's Jacobian ends."""
        before, after = _values_of_operations(self.run)[stop.done : stop.done + 2]
        return self.jacobians[after.name, before.name][-1:]


def forward_pass(run: Run) -> Forward:
    """Return the forward pass of a run in symbols: every operation's output is named before it is passed on."""
    reserved = {symbol_name(name) for name in (*(stop.name for stop in run.stops), *run.params, run.prediction)}
    forward = Forward(run=run, names=run.network.convention.names, reserved=reserved)
    forward.stops["X"] = forward.add("X", run.X)
    for name, array in run.params.items():
        forward.parameters[name] = forward.add(symbol_name(name), array)
    for position, (previous, output) in enumerate(itertools.pairwise(_values_of_operations(run))):
        _operation(forward, position, previous.name, output)
    return forward


def _values_of_operations(run: Run) -> list[Stop]:
    """X, and the value of each operation."""
    return [run.stops[0], *(after for before, after in itertools.pairwise(run.stops) if after.done > before.done)]


def _operation(forward: Forward, position: int, previous: str, output: Stop) -> None:
    """Run one operation of the network on symbols, and define its output."""
    run, network = forward.run, forward.run.network
    part = network.chain.parts[position]
    # by the operation's own name of an input, the run's name
    wrt = {part.names[0]: previous}
    wrt |= {own: name for name in network.names if (own := _own(run, name, position)) is not None}
    forward.inputs[output.name] = wrt
    symbols = {own: forward.parameters.get(name) or forward.stops[name] for own, name in wrt.items()}
    numbers = {
        own: run.params[name] if name in run.params else run.operation_value(position) for own, name in wrt.items()
    }
    entered = next((stop for stop in run.stops if stop.done == position and stop.ones), None)
    inner, named = forward.stops[previous], dict[Expr, Expr]()

    def name(value: Expr | None) -> Expr:
        if value is not None and entered is not None:
            named.update(_ones_named(forward, inner, value, entered))
            value = value.replaced(named)
        return _output(forward, output, value)

    evaluated = Evaluated(
        part, numbers, run.operation_value(output.done), lambda own: run.operation_jacobian(position, own)
    )
    labels = {own: f"{symbol_name(output.name)}_{symbol_name(name_)}" for own, name_ in wrt.items()}
    found = evaluated.in_symbols(symbols, labels, name, forward, network.layout.vec)
    for own, factors in found.items():
        forward.jacobians[output.name, wrt[own]] = tuple(with_names(f, named) for f in factors) if named else factors


def _own(run: Run, name: str, position: int) -> str | None:
    """The operation's own name for a parameter of the network, if the parameter belongs to the operation."""
    part, own = run.network.chain.owner(run.network.names[name])
    return own if part == position else None


def _ones_named(forward: Forward, inner: Expr, value: Expr, entered: Stop) -> dict[Expr, Expr]:
    """A table with the course's own name for [1 A], if a value is made of it."""
    layout = forward.run.network.layout
    ones = WithOnes(inner, layout.feature_axis % 2, layout.bias == "first")
    if value == ones or value.replaced({ones: Symbol("", ones.shape)}) == value:
        return {}
    return {ones: forward.define(entered.shared, symbol_name(entered.name), ones)}


def _output(forward: Forward, output: Stop, value: Expr | None) -> Expr:
    """Name an output; the expression itself where the course writes it inside the next layer's [1 A]."""
    shown, number = symbol_name(output.name), forward.run.operation_value(output.done)
    if output.ones:
        forward.stops[output.name] = forward.add(forward.free_name("H"), number) if value is None else value
    elif value is None:
        forward.stops[output.name] = forward.add(shown, number)
    else:
        forward.stops[output.name] = forward.define(output.shared, shown, value, number)
    return forward.stops[output.name]


# --- the way back ----------------------------------------------------------------------------------------


@dataclass
class _Trail:
    """What has been passed on the way from the loss to a stop.

    Attributes
    ----------
    jacobians : tuple of Jacobian
    steps : tuple
        For each factor passed: the rule, the reason, and what the cotangent after it is called.
    row : Expr
        The cotangent.
    """

    jacobians: tuple[Jacobian, ...]
    steps: tuple[tuple[str, str, Expr], ...]
    row: Expr


@dataclass
class Walk:
    """From the loss back through a run's forward pass in symbols, naming the cotangents.

    Attributes
    ----------
    forward : Forward
    definitions : list of Definition
        Of the cotangents.
    trails : dict
        By stop.
    """

    forward: Forward
    definitions: list[Definition] = field(default_factory=list)
    trails: dict[str, _Trail] = field(default_factory=dict)
    shared: dict[Expr, Symbol] = field(default_factory=dict)
    factor: Expr | None = None
    """The reduction's weight, where it is written at the gradients and not in the cotangents."""

    @classmethod
    def through(cls, run: Run) -> Walk:
        """Return the walk through a run."""
        walk = cls(forward_pass(run))
        walk.loss()
        walk.cotangents()
        return walk

    @property
    def _layout(self) -> Layout:
        return self.forward.run.network.layout

    def loss(self) -> None:
        """From the loss to the output: where the reduction's weight enters."""
        names, layout, last = self.forward.names, self.forward.run.network.loss.layout, self.forward.run.stops[-1]
        delta = self._delta(last)
        count, weight = (
            delta.shape[layout.examples_axis(delta.ndim)],
            weight_of_examples(self.forward.run.network.convention),
        )
        ones: Any = Ones((count,))
        reduction = Dense(ones if weight is None else Hadamard(weight, ones))  # type: ignore[arg-type]
        examples = rows_of_examples(delta, layout)  # type: ignore[arg-type]
        if names.weighted_at == "gradient" and weight is not None:
            self.factor = weight
        start: Any = ones if self.factor is not None else reduction._vjp(Number(1))  # type: ignore[arg-type]
        trail = _Trail((reduction,), ((*_reduced(reduction, weight, self._layout), start),), start)
        if self.factor is not None:
            rule, reason, _ = trail.steps[0]
            kept = "; here it is kept in front until the gradient."
            trail.steps = ((rule, reason.removesuffix(".") + kept, start),)
        self._name(last, self._through(trail, (examples,)))

    def _delta(self, last: Stop) -> Expr:
        """∂(loss of n)/∂output: the loss's own statement, or an array with a name."""
        forward, run, arrays = self.forward, self.forward.run, self.forward.arrays
        loss, convention = run.network.loss, run.network.convention
        output = run.operation_value(last.done)
        axis = loss.layout.examples_axis(output.ndim)
        targets = forward.add("Y", loss.in_shape(run.Y, output))
        arrays[forward.names.count] = np.asarray(float(output.shape[axis]))
        if convention.effective_reduction == "mean-all":
            arrays["K"] = np.asarray(output.size / output.shape[axis])

        def give(prediction: Any) -> Expr:
            name = run.prediction or prediction_name(run.stops, convention, run.params)
            return forward.define("P", symbol_name(name), prediction)

        try:
            delta: object = loss.declared_for(run.Y, output).delta_in_symbols(
                forward.stops[last.name], targets, Once(give)
            )
        except NOT_IN_SYMBOLS:
            delta = None
        (row,) = run.chain(last.name, of="losses")
        number = np.asarray(row.jacobian.vjp(np.ones(run.losses.shape, run.losses.dtype)))
        right = isinstance(delta, Expr) and same_values(delta, arrays, number)
        return delta if isinstance(delta, Expr) and right else forward.add("D", number)

    def cotangents(self) -> None:
        """From each stop to the one before it, naming every cotangent."""
        for before, after in reversed(list(itertools.pairwise(_values_of_operations(self.forward.run)))):
            trail = self._through(self.trails[after.name], self.forward.jacobians[after.name, before.name])
            if before.done == 0 or before.ones:
                self.trails[before.name] = trail
            else:
                self._name(before, trail)

    def parameter(self, name: str) -> ParameterDerivation:
        """From the stop that a parameter enters to the parameter."""
        forward, run = self.forward, self.forward.run
        if name == "X":
            trail, wrt = self.trails["X"], forward.stops["X"]
        else:
            output = run.outputs[run.network.chain.owner(run.network.names[name])[0]]
            trail, wrt = self._through(self.trails[output], forward.jacobians[output, name]), None
        symbol = forward.parameters.get(name) or wrt
        assert isinstance(symbol, Symbol)
        own = forward.names.gradient_of(symbol.name)
        left = Partial(_LOSS, symbol, gradient=own)
        steps = []
        for done, (rule, reason, row) in enumerate(trail.steps, 1):
            # the weights of the mean are no row that can be named
            passed = done if done > 1 else 0
            chain = self._chain(self.factor if passed else None, row if passed else None, trail.jacobians[passed:])
            steps.append(Step(rule, reason, Equation(left, chain)))
        value = scaled(self.factor, trail.row)
        if self.factor is not None:
            reason = "The factor that was kept in front is multiplied in."
            steps.append(Step("the weight of each example", reason, Equation(left, self._chain(None, value))))
        penalty = None if name == "X" else self._penalty(name, symbol)
        if penalty is not None:
            value = Add(value, penalty)
            whole = Equation(Partial(_OBJECTIVE, symbol, gradient=own), self._chain(None, value))
            steps.append(Step("regulariser", "The regulariser's own gradient is added.", whole))
        gradient = forward.add(own, evaluate(value, forward.arrays))
        chain = self._chain(None, None, trail.jacobians)
        return ParameterDerivation(name, Equation(left, chain), tuple(steps), Equation(gradient, value))

    # --- parts of the walk -----------------------------------------------------------------------

    def _chain(self, factor: Expr | None, row: Expr | None, jacobians: tuple[Jacobian, ...] = ()) -> JacobianChain:
        return JacobianChain(factor, row, jacobians, self._layout.vec, self._layout.derivative)

    def _through(self, trail: _Trail, jacobians: Iterable[Jacobian]) -> _Trail:
        return _through(trail, jacobians, self._layout, self._share)

    def _share(self, row: Expr, value: Expr | None = None) -> Expr:
        """Name a cotangent that several paths share: after the value inside an operation, else G1, G2 …; each once."""
        if not isinstance(row, Symbol) and row not in self.shared:
            own = self.forward.names.gradient_of(value.name) if isinstance(value, Symbol) else None
            shown = self.forward.free_name("G") if own is None or own in self.forward.arrays else own
            self.shared[row] = self.forward.add(shown, evaluate(row, self.forward.arrays))
            self.definitions.append(Definition(shown, Equation(self.shared[row], row)))
        return self.shared.get(row, row)

    def _name(self, stop: Stop, trail: _Trail) -> None:
        """Name the cotangent of a stop, which is the end of a trail."""
        symbol = self.forward.add(symbol_name(stop.cotangent), evaluate(trail.row, self.forward.arrays))
        self.definitions.append(Definition(f"d{stop.shared}", Equation(symbol, trail.row)))
        *before, (rule, reason, _) = trail.steps
        self.trails[stop.name] = _Trail(trail.jacobians, (*before, (rule, reason, symbol)), symbol)

    def _penalty(self, name: str, wrt: Symbol) -> Expr | None:
        factor, key = self.strength(name), self.kept(name)
        if factor is None:
            return None
        return Hadamard(factor, wrt if key is None else Placed(Part(wrt, key), key, wrt.shape))

    def strength(self, name: str) -> Expr | None:
        """Return what a penalised parameter is multiplied by in the regulariser's gradient."""
        network, arrays, words = self.forward.run.network, self.forward.arrays, self.forward.names
        if not network.is_penalised(name):
            return None
        strength = Symbol(words.strength, ())
        arrays[words.strength] = np.asarray(network.l2)
        scale, over_count = PENALTIES[network.convention.l2 or "half"]
        factor: Expr = strength if scale == 0.5 else Hadamard(Number(round(2 * scale)), strength)
        if over_count:
            factor = Quotient(factor, Symbol(words.count, ()))
        return factor

    def kept(self, name: str) -> Slices | None:
        """Return which entries of a parameter are penalised; None for all."""
        layout, convention = self._layout, self.forward.run.network.convention
        if not layout.absorbs_bias or convention.l2_bias:
            return None
        kept = (layout.without_bias.start, layout.without_bias.stop)
        return ((None, None), kept) if layout.weights == "rows" else (kept, (None, None))


def _through(trail: _Trail, jacobians: Iterable[Jacobian], layout: Layout, share: Callable[[Expr], Expr]) -> _Trail:
    done, steps, row = list(trail.jacobians), list(trail.steps), trail.row
    for jacobian, before, after in passed(jacobians, row, share):
        if before is not row:  # what passes several paths got a name
            steps[-1] = (*steps[-1][:2], before)
        done.append(jacobian)
        steps.append((*_step(jacobian, before, after, layout), after))
        row = after
    return _Trail(tuple(done), tuple(steps), row)


def passed(
    jacobians: Iterable[Jacobian], row: Any, share: Callable[..., Expr] = lambda row, value=None: row
) -> list[tuple[Jacobian, Expr, Expr]]:
    """Return each factor that a cotangent passes, with the cotangent before and after it.

    A reshape that only drops an axis of length 1 has the identity as its matrix, so it is not a step. Where several
    paths begin, `share` may name the cotangent, so that it is written once. It may also name the cotangent of a value
    inside an operation; it is then called with that value.
    """
    found: list[tuple[Jacobian, Expr, Expr]] = []
    for jacobian in jacobians:
        if isinstance(jacobian, Sum):
            row = share(row)
        if isinstance(jacobian, Inside):
            row = share(row, jacobian.value)
            continue
        after: Any = jacobian._vjp(row)
        if jacobian._squeezes() and found:
            found[-1] = (*found[-1][:2], after)
        else:
            found.append((jacobian, row, after))
        row = after
    return found


def _step(jacobian: Jacobian, before: Expr, after: Expr, layout: Layout) -> tuple[str, str]:
    """The rule's name, and one sentence, for a cotangent that passes a factor."""
    write = TextNotation()
    row, image = (write.row(write.expr(e), layout.vec) for e in (before, after))
    return jacobian._step(row, image, write, layout.vec)


def _reduced(reduction: Jacobian, weight: Expr | None, layout: Layout) -> tuple[str, str]:
    """The rule's name, and one sentence, for where the chain begins: the weights of the examples."""
    write = TextNotation()
    matrix = write.matrix(reduction, layout.vec)
    if weight is None:
        return "sum over examples", f"The losses are added: a row of ones, {matrix}."
    return f"where {write.expr(weight)} enters", f"The mean's weights are the left end of the chain: {matrix}."


# --- one operation ---------------------------------------------------------------------------------------


def derive_operation(
    operation: Operation, layout: Layout, arrays: Sequence[npt.ArrayLike], examples: int, seed: int
) -> OperationDerivation:
    """Return an operation's derivation at these inputs, or at made-up ones.

    Raises
    ------
    LayoutError
        If there are no inputs, and none can be made up.
    """
    given = [as_array(a, "an input", "explain") for a in arrays] or _made_up(operation, layout, examples, seed)
    value, jacobians = operation.evaluate(*given)
    inputs = dict(zip(operation.names, given, strict=True))
    own = {name: symbol_name(name) for name in inputs}
    known = Named(arrays={own[name]: array for name, array in inputs.items()})
    values = known.arrays
    symbols: dict[str, Expr] = {name: Symbol(own[name], array.shape) for name, array in inputs.items()}
    letters = "AZY" if len(inputs) == 1 else "ZY"
    output = known.add(next(letter for letter in letters if letter not in own.values()), value)

    def name(formula: Expr | None) -> Expr:
        return output if formula is None else known.define(output.name, output.name, formula, value)

    evaluated = Evaluated(operation, inputs, value, jacobians.numerator)
    factors = evaluated.in_symbols(symbols, own, name, known, layout.vec)
    rng = np.random.default_rng(seed)
    cotangent = Symbol(f"d{output.name}", value.shape)
    values[cotangent.name] = rng.normal(size=value.shape)
    found = {}
    for wrt, array in inputs.items():
        shown = own[wrt]
        values[f"t{shown}"] = rng.normal(size=array.shape)
        found[wrt] = _input(Symbol(shown, array.shape), output, factors[wrt], layout)
        values[f"d{shown}"] = evaluate(_right(found[wrt].pullback), values)
        values[f"t{output.name}_by_{shown}"] = evaluate(_right(found[wrt].pushforward), values)
    *inside, formula = (None, *(d.equation for d in known.definitions))
    return OperationDerivation(operation.name, layout, formula, found, values, tuple(filter(None, inside)))


def _right(equation: Equation) -> Expr:
    assert isinstance(equation.right, Expr)
    return equation.right


def _input(own: Symbol, output: Symbol, factors: tuple[Jacobian, ...], layout: Layout) -> InputDerivation:
    def chain(row: Expr | None, rest: tuple[Jacobian, ...]) -> JacobianChain:
        return JacobianChain(None, row, rest, layout.vec, layout.derivative)

    left, scalar = Partial(output, own, vector=True), Partial(_LOSS, own)
    way = passed(factors, Symbol(f"d{output.name}", output.shape))
    tangent: Any = Symbol(f"t{own.name}", own.shape)
    whole = factors[0] if len(factors) == 1 else Product(factors)
    image: Any = whole._jvp(tangent)
    shown = tuple(jacobian for jacobian, _, _ in way)
    joined = [Step(rule, reason, Equation(left, chain(None, rest))) for rule, reason, rest in _merged(shown, layout)]
    steps = [
        Step(*_step(jacobian, before, after, layout), Equation(scalar, chain(after, shown[done:])))
        for done, (jacobian, before, after) in enumerate(way, 1)
    ]
    return InputDerivation(
        own.name,
        Equation(left, chain(None, shown)),
        tuple(joined),
        tuple(steps),
        Equation(Symbol(f"d{own.name}", own.shape), way[-1][2]),
        Equation(Symbol(f"t{output.name}", output.shape), image),
    )


def _merged(jacobians: tuple[Jacobian, ...], layout: Layout) -> Iterator[tuple[str, str, tuple[Jacobian, ...]]]:
    """For each pair of neighbours that the algebra merges: the rule's name, a sentence, and the remaining factors."""
    write, position = TextNotation(), 0
    while position + 1 < len(jacobians):
        left, right = jacobians[position : position + 2]
        one = left @ right if left.domain == right.codomain else None
        text = None if one is None or len(one._factors()) > 1 else one._written(write, layout.vec)
        if one is None or text is None:
            position += 1
            continue
        jacobians = (*jacobians[:position], one, *jacobians[position + 2 :])
        pair = f"{write.matrix(left, layout.vec)} {write.matrix(right, layout.vec)}"
        yield "identity" if one in (left, right) else left._joining or left._rule[0], f"{pair} = {text}.", jacobians
        position = max(position - 1, 0)


def joined(jacobians: tuple[Jacobian, ...], layout: Layout) -> tuple[Jacobian, ...]:
    """Return the factors of the same product, with neighbours merged where the algebra merges them."""
    last = jacobians
    for _, _, last in _merged(jacobians, layout):
        pass
    return tuple(jacobian for jacobian in last if not _is_identity(jacobian)) or last


def _is_identity(jacobian: Jacobian) -> bool:
    """Whether the matrix is the identity: a reshape that drops an axis of one entry, the transpose of a row."""
    return jacobian._squeezes() or (isinstance(jacobian, Commutation) and 1 in jacobian.domain)


def _made_up(operation: Operation, layout: Layout, examples: int, seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    shapes: Iterable[Sequence[int]]
    match operation:
        case Affine(sizes=sizes):
            n_in, n_out = sizes or (4, 3)
            shapes = [layout.batch_shape(examples, n_in), layout.weight_shape(n_in, n_out)]
            shapes += [layout.bias_shape(n_out)] * (layout.bias == "separate")
        case Elementwise():
            # positive, for logarithms and powers
            return [rng.uniform(0.1, 2.0, size=layout.batch_shape(examples, 3))]
        case _ if len(operation.names) == 1 and operation.names == ("X",) and "images" not in operation.reads:
            shapes = [layout.batch_shape(examples, 3)]
        case _:
            names = ", ".join(operation.names)
            raise LayoutError(
                f"explain: {operation.name} needs its inputs: pass {names} after the convention, explain(operation, "
                f"None, {names})"
            )
    return [rng.normal(size=tuple(shape)) for shape in shapes]
