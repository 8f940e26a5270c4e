"""Linear and affine maps of a mini-batch in every layout: one table, and where the bias and its entry of ones lie."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, cast, get_args, overload

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, ones, size_of
from jacobians.errors import LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.layout import Features, Layout
from jacobians.linops import Commutation, Jacobian, Kronecker, Product, Reshape, Selection
from jacobians.linops.kernels import matmul
from jacobians.linops.kronecker import bordered
from jacobians.operations.on_values import V, of_one, of_two
from jacobians.operations.operation import UNNAMED, Naming, Operation, Primitive, Unary
from jacobians.operations.record import Jacobians, Makers, Second
from jacobians.operations.shaping import flat_examples
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr, WithOnes

__all__ = ["AddOnes", "Affine", "add_ones", "affine", "linear"]


class AddOnes(Unary):
    """X ↦ [1 X] or [X 1]: one entry of ones for each example.

    Its Jacobian places entries, so its VJP is the selection that drops them: "remove δ₀" in Ng's exercise 4.

    Parameters
    ----------
    layout : Layout, Convention or str
        With bias "first" or "last".

    Examples
    --------
    >>> from jacobians import Layout
    >>> AddOnes(Layout(bias="first"))([[5.0, 6.0]])[0]
    array([[1., 5., 6.]])
    """

    per_example = True
    piecewise_linear = True
    name = "add_ones"

    def __init__(self, layout: AnyLayout) -> None:
        layout = find_layout(layout)
        if not layout.absorbs_bias:
            raise LayoutError(f"add_ones: the layout keeps its bias {layout.bias!r}; choose bias='first' or 'last'")
        self.layout: Layout = layout

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        check_matrix(X, "X", "add_ones", self.layout)
        return with_ones(X, self.layout), {"X": lambda: placement(X, self.layout)}

    def moved_to(self, layout: AnyLayout) -> Operation:
        return AddOnes(layout)

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return [1 X] or [X 1], and the maker of the placement."""
        (X,) = inputs
        value = WithOnes(X, self.layout.feature_axis % 2, self.layout.bias == "first")
        return value, {"X": lambda: placement(cast(Array, X), self.layout)}


@of_one
def add_ones(X: npt.ArrayLike, layout: AnyLayout) -> tuple[Array, Jacobian]:
    """Return X with an entry of ones for each example, and the Jacobian.

    Parameters
    ----------
    X : array_like, shape (N, D) or (D, N)
    layout : Layout, Convention or str
        With bias "first" or "last".

    Raises
    ------
    LayoutError
        If the layout keeps its bias elsewhere.

    Examples
    --------
    >>> value, J = add_ones([[5.0, 6.0]], Layout(bias="first"))
    >>> value, J.vjp(np.array([[10.0, 20.0, 30.0]]))
    (array([[1., 5., 6.]]), array([[20., 30.]]))
    """
    return AddOnes(layout)(X)


def with_ones(X: Array, layout: Layout) -> Array:
    """Return a new array: X with an entry of ones for each example, first or last."""
    ones = np.ones(layout.batch_shape(X.shape[layout.batch_axis], 1), dtype=X.dtype)
    return layout.joined(ones, X, layout.feature_axis)


def placement(X: Array, layout: Layout) -> Jacobian:
    """Return the Jacobian of adding ones: the transpose of the selection that drops them."""
    features = X.shape[layout.feature_axis]
    # where the ones come last, the place of the last feature is said, which a formula prints
    kept = layout.without_bias if layout.bias == "first" else slice(0, features)
    key = (slice(None), kept) if layout.batch == "rows" else (kept, slice(None))
    shape = layout.batch_shape(X.shape[layout.batch_axis], features + 1)
    return Selection(key, shape, X.dtype).T


def check_matrix(array: Array, name: str, operation: str, layout: Layout) -> None:
    """Raise ShapeError unless the array is a matrix."""
    if array.ndim != 2:
        raise ShapeError(f"{operation}: {name} has shape {array.shape}; expected a matrix ({layout})")


class Affine(Primitive):
    """Z = X W + b and its kin; see `affine`.

    Parameters
    ----------
    layout : Layout, Convention or str
    sizes : (int, int), optional
        Inputs and outputs of one example, where the shapes of the parameters are to be known beforehand.

    Examples
    --------
    >>> Z, J = Affine("pytorch")(np.ones((5, 4)), np.ones((3, 4)), np.zeros(3))
    >>> Z.shape, J.W.shape
    ((5, 3), (15, 12))
    """

    per_example = True

    def __init__(self, layout: AnyLayout | None = None, sizes: tuple[int, int] | None = None) -> None:
        self.layout: Layout = find_layout(layout)
        self.sizes = None if sizes is None else _two_sizes(sizes)

    @cached_property
    def name(self) -> str:
        return "linear" if self.layout.bias == "none" else "affine"

    @cached_property
    def names(self) -> tuple[str, ...]:
        return ("X", "W", "b") if self.layout.bias == "separate" else ("X", "W")

    def parameter_shapes(self) -> Mapping[str, Shape]:
        """Shapes of W and, where it is separate, b."""
        if self.sizes is None:
            return {}
        shapes: dict[str, Shape] = {"W": self.layout.weight_shape(*self.sizes)}
        if self.layout.bias == "separate":
            shapes["b"] = self.layout.bias_shape(self.sizes[1])
        return shapes

    def moved_to(self, layout: AnyLayout) -> Operation:
        return Affine(layout, self.sizes)

    @cached_property
    def _weight_shape(self) -> Shape:
        """What W must have; () where any shape may do."""
        return self.parameter_shapes().get("W", ())

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, W = arrays[:2]
        layout = self.layout
        if X.ndim > 2:
            self._check_features(X, W)
            into = self._as_matrix(X)
            return self._around(X, into, *self._linearize(into._jvp(X), W, *arrays[2:]))
        self._check(X, W)
        n_out = W.shape[1 - layout.node_axis]
        weights, b = W, None
        if layout.bias == "separate":
            b = arrays[2]
            if b.shape != (n_out,):
                _check_bias(b, n_out, layout)
        elif layout.absorbs_bias:
            # the bias is added, and no ones column is built unless the Jacobian with respect to W is asked for
            weights, b = layout.weights_of(W), layout.bias_of(W)
        node_columns = weights if layout.weights == "columns" else weights.T
        Z = matmul(X, node_columns) if layout.batch == "rows" else matmul(node_columns.T, X)
        if b is not None:
            b = b.reshape(n_out) if layout.batch == "rows" else b.reshape(n_out, 1)
            # in place, unless the bias alone is float64
            Z = np.add(Z, b, out=Z if b.dtype.itemsize <= Z.dtype.itemsize else None)
        makers: Makers = {"X": partial(self._by_input, X, W), "W": partial(self._by_weights, X, W)}
        if layout.bias == "separate":
            makers["b"] = partial(self._by_bias, X, n_out, arrays[2].shape)
        return Z, makers

    def _around(self, X: Any, into: Jacobian, Z: Any, makers: Makers) -> tuple[Any, Makers]:
        """From Z and its makers for the matrix that an X of more axes becomes, to those of X itself."""
        layout = self.layout
        if layout.features == "all-axes":
            return Z, {**makers, "X": lambda: makers["X"]() @ into}
        own = (*X.shape[:-1], Z.shape[1]) if layout.batch == "rows" else (Z.shape[0], *X.shape[1:])
        out = Reshape(own, Z.shape, Z.dtype)
        around: Makers = {name: partial(_after, out, make) for name, make in makers.items()}
        return Z.reshape(own), {**around, "X": lambda: out @ makers["X"]() @ into}

    def _as_matrix(self, X: Array) -> Jacobian:
        """The map from an X of more axes to the matrix of its vectors: all of them, or one vector per example."""
        layout, shape = self.layout, X.shape
        if layout.features == "all-axes":
            return flat_examples(shape, layout, X.dtype)
        features = shape[layout.feature_axis]
        count = size_of(shape[:-1] if layout.batch == "rows" else shape[1:])
        return Reshape(layout.batch_shape(count, features), shape, X.dtype)

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """Z̄ by X is linear in W: dW ↦ Ḡ dWᵀ, Ḡ dW, dW Ḡ or dWᵀ Ḡ, less the entry of ones."""
        X, W = arrays[:2]
        layout = self.layout
        if X.ndim > 2:
            into, n_out = self._as_matrix(X), W.shape[1 - layout.node_axis]
            matrix = cotangent.reshape(layout.batch_shape(into.codomain[layout.batch_axis], n_out))
            found = self._second(matrix, into._jvp(X), W)
            return {pair: into.T @ jacobian for pair, jacobian in found.items()}
        width = W.shape[layout.node_axis]
        rows = layout.batch == "rows"
        by_weights: Jacobian = Kronecker(cotangent, width) if rows else Kronecker(width, cotangent.T)
        if layout.weights == ("columns" if rows else "rows"):
            by_weights = Product((by_weights, Commutation(W.shape[0], W.shape[1], cotangent.dtype)))
        return {("X", "W"): placement(X, layout).T @ by_weights if layout.absorbs_bias else by_weights}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return Z as a formula, and makers of the Jacobians in symbols: Z is linear in W and b, so it is J·W + J·b."""
        if inputs[0].ndim > 2:
            given, *others = inputs
            into = self._as_matrix(cast(Array, given))
            matrix = cast(Expr, into._jvp(cast(Array, given)))
            return self._around(given, into, *self.in_symbols(matrix, *others, name=name))
        X, W, *bias = cast("list[Array]", inputs)
        makers: Makers = {"X": lambda: self._by_input(X, W), "W": lambda: self._by_weights(X, W)}
        value = self._by_weights(X, W)._jvp(W)
        if bias:
            (b,) = bias
            n_out = W.shape[1] if self.layout.weights == "columns" else W.shape[0]
            makers["b"] = lambda: self._by_bias(X, n_out, b.shape)
            value = value + makers["b"]()._jvp(b)
        return cast(Expr, value), makers

    def _by_input(self, X: Array, W: Array) -> Jacobian:
        """dZ = dX Wᵀ, dX W, W dX or Wᵀ dX; with an absorbed bias, after dX has been placed among zeros."""
        node_rows = W if self.layout.weights == "rows" else W.T
        count = X.shape[self.layout.batch_axis]
        if self.layout.batch == "rows":
            by_data = Kronecker(count, node_rows)
        else:
            by_data = Kronecker(node_rows, count)
        return Product((by_data, placement(X, self.layout))) if self.layout.absorbs_bias else by_data

    def _by_weights(self, X: Array, W: Array) -> Jacobian:
        """dZ = X dW, or X dWᵀ, where one node per row needs a commutation; batches in columns mirror both."""
        rows = X if self.layout.batch == "rows" else X.T
        data = bordered(rows, first=self.layout.bias == "first", axis=1) if self.layout.absorbs_bias else rows
        n_out = W.shape[1] if self.layout.weights == "columns" else W.shape[0]
        by_weights = Kronecker(data, n_out) if self.layout.batch == "rows" else Kronecker(n_out, data)
        natural = "columns" if self.layout.batch == "rows" else "rows"
        if self.layout.weights == natural:
            return by_weights
        return Product((by_weights, Commutation(W.shape[0], W.shape[1], X.dtype)))

    def _by_bias(self, X: Array, n_out: int, shape: Shape) -> Jacobian:
        """dZ = 1 dbᵀ or db 1ᵀ: a vector of ones, whose VJP is the column sum."""
        count = X.shape[self.layout.batch_axis]
        column = ones((count, 1), X)
        by_bias = Kronecker(column, n_out) if self.layout.batch == "rows" else Kronecker(n_out, column)
        return by_bias if by_bias.domain == shape else Product((by_bias, Reshape(by_bias.domain, shape, X.dtype)))

    def _check_features(self, X: Array, W: Array) -> None:
        """Raise ShapeError unless an X of more than two axes has as many features as W takes."""
        layout = self.layout
        check_matrix(W, "W", self.name, layout)
        width = W.shape[layout.node_axis] - layout.absorbs_bias
        flat = layout.features == "all-axes"
        found = {features: _features(X, layout.replace(features=features)) for features in get_args(Features)}
        if found[layout.features] == width:
            return
        other = "one-axis" if flat else "all-axes"
        what = "all entries of an example" if flat else f"the entries along axis {layout.feature_axis}"
        hint = f"; with features={other!r} it would fit" if found[other] == width else ""
        raise ShapeError(
            f"{self.name}: X has shape {X.shape}, and the layout takes {what} as features, {found[layout.features]} "
            f"(batch in {layout.batch}, features={layout.features!r}); W of shape {W.shape} (weights in "
            f"{layout.weights}, bias {layout.bias}) expects {width}{hint}"
        )

    def _check(self, X: Array, W: Array) -> None:
        layout, expected = self.layout, self._weight_shape
        if not X.ndim == W.ndim == 2:
            check_matrix(X, "X", self.name, layout)
            check_matrix(W, "W", self.name, layout)
        if W.shape != (expected or W.shape):
            raise ShapeError(
                f"{self.name}: W has shape {W.shape}, weights in {layout.weights} with bias {layout.bias} expect "
                f"{expected}{_transpose_hint(W.shape, expected, 'are the weights in ' + _other(layout.weights))}"
            )
        width = W.shape[layout.node_axis] - layout.absorbs_bias
        if X.shape[layout.feature_axis] == width:
            return
        wanted = f"(N, {width})" if layout.batch == "rows" else f"({width}, N)"
        hint = ""
        if X.shape[0 if layout.batch == "rows" else 1] == width:
            hint = f"; its transpose would fit: is the batch in {_other(layout.batch)}?"
        elif W.shape[0 if layout.weights == "rows" else 1] - layout.absorbs_bias == X.shape[layout.feature_axis]:
            hint = f"; W's transpose would fit: are the weights in {_other(layout.weights)}?"
        elif layout.absorbs_bias and X.shape[layout.feature_axis] == width + 1:
            hint = "; the layout adds the entry of ones itself: leave it out of X"
        elif W.shape[layout.feature_axis] == X.shape[layout.node_axis] - layout.absorbs_bias:
            hint = "; are X and W in each other's place?"
        elif layout.bias in ("separate", "none") and X.shape[layout.feature_axis] == width - 1:
            hint = "; W has one more: is the bias absorbed in it (bias='first' or 'last')?"
        raise ShapeError(
            f"{self.name}: X has shape {X.shape}, batch in {layout.batch} expects {wanted} for W of shape {W.shape} "
            f"(weights in {layout.weights}, bias {layout.bias}){hint}"
        )


def _after(out: Jacobian, make: Callable[[], Jacobian]) -> Jacobian:
    return out @ make()


def _features(X: Array, layout: Layout) -> int:
    """How many features a layer sees in an X of more than two axes."""
    shape = X.shape if layout.features == "one-axis" else layout.flat_shape(X.shape)
    return shape[layout.feature_axis]


def _two_sizes(sizes: tuple[int, int]) -> tuple[int, int]:
    try:
        n_in, n_out = map(operator.index, sizes)
    except (TypeError, ValueError):
        n_in = n_out = -1
    if min(n_in, n_out) < 0:
        raise ShapeError(
            f"Affine: sizes={sizes!r}; expected the inputs and the outputs of one example, such as (64, 25), "
            "bias units not counted"
        )
    return n_in, n_out


@overload
def affine(X: V, W: Any, b: Any = None, layout: AnyLayout | None = None) -> V: ...
@overload
def affine(X: npt.ArrayLike, W: V, b: Any = None, layout: AnyLayout | None = None) -> V: ...
@overload
def affine(X: npt.ArrayLike, W: npt.ArrayLike, b: V, layout: AnyLayout | None = None) -> V: ...
@overload
def affine(
    X: npt.ArrayLike, W: npt.ArrayLike, b: npt.ArrayLike | None = None, layout: AnyLayout | None = None
) -> tuple[Array, Jacobians]: ...
@written
def affine(X: Any, W: Any, b: Any = None, layout: AnyLayout | None = None) -> Any:
    r"""Return Z and its Jacobians with respect to X, W and, where it is separate, b.

    ============== ====================== ===================
    .              weights in rows        weights in columns
    ============== ====================== ===================
    batch rows     :math:`Z = X W^\top`   :math:`Z = X W`
    batch columns  :math:`Z = W X`        :math:`Z = W^\top X`
    ============== ====================== ===================

    plus the bias: b for every example, or the first or last row or column of W against an entry of ones.

    Parameters
    ----------
    X : array_like, shape (N, D), or (D, N) with the batch in columns
        Or of more axes. A layout with features "one-axis" maps each vector along the feature axis, as torch and Keras
        do: (N, T, D) becomes (N, T, out). One with "all-axes" flattens each example, as CS231n does.
    W : array_like, shape (in, out), or (out, in) with the weights in rows; in = D, or D + 1 with an absorbed bias
    b : array_like, shape (out,), (1, out) or (out, 1), only with a separate bias
    layout : Layout, Convention or str, optional

    Returns
    -------
    Z : ndarray, shape (N, out) or (out, N), or of more axes as X
    J : Jacobians
        ``J.X``, ``J.W`` and ``J.b``: Kronecker products, with a commutation where one node's weights lie
        along the other axis than one example's entries.

    Raises
    ------
    ShapeError
        If X, W and b do not fit in this layout.
    LayoutError
        If b is missing or not wanted.

    References
    ----------
    Magnus & Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., ch. 9: d vec(AXB) = (Bᵀ ⊗ A) d vec X.

    Examples
    --------
    >>> X, W, b = np.ones((5, 3)), np.ones((3, 2)), np.zeros(2)
    >>> Z, J = affine(X, W, b)
    >>> J
    Jacobians of affine with respect to
      X: Kronecker(I₅, 2×3): 10×15 float64, (5, 3) → (5, 2), 48 B
      W: Kronecker(5×3, I₂): 10×6 float64, (3, 2) → (5, 2), 120 B
      b: Kronecker(5×1, I₂) @ Reshape(2 to 1×2): 10×2 float64, (2,) → (5, 2), 40 B

    Images of 3×2×2 pixels, flattened as in CS231n, and sequences of seven steps as in torch:

    >>> affine(np.ones((5, 3, 2, 2)), np.ones((12, 4)), np.zeros(4), "cs231n")[0].shape
    (5, 4)
    >>> affine(np.ones((7, 5, 3)), np.ones((4, 3)), np.zeros(4), "pytorch")[0].shape
    (7, 5, 4)
    """
    layout = find_layout(layout)
    if layout.bias == "separate" and b is None:
        raise LayoutError("affine: the layout keeps the bias separate, so b is needed; or use linear, or bias='first'")
    if layout.bias != "separate" and b is not None:
        raise LayoutError(f"affine: with bias {layout.bias!r} the layout has no separate b; leave it out")
    return Affine(layout)(X, W) if b is None else Affine(layout)(X, W, b)


@of_two
def linear(X: npt.ArrayLike, W: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    """Return the product of a batch and a weight matrix without bias, and its Jacobians with respect to X and W.

    Parameters
    ----------
    X, W : array_like
        As in `affine`, whatever bias the layout names.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Z, J = linear(np.ones((5, 3)), np.ones((2, 3)), Layout(weights="rows"))
    >>> J.W
    Kronecker(5×3, I₂) @ Commutation(2, 3): 10×6 float64, (2, 3) → (5, 2), 120 B
    """
    return Affine(find_layout(layout).replace(bias="none"))(X, W)


def _check_bias(b: Array, n_out: int, layout: Layout) -> None:
    matrix = (1, n_out) if layout.batch == "rows" else (n_out, 1)
    if b.shape not in ((n_out,), matrix):
        raise ShapeError(
            f"affine: b has shape {b.shape}, {n_out} nodes with the batch in {layout.batch} expect "
            f"({n_out},) or {matrix}{_transpose_hint(b.shape, matrix, 'is the batch in ' + _other(layout.batch))}"
        )


def _transpose_hint(shape: Shape, expected: Shape, question: str) -> str:
    return f"; its transpose would fit: {question}?" if shape == expected[::-1] != expected else ""


def _other(lines: str) -> str:
    return "columns" if lines == "rows" else "rows"
