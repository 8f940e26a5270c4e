"""What a course or library fixes: a layout, its losses and regulariser, the names and packing of its parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from html import escape
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from jacobians.array_names import ArrayNames
from jacobians.arrays import Array, Shape, as_float, counted, did_you_mean, kind_of, size_of
from jacobians.errors import ArgumentError, DomainError, LayoutError, ShapeError
from jacobians.first_tries import says_how_it_is_made
from jacobians.layout import Layout, Reduction, unvec, vec
from jacobians.named_parameters import Layers, checked, layer_widths, other_weights, refuse_unnamed

__all__ = ["HIDDEN_UNITS", "PENALTIES", "Convention", "Evidence", "Packing", "Penalty", "Reduction", "Task"]


Penalty: TypeAlias = Literal["half-over-n", "half", "one"]
PENALTIES: dict[Penalty, tuple[float, bool]] = {"half-over-n": (0.5, True), "half": (0.5, False), "one": (1.0, False)}
"""The regularisers c·λΣW² and c·λ/N·ΣW²: c, and whether it is divided by N."""

Packing: TypeAlias = Literal["layers", "weights-then-biases"]
Evidence: TypeAlias = Literal["P", "S", "M"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "reduction": get_args(Reduction),
    "l2": get_args(Penalty),
    "packing": get_args(Packing),
    "evidence": get_args(Evidence),
}
_MAY_BE_OPEN = ("reduction", "l2", "packing")
_LAYOUT_FIELDS = tuple(field.name for field in fields(Layout))[:5]
"""The choices of matrices, which every source fixes."""

HIDDEN_UNITS = ("sigmoid", "tanh", "relu")
"""Activations of hidden layers that courses have, and change from one exercise to the next."""


@says_how_it_is_made
@dataclass(frozen=True, slots=True)
class Task:
    """What a source minimises for one kind of task.

    Parameters
    ----------
    loss : str
        The name of a loss, one of `jacobians.operations.LOSSES`.
    factor : float
        Before every example's loss: ½ for Ng's squared error.
    reduction : {"sum", "mean", "mean-all", "none"} or None
        The convention's, unless the task has its own.
    output : {"softmax", "sigmoid", "linear"}
        What is applied to the last layer, for the prediction. The cross-entropies take what comes before it.
    hidden : str
        The activation of the hidden layers, one of `jacobians.operations.ACTIVATIONS`.
    first_label : int
        The number of the first class: 1 in Octave.
    citation : str
        Where the source prints it.
    notes : str
    """

    loss: str
    factor: float = 1.0
    reduction: Reduction | None = None
    output: Literal["softmax", "sigmoid", "linear"] = "linear"
    hidden: str = "sigmoid"
    first_label: int = 0
    citation: str = ""
    notes: str = ""


@says_how_it_is_made
@dataclass(frozen=True, slots=True)
class Convention:
    """A layout, and what a course or a framework fixes beside it.

    Parameters
    ----------
    name : str
        The preset's name, used in error texts.
    layout : Layout
        Where examples, weights and biases lie, and how arrays are unrolled.
    title : str
        One line.
    reduction : {"sum", "mean", "mean-all", "none"} or None
        How the losses of N examples with K outputs become one number: Σ, Σ/N, Σ/(N·K), or not at all.
        None where the source does not say; see `effective_reduction`.
    l2 : {"half-over-n", "half", "one"} or None
        The regulariser: λ/(2N)·ΣW², ½λΣW², or λΣW². None where the source has none.
    l2_bias : bool
        Whether the regulariser also touches the bias.
    packing : {"layers", "weights-then-biases"} or None
        The order of a packed vector: W1, b1, W2, b2, …, or all weights before all biases.
        None where the source packs nothing; see `effective_packing`.
    tasks : mapping of str to Task
        By kind of task: "classification", "yes/no", "regression", "margin". The first is the default; one that is
        missing, the source does not have.
    names : ArrayNames
        What the arrays are called, forward and backward.
    text_batch : {"rows", "columns"} or None
        Where the source's text keeps one example, if it also writes formulas that its code's layout does not fit.
    one_example : bool
        Whether the source writes its formulas for one example, so that no 1/N stands in them.
    citation : str
        Author, title, year and place, and which parts were read.
    evidence : {"P", "S", "M"}
        Read in the original, read in a secondary copy, or from memory.
    assumed : tuple of str
        Fields of the layout that the source leaves open, here filled with the usual choice.
    notes : str
        What the fields cannot say.

    Raises
    ------
    LayoutError
        If a field has an unknown value.

    Examples
    --------
    >>> mine = Convention("mine", Layout(weights="rows", bias="first", vec="F"), reduction="mean", l2="half-over-n")
    >>> mine.shapes((64, 25, 10))
    {'W1': (25, 65), 'W2': (10, 26)}
    >>> mine.l2_scale(strength=3.0, count=5000)
    0.0003
    """

    name: str
    layout: Layout
    title: str = ""
    reduction: Reduction | None = None
    l2: Penalty | None = None
    l2_bias: bool = False
    packing: Packing | None = None
    tasks: Mapping[str, Task] = field(default_factory=dict, hash=False)
    names: ArrayNames = field(default_factory=ArrayNames)
    text_batch: Literal["rows", "columns"] | None = None
    one_example: bool = False
    citation: str = ""
    evidence: Evidence = "M"
    assumed: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        given: tuple[Any, Any] = (self.name, self.layout)
        if tuple(map(isinstance, given, (str, Layout))) != (True, True):
            raise LayoutError(
                f"Convention: name is {kind_of(self.name)}, layout is {kind_of(self.layout)}; expected a text and a "
                "Layout, such as Layout(weights='rows') or convention('pytorch').layout"
            )
        if not isinstance(self.names, ArrayNames):
            raise LayoutError(
                f"Convention {self.name}: names is {kind_of(self.names)}; expected an ArrayNames, such as "
                "ArrayNames(weight='V{l}') from jacobians.array_names"
            )
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices and not (value is None and name in _MAY_BE_OPEN):
                expected = ", ".join(map(repr, choices)) + (" or None" if name in _MAY_BE_OPEN else "")
                raise LayoutError(f"Convention {self.name}: {name}={value!r} is unknown; choose one of {expected}")
        for name in self.assumed:
            if name not in _LAYOUT_FIELDS:
                raise LayoutError(f"Convention {self.name}: assumed names {name!r}, which is no field of a Layout")

    def replace(self, **changes: Any) -> Convention:
        """Return a copy with some fields changed.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("cs231n").replace(name="mine", reduction="sum").reduction
        'sum'
        """
        known = [own.name for own in fields(self)]
        for name in changes:
            if name not in known:
                hint = did_you_mean(name, known) or f"; choose from {', '.join(known)}"
                raise ArgumentError(f"Convention.replace: {name!r} is no field{hint}")
        return replace(self, **changes)

    def task(self, kind: str | None = None) -> Task:
        """Return what the source minimises for a kind of task; the convention's first unless a kind is given.

        Raises
        ------
        LayoutError
            If the source has no such task; the text names those that it has.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").task("regression").loss
        'squared_error'
        """
        if kind is None and self.tasks:
            return next(iter(self.tasks.values()))
        if kind in self.tasks:
            return self.tasks[str(kind)]
        listed = ", ".join(map(repr, self.tasks))
        known = f"choose from {listed}, or name a loss" if listed else "it fixes none: name a loss"
        raise LayoutError(f"task: the source of {self.name} has no task {kind!r}; {known}")

    def task_of(self, loss: str) -> Task | None:
        """Return the first of the source's tasks that minimises a loss, given its name; None if none does.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").task_of("squared_error").factor
        0.5
        """
        return next((task for task in self.tasks.values() if task.loss == loss), None)

    def task_for(self, kind: str | None = None, loss: str | None = None) -> Task:
        """Return the task of a kind, the first unless given; or what the source has for a loss that is named.

        A loss that the source has nowhere gets the factor 1 and the hidden layers of the kind. A convention without
        tasks has sigmoids and the cross-entropy of a softmax.

        Parameters
        ----------
        kind : str, optional
        loss : str, optional
            The name of the loss that is wanted, whatever the task's is.

        Raises
        ------
        LayoutError
            If a kind is given and the source has no such task.

        Examples
        --------
        >>> from jacobians import convention
        >>> ng = convention("ng-ml-2011")
        >>> ng.task_for("regression").factor, ng.task_for(loss="squared_error").factor, ng.task_for(loss="l1").loss
        (0.5, 0.5, 'l1')
        """
        task = self.task(kind) if kind is not None or self.tasks else Task("cross_entropy", output="softmax")
        if loss is None or loss == task.loss:
            return task
        return self.task_of(loss) or Task(loss, hidden=task.hidden)

    # --- what the source leaves open -------------------------------------------------------------

    @property
    def effective_reduction(self) -> Reduction:
        """The reduction, or "mean" where the source does not say.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("vecderivs-rows").reduction, convention("vecderivs-rows").effective_reduction
        (None, 'mean')
        """
        return self.reduction or "mean"

    @property
    def effective_packing(self) -> Packing:
        """The packing order, or "layers" where the source packs nothing.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("cs231n").packing, convention("cs231n").effective_packing
        (None, 'layers')
        """
        return self.packing or "layers"

    def reduction_divisor(self, count: int, outputs: int) -> int:
        """Return what the sum of all losses of `count` examples with `outputs` entries each is divided by.

        Raises
        ------
        LayoutError
            If the convention's losses are not reduced to one number.
        DomainError
            If a mean would be taken over nothing.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("pytorch-mse").reduction_divisor(count=32, outputs=10)
        320
        """
        reduction = self.effective_reduction
        if reduction == "none":
            raise LayoutError(
                f"reduction_divisor: {self.name} does not reduce its losses to one number; choose a reduction, as in "
                "convention.replace(reduction='mean')"
            )
        divisor = {"sum": 1, "mean": count, "mean-all": count * outputs}[reduction]
        if divisor < 1:
            raise DomainError(
                f"reduction_divisor: {self.name} takes a mean over {counted(count, 'example')} with "
                f"{counted(outputs, 'output')}; "
                "a mean needs at least one"
            )
        return divisor

    def l2_scale(self, strength: float, count: int) -> float:
        """Return the factor in front of ΣW², for a regulariser of this strength λ over `count` examples.

        The gradient's term is twice this factor times W. Strength 0 gives 0 in every convention.

        Raises
        ------
        LayoutError
            If the source has no regulariser.
        DomainError
            If the scale is λ/(2N) and there are no examples.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").l2_scale(strength=1.0, count=5000)
        0.0001
        """
        if strength == 0:
            return 0.0
        if self.l2 is None:
            raise LayoutError(
                f"l2_scale: the source of {self.name} fixes no regulariser; choose one, as in "
                "convention.replace(l2='half') for ½λΣW², or --regulariser half"
            )
        factor, over_count = PENALTIES[self.l2]
        if over_count and count < 1:
            raise DomainError(f"l2_scale: {self.name} divides by 2N, and N is {count}")
        return float(strength) * factor / (count if over_count else 1)

    # --- parameters ------------------------------------------------------------------------------

    def weight(self, layer: int) -> str:
        """Return the name of a layer's weight; layers count from 1.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").weight(2)
        'Theta2'
        """
        return self.names.of("weight", layer)

    def bias(self, layer: int) -> str:
        """Return the name of a layer's bias, where the layout keeps it apart; layers count from 1.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("cs231n").bias(2)
        'b2'
        """
        return self.names.of("bias", layer)

    def shapes(self, sizes: Sequence[int]) -> dict[str, Shape]:
        """Return the parameters' shapes by name, in the order W1, b1, W2, b2, …

        Parameters
        ----------
        sizes : sequence of int
            Widths of the layers from the input on, bias units not counted.

        Raises
        ------
        ShapeError
            If `sizes` is not two or more positive integers.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").shapes((400, 25, 10))
        {'Theta1': (25, 401), 'Theta2': (10, 26)}
        """
        shapes: dict[str, Shape] = {}
        for layer, (n_in, n_out) in enumerate(itertools.pairwise(layer_widths(sizes, "shapes")), start=1):
            shapes[self.weight(layer)] = self.layout.weight_shape(n_in, n_out)
            if self.layout.bias == "separate":
                shapes[self.bias(layer)] = self.layout.bias_shape(n_out)
        return shapes

    def sizes(self, params: Mapping[str, Array]) -> tuple[int, ...]:
        """Return the layers' widths, read from the shapes of the weights.

        Raises
        ------
        ArgumentError
            If the parameters did not come as a dict by name.
        ShapeError
            If there is no first weight, or one layer's outputs are not the next one's inputs.

        Examples
        --------
        >>> from jacobians import convention
        >>> import numpy as np
        >>> convention("ng-ml-2011").sizes({"Theta1": np.zeros((25, 401)), "Theta2": np.zeros((10, 26))})
        (400, 25, 10)
        """
        refuse_unnamed(params, {}, self.layout, self.names, self.name, "sizes")
        widths: list[int] = []
        for layer in itertools.count(1):
            name = self.weight(layer)
            if name not in params:
                break
            shape = np.shape(params[name])
            if len(shape) != 2:
                kernels = "; a network with kernels goes by jac.translate_network(net, params, X, target)"
                raise ShapeError(
                    f"sizes: {name} has shape {shape}; expected a matrix{kernels if len(shape) in (3, 4) else ''}"
                )
            n_in, n_out = shape[self.layout.node_axis] - self.layout.absorbs_bias, shape[1 - self.layout.node_axis]
            if widths and n_in != widths[-1]:
                raise ShapeError(
                    f"sizes: layer {layer - 1} has {widths[-1]} nodes, but {name} of shape {shape} takes {n_in} "
                    f"inputs; {self.name} keeps the weights in {self.layout.weights}: are these in "
                    f"{other_weights(self.layout)}?"
                )
            widths += [n_out] if widths else [n_in, n_out]
        if not widths:
            found = ", ".join(params) or "nothing"
            raise ShapeError(
                f"sizes: {self.name} calls its first weight {self.weight(1)}; found {found}: rename or translate it"
            )
        return layer_widths(widths, "sizes")

    def check(
        self, params: Mapping[str, npt.ArrayLike], sizes: Sequence[int], *, operation: str = "check"
    ) -> dict[str, Array]:
        """Return the parameters as floating arrays, if they have the names and shapes that this convention gives them.

        Parameters
        ----------
        operation : str
            Named in the error.

        Raises
        ------
        ShapeError
            If a name or a shape differs; the text says what would fit.

        Examples
        --------
        >>> from jacobians import convention
        >>> checked = convention("pytorch").check({"W1": [[1, 2]], "b1": [3]}, (2, 1), operation="mine")
        >>> checked["W1"].dtype
        dtype('float64')
        """
        return checked(params, self.shapes(sizes), self.layout, self.names, self.name, operation)

    def take_layers(self, params: Mapping[str, Array]) -> Layers:
        """Return views of parameters that were checked, layer by layer, as (out, in) and (out,).

        Examples
        --------
        >>> from jacobians import convention
        >>> ng = convention("ng-ml-2011")
        >>> (W, b), = ng.take_layers({"Theta1": np.array([[9.0, 1.0, 2.0]])})
        >>> W, b
        (array([[1., 2.]]), array([9.]))
        """
        layers: Layers = []
        while (name := self.weight(len(layers) + 1)) in params:
            W, bias = params[name], None
            if self.layout.absorbs_bias:
                W, bias = self.layout.weights_of(W), self.layout.bias_of(W)
            elif self.layout.bias == "separate":
                bias = params[self.bias(len(layers) + 1)].reshape(-1)
            layers.append((W if self.layout.weights == "rows" else W.T, bias))
        return layers

    def store_layers(self, layers: Layers) -> dict[str, Array]:
        """Return new arrays as the layout keeps them; a bias that it has no place for is dropped.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").store_layers([(np.array([[1.0, 2.0]]), np.array([9.0]))])
        {'Theta1': array([[9., 1., 2.]])}
        """
        params: dict[str, Array] = {}
        for layer, (W, bias) in enumerate(layers, start=1):
            if bias is not None and self.layout.absorbs_bias:
                W = self.layout.joined(bias[:, np.newaxis], W, 1)
            params[self.weight(layer)] = np.array(W if self.layout.weights == "rows" else W.T, order="C")
            if bias is not None and self.layout.bias == "separate":
                params[self.bias(layer)] = np.array(bias.reshape(self.layout.bias_shape(bias.size)), order="C")
        return params

    def pack(self, params: Mapping[str, Array], sizes: Sequence[int] | None = None) -> Array:
        """Return all parameters as one new vector, in the layout's vec order and the convention's packing order.

        Parameters
        ----------
        sizes : sequence of int, optional
            Read from the weights' shapes unless given.

        Examples
        --------
        >>> octave = Convention(
        ...     "octave", Layout(weights="rows", bias="first", vec="F"), names=ArrayNames(weight="Theta{l}")
        ... )
        >>> octave.pack({"Theta1": np.array([[1.0, 2.0], [3.0, 4.0]]), "Theta2": np.array([[5.0, 6.0, 7.0]])}).tolist()
        [1.0, 3.0, 2.0, 4.0, 5.0, 6.0, 7.0]
        """
        return self._packed(self.check(params, self.sizes(params) if sizes is None else sizes, operation="pack"))

    def unpack(self, vector: Array, sizes: Sequence[int]) -> dict[str, Array]:
        """Return the parameters that `pack` made this vector of, as new arrays.

        Raises
        ------
        ShapeError
            If the vector has another length.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("ng-ml-2011").unpack([1.0, 4.0, 2.0, 5.0, 3.0, 6.0], (2, 2))
        {'Theta1': array([[1., 2., 3.],
               [4., 5., 6.]])}
        """
        vector = as_float(vector, "the vector", "unpack")
        shapes = self.shapes(sizes)
        total = sum(map(size_of, shapes.values()))
        if vector.shape != (total,):
            hint = "; pass vector.ravel()" if vector.size == total else ""
            raise ShapeError(
                f"unpack: the vector has shape {vector.shape}, {self.name} packs sizes {tuple(sizes)} "
                f"(bias {self.layout.bias}) into ({total},){hint}"
            )
        return self._unpacked(vector, shapes)

    def describe(self) -> dict[str, str]:
        """Return the convention as one line of a table: "*" marks what is assumed, "–" what the source leaves open.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("cs231n").describe()["weights"]
        'columns'
        """
        row = {f: getattr(self.layout, f) + ("*" if f in self.assumed else "") for f in _LAYOUT_FIELDS}
        row = {"preset": self.name} | row | {field: getattr(self, field) or "–" for field in _MAY_BE_OPEN}
        row["l2 on bias"] = "–" if self.l2 is None else "yes" if self.l2_bias else "no"
        return row | {"weight": self.weight(1), "evidence": self.evidence}

    def describe_tasks(self) -> list[dict[str, str]]:
        """Return what the source minimises, one line of a table for each task, as `describe` does.

        Examples
        --------
        >>> from jacobians import convention
        >>> [(row["task"], row["loss"]) for row in convention("mazur").describe_tasks()]
        [('regression', 'squared_error')]
        """
        return [
            {
                "preset": self.name,
                "task": kind,
                "loss": task.loss,
                "factor": f"{task.factor:g}",
                "reduction": task.reduction or self.effective_reduction,
                "output": task.output,
                "hidden": task.hidden,
                "first label": str(task.first_label),
                "where": task.citation,
            }
            for kind, task in self.tasks.items()
        ]

    def _repr_html_(self) -> str:
        cells = {**self.describe(), "title": self.title, "citation": self.citation, "notes": self.notes}
        rows = (f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in cells.items() if text)
        return f"<table>{''.join(rows)}</table>"

    def packing_order(self, names: Iterable[str]) -> list[str]:
        """Return parameter names, given in the layers' order, in the order in which a packed vector has them.

        Examples
        --------
        >>> from jacobians import convention
        >>> convention("sklearn-mlp").packing_order(["W1", "b1", "W2", "b2"])
        ['W1', 'W2', 'b1', 'b2']
        """
        if self.effective_packing == "layers":
            return list(names)
        return sorted(names, key=lambda name: not self.names.is_weight(name))  # stable: keeps the layers' order

    def _packed(self, arrays: Mapping[str, Array]) -> Array:
        """Arrays that were checked as one new vector."""
        return np.concatenate([vec(arrays[name], self.layout.vec) for name in self.packing_order(arrays)])

    def _unpacked(self, vector: Array, shapes: Mapping[str, Shape]) -> dict[str, Array]:
        """A vector of the right length as new arrays of these shapes, in the order of the shapes."""
        pieces, start = dict.fromkeys(shapes, vector), 0
        for name in self.packing_order(shapes):
            stop = start + size_of(shapes[name])
            pieces[name] = unvec(vector[start:stop], shapes[name], self.layout.vec)
            start = stop
        return pieces
