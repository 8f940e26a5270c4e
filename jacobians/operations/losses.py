"""What a loss is: a number and a row per example, and a reduction that is data. The squared error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, Literal, Self, TypeAlias, cast, get_args, overload

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, as_float, kind_of, of_graph, size_of
from jacobians.errors import ArgumentError, DomainError, LayoutError, ShapeError
from jacobians.first_tries import says_how_it_is_made, written
from jacobians.layout import Layout, Reduction
from jacobians.linops import BlockDiagonal, Dense, Identity, Jacobian, PermutedAxes
from jacobians.operations.on_values import V, of_targets
from jacobians.operations.operation import UNNAMED, Frozen, Naming, called
from jacobians.operations.record import in_layout
from jacobians.operations.targets import class_labels, one_hot, same_shape_targets
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Add, Call, Expr, Hadamard, Number
from jacobians.symbols.named_functions import Function, Rule, numbers_of

__all__ = ["Loss", "SquaredError", "squared_error"]


Examples: TypeAlias = tuple[Callable[[], Array], Callable[[], Array]]
"""Functions that return the losses (N,) of the examples, and δ, which the caller owns."""

_LONG = 1 << 16
"""Entries of one example above which float32 losses are added in float64."""

Targets: TypeAlias = Literal["labels", "zero-one", "signs", "reals"]
"""Class labels; 0 and 1 for each output, or between; −1 and 1; any real numbers."""


class Loss(Frozen, ABC):
    """A loss of a mini-batch: per-example losses, and their sum or mean.

    A subclass states `_examples(X, Y)`: a function that returns the losses (N,), and one that returns δ, the array of
    ∂(loss of n)/∂X, shaped like X and owned by the caller. Who reads only one of them does not pay for the other.
    For curvature it states `_hessian(X, Y)` too: the second derivative of the sum of the losses with respect to X, as a
    Jacobian. For formulas it may state `in_symbols(X, Y)`.
    What a constructor sets does not change afterwards; `replace` returns a changed loss.

    Parameters
    ----------
    reduction : {"mean", "sum", "mean-all", "none"}
        Mean over the N examples, sum, mean over all N·K entries of X, or the losses themselves.
    layout : Layout, Convention or str, optional
    factor : float
        c, before every example's loss: ½ in the courses that want the 2 of a squared error to cancel. It is applied
        here, once: `_examples`, `_hessian` and `in_symbols` state the loss without it.

    Raises
    ------
    LayoutError
        If the reduction is unknown.
    DomainError
        If the factor is not a positive number.

    Attributes
    ----------
    residual : float or None
        The c of a loss whose δ without its factor is c·(prediction − targets), which slips of the targets are known
        for; else None.
    takes : {"labels", "zero-one", "signs", "reals"}
        The targets that it is meant for.
    threshold : float
        A single output above it stands for 1: 0 for a logit, ½ for a probability.
    prediction : {"softmax", "sigmoid", ""}
        The function of the outputs that it compares with the targets; "" for the outputs themselves.
    least_outputs : int
        With fewer outputs it is constant.
    of_outputs : bool
        Whether it takes any real outputs, as a network's last affine layer gives them, and no probabilities.

    Examples
    --------
    >>> from jacobians.operations import SquaredError
    >>> loss = SquaredError(factor=0.5)
    >>> loss([[1.0, 2.0]], [[0.0, 0.0]])[0], loss.hessian([[1.0, 2.0]], [[0.0, 0.0]])
    (array(2.5), Identity(1×2): 2×2 float64, (1, 2) → (1, 2), 0 B)
    """

    takes: ClassVar[Targets] = "reals"
    threshold: ClassVar[float] = 0.0
    prediction: ClassVar[Literal["softmax", "sigmoid", ""]] = ""
    least_outputs: ClassVar[int] = 1
    of_outputs: ClassVar[bool] = True
    residual: ClassVar[float | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        says_how_it_is_made(cls)

    def __init__(self, reduction: Reduction = "mean", layout: AnyLayout | None = None, *, factor: float = 1.0) -> None:
        self.reduction: Reduction = self._known(reduction)
        self.layout = find_layout(layout)
        # not among the numbers that a formula of the loss's own rule shows: the factor stands before it
        self._factor = self._positive(factor)

    _called = "loss"

    @property
    def factor(self) -> float:
        """The number before every example's loss.

        Examples
        --------
        >>> SquaredError(factor=0.5).factor
        0.5
        """
        return self._factor

    def _known(self, reduction: Reduction) -> Reduction:
        if reduction not in get_args(Reduction):
            meant = {"avg": "mean", "average": "mean", "batchmean": "mean", "add": "sum"}.get(str(reduction))
            hint = f"did you mean {meant!r}?" if meant else f"choose one of {get_args(Reduction)}"
            raise LayoutError(f"{type(self).__name__}: reduction={reduction!r} is unknown; {hint}")
        return reduction

    def _positive(self, factor: float) -> float:
        if type(factor) is float and 0 < factor < np.inf:
            return factor
        number = np.asarray(factor)
        if number.ndim or number.dtype.kind not in "iuf" or not 0 < number < np.inf:
            raise DomainError(
                f"{type(self).__name__}: factor={factor!r} must be one positive number, such as 0.5 before (x − y)²"
            )
        return float(number)

    def replace(
        self, *, reduction: Reduction | None = None, layout: AnyLayout | None = None, factor: float | None = None
    ) -> Self:
        """Return the same loss with another reduction, layout or factor.

        Examples
        --------
        >>> SquaredError().replace(reduction="sum").reduction
        'sum'
        """
        other = copy(self)
        changed = self._factor if factor is None else self._positive(factor)
        vars(other).update(
            reduction=self._known(reduction or self.reduction),
            layout=self.layout if layout is None else find_layout(layout),
            _factor=changed,
        )
        return other

    @property
    def name(self) -> str:
        """The loss's name in messages and tables.

        Examples
        --------
        >>> SquaredError().name
        'squared_error'
        """
        return type(self).__name__.lower()

    @abstractmethod
    def _examples(self, X: Array, Y: Array) -> Examples: ...

    def _functions(self, X: Array, Y: Array) -> Examples:
        """What `_examples` returns, if it is two functions.

        Raises
        ------
        ShapeError
            If X is no batch.
        ArgumentError
            If it is not: a loss of one's own that returns the arrays themselves.
        """
        if X.ndim < 1:
            raise self._no_batch()
        found: Any = self._examples(X, Y)
        if isinstance(found, tuple) and len(found) == 2 and all(map(callable, found)):
            return found
        given = " and ".join(map(kind_of, found)) if isinstance(found, tuple) else kind_of(found)
        raise ArgumentError(
            f"{self.name}: _examples returned {given}; expected two functions, one that returns the losses (N,) and "
            "one that returns δ: return lambda: losses, lambda: delta"
        )

    def _no_batch(self) -> ShapeError:
        return ShapeError(f"{self.name}: X is a scalar; expected a batch of examples ({self.layout})")

    # --- formulas and targets --------------------------------------------------------------------

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return δ without the factor as a formula; here, a call of this loss's own rule.

        Parameters
        ----------
        X, Y : Expr
            The outputs, and targets in their shape.
        name : callable, optional
            Called with the formula of the prediction, where there is one; returns its symbol.

        Examples
        --------
        >>> from jacobians.symbols.text import TextNotation
        >>> from jacobians.symbols.expressions import Symbol
        >>> TextNotation().expr(SquaredError().in_symbols(Symbol("Z", (5, 2)), Symbol("Y", (5, 2))))
        '2 (Z − Y)'
        """
        return Call(self.function(), (X, Y, *map(Number, numbers_of(self).values())))

    def delta_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return δ, the array of ∂(loss of n)/∂X, as a formula: `in_symbols` times the factor; ½·2 (X − Y) is X − Y.

        Examples
        --------
        >>> from jacobians.symbols.text import TextNotation
        >>> from jacobians.symbols.expressions import Symbol
        >>> half = SquaredError(factor=0.5)
        >>> TextNotation().expr(half.delta_in_symbols(Symbol("Z", (5, 2)), Symbol("Y", (5, 2))))
        'Z − Y'
        """
        match self.in_symbols(X, Y, name):
            case delta if self._factor == 1:
                return delta
            case Hadamard(Number(value), rest):
                product = self._factor * value
                return rest if product == 1 else Hadamard(Number(product), rest)
            case delta:
                return Hadamard(Number(self._factor), delta)

    def second_in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Jacobian:
        """Return ∂²(Σ losses)/∂X² without the factor, in symbols; here, this loss's own `_hessian`, run on symbols.

        Parameters
        ----------
        X, Y, name
            As of `in_symbols`.

        Examples
        --------
        >>> from jacobians.symbols.expressions import Symbol
        >>> from jacobians.symbols.text import TextNotation
        >>> M = SquaredError().second_in_symbols(Symbol("Z", (5, 2)), Symbol("Y", (5, 2)))
        >>> TextNotation().matrix(M, "C")
        '2 I₁₀'
        """
        return self._hessian(cast(Array, X), cast(Array, Y))

    def function(self) -> Function:
        """Return δ without the factor as a function of outputs and targets; programs call it for the class's rule."""
        return Function(*called(self.name, prime=True), Rule(self, "_examples", 1), prime=True)

    def declared_for(self, Y: npt.ArrayLike, X: Array) -> Loss:
        """Return this loss, told the kind of its targets where its formula depends on it; here it does not."""
        return self

    def in_shape(self, Y: npt.ArrayLike, X: Array) -> Array:
        """Return the targets in the outputs' shape: labels become one-hot.

        Examples
        --------
        >>> from jacobians.operations import CrossEntropy
        >>> CrossEntropy().in_shape([0, 1], np.zeros((2, 3)))
        array([[1., 0., 0.],
               [0., 1., 0.]])
        """
        Y = as_array(Y, "Y", "explain")
        if Y.shape == X.shape or X.ndim != 2:
            return as_float(Y, "Y", "explain").astype(X.dtype, copy=False)
        count, classes = X.shape[self.layout.batch_axis], X.shape[self.layout.feature_axis]
        return one_hot(class_labels(Y, count, classes, "explain"), X, self.layout)

    def sample_targets(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return made-up targets of the kind that it takes, for outputs of a shape.

        Examples
        --------
        >>> SquaredError().sample_targets((4, 2), np.random.default_rng(0)).shape
        (4, 2)
        """
        match self.takes:
            case "signs":
                return rng.choice([-1.0, 1.0], size=shape)
            case "reals":
                return rng.normal(size=shape)
            case "zero-one":
                return (rng.random(shape) < 0.5) * 1.0
        classes = shape[self.layout.feature_axis]
        if classes == 1:
            return rng.random(shape).round()
        return rng.integers(classes, size=shape[self.layout.batch_axis])

    # --- numbers ---------------------------------------------------------------------------------

    def decide(self, X: npt.ArrayLike) -> Array:
        """Return the decision of outputs: the class of the largest, 0 or 1 for a single one, ±1, or the outputs.

        Parameters
        ----------
        X : array_like
            Outputs, as the loss takes them.

        Returns
        -------
        ndarray
            For a loss of classes, the index of the largest output of every example, (N,); the first of equal ones. For
            one output that is a probability's logit, 0 or 1 in its shape; for labels ±1, these; else the outputs.

        Examples
        --------
        >>> from jacobians.operations import BinaryCrossEntropy, CrossEntropy, SquaredError
        >>> CrossEntropy().decide([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]])
        array([1, 0])
        >>> BinaryCrossEntropy().decide([[-0.3], [0.2]])
        array([[0],
               [1]])
        >>> SquaredError().decide([[1.5]])
        array([[1.5]])
        """
        X = as_float(X, "X", self.name)
        if X.ndim < 1:
            raise self._no_batch()
        several = X.ndim == 2 and X.shape[self.layout.feature_axis] > 1
        if self.takes == "labels" or (self.takes == "zero-one" and several):
            return X.argmax(axis=self.layout.feature_axis)
        if self.takes == "zero-one":
            return (self.threshold < X).astype(np.intp)
        if self.takes == "signs":
            return np.where(X < 0, -1, 1)
        return X

    def scale(self, X: Array, whole: int | None = None) -> float:
        """Return the reduction's weight of every example's loss in the total: 1, 1/N or 1/(N·K).

        Parameters
        ----------
        X : ndarray
        whole : int, optional
            N, where X holds only a part of the batch.

        Raises
        ------
        DomainError
            If the mean is over nothing.

        Examples
        --------
        >>> SquaredError(reduction="mean").scale(np.ones((4, 2))), SquaredError(reduction="sum").scale(np.ones((4, 2)))
        (0.25, 1.0)
        """
        if self.reduction in ("sum", "none"):
            return 1.0
        # matrices, of which there are most, take one call less
        examples = X.shape[self.layout.batch_axis if X.ndim == 2 else self.layout.examples_axis(X.ndim)]
        count = examples if self.reduction == "mean" else X.size
        if whole is not None and examples:
            count = count // examples * whole
        if count == 0:
            raise DomainError(
                f"{self.name}: X has shape {X.shape}; the mean over no examples is undefined (a sum is 0)"
            )
        return 1.0 / count

    @overload
    def __call__(self, X: V, Y: V | npt.ArrayLike) -> V: ...
    @overload
    def __call__(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Jacobian]: ...
    @written("loss(X, Y), of outputs and targets; net.value(params, X, Y) is a network's")
    def __call__(self, X: Any, Y: Any) -> Any:
        """Return the loss and its Jacobian with respect to X, in the layout; of a value of a graph, a value."""
        if (value := of_graph((X, Y))) is not None:
            return value._apply(self, (X, Y))
        if self.reduction == "none":
            losses, jacobian = self.per_example(X, Y)
        else:
            losses, jacobian = self.reduced(X, Y)
        return losses, in_layout(jacobian, self.layout)

    def per_example(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Jacobian]:
        """Return the losses (N,) and their Jacobian in numerator layout: one row for each example.

        Examples
        --------
        >>> losses, J = SquaredError().per_example([[1.0, 2.0], [3.0, 4.0]], [[0.0, 2.0], [3.0, 2.0]])
        >>> losses, J.shape
        (array([1., 4.]), (2, 4))
        """
        X = as_float(X, "X", self.name)
        losses, delta = self._functions(X, as_array(Y, "Y", self.name))
        values, rows = losses(), delta()
        if self._factor != 1:
            values, rows = self._factor * values, self._factor * rows
        return values, rows_of_examples(rows, self.layout)

    def reduced(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Jacobian]:
        """Return the total and its Jacobian, a row, in numerator layout.

        Examples
        --------
        >>> total, J = SquaredError(reduction="sum").reduced([[1.0, 2.0]], [[0.0, 2.0]])
        >>> total, J.to_dense()
        (array(1.), array([[2., 0.]]))
        """
        value, row = self.total(X, Y)
        return value(), row()

    def total(
        self, X: npt.ArrayLike, Y: npt.ArrayLike, whole: int | None = None
    ) -> tuple[Callable[[], Array], Callable[[], Dense]]:
        """Return functions that return the total and its Jacobian, a row, in numerator layout.

        Parameters
        ----------
        X, Y : array_like
        whole : int, optional
            N, where X and Y hold only a part of the batch.

        Examples
        --------
        >>> value, slope = SquaredError(reduction="sum").total([[1.0, 2.0]], [[0.0, 2.0]])
        >>> value(), slope().to_dense()
        (array(1.), array([[2., 0.]]))
        """
        value, slope = self._total(as_float(X, "X", self.name), as_array(Y, "Y", self.name), whole)
        return value, lambda: Dense(slope())

    def _total(self, X: Array, Y: Array, whole: int | None = None) -> tuple[Callable[[], Array], Callable[[], Array]]:
        """Functions that return the total, and its derivative as a new array of X's shape."""
        losses, delta = self._functions(X, Y)
        scale = self._factor * self.scale(X, whole)

        def value() -> Array:
            examples = losses()
            # float64 inside: the sum of a long float32 batch would stall
            wide = np.promote_types(examples.dtype, np.float64)
            return as_array(examples.sum(dtype=wide) * scale).astype(examples.dtype)

        def slope() -> Array:
            array = delta()
            if scale != 1.0:
                array *= scale
            return array

        return value, slope

    def hessian(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> Jacobian:
        r"""Return the total's second derivative with respect to X, :math:`\partial^2 L/\partial X^2`, in the layout.

        It is the Jacobian of the gradient with respect to X: symmetric, and one block for each example. With
        `reduction="none"` it is that of the sum.

        Parameters
        ----------
        X, Y : array_like
            As the loss takes them.

        Returns
        -------
        Jacobian
            From arrays shaped like X to arrays shaped like X.

        Raises
        ------
        DomainError
            If the loss states no second derivative.

        Examples
        --------
        >>> from jacobians.operations import CrossEntropy, SquaredError
        >>> SquaredError(0.5).hessian([[1.0], [2.0]], [[0.0], [0.0]]).to_dense()
        array([[0.5, 0. ],
               [0. , 0.5]])
        >>> CrossEntropy().hessian([[0.0, 0.0]], [1]).to_dense()
        array([[ 0.25, -0.25],
               [-0.25,  0.25]])
        """
        X, Y = as_float(X, "X", self.name), as_array(Y, "Y", self.name)
        self._functions(X, Y)  # refuses what the loss refuses
        return in_layout(self._factor * self.scale(X) * self._hessian(X, Y), self.layout)

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """∂²(Σ losses)/∂X² in numerator layout, without the factor; a loss states it to take part in curvature."""
        raise DomainError(
            f"{self.name}: the loss states no second derivative, which Gauss–Newton and Fisher matrices need; "
            "define _hessian(X, Y). It returns the second derivative of the sum of the losses with respect to X, as a "
            "Jacobian"
        )


def rows_of_examples(delta: Array, layout: Layout) -> Jacobian:
    """Return the Jacobian that has δ's part of each example as its row."""
    if (axis := layout.examples_axis(delta.ndim)) == 1:  # the steps of sequences come first
        axes = (1, 0, 2) if layout.batch == "rows" else (0, 2, 1)
        first = rows_of_examples(delta.transpose(axes), layout.replace(sequences="batch-first"))
        return first @ PermutedAxes(axes, delta.shape, delta.dtype)
    count = delta.shape[axis]
    if layout.batch == "rows":
        inner = size_of(delta.shape[1:])
        blocks = delta.reshape(count, 1, inner)
    else:
        inner = size_of(delta.shape[:-1])
        blocks = delta.reshape(inner, count).T[:, None, :]
    return BlockDiagonal(blocks, (count,), delta.shape, layout.batch_axis)


def sum_over_example(values: Array, layout: Layout, axis: int | None = None) -> Array:
    """Return one sum for each example: (N,), over all axes but that of the examples; new even where nothing is summed.

    Parameters
    ----------
    values : ndarray
    layout : Layout
    axis : int, optional
        That of the examples, where the values have not the axes of the outputs.
    """
    if axis is None:
        axis = layout.batch_axis if values.ndim == 2 else layout.examples_axis(values.ndim)
    own = axis % values.ndim
    axes: Any = tuple(other for other in range(values.ndim) if other != own)
    # NumPy adds the rows of a batch in columns one after another: many of them would stall in float32
    long = values.dtype == np.float32 and values.size > _LONG * values.shape[own]
    return as_array(values.sum(axis=axes, dtype=np.float64 if long else None)).astype(values.dtype, copy=False)


class SquaredError(Loss):
    """c·Σₖ (xₖ − yₖ)² for each example; ∂/∂x = 2c (x − y).

    Parameters
    ----------
    factor : float
        c: 1, or ½ in the courses that want the 2 to cancel.
    reduction, layout
        See `Loss`.

    Examples
    --------
    >>> SquaredError(0.5)([[1.0, 2.0]], [[0.0, 0.0]])[1].gradient
    array([[1., 2.]])
    """

    name = "squared_error"
    residual = 2.0

    def __init__(self, factor: float = 1.0, reduction: Reduction = "mean", layout: AnyLayout | None = None) -> None:
        super().__init__(reduction, layout, factor=factor)

    def _examples(self, X: Array, Y: Array) -> Examples:
        difference = X - same_shape_targets(Y, X, self.name, self.layout)
        return (
            lambda: sum_over_example(difference * difference, self.layout),
            lambda: 2.0 * difference,
        )

    def in_symbols(self, X: Expr, Y: Expr, name: Naming = UNNAMED) -> Expr:
        """Return 2 (X − Y)."""
        return Hadamard(Number(2), Add(X, Y, minus=True))

    def _hessian(self, X: Array, Y: Array) -> Jacobian:
        """2 I."""
        return 2.0 * Identity(X.shape, X.dtype)


@of_targets
def squared_error(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    factor: float = 1.0,
    reduction: Reduction = "mean",
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobian]:
    """Return c·Σ(X − Y)², reduced over the batch, and its Jacobian.

    Parameters
    ----------
    X, Y : array_like, of one shape
    factor : float
        c: 1, or 0.5.
    reduction : {"mean", "sum", "mean-all", "none"}
        "mean-all" divides by N·K, as PyTorch's and Keras' mean squared errors do.
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If the shapes differ; (N, 1) against (N,) is never broadcast.

    Examples
    --------
    >>> L, J = squared_error([[1.0, 2.0]], [[0.0, 0.0]], factor=0.5)
    >>> float(L), J.gradient
    (2.5, array([[1., 2.]]))
    """
    return SquaredError(factor, reduction, layout)(X, Y)
