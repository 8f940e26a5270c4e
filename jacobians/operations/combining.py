"""Operations made of operations: composition, a residual sum, branches joined by concatenation.

Inputs of the parts are named after them: the k-th part that has parameters turns W into Wk, and a part that is
itself made of parts turns W1 into "k.W1".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from operator import add, matmul
from typing import Any, TypeAlias, cast

import numpy as np

from jacobians.arrays import Array, Shape, as_array, kind_of
from jacobians.errors import ArgumentError, ShapeError
from jacobians.layout import DEFAULT_LAYOUT, Order
from jacobians.linops import Identity, Jacobian, Selection
from jacobians.operations.operation import UNNAMED, Jacobians, Makers, Naming, Operation, Row
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr

__all__ = ["Chain", "Parallel", "Residual"]


Evaluator: TypeAlias = Callable[..., tuple[Array, Jacobians]]
"""From a part's arrays, or symbols, to its value and Jacobians."""


class _Composite(Operation):
    """Shared naming: which part, and which input of it, a name belongs to."""

    def __init__(self, parts: Sequence[Operation], layout: AnyLayout | None) -> None:
        if not parts:
            raise ShapeError(f"{type(self).__name__}: needs at least one operation")
        self.parts = tuple(parts)
        for part in self.parts:
            if not isinstance(part, Operation):
                raise _no_operation(type(self).__name__, part)
        self._flowing = [part.names[0] for part in self.parts]
        self.layout = None if layout is None else find_layout(layout)
        self.per_example = all(p.per_example for p in self.parts)
        self._own(_name_parameters(self.parts))

    @abstractmethod
    def _combined(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, Jacobians]:
        """Value and Jacobians, of arrays or of symbols, out of those that one function for each part returns."""

    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        return self._combined(arrays, [part._evaluate for part in self.parts])

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value as a formula of the parts' values, each of which is named before it is passed on."""
        evaluators = [partial(_in_symbols, part, name.inside()) for part in self.parts]
        if isinstance(self, Chain):  # its last part's value is its own
            evaluators[-1] = partial(_in_symbols, self.parts[-1], name, last=True)
        value, jacobians = self._combined(cast("Sequence[Array]", inputs), evaluators)
        return cast(Expr, value), {wrt: partial(jacobians.numerator, wrt) for wrt in jacobians}

    def _own(self, owned: dict[str, tuple[int, str]]) -> None:
        self._owned = owned
        # by part: its parameters' names there and here
        self._of_part: list[dict[str, str]] = [{} for _ in self.parts]
        for name, (position, own) in owned.items():
            self._of_part[position][own] = name

    @property
    def names(self) -> tuple[str, ...]:
        return ("X", *self._owned)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.parts))})"

    def parameter_shapes(self) -> Mapping[str, Shape]:
        """Shapes of all parts' parameters by their names here."""
        known = [p.parameter_shapes() for p in self.parts]
        return {name: known[i][own] for name, (i, own) in self._owned.items() if own in known[i]}

    def owner(self, name: str) -> tuple[int, str]:
        """Return the position of the part that a parameter belongs to, and its name there."""
        return self._owned[name]

    def moved_to(self, layout: AnyLayout) -> Operation:
        """Return the same composition of operations in another layout, each of its parts moved."""
        moved = [part.moved_to(layout) for part in self.parts]
        made: Callable[..., Operation] = type(self)
        return made(*moved, layout=layout if self.layout else None)


def _no_operation(kind: str, part: Any) -> ArgumentError:
    """The error that says what was given in place of an operation."""
    mend = ""
    if isinstance(part, type) and issubclass(part, Operation):
        mend = f": make one, {part.__name__}(…)"
    elif callable(part) and hasattr(part, "__name__"):
        mend = ": a function evaluates at once; its operation is a class, such as Sigmoid() for sigmoid"
    return ArgumentError(f"{kind}: a part is {kind_of(part)}; expected an operation{mend}")


def _in_symbols(part: Operation, name: Naming, *inputs: Any, last: bool = False) -> tuple[Any, Jacobians]:
    """A part's value, by its name unless it is the last, and its Jacobians in symbols."""
    value, makers = part.in_symbols(*inputs, name=name)
    return value if last else name(value), Jacobians(part.name, makers)


def _name_parameters(parts: Sequence[Operation]) -> dict[str, tuple[int, str]]:
    """By name here: the part's position, and its own name for the parameter; in the order of the parts."""
    owned: dict[str, tuple[int, str]] = {}
    layer = 0
    for i, part in enumerate(parts):
        parameters = part.names[1:]
        layer += bool(parameters)
        for own in parameters:
            name = f"{own}{layer}" if own.isalpha() else f"{layer}.{own}"
            owned[name] = (i, own)
    return owned


class Chain(_Composite):
    """X ↦ fₖ(… f₂(f₁(X))): the Jacobian with respect to X is the product of the parts'.

    Parameters
    ----------
    *parts : Operation
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> from jacobians.operations import Affine, Sigmoid
    >>> net = Chain(Affine(), Sigmoid(), Affine())
    >>> net.names
    ('X', 'W1', 'b1', 'W2', 'b2')
    """

    def __init__(self, *parts: Operation, layout: AnyLayout | None = None) -> None:
        super().__init__(parts, layout)

    def run(self, X: Array, named: Mapping[str, Array]) -> list[tuple[Array, Jacobians]]:
        """Return value and Jacobians of every part, in order."""
        return self._steps(X, named, [part._evaluate for part in self.parts])

    def _steps(
        self, X: Array, named: Mapping[str, Array], evaluators: Sequence[Evaluator]
    ) -> list[tuple[Array, Jacobians]]:
        steps = []
        for evaluate, names in zip(evaluators, self._of_part, strict=True):
            X, jacobians = evaluate(X, *map(named.__getitem__, names.values()))
            steps.append((X, jacobians))
        return steps

    def _sweep(self, steps: Sequence[tuple[Array, Jacobians]], row: Row, inputs: bool = True) -> dict[str, Row]:
        """Return ``row @ J`` with respect to all parameters, and to X unless `inputs` is False, in one pass.

        A scalar's row may be given as an array, see `Jacobians.pull`.
        """
        backwards: dict[str, Row] = {}
        for i in reversed(range(len(steps))):
            first = inputs or i > 0
            pulled = steps[i][1].pull(row, first=first)
            for own, name in reversed(self._of_part[i].items()):
                backwards[name] = pulled[own]
            if first:
                row = pulled[self._flowing[i]]
        if inputs:
            backwards["X"] = row
        return dict(reversed(backwards.items()))

    def _combined(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, Jacobians]:
        X, *parameters = arrays
        steps = self._steps(X, dict(zip(self.names[1:], parameters, strict=True)), evaluators)

        def by_input(position: int, own: str) -> Jacobian:
            """The chain from the output back to one input of one part."""
            later = (steps[i][1].numerator(self._flowing[i]) for i in reversed(range(position + 1, len(steps))))
            return reduce(matmul, [*later, steps[position][1].numerator(own)])

        makers: Makers = {"X": partial(by_input, 0, self._flowing[0])}
        for name, (position, own) in self._owned.items():
            makers[name] = partial(by_input, position, own)
        return steps[-1][0], Jacobians(self.name, makers, self.layout, partial(self._sweep, steps))


class Residual(_Composite):
    """X ↦ X + f(X); the Jacobian with respect to X is I + J_f.

    Parameters
    ----------
    branch : Operation
    layout : Layout, Convention or str, optional
    """

    def __init__(self, branch: Operation, layout: AnyLayout | None = None) -> None:
        super().__init__((branch,), layout)
        # one branch: its parameters keep their names
        self._own({name: (0, name) for name in branch.names[1:]})

    def _combined(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, Jacobians]:
        X = arrays[0]
        value, inner = evaluators[0](*arrays)
        if value.shape != X.shape:
            raise ShapeError(f"residual: the branch maps {X.shape} to {value.shape}; a residual sum needs equal shapes")
        (flowing,) = self._flowing
        makers: Makers = {"X": lambda: inner.numerator(flowing) + Identity(X.shape, X.dtype)}
        makers.update({name: partial(inner.numerator, name) for name in self._owned})

        def pull(row: Jacobian, first: bool) -> dict[str, Jacobian]:
            pulled = inner.pull(row, first=first)
            named = {name: pulled[name] for name in self._owned}
            return {"X": pulled[flowing] + row, **named} if first else named

        return as_array(value + X), Jacobians(self.name, makers, self.layout, pull)


class Parallel(_Composite):
    """X ↦ [f₁(X) f₂(X) …], joined along the features of one example.

    The Jacobian with respect to X is Σ Pᵢ Jᵢ, with Pᵢ the placement of branch i's outputs.

    Parameters
    ----------
    *branches : Operation
    layout : Layout, Convention or str, optional
        Says along which axis features lie.
    """

    def __init__(self, *branches: Operation, layout: AnyLayout | None = None) -> None:
        super().__init__(branches, find_layout(layout))

    def _combined(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, Jacobians]:
        X, *parameters = arrays
        named = dict(zip(self.names[1:], parameters, strict=True))
        steps = [
            evaluate(X, *map(named.__getitem__, names.values()))
            for evaluate, names in zip(evaluators, self._of_part, strict=True)
        ]
        values = [value for value, _ in steps]
        axis = (self.layout or DEFAULT_LAYOUT).feature_axis
        try:
            joined = np.concatenate(values, axis=axis)
        except ValueError:
            raise ShapeError(
                f"parallel: branches give {', '.join(str(v.shape) for v in values)}; they must agree in all axes but "
                f"the features' ({self.layout})"
            ) from None
        places = _places(values, joined, axis)

        def by_input() -> Jacobian:
            flowing = (s.numerator(name) for (_, s), name in zip(steps, self._flowing, strict=True))
            return reduce(add, (place.T @ jacobian for place, jacobian in zip(places, flowing, strict=True)))

        def by_parameter(position: int, own: str) -> Jacobian:
            return places[position].T @ steps[position][1].numerator(own)

        makers: Makers = {"X": by_input}
        for name, (position, own) in self._owned.items():
            makers[name] = partial(by_parameter, position, own)

        def pull(row: Jacobian, first: bool) -> dict[str, Jacobian]:
            out: dict[str, Jacobian] = {}
            for i, place in enumerate(places):
                pulled = steps[i][1].pull(row @ place.T, first=first)
                if first:
                    flowing = pulled[self._flowing[i]]
                    out["X"] = out["X"] + flowing if "X" in out else flowing
                out.update((name, pulled[own]) for own, name in self._of_part[i].items())
            return out

        return joined, Jacobians(self.name, makers, self.layout, pull)


class _OfBranch(Selection):
    """The entries of one branch in the joined array."""

    __slots__ = ()

    def _step_back(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        line = f"{row} {write.transpose(write.matrix(self, order))} = {image}"
        return "a branch's share", f"A branch's outputs are a part of the joined array, Sᵀ keeps their share: {line}."


def _places(values: Sequence[Array], joined: Array, axis: int) -> list[Selection]:
    """For each branch, the selection of its entries in the joined array."""
    places: list[Selection] = []
    start = 0
    for value in values:
        key = [slice(None)] * joined.ndim
        key[axis] = slice(start, start + value.shape[axis])
        places.append(_OfBranch(tuple(key), joined.shape, joined.dtype))
        start += value.shape[axis]
    return places
