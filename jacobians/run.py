"""One evaluation of a network on one batch: values, the visible chain of factors, Jacobians, gradients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, reduce
from operator import matmul
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import LayoutError
from jacobians.factors import Factor, Factors
from jacobians.layout import Order
from jacobians.linops import BlockRow, Dense, Identity, Jacobian, Zero
from jacobians.operations import Affine, Operation
from jacobians.operations.base import in_layout

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jacobians.network import Network

__all__ = ["Run"]


class Run:
    """What a network computed on one batch.

    Made by `Network.run`. Intermediates are called Z1, A1, Z2, …: Z after the k-th operation with parameters, A
    after an operation without; "output" is the last of them, "losses" the per-example losses, and "loss" the
    reduced loss without the regulariser, whose row is `penalty`.

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> [factor.label for factor in run.chain("Theta1")]
    ['∂loss/∂losses', '∂losses/∂Z2', '∂Z2/∂A1', '∂A1/∂Z1', '∂Z1/∂Theta1']
    >>> run.jacobian(of="Z2", wrt="Theta1").shape
    (10, 15)
    """

    def __init__(self, network: Network, params: dict[str, Array], X: Array, Y: Array) -> None:
        self.network = network
        self.params = params
        self.X = X
        self.Y = Y
        named = {own: params[name] for name, own in network.names.items()}
        self._steps = network.chain.run(X, named)

    @cached_property
    def outputs(self) -> list[str]:
        """Names of the intermediates, one for each operation."""
        return _output_names(self.network.chain.parts, self.params)

    # --- values ----------------------------------------------------------------------------------

    @cached_property
    def _total(self) -> tuple[Callable[[], Array], Callable[[], Jacobian]]:
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
        return self.loss + sum(float(value) for value, _ in penalties)

    @property
    def values(self) -> dict[str, Array]:
        """Every array of the forward pass by name, from X to the output; not to be written to."""
        return {"X": self.X, **{name: value for name, (value, _) in zip(self.outputs, self._steps, strict=True)}}

    @cached_property
    def losses(self) -> Array:
        """The per-example losses, (N,), before the reduction."""
        return self._per_example[0]

    @cached_property
    def _per_example(self) -> tuple[Array, Jacobian]:
        return self.network.loss.per_example(self._steps[-1][0], self.Y)

    # --- gradients -------------------------------------------------------------------------------

    def gradient(self, *, inputs: bool = False) -> dict[str, Array]:
        """Return the objective's gradient by every parameter, and by X on request: new arrays."""
        return self.network.penalised(self._pulled(self._total[1](), inputs), self.params, self._count)

    def share(self, whole: int, *, inputs: bool = False) -> dict[str, Array]:
        """Return what these examples add to the gradient of the loss of a batch of `whole`, without regulariser."""
        _, row = self.network.loss.total(self._steps[-1][0], self.Y, whole)
        return self._pulled(row(), inputs)

    def _pulled(self, row: Jacobian, inputs: bool) -> dict[str, Array]:
        """The row through all operations: by every parameter, and by X."""
        rows = _own_arrays(self.network.chain.sweep(self._steps, row, inputs))
        grads = {name: rows[own] for name, own in self.network.names.items()}
        return {**grads, "X": rows["X"]} if inputs else grads

    @property
    def _count(self) -> int:
        return self.X.shape[self.network.layout.batch_axis]

    def penalty(self, name: str) -> Jacobian:
        """Return the regulariser's Jacobian by one parameter: a row, 0 where it is not touched."""
        return in_layout(self.network.penalty(name, self.params[name], self._count)[1], self.network.layout)

    # --- curvature -------------------------------------------------------------------------------

    def output_hessian(self) -> Jacobian:
        """Return the reduced loss's second derivative by the network's output, in the network's layout.

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
            "loss", "losses", "output", or an intermediate, not before `wrt`.

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
        """Return ∂of/∂θ by the packed parameters, in the convention's packing order: the blocks side by side.

        A parameter of a later layer, on which `of` does not depend, has a block of zeros.
        """
        layout = self.network.layout
        blocks = self._blocks(of)
        names = self.network.convention.packing_order(self.params)
        return in_layout(BlockRow(tuple(blocks[name] for name in names), packing=layout.vec), layout)

    def _blocks(self, of: str) -> dict[str, Jacobian]:
        """∂of/∂parameter by name, from one sweep: the factors that several share are multiplied once."""
        steps = self._steps[: self._stop(of)]
        value = self._value(of)
        row: Jacobian = Identity(value.shape, value.dtype)
        for factor in self._factors(of, self._stops[len(steps)]):
            row = row @ factor.jacobian
        found = self.network.chain.sweep(steps, row, inputs=False)
        blocks: dict[str, Jacobian] = {}
        for name, own in self.network.names.items():
            shape, dtype = self.params[name].shape, np.result_type(value.dtype, self.params[name].dtype)
            blocks[name] = found[own] if own in found else Zero(value.shape, shape, dtype)
        return blocks

    @property
    def _stops(self) -> list[str]:
        """What the chain leads through, from X to the loss."""
        return ["X", *self.outputs, "losses", "loss"]

    def _stop(self, name: str) -> int:
        name = self.outputs[-1] if name == "output" else name
        if name not in self._stops:
            raise LayoutError(f"run: {name!r} is unknown; choose of from output, {', '.join(self._stops)}")
        return self._stops.index(name)

    def _value(self, name: str) -> Array:
        stop = self._stop(name)
        if stop > len(self._steps):
            return self.losses if self._stops[stop] == "losses" else self._reduced
        return self._steps[stop - 1][0] if stop else self.X

    def _step(self, position: int) -> Jacobian:
        """The Jacobian of one stop by the stop before it, in numerator layout."""
        parts = self.network.chain.parts
        if position < len(parts):
            return self._steps[position][1].numerator(parts[position].names[0])
        losses, rows = self._per_example
        if position == len(parts):
            return rows
        return Dense(np.full(losses.shape, self.network.loss.weight(self._steps[-1][0]), dtype=losses.dtype))

    def _factors(self, of: str, wrt: str) -> list[Factor]:
        """The factors of ∂of/∂wrt from the outermost to the innermost, in numerator layout."""
        stops, end = self._stops, self._stop(of)
        local = wrt in self.params
        if not local and wrt not in ("output", *stops):
            raise LayoutError(f"run: {wrt!r} is unknown; choose wrt from {', '.join([*self.params, 'output', *stops])}")
        start, own = self.network.chain.owner(self.network.names[wrt]) if local else (self._stop(wrt), "")
        if end < start + local:
            raise LayoutError(f"run: {of} does not depend on {wrt}: it comes before it")
        first = start + local
        factors = [Factor(stops[i + 1], stops[i], self._step(i)) for i in reversed(range(first, end))]
        if local:
            factors.append(Factor(stops[first], wrt, self._steps[start][1].numerator(own)))
        return factors


def _own_arrays(rows: Mapping[str, Jacobian]) -> dict[str, Array]:
    """The rows as arrays that share no memory: a sweep's rows are new, but two may be views of one buffer."""
    arrays: dict[str, Array] = {}
    buffers: set[int] = set()
    for name, row in rows.items():
        array = row.array if isinstance(row, Dense) else row.gradient
        buffer = id(array if array.base is None else array.base)
        arrays[name] = array.copy(order="K") if buffer in buffers else array
        buffers.add(buffer)
    return arrays


def _output_names(parts: Sequence[Operation], taken: Collection[str]) -> list[str]:
    """Z for an affine layer, A for what follows it, numbered by layer; a name that is taken gets primes."""
    names: list[str] = []
    layer = 0
    for part in parts:
        layer += bool(part.names[1:])
        name = f"{'Z' if isinstance(part, Affine) else 'A'}{layer}"
        while name in names or name in taken:
            name += "′"
        names.append(name)
    return names
