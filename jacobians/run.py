"""One evaluation of a network on one batch: values, the visible chain of factors, Jacobians, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import matmul
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import LayoutError
from jacobians.linops import BlockRow, Dense, Identity, Jacobian
from jacobians.operations import Affine, Operation, l2
from jacobians.operations.base import in_layout

if TYPE_CHECKING:
    from jacobians.network import Network

__all__ = ["Factor", "Run"]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One factor of a chain: the derivative of one named array by another.

    Attributes
    ----------
    of, wrt : str
        Names of the output and of the input, such as "Z2" and "A1".
    jacobian : Jacobian
        In the network's layout.
    """

    of: str
    wrt: str
    jacobian: Jacobian

    @property
    def label(self) -> str:
        """The factor as a formula, such as ``∂Z2/∂A1``."""
        return f"∂{self.of}/∂{self.wrt}"


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
        self.outputs = _output_names(network.chain.parts)

    # --- values ----------------------------------------------------------------------------------

    @cached_property
    def _total(self) -> tuple[Array, Jacobian]:
        value, row = self.network.loss.total(self._steps[-1][0], self.Y)
        return value, row()

    @property
    def loss(self) -> float:
        """The reduced loss, without the regulariser."""
        return float(self.network.loss.total(self._steps[-1][0], self.Y)[0])

    @property
    def value(self) -> float:
        """The objective: the reduced loss plus the regulariser."""
        return self.loss + sum(self._penalty(name)[0] for name in self.params)

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
        rows = self.network.chain.sweep(self._steps, self._total[1])
        grads = {name: rows[own].gradient for name, own in self.network.names.items()}
        for name, gradient in grads.items():
            if self.network.is_penalised(name):
                gradient += self._penalty(name)[1].gradient
        return {**grads, "X": rows["X"].gradient} if inputs else grads

    def penalty(self, name: str) -> Jacobian:
        """Return the regulariser's Jacobian by one parameter: a row, 0 where it is not touched."""
        return in_layout(self._penalty(name)[1], self.network.layout)

    def _penalty(self, name: str) -> tuple[float, Jacobian]:
        array = self.params[name]
        network = self.network
        if not network.is_penalised(name):
            return 0.0, Dense(np.zeros_like(array))
        count = self.X.shape[network.layout.batch_axis]
        scale = network.convention.l2_scale(network.l2, count)
        layout = network.layout.replace(derivative="numerator")
        value, row = l2(array, scale, layout, include_bias=network.convention.l2_bias)
        return float(value), row

    # --- the chain -------------------------------------------------------------------------------

    def chain(self, wrt: str, of: str = "loss") -> tuple[Factor, ...]:
        """Return the factors whose product, read from left to right, is ∂of/∂wrt in the network's layout.

        Parameters
        ----------
        wrt : str
            A parameter, "X", or an intermediate such as "Z1".
        of : str
            "loss", "losses", "output", or an intermediate after `wrt`.

        Raises
        ------
        LayoutError
            If a name is unknown, or `of` does not depend on `wrt`.
        """
        factors = self._factors(of, wrt)
        layout = self.network.layout
        shown = tuple(Factor(f.of, f.wrt, in_layout(f.jacobian, layout)) for f in factors)
        return shown[::-1] if layout.derivative == "denominator" else shown

    def jacobian(self, wrt: str, of: str = "loss") -> Jacobian:
        """Return ∂of/∂wrt, the product of `chain`, in the network's layout; names as there."""
        factors = self._factors(of, wrt)
        if not factors:
            value = self.values[self._resolve(of)]
            return in_layout(Identity(value.shape, value.dtype), self.network.layout)
        return in_layout(reduce(matmul, (f.jacobian for f in factors)), self.network.layout)

    def parameter_jacobian(self, of: str = "loss") -> Jacobian:
        """Return ∂of/∂θ by the packed parameters, in the convention's packing order: the blocks side by side."""
        names = self.network.convention.packing_order(self.params)
        layout = self.network.layout
        blocks = tuple(reduce(matmul, (f.jacobian for f in self._factors(of, name))) for name in names)
        return in_layout(BlockRow(blocks, packing=layout.vec), layout)

    def _resolve(self, name: str) -> str:
        return self.outputs[-1] if name == "output" else name

    def _factors(self, of: str, wrt: str) -> list[Factor]:
        of, wrt = self._resolve(of), self._resolve(wrt)
        parts = self.network.chain.parts
        factors: list[Factor] = []
        stops = ["X", *self.outputs]
        if of in ("loss", "losses"):
            losses, rows = self._per_example
            if of == "loss":
                weight = self.network.loss.weight(self._steps[-1][0])
                factors.append(Factor("loss", "losses", Dense(np.full(losses.shape, weight, dtype=losses.dtype))))
            if wrt == "losses" and of == "loss":
                return factors
            factors.append(Factor("losses", stops[-1], rows))
            end = len(parts)
        elif of in self.outputs:
            end = self.outputs.index(of) + 1
        else:
            raise LayoutError(f"run: {of!r} is unknown; choose of from loss, losses, output, {', '.join(self.outputs)}")
        if wrt in self.params:
            own = self.network.names[wrt]
            start, local = self.network.chain.owner(own)
        elif wrt in stops:
            start, local = stops.index(wrt) - 1, ""
        else:
            known = ", ".join([*stops, *self.params])
            raise LayoutError(f"run: {wrt!r} is unknown; choose wrt from {known}")
        if start >= end:
            raise LayoutError(f"run: {of} does not depend on {wrt}: it comes before it")
        for i in reversed(range(start + 1, end)):
            factors.append(Factor(stops[i + 1], stops[i], self._steps[i][1].numerator(parts[i].names[0])))
        if local:
            factors.append(Factor(stops[start + 1], wrt, self._steps[start][1].numerator(local)))
        return factors


def _output_names(parts: Sequence[Operation]) -> list[str]:
    """Z for an affine layer, A for what follows it, numbered by layer; a repeated name gets primes."""
    names: list[str] = []
    layer = 0
    for part in parts:
        layer += bool(part.names[1:])
        name = f"{'Z' if isinstance(part, Affine) else 'A'}{layer}"
        while name in names:
            name += "′"
        names.append(name)
    return names
