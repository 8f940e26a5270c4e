"""Operations made of operations: composition, a residual sum, branches joined by concatenation.

Inputs of the parts are named after them: the k-th part that has parameters turns W into Wk, and a part that is
itself made of parts turns W1 into "k.W1".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias, cast

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_array, kind_of
from jacobians.errors import ArgumentError, ShapeError
from jacobians.layout import DEFAULT_LAYOUT, Order
from jacobians.linops import Identity, Jacobian, Selection
from jacobians.operations.hessian import Evaluated, Input, hessian_of
from jacobians.operations.operation import UNNAMED, Naming, Operation
from jacobians.operations.record import Jacobians, Makers, Row, Second
from jacobians.operations.sweep import Wiring
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr

__all__ = ["Chain", "Parallel", "Residual"]


Place: TypeAlias = int | str
"""A node of a composition: an input, by its name, or the value of a step of the evaluation, by its number."""

Link: TypeAlias = tuple[Place, Mapping[str, Place]]
"""The value of a step, and by the names of its Jacobians what it is made of."""

Evaluator: TypeAlias = Callable[..., tuple[Array, Jacobians]]
"""From a part's arrays, or symbols, to its value and Jacobians."""


class _Composite(Operation):
    """What combinators share: which part's input a name stands for, and the sweep through the parts."""

    def __init__(self, parts: Sequence[Operation], layout: AnyLayout | None) -> None:
        if not parts:
            raise ShapeError(f"{type(self).__name__}: needs at least one operation")
        self.parts = tuple(parts)
        for part in self.parts:
            if not isinstance(part, Operation):
                raise _no_operation(type(self).__name__, part)
        self.layout = None if layout is None else find_layout(layout)
        self.per_example = all(p.per_example for p in self.parts)
        self._owned = self._names_of_parameters()
        # by part: its parameters' names there and here
        self._of_part: list[dict[str, str]] = [{} for _ in self.parts]
        for name, (position, own) in self._owned.items():
            self._of_part[position][own] = name
        self._links = self._linked()
        self._wirings: dict[tuple[str, ...], Wiring[Place]] = {}

    @property
    def time_first(self) -> bool:
        """Whether a part reads sequences time-first."""
        return any(part.time_first for part in self.parts)

    @abstractmethod
    def _linked(self) -> list[Link]:
        """The results and the inputs of each step of the evaluation, in order; the last step gives the value."""

    @abstractmethod
    def _steps(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, list[Jacobians]]:
        """The value, of arrays or of symbols, and the Jacobians of each step, by one function for each part."""

    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        return self._combined(arrays, [part._evaluate for part in self.parts])

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value as a formula of the parts' values, each of which is named before it is passed on."""
        evaluators = [partial(_in_symbols, part, name.inside()) for part in self.parts]
        if isinstance(self, Chain):  # its last part's value is its own
            evaluators[-1] = partial(_in_symbols, self.parts[-1], name, last=True)
        value, jacobians = self._combined(cast("Sequence[Array]", inputs), evaluators)
        return cast(Expr, value), {wrt: partial(jacobians.numerator, wrt) for wrt in jacobians}

    def _combined(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, Jacobians]:
        value, steps = self._steps(arrays, evaluators)

        def jacobian(name: str) -> Jacobian:
            row: Jacobian = Identity(value.shape, value.dtype)
            return self._sweep(steps, row, (name,))[name]

        makers: Makers = {name: partial(jacobian, name) for name in self.names}
        pull, second = partial(self._sweep, steps), partial(self._second, steps)
        return value, Jacobians(self.name, makers, self.layout, pull, second, (self._links, steps))

    def _second(self, steps: Sequence[Jacobians], cotangent: Array) -> Second:
        """The second derivative by pairs of inputs: each a Hessian of ⟨cotangent, value⟩, or a cross block of one."""
        last = self._links[-1][0]
        evaluated = [Evaluated(place, taken, step) for (place, taken), step in zip(self._links, steps, strict=True)]
        shapes = {name: self._domain(steps, name) for name in self.names}
        found: Second = {}
        for i, a in enumerate(self.names):
            for b in self.names[i:]:
                row, column = Input(a, a, *shapes[a]), Input(b, b, *shapes[b])
                H = hessian_of(evaluated, {last: cotangent}, (row,), (column,), (False, False))
                if any(step.bends for step in H.steps):
                    found[a, b] = H
        return found

    def _domain(self, steps: Sequence[Jacobians], name: str) -> tuple[Shape, DType]:
        """An input's shape and dtype."""
        for (_, taken), step in zip(self._links, steps, strict=True):
            for own, place in taken.items():
                if place == name:
                    jacobian = step.numerator(own)
                    return jacobian.domain, jacobian.dtype
        raise KeyError(name)

    def _sweep(
        self, steps: Sequence[Jacobians], row: Row, names: Collection[str], output: Place | None = None
    ) -> dict[str, Row]:
        """Return ``row @ J`` by inputs: one sweep back, through those steps alone that depend on them.

        A scalar's row may be given as an array, see `Jacobians.pull`. The row is with respect to the value unless
        another output is given. Inputs that do not affect it are left out.
        """
        wiring = self._wirings.get(wanted := tuple(names))
        if wiring is None:
            wiring = self._wirings[wanted] = Wiring(self._links, wanted)
        found: dict[Any, Row] = wiring.sweep(steps, {self._links[-1][0] if output is None else output: row})
        return found

    def _names_of_parameters(self) -> dict[str, tuple[int, str]]:
        """By name here: the part's position, and its own name for the parameter; in the order of the parts."""
        owned: dict[str, tuple[int, str]] = {}
        layer = 0
        for i, part in enumerate(self.parts):
            parameters = part.names[1:]
            layer += bool(parameters)
            for own in parameters:
                name = f"{own}{layer}" if own.isalpha() else f"{layer}.{own}"
                owned[name] = (i, own)
        return owned

    def _taken(self, position: int, flowing: Place) -> dict[str, Place]:
        """By a part's own names, what it takes: what flows to it, and its parameters."""
        return {self.parts[position].names[0]: flowing, **self._of_part[position]}

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


def _linear(cotangent: Array) -> Second:
    """No second derivative, of what only adds or joins."""
    return {}


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

    def run(
        self, X: Array, named: Mapping[str, Array], evaluators: Iterable[Evaluator] | None = None
    ) -> list[tuple[Array, Jacobians]]:
        """Return value and Jacobians of every part, in order; of other functions of them on request."""
        steps = []
        evaluators = evaluators or map(attrgetter("_evaluate"), self.parts)
        for evaluate, names in zip(evaluators, self._of_part, strict=True):
            X, jacobians = evaluate(X, *map(named.__getitem__, names.values()))
            steps.append((X, jacobians))
        return steps

    def _linked(self) -> list[Link]:
        places: list[Place] = ["X", *range(len(self.parts))]
        return [(i, self._taken(i, places[i])) for i in range(len(self.parts))]

    def _steps(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, list[Jacobians]]:
        X, *parameters = arrays
        steps = self.run(X, dict(zip(self.names[1:], parameters, strict=True)), evaluators)
        return steps[-1][0], [jacobians for _, jacobians in steps]


class Residual(_Composite):
    """X ↦ X + f(X); the Jacobian with respect to X is I + J_f.

    Parameters
    ----------
    branch : Operation
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> from jacobians.operations import Affine, Tanh
    >>> block = Residual(Chain(Affine(), Tanh()))
    >>> block.names, block(np.ones((5, 2)), np.zeros((2, 2)), np.zeros(2))[0][0]
    (('X', 'W1', 'b1'), array([1., 1.]))
    """

    def __init__(self, branch: Operation, layout: AnyLayout | None = None) -> None:
        super().__init__((branch,), layout)

    def _names_of_parameters(self) -> dict[str, tuple[int, str]]:
        """One branch: its parameters keep their names."""
        return {name: (0, name) for name in self.parts[0].names[1:]}

    def _linked(self) -> list[Link]:
        # what goes past the branch is swept last, so that J_f + I reads as f(X) + X does
        return [("past", {"X": "X"}), (0, self._taken(0, "X")), (1, {"f": 0, "X": "past"})]

    def _steps(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, list[Jacobians]]:
        X = arrays[0]
        value, branch = evaluators[0](*arrays)
        if value.shape != X.shape:
            raise ShapeError(f"residual: the branch maps {X.shape} to {value.shape}; a residual sum needs equal shapes")
        total = as_array(value + X)
        past: Makers = dict.fromkeys("fX", lambda: Identity(X.shape, total.dtype))
        first = Jacobians("past", {"X": past["X"]}, second=_linear)
        return total, [first, branch, Jacobians("+", past, second=_linear)]


class Parallel(_Composite):
    """X ↦ [f₁(X) f₂(X) …], joined along the features of one example.

    The Jacobian with respect to X is Σ Pᵢ Jᵢ, with Pᵢ the placement of branch i's outputs.

    Parameters
    ----------
    *branches : Operation
    layout : Layout, Convention or str, optional
        Says along which axis features lie.

    Examples
    --------
    >>> from jacobians.operations import Affine, Tanh
    >>> Parallel(Affine(), Tanh())(np.ones((5, 4)), np.ones((4, 3)), np.zeros(3))[0].shape
    (5, 7)
    """

    def __init__(self, *branches: Operation, layout: AnyLayout | None = None) -> None:
        super().__init__(branches, find_layout(layout))

    def _linked(self) -> list[Link]:
        branches = range(len(self.parts))
        return [*((i, self._taken(i, "X")) for i in branches), (len(self.parts), {str(i): i for i in branches})]

    def _steps(self, arrays: Sequence[Array], evaluators: Sequence[Evaluator]) -> tuple[Array, list[Jacobians]]:
        X, *parameters = arrays
        named = dict(zip(self.names[1:], parameters, strict=True))
        found = [
            evaluate(X, *map(named.__getitem__, names.values()))
            for evaluate, names in zip(evaluators, self._of_part, strict=True)
        ]
        values = [value for value, _ in found]
        axis = (self.layout or DEFAULT_LAYOUT).feature_axis
        try:
            joined = np.concatenate(values, axis=axis)
        except ValueError:
            raise ShapeError(
                f"parallel: branches give {', '.join(str(v.shape) for v in values)}; they must agree in all axes but "
                f"the features' ({self.layout})"
            ) from None
        places = _places(values, joined, axis)
        joining: Makers = {str(i): partial(getattr, place, "T") for i, place in enumerate(places)}
        return joined, [*(jacobians for _, jacobians in found), Jacobians("concatenate", joining, second=_linear)]


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
