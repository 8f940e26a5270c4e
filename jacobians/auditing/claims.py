"""`claims`: everything that a formula can be checked for, each with its true value and its right formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.auditing.random_batches import RandomBatches
from jacobians.derivation.equations import Equation
from jacobians.derivation.names import Names, symbol_name
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Symbol


@dataclass(frozen=True, eq=False)
class Claim:
    """What a right side should be.

    Attributes
    ----------
    name : str
        In the names of the convention's source.
    meaning : str
    truths : tuple of ndarray
        For each draw, from the library's Jacobians.
    nearest : Equation
        The right formula in the convention.
    parameter : str or None
        The parameter, or "X", with respect to which it is the gradient.
    jacobian : bool
        Whether it is the matrix of a Jacobian.
    is_forward : bool
        Whether it is a value of the forward pass.
    """

    name: str
    meaning: str
    truths: tuple[Array, ...]
    nearest: Equation
    parameter: str | None = None
    jacobian: bool = False
    is_forward: bool = False


def claims(setting: RandomBatches) -> Iterator[Claim]:
    """Yield everything that a formula can be checked for: gradients, cotangents, accumulators and the forward pass."""
    derivation = setting.first.derivation
    for name, parameter in derivation.parameters.items():
        left = parameter.formula.left
        if isinstance(left, Symbol):
            truths = tuple(draw.run.gradient(inputs=True)[name] for draw in setting.draws)
            wrt = symbol_name(name)
            yield Claim(left.name, f"the gradient with respect to {wrt}", truths, parameter.formula, name)
    for accumulator, (name, formula) in setting.accumulators.items():
        shown = Symbol(accumulator, formula.shape)
        wrt, count = symbol_name(name), setting.count_name
        meaning = f"the sum over the examples of the gradients with respect to {wrt}, before it is divided by {count}"
        truths = tuple(draw.values[accumulator] for draw in setting.draws)
        yield Claim(accumulator, meaning, truths, Equation(shown, formula))
    names = Names(setting.first.run)
    for definition in derivation.cotangents:
        stop = definition.name[1:]
        if stop not in names.outputs:  # inside an operation that is made of others
            truths = tuple(draw.values[definition.symbol.name] for draw in setting.draws)
            yield Claim(definition.symbol.name, "a cotangent inside an operation", truths, definition.equation)
            continue
        truths = tuple(draw.cotangents[definition.symbol.name] for draw in setting.draws)
        yield Claim(definition.symbol.name, f"the cotangent of {names.of(stop)}", truths, definition.equation)
    yield from _at_the_input(setting)
    for name, formula in setting.at_the_output.items():
        truths = tuple(draw.values[name] for draw in setting.draws)
        yield Claim(name, "the cotangent of the prediction", truths, Equation(Symbol(name, formula.shape), formula))
    for definition in derivation.forward:
        name = definition.symbol.name
        truths = tuple(draw.forward.get(name, draw.values[name]) for draw in setting.draws)
        yield Claim(name, "the forward pass", truths, definition.equation, is_forward=True)


def _at_the_input(setting: RandomBatches) -> Iterator[Claim]:
    """∂L/∂A₀ where 1/N is written at the gradients: like every cotangent there, it is N times the derivative."""
    convention = setting.network.convention
    if convention.names.weighted_at == "cotangent" or convention.names.post_cotangent is None:
        return
    own = convention.names.of("post-cotangent", 0)
    formula = setting.summed(setting.data_gradient("X"))
    truths = tuple(np.asarray(evaluate(formula, draw.values)) for draw in setting.draws)
    yield Claim(
        own,
        "the cotangent of the inputs",
        truths,
        Equation(Symbol(own, formula.shape), formula),
    )
