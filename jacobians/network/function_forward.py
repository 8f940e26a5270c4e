"""The forward pass of a function of values: its arguments have names, and so have values that it names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, as_array, as_float, did_you_mean, kind_of
from jacobians.conventions import Convention
from jacobians.errors import ArgumentError, LayoutError
from jacobians.factors import Factor
from jacobians.graphs import Graph, Node, Value, values
from jacobians.graphs.between import jacobians_between, row_between
from jacobians.graphs.second_order import hessian_between
from jacobians.layout import DEFAULT_LAYOUT, Order
from jacobians.linops import BlockRow, Jacobian
from jacobians.network.forward import Forward
from jacobians.operations import Loss
from jacobians.operations.hessian import Hessian

__all__ = ["FunctionForward", "ValueFunction"]


class ValueFunction:
    """A function of named values, some of which are parameters.

    Parameters
    ----------
    function : callable
        It takes values by name, and returns a value, or a dict of values by name.
    shapes : mapping
        By name of a parameter, its shape; the function's other arguments are the inputs, unless they have defaults.

    Raises
    ------
    ArgumentError
        If a parameter is no argument of the function, no argument is left as an input, or an argument has no name.

    Examples
    --------
    >>> ValueFunction(lambda X, W: X @ W, {"W": (3, 2)}).inputs
    ('X',)
    """

    def __init__(self, function: Callable[..., Any], shapes: Mapping[str, Sequence[int]]) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", type(function).__name__)
        arguments = inspect.signature(function).parameters
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        for name, argument in arguments.items():
            if argument.kind not in by_name:
                raise ArgumentError(f"Network: {self.name} takes {argument}; give every value that it takes a name")
            if name in ("output", "losses", "loss"):
                raise ArgumentError(f"Network: {self.name} takes {name!r}, which is a run's own name; rename it")
        for name in shapes:
            if name not in arguments:
                taken = ", ".join(arguments) or "nothing"
                raise ArgumentError(
                    f"Network: shapes has {name!r}, {self.name} takes {taken}{did_you_mean(name, arguments)}"
                )
        # in the order of the function's arguments, as parameters are packed
        self.shapes: dict[str, Shape] = {name: tuple(map(int, shapes[name])) for name in arguments if name in shapes}
        self.inputs = tuple(n for n, a in arguments.items() if n not in shapes and a.default is inspect.Parameter.empty)
        if not self.inputs:
            raise ArgumentError(
                f"Network: every argument of {self.name} is in shapes; leave the inputs, such as X, out of it"
            )

    def data(self, X: Any) -> dict[str, Array]:
        """Return the inputs as arrays by name, given those, or the only one.

        Raises
        ------
        ArgumentError
            If there are several inputs, and they do not come as a dict by name.
        """
        given = {self.inputs[0]: X} if len(self.inputs) == 1 and not isinstance(X, Mapping) else X
        if not isinstance(given, Mapping) or set(given) != set(self.inputs):
            raise ArgumentError(
                f"network: X is {kind_of(X)}; {self.name} takes {', '.join(self.inputs)}: pass a dict of these"
            )
        return {name: as_float(given[name], name, "network") for name in self.inputs}

    def __call__(self, arrays: Mapping[str, Array]) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return the inputs and parameters as values, and the function's results, by name.

        Raises
        ------
        ArgumentError
            If it returns no value of theirs.
        """
        given = dict(zip(arrays, values(**arrays), strict=True))
        found = self.function(**given)
        results = found if isinstance(found, dict) else {"output": found}
        for result in results.values() or [found]:
            if not isinstance(result, Value):
                raise ArgumentError(
                    f"network: {self.name} returned {kind_of(found)}; expected a value, or a dict of values by name, "
                    "computed from its arguments by operators and the library's operations"
                )
        return given, results


def losses_of(loss: Any, convert: Callable[[Any], Loss]) -> dict[str, Loss]:
    """Return the losses by the names of the results that they are of."""
    if not isinstance(loss, Mapping):
        return {"output": convert(loss)}
    if not loss:
        raise ArgumentError("Network: loss is an empty dict; give each result of the function its loss, by name")
    return {name: convert(own) for name, own in loss.items()}


class FunctionForward(Forward):
    """What a function of values computed.

    Parameters
    ----------
    function : ValueFunction
    convention : Convention
    losses : dict of Loss
        By the name of the result that it is of.
    params, inputs : dict of ndarray
    Y : array_like or dict
        The targets, by name where the losses are several; None where no loss is asked for.

    Raises
    ------
    ArgumentError
        If the function returns no value, or its results, losses and targets do not have the same names.
    """

    def __init__(
        self,
        function: ValueFunction,
        convention: Convention,
        losses: Mapping[str, Loss],
        params: Mapping[str, Array],
        inputs: Mapping[str, Array],
        Y: Any,
    ) -> None:
        self._name, self._convention, self._losses = function.name, convention, losses
        self._params = tuple(params)
        self.given = {**inputs, **params}
        given, self._results = function(self.given)
        if self._results.keys() != losses.keys():
            raise ArgumentError(
                f"network: {function.name} returns {', '.join(self._results)}, the losses are of {', '.join(losses)}; "
                "return a dict of values with the losses' names, or one value for one loss"
            )
        self._given = given
        self.results = {name: value.array for name, value in self._results.items()}
        self.targets = {} if Y is None else targets_of(Y, losses)
        self._nodes: dict[str, Node] = {**given}
        for node in Graph(tuple(self._results.values()), tuple(given.values())).nodes:
            _refuse_other_sequences(node, convention)
            if node.is_named and node.name not in given:
                self._nodes[node.name] = node
        hidden = (self._nodes.keys() & {"losses", "loss"}) | (self._results.keys() & {*given, "losses", "loss"})
        if hidden or self._nodes.get("output", self._results.get("output")) is not self._results.get("output"):
            name = min(hidden, default="output")
            raise ArgumentError(
                f"network: a value called {name!r} in {function.name} would hide another of the run's; rename it"
            )
        # a result has its own name too, where the user gave it one
        self._nodes |= self._results

    def gradients(self, rows: Mapping[str, Array], *, inputs: bool) -> dict[str, Array]:
        names = (*self._params, *(name for name in self._given if inputs and name not in self._params))
        wanted = tuple(self._given[name] for name in names)
        given: dict[Node, Array] = {}
        for name, row in rows.items():
            node = self._results[name]
            given[node] = given[node] + row if node in given else row
        found = Graph(tuple(given), wanted).pull(given)
        return {name: found[node] for name, node in zip(names, wanted, strict=True)}

    @property
    def values(self) -> Mapping[str, Array]:
        return {name: node.array for name, node in self._nodes.items() if name not in self._params}

    def parameter(self, name: str) -> Value:
        """Return a parameter as a value of the graph."""
        return self._given[name]

    # --- losses ----------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        shape = next(iter(self.results.values())).shape
        return shape[self._convention.layout.examples_axis(len(shape))] if shape else 1

    @property
    def scale(self) -> float:
        self._check_weights()
        return next(loss.scale(self.results[name]) for name, loss in self._losses.items())

    def _check_weights(self) -> None:
        if len({loss.scale(self.results[name]) for name, loss in self._losses.items()}) > 1:
            raise LayoutError(
                f"run: the losses of {', '.join(self._losses)} are means over different numbers of entries, so an "
                "example has no one loss; choose reduction='sum', or losses of one shape"
            )

    @cached_property
    def _per_example(self) -> Value:
        """The sum of all losses of each example."""
        self._check_weights()
        rows: list[Any] = [
            loss.replace(reduction="none")(self._results[name], self.targets[name])
            for name, loss in self._losses.items()
        ]
        total: Value = reduce(add, rows)
        return total

    @cached_property
    def total(self) -> Value:
        """The sum of all losses, each reduced."""
        total: Any = reduce(add, (loss(self._results[n], self.targets[n]) for n, loss in self._losses.items()))
        return total

    @property
    def losses(self) -> Array:
        return self._per_example.array

    def cotangents(self) -> dict[str, Array]:
        names, found = self._convention.names, {}
        between = [name for name in self._nodes if name not in self._given]
        between.sort(key=lambda name: -self._nodes[name].number)
        wanted = [self._nodes[name] for name in between]
        rows = Graph((self.total,), wanted).pull({self.total: np.ones((), self.total.dtype)})
        for name, node in zip(between, wanted, strict=True):
            found[names.gradient_of(name)] = rows[node]
        return found

    # --- Jacobians -------------------------------------------------------------------------------

    def _find(self, name: str, *, of: bool = False) -> Node:
        if name in ("losses", "loss"):
            return self._per_example if name == "losses" else self.total
        if name not in self._nodes:
            listed = [n for n in (*self._nodes, "losses", "loss") if not (of and n in self._params)]
            hint = did_you_mean(name, listed) or ". A value gets a name by .named('H')"
            raise LayoutError(
                f"run: {name!r} is unknown; choose {'of' if of else 'wrt'} from {', '.join(listed)}{hint}"
            )
        return self._nodes[name]

    def parameter_jacobian(self, of: str, names: Sequence[str], vec: Order) -> BlockRow:
        return row_between(self._find(of, of=True), [self._given[name] for name in names], vec)

    def hessian(
        self, total: Value, rows: Sequence[str], columns: Sequence[str], packed: tuple[bool, bool], vec: Order
    ) -> Hessian:
        """Return the Hessian of a value, the objective, by names; see `hessian_between`."""
        names = {self._find(name): name for name in (*rows, *columns)}
        by_row, by_column = ([self._find(name) for name in own] for own in (rows, columns))
        return hessian_between(total, by_row, by_column, packed, vec, names)

    def jacobian(self, of: str, wrt: str) -> Jacobian:
        (found,), _ = jacobians_between(self._find(of, of=True), [self._find(wrt)])
        return found

    def factors(self, of: str, wrt: str) -> list[Factor]:
        output, node = self._find(of, of=True), self._find(wrt)
        graph = Graph((output,), (node,))
        count = graph.path_count(output, node)
        if count != 1:
            ways = f"does so in {count} ways, and its Jacobian is the sum" if count else "does not depend on it"
            raise LayoutError(
                f"run: no one chain leads from {of} back to {wrt}: {of} {ways}; take run.jacobian({wrt!r}, of={of!r})"
            )
        (path,) = graph.paths(output, node)
        own = {id(node): name for name, node in self._nodes.items()} | {id(output): of, id(node): wrt}
        return [
            Factor(own.get(id(e.child), e.child.name), own.get(id(e.parent), e.parent.name), e.jacobian)
            for e in path.edges
        ]


def _refuse_other_sequences(node: Node, convention: Convention) -> None:
    """Raise LayoutError where a layer has its examples along another axis than the loss counts them."""
    operation, wanted = node.operation, convention.layout
    if operation is None or "sequences" not in operation.reads:
        return
    own = operation.layout or DEFAULT_LAYOUT
    if (own.batch, own.sequences) != (wanted.batch, wanted.sequences):
        raise LayoutError(
            f"network: {operation.name} reads sequences {own.sequences}, its batch in {own.batch}; {convention.name} "
            f"has them {wanted.sequences}, its batch in {wanted.batch}. Call it with "
            "layout=convention.layout, or choose a convention of its layout"
        )


def targets_of(Y: Any, losses: Mapping[str, Loss]) -> dict[str, Array]:
    """Return the targets by the names of the losses.

    Raises
    ------
    ArgumentError
        If the losses are several, and the targets do not come as a dict of their names.
    """
    given = {next(iter(losses)): Y} if len(losses) == 1 and not isinstance(Y, Mapping) else Y
    if not isinstance(given, Mapping) or given.keys() != losses.keys():
        raise ArgumentError(f"network: Y is {kind_of(Y)}; the losses are of {', '.join(losses)}: pass a dict of these")
    return {name: as_array(given[name], name, "network") for name in losses}
