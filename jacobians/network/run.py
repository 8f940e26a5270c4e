"""A run: what a network computed on one batch, its gradients, and the Jacobian of anything with respect to anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from jacobians.arrays import (
    Array,
    ByName,
    all_finite,
    as_array,
    chosen,
    counted,
    kind_of,
    no_attribute,
    number,
    refuse_not_finite,
)
from jacobians.errors import ArgumentError, LayoutError
from jacobians.factors import Factor, Factors
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.layout import Order
from jacobians.linops import Diagonal, Jacobian
from jacobians.network.chain_forward import ChainForward
from jacobians.network.forward import Forward
from jacobians.network.function_forward import FunctionForward
from jacobians.network.objective import Objective
from jacobians.operations.operation import Frozen
from jacobians.operations.record import in_layout
from jacobians.stops import Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Run"]


_CALLED_ELSEWHERE = {
    "grad": "run.gradient() returns the gradients by name",
    "gradients": "run.gradient() returns the gradients by name, run.per_example_gradients() those of each example",
    "grads": "run.gradient() returns the gradients by name",
    "backward": "run.gradient() returns the gradients by name",
    "hvp": "run.hessian().jvp(direction), with the arrays of direction packed by net.pack",
    "hessian_vector_product": "run.hessian().jvp(direction), with the arrays of direction packed by net.pack",
    "jac": "run.jacobian('W1') is the loss's Jacobian, and run.jacobian('W1', of='Z1') that of an array",
    "vjp": "run.jacobian('W1', of='Z1').vjp(cotangent)",
    "jvp": "run.jacobian('W1', of='Z1').jvp(tangent)",
    "predict": "net.predict(params, X) returns what the outputs decide",
    "forward": "a run is the forward pass; run.values holds its arrays by name",
    "activations": "run.values holds the arrays of the forward pass by name",
    "zero_grad": "nothing accumulates; run.gradient() makes new arrays each time",
    "parameters": "run.params holds the parameters by name",
    "weights": "run.params holds the parameters by name",
    "pack": "net.pack(run.gradient()) puts the gradients in one vector",
}
"""What people type first, and what it is called here."""


class Run(Frozen):
    """What a network computed on one batch.

    Made by `Network.run`. Every array has the name that the convention gives it, see `ArrayNames`: Z1, A1, Z2, … in
    most, and A1 = [1 X], Z2, A2, Z3 in Ng's exercises. "output" is the last operation's value, "losses" the per-example
    losses, and "loss" the reduced loss without the regulariser, whose row is `penalty`. In a function of values, values
    have the names that the function gave them.

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

    network: Objective
    params: dict[str, Array]
    X: Any
    Y: Any
    _forward: Forward
    results: Mapping[str, Array]
    """What the losses are of, by name: "output", unless a function of values returned several."""

    def __init__(self, network: Objective, params: dict[str, Array], X: Any, Y: Any) -> None:
        forward: Forward
        if network._chain is not None:
            forward = ChainForward(network, network._chain, params, X, Y)
        else:
            assert network._function is not None
            inputs = network._function.data(X)
            X = inputs if len(inputs) > 1 else inputs[network.inputs[0]]
            forward = FunctionForward(network._function, network.convention, network._losses, params, inputs, Y)
        # at once: see Frozen
        vars(self).update(network=network, params=params, X=X, Y=Y, results=forward.results, _forward=forward)

    # --- names -----------------------------------------------------------------------------------

    def _chained(self, wanted: str) -> ChainForward:
        """The forward pass of a list of operations.

        Raises
        ------
        LayoutError
            If it is that of a function of values.
        """
        if isinstance(self._forward, ChainForward):
            return self._forward
        raise LayoutError(
            f"run.{wanted}: {self.network!r} is a function of values, not a list of operations in a row; take "
            "run.values, run.jacobian(wrt, of=…) and run.gradient(), or its graph, run.objective"
        )

    @property
    def stops(self) -> tuple[Stop, ...]:
        """The arrays on the way from X to the output, with their names.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> [(stop.name, stop.cotangent) for stop in run.stops]
        [('X', 'dX'), ('Z1', 'dZ1'), ('A1', 'dA1'), ('Z2', 'dZ2')]
        """
        return self._chained("stops").stops

    @property
    def outputs(self) -> list[str]:
        """Names of the intermediates, one for each operation.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.outputs
        ['Z1', 'A1', 'Z2']
        """
        return self._chained("outputs").outputs

    @property
    def prediction(self) -> str:
        """The name of the prediction that the loss makes from the output, a softmax or a sigmoid; "" if it makes none.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.prediction, run.values[run.prediction].shape
        ('P', (4, 2))
        """
        return self._chained("prediction").prediction

    def operation_value(self, done: int) -> Array:
        """Return what so many operations have made of X, without an entry of ones.

        Raises
        ------
        LayoutError
            If there are not so many operations.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.operation_value(0).shape
        (4, 4)
        """
        return self._chained("operation_value").operation_value(done)

    def operation_jacobian(self, position: int, wrt: str) -> Jacobian:
        """Return an operation's Jacobian with respect to an input, by its own name for it, in numerator layout.

        Raises
        ------
        LayoutError
            If there is no operation at that position.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> net.run(net.init(0), np.eye(4), [0, 1, 1, 0]).operation_jacobian(0, "W")
        Kronecker(4×4, I₃): 12×12 float64, (4, 3) → (4, 3), 128 B
        """
        return self._chained("operation_jacobian").operation_jacobian(position, wrt)

    def __repr__(self) -> str:
        return f"Run({self.network!r}, {counted(self._forward.count, 'example')})"

    def _repr_html_(self) -> str:
        """In a notebook, the arrays of the forward pass with their shapes, and the loss."""
        shapes = {name: str(array.shape) for name, array in self.values.items()}
        rows = {**shapes, "loss": "" if self.Y is None else f"{self.loss:.6g}"}
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(said)}</td></tr>" for name, said in rows.items())
        return f"<table><caption>{escape(repr(self))}</caption><tbody>{cells}</tbody></table>"

    if not TYPE_CHECKING:  # a type checker is to find every name that is not there

        def __getattr__(self, name: str) -> Any:
            meant = f": {_CALLED_ELSEWHERE[name]}" if name in _CALLED_ELSEWHERE else ""
            if not meant and not name.startswith("_") and "_forward" in vars(self):
                meant = f"; write {found}" if (found := self._held(name)) else ""
            raise no_attribute(self, name, meant)

    def _held(self, name: object) -> str:
        """How an array of this run is taken by its name; nothing where it has none of that name."""
        for holder in ("values", "params"):
            if name in getattr(self, holder):
                return f"run.{holder}[{name!r}]"
        return ""

    def __getitem__(self, name: object) -> NoReturn:
        found = self._held(name) or "run.values, its arrays by name"
        raise ArgumentError(f"run[{name!r}]: a run is no dict; write {found}")

    def __reduce__(self) -> tuple[type[Run], tuple[Any, ...]]:
        # what is linear in the batch is not stored: a copy, or what is unpickled, is evaluated again
        return type(self), (self.network, self.params, self.X, self.Y)

    # --- values ----------------------------------------------------------------------------------

    @cached_property
    def _totals(self) -> dict[str, tuple[Callable[[], Array], Callable[[], Array]]]:
        totals = {}
        for name, loss in self.network._losses.items():
            totals[name] = loss._total(self.results[name], self._forward.targets[name])
        return totals

    @cached_property
    def _reduced(self) -> float:
        return sum(number(value()) for value, _ in self._totals.values())

    @property
    def loss(self) -> float:
        """The reduced loss, or the sum of several, without the regulariser.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> bool(np.isclose(run.loss, run.losses.mean()))
        True
        """
        return self._reduced

    @property
    def loss_scale(self) -> float:
        """The reduction's weight of every example's loss in the loss: 1, 1/N or 1/(N·K).

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.loss_scale
        0.25
        """
        return self._forward.scale

    @cached_property
    def objective(self) -> Value:
        """The objective of a function of values as a value of its graph, with its paths, its plan and its picture.

        Raises
        ------
        LayoutError
            If the network is a list of operations.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network, tanh
        >>> net = Network(lambda X, W: tanh(X @ W) @ W.T, "squared_error", "cs231n", shapes={"W": (4, 3)})
        >>> net.run(net.init(0), np.eye(4), np.eye(4)).objective.path_count("W")       # W is used twice
        2
        """
        if not isinstance(self._forward, FunctionForward):
            raise LayoutError(f"run.objective: {self.network!r} is a list of operations; take run.chain(wrt)")
        found, network = self._forward.total, self.network
        for name in filter(network.is_penalised, self.params):
            found = found + network.penalty_of_value(self._forward.parameter(name), self._forward.count)
        return found

    @property
    def value(self) -> float:
        """The objective: the reduced loss plus the regulariser.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> bool(run.value == run.loss)                        # no regulariser
        True
        """
        count = self._forward.count
        penalties = (self.network.penalty(name, array, count) for name, array in self.params.items())
        found = self.loss + sum(number(value) for value, _ in penalties)
        if not all_finite((as_array(found),)):
            refuse_not_finite(self._forward.given, "network")
        return found

    @property
    def values(self) -> dict[str, Array]:
        """Every array of the forward pass by name, from X to the output and the prediction; not to be written to.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> list(run.values)
        ['X', 'Z1', 'A1', 'Z2', 'P']
        """
        return ByName(self._forward.values, "run.values")

    @property
    def output(self) -> Array:
        """The last operation's output, which the loss takes; not to be written to.

        Raises
        ------
        LayoutError
            If a function of values returned several: they are in `results`.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.output.shape
        (4, 2)
        """
        if "output" not in self.results:
            raise LayoutError(f"run.output: there are several, {', '.join(self.results)}; take run.results")
        return self.results["output"]

    @property
    def losses(self) -> Array:
        """The per-example losses, (N,), before the reduction.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.losses.shape
        (4,)
        """
        return self._forward.losses

    # --- gradients -------------------------------------------------------------------------------

    @written("run.gradient()['W1']")
    def gradient(self, *, inputs: bool = False) -> dict[str, Array]:
        """Return the objective's gradient with respect to every parameter, and to the inputs on request: new arrays.

        Raises
        ------
        DomainError
            If it is not finite because a parameter or an input is not.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> {name: array.shape for name, array in run.gradient().items()}
        {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
        """
        return self._gradient(inputs=inputs)

    def _gradient(self, *, inputs: bool = False) -> dict[str, Array]:
        network, rows = self.network, {}
        for name, (_, slope) in self._totals.items():
            rows[name] = slope()
        grads = self._forward.gradients(rows, inputs=inputs)
        if network.l2:
            grads = network._penalised(grads, self.params, self._forward.count)
        if not all_finite(grads.values()):
            refuse_not_finite(self._forward.given, "network")
        return grads

    @written("run.per_example_gradients()['W1']")
    def per_example_gradients(self) -> dict[str, Array]:
        r"""Return the gradients of every example's own loss, ∂lossₙ/∂θ, by parameter: N arrays of its shape in one.

        They are the losses before the reduction and without the regulariser, so their mean is the gradient where the
        reduction is the mean and λ is 0. ``run.jacobian(name, of="losses")`` holds the same numbers as two thin
        factors, and computes norms and clipped sums out of these.

        Returns
        -------
        dict of ndarray, shape (N, *shape)

        Raises
        ------
        TooLargeError
            If they would take more than `jacobians.linops.DENSE_LIMIT` bytes.

        Examples
        --------
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.per_example_gradients()["W1"].shape
        (4, 4, 3)
        >>> bool(np.allclose(run.per_example_gradients()["W1"].mean(axis=0), run.gradient()["W1"]))
        True
        """
        rows = {name: self._forward.jacobian("losses", name).to_dense("C") for name in self.params}
        return {name: row.reshape(-1, *self.params[name].shape) for name, row in rows.items()}

    def _share(self, whole: int, *, inputs: bool = False) -> dict[str, Array]:
        """Return these examples' part of the gradient of the loss of a batch of `whole`, without regulariser."""
        _, slope = self.network.loss._total(self.results["output"], self.Y, whole)
        return self._forward.gradients({"output": slope()}, inputs=inputs)

    def penalty(self, name: str) -> Jacobian:
        """Return the regulariser's Jacobian with respect to one parameter: a row, 0 where there is no penalty.

        Raises
        ------
        LayoutError
            If there is no such parameter.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2), l2=0.5)
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> bool(np.allclose(run.penalty("W2").gradient, 0.5 * run.params["W2"]))
        True
        """
        row = self.network.penalty(name, chosen(name, self.params, "run.penalty"), self._forward.count)[1]
        return in_layout(row, self.network.layout)

    def penalty_hessian(self, name: str) -> Jacobian:
        """Return the regulariser's second derivative with respect to one parameter: a diagonal, perhaps 0.

        Raises
        ------
        LayoutError
            If there is no such parameter.

        Examples
        --------
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2), l2=0.5)
        >>> net.run(net.init(0), np.eye(4), [0, 1, 1, 0]).penalty_hessian("W2").diagonal()
        array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
        """
        array = chosen(name, self.params, "run.penalty_hessian")
        if not self.network.is_penalised(name):
            return Diagonal(np.zeros_like(array))
        operation = self.network.penalty_operation(self._forward.count)
        return operation._second(np.ones((), array.dtype), array)["W", "W"].ordered(self.network.layout.vec)

    @property
    def cotangents(self) -> dict[str, Array]:
        """The loss's derivatives with respect to the intermediates, as the convention names and scales them.

        From the output on. Ng's δ₃ = A₃ − Y has no 1/m, since his 1/m enters at the gradient; it is m times
        ``jacobian(wrt="Z3").gradient``.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> {name: array.shape for name, array in run.cotangents.items()}
        {'dZ2': (4, 2), 'dA1': (4, 3), 'dZ1': (4, 3)}
        """
        later = self.network.convention.names.weighted_at == "gradient"
        scale = round(1 / self.loss_scale) if later else 1
        found = {name: np.asarray(array * scale) for name, array in self._forward.cotangents().items()}
        return ByName(found, "run.cotangents")

    # --- curvature -------------------------------------------------------------------------------

    def output_hessian(self, of: str = "output") -> Jacobian:
        """Return the reduced loss's second derivative with respect to one of `results`, in the network's layout.

        See `Loss.hessian`. Between the output's Jacobians it makes the Gauss–Newton matrix, see
        `jacobians.gauss_newton`.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.output_hessian().structure
        '0.25·DiagonalMinusOuter(4 of 2×2)'
        """
        if of not in self.results:
            raise LayoutError(f"output_hessian: no loss is of {of!r}; choose of from {', '.join(self.results)}")
        return self.network._losses[of].hessian(self.results[of], self._forward.targets[of])

    def hessian(self, *wrt: str) -> Jacobian:
        r"""Return the objective's second derivative, regulariser included, in the network's layout.

        Without names it is that with respect to all packed parameters, with one name that parameter's own block, with
        two names the cross block ∂²/∂first ∂second, whose rows are the first's. A whole Hessian and a block on the
        diagonal are symmetric, so they are the same in both derivative layouts.

        Parameters
        ----------
        *wrt : str
            Parameters, inputs or intermediates, as `jacobian` takes them.

        Returns
        -------
        Jacobian
            A `Hessian`, with its `terms`, `gauss_newton`, `residual` and `blocks`; a cross block in denominator layout
            has it as its `numerator`. A product is one sweep forward and one back.

        Raises
        ------
        LayoutError
            If there is no such name, or more than two.
        DomainError
            If an operation or the loss states no second derivative, or has none here.

        Examples
        --------
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2), activation="tanh", l2=0.1)
        >>> run = net.run(net.init(0), np.ones((5, 4)), [0, 1, 1, 0, 1])
        >>> run.hessian()
        Hessian(5 terms of ∂²/∂(W1, b1, W2, b2)²): 23×23 float64, (23,) → (23,), 1.0 KiB
        >>> run.hessian("W1", "W2").shape
        (12, 6)
        """
        if len(wrt) == 1 and not isinstance(wrt[0], str):
            raise LayoutError(f"run.hessian: {kind_of(wrt[0])} is no name; write run.hessian('W1', 'W2')")
        if len(wrt) > 2:
            raise LayoutError(
                f"run.hessian: {len(wrt)} names; give none for all parameters, one for its block, two for a cross "
                f"block, or hessian(run, wrt={wrt!r}) for several packed"
            )
        if not wrt:
            return self._hessian(self.network.convention.packing_order(self.params), packed=True)
        return self._hessian(wrt[:1], wrt[1:], packed=False)

    def _hessian(self, rows: Sequence[str], columns: Sequence[str] = (), *, packed: bool) -> Jacobian:
        layout, both = self.network.layout, (packed, packed)
        columns = columns or rows
        if isinstance(self._forward, FunctionForward):
            found = self._forward.hessian(self.objective, rows, columns, both, layout.vec)
        else:
            found = self._chained("hessian").hessian(rows, columns, both, layout.vec)
        return found.ordered(layout.vec) if found._is_symmetric() else in_layout(found, layout)

    # --- the chain -------------------------------------------------------------------------------

    @written("run.chain('W1', of='loss')")
    def chain(self, wrt: str, *, of: str = "loss") -> Factors:
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
            If a name is unknown, `of` does not depend on `wrt`, or in a function of values does so in several ways.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> [factor.label for factor in run.chain("W1")]
        ['∂loss/∂losses', '∂losses/∂Z2', '∂Z2/∂A1', '∂A1/∂Z1', '∂Z1/∂W1']
        """
        factors = self._forward.factors(_one_name(of), _one_name(wrt))
        layout = self.network.layout
        shown = [Factor(f.of, f.wrt, in_layout(f.jacobian, layout)) for f in factors]
        return Factors(shown[::-1] if layout.derivative == "denominator" else shown)

    @written("run.plot('W1', of='loss')")
    def plot(self, wrt: str, *, of: str = "loss", order: Order | None = None) -> Figure:
        """Draw the factors of `chain` side by side with matplotlib; see `jacobians.pictures.plot_chain`.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> figure = run.plot("W1")
        >>> len(figure.axes)
        6
        """
        from jacobians.pictures.figure import plot_chain

        return plot_chain(self.chain(wrt, of=of), order=order)

    @written("run.jacobian('W1', of='loss') for ∂loss/∂W1")
    def jacobian(self, wrt: str, *, of: str = "loss") -> Jacobian:
        """Return ∂of/∂wrt in the network's layout: the product of `chain`, or the sum over all paths.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.jacobian("W1", of="losses")
        KhatriRao(4×4, 4×3): 4×12 float64, (4, 3) → (4,), 224 B
        >>> run.jacobian("X", of="output").shape
        (8, 16)
        """
        return in_layout(self._forward.jacobian(_one_name(of), _one_name(wrt)), self.network.layout)

    def parameter_jacobian(self, of: str = "loss") -> Jacobian:
        """Return ∂of/∂θ, where θ are the packed parameters in the convention's order: the blocks side by side.

        A parameter of a later layer, on which `of` does not depend, has a block of zeros.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.parameter_jacobian(of="output").shape, net.n_params
        ((8, 23), 23)
        """
        layout = self.network.layout
        names = self.network.convention.packing_order(self.params)
        return in_layout(self._forward.parameter_jacobian(of, names, layout.vec), layout)


def _one_name(name: str) -> str:
    """A name, or LayoutError where several stand together."""
    if isinstance(name, str):
        return name
    raise LayoutError(
        f"run: {kind_of(name)} is no name; give one, as in run.jacobian('W1', of='loss'). run.parameter_jacobian() is "
        "the one with respect to all parameters"
    )
