"""An operation that is written as a function of values: its Jacobians are those of the graph that it makes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, as_float, of_graph
from jacobians.errors import ShapeError
from jacobians.graphs import Graph, Value
from jacobians.graphs.between import jacobians_between
from jacobians.graphs.node import Origin
from jacobians.graphs.second_by_values import second_by_values
from jacobians.layers.axes import moved_copy
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import Jacobian
from jacobians.operations import Jacobians, Operation
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout


class Composed(Operation):
    """An operation of several inputs, stated as a function of values by `_formula`.

    Of values of a graph it makes that graph's own values, so what is inside is seen in its paths and pictures.
    """

    @abstractmethod
    def _shapes(self, *given: Shape) -> Mapping[str, Shape]:
        """By input's name, the shape that it needs beside the others; or a ShapeError."""

    @abstractmethod
    def _formula(self, *inputs: Value) -> Value:
        """The value, of inputs whose shapes fit."""

    @property
    def _own_layout(self) -> Layout:
        return self.layout or DEFAULT_LAYOUT

    def moved_to(self, layout: AnyLayout) -> Operation:
        return moved_copy(self, layout)

    def __call__(self, *operands: Any) -> Any:
        """Return the value and its `Jacobians`; of values of a graph, see `jacobians.values`, a value."""
        value: Any = of_graph(operands)
        if value is None:
            return self.evaluate(*operands)
        self._check_count(operands)
        lifted = [
            operand if isinstance(operand, Value) else Value(as_float(operand, name, self.name), value._origin)
            for name, operand in zip(self.names, operands, strict=True)
        ]
        return self._checked(lifted)

    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        origin = Origin()
        inputs = [Value(array, origin) for array in arrays]
        out = self._checked(inputs)

        def jacobian(place: int) -> Jacobian:
            return jacobians_between(out, [inputs[place]])[0][0]

        def pull(row: Any, names: Collection[str]) -> dict[str, Any]:
            if isinstance(row, Jacobian):
                return {name: row @ makers[name]() for name in names}
            wanted = [inputs[self.names.index(name)] for name in names]
            row = row.astype(np.result_type(row, out.dtype), copy=False)
            found = Graph((out,), tuple(wanted)).pull({out: row})
            return {name: found[node] for name, node in zip(names, wanted, strict=True)}

        makers: Makers = {name: partial(jacobian, place) for place, name in enumerate(self.names)}
        second = partial(second_by_values, self._formula, self.names, arrays)
        return out.array.copy(), Jacobians(self.name, makers, self.layout, pull, second)

    def _checked(self, inputs: list[Value]) -> Value:
        self._refuse_shapes([value.shape for value in inputs])
        return self._formula(*inputs)

    def _refuse_shapes(self, shapes: Sequence[Shape]) -> None:
        for name, expected in self._shapes(*shapes).items():
            own = shapes[self.names.index(name)]
            if own != expected:
                raise ShapeError(
                    f"{self.name}: {name} has shape {own}, expected {expected} beside {self.names[0]} {shapes[0]} "
                    f"({self._own_layout}, sequences {self._own_layout.sequences})"
                )
