"""`Network`: a chain of operations or a function of values, a loss and a regulariser, in one convention."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from html import escape
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import (
    Array,
    a_whole_number,
    all_finite,
    as_array,
    as_float,
    generator,
    no_attribute,
    refuse_not_finite,
    size_of,
)
from jacobians.conventions import Convention
from jacobians.errors import ArgumentError, LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.initial import Rule, drawn_in_order, drawn_weights, is_scale
from jacobians.layout import Reduction
from jacobians.named_parameters import layer_widths
from jacobians.network.blocks import gradient_in_blocks
from jacobians.network.objective import Objective
from jacobians.network.run import Run
from jacobians.network.summary import Summary, example_inputs, summary_of_parameters, summary_of_run
from jacobians.operations import Affine, Loss, Operation, find_activation, find_loss
from jacobians.presets import convention as find_convention

__all__ = ["Network", "Parameters"]


Parameters: TypeAlias = Mapping[str, npt.ArrayLike]

Data: TypeAlias = npt.ArrayLike | Mapping[str, npt.ArrayLike]
"""An array, or several by name."""


_CALLED_ELSEWHERE = {
    "grad": "net.gradient(params, X, Y) returns the gradients by name",
    "gradients": "net.gradient(params, X, Y) returns the gradients by name",
    "backward": "net.gradient(params, X, Y) returns the gradients by name",
    "forward": "net.run(params, X, Y) keeps every value, net(params, X) returns the output",
    "fit": "jac.fit(net, params, X, Y) trains it",
    "train": "jac.fit(net, params, X, Y) trains it",
    "parameters": "params = net.init(0) makes parameters; a network keeps none",
    "params": "params = net.init(0) makes parameters; a network keeps none",
    "weights": "params = net.init(0) makes parameters; a network keeps none",
    "check": "jac.check_gradient compares a gradient with numerical differences, jac.diagnose says why one is wrong",
    "jacobian": "net.run(params, X, Y).jacobian(name) is the Jacobian with respect to one array",
    "hessian": "net.run(params, X, Y).hessian(name), or jac.hessian(run) of all parameters",
    "layers": "net.operations is the list of operations",
    "zero_grad": "nothing accumulates; net.gradient(params, X, Y) makes new arrays each time",
    "compile": "jac.fit(net, params, X, Y, rule='adam') takes the update rule",
    "step": "jac.fit(net, params, X, Y) takes the steps",
    "count_params": "net.n_params is their number",
}
"""What people type first, and what it is called here."""


class Network(Objective):
    """A chain of operations, or a function of values, a loss and an L2 regulariser, and every Jacobian between.

    Parameters
    ----------
    operations : sequence of Operation or str, or callable
        The operations, in the convention's layout. An activation may be a name, such as "relu". Or give the forward
        pass as a function of named values, see `jacobians.values`. Its arguments are the inputs and the parameters. It
        returns a value, or a dict of values by name. A value that it names with ``.named("H")`` is in each run as "H".
    loss : Loss, str, or dict of these
        The loss of the last operation's output, with the convention's reduction and layout. A loss given by its name
        gets them. For a function that returns a dict, give a dict with the same names; the objective is the sum.
    convention : Convention or str
        The convention, or a preset's name.
    shapes : dict of tuple
        For a function: the shape of each parameter, by name. Arguments that are not in it are inputs.
    l2 : float
        The regulariser's strength λ. The convention says how it is scaled, and whether it includes the bias.

    Raises
    ------
    LayoutError
        If an operation or the loss keeps another layout or reduction than the convention, the loss is not reduced to
        one number, or `l2` is not 0 and the convention has no regulariser.
    DomainError
        If `l2` is negative, infinite or NaN.
    ArgumentError
        If a list has one object with parameters twice, or a function's arguments and `shapes` do not fit.

    Notes
    -----
    A network does not change, so recordings of it stay valid; `replace` returns a changed one.

    Parameters of a function with two or more axes are weights for `init` and the regulariser, unless their names begin
    like the convention's biases. Several inputs, and the targets of several losses, come as dicts by name.

    Examples
    --------
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> net.shapes()
    {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
    >>> Network.dense((4, 3, 2), convention="ng-ml-2011").shapes()
    {'Theta1': (3, 5), 'Theta2': (2, 4)}

    The same operations, one by one:

    >>> from jacobians import Affine
    >>> layout = "cs231n"
    >>> Network([Affine(layout, (4, 3)), "relu", Affine(layout, (3, 2))], "cross_entropy", "cs231n")
    Network(affine → relu → affine → cross_entropy, cs231n)

    An autoencoder whose two layers share their weights:

    >>> import jacobians as jac
    >>> def autoencoder(X, W, b, c):
    ...     H = jac.tanh(X @ W + b).named("H")
    ...     return H @ W.T + c
    >>> tied = Network(autoencoder, "squared_error", "cs231n", shapes={"W": (4, 2), "b": (2,), "c": (4,)})
    >>> X, params = np.eye(4), tied.init(0)
    >>> tied.gradient(params, X, X)["W"].shape
    (4, 2)
    >>> tied.run(params, X, X).jacobian("W", of="losses")
    KhatriRaoSum(4×2×4, 4×2×2): 4×8 float64, (4, 2) → (4,), 384 B
    """

    @classmethod
    @written("Network.dense((4, 3, 2), activation='relu', convention='cs231n')")
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

    @written("net.replace(l2=0.1)")
    def replace(
        self,
        *,
        operations: Sequence[Operation | str] | Callable[..., Any] | None = None,
        loss: str | Loss | Mapping[str, str | Loss] | None = None,
        convention: Convention | str | None = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
        l2: float | None = None,
    ) -> Self:
        """Return a network with some of its parts changed.

        Parameters
        ----------
        operations, loss, convention, shapes, l2
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
        kept = {
            name: own if convention is None else own.replace(layout=found.layout, reduction=found.reduction)
            for name, own in self._losses.items()
        }
        if operations is None:
            operations = self.chain.parts if self._function is None else self._function.function
            shapes = self._known if shapes is None and self._function is not None else shapes
        if loss is None:
            loss = kept["output"] if kept.keys() == {"output"} else kept
        return type(self)(operations, loss, found, shapes=shapes, l2=self.l2 if l2 is None else l2)

    # --- parameters ------------------------------------------------------------------------------

    @written("net.init(0)")
    def init(
        self,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike = np.float64,
        rule: Rule = "glorot",
    ) -> dict[str, Array]:
        """Return random parameters: weights by a rule, biases 0, and the scales of a normalisation 1.

        The numbers are drawn for one node after another, and then laid out, so one seed gives the same network in
        every convention. Of a function, a weight of three axes or more is a kernel, as the layout has kernels; a
        vector is a scale by its name: gamma, scale or g, with a number or without, or the weight of a norm.

        Parameters
        ----------
        rng : numpy.random.Generator or int, optional
            Or a seed. Without one, other parameters come at every call.
        dtype : dtype
        rule : {"glorot", "he", "torch"}
            Uniform in ±√(6/(fan_in + fan_out)), normal with variance 2/fan_in, or uniform in ±1/√fan_in. A node adds up
            fan_in products; of a kernel these are the channels times the entries of a window.

        Raises
        ------
        ArgumentError
            If `rng` is neither a generator nor a seed, or the rule is unknown.

        References
        ----------
        Glorot & Bengio (2010), eq. 16; He et al. (2015), arXiv:1502.01852, eq. 10.

        Examples
        --------
        >>> params = Network.dense((4, 3, 2)).init(0)
        >>> params["W1"].shape, params["b1"]
        ((4, 3), array([0., 0., 0.]))
        """
        rng = generator(np.random.default_rng() if rng is None else rng, "Network.init")
        params: dict[str, Array] = {}
        for name, shape in self.shapes().items():
            if len(shape) < 2 or not self._is_weight(name):
                params[name] = np.full(shape, 1.0 if is_scale(name) else 0.0, dtype=dtype)
                continue
            if len(shape) > 2:
                axes = self.layout.kernel_axes(len(shape) - 2)
                params[name] = drawn_in_order(shape, axes, rng, rule, "Network.init").astype(dtype)
                continue
            out, n_in = shape[1 - self.layout.node_axis], shape[self.layout.node_axis] - self.layout.absorbs_bias
            nodes = drawn_weights((out, n_in), rng, rule, "Network.init")
            if self.layout.absorbs_bias:
                nodes = self.layout.joined(np.zeros((out, 1)), nodes, 1)
            params[name] = np.ascontiguousarray(nodes if self.layout.weights == "rows" else nodes.T).astype(dtype)
        return params

    @written("net.pack(params)")
    def pack(self, params: Parameters) -> Array:
        """Return all parameters as one new vector, in the convention's vec and packing order.

        Examples
        --------
        >>> net = Network.dense((4, 3, 2), convention="ng-ml-2011")
        >>> net.pack(net.init(0)).shape                       # [Theta1(:); Theta2(:)]
        (23,)
        """
        return self.convention._packed(self._arrays(params))

    @written("net.unpack(theta)")
    def unpack(self, theta: Array) -> dict[str, Array]:
        """Return the parameters that `pack` made this vector of, as new arrays.

        Examples
        --------
        >>> net = Network.dense((4, 3, 2), convention="ng-ml-2011")
        >>> [array.shape for array in net.unpack(np.zeros(23)).values()]
        [(3, 5), (2, 4)]
        """
        shapes = self.shapes()
        theta = as_float(theta, "theta", "Network.unpack")
        total = sum(map(size_of, shapes.values()))
        if theta.shape != (total,):
            raise ShapeError(f"Network.unpack: theta has shape {theta.shape}; {self!r} has ({total},) parameters")
        return self.convention._unpacked(theta, shapes)

    @property
    def n_params(self) -> int:
        """How many numbers all parameters hold.

        Examples
        --------
        >>> Network.dense((784, 100, 10)).n_params
        79510
        """
        return sum(map(size_of, self.shapes().values()))

    def summary(self, examples: int = 5) -> Summary:
        """Return a table of the layers: outputs, parameters, and the structure and bytes of their Jacobians.

        A function of values has a table of its parameters: the shapes of its inputs are not known before a run.

        Parameters
        ----------
        examples : int
            Of the batch whose Jacobians are described.

        Examples
        --------
        >>> Network.dense((4, 2)).summary(examples=5)
        Network(affine → cross_entropy, cs231n), 5 examples
        layer   output     input  shape   numbers  Jacobian                                bytes
        affine  Z1 (5, 2)  X      (5, 4)           Kronecker(I₅, 2×4)                      64
                           W1     (4, 2)  8        Kronecker(5×4, I₂)                      160
                           b1     (2,)    2        Kronecker(5×1, I₂) @ Reshape(2 to 1×2)  40
        10 parameters
        """
        count = a_whole_number(examples, "examples", "net.summary", 0)
        X = None if self._chain is None else example_inputs(self, count)
        if X is None:
            return summary_of_parameters(self, self.shapes())
        zeros = {name: np.zeros(shape) for name, shape in self.shapes().items()}
        return summary_of_run(Run(self, zeros, X, None))

    def _repr_html_(self) -> str:
        """In a notebook, the table of `summary`, or the network's line where its parameters' shapes are not known."""
        known = len(self._known) == len(self.names)
        return self.summary()._repr_html_() if known else f"<code>{escape(repr(self))}</code>"

    # --- values and derivatives ------------------------------------------------------------------

    @written("net.run(params, X, Y)")
    def run(self, params: Parameters, X: Data, Y: Data) -> Run:
        """Return the network evaluated on a batch: every value, and every Jacobian on request.

        Raises
        ------
        ShapeError
            If a parameter is missing or has the wrong shape, or X and Y do not fit.

        Examples
        --------
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.jacobian("W1", of="losses")
        KhatriRao(4×4, 4×3): 4×12 float64, (4, 3) → (4,), 224 B
        """
        arrays = self._arrays(params)
        return Run(self, arrays, *self._data(X, Y))

    @written("net.output(params, X)")
    def output(self, params: Parameters, X: Data) -> Any:
        """Return the last operation's output, or what the function of values returns, as an array or arrays by name.

        ``net(params, X)`` is the same. `predict` returns what the outputs decide: classes, or numbers.

        Examples
        --------
        >>> net = Network.dense((4, 3, 2))
        >>> net.output(net.init(0), np.eye(4)).shape
        (4, 2)
        """
        return self._alone(self._results(params, X))

    def __call__(self, params: Parameters, X: Data | None = None) -> Any:
        """Return `output`: a network keeps no parameters, so they come first."""
        return self.output(params, _given(X, "net"))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            meant = f": {_CALLED_ELSEWHERE[name]}" if name in _CALLED_ELSEWHERE else ""
            raise no_attribute(self, name, meant)

    @written("net.predict(params, X)")
    def predict(self, params: Parameters, X: Data | None = None) -> Any:
        """Return what the outputs decide, as the loss reads them: a class for each example, 0 or 1, or the numbers.

        See `Loss.decide`. Several results come by name.

        Examples
        --------
        >>> net = Network.dense((4, 3, 2))
        >>> net.predict({**net.init(0), "W2": np.zeros((3, 2)), "b2": [0, 1]}, np.eye(4))
        array([1, 1, 1, 1])
        """
        results = self._results(params, _given(X, "net.predict"))
        return self._alone({name: self._losses[name].decide(result) for name, result in results.items()})

    def _results(self, params: Parameters, X: Data) -> Mapping[str, Array]:
        return Run(self, self._arrays(params), self._data(X, ())[0], None).results

    def _alone(self, results: Mapping[str, Array]) -> Any:
        """The only result, or all by name."""
        return results["output"] if results.keys() == {"output"} else dict(results)

    @written("net.value(params, X, Y)")
    def value(self, params: Parameters, X: Data, Y: Data) -> float:
        """Return the objective: the reduced loss plus the regulariser.

        Examples
        --------
        >>> net = Network.dense((4, 2))
        >>> round(net.value({"W1": np.zeros((4, 2)), "b1": [0, 0]}, np.eye(4), [0, 1, 1, 0]), 6)   # log 2
        0.693147
        """
        return self.run(params, X, Y).value

    @written("net.value_and_grad(params, X, Y)")
    def value_and_grad(self, params: Parameters, X: Data, Y: Data) -> tuple[float, dict[str, Array]]:
        """Return the objective, and its gradient with respect to every parameter, out of one forward pass.

        `fun_and_grad` returns the same of packed parameters, for SciPy's solvers.

        Raises
        ------
        ShapeError, DomainError
            As `value` and `gradient`.

        Examples
        --------
        >>> net = Network.dense((4, 2))
        >>> value, grads = net.value_and_grad({"W1": np.zeros((4, 2)), "b1": [0, 0]}, np.eye(4), [0, 1, 1, 1])
        >>> round(value, 6), grads["b1"]
        (0.693147, array([ 0.25, -0.25]))
        """
        run = self.run(params, X, Y)
        return run.value, run._gradient()

    @written("net.gradient(params, X, Y)")
    def gradient(
        self,
        params: Parameters,
        X: Data,
        Y: Data,
        *,
        inputs: bool = False,
        block: int | None = None,
    ) -> dict[str, Array]:
        """Return the objective's gradient with respect to every parameter, each in its parameter's own shape.

        Parameters
        ----------
        inputs : bool
            Add the gradient with respect to X, under "X", or to a function's inputs, under their names.
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
            If `block` is given and an operation, or a function of values, may mix examples.

        Examples
        --------
        >>> net = Network.dense((4, 2))
        >>> net.gradient({"W1": np.zeros((4, 2)), "b1": [0, 0]}, np.eye(4), [0, 1, 1, 1])["b1"]
        array([ 0.25, -0.25])
        """
        if block is None:
            return Run(self, self._arrays(params), *self._data(X, Y))._gradient(inputs=inputs)
        arrays, layout = self._arrays(params), self.layout
        data = self._data(X, Y)
        if self._chain is None:
            raise LayoutError(
                f"Network.gradient: {self!r} may mix the examples of a batch, so it cannot be cut into blocks; leave "
                "block out"
            )

        def share(X: Array, Y: Array, whole: int) -> dict[str, Array]:
            return Run(self, arrays, X, Y)._share(whole, inputs=inputs)

        count, found = gradient_in_blocks(share, self._chain.parts, *data, block, layout)
        grads = {name: found[name].astype(array.dtype, copy=False) for name, array in arrays.items()}
        grads = self._penalised(grads, arrays, count)
        if not all_finite(grads.values()):
            refuse_not_finite({**arrays, "X": data[0]}, "network")
        return {**grads, **({"X": found["X"]} if inputs else {})}

    def fun_and_grad(self, X: Data, Y: Data) -> Callable[[Array], tuple[float, Array]]:
        """Return θ ↦ (objective, packed gradient), for ``scipy.optimize.minimize(..., jac=True)``.

        Examples
        --------
        >>> from scipy.optimize import minimize
        >>> net = Network.dense((4, 2), l2=0.1)
        >>> found = minimize(net.fun_and_grad(np.eye(4), [0, 1, 1, 1]), net.pack(net.init(0)), jac=True)
        >>> net.predict(net.unpack(found.x), np.eye(4))
        array([0, 1, 1, 1])
        """
        X, Y = self._data(X, Y)

        def fun(theta: Array) -> tuple[float, Array]:
            run = self.run(self.unpack(theta), X, Y)
            return run.value, self.pack(run._gradient())

        return fun

    def hess_vec(self, X: Data, Y: Data) -> Callable[[Array, Array], Array]:
        """Return (θ, v) ↦ H(θ) v, exact and packed, for SciPy's second-order minimisers, as their ``hessp``.

        They are "trust-ncg", "trust-krylov", "Newton-CG" and "trust-constr". The forward pass and the second
        derivatives at the last θ are kept, so that each further product there takes one sweep forward and one back.

        Examples
        --------
        >>> from scipy.optimize import minimize
        >>> net = Network.dense((4, 3, 2), activation="tanh", l2=0.1)
        >>> X, Y, start = np.eye(4), [0, 1, 1, 0], net.pack(net.init(0))
        >>> fun, hessp = net.fun_and_grad(X, Y), net.hess_vec(X, Y)
        >>> found = minimize(fun, start, jac=True, hessp=hessp, method="trust-ncg", options={"gtol": 1e-6})
        >>> found.success
        True
        """
        X, Y = self._data(X, Y)
        last: list[tuple[Array, Any]] = []

        def product(theta: Array, v: Array) -> Array:
            if not last or not np.array_equal(last[0][0], theta):
                last[:] = [(np.array(theta), self.run(self.unpack(theta), X, Y).hessian())]
            found: Array = last[0][1] @ np.asarray(v)
            return found

        return product

    def _data(self, X: Any, Y: Any) -> tuple[Any, Any]:
        """Inputs and targets as arrays; a function of values takes them by name, and looks at them itself."""
        if self._function is not None:
            return X, Y
        return as_float(X, "X", "network"), as_array(Y, "Y", "network")


def _given(X: Data | None, call: str) -> Data:
    """X, or ArgumentError where the parameters were left out."""
    if X is None:
        raise ArgumentError(
            f"network: X is missing; a network keeps no parameters: write {call}(params, X), with params = net.init(0)"
        )
    return X
