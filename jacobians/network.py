"""A network: a chain of operations with named parameters, a loss and a regulariser, in one convention; and its runs."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cached_property, reduce
from operator import matmul
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, as_float, generator, refuse_not_finite, size_of
from jacobians.conventions import Convention, checked, layer_widths, refuse_unnamed
from jacobians.errors import ArgumentError, DomainError, JacobiansError, LayoutError, ShapeError
from jacobians.factors import Factor, Factors
from jacobians.layout import Layout, Order, Reduction
from jacobians.linops import BlockRow, Dense, Identity, Jacobian, Zero
from jacobians.operations import (
    Affine,
    Chain,
    Loss,
    Operation,
    Parallel,
    Residual,
    Sigmoid,
    Softmax,
    find_activation,
    find_loss,
    l2,
)
from jacobians.operations.affine_maps import placement, with_ones
from jacobians.operations.operation import Frozen, in_layout
from jacobians.presets import convention as find_convention
from jacobians.stops import Stop, prediction_name, stops_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Network", "Parameters", "Run"]


def _chain_of(operations: Sequence[Operation]) -> Chain:
    if isinstance(operations, Operation):
        raise ArgumentError(f"Network: operations is one operation; expected a list: [{operations!r}]")
    chain = Chain(*operations)
    seen: set[int] = set()
    waiting = list(chain.parts)
    for part in waiting:  # grows while it is read
        if isinstance(part, (Chain, Parallel, Residual)):
            waiting.extend(part.parts)
        elif part.names[1:]:
            if id(part) in seen:
                raise ArgumentError(
                    f"Network: one object, {part!r}, stands in two places; it would have its parameters "
                    f"{', '.join(part.names[1:])} twice, since weights are not shared: make a second one"
                )
            seen.add(id(part))
    return chain


def _check_operations(parts: Sequence[Operation], convention: Convention) -> None:
    """Raise LayoutError where an operation, or a part of one, keeps its arrays otherwise than the convention."""
    wanted = convention.layout
    for part in parts:
        if isinstance(part, (Chain, Parallel, Residual)):
            _check_operations(part.parts, convention)
        found = part.layout or wanted
        # a layer may do without bias, unless the regulariser would leave out a bias that is not in its weights
        bias = "none" if found.bias == "none" and not wanted.absorbs_bias else wanted.bias
        if found.batch != wanted.batch or (
            isinstance(part, Affine) and (found.weights, found.bias) != (wanted.weights, bias)
        ):
            raise LayoutError(
                f"Network: {part.name} keeps {found}; {convention.name} keeps {wanted}: give it the convention's layout"
            )


def _in_convention(loss: str | Loss, convention: Convention) -> Loss:
    """A loss with the convention's layout and reduction; one that is named has its source's factor too."""
    found, reduction = find_loss(loss), convention.effective_reduction
    if loss is found:
        return found.replace(layout=convention.layout, reduction=reduction)
    task = convention.task_of(found.name)
    return found.replace(layout=convention.layout, reduction=reduction, factor=task.factor if task else 1.0)


def _strength(l2: float) -> float:
    strength = as_float(l2, "l2", "Network")
    if strength.ndim or not 0 <= strength < np.inf:
        raise DomainError(f"Network: l2={l2!r}; expected the regulariser's strength, one finite number λ ≥ 0")
    return float(strength)


def _check_loss(loss: Loss, convention: Convention) -> None:
    """Raise LayoutError unless the loss is reduced to one number, as the convention does it."""
    if loss.layout.batch != convention.layout.batch:
        raise LayoutError(
            f"Network: {loss.name} keeps its batch in {loss.layout.batch}, {convention.name} in "
            f"{convention.layout.batch}: give it the convention's layout"
        )
    if loss.reduction == "none":
        raise LayoutError(
            f"Network: {loss.name} is not reduced to one number, so there is no objective; choose a reduction, as in "
            "convention.replace(reduction='mean'): a run has its `losses` under every reduction"
        )
    if convention.reduction not in (None, loss.reduction):
        raise LayoutError(
            f"Network: {loss.name} is reduced by {loss.reduction!r}, {convention.name} by {convention.reduction!r}; "
            f"choose one, as in convention.replace(reduction={loss.reduction!r})"
        )


class Run(Frozen):
    """What a network computed on one batch.

    Made by `Network.run`. Every array has the name that the convention gives it, see `ArrayNames`: Z1, A1, Z2, … in
    most, and A1 = [1 X], Z2, A2, Z3 in Ng's exercises. "output" is the last operation's value, "losses" the per-example
    losses, and "loss" the reduced loss without the regulariser, whose row is `penalty`.

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> [factor.label for factor in run.chain("Theta1")]
    ['∂loss/∂losses', '∂losses/∂Z3', '∂Z3/∂A2', '∂A2/∂Z2', '∂Z2/∂Theta1']
    >>> run.jacobian(of="Z3", wrt="Theta1").shape
    (10, 15)
    >>> {name: array.shape for name, array in run.values.items()}
    {'X': (5, 4), 'A1': (5, 5), 'Z2': (5, 3), 'A2': (5, 4), 'Z3': (5, 2), 'A3': (5, 2)}
    """

    network: Network
    params: dict[str, Array]
    X: Array
    Y: Array

    def __init__(self, network: Network, params: dict[str, Array], X: Array, Y: Array) -> None:
        vars(self).update(network=network, params=params, X=X, Y=Y)  # at once: see Frozen
        named = dict(zip(network.names.values(), params.values(), strict=True))
        try:
            self._steps = network.chain.run(X, named)
        except ShapeError as error:
            if _takes(network.chain, Y, named):
                raise ShapeError(f"{error}; Y would fit: are X and Y in each other's place?") from None
            raise

    # --- names -----------------------------------------------------------------------------------

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """The arrays on the way from X to the output, with their names."""
        return stops_of(self.network.chain.parts, self.network.convention, self.params)

    @cached_property
    def outputs(self) -> list[str]:
        """Names of the intermediates, one for each operation."""
        return [after.name for before, after in itertools.pairwise(self.stops) if after.done > before.done]

    @cached_property
    def prediction(self) -> str:
        """The name of what the loss makes of the output, a softmax or a sigmoid; "" where it makes nothing."""
        if not self.network.loss.prediction:
            return ""
        return prediction_name(self.stops, self.network.convention, self.params)

    def __repr__(self) -> str:
        return f"Run({self.network!r}, {self._count} examples)"

    def __reduce__(self) -> tuple[type[Run], tuple[Any, ...]]:
        # what is linear in the batch is not stored: a copy, or what is unpickled, is evaluated again
        return type(self), (self.network, self.params, self.X, self.Y)

    # --- values ----------------------------------------------------------------------------------

    @cached_property
    def _total(self) -> tuple[Callable[[], Array], Callable[[], Dense]]:
        return self.network.loss.total(self._steps[-1][0], self.Y)

    @cached_property
    def _reduced(self) -> Array:
        return self._total[0]()

    @property
    def loss(self) -> float:
        """The reduced loss, without the regulariser."""
        return float(self._reduced)

    @property
    def value(self) -> float:
        """The objective: the reduced loss plus the regulariser."""
        penalties = (self.network.penalty(name, array, self._count) for name, array in self.params.items())
        found = self.loss + sum(float(value) for value, _ in penalties)
        refuse_not_finite((found,), {**self.params, "X": self.X}, "network")
        return found

    @property
    def values(self) -> dict[str, Array]:
        """Every array of the forward pass by name, from X to the output and the prediction; not to be written to."""
        return dict(self._values)

    @cached_property
    def _values(self) -> dict[str, Array]:
        layout, arrays = self.network.layout, {}
        for stop in self.stops:
            array = self.operation_value(stop.done)
            arrays[stop.name] = with_ones(array, layout) if stop.ones else array
        return {**arrays, self.prediction: self._predicted[0]} if self.prediction else arrays

    @cached_property
    def _predicted(self) -> tuple[Array, Jacobian]:
        """The prediction, and its Jacobian with respect to the output, in numerator layout."""
        made = Softmax(self.network.layout) if self.network.loss.prediction == "softmax" else Sigmoid()
        value, jacobians = made._evaluate(self.operation_value(len(self._steps)))
        return value, jacobians.numerator(made.names[0])

    def operation_value(self, done: int) -> Array:
        """Return what so many operations have made of X, without an entry of ones."""
        return self._steps[done - 1][0] if done else self.X

    def operation_jacobian(self, position: int, wrt: str) -> Jacobian:
        """Return an operation's Jacobian with respect to an input, by its own name for it, in numerator layout."""
        return self._steps[position][1].numerator(wrt)

    @cached_property
    def losses(self) -> Array:
        """The per-example losses, (N,), before the reduction."""
        return self._per_example[0]

    @cached_property
    def _per_example(self) -> tuple[Array, Jacobian]:
        return self.network.loss.per_example(self._steps[-1][0], self.Y)

    # --- gradients -------------------------------------------------------------------------------

    def gradient(self, *, inputs: bool = False) -> dict[str, Array]:
        """Return the objective's gradient with respect to every parameter, and to X on request: new arrays.

        Raises
        ------
        DomainError
            If it is not finite because a parameter or X is not.
        """
        grads = self._pulled(self._total[1](), inputs)
        if self.network.l2:
            grads = self.network._penalised(grads, self.params, self._count)
        refuse_not_finite(grads.values(), {**self.params, "X": self.X}, "network")
        return grads

    def _share(self, whole: int, *, inputs: bool = False) -> dict[str, Array]:
        """Return what these examples add to the gradient of the loss of a batch of `whole`, without regulariser."""
        _, row = self.network.loss.total(self._steps[-1][0], self.Y, whole)
        return self._pulled(row(), inputs)

    def _pulled(self, row: Dense, inputs: bool) -> dict[str, Array]:
        """The row through all operations: with respect to every parameter, and to X; arrays that share no memory."""
        by_own_name = self.network.chain._sweep(self._steps, row.array, inputs)
        arrays: dict[str, Array] = {}
        buffers: set[int] = set()
        for name, own in (*self.network.names.items(), ("X", "X"))[: None if inputs else -1]:
            array = by_own_name[own]
            # a sweep's arrays are new, but two may be views of one buffer
            buffer = id(array if array.base is None else array.base)
            arrays[name] = array.copy(order="K") if buffer in buffers else array
            buffers.add(buffer)
        return arrays

    @property
    def _count(self) -> int:
        return self.X.shape[self.network.layout.batch_axis]

    def penalty(self, name: str) -> Jacobian:
        """Return the regulariser's Jacobian with respect to one parameter: a row, 0 where it is not touched."""
        return in_layout(self.network.penalty(name, self.params[name], self._count)[1], self.network.layout)

    @property
    def cotangents(self) -> dict[str, Array]:
        """The loss's derivatives with respect to the intermediates, as the convention names and scales them.

        From the output on. Ng's δ₃ = A₃ − Y has no 1/m, since his 1/m enters at the gradient; it is m times
        ``jacobian(wrt="Z3").gradient``.
        """
        network, scale = self.network, 1
        if network.convention.names.weighted_at == "gradient":
            reduced = network.convention.replace(reduction=network.loss.reduction)
            scale = reduced.reduction_divisor(self._count, self.operation_value(len(self._steps)).size // self._count)
        named = [stop for stop in self.stops[:0:-1] if not stop.ones]
        return {stop.cotangent: np.asarray(self.jacobian(stop.name).gradient * scale) for stop in named}

    # --- curvature -------------------------------------------------------------------------------

    def output_hessian(self) -> Jacobian:
        """Return the reduced loss's second derivative with respect to the network's output, in the network's layout.

        See `Loss.hessian`. Between the output's Jacobians it makes the Gauss–Newton matrix, see
        `jacobians.gauss_newton`.
        """
        return self.network.loss.hessian(self._steps[-1][0], self.Y)

    # --- the chain -------------------------------------------------------------------------------

    def chain(self, wrt: str, of: str = "loss") -> Factors:
        """Return the factors whose product, read from left to right, is ∂of/∂wrt in the network's layout.

        Parameters
        ----------
        wrt : str
            A parameter, "X", an intermediate such as "Z1", "output" or "losses".
        of : str
            "loss", "losses", "output", the prediction, or an intermediate, not before `wrt`.

        Raises
        ------
        LayoutError
            If a name is unknown, or `of` does not depend on `wrt`.
        """
        factors = self._factors(of, wrt)
        layout = self.network.layout
        shown = [Factor(f.of, f.wrt, in_layout(f.jacobian, layout)) for f in factors]
        return Factors(shown[::-1] if layout.derivative == "denominator" else shown)

    def plot(self, wrt: str, of: str = "loss", *, order: Order | None = None) -> Figure:
        """Draw the factors of `chain` side by side with matplotlib; see `jacobians.pictures.plot_chain`."""
        from jacobians.pictures.figure import plot_chain

        return plot_chain(self.chain(wrt, of), order=order)

    def jacobian(self, wrt: str, of: str = "loss") -> Jacobian:
        """Return ∂of/∂wrt, the product of `chain`, in the network's layout; names as there."""
        factors = self._factors(of, wrt)
        if not factors:
            value = self._value(of)
            return in_layout(Identity(value.shape, value.dtype), self.network.layout)
        return in_layout(reduce(matmul, (f.jacobian for f in factors)), self.network.layout)

    def parameter_jacobian(self, of: str = "loss") -> Jacobian:
        """Return ∂of/∂θ, where θ are the packed parameters in the convention's order: the blocks side by side.

        A parameter of a later layer, on which `of` does not depend, has a block of zeros.
        """
        layout = self.network.layout
        blocks = self._blocks(of)
        names = self.network.convention.packing_order(self.params)
        return in_layout(BlockRow(tuple(blocks[name] for name in names), vec=layout.vec), layout)

    def _blocks(self, of: str) -> dict[str, Jacobian]:
        """∂of/∂parameter by name, from one sweep: the factors that several share are multiplied once."""
        value, last = self._value(of), self.stops[min(self._place(of), len(self.stops) - 1)]
        row: Jacobian = Identity(value.shape, value.dtype)
        for factor in self._factors(of, last.name):
            row = row @ factor.jacobian
        if last.ones:
            row = row @ self._ones_placed(last.done)
        found = self.network.chain._sweep(self._steps[: last.done], row, inputs=False)
        blocks: dict[str, Jacobian] = {}
        for name, own in self.network.names.items():
            shape, dtype = self.params[name].shape, np.result_type(value.dtype, self.params[name].dtype)
            blocks[name] = found[own] if own in found else Zero(value.shape, shape, dtype)
        return blocks

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

    def _value(self, name: str) -> Array:
        if name in ("loss", "losses"):
            return self.losses if name == "losses" else self._reduced
        return self._values[self.stops[-1].name if name == "output" else name]

    def _ones_placed(self, done: int) -> Jacobian:
        """The Jacobian of adding the ones to what so many operations have made."""
        return placement(self.operation_value(done), self.network.layout)

    def _step(self, place: int) -> Jacobian:
        """The Jacobian of one name on the way with respect to the one before it, in numerator layout."""
        if place < len(self.stops) - 1:
            before, after = self.stops[place], self.stops[place + 1]
            if after.done == before.done:
                return self._ones_placed(after.done)
            jacobian = self.operation_jacobian(before.done, self.network.chain.parts[before.done].names[0])
            if before.ones:  # the layer's own Jacobian begins where its ones are placed
                jacobian = reduce(matmul, jacobian._factors()[:-1])
            return self._ones_placed(after.done) @ jacobian if after.ones else jacobian
        losses, rows = self._per_example
        if place == len(self.stops) - 1:
            return rows
        return Dense(
            np.full(losses.shape, self.network.loss.scale(self.operation_value(len(self._steps))), dtype=losses.dtype)
        )

    def _factors(self, of: str, wrt: str) -> list[Factor]:
        """The factors of ∂of/∂wrt from the outermost to the innermost, in numerator layout."""
        if of == wrt == self.prediction:
            return []
        way, end = self._way, self._place(of)
        local = wrt in self.params
        if not local and wrt not in ("output", *way):
            if wrt == self.prediction:
                last = self.stops[-1].name
                raise LayoutError(
                    f"run: {of} does not depend on {wrt}: the loss is computed from {last}, and {wrt} beside it; "
                    f"choose wrt={last!r}"
                )
            raise LayoutError(f"run: {wrt!r} is unknown; choose wrt from {', '.join([*self.params, 'output', *way])}")
        if local:
            position, own = self.network.chain.owner(self.network.names[wrt])
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


def _gradient_in_blocks(
    network: Network, params: dict[str, Array], X: Array, Y: Array, block: int, *, inputs: bool = False
) -> dict[str, Array]:
    """Return `Run.gradient` of the whole batch as the sum over blocks of `block` examples.

    The weights of the losses, 1/N or 1/(N·K), are the whole batch's. Sums over blocks are carried in float64.

    Raises
    ------
    ShapeError
        If `block` is not a positive integer.
    LayoutError
        If an operation does not act on every example alone.
    """
    _check(network, block)
    layout = network.layout
    count = X.shape[layout.batch_axis] if X.ndim else 0
    if count <= block:
        return Run(network, params, X, Y).gradient(inputs=inputs)
    sums: dict[str, Array] = {}
    by_input = np.empty_like(X) if inputs else None
    for part in _parts(count, block):
        run = Run(network, params, _along(X, part, layout.batch_axis), _along(Y, part, _target_axis(Y, count, layout)))
        added = run._share(count, inputs=inputs)
        if by_input is not None:
            _along(by_input, part, layout.batch_axis)[...] = added.pop("X")
        for name, gradient in added.items():
            if name in sums:
                sums[name] += gradient
            else:
                sums[name] = gradient.astype(np.promote_types(gradient.dtype, np.float64))
    grads = {name: sums[name].astype(params[name].dtype, copy=False) for name in sums}
    grads = network._penalised(grads, params, count)
    refuse_not_finite(grads.values(), {**params, "X": X}, "network")
    return grads if by_input is None else {**grads, "X": by_input}


def _check(network: Network, block: int) -> None:
    try:
        size = operator.index(block)
    except TypeError:
        size = 0
    if size < 1:
        raise ShapeError(f"Network.gradient: block={block!r}; expected a positive number of examples, such as 1024")
    for part in network.chain.parts:
        if not part.per_example:
            raise LayoutError(
                f"Network.gradient: {part.name} may mix the examples of a batch, so it cannot be cut into blocks; "
                "leave block out, or set per_example = True on the operation if it acts on every example alone"
            )


def _parts(count: int, block: int) -> Iterator[slice]:
    return (slice(start, min(start + block, count)) for start in range(0, count, block))


def _along(array: Array, part: slice, axis: int) -> Array:
    return array[part] if axis == 0 else array[..., part]


def _target_axis(Y: Array, count: int, layout: Layout) -> int:
    """The axis of the targets along which examples lie; labels may also be one row or one column of any layout."""
    if Y.ndim and Y.shape[layout.batch_axis] != count and Y.shape[-1 - layout.batch_axis] == count:
        return -1 - layout.batch_axis
    return layout.batch_axis


Parameters: TypeAlias = Mapping[str, npt.ArrayLike]


class Network(Frozen):
    """A chain of operations, a loss and an L2 regulariser: objective, gradient and every Jacobian between.

    Parameters
    ----------
    operations : sequence of Operation
        In the convention's layout.
    loss : Loss or str
        Of the last operation's output; its reduction and layout are the convention's. One that is named gets them.
    convention : Convention or str
        Or a preset's name.
    l2 : float
        The regulariser's strength λ; its scale and whether it touches the bias are the convention's.

    Raises
    ------
    LayoutError
        If an operation or the loss keeps another layout or reduction than the convention, the loss is not reduced to
        one number, or `l2` is not 0 and the convention has no regulariser.
    DomainError
        If `l2` is negative, infinite or NaN.

    Notes
    -----
    A network does not change, so neither does what was recorded of it; `replace` returns a changed one.

    Examples
    --------
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> net.shapes()
    {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
    >>> Network.dense((4, 3, 2), convention="ng-ml-2011").shapes()
    {'Theta1': (3, 5), 'Theta2': (2, 4)}
    """

    def __init__(
        self, operations: Sequence[Operation], loss: str | Loss, convention: Convention | str, *, l2: float = 0.0
    ) -> None:
        self.convention = find_convention(convention)
        self.layout = self.convention.layout
        self.chain = _chain_of(operations)
        self.loss = loss if isinstance(loss, Loss) else _in_convention(loss, self.convention)
        self.l2 = _strength(l2)
        _check_operations(self.chain.parts, self.convention)
        _check_loss(self.loss, self.convention)
        self.convention.l2_scale(self.l2, count=1)  # without a regulariser, the error comes here and not at first use
        # a chain calls weights W1, W2, …; the convention may call them Theta1, Theta2, …
        self.names = {self.convention.names.parameter(name): name for name in self.chain.names[1:]}
        known = self.chain.parameter_shapes()
        self._known = {name: known[own] for name, own in self.names.items() if own in known}

    @classmethod
    def dense(
        cls,
        sizes: Sequence[int],
        *,
        convention: Convention | str = "cs231n",
        task: str | None = None,
        activation: str | Operation | None = None,
        output: str | Operation | None = None,
        loss: str | Loss | None = None,
        factor: float | None = None,
        reduction: Reduction | None = None,
        l2: float = 0.0,
    ) -> Network:
        """Return a fully connected network: affine, activation, …, affine, loss of the last affine's output.

        What is not given is what the convention's source has for the task: `Convention.tasks`. A convention without
        tasks has sigmoids and the cross-entropy. Labels are 0 … K−1 in every convention.

        Parameters
        ----------
        sizes : sequence of int
            Widths from the inputs to the outputs, at least two.
        convention : Convention or str
        task : str, optional
            "classification", "yes/no", "regression", "margin", or another of the convention's. The convention's first
            unless given, or its first with the loss that is given.
        activation : str or Operation, optional
            Of the hidden layers: an operation, or the name of one in `jacobians.operations.ACTIVATIONS`, such as
            "relu".
        output : str or Operation, optional
            What follows the last affine before the loss. "linear" for nothing. The cross-entropies take logits, and
            contain the softmax or the sigmoid; Mazur's squared error is one of sigmoids.
        loss : str or Loss, optional
            A loss, or the name of one in `jacobians.operations.LOSSES`, such as "squared_error". It gets the
            convention's layout and reduction. One that is named gets the factor that the source has before it.
        factor : float, optional
            Before every example's loss.
        reduction : {"sum", "mean", "mean-all"}, optional
            The network's convention then has it.
        l2 : float

        Raises
        ------
        LayoutError
            If the source has no such task, or what the constructor refuses.

        Examples
        --------
        >>> Network.dense((4, 3, 2), convention="ng-ml-2011")
        Network(affine → sigmoid → affine → binary_cross_entropy, ng-ml-2011)
        >>> Network.dense((4, 1), convention="ng-ml-2011", task="regression").loss.factor
        0.5
        """
        found = find_convention(convention)
        widths = layer_widths(sizes, "Network.dense")
        given = None if loss is None else find_loss(loss)
        chosen = found.task_for(task, None if given is None else given.name)
        wanted = reduction or chosen.reduction
        if wanted is not None and wanted != found.reduction:
            found = found.replace(reduction=wanted)
        own_factor = given.factor if given is not None and given is loss else chosen.factor
        given = given or find_loss(chosen.loss)
        given = given.replace(
            layout=found.layout, reduction=found.effective_reduction, factor=own_factor if factor is None else factor
        )
        between = find_activation(activation or chosen.hidden).moved_to(found.layout)
        operations: list[Operation] = []
        for n_in, n_out in itertools.pairwise(widths):
            # one with parameters of its own has them once for each layer
            operations += [Affine(found.layout, (n_in, n_out)), deepcopy(between) if between.names[1:] else between]
        last = chosen.output if output is None else output
        if last in ("linear", given.prediction):  # the loss of logits applies it
            del operations[-1]
        else:
            operations[-1] = find_activation(last).moved_to(found.layout)
        return cls(operations, given, found, l2=l2)

    _called = "net"

    def replace(
        self,
        *,
        operations: Sequence[Operation] | None = None,
        loss: str | Loss | None = None,
        convention: Convention | str | None = None,
        l2: float | None = None,
    ) -> Self:
        """Return a network with some of its parts changed.

        Parameters
        ----------
        operations, loss, convention, l2
            As the constructor takes them; what is not given stays. Where only the convention is given, the loss takes
            over its layout and its reduction.

        Raises
        ------
        LayoutError
            As the constructor does.

        Examples
        --------
        >>> net = Network.dense((4, 3, 2))
        >>> net.replace(l2=0.1).l2, net.l2
        (0.1, 0.0)
        """
        found = self.convention if convention is None else find_convention(convention)
        if loss is None:
            loss = (
                self.loss if convention is None else self.loss.replace(layout=found.layout, reduction=found.reduction)
            )
        parts = self.chain.parts if operations is None else operations
        return type(self)(parts, loss, found, l2=self.l2 if l2 is None else l2)

    # --- parameters ------------------------------------------------------------------------------

    def shapes(self) -> dict[str, Shape]:
        """Return the parameters' shapes by name, in the order of the operations."""
        missing = [name for name in self.names if name not in self._known]
        if missing:
            raise ShapeError(f"Network.shapes: {', '.join(missing)}: the operations do not fix their sizes")
        return dict(self._known)

    def init(self, rng: np.random.Generator | int, dtype: npt.DTypeLike = np.float64) -> dict[str, Array]:
        """Return random parameters: weights uniform in ±√(6/(in+out)), biases 0.

        The numbers are drawn for one node after another, and then laid out, so one seed gives the same network in
        every convention (Glorot & Bengio 2010, eq. 16).

        Parameters
        ----------
        rng : numpy.random.Generator or int
            Or a seed.
        dtype : dtype

        Raises
        ------
        ArgumentError
            If `rng` is neither a generator nor a seed.
        """
        rng = generator(rng, "Network.init")
        params: dict[str, Array] = {}
        for name, shape in self.shapes().items():
            if len(shape) != 2 or not self.convention.names.is_weight(name):
                params[name] = np.zeros(shape, dtype=dtype)
                continue
            out, n_in = shape[1 - self.layout.node_axis], shape[self.layout.node_axis] - self.layout.absorbs_bias
            bound = np.sqrt(6.0 / (n_in + out))
            nodes = rng.uniform(-bound, bound, size=(out, n_in))
            if self.layout.absorbs_bias:
                nodes = self.layout.joined(np.zeros((out, 1)), nodes, 1)
            params[name] = np.ascontiguousarray(nodes if self.layout.weights == "rows" else nodes.T).astype(dtype)
        return params

    def pack(self, params: Parameters) -> Array:
        """Return all parameters as one new vector, in the convention's vec and packing order."""
        return self.convention._packed(self._arrays(params))

    def unpack(self, theta: Array) -> dict[str, Array]:
        """Return the parameters that `pack` made this vector of, as new arrays."""
        shapes = self.shapes()
        theta = as_float(theta, "theta", "Network.unpack")
        total = sum(map(size_of, shapes.values()))
        if theta.shape != (total,):
            raise ShapeError(f"Network.unpack: theta has shape {theta.shape}; {self!r} has ({total},) parameters")
        return self.convention._unpacked(theta, shapes)

    # --- values and derivatives ------------------------------------------------------------------

    def run(self, params: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike) -> Run:
        """Return the network evaluated on a batch: every value, and every Jacobian on request.

        Raises
        ------
        ShapeError
            If a parameter is missing or has the wrong shape, or X and Y do not fit.
        """
        return Run(self, self._arrays(params), as_float(X, "X", "network"), as_array(Y, "Y", "network"))

    def output(self, params: Parameters, X: npt.ArrayLike) -> Array:
        """Return the last operation's output."""
        arrays = self._arrays(params)
        named = {own: arrays[name] for name, own in self.names.items()}
        return self.chain.run(as_float(X, "X", "network"), named)[-1][0]

    def value(self, params: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike) -> float:
        """Return the objective: the reduced loss plus the regulariser."""
        return self.run(params, X, Y).value

    def gradient(
        self,
        params: Parameters,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        *,
        inputs: bool = False,
        block: int | None = None,
    ) -> dict[str, Array]:
        """Return the objective's gradient with respect to every parameter, each in its parameter's own shape.

        Parameters
        ----------
        inputs : bool
            Add the gradient with respect to X, under "X".
        block : int, optional
            Examples that are taken through the network at a time; all of them unless given. The gradient is the same
            but for rounding; intermediates take the memory of one block. Blocks of 1024 examples take about as long
            as the whole batch, up to a tenth more.

        Raises
        ------
        ShapeError
            If a parameter is missing or has the wrong shape, X and Y do not fit, or `block` is not positive.
        DomainError
            If the gradient is not finite because a parameter or X is not.
        LayoutError
            If `block` is given and an operation may mix examples.
        """
        if block is None:
            return self.run(params, X, Y).gradient(inputs=inputs)
        return _gradient_in_blocks(
            self, self._arrays(params), as_float(X, "X", "network"), as_array(Y, "Y", "network"), block, inputs=inputs
        )

    def fun_and_grad(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> Callable[[Array], tuple[float, Array]]:
        """Return θ ↦ (objective, packed gradient), for ``scipy.optimize.minimize(..., jac=True)``."""
        X, Y = as_float(X, "X", "network"), as_array(Y, "Y", "network")

        def fun(theta: Array) -> tuple[float, Array]:
            run = self.run(self.unpack(theta), X, Y)
            return run.value, self.pack(run.gradient())

        return fun

    def is_penalised(self, name: str) -> bool:
        """Whether the regulariser touches this parameter."""
        return self.l2 != 0 and (self.convention.l2_bias or self.convention.names.is_weight(name))

    def penalty(self, name: str, array: Array, count: int) -> tuple[Array, Jacobian]:
        """Return the regulariser of one parameter for a batch of `count`, and its row in numerator layout; maybe 0."""
        if not self.is_penalised(name):
            return np.zeros((), array.dtype), Dense(np.zeros_like(array))
        scale = self.convention.l2_scale(self.l2, count)
        layout = self.layout.replace(derivative="numerator")
        return l2(array, scale, layout, include_bias=self.convention.l2_bias)

    def _penalised(self, grads: dict[str, Array], params: Mapping[str, Array], count: int) -> dict[str, Array]:
        """Return gradients of the loss, which are written to, with the regulariser's added."""
        for name in filter(self.is_penalised, params):
            grads[name] += self.penalty(name, params[name], count)[1].gradient
        return grads

    # --- private ---------------------------------------------------------------------------------

    def _arrays(self, params: Parameters) -> dict[str, Array]:
        expected = self._known
        if len(expected) < len(self.names):
            refuse_unnamed(params, {}, self.layout, self.convention.names, self.convention.name, "network")
            # an operation that does not fix its sizes checks them itself
            expected = {name: self._known.get(name, np.shape(params.get(name, ()))) for name in self.names}
        return checked(params, expected, self.layout, self.convention.names, self.convention.name, "network")

    def __repr__(self) -> str:
        parts = " → ".join(p.name for p in self.chain.parts)
        return f"Network({parts} → {self.loss.name}, {self.convention.name})"
