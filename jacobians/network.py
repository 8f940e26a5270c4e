"""A network: a chain of operations with named parameters, a loss and a regulariser, in one convention."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.agreement import check_loss, check_operations
from jacobians.arrays import Array, Shape, as_array, as_float, size_of
from jacobians.blocks import gradient_in_blocks
from jacobians.choices import ACTIVATIONS, LOSSES, choice
from jacobians.conventions import Convention
from jacobians.errors import ShapeError
from jacobians.layout import unvec, vec
from jacobians.linops import Dense, Jacobian
from jacobians.operations import Affine, Chain, Loss, Operation, l2
from jacobians.parameters import checked, is_weight
from jacobians.presets import convention as find_convention
from jacobians.run import Run

__all__ = ["Network", "Parameters"]

Parameters: TypeAlias = Mapping[str, npt.ArrayLike]


class Network:
    """A chain of operations, a loss and an L2 regulariser: objective, gradient and every Jacobian between.

    Parameters
    ----------
    operations : sequence of Operation
        In the convention's layout.
    loss : Loss
        Of the last operation's output; its reduction and layout are the convention's.
    convention : Convention or str
        Or a preset's name.
    l2 : float
        The regulariser's strength λ; its scale and whether it touches the bias are the convention's.

    Raises
    ------
    LayoutError
        If an operation or the loss keeps another layout or reduction than the convention, the loss is not reduced to
        one number, or `l2` is not 0 and the convention has no regulariser.

    Examples
    --------
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> net.shapes()
    {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
    >>> Network.dense((4, 3, 2), convention="ng-ml-2011").shapes()
    {'Theta1': (3, 5), 'Theta2': (2, 4)}
    """

    def __init__(
        self, operations: Sequence[Operation], loss: Loss, convention: Convention | str, *, l2: float = 0.0
    ) -> None:
        self.convention = find_convention(convention)
        self.layout = self.convention.layout
        self.chain = Chain(*operations)
        self.loss = loss
        self.l2 = float(l2)
        check_operations(self.chain.parts, self.convention)
        check_loss(loss, self.convention)
        self.convention.l2_scale(self.l2, count=1)  # without a regulariser, the error comes here and not at first use
        # a chain calls weights W1, W2, …; the convention may call them Theta1, Theta2, …
        self.names = {name.replace("W", self.convention.weight_name): name for name in self.chain.names[1:]}
        known = self.chain.parameter_shapes()
        self._known = {name: known[own] for name, own in self.names.items() if own in known}

    @classmethod
    def dense(
        cls,
        sizes: Sequence[int],
        *,
        activation: str = "sigmoid",
        loss: str = "cross_entropy",
        convention: Convention | str = "cs231n",
        l2: float = 0.0,
    ) -> Network:
        """Return a fully connected network: affine, activation, …, affine, loss of the last affine's output.

        Parameters
        ----------
        sizes : sequence of int
            Widths from the inputs to the outputs, at least two.
        activation : {"sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu", "silu"}
        loss : {"cross_entropy", "binary", "squared", "hinge", "logistic"}
            The first two take logits.
        convention : Convention or str
        l2 : float
        """
        found = find_convention(convention)
        sizes = tuple(sizes)
        if len(sizes) < 2:
            raise ShapeError(f"Network.dense: sizes {sizes} must name at least inputs and outputs")
        make = choice(ACTIVATIONS, activation, "activation")
        operations: list[Operation] = []
        for n_in, n_out in itertools.pairwise(sizes):
            operations += [Affine(found.layout, (n_in, n_out)), make()]
        made = choice(LOSSES, loss, "loss")(reduction=found.effective_reduction, layout=found.layout)
        return cls(operations[:-1], made, found, l2=l2)

    # --- parameters ------------------------------------------------------------------------------

    def shapes(self) -> dict[str, Shape]:
        """Return the parameters' shapes by name, in the order of the operations."""
        missing = [name for name in self.names if name not in self._known]
        if missing:
            raise ShapeError(f"Network.shapes: {', '.join(missing)}: the operations do not fix their sizes")
        return dict(self._known)

    def init(self, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> dict[str, Array]:
        """Return random parameters: weights uniform in ±√(6/(in+out)), biases 0.

        The numbers are drawn for one node after another, and then laid out, so one seed gives the same network in
        every convention (Glorot & Bengio 2010, eq. 16).
        """
        params: dict[str, Array] = {}
        for name, shape in self.shapes().items():
            if len(shape) != 2 or not is_weight(name, self.convention.weight_name):
                params[name] = np.zeros(shape, dtype=dtype)
                continue
            out, width = shape if self.layout.weights == "rows" else shape[::-1]
            n_in = width - self.layout.absorbs_bias
            bound = np.sqrt(6.0 / (n_in + out))
            nodes = rng.uniform(-bound, bound, size=(out, n_in))
            if self.layout.absorbs_bias:
                zeros = np.zeros((out, 1))
                nodes = np.concatenate([zeros, nodes] if self.layout.bias == "first" else [nodes, zeros], axis=1)
            params[name] = np.ascontiguousarray(nodes if self.layout.weights == "rows" else nodes.T).astype(dtype)
        return params

    def pack(self, params: Parameters) -> Array:
        """Return all parameters as one new vector, in the convention's vec and packing order."""
        arrays = self._arrays(params)
        return np.concatenate([vec(arrays[name], self.layout.vec) for name in self.convention.packing_order(arrays)])

    def unpack(self, theta: Array) -> dict[str, Array]:
        """Return the parameters that `pack` made this vector of, as new arrays."""
        shapes = self.shapes()
        theta = as_float(theta, "theta", "Network.unpack")
        total = sum(map(size_of, shapes.values()))
        if theta.shape != (total,):
            raise ShapeError(f"Network.unpack: theta has shape {theta.shape}; {self!r} has ({total},) parameters")
        start, parts = 0, {}
        for name in self.convention.packing_order(shapes):
            stop = start + size_of(shapes[name])
            parts[name] = unvec(theta[start:stop], shapes[name], self.layout.vec)
            start = stop
        return {name: parts[name] for name in shapes}

    # --- values and derivatives ------------------------------------------------------------------

    def run(self, params: Parameters, X: npt.ArrayLike, Y: npt.ArrayLike) -> Run:
        """Return the network evaluated on a batch: every value, and every Jacobian on request.

        Raises
        ------
        ShapeError
            If a parameter is missing or has the wrong shape, or X and Y do not fit.
        """
        return Run(self, self._arrays(params), as_float(X, "X", "network"), as_array(Y))

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
        """Return the objective's gradient by every parameter, each in its parameter's own shape.

        Parameters
        ----------
        inputs : bool
            Add the gradient by X, under "X".
        block : int, optional
            Examples that are taken through the network at a time; all of them unless given. The gradient is the same
            but for rounding; intermediates take the memory of one block. Blocks of 1024 examples take about as long
            as the whole batch, up to a tenth more.

        Raises
        ------
        ShapeError
            If a parameter is missing or has the wrong shape, X and Y do not fit, or `block` is not positive.
        LayoutError
            If `block` is given and an operation may mix examples.
        """
        if block is None:
            return self.run(params, X, Y).gradient(inputs=inputs)
        return gradient_in_blocks(
            self, self._arrays(params), as_float(X, "X", "network"), as_array(Y), block, inputs=inputs
        )

    def fun_and_grad(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> Callable[[Array], tuple[float, Array]]:
        """Return θ ↦ (objective, packed gradient), for ``scipy.optimize.minimize(..., jac=True)``."""
        X, Y = as_float(X, "X", "network"), as_array(Y)

        def fun(theta: Array) -> tuple[float, Array]:
            run = self.run(self.unpack(theta), X, Y)
            return run.value, self.pack(run.gradient())

        return fun

    def is_penalised(self, name: str) -> bool:
        """Whether the regulariser touches this parameter."""
        return self.l2 != 0 and (self.convention.l2_bias or is_weight(name, self.convention.weight_name))

    def penalty(self, name: str, array: Array, count: int) -> tuple[Array, Jacobian]:
        """Return the regulariser of one parameter for a batch of `count`, and its row in numerator layout; maybe 0."""
        if not self.is_penalised(name):
            return np.zeros((), array.dtype), Dense(np.zeros_like(array))
        scale = self.convention.l2_scale(self.l2, count)
        layout = self.layout.replace(derivative="numerator")
        return l2(array, scale, layout, include_bias=self.convention.l2_bias)

    def penalised(self, grads: dict[str, Array], params: Mapping[str, Array], count: int) -> dict[str, Array]:
        """Return gradients of the loss, which are written to, with the regulariser's added."""
        for name in filter(self.is_penalised, params):
            grads[name] += self.penalty(name, params[name], count)[1].gradient
        return grads

    # --- private ---------------------------------------------------------------------------------

    def _arrays(self, params: Parameters) -> dict[str, Array]:
        expected = self._known
        if len(expected) < len(self.names):
            # an operation that does not fix its sizes checks them itself
            expected = {name: self._known.get(name, np.shape(params.get(name, ()))) for name in self.names}
        return checked(params, expected, self.layout, self.convention.weight_name, self.convention.name, "network")

    def __repr__(self) -> str:
        parts = " → ".join(p.name for p in self.chain.parts)
        return f"Network({parts} → {self.loss.name}, {self.convention.name})"
