"""One operation explained: its Jacobian by each input as a matrix, as pushforward and as pullback."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.derivation.forward import affine_value, pushed
from jacobians.derivation.mixed_product import merged
from jacobians.derivation.recognise import Known, maps_of, same_values
from jacobians.derivation.result import ChainOfMaps, Equation, Partial, Step
from jacobians.derivation.rules import passed, rule_of
from jacobians.derivation.statements import derivative_of, value_of
from jacobians.errors import LayoutError
from jacobians.layout import Layout
from jacobians.operations import Affine, Elementwise, Operation
from jacobians.operations import MatMul as MatMulOperation
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, MatMul, Symbol
from jacobians.symbols.maps import Map

__all__ = ["InputDerivation", "OperationDerivation", "derive_operation"]


@dataclass(frozen=True)
class InputDerivation:
    """An operation's Jacobian by one input.

    Attributes
    ----------
    name : str
    jacobian : Equation
        ∂vec Z/∂vec X as a product of matrices.
    merged : tuple of Step
        The same as fewer matrices, where the mixed product joins neighbours.
    steps : tuple of Step
        A cotangent's way.
    pullback, pushforward : Equation
        dX for a cotangent dZ; Ż for a tangent Ẋ.
    """

    name: str
    jacobian: Equation
    merged: tuple[Step, ...]
    steps: tuple[Step, ...]
    pullback: Equation
    pushforward: Equation


@dataclass(frozen=True, eq=False)
class OperationDerivation:
    """An operation's value and Jacobians in symbols.

    Attributes
    ----------
    name : str
    layout : Layout
    value : Equation or None
        None where no formula is known.
    inputs : dict
        By input.
    values : dict
        The arrays behind the symbols.
    """

    name: str
    layout: Layout
    value: Equation | None
    inputs: Mapping[str, InputDerivation]
    values: Mapping[str, Array]

    def __getitem__(self, name: str) -> InputDerivation:
        return self.inputs[name]

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown."""
        found = [] if self.value is None else [self.value]
        for given in self.inputs.values():
            steps = [s.equation for s in (*given.merged, *given.steps)]
            found += [given.jacobian, *steps, given.pullback, given.pushforward]
        return found

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return the derivation as plain text."""
        from jacobians.derivation.writing import operation_as_text

        return operation_as_text(self)

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: text, and ``align*`` environments (amsmath)."""
        from jacobians.derivation.writing import operation_as_latex

        return operation_as_latex(self)

    def to_numpy(self) -> str:
        """Return a NumPy program: the value, and by each input the matrix, the pullback and the pushforward."""
        from jacobians.derivation.writing import operation_program

        return operation_program(self)

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        from jacobians.derivation.writing import operation_as_html

        return operation_as_html(self)

    def _repr_html_(self) -> str:
        return self.to_mathml()


def derive_operation(
    operation: Operation, layout: Layout, arrays: Sequence[npt.ArrayLike], examples: int, seed: int
) -> OperationDerivation:
    """Return an operation's derivation at these inputs, or at made-up ones.

    Raises
    ------
    LayoutError
        If there are no inputs, and none can be made up.
    """
    inputs = [np.asarray(a) for a in arrays] or _made_up(operation, layout, examples, seed)
    value, jacobians = operation.evaluate(*inputs)
    known = Known(layout.vec)
    names = dict(zip(operation.names, inputs, strict=True))
    symbols = {name: known.add(Symbol(name, array.shape), array) for name, array in names.items()}
    output = Symbol("A" if len(names) == 1 else "Z", value.shape)
    known.add(output, value)
    maps = {
        name: maps_of(jacobians.numerator(name), known, name, partial(derivative_of, operation, symbol))
        for name, symbol in symbols.items()
    }
    rng = np.random.default_rng(seed)
    cotangent = known.add(Symbol(f"d{output.name}", value.shape), rng.normal(size=value.shape))
    found = {}
    for name, array in names.items():
        tangent = known.add(Symbol(f"t{name}", array.shape), rng.normal(size=array.shape))
        found[name] = _input(name, symbols[name], tangent, output, cotangent, maps[name], layout, known)
    expr = _value(operation, symbols, maps)
    if expr is not None and not same_values(expr, known, value):
        expr = None
    return OperationDerivation(
        operation.name, layout, None if expr is None else Equation(output, expr), found, known.arrays
    )


def _input(
    name: str,
    symbol: Expr,
    tangent: Expr,
    output: Symbol,
    cotangent: Expr,
    maps: tuple[Map, ...],
    layout: Layout,
    known: Known,
) -> InputDerivation:
    own = Symbol(name, symbol.shape)

    def chain(row: Expr | None, rest: tuple[Map, ...]) -> ChainOfMaps:
        return ChainOfMaps(None, row, rest, layout.vec, layout.derivative)

    left, scalar = Partial(output, own, vector=True), Partial(Symbol("L", ()), own)
    way = passed(maps, cotangent)
    forward = pushed(maps, tangent)
    maps = tuple(map_ for map_, _, _ in way)
    row = way[-1][2]
    joined = [Step(rule, reason, Equation(left, chain(None, rest))) for rule, reason, rest in merged(maps, layout)]
    steps = [
        Step(*rule_of(map_, before, after, layout), Equation(scalar, chain(after, maps[done:])))
        for done, (map_, before, after) in enumerate(way, 1)
    ]
    gradient, image = Symbol(f"d{name}", symbol.shape), Symbol(f"t{output.name}", output.shape)
    known.arrays[gradient.name] = evaluate(row, known.arrays)
    known.arrays[f"{image.name}_by_{name}"] = evaluate(forward, known.arrays)
    return InputDerivation(
        name,
        Equation(left, chain(None, maps)),
        tuple(joined),
        tuple(steps),
        Equation(gradient, row),
        Equation(image, forward),
    )


def _value(operation: Operation, symbols: Mapping[str, Expr], maps: Mapping[str, tuple[Map, ...]]) -> Expr | None:
    match operation:
        case Affine():
            bias = pushed(maps["b"], symbols["b"]) if "b" in maps else None
            return affine_value(pushed(maps["W"], symbols["W"]), bias)
        case MatMulOperation():
            return MatMul(symbols["A"], symbols["B"])
    return value_of(operation, symbols[operation.names[0]]) if len(symbols) == 1 else None


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
        case _ if len(operation.names) == 1:
            shapes = [layout.batch_shape(examples, 3)]
        case _:
            raise LayoutError(f"explain: {operation.name} needs its inputs: pass {', '.join(operation.names)}")
    return [rng.normal(size=tuple(shape)) for shape in shapes]
