"""The forward pass of a list of operations: the names on the way from X to the loss, and each step's Jacobian."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property, reduce
from operator import itemgetter, matmul
from typing import Any

import numpy as np

from jacobians.arrays import Array, as_float, did_you_mean
from jacobians.errors import JacobiansError, LayoutError, ShapeError
from jacobians.factors import Factor
from jacobians.graphs.targets import WithTargets
from jacobians.layout import Order
from jacobians.linops import BlockRow, Dense, Identity, Jacobian, Zero
from jacobians.network.forward import Forward
from jacobians.network.objective import Objective
from jacobians.operations import Chain, Sigmoid, Softmax
from jacobians.operations.affine_maps import placement, with_ones
from jacobians.operations.hessian import Evaluated, Hessian, Input, hessian_of
from jacobians.stops import Stop, prediction_name, stops_of

__all__ = ["ChainForward"]


class ChainForward(Forward):
    """What a chain of operations computed; the names of intermediates are the convention's.

    Parameters
    ----------
    objective : Objective
    chain : Chain
        Its operations.
    params : dict of ndarray
        By the convention's names.
    X, Y : ndarray
    """

    def __init__(self, objective: Objective, chain: Chain, params: Mapping[str, Array], X: Array, Y: Any) -> None:
        self._objective, self._chain, self._params, self._X = objective, chain, params, X
        self.given = {**params, "X": X}
        named = dict(zip(objective.names.values(), params.values(), strict=True))
        try:
            self._steps = chain.run(X, named)
        except ShapeError as error:
            if Y is not None and _takes(chain, Y, named):
                raise ShapeError(f"{error}; Y would fit: are X and Y in each other's place?") from None
            raise
        self.results, self.targets = {"output": self._steps[-1][0]}, {"output": Y}

    @property
    def count(self) -> int:
        layout = self._objective.convention.layout
        return self._X.shape[layout.sequence_axes()[0] if self._chain.time_first else layout.batch_axis]

    @property
    def scale(self) -> float:
        return self._objective.loss.scale(self.results["output"])

    def gradients(self, rows: Mapping[str, Array], *, inputs: bool) -> dict[str, Array]:
        names = self._objective.names
        wanted = (*names.values(), "X") if inputs else tuple(names.values())
        found = self._chain._sweep(list(map(itemgetter(1), self._steps)), rows["output"], wanted)
        arrays: dict[str, Array] = {}
        buffers: set[int] = set()
        for name, array in zip((*names, "X") if inputs else names, found.values(), strict=True):
            # a sweep's arrays are new, but two may be views of one buffer
            buffer = id(array if array.base is None else array.base)
            arrays[name] = array.copy(order="K") if buffer in buffers else array
            buffers.add(buffer)
        return arrays

    # --- names -----------------------------------------------------------------------------------

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """The arrays on the way from X to the output, with their names."""
        return stops_of(self._chain.parts, self._objective.convention, self._params)

    @cached_property
    def outputs(self) -> list[str]:
        """Names of the intermediates, one for each operation."""
        return [after.name for before, after in itertools.pairwise(self.stops) if after.done > before.done]

    @cached_property
    def prediction(self) -> str:
        """The name of the loss's prediction from the output, a softmax or a sigmoid; "" if it makes none."""
        if not self._objective.loss.prediction:
            return ""
        return prediction_name(self.stops, self._objective.convention, self._params)

    # --- values ----------------------------------------------------------------------------------

    @cached_property
    def values(self) -> Mapping[str, Array]:
        layout, arrays = self._objective.convention.layout, {}
        for stop in self.stops:
            array = self.operation_value(stop.done)
            arrays[stop.name] = with_ones(array, layout) if stop.ones else array
        return {**arrays, self.prediction: self._predicted[0]} if self.prediction else arrays

    @cached_property
    def _predicted(self) -> tuple[Array, Jacobian]:
        """The prediction, and its Jacobian with respect to the output, in numerator layout."""
        made = Softmax(self._objective.convention.layout) if self._objective.loss.prediction == "softmax" else Sigmoid()
        value, jacobians = made._evaluate(self.operation_value(len(self._steps)))
        return value, jacobians.numerator(made.names[0])

    def operation_value(self, done: int) -> Array:
        """Return what so many operations have made of X, without an entry of ones."""
        if done not in range(len(self._steps) + 1):
            raise LayoutError(
                f"run.operation_value: done is {done!r}; expected a number from 0 to {len(self._steps)}. "
                "run.values has the arrays by name"
            )
        return self._steps[done - 1][0] if done else self._X

    def operation_jacobian(self, position: int, wrt: str) -> Jacobian:
        """Return an operation's Jacobian with respect to an input, by its own name for it, in numerator layout."""
        if position not in range(len(self._steps)):
            raise LayoutError(
                f"run.operation_jacobian: the position is {position!r}; expected a number from 0 to "
                f"{len(self._steps) - 1}. run.jacobian takes the arrays' names"
            )
        return self._steps[position][1].numerator(wrt)

    @cached_property
    def _per_example(self) -> tuple[Array, Jacobian]:
        return self._objective.loss.per_example(self._steps[-1][0], self.targets["output"])

    @property
    def losses(self) -> Array:
        return self._per_example[0]

    def cotangents(self) -> dict[str, Array]:
        named = [stop for stop in self.stops[:0:-1] if not stop.ones]
        return {stop.cotangent: np.asarray(self.jacobian("loss", stop.name).gradient) for stop in named}

    # --- second derivatives ----------------------------------------------------------------------

    def hessian(self, rows: Sequence[str], columns: Sequence[str], packed: tuple[bool, bool], vec: Order) -> Hessian:
        """Return the objective's Hessian by names, regulariser included; see `hessian_of`."""
        objective, links = self._objective, self._chain._links
        evaluated = [Evaluated(place, taken, own) for (place, taken), (_, own) in zip(links, self._steps, strict=True)]
        results, dtype = self._steps[-1][0], self.losses.dtype
        loss = WithTargets(objective.loss, self.targets["output"])
        evaluated.append(Evaluated(("loss",), {"X": links[-1][0]}, loss._evaluate(results)[1], "loss"))
        for name in filter(objective.is_penalised, self._params):
            _, own = objective.penalty_operation(self.count)._evaluate(self._params[name])
            evaluated.append(Evaluated(("penalty", name), {"W": objective.names[name]}, own, "penalty"))
        given = {one.node: np.ones((), dtype) for one in evaluated if one.part != "inner"}
        by_row, by_column = (tuple(map(self._input, names)) for names in (rows, columns))
        called: dict[Any, str] = {own: name for name, own in objective.names.items()}
        called |= {stop.done - 1 if stop.done else "X": stop.name for stop in self.stops[::-1]}
        return hessian_of(evaluated, given, by_row, by_column, packed, vec=vec, names=called)

    def _input(self, name: str) -> Input:
        """The inputs that a second derivative may have: parameters, X, and intermediate values without ones."""
        if name in self._params:
            return Input(self._objective.names[name], name, self._params[name].shape, self._params[name].dtype)
        known = [*self._params, *(stop.name for stop in self.stops if not stop.ones)]
        place = self._place(name) if name in (*self._way, "output", self.prediction) else len(self.stops)
        if place >= len(self.stops):
            hint = did_you_mean(name, known)
            raise LayoutError(f"hessian: {name!r} is no input; choose from {', '.join(known)}{hint}")
        stop = self.stops[place]
        if stop.ones:
            raise LayoutError(
                f"hessian: {name!r} holds the entry of ones, which is constant; choose {self.stops[place - 1].name!r}, "
                "from which it was made"
            )
        value = self.operation_value(stop.done)
        return Input(stop.done - 1 if stop.done else "X", name, value.shape, value.dtype)

    # --- the chain -------------------------------------------------------------------------------

    def jacobian(self, of: str, wrt: str) -> Jacobian:
        factors = self.factors(of, wrt)
        return reduce(matmul, (f.jacobian for f in factors)) if factors else self._identity(of)

    def parameter_jacobian(self, of: str, names: Sequence[str], vec: Order) -> BlockRow:
        """From one sweep: the factors that several share are multiplied once."""
        last = self.stops[min(self._place(of), len(self.stops) - 1)]
        row = self._identity(of)
        for factor in self.factors(of, last.name):
            row = row @ factor.jacobian
        if last.ones:
            row = row @ self._ones_placed(last.done)
        chain = self._chain
        output = last.done - 1 if last.done else "X"
        found = chain._sweep([jacobians for _, jacobians in self._steps], row, chain.names[1:], output)
        blocks: dict[str, Jacobian] = {}
        for name, own in self._objective.names.items():
            shape, dtype = self._params[name].shape, np.result_type(row.dtype, self._params[name].dtype)
            blocks[name] = found[own] if own in found else Zero(row.codomain, shape, dtype)
        return BlockRow(tuple(blocks[name] for name in names), vec)

    @cached_property
    def _way(self) -> list[str]:
        """What the chain leads through, from X to the loss."""
        return [*(stop.name for stop in self.stops), "losses", "loss"]

    def _place(self, name: str) -> int:
        """Where a name stands on the way; the prediction stands beside the losses."""
        if name == self.prediction and name:
            return len(self.stops)
        name = self.stops[-1].name if name == "output" else name
        if name not in self._way:
            also = f", {self.prediction}" if self.prediction else ""
            raise LayoutError(f"run: {name!r} is unknown; choose of from output, {', '.join(self._way)}{also}")
        return self._way.index(name)

    def _identity(self, name: str) -> Jacobian:
        if name == "loss":
            return Identity((), self.losses.dtype)
        value = self.losses if name == "losses" else self.values[self.stops[-1].name if name == "output" else name]
        return Identity(value.shape, value.dtype)

    def _ones_placed(self, done: int) -> Jacobian:
        """The Jacobian of adding the ones to what so many operations have made."""
        return placement(self.operation_value(done), self._objective.convention.layout)

    def _step(self, place: int) -> Jacobian:
        """The Jacobian of one intermediate with respect to the one before it, in numerator layout."""
        if place < len(self.stops) - 1:
            before, after = self.stops[place], self.stops[place + 1]
            if after.done == before.done:
                return self._ones_placed(after.done)
            jacobian = self.operation_jacobian(before.done, self._chain.parts[before.done].names[0])
            if before.ones:  # the layer's own Jacobian begins where its ones are placed
                jacobian = reduce(matmul, jacobian._factors()[:-1])
            return self._ones_placed(after.done) @ jacobian if after.ones else jacobian
        losses, rows = self._per_example
        if place == len(self.stops) - 1:
            return rows
        return Dense(np.full(losses.shape, self.scale, dtype=losses.dtype))

    def factors(self, of: str, wrt: str) -> list[Factor]:
        if of == wrt == self.prediction:
            return []
        way, end = self._way, self._place(of)
        local = wrt in self._params
        if not local and wrt not in ("output", *way):
            if wrt == self.prediction:
                last = self.stops[-1].name
                raise LayoutError(
                    f"run: {of} does not depend on {wrt}: the loss is computed from {last}, and {wrt} beside it; "
                    f"choose wrt={last!r}"
                )
            raise LayoutError(f"run: {wrt!r} is unknown; choose wrt from {', '.join([*self._params, 'output', *way])}")
        if local:
            position, own = self._chain.owner(self._objective.names[wrt])
            first = next(place for place, stop in enumerate(self.stops) if stop.done == position + 1)
        else:
            first = self._place(wrt)
        if end < first or (of == self.prediction and wrt in ("losses", "loss")):
            raise LayoutError(f"run: {of} does not depend on {wrt}: it comes before it")
        factors = []
        if of == self.prediction:
            end = len(self.stops) - 1
            factors.append(Factor(of, way[end], self._predicted[1]))
        factors += [Factor(way[i + 1], way[i], self._step(i)) for i in reversed(range(first, end))]
        if local:
            jacobian, stop = self.operation_jacobian(position, own), self.stops[first]
            jacobian = self._ones_placed(stop.done) @ jacobian if stop.ones else jacobian
            factors.append(Factor(way[first], wrt, jacobian))
        return factors


def _takes(chain: Chain, X: Array, named: Mapping[str, Array]) -> bool:
    """Whether the operations take this array as their input."""
    try:
        chain.run(as_float(X, "X", "network"), named)
    except JacobiansError:
        return False
    return True
